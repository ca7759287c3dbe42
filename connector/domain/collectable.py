"""What may be asked for: the balance less what is disputed, already credited, or reported to be on its way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from connector.domain.cases import Dispute, DisputeOutcome, Reply, ReplyOutcome
from connector.domain.dates import Calendar
from connector.domain.facts import BridgeLine
from connector.domain.ledger import CreditKind, CustomerBook, Invoice
from connector.domain.money import Money, total

# Money that is held for something else: it may not be set against another debt.
_EARMARKED = re.compile(r"\b(deposit|retainer|trust|bond)\b", re.IGNORECASE)
_UNDER_WAY = (ReplyOutcome.PAID, ReplyOutcome.REMITTANCE, ReplyOutcome.CHEQUE_POSTED)
_BELIEVED_TWICE = 2  # a third "it is on its way" about the same invoice changes nothing: nothing is indefinite


@dataclass(slots=True)
class Owed:
    """One invoice on the way from its balance to its collectable amount."""

    invoice: Invoice
    left: Money
    lines: list[BridgeLine] = field(default_factory=list)
    in_transit_until: date | None = None

    def take(self, code: str, amount: Money) -> Money:
        """Lower what is left by at most `amount`; gives what was used."""
        used = Money(max(0, min(self.left.minor, amount.minor)), self.left.currency)
        if used:
            self.left = self.left - used
            self.lines.append(BridgeLine(code, -used))
        return used


def disputed_on(invoice: Invoice, disputes: Iterable[Dispute]) -> Money | None:
    """The disputed part, at most the balance; all of it where a dispute is not in the invoice's currency."""
    mine = tuple(disputes)
    if not mine:
        return None
    if any(dispute.amount.currency != invoice.currency for dispute in mine):
        return invoice.balance
    part = total((dispute.amount.floor_zero() for dispute in mine), invoice.currency)
    return min(part, invoice.balance, key=lambda money: money.minor)


_CREDITED = frozenset({DisputeOutcome.CORRECT, DisputeOutcome.SETTLE, DisputeOutcome.GOODWILL})
OWES_SOMETHING = _CREDITED | {DisputeOutcome.REDO}  # outcomes by which it is our turn to do something


def paused_parts(invoice: Invoice, book: CustomerBook, disputes: Iterable[Dispute]) -> tuple[Dispute, ...]:
    """The queries that pause a part of the invoice: open ones, and closed ones whose outcome is not done yet.

    A correction is done when credit notes over its whole amount were laid against the invoice since the query was
    opened (what is missing stays paused: the `amount` given back); a settlement and goodwill with any such credit
    note, because they may be over less. The ledger does not say that work was redone: a person does, by closing the
    query again with another outcome.
    """
    credited = _credited_on(invoice, book)
    paused: list[Dispute] = []
    for dispute in (one for one in disputes if one.invoice_id == invoice.id):
        if dispute.is_open or dispute.outcome is DisputeOutcome.REDO:
            paused.append(dispute)
        elif dispute.outcome in _CREDITED:
            done = _use_up(credited, dispute)
            if done < dispute.amount.minor and (dispute.outcome is DisputeOutcome.CORRECT or not done):
                paused.append(replace(dispute, amount=Money(dispute.amount.minor - done, dispute.amount.currency)))
    return tuple(paused)


def _credited_on(invoice: Invoice, book: CustomerBook) -> list[tuple[date, int]]:
    """Credit notes laid against the invoice: when (not before they were issued) and how much, oldest first."""
    return sorted(
        (max(laid.on, credit.issued), laid.amount.minor)
        for credit in book.credits
        if credit.active and credit.kind is CreditKind.CREDIT_NOTE
        for laid in credit.allocations
        if laid.invoice_id == invoice.id and laid.amount.currency == invoice.currency
    )


def _use_up(credited: list[tuple[date, int]], dispute: Dispute) -> int:
    """How much of the dispute's amount was credited since it was opened; no credit counts for two queries."""
    used = 0
    for position, (on, minor) in enumerate(credited):
        if on >= dispute.on:
            part = min(minor, dispute.amount.minor - used)
            credited[position] = (on, minor - part)
            used += part
    return used


