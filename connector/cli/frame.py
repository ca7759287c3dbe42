"""What every command shares: its options, its help, the project's services, and the reading of arguments."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from connector.errors import DunwellError, UserError

if TYPE_CHECKING:
    from connector.domain.money import Money
    from connector.service.wiring import Wiring
    from connector.store.organisations import OrganisationRow

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")]
Project = Annotated[
    Path | None,
    typer.Option("--project", metavar="DIR", envvar="DUNWELL_PROJECT", help="The project folder [current folder]."),
]
Org = Annotated[
    str | None,
    typer.Option("--organisation", "-o", metavar="NAME", help="Name or id, where several are connected."),
]
By = Annotated[
    str | None, typer.Option("--by", metavar="WHO", envvar="DUNWELL_USER", help="Who decides [the login name].")
]
_Word = TypeVar("_Word", bound=Enum)
_EXAMPLE = "\n\nExample: "
_GROUP = 3  # digits between two commas


def command(app: typer.Typer, function: Callable[..., int], name: str = "", *, same_as: str = "") -> None:
    """Register a command. Its docstring is its help; what follows `Example:` stands below the options, unwrapped.

    `same_as`: it is another name of that command, and says so first.
    """
    told, _, examples = inspect.cleandoc(function.__doc__ or "").partition(_EXAMPLE)
    told = f"Another name of {same_as}.\n\n{told}" if same_as else told
    lines = "\n".join(f"  {line.strip()}" for line in examples.splitlines())
    app.command(
        name or function.__name__.replace("_", "-"), help=told, epilog=f"\b\nExample:\n{lines}" if lines else None
    )(function)


def group(app: typer.Typer, name: str, told: str, example: str) -> typer.Typer:
    """A group of commands, registered under its name."""
    inner = typer.Typer(help=told, epilog=f"\b\nExample:\n  {example}", no_args_is_help=True)
    app.add_typer(inner, name=name)
    return inner


@contextmanager
def otherwise(not_done: str, next_step: str = "") -> Iterator[None]:
    """What an error out of this block says was not done, and what to do next, where the error itself does not say."""
    try:
        yield
    except DunwellError as error:
        error.complete(not_done, next_step)
        raise


@contextmanager
def project(folder: Path | None, by: str | None = None, *, joining: str = "") -> Iterator[Wiring]:
    """The services of a project folder; closed at the end. `joining`: the base URL about to be connected."""
    from connector.bootstrap import open_project

    with open_project(folder or Path.cwd(), who=by, joining=joining) as wiring:
        yield wiring


def named(w: Wiring, text: str | None) -> OrganisationRow:
    """The organisation that is meant. Raises `NotFound`, `Refused` when several could be."""
    from connector.service.lookup import organisation

    return organisation(w, text)


def write_file(path: Path, content: str | bytes, what: str, mode: int = 0o666) -> None:
    """Write a file whole or not at all; `mode`: who may read it, less what the umask takes. Raises `UserError`."""
    try:
        beside = path.with_name(f".{path.name}.new")
        beside.unlink(missing_ok=True)
        opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(opened, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        beside.replace(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the name is not usable"
        raise UserError(
            f"{path} cannot be written: {reason}", not_done=f"{what} was not saved", next_step="name another file"
        ) from None


def money(text: str | None, currency: str) -> Money | None:
    """An amount from the command line, above zero. Raises `UserError`.

    What could be read in two ways is refused: `10,50` and `1.000,00` elsewhere mean what `10.50` and `1000.00` do here.
    """
    if text is None:
        return None
    from connector.domain.money import Money, exponent

    code = currency.upper()
    if not _is_amount(text.strip(), exponent(code)):
        raise UserError(
            f"{text!r} is not an amount in {currency}", not_done="nothing was recorded", next_step=_written(code)
        )
    amount = Money.of(text.strip().replace(",", ""), code)
    if amount.minor <= 0:
        raise UserError(f"{text!r} is not above zero", not_done="nothing was recorded", next_step=_written(code))
    return amount


def _is_amount(text: str, decimals: int) -> bool:
    """Plain digits, a point before the decimals, and commas only where they part whole groups of three.

    In a currency of three decimals a comma and three digits may be either: there it needs the decimals behind it.
    """
    whole, point, fraction = text.removeprefix("-").partition(".")
    plainly = re.fullmatch(r"[0-9]{1,15}", whole)
    grouped = re.fullmatch(r"[0-9]{1,3}(,[0-9]{3}){1,4}", whole) and (point or decimals != _GROUP)
    ended = not point or (re.fullmatch(r"[0-9]+", fraction) and len(fraction) <= decimals)
    return bool((plainly or grouped) and ended)


def _written(currency: str) -> str:
    """How an amount of this currency is written without doubt."""
    from decimal import Decimal

    from connector.domain.money import exponent

    decimals = exponent(currency)
    return f"write it like {Decimal('1234.5'):.{decimals}f} or {Decimal('1234.5'):,.{decimals}f}"


def owed(w: Wiring, organisation: OrganisationRow, target: str, text: str | None, currency: str | None) -> Money | None:
    """An amount of what this invoice or customer owes: in its own currency, unless one is named. Raises `UserError`."""
    from connector.service import lookup

    if text is None:
        return None
    if currency is None:
        with w.db.reading(w.tenant) as tx:
            currency = lookup.currency(tx, organisation.id, target)
    return money(text, currency)


def day(text: str | None, what: str = "date") -> date | None:
    """A date from the command line. Raises `UserError`."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(
            f"{text!r} is not a {what}", not_done="nothing was done", next_step="write it like 2026-11-22"
        ) from None


def required_day(text: str, what: str = "date") -> date:
    """A date that has to be given. Raises `UserError`."""
    found = day(text, what)
    if found is None:
        raise UserError(f"a {what} is missing")
    return found


def choice(text: str, options: type[_Word], what: str) -> _Word:
    """One of an enumeration's words; `-` and `_` are the same. Raises `UserError` with the nearest word."""
    from difflib import get_close_matches

    wanted = text.replace("-", "_").casefold()
    words = {str(option.value): option for option in options}
    if wanted in words:
        return words[wanted]
    near = get_close_matches(wanted, words, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    article = "an" if what[0] in "aeiou" else "a"
    raise UserError(
        f"{text!r} is not {article} {what}{hint}", not_done="nothing was done", next_step="one of " + ", ".join(words)
    )
