"""Plans: schedule in the ledger, a call on the next business morning after a miss, breach, cure, completion."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from connector.domain.cases import (
    CallMade,
    CallOutcome,
    CaseRecord,
    Dispute,
    DisputeCode,
    Exclusion,
    HeldBy,
    Holder,
    LegalHold,
    LegalHoldKind,
    PlanState,
    Reply,
    ReplyOutcome,
)
from connector.domain.decisions import Acted, ActedState, ActionKey, ActionKind, DunningLevel, Verdict
from connector.domain.facts import CustomerFacts
from connector.domain.ledger import Credit, CreditKind, Payment
from connector.policy.plan_ends import ended_by_rule
from connector.policy.rules import plan_ended
from connector.policy.rules.payment_plan import RULE, may_offer
from tests.builders import credit, invoice, money, payment
from tests.policy.known import codes, facts, of_kind, outcome_codes, policy, signed_plan
from tests.worlds import World, letter

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


def _tasks(day: date, *records: CaseRecord) -> list[str]:
    """The tasks' reasons, once the plans have ended that the policy ends."""
    tasks = of_kind(RULE.decide(policy(), _ended(_world(day, *records), *records), day)[0], ActionKind.TASK)
    return [task.reasons[0].code for task in tasks]


def _ended(world: CustomerFacts, *records: CaseRecord) -> CustomerFacts:
    ended = ended_by_rule(policy(), world)
    return _world(world.as_of, *records, *ended) if ended else world


# Due on the 6th, three days of grace: in breach from the 10th; seven more to cure: over on the 17th.
LAST_OF_GRACE, BREACH, LAST_OF_CURE, OVER = (date(2026, 3, day) for day in (9, 10, 16, 17))


def test_grace_delays_the_breach_and_never_the_call() -> None:
    assert [_tasks(day) for day in (LAST_OF_GRACE, BREACH, LAST_OF_CURE)] == [[], ["plan.breached"], ["plan.breached"]]
    for day in (LAST_OF_GRACE, BREACH, LAST_OF_CURE):
        assert ended_by_rule(policy(), _world(day)) == ()
        (call,) = of_kind(RULE.decide(policy(), _world(day), day)[0], ActionKind.CALL)
        assert call.occasion == "plan.missed:plan-1:1"


def test_what_is_not_cured_ends_by_rule_and_is_called_about_once() -> None:
    (void,) = ended_by_rule(policy(), _world(OVER))
    assert void == replace(PLAN, state=PlanState.VOID, closed_on=OVER, closed_by="dunwell")
    after = _ended(_world(OVER))
    assert RULE.decide(policy(), after, OVER)[0] == []
    assert (after.items[0].breached, after.items[0].plan, after.ended_plans) == (True, None, (void,))
    (call,), (outcome,) = plan_ended.RULE.decide(policy(), after, OVER)
    assert (call.kind, call.occasion, call.amount) == (ActionKind.CALL, "plan.ended:plan-1", money("1200.00"))
    assert (call.not_before, call.items, outcome.reason.code) == (OVER, ("inv-1",), "plan.ended")
    made = CallMade(id="c", customer_id="cust-1", on=OVER, by="Jo", occasion=call.occasion, outcome=CallOutcome.SPOKE)
    decisions, outcomes = plan_ended.RULE.decide(policy(), _world(OVER, void, made), OVER)
    assert (decisions, outcome_codes(outcomes)) == ([], ["plan.ended_called"])
    assert ended_by_rule(policy(), _world(date(2026, 3, 18), void)) == ()


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (
            LegalHold(id="h", customer_id="cust-1", on=SIGNED, by="Jo", why=LegalHoldKind.COURT_CLAIM),
            "customer.legal_hold",
        ),
        (
            HeldBy(id="h", customer_id="cust-1", on=SIGNED, by="Jo", holder=Holder.FACTOR, invoice_id="inv-1"),
            "item.held_by",
        ),
        (
            Exclusion(id="x", customer_id="cust-1", on=BREACH, by="Jo", reason="agreed: 20 March", until=THIRD),
            "customer.excluded",
        ),
        (
            Dispute(
                id="d", customer_id="cust-1", on=BREACH, by="Jo", invoice_id="inv-1", code=DisputeCode.QUALITY,
                amount=money("10.00"), decide_by=THIRD,
            ),
            "item.disputed",
        ),
        (
            Reply(id="r", customer_id="cust-1", on=LAST_OF_CURE, by="Jo", outcome=ReplyOutcome.HARDSHIP),
            "contact.reply_waits",
        ),
        (
            Reply(id="r", customer_id="cust-1", on=BREACH, by="Jo", outcome=ReplyOutcome.PAID, answered_on=BREACH),
            "item.in_transit",
        ),
    ],
    ids=["legal hold", "factor", "left alone", "query", "reply", "money on its way"],
)  # fmt: skip
def test_a_person_decides_where_something_stands_in_the_way_of_ending_it(record: CaseRecord, code: str) -> None:
    world = _world(OVER, record)
    assert ended_by_rule(policy(), world) == ()
    (task,) = of_kind(RULE.decide(policy(), world, OVER)[0], ActionKind.TASK)
    assert [reason.code for reason in task.reasons] == ["plan.uncured", code]


