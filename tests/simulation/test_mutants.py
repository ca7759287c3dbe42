"""Every planted bug is found within its budget: the judge sees what it is there to see."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation import office
from tests.simulation.mutants import MUTANTS, hunt


@pytest.fixture(scope="module", autouse=True)
def _ground() -> Iterator[None]:
    yield
    office.tidy()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_bug_is_found(name: str) -> None:
    mutant = MUTANTS[name]
    seeds, outcome = hunt(mutant)
    assert outcome is not None, f"it survived {seeds} seeds"
    assert outcome.breach is not None
    assert outcome.breach.invariant in mutant.shows, str(outcome.breach)
