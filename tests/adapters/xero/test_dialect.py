"""What Xero's answers mean, by what to do next."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.xero.dialect import XeroDialect
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
from tests.adapters.xero.rows import Row, answer

URL = "https://api.xero.com/api.xro/2.0/Invoices/1?where=Name%3D%22Smith%22"


def meaning(found: HttpAnswer, method: str = "GET", accept: str = "application/json") -> DunwellError | None:
    return XeroDialect().classify(HttpRequest(method, URL, {"Accept": accept}), found)


def problem(status: int, detail: str) -> HttpAnswer:
    return answer({"Type": None, "Title": "x", "Status": status, "Detail": detail, "Extensions": {}}, status)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (problem(401, "TokenExpired: token expired at 08/12/2022 07:00:40"), TokenExpired),
        (problem(401, "AuthenticationUnsuccessful"), TokenExpired),
        (problem(401, "AuthorizationUnsuccessful"), ScopeMissing),
        (problem(403, "AuthenticationUnsuccessful"), ConnectionRevoked),
        (answer({"title": "Forbidden", "status": 403, "detail": "AuthenticationUnsuccessful"}, 403), ConnectionRevoked),
        (answer(b"", 403), ConnectionRevoked),
        (problem(403, "user lacks the reports role"), ScopeMissing),
        (HttpAnswer(404, {"content-type": "text/html; charset=utf-8"}, b"<p>cannot be found</p>"), NotFound),
        (HttpAnswer(500, {"content-type": "text/plain"}, b"oops"), LedgerUnavailable),
        (HttpAnswer(503, {"content-type": "text/html"}, b"offline"), LedgerUnavailable),
        (HttpAnswer(412, {}, b""), LedgerRejected),
        (HttpAnswer(302, {"location": "https://login.xero.com"}, b""), UnreadableAnswer),
        (HttpAnswer(200, {"content-type": "text/html"}, b"<html>log in</html>"), UnreadableAnswer),
        (HttpAnswer(200, {"content-type": "application/xml"}, b"<Response/>"), UnreadableAnswer),
        (HttpAnswer(200, {}, b"{}"), UnreadableAnswer),
    ],
)
def test_errors_are_named_by_what_to_do_next(found: HttpAnswer, expected: type[DunwellError]) -> None:
    assert type(meaning(found)) is expected


def test_good_answers_are_no_errors() -> None:
    assert meaning(answer({})) is None
    assert meaning(HttpAnswer(204, {}, b""), "POST") is None
    pdf = HttpAnswer(200, {"content-type": "application/pdf"}, b"%PDF-1.7")
    assert meaning(pdf, accept="application/pdf") is None
    assert isinstance(meaning(pdf), UnreadableAnswer)


def test_a_missing_record_is_a_definite_refusal_of_a_write() -> None:
    refused = meaning(HttpAnswer(404, {"content-type": "text/html"}, b""), "PUT")
    assert isinstance(refused, LedgerRejected)
    assert refused.status == 404


@pytest.mark.parametrize(
    ("headers", "limit", "wait"),
    [
        ({"X-Rate-Limit-Problem": "minute", "Retry-After": "26", "X-MinLimit-Remaining": "0"}, "minute", 26),
        ({"X-Rate-Limit-Problem": "day", "Retry-After": "66975"}, "day", 66975),
        ({"X-Rate-Limit-Problem": "concurrent"}, "concurrent", 1),
        ({"X-Rate-Limit-Problem": "appminute", "Retry-After": "3"}, "app", 3),
        ({}, "concurrent", 1),
        ({"X-DayLimit-Remaining": "0"}, "day", 3600),
        ({"X-MinLimit-Remaining": "0"}, "minute", 60),
        ({"X-Rate-Limit-Problem": "Minute", "Retry-After": "soon"}, "minute", 60),
    ],
)
def test_limits_say_which_and_how_long(headers: dict[str, str], limit: str, wait: float) -> None:
    limited = meaning(HttpAnswer(429, {name.lower(): value for name, value in headers.items()}, b""))
    assert isinstance(limited, RateLimited)
    assert (limited.limit, limited.retry_after) == (limit, wait)


def test_what_remains_is_read_from_the_headers() -> None:
    headers = {"x-minlimit-remaining": "58", "x-daylimit-remaining": "4711", "x-appminlimit-remaining": "many"}
    assert XeroDialect().limits(headers) == {"minute": 58, "day": 4711}


def rejected(document: object) -> LedgerRejected:
    found = meaning(answer(document, 400), "POST")
    assert isinstance(found, LedgerRejected)
    return found


def element(**fields: Any) -> Row:
    return {"ErrorNumber": 10, "Type": "ValidationException", "Message": "A validation exception", "Elements": [fields]}


def test_the_ledgers_own_words_are_kept_also_from_the_contact() -> None:
    found = rejected(
        element(
            ValidationErrors=[{"Message": "Invoice # must be unique."}],
            Contact={
                "ValidationErrors": [
                    {"Message": "Email address is not valid"},
                    {"Message": "Invoice # must be unique."},
                ]
            },
        )
    )
    assert found.detail == "Invoice # must be unique.; Email address is not valid"
    assert found.status == 400
    assert "POST /Invoices/1" in found.what
    assert "Smith" not in found.what


@pytest.mark.parametrize(
    ("words", "step"),
    [
        ("This document cannot be edited as it has a payment or credit note allocated to it.", "leave a note instead"),
        ("The document date cannot be before the period lock date, currently set at 31/03/2026", "locked period"),
        ("Invoice not of valid status for modification", "status no longer allows"),
    ],
)
def test_known_refusals_say_what_to_do(words: str, step: str) -> None:
    assert step in rejected(element(ValidationErrors=[{"Message": words}])).next_step


@pytest.mark.parametrize(
    ("document", "detail"),
    [
        ({"ErrorNumber": 14, "Type": "PostDataInvalidException", "Message": "bad date"}, "bad date"),
        ({"type": "invalid-request", "title": "Invalid Request", "detail": "too long"}, "too long"),
        ({"Elements": [{"ValidationErrors": "none"}], "Message": "top"}, "top"),
        ({}, ""),
        ([], ""),
        (b"<html>", ""),
        (b"[" * 50_000, ""),
    ],
)
def test_other_shapes_of_refusal(document: object, detail: str) -> None:
    assert rejected(document).detail == detail


def test_a_flood_of_messages_is_cut() -> None:
    errors = [{"Message": f"{n} " + "x" * 5000} for n in range(100)]
    assert len(rejected(element(ValidationErrors=errors)).detail) < 6000
