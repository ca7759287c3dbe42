"""pull, report, take-on, books known-to: from the ledger to figures, and what only people know about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.frame import (
    By,
    Json,
    Org,
    Project,
    choice,
    day,
    emit,
    named,
    note,
    project,
    required_day,
    say,
    table,
)
from connector.domain.cases import TakeOnChoice
from connector.errors import UserError

if TYPE_CHECKING:
    from connector.service.report import Report


def register(app: typer.Typer) -> None:
    app.command()(pull)
    app.command()(report)
    take_on_app = typer.Typer(help="The first run: questions, sorting opening items, closing.")
    take_on_app.callback(invoke_without_command=True)(take_on)
    take_on_app.command("show")(take_on_show)
    take_on_app.command("answer")(take_on_answer)
    take_on_app.command("sort")(take_on_sort)
    take_on_app.command("close")(take_on_close)
    app.add_typer(take_on_app, name="take-on")
    books_app = typer.Typer(help="How far the books are reconciled.")
    books_app.callback()(books)
    books_app.command("known-to")(books_known_to)
    app.add_typer(books_app, name="books")


def pull(
    organisations: Annotated[list[str] | None, typer.Argument(help="Organisations [all].")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything again.")] = False,
    folder: Project = None,
    as_json: Json = False,
) -> int:
    """Read what changed in the ledger into the mirror.

    Example: dunwell pull
    """
    from connector.cli.progress import pulling
    from connector.service import lookup, sync

    with project(folder) as w, pulling(quiet=as_json) as progress:
        results = [sync.pull(w, one, full=full, progress=progress) for one in lookup.selected(w, organisations)]
    if as_json:
        emit({"organisations": results})
        return 0
    for result in results:
        read = ", ".join(f"{count} {kind}s" for kind, count in result.records.items() if count)
        say(f"{result.name}: {read or 'nothing new'}; {result.changed} changed, {result.calls} calls")
        for currency, figure in result.open.items():
            say(f"  open {figure['count']} invoices, {_amount(figure['total'])} ({currency})")
        if result.needs_review:
            say(f"  {result.needs_review} records need review: dunwell doctor names them")
        if (difference := result.control.get("difference")) and _nonzero(difference):
            say(f"  control: the ledger's own balances differ by {_amount(difference)} ({result.control['basis']})")
    return 0


def _amount(value: object) -> str:
    return f"{value['currency']} {value['amount']}" if isinstance(value, dict) else ""


def _nonzero(value: object) -> bool:
    return isinstance(value, dict) and str(value["amount"]).strip("-0.") != ""


def report(
    as_of: Annotated[str | None, typer.Option("--as-of", help="The figures as of this day.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Not available yet.")] = None,
    org: Org = None,
    folder: Project = None,
    as_json: Json = False,
) -> int:
    """Control totals, aging and DSO from the mirror.

    Example: dunwell report --as-of 2026-10-31
    """
    from connector.service import lookup
    from connector.service.report import report as service

    if html is not None:
        raise UserError("the HTML report is not built yet", not_done="no file was written", next_step="use --json")
    with project(folder) as w:
        reports = [service(w, one, day(as_of)) for one in lookup.selected(w, [org] if org else None)]
    if as_json:
        emit({"organisations": [report_document(one) for one in reports]})
    else:
        for one in reports:
            _show(one)
    return 0


def report_document(found: Report) -> dict[str, object]:
    """The report as data."""
    return {
        "organisation": found.organisation,
        "name": found.name,
        "as_of": found.as_of,
        "cash_known_to": found.cash_known_to,
        "currencies": {
            currency: {
                "open": figures.open.as_dict(),
                "overdue": figures.overdue.as_dict(),
                "aging": {name: figure.as_dict() for name, figure in figures.aging.items()},
                "dso": figures.dso,
                "unsent": figures.unsent.as_dict(),
                "neglected": figures.neglected.as_dict(),
                "no_due_date": figures.no_due_date,
            }
            for currency, figures in sorted(found.currencies.items())
        },
        "without_address": found.without_address,
        "needs_review": found.needs_review,
        "control": found.control,
    }


def _show(found: Report) -> None:
    known = (
        f"books known to {found.cash_known_to}" if found.cash_known_to else "nobody said how far the books are known"
    )
    say(f"{found.name}, {found.as_of} ({known})")
    for currency, figures in sorted(found.currencies.items()):
        rows: list[tuple[object, ...]] = [("open", figures.open.count, _major(figures.open))]
        rows.append(("overdue", figures.overdue.count, _major(figures.overdue)))
        rows += [(f"  {name} days", figure.count, _major(figure)) for name, figure in figures.aging.items()]
        rows.append(("never sent", figures.unsent.count, _major(figures.unsent)))
        rows.append(("neglected", figures.neglected.count, _major(figures.neglected)))
        table((currency, ">invoices", ">amount"), rows)
        say(f"  DSO {figures.dso} days" if figures.dso is not None else "  DSO: no sales in the last 365 days")
    if found.without_address:
        say(f"  no usable address: {', '.join(found.without_address)}")
    if found.needs_review:
        say(f"  {found.needs_review} records need review")


def _major(figure: object) -> str:
    from connector.domain.money import Money
    from connector.service.report import Figure

    assert isinstance(figure, Figure)
    return f"{Money(figure.minor, figure.currency).amount:,}"


def take_on(context: typer.Context) -> None:
    """The first run. Without a sub-command: show."""
    if context.invoked_subcommand is None:
        take_on_show()


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
    say(
        f"opening items are those open on {state.start_date}; "
        + (f"closed on {state.closed_on}" if state.closed_on else "open")
    )
    for question in state.missing:
        say(f"  answer {question}: {service.QUESTIONS[question]}")
    table(
        ("customer", ">items", "oldest due", ">amount", "sorted", "suggestion"),
        (
            (
                one.name,
                one.items,
                one.oldest_due,
                ", ".join(str(amount) for amount in one.amounts),
                one.sorted,
                f"{one.suggestion.value}: {one.because}",
            )
            for one in state.customers
        ),
    )
    return 0


def take_on_answer(
    question: Annotated[str, typer.Argument(help="financed, tax_basis, native_reminders, approver or parties.")],
    answer: Annotated[str, typer.Argument(help="The answer.")],
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Answer one of the questions without which nothing is sent.

    Example: dunwell take-on answer financed no
    """
    from connector.service import take_on as service

    with project(folder, by) as w:
        record = service.answer(w, named(w, org), question.replace("-", "_"), answer)
    _answer(record, as_json=as_json)
    return 0


