"""Credit notes, overpayments and prepayments: raising them, and laying them against invoices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from adapters.xero.sandbox import checks
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.errors import Refused
from adapters.xero.sandbox.invoicing import MOVES, moved
from adapters.xero.sandbox.store import Act, Books, whole_ms

_CREDIT_NOUN: dict[r.CreditKind, str] = {
    "credit_note": "Credit note",
    "overpayment": "Overpayment",
    "prepayment": "Prepayment",
}
_CREDIT_NAMES = {
    "number": "CreditNoteNumber",
    "reference": "Reference",
    "contact_id": "ContactID",
    "status": "Status",
    "date": "Date",
    "lines": "LineItems",
    "total": "Total",
}


@dataclass(frozen=True, slots=True)
class CreditDraft:
    """What a new credit note, overpayment or prepayment is to be."""

    kind: r.CreditKind
    contact_id: str
    lines: tuple[r.Line, ...]
    type: str
    status: str = "DRAFT"
    number: str = ""
    reference: str | None = None
    date: r.Day | None = None
    amounts: str = "Exclusive"
    currency: str = ""
    rate: Decimal | None = None
    id: str = ""


def raise_credit(books: Books, act: Act, draft: CreditDraft) -> r.Credit:
    """Add a credit, nothing of it allocated yet. Raises Refused."""
    contact = checks.check_contact(books, draft.contact_id)
    if draft.status not in {"DRAFT", "SUBMITTED", "AUTHORISED"}:
        raise Refused(checks.NOT_MODIFIABLE)
    day = draft.date or books.today(act.now)
    checks.check_open(books, day)
    checks.check_lines(books, draft.lines, approved=draft.status == "AUTHORISED")
    number = draft.number
    if draft.kind == "credit_note":
        number = number or books.next_number("CN")
        check_credit_number(books, number, "")
    credit = _new_credit(books, act, replace(draft, date=day, number=number), contact)
    books.put_credit(credit)
    text = f"{_CREDIT_NOUN[credit.kind]} {number} to {contact.name} for {checks.money(credit.total)}."
    books.note(credit.kind, credit.id, act, "Created", text)
    if credit.status == "AUTHORISED":
        books.note(credit.kind, credit.id, act, "Approved", text)
    detail: dict[str, object] = {"number": number, "contact_id": contact.id, "status": credit.status}
    sums = {"total": checks.plain(credit.total), "currency": credit.currency, "reference": credit.reference}
    books.log(act, credit.kind, credit.kind, credit.id, {**detail, **sums})
    return credit


def check_credit_number(books: Books, number: str, own_id: str) -> None:
    """Refuse a credit note number that another one has."""
    if any(one.kind == "credit_note" and one.id != own_id for one in books.credits_numbered(number)):
        raise Refused("Credit note # must be unique.")


def _new_credit(books: Books, act: Act, draft: CreditDraft, contact: r.Contact) -> r.Credit:
    sums = checks.reckoned(books, draft.lines, draft.amounts)
    base = books.organisation.base_currency
    currency = draft.currency or contact.currency or base
    return r.Credit(
        id=draft.id or books.new_id(draft.kind),
        kind=draft.kind,
        type=draft.type,
        contact_id=contact.id,
        status=draft.status,
        currency=currency,
        updated=whole_ms(act.now),
        number=draft.number or None,
        reference=draft.reference or "",
        date=draft.date,
        line_amount_types=draft.amounts,
        lines=sums.lines,
        sub_total=sums.sub_total,
        total_tax=sums.total_tax,
        total=sums.total,
        remaining=sums.total,
        rate=draft.rate if draft.rate and currency != base else Decimal(1),
    )


def allocate(
    books: Books, act: Act, credit: r.Credit, invoice: r.Invoice, amount: Decimal, day: date, part_id: str = ""
) -> r.Allocation:
    """Lay part of a credit against an invoice of the same contact and currency. Raises Refused."""
    _check_allocation(credit, invoice, amount)
    checks.check_open(books, day)
    part = r.Allocation(part_id or books.new_id("allocation"), invoice.id, amount, day, invoice.number or "")
    after = left(books, act, credit, (*credit.allocations, part), -amount, day)
    moved(books, act, invoice, credited=amount, day=day)
    what = f"{_CREDIT_NOUN[credit.kind]} {credit.number or ''}".strip()
    books.note(credit.kind, credit.id, act, "Credit Applied", f"{checks.money(amount)} applied to {invoice.number}.")
    books.note("invoice", invoice.id, act, "Credited", f"{what} applied for {checks.money(amount)}.")
    books.log(act, "allocation", credit.kind, credit.id, _told_part(part, after, invoice))
    return part


def _check_allocation(credit: r.Credit, invoice: r.Invoice, amount: Decimal) -> None:
    if credit.status != "AUTHORISED" or invoice.status != "AUTHORISED":
        raise Refused("Allocations can only be made between Authorised documents")
    if credit.contact_id != invoice.contact_id:
        raise Refused("The credit and the invoice must belong to the same contact")
    if credit.currency != invoice.currency:
        raise Refused("The credit and the invoice must be in the same currency")
    if credit.is_receivable != (invoice.type == "ACCREC"):
        raise Refused("The credit cannot be allocated to a document of this type")
    if amount <= 0 or amount != amount.quantize(Decimal("0.01")):
        raise Refused("The allocation amount must be greater than zero and have at most two decimals")
    if amount > (credit.remaining or r.ZERO):
        raise Refused("The amount being allocated exceeds the remaining credit")
    if amount > invoice.due:
        raise Refused("The amount being allocated exceeds the amount outstanding on this document")


def deallocate(books: Books, act: Act, credit: r.Credit, part: r.Allocation) -> None:
    """Take an allocation back: credit and invoice are open again by its amount. Raises Refused."""
    checks.check_open(books, part.date)
    rest = tuple(one for one in credit.allocations if one.id != part.id)
    today = books.today(act.now)
    after = left(books, act, credit, rest, part.amount, today)
    invoice = books.invoices.get(part.invoice_id)
    if invoice:
        moved(books, act, invoice, credited=-part.amount, day=today)
        books.note("invoice", invoice.id, act, "Credit removed", f"{checks.money(part.amount)} no longer applied.")
    books.log(act, "allocation_delete", credit.kind, credit.id, _told_part(part, after, invoice))


def left(
    books: Books, act: Act, credit: r.Credit, parts: tuple[r.Allocation, ...], change: Decimal, day: date
) -> r.Credit:
    """Move what is left of a credit, and its status with it."""
    remaining = (credit.remaining or r.ZERO) + change
    after = replace(credit, allocations=parts, remaining=remaining, updated=checks.later(credit.updated, act))
    if remaining == 0 and after.status == "AUTHORISED":
        after = replace(after, status="PAID", fully_paid_on=day)
    elif remaining > 0 and after.status == "PAID":
        after = replace(after, status="AUTHORISED", fully_paid_on=None)
    books.put_credit(after)
    return after


def _told_part(part: r.Allocation, credit: r.Credit, invoice: r.Invoice | None) -> dict[str, object]:
    return {
        "number": credit.number,
        "reference": credit.reference,
        "allocation_id": part.id,
        "invoice_number": invoice.number if invoice else part.invoice_number,
        "invoice_id": part.invoice_id,
        "amount": checks.plain(part.amount),
        "date": checks.plain(part.date),
        "remaining": checks.plain(credit.remaining),
    }


def void_credit(books: Books, act: Act, credit: r.Credit) -> r.Credit:
    """Void a credit of which nothing is used. Raises Refused."""
    if credit.allocations or books.payments_on(credit.kind, credit.id):
        raise Refused(checks.HAS_MONEY)
    if credit.status not in {"AUTHORISED", "DRAFT", "SUBMITTED"}:
        raise Refused("Credit note not of valid status for modification")
    checks.check_open(books, credit.date)
    status = "VOIDED" if credit.status == "AUTHORISED" else "DELETED"
    after = replace(credit, status=status, remaining=r.ZERO, updated=checks.later(credit.updated, act))
    books.put_credit(after)
    books.note(credit.kind, credit.id, act, "Voided", f"{_CREDIT_NOUN[credit.kind]} {credit.number or ''}".strip())
    books.log(act, "void" if status == "VOIDED" else "delete", credit.kind, credit.id, {"number": credit.number})
    return after


def edit_draft_credit(books: Books, act: Act, before: r.Credit, after: r.Credit) -> r.Credit:
    """Put a changed credit note, of which nothing is used, in the place of the old one. Raises Refused."""
    if after.status not in MOVES.get(before.status, set()):
        raise Refused("Credit note not of valid status for modification")
    checks.check_open(books, before.date, after.date)
    if after.lines != before.lines or after.line_amount_types != before.line_amount_types:
        checks.check_lines(books, after.lines, approved=after.status == "AUTHORISED")
        sums = checks.reckoned(books, after.lines, after.line_amount_types)
        after = replace(
            after,
            lines=sums.lines,
            sub_total=sums.sub_total,
            total_tax=sums.total_tax,
            total=sums.total,
            remaining=sums.total,
        )
    after = replace(after, updated=checks.later(before.updated, act))
    books.put_credit(after)
    told = checks.changed(_CREDIT_NAMES, before, after)
    approved = before.status != "AUTHORISED" and after.status == "AUTHORISED"
    books.note(after.kind, after.id, act, "Approved" if approved else "Edited", f"{', '.join(told)} changed.")
    books.log(act, "credit_update", after.kind, after.id, {"number": after.number, "changed": told})
    return after
