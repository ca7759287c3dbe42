"""Names and numbers from a ledger are hostile: they never become markup, links, headers or template code."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.channels.render import SUBJECT_LENGTH, Letterbook, Rendered, shipped
from connector.channels.samples import COMPLETE

BOOK = Letterbook([shipped()])
PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "**bold** _it_ [click](https://evil.example)",
    "| a | b |\n| --- | --- |",
    "# heading",
    "- entry\n- entry",
    "{{ 7*7 }}{% for x in y %}{% raw %}",
    "Acme\r\nBcc: everyone@evil.example\r\n\r\nhello",
    "evil\u202egnp.exe\u2066\u200f\u061c",
    "\x00\x1b[31mred\x7f\x85",
    "\ue0003c\ue001 \ue002",
    "back\\slash \\* \\",
    "&lt;b&gt; &#x202e;",
    "a" * 5000,
    "\ud800 half",
    "名前 🎉 José",
]
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ue000-\ue002]")


class Skeleton(HTMLParser):
    """Tags with their link targets, in order: what a browser would build."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(" ".join([tag, *(f"{name}={value}" for name, value in attrs if name != "style")]))


def skeleton(html: str) -> list[str]:
    parser = Skeleton()
    parser.feed(html)
    return parser.tags


def letter_for(value: str, kind: str = "friendly") -> Rendered:
    items = (replace(COMPLETE.items[0], number=value), COMPLETE.items[1])
    sender = replace(COMPLETE.sender, name=value, role=value)
    return BOOK.render(
        kind, replace(COMPLETE, customer=value, organisation=value, first_name=value, items=items, sender=sender)
    )


def assert_harmless(letter: Rendered) -> None:
    plain = BOOK.render(letter.kind, COMPLETE)
    assert skeleton(letter.html) == skeleton(plain.html)
    assert not CONTROLS.search(letter.text)
    assert not CONTROLS.search(letter.html)
    assert "\n" not in letter.subject
    assert not CONTROLS.search(letter.subject)
    assert len(letter.subject) <= SUBJECT_LENGTH


@pytest.mark.parametrize("value", PAYLOADS)
def test_a_hostile_value_changes_no_structure(value: str) -> None:
    assert_harmless(letter_for(value))
    assert_harmless(letter_for(value, "first_sending"))


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(), min_size=1, max_size=60))
def test_no_text_whatever_changes_structure(value: str) -> None:
    assert_harmless(letter_for(value))


def test_values_are_shown_as_they_are_where_they_are_harmless() -> None:
    letter = letter_for("**Jo & <Sons>**")
    assert "Dear **Jo & <Sons>**," in letter.text
    assert "Dear **Jo &amp; &lt;Sons&gt;**," in letter.html


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "//evil.example/x",
        'https://pay.example/"onmouseover="x',
        "https://pay.example/\nx",
        "https://pay.example/ x",
        "https://[",
        "ftp://pay.example/x",
    ],
)
def test_only_web_addresses_become_pay_links(link: str) -> None:
    letter = BOOK.render("friendly", replace(COMPLETE, items=(replace(COMPLETE.items[0], pay_link=link),)))
    targets = [tag for tag in skeleton(letter.html) if tag.startswith("a ")]
    if link.startswith('https://pay.example/"'):  # a quote is legal in the text of an address, and stays inside it
        assert targets[0] == f"a href={link}"
    else:
        assert targets == ["a href=mailto:accounts@kauri.example"]
        assert "online" not in letter.text


def test_a_reply_address_cannot_smuggle_headers_into_the_link() -> None:
    sender = replace(COMPLETE.sender, reply_to="a@b.example?bcc=evil@c.example&body=x")
    targets = [tag for tag in skeleton(BOOK.render("thanks", replace(COMPLETE, sender=sender)).html) if "mailto" in tag]
    assert targets == ["a href=mailto:a@b.example%3Fbcc%3Devil@c.example%26body%3Dx"]
