"""init, sandbox, demo, connect, organisations, disconnect, migrate, doctor, version."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from connector import __version__
from connector.cli import frame, words
from connector.cli.frame import By, Json, Org, Project, choice, named, otherwise, project
from connector.cli.output import emit, note, say, table
from connector.errors import UserError

if TYPE_CHECKING:
    from connector.bootstrap import Way
    from connector.service.connected import Listed
    from connector.service.wiring import Wiring

_NOTES_SHOWN = 20
LedgerName = Annotated[str, typer.Argument(metavar="LEDGER", help="xero")]


def register(app: typer.Typer) -> None:
    for command in (demo, sandbox, init, connect, organisations, disconnect, mode, doctor, migrate, version):
        frame.command(app, command)


def demo(
    ledger: Annotated[str, typer.Option("--ledger", metavar="LEDGER", help="xero")] = "xero",
    serve: Annotated[bool, typer.Option("--serve", help="Keep the sandbox open afterwards.")] = False,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="DIR", help="Leave the project in this (new) folder.")
    ] = None,
    as_json: Json = False,
) -> int:
    """The main job end to end on a sandbox ledger.

    Tells every story of the policy and ends by itself.

    Example: dunwell demo --json
    """
    from connector.demo.play import play
    from connector.demo.show import lines

    if ledger != "xero":
        raise UserError(f"there is no demo on {ledger!r} yet", next_step="dunwell demo --ledger xero")
    if keep is None:  # the project is thrown away, and its key with it: no reason to tell where it is
        logging.getLogger("dunwell.vault").setLevel(logging.ERROR)
    outcome = play(ledger, keep=keep, tell=None if as_json else say, serve=serve)
    if as_json:
        emit(outcome.document())
    else:
        for line in lines(outcome):
            say(line)
    return 0 if outcome.is_good else 1


def sandbox(
    ledger: LedgerName,
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 = a free one.")] = 0,
    books: Annotated[
        Path | None, typer.Option("--books", metavar="DIR", help="A folder of recorded API answers.")
    ] = None,
    now: Annotated[
        str | None, typer.Option("--now", metavar="INSTANT", help="The instant at which its clock starts, ISO.")
    ] = None,
    frozen: Annotated[bool, typer.Option("--frozen", help="Its clock stands still between settings.")] = False,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Makes ids and secrets reproducible.")] = 1,
    as_json: Json = False,
) -> int:
    """Serve a stand-in for a ledger on this machine.

    Until SIGTERM. The first line of stdout is one JSON object that says where and with which credentials.

    Example: dunwell sandbox xero --port 8600
    """
    del as_json  # its answer is JSON anyway
    from connector.bootstrap import serve_sandbox

    if books is not None and not books.is_dir():
        raise UserError(f"{books} is not a folder", not_done="the sandbox did not start")
    served = serve_sandbox(ledger, port=port, books=books, now=now, seed=seed, frozen=frozen)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    emit(
        {
            "base_url": served.base_url,
            "client_id": served.client_id,
            "client_secret": served.client_secret,
            "organisation": served.organisation,
        }
    )
    sys.stdout.flush()
    _tell_left_out(served.notes, served.base_url)
    stopping.wait()
    served.stop()
    return 0


def _tell_left_out(notes: Sequence[str], base_url: str) -> None:
    """What was left out of recorded books: whoever compares totals has to know."""
    for one in notes[:_NOTES_SHOWN]:
        note(f"careful: {one}")
    if len(notes) > _NOTES_SHOWN:
        note(f"careful: and {len(notes) - _NOTES_SHOWN} more, all of them at {base_url}/__sandbox/notes")


def init(
    target: Annotated[
        Path, typer.Argument(metavar="DIR", help="The new project folder [current folder].", show_default=False)
    ] = Path(),
    preset: Annotated[str, typer.Option("--preset", metavar="PRESET", help=f"{words.PRESETS}.")] = "standard",
    as_json: Json = False,
) -> int:
    """Make a project folder.

    With policy, mapping, letters, an example of the environment and a README. Nothing is overwritten.

    Example: dunwell init acme --preset gentle
    """
    from connector.config.init import scaffold

    files = scaffold(target, preset)
    if as_json:
        emit({"files": [str(one) for one in files]})
    else:
        for one in files:
            say(str(one))
        note(f"next: cd {target}, fill in .env (see .env.example), then dunwell connect xero")
    return 0


def connect(
    ledger: LedgerName,
    base_url: Annotated[
        str, typer.Option("--base-url", metavar="URL", help="A sandbox instead of the real service.")
    ] = "",
    client_id: Annotated[
        str | None, typer.Option("--client-id", metavar="ID", help="Instead of the environment's.")
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the link instead of opening it.")] = False,
    paste: Annotated[bool, typer.Option("--paste", help="Paste the address you were sent back to.")] = False,
    auto: Annotated[bool, typer.Option("--auto", help="Consent by itself; sandboxes only.")] = False,
    custom: Annotated[bool, typer.Option("--custom-connection", help="Client credentials, one organisation.")] = False,
    choose: Annotated[
        str | None, typer.Option("--organisation", "-o", metavar="NAME", help="Which, where several are reached.")
    ] = None,
    port: Annotated[int, typer.Option("--port", metavar="N", min=1, max=65535, help="Of the redirect address.")] = 8484,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Connect an organisation by its own consent page.

    Secrets come from the environment or a prompt, never from the command line.

    Example: dunwell connect xero
    """
    from connector.bootstrap import HowToConnect, connect_ledger, needs_secret

    way = _way(custom=custom, auto=auto, paste=paste, no_browser=no_browser)
    again = "try again; dunwell connect --help shows how"
    with project(folder, by, joining=base_url) as w, otherwise("nothing was stored", again):
        how = HowToConnect(ledger, base_url, client_id or "", "", way, choose or "", port)
        if way != "auto" and sys.stdin.isatty() and needs_secret(w, how):
            how = replace(how, secret=_ask("client secret (empty for an app without one)", hidden=True))
        connected = connect_ledger(w, how, note, _ask)
    row = connected.organisation
    if as_json:
        organisation = {"id": row.id, "ledger_id": row.record.ledger_id, "name": row.record.name}
        emit({"organisation": organisation, "scopes": connected.scopes, "warnings": connected.warnings})
        return 0
    say(f"connected {row.record.name}")
    for warning in connected.warnings:
        say(f"  careful: {warning}")
    note("next: dunwell pull" + ("" if row.take_on_closed_on else ", then dunwell take-on"))
    return 0


