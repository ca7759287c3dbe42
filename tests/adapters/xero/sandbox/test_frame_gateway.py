"""The gate of the Accounting API: token, tenant, scope, limits, idempotency, faults, formats and unknown paths."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from uuid import UUID

import pytest

from adapters._twin.messages import Deliver, Request, Reset, Response
from adapters.xero.sandbox.documented import DOCUMENTED
from adapters.xero.sandbox.routing import Call, Route
from tests.adapters.xero.sandbox.frame_client import (
    JSON,
    ROUTES,
    START,
    Caller,
    answer,
    fields,
    small_twin,
)

NOTE = "/Invoices/i-1/History"


@pytest.fixture
def caller() -> Caller:
    """An app that is connected; the limits are off unless a test is about them."""
    connected = Caller(small_twin())
    connected.connect()
    connected.control("POST", "limits", {"off": True})
    return connected


def problem(response: Response) -> tuple[int, str, str]:
    document = json.loads(response.body)
    assert set(document) == {"Type", "Title", "Status", "Detail", "Instance", "Extensions"}
    assert document["Status"] == response.status
    assert str(UUID(document["Instance"])) == document["Instance"]
    return response.status, document["Title"], document["Detail"]


def truth(caller: Caller) -> list[str]:
    writes = caller.control("GET", "writes")["writes"]
    assert isinstance(writes, list)
    return [write["detail"] for write in writes]


# --- token, tenant, scope ---------------------------------------------------------------------------------------


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


# --- limits -----------------------------------------------------------------------------------------------------


def limited(**caps: int) -> Caller:
    caller = Caller(small_twin())
    caller.connect()
    if caps:
        caller.control("POST", "limits", caps)
    return caller


def test_limits_are_on_by_default_and_every_answer_tells_what_is_left() -> None:
    caller = limited()
    for path, status in (("/Invoices", 200), ("/Nowhere", 404), ("/Journals", 501)):
        left = fields(caller.api("GET", path))
        assert caller.api("GET", path).status == status
    assert left["x-minlimit-remaining"] == "55"
    assert left["x-daylimit-remaining"] == "995"
    assert left["x-appminlimit-remaining"] == "9995"


def test_the_minute_limit_refuses_without_a_body_until_its_window_ends() -> None:
    caller = limited()
    statuses = [caller.api("GET", "/Invoices").status for _ in range(60)]
    refused = caller.api("POST", "/Invoices", b"{}")
    assert statuses == [200] * 60
    assert (refused.status, refused.body) == (429, b"")
    head = fields(refused)
    assert "content-type" not in head
    assert head["x-rate-limit-problem"] == "minute"
    assert (head["x-minlimit-remaining"], head["x-daylimit-remaining"]) == ("0", "940")
    assert truth(caller) == []
    wait = int(head["retry-after"])
    assert 1 <= wait <= 60
    caller.twin.clock.advance(wait - 1)
    assert int(fields(caller.api("GET", "/Invoices"))["retry-after"]) == 1
    caller.twin.clock.advance(1)
    assert caller.api("GET", "/Invoices").status == 200


def test_the_day_limit_asks_for_a_long_wait() -> None:
    caller = limited(used_day=999)
    assert caller.api("GET", "/Invoices").status == 200
    refused = fields(caller.api("GET", "/Invoices"))
    assert refused["x-rate-limit-problem"] == "day"
    assert refused["x-daylimit-remaining"] == "0"
    assert 60 < int(refused["retry-after"]) <= 86400
    caller.twin.clock.advance(int(refused["retry-after"]))
    caller.connect()
    assert caller.api("GET", "/Invoices").status == 200


def test_the_app_limit_spans_organisations() -> None:
    caller = limited(app_minute=3)
    place = {"country": "NZ", "timezone": "Pacific/Auckland", "base_currency": "NZD"}
    made = caller.control("POST", "scenario", {"organisation": {"name": "Second Ltd"} | place})["organisation"]
    assert isinstance(made, dict)
    caller.connect(organisation=made["id"])
    for tenant in (caller.tenant, made["id"], made["id"]):
        assert caller.api("GET", "/Invoices", xero_tenant_id=tenant).status == 200
    refused = caller.api("GET", "/Invoices")
    assert (refused.status, fields(refused)["x-rate-limit-problem"]) == (429, "appminute")
    assert int(fields(refused)["x-minlimit-remaining"]) == 59


def test_the_sixth_call_in_flight_is_refused() -> None:
    release, entered = threading.Event(), threading.Event()

    def wait(call: Call) -> Response:
        entered.set()
        assert release.wait(10)
        return answer(call)

    twin = small_twin(routes=(*ROUTES, Route("GET", "/Items", "accounting.invoices", wait)))
    caller = Caller(twin)
    caller.connect()
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(caller.api("GET", "/Items").status)) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert entered.wait(10)
    while fields(caller_headers(caller))["x-minlimit-remaining"] != "55":
        threads[0].join(0.01)
    refused = caller.api("GET", "/Invoices")
    release.set()
    for thread in threads:
        thread.join(10)
    assert (refused.status, fields(refused)["x-rate-limit-problem"]) == (429, "concurrent")
    assert "retry-after" not in fields(refused)
    assert results == [200] * 5
    assert caller.api("GET", "/Invoices").status == 200


def caller_headers(caller: Caller) -> Response:
    """What is left, without a call."""
    return Response(200, caller.twin.limits.remaining(caller.tenant, START))


def test_control_and_identity_are_not_limited() -> None:
    caller = limited(minute=0)
    assert caller.api("GET", "/Invoices").status == 429
    assert len(caller.connections()) == 1
    assert caller.control("GET", "clock")["frozen"] is True


def test_limits_off_and_wrong_orders() -> None:
    caller = limited(minute=1)
    caller.control("POST", "limits", {"off": True})
    responses = [caller.api("GET", "/Invoices") for _ in range(3)]
    assert [response.status for response in responses] == [200] * 3
    assert "x-minlimit-remaining" not in fields(responses[0])
    for order in ({"hour": 1}, {"minute": -1}, {"minute": "60"}, {"off": 1}, {"minute": True}):
        response = caller.send("POST", "/__sandbox/limits", json.dumps(order).encode())
        assert response.status == 400, order
    assert caller.control("POST", "limits", {"off": False})["minute"] == 1


# --- idempotency ------------------------------------------------------------------------------------------------


def test_a_repeat_with_the_same_key_gets_the_stored_answer_and_runs_nothing(caller: Caller) -> None:
    first = caller.api("PUT", NOTE, b"note", idempotency_key="k-1")
    caller.twin.clock.advance(359)
    again = caller.api("PUT", NOTE, b"note", idempotency_key="k-1")
    assert (again.status, again.body) == (first.status, first.body)
    assert truth(caller) == ["note"]
    caller.twin.clock.advance(1)  # six minutes from the first call: the key is forgotten
    assert caller.api("PUT", NOTE, b"note", idempotency_key="k-1").status == 200
    assert truth(caller) == ["note", "note"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", NOTE, b"other"),
        ("PUT", f"{NOTE}?x=1", b"note"),
        ("PUT", "/Invoices/i-2/History", b"note"),
        ("POST", "/Invoices", b"note"),
    ],
)
def test_the_same_key_with_another_request_is_refused(caller: Caller, method: str, path: str, body: bytes) -> None:
    caller.api("PUT", NOTE, b"note", idempotency_key="k-1")
    refused = caller.api(method, path, body, idempotency_key="k-1")
    assert refused.status == 400
    assert b"is used with a different request" in refused.body
    assert truth(caller) == ["note"]


def test_keys_are_limited_to_128_characters_and_mean_nothing_on_a_read(caller: Caller) -> None:
    assert caller.api("PUT", NOTE, b"a", idempotency_key="k" * 129).status == 400
    assert truth(caller) == []
    assert caller.api("PUT", NOTE, b"a", idempotency_key="k" * 128).status == 200
    before = caller.api("GET", "/Invoices", idempotency_key="r").body
    caller.api("PUT", NOTE, b"b")
    assert caller.api("GET", "/Invoices", idempotency_key="r").body != before


def test_without_a_key_every_repeat_writes_again(caller: Caller) -> None:
    for _ in range(2):
        caller.api("PUT", NOTE, b"note")
    assert truth(caller) == ["note", "note"]


def test_errors_are_stored_too_but_not_what_comes_before_the_store() -> None:
    failing = [True]

    def moody(call: Call) -> Response:
        return Response(400, JSON, b'{"ErrorNumber":10}') if failing[0] else answer(call)

    caller = Caller(small_twin(routes=(Route("PUT", "/Items", "accounting.invoices", moody),)))
    caller.connect()
    assert caller.api("PUT", "/Items", b"x", idempotency_key="k").status == 400
    failing[0] = False
    assert caller.api("PUT", "/Items", b"x", idempotency_key="k").status == 400
    assert caller.api("PUT", "/Items", b"x", idempotency_key="k-2").status == 200
    caller.control("POST", "limits", {"minute": 0})
    assert caller.api("PUT", "/Items", b"y", idempotency_key="k-3").status == 429
    caller.control("POST", "limits", {"minute": 60})
    assert caller.api("PUT", "/Items", b"y", idempotency_key="k-3").status == 200


def test_limits_come_before_the_store_and_replays_count() -> None:
    caller = limited(minute=2)
    for _ in range(2):
        assert caller.api("PUT", NOTE, b"n", idempotency_key="k").status == 200
    assert caller.api("PUT", NOTE, b"n", idempotency_key="k").status == 429


def test_a_parallel_repeat_waits_for_the_first() -> None:
    release, entered = threading.Event(), threading.Event()

    def wait(call: Call) -> Response:
        entered.set()
        assert release.wait(10)
        return answer(call)

    caller = Caller(small_twin(routes=(*ROUTES, Route("PUT", "/Items", "accounting.invoices", wait))))
    caller.connect()
    bodies: list[bytes] = []

    def call() -> None:
        bodies.append(caller.api("PUT", "/Items", b"once", idempotency_key="k").body)

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert entered.wait(10)
    while fields(caller_headers(caller))["x-minlimit-remaining"] != "58":
        threads[0].join(0.01)
    assert bodies == []
    release.set()
    for thread in threads:
        thread.join(10)
    assert bodies[0] == bodies[1]
    assert truth(caller) == ["once"]


def test_another_organisation_is_another_request(caller: Caller) -> None:
    place = {"country": "NZ", "timezone": "Pacific/Auckland", "base_currency": "NZD"}
    made = caller.control("POST", "scenario", {"organisation": {"name": "Second Ltd"} | place})["organisation"]
    assert isinstance(made, dict)
    caller.connect(organisation=made["id"])
    assert caller.api("PUT", NOTE, b"n", idempotency_key="k").status == 200
    other = caller.api("PUT", NOTE, b"n", idempotency_key="k", xero_tenant_id=made["id"])
    assert other.status == 400
    assert len(truth(caller)) == 1


def test_the_keys_life_can_be_switched(caller: Caller) -> None:
    caller.control("POST", "switch", {"idempotency_seconds": 0})
    for _ in range(2):
        caller.api("PUT", NOTE, b"n", idempotency_key="k")
    assert truth(caller) == ["n", "n"]


# --- faults -----------------------------------------------------------------------------------------------------


def fault(caller: Caller, **action: object) -> None:
    caller.control("POST", "faults", {"match": {"path": "History$", "nth": 1}, "action": action})


def test_an_applications_500_is_stored_under_the_key_whether_it_committed_or_not(caller: Caller) -> None:
    for do, written in (("before_commit", 0), ("after_commit", 1)):
        fault(caller, do=do, status=500)
        for _ in range(2):
            assert caller.api("PUT", NOTE, b"n", idempotency_key=do).status == 500
        assert len(truth(caller)) == written
        caller.control("DELETE", "faults")


def test_a_gateways_504_is_not_stored_and_the_repeat_tells_the_truth(caller: Caller) -> None:
    fault(caller, do="after_commit", status=504)
    assert caller.api("PUT", NOTE, b"n", idempotency_key="k").status == 504
    assert caller.api("PUT", NOTE, b"n", idempotency_key="k").status == 200
    assert truth(caller) == ["n"]


def test_a_reset_after_commit_leaves_the_write_and_the_answer_under_the_key(caller: Caller) -> None:
    fault(caller, do="reset_after_commit")
    lost = caller.api("PUT", NOTE, b"n", idempotency_key="k")
    assert lost.wire == Reset()
    again = caller.api("PUT", NOTE, b"n", idempotency_key="k")
    assert (again.status, again.wire, again.body) == (200, Deliver(), lost.body)
    assert truth(caller) == ["n"]
    counters = caller.control("GET", "calls")["by_status"]
    assert isinstance(counters, dict)
    assert counters["reset"] == 1


def test_a_late_commit_happens_when_virtual_time_gets_there(caller: Caller) -> None:
    fault(caller, do="late_commit", seconds=120)
    assert caller.api("PUT", NOTE, b"late").wire == Reset()
    caller.control("POST", "clock", {"advance": 119})
    assert truth(caller) == []
    caller.control("POST", "clock", {"advance": 3600})
    [write] = caller.twin.organisations()[0].truth
    assert write["at"] == (START + timedelta(seconds=120)).isoformat()


def test_a_late_commit_precedes_a_call_that_arrives_after_it_was_due(caller: Caller) -> None:
    fault(caller, do="late_commit", seconds=10)
    caller.api("PUT", NOTE, b"late")
    request = Request(
        "PUT",
        f"/api.xro/2.0{NOTE}",
        "",
        {"authorization": f"Bearer {caller.token}", "xero-tenant-id": caller.tenant},
        b"next",
    )
    assert caller.twin.handle(request, START + timedelta(seconds=11)).status == 200
    assert truth(caller) == ["late", "next"]


@pytest.mark.parametrize(("gap", "writes"), [(100, 1), (400, 2)])
def test_a_late_commit_meets_the_key_of_its_own_repeat(caller: Caller, gap: int, writes: int) -> None:
    """Repeated under the same key meanwhile: one write while the key lives, two after it has gone."""
    fault(caller, do="late_commit", seconds=gap)
    caller.api("PUT", NOTE, b"n", idempotency_key="k")
    assert caller.api("PUT", NOTE, b"n", idempotency_key="k").status == 200
    caller.control("POST", "clock", {"advance": gap})
    assert len(truth(caller)) == writes


def test_a_faulty_call_counts_against_the_limits_and_names_its_organisation() -> None:
    caller = limited(minute=1)
    name = caller.twin.organisations()[0].name
    rule = {"match": {"organisation": name}, "action": {"do": "before_commit", "status": 503}}
    caller.control("POST", "faults", rule)
    assert caller.api("GET", "/Invoices").status == 503
    assert caller.api("GET", "/Invoices").status == 429


def test_the_token_endpoint_can_lose_its_answer(caller: Caller) -> None:
    old = caller.connect()["refresh_token"]
    rule = {"match": {"path": "^/connect/token$"}, "action": {"do": "reset_after_commit"}, "times": 1}
    caller.control("POST", "faults", rule)
    assert caller.refresh(old).wire == Reset()
    assert caller.refresh(old).status == 200  # the grace period is for this


# --- formats and unknown paths ----------------------------------------------------------------------------------


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
