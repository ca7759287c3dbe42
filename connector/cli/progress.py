"""Progress on stderr for what takes over two seconds: one line on a terminal, now and then a plain line elsewhere."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from shutil import get_terminal_size
from time import monotonic
from typing import TYPE_CHECKING, Final

from connector.cli.outbox import target_name
from connector.cli.output import cell, note
from connector.domain.counting import counted
from connector.domain.text import harmless

if TYPE_CHECKING:
    from connector.service.deliver import Watch
    from connector.service.wiring import Wiring
    from connector.store.organisations import OrganisationRow
    from connector.store.outbox import EffectRow

AFTER: Final = 2.0  # seconds until the first word
EVERY: Final = 10.0  # seconds between two lines where lines cannot be rewritten
REFRESH: Final = 1.0
_CLEAR: Final = "\r\x1b[2K"


@contextmanager
def pulling(*, quiet: bool) -> Iterator[Callable[[str, int], None]]:
    """Yields a function that counts records by kind and shows the counts."""
    counts: Counter[str] = Counter()
    shown = sys.stderr.isatty() and not quiet

    def advance(kind: str, records: int) -> None:
        counts[kind] += records
        if shown:
            text = ", ".join(counted(count, name) for name, count in counts.items() if count)
            print(f"{_CLEAR}reading: {text}", end="", file=sys.stderr, flush=True)

    try:
        yield advance
    finally:
        if shown and counts:
            print(_CLEAR, end="", file=sys.stderr, flush=True)


@contextmanager
def delivering(w: Wiring, organisation: OrganisationRow, *, quiet: bool) -> Iterator[Watch | None]:
    """Yields what `deliver` tells its effects to; a thread says which one it is at, and what that one waits for."""
    if quiet:
        yield None
        return
    teller = Teller(w, organisation)
    over = threading.Event()
    thread = threading.Thread(target=teller.tell, args=(over,), name="progress", daemon=True)
    thread.start()
    try:
        yield teller.watch
    finally:
        over.set()
        thread.join()


class Teller:
    """Which effect is being delivered, since when, and why it takes so long."""

    def __init__(self, w: Wiring, organisation: OrganisationRow) -> None:
        self._w, self._organisation = w, organisation
        self._at: tuple[int, str, float] | None = None  # which effect, its name, since when (monotonic)

    def watch(self, row: EffectRow) -> None:
        number = self._at[0] + 1 if self._at else 1
        self._at = (number, f"{cell(row.effect.kind)} for {target_name(self._w, row)}", monotonic())

    def tell(self, over: threading.Event) -> None:
        rewriting = sys.stderr.isatty()
        shown = False
        pause = AFTER
        while not over.wait(pause):
            pause = REFRESH if rewriting else EVERY
            if not (text := self.line()):
                continue
            if rewriting:
                text = harmless(text)[: get_terminal_size().columns - 1]
                print(f"{_CLEAR}{text}", end="", file=sys.stderr, flush=True)
                shown = True
            else:
                note(text)
        if shown:
            print(_CLEAR, end="", file=sys.stderr, flush=True)

    def line(self) -> str:
        """Where the round is; nothing before its first effect."""
        if self._at is None:
            return ""
        number, what, since = self._at
        waited = monotonic() - since
        held = self._held()
        why = held or (f": no answer yet, {waited:.0f} s" if waited >= 1 else "")
        return f"effect {number}: {what}{why}"

    def _held(self) -> str:
        import adapters
        from connector.service.wiring import local

        if (until := self._w.ledger(self._organisation).held_until()) is None:
            return ""
        title = adapters.load(self._organisation.record.ledger).title
        return f": {title} allows no call before {local(until, self._organisation):%H:%M:%S %Z}"