def _ask(what: str, *, hidden: bool = False) -> str:
    """Ask the person; on stderr, so that stdout holds the answer alone. Raises `Abort` when there is nobody."""
    if hidden:
        from getpass import getpass

        return getpass(f"{what}: ", stream=sys.stderr)
    print(f"{what}: ", end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        note("")
        raise typer.Abort
    return line.strip()


def _way(*, custom: bool, auto: bool, paste: bool, no_browser: bool) -> Way:
    chosen: list[Way] = []
    for name, given in (("custom", custom), ("auto", auto), ("paste", paste)):
        if given:
            chosen.append(cast("Way", name))
    if len(chosen) > 1:
        raise UserError(
            "--auto, --paste and --custom-connection exclude one another",
            not_done="nothing was stored",
            next_step="choose one of them",
        )
    return chosen[0] if chosen else "link" if no_browser else "browser"


def organisations(folder: Project = None, as_json: Json = False) -> int:
    """What is connected, and in which state.

    Example: dunwell organisations
    """
    from connector.bootstrap import list_connected
    from connector.service.wiring import local_minute

    with project(folder) as w:
        found = list_connected(w)
        rows = [_organisation(w, one) for one in found]
    if as_json:
        emit({"organisations": rows})
    else:
        places = [one.organisation for one in found]
        pulled = [local_minute(place.last_pull_at, place) if place.last_pull_at else "never" for place in places]
        table(
            ("=id", "name", "token", "=mode", "=last pull", "take-on"),
            ((r["id"], r["name"], r["token"], r["mode"], at, r["take_on"]) for r, at in zip(rows, pulled, strict=True)),
            empty="no organisation is connected; next: dunwell connect xero",
        )
        for row in rows:
            for warning in row["warnings"]:
                say(f"  {row['name']}: {warning}")
    return 0


def _organisation(w: Wiring, listed: Listed) -> dict[str, Any]:
    row = listed.organisation
    return {
        "id": row.id,
        "ledger": row.record.ledger,
        "name": row.record.name,
        "token": listed.state,
        "scopes": listed.scopes,
        "mode": row.mode,
        "last_pull": row.last_pull_at,
        "take_on": f"closed {row.take_on_closed_on}" if row.take_on_closed_on else "open",
        "budgets": dict(w.ledger(row).budgets()) if listed.state == "active" else {},
        "warnings": listed.warnings,
    }


def disconnect(
    organisation: Annotated[str, typer.Argument(metavar="ORGANISATION", help="Name or id.")],
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Revoke the consent and forget the tokens.

    What was recorded stays.

    Example: dunwell disconnect "Acme Ltd"
    """
    from connector.bootstrap import disconnect as service

    with project(folder, by) as w, otherwise("nothing was forgotten"):
        done = service(w, organisation)
    if as_json:
        emit({"organisation": done.organisation.id, "state": "disconnected", "warnings": done.warnings})
    else:
        say(f"{done.organisation.record.name} is disconnected")
        for warning in done.warnings:
            say(f"  careful: {warning}")
    return 0


def mode(
    wanted: Annotated[str, typer.Argument(metavar="MODE", help=f"{words.MODES}.")],
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Change what happens without a person.

    Autopilot approves only what the policy's autopilot section names.

    Example: dunwell mode approve
    """
    from connector.service.outcomes import Mode, set_mode

    picked = choice(wanted, Mode, "mode")
    with project(folder, by) as w:
        row = set_mode(w, named(w, org), picked)
    if as_json:
        emit({"organisation": row.id, "mode": row.mode})
    else:
        say(f"{row.record.name}: {row.mode}")
    return 0


def doctor(
    every: Annotated[bool, typer.Option("--all", help="Also ask each ledger.")] = False,
    clock_is_right: Annotated[bool, typer.Option("--clock-is-right", help="After the clock went back.")] = False,
    folder: Project = None,
    as_json: Json = False,
) -> int:
    """Look for what would go wrong.

    Database, key, tokens, ledger settings that clash, records to review. Exit code 1 when there is an error.

    Example: dunwell doctor --all
    """
    from connector import bootstrap
    from connector.service.clockcheck import confirm_clock
    from connector.service.doctor import examine

    with project(folder) as w:
        if clock_is_right:
            confirm_clock(w)
        findings = examine(w, lambda: bootstrap.vault(w), ask_ledgers=every)
    if as_json:
        emit({"findings": findings})
    else:
        table(("=level", "what", "about", "do"), ((f.level, f.what, f.about, f.fix) for f in findings))
    return 1 if any(finding.level == "error" for finding in findings) else 0


def migrate(folder: Project = None, as_json: Json = False) -> int:
    """Bring the database to this version's schema.

    Example: dunwell migrate
    """
    from connector.bootstrap import migrate as service

    service(folder or Path.cwd())
    if as_json:
        emit({"migrated": True})
    else:
        say("the database is up to date")
    return 0


def version(as_json: Json = False) -> int:
    """Show the version.

    Example: dunwell version
    """
    if as_json:
        emit({"version": __version__})
    else:
        say(f"dunwell {__version__}")
    return 0
