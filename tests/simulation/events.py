"""When the script's deaths, pauses and lost letters strike, and how long the wire takes."""

from __future__ import annotations

import re
from collections import Counter
from random import Random  # noqa: TID251 - latencies are drawn from the seed
from typing import Any

from adapters._twin.messages import Request
from tests.simulation.baton import Baton
from tests.simulation.script import Script


class Troubles:
    """The script's troubles that have not come yet."""

    def __init__(self, script: Script, baton: Baton) -> None:
        self._baton = baton
        self._random = Random(script.seed * 7919 + 1)
        self._latency = float(script.settings["latency"])
        self._crashes = [dict(one) for one in script.crashes]
        self._pauses = [dict(one) for one in script.pauses]
        self._post = [dict(one) for one in script.faults if one["name"] == "post"]
        self._refusals = [dict(one) for one in script.faults if one.get("action", {}).get("do") == "refused"]
        self.struck: Counter[str] = Counter()  # faults by name that the twin does not count
        self.crashed: Counter[tuple[str, str]] = Counter()  # (point, kind of effect)
        self.down = 0.0  # how long the process that died stays down

    def heal(self) -> None:
        """No more troubles."""
        self._crashes, self._pauses, self._post, self._refusals = [], [], [], []

    def at(self, point: str, kind: str) -> None:
        """This point of an effect's life has come. The process may die here, or stand still."""
        if (crash := _due(self._crashes, point, kind)) is not None:
            self.crashed[point, kind] += 1
            self.down = float(crash["down"])
            self._baton.crash(f"{point} {kind}")
        if (pause := _due(self._pauses, point, kind)) is not None:
            self.struck[f"pause at {point}"] += 1
            self._baton.sleep(float(pause["seconds"]))

    def wanted(self, *points: str) -> bool:
        """Does anything wait for one of these points?"""
        return any(one["point"] in points for one in (*self._crashes, *self._pauses))

    def refuses(self, request: Request) -> bool:
        """Is nobody listening just now?"""
        for one in self._refusals:
            if one["method"] == request.method and re.search(one["path"], request.path):
                one["nth"] -= 1
                if one["nth"] == 0:
                    self._refusals.remove(one)
                    self.struck["refused"] += 1
                    return True
        return False

    def post(self) -> str:
        """What becomes of this letter; "" = it is delivered and confirmed."""
        for one in self._post:
            one["nth"] -= 1
            if one["nth"] == 0:
                self._post.remove(one)
                self.struck[f"letter {one['what']}"] += 1
                return str(one["what"])
        return ""

    def latency(self) -> float:
        return round(self._random.uniform(0.02, self._latency), 3)

    def jitter(self) -> Jitter:
        return Jitter(self._random)


class Jitter:
    """The product's `Random` port."""

    def __init__(self, source: Random) -> None:
        self._source = source

    def uniform(self, low: float, high: float) -> float:
        return self._source.uniform(low, high)


def _due(waiting: list[dict[str, Any]], point: str, kind: str) -> dict[str, Any] | None:
    """The trouble whose turn it is at this point, taken out of the list."""
    for one in waiting:
        if one["point"] == point and one["kind"] in {"", kind}:
            one["nth"] -= 1
            if one["nth"] == 0:
                waiting.remove(one)
                return one
    return None
