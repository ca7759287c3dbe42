"""What people do in the ledger's own screens at the very moment of a request of ours.

An interjection is `{"match": {...}, "moment": "before" or "after", "actions": [...]}` and, if wanted, `organisation`
and `times`. `match` is that of `fault_rules`; the actions are those of the control plane's `people`. "before" comes
between an app's reading and its writing: the request has passed the gate and is not yet carried out. "after" comes when
it is carried out and not yet answered. `times` bounds the firings; without it there is one.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from adapters._twin.fault_rules import Trigger, mapping, parse_trigger
from adapters._twin.messages import Request

MOMENTS = ("before", "after")
_KNOWN = {"match", "moment", "actions", "organisation", "times"}
Act = Callable[[str, Mapping[str, object], datetime], Mapping[str, object]]


@dataclass(slots=True, kw_only=True)
class Interjection:
    """Acts of people, and the requests into which they fall."""

    document: Mapping[str, object]
    trigger: Trigger
    moment: str
    organisation: str
    actions: tuple[Mapping[str, object], ...]


class Interjections:
    """The script of what people do in between, and what came of it. Thread-safe."""

    def __init__(self, act: Act) -> None:
        self._act = act
        self._lock = threading.Lock()
        self._rows: list[Interjection] = []
        self._firings: list[dict[str, object]] = []
        self._numbers = itertools.count(1)

    def add(self, document: object, organisation_id: str) -> int:
        """Add one and return its number. Raises ValueError naming what is wrong."""
        given = mapping(document, "an interjection", _KNOWN)
        if given.get("moment") not in MOMENTS:
            raise ValueError(f"moment must be one of {', '.join(MOMENTS)}")
        actions = given.get("actions")
        if not isinstance(actions, list) or not actions or not all(isinstance(one, Mapping) for one in actions):
            raise ValueError("actions must be a list of what people do")
        row = Interjection(
            document=given,
            trigger=parse_trigger(given.get("match", {}), given.get("times") or 1),
            moment=str(given["moment"]),
            organisation=organisation_id,
            actions=tuple(actions),
        )
        with self._lock:
            row.trigger.number = next(self._numbers)
            self._rows.append(row)
        return row.trigger.number

    def clear(self) -> None:
        """Drop the script and the record of firings."""
        with self._lock:
            self._rows.clear()
            self._firings.clear()

    def document(self) -> dict[str, object]:
        """Return the script and what came of it, as plain data."""
        with self._lock:
            return {
                "interjections": [
                    {"id": row.trigger.number, **row.document, "seen": row.trigger.seen, "fired": row.trigger.fired}
                    for row in self._rows
                ],
                "firings": [dict(firing) for firing in self._firings],
            }

    def fall(self, moment: str, request: Request, organisations: Collection[str], now: datetime) -> None:
        """Let people do what is scripted for this moment of the request; the caller holds the sandbox's lock.

        What the books refuse people does not disturb the request: it is told among the firings.
        """
        if not self._rows:
            return
        for row in self._due(moment, request, organisations):
            for action in row.actions:
                told: dict[str, object] = {"id": row.trigger.number, "at": now.isoformat(), "path": request.path}
                try:
                    told["result"] = dict(self._act(row.organisation, action, now))
                except ValueError as refused:
                    told["refused"] = str(refused)
                with self._lock:
                    self._firings.append(told)

    def _due(self, moment: str, request: Request, organisations: Collection[str]) -> Iterator[Interjection]:
        with self._lock:
            matching = [
                row for row in self._rows if row.moment == moment and row.trigger.matches(request, organisations)
            ]
            for row in matching:
                row.trigger.seen += 1
            due = [row for row in matching if row.trigger.fires()]
            for row in due:
                row.trigger.fired += 1
        return iter(due)
