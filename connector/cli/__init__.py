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
from connector.cli.output import Unwritable, note
from connector.domain.text import escaped
from connector.errors import ConfigError, DunwellError, UserError

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
    try:
        _prepare_output()
        code = _run(given, as_json="--json" in given)
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go_of_output()
        code = 1
    except OSError as error:
        if os.environ.get("DUNWELL_TRACEBACK") and not isinstance(error, Unwritable):
            raise
        _let_go_of_output()
        code = _tell(_unwritten(error), as_json=False)
    except DunwellError as error:
        code = _tell(error, as_json=False)
    sys.exit(code)


def _run(given: list[str], *, as_json: bool) -> int:
    """The exit code; what failed is told. Raises `OSError` where the answer itself cannot be written."""
    try:
        code = app(given, prog_name="dunwell", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except DunwellError as error:
        return _tell(error, as_json=as_json)
    except TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError" and not as_json:
            note(str(error))  # a group without its command: the help is the answer
            return 1
        return _tell(_usage(error), as_json=as_json)
    except typer.Abort:
        return _tell(DunwellError("stopped", not_done="nothing more was done"), as_json=as_json)
    except typer.Exit as leaving:
        return leaving.exit_code
    except (BrokenPipeError, Unwritable):
        raise
    except Exception as error:
        if isinstance(error, OSError):
            sys.stdout.flush()  # raises again where it is our output that could not be flushed
        if os.environ.get("DUNWELL_TRACEBACK"):
            raise
        return _tell(_fault(error), as_json=as_json)
    except KeyboardInterrupt:
        again = "run the command again: what was done is not repeated"
        return _tell(DunwellError("interrupted", next_step=again), as_json=as_json)


def _prepare_output() -> None:
    """Logs go to stderr; a character that the terminal cannot show is escaped instead of breaking the answer.

    A closed stderr is opened onto nothing: no file of ours may get its number. Raises `UserError` where stdout is
    closed, before anything is done.
    """
    closed = sys.stdout is None
    if closed:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if closed:
        raise UserError(
            "the answer has nowhere to go: standard output is closed",
            not_done="nothing was done",
            next_step="send it to a file, or to /dev/null",
        )
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


def _unwritten(error: OSError) -> DunwellError:
    return DunwellError(
        f"the answer cannot be written: {error.strerror or type(error).__name__}",
        not_done="the answer is not complete; what the command did stays done and is not repeated",
        next_step="make room or name another place, then run it again",
    )


def _let_go_of_output() -> None:
    """What is still to be written goes nowhere: the exit's own flush must not complain about it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(error: DunwellError, *, as_json: bool) -> int:
    """Say what went wrong, where people or programs read it. Returns the exit code."""
    if as_json:
        try:
            print(escaped(json.dumps({"error": error.as_dict()}, ensure_ascii=False)))
            sys.stdout.flush()
            return error.exit_code
        except OSError:
            _let_go_of_output()  # then in words, on stderr
    where = f" [{error.record}]" if error.record and not isinstance(error, ConfigError) else ""
    note(f"dunwell: {error}{where}")
    if error.not_done:
        note(f"  not done: {error.not_done}")
    if error.next_step:
        note(f"  next: {error.next_step}")
    return error.exit_code
