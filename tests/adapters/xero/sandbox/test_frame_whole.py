"""The whole sandbox: the frame with the real books behind it, in process and served."""

from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters._twin.clock import VirtualClock
from adapters._twin.messages import Request, Reset
from adapters.xero.sandbox.app import XeroTwin
from adapters.xero.sandbox.resources import ROUTES
from adapters.xero.sandbox.scopes import USER_SCOPES, permits
from adapters.xero.sandbox.serve import serve
from tests.adapters.xero.sandbox.frame_client import START, Caller, fields

SCOPES = "openid offline_access accounting.invoices accounting.payments accounting.contacts accounting.settings.read"
SCENARIO: dict[str, object] = {
    "organisation": {
        "name": "Kauri Timber Ltd",
        "country": "NZ",
        "timezone": "Pacific/Auckland",
        "base_currency": "NZD",
        "native_reminders": True,
    },
    "customers": [{"ref": "c1", "name": "Basket Case", "email": "pay@basket.example"}],
    "invoices": [
        {
            "ref": "i1",
            "customer": "c1",
            "number": "INV-9001",
            "date": "2026-10-20",
            "due": "2026-11-20",
            "lines": [{"description": "Timber", "unit_amount": "100.00"}],
            "sent": True,
        }
    ],
}


@pytest.fixture
def caller() -> Caller:
    app = Caller(XeroTwin([], VirtualClock(START, frozen=True)))
    app.control("POST", "scenario", SCENARIO)
    app.connect(scope=SCOPES)
    return app


def only_invoice(caller: Caller) -> dict[str, object]:
    response = caller.api("GET", "/Invoices?page=1&searchTerm=INV-9001")
    assert response.status == 200, response.body
    [invoice] = json.loads(response.body)["Invoices"]
    assert isinstance(invoice, dict)
    return invoice


def writes(caller: Caller, kind: str) -> list[dict[str, object]]:
    rows = caller.control("GET", "writes")["writes"]
    assert isinstance(rows, list)
    return [row for row in rows if row["kind"] == kind]


def test_every_route_asks_for_a_scope_that_an_app_can_get() -> None:
    for route in ROUTES:
        assert permits(USER_SCOPES, route.scope, write=route.method != "GET"), (route.method, route.template)


def test_a_note_whose_answer_was_lost_is_written_once(caller: Caller) -> None:
    path = f"/Invoices/{only_invoice(caller)['InvoiceID']}/History"
    body = json.dumps({"HistoryRecords": [{"Details": "Called [dw:abc]"}]}).encode()
    rule = {"match": {"method": "PUT", "path": "/History$"}, "action": {"do": "reset_after_commit"}, "times": 1}
    caller.control("POST", "faults", rule)
    assert caller.api("PUT", path, body, idempotency_key="k-1", content_type="application/json").wire == Reset()
    again = caller.api("PUT", path, body, idempotency_key="k-1", content_type="application/json")
    assert again.status == 200
    [write] = writes(caller, "history_note")
    assert write["idempotency_key"] == "k-1"
    assert write["organisation"] == caller.tenant
    history = json.loads(caller.api("GET", path).body)["HistoryRecords"]
    assert sum("[dw:abc]" in row.get("Details", "") for row in history) == 1


@pytest.mark.parametrize(
    ("method", "rest", "status"), [("DELETE", "", 405), ("PATCH", "", 405), ("DELETE", "/1", 404), ("POST", "/1", 404)]
)
def test_a_note_is_never_changed_or_deleted(caller: Caller, method: str, rest: str, status: int) -> None:
    path = f"/Invoices/{only_invoice(caller)['InvoiceID']}/History"
    before = caller.api("GET", path).body
    assert caller.api(method, path + rest, b"{}", content_type="application/json").status == status
    assert json.loads(caller.api("GET", path).body)["HistoryRecords"] == json.loads(before)["HistoryRecords"]


