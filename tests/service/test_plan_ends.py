"""What the ledger shows after a plan that ended: the note beside every schedule, and no expected date of ours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from connector.domain.cases import PaymentPlan, PlanState
from connector.domain.decisions import ActionKind
from connector.domain.effects import EffectKind, EffectState
from connector.service import accommodations, explain, promises
from connector.store import cases, mirror
from tests.harness import Office

pytestmark = pytest.mark.socket
TODAY = date(2026, 3, 2)


def planned(office: Office) -> PaymentPlan:
    """A plan over INV-3, signed today, its schedule in the ledger."""
    office.pull()
    office.reconciled()
    accommodations.plan_offer(office.w, office.row, "INV-3", 1, principal=True)
    plan = accommodations.plan_sign(
        office.w, office.row, "INV-3", name="Pat", capacity="director", on=TODAY, evidence="a.pdf"
    )
    apply(office, ActionKind.WRITE_SCHEDULE)
    return plan


def apply(office: Office, *kinds: ActionKind) -> None:
    assert office.approve(*kinds)
    office.apply()
    office.pull()
    assert all(row.state is EffectState.DONE for row in office.effects())


def end_notes(office: Office) -> list[str]:
    return [text.partition(" [dw:")[0] for text in office.notes() if " ended " in text]


def expected(office: Office) -> date | None:
    with office.w.db.reading(office.w.tenant) as tx:
        return mirror.invoice(tx, office.row.id, office.effect(EffectKind.SCHEDULE).effect.target).expected


def stored(office: Office, plan: PaymentPlan) -> PaymentPlan:
    with office.w.db.reading(office.w.tenant) as tx:
        found = cases.get(tx, office.row.id, plan.id)
    assert isinstance(found, PaymentPlan)
    return found


def test_a_cancelled_plan_is_noted_and_the_note_says_that_its_date_is_void(office: Office) -> None:
    office.invoice("INV-3", "Plan Ltd", "4000.00")
    plan = planned(office)
    first = plan.instalments[0].due
    assert expected(office) == first
    assert end_notes(office) == []
    accommodations.plan_cancel(office.w, office.row, "INV-3")
    (proposal,) = [one for one in office.plan().actions if one.key.kind is ActionKind.END_SCHEDULE]
    assert "no longer holds" in proposal.preview["writes"]
    apply(office, ActionKind.END_SCHEDULE)
    (text,) = end_notes(office)
    assert text == (
        f"Instalment plan {plan.id[:8]} for INV-3 ended 2 Mar 2026; the expected date {first.day} Mar 2026 no longer"
        " holds; the original due dates apply."
    )
    assert ActionKind.END_SCHEDULE not in {one.key.kind for one in office.plan().actions}


def test_the_expected_date_goes_back_to_what_stood_there_before(office: Office) -> None:
    office.invoice("INV-3", "Plan Ltd", "4000.00")
    office.pull()
    office.reconciled()
    promises.promise(office.w, office.row, "INV-3", TODAY + timedelta(days=2))
    apply(office, ActionKind.SET_EXPECTED_DATE)
    office.go_to(datetime(2026, 3, 6, 12, 0, tzinfo=UTC))  # the promise is broken
    office.pull()
    office.reconciled()
    accommodations.plan_offer(office.w, office.row, "INV-3", 1, principal=True)
    accommodations.plan_sign(
        office.w, office.row, "INV-3", name="Pat", capacity="director", on=date(2026, 3, 6), evidence="a.pdf"
    )
    apply(office, ActionKind.WRITE_SCHEDULE)
    assert expected(office) not in (None, date(2026, 3, 4))
    accommodations.plan_cancel(office.w, office.row, "INV-3")
    apply(office, ActionKind.END_SCHEDULE)
    assert expected(office) == date(2026, 3, 4)
    (text,) = end_notes(office)
    assert text.endswith("for INV-3 ended 6 Mar 2026; the original due dates apply.")


def test_a_date_that_somebody_set_meanwhile_is_left_and_not_spoken_of(office: Office) -> None:
    office.invoice("INV-3", "Plan Ltd", "4000.00")
    planned(office)
    office.people({"do": "edit_invoice", "invoice": "INV-3", "expected": "2026-04-30"})
    accommodations.plan_cancel(office.w, office.row, "INV-3")
    office.pull()
    apply(office, ActionKind.END_SCHEDULE)
    assert expected(office) == date(2026, 4, 30)
    (text,) = end_notes(office)
    assert "expected" not in text


def test_a_plan_that_is_not_cured_ends_by_rule_at_the_next_plan(office: Office) -> None:
    office.invoice("INV-3", "Plan Ltd", "4000.00")
    plan = planned(office)
    over = plan.instalments[0].due + timedelta(days=11)  # three days of grace, seven to cure
    office.go_to(datetime.combine(over, datetime.min.time(), UTC).replace(hour=12))
    office.pull()
    assert stored(office, plan).state is PlanState.SIGNED
    office.plan()
    assert stored(office, plan).state is PlanState.SIGNED, "the books are not known that far"
    office.reconciled()
    told = explain.explain(office.w, office.row, "Plan Ltd")
    assert "plan.ended" in {one.reason.code for one in told.outcomes}
    assert stored(office, plan).state is PlanState.SIGNED, "explaining changes nothing"
    kinds = {one.key.kind for one in office.plan().actions if one.preview.get("customer") == "Plan Ltd"}
    ended = stored(office, plan)
    assert (ended.state, ended.closed_on, ended.closed_by) == (PlanState.VOID, over, "dunwell")
    assert {ActionKind.CALL, ActionKind.END_SCHEDULE} <= kinds
    assert ActionKind.LETTER not in kinds
    apply(office, ActionKind.END_SCHEDULE)
    assert len(end_notes(office)) == 1
