"""Raising documents in Xero, laying credits against invoices, setting terms: doing it, and looking for it afterwards.

A credit note or invoice is found by its number, which dunwell chose from the effect's key; an allocation by the credit,
the invoice, the amount and the day; terms are a state. Each is looked for before it is written, so that every link of a
chain may be repeated.
"""

from __future__ import annotations

import json

from adapters.xero import wire
from adapters.xero.answers import CANNOT_TELL, Before, answered, found, judge_elements, write
from adapters.xero.client import XeroClient
from adapters.xero.documents import SHAPES
from adapters.xero.parties import terms
from adapters.xero.values import Unclear, day, money
from connector.domain.effects import (
    Allocation,
    CreditNote,
    Effect,
    NewInvoice,
    Prepared,
    Probe,
    Receipt,
    Terms,
)
from connector.domain.ledger import PaymentTerms
from connector.domain.money import total
from connector.errors import LedgerRejected, NotFound, OutcomeUnknown, UnreadableAnswer


def send_document(client: XeroClient, effect: Effect, made: CreditNote | NewInvoice, prepared: Prepared) -> Receipt:
    with Before():
        there = raised(client, made)
    if there is not None:
        return there
    answer = write(client, prepared)
    if isinstance(made, CreditNote):
        ids = [row.get("CreditNoteID") for row in answered(answer, wire.CREDIT_NOTES)]
    else:
        ids = [row["InvoiceID"] for row in answered(answer, wire.INVOICES)]
    judge_elements(answer)  # before the ids: a refused element carries one of zeros
    if len(ids) != 1 or not ids[0]:
        raise OutcomeUnknown("Xero's answer does not show the document", record=effect.target)
    return Receipt(ids[0], made.number)


def send_allocation(client: XeroClient, effect: Effect, part: Allocation, prepared: Prepared) -> Receipt:
    with Before():
        there = allocated(client, effect, prepared, part)
        if there is None:
            _must_be_left(client, effect, prepared, part)
    if there is not None:
        return there
    answer = write(client, prepared)
    rows = answered(answer, wire.ALLOCATIONS)
    judge_elements(answer)
    if len(rows) != 1:
        raise OutcomeUnknown("Xero's answer does not show the allocation", record=effect.target)
    return Receipt(rows[0].get("AllocationID") or prepared.path, str(part.amount))


def send_terms(client: XeroClient, effect: Effect, change: Terms, prepared: Prepared) -> Receipt:
    with Before():
        now = terms_now(client, effect.target)
    if now == change.wanted:
        return Receipt(effect.target, already=True)
    if now != change.seen:
        raise LedgerRejected(
            "somebody changed the customer's terms meanwhile; they were left as they are",
            record=effect.target,
            next_step="decide anew from the terms that now stand in Xero",
        )
    answer = write(client, prepared)
    if not any(_terms(row) == change.wanted for row in answered(answer, wire.CONTACTS)):
        judge_elements(answer)
        raise OutcomeUnknown("Xero's answer does not show the terms", record=effect.target)
    return Receipt(effect.target)


def find_document(client: XeroClient, made: CreditNote | NewInvoice) -> Probe:
    return found(raised(client, made))


def find_allocation(client: XeroClient, effect: Effect, part: Allocation, prepared: Prepared) -> Probe:
    return found(allocated(client, effect, prepared, part))


def find_terms(client: XeroClient, effect: Effect, change: Terms) -> Probe:
    """Other terms are a person's later word, or an earlier one: whether ours stood there cannot be seen."""
    now = terms_now(client, effect.target)
    if now == change.wanted:
        return found(Receipt(effect.target))
    return found(None) if now == change.seen else CANNOT_TELL


def raised(client: XeroClient, made: CreditNote | NewInvoice) -> Receipt | None:
    return _raised_credit_note(client, made) if isinstance(made, CreditNote) else _raised_invoice(client, made)


def _raised_credit_note(client: XeroClient, note: CreditNote) -> Receipt | None:
    """The credit note of that number, if it is ours. Raises `LedgerRejected` where somebody else has the number."""
    quoted = note.number.replace('"', "")  # we make the numbers; a quote would end the filter's text
    for row in client.page(wire.CREDIT_NOTES, 1, {"where": f'CreditNoteNumber=="{quoted}"'}).rows:
        if (row.get("CreditNoteNumber") or "").casefold() == note.number.casefold():
            return _ours(note, row.get("CreditNoteID") or "", row)
    return None


