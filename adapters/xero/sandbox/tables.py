"""Tables of immutable records with a journal, so that a refused call leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar


class Record(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=Record)


class Journal:
    """How to undo what was done since the outermost open attempt began. Idle, it keeps nothing."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []
        self._open = 0

    def note(self, undo: Callable[[], None]) -> None:
        """Remember how to undo one step."""
        if self._open:
            self._undo.append(undo)

    def begin(self) -> int:
        """Open an attempt and return its mark."""
        self._open += 1
        return len(self._undo)

    def end(self, mark: int, *, undo: bool) -> None:
        """Close the attempt of this mark, undoing its steps if asked."""
        if undo:
            while len(self._undo) > mark:
                self._undo.pop()()
        self._open -= 1
        if not self._open:
            self._undo.clear()


class Table(Generic[R]):
    """Records by id, ids compared without regard to case."""

    def __init__(self, journal: Journal) -> None:
        self._rows: dict[str, R] = {}
        self._journal = journal

    def get(self, record_id: str) -> R | None:
        """Return the record of this id, or None."""
        return self._rows.get(record_id.lower())

    def put(self, record: R) -> None:
        """Add the record, or put it in the place of the older one with its id."""
        key = record.id.lower()
        old = self._rows.get(key)
        self._rows[key] = record
        self._journal.note(lambda: self._restore(key, old))

    def _restore(self, key: str, old: R | None) -> None:
        if old is None:
            del self._rows[key]
        else:
            self._rows[key] = old

    def __iter__(self) -> Iterator[R]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)


class Index:
    """Which ids may belong to a key. A superset: readers check the record itself, so nothing is ever removed."""

    def __init__(self) -> None:
        self._ids: dict[str, dict[str, None]] = {}

    def add(self, key: str, record_id: str) -> None:
        """Note that the record of this id may belong to the key."""
        self._ids.setdefault(key.lower(), {})[record_id] = None

    def get(self, key: str) -> tuple[str, ...]:
        """Return the ids in the order in which they were noted."""
        return tuple(self._ids.get(key.lower(), ()))
