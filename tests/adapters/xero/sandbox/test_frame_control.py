"""The control plane: clock, truth, mails, people, scenarios and switches, as a test or the demo drives them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.adapters.xero.sandbox.frame_client import START, Caller, small_twin

PLACE = {"country": "NZ", "timezone": "Pacific/Auckland", "base_currency": "NZD"}
NOTE = "/Invoices/i-1/History"


@pytest.fixture
def caller() -> Caller:
    connected = Caller(small_twin())
    connected.connect()
    return connected


def refusal(caller: Caller, method: str, name: str, body: bytes) -> str:
    response = caller.send(method, f"/__sandbox/{name}", body)
    assert response.status == 400, response.body
    text = json.loads(response.body)["error"]
    assert isinstance(text, str)
    return text


def test_the_clock_is_read_moved_and_thawed(caller: Caller) -> None:
    assert caller.control("GET", "clock") == {"now": "2026-11-22T08:00:00Z", "frozen": True}
    moved = caller.control("POST", "clock", {"now": "2026-11-23T09:00:00+13:00"})
    assert moved == {"now": "2026-11-22T20:00:00Z", "frozen": True}
    assert caller.control("POST", "clock", {"advance": 0.5})["now"] == "2026-11-22T20:00:00.500000Z"
    assert caller.control("POST", "clock", {"frozen": False})["frozen"] is False
    assert caller.twin.clock.frozen is False


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b'{"now": "2026-11-22T07:59:59Z"}', "never goes backwards"),
        (b'{"now": "2026-11-23T08:00:00"}', "time zone"),
        (b'{"now": "tomorrow"}', "no ISO instant"),
        (b'{"advance": -1}', "zero or more"),
        (b'{"advance": "60"}', "number of seconds"),
        (b'{"advance": NaN}', "number of seconds"),
        (b'{"advance": 1, "now": "2027-01-01T00:00:00Z"}', "now or advance"),
        (b'{"frozen": 1}', "true or false"),
        (b"{}", "now or advance"),
        (b"[1]", "JSON object"),
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
    ],
)
def test_a_wrong_clock_order_changes_nothing(caller: Caller, body: bytes, complaint: str) -> None:
    assert complaint in refusal(caller, "POST", "clock", body)
    assert caller.control("GET", "clock") == {"now": "2026-11-22T08:00:00Z", "frozen": True}


def test_a_caller_ahead_of_the_clock_takes_it_along(caller: Caller) -> None:
    later = START + timedelta(hours=2)
    caller.twin.advance(later)
    assert caller.twin.clock.now() == later


def test_writes_are_listed_with_their_organisation_and_from_a_number_on(caller: Caller) -> None:
    second = caller.control("POST", "scenario", {"organisation": {"name": "Second Ltd"} | PLACE})["organisation"]
    assert isinstance(second, dict)
    caller.connect(organisation=second["id"])
    first_seq = [len(each.truth) for each in caller.twin.organisations()]
    for text in (b"a", b"b"):
        assert caller.api("PUT", NOTE, text).status == 200
    caller.twin.clock.advance(1)
    assert caller.api("PUT", NOTE, b"c", xero_tenant_id=second["id"]).status == 200
    writes = caller.control("GET", f"writes?since={first_seq[0]}&organisation={caller.tenant}")["writes"]
    assert isinstance(writes, list)
    assert [(row["organisation"], row["detail"]) for row in writes] == [(caller.tenant, "a"), (caller.tenant, "b")]
    everything = caller.control("GET", "writes")["writes"]
    assert isinstance(everything, list)
    assert (everything[-1]["organisation_name"], everything[-1]["detail"]) == ("Second Ltd", "c")
    assert "sequence number" in refusal(caller, "GET", "writes?since=x", b"")
    assert "Second Ltd" in refusal(caller, "GET", "writes?organisation=nobody", b"")


def test_a_scenario_of_the_same_name_replaces_the_organisation(caller: Caller) -> None:
    document = {"organisation": {"name": "Second Ltd"} | PLACE}
    first = caller.control("POST", "scenario", document)
    assert caller.control("POST", "scenario", document) == first
    listed = caller.control("GET", "organisations")["organisations"]
    assert isinstance(listed, list)
    assert [row["name"] for row in listed].count("Second Ltd") == 1
    assert len(listed) == 2


def test_switches_reach_present_and_future_organisations(caller: Caller) -> None:
    caller.control("POST", "switch", {"page_past_end_status": 404})
    caller.control("POST", "scenario", {"organisation": {"name": "Second Ltd"} | PLACE})
    books = caller.twin.books.values()
    assert [each.switches["page_past_end_status"] for each in books] == [404, 404]


@pytest.mark.parametrize(
    ("order", "complaint"),
    [
        ({"page_past_end": 404}, "known: "),
        ({"idempotency_seconds": "360"}, "not of the kind"),
        ({"idempotency_seconds": -1}, "not of the kind"),
        ({"idempotency_seconds": True}, "not of the kind"),
        ({"huge_organisation": 1}, "not of the kind"),
        ({"email_daily_cap": "none"}, "not of the kind"),
        ({"email_statuses": "PAID"}, "not of the kind"),
        ({"duplicate_group_add": True}, "not of the kind"),
        ({"duplicate_group_add": "eror"}, "must be one of error, ok"),
        ({"page_past_end_status": 500}, "must be one of 200, 404"),
        ({"huge_organisation": True, "nonsense": 1}, "unknown switch nonsense"),
    ],
)
def test_a_wrong_switch_changes_nothing(caller: Caller, order: dict[str, object], complaint: str) -> None:
    [books] = caller.twin.books.values()
    before = dict(books.switches)
    assert complaint in refusal(caller, "POST", "switch", json.dumps(order).encode())
    assert books.switches == before


@pytest.mark.parametrize(
    ("name", "body", "complaint"),
    [
        ("people", {"actions": []}, "list of what they do"),
        ("people", {"actions": [1]}, "actions[0] must be an object"),
        ("people", {"actions": [{"do": "x"}], "who": 1}, "organisation and actions"),
        ("people", {"actions": [{"do": "x"}], "organisation": ["a"]}, "unknown"),
        ("consent", {}, "consent: give"),
        ("consent", {"refuse": 1}, "true or false"),
        ("consent", {"drop_scopes": "openid"}, "list of known scopes"),
        ("consent", {"drop_scopes": ["accounting.nonsense"]}, "list of known scopes"),
        ("consent", {"disconnect": "nobody"}, "no organisation"),
        ("faults", {"action": {"do": "nothing"}}, "do must be one of"),
    ],
)
def test_a_wrong_order_is_refused_by_name(caller: Caller, name: str, body: object, complaint: str) -> None:
    assert complaint in refusal(caller, "POST", name, json.dumps(body).encode())


def test_an_unknown_control_path_is_not_found(caller: Caller) -> None:
    for method, name in (("GET", "nothing"), ("DELETE", "clock"), ("GET", "scenario")):
        response = caller.send(method, f"/__sandbox/{name}")
        assert response.status == 404
        assert "error" in json.loads(response.body)


def test_the_control_plane_is_not_among_the_calls(caller: Caller) -> None:
    before = caller.control("GET", "calls")["total"]
    caller.control("GET", "clock")
    assert caller.control("GET", "calls")["total"] == before
