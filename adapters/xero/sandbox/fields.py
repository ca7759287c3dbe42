"""What filters and orders may name, by resource. Keys are in lower case: the service does not mind the case."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
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
            "InvoiceID": Field("guid", lambda one: one.id, fast=True, sortable=True),
            "InvoiceNumber": Field("text", lambda one: one.number, fast=True),
            "Type": Field("text", lambda one: one.type, fast=True),
            "Status": Field("text", lambda one: one.status, fast=True),
            "Reference": Field("text", lambda one: one.reference, fast=True),
            "Date": Field("date", lambda one: one.date, fast=True, ranged=True, sortable=True),
            "DueDate": Field("date", lambda one: one.due_date, fast=True, ranged=True),
            "AmountDue": Field("number", lambda one: one.amount_due, fast=True, ranged=True),
            "AmountPaid": Field("number", lambda one: one.amount_paid, fast=True),
            "AmountCredited": Field("number", lambda one: one.amount_credited),
            "SubTotal": Field("number", lambda one: one.sub_total),
            "TotalTax": Field("number", lambda one: one.total_tax),
            "Total": Field("number", lambda one: one.total),
            "CurrencyCode": Field("text", lambda one: one.currency),
            "CurrencyRate": Field("number", lambda one: one.rate),
            "SentToContact": Field("bool", lambda one: one.sent),
            "ExpectedPaymentDate": Field("date", lambda one: one.expected),
            "PlannedPaymentDate": Field("date", lambda one: one.planned),
            "FullyPaidOnDate": Field("date", lambda one: one.fully_paid_on),
            "UpdatedDateUTC": Field("date", lambda one: one.updated, sortable=True),
            "LineAmountTypes": Field("text", lambda one: one.line_amount_types),
            "BrandingThemeID": Field("guid", lambda one: one.branding_id or None),
            "RepeatingInvoiceID": Field("guid", lambda one: one.repeating_id or None),
            "Url": Field("text", lambda one: one.url),
            "HasAttachments": Field("bool", lambda one: bool(books.files("invoice", one.id))),
            "Contact.ContactID": Field("guid", lambda one: one.contact_id, fast=True),
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
            id_field: Field("guid", lambda one: one.id),
            "CreditNoteNumber": Field("text", lambda one: one.number),
            "InvoiceNumber": Field("text", lambda one: one.number),
            "Type": Field("text", lambda one: one.type),
            "Status": Field("text", lambda one: one.status),
            "Reference": Field("text", lambda one: one.reference),
            "Date": Field("date", lambda one: one.date),
            "SubTotal": Field("number", lambda one: one.sub_total),
            "TotalTax": Field("number", lambda one: one.total_tax),
            "Total": Field("number", lambda one: one.total),
            "RemainingCredit": Field("number", lambda one: one.remaining),
            "CurrencyCode": Field("text", lambda one: one.currency),
            "FullyPaidOnDate": Field("date", lambda one: one.fully_paid_on),
            "UpdatedDateUTC": Field("date", lambda one: one.updated),
            "Contact.ContactID": Field("guid", lambda one: one.contact_id),
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
            "PaymentID": Field("guid", lambda one: one.id),
            "Date": Field("date", lambda one: one.date),
            "Amount": Field("number", lambda one: one.amount),
            "BankAmount": Field("number", lambda one: one.bank_amount),
            "Reference": Field("text", lambda one: one.reference),
            "Status": Field("text", lambda one: one.status),
            "PaymentType": Field("text", lambda one: one.type),
            "IsReconciled": Field("bool", lambda one: one.reconciled),
            "CurrencyRate": Field("number", lambda one: one.rate),
            "UpdatedDateUTC": Field("date", lambda one: one.updated),
            "Account.AccountID": Field("guid", lambda one: one.account_id or None),
            "Invoice.InvoiceID": Field("guid", lambda one: one.document_id),
            "Invoice.InvoiceNumber": Field("text", number),
            "Invoice.Contact.ContactID": Field("guid", contact_id),
            "Invoice.Contact.Name": Field("text", _text(contact, lambda it: it.name)),
        }
    )


def contact_fields() -> Fields[r.Contact]:
    """Fields of contacts."""
    return _lower(
        {
            "ContactID": Field("guid", lambda one: one.id),
            "ContactNumber": Field("text", lambda one: one.number),
            "AccountNumber": Field("text", lambda one: one.account_number),
            "ContactStatus": Field("text", lambda one: one.status),
            "Name": Field("text", lambda one: one.name),
            "FirstName": Field("text", lambda one: one.first_name),
            "LastName": Field("text", lambda one: one.last_name),
            "EmailAddress": Field("text", lambda one: one.email),
            "TaxNumber": Field("text", lambda one: one.tax_number),
            "UpdatedDateUTC": Field("date", lambda one: one.updated),
        }
    )


def group_fields() -> Fields[r.Group]:
    """Fields of contact groups."""
    return _lower(
        {
            "ContactGroupID": Field("guid", lambda one: one.id),
            "Name": Field("text", lambda one: one.name),
            "Status": Field("text", lambda one: one.status),
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
