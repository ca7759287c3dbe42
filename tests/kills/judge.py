"""What must be true after a kill, whatever was killed where."""

from __future__ import annotations

from typing import Any

from tests.kills.kinds import AFTER_THE_ACT, BEFORE_THE_LEASE, IN_DOUBT, KINDS, STORED_AS, Kind, Point


def judge(name: str, point: Point, found: dict[str, Any]) -> None:
    """Done once, or in doubt and before a person; nothing else written, nothing forgotten, the records whole."""
    kind = KINDS[name]
    _left(kind, point, found["left"])
    assert found["busy"] == (point not in BEFORE_THE_LEASE), "the dead process's lease holds others off until it ends"
    if kind.findable or point not in IN_DOUBT:
        _all_done(kind, found["settled"])
    else:
        _before_a_person(kind, point, found["settled"])
    _all_done(kind, found["judged"])
    assert found["again"] == 0, "one more apply has nothing to do and asks nobody"
    assert not found["proposed_again"]
    assert found["broken"] == []


def _left(kind: Kind, point: Point, left: dict[str, Any]) -> None:
    """The kill struck where it was meant to."""
    assert left["victim"] == STORED_AS.get(point, "sending")
    assert left["happened"] == (point in AFTER_THE_ACT)
    if point is Point.K1:
        assert (left["action"], left["effects"]) == ("proposed", []), "an approval is stored whole or not at all"
    else:
        assert left["action"] in ("approved", "done" if point is Point.K8 else "approved")


def _all_done(kind: Kind, world: dict[str, Any]) -> None:
    """Everything that the action brings, once; and nothing besides."""
    assert (world["victim"], world["happened"]) == ("done", 1)
    assert (world["writes"], world["letters"]) == (sorted(kind.writes), kind.letters)
    assert (world["strangers"], world["leftovers"]) == ([], [])
    assert (set(world["effects"]), world["action"]) == ({"done"}, "done")


def _before_a_person(kind: Kind, point: Point, world: dict[str, Any]) -> None:
    """Nobody can see whether it left: it was not repeated, and what reports it waits."""
    assert (world["victim"], world["happened"]) == ("human", point in AFTER_THE_ACT)
    reports = len(kind.writes) - (1 if kind.wrote else 0)
    assert world["effects"] == ["human"] + ["planned"] * reports
    assert len(world["writes"]) + world["letters"] == world["happened"]
    assert world["action"] == "approved"