def usable_credit(book: CustomerBook, as_of: date) -> dict[str, Money]:
    """Unapplied money and credit notes by currency: not deposits, retainers or trust money."""
    pool: dict[str, Money] = {}
    for amount in (*_credits(book, as_of), *_unlaid(book, as_of)):
        if amount.minor > 0:
            pool[amount.currency] = pool.get(amount.currency, Money.zero(amount.currency)) + amount
    return pool


def _credits(book: CustomerBook, as_of: date) -> Iterable[Money]:
    for credit in book.credits:
        earmarked = credit.kind is CreditKind.PREPAYMENT and _EARMARKED.search(credit.reference)
        if credit.active and credit.issued <= as_of and not earmarked:
            yield credit.remaining


def _unlaid(book: CustomerBook, as_of: date) -> Iterable[Money]:
    for payment in book.payments:
        currency = payment.amount.currency
        if (
            payment.active
            and payment.paid_on <= as_of
            and all(a.amount.currency == currency for a in payment.allocations)
        ):
            yield payment.amount - total((a.amount for a in payment.allocations), currency)


def lay_credit(owed: Sequence[Owed], pool: Mapping[str, Money]) -> dict[str, Money]:
    """Set unapplied credit against the invoices of its currency, in the order given; gives what remains unused."""
    rest = dict(pool)
    for one in owed:
        currency = one.invoice.currency
        if currency in rest:
            rest[currency] = rest[currency] - one.take("unapplied_credit", rest[currency])
    return {currency: amount for currency, amount in rest.items() if amount}


@dataclass(frozen=True, slots=True)
class Transit:
    """How long money that a customer reports as paid or posted is believed, in business days."""

    calendar: Calendar
    as_of: date
    paid_bd: int = 5
    cheque_bd: int = 10

    def until(self, reply: Reply) -> date:
        """The last day on which the report counts. A named day counts up to two weeks ahead of the report."""
        days = self.cheque_bd if reply.outcome is ReplyOutcome.CHEQUE_POSTED else self.paid_bd
        named = reply.until if reply.until is not None and reply.on < reply.until else reply.on
        start = min(named, self.calendar.add(reply.on, 10))
        return self.calendar.add(start, days)


def lay_transit(owed: Sequence[Owed], replies: Iterable[Reply], book: CustomerBook, transit: Transit) -> None:
    """Take off what replies report to be on its way, less what has arrived since, while the report is fresh."""
    reports: dict[str, int] = {}
    for reply in replies:
        if reply.outcome not in _UNDER_WAY:
            continue
        targets = [o for o in owed if _is_about(reply, o.invoice)]
        for one in targets:
            reports[one.invoice.id] = reports.get(one.invoice.id, 0) + 1
        targets = [o for o in targets if reports[o.invoice.id] <= _BELIEVED_TWICE]
        if transit.as_of <= transit.until(reply):
            _take_reported(targets, reply, book, transit.until(reply))


def _is_about(reply: Reply, invoice: Invoice) -> bool:
    if reply.amount is not None and reply.amount.currency != invoice.currency:
        return False
    return invoice.id in reply.invoice_ids if reply.invoice_ids else invoice.issued <= reply.on


def _take_reported(targets: Sequence[Owed], reply: Reply, book: CustomerBook, until: date) -> None:
    coming = None if reply.amount is None else reply.amount - _arrived_since(reply, book, reply.amount.currency)
    for one in targets:
        used = one.take("in_transit", one.left if coming is None else coming)
        if used:
            one.in_transit_until = max(until, one.in_transit_until or until)
            coming = None if coming is None else coming - used


def _arrived_since(reply: Reply, book: CustomerBook, currency: str) -> Money:
    since = reply.on if reply.until is None else min(reply.until, reply.on)
    return total(
        (
            laid.amount
            for payment in book.payments
            if payment.active and payment.paid_on >= since
            for laid in payment.allocations
            if laid.amount.currency == currency and (not reply.invoice_ids or laid.invoice_id in reply.invoice_ids)
        ),
        currency,
    )
