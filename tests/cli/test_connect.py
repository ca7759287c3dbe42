"""Consent without --auto: a link and the real listener on this machine, or the pasted address."""

from __future__ import annotations

import io
import re
import socket
import sys
import threading
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest

from connector.http import client
from connector.ports import HttpAnswer, HttpRequest
from tests.cli.conftest import Desk

pytestmark = pytest.mark.socket
LINK = r"http://127\.0\.0\.1:\d+/\S*authorize\S*"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def send(method: str, url: str, form: dict[str, str] | None = None) -> HttpAnswer:
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
    with closing(client()) as http:
        return http.send(HttpRequest(method, url, headers, urlencode(form).encode() if form else b""))


def consent(link: str, decision: str) -> str:
    """Read the consent page as a browser does and press one of its buttons: the address that it sends us to."""
    page = send("GET", link)
    text = page.body.decode()
    assert (page.status, 'method="post"' in text) == (200, True)
    organisation = re.search(r'name="organisation" value="([^"]+)"', text)
    assert organisation is not None
    assert f'value="{decision}"' in text
    answer = send("POST", link, {"decision": decision, "organisation": organisation[1]})
    assert answer.status in (302, 303)
    return answer.headers["location"]


class Person(io.StringIO):
    """Stands where stderr is: sees the link that is printed there, and acts on it in a thread of its own."""

    def __init__(self, decision: str) -> None:
        super().__init__()
        self.decision = decision
        self.thread: threading.Thread | None = None
        self.page = b""

    def write(self, text: str) -> int:
        link = re.search(LINK, text)
        if link is not None and self.thread is None:
            self.thread = threading.Thread(target=self._visit, args=(link[0],))
            self.thread.start()
        return super().write(text)

    def _visit(self, link: str) -> None:
        self.page = send("GET", consent(link, self.decision)).body


@pytest.mark.parametrize(("decision", "code"), [("allow", 0), ("cancel", 1)])
def test_a_printed_link_and_the_listener(desk: Desk, monkeypatch: pytest.MonkeyPatch, decision: str, code: int) -> None:
    person = Person(decision)
    monkeypatch.setattr(sys, "stderr", person)
    arguments = ("--base-url", desk.served.base_url, "--no-browser", "--port", str(free_port()), "--json")
    answer = desk.run("connect", "xero", *arguments)
    assert person.thread is not None
    person.thread.join()
    assert answer.code == code
    assert b"close this window" in person.page
    if decision == "allow":
        assert answer.json["organisation"]["name"] == "Harbour Street Studio"
        assert "accounting.contacts" in answer.json["scopes"]
    else:
        assert answer.json["error"]["message"] == "consent was refused"


class Paster:
    """Stands where stdin is: consents to the link on `screen` when it is read, and pastes the address."""

    def __init__(self, screen: io.StringIO) -> None:
        self.screen = screen

    def isatty(self) -> bool:
        return False

    def readline(self) -> str:
        link = re.search(LINK, self.screen.getvalue())
        assert link is not None
        return consent(link[0], "allow") + "\n"


def test_a_pasted_address(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(sys, "stdin", Paster(screen))
    answer = desk.run("connect", "xero", "--base-url", desk.served.base_url, "--paste", "--json")
    assert answer.json["organisation"]["name"] == "Harbour Street Studio"


def test_connecting_says_once_that_a_key_was_made_and_hints_at_what_is_left(taken_on: Desk, tmp_path: Path) -> None:
    other = str(tmp_path / "other")
    taken_on.ok("init", other)
    first = taken_on.connect("--project", other)
    assert (first.out + first.err).count("master.key") == 1
    assert first.err.endswith("next: dunwell pull, then dunwell take-on\n")
    assert taken_on.connect().err == "next: dunwell pull\n", "its take-on is closed"


@pytest.mark.parametrize(
    ("pasted", "says"),
    [
        ("http://localhost:8484/callback?code=abc&state=other\n", "state differs"),
        ("http://evil.example/callback?code=abc\n", "is not at http://localhost:8484/callback"),
        ("", "stopped"),
    ],
)
def test_a_pasted_address_that_is_none_of_ours(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, pasted: str, says: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(pasted))
    assert says in desk.refused("connect", "xero", "--base-url", desk.served.base_url, "--paste")
    assert desk.ok("organisations", "--json").json == {"organisations": []}
