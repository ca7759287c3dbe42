"""How answers are printed: lines and tables for people, one JSON document for programs."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from connector.domain.text import escaped, harmless

_WIDEST = 60  # characters to which a column is padded away from a terminal
_LONGEST_ECHO = 200
_HIDDEN = frozenset({"id", "by", "on", "kind"})  # fields of a record that a person need not see again


class Unwritable(OSError):
    """Our own output cannot be written (a full disk): no fault of what was asked."""


def say(text: str = "") -> None:
    """A line for people. Names come from the ledger: no control character reaches the terminal.

    Raises `Unwritable`, as all here that answers.
    """
    _print(harmless(text))


def _print(text: str) -> None:
    try:
        print(text)
    except BrokenPipeError:
        raise  # nobody reads on: there is nobody to be told
    except OSError as error:
        raise Unwritable(error.errno, error.strerror) from error


def note(text: str) -> None:
    """A line beside the answer: on stderr, so that it never mixes with data. Where it cannot be said, work goes on."""
    with suppress(OSError):
        print(harmless(text), file=sys.stderr)


def emit(document: object) -> None:
    """The one JSON document of a `--json` answer."""
    _print(escaped(json.dumps(plain(document), ensure_ascii=False, indent=2 if sys.stdout.isatty() else None)))


def plain(value: object) -> object:
    """Any of our values as JSON: money as amount and currency, dates ISO, enums by value."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if callable(as_dict := getattr(value, "as_dict", None)):
        return plain(as_dict())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {_key(key): plain(one) for key, one in value.items()}
    if isinstance(value, Iterable):
        return [plain(one) for one in value]
    return str(value)


def _key(key: object) -> str:
    if isinstance(key, Enum):
        return str(key.value)
    if isinstance(key, tuple):
        return "/".join(_key(part) for part in key)
    return str(key)


def recorded(record: object, *, as_json: bool, follows: str = "dunwell plan shows what follows") -> int:
    """Answer a command that recorded something: what exactly, and where its consequences can be seen."""
    if as_json:
        emit({"records": record} if isinstance(record, list) else {"record": record})
        return 0
    for one in record if isinstance(record, list) else [record]:
        say(f"recorded: {_in_words(one)}")
    note(follows)
    return 0


def _in_words(record: object) -> str:
    if not dataclasses.is_dataclass(record):
        return str(record)
    values = ((field.name, getattr(record, field.name)) for field in dataclasses.fields(record))
    told = [
        f"{name.replace('_', ' ')} {_short(cell(value))}"
        for name, value in values
        if name not in _HIDDEN and not name.endswith("_id") and value not in (None, "", (), False) and _is_plain(value)
    ]
    kind = "".join(f" {ch.lower()}" if ch.isupper() else ch for ch in type(record).__name__).strip()
    return f"{kind}: {', '.join(told)}" if told else kind


def _short(text: str) -> str:
    """What was typed is said again so that it can be recognised, not whole."""
    return text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}… ({len(text):,} characters)"


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | bool | date | Decimal | Enum) or callable(getattr(value, "as_dict", None))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "") -> None:
    """A table for people. A column named `>x` is right-aligned, `=x` never wraps (ids, dates).

    In a terminal it is drawn to fit, or told as records where that is too narrow; elsewhere each row is one line,
    columns padded, so that grep and cut work.
    `empty` is said instead where there are no rows.
    """
    cells = [[cell(value) for value in row] for row in rows]
    if not cells:
        if empty:
            say(empty)
        return
    if sys.stdout.isatty():
        from connector.cli.terminal import drawn

        _print("\n".join(drawn(columns, cells)))
    else:
        _pad(columns, cells)


def _pad(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    titles = [column.lstrip(">=").upper() for column in columns]
    lines = [titles, *([" ".join(text.split()) for text in row] for row in rows)]
    widths = _widths(lines, _WIDEST)
    for line in lines:
        padded = (
            text.rjust(width) if column.startswith(">") else text.ljust(width)
            for text, width, column in zip(line, widths, columns, strict=True)
        )
        _print("  ".join(padded).rstrip())


def _widths(lines: Sequence[Sequence[str]], widest: int) -> list[int]:
    """How wide each column is padded; a cell that is wider than the widest pushes only its own line."""
    return [max(len(text) for text in column if len(text) <= widest) for column in zip(*lines, strict=True)]


def cell(value: object) -> str:
    """One value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value).replace("_", " ")
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} {value.tzname() or ''}".rstrip()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list | dict):
        return harmless(json.dumps(plain(value), ensure_ascii=False))
    return harmless(str(value)).replace("\n", " ")
