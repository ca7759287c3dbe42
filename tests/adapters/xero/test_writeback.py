"""Effects on Xero: exactly one write, safe to repeat at every point, and found again where that is possible."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from adapters.xero.prepare import CAPABILITIES, NOTE_LIMIT, prepare
from connector.domain.decisions import TargetKind
from connector.domain.effects import (
    Effect,
    EffectKind,
    ExpectedDate,
    Finding,
    LedgerEmail,
    Letter,
    Note,
    Payload,
    Receipt,
    Schedule,
    ScheduleLine,
    Tag,
    effect_key,
)
from connector.domain.money import Money
from connector.errors import (
    ConnectionRevoked,
    LedgerRejected,
    NotFound,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    Refused,
)
from connector.ports import Ledger
from tests.adapters.xero.office import Office, office_with_customers
from tests.adapters.xero.rows import contact_id, invoice_row, wire_date

INVOICE = invoice_row(1)["InvoiceID"]
CUSTOMER = contact_id(1)
TAG = "Disputed (dunwell)"
DOCUMENT = b"%PDF-1.7 schedule"
LATER = datetime(2030, 1, 1, tzinfo=UTC)  # no request is held up for so long


def effect(payload: Payload, target: str = INVOICE, kind: TargetKind = TargetKind.INVOICE) -> Effect:
    key = effect_key("xero", "tenant-1", payload.kind, target, "occasion")
    return Effect(key, EffectKind(payload.kind), kind, target, "occasion", payload)


def tag(*, present: bool) -> Effect:
    return effect(Tag(TAG, present), CUSTOMER, TargetKind.CUSTOMER)


def expected(day: date = date(2026, 12, 15), seen: date | None = None) -> Effect:
    return effect(ExpectedDate(day, seen))


def schedule(document: bytes = DOCUMENT, media_type: str = "application/pdf") -> Effect:
    lines = (ScheduleLine(1, date(2026, 12, 1), Money(10000, "NZD")),)
    return effect(Schedule("plan-1", 1, lines, document, media_type))


ALL = {
    "note": effect(Note("Reminder letter sent on 22 Nov 2026.")),
    "tag": tag(present=True),
    "untag": tag(present=False),
    "expected date": expected(),
    "schedule": schedule(),
    "e-mail": effect(LedgerEmail()),
}


@pytest.fixture
def office() -> Office:
    made = office_with_customers(2)
    made.add("Invoices", invoice_row(1))
    return made


def do(ledger: Ledger, wanted: Effect) -> Receipt:
    return ledger.send(wanted, ledger.prepare(wanted, {}), LATER)


def finding(ledger: Ledger, wanted: Effect) -> Finding:
    return ledger.find(wanted, ledger.prepare(wanted, {})).finding


def body(request: httpx.Request) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(request.content)
    return found


# --- preparing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ALL.values(), ids=ALL)
def test_preparing_is_pure_and_its_key_is_the_effects(wanted: Effect) -> None:
    prepared = prepare(wanted, {})
    assert prepared == prepare(wanted, {})
    assert prepared.key == f"dw-{wanted.key}"
    assert len(prepared.key) <= 128
    assert prepare(replace(wanted, key="f" * 64), {}).key != prepared.key


def test_the_marker_is_the_last_thing_in_a_note() -> None:
    note = ALL["note"]
    prepared = prepare(note, {})
    assert (prepared.method, prepared.path) == ("PUT", f"/Invoices/{INVOICE}/History")
    (record,) = json.loads(prepared.body)["HistoryRecords"]
    assert record == {"Details": f"Reminder letter sent on 22 Nov 2026. {note.marker}"}


@pytest.mark.parametrize("text", ["word " * 1000, "x" * 5000, "a\x00b\x1b[31m\ud800"])
def test_a_note_fits_and_is_printable(text: str) -> None:
    note = effect(Note(text), CUSTOMER, TargetKind.CUSTOMER)
    details = json.loads(prepare(note, {}).body)["HistoryRecords"][0]["Details"]
    assert len(details) <= NOTE_LIMIT
    assert details.endswith(f" {note.marker}")
    assert all(character.isprintable() for character in details)
    if len(text) > NOTE_LIMIT:
        assert details.removesuffix(f" {note.marker}").endswith("…")
        assert len(details) > NOTE_LIMIT - 20  # cut at a word, not in the middle of the text


def test_ids_stay_inside_their_place_in_the_path() -> None:
    hostile = effect(LedgerEmail(), "../Contacts?x=#1")
    assert prepare(hostile, {}).path == "/Invoices/..%2FContacts%3Fx%3D%231/Email"
    with pytest.raises(NotFound):
        prepare(effect(Tag(TAG, present=False), "", TargetKind.CUSTOMER), {})  # would empty the whole group


@pytest.mark.parametrize(
    "wanted",
    [
        effect(Letter("a@b.example", "s", "t")),
        effect(Note("n"), "tenant-1", TargetKind.ORGANISATION),
        effect(Tag(TAG, present=True)),
        effect(Tag(" ", present=True), CUSTOMER, TargetKind.CUSTOMER),
        effect(LedgerEmail(), CUSTOMER, TargetKind.CUSTOMER),
        effect(ExpectedDate(date(2026, 12, 1), None), CUSTOMER, TargetKind.CUSTOMER),
        schedule(b""),
        schedule(b"x" * (10 * 1024 * 1024 + 1)),
        schedule(media_type="application/x-executable"),
    ],
    ids=lambda wanted: f"{wanted.kind} on {wanted.target_kind}",
)
def test_what_xero_cannot_carry_is_refused_before_anything_is_sent(wanted: Effect) -> None:
    with pytest.raises(Refused):
        prepare(wanted, {})


def test_capabilities_are_honest_about_every_kind() -> None:
    assert set(CAPABILITIES.classes) == set(EffectKind)
    assert not CAPABILITIES.classes[EffectKind.LETTER].supported
    assert CAPABILITIES.note_limit == 2500


# --- sending -------------------------------------------------------------------------------------------------------


def test_exactly_the_prepared_request_is_sent(office: Office) -> None:
    wanted = replace(ALL["note"])
    with office.open() as ledger:
        prepared = replace(ledger.prepare(wanted, {}), key="another-key")
        receipt = ledger.send(wanted, prepared, LATER)
    (request,) = office.log
    assert (request.method, request.url.path) == ("PUT", f"/api.xro/2.0{prepared.path}")
    assert request.content == prepared.body
    assert request.headers["Idempotency-Key"] == "another-key"
    assert request.headers["xero-tenant-id"] == "tenant-1"
    assert request.headers["Accept"] == "application/json"
    assert receipt.reference == wanted.marker


@pytest.mark.parametrize("name", ["note", "tag", "expected date", "schedule"])
def test_what_was_done_is_found(office: Office, name: str) -> None:
    wanted = ALL[name]
    with office.open() as ledger:
        assert finding(ledger, wanted) is Finding.ABSENT
        assert not do(ledger, wanted).found
        probe = ledger.find(wanted, ledger.prepare(wanted, {}))
    assert probe.finding is Finding.PRESENT
    assert probe.receipt is not None
    assert probe.receipt.found


def test_nobody_can_tell_of_an_e_mail(office: Office) -> None:
    with office.open() as ledger:
        do(ledger, ALL["e-mail"])
        assert finding(ledger, ALL["e-mail"]) is Finding.CANNOT_TELL
    assert body(office.log[0]) == {}


@pytest.mark.parametrize("name", ["tag", "expected date", "schedule"])
def test_what_stands_already_is_not_written_again(office: Office, name: str) -> None:
    with office.open() as ledger:
        assert not do(ledger, ALL[name]).already
        office.log.clear()
        assert do(ledger, ALL[name]).already
    assert {request.method for request in office.log} == {"GET"}


def first_write(name: str) -> str:
    return {
        "note": f"PUT /Invoices/{INVOICE}/History",
        "tag": "PUT /ContactGroups/group-1/Contacts",
        "untag": f"DELETE /ContactGroups/group-1/Contacts/{CUSTOMER}",
        "expected date": f"POST /Invoices/{INVOICE}",
        "schedule": f"PUT /Invoices/{INVOICE}/Attachments/{schedule_name()}",
        "e-mail": f"POST /Invoices/{INVOICE}/Email",
    }[name]


def schedule_name() -> str:
    short = ALL["schedule"].marker.removeprefix("[dw:").removesuffix("]")
    return f"payment-plan-{short}-v1.pdf"


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        httpx.Response(500, text="oops"),
        httpx.Response(503, text="offline"),
        httpx.Response(200, html="<html>log in</html>"),
    ],
    ids=["timeout", "cut", "500", "503", "login page"],
)
def test_a_write_in_doubt_is_unknown_and_sent_once(
    office: Office, name: str, trouble: httpx.Response | Exception
) -> None:
    office.group(TAG, *([CUSTOMER] if name == "untag" else []))
    office.refuse[first_write(name)] = trouble
    with office.open() as ledger, pytest.raises(OutcomeUnknown):
        do(ledger, ALL[name])
    assert [request.method for request in office.log if request.method != "GET"] == [first_write(name).split()[0]]


@pytest.mark.parametrize("name", ALL)
def test_a_definite_refusal_keeps_the_ledgers_words(office: Office, name: str) -> None:
    office.group(TAG, *([CUSTOMER] if name == "untag" else []))
    words = "This document cannot be edited as it has a payment or credit note allocated to it."
    refusal = {"Message": "x", "Elements": [{"ValidationErrors": [{"Message": words}]}]}
    office.refuse[first_write(name)] = httpx.Response(400, json=refusal)
    with office.open() as ledger, pytest.raises(LedgerRejected) as caught:
        do(ledger, ALL[name])
    assert caught.value.detail == words
    assert "leave a note instead" in caught.value.next_step


@pytest.mark.parametrize("name", ["tag", "expected date", "schedule"])
def test_when_it_cannot_look_first_nothing_was_sent(office: Office, name: str) -> None:
    def dead(request: httpx.Request) -> None:
        raise httpx.ReadTimeout("slow")

    office.before.append(dead)
    with office.open() as ledger, pytest.raises(NotSent):
        do(ledger, ALL[name])


def test_a_day_limit_and_a_revoked_connection_are_certainly_not_done(office: Office) -> None:
    day = httpx.Response(429, headers={"X-Rate-Limit-Problem": "day", "Retry-After": "9999"})
    gone = httpx.Response(403, json={"Detail": "AuthenticationUnsuccessful"})
    with office.open() as ledger:
        office.refuse[first_write("note")] = day
        with pytest.raises(RateLimited):
            do(ledger, ALL["note"])
        office.refuse[first_write("note")] = gone
        with pytest.raises(ConnectionRevoked):
            do(ledger, ALL["note"])
    assert office.notes == {}


@pytest.mark.parametrize("name", ["note", "schedule"])
def test_a_write_to_a_record_that_is_gone_is_refused_for_good(office: Office, name: str) -> None:
    office.refuse[first_write(name)] = office.missing()
    with office.open() as ledger, pytest.raises(LedgerRejected) as caught:
        do(ledger, ALL[name])
    assert caught.value.status == 404


def test_an_element_with_errors_inside_a_200_is_a_refusal(office: Office) -> None:
    element = {"ValidationErrors": [{"Message": "Details is too long"}], "StatusAttributeString": "ERROR"}
    office.refuse[first_write("note")] = httpx.Response(200, json={"HistoryRecords": [element]})
    with office.open() as ledger, pytest.raises(LedgerRejected, match="too long"):
        do(ledger, ALL["note"])


@pytest.mark.parametrize("name", ["note", "expected date", "schedule"])
def test_an_answer_that_does_not_show_the_write_proves_nothing(office: Office, name: str) -> None:
    plural = {"note": "HistoryRecords", "expected date": "Invoices", "schedule": "Attachments"}[name]
    office.refuse[first_write(name)] = httpx.Response(200, json={plural: []})
    with office.open() as ledger, pytest.raises(OutcomeUnknown):
        do(ledger, ALL[name])


# --- the tag ---------------------------------------------------------------------------------------------------------


def test_the_group_is_made_when_it_is_missing_and_found_by_name_without_case(office: Office) -> None:
    with office.open() as ledger:
        do(ledger, tag(present=True))
        assert office.members("group-1") == [CUSTOMER]
        other = effect(Tag(TAG.upper(), present=True), contact_id(2), TargetKind.CUSTOMER)
        do(ledger, other)
    assert len(office.groups) == 1
    assert office.members("group-1") == [CUSTOMER, contact_id(2)]
    creations = [request for request in office.log if request.url.path.endswith("/ContactGroups") and request.content]
    assert [request.headers["Idempotency-Key"] for request in creations] == [f"dw-{tag(present=True).key}-group"]


def test_a_crash_after_making_the_group_makes_no_second_one(office: Office) -> None:
    office.refuse["PUT /ContactGroups/group-1/Contacts"] = httpx.ReadTimeout("slow")
    with office.open() as ledger:
        with pytest.raises(OutcomeUnknown):
            do(ledger, tag(present=True))
        assert finding(ledger, tag(present=True)) is Finding.ABSENT
        do(ledger, tag(present=True))
    assert len(office.groups) == 1
    assert office.members("group-1") == [CUSTOMER]


def test_a_lost_answer_to_making_the_group_is_unknown_then_mended(office: Office) -> None:
    def make_and_lose(request: httpx.Request) -> None:
        if request.method == "PUT" and request.url.path.endswith("/ContactGroups"):
            office.before.clear()
            office.group(TAG)
            raise httpx.ReadTimeout("slow")

    office.before.append(make_and_lose)
    with office.open() as ledger:
        with pytest.raises(OutcomeUnknown):
            do(ledger, tag(present=True))
        do(ledger, tag(present=True))
    assert len(office.groups) == 1
    assert office.members("group-1") == [CUSTOMER]


def test_untagging_takes_out_this_customer_only_from_every_group_of_that_name(office: Office) -> None:
    first, second = office.group(TAG, CUSTOMER, contact_id(2)), office.group(TAG, CUSTOMER)
    with office.open() as ledger:
        do(ledger, tag(present=False))
        assert finding(ledger, tag(present=False)) is Finding.PRESENT
    assert (office.members(first), office.members(second)) == ([contact_id(2)], [])
    assert [request.url.path.rsplit("/", 1)[1] for request in office.log if request.method == "DELETE"] == [
        CUSTOMER,
        CUSTOMER,
    ]


def test_untagging_whom_somebody_else_just_untagged_is_done(office: Office) -> None:
    group = office.group(TAG, CUSTOMER)

    def gone(request: httpx.Request) -> None:
        if request.method == "DELETE":
            office.groups[group]["Contacts"] = []
            office.refuse[f"DELETE /ContactGroups/{group}/Contacts/{CUSTOMER}"] = office.missing()

    office.before.append(gone)
    with office.open() as ledger:
        assert do(ledger, tag(present=False)).detail == "removed"


def test_a_tag_that_does_not_show_afterwards_is_unknown(office: Office) -> None:
    office.group(TAG)
    office.refuse["PUT /ContactGroups/group-1/Contacts"] = httpx.Response(200, json={"Contacts": []})
    with office.open() as ledger, pytest.raises(OutcomeUnknown, match="does not show"):
        do(ledger, tag(present=True))


# --- the expected date -----------------------------------------------------------------------------------------------


def test_only_the_field_is_sent(office: Office) -> None:
    with office.open() as ledger:
        do(ledger, expected())
    (write,) = [request for request in office.log if request.method == "POST"]
    assert body(write) == {"InvoiceID": INVOICE, "ExpectedPaymentDate": "2026-12-15"}


def test_a_persons_later_date_is_never_overwritten(office: Office) -> None:
    office.edit("Invoices", INVOICE, ExpectedPaymentDate=wire_date(date(2026, 12, 24)))
    with office.open() as ledger:
        with pytest.raises(LedgerRejected, match="2026-12-24"):
            do(ledger, expected(seen=None))
        assert finding(ledger, expected(seen=None)) is Finding.CANNOT_TELL
        assert do(ledger, expected(seen=date(2026, 12, 24))).detail == "2026-12-15"
    assert [request.method for request in office.log].count("POST") == 1


def test_the_date_of_an_invoice_that_is_gone(office: Office) -> None:
    wanted = effect(ExpectedDate(date(2026, 12, 15), None), "gone")
    with office.open() as ledger:
        with pytest.raises(LedgerRejected):
            do(ledger, wanted)
        assert finding(ledger, wanted) is Finding.CANNOT_TELL


# --- the schedule ----------------------------------------------------------------------------------------------------


def test_the_schedule_is_attached_as_it_is(office: Office) -> None:
    with office.open() as ledger:
        do(ledger, ALL["schedule"])
    (write,) = [request for request in office.log if request.method == "PUT"]
    assert write.content == DOCUMENT
    assert write.headers["Content-Type"] == "application/pdf"
    assert office.attachments[INVOICE] == {schedule_name(): len(DOCUMENT)}


def test_a_schedule_that_was_cut_short_is_put_again(office: Office) -> None:
    office.attachments[INVOICE] = {schedule_name(): 3}
    with office.open() as ledger:
        assert finding(ledger, ALL["schedule"]) is Finding.ABSENT
        assert not do(ledger, ALL["schedule"]).already
    assert office.attachments[INVOICE] == {schedule_name(): len(DOCUMENT)}


def test_a_full_invoice_takes_no_further_attachment(office: Office) -> None:
    office.attachments[INVOICE] = {f"{n}.pdf": 1 for n in range(10)}
    with office.open() as ledger, pytest.raises(LedgerRejected, match="ten attachments"):
        do(ledger, ALL["schedule"])
    assert {request.method for request in office.log} == {"GET"}
