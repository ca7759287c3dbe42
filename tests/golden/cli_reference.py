"""docs/reference/cli.md, written from the commands' own help: `python -m tests.golden.cli_reference` renews it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from connector.cli import app
from connector.cli.unbuilt import UNBUILT

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
_HEAD = """# The command line

Written from the commands' own help by `python -m tests.golden.cli_reference`; change the commands, not this page.

- Every command answers with a table for people (drawn in a terminal, plain columns elsewhere) or, with `--json`, with
  one JSON document on stdout and nothing else. Logs and remarks go to stderr; `DUNWELL_LOG=info` shows more of them.
- Exit codes: 0 done, 1 failed (usage errors included), 2 actions are pending (`plan` only), 3 done but a person is
  needed. An error says what happened, what was not done and what to do next; with `--json` it is an `error` object.
- Where several organisations are connected, `pull`, `plan`, `apply` and `run --once` do each of them. One that another
  process works on, or that fails, keeps no other from being done; it is told at the end (`errors` with `--json`, beside
  what was done), and the exit code is 1.
- Dates are ISO (`2026-11-22`). Money in JSON is `{"amount": "1234.50", "currency": "NZD"}`, always a string.
- The project is the folder that `dunwell init` made: `--project DIR`, `DUNWELL_PROJECT`, or the current folder. Its
  state is in `.dunwell/`, or in the database that `DUNWELL_DATABASE_URL` names.
- Secrets come from the environment, the project's `.env` or a file (`DUNWELL_XERO_CLIENT_ID`,
  `DUNWELL_XERO_CLIENT_SECRET`; each also `..._FILE`), never from the command line. The redirect address to register
  is `http://localhost:8484/callback`.
"""


def commands(command: Any = None, path: str = "dunwell") -> Iterator[tuple[str, Any]]:
    """Every command and group that help shows, with its full name."""
    whole: Any = command or get_command(app)
    for name, inner in whole.commands.items():
        if inner.hidden:
            continue
        yield f"{path} {name}", inner
        if hasattr(inner, "commands"):
            yield from commands(inner, f"{path} {name}")


def help_of(path: str, command: Any) -> str:
    """The help text as `--help` prints it, 100 columns wide."""
    context = command.make_context(path, [], resilient_parsing=True, help_option_names=["-h", "--help"])
    context.terminal_width = 100
    text: str = command.get_help(context)
    return text.rstrip()


def reference() -> str:
    """The whole page."""
    parts = [_HEAD]
    for path, command in commands():
        parts.append(f"## {path}\n\n```\n{help_of(path, command)}\n```\n")
    unbuilt = "\n".join(f"- `dunwell {name}`: {instead}." for name, instead in sorted(UNBUILT.items()))
    parts.append(f"## Not built yet\n\nThese answer with an error that says what to use instead.\n\n{unbuilt}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
