"""Crediting an invoice whole and raising it again: credit note, allocation, new invoice, a note on both.

Both documents bear the same day, the one that the credit note bears in the ledger, however long the chain took; per
account and tax code they cancel out, or nothing is begun. Nothing is voided.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from connector.channels.notes import NotePhrase, note, short_date
from connector.domain import reductions
from connector.domain.cases import Reissue
from connector.domain.decisions import ActionKind, TargetKind
from connector.domain.effects import (
    Allocation,
    CreditNote,
    DocumentLine,
    Effect,
    EffectKind,
    NewInvoice,
    Note,
    Receipt,
    effect_key,
    marker,
)
from connector.domain.ledger import Credit, CreditKind, Invoice, RecordKind
from connector.domain.reductions import NoReduction, Reduction
from connector.domain.reissues import check_neutral, replacement, reversal
from connector.domain.text import one_line
from connector.errors import Refused
from connector.ports import Ledger
from connector.service import entries
from connector.service.pen import Pen, number
from connector.service.wiring import Wiring
from connector.store import cases, mirror, outbox
from connector.store.actions import ActionRow
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow
from connector.store.outbox import EffectRow

_LONGEST_REFERENCE = 200  # characters of the 255 that Xero keeps


def documents(
    w: Wiring, organisation: OrganisationRow, invoice: Invoice, dated: date
) -> tuple[tuple[DocumentLine, ...], tuple[DocumentLine, ...]]:
    """The lines of the credit note and of the new invoice. Raises `Refused` unless they cancel out exactly."""
    mapped = w.mapping(organisation).reductions
    kind = Reduction.CORRECTION
    recipe = entries.recipe_for(mapped.recipe(kind), kind, organisation.record, invoice)
    try:
        reductions.check_date(organisation.record, dated, mapped.filed_to)
        reductions.check_date(organisation.record, invoice.issued, mapped.filed_to)
        taken = reversal(invoice, recipe, f"Correction of {number(invoice)}, raised again")
        given = replacement(invoice)
        check_neutral(invoice, taken, given)
    except NoReduction as why:
        raise Refused(str(why), record=number(invoice), not_done="nothing was entered") from None
    return taken, given


def chain(pen: Pen) -> Iterator[Effect]:
    """Credit note, allocation, new invoice, the note on the old one. The new one's note follows once it has an id."""
    case = _case(pen)
    invoice, today = pen.invoices[case.invoice_id], pen.facts.as_of
    taken, given = documents(pen.w, pen.organisation, invoice, today)
    credit = entries.credit_number(pen, invoice)
    new = new_number(pen, invoice)
    raised = pen.effect(
        CreditNote(credit, case.customer_id, today, taken, invoice.rate, f"{number(invoice)}, replaced by {new}"),
        TargetKind.INVOICE,
        invoice.id,
    )
    laid = pen.effect(
        Allocation(CreditKind.CREDIT_NOTE, invoice.total, today), TargetKind.INVOICE, invoice.id, (raised,)
    )
    again = pen.effect(
        NewInvoice(
            new, case.customer_id, today, max(case.due or today, today), given, invoice.rate, _reference(case, invoice)
        ),
        TargetKind.INVOICE,
        invoice.id,
        (laid,),
    )
    told = pen.note(
        NotePhrase.REPLACED, invoice.id, (again,), invoice=number(invoice), amount=invoice.total, reference=new,
        on=today, due=case.due,
    )  # fmt: skip
    yield from (raised, laid, again, told)


def new_number(pen: Pen, invoice: Invoice) -> str:
    """`INV-0107-R-k3f7qa`: the invoice, and the beginning of the marker of the effect that raises it."""
    record_ = pen.organisation.record
    occasion = f"{pen.decision.kind.value}/{pen.decision.occasion}"
    key = effect_key(record_.ledger, record_.ledger_id, EffectKind.INVOICE.value, invoice.id, occasion)
    return f"{number(invoice)}-R-{marker(key)[4:10]}"


