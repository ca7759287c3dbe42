"""Xero's rate limits, on virtual time: per organisation 5 calls in flight, 60 a minute, 1,000 a day; per app 10,000
a minute. Windows are fixed and start at a different moment for each organisation.

1,000 a day is the Starter tier's cap, the lowest; other tiers have 5,000 (control plane: `{"day": 5000}`). Not verified
at Xero: the problem names for calls in flight and for the app (switches), and whether those two carry a Retry-After
(here they do not).
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from adapters._twin.messages import Response

_MINUTE, _DAY = 60, 86_400
_CAPS = {"concurrent": 5, "minute": 60, "day": 1_000, "app_minute": 10_000}
Headers = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Window:
    """A fixed window: its length and phase in seconds, and the calls counted in the present one."""

    length: int
    phase: int
    index: int = -1
    count: int = 0

    def used(self, now: datetime) -> int:
        index = math.floor((now.timestamp() - self.phase) / self.length)
        if index != self.index:
            self.index, self.count = index, 0
        return self.count

    def wait(self, now: datetime) -> int:
        """Whole seconds until the window ends, at least one."""
        past = (now.timestamp() - self.phase) % self.length
        return max(1, math.ceil(self.length - past))


@dataclass(slots=True)
class _Meter:
    """What one organisation has used."""

    minute: _Window
    day: _Window
    in_flight: int = 0


def _meter(tenant_id: str) -> _Meter:
    phase = int.from_bytes(hashlib.sha256(tenant_id.encode()).digest()[:4], "big")
    return _Meter(_Window(_MINUTE, phase % _MINUTE), _Window(_DAY, phase % _DAY))


@dataclass(slots=True)
class Limits:
    """The meters of all organisations. Thread-safe: calls in flight are counted for real."""

    caps: dict[str, int] = field(default_factory=lambda: dict(_CAPS))
    off: bool = False
    concurrent_name: str = "concurrent"
    app_minute_name: str = "appminute"
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _meters: dict[str, _Meter] = field(default_factory=dict)
    _app_minute: _Window = field(default_factory=lambda: _Window(_MINUTE, 0))

    def enter(self, tenant_id: str, now: datetime) -> Response | None:
        """Count a call and let it in (None; `leave` must follow), or return the 429 that it gets."""
        with self._lock:
            meter = self._meters.setdefault(tenant_id, _meter(tenant_id))
            problem = None if self.off else self._problem(meter, now)
            if problem is None:
                meter.in_flight += 1
                for window in (meter.minute, meter.day, self._app_minute):
                    window.used(now)
                    window.count += 1
                return None
            name, wait = problem
            headers = (*self._remaining(meter, now), ("X-Rate-Limit-Problem", name))
            return Response(429, headers if wait is None else (*headers, ("Retry-After", str(wait))))

    def leave(self, tenant_id: str) -> None:
        """The call is answered."""
        with self._lock:
            self._meters[tenant_id].in_flight -= 1

    def remaining(self, tenant_id: str, now: datetime) -> Headers:
        """Return the headers that tell how much is left; none while the limits are off."""
        with self._lock:
            meter = self._meters.setdefault(tenant_id, _meter(tenant_id))
            return () if self.off else self._remaining(meter, now)

    def order(self, order: Mapping[str, object], tenants: Collection[str], now: datetime) -> dict[str, object]:
        """Change caps (concurrent, minute, day, app_minute), preset what is used (used_minute, used_day: of every
        organisation), or switch all limits off and on. Raises ValueError, and then changes nothing."""
        if unknown := sorted(set(order) - {*_CAPS, "used_minute", "used_day", "off"}):
            raise ValueError(f"limits: unknown {', '.join(unknown)}")
        off = order.get("off", self.off)
        if not isinstance(off, bool):
            raise ValueError("limits: off must be true or false")
        numbers = {key: _number(key, value) for key, value in order.items() if key != "off"}
        with self._lock:
            self.off = off
            self.caps.update({key: value for key, value in numbers.items() if key in _CAPS})
            for tenant_id in tenants:
                meter = self._meters.setdefault(tenant_id, _meter(tenant_id))
                for key, window in (("used_minute", meter.minute), ("used_day", meter.day)):
                    if key in numbers:
                        window.used(now)
                        window.count = numbers[key]
            return {**self.caps, "off": self.off}

    def _problem(self, meter: _Meter, now: datetime) -> tuple[str, int | None] | None:
        if meter.in_flight >= self.caps["concurrent"]:
            return self.concurrent_name, None
        if meter.day.used(now) >= self.caps["day"]:
            return "day", meter.day.wait(now)
        if meter.minute.used(now) >= self.caps["minute"]:
            return "minute", meter.minute.wait(now)
        if self._app_minute.used(now) >= self.caps["app_minute"]:
            return self.app_minute_name, None
        return None

    def _remaining(self, meter: _Meter, now: datetime) -> Headers:
        rows = (
            ("X-DayLimit-Remaining", "day", meter.day),
            ("X-MinLimit-Remaining", "minute", meter.minute),
            ("X-AppMinLimit-Remaining", "app_minute", self._app_minute),
        )
        return tuple((name, str(max(0, self.caps[cap] - window.used(now)))) for name, cap, window in rows)


def _number(key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"limits: {key} must be a whole number")
    return value
