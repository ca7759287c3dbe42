"""audit: the hash-chained timeline."""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli.frame import Json, Org, Project, emit, named, project, say


def register(app: typer.Typer) -> None:
    audit_app = typer.Typer(help="Evidence: who decided what, when, and what was written.")
    audit_app.command("verify")(verify)
    audit_app.command("export")(export)
    app.add_typer(audit_app, name="audit")


def verify(folder: Project = None, as_json: Json = False) -> int:
    """Check the timeline's chain: names every edited, deleted, moved or missing entry.

    Example: dunwell audit verify
    """
    from connector.store import timeline

    with project(folder) as w, w.db.reading(w.tenant) as tx:
        problems = timeline.verify(tx)
    if as_json:
        emit({"problems": problems})
    else:
        for problem in problems:
            say(str(problem))
        say("the chain is whole" if not problems else f"{len(problems)} problems")
    return 1 if problems else 0


def export(
    subject: Annotated[str | None, typer.Option("--subject", help="Only entries about this record.")] = None,
    org: Org = None,
    folder: Project = None,
) -> int:
    """The timeline as one JSON document.

    Example: dunwell audit export > timeline.json
    """
    from connector.store import timeline

    with project(folder) as w:
        organisation_id = named(w, org).id if org else None
        with w.db.reading(w.tenant) as tx:
            emit({"entries": timeline.entries(tx, organisation_id, subject)})
    return 0
