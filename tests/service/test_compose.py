"""From decisions to effects: identities that survive a lost database, notes after their acts, neutral words."""

from __future__ import annotations

import re

import pytest

from connector.channels.notes import is_closed_phrase
from connector.domain.cases import DisputeCode
from connector.domain.decisions import ActionKind
from connector.domain.effects import EffectKind, ExpectedDate, Note, effect_key
from connector.domain.money import Money
from connector.service import accommodations, disputes
from connector.store.actions import ActionRow
from tests.harness import Office

pytestmark = pytest.mark.socket


@pytest.fixture
def cases(office: Office) -> list[ActionRow]:
    return office.five_cases()


def of(cases: list[ActionRow], kind: ActionKind) -> ActionRow:
    return next(one for one in cases if one.key.kind is kind)


def test_a_key_is_made_of_the_ledgers_own_ids_the_kind_and_the_occasion(office: Office, cases: list[ActionRow]) -> None:
    for action in cases:
        for effect in action.effects:
            ledger_id = office.row.record.ledger_id
            occasion = f"{action.key.kind.value}/{action.key.occasion}"
            assert effect.key == effect_key("xero", ledger_id, effect.kind.value, effect.target, occasion)


def test_a_note_that_reports_an_act_comes_after_it(cases: list[ActionRow]) -> None:
    for kind in (ActionKind.SEND_INVOICE, ActionKind.REINVOICE, ActionKind.WRITE_SCHEDULE):
        effects = of(cases, kind).effects
        notes = [one for one in effects if one.kind is EffectKind.NOTE]
        assert notes
        assert all(note.after == (effects[0].key,) for note in notes)


def test_notes_say_only_what_the_closed_list_allows(cases: list[ActionRow]) -> None:
    texts = [e.payload.text for action in cases for e in action.effects if isinstance(e.payload, Note)]
    assert len(texts) == 6
    assert all(is_closed_phrase(text) for text in texts), texts


def test_dates_of_the_act_are_marked_for_correction_where_it_may_happen_later(cases: list[ActionRow]) -> None:
    for effect in of(cases, ActionKind.REINVOICE).effects[1:]:
        assert isinstance(effect.payload, Note)
        assert effect.payload.dated == "2 Mar 2026"
        assert re.search(rf"sent {effect.payload.dated} ", effect.payload.text)


def test_a_part_paid_invoice_gets_the_note_alone(office: Office) -> None:
    """Xero keeps the expected date of a part-paid invoice unchanged: writing it would be refused."""
    office.invoice("INV-2", "Extension Ltd")
    office.people({"do": "pay", "invoice": "INV-2", "amount": "1.00"})
    office.pull()
    office.reconciled()
    accommodations.extend(office.w, office.row, "INV-2")
    (action,) = office.approve(ActionKind.SET_EXPECTED_DATE)
    assert [effect.kind for effect in action.effects] == [EffectKind.NOTE]
    office.apply()
    assert office.states() == {"done": 1}


def test_an_expected_date_remembers_what_it_saw(office: Office) -> None:
    office.invoice("INV-2", "Extension Ltd")
    office.people({"do": "edit_invoice", "invoice": "INV-2", "expected": "2026-03-05"})
    office.pull()
    office.reconciled()
    accommodations.extend(office.w, office.row, "INV-2")
    (action,) = office.approve(ActionKind.SET_EXPECTED_DATE)
    payload = action.effects[0].payload
    assert isinstance(payload, ExpectedDate)
    assert payload.seen is not None
    assert payload.seen.isoformat() == "2026-03-05"
    office.apply()
    assert office.states() == {"done": 2}


def test_a_person_sees_every_write_before_approving(office: Office) -> None:
    """Not letters alone: the date, the tag, the schedule and the words of each note."""
    shown = {action.key.kind: action.preview.get("writes", "") for action in office.five_cases()}
    assert "expected date of INV-2: 2026-" in shown[ActionKind.SET_EXPECTED_DATE]
    assert "note on INV-2: Payment expected" in shown[ActionKind.SET_EXPECTED_DATE]
    assert "mark the customer: " in shown[ActionKind.TAG_DISPUTE]
    assert "schedule beside INV-3: 1) 2026-" in shown[ActionKind.WRITE_SCHEDULE]
    assert "the ledger mails" in shown[ActionKind.SEND_INVOICE]


def test_the_note_of_a_letter_about_a_part_gives_the_balance_as_the_ledger_has_it(office: Office) -> None:
    office.invoice("INV-1", "Query Ltd")
    office.pull()
    office.reconciled()
    asked = Money.of("200.00", "GBP")
    disputes.open_dispute(office.w, office.row, "INV-1", code=DisputeCode.QUALITY, amount=asked)
    letter = of(office.approve(), ActionKind.LETTER)
    assert letter.decision.amount == Money.of("400.00", "GBP")
    notes = [e.payload.text for e in letter.effects if isinstance(e.payload, Note)]
    assert len(notes) == 2
    assert all("part not in question sent 2 Mar 2026 for INV-1, balance GBP 600.00" in text for text in notes), notes
