"""What is left on a record beside its fields: history, attachments, e-mail, the online link, the PDF."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any

import pytest

from tests.adapters.xero.sandbox.books_client import BooksClient, client, scenario_document

HISTORY = "/Invoices/INV-0001/History"


def changes(one: BooksClient, path: str = HISTORY) -> list[str]:
    return [row["Changes"] for row in one.json("GET", path)["HistoryRecords"]]


def details(document: object) -> Any:
    assert isinstance(document, dict)
    return document["detail"]


# --- history ---------------------------------------------------------------------------------------------------


def test_a_note_is_appended_newest_first_by_nobody_in_particular() -> None:
    one = client()
    body = {"HistoryRecords": [{"Details": "First. [dw:aaaabbbbcccc]"}, {"Details": "Second."}]}
    answer = one.json("PUT", HISTORY, body)["HistoryRecords"]
    assert answer[0] == {
        "Details": "First. [dw:aaaabbbbcccc]",
        "DateUTCString": "2026-11-22T03:00:00",
        "DateUTC": "/Date(1795316400123)/",
        "ValidationErrors": [],
    }
    rows = one.json("GET", HISTORY)["HistoryRecords"]
    assert [row["Details"] for row in rows[:2]] == ["Second.", "First. [dw:aaaabbbbcccc]"]
    assert [row["Changes"] for row in rows] == ["Note", "Note", "Approved", "Created"]
    assert rows[0]["User"] == "System Generated"
    assert rows[0]["DateUTC"] == "/Date(1795316400123+0000)/"
    assert [details(entry)["text"] for entry in one.books.truth] == ["First. [dw:aaaabbbbcccc]", "Second."]
    assert one.books.truth[0]["target_id"] == one.id_of("invoice", "open")


def test_notes_have_a_longest_length_and_one_too_long_keeps_all_out() -> None:
    one = client()
    one.json("POST", HISTORY, {"HistoryRecords": [{"Details": "x" * 2500}]})
    body = {"HistoryRecords": [{"Details": "fine"}, {"Details": "x" * 2501}]}
    assert "2500" in one.refusal("PUT", HISTORY, body)
    assert one.refusal("PUT", HISTORY, {"HistoryRecords": [{"Details": " "}]}) == "Details cannot be empty"
    assert changes(one).count("Note") == 1
    one.books.switches["history_limit"] = 250
    assert "250" in one.refusal("PUT", HISTORY, {"HistoryRecords": [{"Details": "x" * 251}]})


def test_a_note_may_be_slow_to_appear() -> None:
    one = client()
    one.books.switches["history_delay_seconds"] = 30
    one.json("PUT", HISTORY, {"HistoryRecords": [{"Details": "Called."}]})
    assert "Note" not in changes(one)
    one.wait(seconds=31)
    assert "Note" in changes(one)


@pytest.mark.parametrize(
    "path",
    ["/Invoices/INV-0003", "/Contacts/{ada}", "/Payments/{p1}", "/CreditNotes/CN-0001", "/Overpayments/{over}"],
)
def test_notes_go_on_every_kind_of_record(path: str) -> None:
    line = [{"description": "x", "unit_amount": "10.00"}]
    one = client(
        credit_notes=[{"customer": "ada", "date": "2026-11-01", "lines": line}],
        overpayments=[{"ref": "over", "customer": "ada", "date": "2026-11-01", "amount": "5.00"}],
    )
    ids = {"ada": ("contact", "ada"), "p1": ("payment", "p1"), "over": ("overpayment", "over")}
    place = path.format(**{key: one.id_of(*where) for key, where in ids.items()}) + "/History"
    one.json("PUT", place, {"HistoryRecords": [{"Details": "Hello."}]})
    assert changes(one, place)[0] == "Note"


def test_history_tells_what_the_books_went_through() -> None:
    one = client()
    one.do("mark_sent", invoice="open")
    one.wait(minutes=1)
    one.do("edit_invoice", invoice="open", due="2026-12-01", user="Kim Carer")
    one.wait(minutes=1)
    one.do("pay", invoice="open")
    rows = one.json("GET", HISTORY)["HistoryRecords"]
    assert [row["Changes"] for row in rows] == ["Paid", "Edited", "Invoice sent", "Approved", "Created"]
    assert [row["User"] for row in rows[:2]] == ["Jane Doe", "Kim Carer"]


# --- attachments -----------------------------------------------------------------------------------------------


def attach(one: BooksClient, name: str, body: bytes = b"%PDF plan", **query: str) -> Any:
    path = f"/Invoices/INV-0001/Attachments/{name}"
    response = one.call("PUT", path, body, {"content-type": "application/pdf"}, **query)
    assert response.status == 200, response.body
    return response


def test_a_file_is_kept_listed_and_given_back() -> None:
    one = client()
    attach(one, "plan 1.pdf", b"%PDF one")
    row = one.json("GET", "/Invoices/INV-0001/Attachments")["Attachments"][0]
    assert (row["FileName"], row["MimeType"], row["ContentLength"]) == ("plan 1.pdf", "application/pdf", 8)
    assert row["Url"].endswith("/Attachments/plan%201.pdf")
    assert "IncludeOnline" not in row
    for key in ("plan 1.pdf", row["AttachmentID"]):
        response = one.call("GET", f"/Invoices/INV-0001/Attachments/{key}")
        assert (response.status, response.body) == (200, b"%PDF one")
        assert ("Content-Type", "application/pdf") in response.headers
    assert one.invoice("INV-0001")["HasAttachments"] is True
    assert changes(one)[0] == "Attached a file"
    assert details(one.books.truth[-1])["sha256"] == hashlib.sha256(b"%PDF one").hexdigest()


def test_a_file_shows_online_only_on_a_customers_document() -> None:
    line = [{"description": "x", "unit_amount": "10.00"}]
    one = client()
    one.do("create_invoice", ref="bill", customer="bob", date="2026-11-20", lines=line, type="payable")
    owners = (
        "Invoices/INV-0001",
        f"Invoices/{one.id_of('invoice', 'bill')}",
        f"Contacts/{one.id_of('contact', 'ada')}",
    )
    shown = []
    for owner in owners:
        answer = one.call("PUT", f"/{owner}/Attachments/a.pdf", b"%PDF", None, IncludeOnline="true")
        shown.append(json.loads(answer.body)["Attachments"][0].get("IncludeOnline"))
    assert shown == [True, None, None]


def test_the_same_name_overwrites_unless_the_switch_says_otherwise() -> None:
    one = client()
    attach(one, "plan.pdf", b"one")
    attach(one, "PLAN.pdf", b"two!", IncludeOnline="true")
    rows = one.json("GET", "/Invoices/INV-0001/Attachments")["Attachments"]
    assert [(row["ContentLength"], row["IncludeOnline"]) for row in rows] == [(4, True)]
    one.books.switches["attachment_overwrites"] = False
    attach(one, "plan.pdf", b"three")
    assert len(one.json("GET", "/Invoices/INV-0001/Attachments")["Attachments"]) == 2


def test_refuses_files_that_do_not_fit() -> None:
    one = client()
    for n in range(10):
        attach(one, f"{n}.pdf")
    path = "/Invoices/INV-0001/Attachments/"
    assert "at most 10" in one.refusal("PUT", path + "11.pdf", b"x")
    assert "must not contain" in one.refusal("PUT", path + 'a"b.pdf', b"x")
    assert one.refusal("PUT", path + "0.pdf", b"") == "The attachment is empty"
    assert "larger than 10 MB" in one.refusal("PUT", path + "0.pdf", b"x" * (10 * 1024 * 1024 + 1))
    assert one.call("GET", path + "missing.pdf").status == 404
    assert one.call("PUT", "/Contacts/nobody/Attachments/a.pdf", b"x").status == 404


# --- e-mail, link, PDF -----------------------------------------------------------------------------------------


def test_an_email_reaches_the_contact_and_the_persons_included() -> None:
    one = client()
    response = one.call("POST", "/Invoices/INV-0001/Email", {})
    assert (response.status, response.body) == (204, b"")
    assert one.books.mails == [
        {
            "at": "2026-11-22T03:00:00.123000Z",
            "to": ["ada@cafe.example", "ann@cafe.example"],
            "invoice_id": one.id_of("invoice", "open"),
            "invoice_number": "INV-0001",
            "what": "invoice",
        }
    ]
    assert one.invoice("INV-0001")["SentToContact"] is True
    assert changes(one)[0] == "Invoice sent"
    assert one.books.truth[-1]["kind"] == "email"


def test_refuses_emails_that_cannot_go() -> None:
    line = [{"description": "x", "unit_amount": "10.00"}]
    bill = {
        "ref": "bill",
        "customer": "ada",
        "date": "2026-11-01",
        "due": "2026-12-01",
        "lines": line,
        "type": "payable",
    }
    invoices = scenario_document()["invoices"]
    assert isinstance(invoices, list)
    one = client(invoices=[*invoices, bill])
    assert "approved sales invoices" in one.refusal("POST", "/Invoices/INV-0004/Email", {})
    assert "approved sales invoices" in one.refusal("POST", f"/Invoices/{one.id_of('invoice', 'bill')}/Email", {})
    assert "no valid email" in one.refusal("POST", "/Invoices/INV-0003/Email", {})
    one.books.switches["email_daily_cap"] = 1
    assert one.call("POST", "/Invoices/INV-0001/Email").status == 204
    assert "daily limit" in one.refusal("POST", "/Invoices/INV-0001/Email", {})
    one.wait(days=1)
    assert one.call("POST", "/Invoices/INV-0001/Email").status == 204
    assert len(one.books.mails) == 2


def test_a_demo_company_sends_no_mail() -> None:
    organisation = {
        "name": "Demo",
        "country": "NZ",
        "timezone": "Pacific/Auckland",
        "base_currency": "NZD",
        "demo": True,
    }
    one = client(organisation=organisation)
    assert "daily limit" in one.refusal("POST", "/Invoices/INV-0001/Email", {})


def test_the_online_link_is_stable_and_not_for_drafts() -> None:
    one = client()
    path = "/Invoices/INV-0001/OnlineInvoice"
    first = one.json("GET", path)["OnlineInvoices"][0]["OnlineInvoiceUrl"]
    assert first.startswith("https://in.xero.com/")
    assert one.json("GET", path)["OnlineInvoices"][0]["OnlineInvoiceUrl"] == first
    assert one.json("GET", "/Invoices/INV-0002/OnlineInvoice")["OnlineInvoices"][0]["OnlineInvoiceUrl"] != first
    assert one.call("GET", "/Invoices/INV-0004/OnlineInvoice").status == 404
    one.books.switches["draft_online_invoice_status"] = 400
    assert one.call("GET", "/Invoices/INV-0004/OnlineInvoice").status == 400


def test_the_pdf_is_a_real_one_by_path_and_by_accept() -> None:
    one = client()
    by_path = one.call("GET", "/Invoices/INV-0001/pdf")
    by_accept = one.call("GET", "/Invoices/INV-0001", None, {"accept": "application/pdf"})
    assert by_path.body == by_accept.body
    assert ("Content-Type", "application/pdf") in by_path.headers
    body = by_path.body
    start = int(body.rsplit(b"startxref\n", 1)[1].split()[0])
    assert body.startswith(b"%PDF-1.4")
    assert body[start:].startswith(b"xref")
    table = body[start:].split(b"trailer")[0].splitlines()[3:]
    for number, line in enumerate(table, start=1):
        assert body[int(line[:10]) :].startswith(b"%d 0 obj" % number)
    assert b"(Total NZD 115.00)" in body


# --- the ledger's own reminders --------------------------------------------------------------------------------


def test_native_reminders_go_out_by_themselves_when_they_are_on() -> None:
    organisation = {
        "name": "Keen Ltd",
        "country": "NZ",
        "timezone": "Pacific/Auckland",
        "base_currency": "NZD",
        "native_reminders": True,
    }
    line = [{"description": "x", "unit_amount": "100.00"}]
    base = {"date": "2026-11-01", "due": "2026-11-20", "lines": line}
    invoices = [
        {"ref": "sent", "customer": "ada", "number": "S-1", "sent": True, **base},
        {"ref": "unsent", "customer": "ada", "number": "S-2", **base},
        {"ref": "no mail", "customer": "bob", "number": "S-3", "sent": True, **base},
        {"ref": "settled", "customer": "ada", "number": "S-4", "sent": True, **base},
    ]
    one = client(organisation=organisation, invoices=invoices, payments=[])
    one.do("pay", invoice="settled")
    one.wait(days=15)
    one.books.advance(one.now)
    one.books.advance(one.now)
    mails = [(mail["at"], mail["invoice_number"], mail["what"]) for mail in one.books.mails]
    # 05:00 in Auckland on 27 November and 4 December.
    assert mails == [("2026-11-26T16:00:00Z", "S-1", "reminder"), ("2026-12-03T16:00:00Z", "S-1", "reminder")]
    assert changes(one, "/Invoices/S-1/History")[:2] == ["Invoice reminder", "Invoice reminder"]
    assert [entry["actor"] for entry in one.books.truth if entry["kind"] == "native_reminder"] == ["system"] * 2
    one.do("set_reminders", enabled=False)
    one.wait(days=30)
    one.books.advance(one.now)
    assert len(one.books.mails) == 2
    assert one.invoice("S-1")["AmountDue"] == Decimal(115)
