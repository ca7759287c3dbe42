"""SMTP: what certainly did not leave, what was refused for good, and what nobody can know."""

from __future__ import annotations

import email
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector.channels.email import SmtpChannel, SmtpSettings
from connector.errors import (
    ConfigError,
    DunwellError,
    LedgerRejected,
    NeedsPerson,
    NotSent,
    OutcomeUnknown,
    WrongCredentials,
)
from tests.channels.smtp_server import (
    CUT,
    GARBAGE,
    HANG,
    PASSWORD,
    USER,
    ScriptedServer,
    certificate,
    check_password,
)
from tests.channels.test_message import AT, LETTER, US

pytestmark = pytest.mark.socket
Serve = Callable[..., ScriptedServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    running: list[ScriptedServer] = []

    def start(options: dict[str, Any] | None = None, **script: str) -> ScriptedServer:
        server = ScriptedServer(script, **(options or {}))
        server.start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop(no_assert=True)


def channel(server: ScriptedServer, tls: ssl.SSLContext | None = None, **others: Any) -> SmtpChannel:
    known = {"security": "none", "timeout": 0.3, **others}
    return SmtpChannel(SmtpSettings("127.0.0.1", server.port, **known), US, "reply@kauri.example", tls)


def test_a_letter_arrives_whole_for_exactly_one_recipient(serve: Serve) -> None:
    server = serve()
    dotted = replace(LETTER, text=".\n..\n.dot\nlast", html="", attachments=())
    receipt = channel(server, timeout=5.0).send(dotted, AT)
    (arrived,) = server.inbox.arrived
    assert (arrived.mail_from, arrived.rcpt_tos) == ("accounts@kauri.example", ["aroha@ridgeway.example"])
    assert isinstance(arrived.content, bytes)
    got = email.message_from_bytes(arrived.content)
    assert got["Message-ID"] == LETTER.message_id
    assert got.get_payload(decode=True) == b".\r\n..\r\n.dot\r\nlast\r\n"
    assert (receipt.reference, receipt.detail) == (LETTER.message_id, "250 queued as 42")


@pytest.mark.parametrize("verb", ["mail", "rcpt", "data", "content"])
@pytest.mark.parametrize("answer", ["450 greylisted, try later", "421 closing"])
def test_a_temporary_no_means_not_sent(serve: Serve, verb: str, answer: str) -> None:
    server = serve(**{verb: answer})
    with pytest.raises(NotSent, match=answer):
        channel(server).send(LETTER, AT)
    assert server.inbox.arrived == []


@pytest.mark.parametrize("verb", ["mail", "rcpt", "data", "content"])
def test_a_final_no_is_for_a_person(serve: Serve, verb: str) -> None:
    server = serve(**{verb: "550 5.1.1 no such user"})
    with pytest.raises(LedgerRejected) as caught:
        channel(server).send(LETTER, AT)
    assert (caught.value.status, caught.value.detail) == (550, "5.1.1 no such user")
    assert caught.value.record == LETTER.recipient
    assert server.inbox.arrived == []


@pytest.mark.parametrize("verb", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("fault", [CUT, HANG, GARBAGE])
def test_whatever_fails_before_the_final_dot_was_not_sent(serve: Serve, verb: str, fault: str) -> None:
    server = serve(**{verb: fault})
    with pytest.raises(NotSent):
        channel(server).send(LETTER, AT)
    assert server.inbox.arrived == []


def test_a_connection_lost_within_the_content_means_not_sent(serve: Serve) -> None:
    server = serve(data="cut-content")
    large = replace(LETTER, attachments=(("scan.pdf", "application/pdf", b"x" * 20_000_000),))
    with pytest.raises(NotSent):
        channel(server, timeout=5.0).send(large, AT)
    assert server.inbox.arrived == []


@pytest.mark.parametrize("fault", [CUT, HANG, GARBAGE])
def test_no_clear_answer_after_the_final_dot_is_never_called_not_sent(serve: Serve, fault: str) -> None:
    server = serve(content=fault)
    with pytest.raises(OutcomeUnknown) as caught:
        channel(server).send(LETTER, AT)
    assert caught.value.record == LETTER.message_id
    assert len(server.inbox.arrived) == 1


def test_nobody_listening_means_not_sent() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound but not listening: the port refuses
        known = SmtpSettings("127.0.0.1", held.getsockname()[1], security="none", timeout=0.3)
        with pytest.raises(NotSent, match="did not take the letter"):
            SmtpChannel(known, US, "reply@kauri.example").send(LETTER, AT)


def test_a_server_that_never_greets_means_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        known = SmtpSettings("127.0.0.1", silent.getsockname()[1], security="none", timeout=0.3)
        with pytest.raises(NotSent):
            SmtpChannel(known, US, "reply@kauri.example").send(LETTER, AT)


def test_hostile_recipients_never_reach_the_server(serve: Serve) -> None:
    server = serve()
    with pytest.raises(LedgerRejected, match="is not an e-mail address"):
        channel(server).send(replace(LETTER, recipient="a@x.example>\r\nRCPT TO:<b@y.example"), AT)
    assert server.inbox.arrived == []


def test_without_tls_nothing_leaves_unless_a_person_said_none(serve: Serve) -> None:
    server = serve()
    with pytest.raises(NeedsPerson, match="STARTTLS"):
        channel(server, security="starttls").send(LETTER, AT)
    assert server.inbox.arrived == []


def trusting(trusted: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(trusted))


def test_starttls_with_log_in(serve: Serve, tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path)
    options = {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": check_password}
    server = serve(options)
    known = {"security": "starttls", "username": USER, "timeout": 5.0}
    receipt = channel(server, trusting(trusted), password=PASSWORD, **known).send(LETTER, AT)
    assert receipt.reference == LETTER.message_id
    assert len(server.inbox.arrived) == 1
    with pytest.raises(WrongCredentials) as caught:
        channel(server, trusting(trusted), password="wrong-pass", **known).send(LETTER, AT)
    assert "wrong-pass" not in str(caught.value.as_dict())
    assert len(server.inbox.arrived) == 1


def test_a_server_that_asks_for_a_log_in_we_do_not_have_needs_one(serve: Serve, tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path)
    options = {"tls_context": context, "auth_required": True, "authenticator": check_password}
    server = serve(options)
    with pytest.raises(WrongCredentials, match="530"):
        channel(server, trusting(trusted), security="starttls", timeout=5.0).send(LETTER, AT)


def test_a_server_that_cannot_prove_its_name_gets_nothing(serve: Serve, tmp_path: Path) -> None:
    context, _ = certificate(tmp_path)
    server = serve({"tls_context": context})
    with pytest.raises(NeedsPerson, match="could not prove who it is"):
        channel(server, security="starttls", timeout=5.0).send(LETTER, AT)
    assert server.inbox.arrived == []


def test_tls_from_the_first_byte(serve: Serve, tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path)
    server = serve({"ssl_context": context})
    receipt = channel(server, trusting(trusted), security="tls", timeout=5.0).send(LETTER, AT)
    assert receipt.reference == LETTER.message_id
    assert len(server.inbox.arrived) == 1


def test_errors_name_the_next_step_and_never_the_password(serve: Serve) -> None:
    server = serve(rcpt="550 no")
    failed = channel(server, password="secret-pass")
    with pytest.raises(DunwellError) as caught:
        failed.send(LETTER, AT)
    assert caught.value.next_step == "check the address"
    assert "secret-pass" not in repr(SmtpSettings("h", password="secret-pass"))


def test_a_sender_that_is_no_address_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigError, match="the sender cannot write letters"):
        SmtpChannel(SmtpSettings("127.0.0.1"), replace(US, address="kauri"), "reply@kauri.example")
