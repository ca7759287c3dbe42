"""The ladder: what is asked next, about which items, and what must have happened first."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from connector.domain.cases import (
    CallMade,
    CallOutcome,
    Dispute,
    DisputeCode,
    DisputeOutcome,
    Extension,
    Instalment,
    Party,
    PartyIs,
    PaymentPlan,
    PlanState,
    Promise,
    Signature,
)
from connector.domain.decisions import Acted, ActedState, ActionKey, ActionKind, Decision, DunningLevel
from connector.domain.facts import PlanProgress
from tests.builders import invoice, money
from tests.worlds import MONDAY, START, World, days_after, letter, overdue, preset

CUSTOMER = "cust-1"
LETTER = ActionKind.LETTER


def call(on: date, occasion: str = "inv-1:4", outcome: CallOutcome = CallOutcome.SPOKE) -> CallMade:
    return CallMade(
        id=f"call-{on}-{occasion}",
        customer_id=CUSTOMER,
        on=on,
        by="Ana",
        occasion=occasion,
        outcome=outcome,
        invoice_ids=("inv-1",),
    )


def reached(level: DunningLevel, days: int, *, ago: int = 9) -> World:
    """inv-1 so many days overdue on Monday, its last letter of that level sent so many days ago."""
    world = World(invoices=[overdue(days)])
    for earlier in DunningLevel:
        if DunningLevel.NONE < earlier < level and earlier is not DunningLevel.CALL:
            world.records.append(letter(earlier, days_after(MONDAY, -ago - 10 * (level - earlier))))
    world.records.append(letter(level, days_after(MONDAY, -ago)))
    return world


def company(world: World) -> World:
    world.records.append(PartyIs(id="p", customer_id=CUSTOMER, on=START, by="Ana", party=Party.COMPANY))
    return world


def only(decisions: list[Decision]) -> Decision:
    (decision,) = decisions
    return decision


@pytest.mark.parametrize(
    ("last", "days", "expected"),
    [
        (DunningLevel.REINVOICE, 8, DunningLevel.FRIENDLY),
        (DunningLevel.FRIENDLY, 15, DunningLevel.REMINDER),
        (DunningLevel.FIRM, 42, DunningLevel.FINAL),
    ],
)
def test_one_rung_at_a_time(last: DunningLevel, days: int, expected: DunningLevel) -> None:
    decision = only(reached(last, days).proposed(MONDAY, LETTER))
    assert (decision.level, decision.occasion) == (expected, f"inv-1:{int(expected)}")
    assert decision.by_date == days_after(MONDAY, 7)
    early = reached(last, days - 3)
    assert early.proposed(MONDAY, LETTER) == []
    assert "ladder.not_yet" in early.why(MONDAY, "ladder")


def test_never_before_the_date_that_the_last_letter_gave_nor_without_a_first_contact() -> None:
    world = reached(DunningLevel.REINVOICE, 90, ago=7)
    assert world.proposed(MONDAY, LETTER) == []
    assert world.why(MONDAY, "ladder") == {"ladder.time_to_pay"}
    assert only(world.proposed(days_after(MONDAY, 1), LETTER)).level is DunningLevel.FRIENDLY, "and no rung is skipped"
    untold = World(invoices=[overdue(90)])
    assert untold.proposed(MONDAY, LETTER) == []


def test_the_oldest_item_drives_and_everything_overdue_of_its_currency_is_listed() -> None:
    world = reached(DunningLevel.FRIENDLY, 16)
    world.invoices += [
        overdue(1, "inv-2", "10.00"),
        overdue(-3, "inv-3"),
        invoice("inv-4", currency="AUD", due=days_after(MONDAY, -20)),
    ]
    decision = only(world.proposed(MONDAY, LETTER))
    assert decision.items == ("inv-1", "inv-2")
    assert decision.amount == money("1160.00")


def test_a_new_invoice_starts_at_the_bottom_once_the_old_one_is_paid() -> None:
    world = reached(DunningLevel.FIRM, 60)
    world.invoices.append(overdue(60, "inv-2"))
    world.records[-1] = letter(DunningLevel.FIRM, days_after(MONDAY, -9), ("inv-1", "inv-2"))
    world.pay("inv-1", days_after(MONDAY, -1))
    decision = only(world.proposed(MONDAY, LETTER))
    assert (decision.level, decision.items) == (DunningLevel.FRIENDLY, ("inv-2",))


def test_an_older_item_that_turns_up_does_not_make_the_tone_step_down() -> None:
    world = reached(DunningLevel.REMINDER, 20)
    world.invoices.append(overdue(70, "inv-0"))
    world.records += [
        letter(DunningLevel.REINVOICE, days_after(MONDAY, -20), ("inv-0",)),
        call(days_after(MONDAY, -1)),
    ]
    world.invoices[0] = overdue(30)
    assert world.proposed(days_after(MONDAY, 1), LETTER)[0].level is DunningLevel.FIRM


# -- calls first ------------------------------------------------------------------------------------------------------


def test_a_firm_letter_needs_a_call_before_it() -> None:
    world = reached(DunningLevel.REMINDER, 30)
    assert world.proposed(MONDAY, LETTER) == []
    assert world.why(MONDAY, "ladder") == {"ladder.call_first"}
    assert only(world.proposed(MONDAY, ActionKind.CALL)).occasion == "inv-1:4"
    world.records.append(call(days_after(MONDAY, -1)))
    assert only(world.proposed(MONDAY, LETTER)).level is DunningLevel.FIRM


def test_three_rings_without_an_answer_or_a_persons_word_are_enough() -> None:
    world = reached(DunningLevel.REMINDER, 30)
    for tries in range(1, 4):
        asked = only(world.proposed(MONDAY, ActionKind.CALL))
        assert asked.data["attempt"] == tries
        world.records.append(call(days_after(MONDAY, tries - 6), asked.occasion, CallOutcome.UNREACHABLE))
    assert only(world.proposed(MONDAY, LETTER)).level is DunningLevel.FIRM
    waived = reached(DunningLevel.REMINDER, 30)
    key = ActionKey(ActionKind.CALL, CUSTOMER, "inv-1:4")
    waived.acted[key] = Acted(key, ActedState.REJECTED, MONDAY)
    assert only(waived.proposed(MONDAY, LETTER)).level is DunningLevel.FIRM


def test_a_call_about_this_debt_on_another_occasion_counts_only_after_the_last_letter() -> None:
    world = reached(DunningLevel.REMINDER, 30)
    world.records.append(call(days_after(MONDAY, -35), "inv-1:large"))
    assert world.proposed(MONDAY, LETTER) == []
    world.records.append(call(days_after(MONDAY, -2), "plan.missed:x:1"))
    assert only(world.proposed(MONDAY, LETTER)).level is DunningLevel.FIRM


def test_principals_of_businesses_are_called_and_then_written_to() -> None:
    world = company(reached(DunningLevel.FIRM, 35))
    asked = only(world.proposed(MONDAY, ActionKind.CALL))
    assert (asked.rule, asked.data["to"], asked.level) == ("principal", "principal", DunningLevel.PRINCIPAL)
    assert world.proposed(MONDAY, LETTER) == []
    world.records.append(call(days_after(MONDAY, -1), asked.occasion))
    assert only(world.proposed(MONDAY, LETTER)).level is DunningLevel.PRINCIPAL
    world.records = [record for record in world.records if not isinstance(record, PartyIs)]
    assert world.proposed(MONDAY, LETTER) == [], "unknown is treated as a consumer"


# -- the end ----------------------------------------------------------------------------------------------------------


def test_after_the_final_letter_the_principal_decides_and_no_letter_follows() -> None:
    world = reached(DunningLevel.FINAL, 62)
    task = only(world.proposed(MONDAY, ActionKind.TASK))
    assert (task.occasion, task.level, task.data["to"]) == ("inv-1:8", DunningLevel.HAND_OVER, "principal")
    assert not task.contact
    assert world.proposed(MONDAY, LETTER) == []
    soon = reached(DunningLevel.FINAL, 50)
    assert soon.proposed(MONDAY) == []
    assert soon.evaluate(MONDAY).revisit is not None


def test_a_letter_that_bounced_is_not_a_level_and_may_go_to_the_new_address() -> None:
    world = reached(DunningLevel.REINVOICE, 20, ago=20)
    world.records.append(
        replace(
            letter(DunningLevel.FRIENDLY, days_after(MONDAY, -8), bounced_on=days_after(MONDAY, -7)),
            recipient="old@rimu.example",
        )
    )
    key = ActionKey(LETTER, CUSTOMER, "inv-1:2")
    world.acted[key] = Acted(key, ActedState.DONE, MONDAY)
    decision = only(world.proposed(MONDAY, LETTER))
    assert (decision.level, decision.occasion) == (DunningLevel.FRIENDLY, "inv-1:2:again-1")


# -- agreed dates -----------------------------------------------------------------------------------------------------


def test_one_final_extension_lapses_is_called_and_the_next_letter_is_firmer() -> None:
    world = reached(DunningLevel.FRIENDLY, 12)
    until = days_after(MONDAY, 7)
    world.records.append(
        Extension(id="ext", customer_id=CUSTOMER, on=MONDAY, by="Ana", invoice_id="inv-1", until=until)
    )
    for days in range(8):
        assert world.proposed(days_after(MONDAY, days), LETTER, ActionKind.CALL) == []
    day = days_after(until, 1)
    asked = only(world.proposed(day, LETTER, ActionKind.CALL))
    assert (asked.rule, asked.kind) == ("extension", ActionKind.CALL)
    world.live(day)
    assert world.proposed(day, LETTER, ActionKind.CALL) == [], "one contact a day"
    firmer = only(world.proposed(days_after(day, 1), LETTER))
    assert firmer.level is DunningLevel.REMINDER, "one level above the last, although the reminder was due later"
    assert {reason.code for reason in firmer.reasons} >= {"ladder.agreed_date_lapsed"}


def test_after_a_lapse_nobody_calls_for_days_and_the_letter_goes_all_the_same() -> None:
    world = reached(DunningLevel.FRIENDLY, 12)
    world.records.append(
        Extension(
            id="e",
            customer_id=CUSTOMER,
            on=days_after(MONDAY, -8),
            by="Ana",
            invoice_id="inv-1",
            until=days_after(MONDAY, -1),
        )
    )
    assert world.proposed(days_after(MONDAY, 1), LETTER) == []
    assert only(world.proposed(days_after(MONDAY, 3), LETTER)).level is DunningLevel.REMINDER


def _plan(state: PlanState, closed_on: date | None) -> PaymentPlan:
    first, second = days_after(MONDAY, -30), days_after(MONDAY, 30)
    return PaymentPlan(
        id="plan-1",
        customer_id=CUSTOMER,
        on=days_after(MONDAY, -40),
        by="Ana",
        state=state,
        covered=(("inv-1", money("1150.00")),),
        instalments=(Instalment(1, first, money("575.00")), Instalment(2, second, money("575.00"))),
        signature=Signature("R. Cafe", "director", days_after(MONDAY, -40), "e-mail"),
        closed_on=closed_on,
    )


def test_a_void_plan_resumes_at_firm_and_a_running_one_is_left_alone() -> None:
    world = reached(DunningLevel.FRIENDLY, 60, ago=50)
    world.records.append(_plan(PlanState.SIGNED, None))
    world.records.append(call(days_after(MONDAY, -1), "plan.missed:plan-1:1"))
    assert isinstance(world.facts(MONDAY).plans[0], PlanProgress)
    assert world.proposed(MONDAY, LETTER) == []
    world.records[-2] = _plan(PlanState.VOID, days_after(MONDAY, -3))
    assert world.proposed(MONDAY, LETTER) == []
    (first,) = world.proposed(MONDAY, ActionKind.CALL)
    assert first.occasion == "plan.ended:plan-1"
    world.records[-1] = call(days_after(MONDAY, -3), "plan.ended:plan-1")
    decision = only(world.proposed(MONDAY, LETTER))
    assert decision.level is DunningLevel.FIRM
    assert {reason.code for reason in decision.reasons} >= {"ladder.resumes_after_breach"}


def test_after_the_firm_letter_that_follows_a_breach_the_next_keeps_its_own_time() -> None:
    world = reached(DunningLevel.FIRM, 25, ago=10)
    world.records.append(_plan(PlanState.VOID, days_after(MONDAY, -12)))
    world.records.append(call(days_after(MONDAY, -12), "plan.ended:plan-1"))
    assert world.proposed(MONDAY, LETTER) == []
    assert "ladder.not_yet" in world.why(MONDAY, "ladder")


# -- queries ----------------------------------------------------------------------------------------------------------


def _dispute(amount: str) -> Dispute:
    return Dispute(
        id="dis-1",
        customer_id=CUSTOMER,
        on=days_after(MONDAY, -10),
        by="Ana",
        invoice_id="inv-1",
        code=DisputeCode.QUALITY,
        amount=money(amount),
        decide_by=days_after(MONDAY, 4),
    )


def test_only_the_undisputed_part_is_asked_for_once_and_separately() -> None:
    world = reached(DunningLevel.FRIENDLY, 30)
    world.invoices.append(overdue(3, "inv-2"))
    world.records.append(_dispute("150.00"))
    letters = world.proposed(MONDAY, LETTER)
    decision = only(letters)
    assert (decision.items, decision.amount, decision.level) == (("inv-1",), money("1000.00"), DunningLevel.NONE)
    assert decision.data["letter"] == "undisputed_part"
    world.live(MONDAY)
    assert all(d.items != ("inv-1",) for d in world.proposed(days_after(MONDAY, 20), LETTER))
    whole = reached(DunningLevel.FRIENDLY, 30)
    whole.records.append(_dispute("1150.00"))
    assert whole.proposed(MONDAY, LETTER) == []


def test_a_complaint_found_right_is_not_chased_nor_called_open_until_the_credit_is_there() -> None:
    world = reached(DunningLevel.FRIENDLY, 30)
    right = replace(_dispute("150.00"), resolved_on=days_after(MONDAY, -3), outcome=DisputeOutcome.CORRECT)
    world.records.append(right)
    assert world.proposed(MONDAY, LETTER) == []
    assert world.why(MONDAY, "ladder") == {"item.outcome_awaited"}


def test_after_standing_firm_there_are_fresh_days_and_then_the_ladder_goes_on_where_it_stood() -> None:
    world = reached(DunningLevel.FRIENDLY, 30)
    resolved = days_after(MONDAY, -3)
    world.records.append(replace(_dispute("1150.00"), resolved_on=resolved, outcome=DisputeOutcome.STAND_FIRM))
    assert world.proposed(days_after(resolved, 9), LETTER) == []
    assert world.why(days_after(resolved, 9), "ladder") == {"item.fresh_time"}
    assert only(world.proposed(days_after(resolved, 10), LETTER)).level is DunningLevel.REMINDER
    world.records[-1] = replace(_dispute("1150.00"), resolved_on=resolved, outcome=DisputeOutcome.WITHDRAWN)
    assert only(world.proposed(MONDAY, LETTER)).level is DunningLevel.REMINDER


# -- small debts and patience by standing -----------------------------------------------------------------------------


def test_below_the_minimum_only_the_statement_asks() -> None:
    world = reached(DunningLevel.REINVOICE, 20)
    world.invoices = [overdue(20, total="39.99")]
    assert world.proposed(MONDAY, LETTER) == []
    assert world.why(MONDAY, "ladder") == {"customer.below_minimum"}
    world.invoices = [overdue(20, total="40.00")]
    assert only(world.proposed(MONDAY, LETTER)).level is DunningLevel.FRIENDLY


def test_the_firm_preset_has_no_friendly_letter_and_still_opens_with_the_copy() -> None:
    world = World(policy=preset("firm"), invoices=[overdue(0)])
    happened = world.live_through(MONDAY, days_after(MONDAY, 45))
    levels = [int(d.level) for _, d in happened if d.kind in (LETTER, ActionKind.REINVOICE)]
    assert levels == [1, 3, 5, 7]


def test_solid_customers_are_given_more_time() -> None:
    world = reached(DunningLevel.REINVOICE, 9, ago=9)
    for number in range(4):
        due = date(2025, 1, 10 + number)
        world.invoices.append(invoice(f"old-{number}", "100.00", issued=date(2024, 12, 1), due=due))
        world.pay(f"old-{number}", due)
    assert world.proposed(MONDAY, LETTER) == []
    assert only(world.proposed(days_after(MONDAY, 3), LETTER)).level is DunningLevel.FRIENDLY


def test_no_pause_outlasts_patience() -> None:
    world = reached(DunningLevel.FRIENDLY, 42)
    world.records += [
        Promise(
            id=f"p{ends}",
            customer_id=CUSTOMER,
            on=days_after(MONDAY, ends - 11),
            by="Ana",
            invoice_ids=("inv-1",),
            until=days_after(MONDAY, ends),
        )
        for ends in (-18, -7, 4)
    ]
    assert only(world.proposed(MONDAY, LETTER)).level is DunningLevel.REMINDER, "33 days of promises are over the 30"
    assert [d.rule for d in world.proposed(MONDAY, ActionKind.TASK)] == ["patience"]
    del world.records[-3]
    assert world.proposed(MONDAY, LETTER) == []
    assert world.why(MONDAY, "ladder") == {"item.promised"}
