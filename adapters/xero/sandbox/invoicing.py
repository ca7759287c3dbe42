"""Invoices: raising, editing, their states. People in the web screens may do a little more than the API."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from adapters.xero.sandbox import checks
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.errors import Refused
from adapters.xero.sandbox.store import Act, Books, whole_ms
from adapters.xero.sandbox.tax import Reckoned

MOVES = {
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"SUBMITTED", "DRAFT", "AUTHORISED", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
}
_NAMES = {
    "number": "InvoiceNumber",
    "reference": "Reference",
    "contact_id": "ContactID",
    "status": "Status",
    "date": "Date",
    "due_date": "DueDate",
    "expected": "ExpectedPaymentDate",
    "planned": "PlannedPaymentDate",
    "sent": "SentToContact",
    "line_amount_types": "LineAmountTypes",
    "lines": "LineItems",
    "total": "Total",
    "currency": "CurrencyCode",
    "rate": "CurrencyRate",
    "branding_id": "BrandingThemeID",
    "url": "Url",
}
# Changes of these alone do not move the stamp of a document with money on it.
_SILENT = {"DueDate", "SentToContact"}
_GONE = {"VOIDED": "void", "DELETED": "delete"}


@dataclass(frozen=True, slots=True)
class InvoiceDraft:
    """What a new invoice is to be. Amounts in its own currency; dates in the organisation's zone."""

    contact_id: str
    lines: tuple[r.Line, ...]
    type: str = "ACCREC"
    status: str = "DRAFT"
    number: str = ""
    reference: str | None = None
    date: r.Day | None = None
    due_date: r.Day | None = None
    amounts: str = "Exclusive"
    currency: str = ""
    rate: Decimal | None = None
    sent: bool | None = None
    expected: r.Day | None = None
    planned: r.Day | None = None
    url: str = ""
    branding_id: str = ""
    id: str = ""


def raise_invoice(books: Books, act: Act, draft: InvoiceDraft) -> r.Invoice:
    """Add a new invoice or bill. Raises Refused."""
    contact = checks.check_contact(books, draft.contact_id)
    day = draft.date or books.today(act.now)
    due_date = draft.due_date or _by_terms(contact, draft.type, day)
    if draft.type not in {"ACCREC", "ACCPAY"}:
        raise Refused("Invoice type must be ACCREC or ACCPAY")
    if draft.status not in {"DRAFT", "SUBMITTED", "AUTHORISED"}:
        raise Refused(checks.NOT_MODIFIABLE)
    approved = draft.status == "AUTHORISED"
    if approved and due_date is None:
        raise Refused("Due Date cannot be empty")
    checks.check_open(books, day)
    checks.check_lines(books, draft.lines, approved=approved)
    reckoned = _total(books, draft.lines, draft.amounts)
    invoice = _new(books, act, replace(draft, date=day, due_date=due_date), contact, reckoned)
    invoice = settled(invoice, day)
    books.put_invoice(invoice)
    _tell_creation(books, act, invoice)
    return invoice


def _new(books: Books, act: Act, draft: InvoiceDraft, contact: r.Contact, sums: Reckoned) -> r.Invoice:
    receivable = draft.type == "ACCREC"
    if receivable and draft.number:
        check_number(books, draft.number, "")
    base = books.organisation.base_currency
    currency = draft.currency or contact.currency or base
    return r.Invoice(
        id=draft.id or books.new_id("invoice"),
        type=draft.type,
        contact_id=contact.id,
        status=draft.status,
        currency=currency,
        updated=whole_ms(act.now),
        number=draft.number or (books.next_number("INV") if receivable else None),
        reference=draft.reference or "",
        date=draft.date,
        due_date=draft.due_date,
        line_amount_types=draft.amounts,
        lines=sums.lines,
        sub_total=sums.sub_total,
        total_tax=sums.total_tax,
        total=sums.total,
        amount_due=sums.total,
        amount_paid=r.ZERO,
        amount_credited=r.ZERO,
        rate=draft.rate if draft.rate and currency != base else Decimal(1),
        sent=bool(draft.sent),  # the API description shows a plain false on what it just created
        expected=draft.expected,
        planned=draft.planned,
        branding_id=draft.branding_id or _default_theme(books),
        url=draft.url,
        by_app=act.actor == "api",
    )


