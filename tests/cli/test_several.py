"""Several organisations, one of them busy, broken or never read: the others are done, and the exit code tells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connector.bootstrap import open_project
from connector.store import leases, organisations
from tests.cli.conftest import Desk
from tests.harness import scenario

pytestmark = pytest.mark.socket
MINE, OTHER = "Harbour Street Studio", "Harbour Lane"


@pytest.fixture
def two(connected: Desk) -> Desk:
    """Two organisations in one project; the second one was never read."""
    connected.order("scenario", scenario())
    assert connected.connect("-o", OTHER).code == 0
    return connected


@contextmanager
def busy(desk: Desk, what: str, name: str = MINE) -> Iterator[None]:
    """Another process works on this organisation."""
    with open_project(desk.folder) as w:
        with w.db.writing(w.tenant) as tx:
            lease = f"{what}:{organisations.find(tx, name).id}"
            epoch = leases.acquire(tx, lease, "box:4711:abc", 120)
        assert epoch is not None
        yield
        with w.db.writing(w.tenant) as tx:
            leases.release(tx, lease, epoch)


def test_a_busy_organisation_keeps_no_other_from_being_read(two: Desk) -> None:
    with busy(two, "pull"):
        answer = two.run("pull")
        told = two.run("pull", "--json")
    assert (answer.code, told.code) == (1, 1)
    assert answer.out.startswith(OTHER)
    assert f"process 4711 on box, since 2026-11-24 10:00 [{MINE}]" in answer.err
    assert [one["name"] for one in told.json["organisations"]] == [OTHER]
    assert told.json["error"]["record"] == MINE


def test_a_busy_organisation_keeps_no_other_from_being_delivered(two: Desk) -> None:
    two.ok("pull", OTHER)
    with busy(two, "deliver"):
        answer = two.run("apply", "-o", OTHER)
        assert (answer.code, answer.out) == (0, "nothing was due\n")
        both = two.run("apply", "--json")
        turn = two.run("run", "--once", "--json")
        alone = two.refused("apply", "-o", MINE)
    assert (both.code, both.json["effects"], both.json["error"]["type"]) == (1, [], "Busy")
    assert (turn.code, [one["name"] for one in turn.json["pulled"]]) == (1, [OTHER])
    assert "process 4711 on box" in alone


def test_people_read_the_last_pull_by_their_own_clock(two: Desk) -> None:
    shown = two.ok("organisations").out
    assert "2026-11-24 10:00" in shown, "Auckland's, not Greenwich's"
    assert "never" in shown
    assert "UTC" not in shown
    told = {one["name"]: one["last_pull"] for one in two.ok("organisations", "--json").json["organisations"]}
    assert told == {MINE: "2026-11-23T21:00:00+00:00", OTHER: None}


def test_what_was_never_read_is_not_taken_for_empty_books(two: Desk) -> None:
    for more in ((), ("--as-of", "2026-12-01")):
        answer = two.run("plan", "--json", *more)
        assert (answer.code, answer.json["error"]["record"]) == (1, OTHER)
        assert "dunwell pull" in answer.json["error"]["next_step"]
        assert answer.json["actions"], "the other one is planned all the same"
        assert len(answer.json["errors"]) == 1
    shown = two.run("plan")
    assert (shown.code, OTHER in shown.out, f"the ledger was never read [{OTHER}]" in shown.err) == (1, False, True)
    assert "a task: do it" in shown.out, "the other one is shown with what to do about it"
    assert "never read" in two.refused("plan", "-o", OTHER)
    two.ok("pull", OTHER)
    assert two.run("plan", "-o", OTHER).code != 1


def test_a_plan_on_an_old_mirror_can_be_read_but_not_approved(connected: Desk) -> None:
    connected.order("clock", {"advance": 61 * 60})
    answer = connected.run("plan")
    assert answer.code == 3
    assert "reconcile the bank first" in answer.out, "the plan is made"
    assert "last read on 2026-11-24 10:00, more than the 60 minutes" in answer.out
    assert "dunwell pull, then dunwell plan" in answer.out
    assert "dunwell approve" not in answer.out
    told = connected.run("plan", "--json")
    (organisation,) = told.json["stale"]
    assert (told.code, told.json["stored"]) == (3, {organisation: False})
    assert connected.ok("approve", "--all", "--json").json == {"actions": []}
    connected.ok("pull")
    fresh = connected.run("plan", "--json")
    assert (fresh.code, fresh.json["stale"], fresh.json["stored"]) == (2, [], {organisation: True})
