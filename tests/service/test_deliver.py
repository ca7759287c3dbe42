"""One round of delivering: what it reads, what it skips, and what must not stop the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.domain.decisions import ActionKind
from connector.domain.effects import EffectKind, EffectState, Tag
from connector.errors import Permanent
from connector.service.deliver import deliver
from connector.store import outbox
from tests.harness import QUIET, Office

pytestmark = pytest.mark.socket
JSON = {"Content-Type": "application/json"}


def letters_approved(office: Office, number: int) -> None:
    """So many approved letters, each to a customer of its own."""
    for one in range(number):
        office.people({"do": "create_invoice", "ref": f"x{one}", "number": f"X-{one}", "customer": "letter",
                       "date": "2026-02-03", "due": "2026-02-17", "sent": True,
                       "lines": [{"description": "Work", "unit_amount": "100.00", "tax": "none"}]})  # fmt: skip
    office.pull()
    office.reconciled()
    office.approve(ActionKind.REINVOICE)


def test_what_the_ledger_cannot_carry_is_cancelled_and_the_rest_goes_on(office: Office) -> None:
    actions = office.five_cases()
    query = next(one for one in actions if one.key.kind is ActionKind.TAG_DISPUTE)
    tag = replace(query.effects[0], key="1" * 64, payload=Tag(" ", present=True))
    other = replace(query.decision, occasion="nameless")
    office.force(replace(query, decision=other, key=other.key, effects=(tag,)))
    result = office.apply()
    assert result.stopped is None
    assert office.states() == {"done": 12, "cancelled": 1}
    assert "cannot carry" in next(r for r in office.effects() if r.state is EffectState.CANCELLED).reason


def test_a_refused_look_stops_the_round_before_anything_is_written(office: Office) -> None:
    office.five_cases()
    office.fault("/Invoices$", method="GET", do="status", status=400, body='{"Message": "no"}', headers=JSON)
    assert isinstance(office.apply().stopped, Permanent)
    assert (office.truth(), office.letters()) == ([], [])
    office.apply()
    assert office.states() == {"done": 12}


def test_a_copy_that_cannot_be_fetched_puts_its_letter_off_and_no_other(office: Office) -> None:
    office.five_cases()
    office.fault("/Invoices/[0-9a-f-]{36}$", method="GET", do="status", status=404)
    office.order("faults", {"match": {"method": "GET", "path": "/Invoices/[0-9a-f-]{36}$"},
                            "action": {"do": "status", "status": 404}, "times": 20})  # fmt: skip
    office.apply()
    letter = office.effect(EffectKind.LETTER)
    assert (letter.state, office.letters()) == (EffectState.PLANNED, [])
    assert "PDF" in letter.reason
    assert office.effect(EffectKind.SCHEDULE).state is EffectState.DONE


def test_an_outcome_that_cannot_be_looked_up_now_holds_up_nothing_else(office: Office) -> None:
    office.five_cases()
    office.fault("/Attachments/", method="PUT", do="reset_after_commit")
    office.fault("/ContactGroups/[^/]+/Contacts$", method="PUT", do="reset_after_commit")
    office.apply()
    office.wait(QUIET)
    unwell = {"match": {"method": "GET", "path": "/Attachments$"}, "action": {"do": "status", "status": 503}}
    office.order("faults", {**unwell, "times": 4})
    result = office.apply()
    assert result.stopped is not None
    assert office.effect(EffectKind.SCHEDULE).state is EffectState.UNKNOWN
    assert office.effect(EffectKind.TAG).state is EffectState.DONE
    office.settle_down(1)
    assert office.states() == {"done": 12}
    assert [office.happened(row) for row in office.effects()] == [1] * 12


def test_only_the_named_actions_are_delivered(office: Office) -> None:
    actions = office.five_cases()
    letter = next(one for one in actions if one.key.kind is ActionKind.REINVOICE)
    result = deliver(office.w, office.row, {letter.id})
    assert {row.action_id for row in result.effects} == {letter.id}
    assert office.truth() != []
    assert office.states() == {"done": 3, "planned": 9}


def test_records_are_read_again_in_batches(office: Office) -> None:
    office.five_cases()
    before = office.look("calls")["by_route"]
    office.apply()
    after = office.look("calls")["by_route"]
    lists = [route for route in after if route.startswith("GET") and route.endswith(("/Invoices", "/Contacts"))]
    assert lists
    assert sum(after[route] - before.get(route, 0) for route in lists) <= 3, "one call for all, not one for each"


def test_held_back_effects_stay(office: Office) -> None:
    office.five_cases()
    key = office.effect(EffectKind.LETTER).effect.key
    with office.w.db.writing("default") as tx:
        outbox.set_hold(tx, key, hold=True, reason="wait for Monday's call")
    office.apply()
    assert office.letters() == []
    assert office.effect(EffectKind.LETTER).state is EffectState.PLANNED
