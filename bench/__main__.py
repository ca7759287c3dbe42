"""`python -m bench [--only NAME] [--small] [--json]`: every goal measured in one run.

Each measurement is a fresh process with compiled bytecode; CPU is the process's own (user and system, all threads);
figures are medians, and a ratio takes both its sides from this run, interleaved. The canned server runs in a process of
its own. `--small` is for a quick look: its figures are not the goals' figures. Exit code 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import measure, memory
from bench.goals import Figure, told
from bench.measure import Measured, middle
from bench.server import Served, serving

Rounds = dict[str, list[Measured]]


class Sizes:
    """How much is measured, and how often."""

    def __init__(self, *, small: bool) -> None:
        self.invoices = 5_000 if small else 50_000
        self.rounds = 3
        self.delayed = 5_000 if small else 20_000
        self.memory = (2_000, 10_000) if small else (10_000, 200_000)
        self.memory_rounds = 1 if small else 3
        self.plan = 1_000 if small else 10_000
        self.plans = 3 if small else 5


def _interleaved(root: str, folder: Path, modules: tuple[str, ...], rounds: int) -> Rounds:
    """Every module once, then every module again: what the machine does meanwhile meets all alike."""
    found: Rounds = {module: [] for module in modules}
    for number in range(rounds):
        for module in modules:
            database = folder / f"{module}-{number}.db"
            found[module].append(measure.run(module, root, str(database)))
            if module != "ours":
                database.unlink()
    return found


def _per_second(runs: list[Measured]) -> float:
    return middle(runs, "records") / middle(runs, "cpu")


def _checked(runs: Rounds, served: Served) -> None:
    """Nobody was quick by leaving something out."""
    for module, measured in runs.items():
        assert all(one["records"] == served.records for one in measured), f"{module} did not bring every record"
    for one in runs["ours"]:
        difference = one["control"]["difference"]["amount"]
        assert (one["written"], one["needs_review"], difference) == (served.records, 0, "0.00"), one


def speed(sizes: Sizes, folder: Path) -> list[Figure]:
    """A first pull against both peers, then a second pull of one per cent."""
    with serving(sizes.invoices) as served:
        runs = _interleaved(served.root("plain"), folder, ("ours", "floor", "peer_xero_python"), sizes.rounds)
        _checked(runs, served)
        again = [
            measure.run("ours", served.root("changed"), str(folder / f"ours-{number}.db"))
            for number in range(sizes.rounds)
        ]
    ours, floor, peer = (_per_second(runs[module]) for module in ("ours", "floor", "peer_xero_python"))
    first = middle(runs["ours"], "cpu")
    second = middle(again, "cpu")
    needless = max(one["written"] for one in again) - served.differing
    rates = f"{ours:,.0f} records a CPU second against {{:,.0f}}"
    return [
        Figure("speed, xero-python", ours / peer, 4, "more", "×", rates.format(peer)),
        Figure("speed, floor", ours / floor, 0.4, "more", "×", rates.format(floor)),
        Figure("second pull", 100 * second / first, 3, "less", "%", f"{second:.3f} s after {first:.2f} s of CPU"),
        Figure("needless writes", needless, 0, "less", "rows", f"{served.differing:,} rows differed"),
    ]


def delay(sizes: Sizes, folder: Path) -> list[Figure]:
    """Wall time with 150 ms before every answer."""
    with serving(sizes.delayed) as served:
        ours = measure.run("ours", served.root("delay150"), str(folder / "delayed.db"))
        peer = measure.run("peer_xero_python", served.root("delay150"), str(folder / "delayed-peer.db"))
    note = f"{ours['wall']:.1f} s against {peer['wall']:.1f} s, {sizes.delayed:,} invoices"
    return [Figure("wall, 150 ms", peer["wall"] / ours["wall"], 8, "more", "×", note)]


def peaks(sizes: Sizes, folder: Path) -> list[Figure]:
    small, large = sizes.memory
    return memory.figures(folder, small=small, large=large, rounds=sizes.memory_rounds)


def plan(sizes: Sizes, folder: Path) -> list[Figure]:
    """A cold `dunwell plan`."""
    project = folder / "project"
    with serving(sizes.plan) as served:
        runs = measure.run("plan", served.root("plain"), str(project), str(sizes.plans))["runs"]
    note = f"the whole plan takes {middle(runs, 'whole'):.1f} s, {middle(runs, 'cpu'):.1f} s of CPU"
    return [Figure("plan, first line", middle(runs, "first"), 1, "less", "s", note)]


MEASUREMENTS: dict[str, Callable[[Sizes, Path], list[Figure]]] = {
    "speed": speed,
    "delay": delay,
    "memory": peaks,
    "plan": plan,
}


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("--only", choices=sorted(MEASUREMENTS), action="append", help="measure just this")
    options.add_argument("--small", action="store_true", help="a quick look at a small ledger")
    options.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    chosen = options.parse_args()
    measure.compile_all()
    figures: list[Figure] = []
    folder = Path(tempfile.mkdtemp(prefix="dunwell-bench-"))
    try:
        for name, measurement in MEASUREMENTS.items():
            if not chosen.only or name in chosen.only:
                print(f"measuring {name} …", file=sys.stderr)
                figures += measurement(Sizes(small=chosen.small), folder)
    finally:
        shutil.rmtree(folder)
    if chosen.json:
        print(json.dumps([figure.as_dict() for figure in figures], ensure_ascii=False))
    else:
        print(told(figures))
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