def take_on_sort(
    customers: Annotated[list[str] | None, typer.Argument(help="Customers, then the choice as the last word.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every customer not sorted yet.")] = False,
    reason: Annotated[str, typer.Option("--reason")] = "",
    until: Annotated[str | None, typer.Option("--until", help="For exclude: leave alone until then.")] = None,
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Sort opening items: chase, fix_books, exclude, credit, write_off, legal.

    Example: dunwell take-on sort "Basket Case" chase   ·   dunwell take-on sort --all chase
    """
    from connector.service import take_on as service

    words = list(customers or ())
    if not words:
        raise UserError("the choice is missing", next_step="dunwell take-on sort CUSTOMER chase")
    picked = choice(words.pop(), TakeOnChoice, "choice")
    assert isinstance(picked, TakeOnChoice)
    if bool(words) == every:
        raise UserError("name customers, or --all", not_done="nothing was sorted")
    with project(folder, by) as w:
        records = service.sort(w, named(w, org), words, picked, reason=reason, until=day(until))
    if as_json:
        emit({"records": records})
    else:
        say(f"{len(records)} customers sorted as {picked.value}")
    return 0


def take_on_close(org: Org = None, folder: Project = None, by: By = None, as_json: Json = False) -> int:
    """Close the take-on: from now on proposals reach people once approved.

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


def books() -> None:
    """How far the books are reconciled."""


def books_known_to(
    until: Annotated[str, typer.Argument(help="Reconciled up to and including this day.")],
    account: Annotated[str, typer.Option("--account", help="Only this receiving account.")] = "",
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Attest how far the books are reconciled: nobody is asked for money the books may already hold.

    Example: dunwell books known-to 2026-11-20
    """
    from connector.service import people

    with project(folder, by) as w:
        record = people.books_known_to(w, named(w, org), required_day(until), account)
    _answer(record, as_json=as_json)
    return 0


def _answer(record: object, *, as_json: bool) -> None:
    if as_json:
        emit({"record": record})
    else:
        note("recorded")
