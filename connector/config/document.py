"""YAML in: plain values with the position of every key and value. Only what a settings file needs is understood.

No anchors, aliases, tags, merge keys or second documents; sizes and depth are limited; numbers with decimals become
`Decimal`, never floats. A file may come from anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from connector.errors import ConfigError

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 12
MAX_VALUES: Final = 10_000
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\.[0-9]{1,12}")
_TAB = re.compile(r"^ *\t", re.MULTILINE)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_FLAGS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}

Part = str | int
Place = tuple[Part, ...]


class Position(NamedTuple):
    """Both from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Document:
    """One file's settings: `data` is what it says, `findings` what is wrong with how it says it."""

    file: str
    data: dict[str, object] = field(default_factory=dict)
    keys: dict[Place, Position] = field(default_factory=dict)
    values: dict[Place, Position] = field(default_factory=dict)
    findings: list[ConfigError] = field(default_factory=list)

    def position(self, place: Place, *, of_key: bool = False) -> Position | None:
        """Where the setting stands in this file; None when the file does not mention it."""
        first, second = (self.keys, self.values) if of_key else (self.values, self.keys)
        return first.get(place) or second.get(place)

    def refuse(self, what: str, at: Position, place: Place = (), fix: str = "") -> None:
        self.findings.append(located(self.file, at, place, what, fix))


def located(file: str, at: Position, place: Place, what: str, fix: str = "") -> ConfigError:
    return ConfigError(
        what,
        file=file,
        line=at.line,
        column=at.column,
        path=dotted(place),
        fix=fix,
        not_done="nothing was decided or sent",
    )


def dotted(place: Place) -> str:
    """`ladder.steps[2].level`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_document(path: Path | Traversable) -> Document:
    """Read a settings file. Never raises for its content: see `Document.findings`."""
    document = Document(str(path))
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        document.refuse(f"the file cannot be read: {reason}", Position(0, 0), fix="run `dunwell init` to make one")
        return document
    if len(raw) > MAX_BYTES:
        document.refuse(f"the file is larger than {MAX_BYTES // 1024} KiB", Position(1, 1))
        return document
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        document.refuse("the file is not UTF-8 text", Position(line, 1), fix="save it as UTF-8")
        return document
    _parse(text, document)
    return document


class _Stop(Exception):
    """Reading cannot go on; the finding is recorded."""


def _parse(text: str, document: Document) -> None:
    if (tab := _TAB.search(text)) is not None:
        line = text.count("\n", 0, tab.start()) + 1
        column = tab.end() - tab.start()
        document.refuse("a tab where YAML wants spaces", Position(line, column), fix="indent with spaces")
        return
    try:
        data = _Reader(document, YAML(pure=True).parse(text)).root()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
        document.refuse(f"not valid YAML: {error.problem or error.context}", at)
    except (YAMLError, ValueError) as error:
        document.refuse(f"not valid YAML: {str(error).splitlines()[0]}", Position(1, 1))
    except _Stop:
        pass
    else:
        document.data = data


class _Reader:
    """Turns the parser's events into values, keeping positions."""

    def __init__(self, document: Document, events: Iterator[Event]) -> None:
        self._document = document
        self._events = events
        self._count = 0

    def root(self) -> dict[str, object]:
        next(self._events)  # the stream's start
        event = next(self._events)
        if not isinstance(event, DocumentStartEvent):
            return {}
        first = next(self._events)
        value = self._value(first, (), 0)
        next(self._events)  # the document's end
        if isinstance(another := next(self._events), DocumentStartEvent):
            self._stop("a second document in one file", another, fix="remove the line ---")
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._stop("a settings file is a list of `name: value` lines", first)
        return value

    def _stop(self, what: str, event: Event, place: Place = (), fix: str = "") -> NoReturn:
        self._document.refuse(what, _at(event), place, fix)
        raise _Stop

    def _value(self, event: Event, place: Place, depth: int) -> object:
        self._count += 1
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            self._stop("anchors and aliases are not understood here", event, place, "write the value out")
        if getattr(event, "tag", None) not in (None, "!"):
            self._stop("tags are not understood here", event, place, "write the plain value")
        if self._count > MAX_VALUES:
            self._stop(f"more than {MAX_VALUES} values", event, place)
        if depth > MAX_DEPTH:
            self._stop(f"nested deeper than {MAX_DEPTH} levels", event, place)
        self._document.values[place] = _at(event)
        if isinstance(event, ScalarEvent):
            return _scalar(event)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(place, depth)
        return self._mapping(place, depth)

    def _sequence(self, place: Place, depth: int) -> list[object]:
        values: list[object] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            values.append(self._value(event, (*place, len(values)), depth + 1))
        return values

    def _mapping(self, place: Place, depth: int) -> dict[str, object]:
        values: dict[str, object] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                self._stop("a name must be one word", event, place)
            name = str(getattr(event, "value", ""))
            here = (*place, name)
            if name == "<<":
                self._stop("merge keys are not understood here", event, here, "write the values out")
            twice = self._document.keys.get(here)
            if twice is not None:
                what = f"{dotted(here)} is given twice, first in line {twice.line}"
                self._document.refuse(what, _at(event), here, "keep one of them")
            else:
                self._document.keys[here] = _at(event)
            value = self._value(next(self._events), here, depth + 1)
            values.setdefault(name, value)
        return values


def _at(event: Event) -> Position:
    return Position(event.start_mark.line + 1, event.start_mark.column + 1)


def _scalar(event: ScalarEvent) -> str | int | bool | Decimal | None:
    text = str(event.value)
    if event.style in ("'", '"', "|", ">"):
        return text
    if text in _NULLS:
        return None
    if text in _FLAGS:
        return _FLAGS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text
