"""A payment plan is shown as it stands: what was paid, missed and is to come."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from connector.domain.money import Money
from connector.service import accommodations
from connector.service.plan_shown import Kept, plan_shown
from tests.harness import Office

pytestmark = pytest.mark.socket


def test_a_plan_is_shown_with_what_was_kept_missed_and_is_to_come(office: Office) -> None:
    office.invoice("INV-3", "Plan Ltd", "4000.00")
    office.pull()
    office.reconciled()
    plan = accommodations.plan_offer(office.w, office.row, "INV-3", 2, principal=True)
    assert plan_shown(office.w, office.row, "INV-3") == (plan, None)
    today = office.w.today(office.row)
    signed = accommodations.plan_sign(
        office.w, office.row, "INV-3", name="Pat", capacity="director", on=today, evidence="a.pdf"
    )
    first, second, *others = signed.instalments
    part = Money.of("1.00", "GBP")

    office.go_to(datetime.combine(first.due, time(9), UTC))
    paid = first.amount + part
    office.people({"do": "pay", "invoice": "INV-3", "amount": f"{paid.amount}"})
    office.pull()
    office.go_to(datetime.combine(second.due + timedelta(days=3), time(9), UTC))
    office.pull()
    _, shown = plan_shown(office.w, office.row, "Plan Ltd")
    assert shown is not None
    to_come = [Kept.TO_COME for _ in others]
    assert [line.kept for line in shown.lines] == [Kept.PAID, Kept.UNDECIDED, *to_come]

    office.reconciled(second.due + timedelta(days=2))
    _, shown = plan_shown(office.w, office.row, "Plan Ltd")
    assert shown is not None
    assert [line.kept for line in shown.lines] == [Kept.PAID, Kept.MISSED, *to_come]
    assert [line.lacking for line in shown.lines[:2]] == [Money.zero("GBP"), second.amount - part]
    assert (shown.paid, shown.remaining) == (paid, Money.of("4000.00", "GBP") - paid)
    assert shown.next_due == second.due

    ended = accommodations.plan_cancel(office.w, office.row, "Plan Ltd")
    assert plan_shown(office.w, office.row, ended.id) == (
        ended,
        type(shown)(ended, shown.as_of, shown.paid, shown.remaining, shown.next_due, shown.lines),
    )
