"""Dates and amounts as Xero writes them, read exactly."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.xero.values import Unclear, calendar_date, currency, day, money, number, rate, stamp
from connector.domain.money import Money
from tests.adapters.xero.rows import wire_date


@given(st.dates())
def test_every_calendar_date_comes_back(on: date) -> None:
    assert calendar_date(wire_date(on)) == on
    assert calendar_date(f"{on.isoformat()}T00:00:00") == on
    assert calendar_date(on.isoformat()) == on


@given(st.dates(), st.integers(-14, 14))
def test_the_shown_offset_moves_no_date(on: date, hours: int) -> None:
    shown = wire_date(on).replace("+0000", f"{'-' if hours < 0 else '+'}{abs(hours):02d}00")
    assert calendar_date(shown) == on


@given(st.integers(-(2 * 10**12), 10**13))
def test_every_stamp_comes_back_to_the_millisecond(ms: int) -> None:
    aware = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    assert stamp(f"/Date({ms})/") == stamp(f"/Date({ms}+1300)/") == aware
    assert stamp(aware.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0") == aware  # seven digits, no zone


def test_the_day_prefers_the_twin_and_takes_what_is_given() -> None:
    assert day("/Date(1790812800000+0000)/") == date(2026, 10, 1)
    assert day(None, "2026-10-01T00:00:00") == date(2026, 10, 1)
    assert day(None) is None
    assert day("") is None
    assert stamp(None) is None


@pytest.mark.parametrize(
    "text",
    [
        "/Date(x)/",
        "/Date(1)",
        "/Date(99999999999999999)/",
        "/Date(" + "9" * 5000 + "+0000)/",
        "/Date(١٧٩٠٨١٢٨٠٠٠٠٠+0000)/",
        "/Date(+0000)/",
        "2026-02-30",
        "31/10/2026",
        "2026-10-01garbage",
        "٢٠٢٦-10-01",
    ],
)
def test_an_unreadable_date_is_never_guessed(text: str) -> None:
    with pytest.raises(Unclear):
        calendar_date(text)


@pytest.mark.parametrize("text", ["/Date()/", "2026-13-01T00:00:00", "yesterday"])
def test_an_unreadable_stamp_is_never_guessed(text: str) -> None:
    with pytest.raises(Unclear):
        stamp(text)


@given(st.integers(-(10**14), 10**14), st.sampled_from(["NZD", "JPY", "KWD"]))
def test_every_amount_comes_back(minor: int, code: str) -> None:
    amount = Money(minor, code)
    assert money(f"{amount.amount:f}", code) == amount
    if code != "JPY":
        assert money(f"{amount.amount:f}000", code) == amount  # zeros beyond the smallest unit are no digits


@given(st.integers(-(10**15) + 1, 10**15 - 1), st.sampled_from(["NZD", "JPY", "KWD", "CLF"]))
def test_every_amount_of_fifteen_digits_comes_back_from_a_double(minor: int, code: str) -> None:
    amount = Money(minor, code)
    assert money(float(f"{amount.amount:f}"), code) == amount


@pytest.mark.parametrize(("amount", "code"), [(0.005, "NZD"), (100.5, "JPY"), (1.0005, "KWD"), (1e-9, "NZD")])
def test_a_double_with_digits_beyond_the_smallest_unit_is_never_rounded(amount: float, code: str) -> None:
    with pytest.raises(Unclear, match="beyond the smallest unit"):
        money(amount, code)


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), float("-inf")])
def test_a_double_that_is_no_amount_is_never_guessed(amount: float) -> None:
    with pytest.raises(Unclear, match="unreadable"):
        money(amount, "NZD")


@pytest.mark.parametrize(("text", "minor"), [("545", 54500), ("545.0", 54500), ("-0.05", -5), ("1e3", 100000)])
def test_numbers_in_all_their_forms(text: str, minor: int) -> None:
    assert money(text, "NZD") == Money(minor, "NZD")


@pytest.mark.parametrize("text", ["", " ", "1_000", "1,000.00", "NaN", "Infinity", "0x10", "١٢", "1.", "--1", "1e9999"])
def test_what_is_no_number_is_never_guessed(text: str) -> None:
    with pytest.raises(Unclear):
        money(text, "NZD")


@pytest.mark.parametrize(("text", "code"), [("0.005", "NZD"), ("100.5", "JPY"), ("1e-3", "NZD"), ("1.0005", "KWD")])
def test_digits_beyond_the_smallest_unit_are_never_rounded_away(text: str, code: str) -> None:
    with pytest.raises(Unclear, match="beyond the smallest unit"):
        money(text, code)


def test_one_value_has_one_form() -> None:
    forms = [number(text) for text in ("760", "760.0", "760.00")]
    assert [str(form) for form in forms] == ["760"] * 3
    assert str(number("-0.0")) == "0"
    assert number("0.0001") == Decimal("0.0001")


def test_rates_are_positive() -> None:
    assert rate(None) == 1
    assert rate("1.234567") == Decimal("1.234567")
    for text in ("0", "-1.5", "x"):
        with pytest.raises(Unclear):
            rate(text)


@pytest.mark.parametrize("code", [None, "", "NZ", "nzd", "N2D", "ÑZD"])
def test_a_currency_is_three_capitals(code: str | None) -> None:
    with pytest.raises(Unclear):
        currency(code)