def _raised_invoice(client: XeroClient, invoice: NewInvoice) -> Receipt | None:
    """The invoice of that number, if it is ours. Raises `LedgerRejected` where somebody else has the number."""
    for row in client.page(wire.INVOICES, 1, {"InvoiceNumbers": invoice.number}).rows:
        if (row.get("InvoiceNumber") or "").casefold() == invoice.number.casefold() and row.get("Type") == "ACCREC":
            return _ours(invoice, row["InvoiceID"], row)
    return None


def _ours(made: CreditNote | NewInvoice, identity: str, row: wire.CreditRow | wire.InvoiceRow) -> Receipt:
    """Of our customer and over our sum, whatever became of it since: also one that a person voided was raised."""
    gross = total((line.net + line.tax for line in made.lines), made.lines[0].net.currency)
    contact = (row.get("Contact") or {}).get("ContactID")
    try:
        same = contact == made.customer_id and money(row.get("Total") or "", gross.currency) == gross
    except Unclear:
        same = False
    if not identity or not same:
        raise LedgerRejected(
            f"the number {made.number} belongs to another document",
            record=made.number,
            next_step="look at that document in Xero",
        )
    return Receipt(identity, made.number, already=True)


def allocated(client: XeroClient, effect: Effect, prepared: Prepared, part: Allocation) -> Receipt | None:
    """The allocation that this request makes, found by credit, invoice, amount and day; None = it is not there."""
    credit = _credit(client, prepared, part)
    wanted = json.loads(prepared.body)["Allocations"][0]["Date"]
    for row in credit.get("Allocations") or ():
        laid = row.get("Invoice") or {}
        dated = day(row.get("Date"), row.get("DateString"))
        sum_ = row.get("Amount") if row.get("Amount") is not None else row.get("AppliedAmount")
        if (
            laid.get("InvoiceID") == effect.target
            and not row.get("IsDeleted")
            and dated is not None
            and dated.isoformat() == wanted
            and sum_ is not None
            and money(sum_, part.amount.currency) == part.amount
        ):
            return Receipt(row.get("AllocationID") or prepared.path, str(part.amount), already=True)
    return None


def _must_be_left(client: XeroClient, effect: Effect, prepared: Prepared, part: Allocation) -> None:
    """Raises `LedgerRejected` when the credit or the invoice has less left than is to be allocated."""
    credit = _credit(client, prepared, part)
    there = client.one(wire.INVOICES, effect.target)
    if there is None or not there.rows:
        raise NotFound(f"Xero knows no invoice {effect.target}")
    invoice = there.rows[0]
    for name, left in (("the credit", credit.get("RemainingCredit")), ("the invoice", invoice.get("AmountDue"))):
        if left is None or money(left, part.amount.currency) < part.amount:
            raise LedgerRejected(
                f"{name} has less than {part.amount} left",
                record=effect.target,
                next_step="somebody paid or allocated meanwhile; look at the credit in Xero",
            )


def _credit(client: XeroClient, prepared: Prepared, part: Allocation) -> wire.CreditRow:
    there = client.one(SHAPES[part.credit], prepared.path.split("/")[2])
    if there is None or not there.rows:
        raise NotFound(f"Xero knows no {part.credit.value.replace('_', ' ')} {prepared.path.split('/')[2]}")
    return there.rows[0]


def terms_now(client: XeroClient, customer_id: str) -> PaymentTerms | None:
    """The customer's terms for sales as they are now. Raises `NotFound`, `UnreadableAnswer`."""
    there = client.one(wire.CONTACTS, customer_id)
    if there is None or not there.rows:
        raise NotFound(f"Xero knows no contact {customer_id}")
    return _terms(there.rows[0])


def _terms(row: wire.ContactRow) -> PaymentTerms | None:
    try:
        return terms(row)
    except Unclear as unclear:
        raise UnreadableAnswer(str(unclear)) from None
