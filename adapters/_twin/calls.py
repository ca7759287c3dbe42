"""What a sandbox was asked: counters that tests and the demo read back."""

from __future__ import annotations

import threading
from collections import Counter

from adapters._twin.messages import CutAfter, Deliver, Hang, Reset, Response


def outcome(response: Response) -> str:
    """Name what reached the client: the status, or what the wire made of it."""
    match response.wire:
        case Deliver():
            return str(response.status)
        case CutAfter():
            return "cut"
        case Reset():
            return "reset"
        case Hang():
            return "hang"


class Calls:
    """Counts of the ledger's own calls; the control plane's are not among them. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._total = 0
        self._by_method: Counter[str] = Counter()
        self._by_route: Counter[str] = Counter()
        self._by_status: Counter[str] = Counter()
        self._unsimulated: Counter[str] = Counter()

    def record(self, method: str, route: str, response: Response) -> None:
        """Count one call. `route` is the template, so that ids do not multiply the rows."""
        with self._lock:
            self._total += 1
            self._by_method[method] += 1
            self._by_route[f"{method} {route}"] += 1
            self._by_status[outcome(response)] += 1

    def unsimulated(self, method: str, route: str) -> None:
        """Note a call to something that the ledger has, or may have, and the sandbox lacks."""
        with self._lock:
            self._unsimulated[f"{method} {route}"] += 1

    def document(self) -> dict[str, object]:
        """Return all counters as plain data."""
        with self._lock:
            return {
                "total": self._total,
                "by_method": dict(sorted(self._by_method.items())),
                "by_route": dict(sorted(self._by_route.items())),
                "by_status": dict(sorted(self._by_status.items())),
                "unsimulated": sorted(self._unsimulated),
            }
