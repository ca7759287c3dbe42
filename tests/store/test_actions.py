"""Actions: proposed once, approved for exactly what was shown, never proposed again while that stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from connector.domain.decisions import (
    Acted,
    ActedState,
    ActionKey,
    ActionKind,
    Decision,
    DunningLevel,
    Reason,
    TargetKind,
)
from connector.errors import NotFound, Refused
from connector.store import actions, organisations, timeline
from connector.store.actions import ActionRow
from connector.store.db import Database, Tx
from tests.builders import money, organisation
from tests.fakes import NOON, FakeClock
from tests.store.conftest import TENANT
from tests.store.test_outbox import note

ORG = "xero:org-1"
FIVE_DAYS = NOON + timedelta(days=5)


def proposal(occasion: str = "inv-1:2", content: str = "hash-1", *, customer_id: str = "c1") -> ActionRow:
    decision = Decision(
        rule="ladder",
        kind=ActionKind.LETTER,
        target_kind=TargetKind.CUSTOMER,
        target=customer_id,
        customer_id=customer_id,
        occasion=occasion,
        reasons=(Reason("overdue.days", {"days": 12, "firm": False, "until": None, "note": "true"}),),
        level=DunningLevel.FRIENDLY,
        items=("inv-1", "inv-2"),
        amount=money("115.00"),
        by_date=date(2026, 3, 9),
        data={"n": 1, "yes": True, "text": "1"},
        inputs={"inv-1.status": "approved"},
        contact=True,
    )
    return ActionRow(
        id=actions.action_id(ORG, decision.key), organisation_id=ORG, key=decision.key, customer_id=customer_id,
        state="proposed", content_hash=content, decision=decision, effects=(note(), note("inv-2")),
        preview={"subject": "Žádost", "text": "Dear Bo"}, role="staff", created_at=NOON, expires_at=FIVE_DAYS,
        decided_by="", decided_at=None, reason="", until=None, policy_version="p1", mapping_version="m1",
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _connected(database: Database) -> None:
    with database.writing(TENANT) as tx:
        organisations.add(tx, organisation("org-1", timezone="Pacific/Auckland"), "c", NOON.date())


def propose(database: Database, row: ActionRow) -> str:
    with database.writing(TENANT) as tx:
        return actions.propose(tx, ORG, row)


def get(database: Database, row: ActionRow) -> ActionRow:
    with database.reading(TENANT) as tx:
        return actions.get(tx, row.id)


def approve(database: Database, row: ActionRow, content: str = "hash-1") -> bool:
    with database.writing(TENANT) as tx:
        return actions.approve(tx, row.id, content, "Ann", tx.now)


def kinds(database: Database, row: ActionRow) -> list[str]:
    with database.reading(TENANT) as tx:
        return [entry.kind.removeprefix("action.") for entry in timeline.entries(tx, ORG, row.id)]


def test_ids_are_short_and_always_the_same() -> None:
    key = ActionKey(ActionKind.LETTER, "c1", "inv-1:2")
    assert actions.action_id(ORG, key) == "h2frevnjvn"  # people wrote ids down: they outlive every release
    others = [replace(key, target="c2"), replace(key, occasion="inv-1:3"), replace(key, kind=ActionKind.CALL)]
    found = {actions.action_id(ORG, other) for other in (key, *others)} | {actions.action_id("xero:org-2", key)}
    assert len(found) == 5
    assert all(len(one) == actions.ID_LENGTH and one.isalnum() and one.islower() for one in found)


class TestPropose:
    def test_comes_back_exactly(self, database: Database) -> None:
        row = proposal()
        assert propose(database, row) == "new"
        assert get(database, row) == row

    def test_the_same_again_is_unchanged(self, database: Database, clock: FakeClock) -> None:
        row = proposal()
        propose(database, row)
        clock.advance(days=1)
        again = replace(row, created_at=clock.now(), expires_at=FIVE_DAYS + timedelta(days=1))
        assert propose(database, again) == "unchanged"
        assert get(database, row) == row  # repeating a proposal does not prolong it
        assert kinds(database, row) == ["proposed"]

    def test_same_content_on_other_facts_is_measured_against_the_new_facts(self, database: Database) -> None:
        row = proposal()
        propose(database, row)
        moved = replace(row.decision, inputs={"inv-1.status": "approved", "collectable": "11400"})
        assert propose(database, replace(row, decision=moved, policy_version="p2")) == "unchanged"
        assert (get(database, row).decision, get(database, row).policy_version) == (moved, "p2")

    def test_other_content_must_be_approved_anew(self, database: Database) -> None:
        row = proposal()
        propose(database, row)
        assert propose(database, proposal(content="hash-2")) == "changed"
        assert not approve(database, row, "hash-1")
        assert approve(database, row, "hash-2")
        assert kinds(database, row) == ["proposed", "changed", "approved"]

    @pytest.mark.parametrize("settled", ["", "done"])
    def test_what_was_approved_or_done_stands(self, database: Database, settled: str) -> None:
        row = proposal()
        propose(database, row)
        approve(database, row)
        if settled:
            with database.writing(TENANT) as tx:
                actions.settle(tx, row.id, settled, tx.now)
        before = get(database, row)
        assert propose(database, proposal(content="hash-2")) == "standing"
        assert get(database, row) == before

    @pytest.mark.parametrize("settled", ["withdrawn", "expired", "cancelled"])
    def test_what_fell_away_may_come_back(self, database: Database, clock: FakeClock, settled: str) -> None:
        row = proposal()
        propose(database, row)
        with database.writing(TENANT) as tx:
            actions.settle(tx, row.id, settled, tx.now)
        clock.advance(days=1)
        fresh = replace(proposal(content="hash-2"), created_at=clock.now())
        assert propose(database, fresh) == "new"
        assert get(database, row) == fresh

    def test_what_ran_out_comes_back_with_a_new_term(self, database: Database, clock: FakeClock) -> None:
        row = proposal()
        propose(database, row)
        clock.set(FIVE_DAYS)
        assert not approve(database, row)
        fresh = replace(row, created_at=clock.now(), expires_at=FIVE_DAYS + timedelta(days=5))
        assert propose(database, fresh) == "new"
        assert approve(database, row)

    def test_a_rejection_holds_until_its_day_at_the_organisations_place(
        self, database: Database, clock: FakeClock
    ) -> None:
        row = replace(proposal(), expires_at=None)
        propose(database, row)
        with database.writing(TENANT) as tx:
            actions.reject(tx, row.id, "Ann", tx.now, "on holiday", date(2026, 3, 10))
        clock.set(datetime(2026, 3, 9, 10, 59, tzinfo=UTC))  # 23:59 on the 9th in Auckland
        assert propose(database, row) == "standing"
        assert get(database, row).state == "rejected"
        clock.set(datetime(2026, 3, 9, 11, 0, tzinfo=UTC))
        assert propose(database, row) == "new"
        assert (get(database, row).decided_by, get(database, row).reason, get(database, row).until) == ("", "", None)

    def test_a_rejection_for_good(self, database: Database, clock: FakeClock) -> None:
        row = proposal()
        propose(database, row)
        with database.writing(TENANT) as tx:
            actions.reject(tx, row.id, "Ann", tx.now, "never", None)
        clock.advance(days=4000)
        assert propose(database, proposal(content="hash-2")) == "standing"


class TestApprove:
    def test_bound_to_content_state_and_time(self, database: Database, clock: FakeClock) -> None:
        row = proposal()
        propose(database, row)
        assert not approve(database, row, "other")
        clock.set(FIVE_DAYS)
        assert not approve(database, row)
        clock.set(FIVE_DAYS - timedelta(seconds=1))
        assert approve(database, row)
        assert not approve(database, row)  # once
        found = get(database, row)
        assert (found.state, found.decided_by, found.decided_at) == ("approved", "Ann", clock.now())
        assert kinds(database, row) == ["proposed", "approved"]

    def test_only_proposals_are_rejected(self, database: Database) -> None:
        row = proposal()
        propose(database, row)
        approve(database, row)
        with database.writing(TENANT) as tx, pytest.raises(Refused, match="approved"):
            actions.reject(tx, row.id, "Ann", tx.now, "no", None)
        assert get(database, row).state == "approved"


LEGAL = {
    "proposed": {"done", "cancelled", "expired", "withdrawn"},
    "approved": {"done", "cancelled"},
    "rejected": set(),
    "withdrawn": set(),
    "expired": set(),
    "done": {"approved"},
    "cancelled": {"done", "approved"},
}


@pytest.mark.parametrize("source", list(LEGAL))
def test_settling(database: Database, source: str) -> None:
    for target in LEGAL:
        row = proposal(f"{source}-{target}")
        propose(database, row)
        with database.writing(TENANT) as tx:
            if source == "approved":
                actions.approve(tx, row.id, "hash-1", "Ann", tx.now)
            elif source == "rejected":
                actions.reject(tx, row.id, "Ann", tx.now, "no", None)
            elif source != "proposed":
                actions.settle(tx, row.id, source, tx.now)
            before = len(timeline.entries(tx, ORG, row.id))
            try:
                actions.settle(tx, row.id, target, tx.now)
                allowed = True
            except Refused:
                allowed = False
            assert allowed == (target in LEGAL[source] or target == source)
            assert actions.get(tx, row.id).state == (target if allowed else source)
            assert len(timeline.entries(tx, ORG, row.id)) == before + (target in LEGAL[source])


class TestWithdraw:
    def test_what_the_plan_did_not_renew(self, database: Database) -> None:
        renewed, gone, other = proposal("a"), proposal("b"), proposal("c", customer_id="c2")
        approved = proposal("d")
        for row in (renewed, gone, other, approved):
            propose(database, row)
        approve(database, approved)
        with database.writing(TENANT) as tx:
            assert actions.withdraw_unrenewed(tx, ORG, {renewed.id}, {"c1"}) == 1
            assert {row.id for row in actions.listing(tx, ORG, "proposed")} == {renewed.id, other.id}
            assert actions.withdraw_unrenewed(tx, "xero:org-2", set(), None) == 0
            assert actions.withdraw_unrenewed(tx, ORG, set(), None) == 2
        assert get(database, approved).state == "approved"
        assert kinds(database, gone) == ["proposed", "withdrawn"]


class TestQuestions:
    def test_find_and_listing(self, database: Database, clock: FakeClock) -> None:
        first, second = proposal("a"), proposal("b")
        propose(database, first)
        clock.advance(seconds=1)
        propose(database, replace(second, created_at=clock.now()))
        with database.reading(TENANT) as tx:
            assert actions.find(tx, first.id[:6].upper()).id == first.id
            assert [row.id for row in actions.listing(tx, None)] == [first.id, second.id]
            assert actions.listing(tx, ORG, "approved", "done") == ()
            for nothing in ("", "!!", "%"):
                with pytest.raises(NotFound):
                    actions.find(tx, nothing)
            with pytest.raises(NotFound):
                actions.get(tx, "nothing")
        with database.reading("firm-b") as tx:
            assert actions.listing(tx, None) == ()

    def test_ambiguous_beginnings(self, database: Database) -> None:
        rows = [proposal(str(n)) for n in range(40)]
        for row in rows:
            propose(database, row)
        letters = [row.id[0] for row in rows]
        twice = next(letter for letter in letters if letters.count(letter) > 1)
        with database.reading(TENANT) as tx, pytest.raises(Refused, match="several"):
            actions.find(tx, twice)

    def test_what_became_of_earlier_actions(self, database: Database, clock: FakeClock) -> None:
        clock.set(datetime(2026, 3, 2, 11, 30, tzinfo=UTC))  # already the 3rd in Auckland
        waiting, approved, done, rejected, cancelled = (proposal(o) for o in ("w", "a", "d", "r", "c"))
        other = proposal("a", customer_id="c2")
        for row in (waiting, approved, done, rejected, cancelled, other):
            propose(database, row)
        for row in (approved, done, cancelled, other):
            assert approve(database, row)
        clock.advance(days=1)
        with database.writing(TENANT) as tx:
            actions.settle(tx, done.id, "done", tx.now)
            actions.settle(tx, cancelled.id, "cancelled", tx.now)
            actions.reject(tx, rejected.id, "Ann", tx.now, "no", date(2026, 4, 1))
            third, fourth = date(2026, 3, 3), date(2026, 3, 4)
            expected = {
                approved.key: Acted(approved.key, ActedState.APPROVED, third),
                done.key: Acted(done.key, ActedState.DONE, fourth),
                rejected.key: Acted(rejected.key, ActedState.REJECTED, fourth, date(2026, 4, 1)),
                cancelled.key: Acted(cancelled.key, ActedState.CANCELLED, fourth),
            }
            assert actions.acted(tx, ORG, "c1") == expected
            assert actions.acted_all(tx, ORG) == {
                "c1": expected,
                "c2": {other.key: Acted(other.key, ActedState.APPROVED, third)},
            }
            assert actions.acted(tx, ORG, "nobody") == {}

    def test_policies_are_kept_by_hash(self, tx: Tx) -> None:
        assert actions.get_policy(tx, "h") is None
        actions.save_policy(tx, "h", "ladder: []")
        actions.save_policy(tx, "h", "something else")  # a version never changes
        assert actions.get_policy(tx, "h") == "ladder: []"


def test_two_people_approve_and_one_wins(database: Database) -> None:
    row = proposal()
    propose(database, row)
    assert [approve(database, row), approve(database, row)] == [True, False]
