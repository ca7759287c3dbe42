"""pull, report, books known-to: from the ledger to figures, and how far the books are known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import frame, several, unbuilt
from connector.cli.frame import By, Json, Org, Project, day, named, project, required_day
from connector.cli.output import emit, note, plain, recorded, say, table
from connector.domain.counting import counted

if TYPE_CHECKING:
    from connector.service.report import Figure, Report
    from connector.service.sync import Pulled
    from connector.store.organisations import OrganisationRow

_UNFINISHED = "the pull did not finish; what was read stays valid"


def register(app: typer.Typer) -> None:
    frame.command(app, pull)
    frame.command(app, report)
    books = frame.group(app, "books", "How far the books are reconciled.", "dunwell books known-to 2026-11-20")
    books.callback()(lambda: None)
    frame.command(books, books_known_to, "known-to")


def pull(
    organisations: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="Organisations [all].")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything again.")] = False,
    folder: Project = None,
    as_json: Json = False,
) -> int:
    """Read what changed in the ledger into the mirror.

    One organisation that fails or is busy does not keep the others from being read.

    Example: dunwell pull
    dunwell pull "Acme Ltd" --full
    """
    from connector.cli.progress import pulling
    from connector.service import lookup, sync

    with project(folder) as w:

        def read(one: OrganisationRow) -> Pulled:
            with pulling(quiet=as_json) as progress:
                return sync.pull(w, one, full=full, progress=progress)

        rows = lookup.selected(w, organisations)
        results, failed = several.each(rows, read, _UNFINISHED, "dunwell doctor --all, then again")
    if as_json:
        emit({"organisations": results} | several.failures(failed))
    else:
        for result in results:
            _show_pulled(result)
        several.tell(failed)
    return several.FAILED if failed else 0


def _show_pulled(result: Pulled) -> None:
    read = ", ".join(counted(count, kind) for kind, count in result.records.items() if count)
    say(f"{result.name}: {read or 'nothing new'}; {result.changed} changed, {counted(result.calls, 'call')}")
    for figure in result.open.values():
        say(f"  open {counted(int(str(figure['count'])), 'invoice')}, {_amount(figure['total'])}")
    if result.needs_review:
        say(f"  {counted(result.needs_review, 'record')} to review: dunwell doctor names them")
    if (difference := result.control.get("difference")) and _nonzero(difference):
        say(f"  control: the ledger's own balances differ by {_amount(difference)} ({result.control['basis']})")


def _amount(value: object) -> str:
    from decimal import Decimal

    return f"{value['currency']} {Decimal(value['amount']):,}" if isinstance(value, dict) else ""


def _nonzero(value: object) -> bool:
    return isinstance(value, dict) and str(value["amount"]).strip("-0.") != ""


def report(
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="The figures as of this day.")] = None,
    html: Annotated[Path | None, typer.Option("--html", hidden=True)] = None,
    org: Org = None,
    folder: Project = None,
    as_json: Json = False,
) -> int:
    """Open and overdue, aging and DSO, from the mirror.

    Example: dunwell report
    dunwell report --as-of 2026-10-31
    """
    from connector.service import lookup
    from connector.service.report import report as service

    if html is not None:
        raise unbuilt.refuse("report --html", "dunwell report, or dunwell report --json for programs")
    with project(folder) as w:
        reports = [service(w, one, day(as_of)) for one in lookup.selected(w, [org] if org else None)]
    if as_json:
        warnings = [f"{one.name}: {warning}" for one in reports for warning in one.warnings]
        emit({"organisations": [report_document(one) for one in reports], "warnings": warnings})
    else:
        for one in reports:
            _show(one)
            for warning in one.warnings:
                note(f"careful: {one.name}: {warning}")
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
                "open": figures.open,
                "overdue": figures.overdue,
                "aging": dict(figures.aging),
                "dso": figures.dso,
                "unsent": figures.unsent,
                "neglected": figures.neglected,
                "no_due_date": figures.no_due_date,
            }
            for currency, figures in sorted(found.currencies.items())
        },
        "without_address": found.without_address,
        "needs_review": found.needs_review,
        "control": found.control,
        "warnings": found.warnings,
    }


def _show(found: Report) -> None:
    known = f"books known to {found.cash_known_to}" if found.cash_known_to else "nobody said how far they are known"
    say(f"{found.name}, {found.as_of} ({known})")
    for currency, figures in sorted(found.currencies.items()):
        rows: list[tuple[object, ...]] = [("open", figures.open.count, _major(figures.open))]
        rows += [(_bucket(name), figure.count, _major(figure)) for name, figure in figures.aging.items()]
        rows.append(("overdue", figures.overdue.count, _major(figures.overdue)))
        if figures.unsent is not None:
            rows.append(("never sent", figures.unsent.count, _major(figures.unsent)))
        if figures.neglected is not None:
            rows.append(("neglected", figures.neglected.count, _major(figures.neglected)))
        say()
        table((f"={currency}", ">invoices", ">amount"), rows)
        say(f"DSO {figures.dso} days" if figures.dso is not None else "DSO: no sales in the last 365 days")
    if found.without_address:
        say(f"no usable address: {', '.join(found.without_address)}")
    if found.needs_review:
        say(f"{counted(found.needs_review, 'record')} to review: dunwell doctor names them")


def _bucket(name: str) -> str:
    return "- not due yet" if name == "current" else f"- {name} days"


def _major(figure: Figure) -> str:
    document = plain(figure)
    assert isinstance(document, dict)
    return _amount(document["total"]).partition(" ")[2]


def books_known_to(
    until: Annotated[str, typer.Argument(metavar="DATE", help="Reconciled up to and including this day.")],
    account: Annotated[
        str, typer.Option("--account", metavar="NAME", help="Only this receiving account, by its code.")
    ] = "",
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Attest how far the books are reconciled.

    Nobody is asked for money that the books may already hold.

    Example: dunwell books known-to 2026-11-20
    """
    from connector.service import people

    known = required_day(until)
    with project(folder, by) as w:
        record = people.books_known_to(w, named(w, org), known, account)
    return recorded(record, as_json=as_json)
