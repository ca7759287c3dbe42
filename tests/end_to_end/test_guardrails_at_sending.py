"""The guardrails are asked again in the moment of sending: hours, caps, quiet days, cash, lapsed approvals."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from connector.domain.cases import CallOutcome, DisputeCode, ReplyOutcome
from connector.domain.decisions import ActionKind
from connector.domain.effects import EffectKind, EffectState
from connector.service import accommodations, disputes, people
from connector.store import actions, outbox
from tests.harness import Office

pytestmark = pytest.mark.socket


def letter_approved(office: Office, at: datetime) -> None:
    """A letter to Letter Ltd, approved at that instant."""
    office.invoice("INV-5", "Letter Ltd")
    office.go_to(at)
    office.pull()
    office.reconciled()
    assert [action.preview["customer"] for action in office.approve(ActionKind.REINVOICE)] == ["Letter Ltd"]


def test_outside_the_hours_a_letter_waits_for_the_morning_and_its_note_names_the_day_it_left(office: Office) -> None:
    letter_approved(office, datetime(2026, 3, 2, 17, 0, tzinfo=UTC))
    office.apply()
    row = office.effect(EffectKind.LETTER)
    assert (row.state, row.not_before) == (EffectState.PLANNED, datetime(2026, 3, 3, 9, 0, tzinfo=UTC))
    assert office.letters() == []
    office.go_to(datetime(2026, 3, 3, 8, 59, tzinfo=UTC))
    office.apply()
    assert office.letters() == []
    office.go_to(datetime(2026, 3, 3, 9, 0, tzinfo=UTC))
    office.apply()
    assert len(office.letters()) == 1
    assert [note[:22] for note in office.notes()] == ["Copy sent 3 Mar 2026 o"] * 2


def test_a_note_that_is_written_later_still_names_the_day_on_which_the_letter_left(office: Office) -> None:
    letter_approved(office, datetime(2026, 3, 2, 12, 0, tzinfo=UTC))
    office.fault("/History$", do="status", status=429, headers={"X-Rate-Limit-Problem": "day", "Retry-After": "60000"})
    office.apply()
    assert (len(office.letters()), office.notes()) == (1, [])
    office.go_to(datetime(2026, 3, 4, 12, 0, tzinfo=UTC))
    office.apply()
    assert [note[:22] for note in office.notes()] == ["Copy sent 2 Mar 2026 o"] * 2


def test_a_weekend_and_a_quiet_day_are_waited_out(office: Office) -> None:
    with (office.folder / "policy.yaml").open("a") as policy:
        policy.write('\ncontact:\n  quiet:\n    - {first: "03-09", last: "03-09"}\n')
    with office.again() as today:
        letter_approved(today, datetime(2026, 3, 6, 17, 30, tzinfo=UTC))  # Friday; Monday the 9th is quiet
        today.apply()
        assert today.effect(EffectKind.LETTER).not_before == datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


def test_notes_and_tags_keep_no_hours(office: Office) -> None:
    office.invoice("INV-1", "Query Ltd")
    office.go_to(datetime(2026, 3, 7, 23, 0, tzinfo=UTC))
    office.pull()
    disputes.open_dispute(office.w, office.row, "INV-1", code=DisputeCode.TAX)
    office.approve()
    office.apply()
    assert office.states() == {"done": 2}


def test_two_approved_contacts_leave_on_two_days(office: Office) -> None:
    """Both were approved before either left: the second meets the first's trace."""
    office.invoice("INV-5", "Letter Ltd")
    office.pull()
    office.reconciled()
    (first,) = office.approve(ActionKind.REINVOICE)
    with office.w.db.writing("default") as tx:  # a second letter, as an approval of yesterday would have left it
        copy = outbox.of_action(tx, first.id)[0].effect
        other = replace(first.decision, occasion="another")
        row = replace(first, decision=other, key=other.key)
        actions.propose(tx, office.row.id, row)
        twin = actions.action_id(office.row.id, other.key)
        assert actions.approve(tx, twin, row.content_hash, "Ana", tx.now)
        outbox.add(tx, office.row.id, twin, [replace(copy, key="0" * 64)])
    office.apply()
    assert len(office.letters()) == 1
    waiting = [one for one in office.effects(EffectKind.LETTER) if one.state is EffectState.PLANNED]
    assert len(waiting) == 1
    assert waiting[0].reason.startswith("guardrail")
    assert waiting[0].not_before is not None
    assert waiting[0].not_before > office.clock.now() + timedelta(hours=12)


