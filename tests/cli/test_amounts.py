"""Amounts as they are typed: read in one way only, or refused."""

from __future__ import annotations

import pytest

from connector.cli.frame import money
from connector.errors import UserError


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("10.50", "NZD", 1050),
        ("10.5", "nzd", 1050),
        (" 10 ", "NZD", 1000),
        ("1,050", "NZD", 105_000),
        ("1,234,567.89", "NZD", 123_456_789),
        ("1,050", "JPY", 1050),
        ("1.050", "KWD", 1050),
        ("1,050.000", "KWD", 1_050_000),
    ],
)
def test_what_can_mean_one_thing_only_is_read(text: str, currency: str, minor: int) -> None:
    amount = money(text, currency)
    assert amount is not None
    assert (amount.minor, amount.currency) == (minor, currency.upper())


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        *((text, "NZD") for text in ("10,50", "1.000,00", "1,0,0", "1,0000", "1000,000", ",100", "1,000,", "1.000")),
        *((text, "NZD") for text in ("1_0", "1e2", "\uff11\uff12", "\u0661", "1 000", "+5", ".5", "5.", "", "--5")),
        ("9" * 16, "NZD"),
        ("5.0", "JPY"),
        ("1,050", "KWD"),
    ],
)
def test_what_can_mean_two_things_is_refused(text: str, currency: str) -> None:
    with pytest.raises(UserError, match="is not an amount in") as refused:
        money(text, currency)
    assert refused.value.next_step.startswith("write it like 1")


@pytest.mark.parametrize("text", ["0", "0.00", "-5"])
def test_nothing_and_less_are_no_amount(text: str) -> None:
    with pytest.raises(UserError, match="not above zero"):
        money(text, "NZD")
