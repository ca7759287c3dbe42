"""Documents and payments in the wire's words.

`View` says what of a record an answer shows: a single record is full; a page has lines but only the contact's id and
name; an unpaged list has no lines; a summary is thinner still; a write answer is full and fills empty slots with "".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal
from urllib.parse import quote

from adapters.xero.sandbox import answers
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.render_contacts import brief_contact, full_contact
from adapters.xero.sandbox.store import Books

View = Literal["single", "page", "list", "summary", "write"]
API = "https://api.xero.com/api.xro/2.0"
ID_FIELDS: Mapping[r.DocumentKind, str] = {
    "invoice": "InvoiceID",
    "credit_note": "CreditNoteID",
    "overpayment": "OverpaymentID",
    "prepayment": "PrepaymentID",
}
PLURALS: Mapping[r.DocumentKind, str] = {
    "invoice": "Invoices",
    "credit_note": "CreditNotes",
    "overpayment": "Overpayments",
    "prepayment": "Prepayments",
}
_CENT = Decimal("0.01")


def put(wire: dict[str, object], **fields: object) -> None:
    """Add the fields that have a value: an answer omits what is unset."""
    wire.update({key: value for key, value in fields.items() if value is not None and not _is_blank(value)})


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value


def put_day(wire: dict[str, object], key: str, value: date | None, *, twin: bool = True) -> None:
    """Add a date and its *String twin, if it is set."""
    if value is not None:
        if twin:
            wire[f"{key}String"] = answers.day_string(value)
        wire[key] = answers.day(value)


def with_extra(wire: dict[str, object], extra: r.Json) -> dict[str, object]:
    """Add what was recorded and is not modelled, without overruling the books."""
    for key, value in extra.items():
        wire.setdefault(key, value)
    return wire


def _contact(books: Books, contact_id: str, view: View) -> dict[str, object] | None:
    contact = books.contacts.get(contact_id)
    if contact is None:
        return None
    return (
        full_contact(books, contact, slots=view == "write") if view in {"single", "write"} else brief_contact(contact)
    )


# --- lines -----------------------------------------------------------------------------------------------------


def line(books: Books, one: r.Line, unitdp: int) -> dict[str, object]:
    """Write one line; UnitAmount with two decimals unless four were asked for."""
    wire: dict[str, object] = {}
    unit = one.unit_amount
    if unit is not None and unitdp == 2:
        unit = unit.quantize(_CENT, ROUND_HALF_UP)
    put(wire, ItemCode=one.item_code, Description=one.description, UnitAmount=unit, TaxType=one.tax_type)
    put(wire, TaxAmount=one.tax_amount, LineAmount=one.line_amount, AccountCode=one.account_code)
    wire["Tracking"] = list(one.tracking)
    put(wire, Quantity=one.quantity, DiscountRate=one.discount_rate, DiscountAmount=one.discount_amount)
    put(wire, LineItemID=one.id, AccountID=_account_id(books, one.account_code))
    return with_extra(wire, one.extra)


def _account_id(books: Books, code: str) -> str:
    account = account_by_code(books, code)
    return account.id if account else ""


def account_by_code(books: Books, code: str) -> r.Plain | None:
    """Return the account of this code, or None."""
    accounts = books.plain.get("Accounts")
    if not code or accounts is None:
        return None
    return next((one for one in accounts if one.wire.get("Code") == code), None)


def lines(books: Books, some: tuple[r.Line, ...], view: View, unitdp: int) -> list[dict[str, object]]:
    """Write a document's lines; unpaged lists have none."""
    return [] if view == "list" else [line(books, one, unitdp) for one in some]


# --- invoices --------------------------------------------------------------------------------------------------


