"""The webhook sender: subscription, intent to receive, signatures, retries on virtual time, disturbances."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters._twin.clock import VirtualClock
from adapters._twin.outgoing import Answered, Delivery, Unanswered, check_loopback, post
from adapters.xero.sandbox.app import XeroTwin
from adapters.xero.sandbox.serve import serve
from adapters.xero.sandbox.webhook_events import CATEGORIES, payload, signature, spoilt
from tests.adapters.xero.sandbox.books_client import scenario_document
from tests.adapters.xero.sandbox.frame_client import START, Caller
from tests.adapters.xero.sandbox.receiver import URL, Inbox, is_signed, listening

SCOPES = (
    "openid offline_access accounting.invoices accounting.payments accounting.contacts accounting.settings.read "
    "accounting.attachments"
)


def subscribed(inbox: Inbox, **order: Any) -> Caller:
    """A connected app whose webhooks reach the inbox; the intent-to-receive run is over."""
    caller = Caller(XeroTwin([], VirtualClock(START, frozen=True), post=inbox.post))
    caller.control("POST", "scenario", scenario_document())
    caller.connect(scope=SCOPES)
    caller.control("POST", "limits", {"off": True})
    told = caller.control("POST", "webhooks", {"subscribe": {"url": URL, **order}})
    inbox.key = str(told["key"])
    caller.twin.deliver_webhooks()
    return caller


def state(caller: Caller) -> Any:
    told: Any = caller.control("GET", "webhooks")
    [subscription] = told["subscriptions"]
    return subscription


def people(caller: Caller, *actions: Mapping[str, object]) -> None:
    caller.control("POST", "people", {"actions": list(actions)})


def advance(caller: Caller, **span: float) -> None:
    caller.control("POST", "clock", {"advance": timedelta(**span).total_seconds()})


def note_contact(caller: Caller, name: str) -> None:
    """Cause one CONTACT event."""
    people(caller, {"do": "edit_contact", "customer": "ada", "first_name": name})


# --- bodies and signatures -------------------------------------------------------------------------------------


def test_an_empty_body_is_written_and_signed_as_in_the_published_vector() -> None:
    body = payload((), "NLDZEGWUXNHESAQVGLYF")
    assert body == (b'{"events":[],"firstEventSequence": 0,"lastEventSequence": 0, "entropy": "NLDZEGWUXNHESAQVGLYF"}')
    assert signature(body, "test_key") == "ixznmr+Pdl6QymsWZM+9UkY4lu97q04sJyejmSOp25U="
    anew = json.dumps(json.loads(body)).encode()
    assert signature(anew, "test_key") != signature(body, "test_key")


@pytest.mark.parametrize("how", ["middle", "case", "last"])
def test_a_spoilt_signature_differs_in_one_character(how: str) -> None:
    for number in range(50):
        right = signature(b"%d" % number, "key")
        wrong = spoilt(right, how)
        assert sum(a != b for a, b in zip(right, wrong, strict=True)) == 1
        assert wrong.endswith("=")


# --- subscribing -----------------------------------------------------------------------------------------------


def test_the_run_mixes_right_and_wrong_signatures_and_opens_the_subscription() -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    told = state(caller)
    assert told["status"] == "ok"
    assert [(probe["signature"], probe["answer"]) for probe in told["intent"]] == [
        ("right", 200),
        ("middle", 401),
        ("case", 401),
        ("right", 200),
        ("last", 401),
    ]
    assert told["categories"] == list(CATEGORIES)
    assert len({json.loads(body)["entropy"] for body in inbox.bodies}) == 2


def test_a_receiver_that_takes_a_wrong_signature_fails_the_run_and_gets_nothing() -> None:
    inbox = Inbox(checks=False)
    caller = subscribed(inbox)
    assert state(caller)["status"] == "intent_failed"
    assert state(caller)["intent"][-1]["fault"] == "answered 200 to a wrong signature"
    note_contact(caller, "Eve")
    assert caller.twin.deliver_webhooks() == 0
    inbox.checks = True
    caller.control("POST", "webhooks", {"enable": True})
    caller.twin.deliver_webhooks()
    assert state(caller)["status"] == "ok"
    assert inbox.taken == []  # what happened before the first valid run is not told
    note_contact(caller, "Eva")
    caller.twin.deliver_webhooks()
    assert inbox.told() == [("CONTACT", "UPDATE")]


def test_another_address_has_to_pass_its_own_run_and_gets_what_happened_meanwhile() -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    key = inbox.key
    told = caller.control("POST", "webhooks", {"subscribe": {"url": f"{URL}/2", "categories": ["CONTACT"]}})
    assert (told["status"], told["key"], told["categories"]) == ("intent_pending", key, ["CONTACT"])
    note_contact(caller, "Eve")
    people(caller, {"do": "edit_invoice", "invoice": "open", "reference": "x"})
    caller.twin.deliver_webhooks()
    assert inbox.told() == [("CONTACT", "UPDATE")]


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hooks",
        "http://192.0.2.7/hooks",
        "http://127.0.0.1@192.0.2.7/",
        "http://user:pw@127.0.0.1/",
        "http://127.0.0.1.example/",
        "ftp://127.0.0.1/",
        "http://0.0.0.0/",
        "http://127.0.0.1:x/",
        "http://127.0.0.1/a b",
        "http:///x",
        "",
    ],
)
def test_only_loopback_addresses_are_posted_to(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the texts differ, the refusal is the point
        check_loopback(url)
    with pytest.raises(ValueError):  # noqa: PT011
        post(Delivery(url, (), b""))


def test_loopback_addresses_are_taken_apart() -> None:
    assert check_loopback("http://localhost:8484/hooks/xero?x=1") == ("127.0.0.1", 8484, "/hooks/xero?x=1")
    assert check_loopback("http://[::1]") == ("::1", 80, "/")


@pytest.mark.parametrize(
    ("order", "complaint"),
    [
        ({}, "give one of"),
        ({"subscribe": {"url": URL}, "enable": True}, "give one of"),
        ({"subscribe": {"url": "http://192.0.2.7/"}}, "sandbox posts to"),
        ({"subscribe": {"url": URL, "categories": ["PAYMENT"]}}, "categories must be some of"),
        ({"subscribe": {"url": URL, "categories": []}}, "categories must be some of"),
        ({"subscribe": {"url": URL, "secret": "x"}}, "takes url and categories"),
        ({"subscribe": URL}, "must be an object"),
        ({"enable": True}, "no subscription"),
        ({"enable": True, "client_id": "nobody"}, "no app"),
    ],
)
def test_a_wrong_order_is_refused(order: dict[str, object], complaint: str) -> None:
    caller = Caller(XeroTwin([], VirtualClock(START, frozen=True)))
    refused = caller.send("POST", "/__sandbox/webhooks", json.dumps(order).encode())
    assert refused.status == 400
    assert complaint in json.loads(refused.body)["error"]
    assert caller.control("GET", "webhooks") == {"subscriptions": []}


@pytest.mark.parametrize("disturb", [{}, {"hold": 1}, {"repeat": 11}, {"repeat": True}, {"hold": True, "x": 1}])
def test_a_wrong_disturbance_changes_nothing(disturb: dict[str, object]) -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    assert caller.send("POST", "/__sandbox/webhooks", json.dumps({"disturb": disturb}).encode()).status == 400
    note_contact(caller, "Eve")
    caller.twin.deliver_webhooks()
    assert len(inbox.taken) == 1


# --- events ----------------------------------------------------------------------------------------------------


def test_every_category_is_told_with_ids_only_for_people_our_writes_and_bills() -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    line = [{"description": "x", "unit_amount": "10.00"}]
    bill = {"do": "create_invoice", "customer": "bob", "date": "2026-11-20", "lines": line, "type": "payable"}
    advance(caller, seconds=1)
    people(
        caller,
        bill,
        {"do": "credit", "customer": "ada", "amount": "5.00"},
        {"do": "prepay", "customer": "ada", "date": "2026-11-20", "amount": "7.00"},
        {"do": "overpay", "customer": "ada", "date": "2026-11-20", "amount": "8.00"},
        {"do": "edit_contact", "customer": "bob", "first_name": "Bob"},
    )
    body = json.dumps({"Invoices": [{"ExpectedPaymentDate": "2026-12-24"}]}).encode()
    answered = caller.api("POST", "/Invoices/INV-0001", body, content_type="application/json")
    assert answered.status == 200
    caller.twin.deliver_webhooks()
    assert inbox.told() == [
        ("INVOICE", "CREATE"),
        ("CREDITNOTE", "CREATE"),
        ("PREPAYMENT", "CREATE"),
        ("OVERPAYMENT", "CREATE"),
        ("CONTACT", "UPDATE"),
        ("INVOICE", "UPDATE"),
    ]
    invoice = json.loads(answered.body)["Invoices"][0]
    assert inbox.taken[-1] == {
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{invoice['InvoiceID']}",
        "resourceId": invoice["InvoiceID"],
        "eventDateUtc": "2026-11-22T08:00:01.000",
        "eventType": "UPDATE",
        "eventCategory": "INVOICE",
        "tenantId": caller.tenant,
        "tenantType": "ORGANISATION",
    }
    assert inbox.taken[1]["data"] == {"Type": "ACCRECCREDIT", "Status": "AUTHORISED"}
    assert inbox.taken[2]["data"]["UpdatedDateUTCString"] == "2026-11-22T08:00:01Z"
    assert "data" not in inbox.taken[3]
    whole = json.loads(inbox.bodies[-1])
    assert (whole["firstEventSequence"], whole["lastEventSequence"]) == (1, 6)


def test_what_moves_no_stamp_is_not_told() -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    advance(caller, seconds=1)
    people(
        caller,
        {"do": "note", "invoice": "open", "text": "called"},
        {"do": "add_to_group", "customer": "ada", "group": "Slow"},
        {"do": "edit_invoice", "invoice": "part", "due": "2026-12-24"},  # on a part-paid invoice: unnoticed
        {"do": "set_reminders", "enabled": True},
    )
    caller.twin.deliver_webhooks()
    assert inbox.taken == []


@pytest.mark.parametrize("told", [False, True])
def test_whether_money_on_an_invoice_is_told_is_a_switch(told: bool) -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    caller.control("POST", "switch", {"webhook_on_money": told})
    advance(caller, seconds=1)
    people(caller, {"do": "pay", "invoice": "open", "amount": "1.00"})
    people(caller, {"do": "delete_payment", "invoice": "open"})
    people(caller, {"do": "overpay", "customer": "ada", "date": "2026-11-20", "amount": "8.00", "ref": "o"})
    people(caller, {"do": "allocate", "credit": "o", "invoice": "open"})
    caller.twin.deliver_webhooks()
    of_credits = [event for event in inbox.told() if event[0] == "OVERPAYMENT"]
    assert of_credits == [("OVERPAYMENT", "CREATE"), ("OVERPAYMENT", "UPDATE")]
    assert inbox.told().count(("INVOICE", "UPDATE")) == (3 if told else 0)


def test_an_organisation_that_is_not_connected_is_not_told_of() -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    other = scenario_document(
        organisation={"name": "Other Ltd", "country": "NZ", "timezone": "Pacific/Auckland", "base_currency": "NZD"}
    )
    caller.control("POST", "scenario", other)
    action = {"do": "edit_contact", "customer": "ada", "first_name": "Eve"}
    caller.control("POST", "people", {"organisation": "Other Ltd", "actions": [action]})
    assert caller.twin.deliver_webhooks() == 0
    caller.connect(
        scope=SCOPES, organisation=next(b.tenant_id for b in caller.twin.books.values() if "Other" in b.name)
    )
    caller.control("POST", "people", {"organisation": "Other Ltd", "actions": [action | {"first_name": "Eva"}]})
    caller.twin.deliver_webhooks()
    assert len(inbox.taken) == 1


def test_a_refused_write_is_not_told() -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    body = b'{"Invoices":[{"InvoiceNumber":"INV-0001","Reference":"x"},{"InvoiceNumber":"INV-0003","Reference":"x"}]}'
    assert caller.api("POST", "/Invoices", body, content_type="application/json").status == 400
    assert caller.twin.deliver_webhooks() == 0


# --- failing and retrying --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answered(500), "answered 500 to a right signature"),
        (Answered(401), "answered 401 to a right signature"),
        (Answered(302), "redirected"),
        (Answered(200, has_body=True), "sent a body"),
        (Answered(200, {"set-cookie": "a=b"}), "set a cookie"),
        (Answered(200, seconds=5.0), "answered after 5.0 seconds"),
        (Unanswered("TimeoutError: timed out"), "no answer (TimeoutError: timed out)"),
    ],
)
def test_what_counts_as_a_failure_and_is_sent_again_at_once(answer: Answered | Unanswered, fault: str) -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    odd = [answer]
    inbox.misbehave = lambda _: odd.pop() if odd else None
    note_contact(caller, "Eve")
    assert caller.twin.deliver_webhooks() == 2
    first, second = state(caller)["deliveries"]
    assert (first["fault"], second["fault"]) == (fault, "")
    assert first["body"] == second["body"]
    assert first["at"] == second["at"]
    assert len(inbox.taken) == 1


def test_retries_come_every_fifteen_minutes_for_a_day_and_then_it_is_disabled() -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    inbox.misbehave = lambda _: Answered(503)
    note_contact(caller, "Eve")
    caller.twin.deliver_webhooks()
    advance(caller, minutes=14, seconds=59)
    assert caller.twin.deliver_webhooks() == 0
    advance(caller, seconds=1)
    assert caller.twin.deliver_webhooks() == 1
    advance(caller, hours=23, minutes=44)
    caller.twin.deliver_webhooks()
    assert state(caller)["status"] == "ok"
    advance(caller, minutes=1)
    caller.twin.deliver_webhooks()
    told = state(caller)
    assert told["status"] == "disabled"
    at = [datetime.fromisoformat(each["at"]) - START for each in told["deliveries"]]
    assert at == [timedelta(0), *(timedelta(minutes=15 * number) for number in range(97))]
    assert [notice["what"] for notice in told["notices"]] == ["webhook disabled"]
    assert told["waiting"] == 1


def test_what_happened_while_disabled_goes_out_in_order_after_enabling_but_not_after_31_days() -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    inbox.misbehave = lambda _: Answered(503)
    people(caller, {"do": "edit_invoice", "invoice": "open", "reference": "too old"})
    advance(caller, days=1, minutes=1)
    caller.twin.deliver_webhooks()
    assert state(caller)["status"] == "disabled"
    advance(caller, days=10)
    for name in ("Eve", "Eva"):
        note_contact(caller, name)
        advance(caller, days=1)
    people(caller, {"do": "credit", "customer": "ada", "amount": "5.00"})
    advance(caller, days=20)  # the first change is 32 days old now
    inbox.misbehave = lambda _: None
    caller.control("POST", "webhooks", {"enable": True})
    caller.twin.deliver_webhooks()
    assert inbox.told() == [("CONTACT", "UPDATE"), ("CONTACT", "UPDATE"), ("CREDITNOTE", "CREATE")]
    assert [event["eventDateUtc"] for event in inbox.taken] == sorted(event["eventDateUtc"] for event in inbox.taken)
    assert state(caller)["expired"] == 1


def test_old_events_have_a_whole_day_of_retries_after_enabling() -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    inbox.misbehave = lambda _: Answered(503)
    note_contact(caller, "Eve")
    advance(caller, days=5)
    caller.twin.deliver_webhooks()
    caller.control("POST", "webhooks", {"enable": True})
    assert caller.twin.deliver_webhooks() == 5 + 2
    assert state(caller)["status"] == "ok"
    advance(caller, hours=20)
    inbox.misbehave = lambda _: None
    caller.twin.deliver_webhooks()
    assert len(inbox.taken) == 1


def test_a_batch_that_fails_holds_up_the_later_ones_and_keeps_its_place() -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    inbox.misbehave = lambda _: Answered(503)
    note_contact(caller, "Eve")
    caller.twin.deliver_webhooks()
    advance(caller, minutes=1)
    note_contact(caller, "Eva")
    assert caller.twin.deliver_webhooks() == 0
    advance(caller, minutes=30)
    inbox.misbehave = lambda _: None
    caller.twin.deliver_webhooks()
    at = [datetime.fromisoformat(each["at"]) - START for each in state(caller)["deliveries"]]
    assert at == [timedelta(0), timedelta(0), timedelta(minutes=15), timedelta(minutes=15)]
    assert [json.loads(body)["firstEventSequence"] for body in inbox.bodies[2:]] == [1, 2]


def test_a_new_address_gets_what_the_old_one_did_not_take_first() -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    inbox.misbehave = lambda _: Answered(503)
    note_contact(caller, "Eve")
    caller.twin.deliver_webhooks()
    people(caller, {"do": "edit_invoice", "invoice": "open", "reference": "x"})
    inbox.misbehave = lambda _: None
    caller.control("POST", "webhooks", {"subscribe": {"url": f"{URL}/2"}})
    caller.twin.deliver_webhooks()
    assert inbox.told() == [("CONTACT", "UPDATE"), ("INVOICE", "UPDATE")]


def test_a_run_that_is_begun_anew_is_judged_by_its_own_answers() -> None:
    inbox = Inbox()
    begun: list[object] = []

    def post_twice(delivery: Delivery) -> Answered | Unanswered:
        if not begun:
            begun.append(caller.control("POST", "webhooks", {"subscribe": {"url": URL}}))
            return Answered(500)  # the answer to a run that is no longer under way
        return inbox.post(delivery)

    caller = Caller(XeroTwin([], VirtualClock(START, frozen=True), post=post_twice))
    caller.control("POST", "scenario", scenario_document())
    inbox.key = str(caller.control("POST", "webhooks", {"subscribe": {"url": URL}})["key"])
    assert caller.twin.deliver_webhooks() == 6
    assert state(caller)["status"] == "ok"
    assert len(state(caller)["intent"]) == 5


# --- disturbances ----------------------------------------------------------------------------------------------


def test_batches_are_repeated_byte_by_byte() -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    caller.control("POST", "webhooks", {"disturb": {"repeat": 2}})
    note_contact(caller, "Eve")
    assert caller.twin.deliver_webhooks() == 3
    assert len(set(inbox.bodies[-3:])) == 1
    caller.control("POST", "webhooks", {"disturb": {"repeat": 0}})
    note_contact(caller, "Eva")
    assert caller.twin.deliver_webhooks() == 1


def test_batches_are_held_back_and_come_in_the_wrong_order() -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    caller.control("POST", "webhooks", {"disturb": {"hold": True, "reverse": True}})
    for name in ("Eve", "Eva", "Ewa"):
        note_contact(caller, name)
    assert caller.twin.deliver_webhooks() == 0
    caller.control("POST", "webhooks", {"disturb": {"hold": False}})
    assert caller.twin.deliver_webhooks() == 3
    assert [json.loads(body)["firstEventSequence"] for body in inbox.bodies[-3:]] == [3, 2, 1]


def test_events_may_be_lost_for_ever() -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    caller.control("POST", "webhooks", {"disturb": {"lose": True}})
    note_contact(caller, "Eve")
    caller.control("POST", "webhooks", {"disturb": {"lose": False}})
    note_contact(caller, "Eva")
    caller.twin.deliver_webhooks()
    assert state(caller)["lost"] == 1
    assert [json.loads(body)["firstEventSequence"] for body in inbox.bodies[2:]] == [2]


def test_many_events_go_out_in_batches_of_a_hundred() -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    people(caller, *({"do": "edit_contact", "customer": "ada", "first_name": f"E{n}"} for n in range(250)))
    assert caller.twin.deliver_webhooks() == 3
    assert [len(json.loads(body)["events"]) for body in inbox.bodies[-3:]] == [100, 100, 50]


def test_a_subscription_is_removed() -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    caller.control("POST", "webhooks", {"remove": True})
    note_contact(caller, "Eve")
    assert caller.twin.deliver_webhooks() == 0
    assert caller.control("GET", "webhooks") == {"subscriptions": []}


def test_a_receiver_that_answers_with_a_new_event_each_time_ends() -> None:
    inbox = Inbox()
    caller = subscribed(inbox)
    count = iter(range(10_000))

    def echo(_: Delivery) -> None:
        note_contact(caller, f"E{next(count)}")

    inbox.misbehave = echo
    note_contact(caller, "Eve")
    assert caller.twin.deliver_webhooks() == 1000


# --- over sockets ----------------------------------------------------------------------------------------------

Answer = Callable[[bytes, Mapping[str, str]], tuple[int, dict[str, str], bytes]]


@pytest.mark.socket
def test_a_served_sandbox_sends_by_itself_and_its_receiver_may_call_back() -> None:
    running = serve(port=0, books=None, now=START, seed=3, frozen=True)
    caller = Caller(running.twin)
    caller.connect(scope=SCOPES)
    seen: list[int] = []
    done = threading.Event()

    def answer(body: bytes, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        if not is_signed(body, headers["x-xero-signature"], keys[0]):
            return 401, {}, b""
        for event in json.loads(body)["events"]:
            seen.append(caller.api("GET", f"/Contacts/{event['resourceId']}").status)
            done.set()
        return 200, {}, b""

    with listening(answer) as url:
        keys = [str(caller.control("POST", "webhooks", {"subscribe": {"url": url}})["key"])]
        caller.control("POST", "deliveries")
        assert state(caller)["status"] == "ok"
        people(caller, {"do": "edit_contact", "customer": "Basket Case", "first_name": "Eve"})
        assert done.wait(5)
    running.stop()
    assert seen == [200]


@pytest.mark.socket
def test_a_ticking_sandbox_retries_when_its_time_comes() -> None:
    running = serve(port=0, books=None, now=START, seed=3, frozen=False)
    caller = Caller(running.twin)
    caller.connect(scope=SCOPES)
    bodies: list[bytes] = []
    done = threading.Event()

    def answer(body: bytes, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        if not is_signed(body, headers["x-xero-signature"], keys[0]):
            return 401, {}, b""
        if json.loads(body)["events"]:
            bodies.append(body)
            if len(bodies) == 3:
                done.set()
            return (200 if len(bodies) == 3 else 500), {}, b""
        return 200, {}, b""

    with listening(answer) as url:
        keys = [str(caller.control("POST", "webhooks", {"subscribe": {"url": url}})["key"])]
        caller.control("POST", "deliveries")
        people(caller, {"do": "edit_contact", "customer": "Basket Case", "first_name": "Eve"})
        caller.control("POST", "deliveries")
        assert len(bodies) == 2
        # The third try is due 15 minutes after the first: a fifth of a second of real time from here.
        due = datetime.fromisoformat(state(caller)["next_attempt"]).astimezone(UTC)
        caller.control("POST", "clock", {"now": (due - timedelta(seconds=0.2)).isoformat()})
        assert done.wait(5)
    running.stop()
    assert len(set(bodies)) == 1


@pytest.mark.socket
def test_real_answers_are_seen_as_they_are() -> None:
    answers: list[tuple[int, dict[str, str], bytes]] = [
        (200, {}, b""),
        (200, {"Set-Cookie": "a=b"}, b"hello"),
        (302, {"Location": "http://192.0.2.7/"}, b""),
    ]
    given: list[tuple[bytes, str]] = []

    def answer(body: bytes, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        given.append((body, headers["x-xero-signature"]))
        return answers[len(given) - 1]

    with listening(answer) as url:
        found = [post(Delivery(url, (("x-xero-signature", "s"),), b"{}")) for _ in answers]
    assert given == [(b"{}", "s")] * 3
    assert all(isinstance(each, Answered) and each.seconds < 5 for each in found)
    assert [(each.status, each.has_body) for each in found if isinstance(each, Answered)] == [
        (200, False),
        (200, True),
        (302, False),
    ]
    assert isinstance(found[1], Answered)
    assert found[1].headers["set-cookie"] == "a=b"


@pytest.mark.socket
def test_a_receiver_that_hangs_or_is_not_there_is_no_answer() -> None:
    released = threading.Event()

    def answer(body: bytes, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        released.wait(10)
        return 200, {}, b""

    with listening(answer) as url:
        hanging = post(Delivery(url, (), b"{}"), limit=0.2)
        released.set()
    gone = post(Delivery(url, (), b"{}"))
    assert isinstance(hanging, Unanswered)
    assert "TimeoutError" in hanging.reason
    assert isinstance(gone, Unanswered)
