"""Every case runs once for each ledger that has a bench."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest

from tests.adapters.conformance.bench import Bench, Json
from tests.adapters.conformance.books import NOON, books
from tests.adapters.conformance.desk import Desk
from tests.adapters.conformance.xero import XeroBench

BENCHES: tuple[Bench, ...] = (XeroBench(),)
Found = Callable[..., Desk]


@pytest.fixture(params=BENCHES, ids=lambda bench: bench.name)
def bench(request: pytest.FixtureRequest) -> Bench:
    """A ledger; a case that it is excused from is skipped with the written reason."""
    found: Bench = request.param
    case = request.node.name.replace(f"[{found.name}-", "[").replace(f"[{found.name}]", "")
    if case in found.skips:
        pytest.skip(f"{found.name}: {found.skips[case]}")
    return found


@pytest.fixture
def found(bench: Bench) -> Iterator[Found]:
    """Founds desks: `found(scenario, now, ahead)`, by default with the books of every day."""
    with ExitStack() as stack:

        def make(scenario: Json | None = None, now: datetime = NOON, ahead: timedelta = timedelta(0)) -> Desk:
            tag = str(bench.adapter.mapping_defaults["dispute_tag"])
            desk = Desk(bench, scenario or books(tag), now, ahead)
            stack.callback(desk.close)
            return desk

        yield make


@pytest.fixture
def desk(found: Found) -> Desk:
    return found()
