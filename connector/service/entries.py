"""Entries in the books that people decided on: a reduction, a credit laid against an invoice, new terms.

A reduction is a chain of effects, resumable at every link: credit note, allocation, note. The credit note's number is
made from the concession, so that a repeat finds it; the tax recipe is checked here, because only here the ledger's
accounts are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from connector.channels.notes import NotePhrase
from connector.domain import reductions
from connector.domain.cases import Concession, CreditUse, TermsChange
from connector.domain.decisions import TargetKind
from connector.domain.effects import Allocation, CreditNote, Effect, EffectKind, Terms, effect_key, marker
from connector.domain.ledger import CreditKind, Invoice, Organisation
from connector.domain.reductions import INTERNAL, NoReduction, Recipe, Reduction
from connector.errors import Refused
from connector.service.pen import Pen, number

C = TypeVar("C", Concession, CreditUse, TermsChange)

_DESCRIPTIONS = {
    Reduction.CORRECTION: "Correction of {invoice}",
    Reduction.GOODWILL: "Agreed reduction of {invoice}",
    Reduction.SETTLEMENT: "Agreed settlement of {invoice}",
    Reduction.SMALL_BALANCE: "Small balance of {invoice}",
    Reduction.SHORTFALL: "Transfer shortfall of {invoice}",
    Reduction.BAD_DEBT: "Internal: debt not released ({invoice})",
}


def recipe_for(mapped: Recipe | None, kind: Reduction, record: Organisation, invoice: Invoice) -> Recipe:
    """The confirmed recipe for this invoice. Raises `Refused` naming what a person must confirm, and where."""
    try:
        return reductions.check_recipe(mapped, kind, record, invoice)
    except NoReduction as why:
        raise Refused(
            str(why),
            record=number(invoice),
            not_done="nothing was taken off the invoice",
            next_step=f"have the accountant confirm it, then fill in reductions.{kind.value} in mapping.yaml",
        ) from None


def credit(pen: Pen) -> Iterator[Effect]:
    """A credit note for the concession, its allocation, and the note on the invoice."""
    case = _case(pen, pen.facts.concessions)
    invoice = pen.invoices[case.invoice_id]
    mapped = pen.w.mapping(pen.organisation).reductions
    record = pen.organisation.record
    recipe = recipe_for(mapped.recipe(case.reduction), case.reduction, record, invoice)
    try:
        reductions.check_date(record, pen.facts.as_of, mapped.filed_to)
        lines = reductions.lines(
            invoice, case.amount, recipe, _DESCRIPTIONS[case.reduction].format(invoice=number(invoice))
        )
    except NoReduction as why:
        raise Refused(str(why), record=number(invoice), not_done="nothing was taken off the invoice") from None
    name = credit_number(pen, invoice)
    raised = pen.effect(
        CreditNote(name, case.customer_id, pen.facts.as_of, lines, invoice.rate, number(invoice)),
        TargetKind.INVOICE,
        invoice.id,
    )
    yield raised
    laid = pen.effect(
        Allocation(CreditKind.CREDIT_NOTE, case.amount, pen.facts.as_of), TargetKind.INVOICE, invoice.id, (raised,)
    )
    yield laid
    phrase = NotePhrase.ENTERED if case.reduction in INTERNAL else NotePhrase.CREDITED
    yield pen.note(
        phrase, invoice.id, (laid,), reference=name, amount=case.amount, invoice=number(invoice), on=pen.facts.as_of
    )


def credit_number(pen: Pen, invoice: Invoice) -> str:
    """`INV-0107-CN-k3f7qa`: the invoice, and the beginning of the marker of the effect that raises it."""
    record = pen.organisation.record
    occasion = f"{pen.decision.kind.value}/{pen.decision.occasion}"
    key = effect_key(record.ledger, record.ledger_id, EffectKind.CREDIT_NOTE.value, invoice.id, occasion)
    return f"{number(invoice)}-CN-{marker(key)[4:10]}"


def apply_credit(pen: Pen) -> Iterator[Effect]:
    """An open credit laid against the invoice, and the note."""
    case = _case(pen, pen.facts.credit_uses)
    invoice = pen.invoices[case.invoice_id]
    found = next((one for one in pen.facts.book.credits if one.id == case.credit_id), None)
    if found is None:
        raise Refused("the credit is no longer open", record=case.credit_id, not_done="nothing was applied")
    laid = pen.effect(Allocation(found.kind, case.amount, pen.facts.as_of, found.id), TargetKind.INVOICE, invoice.id)
    yield laid
    yield pen.note(
        NotePhrase.CREDIT_APPLIED, invoice.id, (laid,), amount=case.amount, invoice=number(invoice),
        on=pen.facts.as_of,
    )  # fmt: skip


def terms(pen: Pen) -> Iterator[Effect]:
    """New terms for future invoices, and the note on the customer."""
    case = _case(pen, pen.facts.terms_changes)
    customer = pen.facts.book.customer
    changed = pen.effect(Terms(case.terms, customer.terms), TargetKind.CUSTOMER, customer.id)
    yield changed
    yield pen.note(NotePhrase.TERMS_SET, customer.id, (changed,), on=pen.facts.as_of, terms=case.terms)


def _case(pen: Pen, found: tuple[C, ...]) -> C:
    for case in found:
        if case.id == pen.decision.occasion:
            return case
    raise Refused("what was decided has been withdrawn", record=pen.decision.occasion, not_done="nothing was written")
