"""Shortening a script that breaks an invariant, as long as the same invariant breaks (delta debugging)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tests.simulation.run import run
from tests.simulation.script import Script

LISTS = ("faults", "acts", "crashes", "pauses", "stories")
MOST_RUNS = 250
_PLAIN = {"idempotency_seconds": 360, "history_delay_seconds": 0, "mode": "approve", "post": "smtp", "latency": 0.1}


def minimised(script: Script, invariant: str) -> Script:
    """The shortest script found that still breaks this invariant."""
    return _Minimiser(invariant).shorten(script)


class _Minimiser:
    def __init__(self, invariant: str) -> None:
        self._invariant, self._runs = invariant, 0

    def _breaks(self, script: Script) -> bool:
        if self._runs >= MOST_RUNS or not script.stories or not script.agents:
            return False
        self._runs += 1
        found = run(script).breach
        return found is not None and found.invariant == self._invariant

    def shorten(self, script: Script) -> Script:
        before = None
        while script != before and self._runs < MOST_RUNS:
            before = script
            for name in LISTS:
                script = self._list(script, name)
            script = self._agents(script)
            script = self._settings(script)
        return script

    def _list(self, script: Script, name: str) -> Script:
        def with_items(items: Sequence[Any]) -> Script:
            return replace(script, **{name: tuple(items)})

        return with_items(ddmin(list(getattr(script, name)), lambda items: self._breaks(with_items(items))))

    def _agents(self, script: Script) -> Script:
        """Fewer agents, then fewer rounds each."""
        agents = ddmin(list(script.agents), lambda some: self._breaks(replace(script, agents=tuple(some))))
        for place in range(len(agents)):

            def with_rounds(rounds: Sequence[Any], place: int = place) -> Script:
                changed = [*agents[:place], tuple(rounds), *agents[place + 1 :]]
                return replace(script, agents=tuple(changed))

            agents[place] = tuple(ddmin(list(agents[place]), lambda some: self._breaks(with_rounds(some))))
        return replace(script, agents=tuple(agents))

    def _settings(self, script: Script) -> Script:
        for name, plain in _PLAIN.items():
            simpler = replace(script, settings={**script.settings, name: plain})
            if simpler != script and self._breaks(simpler):
                script = simpler
        return script


def ddmin(items: list[Any], breaks: Callable[[list[Any]], bool]) -> list[Any]:
    """A part of the items of which no half, quarter, … can be left out. `breaks` holds for all of them."""
    if items and breaks([]):
        return []
    parts = 2
    while len(items) >= 2:
        size = -(-len(items) // parts)
        for start in range(0, len(items), size):
            rest = items[:start] + items[start + size :]
            if breaks(rest):
                items, parts = rest, max(parts - 1, 2)
                break
        else:
            if size == 1:
                break
            parts = min(len(items), parts * 2)
    return items
