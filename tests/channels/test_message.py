"""The message itself: one recipient, no injected header, the same bytes for the same letter."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.channels.message import Mailbox, address, message, message_id
from connector.errors import LedgerRejected
from connector.ports import OutgoingLetter

AT = datetime(2026, 11, 12, 3, 4, 5, tzinfo=UTC)
KEY = "0123456789abcdef" * 4
US = Mailbox("accounts@kauri.example", "Kauri Joinery")
LETTER = OutgoingLetter(
    message_id=message_id(KEY, "kauri.example"),
    recipient="aroha@ridgeway.example",
    subject="Reminder: INV-0107",
    text="Kia ora\n\n.\nNZD\u00a0345.00 – ok\n",
    html="<p>Kia ora – NZD&nbsp;345.00</p>\n",
    attachments=(("INV-0107.pdf", "application/pdf", b"%PDF-1.4\r\n.\r\nx"),),
)


def read(letter: OutgoingLetter, sender: Mailbox = US) -> email.message.EmailMessage:
    """As a receiver parses what we wrote."""
    raw = message(letter, sender, "reply@kauri.example", AT).as_bytes()
    return email.message_from_bytes(raw, policy=email.policy.default)


def test_headers_say_who_when_and_that_a_machine_wrote() -> None:
    got = read(LETTER)
    assert got["Message-ID"] == f"<dw.{KEY[:32]}@kauri.example>"
    assert got["Date"] == "Thu, 12 Nov 2026 03:04:05 +0000"
    assert got["From"] == "Kauri Joinery <accounts@kauri.example>"
    assert (got["To"], got["Reply-To"]) == ("aroha@ridgeway.example", "reply@kauri.example")
    assert got["Subject"] == "Reminder: INV-0107"
    assert got["Auto-Submitted"] == "auto-generated"


def test_text_html_and_attachments_arrive_unchanged() -> None:
    got = read(LETTER)
    text, html = got.get_body(("plain",)), got.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == LETTER.text
    assert html.get_content().replace("\r\n", "\n") == LETTER.html
    (attached,) = got.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == ("INV-0107.pdf", "application/pdf")
    assert attached.get_content() == b"%PDF-1.4\r\n.\r\nx"


def test_a_letter_without_html_is_plain() -> None:
    assert read(replace(LETTER, html="", attachments=())).get_content_type() == "text/plain"


def test_the_same_letter_gives_the_same_bytes() -> None:
    first, second = (message(LETTER, US, "reply@kauri.example", AT).as_bytes() for _ in range(2))
    assert first == second
    assert first.isascii()


def test_a_boundary_inside_the_text_does_not_end_a_part() -> None:
    boundary = message(LETTER, US, "reply@kauri.example", AT).get_boundary()
    got = read(replace(LETTER, text=f"--{boundary}\n--{boundary}--\n"))
    text = got.get_body(("plain",))
    assert text is not None
    assert f"--{boundary}--" in text.get_content()
    assert len(list(got.iter_attachments())) == 1


HOSTILE = [
    "a\r\nBcc: x@evil.example",
    "a\nBcc: x",
    "a\rBcc: x",
    "\u202eevil\u2066",
    "a\x00b\x0bc\u2028Bcc: x",
    "é" * 300,
    "=?utf-8?q?x?=",
    "",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_becomes_a_header(value: str) -> None:
    hostile = replace(LETTER, subject=value, attachments=((value, value, b"x"),))
    got = read(hostile, replace(US, name=value))
    assert sorted(got.keys()) == sorted(read(LETTER).keys())
    assert got["From"].addresses[0].addr_spec == US.address
    assert len(got["From"].addresses) == 1


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_no_text_whatever_becomes_a_header(value: str) -> None:
    got = read(replace(LETTER, subject=value), replace(US, name=value))
    assert sorted(got.keys()) == sorted(read(LETTER).keys())
    assert [each.addr_spec for each in got["From"].addresses] == [US.address]


@pytest.mark.parametrize(
    ("name", "saved"), [("../../etc/passwd", "-..-etc-passwd"), ("a\\b:c.pdf", "a-b-c.pdf"), ("..", "attachment")]
)
def test_attachment_names_are_no_paths(name: str, saved: str) -> None:
    (attached,) = read(replace(LETTER, attachments=((name, "application/pdf", b"x"),))).iter_attachments()
    assert attached.get_filename() == saved


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "aroha",
        "@ridgeway.example",
        "aroha@",
        "a@b@c.example",
        "a@x.example, b@y.example",
        "a@x.example;b@y.example",
        "Aroha <a@x.example>",
        "a b@x.example",
        "a@x.example\r\nBcc: c@z.example",
        "a@x.example>\r\nRCPT TO:<b@y.example",
        "a@[127.0.0.1]",
        "a@x..example",
        "a..b@x.example",
        "a@-x.example",
        "josé@x.example",
        "a@" + "x" * 260,
        "a@\u202ex.example\ud800",
    ],
)
def test_what_is_no_single_address_is_refused_for_good(recipient: str) -> None:
    with pytest.raises(LedgerRejected, match="is not an e-mail address"):
        message(replace(LETTER, recipient=recipient), US, "reply@kauri.example", AT)


@pytest.mark.parametrize(
    ("value", "written"),
    [(" a.b+c@x.example ", "a.b+c@x.example"), ("a@bücher.example", "a@xn--bcher-kva.example"), ("a@localhost",) * 2],
)
def test_an_address_is_written_in_ascii(value: str, written: str) -> None:
    assert address(value) == written


def test_the_date_keeps_its_instant_and_needs_a_zone() -> None:
    east = AT.astimezone(timezone(timedelta(hours=13)))
    assert message(LETTER, US, "r@kauri.example", east)["Date"].datetime == AT
    with pytest.raises(ValueError, match="aware"):
        message(LETTER, US, "r@kauri.example", AT.replace(tzinfo=None))


@pytest.mark.parametrize("bad", ["", "dw.1@x.example", "<dw.1 @x.example>", "<dw.1@x.example>\r\nBcc: x@y.example"])
def test_a_bad_message_id_is_a_mistake_of_ours(bad: str) -> None:
    with pytest.raises(ValueError, match="Message-ID"):
        message(replace(LETTER, message_id=bad), US, "r@kauri.example", AT)
