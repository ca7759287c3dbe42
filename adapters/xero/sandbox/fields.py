"""What filters and orders may name, by resource. Keys are in lower case: the service does not mind the case."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from operator import attrgetter
from typing import TypeVar

from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.store import Books
from adapters.xero.sandbox.where import Field, Fields, Kind, Value

R = TypeVar("R")


def _lower(fields: dict[str, Field[R]]) -> Fields[R]:
    return {key.lower(): value for key, value in fields.items()}


def invoice_fields(books: Books) -> Fields[r.Invoice]:
    """Fields of invoices; `fast`, `ranged` and `sortable` follow the service's list of optimised ones."""

    def contact(one: r.Invoice) -> r.Contact | None:
        return books.contacts.get(one.contact_id)

    return _lower(
        {
            "InvoiceID": Field("guid", attrgetter("id"), fast=True, sortable=True),
            "InvoiceNumber": Field("text", attrgetter("number"), fast=True),
            "Type": Field("text", attrgetter("type"), fast=True),
            "Status": Field("text", attrgetter("status"), fast=True),
            "Reference": Field("text", attrgetter("reference"), fast=True),
            "Date": Field("date", attrgetter("date"), fast=True, ranged=True, sortable=True),
            "DueDate": Field("date", attrgetter("due_date"), fast=True, ranged=True),
            "AmountDue": Field("number", attrgetter("amount_due"), fast=True, ranged=True),
            "AmountPaid": Field("number", attrgetter("amount_paid"), fast=True),
            "AmountCredited": Field("number", attrgetter("amount_credited")),
            "SubTotal": Field("number", attrgetter("sub_total")),
            "TotalTax": Field("number", attrgetter("total_tax")),
            "Total": Field("number", attrgetter("total")),
            "CurrencyCode": Field("text", attrgetter("currency")),
            "CurrencyRate": Field("number", attrgetter("rate")),
            "SentToContact": Field("bool", attrgetter("sent")),
            "ExpectedPaymentDate": Field("date", attrgetter("expected")),
            "PlannedPaymentDate": Field("date", attrgetter("planned")),
            "FullyPaidOnDate": Field("date", attrgetter("fully_paid_on")),
            "UpdatedDateUTC": Field("date", attrgetter("updated"), sortable=True),
            "LineAmountTypes": Field("text", attrgetter("line_amount_types")),
            "BrandingThemeID": Field("guid", lambda one: one.branding_id or None),
            "RepeatingInvoiceID": Field("guid", lambda one: one.repeating_id or None),
            "Url": Field("text", attrgetter("url")),
            "HasAttachments": Field("bool", lambda one: bool(books.files("invoice", one.id))),
            "Contact.ContactID": Field("guid", attrgetter("contact_id"), fast=True),
            "Contact.Name": Field("text", _text(contact, lambda it: it.name), fast=True),
            "Contact.ContactNumber": Field("text", _text(contact, lambda it: it.number), fast=True),
            "Contact.EmailAddress": Field("text", _text(contact, lambda it: it.email)),
            "Contact.ContactStatus": Field("text", _text(contact, lambda it: it.status)),
        }
    )


def _text(contact: Callable[[R], r.Contact | None], read: Callable[[r.Contact], str]) -> Callable[[R], str | None]:
    def of(one: R) -> str | None:
        found = contact(one)
        return read(found) if found else None

    return of


def credit_fields(books: Books, id_field: str) -> Fields[r.Credit]:
    """Fields of credit notes, over- and prepayments; `id_field` is the wire's name of their id."""

    def contact(one: r.Credit) -> r.Contact | None:
        return books.contacts.get(one.contact_id)

    return _lower(
        {
            id_field: Field("guid", attrgetter("id")),
            "CreditNoteNumber": Field("text", attrgetter("number")),
            "InvoiceNumber": Field("text", attrgetter("number")),
            "Type": Field("text", attrgetter("type")),
            "Status": Field("text", attrgetter("status")),
            "Reference": Field("text", attrgetter("reference")),
            "Date": Field("date", attrgetter("date")),
            "SubTotal": Field("number", attrgetter("sub_total")),
            "TotalTax": Field("number", attrgetter("total_tax")),
            "Total": Field("number", attrgetter("total")),
            "RemainingCredit": Field("number", attrgetter("remaining")),
            "CurrencyCode": Field("text", attrgetter("currency")),
            "FullyPaidOnDate": Field("date", attrgetter("fully_paid_on")),
            "UpdatedDateUTC": Field("date", attrgetter("updated")),
            "Contact.ContactID": Field("guid", attrgetter("contact_id")),
            "Contact.Name": Field("text", _text(contact, lambda it: it.name)),
            "Contact.ContactNumber": Field("text", _text(contact, lambda it: it.number)),
        }
    )


