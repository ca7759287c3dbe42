"""The tutorial is true: every command in it runs, and every figure that it shows is in what the command prints."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adapters.xero.sandbox.serve import Served
from connector import bootstrap, http
from connector.cli import main
from connector.ports import HttpRequest

pytestmark = [pytest.mark.slow, pytest.mark.socket, pytest.mark.timeout(180)]

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial" / "first-hour.md"
BASE = "http://127.0.0.1:8600"
FIGURE = re.compile(r"\d[\d,]*\.\d\d\b|INV-\d+|\d{4}-\d\d-\d\d")


@dataclass
class Typed:
    """One command of the tutorial, and what it says that one sees."""

    command: str
    shown: list[str] = field(default_factory=list)


def commands(text: str) -> Iterator[Typed]:
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        typed: Typed | None = None
        for line in block.splitlines():
            if line.startswith("$ "):
                if typed is not None:
                    yield typed
                typed = Typed(line[2:])
            elif typed is not None:
                typed.shown.append(line)
        if typed is not None:
            yield typed


def expected_code(command: str) -> int:
    return 2 if command.startswith("dunwell plan") else 0


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[bootstrap.ServedSandbox]:
    found = bootstrap.serve_sandbox("xero", port=0, books=None, now="2026-11-22T21:00:00+00:00", seed=1, frozen=True)
    monkeypatch.setenv("DUNWELL_XERO_CLIENT_ID", found.client_id)
    monkeypatch.setenv("DUNWELL_XERO_CLIENT_SECRET", found.client_secret)
    monkeypatch.chdir(tmp_path)
    yield found
    found.stop()


def curl(line: str, base_url: str) -> str:
    """What curl would do with this line."""
    words = shlex.split(line.replace(BASE, base_url))
    body = words[words.index("-d") + 1].encode() if "-d" in words else b""
    url = next(word for word in words if word.startswith(base_url))
    with closing(http.client()) as client:
        answer = client.send(HttpRequest("POST" if body else "GET", url, {}, body))
    assert answer.status == 200
    assert json.loads(answer.body)
    return answer.body.decode()


def test_the_tutorial_is_true(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = 0
    for typed in commands(TUTORIAL.read_text("utf-8")):
        if typed.command.startswith(("export ", ". ")):
            continue
        if typed.command.startswith("cd "):
            monkeypatch.chdir(Path.cwd() / typed.command[3:])
            continue
        if typed.command.startswith("curl "):
            said = curl(typed.command, served.base_url)
        else:
            said = run(typed.command.replace(BASE, served.base_url), capsys)
        missing = [one for line in typed.shown for one in FIGURE.findall(line) if one not in said]
        assert not missing, f"{typed.command} does not print {missing}:\n{said}"
        ran += 1
    assert ran > 25


def run(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    program, *arguments = shlex.split(command)
    assert program == "dunwell"
    with pytest.raises(SystemExit) as left:
        main(arguments)
    printed = capsys.readouterr()
    assert left.value.code == expected_code(command), f"{command}\n{printed.out}\n{printed.err}"
    return printed.out + printed.err
