"""Many seeds, on several processes, and what they showed."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.simulation import office
from tests.simulation.kinds import KINDS
from tests.simulation.run import Outcome, run
from tests.simulation.script import draw


@dataclass
class Tally:
    """Sums over many runs."""

    runs: int = 0
    turns: int = 0
    seconds: float = 0.0
    effects: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    crashed: Counter[tuple[str, str]] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    breaches: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.runs += 1
        self.turns += outcome.turns
        self.effects += outcome.effects
        self.faults += outcome.faults
        self.crashed += outcome.crashed
        self.counts += outcome.counts
        if outcome.breach is not None:
            self.breaches.append(outcome)

    def lines(self) -> Iterator[str]:
        """The report."""
        speed = self.runs / self.seconds if self.seconds else 0.0
        yield f"{self.runs} seeds in {self.seconds:.0f} s: {speed:.1f} seeds/s, {self.turns} turns"
        for kind, about in KINDS.items():
            states = {state: n for (name, state), n in sorted(self.effects.items()) if name == kind}
            told = ", ".join(f"{n} {state}" for state, n in states.items())
            yield f"  {kind} (class {about.letter}): {told or 'none'}"
        yield "faults: " + ", ".join(f"{name} {n}" for name, n in sorted(self.faults.items()) if n)
        points: Counter[str] = Counter()
        for (point, _), n in self.crashed.items():
            points[point] += n
        yield "crash points: " + ", ".join(f"{point} {n}" for point, n in sorted(points.items()))
        yield "crashes by kind: " + ", ".join(
            f"{point} {kind or '-'} {n}" for (point, kind), n in sorted(self.crashed.items())
        )
        yield "acts and ends: " + ", ".join(f"{name} {n}" for name, n in sorted(self.counts.items()))
        yield f"breaches: {len(self.breaches)}"


def seeds(first: int, count: int, jobs: int) -> Iterator[Outcome]:
    """Run these seeds; outcomes come as they end."""
    wanted = range(first, first + count)
    if jobs == 1:
        yield from map(of_seed, wanted)
        return
    with multiprocessing.get_context("fork").Pool(jobs, initializer=_begin) as pool:
        yield from pool.imap_unordered(of_seed, wanted, chunksize=4)
        pool.close()
        pool.join()


def _begin() -> None:
    """Each process has a ground of its own, removed when it ends."""
    office.ground.cache_clear()
    multiprocessing.util.Finalize(None, office.tidy, exitpriority=10)


def of_seed(seed: int) -> Outcome:
    """One seed's run, without what cannot travel between processes."""
    return run(draw(seed))


def tallied(outcomes: Iterable[Outcome]) -> Tally:
    """Their sums, and how long they took."""
    tally, begun = Tally(), time.perf_counter()
    for outcome in outcomes:
        tally.add(outcome)
    tally.seconds = time.perf_counter() - begun
    return tally
