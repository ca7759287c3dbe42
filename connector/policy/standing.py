"""Standing: what a customer's history says, by explicit thresholds. It never appears in anything a customer sees.

`evasive` is not among the results: silence alone is not evasion, and nobody here can confirm it.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from connector.domain.decisions import Reason
from connector.domain.facts import CustomerFacts, Standing
from connector.domain.history import on_time_share
from connector.policy.document import Policy

_ONE_LAPSE = 1


def standing_of(policy: Policy, facts: CustomerFacts) -> tuple[Standing, tuple[Reason, ...]]:
    """The standing and the reasons for it."""
    rules, history = policy.standing, facts.history
    pauses = history.broken_promises_12_months + history.broken_plans_12_months
    broken = Reason("standing.broken_agreements", {"count": pauses, "limit": rules.chronic.pauses})
    if pauses >= rules.chronic.pauses:
        return Standing.CHRONIC, (broken,)
    months = _months(history.first_invoice, facts.as_of)
    if history.invoices_paid < rules.new.paid_invoices or months < rules.new.months:
        return Standing.NEW, (Reason("standing.thin_history", {"paid": history.invoices_paid, "months": months}),)
    late = history.median_days_late
    enough = len(history.paid) >= rules.chronic.minimum_invoices
    if enough and late is not None and late > rules.chronic.median_days_late:
        return Standing.CHRONIC, (Reason("standing.pays_very_late", {"median_days_late": late}),)
    share = on_time_share(history.paid, rules.solid.tolerance_days)
    if share is None:
        return Standing.SLOW, (Reason("standing.no_recent_payment"),)
    on_time = Reason("standing.on_time", {"share": f"{share:.2f}", "needed": str(rules.solid.on_time_share)})
    if months >= rules.solid.months and share >= rules.solid.on_time_share and pauses <= _ONE_LAPSE:
        return Standing.SOLID, (on_time, Reason("standing.tenure", {"months": months}))
    return Standing.SLOW, (on_time, Reason("standing.tenure", {"months": months}), broken)


def _months(first: date | None, as_of: date) -> int:
    """Whole months from the first invoice to `as_of`."""
    if first is None or first > as_of:
        return 0
    return (as_of.year - first.year) * 12 + as_of.month - first.month - (as_of.day < first.day)


def stretched(policy: Policy, kind: Standing, days: int) -> int:
    """A step's days at this standing: patience follows history."""
    factor = policy.ladder.interval_factor
    share = {Standing.SOLID: factor.solid, Standing.CHRONIC: factor.chronic}.get(kind, Decimal(1))
    return int((days * share).quantize(Decimal(1), ROUND_HALF_UP))
