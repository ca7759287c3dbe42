"""A thread that sends what a served sandbox has to send, when its virtual time comes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Pump:
    """Runs `send` whenever woken, and again after the real seconds that it returns (None: only when woken)."""

    def __init__(self, send: Callable[[], float | None]) -> None:
        self._send = send
        self._woken = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="twin-pump", daemon=True)

    def start(self) -> None:
        """Begin to wait for something to send."""
        self._thread.start()

    def wake(self) -> None:
        """Look at once."""
        self._woken.set()

    def stop(self) -> None:
        """End after the sending that is under way."""
        self._stopping = True
        self._woken.set()
        self._thread.join()

    def _run(self) -> None:
        wait: float | None = None
        while True:
            self._woken.wait(wait)
            self._woken.clear()
            if self._stopping:
                return
            try:
                wait = self._send()
            except Exception:  # noqa: BLE001 - a defect of the sandbox must show, and not end all sending in silence
                _log.exception("the sandbox failed to send")
                wait = None