def _tell_creation(books: Books, act: Act, invoice: r.Invoice) -> None:
    text = _summary(books, invoice)
    books.note("invoice", invoice.id, act, "Created", text)
    if invoice.status in {"AUTHORISED", "PAID"}:
        books.note("invoice", invoice.id, act, "Approved", text)
    detail = {"number": invoice.number, "status": invoice.status, "contact_id": invoice.contact_id}
    sums = {"total": checks.plain(invoice.total), "currency": invoice.currency, "due": checks.plain(invoice.due_date)}
    rest = {"reference": invoice.reference, "due_date": checks.plain(invoice.due_date), "url": invoice.url}
    books.log(act, "invoice_create", "invoice", invoice.id, {**detail, **sums, **rest})


def _summary(books: Books, invoice: r.Invoice) -> str:
    number = invoice.number or "A bill"
    return f"{number} to {checks.name_of(books, invoice.contact_id)} for {checks.money(invoice.total)}."


def _default_theme(books: Books) -> str:
    themes = books.plain.get("BrandingThemes")
    first = next(iter(themes), None) if themes else None
    return first.id if first else ""


def _total(books: Books, lines: tuple[r.Line, ...], amounts: str) -> Reckoned:
    sums = checks.reckoned(books, lines, amounts)
    if sums.total < 0:
        raise Refused("The document total cannot be less than zero")
    return sums


def _by_terms(contact: r.Contact, type_: str, day: date) -> date | None:
    terms = contact.sales_terms if type_ == "ACCREC" else contact.bills_terms
    if terms is None:
        return None
    first = day.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    match terms.type:
        case "DAYSAFTERBILLDATE":
            return day + timedelta(days=terms.day)
        case "DAYSAFTERBILLMONTH":
            return following - timedelta(days=1) + timedelta(days=terms.day)
        case "OFCURRENTMONTH":
            return min(first + timedelta(days=terms.day - 1), following - timedelta(days=1))
        case _:  # OFFOLLOWINGMONTH
            last = (following + timedelta(days=32)).replace(day=1) - timedelta(days=1)
            return min(following + timedelta(days=terms.day - 1), last)


def check_number(books: Books, number: str, own_id: str) -> None:
    """Refuse a sales invoice number that another one has."""
    for other in books.invoices_numbered(number):
        freed = other.status in _GONE and books.on("reuse_voided_number")
        if other.type == "ACCREC" and other.id != own_id and not freed:
            raise Refused(checks.NOT_UNIQUE)


def settled(invoice: r.Invoice, day: date | None) -> r.Invoice:
    """Return the invoice PAID when nothing is due, and AUTHORISED again when something is."""
    if invoice.status == "AUTHORISED" and invoice.due == 0:
        return replace(invoice, status="PAID", fully_paid_on=day)
    if invoice.status == "PAID" and invoice.due > 0:
        return replace(invoice, status="AUTHORISED", fully_paid_on=None)
    return invoice


# --- editing ---------------------------------------------------------------------------------------------------


def edit_invoice(books: Books, act: Act, before: r.Invoice, after: r.Invoice) -> r.Invoice:
    """Put a changed invoice in the place of the old one, if its state allows that. Raises Refused.

    `after` is `before` with new field values; its sums are reckoned here when lines or tax mode changed.
    """
    check_editable(books, act, before, after)
    if after.lines != before.lines or after.line_amount_types != before.line_amount_types:
        after = _with_lines(books, before, after)
    if after.number and after.number != before.number and after.type == "ACCREC":
        check_number(books, after.number, before.id)
    if after.contact_id != before.contact_id:
        checks.check_contact(books, after.contact_id)
    approved = after.status == "AUTHORISED"
    if approved and before.status != "AUTHORISED":
        _check_approval(books, after)
    if after.status in _GONE:
        after = replace(after, amount_due=Decimal("0.00"))
    return _save(books, act, before, settled(after, books.today(act.now)))


def check_editable(books: Books, act: Act, before: r.Invoice, after: r.Invoice) -> None:
    """Refuse what the state of the invoice, money on it or a lock date forbids."""
    if before.status in _GONE:
        raise Refused(checks.NOT_MODIFIABLE)
    if before.has_money_on_it and after != replace(before, sent=True):
        _check_with_money(books, act, before, after)
    if after.status != before.status and after.status not in MOVES.get(before.status, set()):
        raise Refused(checks.NOT_MODIFIABLE)
    checks.check_open(books, before.date, after.date)