def payment_fields(books: Books) -> Fields[r.Payment]:
    """Fields of payments, with those of the paid invoice."""

    def invoice(one: r.Payment) -> r.Invoice | None:
        return books.invoices.get(one.document_id) if one.document_kind == "invoice" else None

    def contact(one: r.Payment) -> r.Contact | None:
        paid = invoice(one)
        return books.contacts.get(paid.contact_id) if paid else None

    def number(one: r.Payment) -> str | None:
        paid = invoice(one)
        return paid.number if paid else None

    def contact_id(one: r.Payment) -> str | None:
        paid = invoice(one)
        return paid.contact_id if paid else None

    return _lower(
        {
            "PaymentID": Field("guid", attrgetter("id")),
            "Date": Field("date", attrgetter("date")),
            "Amount": Field("number", attrgetter("amount")),
            "BankAmount": Field("number", attrgetter("bank_amount")),
            "Reference": Field("text", attrgetter("reference")),
            "Status": Field("text", attrgetter("status")),
            "PaymentType": Field("text", attrgetter("type")),
            "IsReconciled": Field("bool", attrgetter("reconciled")),
            "CurrencyRate": Field("number", attrgetter("rate")),
            "UpdatedDateUTC": Field("date", attrgetter("updated")),
            "Account.AccountID": Field("guid", lambda one: one.account_id or None),
            "Invoice.InvoiceID": Field("guid", attrgetter("document_id")),
            "Invoice.InvoiceNumber": Field("text", number),
            "Invoice.Contact.ContactID": Field("guid", contact_id),
            "Invoice.Contact.Name": Field("text", _text(contact, lambda it: it.name)),
        }
    )


def contact_fields() -> Fields[r.Contact]:
    """Fields of contacts."""
    return _lower(
        {
            "ContactID": Field("guid", attrgetter("id")),
            "ContactNumber": Field("text", attrgetter("number")),
            "AccountNumber": Field("text", attrgetter("account_number")),
            "ContactStatus": Field("text", attrgetter("status")),
            "Name": Field("text", attrgetter("name")),
            "FirstName": Field("text", attrgetter("first_name")),
            "LastName": Field("text", attrgetter("last_name")),
            "EmailAddress": Field("text", attrgetter("email")),
            "TaxNumber": Field("text", attrgetter("tax_number")),
            "UpdatedDateUTC": Field("date", attrgetter("updated")),
        }
    )


def group_fields() -> Fields[r.Group]:
    """Fields of contact groups."""
    return _lower(
        {
            "ContactGroupID": Field("guid", attrgetter("id")),
            "Name": Field("text", attrgetter("name")),
            "Status": Field("text", attrgetter("status")),
        }
    )


_PLAIN_KINDS: dict[str, Kind] = {"EffectiveRate": "number", "DisplayTaxRate": "number", "SortOrder": "number"}


def plain_fields(names: Iterable[str]) -> Fields[r.Plain]:
    """Fields of a read-only list by the wire's names: ids are guids, Is... and the like are booleans."""

    def reader(name: str) -> Callable[[r.Plain], Value]:
        def read(one: r.Plain) -> Value:
            value = one.wire.get(name)
            return value if isinstance(value, (str, Decimal, bool)) else None

        return read

    def kind(name: str) -> Kind:
        if name.startswith(("Is", "Enable", "CanApply", "Show")):
            return "bool"
        return "guid" if name.endswith("ID") else _PLAIN_KINDS.get(name, "text")

    return _lower({name: Field(kind(name), reader(name)) for name in names})
