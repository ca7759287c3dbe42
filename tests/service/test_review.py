"""Planning: proposals that can be read, that are renewed or withdrawn, and that one customer's data cannot stop."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from connector.domain.decisions import ActionKind
from connector.service.review import propose
from connector.store import actions
from tests.harness import Office

pytestmark = pytest.mark.socket


def overdue(office: Office) -> None:
    office.invoice("INV-5", "Letter Ltd")
    office.pull()
    office.reconciled()


def test_a_proposal_shows_every_word_and_who_may_approve_it_until_when(office: Office) -> None:
    overdue(office)
    (copy,) = [one for one in office.plan().actions if one.key.kind is ActionKind.REINVOICE]
    assert copy.preview["to"] == "accounts@letter.example"
    assert "INV-5" in copy.preview["text"]
    assert copy.role == "staff"
    assert copy.expires_at == datetime(2026, 3, 10, 0, 0, tzinfo=UTC)  # five business days from Monday the 2nd
    assert [effect.kind.value for effect in copy.effects] == ["letter", "note", "note"]
    assert all(effect.after == (copy.effects[0].key,) for effect in copy.effects[1:])


def test_what_the_next_plan_does_not_renew_is_withdrawn(office: Office) -> None:
    overdue(office)
    office.plan()
    office.people({"do": "pay", "invoice": "INV-5"})
    office.pull()
    again = office.plan()
    assert again.withdrawn >= 1
    assert not [one for one in again.actions if one.customer_id]
    with office.w.db.reading("default") as tx:
        assert {row.state for row in actions.listing(tx, office.row.id) if row.customer_id} == {"withdrawn"}


def test_changed_facts_change_the_content_that_an_approval_is_bound_to(office: Office) -> None:
    overdue(office)
    (before,) = [one for one in office.plan().actions if one.key.kind is ActionKind.REINVOICE]
    office.people({"do": "pay", "invoice": "INV-5", "amount": "0.01"})
    office.pull()
    (after,) = [one for one in office.plan().actions if one.key.kind is ActionKind.REINVOICE]
    assert (before.id, before.content_hash != after.content_hash) == (after.id, True)


def test_pretending_another_day_stores_nothing(office: Office) -> None:
    overdue(office)
    told = propose(office.w, office.row, date(2026, 3, 4))
    assert told.actions
    assert not told.stored
    with office.w.db.reading("default") as tx:
        assert actions.listing(tx, office.row.id) == ()


def test_a_letter_that_cannot_be_written_is_named_and_the_others_are_planned(office: Office) -> None:
    """The owner's own wording threatens: the letter is refused, the plan is not."""
    letter = office.folder / "letters" / "en" / "reinvoice.md"
    letter.write_text(letter.read_text() + "\nWe will see you in court. This is your FINAL DEMAND!!!\n")
    overdue(office)
    office.invoice("INV-4", "Unsent Ltd", sent=False)
    with office.again() as today:
        today.pull()
        plan = today.plan()
        kinds = {one.key.kind for one in plan.actions}
        assert ActionKind.SEND_INVOICE in kinds
        assert ActionKind.REINVOICE not in kinds
        (why,) = [outcome for outcome in plan.nothing_because if outcome.reason.code == "compose.refused"]
        assert why.reason.facts["customer"] == "Letter Ltd"
