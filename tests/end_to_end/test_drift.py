"""What changed between approval and sending is seen before the first byte; our own writes are not changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from connector.domain.cases import DisputeCode, DisputeOutcome, Holder, LegalHoldKind
from connector.domain.decisions import ActionKind
from connector.domain.effects import Effect, EffectKind, EffectState, Prepared, Receipt
from connector.errors import Refused
from connector.service import approve, disputes, outcomes, people
from connector.service.outcomes import Mode
from tests.harness import Office

pytestmark = pytest.mark.socket

Change = Callable[[Office], object]
IN_THE_BOOKS: dict[str, Change] = {
    "paid": lambda o: o.people({"do": "pay", "invoice": "INV-5"}),
    "part-paid": lambda o: o.people({"do": "pay", "invoice": "INV-5", "amount": "1.00"}),
    "credited": lambda o: o.people({"do": "credit", "invoice": "INV-5", "amount": "100.00"}),
    "voided": lambda o: o.people({"do": "void", "invoice": "INV-5"}),
    "due later": lambda o: o.people({"do": "edit_invoice", "invoice": "INV-5", "due": "2026-04-01"}),
    "recipient changed": lambda o: o.people(
        {"do": "edit_contact", "customer": "Letter Ltd", "email": "new@letter.example"}
    ),
}
SAID_BY_PEOPLE: dict[str, Change] = {
    "disputed": lambda o: disputes.open_dispute(o.w, o.row, "INV-5", code=DisputeCode.PRICE),
    "held by a factor": lambda o: people.set_held_by(o.w, o.row, "Letter Ltd", Holder.FACTOR),
    "the ledger is financed": lambda o: people.set_held_by(o.w, o.row, "", Holder.FACTOR),
    "excluded": lambda o: people.exclude(o.w, o.row, "Letter Ltd", reason="a friend", until=date(2026, 4, 1)),
    "legal hold": lambda o: people.set_hold(o.w, o.row, "Letter Ltd", LegalHoldKind.INSOLVENCY),
}
CHANGES = {**IN_THE_BOOKS, **SAID_BY_PEOPLE}


def about(office: Office, customer: str) -> list[tuple[EffectKind, EffectState]]:
    """The effects of the actions about this customer."""
    return [
        (row.effect.kind, row.state)
        for row in office.effects()
        if office.action(row.action_id).preview["customer"] == customer
    ]


@pytest.mark.parametrize("name", CHANGES)
def test_a_letter_whose_reasons_changed_is_refused_before_any_byte(office: Office, name: str) -> None:
    office.five_cases()
    CHANGES[name](office)  # nobody pulls: the change is seen by reading again at the last moment
    office.apply()
    assert {state for _, state in about(office, "Letter Ltd")} == {EffectState.CANCELLED}
    reason = office.effect(EffectKind.LETTER).reason
    assert reason.startswith("drift:")
    assert office.letters() == []
    assert not [note for note in office.notes() if "INV-5" in note]
    assert {state for _, state in about(office, "Query Ltd")} == {EffectState.DONE} or name == "the ledger is financed"
    assert office.action(office.effect(EffectKind.LETTER).action_id).state == "cancelled"


def test_a_recipient_who_changed_is_asked_about_again_and_gets_the_letter(office: Office) -> None:
    office.five_cases()
    CHANGES["recipient changed"](office)
    office.apply()
    office.approve(ActionKind.REINVOICE)
    office.apply()
    (letter,) = office.letters()
    assert "To: new@letter.example" in letter.read_text()
    assert {state for _, state in about(office, "Letter Ltd")} == {EffectState.DONE}


def test_a_hold_set_while_the_round_is_under_way_stops_the_next_effect(office: Office) -> None:
    """The hold on the whole organisation comes after the round has begun, before the letter's turn."""
    office.five_cases()
    ledger: Any = office.w.ledger(office.row)
    really_send = ledger.send

    def send(effect: Effect, prepared: Prepared, leave_by: datetime) -> Receipt:
        people.set_held_by(office.w, office.row, "", Holder.INSURER)
        receipt: Receipt = really_send(effect, prepared, leave_by)
        return receipt

    ledger.send = send
    office.apply()
    done = [row for row in office.effects() if row.state is EffectState.DONE and not row.effect.after]
    assert len(done) == 1
    assert office.letters() == []


