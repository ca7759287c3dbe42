"""What `apply` leaves for a person: its exit code, its words, and the ways to settle it."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Desk

pytestmark = pytest.mark.socket
TAGGING = {"method": "PUT", "path": "/ContactGroups/[^/]+/Contacts$"}
JSON = {"Content-Type": "application/json"}
NO = {"do": "status", "status": 400, "body": '{"Message": "the group is locked"}', "headers": JSON}


def query_approved(desk: Desk) -> str:
    """An open query whose tag is approved: the action's id."""
    desk.ok("dispute", "open", "INV-0010", "--code", "quality")
    action = next(one for one in desk.run("plan", "--json").json["actions"] if one["kind"] == "tag_dispute")
    desk.ok("approve", action["id"])
    return str(action["id"])


def fail(desk: Desk, action: dict[str, object]) -> None:
    desk.order("faults", {"match": TAGGING, "action": action, "times": 1})


def test_an_unknown_outcome_asks_to_come_back_at_a_local_time(taken_on: Desk) -> None:
    query_approved(taken_on)
    fail(taken_on, {"do": "reset_after_commit"})
    answer = taken_on.run("apply")
    assert answer.code == 3
    assert "run dunwell apply again after 10:03 NZDT" in answer.out, "10:00 in Auckland, and the quiet three minutes"
    assert taken_on.run("apply", "--json").json["waiting_until"].startswith("2026-11-23T21:03")
    taken_on.order("clock", {"advance": 181})
    assert taken_on.run("apply").code == 0


def test_what_was_refused_is_given_up_for_good(taken_on: Desk) -> None:
    action = query_approved(taken_on)
    fail(taken_on, NO)
    answer = taken_on.run("apply")
    assert answer.code == 3
    assert "effects settle KEY --give-up" in answer.out
    (key,) = [one["key"] for one in taken_on.ok("effects", "--state", "rejected", "--json").json["effects"]]

    assert "is missing" in taken_on.refused("effects", "settle", key)
    assert "goes with neither" in taken_on.refused("effects", "settle", key, "--give-up", "--happened")
    assert "needs a reason" in taken_on.refused("effects", "settle", key, "--give-up")
    assert "effects retry" in taken_on.refused("effects", "settle", key, "--happened")
    assert " is cancelled" in taken_on.ok("effects", "settle", key[:9], "--give-up", "--reason", "no tags here").out
    assert "this one is cancelled" in taken_on.refused("effects", "settle", key, "--give-up", "--reason", "again")

    taken_on.order("clock", {"advance": 86_400})
    taken_on.ok("pull")
    assert action not in {one["id"] for one in taken_on.run("plan", "--json").json["actions"]}
    assert taken_on.ok("apply").out == "nothing was due\n"


def test_what_was_cancelled_waits_for_nothing_any_more(taken_on: Desk) -> None:
    taken_on.order("clock", {"advance": 86_400})
    taken_on.ok("pull")
    taken_on.ok("books", "known-to", "2026-11-24")
    plan = taken_on.run("plan", "--json").json["actions"]
    letter = next(one for one in plan if one["kind"] == "statement" and one["customer"]["name"] == "Basket Case")
    taken_on.ok("approve", letter["id"])
    taken_on.order("clock", {"advance": 12 * 3600})  # ten in the evening
    taken_on.ok("apply")
    assert "not before 2026-11-26 " in taken_on.ok("effects", "--state", "planned").out
    taken_on.ok("exclude", "Basket Case", "--reason", "a friend", "--until", "2026-12-24")
    taken_on.order("clock", {"advance": 13 * 3600})
    taken_on.run("apply")
    cancelled = taken_on.ok("effects", "--state", "cancelled").out
    assert "Basket Case" in cancelled
    assert "not before" not in cancelled
