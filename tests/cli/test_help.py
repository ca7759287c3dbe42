"""Help: every command explains itself with an example; the reference page is what help says; start-up is lean."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from enum import Enum

import pytest

from connector.cli import words
from connector.cli.unbuilt import UNBUILT
from connector.config.layers import PRESETS
from connector.domain import cases
from connector.domain.effects import EffectState
from connector.domain.ledger import TermsBasis
from connector.domain.reductions import Reduction
from connector.service.knowledge import TAKE_ON_QUESTIONS
from connector.service.outcomes import Mode
from tests.cli.conftest import Desk
from tests.golden.cli_reference import REFERENCE, commands, help_of, reference

HEAVY = {"pydantic", "sqlalchemy", "httpx", "rich", "jinja2", "ruamel", "authlib", "cryptography", "holidays", "babel"}


@pytest.mark.parametrize(("path", "command"), [pytest.param(*one, id=one[0]) for one in commands()])
def test_every_command_shows_an_example_and_json(path: str, command: object) -> None:
    text = help_of(path, command)
    assert f"Example:\n    {path.split(' ', 2)[0]}" in text
    assert " ".join(path.split()[:2]) in text.partition("Example:")[2]
    if not hasattr(command, "commands"):
        assert "--json" in text
    if "--project" not in text and not hasattr(command, "commands"):
        assert path.split()[1] in {"demo", "sandbox", "init", "version", "policy"}


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("payment-plan sign", ("--name NAME", "--capacity TEXT", "--evidence TEXT")),
        ("reject", ("--reason TEXT",)),
        ("take-on sort", ("CUSTOMER... CHOICE",)),
    ],
)
def test_what_a_command_cannot_do_without_is_shown_as_required(
    desk: Desk, command: str, names: tuple[str, ...]
) -> None:
    told = re.sub(r"\n {10,}", " ", desk.ok(*command.split(), "--help").out)
    for name in names:
        assert re.search(rf"^  {re.escape(name)} .*\[required\]$", told, re.MULTILINE), name


def test_no_line_of_the_overview_is_cut_short(desk: Desk) -> None:
    overview = desk.ok("--help").out
    assert overview == desk.ok("-h").out
    assert "..." not in overview.partition("Commands:")[2]
    assert "Exit codes: 0 done" in overview


def test_a_group_without_its_command_shows_its_help(desk: Desk) -> None:
    answer = desk.run("dispute")
    assert (answer.code, answer.out) == (1, "")
    assert "resolve" in answer.err


def test_the_reference_page_is_what_help_says() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == reference(), "run `python -m tests.golden.cli_reference`"


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (words.DISPUTE_CODES, cases.DisputeCode),
        (words.DISPUTE_OUTCOMES, cases.DisputeOutcome),
        (words.PARTIES, cases.Party),
        (words.REDUCTIONS, Reduction),
        (words.TERMS_BASES, TermsBasis),
        (words.HOLDERS, cases.Holder),
        (words.REPLIES, cases.ReplyOutcome),
        (words.LEGAL_HOLDS, cases.LegalHoldKind),
        (words.CALL_OUTCOMES, cases.CallOutcome),
        (words.TAKE_ON_CHOICES, cases.TakeOnChoice),
        (words.MODES, Mode),
        (words.EFFECT_STATES, EffectState),
        (words.PRESETS, PRESETS),
        (words.TAKE_ON_QUESTIONS, TAKE_ON_QUESTIONS),
    ],
)
def test_the_words_in_help_are_the_domains_own(text: str, options: Iterable[object]) -> None:
    told = re.split(r", | or ", text)
    assert sorted(told) == sorted(str(one.value) if isinstance(one, Enum) else str(one) for one in options)


@pytest.mark.parametrize(("name", "instead"), UNBUILT.items())
def test_what_is_not_built_says_so(desk: Desk, name: str, instead: str) -> None:
    said = desk.refused(*name.split(), "anything", "--out", "file")
    assert f"`dunwell {name}` is not built yet" in said
    assert instead in said
    assert desk.run(*name.split(), "--json").json["error"]["next_step"].endswith(instead)


def test_the_html_report_is_not_built(desk: Desk) -> None:
    assert "`dunwell report --html` is not built yet" in desk.refused("report", "--html", "report.html")


def test_starting_up_imports_nothing_heavy() -> None:
    code = "import sys, connector.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not HEAVY & set(done.stdout.split())
