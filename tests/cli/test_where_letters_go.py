"""After an apply, people are told where the letters are: in a folder, or at their mail server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.channels.smtp_server import ScriptedServer
from tests.cli.conftest import Desk, take_on

pytestmark = pytest.mark.socket


@pytest.fixture
def approved(taken_on: Desk) -> Desk:
    """Several opening statements are approved, on a day on which they may leave."""
    taken_on.order("clock", {"advance": 86_400})
    taken_on.ok("pull")
    taken_on.ok("books", "known-to", "2026-11-24")
    assert taken_on.run("plan").code == 2
    taken_on.ok("approve", "--all")
    return taken_on


@pytest.fixture
def mail_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    server = ScriptedServer({})
    server.start()
    monkeypatch.setenv("DUNWELL_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("DUNWELL_SMTP_PORT", str(server.port))
    monkeypatch.setenv("DUNWELL_SMTP_SECURITY", "none")
    monkeypatch.setenv("DUNWELL_SMTP_FROM", "accounts@harbour.example")
    yield server
    server.stop(no_assert=True)


def test_the_folder_is_named_as_the_project_sees_it(approved: Desk) -> None:
    told = approved.ok("apply").out
    written = len(list((approved.folder / ".dunwell" / "letters").glob("*.eml")))
    assert written > 1
    assert f"{written} letters written to the folder .dunwell/letters: no mail server is set" in told
    assert "letters" not in approved.ok("apply").out  # none left in this round


def test_letters_of_a_lost_database_are_not_said_to_be_written_again(approved: Desk) -> None:
    approved.ok("apply")
    letters = approved.folder / ".dunwell" / "letters"
    for one in letters.glob("*.eml"):
        one.unlink()
    for one in approved.folder.joinpath(".dunwell").glob("dunwell.db*"):
        one.unlink()
    assert approved.connect().code == 0
    approved.ok("pull")
    take_on(approved.ok)
    approved.order("clock", {"advance": 86_400})
    approved.ok("pull")
    approved.ok("books", "known-to", "2026-11-25")
    assert approved.run("plan").code == 2
    approved.ok("approve", "--all")
    told = approved.ok("apply").out
    assert "were there before: nothing was written again" in told
    assert "written to the folder" not in told
    assert list(letters.glob("*.eml")) == []


def test_letters_that_nobody_would_get_are_warned_of(taken_on: Desk) -> None:
    taken_on.order("clock", {"advance": 86_400})
    taken_on.ok("pull")
    taken_on.ok("books", "known-to", "2026-11-24")
    assert taken_on.run("plan").code == 2
    for answer in (taken_on.ok("approve", "--all"), taken_on.ok("apply")):
        assert answer.err.count("careful: no mail server is set (DUNWELL_SMTP_HOST)") == 1
        assert "letters name no address that people read" in answer.err


def test_the_mail_server_is_named(approved: Desk, mail_server: ScriptedServer) -> None:
    told = approved.ok("apply").out
    assert f"{len(mail_server.inbox.arrived)} letters handed to the mail server 127.0.0.1:{mail_server.port}" in told