def invoice(books: Books, one: r.Invoice, view: View, unitdp: int = 2) -> dict[str, object]:
    """Write an invoice or bill."""
    wire: dict[str, object] = {}
    put(wire, Type=one.type, InvoiceID=one.id, InvoiceNumber=one.number)
    if one.reference is not None:
        wire["Reference"] = one.reference
    if view != "summary":
        wire["Payments"] = _nested_payments(books, "invoice", one.id, one.loose)
        wire.update(_nested_credits(books, one))
    put(wire, AmountDue=one.amount_due, AmountPaid=one.amount_paid, AmountCredited=one.amount_credited)
    put_day(wire, "ExpectedPaymentDate", one.expected)
    put_day(wire, "PlannedPaymentDate", one.planned)
    put(wire, SentToContact=one.sent, CurrencyRate=one.rate, RepeatingInvoiceID=one.repeating_id, Url=one.url)
    wire["IsDiscounted"] = any(entry.discount_rate or entry.discount_amount for entry in one.lines)
    if view != "summary":
        _put_files(books, wire, "invoice", one.id, one.extra, view)
        wire.update(InvoiceAddresses=[], HasErrors=False, InvoicePaymentServices=[])
    wire["UpdatedDateUTCString"] = answers.stamp_string(one.updated)
    put(wire, Contact=_contact(books, one.contact_id, view))
    put_day(wire, "Date", one.date)
    put_day(wire, "DueDate", one.due_date)
    put(wire, BrandingThemeID=one.branding_id, Status=one.status, LineAmountTypes=one.line_amount_types)
    if view != "summary":
        wire["LineItems"] = lines(books, one.lines, view, unitdp)
    put(wire, SubTotal=one.sub_total, TotalTax=one.total_tax, Total=one.total)
    wire["UpdatedDateUTC"] = answers.stamp(one.updated)
    put(wire, CurrencyCode=one.currency)
    put_day(wire, "FullyPaidOnDate", one.fully_paid_on, twin=False)
    return wire if view == "summary" else with_extra(wire, one.extra)


def _nested_payments(
    books: Books, kind: r.DocumentKind, record_id: str, loose: Mapping[str, tuple[r.Json, ...]]
) -> list[object]:
    return [_nested_payment(one) for one in books.payments_on(kind, record_id)] + list(loose.get("Payments", ()))


def _nested_payment(one: r.Payment) -> dict[str, object]:
    wire: dict[str, object] = {"PaymentID": one.id}
    put_day(wire, "Date", one.date, twin=False)
    put(wire, Amount=one.amount)
    if one.reference is not None:
        wire["Reference"] = one.reference
    put(wire, CurrencyRate=one.rate)
    wire.update(HasAccount=False, HasValidationErrors=False)
    return wire


def _nested_credits(books: Books, one: r.Invoice) -> dict[str, list[object]]:
    nested: dict[str, list[object]] = {"CreditNotes": [], "Prepayments": [], "Overpayments": []}
    for credit, allocation in books.credits_on(one.id):
        nested[PLURALS[credit.kind]].append(_nested_credit(credit, allocation))
    for plural, found in nested.items():
        found.extend(one.loose.get(plural, ()))
    return nested


def _nested_credit(credit: r.Credit, allocation: r.Allocation) -> dict[str, object]:
    wire: dict[str, object] = {ID_FIELDS[credit.kind]: credit.id, "ID": credit.id}
    put(wire, CreditNoteNumber=credit.number if credit.kind == "credit_note" else None)
    put(wire, AppliedAmount=allocation.amount)
    put_day(wire, "Date", allocation.date)
    put(wire, Total=credit.total, HasErrors=False if credit.kind == "credit_note" else None)
    wire["LineItems"] = []
    return wire


def _put_files(books: Books, wire: dict[str, object], kind: str, record_id: str, extra: r.Json, view: View) -> None:
    files = books.files(kind, record_id)
    wire["HasAttachments"] = bool(files) or extra.get("HasAttachments") is True
    if files and view == "single" and kind != "credit_note":  # whose files only their own list names
        wire["Attachments"] = [attachment(kind, record_id, one) for one in files]


def attachment(kind: str, record_id: str, one: r.Attachment) -> dict[str, object]:
    """Write what is known of an attached file; IncludeOnline only when it is on."""
    place = next((plural for known, plural in PLURALS.items() if known == kind), "Contacts")
    wire: dict[str, object] = {
        "AttachmentID": one.id,
        "FileName": one.name,
        "Url": f"{API}/{place}/{record_id}/Attachments/{quote(one.name)}",
        "MimeType": one.mime,
        "ContentLength": one.size,
    }
    if one.include_online:
        wire["IncludeOnline"] = True
    return wire


# --- credits ---------------------------------------------------------------------------------------------------


