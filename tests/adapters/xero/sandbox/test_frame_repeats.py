"""Repeated and broken calls: idempotency keys, and faults on the whole way of a call."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest

from adapters._twin.messages import Deliver, Request, Reset, Response
from adapters.xero.sandbox.resources import ROUTES as ALL_ROUTES
from adapters.xero.sandbox.routing import Call, Route
from tests.adapters.xero.sandbox.frame_client import (
    JSON,
    ROUTES,
    START,
    Caller,
    answer,
    limited,
    minute_left,
    small_twin,
    truth,
    unlimited,
)

NOTE = "/Invoices/i-1/History"


@pytest.fixture
def caller() -> Caller:
    """The limits are off: they are tested elsewhere."""
    return unlimited()


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


def test_how_a_misused_key_is_refused_can_be_switched(caller: Caller) -> None:
    caller.api("PUT", NOTE, b"note", idempotency_key="k-1")
    assert json.loads(caller.api("PUT", NOTE, b"other", idempotency_key="k-1").body)["Status"] == 400
    caller.control("POST", "switch", {"idempotency_refusal": "validation"})
    document = json.loads(caller.api("PUT", NOTE, b"other", idempotency_key="k-1").body)
    assert document["Type"] == "ValidationException"
    assert "different request" in document["Elements"][0]["ValidationErrors"][0]["Message"]


@pytest.mark.parametrize(("obeys", "mails"), [(True, 1), (False, 2)])
def test_whether_a_key_holds_for_an_email_can_be_switched(obeys: bool, mails: int) -> None:
    caller = Caller(small_twin(routes=ALL_ROUTES))
    caller.connect()
    caller.control("POST", "switch", {"email_obeys_key": obeys})
    [books] = caller.twin.books.values()
    number = next(
        one.number for one in books.invoices if one.status == "AUTHORISED" and books.mail_addresses(one.contact_id)
    )
    for _ in range(2):
        assert caller.api("POST", f"/Invoices/{number}/Email", b"{}", idempotency_key="k-1").status == 204
    assert len(books.mails) == mails


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
    while minute_left(caller) != "58":
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
