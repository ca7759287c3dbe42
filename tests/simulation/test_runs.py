"""Clean seeds, replays, and that a run is a function of its script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation import office
from tests.simulation.campaign import tallied
from tests.simulation.kinds import KINDS
from tests.simulation.minimise import ddmin
from tests.simulation.run import run
from tests.simulation.script import Script, draw
from tests.simulation.troubles import POINTS

ROOT = Path(__file__).parents[2]
REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*.json"))
CHUNK = 25
FIRST = 1


@pytest.fixture(scope="module", autouse=True)
def _ground() -> Iterator[None]:
    yield
    office.tidy()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", range(FIRST, FIRST + 6 * CHUNK, CHUNK))
def test_nothing_breaks(first: int) -> None:
    tally = tallied(run(draw(seed)) for seed in range(first, first + CHUNK))
    assert [f"seed {one.script.seed}: {one.breach}" for one in tally.breaches] == []
    assert sum(tally.faults.values()) > CHUNK, "the troubles did not strike"
    assert {kind for (kind, state), n in tally.effects.items() if state == "done" and n} >= {"note", "tag", "letter"}


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.stem)
def test_what_was_found_once_stays_mended(path: Path) -> None:
    outcome = run(Script.load(json.loads(path.read_text())))
    assert outcome.breach is None


def test_a_run_is_a_function_of_its_script() -> None:
    script = draw(1)
    first = run(script, traced=True)
    again = run(Script.load(json.loads(json.dumps(script.dump()))), traced=True)
    assert first.trace == again.trace
    assert first.digest == again.digest
    assert first.turns > 100
    assert run(draw(2)).digest != first.digest


def test_a_run_is_the_same_in_another_process() -> None:
    script = draw(3)
    command = [sys.executable, "-m", "tests.simulation", "--replay", "3"]
    told = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True).stdout
    assert f"trace {run(script).digest}," in told


def test_every_point_and_kind_is_drawn() -> None:
    scripts = [draw(seed) for seed in range(1500)]
    crashes = {(one["point"], one["kind"]) for script in scripts for one in script.crashes}
    assert {point for point, _ in crashes} == set(POINTS)
    assert {kind for _, kind in crashes} >= set(KINDS)
    assert {len(script.agents) for script in scripts} == {1, 2, 3}


def test_minimising_keeps_only_what_is_needed() -> None:
    assert ddmin(list(range(20)), lambda some: {3, 11} <= set(some)) == [3, 11]
    assert ddmin([1, 2, 3], lambda _: True) == []
