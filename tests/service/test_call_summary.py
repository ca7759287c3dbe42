"""What was agreed on the telephone is put in writing the same day, and earns no level."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.domain.cases import CallOutcome, LetterSent
from connector.domain.decisions import ActionKind
from connector.domain.effects import Letter
from connector.errors import Refused
from connector.service import people
from connector.store import cases, outbox
from connector.store.actions import ActionRow
from tests.harness import MONDAY, Office, new_project, opened, sandbox

pytestmark = pytest.mark.socket


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with sandbox() as served:
        new_project(tmp_path / "project", served)
        with opened(tmp_path / "project", served) as found:
            yield found


def call(office: Office) -> ActionRow:
    """A call that the plan asks for at once, before the copy: so much is overdue that it cannot wait."""
    office.take_on()
    office.go_to(MONDAY)
    office.invoice("INV-77", "Letter Ltd", "30000.00")
    office.pull()
    office.reconciled()
    (found,) = (action for action in office.plan().actions if action.key.kind is ActionKind.CALL)
    assert office.approve(ActionKind.REINVOICE) == [], "no letter overtakes the call"
    return found


def test_the_customer_gets_what_was_agreed_and_the_ladder_stays_where_it_was(office: Office) -> None:
    action = call(office)
    people.call_done(office.w, action.id, CallOutcome.SPOKE, agreed=["You pay half of it on Friday."], spoke_with="Jo")
    office.apply()
    texts = [path.read_text() for path in office.letters()]
    assert len(texts) == 1
    assert "half of it on Friday" in texts[0]
    assert any("Summary of the call sent" in note for note in office.notes())
    with office.w.db.reading(office.w.tenant) as tx:
        (sent,) = (case for case in cases.all(tx, office.row.id, "letter_sent") if isinstance(case, LetterSent))
    assert (sent.level, sent.what, sent.asks_for_money) == (0, "call_summary", False)
    office.apply()
    assert len(office.letters()) == 1


def test_the_letter_that_recording_approves_can_be_read_before_and_is_the_one_that_goes(office: Office) -> None:
    action = call(office)
    agreed = ["You pay half of it on Friday."]
    shown = people.call_letter(office.w, action.id, CallOutcome.SPOKE, agreed=agreed, spoke_with="Jo")
    assert "half of it on Friday" in shown.text
    assert office.action(action.id).state == "proposed"
    people.call_done(office.w, action.id, CallOutcome.SPOKE, agreed=agreed, spoke_with="Jo")
    with office.w.db.reading(office.w.tenant) as tx:
        planned = [row.effect.payload for row in outbox.of_action(tx, action.id)]
    assert [payload for payload in planned if isinstance(payload, Letter)] == [shown]


def test_nothing_is_agreed_with_an_answering_machine(office: Office) -> None:
    action = call(office)
    with pytest.raises(Refused, match="without speaking"):
        people.call_done(office.w, action.id, CallOutcome.VOICEMAIL, agreed=["You pay on Friday."])
    assert office.action(action.id).state == "proposed"


def test_a_threat_is_not_put_in_writing(office: Office) -> None:
    action = call(office)
    with pytest.raises(Refused, match="tone"):
        people.call_done(office.w, action.id, CallOutcome.SPOKE, agreed=["Or we will see you in court."])
    assert office.action(action.id).state == "proposed"
    assert office.letters() == []