def test_a_switch_to_observe_stops_everything_and_approve_lets_it_go_on(office: Office) -> None:
    office.five_cases()
    outcomes.set_mode(office.w, office.row, Mode.OBSERVE)
    stopped = office.apply().stopped
    assert isinstance(stopped, Refused)
    assert "observe" in stopped.what
    assert (office.truth(), office.letters()) == ([], [])
    outcomes.set_mode(office.w, office.row, Mode.APPROVE)
    office.apply()
    assert office.states() == {"done": 12}


def test_an_expected_date_that_a_person_set_meanwhile_is_left_alone(office: Office) -> None:
    office.five_cases()
    office.people({"do": "edit_invoice", "invoice": "INV-2", "expected": "2026-03-20"})
    office.apply()
    row = next(r for r in office.effects(EffectKind.EXPECTED_DATE) if r.state is not EffectState.DONE)
    assert row.state is EffectState.REJECTED
    assert "2026-03-20" in row.reason
    assert [w["detail"]["number"] for w in office.truth() if w["kind"] == "invoice_update"] == ["INV-3"]


def test_a_tag_that_a_person_removed_stays_removed(office: Office) -> None:
    office.five_cases()
    office.apply()
    office.people({"do": "remove_from_group", "customer": "Query Ltd", "group": "Query open – see invoice note"})
    before = len(office.truth())
    office.pull()
    office.approve()
    office.apply()
    disputes.resolve(office.w, office.row, "INV-1", DisputeOutcome.WITHDRAWN)
    office.approve()
    office.apply()
    kinds = [row["kind"] for row in office.truth()[before:]]
    assert "group_add" not in kinds
    assert "group_remove" not in kinds, "what is not there is not removed"
    assert office.effects(EffectKind.TAG)[-1].state is EffectState.DONE


def test_our_own_first_write_does_not_refuse_our_second(office: Office) -> None:
    """Two writes on one invoice, the second sent a day after the first, when the ledger's stamp has moved on."""
    office.five_cases()
    office.fault("/History$", do="status", status=429, headers={"X-Rate-Limit-Problem": "day", "Retry-After": "86400"})
    office.apply()
    office.wait(86_401)
    office.pull()
    office.apply()
    states = dict(about(office, "Extension Ltd"))
    assert states == {EffectKind.EXPECTED_DATE: EffectState.DONE, EffectKind.NOTE: EffectState.DONE}


def test_a_record_that_vanished_from_the_ledger_is_not_written_to(office: Office) -> None:
    office.invoice("INV-5", "Letter Ltd")
    office.pull()
    office.reconciled()
    office.approve()
    office.fault("/Invoices$", method="GET", do="status", status=200, body='{"Invoices": []}',
                 headers={"Content-Type": "application/json"})  # fmt: skip
    office.apply()
    row = office.effect(EffectKind.LETTER)
    assert (row.state, office.letters()) == (EffectState.CANCELLED, [])
    assert "no longer has" in row.reason


def test_one_proposal_that_changed_does_not_stop_a_saved_plan(office: Office) -> None:
    office.invoice("INV-5", "Letter Ltd")
    office.invoice("INV-1", "Query Ltd")
    office.pull()
    office.reconciled()
    letters = [action for action in office.plan().actions if action.key.kind is ActionKind.REINVOICE]
    pairs = [(action.id, action.content_hash) for action in letters]
    assert len(pairs) == 2
    office.people({"do": "pay", "invoice": "INV-1", "amount": "10.00"})
    office.pull()
    office.plan()
    approved = approve.approve_exactly(office.w, pairs)
    assert [action.preview["customer"] for action in approved] == ["Letter Ltd"]
