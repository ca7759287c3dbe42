"""A progress line for anything over two seconds, on stderr, only on a terminal."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def pulling(*, quiet: bool) -> Iterator[Callable[[str, int], None]]:
    """Yields a function that counts records by kind and shows the counts."""
    counts: Counter[str] = Counter()
    shown = sys.stderr.isatty() and not quiet

    def advance(kind: str, records: int) -> None:
        counts[kind] += records
        if shown:
            text = ", ".join(f"{count:,} {name}s" for name, count in counts.items() if count)
            print(f"\r\x1b[2Kreading: {text}", end="", file=sys.stderr, flush=True)

    try:
        yield advance
    finally:
        if shown and counts:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
