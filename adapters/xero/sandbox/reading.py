"""Reading request bodies: JSON, decimals exact, every value checked for its type before the books see it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from adapters.xero.sandbox.errors import NothingToDo, Refused, Unreadable
from adapters.xero.sandbox.routing import Call

_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z?)?")
# How Xero's own client library writes dates. With an offset it is the form of answers, and an echo of those is refused.
_MS_DAY = re.compile(r"/Date\((-?\d{1,14})\)/")
_EPOCH = date(1970, 1, 1)
_DAY_MS = 86_400_000
_WIDEST = 30
_YEARS = range(1900, 2200)  # beyond, due dates by terms would leave the calendar
_MOST_DIGITS = 11  # before and after the point: products stay exact within 28 digits


class WrongContentType(Exception):
    """The body is not declared as JSON: 415."""


class Element:
    """One object of a body, read field by field. A null counts as a field that is not there."""

    def __init__(self, raw: Mapping[str, object], name: str) -> None:
        self.raw = raw
        self.name = name

    def has(self, key: str) -> bool:
        """Return whether the field is there and not null."""
        return self.raw.get(key) is not None

    def text(self, key: str, limit: int | None = None) -> str | None:
        """Return a text, or None when it is not there. Raises Unreadable, or Refused when it is too long."""
        value = self.raw.get(key)
        if value is None:
            return None
        if isinstance(value, (bool, Mapping, list)):
            raise self._unreadable(key)
        text = str(value)
        if limit is not None and len(text) > limit:
            raise Refused(f"{key} exceeds the maximum length of {limit} characters.")
        return text

    def amount(self, key: str) -> Decimal | None:
        """Return an exact number, also from numeric text. Raises Unreadable."""
        value = self.raw.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
            raise self._unreadable(key)
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise self._unreadable(key) from None
        if not number.is_finite() or number.adjusted() >= _MOST_DIGITS or _exponent(number) < -_MOST_DIGITS:
            raise self._unreadable(key)
        return number

    def flag(self, key: str) -> bool | None:
        """Return a boolean. Raises Unreadable."""
        value = self.raw.get(key)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in {"true", "false"}:
            return value.lower() == "true"
        raise self._unreadable(key)

    def whole(self, key: str) -> int | None:
        """Return a whole number. Raises Unreadable."""
        number = self.amount(key)
        if number is None:
            return None
        if number != number.to_integral_value():
            raise self._unreadable(key)
        return int(number)

    def day(self, key: str) -> date | None:
        """Return a date from YYYY-MM-DD, with or without a time, or from /Date(ms)/ as the UTC day; None when absent
        or "". Raises Unreadable."""
        value = self.raw.get(key)
        if value is None or value == "":
            return None
        day = _day(value) if isinstance(value, str) else None
        if day is None or day.year not in _YEARS:
            raise self._unreadable(key)
        return day

    def child(self, key: str) -> Element | None:
        """Return a nested object. Raises Unreadable."""
        value = self.raw.get(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self._unreadable(key)
        return Element(value, f"{self.name}.{key}")

    def children(self, key: str) -> list[Element] | None:
        """Return a list of nested objects, or None when it is not there. Raises Unreadable."""
        value = self.raw.get(key)
        if value is None:
            return None
        if not isinstance(value, list):
            raise self._unreadable(key)
        return list(_objects(value, f"{self.name}.{key}"))

    def _unreadable(self, key: str) -> Unreadable:
        return Unreadable(f"The value of {self.name}.{key} could not be read")


def _day(text: str) -> date | None:
    try:
        if match := _MS_DAY.fullmatch(text):
            return _EPOCH + timedelta(days=int(match.group(1)) // _DAY_MS)
        match = _DAY.fullmatch(text)
        return date.fromisoformat(match.group(1)) if match else None
    except (ValueError, OverflowError):
        return None


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _objects(values: list[object], name: str) -> Iterator[Element]:
    for value in values:
        if not isinstance(value, Mapping):
            raise Unreadable(f"The value of {name} could not be read")
        yield Element(value, name)


def body_of(call: Call) -> object:
    """Return the body as plain data. Raises WrongContentType, Unreadable, NothingToDo (empty body)."""
    kind = call.request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind not in {"application/json", "text/json"}:
        raise WrongContentType(f"The sandbox reads application/json, not {kind}")
    if not call.request.body.strip():
        raise NothingToDo
    try:
        return json.loads(call.request.body, parse_float=exact, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Unreadable("JSON for post data was invalid") from None


def exact(text: str) -> Decimal:
    """Read a JSON number with a fraction or exponent. Raises ValueError where it would fill pages when written out."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number.adjusted()) > _WIDEST or _exponent(number) < -_WIDEST:
        raise ValueError(f"{text[:40]} is beyond all measure")
    return number


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is not JSON")


def elements(call: Call, plural: str, known: Collection[str]) -> list[Element]:
    """Return the body's elements: wrapped in the plural, as a bare list, or one object with a known field.

    Raises WrongContentType, Unreadable and NothingToDo.
    """
    body = body_of(call)
    single = plural.removesuffix("s")
    if isinstance(body, Mapping) and plural in body:
        body = body[plural]
        body = [body] if isinstance(body, Mapping) else body
    elif isinstance(body, Mapping):
        body = [body] if any(key in known for key in body) else []
    if not isinstance(body, list):
        raise Unreadable(f"{plural} must be a list")
    if not body:
        raise NothingToDo
    return list(_objects(body, single))
