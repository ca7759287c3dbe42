"""Real processes: what only a process of its own can show."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from connector.http import client
from connector.ports import HttpRequest
from tests.cli.conftest import Desk

pytestmark = pytest.mark.socket
DUNWELL = (str(Path(sys.executable).with_name("dunwell")),)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*DUNWELL, *arguments], capture_output=True, text=True, timeout=50, check=False)


def test_the_installed_command_answers() -> None:
    done = run("version", "--json")
    assert (done.returncode, done.stderr, list(json.loads(done.stdout))) == (0, "", ["version"])


def test_the_sandbox_says_where_it_is_and_ends_on_sigterm(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*DUNWELL, "sandbox", "xero", "--now", "2026-11-23T09:00:00+13:00"], stdout=subprocess.PIPE, text=True
    ) as served:
        assert served.stdout is not None
        first = json.loads(served.stdout.readline())
        assert set(first) == {"base_url", "client_id", "client_secret", "organisation"}
        served.send_signal(signal.SIGTERM)
        assert served.wait(timeout=20) == 0
        assert served.stdout.read() == ""


def test_recorded_books_tell_what_was_left_out_of_them(tmp_path: Path) -> None:
    kept = {"InvoiceID": "11111111-1111-4111-8111-111111111111", "Type": "ACCREC", "Total": 5, "AmountDue": 5}
    (tmp_path / "all.json").write_text(json.dumps({"Invoices": [kept, {"Total": 7, "AmountDue": 7}]}))
    for number in range(25):
        (tmp_path / f"page-{number:02}.txt").write_text("not JSON")
    with subprocess.Popen(
        [*DUNWELL, "sandbox", "xero", "--books", str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as served:  # fmt: skip
        assert served.stdout is not None
        assert served.stderr is not None
        base_url = json.loads(served.stdout.readline())["base_url"]
        told = [served.stderr.readline() for _ in range(21)]
        with closing(client()) as http:
            answer = http.send(HttpRequest("GET", f"{base_url}/__sandbox/notes"))
        served.send_signal(signal.SIGTERM)
        assert served.wait(timeout=20) == 0
    assert told[0] == "careful: all.json: a record of Invoices without InvoiceID was left out\n"
    assert told[20] == f"careful: and 6 more, all of them at {base_url}/__sandbox/notes\n"
    assert len(json.loads(answer.body)["notes"][0]["notes"]) == 26


def test_a_new_master_key_never_disturbs_the_answer(desk: Desk) -> None:
    done = run("connect", "xero", "--base-url", desk.served.base_url, "--auto", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["organisation"]["name"] == "Harbour Street Studio"
    assert "master key" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "redirected", "says"),
    [
        ("report", "> /dev/full", "the answer cannot be written: No space left on device"),
        ("report --json", "> /dev/full", "the answer cannot be written: No space left on device"),
        ("explain Nobody --json", "> /dev/full", "no customer or invoice 'Nobody'"),
        ("report", ">&-", "the answer has nowhere to go: standard output is closed"),
        ("report --json", ">&-", "the answer has nowhere to go: standard output is closed"),
    ],
)
def test_an_answer_that_cannot_be_written_is_told_in_words(
    reader: Desk, arguments: str, redirected: str, says: str
) -> None:
    done = subprocess.run(
        ["sh", "-c", f"exec {DUNWELL[0]} {arguments} {redirected}"],
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.startswith(f"dunwell: {says}")) == (1, True), done.stderr
    assert "Traceback" not in done.stderr
    assert "a fault in dunwell" not in done.stderr
    assert "next: " in done.stderr


@pytest.mark.parametrize("redirected", ["2>&-", "2> /dev/full"])
def test_what_cannot_be_said_beside_the_answer_does_not_mix_with_it(reader: Desk, redirected: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f"exec {DUNWELL[0]} nosuch {redirected}"], capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")


def test_a_reader_that_goes_away_is_no_fault(reader: Desk) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [*DUNWELL, "policy", "schema"], stdout=write, stderr=subprocess.PIPE, text=True, timeout=50, check=False
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_terminal_without_unicode_still_gets_its_answer(reader: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = run("mapping", "show")
    assert done.returncode == 0
    assert "Query open \\u2013 see invoice note" in done.stdout


def test_a_fault_of_ours_is_said_as_such(reader: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise LookupError("a secret value")

    monkeypatch.setattr("connector.service.doctor.examine", broken)
    monkeypatch.delenv("DUNWELL_TRACEBACK", raising=False)
    answer = reader.run("doctor", "--json")
    assert answer.code == 1
    assert "a fault in dunwell itself (LookupError)" in answer.json["error"]["message"]
    assert "a secret value" not in answer.out + answer.err
    monkeypatch.setenv("DUNWELL_TRACEBACK", "1")
    with pytest.raises(LookupError):
        reader.run("doctor")
