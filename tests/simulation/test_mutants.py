"""Planted bugs are found: the judge sees what it is there to see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.simulation import office
from tests.simulation.mutants import MUTANTS, hunt

BUDGET: Final = 40  # seeds from the mutant's own start on; all of them from seed 1: `--mutants` on the command line


@pytest.fixture(scope="module", autouse=True)
def _ground() -> Iterator[None]:
    yield
    office.tidy()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_bug_is_found(name: str) -> None:
    mutant = MUTANTS[name]
    seeds, outcome = hunt(mutant, mutant.start, BUDGET)
    assert outcome is not None, f"it survived {seeds} seeds"
    assert outcome.breach is not None
    assert outcome.breach.invariant in mutant.shows, str(outcome.breach)
