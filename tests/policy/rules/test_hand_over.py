"""Who holds the debt: the ledger is told once, and told back only what it knew; never where law or a query forbids."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from connector.domain.cases import Dispute, DisputeCode, HeldBy, Holder, LegalHold, LegalHoldKind
from connector.domain.decisions import Acted, ActedState, ActionKey, ActionKind, Decision
from connector.policy import engine
from connector.policy.rules import hand_over
from tests.builders import money
from tests.worlds import MONDAY, World, days_after, overdue

BOTH = (ActionKind.HAND_OVER, ActionKind.TAKE_BACK)


def held(holder: Holder, number: int = 1, invoice_id: str = "", on: date = MONDAY) -> HeldBy:
    return HeldBy(id=f"h-{number}", customer_id="cust-1", on=on, by="Ana", holder=holder, invoice_id=invoice_id)


def debt(*records: Any) -> World:
    return World(invoices=[overdue(90), overdue(60, "inv-2")], records=list(records))


def done(world: World, decision: Decision) -> None:
    world.acted[decision.key] = Acted(decision.key, ActedState.DONE, MONDAY)


@pytest.mark.parametrize("holder", [Holder.AGENCY, Holder.SOLICITOR])
def test_the_ledger_is_told_once_about_customer_and_every_open_invoice(holder: Holder) -> None:
    world = debt(held(holder))
    (decision,) = world.proposed(MONDAY, *BOTH)
    assert decision.key == ActionKey(ActionKind.HAND_OVER, "cust-1", "h-1")
    assert (decision.items, decision.contact) == (("inv-1", "inv-2"), False)
    done(world, decision)
    assert world.proposed(MONDAY) == [], "and nothing else happens about a debt that others hold"
    assert world.why(MONDAY, hand_over.NAME) == {"hand_over.told"}


@pytest.mark.parametrize("holder", [Holder.FACTOR, Holder.INSURER])
def test_what_is_financed_is_left_alone_altogether(holder: Holder) -> None:
    world = debt(held(holder))
    assert world.proposed(MONDAY) == []
    assert world.why(MONDAY, hand_over.NAME) == {"hand_over.financed"}
    world.records.append(held(Holder.US, 2))
    assert world.proposed(MONDAY, *BOTH) == [], "nothing was noted, so nothing is taken back"


def test_one_invoice_is_told_apart_from_the_others() -> None:
    world = debt(held(Holder.SOLICITOR, 1, "inv-2"))
    (decision,) = world.proposed(MONDAY, *BOTH)
    assert (decision.target, decision.items) == ("cust-1", ("inv-2",))
    done(world, decision)
    world.records.append(held(Holder.AGENCY, 2))
    (whole,) = world.proposed(MONDAY, *BOTH)
    assert whole.items == ("inv-1",), "the solicitor's invoice has a word of its own"


def test_what_comes_back_is_told_once_and_only_if_the_ledger_had_been_told() -> None:
    world = debt(held(Holder.AGENCY), held(Holder.US, 2))
    assert world.proposed(MONDAY, *BOTH) == [], "the ledger never knew"
    world = debt(held(Holder.AGENCY))
    done(world, *world.proposed(MONDAY, *BOTH))
    world.records.append(held(Holder.US, 2))
    (back,) = world.proposed(MONDAY, *BOTH)
    assert (back.kind, back.occasion, back.items) == (ActionKind.TAKE_BACK, "h-2", ("inv-1", "inv-2"))
    done(world, back)
    world.records.append(held(Holder.US, 3))
    assert world.proposed(MONDAY, *BOTH) == []


def test_the_same_holder_is_not_told_twice_and_another_is() -> None:
    world = debt(held(Holder.AGENCY))
    done(world, *world.proposed(MONDAY, *BOTH))
    world.records.append(held(Holder.AGENCY, 2))
    assert world.proposed(MONDAY, *BOTH) == []
    world.records.append(held(Holder.SOLICITOR, 3))
    assert [d.occasion for d in world.proposed(MONDAY, *BOTH)] == ["h-3"]


def test_a_customer_comes_back_although_nothing_is_open_any_more() -> None:
    world = debt(held(Holder.AGENCY))
    done(world, *world.proposed(MONDAY, *BOTH))
    world.records.append(held(Holder.US, 2))
    world.pay("inv-1", MONDAY)
    world.pay("inv-2", MONDAY)
    assert [(d.kind, d.items) for d in world.proposed(MONDAY, *BOTH)] == [(ActionKind.TAKE_BACK, ())]


def test_nothing_open_is_nothing_to_tell() -> None:
    world = World(records=[held(Holder.AGENCY)])
    assert world.proposed(MONDAY, *BOTH) == []
    assert world.why(MONDAY, hand_over.NAME) == {"hand_over.nothing_open"}


def test_the_whole_organisations_holder_is_not_noted_invoice_by_invoice() -> None:
    world = debt(replace(held(Holder.FACTOR), customer_id=""))
    world.state_changes = {"held_by": Holder.FACTOR}
    assert world.proposed(MONDAY, *BOTH) == []


def test_a_legal_hold_or_an_open_query_forbids_it_but_not_the_way_back() -> None:
    hold = LegalHold(id="l", customer_id="cust-1", on=MONDAY, by="Ana", why=LegalHoldKind.BREATHING_SPACE)
    query = Dispute(
        id="d", customer_id="cust-1", on=MONDAY, by="Ana", invoice_id="inv-2", code=DisputeCode.QUALITY,
        amount=money("1.00"), decide_by=days_after(MONDAY, 9),
    )  # fmt: skip
    for case, code in ((hold, "hand_over.legal_hold"), (query, "hand_over.disputed")):
        world = debt(case, held(Holder.AGENCY))
        assert world.proposed(MONDAY, *BOTH) == []
        assert code in world.why(MONDAY, hand_over.NAME)
    world = debt(query, held(Holder.AGENCY, 1, "inv-1"))
    assert len(world.proposed(MONDAY, *BOTH)) == 1, "the query is on another invoice"
    world = debt(held(Holder.AGENCY))
    done(world, *world.proposed(MONDAY, *BOTH))
    world.records += [hold, held(Holder.US, 2)]
    assert [d.kind for d in world.proposed(MONDAY, *BOTH)] == [ActionKind.TAKE_BACK]


def test_a_newer_word_makes_the_older_decision_drift() -> None:
    world = debt(held(Holder.AGENCY))
    (decision,) = world.proposed(MONDAY, *BOTH)
    world.records.append(held(Holder.AGENCY, 2))
    assert [r.facts["what"] for r in engine.drift(decision, world.facts(MONDAY))] == ["decision"]
