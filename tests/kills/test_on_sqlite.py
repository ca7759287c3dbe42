"""A killed process is made good by the next one: on a SQLite file."""

from __future__ import annotations

import pytest

from tests.kills.conftest import Warm
from tests.kills.judge import judge
from tests.kills.kinds import CASES, Point

pytestmark = [pytest.mark.socket, pytest.mark.timeout(180)]


@pytest.mark.parametrize(("name", "point"), CASES, ids=[f"{name}-{point.name}" for name, point in CASES])
def test_a_kill_is_made_good(sqlite: Warm, name: str, point: Point) -> None:
    judge(name, point, sqlite.kill(name, point))
