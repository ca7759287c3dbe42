"""Payment-plan arithmetic: what may be offered, whether a plan is sound, and how a signed one stands."""

from __future__ import annotations

import calendar as months_of
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from enum import StrEnum
from itertools import pairwise

from connector.domain.cases import Instalment, PaymentPlan
from connector.domain.dates import Calendar
from connector.domain.decisions import Reason
from connector.domain.facts import PlanProgress
from connector.domain.instalments import progress
from connector.domain.money import Money, exponent, total
from connector.policy.case_sections import Cadence, Plan

__all__ = [
    "Judgement",
    "PlanOption",
    "PlanStanding",
    "add_days",
    "add_months",
    "by_invoice",
    "judge",
    "offer",
    "options",
    "progress",
    "schedule_occasion",
    "validate",
]

_DAYS = {Cadence.WEEKLY: 7, Cadence.FORTNIGHTLY: 14}
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class PlanOption:
    """One way to split a debt that the policy permits."""

    cadence: Cadence
    instalments: tuple[Instalment, ...]
    needs_principal: bool  # over the ordinary limits, within the approval ceiling

    @property
    def total(self) -> Money:
        return total((i.amount for i in self.instalments), self.instalments[0].amount.currency)


def add_days(day: date, days: int) -> date:
    return day + timedelta(days=days)


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day where it is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, months_of.monthrange(year, month + 1)[1]))


def options(
    limits: Plan,
    amount: Money,
    as_of: date,
    calendar: Calendar,
    *,
    principal: bool = False,
    cadence: Cadence | None = None,
    rate: Decimal = ONE,
) -> tuple[PlanOption, ...]:
    """Every split of `amount` within the limits, fewest instalments first; none where the policy permits none.

    `principal` opens the approval ceiling. `rate`: units of the amount's currency for one unit of base, for the
    policy's thresholds. The first instalment is the last business day within the policy's time; the others follow in
    the cadence, moved to business days.
    """
    rhythms = limits.cadences if cadence is None else (cadence,) if cadence in limits.cadences else ()
    most = limits.ceiling_instalments if principal else limits.instalments
    found = []
    if amount < _threshold(limits.minimum_debt, amount.currency, rate):
        return ()
    for count in range(2, most + 1):
        amounts = _amounts(amount, count, limits.first_share)
        if amounts is None or min(a.minor for a in amounts) <= 0:
            continue
        for rhythm in rhythms:
            dates = _dates(count, rhythm, as_of, limits.first_within_days, calendar)
            lines = tuple(Instalment(n + 1, dates[n], amounts[n]) for n in range(count)) if dates else ()
            if lines and not _beyond(limits, lines, as_of, principal=principal, rate=rate):
                over = bool(_beyond(limits, lines, as_of, principal=False, rate=rate))
                found.append(PlanOption(rhythm, lines, over))
    return tuple(found)


def _threshold(limit: Decimal, currency: str, rate: Decimal) -> Money:
    step = Decimal(1).scaleb(-exponent(currency))
    return Money.of((limit * rate).quantize(step, ROUND_HALF_UP), currency)


def _first_at_least(amount: Money, share: Decimal, count: int) -> Money:
    """The least first payment. An equal part is enough where equal parts are the share: a quarter, four of them.

    Rounding a quarter up would make the first of four a cent dearer, and the last one too.
    """
    least = Money(int((amount.minor * share).to_integral_value(ROUND_CEILING)), amount.currency)
    return min(least, amount.split(count)[0]) if share * count <= 1 else least


def _amounts(amount: Money, count: int, first_share: Decimal) -> tuple[Money, ...] | None:
    """Equal parts where the first is large enough, else the least first part and equal rests; remainder on the last."""
    equal = amount.split(count)
    least = _first_at_least(amount, first_share, count)
    if equal[0] >= least:
        return equal
    rest = amount - least
    return (least, *rest.split(count - 1)) if rest.minor >= count - 1 else None


