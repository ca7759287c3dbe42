"""Plain values: text that both databases can hold, and JSON in one canonical form.

Ledger text is hostile: it may hold NUL (Postgres refuses it) or lone surrogates (neither database can encode them).
Both become U+FFFD, so that one broken name never blocks a page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter

from connector.domain.money import Money

REPLACEMENT: Final = "\ufffd"

T = TypeVar("T")


def clean(text: str) -> str:
    """The text without what a database cannot hold; unchanged when it is storable (nearly always)."""
    if "\x00" in text:
        text = text.replace("\x00", REPLACEMENT)
    try:
        text.encode()
    except UnicodeEncodeError:
        # UTF-16 joins surrogate pairs to the character they mean and leaves only lone ones to replace.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def clean_json(text: str) -> str:
    """JSON text made storable: also the escaped NUL, which would come back as a real one."""
    return clean(text.replace("\\u0000", REPLACEMENT))


def _jsonable(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Money):
        return value.as_dict()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence | frozenset | set):
        return sorted(value) if isinstance(value, frozenset | set) else list(value)
    raise TypeError(f"{type(value).__name__} has no place in a stored document")


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_jsonable)
_CANONICAL: Final = json.JSONEncoder(
    ensure_ascii=True, allow_nan=False, separators=(",", ":"), sort_keys=True, default=_jsonable
)

dumps = _ENCODER.encode  # compact; may hold text that `clean_json` must mend first
canonical = _CANONICAL.encode  # the same value always gives the same ASCII text: what is hashed


def dump(adapter: TypeAdapter[T], value: T) -> str:
    """A domain value as JSON text that both databases can hold."""
    return clean_json(dumps(adapter.dump_python(value, mode="json")))


def load(adapter: TypeAdapter[T], text: str) -> T:
    """The domain value back. Raises pydantic's ValidationError when the stored text is not what we wrote."""
    return adapter.validate_json(text)


def strings(text: str) -> tuple[str, ...]:
    """A stored list of strings."""
    found: Any = json.loads(text)
    return tuple(str(item) for item in found)
