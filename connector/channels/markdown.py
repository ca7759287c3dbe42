"""The small Markdown in which letters are written: paragraphs, headings, lists, pipe tables, bold, links.

Values travel through the parse in hexadecimal between two private-use characters (`embed`), so nothing a customer or a
ledger supplied can become markup: only the template's own characters are ever read as such.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

_NAME_START, _PROSE_START, _END = "\ue000", "\ue002", "\ue001"
RESERVED: Final = re.compile(f"[{_NAME_START}-{_PROSE_START}]")

_VALUE: Final = re.compile(f"([{_NAME_START}{_PROSE_START}])([0-9a-f]*){_END}")
_INLINE: Final = re.compile(
    r"\\(?P<escaped>[\\*\[\]|#.-])"
    r"|(?P<break>\\\n)"
    r"|\*\*(?P<bold>.+?)\*\*"
    r"|\[(?P<label>[^\]\n]+)\]\((?P<href>[^)\s]+)\)",
    re.DOTALL,
)
_HEADING: Final = re.compile(r"(#{1,3}) +(.*)")
_BULLET: Final = re.compile(r"- +(.*)")
_NUMBERED: Final = re.compile(r"\d+\. +(.*)")
_RULE_CELL: Final = re.compile(r"(:?)-+(:?)")


class Origin(Enum):
    """Where words come from: the template, a record (a name, an amount), or a sentence a person typed."""

    TEMPLATE = "template"
    RECORD = "record"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Words:
    text: str
    origin: Origin = Origin.TEMPLATE


@dataclass(frozen=True, slots=True)
class Bold:
    parts: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Link:
    label: tuple[Words, ...]
    href: str


@dataclass(frozen=True, slots=True)
class Break:
    """A new line within a paragraph."""


Inline = Words | Bold | Link | Break
Line = tuple[Inline, ...]
Align = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    content: Line


@dataclass(frozen=True, slots=True)
class Paragraph:
    content: Line


@dataclass(frozen=True, slots=True)
class Listing:
    ordered: bool
    entries: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Table:
    header: tuple[Line, ...]
    aligns: tuple[Align, ...]
    rows: tuple[tuple[Line, ...], ...]


Block = Heading | Paragraph | Listing | Table


def embed(value: str, *, by_person: bool = False) -> str:
    """The value, armoured against the parse."""
    start = _PROSE_START if by_person else _NAME_START
    return f"{start}{value.encode('utf-8', 'replace').hex()}{_END}"


def reveal(source: str) -> tuple[Words, ...]:
    """Template text and embedded values as words, in order."""
    words: list[Words] = []
    position = 0
    for match in _VALUE.finditer(source):
        if match.start() > position:
            words.append(Words(source[position : match.start()]))
        origin = Origin.PERSON if match[1] == _PROSE_START else Origin.RECORD
        words.append(Words(bytes.fromhex(match[2]).decode(), origin))
        position = match.end()
    if position < len(source):
        words.append(Words(source[position:]))
    return tuple(words)


def said(words: Sequence[Words]) -> str:
    """The words as one string."""
    return "".join(word.text for word in words)


def parse(source: str) -> tuple[Block, ...]:
    """The blocks of a letter. Never raises: what is not markup is text."""
    return tuple(_block(chunk) for chunk in _chunks(source))


def _chunks(source: str) -> Iterator[list[str]]:
    """Runs of lines between blank lines; a heading, and the change from text to list or table, also separate."""
    chunk: list[str] = []
    for line in source.splitlines():
        stripped = line.strip(" \t")
        if chunk and (not stripped or _kind(stripped) != _kind(chunk[0])) and not _continues(chunk[0], line):
            yield chunk
            chunk = []
        if stripped:
            chunk.append(stripped)
    if chunk:
        yield chunk


def _continues(first: str, line: str) -> bool:
    """An indented line under a list entry belongs to it."""
    return _kind(first) in {"bullet", "numbered"} and line[:1] in {" ", "\t"} and bool(line.strip())


def _kind(line: str) -> str:
    if _HEADING.fullmatch(line):
        return f"heading {line}"  # each heading is a block of its own
    if _BULLET.fullmatch(line):
        return "bullet"
    if _NUMBERED.fullmatch(line):
        return "numbered"
    return "table" if line.startswith("|") else "text"


def _block(lines: list[str]) -> Block:
    if heading := _HEADING.fullmatch(lines[0]):
        return Heading(len(heading[1]), _inline(heading[2]))
    if _BULLET.fullmatch(lines[0]):
        return Listing(ordered=False, entries=_entries(lines, _BULLET))
    if _NUMBERED.fullmatch(lines[0]):
        return Listing(ordered=True, entries=_entries(lines, _NUMBERED))
    if lines[0].startswith("|") and len(lines) > 1 and (aligns := _aligns(lines[1])):
        rows = tuple(_row(line, len(aligns)) for line in (lines[0], *lines[2:]))
        return Table(rows[0], aligns, rows[1:])
    return Paragraph(_inline("\n".join(lines)))


def _entries(lines: list[str], mark: re.Pattern[str]) -> tuple[Line, ...]:
    entries: list[str] = []
    for line in lines:
        if match := mark.fullmatch(line):
            entries.append(match[1])
        else:
            entries[-1] += "\n" + line
    return tuple(_inline(entry) for entry in entries)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def _aligns(line: str) -> tuple[Align, ...]:
    """From the rule under a table's header; () when the line is no rule."""
    marks = [_RULE_CELL.fullmatch(cell) for cell in _cells(line)]
    if not all(marks):
        return ()
    return tuple("right" if mark and mark[2] else "left" for mark in marks)


def _row(line: str, width: int) -> tuple[Line, ...]:
    cells = _cells(line)[:width]
    return tuple(_inline(cell) for cell in cells + [""] * (width - len(cells)))


def _inline(source: str) -> Line:
    parts: list[Inline] = []
    position = 0
    for match in _INLINE.finditer(source):
        parts += _soft(source[position : match.start()])
        parts += _mark(match)
        position = match.end()
    return (*parts, *_soft(source[position:]))


def _mark(match: re.Match[str]) -> tuple[Inline, ...]:
    if match["bold"]:
        return (Bold(_soft(match["bold"])),)
    if match["label"]:
        return (Link(reveal(match["label"]), said(reveal(match["href"]))),)
    if match["break"]:
        return (Break(),)
    return (Words(match["escaped"]),)


def _soft(source: str) -> tuple[Words, ...]:
    """A line's end within a paragraph is a space."""
    return reveal(source.replace("\n", " "))


def wording(blocks: Sequence[Block]) -> str:
    """The letter's own words: records' values are masked by "…", so that a customer's name is never read as tone."""
    return "\n".join(" ".join(_masked(part) for part in line) for block in blocks for line in lines_of(block))


def _masked(part: Inline) -> str:
    match part:
        case Words():
            return "…" if part.origin is Origin.RECORD else part.text
        case Bold(parts=words) | Link(label=words):
            return " ".join(_masked(word) for word in words)
        case Break():
            return "\n"


def lines_of(block: Block) -> tuple[Line, ...]:
    """Every run of inline content in the block, in reading order."""
    match block:
        case Heading() | Paragraph():
            return (block.content,)
        case Listing():
            return block.entries
        case Table():
            return (*block.header, *(cell for row in block.rows for cell in row))


def flatten(line: Line, write: Callable[[Inline], str]) -> str:
    return "".join(write(part) for part in line)