def _dates(count: int, cadence: Cadence, as_of: date, within: int, calendar: Calendar) -> tuple[date, ...] | None:
    first = add_days(as_of, within)
    while not calendar.is_business_day(first):
        first -= timedelta(days=1)
    if first <= as_of:
        return None
    dates = [first]
    for number in range(1, count):
        wanted = add_months(first, number) if cadence is Cadence.MONTHLY else add_days(first, _DAYS[cadence] * number)
        dates.append(calendar.on_or_after(max(wanted, add_days(dates[-1], 1))))
    return tuple(dates)


def offer(
    option: PlanOption, covered: tuple[tuple[str, Money], ...], *, plan_id: str, customer_id: str, on: date, by: str
) -> PaymentPlan:
    """The option as a plan for these invoices (oldest due first). Raises `ValueError` when the sums differ."""
    owed = total((amount for _, amount in covered), option.instalments[0].amount.currency)
    if owed != option.total:
        raise ValueError(f"the instalments come to {option.total}, the covered invoices to {owed}")
    return PaymentPlan(
        id=plan_id, customer_id=customer_id, on=on, by=by, covered=covered, instalments=option.instalments
    )


def validate(
    limits: Plan, plan: PaymentPlan, calendar: Calendar, *, principal: bool = False, rate: Decimal = ONE
) -> tuple[Reason, ...]:
    """Everything that is wrong with a plan; nothing when it is sound and within the limits."""
    currencies = {i.amount.currency for i in plan.instalments} | {amount.currency for _, amount in plan.covered}
    if not plan.instalments or not plan.covered or len(currencies) != 1:
        return (Reason("plan.not_one_currency", {"currencies": ", ".join(sorted(currencies))}),)
    return (*_unsound(plan, calendar), *_beyond(limits, plan.instalments, plan.on, principal=principal, rate=rate))


def _unsound(plan: PaymentPlan, calendar: Calendar) -> list[Reason]:
    lines, found = plan.instalments, list[Reason]()
    currency = lines[0].amount.currency
    owed = total((amount for _, amount in plan.covered), currency)
    planned = total((i.amount for i in lines), currency)
    if planned != owed:
        found.append(Reason("plan.sum_differs", {"instalments": str(planned), "covered": str(owed)}))
    if [i.number for i in lines] != list(range(1, len(lines) + 1)):
        found.append(Reason("plan.numbers_not_in_order"))
    if any(later.due <= earlier.due for earlier, later in pairwise(lines)):
        found.append(Reason("plan.dates_not_increasing"))
    found += [
        Reason("plan.not_a_business_day", {"number": i.number, "due": i.due.isoformat()})
        for i in lines
        if not calendar.is_business_day(i.due)
    ]
    if lines[0].due <= plan.on:
        found.append(Reason("plan.first_due_already", {"due": lines[0].due.isoformat()}))
    middle = {i.amount.minor for i in lines[1:-1]}
    if middle and not (len(middle) == 1 and 0 <= lines[-1].amount.minor - min(middle) < len(lines)):
        found.append(Reason("plan.remainder_not_last"))
    return found


