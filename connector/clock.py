"""Real time, real ids, real randomness; and the clock of a project that works on sandboxes only.

This module and nothing else reads the machine's clock.
"""

from __future__ import annotations

import json
import random  # noqa: TID251 - this is where jitter enters
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4  # noqa: TID251 - this is where ids enter

from connector.errors import DunwellError, LedgerUnavailable
from connector.ports import Clock, HttpAnswer, HttpClient, HttpRequest

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PATH = "/__sandbox/clock"
_OK = 200


def is_loopback(url: str) -> bool:
    """Whether the URL can only reach this machine: http or https on 127.0.0.1, localhost or ::1, without user info."""
    if not url.isprintable() or "\\" in url or " " in url:
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where the port is none
    except ValueError:
        return False
    plain = parts.scheme in {"http", "https"} and "@" not in parts.netloc
    return plain and parts.hostname in _LOOPBACK


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present instant, UTC, aware."""
        return datetime.now(UTC)  # noqa: TID251 - the one place where real time enters

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)  # noqa: TID251 - the one place where real waiting happens

    def lease_now(self) -> datetime:
        """The machine's clock; two machines share a database only on Postgres, whose own clock ages leases there."""
        return self.now()


class StoppedClock:
    """The time of a sandbox that does not answer: it stands where it was last written down.

    Falling back on the machine's clock would judge the sandbox's books by another year's calendar.
    """

    def __init__(self, last: datetime) -> None:
        self._last = last

    def now(self) -> datetime:
        return self._last

    def sleep(self, seconds: float) -> None:  # noqa: ARG002 - no wait is possible
        """Raises `LedgerUnavailable`: there is nobody to wait for."""
        raise LedgerUnavailable("the sandbox does not answer", next_step="start the sandbox again, or connect anew")

    def lease_now(self) -> datetime:
        return self._last


class SystemIds:
    """Random ids."""

    def new(self) -> str:
        return uuid4().hex


class SystemRandom:
    """Jitter from the operating system."""

    def __init__(self) -> None:
        self._source = random.SystemRandom()

    def uniform(self, low: float, high: float) -> float:
        return self._source.uniform(low, high)


@dataclass(frozen=True, slots=True)
class _Reading:
    now: datetime
    frozen: bool
    taken: float  # monotonic seconds

    def at(self, monotonic: float) -> datetime:
        return self.now if self.frozen else self.now + timedelta(seconds=monotonic - self.taken)


class SandboxClock:
    """The sandbox's virtual time: `sleep` advances it instead of waiting.

    Every reading asks the sandbox, for anybody may move its clock. With `exclusive` the caller promises that the clock
    moves through this object alone; then a reading is asked once and carried on (a ticking clock by elapsed time).
    `others` are further sandboxes of the same project, advanced and set together with the first.
    """

    def __init__(self, http: HttpClient, base_url: str, others: Sequence[str] = (), *, exclusive: bool = False) -> None:
        self._http = http
        self._urls = tuple(f"{url.rstrip('/')}{_PATH}" for url in (base_url, *others))
        self._exclusive = exclusive
        self._reading: _Reading | None = None

    def now(self) -> datetime:
        """The sandbox's instant, UTC. Raises `LedgerUnavailable`; never falls back on the machine's clock."""
        reading = self._reading if self._exclusive else None
        if reading is None:
            reading = self._reading = self._ask(HttpRequest("GET", self._urls[0]))
        return reading.at(time.monotonic())

    def sleep(self, seconds: float) -> None:
        """Advance the sandbox by so many seconds. Raises `LedgerUnavailable`."""
        if seconds > 0:
            self._order({"advance": seconds})

    def lease_now(self) -> datetime:
        return self.now()

    def set(self, now: datetime) -> None:
        """Move the sandbox to that instant (never backwards). Raises `LedgerUnavailable`."""
        self._order({"now": now.astimezone(UTC).isoformat()})

    def _order(self, order: dict[str, object]) -> None:
        body = json.dumps(order).encode()
        headers = {"Content-Type": "application/json"}
        readings = [self._ask(HttpRequest("POST", url, headers, body)) for url in self._urls]
        self._reading = readings[0]

    def _ask(self, request: HttpRequest) -> _Reading:
        try:
            answer = self._http.send(request)
        except DunwellError as error:
            raise LedgerUnavailable("the sandbox's clock does not answer", next_step="start the sandbox") from error
        reading = _read(answer)
        if reading is None:
            raise LedgerUnavailable(f"the sandbox's clock answered HTTP {answer.status} without a time")
        return reading


def clock_for(base_urls: Sequence[str], http: HttpClient) -> Clock:
    """The clock of a project with these connections ("" = a real ledger).

    The sandbox's clock only when every connection is a loopback address that answers as a sandbox; else real time.
    """
    if not base_urls or not all(is_loopback(url) for url in base_urls):
        return SystemClock()
    distinct = tuple(dict.fromkeys(url.rstrip("/") for url in base_urls))
    if all(_answers(http, url) for url in distinct):
        return SandboxClock(http, distinct[0], distinct[1:])
    return SystemClock()


def _answers(http: HttpClient, base_url: str) -> bool:
    try:
        return _read(http.send(HttpRequest("GET", f"{base_url}{_PATH}", timeout=5.0))) is not None
    except DunwellError:
        return False


def _read(answer: HttpAnswer) -> _Reading | None:
    """The instant that the control plane told, or None when this is not its answer."""
    if answer.status != _OK:
        return None
    try:
        document = json.loads(answer.body)
        now = datetime.fromisoformat(document["now"])
        frozen = document["frozen"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if now.tzinfo is None or not isinstance(frozen, bool):
        return None
    return _Reading(now.astimezone(UTC), frozen, time.monotonic())
