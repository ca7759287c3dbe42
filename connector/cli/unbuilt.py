"""Commands that are named but not built yet: each says so and what to use instead. Nothing here pretends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import typer

from connector.errors import UserError

UNBUILT: Final[dict[str, str]] = {
    "backup": "stop dunwell and copy .dunwell/ (database and master key); on Postgres use pg_dump and copy the key",
    "restore": "stop dunwell and put your copy of .dunwell/ back",
    "serve": "dunwell run works in the foreground; there is no web page yet",
    "worker": "dunwell run works for all organisations of one project",
    "policy backtest": "dunwell plan --as-of DATE shows another day; dunwell policy diff compares two projects",
    "mapping explain": "dunwell mapping show lists every setting in force",
    "mapping diff": "diff the two mapping.yaml files",
    "mapping scaffold": "dunwell init writes a commented mapping.yaml",
    "mapping schema": "dunwell mapping check names every misspelt or misplaced setting",
}
_TAKES_ANYTHING = {"allow_extra_args": True, "ignore_unknown_options": True}


def refuse(name: str, instead: str) -> UserError:
    """The error that an unbuilt command or option answers with."""
    return UserError(f"`dunwell {name}` is not built yet", not_done="nothing was done", next_step=f"instead: {instead}")


def register(app: typer.Typer, groups: dict[str, typer.Typer]) -> None:
    """Hidden from help, so that nobody plans with them; `groups` are the command groups that some belong to."""
    for name, instead in UNBUILT.items():
        first, _, second = name.partition(" ")
        target = groups[first] if second else app
        target.command(second or first, hidden=True, context_settings=_TAKES_ANYTHING)(_answer(name, instead))


def _answer(name: str, instead: str) -> Callable[[], None]:
    def unbuilt() -> None:
        raise refuse(name, instead)

    unbuilt.__doc__ = f"Not built yet. Instead: {instead}."
    return unbuilt
