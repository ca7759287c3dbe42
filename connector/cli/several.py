"""One command for several organisations: one that is busy or fails never keeps the others from being done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from connector.cli.output import note
from connector.errors import DunwellError, StorageFailed

if TYPE_CHECKING:
    from connector.store.organisations import OrganisationRow

FAILED: Final = 1
_R = TypeVar("_R")


def each(
    rows: Sequence[OrganisationRow], act: Callable[[OrganisationRow], _R], not_done: str, next_step: str
) -> tuple[list[_R], list[DunwellError]]:
    """Act on one organisation after the other: what came of it, and what failed, each error naming its organisation.

    Where only one was meant its error is raised. Raises `StorageFailed` at once: it would strike all of them.
    """
    results: list[_R] = []
    failed: list[DunwellError] = []
    for one in rows:
        try:
            results.append(act(one))
        except DunwellError as error:
            error.complete(not_done, next_step)
            error.record = error.record or one.record.name
            if len(rows) == 1 or isinstance(error, StorageFailed):
                raise
            failed.append(error)
    return results, failed


def failures(failed: Sequence[DunwellError]) -> dict[str, object]:
    """The errors as part of a `--json` answer: nothing where nothing failed."""
    told = [error.as_dict() for error in failed]
    return {"error": told[0], "errors": told} if told else {}


def tell(failed: Sequence[DunwellError]) -> None:
    """The errors for people, on stderr, beside what was done for the others."""
    for error in failed:
        note(f"dunwell: {error} [{error.record}]")
        note(f"  not done: {error.not_done}\n  next: {error.next_step}")
