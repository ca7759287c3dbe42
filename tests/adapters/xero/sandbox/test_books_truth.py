"""The log of committed changes: one entry a change, with who, by which key, and enough to recognise what was done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters._twin.clock import VirtualClock
from adapters.xero.sandbox.app import XeroTwin
from tests.adapters.xero.sandbox.books_client import scenario_document
from tests.adapters.xero.sandbox.frame_client import START, Caller

SCOPES = "openid accounting.invoices accounting.payments accounting.contacts accounting.attachments"
LINE = [{"Description": "Goodwill", "Quantity": "1", "UnitAmount": "20.00", "AccountCode": "200", "TaxType": "NONE"}]


@dataclass
class Scene:
    """A connected app, a key for every write, and the ids of what there is."""

    caller: Caller
    ids: dict[str, str] = field(default_factory=dict)
    keys: int = 0

    def send(self, method: str, path: str, body: object, kind: str = "application/json") -> Any:
        self.keys += 1
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        target = path.format(**self.ids)
        answer = self.caller.api(method, target, raw, idempotency_key=f"key-{self.keys}", content_type=kind)
        assert answer.status in {200, 204}, answer.body
        return json.loads(answer.body) if answer.body else {}

    def log(self) -> list[Mapping[str, Any]]:
        rows: Any = self.caller.control("GET", "writes")["writes"]
        return list(rows)


@pytest.fixture
def scene() -> Scene:
    caller = Caller(XeroTwin([], VirtualClock(START, frozen=True)))
    money = {"customer": "ada", "date": "2026-11-01", "amount": "30.00"}
    document = scenario_document(overpayments=[{"ref": "over", **money}], prepayments=[{"ref": "pre", **money}])
    caller.control("POST", "scenario", document)
    caller.connect(scope=SCOPES)
    [books] = caller.twin.books.values()
    ids = {ref: record_id for (_, ref), record_id in books.refs.items()}
    return Scene(caller, {**ids, "bank": next(one.id for one in books.plain["Accounts"] if one.wire["Type"] == "BANK")})


def add(scene: Scene, name: str, answer: Any, plural: str, id_field: str) -> None:
    scene.ids[name] = answer[plural][0][id_field]


def write_everything(scene: Scene) -> None:
    """Every kind of write that an app makes of receivables, each once."""
    send, ids = scene.send, scene.ids
    send("PUT", "/Invoices/{open}/History", {"HistoryRecords": [{"Details": "Promised [dw:abc]"}]})
    send("POST", "/Invoices/{open}", {"Invoices": [{"ExpectedPaymentDate": "2026-12-15"}]})
    send("POST", "/Invoices/{open}/Email", {})
    send("PUT", "/Invoices/{open}/Attachments/plan.pdf?IncludeOnline=true", b"%PDF plan", "application/pdf")
    add(
        scene, "g", send("PUT", "/ContactGroups", {"ContactGroups": [{"Name": "D"}]}), "ContactGroups", "ContactGroupID"
    )
    send("PUT", "/ContactGroups/{g}/Contacts", {"Contacts": [{"ContactID": ids["ada"]}]})
    send("DELETE", "/ContactGroups/{g}/Contacts/{ada}", b"")
    terms = {"Sales": {"Day": 30, "Type": "DAYSAFTERBILLDATE"}}
    send("POST", "/Contacts/{ada}", {"Contacts": [{"PaymentTerms": terms}]})
    note: dict[str, object] = {
        "Type": "ACCRECCREDIT",
        "CreditNoteNumber": "DW-1",
        "Reference": "x [dw:def]",
        "LineItems": LINE,
    }
    note |= {"Contact": {"ContactID": ids["ada"]}, "Date": "2026-11-22", "Status": "AUTHORISED"}
    add(scene, "cn", send("PUT", "/CreditNotes", {"CreditNotes": [note]}), "CreditNotes", "CreditNoteID")
    part = {"Invoice": {"InvoiceID": ids["open"]}, "Amount": "20.00", "Date": "2026-11-22"}
    for place in ("/CreditNotes/{cn}", "/Overpayments/{over}", "/Prepayments/{pre}"):
        send("PUT", f"{place}/Allocations", {"Allocations": [part]})
    listed = scene.caller.api("GET", f"/CreditNotes/{ids['cn']}")
    ids["part"] = json.loads(listed.body)["CreditNotes"][0]["Allocations"][0]["AllocationID"]
    send("DELETE", "/CreditNotes/{cn}/Allocations/{part}", b"")
    paid = {"Invoice": {"InvoiceID": ids["open"]}, "Account": {"AccountID": ids["bank"]}, "Amount": "5.00"}
    add(scene, "pay", send("PUT", "/Payments", {"Payments": [{**paid, "Reference": "r"}]}), "Payments", "PaymentID")
    send("POST", "/Payments/{pay}", {"Payments": [{"Status": "DELETED"}]})
    made: dict[str, object] = {
        "Type": "ACCREC",
        "InvoiceNumber": "DW-I-1",
        "Reference": "1 of 3",
        "LineItems": LINE,
        "Status": "AUTHORISED",
    }
    made |= {"Contact": {"ContactID": ids["ada"]}, "Date": "2026-11-22", "DueDate": "2026-12-22"}
    add(scene, "i", send("PUT", "/Invoices", {"Invoices": [made]}), "Invoices", "InvoiceID")
    send("POST", "/Invoices/{i}", {"Invoices": [{"Status": "VOIDED"}]})


def test_every_write_is_one_entry_with_its_key_and_what_to_recognise_it_by(scene: Scene) -> None:
    write_everything(scene)
    rows = scene.log()
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    keyed = [row["idempotency_key"] for row in rows]
    assert keyed == [f"key-{number}" for number in range(1, scene.keys + 1)]
    assert {row["actor"] for row in rows} == {"api"}
    assert [row["kind"] for row in rows] == [
        *("history_note", "invoice_update", "email", "attachment"),
        *("group_create", "group_add", "group_remove", "contact_update"),
        *("credit_note", "allocation", "allocation", "allocation", "allocation_delete"),
        *("payment", "payment_delete", "invoice_create", "void"),
    ]
    by = {row["idempotency_key"]: row["detail"] for row in rows}
    assert by["key-1"]["text"] == "Promised [dw:abc]"
    assert by["key-2"]["changed"] == {"ExpectedPaymentDate": {"old": None, "new": "2026-12-15"}}
    assert by["key-3"]["to"] == ["ada@cafe.example", "ann@cafe.example"]
    assert by["key-3"]["changed"] == {"SentToContact": {"old": False, "new": True}}
    assert (by["key-4"]["name"], by["key-4"]["size"], by["key-4"]["include_online"]) == ("plan.pdf", 9, True)
    assert by["key-6"] == {"group_id": scene.ids["g"], "group": "D"}
    assert by["key-8"]["changed"]["SalesTerms"]["new"] == {"day": 30, "type": "DAYSAFTERBILLDATE"}
    assert (by["key-9"]["number"], by["key-9"]["reference"], by["key-9"]["total"]) == ("DW-1", "x [dw:def]", "20.0")
    for key in ("key-10", "key-13"):
        told = by[key]
        assert (told["number"], told["invoice_number"], told["amount"]) == ("DW-1", "INV-0001", "20.0")
        assert told["allocation_id"] == scene.ids["part"]
    for key in ("key-14", "key-15"):
        assert (by[key]["document_number"], by[key]["amount"], by[key]["reference"]) == ("INV-0001", "5.0", "r")
    told = by["key-16"]
    assert (told["number"], told["reference"], told["total"]) == ("DW-I-1", "1 of 3", "20.0")
    assert told["due_date"] == "2026-12-22"
    assert by["key-17"]["number"] == "DW-I-1"
    assert [row["target_id"] for row in rows[:2]] == [scene.ids["open"]] * 2


def test_nothing_is_logged_for_what_was_refused_read_or_replayed(scene: Scene) -> None:
    caller = scene.caller
    body = json.dumps({"HistoryRecords": [{"Details": "once"}]}).encode()
    for _ in range(3):
        caller.api("PUT", "/Invoices/INV-0001/History", body, idempotency_key="same", content_type="application/json")
    caller.api("PUT", "/Invoices/INV-0001/History", b'{"HistoryRecords":[{"Details":"' + b"x" * 2501 + b'"}]}')
    caller.api("GET", "/Invoices/INV-0001")
    caller.api("POST", "/Invoices/INV-0002", b'{"Invoices":[{"Reference":"x"}]}', content_type="application/json")
    assert [row["kind"] for row in scene.log()] == ["history_note"]


def test_people_and_the_system_are_told_apart(scene: Scene) -> None:
    actions = [{"do": "set_reminders", "enabled": True}, {"do": "mark_sent", "invoice": "part"}]
    scene.caller.control(
        "POST", "people", {"actions": [*actions, {"do": "edit_invoice", "invoice": "part", "due": "2026-11-20"}]}
    )
    scene.caller.control("POST", "clock", {"advance": 6 * 86_400})
    assert [(row["actor"], row["kind"]) for row in scene.log()] == [
        ("people", "organisation_update"),
        ("people", "invoice_update"),
        ("people", "invoice_update"),
        ("system", "native_reminder"),
    ]
