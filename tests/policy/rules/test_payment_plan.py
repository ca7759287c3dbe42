"""Plans: schedule in the ledger, a call on the next business morning after a miss, breach, cure, completion."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from connector.domain.cases import CallMade, CallOutcome, CaseRecord, LegalHold, LegalHoldKind, PlanState
from connector.domain.decisions import ActionKind, Verdict
from connector.domain.facts import CustomerFacts
from connector.domain.ledger import Credit, CreditKind, Payment
from connector.policy.rules.payment_plan import RULE, may_offer
from tests.builders import credit, invoice, money, payment
from tests.policy.known import codes, facts, of_kind, outcome_codes, policy, signed_plan

SIGNED = date(2026, 3, 2)
FIRST, SECOND, THIRD = date(2026, 3, 6), date(2026, 4, 7), date(2026, 5, 6)  # Friday, Tuesday, Wednesday
PLAN = signed_plan(FIRST, SECOND, THIRD)  # three times 400.00


def _paid(amount: str, on: date, record_id: str = "pay-1") -> Payment:
    return payment(record_id, amount, paid_on=on)


def _world(
    day: date, *records: CaseRecord, paid: str = "0", payments: tuple[Payment, ...] = (), known_to: date | None = None,
    credits_: tuple[Credit, ...] = (),
) -> CustomerFacts:  # fmt: skip
    books = (invoice("inv-1", "1200.00", paid=paid, fully_paid_on=day if paid == "1200.00" else None),)
    return facts(day, PLAN, *records, invoices=books, payments=payments, credits_=credits_, known_to=known_to)


def test_a_signed_plan_is_written_beside_each_open_invoice_and_waited_for() -> None:
    decisions, (outcome,) = RULE.decide(policy(), _world(SIGNED), SIGNED)
    (schedule,) = decisions
    assert (schedule.kind, schedule.target, schedule.occasion) == (ActionKind.WRITE_SCHEDULE, "inv-1", "plan-1:v1")
    assert schedule.data["expected"] == FIRST.isoformat()
    assert (outcome.verdict, outcome.reason.code, outcome.revisit) == (
        Verdict.WAITING,
        "plan.on_track",
        date(2026, 3, 7),
    )


def test_an_unsigned_plan_does_nothing() -> None:
    offered = replace(PLAN, state=PlanState.OFFERED, signature=None)
    decisions, outcomes = RULE.decide(policy(), facts(SIGNED, offered), SIGNED)
    assert (decisions, outcome_codes(outcomes)) == ([], ["plan.not_signed"])


def test_a_missed_instalment_is_called_about_on_the_next_business_day() -> None:
    monday = date(2026, 3, 9)
    decisions, (outcome,) = RULE.decide(policy(), _world(monday), monday)
    (call,) = of_kind(decisions, ActionKind.CALL)
    assert (call.not_before, call.amount, call.data["number"]) == (monday, money("400.00"), 1)
    assert call.contact
    assert call.asks_for_money
    assert (outcome.reason.code, outcome.revisit) == ("plan.instalment_missed", date(2026, 3, 10))


def test_nothing_is_missed_before_the_bank_was_checked() -> None:
    monday = date(2026, 3, 9)
    decisions, (outcome,) = RULE.decide(policy(), _world(monday, known_to=date(2026, 3, 5)), monday)
    assert of_kind(decisions, ActionKind.CALL) == []
    assert (outcome.verdict, outcome.reason.code, outcome.revisit) == (
        Verdict.WAITING,
        "plan.cash_not_known",
        date(2026, 3, 10),
    )


def test_the_call_asks_only_for_what_is_missing() -> None:
    monday = date(2026, 3, 9)
    world = _world(monday, paid="150.00", payments=(_paid("150.00", FIRST),))
    (call,) = of_kind(RULE.decide(policy(), world, monday)[0], ActionKind.CALL)
    assert call.amount == money("250.00")


def test_grace_delays_the_breach_and_never_the_call() -> None:
    # Due on the 6th, three days of grace: in breach from the 10th; seven more to cure: void from the 17th.
    last_of_grace, breach, last_of_cure, void = (date(2026, 3, day) for day in (9, 10, 16, 17))
    tasks = {
        day: codes(of_kind(RULE.decide(policy(), _world(day), day)[0], ActionKind.TASK))
        for day in (last_of_grace, breach, last_of_cure, void)
    }
    assert tasks == {
        last_of_grace: [],
        breach: ["plan.breached"],
        last_of_cure: ["plan.breached"],
        void: ["plan.uncured"],
    }
    assert all(of_kind(RULE.decide(policy(), _world(day), day)[0], ActionKind.CALL) for day in tasks)


def test_neither_breach_nor_void_rests_on_unknown_cash() -> None:
    day = date(2026, 3, 17)
    assert codes(of_kind(RULE.decide(policy(), _world(day, known_to=date(2026, 3, 8)), day)[0], ActionKind.TASK)) == []
    known = _world(day, known_to=date(2026, 3, 15))
    assert codes(of_kind(RULE.decide(policy(), known, day)[0], ActionKind.TASK)) == ["plan.breached"]


def test_a_cured_plan_continues() -> None:
    day = date(2026, 3, 13)
    world = _world(day, paid="400.00", payments=(_paid("400.00", date(2026, 3, 12)),))
    decisions, (outcome,) = RULE.decide(policy(), world, day)
    assert of_kind(decisions, ActionKind.TASK) == of_kind(decisions, ActionKind.CALL) == []
    assert (outcome.reason.code, outcome.revisit) == ("plan.on_track", date(2026, 4, 8))


def test_money_that_nobody_allocated_is_allocated_first_and_suspends_the_breach() -> None:
    day = date(2026, 3, 17)
    waiting = credit("over-1", "400.00", kind=CreditKind.OVERPAYMENT, issued=date(2026, 3, 6))
    decisions, _ = RULE.decide(policy(), _world(day, credits_=(waiting,)), day)
    assert codes(of_kind(decisions, ActionKind.TASK)) == ["plan.allocate_first"]
    assert of_kind(decisions, ActionKind.CALL) == []


def test_a_trifle_that_nobody_allocated_does_not_stop_the_call() -> None:
    day = date(2026, 3, 9)
    trifle = credit("over-1", "0.01", kind=CreditKind.OVERPAYMENT, issued=date(2026, 3, 6))
    decisions, _ = RULE.decide(policy(), _world(day, credits_=(trifle,)), day)
    assert len(of_kind(decisions, ActionKind.CALL)) == 1


def test_the_call_is_made_once() -> None:
    monday = date(2026, 3, 9)
    call = CallMade(
        id="c", customer_id="cust-1", on=monday, by="Jo", occasion="plan.missed:plan-1:1", outcome=CallOutcome.VOICEMAIL
    )
    assert of_kind(RULE.decide(policy(), _world(monday, call), monday)[0], ActionKind.CALL) == []


def test_completion_brings_thanks_and_no_more_schedules() -> None:
    day = date(2026, 5, 7)
    paid = (_paid("400.00", FIRST, "p1"), _paid("400.00", SECOND, "p2"), _paid("400.00", THIRD, "p3"))
    decisions, outcomes = RULE.decide(policy(), _world(day, paid="1200.00", payments=paid), day)
    assert [(d.kind, d.occasion) for d in decisions] == [(ActionKind.THANKS, "plan:plan-1")]
    assert outcome_codes(outcomes) == ["plan.completed"]


def test_a_plan_that_was_ended_is_nobodys_plan() -> None:
    monday = date(2026, 3, 9)
    void = replace(PLAN, state=PlanState.VOID, closed_on=monday)
    assert outcome_codes(RULE.decide(policy(), facts(monday, void), monday)[1]) == ["plan.none"]


def _refusal(world: CustomerFacts, *, principal: bool = False) -> str | None:
    reason = may_offer(policy(), world, money("1200.00"), principal=principal)
    return reason.code if reason else None


def test_a_first_plan_may_be_offered() -> None:
    assert _refusal(facts(SIGNED)) is None


def test_never_two_plans_at_once_nor_under_a_legal_hold() -> None:
    hold = LegalHold(id="h", customer_id="cust-1", on=SIGNED, by="Jo", why=LegalHoldKind.COURT_CLAIM)
    assert _refusal(_world(SIGNED), principal=True) == "plan.active_already"
    assert _refusal(facts(SIGNED, hold), principal=True) == "plan.legal_hold"


def test_a_second_plan_in_the_look_back_time_is_for_the_principal() -> None:
    earlier = replace(
        signed_plan(date(2024, 6, 3), date(2024, 7, 3), on=date(2024, 5, 6)),
        state=PlanState.COMPLETED, closed_on=date(2024, 7, 3),
    )  # fmt: skip
    assert _refusal(facts(SIGNED, earlier)) == "plan.too_many_plans"
    assert _refusal(facts(SIGNED, earlier), principal=True) is None
    assert _refusal(facts(date(2026, 5, 6), earlier)) is None  # signed exactly 24 months ago


@pytest.mark.parametrize(("under", "refused"), [("4800.00", False), ("4800.01", True)])
def test_all_plans_together_stay_within_the_share_of_receivables(under: str, refused: bool) -> None:
    reason = may_offer(
        policy(), facts(SIGNED), money("1200.00"), receivables=money("50000.00"), under_plans=money(under)
    )
    assert (reason is not None and reason.code == "plan.share_of_receivables") is refused
