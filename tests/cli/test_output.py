"""Printing: JSON without floats, tables that neither wrap ids nor let a hostile name touch the terminal."""

from __future__ import annotations

import io
import json
import re
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connector.cli.output import emit, recorded, say, table
from connector.domain.cases import CashKnown, Party, PartyIs
from connector.domain.money import Money
from connector.domain.text import harmless

LONG_ID = "xero:43ac5fee-3c0d-52ad-b6d3-8e2fb02739ea"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_json_is_exact_and_plain(capsys: pytest.CaptureFixture[str]) -> None:
    emit(
        {
            Party.COMPANY: Money(123450, "NZD"),
            "dates": (date(2026, 11, 22), datetime(2026, 11, 22, 9, tzinfo=UTC)),
            "rate": Decimal("1.50"),
            ("a", Party.DUMMY): {"x"},
        }
    )
    assert json.loads(capsys.readouterr().out) == {
        "company": {"amount": "1234.50", "currency": "NZD"},
        "dates": ["2026-11-22", "2026-11-22T09:00:00+00:00"],
        "rate": "1.50",
        "a/dummy": ["x"],
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", "?[2Jgone"),
        ("a\rb\x00", "a?b?"),
        ("\u202egnp.exe", "?gnp.exe"),
        ("two\nlines", "two\nlines"),
        ("NZD\u00a05", "NZD 5"),
        ("Ātea Ltd – 日本", "Ātea Ltd – 日本"),
    ],
)
def test_control_characters_never_reach_the_terminal(text: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert harmless(text) == shown
    say(text)
    table(("name",), [(text,)])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_json_is_exact_and_yet_acts_on_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    name = "Acme\x9b31m\u202e \x1b[2J"
    emit({"name": name})
    out = capsys.readouterr().out
    assert out.rstrip("\n").isprintable()
    assert json.loads(out) == {"name": name}


def test_a_name_of_several_lines_is_one_row_of_a_drawn_table(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = _Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "100")
    table(("customer", ">amount"), [("Acme\nnothing is overdue", "5.00")])
    assert "Acme nothing is overdue" in screen.getvalue()


def test_away_from_a_terminal_every_row_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    table(("=id", "text", ">amount"), [(LONG_ID, "one\ntwo", "5.00"), ("x", "word " * 9, "1,234.50")])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].split() == ["ID", "TEXT", "AMOUNT"]
    assert lines[1].startswith(f"{LONG_ID}  one two")
    assert [line[-4:] for line in lines[1:]] == ["5.00", "4.50"]
    assert len(lines[1]) == len(lines[2])


def test_one_very_long_cell_does_not_push_the_others_away(capsys: pytest.CaptureFixture[str]) -> None:
    table(("a", "b"), [("x" * 300, "1"), ("short", "2")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "x" * 300 + "  1"
    assert lines[2] == "short  2"


def test_in_a_narrow_terminal_ids_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = _Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "90")
    table(("=id", "text", ">amount"), [(LONG_ID, "word " * 20, "1,234.50"), ("x", "", "7.00")])
    drawn = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())
    assert LONG_ID in drawn
    assert len(drawn.splitlines()) > 4
    first, second = (next(line for line in drawn.splitlines() if amount in line) for amount in ("1,234.50", "7.00"))
    assert first.rstrip().index("1,234.50") + 8 == second.rstrip().index("7.00") + 4


EXPLAINED = ("=invoice", "=due", ">days over", "=counted from", ">balance", ">collectable", "bridge", "=level", "by")
OVERDUE = ("INV-0107", "2026-09-27", "26", "2026-10-02", "NZD 6,500.01", "NZD 16,500.01", "query -50.00", "firm", "")


@pytest.mark.parametrize("columns", [20, 40, 60, 79, 80, 90, 100, 120, 200])
def test_no_figure_is_cut_at_any_width(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = _Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", str(columns))
    table(EXPLAINED, [OVERDUE, ("K-1", *OVERDUE[1:6], "", "", "a plan")])
    drawn = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())
    for one in OVERDUE[:4]:
        assert re.search(rf"(?<!\S){one}(?!\S)", drawn), drawn
    assert drawn.count("6,500.01") == 4
    assert drawn.count("16,500.01") == 2
    assert max(map(len, drawn.splitlines())) <= max(columns, len("  collectable: NZD"))
    assert ("days over: 26" in drawn) == (columns < 90), "told as records only where a table has no room"


def test_a_row_with_a_long_text_is_a_record_of_a_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = _Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "80")
    why = " ".join(f"reason{number}" for number in range(20))
    row = ("k3v9qd2m4x", "letter: friendly", "Basket Case", "NZD 1,234.50", "2026-11-30", why, "approver")
    table(("=id", "action", "customer", ">amount", "=by date", "why", "for"), [row])
    lines = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue()).splitlines()
    assert lines[0] == "k3v9qd2m4x"
    assert "action: letter: friendly    customer: Basket Case" in lines[1]
    assert len(lines) <= 7
    assert [word for line in lines for word in line.split() if word.startswith("reason")] == why.split()


def test_an_empty_table_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    table(("id",), [], empty="nothing yet")
    assert capsys.readouterr().out == "nothing yet\n"


def test_what_was_recorded_is_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    record = CashKnown(id="1", on=date(2026, 11, 22), by="jo", until=date(2026, 11, 21))
    assert recorded(record, as_json=False) == 0
    out, err = capsys.readouterr()
    assert out == "recorded: cash known: until 2026-11-21\n"
    assert err == "dunwell plan shows what follows\n"
    recorded(PartyIs(id="1", customer_id="c", on=record.on, by="jo", party=Party.DUMMY), as_json=False)
    assert capsys.readouterr().out == "recorded: party is: party dummy\n"
    recorded(replace(record, account="x" * 120_000), as_json=False)
    assert capsys.readouterr().out.endswith(f"account {'x' * 200}… (120,000 characters)\n"), "known again, not whole"
    recorded(record, as_json=True)
    assert json.loads(capsys.readouterr().out)["record"]["until"] == "2026-11-21"
