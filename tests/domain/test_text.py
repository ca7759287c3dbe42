"""Names from a ledger can neither act on a terminal nor mislead the eye, and harmless ones stay as they are."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.text import escaped, harmless, one_line

ACTS = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
JOINERS = "\u200c\u200d"


def acts(char: str) -> bool:
    """Whether a terminal or a reader could be misled by it."""
    category = unicodedata.category(char)
    return category in ACTS or (category == "Cf" and char not in JOINERS)


@pytest.mark.parametrize(
    ("name", "line", "on_terminal"),
    [
        ("Acme\x1b[31m Ltd", "Acme [31m Ltd", "Acme?[31m Ltd"),
        ("Acme\nnothing is overdue", "Acme nothing is overdue", "Acme\nnothing is overdue"),
        ("Acme\r\nBcc: all@evil.example", "Acme Bcc: all@evil.example", "Acme?\nBcc: all@evil.example"),
        ("\u202egnp.exe", "gnp.exe", "?gnp.exe"),
        ("a\u2028b\x85c\x9b31m", "a b c 31m", "a?b?c?31m"),
        ("  two  spaces ", "two spaces", "  two  spaces "),
        ("e\u0301", "é", "e\u0301"),
        ("NZD\u00a05", "NZD\u00a05", "NZD 5"),
        ("می\u200cخواهم 👩\u200d🔧", "می\u200cخواهم 👩\u200d🔧", "می\u200cخواهم 👩\u200d🔧"),
        ("Ātea Ltd – 日本", "Ātea Ltd – 日本", "Ātea Ltd – 日本"),
        ("", "", ""),
    ],
)
def test_what_becomes_of_a_name(name: str, line: str, on_terminal: str) -> None:
    assert one_line(name) == line
    assert harmless(name) == on_terminal


@given(st.text())
def test_nothing_that_acts_gets_through(text: str) -> None:
    assert not any(map(acts, one_line(text)))
    assert not any(acts(char) for char in harmless(text) if char != "\n")
    assert one_line(one_line(text)) == one_line(text)


@given(st.text())
def test_json_for_a_terminal_says_the_same_and_acts_on_nothing(text: str) -> None:
    document = escaped(json.dumps({"name": text}, ensure_ascii=False))
    assert json.loads(document) == {"name": text}
    assert document.isprintable()
