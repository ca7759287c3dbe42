"""Rate limits on virtual time, and calls in flight for real."""

from __future__ import annotations

import json
import threading

from adapters._twin.messages import Response
from adapters.xero.sandbox.routing import Call, Route
from tests.adapters.xero.sandbox.frame_client import (
    ROUTES,
    Caller,
    answer,
    fields,
    limited,
    minute_left,
    small_twin,
    truth,
)

NOTE = "/Invoices/i-1/History"


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
    while minute_left(caller) != "55":
        threads[0].join(0.01)
    refused = caller.api("GET", "/Invoices")
    release.set()
    for thread in threads:
        thread.join(10)
    assert (refused.status, fields(refused)["x-rate-limit-problem"]) == (429, "concurrent")
    assert "retry-after" not in fields(refused)
    assert results == [200] * 5
    assert caller.api("GET", "/Invoices").status == 200


def test_the_problem_names_that_no_source_confirms_can_be_switched() -> None:
    caller = limited(app_minute=0)
    caller.control("POST", "switch", {"app_minute_problem": "app-minute", "concurrent_problem": "parallel"})
    assert fields(caller.api("GET", "/Invoices"))["x-rate-limit-problem"] == "app-minute"
    caller.control("POST", "limits", {"concurrent": 0})
    assert fields(caller.api("GET", "/Invoices"))["x-rate-limit-problem"] == "parallel"


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
