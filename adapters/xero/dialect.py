"""What Xero's answers mean: its errors by what to do next, its limits by what remains."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from connector.errors import (
    ConnectionRevoked,
    DunwellError,
    LedgerRejected,
    LedgerUnavailable,
    NotFound,
    RateLimited,
    ScopeMissing,
    TokenExpired,
    UnreadableAnswer,
)
from connector.ports import HttpAnswer, HttpRequest

_REMAINING: Final = {
    "x-minlimit-remaining": "minute",
    "x-daylimit-remaining": "day",
    "x-appminlimit-remaining": "app",
}
_DEFAULT_WAIT: Final = {"concurrent": 1.0, "minute": 60.0, "app": 60.0, "day": 3600.0}
_DEPTH: Final = 8
_MOST_MESSAGES: Final = 10

# What a person can do about refusals that Xero is known to give, by a part of its words.
_KNOWN_REFUSALS: Final = (
    (
        "cannot be edited as it has a payment or credit note",
        "Xero keeps part-paid, credited and paid invoices unchanged; leave a note instead",
    ),
    (
        "period lock date",
        "the document lies in a locked period; ask the accountant to unlock it, or leave a note instead",
    ),
    ("not of valid status for modification", "the invoice's status no longer allows this; look at it in Xero"),
    ("idempotency key", "the same key was used for another request; retry with a new key"),
    ("limit of 100 contact groups", "delete an unused contact group in Xero"),
)


class XeroDialect:
    """Limits per organisation, and classes of error (facts of the Accounting API, 2026)."""

    per_minute = 60
    reserve = 5
    concurrent = 5

    def classify(self, request: HttpRequest, answer: HttpAnswer) -> DunwellError | None:
        status = answer.status
        where = _path(request)
        if 200 <= status < 300:
            return _unexpected_content(request, answer, where)
        if status == 429:
            return _limited(answer, where)
        if status >= 500:
            trace = answer.headers.get("xero-correlation-id", "")
            traced = f" (correlation id {trace[:60]})" if trace else ""
            return LedgerUnavailable(f"Xero answered {status} to {where}{traced}")
        if status < 400:
            return UnreadableAnswer(f"Xero answered {status} to {where}")
        detail = "; ".join(messages(answer))
        if status == 401:
            return _unauthorised(detail, where)
        if status == 403:
            return _forbidden(detail, where)
        if status == 404 and request.method == "GET":
            return NotFound(f"Xero knows no {where}")
        return LedgerRejected(
            f"Xero refused {request.method} {where}: {detail or f'status {status}'}",
            detail=detail,
            status=status,
            next_step=next((step for words, step in _KNOWN_REFUSALS if words in detail.lower()), ""),
        )

    def limits(self, headers: Mapping[str, str]) -> Mapping[str, int]:
        return {window: int(headers[name]) for name, window in _REMAINING.items() if headers.get(name, "").isdecimal()}


def _path(request: HttpRequest) -> str:
    """The path after the API's version: what was asked for, without host and search words."""
    path = request.url.partition("?")[0]
    return path.partition("/api.xro/2.0")[2] or "/" + path.split("/", 3)[-1]


def _unexpected_content(request: HttpRequest, answer: HttpAnswer, where: str) -> DunwellError | None:
    """A login page with status 200 is not an answer."""
    if answer.status == 204:
        return None
    wanted = request.headers.get("Accept", "application/json")
    found = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found == wanted:
        return None
    return UnreadableAnswer(f"Xero answered {where} with {found[:60] or 'no content type'} instead of {wanted}")


def _limited(answer: HttpAnswer, where: str) -> RateLimited:
    problem = answer.headers.get("x-rate-limit-problem", "").strip().lower()
    if "day" in problem or (not problem and answer.headers.get("x-daylimit-remaining") == "0"):
        limit = "day"
    elif "app" in problem:
        limit = "app"
    elif "minute" in problem or (not problem and answer.headers.get("x-minlimit-remaining") == "0"):
        limit = "minute"
    else:
        limit = "concurrent"
    after = answer.headers.get("retry-after", "").strip()
    seconds = float(after) if after.isdecimal() else _DEFAULT_WAIT[limit]
    return RateLimited(f"Xero's {limit} limit was met at {where}", retry_after=seconds, limit=limit)


def _unauthorised(detail: str, where: str) -> DunwellError:
    if "AuthorizationUnsuccessful" in detail:
        return ScopeMissing(
            f"the consent does not cover {where}",
            next_step="connect the organisation again and grant all the permissions asked for",
        )
    return TokenExpired(f"Xero refused the access token for {where}", next_step="connect the organisation again")


def _forbidden(detail: str, where: str) -> DunwellError:
    if detail and "AuthenticationUnsuccessful" not in detail:
        return ScopeMissing(
            f"Xero forbids {where}: {detail}", next_step="connect with a user whose role in Xero allows it"
        )
    return ConnectionRevoked(
        "the organisation is no longer connected to this app", next_step="connect the organisation again"
    )


def messages(answer: HttpAnswer) -> tuple[str, ...]:
    """The ledger's own words in an error answer, also where they are nested in elements or their contact."""
    if "json" not in answer.headers.get("content-type", ""):
        return ()
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(document, dict):
        return ()
    found = list(dict.fromkeys(_nested(document.get("Elements"), _DEPTH)))
    if not found:
        top = {str(name).lower(): value for name, value in document.items()}
        found = [text for name in ("message", "detail", "title") if isinstance(text := top.get(name), str) and text][:1]
    return tuple(text[:500] for text in found[:_MOST_MESSAGES])


def _nested(value: Any, depth: int) -> Iterator[str]:
    """Every `ValidationErrors[].Message` below."""
    if depth == 0:
        return
    if isinstance(value, list):
        for item in value:
            yield from _nested(item, depth - 1)
    elif isinstance(value, dict):
        for name, below in value.items():
            if name == "ValidationErrors" and isinstance(below, list):
                yield from (
                    error["Message"]
                    for error in below
                    if isinstance(error, dict) and isinstance(error.get("Message"), str)
                )
            else:
                yield from _nested(below, depth - 1)
