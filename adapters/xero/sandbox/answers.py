"""Answers of the Accounting API: envelope, numbers, dates and the bodies of its errors.

Numbers are written from exact decimals with at least one decimal place, never by way of binary floating point.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring_ascii

from adapters._twin.messages import Response
from adapters.xero.sandbox.names import named_id
from adapters.xero.sandbox.routing import Call

NO_ID = "00000000-0000-0000-0000-000000000000"
JSON_TYPE = ("Content-Type", "application/json; charset=utf-8")
_MARK = "\ue000"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_FOUND = (
    b"<!DOCTYPE html><html><head><title>Not found</title></head>"
    b"<body><h1>The resource you're looking for cannot be found</h1></body></html>"
)


# --- JSON ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=65_536)
def number(value: Decimal) -> str:
    """Write a decimal as the service does: 345.0, 473.91. Raises ValueError for one that is not finite."""
    if not value.is_finite():
        raise ValueError(f"{value} cannot be written in JSON")
    text = format(value, "f")
    if "." not in text:
        return ("0" if not value else text) + ".0"
    text = text.rstrip("0")
    text = text + "0" if text.endswith(".") else text
    return "0.0" if not value else text


def encode(value: object) -> bytes:
    """Write plain data (mappings, sequences, text, decimals, whole numbers, booleans, None) as JSON.

    Decimals travel through the encoder as marked texts and lose marks and quotes afterwards. Text that happens to hold
    the mark is no matter: the mark grows until it occurs just where decimals are.
    """
    mark = _MARK
    while True:
        writer = _Writer(mark)
        text = json.dumps(value, default=writer.default, separators=(",", ":"), allow_nan=False)
        escaped = encode_basestring_ascii(mark)[1:-1]
        if text.count(escaped) == 2 * writer.decimals:
            return text.replace(f'"{escaped}', "").replace(f'{escaped}"', "").encode("ascii")
        mark += _MARK


class _Writer:
    """Writes what the standard encoder does not know, counting the decimals."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self.decimals = 0

    def default(self, value: object) -> object:
        if isinstance(value, Decimal):
            self.decimals += 1
            return f"{self._mark}{number(value)}{self._mark}"
        if isinstance(value, Mapping):
            return dict(value)
        raise TypeError(f"{type(value).__name__} cannot be written in JSON")


# --- dates -----------------------------------------------------------------------------------------------------


def milliseconds(instant: datetime) -> int:
    """Return the whole milliseconds since the epoch."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def stamp(instant: datetime) -> str:
    """Write an instant: /Date(1789378199100+0000)/."""
    return f"/Date({milliseconds(instant)}+0000)/"


def bare_stamp(instant: datetime) -> str:
    """Write an instant without an offset, as the envelope and fresh history notes do."""
    return f"/Date({milliseconds(instant)})/"


@lru_cache(maxsize=8_192)
def day(value: date) -> str:
    """Write a calendar date as midnight UTC."""
    return stamp(datetime(value.year, value.month, value.day, tzinfo=UTC))


@lru_cache(maxsize=8_192)
def day_string(value: date) -> str:
    """Write a calendar date's *String twin: 2026-09-14T00:00:00, without a zone."""
    return f"{value.isoformat()}T00:00:00"


def stamp_string(instant: datetime) -> str:
    """Write UpdatedDateUTCString: 2026-09-14T09:29:59Z."""
    return instant.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def long_day(value: date) -> str:
    """Write a date for people: 31 March 2026."""
    return f"{value.day} {value:%B %Y}"


# --- answers ---------------------------------------------------------------------------------------------------


def json_response(body: object, status: int = 200) -> Response:
    """Answer plain data as JSON without an envelope."""
    return Response(status, (JSON_TYPE,), encode(body))


def envelope(
    call: Call, plural: str, rows: Sequence[object], pagination: Mapping[str, object] | None = None
) -> Response:
    """Answer records in the envelope that every accounting answer wears."""
    request = call.request
    seed = f"{request.method} {request.path}?{request.query} {milliseconds(call.now)}"
    body: dict[str, object] = {
        "Id": named_id(call.books.tenant_id, seed),
        "Status": "OK",
        "ProviderName": call.app_name,
        "DateTimeUTC": bare_stamp(call.now),
    }
    if pagination is not None:
        body["pagination"] = pagination
    body[plural] = rows
    return json_response(body)


def empty(status: int = 204) -> Response:
    """Answer without a body."""
    return Response(status)


def not_found() -> Response:
    """Answer for an unknown id: HTML, whatever was asked for."""
    return Response(404, (("Content-Type", "text/html; charset=utf-8"),), _NOT_FOUND)


def plain_text(status: int, text: str) -> Response:
    """Answer plain text."""
    return Response(status, (("Content-Type", "text/plain; charset=utf-8"),), text.encode())


def forbidden(call: Call) -> Response:
    """Answer for a user whose role does not allow this."""
    instance = named_id(call.books.tenant_id, f"{call.request.path} {milliseconds(call.now)}")
    body = {"Type": None, "Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"}
    return json_response({**body, "Instance": instance, "Extensions": {}}, 403)


def api_error(error_number: int, kind: str, message: str, status: int = 400) -> Response:
    """Answer one of the API's numbered errors."""
    return json_response({"ErrorNumber": error_number, "Type": kind, "Message": message}, status)


def validation_exception(elements: Sequence[Mapping[str, object]]) -> Response:
    """Answer 400 with every element that failed, each with its own ValidationErrors."""
    return json_response(
        {
            "ErrorNumber": 10,
            "Type": "ValidationException",
            "Message": "A validation exception occurred",
            "Elements": elements,
        },
        400,
    )


def refusal(*messages: str) -> Response:
    """Answer a ValidationException about a request that has no elements to echo."""
    return validation_exception([{"ValidationErrors": errors(messages)}])


def errors(messages: Sequence[str]) -> list[dict[str, object]]:
    """Return messages as the wire's ValidationErrors."""
    return [{"Message": message} for message in messages]


def unreadable(message: str) -> Response:
    """Answer a body whose values could not be read."""
    return api_error(14, "PostDataInvalidException", message)


def unreadable_query(message: str) -> Response:
    """Answer a filter or order that could not be understood."""
    return api_error(16, "QueryParseException", message)


def no_data(expected: str) -> Response:
    """Answer a body in which nothing of the endpoint's kind was found."""
    return api_error(
        17,
        "NoDataProcessedException",
        "No data has been processed for this endpoint. This endpoint is expecting "
        f"{expected} data to be specifed in the request body.",
    )
