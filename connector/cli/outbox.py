"""effects: the outbox, and what people say about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import frame, words
from connector.cli.frame import By, Json, Org, Project, named, otherwise, project
from connector.cli.output import emit, note, say, table
from connector.domain.counting import counted
from connector.errors import UserError

if TYPE_CHECKING:
    from connector.service.deliver import Delivered
    from connector.service.wiring import Wiring
    from connector.store.outbox import EffectRow

Key = Annotated[str, typer.Argument(metavar="KEY", help="The effect's key, or its beginning.")]


def register(app: typer.Typer) -> None:
    inner = typer.Typer(
        help="The outbox: every write, planned, done or in doubt.",
        epilog="\b\nExample:\n  dunwell effects\n  dunwell effects --state human",
        invoke_without_command=True,
    )
    inner.callback()(effects)
    app.add_typer(inner, name="effects")
    frame.command(inner, settle)
    frame.command(inner, retry)


def effects(
    context: typer.Context,
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help=f"Only these: {words.EFFECT_STATES}.")
    ] = None,
    org: Org = None,
    folder: Project = None,
    as_json: Json = False,
) -> int | None:
    """The outbox: every write, planned, done or in doubt."""
    if context.invoked_subcommand is not None:
        return None
    from connector.service.outcomes import listing

    with project(folder) as w:
        rows = listing(w, named(w, org).id if org else None, state)
        if as_json:
            emit({"effects": [effect_document(row) for row in rows]})
        else:
            show_effects(w, rows, empty="no effects" + (f" are {state}" if state else " yet"))
    return 0


def settle(
    key: Key,
    happened: Annotated[bool | None, typer.Option("--happened/--did-not-happen", help="What you saw.")] = None,
    give_up: Annotated[
        bool, typer.Option("--give-up", help="Cancel it for good, and what waits for it; also one that was refused.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; needed to give up.")] = "",
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Tell what became of an effect that nobody could see, or give it up.

    What did not happen is sent by the next apply. What is given up is not, and its action is not proposed again.

    Example: dunwell effects settle 4f1a9c --happened
    dunwell effects settle 4f1a9c --give-up --reason "told them by telephone"
    """
    from connector.service import outcomes

    if (happened is None) != give_up:
        raise UserError(
            "what became of it is missing" if happened is None else "--give-up goes with neither of the others",
            not_done="nothing was settled",
            next_step="look in the ledger, then say --happened, --did-not-happen or --give-up",
        )
    with project(folder, by) as w, otherwise("nothing was settled"):
        row = outcomes.give_up(w, key, reason) if happened is None else outcomes.settle(w, key, happened=happened)
    return _answer(row, as_json=as_json)


def retry(key: Key, folder: Project = None, by: By = None, as_json: Json = False) -> int:
    """Try an effect again that the ledger refused.

    Do it after you mended what the ledger complained about.

    Example: dunwell effects retry 4f1a9c
    """
    from connector.service.outcomes import retry as service

    with project(folder, by) as w:
        row = service(w, key)
    return _answer(row, as_json=as_json)


def _answer(row: EffectRow, *, as_json: bool) -> int:
    if as_json:
        emit({"effects": [effect_document(row)]})
    else:
        say(
            f"{row.effect.key[:12]} is {row.state.value}"
            + ("; next: dunwell apply" if row.state.value == "planned" else "")
        )
    return 0


def effect_document(row: EffectRow) -> dict[str, object]:
    """One effect as data."""
    return {
        "key": row.effect.key,
        "kind": row.effect.kind,
        "organisation": row.organisation_id,
        "action": row.action_id,
        "target": {"kind": row.effect.target_kind, "id": row.effect.target},
        "state": row.state,
        "reason": row.reason,
        "not_before": row.not_before,
        "marker": row.effect.marker,
        "receipt": row.receipt,
    }


def delivered_document(results: Sequence[Delivered]) -> dict[str, object]:
    """What an `apply` did, as data."""
    rows = [row for result in results for row in result.effects]
    return {
        "effects": [effect_document(row) for row in rows],
        "counts": dict(Counter(row.state.value for row in rows)),
        "calls": sum(result.calls for result in results),
        "undecided": sum(result.undecided for result in results),
        "waiting_until": max((r.waiting_until for r in results if r.waiting_until), default=None),
        "stopped": [result.stopped.as_dict() for result in results if result.stopped is not None],
    }


