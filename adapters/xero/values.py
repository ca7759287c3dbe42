"""Xero's way of writing dates and amounts, read exactly. Pure.

Amounts arrive as the text of the JSON number, or as a double where the decoder made sure that the number has no more
digits than a double keeps exactly (15). A date is the UTC calendar date of its milliseconds, whatever offset is shown
beside them; a stamp is those milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
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
_FIRST_MILLI: Final = -62_135_596_800_000  # the year 1
_LAST_MILLI: Final = 253_402_300_799_999  # the year 9999
_PLAIN_SIZE: Final = 1e11  # with up to four decimals fifteen digits, and as minor units an integer that is exact

Amount = float | str


class Unclear(ValueError):
    """A value that cannot be read for certain; its text is the reason a person is shown."""


def _millis(text: str) -> int:
    """The milliseconds since 1970 of `/Date(ms+0000)/`, of years that a date can have."""
    digits = text[6:-7]  # of the usual form; the others take longer
    usual = text.startswith("/Date(") and text.endswith("+0000)/") and len(digits) < 16
    if not (usual and digits.isascii() and digits.isdigit()):
        match = _DATE.fullmatch(text)
        if match is None:
            raise Unclear(f"unreadable date {text[:40]!r}")
        digits = match[1]
    if not _FIRST_MILLI <= (millis := int(digits)) <= _LAST_MILLI:
        raise Unclear(f"unreadable date {text[:40]!r}")
    return millis


def _instant(text: str) -> datetime:
    return _EPOCH + timedelta(0, 0, _millis(text) * 1000)


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


@lru_cache(maxsize=8192)
def _iso(text: str) -> str:
    return calendar_date(text).isoformat()


def iso_day(value: str | None, twin: str | None = None) -> str | None:
    """The same as ISO text."""
    text = twin or value
    return _iso(text) if text else None


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


def stamp_us(text: str | None) -> int | None:
    """The same as microseconds since 1970 (UTC)."""
    if text and text.startswith("/"):
        return _millis(text) * 1000
    instant = stamp(text)
    return None if instant is None else (instant - _EPOCH) // timedelta(microseconds=1)


def money(amount: Amount, currency: str) -> Money:
    """Exactly that amount. Raises `Unclear` for what is no number or has digits beyond the currency's smallest unit."""
    return Money(minor_units(currency)(amount), currency)


@lru_cache(maxsize=256)
def minor_units(currency: str) -> Callable[[Amount], int]:
    """What reads an amount of that currency as its smallest units, exactly. It raises `Unclear` as `money` does."""
    places = exponent(currency)
    scale = int(10**places)

    def minor(amount: Amount) -> int:
        if isinstance(amount, float):
            if -_PLAIN_SIZE < amount < _PLAIN_SIZE:
                whole = round(amount * scale)
                # Two numbers of up to 15 digits are never the same double: equal again means nothing was rounded.
                if whole / scale == amount:
                    return whole
            amount = repr(amount)  # the shortest text of this double: the digits that were sent
        if _NUMBER.fullmatch(amount) is None:
            raise Unclear(f"unreadable amount {amount[:40]!r}")
        whole_part, _, fraction = amount.partition(".")
        if len(fraction) <= places and "e" not in amount and "E" not in amount:
            return int(whole_part + fraction.ljust(places, "0"))
        try:
            return Money.of(Decimal(amount), currency).minor
        except InexactAmount:
            raise Unclear(f"amount {amount[:40]} has digits beyond the smallest unit of {currency}") from None

    return minor


def number(value: Amount) -> Decimal:
    """Exactly that number. Raises `Unclear`."""
    text = repr(value) if isinstance(value, float) else value
    if _NUMBER.fullmatch(text) is None:
        raise Unclear(f"unreadable number {text[:40]!r}")
    if "." in text and "e" not in text and "E" not in text:
        text = text.rstrip("0").rstrip(".")  # one form for one value
    return Decimal(0) if text == "-0" else Decimal(text)


def rate(value: Amount | None) -> Decimal:
    """Units of the document's currency for one unit of base; 1 where none is given. Raises `Unclear`."""
    found = Decimal(1) if value is None else number(value)
    if found <= 0:
        raise Unclear(f"unusable currency rate {found}")
    return found


@lru_cache(maxsize=4096)
def rate_text(value: Amount | None) -> str:
    """The same as decimal text."""
    return str(rate(value))


@lru_cache(maxsize=512)
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
