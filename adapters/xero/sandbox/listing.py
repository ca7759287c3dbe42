"""Lists: modified since, filter, order, page. One pipeline for all resources."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from operator import attrgetter
from typing import Generic, TypeVar
from uuid import UUID

from adapters.xero.sandbox.errors import BadPrecondition, BadQuery, Unknown
from adapters.xero.sandbox.render import View
from adapters.xero.sandbox.routing import Call
from adapters.xero.sandbox.where import Fields, ordering, parse, sort

R = TypeVar("R")
_DEFAULT_SIZE, _LARGEST_SIZE = 100, 1000
_BARE_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Shelf(Generic[R]):
    """How one resource is listed. `stamped`: its records have `updated`, for If-Modified-Since and the order."""

    fields: Fields[R]
    stamped: bool = False
    paged: bool = True
    guarded: bool = False  # refuses slow filters for huge organisations


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """What of a list is to be answered, and how much of each record."""

    rows: Sequence[R]
    pagination: Mapping[str, object] | None
    view: View


def listing(call: Call, rows: list[R], shelf: Shelf[R]) -> Page[R]:
    """Apply the call's header and parameters to the rows. Raises BadQuery, BadPrecondition, Unknown."""
    if shelf.stamped:
        rows = _since(call, rows)
    optimised = True
    if text := call.query.get("where", "").strip():
        filter_ = parse(text, shelf.fields)
        optimised = filter_.optimised
        rows = [one for one in rows if filter_.test(one)]
    if order := call.query.get("order", "").strip():
        keys, cheap = ordering(order, shelf.fields)
        optimised = optimised and cheap
        rows = sort(rows, keys)
    elif shelf.stamped:
        rows = sorted(rows, key=attrgetter("updated", "id"))
    if shelf.guarded and not optimised and call.books.on("huge_organisation"):
        raise BadQuery("Your request is not filtering Invoices efficiently. Use optimised filters and orders.")
    return _page(call, rows, shelf)


def _page(call: Call, rows: list[R], shelf: Shelf[R]) -> Page[R]:
    if "page" not in call.query or not shelf.paged:
        return Page(rows, None, "list")
    page = max(1, _whole(call, "page", 1))
    size = min(max(1, _whole(call, "pageSize", _DEFAULT_SIZE)), _LARGEST_SIZE)
    count = -(-len(rows) // size)
    if page > max(count, 1) and call.books.whole("page_past_end_status") == 404:
        raise Unknown
    start = (page - 1) * size
    view: View = "summary" if flag(call, "summaryOnly") else "page"
    pagination = {"page": page, "pageSize": size, "pageCount": count, "itemCount": len(rows)}
    return Page(rows[start : start + size], pagination, view)


def _whole(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, "").strip()
    if not text:
        return default
    if not text.lstrip("-").isdecimal() or len(text) > 9:
        raise BadQuery(f"{name} must be a whole number")
    return int(text)


def flag(call: Call, name: str) -> bool:
    """Return whether a boolean parameter is given as true."""
    return call.query.get(name, "").strip().lower() == "true"


def words(call: Call, name: str) -> frozenset[str]:
    """Return a comma-separated parameter in lower case; empty when it is not given."""
    return frozenset(word.strip().lower() for word in call.query.get(name, "").split(",") if word.strip())


def among(call: Call, name: str, rows: list[R], read: Callable[[R], str | None]) -> list[R]:
    """Keep the rows whose text is among a comma-separated parameter, if that is given; ids also without hyphens."""
    given = words(call, name)
    wanted = given | {str(UUID(word)) for word in given if _BARE_ID.fullmatch(word)}
    return [one for one in rows if (read(one) or "").lower() in wanted] if wanted else rows


def matching(call: Call, rows: list[R], read: Callable[[R], Collection[str | None]]) -> list[R]:
    """Keep the rows in one of whose texts the searchTerm occurs, if it is given."""
    term = call.query.get("searchTerm", "").strip().casefold()
    return [one for one in rows if any(term in (text or "").casefold() for text in read(one))] if term else rows


def unitdp(call: Call) -> int:
    """Return how many decimals of UnitAmount were asked for: 4, or 2."""
    return 4 if call.query.get("unitdp", "").strip() == "4" else 2


def _since(call: Call, rows: list[R]) -> list[R]:
    header = call.request.headers.get("if-modified-since", "").strip()
    if not header:
        return rows
    since, updated = _instant(header).replace(microsecond=0), attrgetter("updated")
    return [one for one in rows if updated(one) >= since]


def _instant(text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        try:
            value = parsedate_to_datetime(text)
        except ValueError:
            raise BadPrecondition(f"If-Modified-Since {text!r} could not be read") from None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