def test_books_that_grew_too_old_hold_a_letter_back_until_they_are_reconciled(office: Office) -> None:
    letter_approved(office, datetime(2026, 3, 2, 17, 0, tzinfo=UTC))
    office.go_to(datetime(2026, 3, 5, 12, 0, tzinfo=UTC))  # known to the 1st: four business days ago
    office.apply()
    row = office.effect(EffectKind.LETTER)
    assert (row.state, office.letters()) == (EffectState.PLANNED, [])
    assert "reconcile first" in row.reason
    office.go_to(datetime(2026, 3, 9, 9, 0, tzinfo=UTC))
    office.reconciled(date(2026, 3, 8))
    # By now the letter would ask for an answer by today: it is not sent, but planned anew.
    office.apply()
    assert office.effect(EffectKind.LETTER).state is EffectState.CANCELLED
    assert "too soon" in office.effect(EffectKind.LETTER).reason
    assert office.letters() == []
    office.pull()
    again = office.approve(ActionKind.REINVOICE, ActionKind.LETTER)
    office.apply()
    (letter,) = office.letters()
    assert again[0].decision.by_date is not None
    assert again[0].decision.by_date > date(2026, 3, 12), "a letter must leave its reader time"
    assert letter.name.startswith("2026-03-09")


def test_an_approval_lapses_after_five_business_days(office: Office) -> None:
    """A statement names no date; its approval is a week old when apply is run."""
    office.people({"do": "create_invoice", "ref": "inv-5", "customer": "letter", "number": "INV-5",
                   "date": "2026-02-20", "due": "2026-03-31", "sent": True,
                   "lines": [{"description": "Work", "unit_amount": "600.00", "tax": "none"}]})  # fmt: skip
    office.go_to(datetime(2026, 3, 4, 18, 0, tzinfo=UTC))  # the third business day of the month, after hours
    office.pull()
    office.reconciled()
    assert [action.preview["customer"] for action in office.approve(ActionKind.STATEMENT)] == ["Letter Ltd"]
    office.go_to(datetime(2026, 3, 12, 12, 0, tzinfo=UTC))
    office.reconciled()
    office.apply()
    assert office.effect(EffectKind.LETTER).state is EffectState.CANCELLED
    assert "lapsed" in office.effect(EffectKind.LETTER).reason
    assert office.letters() == []


def test_a_reply_that_came_in_meanwhile_holds_the_letter_back(office: Office) -> None:
    letter_approved(office, datetime(2026, 3, 2, 12, 0, tzinfo=UTC))
    people.reply(office.w, office.row, "Letter Ltd", ReplyOutcome.QUERY)
    office.apply()
    assert office.letters() == []
    assert office.effect(EffectKind.LETTER).state is EffectState.PLANNED


def test_a_record_that_must_be_reviewed_stops_its_letter(office: Office) -> None:
    letter_approved(office, datetime(2026, 3, 2, 12, 0, tzinfo=UTC))
    with office.w.db.reading("default") as tx:
        action = actions.listing(tx, office.row.id, "approved")[0]
    strange = {"Invoices": [{"InvoiceID": action.decision.items[0], "Status": "GONE FISHING"}]}
    office.fault("/Invoices$", method="GET", do="status", status=200, body=json.dumps(strange),
                 headers={"Content-Type": "application/json"})  # fmt: skip
    office.apply()
    assert office.letters() == []
    assert office.effect(EffectKind.LETTER).state is not EffectState.DONE


class TestCalls:
    def call(self, office: Office, outcome: CallOutcome) -> str:
        office.invoice("INV-2", "Extension Ltd", amount="9000.00")
        office.pull()
        accommodations.extend(office.w, office.row, "INV-2", date(2026, 3, 9))
        office.approve()
        office.apply()
        office.go_to(datetime(2026, 3, 11, 12, 0, tzinfo=UTC))
        office.pull()
        office.reconciled(date(2026, 3, 10))
        (call,) = [one for one in office.plan().actions if one.key.kind is ActionKind.CALL]
        people.call_done(office.w, call.id, outcome)
        return call.id

    def test_a_call_that_was_made_is_noted_once(self, office: Office) -> None:
        action_id = self.call(office, CallOutcome.SPOKE)
        office.apply()
        office.apply()
        assert [note[:23] for note in office.notes()].count("Call made 11 Mar 2026 a") == 2  # customer and invoice
        assert office.action(action_id).state == "done"

    def test_a_call_that_nobody_took_is_over_and_leaves_no_note(self, office: Office) -> None:
        action_id = self.call(office, CallOutcome.UNREACHABLE)
        office.apply()
        assert not [note for note in office.notes() if "Call made" in note]
        assert office.action(action_id).state == "done"
