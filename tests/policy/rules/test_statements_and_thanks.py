"""Courtesies: the monthly statement and the thank-you."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from connector.domain.cases import HeldBy, Holder, Instalment, PaymentPlan, PlanState, Signature
from connector.domain.decisions import ActionKind, DunningLevel
from tests.builders import invoice
from tests.worlds import MONDAY, START, World, days_after, letter, overdue, preset

STATEMENT, THANKS = ActionKind.STATEMENT, ActionKind.THANKS
THIRD_BD = date(2026, 3, 4)


def open_account() -> World:
    return World(invoices=[invoice("inv-1", issued=date(2026, 2, 20), due=date(2026, 5, 20))])


def test_the_statement_leaves_on_its_business_day_once_a_month_and_asks_for_nothing() -> None:
    world = open_account()
    assert world.proposed(days_after(THIRD_BD, -1)) == []
    assert world.evaluate(MONDAY).revisit == THIRD_BD
    (decision,) = world.live(THIRD_BD)
    assert (decision.kind, decision.occasion, decision.asks_for_money) == (STATEMENT, "2026-03", False)
    assert world.proposed(days_after(THIRD_BD, 1)) == []
    assert [d.occasion for d in world.proposed(date(2026, 4, 3), STATEMENT)] == ["2026-04"]


def test_only_ours_collectable_and_received_is_on_it() -> None:
    world = open_account()
    world.invoices += [
        replace(world.invoices[0], id="inv-2"),
        replace(world.invoices[0], id="inv-3", sent=False),
        replace(world.invoices[0], id="inv-4"),
    ]
    world.records = [HeldBy(id="h", customer_id="cust-1", on=START, by="Ana", holder=Holder.FACTOR, invoice_id="inv-2")]
    (decision,) = world.proposed(THIRD_BD, STATEMENT)
    assert decision.items == ("inv-1", "inv-4")


def test_a_statement_goes_along_with_a_letter_due_soon_or_just_sent() -> None:
    world = open_account()
    world.invoices.append(overdue(0, "inv-2", day=days_after(THIRD_BD, 0)))
    assert world.proposed(THIRD_BD, STATEMENT) == []
    assert "statements.goes_with_letter" in world.why(THIRD_BD, "statements")
    world.invoices.pop()
    world.records = [letter(DunningLevel.REINVOICE, days_after(THIRD_BD, -5), ("inv-9",))]
    assert world.proposed(THIRD_BD, STATEMENT) == []
    world.records = [letter(DunningLevel.REINVOICE, days_after(THIRD_BD, -6), ("inv-9",))]
    assert len(world.proposed(THIRD_BD, STATEMENT)) == 1


def test_no_statements_where_the_policy_sends_none() -> None:
    world = open_account()
    off = preset().statements.model_copy(update={"enabled": False})
    world.policy = preset().model_copy(update={"statements": off})
    assert world.proposed(THIRD_BD) == []
    assert world.why(THIRD_BD, "statements") == {"statements.off"}


def asked_and_paid(days_between: int) -> World:
    world = World(invoices=[overdue(40)])
    world.records = [letter(DunningLevel.REINVOICE, days_after(MONDAY, -days_between - 1))]
    world.pay("inv-1", days_after(MONDAY, -1))
    return world


def test_money_after_our_contact_is_thanked_for_once() -> None:
    world = asked_and_paid(3)
    (decision,) = world.live(MONDAY)
    assert (decision.kind, decision.occasion, decision.items) == (THANKS, "pay-1", ("inv-1",))
    assert decision.data["paid_on"] == days_after(MONDAY, -1).isoformat()
    assert world.proposed(days_after(MONDAY, 1), THANKS) == []


def test_no_thanks_without_our_contact_too_late_or_while_more_is_overdue() -> None:
    untold = World(invoices=[overdue(40)])
    untold.pay("inv-1", days_after(MONDAY, -1))
    assert untold.proposed(MONDAY, THANKS) == []
    assert asked_and_paid(31).proposed(MONDAY, THANKS) == []
    assert len(asked_and_paid(30).proposed(MONDAY, THANKS)) == 1
    more = asked_and_paid(3)
    more.invoices.append(overdue(2, "inv-2"))
    assert more.proposed(MONDAY, THANKS) == []
    reversed_ = asked_and_paid(3)
    reversed_.payments[0] = replace(reversed_.payments[0], active=False)
    assert reversed_.proposed(MONDAY, THANKS) == []


def test_a_completed_plan_has_thanks_of_its_own() -> None:
    world = asked_and_paid(3)
    assert len(world.proposed(MONDAY, THANKS)) == 1
    amount = world.invoices[0].total
    paid_by_plan = PaymentPlan(
        id="plan-1",
        customer_id="cust-1",
        on=days_after(MONDAY, -3),
        by="Ana",
        state=PlanState.COMPLETED,
        covered=(("inv-1", amount),),
        instalments=(Instalment(1, days_after(MONDAY, -1), amount),),
        signature=Signature("R. Cafe", "director", days_after(MONDAY, -3), "e-mail"),
        closed_on=MONDAY,
    )
    world.records.append(paid_by_plan)
    assert world.proposed(MONDAY, THANKS) == []
