"""Xero's JSON by hand: rows as the wire shows them, with only what a test is about spelled out."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from connector.domain.flat import Brought, FlatInvoice, FlatPayment
from connector.domain.ledger import Allocation, Invoice, InvoiceStatus, Line, Payment, Record
from connector.domain.money import Money
from connector.ports import HttpAnswer

Row = dict[str, Any]

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)  # the server's clock
JSON = "application/json; charset=utf-8"


def wire_date(day: date) -> str:
    """`/Date(ms+0000)/`: midnight UTC of the calendar date."""
    return wire_stamp(datetime(day.year, day.month, day.day, tzinfo=UTC))


def wire_stamp(at: datetime) -> str:
    return f"/Date({int(at.timestamp() * 1000)}+0000)/"


def invoice_row(number: int = 1, **fields: Any) -> Row:
    """An open receivable of 545.00 NZD, due on 31 October. `None` leaves a field out, as Xero does."""
    row: Row = {
        "Type": "ACCREC",
        "InvoiceID": f"d4956132-0000-4000-8000-{number:012d}",
        "InvoiceNumber": f"INV-{number:04d}",
        "Reference": "PO 4411",
        "Payments": [],
        "CreditNotes": [],
        "Prepayments": [],
        "Overpayments": [],
        "AmountDue": 545.0,
        "AmountPaid": 0.0,
        "AmountCredited": 0.0,
        "SentToContact": True,
        "CurrencyRate": 1.0,
        "HasAttachments": False,
        "HasErrors": False,
        "UpdatedDateUTCString": "2026-11-01T03:04:05Z",
        "Contact": {"ContactID": contact_id(1), "Name": "Basket Case", "Addresses": [], "ContactGroups": []},
        "DateString": "2026-10-01T00:00:00",
        "Date": wire_date(date(2026, 10, 1)),
        "DueDateString": "2026-10-31T00:00:00",
        "DueDate": wire_date(date(2026, 10, 31)),
        "Status": "AUTHORISED",
        "LineAmountTypes": "Exclusive",
        "LineItems": [
            {
                "Description": "Consulting",
                "UnitAmount": 473.91,
                "TaxType": "OUTPUT2",
                "TaxAmount": 71.09,
                "LineAmount": 473.91,
                "AccountCode": "200",
                "Tracking": [],
                "Quantity": 1.0,
                "LineItemID": "1831302c-0000-4000-8000-000000000005",
            }
        ],
        "SubTotal": 473.91,
        "TotalTax": 71.09,
        "Total": 545.0,
        "UpdatedDateUTC": wire_stamp(datetime(2026, 11, 1, 3, 4, 5, tzinfo=UTC)),
        "CurrencyCode": "NZD",
    }
    return _with(row, fields)


def contact_id(number: int) -> str:
    return f"a3675fc4-0000-4000-8000-{number:012d}"


def contact_row(number: int = 1, **fields: Any) -> Row:
    row: Row = {
        "ContactID": contact_id(number),
        "ContactStatus": "ACTIVE",
        "Name": f"Customer {number}",
        "EmailAddress": f"accounts{number}@customer.example",
        "Addresses": [{"AddressType": "STREET"}, {"AddressType": "POBOX"}],
        "Phones": [{"PhoneType": "DEFAULT"}],
        "ContactGroups": [],
        "ContactPersons": [],
        "IsSupplier": False,
        "IsCustomer": True,
        "UpdatedDateUTC": wire_stamp(datetime(2026, 11, 1, tzinfo=UTC)),
        "HasValidationErrors": False,
    }
    return _with(row, fields)


def payment_row(number: int = 1, **fields: Any) -> Row:
    row: Row = {
        "PaymentID": f"99ea7f6b-0000-4000-8000-{number:012d}",
        "Date": wire_date(date(2026, 11, 1)),
        "BankAmount": 200.0,
        "Amount": 200.0,
        "Reference": "thanks",
        "CurrencyRate": 1.0,
        "PaymentType": "ACCRECPAYMENT",
        "Status": "AUTHORISED",
        "UpdatedDateUTC": wire_stamp(datetime(2026, 11, 1, tzinfo=UTC)),
        "IsReconciled": True,
        "Account": {"AccountID": "5690f1e8-0000-4000-8000-000000000001", "Code": "970"},
        "Invoice": {
            "Type": "ACCREC",
            "InvoiceID": invoice_row(1)["InvoiceID"],
            "InvoiceNumber": "INV-0001",
            "Contact": {"ContactID": contact_id(1), "Name": "Basket Case"},
            "CurrencyCode": "NZD",
        },
        "BatchPayment": {"TotalAmount": "50.00", "IsReconciled": "false", "Type": "RECBATCH"},
    }
    return _with(row, fields)


def credit_note_row(number: int = 1, **fields: Any) -> Row:
    row: Row = {
        "Type": "ACCRECCREDIT",
        "CreditNoteID": f"249f15fa-0000-4000-8000-{number:012d}",
        "CreditNoteNumber": f"CN-{number:04d}",
        "Status": "AUTHORISED",
        "Contact": {"ContactID": contact_id(1), "Name": "Basket Case"},
        "Date": wire_date(date(2026, 10, 5)),
        "Total": 100.0,
        "RemainingCredit": 40.0,
        "CurrencyCode": "NZD",
        "CurrencyRate": 1.0,
        "Allocations": [
            {
                "AllocationID": "b1111111-0000-4000-8000-000000000001",
                "Amount": 60.0,
                "Date": wire_date(date(2026, 10, 6)),
                "Invoice": {"InvoiceID": invoice_row(1)["InvoiceID"], "InvoiceNumber": "INV-0001"},
            }
        ],
        "UpdatedDateUTC": wire_stamp(datetime(2026, 10, 6, tzinfo=UTC)),
    }
    return _with(row, fields)


def overpayment_row(number: int = 1, **fields: Any) -> Row:
    row: Row = {
        "Type": "RECEIVE-OVERPAYMENT",
        "OverpaymentID": f"2a8bda49-0000-4000-8000-{number:012d}",
        "Status": "AUTHORISED",
        "Contact": {"ContactID": contact_id(1), "Name": "Basket Case"},
        "DateString": "2026-10-05T00:00:00",
        "Date": wire_date(date(2026, 10, 5)),
        "Total": 20.0,
        "RemainingCredit": 20.0,
        "CurrencyCode": "NZD",
        "Allocations": [],
        "UpdatedDateUTC": wire_stamp(datetime(2026, 10, 6, tzinfo=UTC)),
    }
    return _with(row, fields)


def prepayment_row(number: int = 1, **fields: Any) -> Row:
    row = overpayment_row(number, Type="RECEIVE-PREPAYMENT", OverpaymentID=None)
    return _with(row | {"PrepaymentID": f"ce0cddef-0000-4000-8000-{number:012d}"}, fields)


def _with(row: Row, fields: Row) -> Row:
    return {name: value for name, value in (row | fields).items() if value is not None}


def envelope(plural: str, rows: list[Any], *, at: datetime | None = AT, pagination: Row | None = None) -> Row:
    document: Row = {"Id": "9f310473-0000-4000-8000-000000000001", "Status": "OK", "ProviderName": "dunwell"}
    if at is not None:
        document["DateTimeUTC"] = f"/Date({int(at.timestamp() * 1000)})/"
    if pagination is not None:
        document["pagination"] = pagination
    return document | {plural: rows}


def answer(document: object, status: int = 200, **headers: str) -> HttpAnswer:
    """`document` as JSON, or these very bytes."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpAnswer(status, {"content-type": JSON, **named}, body)


