"""A full disk, and a database that was lost: nothing is sent without an intent, and nothing that is marked twice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from connector.domain.cases import TakeOnChoice
from connector.domain.decisions import ActionKind
from connector.domain.effects import EffectKind, EffectState
from connector.errors import StorageFailed
from connector.service import take_on
from connector.service.sync import LEASE_SECONDS
from tests.harness import QUIET, Office

pytestmark = pytest.mark.socket


@contextmanager
def full_disk(office: Office, free_pages: int = 0) -> Iterator[None]:
    """The database can grow by so many pages (of 8 KiB) and no more; room inside its pages is still used."""
    engine = office.w.db.engine
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def limit(raw: Any, *_: object) -> None:
        raw.execute(f"PRAGMA max_page_count={pages + free_pages}")

    engine.dispose()
    sa.event.listen(engine, "connect", limit)
    try:
        yield
    finally:
        sa.event.remove(engine, "connect", limit)
        engine.dispose()


@pytest.mark.parametrize("free_pages", [0, 1])
def test_a_full_disk_is_named_and_nothing_leaves_without_its_intent(office: Office, free_pages: int) -> None:
    office.five_cases()
    with full_disk(office, free_pages):
        with pytest.raises(StorageFailed, match="disk that holds the database is full") as failed:
            office.apply()
        assert "nothing is sent" in failed.value.not_done
        assert "free some space" in failed.value.next_step
    intended = [row for row in office.effects() if row.attempt]
    happened = [row for row in office.effects() if office.happened(row)]
    assert {row.effect.key for row in happened} <= {row.effect.key for row in intended}
    assert len(happened) < len(office.effects())  # the disk was full in the midst of it

    office.wait(LEASE_SECONDS + QUIET)
    office.apply()
    office.wait(QUIET)
    office.apply()
    for row in office.effects():
        assert office.happened(row) == (row.state is EffectState.DONE), row
    assert set(office.states()) <= {"done", "human", "planned"}
    assert office.states()["done"] >= 10


def lose_the_database(office: Office, *, letters: bool) -> None:
    """Somebody deleted it; with `letters`, the folder of sent letters too."""
    office.w.db.close()
    for path in (office.folder / ".dunwell").glob("dunwell.db*"):
        path.unlink()
    if letters:
        shutil.rmtree(office.folder / ".dunwell" / "letters")


@pytest.mark.parametrize("letters_lost", [False, True])
def test_a_rebuilt_database_finds_what_the_lost_one_did(office: Office, letters_lost: bool) -> None:
    """The rebuilt one comes to the same act about the same invoice."""
    office.invoice("INV-5", "Letter Ltd")
    office.pull()
    office.reconciled()
    (first,) = office.approve(ActionKind.REINVOICE)
    office.apply()
    assert office.states() == {"done": 3}
    written = len(office.truth())
    lose_the_database(office, letters=letters_lost)

    with office.again() as rebuilt:
        rebuilt.connect()
        rebuilt.take_on()
        rebuilt.reconciled()
        rebuilt.force(first)  # the policy may ask for a statement first; the outbox must be right whatever it asks for
        rebuilt.apply()
        assert rebuilt.states() == {"done": 3}
        assert len(rebuilt.truth()) == written, "a mark of the lost database was not recognised"
        assert len(rebuilt.letters()) == (0 if letters_lost else 1), "the letter left a second time"
        receipt = rebuilt.effect(EffectKind.NOTE).receipt
        assert receipt is not None
        assert receipt.found


def test_what_is_younger_than_the_database_is_written_without_looking_first(office: Office) -> None:
    """The look costs a call: it is made only for what an earlier database may have known."""
    office.invoice("INV-5", "Letter Ltd")
    office.pull()
    office.reconciled()
    office.approve(ActionKind.REINVOICE)
    office.apply()
    assert not [route for route in office.look("calls")["by_route"] if route.startswith("GET") and "History" in route]


def test_a_look_that_fails_sends_nothing(office: Office) -> None:
    office.invoice("INV-5", "Letter Ltd", date="2026-01-20", due="2026-02-27")
    office.pull()
    office.reconciled()
    take_on.sort(office.w, office.row, [], TakeOnChoice.CHASE)
    office.approve(ActionKind.STATEMENT)
    office.order("faults", {"match": {"method": "GET", "path": "/History$"}, "action": {"do": "reset"}, "times": 4})
    office.apply()
    assert (office.letters(), office.truth()) == ([], [])
    assert office.effect(EffectKind.LETTER).state is EffectState.PLANNED
    office.wait(301)
    office.apply()
    assert office.states() == {"done": 2}
