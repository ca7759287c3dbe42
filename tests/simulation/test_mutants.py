"""Planted bugs are found within their budgets: the judge sees what it is there to see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.simulation import office
from tests.simulation.mutants import MUTANTS, hunt

QUICK: Final = 60  # seeds; the others take minutes: `pytest -m slow tests/simulation`


@pytest.fixture(scope="module", autouse=True)
def _ground() -> Iterator[None]:
    yield
    office.tidy()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [name for name, mutant in MUTANTS.items() if mutant.budget <= QUICK])
def test_a_planted_bug_is_found(name: str) -> None:
    _find(name)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", [name for name, mutant in MUTANTS.items() if mutant.budget > QUICK])
def test_a_rare_planted_bug_is_found(request: pytest.FixtureRequest, name: str) -> None:
    if "slow" not in request.config.getoption("-m"):
        pytest.skip("takes minutes: pytest -m slow tests/simulation")
    _find(name)


def _find(name: str) -> None:
    mutant = MUTANTS[name]
    seeds, outcome = hunt(mutant, 1, mutant.budget)
    assert outcome is not None, f"it survived {seeds} seeds"
    assert outcome.breach is not None
    assert outcome.breach.invariant in mutant.shows, str(outcome.breach)
