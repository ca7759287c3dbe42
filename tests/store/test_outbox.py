"""The outbox: every legal way, every illegal one, one in flight per target, and nothing after a stranger's hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connector.domain.decisions import TargetKind
from connector.domain.effects import (
    Effect,
    EffectKind,
    EffectState,
    Note,
    Prepared,
    Receipt,
    Schedule,
    ScheduleLine,
    effect_key,
)
from connector.errors import NotFound, Refused
from connector.store import leases, outbox, schema, timeline
from connector.store.db import Database, Tx
from tests.builders import money
from tests.fakes import NOON, FakeClock
from tests.store.conftest import TENANT, Open

ORG = "xero:org-1"
PREPARED = Prepared("PUT", "/Invoices/inv-1/History", b"\x00{bytes}\xff", "application/json", "vendor-1")
RECEIPT = Receipt("ref-1", "200", found=True)
S = EffectState


def note(target: str = "inv-1", occasion: str = "level-2", text: str = "Reminder sent", *after: str) -> Effect:
    key = effect_key("xero", "org-1", "note", target, occasion)
    return Effect(key, EffectKind.NOTE, TargetKind.INVOICE, target, occasion, Note(text), after=after)


def plan(tx: Tx, *effects: Effect) -> list[str]:
    return list(outbox.add(tx, ORG, "action-1", effects or [note()]))


def state(tx: Tx, key: str) -> EffectState:
    return outbox.get(tx, key).state


def begin(tx: Tx, key: str, epoch: int = 1) -> int:
    assert outbox.start(tx, key, epoch, PREPARED, tx.now)
    return outbox.get(tx, key).attempt


def bring(tx: Tx, key: str, wanted: EffectState) -> int:
    """By legal steps to that state; its attempt."""
    if wanted is S.PLANNED:
        return 0
    if wanted is S.CANCELLED:
        assert outbox.finish(tx, key, 0, S.CANCELLED)
        return 0
    attempt = begin(tx, key)
    if wanted is S.HUMAN:
        assert outbox.finish(tx, key, attempt, S.UNKNOWN)
    if wanted is not S.SENDING:
        assert outbox.finish(tx, key, attempt, wanted)
    return attempt


class TestAdd:
    def test_comes_back_exactly(self, tx: Tx) -> None:
        lines = (ScheduleLine(1, date(2026, 4, 1), money("10.50")),)
        schedule = Schedule("plan-1", 2, lines, b"%PDF-1.7\xff\x00\x80")
        key = effect_key("xero", "org-1", "schedule", "inv-1", "plan-1", "2")
        first = Effect(key, EffectKind.SCHEDULE, TargetKind.INVOICE, "inv-1", "plan-1", schedule, "2")
        second = note("inv-1", "plan-1", "Schedule laid beside", key)
        assert plan(tx, first, second) == [first.key, second.key]
        rows = outbox.of_action(tx, "action-1")
        assert [row.effect for row in rows] == [first, second]
        row = rows[0]
        assert (row.organisation_id, row.state, row.attempt, row.prepared) == (ORG, S.PLANNED, 0, None)
        assert (row.hold, row.receipt, row.created_at) == (False, None, NOON)

    def test_the_same_again_is_nothing(self, tx: Tx) -> None:
        (key,) = plan(tx)
        before = outbox.get(tx, key)
        assert plan(tx) == []
        assert outbox.get(tx, key) == before

    @pytest.mark.parametrize("reached", [S.PLANNED, S.SENDING, S.UNKNOWN, S.HUMAN, S.DONE])
    def test_the_same_never_restarts_anything(self, tx: Tx, reached: EffectState) -> None:
        (key,) = plan(tx)
        bring(tx, key, reached)
        assert plan(tx) == []
        assert state(tx, key) is reached

    def test_other_content_replaces_what_was_never_started(self, tx: Tx) -> None:
        (key,) = plan(tx, note(text="Reminder sent"))
        assert plan(tx, note(text="Second reminder sent")) == [key]
        assert outbox.get(tx, key).effect.payload == Note("Second reminder sent")
        assert len(outbox.listing(tx, ORG)) == 1

    @pytest.mark.parametrize("reached", [S.SENDING, S.UNKNOWN, S.HUMAN, S.DONE])
    def test_other_content_is_refused_after_that(self, tx: Tx, reached: EffectState) -> None:
        (key,) = plan(tx)
        bring(tx, key, reached)
        with pytest.raises(Refused, match="other content"):
            plan(tx, note(text="Reworded"))
        assert outbox.get(tx, key).effect.payload == Note("Reminder sent")

    def test_other_content_is_refused_after_an_attempt_that_was_not_sent(self, tx: Tx) -> None:
        (key,) = plan(tx)
        outbox.back(tx, key, begin(tx, key), "no connection")
        with pytest.raises(Refused, match="other content"):
            plan(tx, note(text="Reworded"))

    @pytest.mark.parametrize("text", ["Reminder sent", "Reworded"])
    def test_what_was_cancelled_may_be_planned_again(self, tx: Tx, text: str) -> None:
        (key,) = plan(tx)
        bring(tx, key, S.CANCELLED)
        assert outbox.due(tx, ORG, NOON) == ()
        assert plan(tx, note(text=text)) == [key]
        assert [row.effect.payload for row in outbox.due(tx, ORG, NOON)] == [Note(text)]

    @pytest.mark.parametrize("text", ["Reminder sent", "Reworded"])
    def test_what_was_refused_may_be_approved_anew_as_a_new_request(self, tx: Tx, text: str) -> None:
        (key,) = plan(tx)
        bring(tx, key, S.REJECTED)
        assert plan(tx, note(text=text)) == [key]
        (row,) = outbox.due(tx, ORG, NOON)
        assert (row.effect.payload, row.prepared) == (Note(text), None)
        assert row.attempt > 0, "the attempts number the vendor keys: they must go on counting"

    def test_a_cancelled_one_keeps_its_request_for_the_same_content_only(self, tx: Tx) -> None:
        (key,) = plan(tx)
        outbox.back(tx, key, begin(tx, key), "not sent")
        outbox.finish(tx, key, 1, S.CANCELLED)
        plan(tx)
        assert outbox.get(tx, key).prepared == PREPARED
        outbox.finish(tx, key, 1, S.CANCELLED)
        plan(tx, note(text="Reworded"))
        assert outbox.get(tx, key).prepared is None

    def test_waiting_for_an_unknown_effect_is_refused(self, tx: Tx) -> None:
        with pytest.raises(Refused, match="does not exist"):
            plan(tx, note("inv-1", "x", "text", "no-such-key"))
        assert outbox.listing(tx, None) == ()


LEGAL = {
    S.PLANNED: {S.CANCELLED},
    S.SENDING: {S.DONE, S.REJECTED, S.UNKNOWN, S.PLANNED},
    S.UNKNOWN: {S.DONE, S.HUMAN, S.PLANNED},
    S.HUMAN: {S.DONE, S.CANCELLED, S.PLANNED},
    S.DONE: set(),
    S.REJECTED: {S.CANCELLED},
    S.CANCELLED: set(),
}


class TestTransitions:
    @pytest.mark.parametrize("source", list(S))
    def test_exactly_the_legal_ones(self, database: Database, source: EffectState) -> None:
        for target in S:
            with database.writing(TENANT) as tx:
                (key,) = plan(tx, note(f"inv-{source}-{target}"))
                attempt = bring(tx, key, source)
                before = len(timeline.entries(tx, subject=key))
                legal = target in LEGAL[source]
                assert self._try(tx, key, attempt, source, target) is (legal or (False if source is target else None))
                assert state(tx, key) is (target if legal else source)
                assert len(timeline.entries(tx, subject=key)) == before + legal  # one entry per change, none otherwise

    @staticmethod
    def _try(tx: Tx, key: str, attempt: int, source: EffectState, target: EffectState) -> bool | None:
        """None = refused."""
        try:
            if target is S.PLANNED and source is not S.PLANNED:
                return outbox.back(tx, key, attempt, "not sent")
            return outbox.finish(tx, key, attempt, target, receipt=RECEIPT)
        except Refused:
            return None

    @pytest.mark.parametrize("source", [s for s in S if s is not S.PLANNED])
    def test_only_what_is_planned_starts(self, tx: Tx, source: EffectState) -> None:
        (key,) = plan(tx)
        attempt = bring(tx, key, source)
        assert not outbox.start(tx, key, 2, PREPARED, NOON)
        assert (state(tx, key), outbox.get(tx, key).attempt) == (source, attempt)

    def test_a_start_freezes_the_request(self, tx: Tx) -> None:
        (key,) = plan(tx)
        outbox.postpone(tx, key, "window", NOON)
        assert outbox.start(tx, key, 7, PREPARED, NOON)
        row = outbox.get(tx, key)
        assert (row.state, row.attempt, row.epoch, row.t_send, row.prepared) == (S.SENDING, 1, 7, NOON, PREPARED)
        assert (row.reason, row.not_before) == ("", None)

    def test_done_keeps_its_receipt(self, tx: Tx) -> None:
        (key,) = plan(tx)
        outbox.finish(tx, key, begin(tx, key), S.DONE, receipt=RECEIPT)
        assert outbox.get(tx, key).receipt == RECEIPT
        assert outbox.receipts(tx, [key, "other"]) == {key: RECEIPT}
        assert outbox.states(tx, [key, "other"]) == {key: S.DONE}

    def test_who_was_overtaken_changes_nothing(self, tx: Tx) -> None:
        (key,) = plan(tx)
        late = begin(tx, key)
        outbox.finish(tx, key, late, S.UNKNOWN)
        outbox.back(tx, key, late, "not found", new_vendor_key="vendor-2")
        assert begin(tx, key) == late + 1
        assert not outbox.finish(tx, key, late, S.DONE, receipt=RECEIPT)
        assert not outbox.finish(tx, key, late, S.REJECTED)
        assert not outbox.back(tx, key, late, "late")
        assert (state(tx, key), outbox.get(tx, key).receipt) == (S.SENDING, None)

    def test_an_answer_after_the_probe_found_it_is_not_an_error(self, tx: Tx) -> None:
        (key,) = plan(tx)
        attempt = begin(tx, key)
        outbox.finish(tx, key, attempt, S.UNKNOWN)
        outbox.finish(tx, key, attempt, S.DONE, receipt=RECEIPT)
        assert not outbox.finish(tx, key, attempt, S.DONE, receipt=Receipt("late"))
        assert outbox.get(tx, key).receipt == RECEIPT

    def test_the_vendor_key_changes_only_when_told(self, tx: Tx) -> None:
        (key,) = plan(tx)
        outbox.back(tx, key, begin(tx, key), "429", not_before=NOON)
        assert outbox.get(tx, key).prepared == PREPARED
        attempt = begin(tx, key)
        outbox.finish(tx, key, attempt, S.UNKNOWN)
        outbox.back(tx, key, attempt, "not found", new_vendor_key="vendor-2")
        assert outbox.get(tx, key).prepared == replace(PREPARED, key="vendor-2")

    def test_a_refused_one_is_tried_again_by_a_person_only(self, tx: Tx) -> None:
        (key,) = plan(tx)
        attempt = bring(tx, key, S.REJECTED)
        with pytest.raises(Refused):
            outbox.back(tx, key, attempt, "no")
        assert outbox.retry(tx, key, attempt, "vendor-2", "Ann")
        assert state(tx, key) is S.PLANNED
        assert timeline.entries(tx, subject=key)[-1].actor == "Ann"
        with pytest.raises(Refused):
            outbox.retry(tx, key, attempt, "vendor-3", "Ann")

    def test_unknown_keys(self, tx: Tx) -> None:
        for step in (
            lambda: outbox.get(tx, "k"),
            lambda: outbox.finish(tx, "k", 1, S.DONE),
            lambda: outbox.back(tx, "k", 1, ""),
            lambda: outbox.start(tx, "k", 1, PREPARED, NOON),
            lambda: outbox.find(tx, "k"),
            lambda: outbox.find(tx, ""),
        ):
            with pytest.raises(NotFound):
                step()


class TestOneInFlightPerTarget:
    @pytest.mark.parametrize("flying", [S.SENDING, S.UNKNOWN])
    def test_the_second_waits(self, tx: Tx, flying: EffectState) -> None:
        first, second, elsewhere = plan(tx, note("i", "a"), note("i", "b"), note("j", "a"))
        attempt = bring(tx, first, flying)
        assert not outbox.start(tx, second, 1, PREPARED, NOON)
        assert outbox.start(tx, elsewhere, 1, PREPARED, NOON)
        outbox.finish(tx, first, attempt, S.DONE, receipt=RECEIPT)
        assert outbox.start(tx, second, 1, PREPARED, NOON)

    def test_the_database_itself_refuses_a_second(self, tx: Tx) -> None:
        first, second = plan(tx, note("i", "a"), note("i", "b"))
        begin(tx, first)
        forced = sa.update(schema.effect).where(schema.effect.c.key == second).values(state="unknown")
        with pytest.raises(sa.exc.IntegrityError), tx.connection.begin_nested():
            tx.connection.execute(forced)

    def test_another_organisation_is_another_target(self, tx: Tx) -> None:
        (first,) = plan(tx, note("i", "a"))
        begin(tx, first)
        other = replace(note("i", "a"), key=effect_key("xero", "org-2", "note", "i", "a"))
        outbox.add(tx, "xero:org-2", "action-2", [other])
        assert outbox.start(tx, other.key, 1, PREPARED, NOON)

    def test_of_two_processes_one_starts(self, database: Database, open_database: Open) -> None:
        with database.writing(TENANT) as tx:
            (key,) = plan(tx)
        started = []
        for handle in (database, open_database()):
            with handle.writing(TENANT) as tx:
                started.append(outbox.start(tx, key, 1, PREPARED, NOON))
        assert started == [True, False]


class TestDue:
    def keys(self, tx: Tx, org_id: str = ORG) -> list[str]:
        return [row.effect.key for row in outbox.due(tx, org_id, tx.clock.now())]

    def test_oldest_first_and_only_this_organisation(self, database: Database, clock: FakeClock) -> None:
        with database.writing(TENANT) as tx:
            first = plan(tx, note("b"), note("a"))
        clock.advance(minutes=1)
        with database.writing(TENANT) as tx:
            second = list(outbox.add(tx, ORG, "action-0", [note("0")]))
            outbox.add(tx, "xero:other", "x", [replace(note("z"), key="ff")])
        with database.reading(TENANT) as tx:
            assert self.keys(tx) == first + second
            assert self.keys(tx, "xero:other") == ["ff"]
        with database.reading("firm-b") as tx:
            assert self.keys(tx) == []

    def test_a_later_time_and_a_hold_are_waited_for(self, tx: Tx, clock: FakeClock) -> None:
        late, held, free = plan(tx, note("a"), note("b"), note("c"))
        outbox.postpone(tx, late, "outside the contact window", NOON + timedelta(hours=1))
        outbox.set_hold(tx, held, hold=True, reason="owner asked")
        assert self.keys(tx) == [free]
        assert not outbox.start(tx, late, 1, PREPARED, NOON)
        assert not outbox.start(tx, held, 1, PREPARED, NOON)
        clock.advance(hours=1)
        outbox.set_hold(tx, held, hold=False, reason="")
        assert self.keys(tx) == [late, held, free]

    def test_only_what_is_planned_is_postponed_or_held(self, tx: Tx) -> None:
        (key,) = plan(tx)
        begin(tx, key)
        with pytest.raises(Refused):
            outbox.postpone(tx, key, "later", NOON)
        with pytest.raises(Refused):
            outbox.set_hold(tx, key, hold=True, reason="stop")

    @pytest.mark.parametrize("reached", [s for s in S if s is not S.DONE])
    def test_a_report_waits_until_the_act_is_done(self, tx: Tx, reached: EffectState) -> None:
        act = note("cust", "letter")
        first, report = plan(tx, act, note("inv", "letter", "Reminder sent", act.key))
        attempt = bring(tx, first, reached)
        assert report not in self.keys(tx)
        assert not outbox.start(tx, report, 1, PREPARED, NOON)
        if reached in {S.SENDING, S.UNKNOWN, S.HUMAN}:
            outbox.finish(tx, first, attempt, S.DONE, receipt=RECEIPT)
            assert self.keys(tx) == [report]

    def test_served_by_the_partial_index(self, database: Database) -> None:
        with database.writing(TENANT) as tx:
            finished = [note(str(n)) for n in range(600)]
            plan(tx, *finished)
            tx.connection.execute(sa.update(schema.effect).values(state="done"))
            plan(tx, note("one"))
        with database.writing(TENANT) as tx:
            tx.connection.exec_driver_sql("ANALYZE")
        asked: list[tuple[str, Any]] = []

        @sa.event.listens_for(database.engine, "before_cursor_execute")
        def watch(_c: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
            asked.append((statement, parameters))

        with database.reading(TENANT) as tx:
            assert len(outbox.due(tx, ORG, NOON)) == 1
            (query, parameters) = next(one for one in asked if "FROM effect" in one[0])
            explain = "EXPLAIN" if tx.connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
            steps = tx.connection.exec_driver_sql(f"{explain} {query}", parameters).all()
        assert "ix_effect_due" in str(steps)


class TestDependents:
    def test_cancelled_through_the_whole_chain(self, tx: Tx) -> None:
        a = note("a")
        b = note("b", "level-2", "t", a.key)
        c = note("c", "level-2", "t", b.key, a.key)
        other = note("other")
        plan(tx, a, b, c, other)
        outbox.finish(tx, a.key, 0, S.CANCELLED, reason="drift")
        assert outbox.cancel_dependents(tx, a.key, "nothing to report") == 2
        assert outbox.states(tx, [b.key, c.key, other.key]) == {
            b.key: S.CANCELLED,
            c.key: S.CANCELLED,
            other.key: S.PLANNED,
        }
        assert outbox.get(tx, c.key).reason == "nothing to report"
        assert outbox.cancel_dependents(tx, a.key, "again") == 0

    def test_what_is_under_way_is_left_alone(self, tx: Tx) -> None:
        a = note("a")
        b = note("b", "level-2", "t", a.key)
        plan(tx, a, b)
        outbox.finish(tx, a.key, begin(tx, a.key), S.DONE, receipt=RECEIPT)
        begin(tx, b.key)
        assert outbox.cancel_dependents(tx, a.key, "why") == 0
        assert state(tx, b.key) is S.SENDING


class TestQuestions:
    def test_in_doubt(self, tx: Tx, clock: FakeClock) -> None:
        dead, unknown, alive, _planned = plan(tx, note("a"), note("b"), note("c"), note("d"))
        lease = leases.delivering(ORG)
        first = leases.acquire(tx, lease, "me", 60)
        assert first is not None
        begin(tx, dead, first)
        outbox.finish(tx, unknown, begin(tx, unknown, first), S.UNKNOWN)
        clock.advance(minutes=2)
        second = leases.acquire(tx, lease, "other", 60)
        assert second is not None
        begin(tx, alive, second)
        assert {row.effect.key for row in outbox.in_doubt(tx, ORG)} == {dead, unknown}
        clock.advance(minutes=2)  # nobody holds the lease any more: whoever sent is gone
        assert {row.effect.key for row in outbox.in_doubt(tx, ORG)} == {dead, unknown, alive}

    def test_counts_and_listing(self, tx: Tx) -> None:
        first, second, third = plan(tx, note("a"), note("b"), note("c"))
        outbox.add(tx, "xero:other", "x", [replace(note("z"), key="ff")])
        outbox.finish(tx, second, begin(tx, second), S.DONE)
        assert outbox.counts(tx, ORG) == {(EffectKind.NOTE, S.PLANNED): 2, (EffectKind.NOTE, S.DONE): 1}
        assert outbox.counts(tx, None)[EffectKind.NOTE, S.PLANNED] == 3
        assert [row.effect.key for row in outbox.listing(tx, ORG, S.PLANNED)] == [first, third]
        assert len(outbox.listing(tx, None)) == 4

    def test_find_by_beginning(self, tx: Tx) -> None:
        outbox.add(tx, ORG, "x", [replace(note("y"), key="abc1"), replace(note("z"), key="abd2")])
        assert outbox.find(tx, " ABC ").effect.key == "abc1"
        with pytest.raises(Refused, match="several"):
            outbox.find(tx, "ab")
        with pytest.raises(NotFound):
            outbox.find(tx, "%")

    def test_another_tenant_finds_nothing(self, database: Database) -> None:
        with database.writing("firm-a") as tx:
            (key,) = plan(tx)
        with database.writing("firm-b") as tx:
            with pytest.raises(NotFound):
                outbox.get(tx, key)
            assert outbox.listing(tx, None) == ()
            assert outbox.states(tx, [key]) == {}


def test_every_change_is_on_a_whole_timeline(tx: Tx) -> None:
    (key,) = plan(tx)
    attempt = begin(tx, key)
    outbox.finish(tx, key, attempt, S.UNKNOWN, reason="timeout")
    outbox.back(tx, key, attempt, "not found", new_vendor_key="v2")
    outbox.finish(tx, key, begin(tx, key), S.DONE, receipt=RECEIPT)
    kinds = [entry.kind for entry in timeline.entries(tx, subject=key)]
    assert kinds == [f"effect.{s}" for s in ("planned", "sending", "unknown", "planned", "sending", "done")]
    assert timeline.verify(tx) == []
