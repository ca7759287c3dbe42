"""How far a signed payment plan has been kept: the money that arrived against the instalments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from connector.domain.cases import Instalment, PaymentPlan
from connector.domain.facts import PlanProgress
from connector.domain.ledger import Allocation, CreditKind, CustomerBook
from connector.domain.money import Money, total


def progress(plan: PaymentPlan, book: CustomerBook, cash_known_to: date | None, as_of: date) -> PlanProgress:
    """Judge a signed plan on `as_of`.

    Money counts when it was laid against a covered invoice on or after the signature; it fills the oldest instalment
    first. Credit notes, and whatever else settled a covered invoice, fill the last instalments instead. An instalment
    is missed only where cash is known up to its due date or later; until then it is undecided. Raises `ValueError` for
    an unsigned plan.
    """
    if plan.signature is None:
        raise ValueError(f"plan {plan.id} is not signed")
    currency = plan.instalments[0].amount.currency
    paid = total((a.amount for a in _money_laid(plan, book, plan.signature.on, as_of)), currency)
    credited = total((a.amount for a in _credits_laid(plan, book, plan.signature.on, as_of)), currency)
    settled_otherwise = (_planned(plan) - paid - credited - _owed(plan, book)).floor_zero()
    open_after = _still_open(plan.instalments, paid, credited + settled_otherwise)
    owed = [(i, left) for i, left in zip(plan.instalments, open_after, strict=True) if left]
    due = [i for i, _ in owed if i.due < as_of]
    return PlanProgress(
        plan=plan,
        paid=paid,
        kept=len(plan.instalments) - len(owed),
        next_due=owed[0][0].due if owed else None,
        missed=tuple(i.number for i in due if cash_known_to is not None and i.due <= cash_known_to),
        undecided=tuple(i.number for i in due if cash_known_to is None or i.due > cash_known_to),
        unapplied=_unapplied(book, currency, as_of),
        lacking=tuple(open_after),
    )


def _planned(plan: PaymentPlan) -> Money:
    return total((i.amount for i in plan.instalments), plan.instalments[0].amount.currency)


def _owed(plan: PaymentPlan, book: CustomerBook) -> Money:
    """What is still open on the covered invoices, at most what the plan covers; an invoice not at hand counts whole."""
    known = {invoice.id: invoice for invoice in book.invoices}
    owed = Money.zero(plan.instalments[0].amount.currency)
    for invoice_id, amount in plan.covered:
        invoice = known.get(invoice_id)
        if invoice is None:
            owed += amount
        elif invoice.is_open and invoice.currency == amount.currency:
            owed += min(invoice.balance, amount)
    return owed


def _still_open(instalments: tuple[Instalment, ...], paid: Money, credited: Money) -> list[Money]:
    """What each instalment still lacks: credits taken from the last backwards, money laid from the first on."""
    left = [i.amount for i in instalments]
    for position in reversed(range(len(left))):
        left[position], credited = _take(left[position], credited)
    for position in range(len(left)):
        left[position], paid = _take(left[position], paid)
    return left


def _take(owed: Money, available: Money) -> tuple[Money, Money]:
    used = Money(min(owed.minor, available.minor), owed.currency)
    return owed - used, available - used


def _money_laid(plan: PaymentPlan, book: CustomerBook, since: date, as_of: date) -> Iterator[Allocation]:
    for payment in book.payments:
        if payment.active:
            yield from _within(plan, payment.allocations, since, as_of)
    for credit in book.credits:
        if credit.active and credit.kind is not CreditKind.CREDIT_NOTE:
            yield from _within(plan, credit.allocations, since, as_of)


def _credits_laid(plan: PaymentPlan, book: CustomerBook, since: date, as_of: date) -> Iterator[Allocation]:
    for credit in book.credits:
        if credit.active and credit.kind is CreditKind.CREDIT_NOTE:
            yield from _within(plan, credit.allocations, since, as_of)


def _within(plan: PaymentPlan, allocations: tuple[Allocation, ...], since: date, as_of: date) -> Iterator[Allocation]:
    covered = {invoice_id: sum_.currency for invoice_id, sum_ in plan.covered}
    for laid in allocations:
        if covered.get(laid.invoice_id) == laid.amount.currency and since <= laid.on <= as_of:
            yield laid


def _unapplied(book: CustomerBook, currency: str, as_of: date) -> Money | None:
    """Money received that nobody has laid against an invoice yet; credit notes are not money."""
    waiting = total(
        (
            credit.remaining
            for credit in book.credits
            if credit.active
            and credit.kind is not CreditKind.CREDIT_NOTE
            and credit.remaining.currency == currency
            and credit.issued <= as_of
        ),
        currency,
    )
    unlaid = total(
        (
            payment.amount - total((a.amount for a in payment.allocations), currency)
            for payment in book.payments
            if payment.active
            and payment.amount.currency == currency
            and payment.paid_on <= as_of
            and all(a.amount.currency == currency for a in payment.allocations)
        ),
        currency,
    )
    whole = waiting + unlaid.floor_zero()
    return whole if whole.minor > 0 else None
