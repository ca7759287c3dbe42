"""handover: the case pack for whoever takes a debt over."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connector.cli import frame
from connector.cli.agreements import Customer
from connector.cli.frame import By, Json, Org, Project, named, otherwise, project, write_file
from connector.cli.output import emit, note, say
from connector.domain.counting import counted

_PRIVATE = 0o600


def register(app: typer.Typer) -> None:
    frame.command(app, handover)


def handover(
    customer: Customer,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the ZIP file is written.")],
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Make the case pack of a debt.

    A summary to read, the letters, the invoices for a spreadsheet, the timeline and whether its chain is whole. It
    covers what is recorded as held by others, or all that is open; refused while a legal hold or an open query forbids
    it. It holds everything that was recorded about the customer: give it only to who may read that.

    Example: dunwell handover "Basket Case" --out basket-case.zip
    """
    from connector.service import case_packs

    with project(folder, by) as w, otherwise("no case pack was made"):
        made = case_packs.case_pack(w, named(w, org), customer)
        write_file(out, made.content, "the case pack", _PRIVATE)
    if as_json:
        emit(
            {
                "file": str(out), "sha256": made.sha256, "customer": made.customer, "invoices": made.invoices,
                "letters": made.letters, "entries": made.entries, "problems": made.problems,
            }
        )  # fmt: skip
    else:
        counts = (
            counted(len(made.invoices), "invoice"),
            counted(made.letters, "letter"),
            counted(made.entries, "entry", "entries"),
        )
        say(f"{out}: {', '.join(counts)}")
        for problem in made.problems:
            say(f"the chain of the timeline is broken: {problem}")
        note("dunwell held-by CUSTOMER HOLDER makes dunwell leave the customer alone")
    return 3 if made.problems else 0
