"""The engine: nothing twice, one contact a day, what it rests on, when to look again, nothing silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from connector.domain.cases import (
    CallMade,
    CallOutcome,
    Dispute,
    DisputeCode,
    HeldBy,
    Holder,
    LegalHold,
    LegalHoldKind,
    TakeOnChoice,
)
from connector.domain.decisions import Acted, ActedState, ActionKey, ActionKind, DunningLevel, Verdict
from connector.domain.ledger import InvoiceStatus
from connector.policy import engine
from tests.builders import customer, invoice, money, organisation
from tests.worlds import MONDAY, START, World, days_after, letter, overdue, preset

COPY = ActionKey(ActionKind.REINVOICE, "cust-1", "inv-1:1")


def acted(world: World, state: ActedState, until: date | None = None, key: ActionKey = COPY) -> World:
    world.acted[key] = Acted(key, state, MONDAY, until)
    return world


# -- nothing twice ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "until", "code"),
    [
        (ActedState.APPROVED, None, "acted.approved"),
        (ActedState.DONE, None, "acted.done"),
        (ActedState.REJECTED, None, "acted.rejected"),
        (ActedState.REJECTED, days_after(MONDAY, 1), "acted.rejected"),
    ],
)
def test_what_was_acted_on_is_not_proposed_again(state: ActedState, until: date | None, code: str) -> None:
    world = acted(World(invoices=[overdue(5)]), state, until)
    assert world.proposed(MONDAY) == []
    assert code in world.why(MONDAY, "reinvoice")


def test_a_refused_effect_and_an_ended_rejection_may_be_proposed_again() -> None:
    for state, until in ((ActedState.CANCELLED, None), (ActedState.REJECTED, MONDAY)):
        assert len(acted(World(invoices=[overdue(5)]), state, until).proposed(MONDAY)) == 1


def test_what_a_person_turned_down_for_good_is_shown_as_neglected() -> None:
    world = acted(World(invoices=[overdue(5)]), ActedState.REJECTED)
    evaluation = world.evaluate(MONDAY)
    (shown,) = [o for o in evaluation.outcomes if o.rule == "neglect"]
    assert (shown.items, shown.verdict, shown.revisit) == (("inv-1",), Verdict.BLOCKED, days_after(MONDAY, 1))
    later = acted(World(invoices=[overdue(5)]), ActedState.REJECTED, days_after(MONDAY, 30)).evaluate(MONDAY)
    assert "neglect" not in {o.rule for o in later.outcomes}
    assert later.revisit is not None


# -- one contact a day ------------------------------------------------------------------------------------------------


def test_one_contact_a_day_letters_before_courtesies_and_tasks_beside_them() -> None:
    world = World(invoices=[overdue(20), overdue(9, "inv-2"), replace(overdue(9, "inv-3"), status=InvoiceStatus.DRAFT)])
    world.records = [
        letter(DunningLevel.REINVOICE, days_after(MONDAY, -18)),
        letter(DunningLevel.FRIENDLY, days_after(MONDAY, -9)),
    ]
    world.pay("inv-2", MONDAY)
    evaluation = world.evaluate(MONDAY)
    assert [(d.kind, d.contact) for d in evaluation.decisions] == [
        (ActionKind.TASK, False),
        (ActionKind.LETTER, True),
    ]
    assert any(o.reason.code == "contact.one_a_day" and o.rule == "call" for o in evaluation.outcomes)


def test_the_call_about_a_large_sum_comes_before_the_copy() -> None:
    world = World(invoices=[overdue(3, total="20000.00")])
    assert [d.kind for d in world.proposed(MONDAY)] == [ActionKind.CALL]


def _large(days: int) -> World:
    world = World(invoices=[overdue(days, total="20000.00")])
    world.records = [letter(DunningLevel.REINVOICE, days_after(MONDAY, 10 - days))]
    return world


@pytest.mark.parametrize("days", [20, 40, 90])
def test_no_letter_overtakes_the_call_about_a_large_sum_however_long_it_is_not_made(days: int) -> None:
    world = _large(days)
    assert [d.kind for d in world.proposed(MONDAY)] == [ActionKind.CALL]
    assert "contact.call_first" in world.why(MONDAY, "ladder")


def test_a_call_that_may_not_be_made_today_still_comes_first() -> None:
    world = _large(20)
    world.state_changes["cash_known_to"] = days_after(MONDAY, -4)  # enough for a letter, not for a call
    assert world.proposed(MONDAY) == []
    assert "contact.call_first" in world.why(MONDAY, "ladder")


def test_letters_go_on_once_the_call_was_made_or_rejected() -> None:
    rejected = ActionKey(ActionKind.CALL, "cust-1", "inv-1:large")
    for until in (None, days_after(MONDAY, 10)):
        world = acted(_large(20), ActedState.REJECTED, until, rejected)
        assert [d.level for d in world.proposed(MONDAY)] == [DunningLevel.FRIENDLY]
    world = _large(20)
    spoke = CallMade(
        id="call-1", customer_id="cust-1", on=days_after(MONDAY, -3), by="Ana", occasion="inv-1:large",
        outcome=CallOutcome.SPOKE, invoice_ids=("inv-1",),
    )  # fmt: skip
    world.records.append(spoke)
    assert [d.level for d in world.proposed(MONDAY)] == [DunningLevel.FRIENDLY]


# -- inputs and drift -------------------------------------------------------------------------------------------------


def test_a_decision_knows_what_it_rests_on_and_notices_what_changed() -> None:
    world = World(invoices=[overdue(5), overdue(4, "inv-2")])
    (decision,) = world.proposed(MONDAY)
    assert engine.drift(decision, world.facts(MONDAY)) == ()
    world.pay("inv-1", MONDAY, "150.00")
    (changed,) = engine.drift(decision, world.facts(MONDAY))
    assert changed.facts == {"what": "inv-1.collectable", "was": "115000 NZD", "now": "100000 NZD"}
    world.pay("inv-1", MONDAY)
    assert "inv-1.status" in {reason.facts["what"] for reason in engine.drift(decision, world.facts(MONDAY))}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda w: setattr(w, "customer", customer(email="b@rimu.example")), "recipient"),
        (lambda w: w.invoices.__setitem__(0, replace(w.invoices[0], due=MONDAY)), "inv-1.due"),
        (
            lambda w: w.records.append(
                Dispute(
                    id="d", customer_id="cust-1", on=MONDAY, by="A", invoice_id="inv-1", code=DisputeCode.TAX,
                    amount=money("1150"), decide_by=MONDAY,
                )
            ),
            "inv-1.disputes",
        ),
        (
            lambda w: w.records.append(
                LegalHold(id="l", customer_id="cust-1", on=MONDAY, by="A", why=LegalHoldKind.FRAUD)
            ),
            "legal_hold",
        ),
        (
            lambda w: w.records.append(
                HeldBy(id="h", customer_id="cust-1", on=MONDAY, by="A", holder=Holder.AGENCY, invoice_id="inv-1")
            ),
            "inv-1.held_by",
        ),
        (lambda w: w.invoices.clear(), "inv-1.status"),
    ],
)  # fmt: skip
def test_every_input_that_matters_is_watched(change: object, what: str) -> None:
    world = World(invoices=[overdue(5)])
    (decision,) = world.proposed(MONDAY)
    assert callable(change)
    change(world)
    assert what in {reason.facts["what"] for reason in engine.drift(decision, world.facts(MONDAY))}


def test_our_own_writes_are_no_drift() -> None:
    world = World(invoices=[overdue(5)])
    (decision,) = world.live(MONDAY)
    world.invoices[0] = replace(world.invoices[0], expected=days_after(MONDAY, 9), updated_at=None)
    world.customer = replace(world.customer, groups=("Query open",))
    assert engine.drift(decision, world.facts(MONDAY)) == ()


# -- when to look again -----------------------------------------------------------------------------------------------


def test_no_date_only_where_nothing_is_open() -> None:
    assert World().evaluate(MONDAY).revisit is None
    assert World(invoices=[overdue(-30)]).evaluate(MONDAY).revisit == date(2026, 3, 4), "the statement's day"
    held = World(invoices=[overdue(9)])
    held.records = [HeldBy(id="h", customer_id="cust-1", on=START, by="Ana", holder=Holder.AGENCY)]
    revisit = held.evaluate(MONDAY).revisit
    assert revisit is not None
    assert MONDAY < revisit <= days_after(MONDAY, 30)


def test_a_wait_names_its_day() -> None:
    world = World(invoices=[overdue(0)])
    first = world.evaluate(MONDAY)
    assert (first.decisions, first.revisit) == ((), days_after(MONDAY, 1))
    second = world.evaluate(days_after(MONDAY, 1))
    assert (second.decisions, second.revisit) == ((), days_after(MONDAY, 2))
    assert len(world.proposed(days_after(MONDAY, 2))) == 1


# -- why not ----------------------------------------------------------------------------------------------------------


def test_why_not_gives_the_weightiest_reason_first() -> None:
    world = World(invoices=[overdue(5)], cash_lag=None)
    reasons = [o.reason.code for o in engine.why_not(world.evaluate(MONDAY), ActionKind.REINVOICE)]
    assert reasons[0] == "cash.unknown"
    world.cash_lag = 0
    assert engine.why_not(world.evaluate(MONDAY), ActionKind.REINVOICE) == ()
    (no_letter,) = engine.why_not(world.evaluate(MONDAY), ActionKind.LETTER)
    assert (no_letter.reason.code, no_letter.items) == ("ladder.copy_first", ("inv-1",))


@pytest.mark.parametrize("kind", ActionKind)
def test_why_not_names_no_rule_that_never_wants_such_an_act(kind: ActionKind) -> None:
    """A life with letters, calls, tasks, promises and disputes: what is named must be able to want this kind."""
    wanting = {
        ActionKind.LETTER: {"ladder"},
        ActionKind.REINVOICE: {"reinvoice", "replies"},
        ActionKind.STATEMENT: {"statements", "take_on"},
        ActionKind.SEND_INVOICE: {"bill_promptly"},
        ActionKind.TAG_DISPUTE: {"dispute"},
        ActionKind.SET_EXPECTED_DATE: {"extension", "promise"},
    }
    for world in (World(invoices=[overdue(40)]), World(invoices=[overdue(40)], cash_lag=9)):
        world.live_through(days_after(MONDAY, -38), MONDAY)
        evaluation = world.evaluate(MONDAY)
        told = engine.why_not(evaluation, kind)
        assert told or any(decision.kind is kind for decision in evaluation.decisions)
        assert {o.rule for o in told} <= wanting.get(kind, {o.rule for o in told})
        assert all(o.reason.facts.get("action", kind) == kind for o in told), "a guardrail that stopped something else"
        assert Verdict.DECIDED not in {o.verdict for o in told}


# -- the organisation -------------------------------------------------------------------------------------------------


def test_stale_books_make_one_task_for_the_organisation_and_nothing_else() -> None:
    world = World(invoices=[overdue(30)], cash_lag=9)
    assert world.proposed(MONDAY) == []
    said = [o for o in world.evaluate(MONDAY).outcomes if o.reason.facts.get("scope") == "organisation"]
    blocked = [o for o in said if o.verdict is not Verdict.NOT_APPLICABLE]
    assert {(o.verdict, o.reason.code) for o in blocked} == {(Verdict.BLOCKED, "cash.stale")}
    state = world.state(MONDAY)
    (task,) = engine.organisation_decisions(world.policy, state, [world.facts(MONDAY)], MONDAY)
    assert (task.kind, task.customer_id, task.target) == (ActionKind.TASK, "", "org-1")
    assert task.reasons[0].facts["customers_waiting"] == 1
    told = {task.key: Acted(task.key, ActedState.REJECTED, MONDAY)}
    assert engine.organisation_decisions(world.policy, state, [world.facts(MONDAY)], MONDAY, told) == ()
    world.invoices = [overdue(-1)]
    assert engine.organisation_decisions(world.policy, state, [world.facts(MONDAY)], MONDAY) == ()


def test_open_questions_and_double_reminders_go_before_a_person() -> None:
    world = World()
    world.state_changes = {
        "take_on_missing": ("financed",),
        "organisation": organisation(native_reminders=True),
    }
    found = engine.organisation_decisions(world.policy, world.state(MONDAY), [], MONDAY)
    assert [d.occasion for d in found] == ["questions", "native-reminders"]
    world.state_changes["native_reminders_accepted"] = True
    found = engine.organisation_decisions(world.policy, world.state(MONDAY), [], MONDAY)
    assert [d.occasion for d in found] == ["questions"]


def test_thresholds_are_compared_in_the_organisations_currency_at_the_invoices_rate() -> None:
    sterling = preset("standard", "GBP")
    foreign = invoice("inv-1", "10.00", currency="USD", rate="0.5", due=days_after(MONDAY, -5))
    world = World(policy=sterling, invoices=[foreign])
    assert world.proposed(MONDAY) == [], "USD 10 at 0.5 are NZD 20, below the NZD 40 of 20 pounds"
    world.invoices = [replace(foreign, rate=foreign.rate / 2)]
    assert len(world.proposed(MONDAY)) == 1


def test_the_whole_take_on_story_ends_in_the_ordinary_ladder() -> None:
    world = World(invoices=[overdue(60)], start=MONDAY)
    day = days_after(MONDAY, 1)
    assert [d.occasion for d in world.proposed(day)] == ["sort"]
    world.sort_opening(TakeOnChoice.CHASE)
    happened = [d.occasion for _, d in world.live_through(day, days_after(MONDAY, 16))]
    assert happened[:1] == ["take-on"]
    assert "inv-1:2" in happened