def test_people_change_the_books_under_our_feet(caller: Caller) -> None:
    assert only_invoice(caller)["Status"] == "AUTHORISED"
    told = caller.control("POST", "people", {"actions": [{"do": "pay", "invoice": "i1"}]})["results"]
    assert isinstance(told, list)
    assert told[0]["do"] == "pay"
    assert only_invoice(caller)["Status"] == "PAID"
    assert [row["actor"] for row in writes(caller, "payment")] == ["people"]
    order = {
        "organisation": "Kauri Timber Ltd",
        "actions": [{"do": "note", "invoice": "i1", "text": "x"}, {"do": "fly"}],
    }
    refused = caller.send("POST", "/__sandbox/people", json.dumps(order).encode())
    assert refused.status == 400
    assert b"actions[" in refused.body


def test_an_email_is_seen_in_the_outbox(caller: Caller) -> None:
    path = f"/Invoices/{only_invoice(caller)['InvoiceID']}/Email"
    assert caller.api("POST", path, b"{}", content_type="application/json").status == 204
    mails = caller.control("GET", "mails")["mails"]
    assert isinstance(mails, list)
    assert [(mail["to"], mail["organisation"]) for mail in mails] == [(["pay@basket.example"], caller.tenant)]


def test_moving_the_clock_runs_the_books_own_events(caller: Caller) -> None:
    assert writes(caller, "native_reminder") == []
    caller.control("POST", "clock", {"now": "2026-11-27T12:00:00Z"})
    [reminder] = writes(caller, "native_reminder")
    assert str(reminder["at"]).startswith("2026-11-26T16:00:00")  # five in the morning of 27 November in Auckland


def test_small_steps_of_time_add_up(caller: Caller) -> None:
    almost = datetime(2026, 11, 26, 15, 59, 58, tzinfo=UTC)
    caller.twin.advance(almost)
    caller.connect(scope=SCOPES)
    for step in range(1, 8):
        request = Request(
            "GET",
            "/api.xro/2.0/Organisation",
            "",
            {"authorization": f"Bearer {caller.token}", "accept": "application/json", "xero-tenant-id": caller.tenant},
        )
        assert caller.twin.handle(request, almost + step * timedelta(seconds=0.5)).status == 200
    assert len(caller.twin.books[caller.tenant].mails) == 1


def test_an_error_of_the_books_in_xml_for_who_asks_for_no_json(caller: Caller) -> None:
    body = b'{"Invoices":[{"Type":"ACCREC"}]}'
    response = caller.api("PUT", "/Invoices", body, accept="*/*", content_type="application/json")
    assert response.status == 400
    assert fields(response)["content-type"] == "text/xml; charset=utf-8"
    assert b"<ApiException>" in response.body
    assert b"<Type>ValidationException</Type>" in response.body


def test_serving_recorded_books(tmp_path: Path) -> None:
    recorded = {"Contacts": [{"ContactID": "a3675fc4-0000-4000-8000-000000000003", "Name": "Recorded Ltd"}]}
    (tmp_path / "contacts.json").write_text(json.dumps(recorded))
    running = serve(port=0, books=tmp_path, now=START, seed=5, frozen=True)
    try:
        with urllib.request.urlopen(f"{running.base_url}/__sandbox/organisations", timeout=5) as answer:
            assert json.load(answer) == {"organisations": [running.organisation]}
        inside = Caller(running.twin)
        inside.connect(scope=SCOPES)
        assert b"Recorded Ltd" in inside.api("GET", "/Contacts").body
    finally:
        running.stop()


def test_serving_starts_at_real_time_and_ticks() -> None:
    before = datetime.now(tz=UTC)  # noqa: TID251 - compared with the one place that reads it
    running = serve(port=0, books=None, now=None, seed=0, frozen=False)
    try:
        first = running.twin.clock.now()
        assert timedelta(0) <= first - before < timedelta(seconds=20)
        assert running.twin.clock.now() > first
    finally:
        running.stop()
