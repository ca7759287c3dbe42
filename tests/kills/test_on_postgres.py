"""A killed process is made good by the next one: on Postgres. A third of the kills always, the others with `-m slow`.

What differs from SQLite is the database alone, and every point and every kind is in the third.
"""

from __future__ import annotations

import pytest

from tests.kills.conftest import Warm
from tests.kills.judge import judge
from tests.kills.kinds import CASES, KINDS, Point

pytestmark = [pytest.mark.socket, pytest.mark.postgres, pytest.mark.timeout(180)]


def always(name: str, point: Point) -> bool:
    """Whether this kill belongs to the third: a diagonal through kinds and points."""
    return (list(KINDS).index(name) + list(Point).index(point)) % 3 == 0


KILLS = [
    pytest.param(
        name, point, id=f"{name}-{point.name}", marks=() if always(name, point) else pytest.mark.slow
    )
    for name, point in CASES
]  # fmt: skip


@pytest.mark.parametrize(("name", "point"), KILLS)
def test_a_kill_is_made_good(postgres: Warm, name: str, point: Point) -> None:
    judge(name, point, postgres.kill(name, point))


def test_every_point_and_every_kind_is_in_the_third() -> None:
    third = [case for case in CASES if always(*case)]
    assert {point for _, point in third} == set(Point)
    assert {KINDS[name].effect for name, _ in third} == {kind.effect for kind in KINDS.values()}