def _schedule_acted(state: ActedState, *kinds: ActionKind) -> dict[ActionKey, Acted]:
    keys = [ActionKey(kind, "inv-1", "plan-1:v1") for kind in kinds]
    return {key: Acted(key, state, SIGNED) for key in keys}


@pytest.mark.parametrize("state", [PlanState.VOID, PlanState.CANCELLED])
def test_the_ledger_is_told_of_the_end_where_the_schedule_was_written_and_once(state: PlanState) -> None:
    ended = replace(PLAN, state=state, closed_on=OVER)

    def told(acted: dict[ActionKey, Acted]) -> list[tuple[str, str]]:
        world = facts(OVER, ended, invoices=(invoice("inv-1", "1200.00"),), acted=acted)
        found = of_kind(plan_ended.RULE.decide(policy(), world, OVER)[0], ActionKind.END_SCHEDULE)
        return [(one.target, one.occasion) for one in found]

    both = (ActionKind.WRITE_SCHEDULE, ActionKind.END_SCHEDULE)
    assert told({}) == []
    assert told(_schedule_acted(ActedState.CANCELLED, ActionKind.WRITE_SCHEDULE)) == []
    assert told(_schedule_acted(ActedState.DONE, ActionKind.WRITE_SCHEDULE)) == [("inv-1", "plan-1:v1")]
    assert told(_schedule_acted(ActedState.DONE, *both)) == []


def test_the_date_that_an_ended_plan_left_in_the_ledger_is_nobodys_word() -> None:
    opening = World(start=date(2026, 2, 16), invoices=[invoice("inv-1", "1200.00", expected=FIRST)])
    opening.sort_opening()

    def waits_for_the_date() -> bool:
        return "item.expected" in {one.reason.code for one in opening.evaluate(SIGNED).outcomes}

    assert waits_for_the_date()  # somebody marked it before the connection
    opening.records.append(replace(PLAN, on=date(2026, 2, 20), state=PlanState.CANCELLED, closed_on=SIGNED))
    assert not waits_for_the_date()


def test_a_debt_that_was_acknowledged_and_not_paid_needs_no_first_copy() -> None:
    world = World(invoices=[invoice("inv-1", "1200.00")], records=[replace(PLAN, state=PlanState.VOID, closed_on=OVER)])
    world.live_through(OVER, date(2026, 3, 18))
    assert [one.level for _, one in world.sent] == [DunningLevel.CALL, DunningLevel.FIRM]


def test_after_an_uncured_breach_the_days_run_their_course_call_then_firm_letter() -> None:
    """From the missed instalment to the firm letter and beyond, day by day, as people and services carry it out."""
    world = World(invoices=[invoice("inv-1", "1200.00")], records=[PLAN])
    friendly = letter(DunningLevel.FRIENDLY, date(2026, 2, 20))
    world.records.insert(0, friendly)
    happened = world.live_through(SIGNED, OVER)
    assert [one for one in world.evaluate(OVER).decisions if one.kind is not ActionKind.TASK] == []
    happened += world.live_through(date(2026, 3, 18), date(2026, 3, 25))
    money_asked = [(day, one.kind, one.occasion) for day, one in happened if one.asks_for_money]
    assert money_asked == [
        (date(2026, 3, 9), ActionKind.CALL, "plan.missed:plan-1:1"),
        (OVER, ActionKind.CALL, "plan.ended:plan-1"),
        (date(2026, 3, 18), ActionKind.LETTER, "inv-1:5"),
    ]
    assert [(day, one.target) for day, one in happened if one.kind is ActionKind.END_SCHEDULE] == [(OVER, "inv-1")]


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
