"""Waiting in time, so that the server never has to refuse."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from connector.http.dialect import Dialect
from connector.ports import Clock

WINDOW: Final = timedelta(seconds=60)
MARGIN: Final = timedelta(seconds=1)  # the server's clock and ours need not tick together


class Limiter:
    """Keeps calls under the server's limits, so that they are met by waiting and not by a refusal.

    The minute is a fixed window whose start only the server knows. It ends at the latest 60 s after the first answer
    that was seen inside it, so waiting until then is always enough. Where the server says nothing, our own last minute
    is counted instead.
    """

    def __init__(self, clock: Clock, dialect: Dialect) -> None:
        self._clock = clock
        self._dialect = dialect
        self._gate = threading.Lock()  # held while sleeping: the others wait behind the sleeper
        self._changed = threading.Condition()
        self._in_flight = 0
        self._silent = False  # the server's headers do not speak of minutes
        self._remaining: int | None = None
        self._seen: datetime | None = None  # first answer seen in the present window
        self._blocked_until: datetime | None = None
        self._sent: deque[datetime] = deque(maxlen=dialect.per_minute)
        self.budgets: dict[str, int] = {}
        self.held_until: datetime | None = None  # everybody waits until then; None = nobody waits for a limit

    def enter(self) -> None:
        """Waits until one more call may leave. Every `enter` needs one `leave`."""
        with self._gate:
            while True:
                with self._changed:
                    while self._must_hear_first():
                        self._changed.wait()
                    pause = self._pause()
                    if pause <= 0:
                        self._in_flight += 1
                        self._sent.append(self._clock.now())
                        return
                self._sleep(pause)

    def _sleep(self, seconds: float) -> None:
        self.held_until = self._clock.now() + timedelta(seconds=seconds)
        try:
            self._clock.sleep(seconds)
        finally:
            self.held_until = None

    def leave(self, headers: Mapping[str, str] | None) -> None:
        """The call is over; `headers` None where no answer came."""
        with self._changed:
            self._in_flight -= 1
            if headers is not None:
                self._observe(self._dialect.limits(headers))
            self._changed.notify_all()

    def block(self, seconds: float) -> None:
        """The server asked everyone to wait that long."""
        with self._changed:
            self._blocked_until = self._clock.now() + timedelta(seconds=seconds)
            self._remaining = None

    def _must_hear_first(self) -> bool:
        """Whether an answer in flight must arrive before anything can be decided."""
        if self._in_flight == 0:
            return False
        if self._in_flight >= self._dialect.concurrent:
            return True
        if self._remaining is None:
            return not self._silent
        return self._remaining - self._in_flight <= self._dialect.reserve

    def _pause(self) -> float:
        now = self._clock.now()
        if self._blocked_until is not None:
            if now < self._blocked_until:
                return (self._blocked_until - now).total_seconds()
            self._blocked_until = None
        if self._remaining is not None and self._seen is not None:
            end = self._seen + WINDOW + MARGIN
            if now >= end:
                self._remaining = None  # a new window: the next answer says
            elif self._remaining - self._in_flight <= self._dialect.reserve:
                return (end - now).total_seconds()
        elif self._silent:
            while self._sent and self._sent[0] + WINDOW <= now:
                self._sent.popleft()
            if len(self._sent) >= max(1, self._dialect.per_minute - self._dialect.reserve):
                return (self._sent[0] + WINDOW - now).total_seconds()
        return 0.0

    def _observe(self, remaining: Mapping[str, int]) -> None:
        self.budgets.update(remaining)
        if "minute" not in remaining:
            self._silent = self._remaining is None
            return
        now = self._clock.now()
        left = remaining["minute"]
        rolled = self._seen is None or now >= self._seen + WINDOW
        # Answers overtake each other by at most the calls in flight; a larger rise is a new window.
        if rolled or self._remaining is None or left > self._remaining + self._dialect.concurrent:
            self._seen, self._remaining = now, left
        else:
            self._remaining = min(self._remaining, left)
        self._silent = False
