"""The timeline: every tampering is found and located."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from connector.store import timeline
from connector.store.db import Database, Tx
from connector.store.schema import timeline_entry, timeline_head
from connector.store.timeline import Problem
from tests.builders import money
from tests.fakes import NOON, FakeClock
from tests.store.conftest import TENANT


def fill(database: Database, count: int = 6) -> None:
    for number in range(1, count + 1):
        with database.writing(TENANT) as tx:
            timeline.append(
                tx, "org", "thing.done", f"s{number}", "Ann", {"n": number, "customer_id": f"c{number % 2}"}
            )


def verify(database: Database) -> list[Problem]:
    with database.reading(TENANT) as tx:
        return timeline.verify(tx)


def change(place: int, /, **values: object) -> Callable[[Tx], None]:
    return lambda tx: _execute(tx, sa.update(timeline_entry).where(timeline_entry.c.number == place).values(values))


def delete(*numbers: int) -> Callable[[Tx], None]:
    return lambda tx: _execute(tx, sa.delete(timeline_entry).where(timeline_entry.c.number.in_(numbers)))


def swap(first: int, second: int) -> Callable[[Tx], None]:
    def both(tx: Tx) -> None:
        for source, target in ((first, 1000), (second, first), (1000, second)):
            change(source, number=target)(tx)

    return both


def head(**values: object) -> Callable[[Tx], None]:
    return lambda tx: _execute(tx, sa.update(timeline_head).values(values))


def _execute(tx: Tx, statement: sa.Executable) -> None:
    tx.connection.execute(statement)


def test_entries_come_back(tx: Tx) -> None:
    body = {"until": date(2026, 3, 4), "amount": money("1.50"), "rate": Decimal("0.10"), "why": "naïve \x00 \ud800"}
    timeline.append(tx, "org", "case.put", "rec-1", "Zoë", body)
    (entry,) = timeline.entries(tx)
    assert (entry.number, entry.organisation_id, entry.at, entry.kind) == (1, "org", NOON, "case.put")
    assert (entry.subject, entry.actor) == ("rec-1", "Zoë")
    assert entry.body == (
        '{"amount":{"amount":"1.50","currency":"NZD"},"rate":"0.10","until":"2026-03-04",'
        '"why":"na\\u00efve \\u0000 \\ud800"}'
    )
    with pytest.raises(TypeError, match="has no place"):
        timeline.append(tx, "org", "bad", "x", "y", {"object": object()})


def test_a_whole_chain_verifies(database: Database, clock: FakeClock) -> None:
    assert verify(database) == []
    fill(database, 3)
    clock.advance(days=400, seconds=0.000001)
    fill(database, 3)
    with database.writing(TENANT) as tx:
        for number in range(5_000):  # many in one transaction, read in several fetches
            timeline.append(tx, "org", "bulk", str(number), "dunwell", {})
        assert timeline.verify(tx) == []
    assert verify(database) == []
    with database.reading(TENANT) as tx:
        assert [entry.number for entry in timeline.entries(tx)] == list(range(1, 5_007))


def test_filters(database: Database) -> None:
    fill(database)
    with database.writing(TENANT) as tx:
        timeline.append(tx, "other", "thing.done", "s1", "Ann", {})
    with database.reading(TENANT) as tx:
        assert [e.number for e in timeline.entries(tx, "org", "s1")] == [1]
        assert [e.number for e in timeline.entries(tx, subject="s1")] == [1, 7]
        assert [e.number for e in timeline.entries(tx, "org", "c1")] == [1, 3, 5]
    with database.reading("other-tenant") as tx:
        assert timeline.entries(tx) == ()


def test_what_is_rolled_back_leaves_no_trace(database: Database) -> None:
    fill(database, 2)

    def step() -> None:
        with database.writing(TENANT) as tx:
            timeline.append(tx, "org", "lost", "x", "Ann", {})
            raise KeyError

    with pytest.raises(KeyError):
        step()
    fill(database, 1)
    assert verify(database) == []
    with database.reading(TENANT) as tx:
        assert [e.kind for e in timeline.entries(tx)] == ["thing.done"] * 3


@pytest.mark.parametrize(
    ("tamper", "places"),
    [
        (change(3, body='{"n":30}'), [3]),
        (change(3, actor="Bob"), [3]),
        (change(3, kind="thing.undone"), [3]),
        (change(3, subject="s4"), [3]),
        (change(3, organisation_id="elsewhere"), [3]),
        (change(3, customer_id="c9"), [3]),
        (change(3, at=NOON.replace(year=2025)), [3]),
        (change(3, hash="f" * 64), [3, 4]),
        (change(6, body="{}"), [6]),
        (change(6, hash="f" * 64), [6, 6]),
        (delete(3), [3]),
        (delete(2, 3, 4), [2]),
        (delete(1), [1]),
        (delete(6), [6]),
        (delete(4, 5, 6), [4]),
        (delete(1, 2, 3, 4, 5, 6), [1]),
        (swap(2, 5), [2, 3, 5, 6]),
        (swap(3, 4), [3, 4, 5]),
        (head(number=4), [5]),
        (head(number=9), [7]),
        (head(hash="f" * 64), [6]),
        (lambda tx: _execute(tx, sa.delete(timeline_head)), [6]),
    ],
)
def test_every_tampering_is_located(database: Database, tamper: Callable[[Tx], None], places: list[int]) -> None:
    fill(database)
    with database.writing(TENANT) as tx:
        tamper(tx)
    assert [problem.number for problem in verify(database)] == places


def test_problems_say_what_is_wrong(database: Database) -> None:
    fill(database)
    with database.writing(TENANT) as tx:
        delete(2, 3)(tx)
        change(5, actor="Bob")(tx)
    assert [str(problem) for problem in verify(database)] == [
        "entries 2 to 3 are missing",
        "entry 5 was changed, or does not follow from the entry before it",
    ]


def test_an_entry_of_another_tenant_does_not_fit(database: Database) -> None:
    fill(database)
    with database.writing("firm-b") as tx:
        timeline.append(tx, "org", "thing.done", "s1", "Ann", {"n": 1, "customer_id": "c1"})
    with database.writing(TENANT) as tx:
        own = sa.and_(timeline_entry.c.tenant == TENANT, timeline_entry.c.number == 1)
        tx.connection.execute(sa.delete(timeline_entry).where(own))
        moved = sa.update(timeline_entry).where(timeline_entry.c.tenant == "firm-b").values(tenant=TENANT)
        tx.connection.execute(moved)
    assert [problem.number for problem in verify(database)] == [1, 2]
