"""The command line: parse, call a service, print."""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from connector.cli import (
    accommodate,
    agreements,
    books,
    configuration,
    evidence,
    handover,
    people,
    project,
    take_on,
    unbuilt,
    work,
)
from connector.cli.output import note
from connector.domain.text import escaped
from connector.errors import ConfigError, DunwellError

app = typer.Typer(
    name="dunwell",
    help="An agent for accounts receivable: one courteous credit policy, applied to the books exactly once.\n\n"
    "Exit codes: 0 done, 1 failed, 2 actions are pending (plan only), 3 done but a person is needed.",
    epilog="\b\nExample:\n  dunwell demo\n  dunwell plan --help",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]},
)
project.register(app)
books.register(app)
take_on.register(app)
work.register(app)
people.register(app)
agreements.register(app)
accommodate.register(app)
unbuilt.register(app, configuration.register(app))
evidence.register(app)
handover.register(app)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command. Exit codes: 0 done, 1 failed, 2 actions pending (`plan`), 3 done but a person is needed."""
    given = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in given
    _prepare_output()
    try:
        code = app(given, prog_name="dunwell", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except DunwellError as error:
        _fail(error, as_json=as_json)
    except TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError" and not as_json:
            note(str(error))  # a group without its command: the help is the answer
            sys.exit(1)
        _fail(_usage(error), as_json=as_json)
    except typer.Abort:
        _fail(DunwellError("stopped", not_done="nothing more was done"), as_json=as_json)
    except typer.Exit as leaving:
        sys.exit(leaving.exit_code)
    except BrokenPipeError:
        # The reader of our output went away; the exit's own flush must not complain about it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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


def _prepare_output() -> None:
    """Logs go to stderr; a character that the terminal cannot show is escaped instead of breaking the answer."""
    for stream in (sys.stdout, sys.stderr):
        if (reconfigure := getattr(stream, "reconfigure", None)) is not None:
            reconfigure(errors="backslashreplace")
    level = os.environ.get("DUNWELL_LOG", "warning").upper()
    logging.basicConfig(
        stream=sys.stderr,
        level=level if level in logging.getLevelNamesMapping() else "WARNING",
        format="%(levelname)s %(name)s: %(message)s",
        force=True,
    )


def _usage(error: TyperException) -> DunwellError:
    """What was typed cannot be understood: in words, with the line that shows how."""
    told = getattr(error, "format_message", None)
    message = str(told() if callable(told) else error) or "the command is not complete"
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", "dunwell COMMAND")
    return DunwellError(message, not_done="nothing was done", next_step=f"`{path} --help` shows how")


def _fault(error: Exception) -> DunwellError:
    """A mistake of ours, not of the user's: said as such, without repeating values that may be confidential."""
    return DunwellError(
        f"a fault in dunwell itself ({type(error).__name__})",
        not_done="the command did not finish; what was written before stays valid and is not repeated",
        next_step="run it again with DUNWELL_TRACEBACK=1 and report what it prints",
    )


def _fail(error: DunwellError, *, as_json: bool) -> NoReturn:
    if as_json:
        print(escaped(json.dumps({"error": error.as_dict()}, ensure_ascii=False)))
    else:
        where = f" [{error.record}]" if error.record and not isinstance(error, ConfigError) else ""
        note(f"dunwell: {error}{where}")
        if error.not_done:
            note(f"  not done: {error.not_done}")
        if error.next_step:
            note(f"  next: {error.next_step}")
    sys.exit(error.exit_code)
