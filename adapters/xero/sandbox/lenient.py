"""Reading the values of recorded answers: whatever wrote them down, a value that makes no sense counts as absent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from adapters.xero.sandbox.records import NOTHING, Json

_MS_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WIDEST = 25
_TRUTHS = ("Is", "Has", "CanApply", "Show", "Enable", "AddTo")


def text(raw: Json, key: str) -> str | None:
    """Return a text; None when it is absent."""
    value = raw.get(key)
    if value is None or isinstance(value, (Mapping, list, bool)):
        return None
    return str(value)


def words(raw: Json, key: str) -> str:
    """Return a text; "" when it is absent."""
    return text(raw, key) or ""


def amount(raw: Json, key: str) -> Decimal | None:
    """Return an exact number, also from numeric text."""
    value = raw.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= _WIDEST else None


def flag(raw: Json, key: str) -> bool | None:
    """Return a boolean, also from the words "True" and "False"."""
    value = raw.get(key)
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in {"true", "false"}:
        return value.strip().lower() == "true"
    return None


def day(raw: Json, key: str) -> date | None:
    """Return a date from key or its *String twin: /Date(ms)/ as the UTC calendar date, or ISO with or without time."""
    found = _instant(raw.get(key)) or _instant(raw.get(f"{key}String"))
    return found.date() if found else None


def instant(raw: Json, key: str) -> datetime | None:
    """Return a UTC instant from key or its *String twin."""
    return _instant(raw.get(key)) or _instant(raw.get(f"{key}String"))


def _instant(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        if match := _MS_DATE.fullmatch(value.strip()):
            return _EPOCH + timedelta(milliseconds=int(match.group(1)))
        found = datetime.fromisoformat(value.strip())
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def child(raw: Json, key: str) -> Json:
    """Return a nested object; an empty one when it is absent."""
    value = raw.get(key)
    return value if isinstance(value, dict) else NOTHING


def children(raw: Json, key: str) -> list[Json]:
    """Return the nested objects of a list."""
    value = raw.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def tidied(raw: Json) -> dict[str, object]:
    """Return a record of a read-only list with real booleans and numbers where someone wrote them as text."""
    tidy: dict[str, object] = {}
    for key, value in raw.items():
        if isinstance(value, list):
            tidy[key] = [tidied(one) if isinstance(one, dict) else one for one in value]
        elif key in {"Rate", "EffectiveRate", "DisplayTaxRate"}:
            tidy[key] = amount(raw, key)
        elif (
            key.startswith(("Is", "Has", "CanApply", "Show", "Enable", "AddTo"))
            and (given := flag(raw, key)) is not None
        ):
            tidy[key] = given
        else:
            tidy[key] = value
    return {key: value for key, value in tidy.items() if value is not None}


def rest(raw: Json, known: frozenset[str]) -> Json:
    """Return what the sandbox does not model."""
    return {key: value for key, value in raw.items() if key not in known and value is not None}
