"""Telling the ledger who holds a debt: one neutral note on the customer, one on each open invoice concerned."""

from __future__ import annotations

from collections.abc import Iterator

from connector.channels.notes import NotePhrase
from connector.domain.cases import HeldBy, Holder
from connector.domain.effects import Effect
from connector.domain.ledger import Invoice
from connector.domain.money import Money
from connector.errors import Refused
from connector.service.pen import Pen, number


def notes(pen: Pen) -> Iterator[Effect]:
    """The notes, dated by the day on which a person recorded who holds it."""
    case = _case(pen)
    invoices = [pen.invoices[one] for one in pen.decision.items]
    yield _note(pen, case, pen.facts.customer_id, invoices)
    for invoice in invoices:
        yield _note(pen, case, invoice.id, [invoice])


def _note(pen: Pen, case: HeldBy, target: str, invoices: list[Invoice]) -> Effect:
    numbers = [number(one) for one in invoices] or None
    owed = balances(invoices) or None
    if case.holder is Holder.US:
        return pen.note(NotePhrase.TAKEN_BACK, target, on=case.on, invoices=numbers, balance=owed)
    held = case.holder.value
    return pen.note(NotePhrase.HANDED_OVER, target, on=case.on, holder=held, invoices=numbers, balance=owed)


def balances(invoices: list[Invoice]) -> list[Money]:
    """The ledger's balances of these invoices, one sum a currency."""
    sums: dict[str, Money] = {}
    for one in invoices:
        sums[one.currency] = sums.get(one.currency, Money.zero(one.currency)) + one.balance
    return list(sums.values())


def _case(pen: Pen) -> HeldBy:
    for case in pen.facts.held:
        if case.id == pen.decision.occasion:
            return case
    raise Refused("who holds the debt was recorded anew", record=pen.decision.occasion, not_done="nothing was written")
