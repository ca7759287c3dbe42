"""Xero's way of writing dates and amounts, read exactly. Pure.

Amounts arrive as the text of the JSON number (the decoder never makes a float of it). A date is the UTC calendar date
of its milliseconds, whatever offset is shown beside them; a stamp is those milliseconds.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

from connector.domain.money import InexactAmount, Money, exponent

_DATE: Final = re.compile(r"/Date\((-?\d{1,17})([+-]\d{4})?\)/", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d{1,24}(\.\d{1,40})?([eE][+-]?\d{1,3})?", re.ASCII)
_ISO_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}(T[\d:.]+Z?)?", re.ASCII)
_ISO_STAMP: Final = re.compile(r"(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?Z?", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Unclear(ValueError):
    """A value that cannot be read for certain; its text is the reason a person is shown."""


def _instant(text: str) -> datetime:
    match = _DATE.fullmatch(text)
    if match is None:
        raise Unclear(f"unreadable date {text[:40]!r}")
    try:
        return _EPOCH + timedelta(milliseconds=int(match[1]))
    except OverflowError:
        raise Unclear(f"unreadable date {text[:40]!r}") from None


@lru_cache(maxsize=8192)
def calendar_date(text: str) -> date:
    """The day of `/Date(ms+0000)/`, `2026-10-01T00:00:00` or `2026-10-01`. Raises `Unclear`."""
    if text.startswith("/"):
        return _instant(text).date()
    if _ISO_DAY.fullmatch(text) is None:
        raise Unclear(f"unreadable date {text[:40]!r}")
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise Unclear(f"unreadable date {text[:40]!r}") from None


def day(value: str | None, twin: str | None = None) -> date | None:
    """The day that a field or its `…String` twin gives; None where neither is set. Raises `Unclear`."""
    text = twin or value
    return calendar_date(text) if text else None


def stamp(text: str | None) -> datetime | None:
    """The instant of `/Date(ms)/` or `2026-10-01T03:04:05.1234567` (UTC). Raises `Unclear`."""
    if not text:
        return None
    if text.startswith("/"):
        return _instant(text)
    match = _ISO_STAMP.fullmatch(text)
    if match is None:
        raise Unclear(f"unreadable time {text[:40]!r}")
    try:
        whole = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
    except ValueError:
        raise Unclear(f"unreadable time {text[:40]!r}") from None
    return whole.replace(microsecond=int((match[2] or "0").ljust(6, "0")[:6]))


@lru_cache(maxsize=16384)
def money(text: str, currency: str) -> Money:
    """Exactly that amount. Raises `Unclear` for what is no number or has digits beyond the currency's smallest unit."""
    if _NUMBER.fullmatch(text) is None:
        raise Unclear(f"unreadable amount {text[:40]!r}")
    whole, _, fraction = text.partition(".")
    places = exponent(currency)
    if len(fraction) <= places and "e" not in text and "E" not in text:
        return Money(int(whole + fraction.ljust(places, "0")), currency)
    try:
        return Money.of(Decimal(text), currency)
    except InexactAmount:
        raise Unclear(f"amount {text[:40]} has digits beyond the smallest unit of {currency}") from None


def number(text: str) -> Decimal:
    """Exactly that number. Raises `Unclear`."""
    if _NUMBER.fullmatch(text) is None:
        raise Unclear(f"unreadable number {text[:40]!r}")
    if "." in text and "e" not in text and "E" not in text:
        text = text.rstrip("0").rstrip(".")  # one form for one value
    return Decimal(0) if text == "-0" else Decimal(text)


def rate(text: str | None) -> Decimal:
    """Units of the document's currency for one unit of base; 1 where none is given. Raises `Unclear`."""
    value = Decimal(1) if text is None else number(text)
    if value <= 0:
        raise Unclear(f"unusable currency rate {text}")
    return value


def currency(code: str | None) -> str:
    """An ISO 4217 code. Raises `Unclear`."""
    if not code:
        raise Unclear("no currency")
    if len(code) != 3 or not (code.isascii() and code.isalpha() and code.isupper()):
        raise Unclear(f"unusable currency {code[:40]!r}")
    return code


def plain(text: str | None) -> str:
    """Text without NUL, which no database takes, and without spaces around it."""
    if not text:
        return ""
    return text.replace("\x00", "").strip()
