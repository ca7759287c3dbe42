"""Standing: explicit thresholds with reasons; it decays, it improves, and it never says evasive."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from connector.domain.cases import Promise
from connector.domain.facts import CustomerFacts, History, PaidInvoice, Standing
from connector.policy.standing import standing_of, stretched
from tests.builders import money
from tests.worlds import MONDAY, World, days_after, overdue, preset


def facts(*days_late: int, first: date = date(2024, 1, 10), promises: int = 0, plans: int = 0) -> CustomerFacts:
    paid = tuple(
        PaidInvoice(f"p{n}", days_after(MONDAY, -n - 1), late, money("100.00")) for n, late in enumerate(days_late)
    )
    late = sorted(days_late)[(len(days_late) - 1) // 2] if days_late else None
    history = History(
        first_invoice=first,
        invoices_paid=len(paid),
        paid=paid,
        median_days_late=late,
        broken_promises_12_months=promises,
        broken_plans_12_months=plans,
    )
    return replace(World().facts(MONDAY), history=history)


@pytest.mark.parametrize(
    ("known", "expected", "code"),
    [
        (facts(0, 0, 0), Standing.NEW, "standing.thin_history"),
        (facts(0, 0, 0, 0, first=date(2025, 9, 3)), Standing.NEW, "standing.thin_history"),
        (facts(0, 3, 7, -4), Standing.SOLID, "standing.on_time"),
        (facts(0, 3, 8, -4), Standing.SLOW, "standing.on_time"),
        (facts(0, 0, 0, 0, first=date(2025, 3, 3)), Standing.SLOW, "standing.on_time"),
        (facts(46, 50, 46, 46), Standing.CHRONIC, "standing.pays_very_late"),
        (facts(45, 50, 45, 45), Standing.SLOW, "standing.on_time"),
        (facts(0, 0, 0, 0, promises=1), Standing.SOLID, "standing.on_time"),
        (facts(0, 0, 0, 0, promises=2), Standing.SLOW, "standing.on_time"),
        (facts(0, 0, 0, 0, promises=2, plans=1), Standing.CHRONIC, "standing.broken_agreements"),
        (facts(promises=3), Standing.CHRONIC, "standing.broken_agreements"),
    ],
)  # fmt: skip
def test_thresholds(known: CustomerFacts, expected: Standing, code: str) -> None:
    found, reasons = standing_of(preset(), known)
    assert found is expected
    assert reasons[0].code == code


def test_old_invoices_without_recent_payment_are_no_reason_for_trust() -> None:
    known = replace(facts(), history=History(first_invoice=date(2020, 1, 1), invoices_paid=9))
    assert standing_of(preset(), known)[0] is Standing.SLOW


def test_broken_promises_are_forgotten_after_a_year() -> None:
    world = World(invoices=[overdue(30)])
    days = [days_after(MONDAY, -300 + n) for n in range(3)]
    world.records = [
        Promise(id=f"p{n}", customer_id="cust-1", on=day, by="Ana", invoice_ids=("inv-1",), until=day)
        for n, day in enumerate(days)
    ]
    assert standing_of(preset(), world.facts(MONDAY))[0] is Standing.CHRONIC
    assert standing_of(preset(), world.facts(days_after(MONDAY, 70)))[0] is Standing.NEW


def test_patience_follows_history() -> None:
    steps = {kind: stretched(preset(), kind, 26) for kind in (Standing.SOLID, Standing.SLOW, Standing.CHRONIC)}
    assert steps == {Standing.SOLID: 39, Standing.SLOW: 26, Standing.CHRONIC: 20}
