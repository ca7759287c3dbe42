"""A project folder, a sandbox on a socket, and the command line called in process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.xero.sandbox.serve import Served, serve
from connector.cli import main
from connector.http import client
from connector.ports import HttpRequest

TUESDAY_MORNING = datetime(2026, 11, 23, 21, tzinfo=UTC)  # 10:00 on the 24th in the demo company's Auckland
ANSWERS = {
    "financed": "no",
    "tax_basis": "accrual, filed to last month",
    "native_reminders": "off",
    "approver": "me",
    "parties": "done",
}


@dataclass(frozen=True)
class Answer:
    """What one command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its stdout as one JSON document."""
        return json.loads(self.out)


@dataclass
class Desk:
    """A person at a terminal in a project folder, beside a sandbox."""

    folder: Path
    served: Served
    capture: pytest.CaptureFixture[str] | None = field(default=None, repr=False)

    def run(self, *arguments: str) -> Answer:
        """One command line, whatever it answers."""
        if self.capture is None:
            raise AssertionError("only a test's own desk can read what was printed")
        self.capture.readouterr()
        code = _code_of(arguments)
        out, err = self.capture.readouterr()
        assert "Traceback" not in err
        return Answer(code, out, err)

    def ok(self, *arguments: str) -> Answer:
        """One command line that must end with 0."""
        answer = self.run(*arguments)
        assert answer.code == 0, f"{arguments}: {answer}"
        return answer

    def refused(self, *arguments: str) -> str:
        """One command line that must fail with words: what it said."""
        answer = self.run(*arguments)
        assert (answer.code, answer.out) == (1, ""), f"{arguments}: {answer}"
        assert "a fault in dunwell itself" not in answer.err
        return answer.err

    def order(self, what: str, document: object, method: str = "POST") -> Any:
        """Tell the sandbox to behave so."""
        url = f"{self.served.base_url}/__sandbox/{what}"
        with closing(client()) as http:
            answer = http.send(HttpRequest(method, url, {}, json.dumps(document).encode()))
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def connect(self, *more: str) -> Answer:
        return self.run("connect", "xero", "--base-url", self.served.base_url, "--auto", *more)


def _code_of(arguments: tuple[str, ...]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert isinstance(ended.value.code, int)
    return ended.value.code


def _serving() -> Iterator[Served]:
    sandbox = serve(port=0, books=None, now=TUESDAY_MORNING, seed=1, frozen=True)
    yield sandbox
    sandbox.stop()


@pytest.fixture(scope="module")
def office_sandbox() -> Iterator[Served]:
    """The sandbox of the project that no test changes."""
    yield from _serving()


@pytest.fixture
def served() -> Iterator[Served]:
    """A test's own sandbox."""
    yield from _serving()


def set_environment(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The app's credentials, and nothing else of ours."""
    for name in ("DUNWELL_PROJECT", "DUNWELL_USER", "DUNWELL_LOG", "DUNWELL_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DUNWELL_XERO_CLIENT_ID", served.client_id)
    monkeypatch.setenv("DUNWELL_XERO_CLIENT_SECRET", served.client_secret)


@pytest.fixture
def desk(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """A fresh project with a sandbox of its own, not connected yet."""
    set_environment(served, monkeypatch)
    one = Desk(tmp_path / "acme", served, capsys)
    one.ok("init", str(one.folder))
    monkeypatch.chdir(one.folder)
    return one


@pytest.fixture(scope="module")
def office(office_sandbox: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A connected and pulled project that no test changes."""
    folder = tmp_path_factory.mktemp("office") / "acme"
    with pytest.MonkeyPatch.context() as patch:
        set_environment(office_sandbox, patch)
        where = ("--project", str(folder))
        assert _code_of(("init", str(folder))) == 0
        assert _code_of(("connect", "xero", "--base-url", office_sandbox.base_url, "--auto", *where)) == 0
        assert _code_of(("pull", *where)) == 0
    return folder


@pytest.fixture
def reader(
    office_sandbox: Served,
    office: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Desk]:
    """A desk in the project that no test changes; what a test orders of the sandbox is put right again."""
    set_environment(office_sandbox, monkeypatch)
    monkeypatch.chdir(office)
    one = Desk(office, office_sandbox, capsys)
    yield one
    one.order("faults", {}, "DELETE")
    one.order("limits", {"minute": 60, "day": 1000})


@pytest.fixture
def connected(desk: Desk) -> Desk:
    """A project that is connected and pulled."""
    assert desk.connect().code == 0
    desk.ok("pull")
    return desk


@pytest.fixture
def taken_on(connected: Desk) -> Desk:
    """A project whose take-on was closed today."""
    take_on(connected.ok)
    return connected


def take_on(ok: Callable[..., Answer]) -> None:
    """Everything that a person does once."""
    ok("books", "known-to", "2026-11-23")
    for question, answer in ANSWERS.items():
        ok("take-on", "answer", question, answer)
    ok("take-on", "sort", "--all", "chase")
    ok("take-on", "close")
