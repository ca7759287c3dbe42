"""The requests that raise documents in Xero, lay credits against invoices and set terms. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from adapters.xero import wire
from adapters.xero.client import segment
from adapters.xero.parties import BASES
from connector.domain.decisions import TargetKind
from connector.domain.effects import Allocation, CreditNote, DocumentLine, Effect, NewInvoice, Receipt, Terms
from connector.domain.ledger import CreditKind
from connector.domain.money import Money
from connector.errors import Refused

SHAPES: Final[Mapping[CreditKind, wire.Shape[wire.CreditRow]]] = {
    CreditKind.CREDIT_NOTE: wire.CREDIT_NOTES,
    CreditKind.OVERPAYMENT: wire.OVERPAYMENTS,
    CreditKind.PREPAYMENT: wire.PREPAYMENTS,
}
_TYPES: Final = {basis: name for name, basis in BASES.items()}
_LONGEST_NUMBER: Final = 255


def prepare_credit_note(effect: Effect, note: CreditNote) -> tuple[str, str, Mapping[str, Any]]:
    """Method, path and body. Raises `Refused`."""
    document = {"Type": "ACCRECCREDIT", "CreditNoteNumber": note.number} | _document(effect, note)
    return "PUT", "/CreditNotes", {"CreditNotes": [document]}


def prepare_invoice(effect: Effect, invoice: NewInvoice) -> tuple[str, str, Mapping[str, Any]]:
    if invoice.due < invoice.dated:
        raise Refused("an invoice cannot be due before its date", record=invoice.number)
    document = {"Type": "ACCREC", "InvoiceNumber": invoice.number, "DueDate": invoice.due.isoformat()}
    return "PUT", "/Invoices", {"Invoices": [document | _document(effect, invoice)]}


def prepare_allocation(
    effect: Effect, part: Allocation, receipts: Mapping[str, Receipt]
) -> tuple[str, str, Mapping[str, Any]]:
    """The credit is named, or it is what the effect before this one raised."""
    credit_id = part.credit_id or next((receipts[key].reference for key in effect.after if key in receipts), "")
    if not credit_id or part.amount.minor <= 0:
        raise Refused("there is no credit to allocate", record=effect.target)
    laid = {
        "Invoice": {"InvoiceID": effect.target},
        "Amount": amount(part.amount),
        "Date": part.dated.isoformat(),
    }
    return "PUT", f"/{SHAPES[part.credit].plural}/{segment(credit_id)}/Allocations", {"Allocations": [laid]}


def prepare_terms(effect: Effect, wanted: Terms) -> tuple[str, str, Mapping[str, Any]]:
    if effect.target_kind is not TargetKind.CUSTOMER:
        raise Refused(f"Xero carries no terms on {effect.target_kind}", record=effect.target)
    sales = {"Day": wanted.wanted.day, "Type": _TYPES[wanted.wanted.basis]}
    return (
        "POST",
        f"/Contacts/{segment(effect.target)}",
        {"ContactID": effect.target, "PaymentTerms": {"Sales": sales}},
    )


def _document(effect: Effect, made: CreditNote | NewInvoice) -> dict[str, Any]:
    if not made.lines or not 0 < len(made.number) <= _LONGEST_NUMBER:
        raise Refused("a document needs lines and a number of at most 255 characters", record=effect.target)
    currency = made.lines[0].net.currency
    document: dict[str, Any] = {
        "Contact": {"ContactID": made.customer_id},  # nothing more: further fields would change the contact
        "Date": made.dated.isoformat(),
        "LineAmountTypes": "Exclusive",
        "LineItems": [_line(line) for line in made.lines],
        "CurrencyCode": currency,
        "Status": "AUTHORISED",
    }
    if made.reference:
        document["Reference"] = made.reference
    if made.rate != 1:
        document["CurrencyRate"] = exact(made.rate)
    return document


def _line(line: DocumentLine) -> dict[str, Any]:
    """A line without account and sums only says something: any price, even of zero, would ask for an account."""
    if not (line.account or line.net or line.tax):
        return {"Description": line.description}
    return {
        "Description": line.description,
        "Quantity": 1,
        "UnitAmount": amount(line.net),
        "TaxAmount": amount(line.tax),
        "AccountCode": line.account,
        "TaxType": line.tax_code,
    }


def amount(sum_: Money) -> float:
    """For JSON only, whose writer knows no decimals: these very digits, or `Refused`."""
    return exact(sum_.amount)


def exact(value: Decimal) -> float:
    """The double that JSON writes as this very decimal. Raises `Refused` beyond what a double can hold."""
    double = float(value)
    if Decimal(repr(double)) != value:
        raise Refused(f"{value} has more digits than Xero's numbers")
    return double
