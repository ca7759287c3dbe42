"""The kit itself: large enough, the same for every ledger, and nothing skipped without a written reason."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.adapters.conformance.bench import Bench
from tests.adapters.conformance.conftest import BENCHES

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
FEWEST = 150
SUITE = ("reading", "cursor", "values", "writing", "errors", "auth", "limits")


@cache
def collected() -> tuple[str, ...]:
    """Every case of the suite, as pytest names it."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", "-p", "no:randomly"]
    files = [str(HERE / f"test_{part}.py") for part in SUITE]
    done = subprocess.run([*command, *files], cwd=ROOT, capture_output=True, text=True, timeout=50, check=True)
    return tuple(line for line in done.stdout.splitlines() if "::" in line)


def cases(bench: Bench) -> dict[str, list[str]]:
    """This ledger's cases, by part of the suite."""
    name = re.compile(rf"test_(\w+)\.py::.*\[{bench.name}[-\]]")
    found: dict[str, list[str]] = {part: [] for part in SUITE}
    for line in collected():
        if hit := name.search(line):
            found[hit[1]].append(line.split("::", 1)[1].replace(f"[{bench.name}-", "[").replace(f"[{bench.name}]", ""))
    return found


@pytest.mark.parametrize("bench", BENCHES, ids=lambda bench: bench.name)
def test_the_kit_is_large_enough(bench: Bench) -> None:
    counts = {part: len(found) for part, found in cases(bench).items()}
    excused = len(bench.skips)
    assert sum(counts.values()) - excused >= FEWEST
    assert min(counts.values()) >= 15, counts


@pytest.mark.parametrize("bench", BENCHES, ids=lambda bench: bench.name)
def test_what_a_ledger_is_excused_from_exists_and_has_a_reason(bench: Bench) -> None:
    known = {case for found in cases(bench).values() for case in found}
    assert set(bench.skips) <= known
    assert all(len(reason.split()) > 4 for reason in bench.skips.values())


@pytest.mark.parametrize("part", [*SUITE, "support"])
def test_the_suite_names_no_ledger(part: str) -> None:
    """What differs between ledgers sits in their benches."""
    files = ("bench", "books", "compare", "desk", "errands", "office") if part == "support" else (f"test_{part}",)
    for file in files:
        text = (HERE / f"{file}.py").read_text("utf-8").casefold()
        assert [bench.name for bench in BENCHES if bench.name in text.replace("`xero.py`", "")] == []
        assert "adapters.xero" not in text
