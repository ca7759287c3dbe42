"""Writing invoices: create, upsert, partial update, states, what is closed for edits, arithmetic."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapters.xero.sandbox import checks
from adapters.xero.sandbox.answers import NO_ID
from tests.adapters.xero.sandbox.books_client import BooksClient, client

LINE = {"Description": "Consulting", "Quantity": 1, "UnitAmount": 100, "AccountCode": "200", "TaxType": "OUTPUT2"}


def draft(one: BooksClient, **fields: object) -> dict[str, object]:
    """Return an element for a new invoice to Ada."""
    contact = {"ContactID": one.id_of("contact", "ada")}
    return {"Type": "ACCREC", "Contact": contact, "LineItems": [LINE], "DueDate": "2026-12-20", **fields}


def put(one: BooksClient, **fields: object) -> Any:
    return one.json("PUT", "/Invoices", {"Invoices": [draft(one, **fields)]})["Invoices"][0]


def test_creates_with_the_organisations_date_the_next_number_and_the_full_contact() -> None:
    one = client()
    made = put(one)
    assert made["InvoiceNumber"] == "INV-0005"
    assert made["DateString"] == "2026-11-22T00:00:00"
    assert made["Status"] == "DRAFT"
    assert (made["SubTotal"], made["TotalTax"], made["Total"]) == (Decimal("100.0"), Decimal("15.0"), Decimal("115.0"))
    assert made["Contact"]["EmailAddress"] == "ada@cafe.example"
    assert put(one)["InvoiceNumber"] == "INV-0006"
    assert [entry["kind"] for entry in one.books.truth] == ["invoice_create", "invoice_create"]
    assert one.books.truth[0]["target_id"] == made["InvoiceID"]
    rows = one.json("GET", "/Invoices", createdByMyApp="true")["Invoices"]
    assert {row["InvoiceNumber"] for row in rows} == {"INV-0005", "INV-0006"}


def test_ids_are_the_same_in_every_run() -> None:
    assert put(client())["InvoiceID"] == put(client())["InvoiceID"]


def test_the_due_date_follows_the_contacts_terms_where_none_is_sent() -> None:
    one = client()
    assert put(one, DueDate=None, Date="2026-11-01", Status="AUTHORISED")["DueDateString"] == "2026-11-21T00:00:00"
    bob = {"ContactID": one.id_of("contact", "bob")}
    body = draft(one, Contact=bob, DueDate=None, Status="AUTHORISED")
    assert one.refusal("PUT", "/Invoices", {"Invoices": [body]}) == "Due Date cannot be empty"


def test_put_never_updates_and_post_matches_by_number() -> None:
    one = client()
    body = {"Invoices": [draft(one, InvoiceNumber="inv-0001", Reference="new")]}
    assert one.refusal("PUT", "/Invoices", body) == "Invoice # must be unique."
    written = one.json("POST", "/Invoices", {"Invoices": [{"InvoiceNumber": "INV-0001", "Reference": "new"}]})
    assert written["Invoices"][0]["InvoiceID"] == one.id_of("invoice", "open")
    assert one.invoice("INV-0001")["Reference"] == "new"
    one.do("void", invoice="open")
    assert one.refusal("POST", "/Invoices", body) == checks.NOT_MODIFIABLE
    assert one.refusal("PUT", "/Invoices", body) == "Invoice # must be unique."
    one.books.switches["reuse_voided_number"] = True
    assert one.json("PUT", "/Invoices", body)["Invoices"][0]["InvoiceNumber"] == "inv-0001"


def test_an_automatic_number_is_one_that_no_invoice_bears() -> None:
    one = client()
    body = {"Type": "ACCREC", "Contact": {"Name": "Bob & Sons"}}
    one.json("PUT", "/Invoices", {"Invoices": [{**body, "InvoiceNumber": "inv-0005"}]})
    numbers = [one.json("PUT", "/Invoices", {"Invoices": [body]})["Invoices"][0]["InvoiceNumber"] for _ in range(2)]
    assert numbers == ["INV-0006", "INV-0007"]


@pytest.mark.parametrize("url", ["https://go.xero.com/case/1", "javascript:alert(1)", "case 1"])
def test_the_link_of_an_invoice_is_a_web_address_outside_xero(url: str) -> None:
    one = client()
    assert one.refusal("POST", "/Invoices/INV-0001", {"Url": url}) == "Url must be a web address outside Xero"
    changed = one.json("POST", "/Invoices/INV-0001", {"Url": "https://ar.example/case/1"})["Invoices"][0]
    assert changed["Url"] == "https://ar.example/case/1"


def test_a_partial_update_keeps_everything_else() -> None:
    one = client()
    before = one.invoice("INV-0001")
    one.wait(minutes=1)
    body = {"InvoiceID": before["InvoiceID"], "ExpectedPaymentDate": "2026-12-15"}
    answer = one.json("POST", f"/Invoices/{before['InvoiceID']}", body)["Invoices"][0]
    assert answer["ExpectedPaymentDateString"] == "2026-12-15T00:00:00"
    after = one.invoice("INV-0001")
    assert {key for key in after if after[key] != before.get(key)} == {
        "ExpectedPaymentDate",
        "ExpectedPaymentDateString",
        "UpdatedDateUTC",
        "UpdatedDateUTCString",
    }
    entry = one.books.truth[-1]
    assert (entry["kind"], entry["target_id"], entry["method"]) == ("invoice_update", before["InvoiceID"], "POST")
    detail = entry["detail"]
    assert isinstance(detail, dict)
    assert detail["changed"] == {"ExpectedPaymentDate": {"old": None, "new": "2026-12-15"}}


def test_an_edit_by_people_between_our_read_and_write_is_not_lost() -> None:
    one = client()
    key = one.invoice("INV-0001")["InvoiceID"]
    one.do("edit_invoice", invoice="open", reference="PO 4711")
    one.json("POST", f"/Invoices/{key}", {"ExpectedPaymentDate": "2026-12-15"})
    assert one.invoice(key)["Reference"] == "PO 4711"


def test_clearing_the_expected_date_is_ignored_unless_the_switch_says_otherwise() -> None:
    one = client()
    one.json("POST", "/Invoices/INV-0001", {"ExpectedPaymentDate": "2026-12-15"})
    one.json("POST", "/Invoices/INV-0001", {"ExpectedPaymentDate": ""})
    assert "ExpectedPaymentDate" in one.invoice("INV-0001")
    one.books.switches["expected_date_clearable"] = True
    one.json("POST", "/Invoices/INV-0001", {"ExpectedPaymentDate": ""})
    assert "ExpectedPaymentDate" not in one.invoice("INV-0001")


# --- states ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "wanted", "allowed"),
    [
        ("DRAFT", "SUBMITTED", True),
        ("DRAFT", "AUTHORISED", True),
        ("DRAFT", "DELETED", True),
        ("DRAFT", "VOIDED", False),
        ("SUBMITTED", "DRAFT", True),
        ("SUBMITTED", "AUTHORISED", True),
        ("SUBMITTED", "DELETED", True),
        ("AUTHORISED", "AUTHORISED", True),
        ("AUTHORISED", "VOIDED", True),
        ("AUTHORISED", "DELETED", False),
        ("AUTHORISED", "DRAFT", False),
        ("AUTHORISED", "SUBMITTED", False),
        ("AUTHORISED", "PAID", False),
        ("AUTHORISED", "NONSENSE", False),
    ],
)
def test_the_status_machine(start: str, wanted: str, allowed: bool) -> None:
    one = client()
    made = put(one, Status=start)
    path, body = f"/Invoices/{made['InvoiceID']}", {"Status": wanted}
    if allowed:
        assert one.json("POST", path, body)["Invoices"][0]["Status"] == wanted
    else:
        assert one.refusal("POST", path, body) == checks.NOT_MODIFIABLE
        assert one.invoice(made["InvoiceID"])["Status"] == start


@pytest.mark.parametrize("ref", ["open", "draft"])
def test_voided_and_deleted_are_final(ref: str) -> None:
    one = client()
    one.do("void" if ref == "open" else "delete_draft", invoice=ref)
    path = f"/Invoices/{one.id_of('invoice', ref)}"
    for body in ({"Reference": "x"}, {"Status": "AUTHORISED"}, {"SentToContact": True}):
        assert one.refusal("POST", path, body) == checks.NOT_MODIFIABLE


def test_the_answer_to_a_void_still_shows_what_was_due() -> None:
    one = client()
    answer = one.json("POST", "/Invoices/INV-0001", {"Status": "VOIDED"})["Invoices"][0]
    assert (answer["Status"], answer["AmountDue"]) == ("VOIDED", Decimal("115.0"))
    assert one.invoice("INV-0001")["AmountDue"] == Decimal("0.0")
    assert one.books.truth[-1]["kind"] == "void"


def test_a_draft_is_approved_only_when_it_is_complete() -> None:
    one = client()
    assert put(one, LineItems=[], DueDate=None)["Total"] == Decimal("0.0")
    empty = put(one, LineItems=[])
    path = f"/Invoices/{empty['InvoiceID']}"
    assert one.refusal("POST", path, {"Status": "AUTHORISED"}) == "One or more line items must be specified"
    for line, message in (
        ({"AccountCode": ""}, "Account code must be specified"),
        ({"AccountCode": "999"}, "Account code '999' is not a valid code for this document."),
        ({"Description": " "}, "Description cannot be empty"),
        ({"TaxType": "NOPE"}, "The TaxType code 'NOPE' does not exist or cannot be used for this type of transaction."),
    ):
        body = {"Status": "AUTHORISED", "LineItems": [{**LINE, **line}]}
        assert one.refusal("POST", path, body) == message
    assert one.invoice(empty["InvoiceID"])["Status"] == "DRAFT"


# --- money on it, locked periods -------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["INV-0002", "INV-0003"])
@pytest.mark.parametrize(
    "body",
    [
        {"ExpectedPaymentDate": "2026-12-15"},
        {"DueDate": "2026-12-15"},
        {"Reference": "x"},
        {"Reference": ""},
        {"SentToContact": False},
        {"SentToContact": True, "Reference": "x"},
        {"Status": "VOIDED"},
        {"LineItems": [LINE]},
        {"Contact": {"Name": "Bob & Sons"}},
    ],
)
def test_money_on_an_invoice_closes_it(number: str, body: dict[str, object]) -> None:
    one = client()
    before = one.invoice(number)
    assert one.refusal("POST", f"/Invoices/{number}", body) == checks.HAS_MONEY
    assert one.invoice(number) == before
    assert one.books.truth == []


def test_a_due_date_on_a_part_paid_invoice_is_taken_only_by_switch() -> None:
    one = client()
    one.books.switches["due_date_on_part_paid"] = True
    written = one.json("POST", "/Invoices/INV-0002", {"DueDate": "2026-12-15"})["Invoices"][0]
    assert written["DueDateString"] == "2026-12-15T00:00:00"
    assert one.refusal("POST", "/Invoices/INV-0003", {"DueDate": "2026-12-15"}) == checks.HAS_MONEY


def test_a_locked_period_refuses_every_edit_but_takes_notes() -> None:
    one = client()
    one.do("set_lock_date", period_lock_date="2026-10-01")
    message = "The document date cannot be before the period lock date, currently set at 1 October 2026"
    for body in ({"ExpectedPaymentDate": "2026-12-15"}, {"Status": "VOIDED"}, {"SentToContact": True}):
        assert one.refusal("POST", "/Invoices/INV-0001", body) == message
    new = draft(one, Date="2026-09-30", DueDate="2026-12-01")
    assert one.refusal("PUT", "/Invoices", {"Invoices": [new]}) == message
    one.json("PUT", "/Invoices/INV-0001/History", {"HistoryRecords": [{"Details": "Called."}]})
    one.books.switches["history_in_locked_period"] = False
    note = {"HistoryRecords": [{"Details": "Called."}]}
    assert one.refusal("PUT", "/Invoices/INV-0001/History", note) == message
    one.do("set_lock_date", period_lock_date=None)
    assert one.json("POST", "/Invoices/INV-0001", {"ExpectedPaymentDate": "2026-12-15"})


# --- lines and arithmetic --------------------------------------------------------------------------------------


def test_tax_is_rounded_half_up_per_line_and_then_summed() -> None:
    one = client()
    lines = [{**LINE, "UnitAmount": "0.10"}, {**LINE, "UnitAmount": "0.10"}, {**LINE, "UnitAmount": "0.10"}]
    made = put(one, LineItems=lines)
    assert [line["TaxAmount"] for line in made["LineItems"]] == [Decimal("0.02")] * 3
    assert (made["SubTotal"], made["TotalTax"], made["Total"]) == (Decimal("0.3"), Decimal("0.06"), Decimal("0.36"))


def test_inclusive_and_untaxed_amounts() -> None:
    one = client()
    inclusive = put(one, LineAmountTypes="Inclusive", LineItems=[{**LINE, "UnitAmount": "115"}])
    assert (inclusive["SubTotal"], inclusive["TotalTax"], inclusive["Total"]) == tuple(
        map(Decimal, ("100", "15", "115"))
    )
    untaxed = put(one, LineAmountTypes="NoTax")
    assert (untaxed["TotalTax"], untaxed["Total"]) == (Decimal(0), Decimal(100))
    body = {"Invoices": [draft(one, LineAmountTypes="Sometimes")]}
    assert "LineAmountTypes" in one.refusal("PUT", "/Invoices", body)


def test_unit_amounts_have_two_decimals_unless_four_are_asked_for() -> None:
    one = client()
    line = {**LINE, "Quantity": 3, "UnitAmount": Decimal("1.2345")}
    coarse = one.json("PUT", "/Invoices", {"Invoices": [draft(one, LineItems=[line])]})["Invoices"][0]
    assert (coarse["LineItems"][0]["UnitAmount"], coarse["SubTotal"]) == (Decimal("1.23"), Decimal("3.69"))
    fine = one.json("PUT", "/Invoices", {"Invoices": [draft(one, LineItems=[line])]}, unitdp="4")["Invoices"][0]
    assert (fine["LineItems"][0]["UnitAmount"], fine["SubTotal"]) == (Decimal("1.2345"), Decimal("3.7"))
    assert one.invoice(fine["InvoiceID"])["LineItems"][0]["UnitAmount"] == Decimal("1.23")


def test_discounts_and_totals_that_do_not_match() -> None:
    one = client()
    made = put(one, LineItems=[{**LINE, "DiscountRate": 10}])
    assert (made["SubTotal"], made["IsDiscounted"]) == (Decimal("90.0"), True)
    body = {"Invoices": [draft(one, LineItems=[{**LINE, "LineAmount": 99}])]}
    assert "does not match the expected line total 100.00" in one.refusal("PUT", "/Invoices", body)


def test_the_line_array_updates_adds_and_deletes() -> None:
    one = client()
    made = put(one, LineItems=[LINE, {**LINE, "Description": "Travel", "UnitAmount": 50}])
    first, second = made["LineItems"]
    path = f"/Invoices/{made['InvoiceID']}"
    one.json("POST", path, {"Reference": "header only"})
    assert one.invoice(made["InvoiceID"])["LineItems"] == made["LineItems"]
    lines = [{"LineItemID": second["LineItemID"], "UnitAmount": 60}, {**LINE, "Description": "Extra"}]
    after = one.json("POST", path, {"LineItems": lines})["Invoices"][0]
    assert [line["Description"] for line in after["LineItems"]] == ["Travel", "Extra"]
    assert after["LineItems"][0]["LineItemID"] == second["LineItemID"]
    assert after["LineItems"][0]["TaxAmount"] == Decimal("9.0")
    assert after["LineItems"][1]["LineItemID"] not in {first["LineItemID"], second["LineItemID"]}
    assert (after["Total"], after["AmountDue"]) == (Decimal("184.0"), Decimal("184.0"))
    gone = {"LineItems": [{"LineItemID": first["LineItemID"], "UnitAmount": 1}]}
    assert "does not belong" in one.refusal("POST", path, gone)


def test_an_invoice_over_nothing_is_paid_at_once() -> None:
    one = client()
    made = put(one, Status="AUTHORISED", LineItems=[{**LINE, "UnitAmount": 0}])
    assert made["Status"] == "PAID"
    assert one.refusal("PUT", "/Invoices", {"Invoices": [draft(one, LineItems=[{**LINE, "UnitAmount": -1}])]})


# --- several at once -------------------------------------------------------------------------------------------


def test_one_bad_element_refuses_them_all_and_leaves_nothing_behind() -> None:
    one = client()
    good, bad = draft(one), draft(one, InvoiceNumber="INV-0001")
    answer = one.json("PUT", "/Invoices", {"Invoices": [good, bad, good]}, status=400)
    assert [element["InvoiceID"] for element in answer["Elements"]] == [NO_ID]
    assert answer["Elements"][0]["InvoiceNumber"] == "INV-0001"
    assert len(one.json("GET", "/Invoices")["Invoices"]) == 4
    assert one.books.truth == []
    assert put(one)["InvoiceNumber"] == "INV-0005"


def test_elements_stand_alone_when_errors_are_not_summarised() -> None:
    one = client()
    good, bad = draft(one), draft(one, InvoiceNumber="INV-0001")
    rows = one.json("PUT", "/Invoices", {"Invoices": [good, bad, good]}, summarizeErrors="false")["Invoices"]
    assert [row["StatusAttributeString"] for row in rows] == ["OK", "ERROR", "OK"]
    assert rows[1]["HasErrors"] is True
    assert rows[1]["ValidationErrors"] == [{"Message": "Invoice # must be unique."}]
    assert [rows[0]["InvoiceNumber"], rows[2]["InvoiceNumber"]] == ["INV-0005", "INV-0006"]
    assert len(one.json("GET", "/Invoices")["Invoices"]) == 6


def test_two_creations_in_one_call_may_not_share_a_number() -> None:
    one = client()
    twice = [draft(one, InvoiceNumber="X-1"), draft(one, InvoiceNumber="x-1")]
    assert one.refusal("PUT", "/Invoices", {"Invoices": twice}) == "Invoice # must be unique."
    assert one.call("GET", "/Invoices/X-1").status == 404


# --- the contact inside ----------------------------------------------------------------------------------------


def test_an_id_alone_leaves_the_contact_as_it_is_but_more_updates_it_and_drops_persons() -> None:
    one = client()
    ada = one.id_of("contact", "ada")
    put(one)
    assert len(one.json("GET", f"/Contacts/{ada}")["Contacts"][0]["ContactPersons"]) == 2
    put(one, Contact={"ContactID": ada, "EmailAddress": "new@cafe.example"})
    after = one.json("GET", f"/Contacts/{ada}")["Contacts"][0]
    assert after["EmailAddress"] == "new@cafe.example"
    assert after["ContactPersons"] == []


def test_contact_errors_sit_under_the_contact() -> None:
    one = client()
    body = draft(one, Contact={"ContactID": one.id_of("contact", "ada"), "EmailAddress": "not an address"})
    answer = one.json("PUT", "/Invoices", {"Invoices": [body]}, status=400)
    element = answer["Elements"][0]
    assert element["ValidationErrors"] == []
    assert element["Contact"]["ValidationErrors"] == [{"Message": "Email address must be valid."}]
    assert (
        one.json("GET", f"/Contacts/{one.id_of('contact', 'ada')}")["Contacts"][0]["EmailAddress"] == "ada@cafe.example"
    )


def test_a_new_name_becomes_a_contact_and_an_archived_one_is_refused() -> None:
    one = client()
    made = put(one, Contact={"Name": "Newcomer"})
    assert made["Contact"]["Name"] == "Newcomer"
    assert put(one, Contact={"Name": "NEWCOMER"})["Contact"]["ContactID"] == made["Contact"]["ContactID"]
    one.do("archive_contact", customer="ada")
    assert one.refusal("PUT", "/Invoices", {"Invoices": [draft(one)]}) == checks.ARCHIVED
    assert one.refusal("PUT", "/Invoices", {"Invoices": [draft(one, Contact=None)]}).startswith("A contact must be")
    unknown = draft(one, Contact={"ContactID": NO_ID})
    assert "matched no contact" in one.refusal("PUT", "/Invoices", {"Invoices": [unknown]})


def test_post_by_an_unknown_id() -> None:
    one = client()
    assert one.call("POST", f"/Invoices/{NO_ID}", {"Reference": "x"}).status == 404
    message = one.refusal("POST", "/Invoices", {"Invoices": [{"InvoiceID": NO_ID, "Reference": "x"}]})
    assert message == "The InvoiceID does not belong to a document of this organisation"
