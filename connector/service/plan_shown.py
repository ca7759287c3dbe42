"""A payment plan as it stands: what was kept, missed and paid, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from connector.domain.cases import Instalment, PaymentPlan
from connector.domain.facts import PlanProgress
from connector.domain.instalments import progress
from connector.domain.money import Money, total
from connector.service.accommodations import plan_named
from connector.service.knowledge import facts_of
from connector.service.wiring import Wiring
from connector.store.organisations import OrganisationRow


class Kept(StrEnum):
    """What became of an instalment."""

    PAID = "paid"
    MISSED = "missed"
    UNDECIDED = "not known yet"  # due, and the books are not known that far
    TO_COME = "to come"


@dataclass(frozen=True, slots=True)
class LineShown:
    instalment: Instalment
    lacking: Money
    kept: Kept


@dataclass(frozen=True, slots=True)
class PlanShown:
    """`as_of`: the day it is judged by, for a plan that ended the day it ended."""

    plan: PaymentPlan
    as_of: date
    paid: Money  # laid against the covered invoices since the signature
    remaining: Money
    next_due: date | None
    lines: tuple[LineShown, ...]


def plan_shown(w: Wiring, organisation: OrganisationRow, text: str) -> tuple[PaymentPlan, PlanShown | None]:
    """The newest plan with this id or of this customer; how it stands, where it was ever signed. Raises `NotFound`."""
    plan = plan_named(w, organisation, text)
    if plan.signature is None:
        return plan, None
    today = w.today(organisation)
    with w.db.reading(w.tenant) as tx:
        facts = facts_of(w, tx, organisation, plan.customer_id, today)
    as_of = plan.closed_on or today
    found = progress(plan, facts.book, facts.state.cash_known_to, as_of)
    lines = tuple(
        LineShown(one, lacking, _kept(one, lacking, found))
        for one, lacking in zip(plan.instalments, found.lacking, strict=True)
    )
    remaining = total(found.lacking, found.paid.currency)
    return plan, PlanShown(plan, as_of, found.paid, remaining, found.next_due, lines)


def _kept(instalment: Instalment, lacking: Money, found: PlanProgress) -> Kept:
    if not lacking:
        return Kept.PAID
    if instalment.number in found.missed:
        return Kept.MISSED
    return Kept.UNDECIDED if instalment.number in found.undecided else Kept.TO_COME
