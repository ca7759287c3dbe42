"""What every command shares: options, the project's services, and how answers are printed."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.domain.money import InexactAmount, Money
from connector.errors import UserError

if TYPE_CHECKING:
    from connector.service.wiring import Wiring
    from connector.store.organisations import OrganisationRow

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")]
Project = Annotated[
    Path | None, typer.Option("--project", envvar="DUNWELL_PROJECT", help="The project folder [current folder].")
]
Org = Annotated[str | None, typer.Option("--organisation", "-o", help="Name or id, where several are connected.")]
By = Annotated[str | None, typer.Option("--by", envvar="DUNWELL_USER", help="Who decides [the login name].")]


def say(text: str = "") -> None:
    """A line for people."""
    print(text)


def note(text: str) -> None:
    """A line beside the answer: on stderr, so that it never mixes with data."""
    print(text, file=sys.stderr)


def plain(value: object) -> object:
    """Any of our values as JSON: money as amount and currency, dates ISO, enums by value."""
    if value is None or (isinstance(value, str | int | bool) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Money):
        return value.as_dict()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
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


def emit(document: object) -> None:
    """The one JSON document of a `--json` answer."""
    print(json.dumps(plain(document), ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """A table for people; plain text where the output is not a terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    shown = Table(title=title or None, box=box.SIMPLE_HEAD if terminal else box.ASCII2, title_justify="left")
    for column in columns:
        right = column.startswith(">")
        shown.add_column(column.lstrip(">"), justify="right" if right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(Text(_cell(cell)) for cell in row))
    console = Console(width=None if terminal else 160, highlight=False, markup=False)
    console.print(shown)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Enum):
        return str(value.value).replace("_", " ")
    if isinstance(value, date):
        return value.isoformat()
    # Names come from the ledger: control characters must not reach a terminal.
    return "".join(ch if ch.isprintable() or ch == "\n" else "?" for ch in str(value))


def money(text: str | None, currency: str) -> Money | None:
    """An amount from the command line. Raises `UserError`."""
    if text is None:
        return None
    try:
        return Money.of(Decimal(text.replace(",", "")), currency)
    except (ArithmeticError, InexactAmount):
        raise UserError(f"{text!r} is not an amount in {currency}", next_step="write it like 1234.50") from None


def day(text: str | None, what: str = "date") -> date | None:
    """A date from the command line. Raises `UserError`."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(f"{text!r} is not a {what}", next_step="write it like 2026-11-22") from None


def required_day(text: str, what: str = "date") -> date:
    found = day(text, what)
    if found is None:
        raise UserError(f"a {what} is missing")
    return found


def choice(text: str, options: type[Enum], what: str) -> Enum:
    """One of an enumeration's words; `-` and `_` are the same. Raises `UserError` with the nearest word."""
    from difflib import get_close_matches

    wanted = text.replace("-", "_").casefold()
    words = {str(option.value): option for option in options}
    if wanted in words:
        return words[wanted]
    near = get_close_matches(wanted, words, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise UserError(f"{text!r} is not a {what}{hint}", next_step="one of " + ", ".join(words))


@contextmanager
def project(folder: Path | None, by: str | None = None) -> Iterator[Wiring]:
    """The services of a project folder; closed at the end."""
    from connector.bootstrap import open_project

    with open_project(folder or Path.cwd(), who=by) as wiring:
        yield wiring


@cache
def is_terminal() -> bool:
    return sys.stdout.isatty()


def named(w: Wiring, text: str | None) -> OrganisationRow:
    from connector.service.lookup import organisation

    return organisation(w, text)
