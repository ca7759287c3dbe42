"""Virtual time: the only clock a sandbox has."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class VirtualClock:
    """Time that starts where we say, ticks on with real time unless frozen, and never runs backwards. Thread-safe."""

    def __init__(
        self, start: datetime, *, frozen: bool = False, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        if start.tzinfo is None:
            raise ValueError("the clock's start must carry a time zone")
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._base = start.astimezone(UTC)
        self._anchor = monotonic()
        self._frozen = frozen

    def _read(self) -> datetime:
        if self._frozen:
            return self._base
        return self._base + timedelta(seconds=self._monotonic() - self._anchor)

    def _rebase(self, instant: datetime) -> datetime:
        self._base, self._anchor = instant, self._monotonic()
        return instant

    def now(self) -> datetime:
        """Return the virtual instant (UTC, aware)."""
        with self._lock:
            return self._read()

    @property
    def frozen(self) -> bool:
        """Tell whether time stands still between `set` and `advance`."""
        with self._lock:
            return self._frozen

    def freeze(self, *, frozen: bool) -> None:
        """Stop the ticking, or let it go on from the present virtual instant."""
        with self._lock:
            self._rebase(self._read())
            self._frozen = frozen

    def set(self, instant: datetime) -> datetime:
        """Jump forward to `instant`. Raises ValueError for a naive or an earlier one."""
        if instant.tzinfo is None:
            raise ValueError("the instant must carry a time zone")
        with self._lock:
            present = self._read()
            if instant < present:
                raise ValueError(f"the clock never goes backwards: it is {present.isoformat()}")
            return self._rebase(instant.astimezone(UTC))

    def advance(self, seconds: float) -> datetime:
        """Jump forward by `seconds`. Raises ValueError when negative, not a number, or past the calendar."""
        if not seconds >= 0:
            raise ValueError("the clock advances by zero or more seconds")
        with self._lock:
            try:
                return self._rebase(self._read() + timedelta(seconds=seconds))
            except OverflowError as error:
                raise ValueError("the clock cannot advance that far") from error

    def follow(self, instant: datetime) -> datetime:
        """Catch up with a caller whose clock is ahead; return the later of the two instants."""
        with self._lock:
            present = self._read()
            return present if instant <= present else self._rebase(instant.astimezone(UTC))
