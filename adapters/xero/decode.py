"""From an answer's bytes to checked rows.

No amount is ever rounded on the way. A document is read in one go by pydantic, whose parser holds a number as a double,
only where no number in it has more digits than a double keeps exactly (15); every other one, and every one that does
not fit at once, is read with its numbers as text. A row that does not fit is set aside as `Broken`; the others of its
page go on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError

from adapters.xero.values import Unclear, stamp
from adapters.xero.wire import Shape
from connector.errors import UnreadableAnswer
from connector.ports import HttpAnswer

T = TypeVar("T")

# Digits and points become "0", all else a space: sixteen in a row may be a number that a double would round.
_DIGITS: Final = bytes(0x30 if byte in b"0123456789." else 0x20 for byte in range(256))
_TOO_LONG: Final = b"0" * 16
_MOST_DIGITS: Final = 400


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that does not have the documented shape."""

    id: str
    reason: str
    type: str = ""
    customer_id: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One answer's rows. `items` and `pages` are the server's own count, None where it gives none."""

    rows: tuple[T, ...]
    ids: frozenset[str] = frozenset()  # of all rows that have one, broken ones too
    broken: tuple[Broken, ...] = ()
    count: int = 0
    nameless: int = 0  # rows without an id
    items: int | None = None
    pages: int | None = None
    at: datetime | None = None  # the server's clock
    size: int = 0


def page(answer: HttpAnswer, shape: Shape[T]) -> Page[T]:
    """The rows of an answer. Raises `UnreadableAnswer` where the list itself is missing: never "no records"."""
    envelope = _at_once(answer.body, shape)
    if envelope is not None:
        rows: list[T] = envelope[shape.plural]
        ids = [found for row in envelope[shape.plural] if (found := row.get(shape.id))]
        return _paged(answer, envelope, len(rows), ids, rows, ())
    envelope = document(answer)
    raw = envelope.get(shape.plural) if isinstance(envelope, dict) else None
    if not isinstance(raw, list):
        raise UnreadableAnswer(f"Xero's answer holds no {shape.plural}")
    rows, broken = _checked(raw, shape, answer.body)
    return _paged(answer, envelope, len(raw), list(_ids(raw, shape)), rows, broken)


def listing(answer: HttpAnswer, shape: Shape[T]) -> tuple[T, ...]:
    """The rows of an answer that is a bare JSON array. Raises `UnreadableAnswer`."""
    raw = document(answer)
    if not isinstance(raw, list):
        raise UnreadableAnswer("Xero's answer is not a list")
    return tuple(_checked(raw, shape, answer.body)[0])


def document(answer: HttpAnswer) -> Any:
    """The JSON document of an answer, numbers as text. Raises `UnreadableAnswer`."""
    try:
        return json.loads(answer.body, parse_float=str, parse_int=_digits, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise UnreadableAnswer(f"Xero's answer is not readable JSON: {type(error).__name__}") from None


def _digits(text: str) -> str:
    if len(text) > _MOST_DIGITS:
        raise ValueError("a number of that length is none")
    return text


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _at_once(body: bytes, shape: Shape[T]) -> Any:
    """The whole envelope, or None where it must be read with care."""
    if shape.envelope is None or (shape.exact and _TOO_LONG in body.translate(_DIGITS)):
        return None
    try:
        return shape.envelope.validate_json(body, strict=True)  # strict: no text from numbers, which may be doubles
    except ValidationError:
        return None


def _paged(
    answer: HttpAnswer,
    envelope: Any,
    count: int,
    ids: Sequence[str],
    rows: Sequence[T],
    broken: tuple[Broken, ...],
) -> Page[T]:
    counts = envelope.get("pagination")
    counts = counts if isinstance(counts, dict) else {}
    return Page(
        tuple(rows),
        frozenset(ids),
        broken,
        count=count,
        nameless=count - len(ids),
        items=_whole(counts.get("itemCount")),
        pages=_whole(counts.get("pageCount")),
        at=_server_time(envelope, answer),
        size=len(answer.body),
    )


def _checked(raw: list[Any], shape: Shape[T], body: bytes) -> tuple[list[T], tuple[Broken, ...]]:
    surrogates = b"\\ud" in body.lower()  # JSON can spell half a character, which nothing can store
    if not surrogates:
        try:
            return shape.rows.validate_python(raw), ()
        except ValidationError:
            pass
    rows: list[T] = []
    broken: list[Broken] = []
    for item in raw:
        try:
            if surrogates:
                json.dumps(item, ensure_ascii=False).encode()
            rows += shape.rows.validate_python([item])
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"][1:]) or "the record"
            broken.append(_broken(item, shape, f"unreadable {where}: {first['msg']}"))
        except UnicodeEncodeError:
            broken.append(_broken(item, shape, "unreadable text: it holds half a character"))
    return rows, tuple(broken)


def _broken(item: Any, shape: Shape[T], reason: str) -> Broken:
    fields = item if isinstance(item, dict) else {}
    contact = fields.get("Contact")
    number = next((fields[name] for name in ("InvoiceNumber", "CreditNoteNumber", "Name") if fields.get(name)), "")
    return Broken(
        id=_text(next(_ids([item], shape), "unidentified")),
        reason=reason,
        type=_text(fields.get("Type")),
        customer_id=_text(contact.get("ContactID")) if isinstance(contact, dict) else "",
        number=_text(number),
    )


def _text(value: object) -> str:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _ids(raw: Sequence[Any], shape: Shape[T]) -> Iterator[str]:
    for item in raw:
        if isinstance(item, dict) and isinstance(found := item.get(shape.id), str) and found:
            yield found


def _whole(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _server_time(envelope: Any, answer: HttpAnswer) -> datetime | None:
    """The envelope's clock, or the Date header's; never ours."""
    try:
        if (at := stamp(_text(envelope.get("DateTimeUTC")))) is not None:
            return at
        at = parsedate_to_datetime(answer.headers.get("date", ""))
    except (Unclear, ValueError):
        return None
    return at if at.tzinfo is not None else None
