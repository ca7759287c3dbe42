"""The gate of the Accounting API: token, tenant, scope, formats and unknown paths."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from adapters._twin.messages import Response
from adapters.xero.sandbox.documented import DOCUMENTED
from tests.adapters.xero.sandbox.frame_client import (
    START,
    Caller,
    fields,
    small_twin,
    truth,
    unlimited,
)

NOTE = "/Invoices/i-1/History"


@pytest.fixture
def caller() -> Caller:
    """The limits are off: they are tested elsewhere."""
    return unlimited()


def problem(response: Response) -> tuple[int, str, str]:
    document = json.loads(response.body)
    assert set(document) == {"Type", "Title", "Status", "Detail", "Instance", "Extensions"}
    assert document["Status"] == response.status
    assert str(UUID(document["Instance"])) == document["Instance"]
    return response.status, document["Title"], document["Detail"]


def test_a_call_reaches_its_handler_with_its_parameters(caller: Caller) -> None:
    response = caller.api("GET", "/Invoices/a b?where=A%3D%3D%22x%22&page=1&page=2&empty=")
    document = json.loads(response.body)
    assert response.status == 200
    assert document["Params"] == {"InvoiceID": "a b"}
    assert document["Query"] == {"where": 'A=="x"', "page": "2", "empty": ""}
    assert document["Now"] == START.isoformat()
    assert fields(response)["date"] == "Sun, 22 Nov 2026 08:00:00 GMT"
    assert UUID(fields(response)["xero-correlation-id"]).version == 4


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer nonsense", "Basic abc"])
def test_without_a_token_of_ours_nothing_opens(caller: Caller, value: str) -> None:
    response = caller.api("GET", "/Invoices", authorization=value)
    assert problem(response) == (401, "Unauthorized", "AuthenticationUnsuccessful")


def test_an_altered_token_is_no_token(caller: Caller) -> None:
    head, body, signature = caller.token.split(".")
    altered = ".".join((head, body, signature[::-1]))
    assert caller.api("GET", "/Invoices", authorization=f"Bearer {altered}").status == 401


def test_a_token_lasts_thirty_minutes_of_virtual_time(caller: Caller) -> None:
    caller.twin.clock.advance(1799)
    assert caller.api("GET", "/Invoices").status == 200
    caller.twin.clock.advance(1)
    response = caller.api("GET", "/Invoices")
    assert problem(response) == (401, "Unauthorized", "TokenExpired: token expired at 11/22/2026 08:30:00")


@pytest.mark.parametrize("tenant", ["", "00000000-0000-0000-0000-000000000000", "Demo Company (NZ)"])
def test_a_user_token_needs_the_header_of_a_connected_organisation(caller: Caller, tenant: str) -> None:
    response = caller.api("GET", "/Invoices", xero_tenant_id=tenant)
    assert problem(response) == (403, "Forbidden", "AuthenticationUnsuccessful")


def test_an_organisation_that_was_never_connected_is_foreign(caller: Caller) -> None:
    place = {"country": "NZ", "timezone": "Pacific/Auckland", "base_currency": "NZD"}
    made = caller.control("POST", "scenario", {"organisation": {"name": "Foreign Ltd"} | place})["organisation"]
    assert isinstance(made, dict)
    assert caller.api("GET", "/Invoices", xero_tenant_id=made["id"]).status == 403


def test_scopes_read_suffices_for_reading_only(caller: Caller) -> None:
    assert caller.api("GET", "/Contacts").status == 200
    refused = caller.api("PUT", "/Contacts", b"{}")
    assert problem(refused) == (401, "Unauthorized", "AuthorizationUnsuccessful")
    assert truth(caller) == []


def test_a_scope_of_another_area_opens_nothing() -> None:
    caller = Caller(small_twin())
    caller.connect(scope="accounting.settings accounting.payments.read")
    assert caller.api("GET", "/Invoices").status == 401


@pytest.mark.parametrize("accept", ["", "*/*", "text/html", "application/jsonp"])
def test_without_an_accept_header_for_json_the_answer_is_xml(caller: Caller, accept: str) -> None:
    response = caller.api("GET", "/Invoices?searchTerm=a%26b", accept=accept)
    assert fields(response)["content-type"] == "text/xml; charset=utf-8"
    assert response.body.startswith(b'<?xml version="1.0" encoding="utf-8"?><Response><Id>0</Id>')
    assert b"<searchTerm>a&amp;b</searchTerm>" in response.body


def test_json_may_be_one_of_several_accepted_kinds(caller: Caller) -> None:
    response = caller.api("GET", "/Invoices", accept="text/plain, Application/JSON;q=0.9")
    assert fields(response)["content-type"].startswith("application/json")


def test_a_documented_route_that_is_missing_says_so_and_is_recorded(caller: Caller) -> None:
    response = caller.api("GET", "/Journals")
    assert response.status == 501
    assert fields(response)["content-type"].startswith("text/plain")
    assert response.body.startswith(b"not simulated yet: GET /Journals ")
    caller.api("POST", "/Quotes/1/Attachments/a.pdf", b"x")
    assert caller.control("GET", "calls")["unsimulated"] == [
        "GET /Journals",
        "POST /Quotes/{QuoteID}/Attachments/{FileName}",
    ]


def test_an_unknown_path_is_a_web_page_and_is_recorded(caller: Caller) -> None:
    for response in (caller.api("GET", "/Nonsense"), caller.send("GET", "/payroll.xro/1.0/Employees")):
        assert response.status == 404
        assert fields(response)["content-type"] == "text/html; charset=utf-8"
        assert b"The resource you're looking for cannot be found" in response.body
    assert caller.control("GET", "calls")["unsimulated"] == [
        "GET /api.xro/2.0/Nonsense",
        "GET /payroll.xro/1.0/Employees",
    ]


def test_a_known_path_with_a_method_it_lacks(caller: Caller) -> None:
    response = caller.api("DELETE", "/Invoices/i-1/History")
    assert response.status == 405
    assert fields(response)["allow"] == "PUT, GET"


def test_every_documented_route_is_found(caller: Caller) -> None:
    """No template hides another, and none falls through to "no such path"."""
    caller.control("POST", "switch", {"idempotency_seconds": 0})
    for template, methods in DOCUMENTED.items():
        path = template.replace("{", "").replace("}", "")
        for method in methods:
            assert caller.api(method, path, b"{}").status in {200, 401, 501}, (method, template)


def test_calls_are_counted_by_template(caller: Caller) -> None:
    for number in range(3):
        caller.api("GET", f"/Invoices/{number}")
    caller.api("GET", "/Invoices", authorization="")
    counters = caller.control("GET", "calls")
    by_route, by_status = counters["by_route"], counters["by_status"]
    assert isinstance(by_route, dict)
    assert isinstance(by_status, dict)
    assert by_route["GET /Invoices/{InvoiceID}"] == 3
    assert by_status["401"] == 1
    assert by_route["POST /connect/token"] == 1
    assert counters["total"] == sum(by_status.values()) == 7
