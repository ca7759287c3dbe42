"""A run as data: what is drawn from a seed, what is minimised, what a regression keeps. JSON in and out.

Everything but the order of turns, the latencies and the jitter stands in the script, so that any part of it can be left
out and the rest still means the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from random import Random  # noqa: TID251 - scripts are drawn from their seed
from typing import Any

from tests.simulation.kinds import STORIES
from tests.simulation.troubles import Item, acts, crashes, faults, pauses

STORY_SETS = 48
LISTS = ("stories", "acts", "faults", "crashes", "pauses")
LONGEST_HIDDEN = 100  # S3: seconds in which a committed write may not be readable yet
_SETTINGS = {
    "mode": ("approve", "approve", "autopilot"),
    "stickiness": (0.2, 0.6, 0.9),
    "post": ("smtp", "smtp", "folder"),
    "latency": (0.1, 0.5, 3.0),
    "idempotency_seconds": (360, 360, 0),
    "history_delay_seconds": (0, 0, 0, 30, LONGEST_HIDDEN),
    "approve_at": range(60),
}


@dataclass(frozen=True)
class Script:
    """One run. `turn` of an act: after so many passes of the baton."""

    seed: int
    stories: tuple[str, ...]
    agents: tuple[tuple[Item, ...], ...]
    acts: tuple[Item, ...] = ()
    faults: tuple[Item, ...] = ()
    crashes: tuple[Item, ...] = ()
    pauses: tuple[Item, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def dump(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def load(cls, document: Mapping[str, Any]) -> Script:
        """From JSON. Raises `KeyError` for what is no script."""
        lists = {name: tuple(document[name]) for name in LISTS}
        agents = tuple(tuple(rounds) for rounds in document["agents"])
        return cls(seed=document["seed"], agents=agents, settings=dict(document["settings"]), **lists)

    def __str__(self) -> str:
        """One line an item."""
        lines = [f"seed {self.seed}, stories: {', '.join(self.stories)}", f"settings {json.dumps(dict(self.settings))}"]
        lines += [f"agent {n}: {json.dumps(rounds)}" for n, rounds in enumerate(self.agents, 1)]
        for name in LISTS[1:]:
            lines += [f"{name}: {json.dumps(one, ensure_ascii=False)}" for one in getattr(self, name)]
        return "\n".join(lines)


def draw(seed: int) -> Script:
    """The script of a seed. Every kind of trouble is on with a quarter's chance, so that few come together."""
    random = Random(seed)
    stories = _stories(random)
    kinds = sorted({kind for name in stories for kind in STORIES[name].kinds})
    return Script(
        seed,
        stories,
        _agents(random),
        acts=tuple(sorted(acts(random, stories), key=lambda act: int(act["turn"]))),
        faults=tuple(faults(random, kinds)),
        crashes=tuple(crashes(random, kinds)),
        pauses=tuple(pauses(random, kinds)),
        settings={name: random.choice(values) for name, values in _SETTINGS.items()},
    )


def _stories(random: Random) -> tuple[str, ...]:
    """One of a limited number of sets: an office is prepared once for each."""
    chosen = Random(random.randrange(STORY_SETS))
    count = chosen.choice((1, 2, 2, 3, 3, 4))
    return tuple(sorted(chosen.sample(sorted(STORIES), count)))


def _agents(random: Random) -> tuple[tuple[Item, ...], ...]:
    """They set out at common instants, as scheduled processes do, so that they meet."""
    many = random.choice((1, 2, 2, 2, 3))
    spaces = ((0, 3), *random.choices(((20, 60), (125, 200), (190, 400), (600, 7200), (20_000, 90_000)), k=2))
    bells = [random.uniform(*space) for space in spaces]
    return tuple(tuple(_round(random, bell) for bell in bells if random.random() < 0.8) for _ in range(many))


def _round(random: Random, bell: float) -> Item:
    what = random.choice(("cycle", "cycle", "deliver", "deliver", "deliver", "deliver", "pull", "pull"))
    return {"do": what, "wait": round(bell + random.uniform(0, 2), 1)}
