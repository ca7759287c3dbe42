"""Raising an invoice again: off by default, refused wherever it could harm, and finished by a person if it broke."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from connector.config.layers import PRESETS, load_preset
from connector.domain.cases import (
    Concession,
    CreditUse,
    Dispute,
    DisputeCode,
    Exclusion,
    Extension,
    HeldBy,
    Holder,
    LegalHold,
    LegalHoldKind,
    Promise,
    Reissue,
    Reply,
    ReplyOutcome,
)
from connector.domain.decisions import Acted, ActedState, ActionKey, ActionKind
from connector.domain.ledger import Line, NeedsReview, RecordKind
from connector.domain.reductions import Reduction
from connector.policy import engine
from connector.policy.rules import reissue
from tests.builders import invoice, money, organisation
from tests.policy.known import signed_plan
from tests.worlds import MONDAY, World, days_after, preset

ON = preset().model_copy(update={"reissue": preset().reissue.model_copy(update={"enabled": True})})
WHO: dict[str, Any] = {"customer_id": "cust-1", "on": MONDAY, "by": "Ana"}
ASKED = Reissue(
    id="r-1", invoice_id="inv-1", amount=money("1200.00"), reason="the wrong company", due=date(2026, 2, 10),
    tax_point=date(2026, 1, 10), **WHO,
)  # fmt: skip
KEY = ActionKey(ActionKind.REISSUE, "inv-1", "r-1")


def asked(**changes: Any) -> World:
    """A plain invoice of NZD 1,200.00, tax by invoice, that a person wants to have raised again."""
    world = World(policy=ON, invoices=[invoice("inv-1", "1200.00")], records=[ASKED])
    world.state_changes = {"organisation": replace(organisation(), tax_basis="INVOICE", **changes)}
    return world


def codes(world: World) -> set[str]:
    return world.why(MONDAY, reissue.NAME)


def test_it_is_proposed_once_with_who_asked_and_why() -> None:
    world = asked()
    (decision,) = world.proposed(MONDAY, ActionKind.REISSUE)
    assert (decision.key, decision.items, decision.amount) == (KEY, ("inv-1",), money("1200.00"))
    assert decision.reasons[0].facts == {"invoice": "INV-1", "by": "Ana", "why": "the wrong company"}
    world.acted[KEY] = Acted(KEY, ActedState.DONE, MONDAY)
    world.records = [replace(ASKED, replaced_by="inv-9")]
    assert [one for one in world.proposed(MONDAY) if one.rule == reissue.NAME] == []


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_leaves_it_off(name: str) -> None:
    world = asked()
    world.policy = load_preset(name).scaled("NZD")
    assert world.proposed(MONDAY, ActionKind.REISSUE) == []
    assert codes(world) == {"reissue.off"}


def record(world: World, case: Any) -> None:
    world.records.append(case)


def touched(**changes: Any) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.invoices = [invoice("inv-1", "1200.00", **changes)]

    return change


def lines(*words: str) -> tuple[Line, ...]:
    return tuple(Line("1", text, money("1200.00"), money(0), "200", "NONE") for text in words)


DISPUTED = Dispute(
    id="d", invoice_id="inv-1", code=DisputeCode.PRICE, amount=money("1.00"), decide_by=days_after(MONDAY, 9), **WHO
)
CONCEDED = Concession(
    id="c", invoice_id="inv-1", reduction=Reduction.GOODWILL, amount=money("5.00"), reason="late", **WHO
)
PAID = Reply(id="p", outcome=ReplyOutcome.PAID, invoice_ids=("inv-1",), **WHO)

REFUSED: list[tuple[str, Callable[[World], Any]]] = [
    ("not_open", lambda w: w.pay("inv-1", MONDAY)),
    ("legal_hold", lambda w: record(w, LegalHold(id="h", why=LegalHoldKind.INSOLVENCY, **WHO))),
    ("held_by", lambda w: record(w, HeldBy(id="h", holder=Holder.FACTOR, **WHO))),
    ("held_by", lambda w: record(w, HeldBy(id="h", holder=Holder.AGENCY, invoice_id="inv-1", **WHO))),
    ("held_by", lambda w: w.state_changes.update(held_by=Holder.INSURER)),
    ("excluded", lambda w: record(w, Exclusion(id="e", reason="a friend", **WHO))),
    ("excluded", lambda w: record(w, Exclusion(id="e", reason="a friend", invoice_id="inv-1", **WHO))),
    ("unreadable", lambda w: setattr(w, "needs_review", (NeedsReview(RecordKind.PAYMENT, "p", "odd"),))),
    ("part_paid", touched(paid="0.01")),
    ("part_paid", touched(credited="200.00")),
    ("in_transit", lambda w: record(w, PAID)),
    ("reduction_pending", lambda w: record(w, CONCEDED)),
    (
        "reduction_pending",
        lambda w: record(w, CreditUse(id="u", invoice_id="inv-1", credit_id="x", amount=money("5.00"), **WHO)),
    ),
    ("disputed", lambda w: record(w, DISPUTED)),
    ("on_plan", lambda w: record(w, signed_plan(days_after(MONDAY, 7), days_after(MONDAY, 21)))),
    ("agreed_date", lambda w: record(w, Extension(id="x", invoice_id="inv-1", until=days_after(MONDAY, 5), **WHO))),
    ("agreed_date", lambda w: record(w, Promise(id="x", invoice_ids=("inv-1",), until=days_after(MONDAY, 5), **WHO))),
    ("purchase_order", touched(reference="PO 4711")),
    ("purchase_order", touched(reference="P.O. No. 7/A3")),
    ("purchase_order", touched(lines=lines("Boards, your purchase order 4711-B"))),
    ("rate", touched(currency="AUD", rate="0.91")),
    ("changed", lambda w: setattr(w, "records", [replace(ASKED, amount=money("1100.00"))])),
]


@pytest.mark.parametrize(("code", "happens"), REFUSED, ids=[f"{code}-{n}" for n, (code, _) in enumerate(REFUSED)])
def test_it_is_refused(code: str, happens: Callable[[World], Any]) -> None:
    world = asked()
    happens(world)
    assert world.proposed(MONDAY, ActionKind.REISSUE) == []
    assert codes(world) == {f"reissue.{code}"}


@pytest.mark.parametrize("basis", ["CASH", "PAYMENTS", "FLATRATECASH", "FLATRATEACCRUAL", ""])
def test_it_is_refused_where_tax_is_not_accounted_for_by_invoice(basis: str) -> None:
    world = asked()
    world.state_changes = {"organisation": replace(organisation(), tax_basis=basis)}
    assert world.proposed(MONDAY, ActionKind.REISSUE) == []
    assert codes(world) == {"reissue.tax_basis"}


@pytest.mark.parametrize(
    ("lock", "code"), [(MONDAY, "reissue.locked"), (date(2026, 1, 10), "reissue.period_locked")], ids=str
)
def test_it_is_refused_in_a_locked_period(lock: date, code: str) -> None:
    world = asked(lock_date=lock)
    assert world.proposed(MONDAY, ActionKind.REISSUE) == []
    assert codes(world) == {code}
    assert asked(lock_date=date(2026, 1, 9)).proposed(MONDAY, ActionKind.REISSUE), "locked before it was issued"


@pytest.mark.parametrize("reference", ["order of the day", "Opotiki", "March", "spot check 12"])
def test_words_that_only_look_like_an_order_refuse_nothing(reference: str) -> None:
    world = asked()
    touched(reference=reference)(world)
    assert len(world.proposed(MONDAY, ActionKind.REISSUE)) == 1


def test_what_was_credited_and_not_raised_again_goes_before_a_person() -> None:
    world = asked()
    world.acted[KEY] = Acted(KEY, ActedState.DONE, MONDAY)
    (task,) = [d for d in world.proposed(MONDAY, ActionKind.TASK) if d.rule == reissue.NAME]
    assert (task.target, task.data["to"]) == ("inv-1", "credit_contact")
    assert "effects retry" in str(task.data["what"])


def test_while_its_links_are_written_nothing_is_judged() -> None:
    world = asked()
    world.acted[KEY] = Acted(KEY, ActedState.APPROVED, MONDAY)
    world.invoices = [invoice("inv-1", "1200.00", credited="1200.00")]
    assert [one for one in world.proposed(MONDAY) if one.rule == reissue.NAME] == []


def test_what_is_withdrawn_drifts_away() -> None:
    world = asked()
    (decision,) = world.proposed(MONDAY, ActionKind.REISSUE)
    world.records.append(replace(ASKED, withdrawn_on=MONDAY))
    assert [r.facts["what"] for r in engine.drift(decision, world.facts(MONDAY))] == ["decision"]
    assert world.proposed(MONDAY, ActionKind.REISSUE) == []
