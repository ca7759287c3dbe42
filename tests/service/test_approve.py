"""Approving and rejecting: bound to what was shown, all or none, with a reason and a term."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from connector.domain.cases import DisputeCode
from connector.domain.decisions import ActionKind
from connector.errors import NotFound, Refused
from connector.service import approve, disputes
from connector.store.actions import ActionRow
from tests.harness import Office

pytestmark = pytest.mark.socket


def proposed(office: Office, kind: ActionKind = ActionKind.REINVOICE) -> ActionRow:
    return next(one for one in office.plan().actions if one.key.kind is kind)


@pytest.fixture
def copy(office: Office) -> ActionRow:
    """The proposal to send Letter Ltd a copy."""
    office.invoice("INV-5", "Letter Ltd")
    office.pull()
    office.reconciled()
    return proposed(office)


def test_approving_twice_plans_once_and_names_who_did_it(office: Office, copy: ActionRow) -> None:
    for _ in range(2):
        (row,) = approve.approve(office.w, [copy.id])
        assert (row.state, row.decided_by) == ("approved", "Ana")
    assert office.states() == {"planned": 3}


def test_one_unknown_id_approves_nothing(office: Office, copy: ActionRow) -> None:
    with pytest.raises(NotFound):
        approve.approve(office.w, [copy.id, "zzzzzz"])
    assert office.action(copy.id).state == "proposed"
    assert office.effects() == []


def test_a_saved_plan_with_other_content_approves_nothing(office: Office, copy: ActionRow) -> None:
    assert approve.approve_exactly(office.w, [(copy.id, "0" * 64)]) == []
    assert office.effects() == []


def test_an_expired_proposal_needs_a_new_plan(office: Office, copy: ActionRow) -> None:
    office.go_to(datetime(2026, 3, 10, 0, 0, tzinfo=UTC))
    with pytest.raises(Refused, match="expired"):
        approve.approve(office.w, [copy.id])
    assert copy.id not in {row.id for row in approve.approve_all(office.w)}
    assert office.effects() == []


def test_tasks_are_done_not_approved(office: Office, copy: ActionRow) -> None:
    disputes.open_dispute(office.w, office.row, "INV-5", code=DisputeCode.QUALITY)
    task = proposed(office, ActionKind.TASK)
    with pytest.raises(Refused, match="done by a person"):
        approve.approve(office.w, [task.id])
    assert all(row.key.kind is not ActionKind.TASK for row in approve.approve_all(office.w))
    assert office.action(task.id).state == "proposed"


@pytest.mark.parametrize(
    ("reason", "until", "for_good", "missing"),
    [("", None, True, "reason"), ("no", None, False, "term"), ("no", date(2026, 4, 1), True, "term")],
)
def test_a_rejection_needs_a_reason_and_one_term(
    office: Office, copy: ActionRow, reason: str, until: date | None, for_good: bool, missing: str
) -> None:
    with pytest.raises(Refused, match=missing):
        approve.reject(office.w, copy.id, reason=reason, until=until, for_good=for_good)
    assert office.action(copy.id).state == "proposed"


def test_a_rejection_lasts_until_its_day(office: Office, copy: ActionRow) -> None:
    approve.reject(office.w, copy.id, reason="in talks", until=date(2026, 3, 4), for_good=False)
    assert copy.id not in {one.id for one in office.plan().actions}
    with pytest.raises(Refused):
        approve.approve(office.w, [copy.id])
    office.go_to(datetime(2026, 3, 4, 12, 0, tzinfo=UTC))
    office.pull()
    office.reconciled()
    assert copy.id in {one.id for one in office.plan().actions}