def credit(books: Books, one: r.Credit, view: View, unitdp: int = 2) -> dict[str, object]:
    """Write a credit note, overpayment or prepayment."""
    wire: dict[str, object] = {ID_FIELDS[one.kind]: one.id, "ID": one.id}
    if one.kind == "credit_note":
        put(wire, CreditNoteNumber=one.number, SentToContact=one.sent)
    if one.kind == "prepayment":
        put(wire, InvoiceNumber=one.number)
    put(wire, Type=one.type)
    if one.reference is not None:
        wire["Reference"] = one.reference
    put(wire, CurrencyRate=one.rate, RemainingCredit=one.remaining)
    if view != "summary":
        wire["Allocations"] = [nested_allocation(books, part) for part in one.allocations]
        wire["Payments"] = _nested_payments(books, one.kind, one.id, one.loose)
        _put_files(books, wire, one.kind, one.id, one.extra, view)
    if view != "summary" and one.kind == "credit_note":
        wire["HasErrors"] = False
    put(wire, Contact=_contact(books, one.contact_id, view))
    put_day(wire, "Date", one.date)
    put(wire, Status=one.status, LineAmountTypes=one.line_amount_types)
    if view != "summary":
        wire["LineItems"] = lines(books, one.lines, view, unitdp)
    put(wire, SubTotal=one.sub_total, TotalTax=one.total_tax, Total=one.total)
    wire["UpdatedDateUTC"] = answers.stamp(one.updated)
    wire["UpdatedDateUTCString"] = answers.stamp_string(one.updated)
    put(wire, CurrencyCode=one.currency)
    if one.kind == "credit_note":
        put_day(wire, "FullyPaidOnDate", one.fully_paid_on, twin=False)
    return wire if view == "summary" else with_extra(wire, one.extra)


def nested_allocation(books: Books, part: r.Allocation) -> dict[str, object]:
    """Write an allocation as its credit shows it."""
    wire: dict[str, object] = {"AllocationID": part.id, "Amount": part.amount}
    put_day(wire, "Date", part.date, twin=False)
    target = books.invoices.get(part.invoice_id)
    nested: dict[str, object] = {"InvoiceID": part.invoice_id}
    put(nested, InvoiceNumber=(target.number if target else part.invoice_number))
    nested.update(Payments=[], CreditNotes=[], Prepayments=[], Overpayments=[])
    nested.update(HasErrors=False, IsDiscounted=False, LineItems=[])
    wire["Invoice"] = nested
    return wire


# --- payments --------------------------------------------------------------------------------------------------


def payment(books: Books, one: r.Payment, view: View) -> dict[str, object]:
    """Write a payment with the document that it pays."""
    wire: dict[str, object] = {"PaymentID": one.id}
    if one.batch:
        wire["BatchPaymentID"] = one.batch.get("BatchPaymentID", "")
        wire["BatchPayment"] = one.batch
    put_day(wire, "Date", one.date, twin=False)
    put(wire, BankAmount=one.bank_amount, Amount=one.amount)
    if one.reference is not None:
        wire["Reference"] = one.reference
    put(wire, CurrencyRate=one.rate, PaymentType=one.type, Status=one.status)
    wire["UpdatedDateUTC"] = answers.stamp(one.updated)
    wire["UpdatedDateUTCString"] = answers.stamp_string(one.updated)
    wire["HasAccount"] = bool(one.account_id)
    put(wire, IsReconciled=one.reconciled, Account=_account_of(books, one))
    wire.update(_document_of(books, one, view))
    wire["HasValidationErrors"] = False
    return with_extra(wire, one.extra)


def _account_of(books: Books, one: r.Payment) -> dict[str, object] | None:
    if not one.account_id:
        return None
    accounts = books.plain.get("Accounts")
    account = accounts.get(one.account_id) if accounts else None
    wire: dict[str, object] = {"AccountID": one.account_id}
    put(wire, Code=account.wire.get("Code") if account else None)
    return wire


def _document_of(books: Books, one: r.Payment, view: View) -> dict[str, object]:
    if one.document_kind == "invoice":
        target = books.invoices.get(one.document_id)
        if target is None:
            return {}
        return {
            "Invoice": invoice(books, target, "page") if view in {"single", "write"} else _paid_invoice(books, target)
        }
    paid_back = books.credit(one.document_kind, one.document_id)
    if paid_back is None:
        return {}
    nested = credit(books, paid_back, "list")
    # A refunded credit appears under Invoice, with the credit's own type, as the API's examples show it.
    nested = {"InvoiceID": paid_back.id, "InvoiceNumber": paid_back.number or "", **nested}
    return {"Invoice": {key: nested[key] for key in _CREDIT_UNDER_PAYMENT if key in nested}}


_CREDIT_UNDER_PAYMENT = ("Type", "InvoiceID", "InvoiceNumber", "Contact", "LineItems", "HasErrors", "CurrencyCode")


def _paid_invoice(books: Books, target: r.Invoice) -> dict[str, object]:
    wire: dict[str, object] = {}
    put(wire, Type=target.type, InvoiceID=target.id, InvoiceNumber=target.number)
    wire.update(Payments=[], CreditNotes=[], Prepayments=[], Overpayments=[], HasErrors=False, IsDiscounted=False)
    put(wire, Contact=_contact(books, target.contact_id, "list"))
    wire["LineItems"] = []
    put(wire, CurrencyCode=target.currency)
    return wire