def _reference(case: Reissue, invoice: Invoice) -> str:
    """What the new invoice says of itself: the old one, its date and due date, and that its tax counts once."""
    due = f", due {short_date(case.due)}" if case.due else ""
    said = (
        f"Replaces {number(invoice)}{due}; tax point {short_date(case.tax_point)}: do not reclaim the tax again"
    )  # fmt: skip
    own = one_line(invoice.reference)
    return f"{own} · {said}" if own and len(own) + len(said) < _LONGEST_REFERENCE else said


def _case(pen: Pen) -> Reissue:
    for case in pen.facts.reissues:
        if case.id == pen.decision.occasion:
            return case
    raise Refused("the reissue was withdrawn", record=pen.decision.occasion, not_done="nothing was written")


# -- while it is delivered --------------------------------------------------------------------------------------------


def day_of_credit(w: Wiring, ledger: Ledger, effect: Effect) -> date | None:
    """The date that the credit note before this new invoice bears in the ledger; None where there is none any more.

    Raises what `Ledger.fetch` raises.
    """
    with w.db.reading(w.tenant) as tx:
        credit_id = _credit_before(tx, effect)
    found = ledger.fetch(RecordKind.CREDIT, [credit_id]).records if credit_id else ()
    return next((one.issued for one in found if isinstance(one, Credit) and one.active), None)


def _credit_before(tx: Tx, effect: Effect) -> str:
    """The ledger's id of the credit note at the beginning of the chain."""
    before = list(effect.after)
    while before:
        row = outbox.get(tx, before.pop())
        if row.effect.kind is EffectKind.CREDIT_NOTE:
            return row.receipt.reference if row.receipt is not None else ""
        before += row.effect.after
    return ""


def dated(w: Wiring, organisation: OrganisationRow, invoice: NewInvoice, day: date | None) -> NewInvoice:
    """The invoice with the credit note's date, due then at the earliest. Raises `Refused` where that cannot be."""
    if day is None:
        raise Refused("the credit note that it replaces is no longer in the ledger", record=invoice.number)
    try:
        reductions.check_date(organisation.record, day, w.mapping(organisation).reductions.filed_to)
    except NoReduction as why:
        raise Refused(f"the credit note is dated {day}, and {why}", record=invoice.number) from None
    return replace(invoice, dated=day, due=max(invoice.due, day))


def was_raised(tx: Tx, organisation: OrganisationRow, action: ActionRow, row: EffectRow, receipt: Receipt) -> None:
    """The new invoice is there: its id goes into the case, and its own note into the outbox, all in one transaction.

    A receipt that a person gave (`effects settle`) names no id: then there is nothing to note, and the plan asks for a
    person to finish it.
    """
    payload = row.effect.payload
    if action.key.kind is not ActionKind.REISSUE or not isinstance(payload, NewInvoice):
        return
    case = cases.get(tx, organisation.id, action.key.occasion)
    if not isinstance(case, Reissue) or receipt.detail != payload.number:
        return
    cases.put(tx, organisation.id, replace(case, replaced_by=receipt.reference))
    old = number(mirror.invoice(tx, organisation.id, case.invoice_id))
    outbox.add(tx, organisation.id, action.id, [_note_on_new(organisation, row.effect, payload, receipt, case, old)])


def _note_on_new(
    organisation: OrganisationRow, raised: Effect, invoice: NewInvoice, receipt: Receipt, case: Reissue, old: str
) -> Effect:
    text = note(
        NotePhrase.REPLACES, reference=invoice.number, invoice=old, amount=case.amount, on=invoice.dated, due=case.due
    )
    new, occasion, ledger = receipt.reference, raised.occasion, organisation.record
    key = effect_key(ledger.ledger, ledger.ledger_id, EffectKind.NOTE.value, new, occasion)
    payload = Note(text, short_date(invoice.dated))
    return Effect(key, EffectKind.NOTE, TargetKind.INVOICE, new, occasion, payload, "", (raised.key,))
