"""How a customer has paid: computed from settled invoices, broken promises and ended plans. Nothing is learned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from statistics import median_low

from connector.domain.cases import Dispute, Extension, HeldBy, Holder, PaymentPlan, PlanState, Promise
from connector.domain.facts import History, PaidInvoice, PauseState
from connector.domain.known import Known
from connector.domain.ledger import CustomerBook, Invoice, InvoiceStatus
from connector.domain.money import Money, total
from connector.domain.pauses import Bank

_YEAR = timedelta(days=365)
_TWO_YEARS = timedelta(days=730)
_LATEST = 12
_PAYMENT_RUN = 7  # a payment run on or before due + 7 is not late
_ISSUED = (InvoiceStatus.APPROVED, InvoiceStatus.PAID)


@dataclass(frozen=True, slots=True)
class Past:
    """What history is computed from."""

    book: CustomerBook
    known: Known
    bank: Bank
    base: str  # the organisation's base currency
    sent_on: dict[str, date]  # first sending by us, by invoice
    promise_lag: Callable[[date], date]

    @property
    def as_of(self) -> date:
        return self.known.as_of


def history(past: Past) -> History:
    """The customer's record up to `as_of`. Disputed, held and never-sent invoices say nothing about a payer."""
    issued = [i for i in past.book.invoices if i.status in _ISSUED and i.issued <= past.as_of]
    settled = sorted(_settled(past, issued), key=lambda paid: (paid.on, paid.invoice_id))
    paid = tuple(one for one in settled if one.on > past.as_of - _TWO_YEARS)[-_LATEST:]
    signed = tuple(sorted(p.signature.on for p in past.known.all(PaymentPlan) if p.signature))
    return History(
        first_invoice=min((i.issued for i in issued), default=None),
        invoices_paid=len(settled),
        paid=paid,
        paid_on_time_share=on_time_share(paid, _PAYMENT_RUN),
        median_days_late=median_low(one.days_late for one in paid) if paid else None,
        worst_days_late=max((one.days_late for one in paid), default=None),
        revenue_12_months=_revenue(past, issued),
        broken_promises_12_months=_broken(past),
        broken_plans_12_months=sum(
            plan.state is PlanState.VOID and _within_year(past, plan.closed_on) for plan in past.known.all(PaymentPlan)
        ),
        extensions_12_months=sum(_within_year(past, extension.on) for extension in past.known.all(Extension)),
        plans_lookback=sum(past.as_of - _TWO_YEARS < on <= past.as_of for on in signed),
        plans_signed_on=tuple(on for on in signed if on <= past.as_of),
    )


def on_time_share(paid: Sequence[PaidInvoice], tolerance_days: int) -> Decimal | None:
    """The share, by value, that was paid at most `tolerance_days` late; None where nothing was paid."""
    whole = sum(one.value.minor for one in paid)
    if whole <= 0:
        return None
    return Decimal(sum(one.value.minor for one in paid if one.days_late <= tolerance_days)) / whole


def base_value(invoice: Invoice, amount: Money, base: str) -> Money:
    """`amount` of the invoice at its own rate, for thresholds; a rate that cannot be true counts as 1."""
    if amount.currency == base:
        return amount
    return amount.in_base(base, invoice.rate if invoice.rate > 0 else Decimal(1))


def _settled(past: Past, issued: Sequence[Invoice]) -> Iterator[PaidInvoice]:
    silent = {dispute.invoice_id for dispute in past.known.all(Dispute)}
    silent |= {held.invoice_id for held in past.known.all(HeldBy) if held.invoice_id and held.holder is not Holder.US}
    for invoice in issued:
        on = past.bank.settled_on(invoice.id)
        never_sent = invoice.sent is False and invoice.id not in past.sent_on
        if on is None or on > past.as_of or invoice.due is None or invoice.id in silent or never_sent:
            continue
        start = counted_from(invoice, invoice.due, past.sent_on.get(invoice.id))
        yield PaidInvoice(invoice.id, on, (on - start).days, base_value(invoice, invoice.total, past.base))


def counted_from(invoice: Invoice, due: date, sent_on: date | None) -> date:
    """The later of the due date and our first sending plus the invoice's own terms."""
    if sent_on is None or sent_on <= invoice.issued or due < invoice.issued:
        return due
    return max(due, sent_on + (due - invoice.issued))


def _revenue(past: Past, issued: Sequence[Invoice]) -> Money:
    recent = [i for i in issued if i.issued > past.as_of - _YEAR]
    return total((base_value(i, (i.total - i.tax - i.credited).floor_zero(), past.base) for i in recent), past.base)


def _within_year(past: Past, day: date | None) -> bool:
    return day is not None and past.as_of - _YEAR < day <= past.as_of


def _broken(past: Past) -> int:
    promises = sum(
        past.bank.promise(promise, past.promise_lag(promise.until)) is PauseState.BROKEN
        for promise in _standing(past)
        if _within_year(past, promise.until)
    )
    lapsed = sum(
        past.bank.extension(extension) is PauseState.BROKEN
        for extension in past.known.all(Extension)
        if _within_year(past, extension.until)
    )
    return promises + lapsed


def _standing(past: Past) -> Iterator[Promise]:
    """Each promise of what no later promise took over by its day: one word that was changed in time breaks nothing."""
    made = [one for one in past.known.all(Promise) if not past.known.is_past(one.withdrawn_on)]
    for number, promise in enumerate(made):
        later = [one for one in made[number + 1 :] if one.on <= promise.until]
        taken_over = {invoice_id for one in later for invoice_id in one.invoice_ids}
        if left := tuple(one for one in promise.invoice_ids if one not in taken_over):
            yield replace(promise, invoice_ids=left)
