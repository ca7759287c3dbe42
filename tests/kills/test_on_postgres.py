"""A killed process is made good by the next one: on Postgres."""

from __future__ import annotations

import pytest

from tests.kills.conftest import Warm
from tests.kills.judge import judge
from tests.kills.kinds import CASES, Point

pytestmark = [pytest.mark.socket, pytest.mark.postgres]


@pytest.mark.parametrize(("name", "point"), CASES, ids=[f"{name}-{point.name}" for name, point in CASES])
def test_a_kill_is_made_good(postgres: Warm, name: str, point: Point) -> None:
    judge(name, point, postgres.kill(name, point))