def _check_with_money(books: Books, act: Act, before: r.Invoice, after: r.Invoice) -> None:
    if after.status == "DELETED":
        raise Refused(checks.NOT_MODIFIABLE)
    only_due = after == replace(before, due_date=after.due_date)
    if act.actor == "api" and not (only_due and before.status != "PAID" and books.on("due_date_on_part_paid")):
        raise Refused(checks.HAS_MONEY)
    soft = {name: getattr(after, name) for name in ("due_date", "expected", "reference", "sent", "url")}
    if after != replace(before, **soft, lines=after.lines) or _prices(after) != _prices(before):
        raise Refused(checks.HAS_MONEY)


def _prices(invoice: r.Invoice) -> list[tuple[object, ...]]:
    return [(one.id, one.quantity, one.unit_amount, one.tax_type, one.tax_amount) for one in invoice.lines]


def _with_lines(books: Books, before: r.Invoice, after: r.Invoice) -> r.Invoice:
    approved = after.status == "AUTHORISED"
    if _prices(after) == _prices(before) and after.line_amount_types == before.line_amount_types:
        checks.check_lines(books, after.lines, approved=False)
        return after  # only words changed: recorded sums stay as they were printed
    checks.check_lines(books, after.lines, approved=approved)
    sums = _total(books, after.lines, after.line_amount_types)
    applied = (before.amount_paid or r.ZERO) + (before.amount_credited or r.ZERO)
    return replace(
        after,
        lines=sums.lines,
        sub_total=sums.sub_total,
        total_tax=sums.total_tax,
        total=sums.total,
        amount_due=sums.total - applied,
    )


def _check_approval(books: Books, invoice: r.Invoice) -> None:
    if invoice.due_date is None:
        raise Refused("Due Date cannot be empty")
    checks.check_lines(books, invoice.lines, approved=True)


def _save(books: Books, act: Act, before: r.Invoice, after: r.Invoice) -> r.Invoice:
    told = checks.changed(_NAMES, before, after)
    silent = before.has_money_on_it and set(told) <= _SILENT
    if not silent:
        after = replace(after, updated=checks.later(before.updated, act))
    books.put_invoice(after)
    _tell_edit(books, act, before, after, told)
    return after


def _tell_edit(books: Books, act: Act, before: r.Invoice, after: r.Invoice, told: dict[str, object]) -> None:
    kind = _GONE.get(after.status, "invoice_update")
    words = {"void": "Voided", "delete": "Deleted"}.get(kind)
    text = _summary(books, after)
    if words:
        books.note("invoice", after.id, act, words, text)
    elif before.status in {"DRAFT", "SUBMITTED"} and after.status in {"AUTHORISED", "PAID"}:
        books.note("invoice", after.id, act, "Approved", text)
    elif after.sent and not before.sent:
        books.note("invoice", after.id, act, "Invoice sent", "This invoice has been sent")
    elif told:
        books.note("invoice", after.id, act, "Edited", f"{', '.join(told)} changed.")
    books.log(act, kind, "invoice", after.id, {"number": after.number, "changed": told})


def mark_sent(books: Books, act: Act, invoice: r.Invoice) -> r.Invoice:
    """Note that the invoice reached the contact; on a document with money on it its stamp stays."""
    if invoice.sent:
        return invoice
    after = replace(invoice, sent=True)
    if not invoice.has_money_on_it:
        after = replace(after, updated=checks.later(invoice.updated, act))
    books.put_invoice(after)
    return after


def moved(
    books: Books, act: Act, invoice: r.Invoice, *, paid: Decimal = r.ZERO, credited: Decimal = r.ZERO, day: date
) -> r.Invoice:
    """Move an invoice's amounts, from what is printed on it, and its status with them."""
    after = replace(
        invoice,
        amount_due=invoice.due - paid - credited,
        amount_paid=(invoice.amount_paid or r.ZERO) + paid,
        amount_credited=(invoice.amount_credited or r.ZERO) + credited,
        updated=checks.later(invoice.updated, act),
    )
    after = settled(after, day)
    books.put_invoice(after)
    return after
