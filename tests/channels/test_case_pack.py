"""Cells of the case pack's spreadsheet: no text from a ledger is ever a formula, and every other text is untouched."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.channels.case_pack import cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "\x00=1"])
def test_what_a_spreadsheet_would_calculate_is_text(text: str) -> None:
    assert cell(text) == "'" + text.replace("\x00", "")


@given(st.text())
def test_no_cell_begins_like_a_formula(text: str) -> None:
    shown = cell(text)
    assert shown.lstrip()[:1] not in ("=", "+", "-", "@")
    assert shown.removeprefix("'") in (text.replace("\x00", ""), text.replace("\x00", "").removeprefix("'"))


def test_numbers_dates_and_nothing_stay_what_they_are() -> None:
    assert [cell(one) for one in (Decimal("-1.50"), date(2026, 3, 2), 7, None, "INV-1")] == [
        "-1.50", "2026-03-02", "7", "", "INV-1",
    ]  # fmt: skip
