"""The mapping: defaults and mapping.yaml; addresses and names that cannot break a header or a ledger field."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.config.mapping import check_mapping, load_mapping
from connector.errors import ConfigError


def _write(folder: Path, text: str) -> Path:
    (folder / "mapping.yaml").write_text(text, "utf-8")
    return folder


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    mapping = load_mapping(tmp_path)
    assert mapping.dispute_tag == "Query open – see invoice note"
    assert mapping.letters.reply_to == ""
    assert check_mapping(tmp_path) == ()


def test_the_file_is_laid_over_the_defaults(tmp_path: Path) -> None:
    folder = _write(tmp_path, "letters:\n  sender_name: Jo Tan, Accounts\n  reply_to: accounts@kauri.example\n")
    mapping = load_mapping(folder)
    assert (mapping.letters.sender_name, mapping.letters.reply_to) == ("Jo Tan, Accounts", "accounts@kauri.example")
    assert mapping.dispute_tag == "Query open – see invoice note"
    assert mapping.version != load_mapping(tmp_path / "elsewhere").version


@pytest.mark.parametrize(
    ("text", "path", "what"),
    [
        ("dispute_tag: ''\n", "dispute_tag", "at least 1"),
        (f"dispute_tag: {'x' * 51}\n", "dispute_tag", "at most 50"),
        ('letters: {sender_name: "Jo\\r\\nBcc: all@kauri.example"}\n', "letters.sender_name", "one line"),
        ("letters: {reply_to: Jo <jo@kauri.example>}\n", "letters.reply_to", "looks like"),
        ("letters: {reply_to: jo@kauri}\n", "letters.reply_to", "looks like"),
        ('letters: {sender_address: "a@b.example\\nx"}\n', "letters.sender_address", "looks like"),
        ("letters: {message_domain: 'kauri'}\n", "letters.message_domain", "example.com"),
        ("letters: {replyto: a@b.example}\n", "letters.replyto", "not a setting"),
        ("letters: {phone: 6421555}\n", "letters.phone", "valid string"),
    ],
)
def test_what_would_break_a_letter_or_a_ledger_is_refused(tmp_path: Path, text: str, path: str, what: str) -> None:
    folder = _write(tmp_path, text)
    (finding,) = check_mapping(folder)
    assert finding.path == path
    assert what in finding.what
    assert finding.line == 1
    with pytest.raises(ConfigError):
        load_mapping(folder)