def _beyond(limits: Plan, lines: tuple[Instalment, ...], on: date, *, principal: bool, rate: Decimal) -> list[Reason]:
    """Where the instalments pass the policy's limits (the approval ceiling for the principal)."""
    most = limits.ceiling_instalments if principal else limits.instalments
    last = add_months(on, limits.ceiling_months if principal else limits.months)
    currency = lines[0].amount.currency
    debt = total((i.amount for i in lines), currency)
    minimum = _threshold(limits.minimum_instalment, currency, rate)
    smallest = min(lines, key=lambda i: i.amount.minor)
    first_by = add_days(on, limits.first_within_days)
    least_first = _first_at_least(debt, limits.first_share, len(lines))
    checks = (
        (
            debt < (least := _threshold(limits.minimum_debt, currency, rate)),
            Reason("plan.debt_too_small", {"debt": str(debt), "minimum": str(least)}),
        ),
        (len(lines) > most, Reason("plan.too_many_instalments", {"instalments": len(lines), "most": most})),
        (
            lines[-1].due > last,
            Reason("plan.too_long", {"last": lines[-1].due.isoformat(), "latest": last.isoformat()}),
        ),
        (
            smallest.amount < minimum,
            Reason("plan.instalment_too_small", {"amount": str(smallest.amount), "minimum": str(minimum)}),
        ),
        (
            lines[0].due > first_by,
            Reason("plan.first_too_late", {"due": lines[0].due.isoformat(), "latest": first_by.isoformat()}),
        ),
        (
            lines[0].amount < least_first,
            Reason("plan.first_too_small", {"amount": str(lines[0].amount), "least": str(least_first)}),
        ),
    )
    return [reason for broken, reason in checks if broken]


def schedule_occasion(plan: PaymentPlan) -> str:
    """Under what a plan's schedule is written, and its end."""
    return f"{plan.id}:v{plan.version}"


def by_invoice(plan: PaymentPlan) -> dict[str, tuple[Instalment, ...]]:
    """Which part of each instalment pays which covered invoice: the oldest invoice is paid off first."""
    shares: dict[str, list[Instalment]] = {invoice_id: [] for invoice_id, _ in plan.covered}
    left = [(invoice_id, amount.minor) for invoice_id, amount in plan.covered]
    for instalment in plan.instalments:
        available = instalment.amount.minor
        while available > 0 and left:
            invoice_id, owed = left[0]
            used = min(available, owed)
            part = Money(used, instalment.amount.currency)
            shares[invoice_id].append(Instalment(instalment.number, instalment.due, part))
            available -= used
            left[0] = (invoice_id, owed - used)
            if owed == used:
                left.pop(0)
    return {invoice_id: tuple(parts) for invoice_id, parts in shares.items()}


class PlanStanding(StrEnum):
    """Of a signed plan, judged no later than cash is known."""

    ON_TRACK = "on_track"
    UNDECIDED = "undecided"  # an instalment fell due, but the books are not reconciled that far
    MISSED = "missed"
    BREACHED = "breached"  # missed beyond the grace days
    UNCURED = "uncured"  # not made good in time: the rule ends it, and chasing resumes at firm
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a plan stands, about which instalment, and the dates that follow from it."""

    standing: PlanStanding
    instalment: Instalment | None = None  # the first missed or undecided one, or the next due
    grace_until: date | None = None
    cure_by: date | None = None


def judge(limits: Plan, plan: PlanProgress, cash_known_to: date | None, as_of: date) -> Judgement:
    """How a signed plan stands on `as_of`. Breach and void rest on known cash only; unapplied money suspends both."""
    if plan.kept == len(plan.plan.instalments):
        return Judgement(PlanStanding.COMPLETED)
    if not plan.missed:
        return _not_missed(plan)
    missed = plan.plan.instalments[plan.missed[0] - 1]
    grace = add_days(missed.due, limits.breach_days)
    cure = add_days(grace, limits.cure_days)
    standing = PlanStanding.MISSED
    if plan.unapplied is None and cash_known_to is not None:
        if as_of > cure and cash_known_to >= cure:
            standing = PlanStanding.UNCURED
        elif as_of > grace and cash_known_to >= grace:
            standing = PlanStanding.BREACHED
    return Judgement(standing, missed, grace, cure)


def _not_missed(plan: PlanProgress) -> Judgement:
    if plan.undecided:
        return Judgement(PlanStanding.UNDECIDED, plan.plan.instalments[plan.undecided[0] - 1])
    upcoming = next((i for i in plan.plan.instalments if i.due == plan.next_due), None)
    return Judgement(PlanStanding.ON_TRACK, upcoming)
