"""audit: the hash-chained timeline."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from connector.cli import frame
from connector.cli.frame import Json, Org, Project, named, project
from connector.cli.output import emit, plain, say
from connector.domain.counting import counted


def register(app: typer.Typer) -> None:
    audit = frame.group(app, "audit", "Evidence: who decided what, when, and what was written.", "dunwell audit verify")
    frame.command(audit, verify)
    frame.command(audit, export)


def verify(folder: Project = None, as_json: Json = False) -> int:
    """Check that no entry was edited, removed or moved.

    Exit code 1 and one line for each edited, deleted, moved or missing entry.

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
        say("the chain is whole" if not problems else counted(len(problems), "problem"))
    return 1 if problems else 0


def export(
    subject: Annotated[str | None, typer.Option("--subject", metavar="ID", help="Only about this record.")] = None,
    org: Org = None,
    folder: Project = None,
    as_json: Json = False,
) -> int:
    """The whole timeline as one JSON document.

    It is JSON with and without --json.

    Example: dunwell audit export > timeline.json
    """
    del as_json
    from connector.store import timeline

    with project(folder) as w:
        organisation_id = named(w, org).id if org else None
        with w.db.reading(w.tenant) as tx:
            entries = [_readable(plain(entry)) for entry in timeline.entries(tx, organisation_id, subject)]
    emit({"entries": entries})
    return 0


def _readable(entry: object) -> object:
    """The body, stored as canonical JSON, as the data that it is."""
    assert isinstance(entry, dict)
    return entry | {"body": json.loads(entry["body"])}