def opened(record: Brought) -> Record:
    """The record as an object, which is easier to ask than plain values."""
    match record:
        case FlatInvoice():
            return _invoice(record)
        case FlatPayment():
            return _payment(record)
        case _:
            return record


def _invoice(flat: FlatInvoice) -> Invoice:
    def money(minor: int) -> Money:
        return Money(minor, flat.currency)

    return Invoice(
        id=flat.id,
        number=flat.number,
        customer_id=flat.customer_id,
        status=InvoiceStatus(flat.status),
        issued=date.fromisoformat(flat.issued),
        due=_day(flat.due),
        total=money(flat.total),
        tax=money(flat.tax),
        balance=money(flat.balance),
        paid=money(flat.paid),
        credited=money(flat.credited),
        rate=Decimal(flat.rate),
        reference=flat.reference,
        sent=flat.sent,
        expected=_day(flat.expected),
        fully_paid_on=_day(flat.fully_paid_on),
        repeating=flat.repeating,
        has_attachments=flat.has_attachments,
        lines=tuple(
            Line(known, text, money(net), money(tax), account, code)
            for known, text, net, tax, account, code in flat.lines
        ),
        updated_at=_instant(flat.updated_us),
    )


def _payment(flat: FlatPayment) -> Payment:
    return Payment(
        id=flat.id,
        paid_on=date.fromisoformat(flat.paid_on),
        amount=Money(flat.amount, flat.currency),
        customer_id=flat.customer_id,
        allocations=tuple(
            Allocation(invoice_id, Money(amount, flat.currency), date.fromisoformat(on), known)
            for invoice_id, amount, on, known in flat.allocations
        ),
        reference=flat.reference,
        reconciled=flat.reconciled,
        account=flat.account,
        active=flat.active,
        updated_at=_instant(flat.updated_us),
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _instant(us: int | None) -> datetime | None:
    return None if us is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
