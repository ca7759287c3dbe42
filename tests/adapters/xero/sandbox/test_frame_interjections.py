"""People who act in Xero's own screens in the middle of our requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from adapters._twin.clock import VirtualClock
from adapters.xero.sandbox.app import XeroTwin
from tests.adapters.xero.sandbox.books_client import scenario_document
from tests.adapters.xero.sandbox.frame_client import START, Caller

SCOPES = "openid accounting.invoices accounting.contacts accounting.settings.read"
WRITE = {"method": "POST", "path": "^/api.xro/2.0/Invoices/"}


@pytest.fixture
def caller() -> Caller:
    app = Caller(XeroTwin([], VirtualClock(START, frozen=True)))
    app.control("POST", "scenario", scenario_document())
    app.connect(scope=SCOPES)
    return app


def write(caller: Caller, **fields: object) -> Any:
    body = json.dumps({"Invoices": [fields]}).encode()
    return caller.api("POST", "/Invoices/INV-0001", body, content_type="application/json")


def read(caller: Caller) -> Any:
    return json.loads(caller.api("GET", "/Invoices/INV-0001").body)["Invoices"][0]


def interject(
    caller: Caller, moment: str, match: Mapping[str, object], *actions: Mapping[str, object], **more: object
) -> None:
    order = {"match": match, "moment": moment, "actions": list(actions), **more}
    caller.control("POST", "interjections", order)


def firings(caller: Caller) -> Any:
    return caller.control("GET", "interjections")["firings"]


def test_an_edit_between_our_reading_and_our_writing_is_not_lost(caller: Caller) -> None:
    edit = {"do": "edit_invoice", "invoice": "open", "reference": "PO 99", "due": "2026-12-24"}
    interject(caller, "before", WRITE, edit)
    assert read(caller)["Reference"] == ""
    assert write(caller, ExpectedPaymentDate="2026-12-15").status == 200
    after = read(caller)
    assert after["Reference"] == "PO 99"
    assert after["DueDateString"] == "2026-12-24T00:00:00"
    assert after["ExpectedPaymentDateString"] == "2026-12-15T00:00:00"


def test_a_payment_just_before_our_edit_refuses_it(caller: Caller) -> None:
    interject(caller, "before", WRITE, {"do": "pay", "invoice": "open", "amount": "1.00"})
    refused = write(caller, DueDate="2026-12-24")
    assert refused.status == 400
    assert b"cannot be edited as it has a payment" in refused.body
    assert write(caller, SentToContact=True).status == 200  # it happens once


def test_after_our_reading_the_answer_is_old_and_the_books_are_new(caller: Caller) -> None:
    interject(caller, "after", {"method": "GET", "path": "/Invoices/INV-0001$"}, {"do": "void", "invoice": "open"})
    assert read(caller)["Status"] == "AUTHORISED"
    assert read(caller)["Status"] == "VOIDED"
    [firing] = firings(caller)
    assert firing["result"]["status"] == "VOIDED"


def test_the_moment_the_count_and_the_times_are_kept(caller: Caller) -> None:
    match = {"method": "GET", "path": "/Invoices", "from": 2}
    interject(caller, "after", match, {"do": "note", "invoice": "open", "text": "seen"}, times=2)
    for expected in (0, 1, 2, 2):
        read(caller)
        assert len(firings(caller)) == expected
    told: Any = caller.control("GET", "interjections")
    assert [(row["seen"], row["fired"]) for row in told["interjections"]] == [(4, 2)]


def test_what_the_books_refuse_people_does_not_disturb_us(caller: Caller) -> None:
    interject(caller, "before", WRITE, {"do": "void", "invoice": "part"}, {"do": "fly"}, {"do": "approve"})
    assert write(caller, Reference="x").status == 200
    assert ["refused" in firing for firing in firings(caller)] == [True, True, True]
    writes: Any = caller.control("GET", "writes")["writes"]
    assert [entry["actor"] for entry in writes] == ["api"]


def test_a_request_that_does_not_get_through_draws_nobody_in(caller: Caller) -> None:
    interject(caller, "before", WRITE, {"do": "void", "invoice": "open"})
    rule = {"match": WRITE, "action": {"do": "reset"}, "times": 1}
    caller.control("POST", "faults", rule)
    write(caller, Reference="x")
    assert caller.api("POST", "/Invoices/INV-0001", b"{}", authorization="Bearer x").status == 401
    assert firings(caller) == []


def test_the_script_can_be_dropped(caller: Caller) -> None:
    interject(caller, "before", WRITE, {"do": "void", "invoice": "open"})
    assert caller.control("DELETE", "interjections") == {"interjections": [], "firings": []}
    assert write(caller, Reference="x").status == 200


@pytest.mark.parametrize(
    ("order", "complaint"),
    [
        ({"moment": "before"}, "actions must be a list"),
        ({"moment": "before", "actions": []}, "actions must be a list"),
        ({"moment": "before", "actions": ["pay"]}, "actions must be a list"),
        ({"moment": "during", "actions": [{"do": "pay"}]}, "moment must be one of before, after"),
        ({"moment": "after", "actions": [{"do": "pay"}], "match": {"pth": "x"}}, "unknown pth"),
        ({"moment": "after", "actions": [{"do": "pay"}], "match": {"nth": 1, "from": 2}}, "one of nth, every, from"),
        ({"moment": "after", "actions": [{"do": "pay"}], "when": 1}, "unknown when"),
        ({"moment": "after", "actions": [{"do": "pay"}], "organisation": "Nobody Ltd"}, "is unknown"),
    ],
)
def test_a_wrong_interjection_is_refused(caller: Caller, order: dict[str, object], complaint: str) -> None:
    refused = caller.send("POST", "/__sandbox/interjections", json.dumps(order).encode())
    assert refused.status == 400
    assert complaint in json.loads(refused.body)["error"]
    assert caller.control("GET", "interjections") == {"interjections": [], "firings": []}
