"""The command line: parse, call a service, print."""

from __future__ import annotations

import json
import os
import sys
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from connector.cli import agreements, books, configuration, evidence, people, project, work
from connector.errors import ConfigError, DunwellError

app = typer.Typer(
    name="dunwell",
    help="An agent for accounts receivable: one courteous credit policy, applied to the books exactly once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for commands in (project, books, work, people, agreements, configuration, evidence):
    commands.register(app)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command. Exit codes: 0 done, 1 failed, 2 actions pending (`plan`), 3 done but a person is needed."""
    given = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in given
    try:
        code = app(given, standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except DunwellError as error:
        _fail(error, as_json=as_json)
    except TyperException as error:
        told = getattr(error, "format_message", None)
        message = told() if callable(told) else str(error)
        _fail(DunwellError(message, next_step="`dunwell COMMAND --help` shows how"), as_json=as_json)
    except typer.Abort:
        _fail(DunwellError("stopped", not_done="nothing more was done"), as_json=as_json)
    except typer.Exit as leaving:
        sys.exit(leaving.exit_code)
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:
        if os.environ.get("DUNWELL_TRACEBACK"):
            raise
        _fail(_fault(error), as_json=as_json)
    except KeyboardInterrupt:
        _fail(
            DunwellError("interrupted", next_step="run the command again: what was done is not repeated"),
            as_json=as_json,
        )


def _fault(error: Exception) -> DunwellError:
    """A mistake of ours, not of the user's: said as such, without repeating values that may be confidential."""
    return DunwellError(
        f"a fault in dunwell itself ({type(error).__name__})",
        not_done="the command did not finish; what was written before stays valid and is not repeated",
        next_step="run it again with DUNWELL_TRACEBACK=1 and report what it prints",
    )


def _fail(error: DunwellError, *, as_json: bool) -> NoReturn:
    if as_json:
        print(json.dumps({"error": error.as_dict()}, ensure_ascii=False))
    else:
        where = f" [{error.record}]" if error.record and not isinstance(error, ConfigError) else ""
        print(f"dunwell: {error}{where}", file=sys.stderr)
        if error.not_done:
            print(f"  not done: {error.not_done}", file=sys.stderr)
        if error.next_step:
            print(f"  next: {error.next_step}", file=sys.stderr)
    sys.exit(error.exit_code)
