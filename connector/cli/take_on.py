"""take-on: the first run. Questions that only people can answer, sorting the opening items, closing."""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli import frame, words
from connector.cli.frame import By, Json, Org, Project, choice, day, named, project
from connector.cli.output import emit, recorded, say, table
from connector.domain.counting import counted
from connector.errors import UserError

_AND_THEN = "dunwell take-on shows what is left"


def register(app: typer.Typer) -> None:
    inner = typer.Typer(
        help="The first run: questions, sorting opening items, closing.",
        epilog="\b\nExample:\n  dunwell take-on",
        invoke_without_command=True,
    )
    inner.callback()(_without_command)
    app.add_typer(inner, name="take-on")
    frame.command(inner, take_on_show, "show")
    frame.command(inner, take_on_answer, "answer")
    frame.command(inner, take_on_sort, "sort")
    frame.command(inner, take_on_close, "close")


def _without_command(
    context: typer.Context, org: Org = None, folder: Project = None, as_json: Json = False
) -> int | None:
    return take_on_show(org, folder, as_json) if context.invoked_subcommand is None else None


def take_on_show(org: Org = None, folder: Project = None, as_json: Json = False) -> int:
    """Open questions, and customers with opening items.

    Example: dunwell take-on show
    """
    from connector.service import take_on as service

    with project(folder) as w:
        state = service.show(w, named(w, org))
    if as_json:
        emit(state)
        return 0
    closed = f"the take-on was closed on {state.closed_on}" if state.closed_on else "the take-on is open"
    say(f"{closed}; opening items are those open on {state.start_date}")
    if state.missing:
        say()
        table(("=question", "asks"), [(name, service.QUESTIONS[name]) for name in state.missing])
        say('answer each with: dunwell take-on answer QUESTION "TEXT"')
    say()
    table(
        ("customer", ">items", "=oldest due", ">amount", "=sorted", "=suggested", "because"),
        (
            (
                one.name,
                one.items,
                one.oldest_due,
                ", ".join(str(amount) for amount in one.amounts),
                one.sorted,
                one.suggestion,
                one.because,
            )
            for one in state.customers
        ),
        empty="no customer has opening items",
    )
    if state.unsorted:
        say("sort each with: dunwell take-on sort CUSTOMER CHOICE")
    elif not state.missing and state.closed_on is None:
        say("next: dunwell take-on close")
    return 0


def take_on_answer(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help=f"One of {words.TAKE_ON_QUESTIONS}.")],
    answer: Annotated[str, typer.Argument(metavar="TEXT", help="The answer.")],
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Answer a question without which nothing is sent.

    Example: dunwell take-on answer financed no
    """
    from connector.service import take_on as service

    with project(folder, by) as w:
        record = service.answer(w, named(w, org), question.replace("-", "_"), answer)
    return recorded(record, as_json=as_json, follows=_AND_THEN)


def take_on_sort(
    customers: Annotated[
        list[str],
        typer.Argument(metavar="CUSTOMER... CHOICE", help=f"Customers, and last the choice: {words.TAKE_ON_CHOICES}."),
    ],
    every: Annotated[bool, typer.Option("--all", help="Every customer not sorted yet.")] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; needed to exclude.")] = "",
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="For exclude: leave alone until then.")
    ] = None,
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Say what becomes of the opening items of customers.

    Example: dunwell take-on sort "Basket Case" chase
    dunwell take-on sort --all chase
    """
    from connector.domain.cases import TakeOnChoice
    from connector.service import take_on as service

    names = list(customers)
    picked = choice(names.pop(), TakeOnChoice, "choice")
    if bool(names) == every:
        raise UserError(
            "name customers, or --all", not_done="nothing was sorted", next_step="dunwell take-on sort CUSTOMER chase"
        )
    with project(folder, by) as w:
        records = service.sort(w, named(w, org), names, picked, reason=reason, until=day(until))
    if as_json:
        emit({"records": records})
    else:
        say(f"{counted(len(records), 'customer')} sorted as {picked.value}")
    return 0


def take_on_close(org: Org = None, folder: Project = None, by: By = None, as_json: Json = False) -> int:
    """Close the take-on: approved proposals now reach people.

    Example: dunwell take-on close
    """
    from connector.service import take_on as service

    with project(folder, by) as w:
        row = service.close(w, named(w, org))
    if as_json:
        emit({"organisation": row.id, "closed_on": row.take_on_closed_on, "mode": row.mode})
    else:
        say(f"take-on closed on {row.take_on_closed_on}; mode {row.mode}")
    return 0
