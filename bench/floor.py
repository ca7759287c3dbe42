"""The floor: httpx, msgspec structs of the fields that dunwell uses, SQLite's `executemany` of the same columns.

`python -m bench.floor ROOT-URL DATABASE`. What a fast script would do and no more: one list after the other, numbers as
doubles rounded to cents, no lease, no hashes, no second look, no review list, one commit a page. The tables have
dunwell's columns (without its hash), its primary key and its pragmas.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import msgspec

from bench.measure import Measured, meter, tell
from bench.server import TENANT
from bench.tables import COLUMNS, open_tables, statement

ORGANISATION = f"xero:{TENANT}"
Row = tuple[Any, ...]


class Ref(msgspec.Struct):
    ContactID: str = ""
    Name: str = ""


class Line(msgspec.Struct):
    LineItemID: str = ""
    Description: str = ""
    LineAmount: float = 0.0
    TaxAmount: float = 0.0
    AccountCode: str = ""
    TaxType: str = ""


class Invoice(msgspec.Struct):
    InvoiceID: str
    Contact: Ref
    Type: str = ""
    InvoiceNumber: str = ""
    Reference: str = ""
    Date: str = ""
    DateString: str = ""
    DueDate: str = ""
    DueDateString: str = ""
    Status: str = ""
    LineItems: list[Line] = []
    TotalTax: float = 0.0
    Total: float = 0.0
    AmountDue: float = 0.0
    AmountPaid: float = 0.0
    AmountCredited: float = 0.0
    CurrencyCode: str = ""
    CurrencyRate: float = 1.0
    SentToContact: bool | None = None
    ExpectedPaymentDateString: str | None = None
    FullyPaidOnDate: str | None = None
    RepeatingInvoiceID: str | None = None
    HasAttachments: bool = False
    UpdatedDateUTC: str = ""


class Account(msgspec.Struct):
    AccountID: str = ""
    Code: str = ""


class Document(msgspec.Struct):
    InvoiceID: str
    Contact: Ref
    InvoiceNumber: str = ""
    CurrencyCode: str = ""


class Payment(msgspec.Struct):
    PaymentID: str
    Invoice: Document
    Date: str = ""
    Amount: float = 0.0
    Reference: str = ""
    IsReconciled: bool | None = None
    Account: Account | None = None
    Status: str = ""
    UpdatedDateUTC: str = ""


class Person(msgspec.Struct):
    FirstName: str = ""
    LastName: str = ""
    EmailAddress: str = ""
    IncludeInEmails: bool = False


class Phone(msgspec.Struct):
    PhoneType: str = ""
    PhoneNumber: str = ""
    PhoneAreaCode: str = ""
    PhoneCountryCode: str = ""


class Address(msgspec.Struct):
    AddressType: str = ""
    AddressLine1: str = ""
    City: str = ""
    Region: str = ""
    PostalCode: str = ""
    Country: str = ""


class Balance(msgspec.Struct):
    Outstanding: float = 0.0
    Overdue: float = 0.0


class Balances(msgspec.Struct):
    AccountsReceivable: Balance


class Contact(msgspec.Struct):
    ContactID: str
    Name: str = ""
    ContactStatus: str = ""
    FirstName: str = ""
    LastName: str = ""
    EmailAddress: str = ""
    AccountNumber: str = ""
    DefaultCurrency: str = ""
    ContactPersons: list[Person] = []
    Phones: list[Phone] = []
    Addresses: list[Address] = []
    Balances: Balances | None = None
    UpdatedDateUTC: str = ""


class Pagination(msgspec.Struct, rename="camel"):
    page_count: int


class Invoices(msgspec.Struct):
    pagination: Pagination
    Invoices: list[Invoice]


class Payments(msgspec.Struct):
    pagination: Pagination
    Payments: list[Payment]


class Contacts(msgspec.Struct):
    pagination: Pagination
    Contacts: list[Contact]


ENCODER = msgspec.json.Encoder()


def text(value: object) -> str:
    return ENCODER.encode(value).decode()


def cents(amount: float) -> int:
    return round(amount * 100)


def millis(stamp: str) -> int:
    return int(stamp[6:19])


def invoice(one: Invoice) -> Row:
    live = one.Status in {"DRAFT", "SUBMITTED"} or (one.Status == "AUTHORISED" and one.AmountDue > 0)
    return (
        "default", ORGANISATION, one.InvoiceID, one.InvoiceNumber, one.InvoiceNumber.casefold(), one.Contact.ContactID,
        one.Status, live, one.DateString[:10], one.DueDateString[:10], one.CurrencyCode, cents(one.Total),
        cents(one.TotalTax), cents(one.AmountDue), cents(one.AmountPaid), cents(one.AmountCredited),
        str(one.CurrencyRate), one.Reference, one.SentToContact, one.ExpectedPaymentDateString, one.FullyPaidOnDate,
        one.RepeatingInvoiceID is not None, one.HasAttachments, text(one.LineItems), millis(one.UpdatedDateUTC),
    )  # fmt: skip


def payment(one: Payment) -> Row:
    amount, document = cents(one.Amount), one.Invoice
    return (
        "default", ORGANISATION, one.PaymentID, document.Contact.ContactID, document.InvoiceID, one.Date,
        document.CurrencyCode, amount, one.Reference, one.IsReconciled, one.Account.Code if one.Account else "",
        one.Status == "AUTHORISED", text([[document.InvoiceID, amount, one.Date]]), millis(one.UpdatedDateUTC),
    )  # fmt: skip


def contact(one: Contact) -> Row:
    owed = one.Balances.AccountsReceivable if one.Balances else None
    body = [
        one.FirstName, one.LastName, one.ContactPersons, one.Addresses, one.Phones, one.AccountNumber,
        owed.Overdue if owed else None,
    ]  # fmt: skip
    return (
        "default", ORGANISATION, one.ContactID, one.Name, one.Name.casefold(), one.EmailAddress,
        one.EmailAddress.casefold(), one.ContactStatus == "ACTIVE", one.DefaultCurrency,
        str(owed.Outstanding) if owed else None, text(body), millis(one.UpdatedDateUTC),
    )  # fmt: skip


def pull(root: str, db: sqlite3.Connection) -> int:
    """Every page of the three lists into SQLite; gives the number of rows."""
    lists: Iterable[tuple[str, str, Any, Callable[[Any], Row]]] = (
        ("Invoices", "invoice", msgspec.json.Decoder(Invoices), invoice),
        ("Payments", "payment", msgspec.json.Decoder(Payments), payment),
        ("Contacts", "customer", msgspec.json.Decoder(Contacts), contact),
    )
    headers = {"Accept": "application/json", "Authorization": "Bearer bench", "xero-tenant-id": TENANT}
    count = 0
    with httpx.Client(headers=headers, timeout=60, trust_env=False) as client:
        for plural, table, decoder, row in lists:
            page, last = 1, 1
            while page <= last:
                answer = client.get(f"{root}/api.xro/2.0/{plural}", params={"page": page, "pageSize": 1000})
                document = decoder.decode(answer.raise_for_status().content)
                rows = [row(one) for one in getattr(document, plural)]
                with db:
                    db.executemany(statement(table), rows)
                count += len(rows)
                last = document.pagination.page_count
                page += 1
    return count


if __name__ == "__main__":
    result: Measured = {}
    database = open_tables(sys.argv[2])
    with meter(result):
        result["records"] = pull(sys.argv[1], database)
    assert len(COLUMNS["invoice"]) == 25
    tell(result)
