"""People at work in the books, and scenarios that describe them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.xero.sandbox import people, scenario
from adapters.xero.sandbox.state import demo_books
from tests.adapters.xero.sandbox.books_client import NOW, BooksClient, client, scenario_document

LINE = [{"description": "x", "unit_amount": "10.00"}]


def test_the_default_company_is_lively_and_the_same_in_every_run() -> None:
    first, second = demo_books(NOW), demo_books(NOW)
    assert [one.id for one in first.invoices] == [one.id for one in second.invoices]
    assert first.tenant_id == second.tenant_id != first.organisation_id
    assert {one.status for one in first.invoices} == {"PAID", "AUTHORISED", "VOIDED", "DRAFT"}
    assert (len(first.invoices), len(first.contacts)) == (20, 8)
    assert first.truth == first.mails == []
    for one in first.invoices:
        if one.status not in {"VOIDED", "DRAFT"}:
            assert one.due + (one.amount_paid or 0) + (one.amount_credited or 0) == one.total
        assert one.updated <= NOW


def test_history_and_stamps_lie_at_the_dates_of_the_documents() -> None:
    one = client()
    rows = one.json("GET", "/Invoices/INV-0003/History")["HistoryRecords"]
    assert [(row["Changes"], row["DateUTCString"][:10], row["User"]) for row in rows] == [
        ("Paid", "2026-10-25", "Jane Doe"),
        ("Approved", "2026-10-02", "Jane Doe"),
        ("Created", "2026-10-02", "Jane Doe"),
    ]
    assert one.invoice("INV-0003")["UpdatedDateUTCString"].startswith("2026-10-25")
    assert one.books.truth == []


def test_a_scenario_may_hold_every_kind_of_thing() -> None:
    one = client(
        customers=[
            {
                "ref": "full",
                "name": "Full Ltd",
                "email": "a@full.example",
                "first_name": "A",
                "last_name": "B",
                "phone": "09 1",
                "address": {"line1": "1 High St", "city": "Auckland", "region": "", "postal_code": "1010"},
                "currency": "AUD",
                "terms_days": 30,
                "groups": ["VIP"],
                "account_number": "F-1",
            },
            {"ref": "gone", "name": "Gone Ltd", "archived": True},
        ],
        invoices=[
            {
                "ref": "fx",
                "customer": "full",
                "number": "FX-1",
                "reference": "PO 1",
                "date": "2026-10-01",
                "due": "2026-10-31",
                "currency": "AUD",
                "rate": "0.9",
                "amounts": "inclusive",
                "lines": [
                    {"description": "x", "quantity": "2", "unit_amount": "57.50", "tax": "standard", "account": "260"}
                ],
                "sent": True,
                "expected": "2026-12-01",
            },
            {"ref": "void", "customer": "gone", "date": "2026-10-01", "due": None, "lines": LINE, "status": "voided"},
            {"ref": "del", "customer": "gone", "date": "2026-10-01", "due": None, "lines": LINE, "status": "deleted"},
            {
                "ref": "sub",
                "customer": "full",
                "date": "2026-10-01",
                "due": "2026-11-01",
                "lines": LINE,
                "status": "submitted",
            },
            {"ref": "bare", "customer": "full", "date": "2026-10-01", "due": None, "lines": LINE, "currency": "AUD"},
        ],
        payments=[{"ref": "p", "invoice": "fx", "date": "2026-11-01", "amount": "15.00", "reconciled": False}],
        credit_notes=[
            {
                "customer": "full",
                "number": "CN-5",
                "date": "2026-11-02",
                "currency": "AUD",
                "lines": [{"description": "credit", "unit_amount": "20.00", "tax": "none"}],
                "allocations": [{"invoice": "fx", "amount": "20.00"}],
            }
        ],
        prepayments=[{"customer": "full", "date": "2026-11-03", "amount": "5.00"}],
    )
    row = one.invoice("FX-1")
    assert (row["Total"], row["AmountPaid"], row["AmountCredited"], row["AmountDue"]) == tuple(
        Decimal(text) for text in ("115", "15", "20", "80")
    )
    assert (row["CurrencyCode"], row["CurrencyRate"], row["LineAmountTypes"]) == ("AUD", Decimal("0.9"), "Inclusive")
    assert row["SentToContact"] is True
    statuses = {ref: one.invoice(one.id_of("invoice", ref))["Status"] for ref in ("void", "del", "sub")}
    assert statuses == {"void": "VOIDED", "del": "DELETED", "sub": "SUBMITTED"}
    bare = one.invoice(one.id_of("invoice", "bare"))
    assert (bare["Status"], bare.get("DueDate")) == ("AUTHORISED", None)
    contact = one.json("GET", f"/Contacts/{one.id_of('contact', 'full')}")["Contacts"][0]
    assert contact["ContactGroups"][0]["Name"] == "VIP"
    assert contact["Phones"][1]["PhoneNumber"] == "09 1"
    assert one.json("GET", "/Payments")["Payments"][0]["IsReconciled"] is False


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"nonsense": []}, "unknown keys: nonsense"),
        ({"organisation": None}, "organisation is missing"),
        ({"organisation": {"name": "x", "country": "NZ", "timezone": "Mars/Phobos"}}, "Mars/Phobos"),
        ({"organisation": {"name": "x", "country": "NZ", "timezone": "UTC", "colour": 1}}, "unknown keys: colour"),
        ({"customers": [{"ref": "a", "name": "A", "mail": "x"}]}, r"customers\[0\] has unknown keys: mail"),
        ({"customers": [{"ref": "a", "name": "A"}, {"ref": "a", "name": "B"}]}, "used twice"),
        ({"customers": [{"ref": "a", "name": "A"}, {"ref": "b", "name": "a"}]}, "already assigned"),
        ({"invoices": [{"ref": "i", "customer": "zoe", "date": "2026-01-01", "lines": LINE}]}, "unknown ref 'zoe'"),
        ({"invoices": [{"ref": "i", "customer": "ada", "date": "1 May", "lines": LINE}]}, "YYYY-MM-DD"),
        ({"invoices": [{"ref": "i", "customer": "ada", "date": "2026-01-01", "lines": []}]}, "line items"),
        (
            {
                "invoices": [
                    {
                        "ref": "i",
                        "customer": "ada",
                        "date": "2026-01-01",
                        "lines": [{"description": "x", "unit_amount": 0.1}],
                    }
                ]
            },
            "amount as text",
        ),
        (
            {"invoices": [{"ref": "i", "customer": "ada", "date": "2026-01-01", "lines": LINE, "status": "open"}]},
            "must be one of",
        ),
        ({"payments": [{"invoice": "open", "date": "2026-11-01", "amount": "999.00"}]}, r"payments\[0\].*exceeds"),
        ({"payments": [{"invoice": "open", "date": "2026-11-01", "amount": "1e999999999"}]}, "amount as text"),
        ({"payments": [{"invoice": "open", "date": "9999-11-01", "amount": "1.00"}]}, "YYYY-MM-DD"),
        ({"payments": [{"invoice": "nope", "date": "2026-11-01", "amount": "1.00"}]}, "unknown ref 'nope'"),
    ],
)
def test_a_scenario_that_is_wrong_is_refused_by_name(parts: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        scenario.load(scenario_document(**parts), NOW)


def test_taxes_follow_the_country() -> None:
    for country, zone, currency, total in (
        ("GB", "Europe/London", "GBP", "12.00"),
        ("AU", "Australia/Sydney", "AUD", "11.00"),
        ("US", "America/New_York", "USD", "10.00"),
        ("DE", "Europe/Berlin", "EUR", "10.00"),
    ):
        organisation = {"name": country, "country": country, "timezone": zone, "base_currency": currency}
        invoice = {"ref": "i", "customer": "ada", "date": "2026-01-01", "due": "2026-02-01", "lines": LINE}
        one = client(organisation=organisation, invoices=[invoice], payments=[])
        assert one.invoice(one.id_of("invoice", "i"))["Total"] == Decimal(total)


# --- people ----------------------------------------------------------------------------------------------------


def told(one: BooksClient) -> list[tuple[Any, Any]]:
    return [(entry["actor"], entry["kind"]) for entry in one.books.truth]


def test_paying_takes_all_that_is_due_today_in_the_organisations_zone() -> None:
    one = client(datetime(2026, 11, 22, 23, 30, tzinfo=UTC))
    answer = one.do("pay", invoice="open")
    assert (answer["status"], answer["amount_due"]) == ("PAID", "0.00")
    assert one.invoice("INV-0001")["FullyPaidOnDate"] == "/Date(1795392000000+0000)/"  # the 23rd in Auckland
    payment = one.json("GET", f"/Payments/{answer['payment_id']}")["Payments"][0]
    assert payment["IsReconciled"] is True
    one.do("delete_payment", invoice="INV-0001")
    assert one.invoice("INV-0001")["Status"] == "AUTHORISED"
    assert told(one) == [("people", "payment"), ("people", "payment_delete")]


def test_people_may_edit_what_the_api_may_not() -> None:
    one = client()
    one.do(
        "edit_invoice", invoice="part", due="2026-12-24", reference="PO 9", expected="2026-12-20", descriptions=["New"]
    )
    row = one.invoice("INV-0002")
    assert (row["DueDateString"], row["Reference"]) == ("2026-12-24T00:00:00", "PO 9")
    assert row["LineItems"][0]["Description"] == "New"
    assert row["Total"] == Decimal(115)
    with pytest.raises(ValueError, match="payment or credit note"):
        one.do("void", invoice="part")


def test_a_credit_by_people_is_made_and_allocated_at_once() -> None:
    one = client()
    answer = one.do("credit", invoice="open", amount="46.00", reason="Damaged")
    assert answer["amount_due"] == "69.00"
    note = one.json("GET", f"/CreditNotes/{answer['credit_id']}")["CreditNotes"][0]
    assert (note["Total"], note["TotalTax"], note["Status"]) == (Decimal(46), Decimal(6), "PAID")
    one.do("credit", customer="ada", amount="10.00")
    one.do("allocate", credit="CN-0002", invoice="open")
    assert one.invoice("INV-0001")["AmountDue"] == Decimal(59)
    assert told(one) == [("people", "credit_note"), ("people", "allocation")] * 2


def test_the_rest_of_what_people_do() -> None:
    one = client()
    one.do("approve", invoice="draft")
    one.do("mark_sent", invoice="draft")
    made = one.do(
        "create_invoice", ref="new", customer="bob", date="2026-11-22", due="2026-12-22", lines=LINE, sent=True
    )
    assert made["number"] == "INV-0005"
    one.do("note", invoice="new", text="Spoke to Bob")
    one.do("note", customer="bob", text="Prefers mail")
    one.do("edit_contact", customer="bob", email="bob@sons.example", terms_days=7)
    one.do("overpay", customer="bob", amount="3.00", ref="over")
    one.do("allocate", credit="over", invoice="new", amount="2.00")
    one.do("add_to_group", customer="bob", group="VIP")
    one.do("remove_from_group", customer="bob", group="VIP")
    one.do("delete_draft", invoice=str(one.do("create_invoice", **NEW_DRAFT)["id"]))
    row = one.invoice(one.id_of("invoice", "new"))
    assert (row["AmountDue"], row["SentToContact"]) == (Decimal("9.5"), True)
    contact = one.json("GET", "/Contacts", where='EmailAddress=="bob@sons.example"')["Contacts"]
    assert [one["Name"] for one in contact] == ["Bob & Sons"]
    assert {entry["actor"] for entry in one.books.truth} == {"people"}
    assert [entry["seq"] for entry in one.books.truth] == list(range(1, len(one.books.truth) + 1))


NEW_DRAFT: dict[str, object] = {"customer": "bob", "date": "2026-11-22", "due": None, "lines": LINE, "status": "draft"}


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ({"do": "dance"}, "cannot do 'dance'"),
        ({}, "cannot do None"),
        ({"do": "pay", "invoice": "nope"}, "no invoice 'nope'"),
        ({"do": "pay", "invoice": "open", "sum": "1"}, "unknown keys: sum"),
        ({"do": "pay", "invoice": "open", "amount": "116"}, "exceeds"),
        ({"do": "pay", "invoice": "draft"}, "Authorised"),
        ({"do": "approve", "invoice": "open"}, "INV-0001 is AUTHORISED"),
        ({"do": "credit", "customer": "ada"}, "amount is missing"),
        ({"do": "merge_contacts", "from": "ada", "into": "ada"}, "two active ones"),
        ({"do": "remove_from_group", "customer": "ada", "group": "VIP"}, "is in no group 'VIP'"),
        ({"do": "edit_invoice", "invoice": "open", "descriptions": ["a", "b"]}, "has 1 lines"),
        ({"do": "edit_invoice", "invoice": "open", "due": None}, "Due Date"),
        ({"do": "delete_payment", "invoice": "open"}, "no such payment"),
        ({"do": "allocate", "credit": "CN-1", "invoice": "open"}, "no credit 'CN-1'"),
    ],
)
def test_what_people_cannot_do_is_said_and_leaves_nothing(action: dict[str, object], message: str) -> None:
    one = client()
    with pytest.raises(ValueError, match=message):
        people.act(one.books, action, one.now)
    assert one.books.truth == []
