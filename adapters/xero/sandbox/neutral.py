"""Reading the ledger-neutral scenario document: every key known, every value of its kind, every mistake named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

_MOST_DIGITS = 11
_YEARS = range(1900, 2200)


class Section:
    """One object of a scenario, at a place that messages name. All reading raises ValueError."""

    def __init__(self, raw: object, place: str, known: frozenset[str]) -> None:
        if not isinstance(raw, Mapping):
            raise ValueError(f"{place} must be an object")
        unknown = sorted(str(key) for key in raw if key not in known)
        if unknown:
            raise ValueError(f"{place} has unknown keys: {', '.join(unknown)}")
        self._raw = raw
        self.place = place

    def text(self, key: str) -> str:
        """Return a text that must be there and not be empty."""
        value = self.maybe(key)
        if not value:
            raise ValueError(f"{self.place}.{key} is missing")
        return value

    def maybe(self, key: str, default: str = "") -> str:
        """Return a text, or the default."""
        value = self._raw.get(key)
        if value is None:
            return default
        if not isinstance(value, str):
            raise ValueError(f"{self.place}.{key} must be a text")
        return value

    def choice(self, key: str, default: str, *allowed: str) -> str:
        """Return one of the allowed words."""
        value = self.maybe(key, default)
        if value not in allowed:
            raise ValueError(f"{self.place}.{key} must be one of {', '.join(allowed)}, not {value!r}")
        return value

    def day(self, key: str) -> date:
        """Return a date that must be there."""
        value = self.maybe_day(key)
        if value is None:
            raise ValueError(f"{self.place}.{key} is missing")
        return value

    def maybe_day(self, key: str) -> date | None:
        """Return a date, or None."""
        value = self._raw.get(key)
        if value is None:
            return None
        if isinstance(value, str):
            try:
                day = date.fromisoformat(value)
            except ValueError:
                day = date.min
            if day.year in _YEARS:
                return day
        raise ValueError(f"{self.place}.{key} must be a date as YYYY-MM-DD, not {value!r}")

    def amount(self, key: str, default: str | None = None) -> Decimal:
        """Return an exact number, written as text or as a whole number."""
        value = self._raw.get(key, default)
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            try:
                number = Decimal(value)
            except InvalidOperation:
                number = Decimal("NaN")
            if number.is_finite() and abs(number.adjusted()) < _MOST_DIGITS:
                return number
        raise ValueError(f"{self.place}.{key} must be an amount as text, not {value!r}")

    def maybe_amount(self, key: str) -> Decimal | None:
        """Return an exact number, or None."""
        return None if self._raw.get(key) is None else self.amount(key)

    def flag(self, key: str, default: bool | None = None) -> bool | None:  # noqa: FBT001 - a default, not an option
        """Return a boolean, or the default."""
        value = self._raw.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise ValueError(f"{self.place}.{key} must be true or false")
        return value

    def whole(self, key: str) -> int | None:
        """Return a whole number, or None."""
        value = self._raw.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"{self.place}.{key} must be a whole number")
        return value

    def words(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self._raw.get(key) or []
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise ValueError(f"{self.place}.{key} must be a list of texts")
        return tuple(value)

    def section(self, key: str, known: frozenset[str]) -> Section | None:
        """Return a nested object, or None."""
        value = self._raw.get(key)
        return None if value is None else Section(value, f"{self.place}.{key}", known)

    def has(self, key: str) -> bool:
        """Return whether the key is there, even as null."""
        return key in self._raw

    def sections(self, key: str, known: frozenset[str]) -> Iterator[Section]:
        """Return the objects of a list."""
        value = self._raw.get(key) or []
        if not isinstance(value, list):
            raise ValueError(f"{self.place}.{key} must be a list")
        for number, one in enumerate(value):
            yield Section(one, f"{self.place}.{key}[{number}]", known)