def show_delivered(w: Wiring, results: Sequence[Delivered]) -> None:
    """What an `apply` did, for people."""
    rows = [row for result in results for row in result.effects]
    show_effects(w, rows, empty="nothing was due")
    if rows:
        say(", ".join(f"{count} {state}" for state, count in Counter(row.state.value for row in rows).items()))
    done = [row for row in rows if row.state.value == "done"]
    before = [row for row in done if row.receipt is not None and row.receipt.already]
    if before:
        say(
            f"{len(before)} of the done {'was' if len(before) == 1 else 'were'} there before: nothing was written again"
        )
    if letters := sum(row.effect.kind.value == "letter" and row not in before for row in done):
        say(_where_letters_went(w, letters))
    waiting = [(result.waiting_until, result.organisation) for result in results if result.waiting_until]
    if waiting:
        say(f"an outcome is unknown: run dunwell apply again after {_local(w, *max(waiting))}")
    if any(row.state.value == "rejected" for row in rows):
        say("refused: mend what is complained about, then dunwell effects retry KEY; or give it up:")
        say("  dunwell effects settle KEY --give-up --reason TEXT")
    if undecided := sum(result.undecided for result in results):
        say(f"{undecided} for you to settle: look in the ledger, then dunwell effects settle KEY")
        say("  --happened, --did-not-happen or --give-up; dunwell effects --state human lists them")


def _where_letters_went(w: Wiring, letters: int) -> str:
    """A folder is told as the project sees it: nobody has been mailed."""
    where = w.channel().goes_to
    told = counted(letters, "letter")
    if isinstance(where, str):
        return f"{told} handed to the mail server {where}"
    within = where.relative_to(w.project) if where.is_relative_to(w.project) else where
    return f"{told} written to the folder {within}: no mail server is set, so nobody was mailed"


def warn_of_letters(lacking: str) -> None:
    """Said beside the answer wherever letters are approved or leave, while nobody would get them or could answer."""
    if lacking:
        note(f"careful: {lacking}; only a sandbox is told of such letters, for real books none leaves")


def show_effects(w: Wiring, rows: Sequence[EffectRow], *, empty: str) -> None:
    """Effects as a table, oldest first, each with the name of what it touches."""
    table(
        ("=key", "=effect", "target", "=state", "detail"),
        [(row.effect.key[:12], row.effect.kind, target_name(w, row), row.state, _detail(w, row)) for row in rows],
        empty=empty,
    )


def target_name(w: Wiring, row: EffectRow) -> str:
    """What the effect touches, as people call it."""
    from connector.domain.decisions import TargetKind
    from connector.service.naming import customer_name, invoice_number

    effect = row.effect
    if effect.target_kind is TargetKind.INVOICE:
        return invoice_number(w, row.organisation_id, effect.target)
    if effect.target_kind is TargetKind.CUSTOMER:
        return customer_name(w, row.organisation_id, effect.target) or effect.target
    return f"{effect.target_kind.value} {effect.target}"


def _detail(w: Wiring, row: EffectRow) -> str:
    from connector.service.consequences import OPEN_STATES

    if row.reason:
        later = row.not_before if row.state in OPEN_STATES else None  # what is settled waits for nothing
        return row.reason + (f", not before {_local(w, later, row.organisation_id)}" if later else "")
    return row.receipt.reference if row.receipt else ""


def _local(w: Wiring, instant: datetime, organisation_id: str) -> str:
    """The first whole minute at or after the instant, as the clock at the organisation's place will show it."""
    from connector.service.wiring import local
    from connector.store import organisations

    with w.db.reading(w.tenant) as tx:
        place = organisations.get(tx, organisation_id)
    there = local(instant + timedelta(seconds=59, microseconds=999_999), place)
    return f"{there:%H:%M %Z}" if there.date() == w.today(place) else f"{there:%Y-%m-%d %H:%M %Z}"
