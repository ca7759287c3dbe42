"""Reading lists: paging, views, modified since, parameters, speed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from adapters.xero.sandbox import scenario
from tests.adapters.xero.sandbox.books_client import NOW, BooksClient, client, scenario_document


def numbers(rows: Sequence[Any]) -> list[str]:
    return sorted(str(row.get("InvoiceNumber", "")) for row in rows)


def test_pages_only_when_asked_and_clamps_the_size() -> None:
    one = client()
    assert "pagination" not in one.json("GET", "/Invoices")
    answer = one.json("GET", "/Invoices", page="2", pageSize="3")
    assert answer["pagination"] == {"page": 2, "pageSize": 3, "pageCount": 2, "itemCount": 4}
    assert len(answer["Invoices"]) == 1
    assert one.json("GET", "/Invoices", page="1", pageSize="5000")["pagination"]["pageSize"] == 1000
    assert one.json("GET", "/Invoices", page="1", pageSize="0")["pagination"]["pageSize"] == 1
    past = one.json("GET", "/Invoices", page="9")
    assert past["Invoices"] == []
    assert past["pagination"]["itemCount"] == 4
    one.books.switches["page_past_end_status"] = 404
    assert one.call("GET", "/Invoices", page="9").status == 404
    assert one.json("GET", "/Invoices", status=400, page="two")["ErrorNumber"] == 16


def test_pages_cover_everything_once_in_the_order_of_change() -> None:
    one = client()
    seen = [
        row
        for page in ("1", "2", "3", "4")
        for row in one.json("GET", "/Invoices", page=page, pageSize="1")["Invoices"]
    ]
    stamps = [row["UpdatedDateUTC"] for row in seen]
    assert stamps == sorted(stamps)
    assert len({row["InvoiceID"] for row in seen}) == 4


def test_an_unpaged_list_lacks_lines_and_persons_which_a_page_has() -> None:
    one = client()
    assert all(row["LineItems"] == [] for row in one.json("GET", "/Invoices")["Invoices"])
    paged = one.json("GET", "/Invoices", page="1")["Invoices"]
    assert all(len(row["LineItems"]) == 1 for row in paged)
    assert all("EmailAddress" not in row["Contact"] for row in paged)
    assert one.invoice("INV-0001")["Contact"]["EmailAddress"] == "ada@cafe.example"
    listed = {row["Name"]: row for row in one.json("GET", "/Contacts")["Contacts"]}
    assert listed["Ada Café"]["ContactPersons"] == []
    assert "PaymentTerms" not in listed["Ada Café"]
    page = {row["Name"]: row for row in one.json("GET", "/Contacts", page="1")["Contacts"]}
    assert [person["FirstName"] for person in page["Ada Café"]["ContactPersons"]] == ["Ann", "Bo"]
    assert page["Ada Café"]["PaymentTerms"]["Sales"] == {"Day": 20, "Type": "DAYSAFTERBILLDATE"}


def test_a_summary_is_thin() -> None:
    one = client()
    row = one.json("GET", "/Invoices", page="1", summaryOnly="true")["Invoices"][0]
    assert not {"Payments", "LineItems", "HasAttachments"} & set(row)
    contact = one.json("GET", "/Contacts", page="1", summaryOnly="true")["Contacts"][0]
    assert not {"IsCustomer", "IsSupplier", "ContactPersons"} & set(contact)


def test_unset_fields_are_omitted_on_reading_and_empty_in_write_answers() -> None:
    one = client()
    bare = one.json("GET", f"/Contacts/{one.id_of('contact', 'bob')}")["Contacts"][0]
    assert not {"EmailAddress", "FirstName", "Balances", "PaymentTerms"} & set(bare)
    assert bare["Phones"][0] == {"PhoneType": "DDI"}
    body = {"ContactID": one.id_of("contact", "bob"), "AccountNumber": "B-1"}
    written = one.json("POST", "/Contacts", {"Contacts": [body]})["Contacts"][0]
    assert written["EmailAddress"] == ""
    assert written["Phones"][0]["PhoneNumber"] == ""


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"Statuses": "PAID,DRAFT"}, ["INV-0003", "INV-0004"]),
        ({"InvoiceNumbers": "INV-0001,INV-0003,INV-9999"}, ["INV-0001", "INV-0003"]),
        ({"searchTerm": "0002"}, ["INV-0002"]),
        ({"where": 'Type=="ACCREC" AND Status=="AUTHORISED"'}, ["INV-0001", "INV-0002"]),
        ({"where": "AmountDue>100 AND DueDate<DateTime(2026,11,22)"}, ["INV-0001"]),
        ({"where": 'Contact.Name=="ada cafe"'}, ["INV-0001", "INV-0002"]),
        ({"where": "AmountPaid==15"}, ["INV-0002"]),
        ({"where": "FullyPaidOnDate!=null"}, ["INV-0003"]),
        ({"createdByMyApp": "true"}, []),
    ],
)
def test_lists_are_narrowed_by_parameters(parameters: dict[str, str], expected: list[str]) -> None:
    assert numbers(client().json("GET", "/Invoices", None, 200, **parameters)["Invoices"]) == expected


def test_ids_narrow_lists_without_regard_to_case() -> None:
    one = client()
    wanted = one.id_of("invoice", "open")
    rows = one.json("GET", "/Invoices", IDs=f"{wanted.upper()},{wanted}")["Invoices"]
    assert numbers(rows) == ["INV-0001"]
    rows = one.json("GET", "/Invoices", ContactIDs=one.id_of("contact", "bob"))["Invoices"]
    assert numbers(rows) == ["INV-0003", "INV-0004"]
    guid = f'Contact.ContactID==Guid("{one.id_of("contact", "bob")}")'
    assert len(one.json("GET", "/Invoices", where=guid)["Invoices"]) == 2


def test_a_filter_that_makes_no_sense_is_refused() -> None:
    one = client()
    assert one.json("GET", "/Invoices", status=400, where="Nonsense==1")["Type"] == "QueryParseException"
    assert one.json("GET", "/Contacts", status=400, order="Nonsense")["ErrorNumber"] == 16


def test_a_huge_organisation_refuses_slow_filters_if_the_switch_says_so() -> None:
    one = client()
    assert one.json("GET", "/Invoices", where="Total>1", order="DueDate")["Invoices"]
    one.books.switches["huge_organisation"] = True
    for slow in ({"where": "Total>1"}, {"order": "DueDate"}, {"where": 'Status!="PAID"'}):
        answer = one.json("GET", "/Invoices", None, 400, **slow)
        assert "not filtering Invoices efficiently" in answer["Message"]
    fast = one.json(
        "GET", "/Invoices", where='Status=="PAID" AND DueDate>DateTime(2020,1,1)', order="UpdatedDateUTC DESC"
    )
    assert len(fast["Invoices"]) == 1


# --- modified since --------------------------------------------------------------------------------------------


def test_modified_since_has_whole_seconds_and_includes_its_own() -> None:
    one = client()
    one.do("edit_invoice", invoice="open", reference="changed")
    assert numbers(one.since("/Invoices", "2026-11-22T03:00:00")) == ["INV-0001"]
    assert numbers(one.since("/Invoices", "2026-11-22T03:00:00.900")) == ["INV-0001"]
    assert one.since("/Invoices", "2026-11-22T03:00:01") == []
    assert numbers(one.since("/Invoices", "2026-11-22T16:00:00+13:00")) == ["INV-0001"]
    assert numbers(one.since("/Invoices", "Sun, 22 Nov 2026 03:00:00 GMT")) == ["INV-0001"]
    assert one.call("GET", "/Invoices", None, {"if-modified-since": "yesterday"}).status == 412


def test_modified_since_pages_too() -> None:
    one = client()
    one.do("edit_invoice", invoice="open", reference="changed")
    one.do("edit_invoice", invoice="draft", reference="changed")
    rows = one.since("/Invoices", "2026-11-22T00:00:00", page="2", pageSize="1")
    assert len(rows) == 1


def test_a_due_date_moved_on_a_part_paid_invoice_goes_unnoticed() -> None:
    one = client()
    one.do("edit_invoice", invoice="part", due="2026-12-31")
    assert one.invoice("INV-0002")["DueDateString"] == "2026-12-31T00:00:00"
    assert one.since("/Invoices", "2026-11-22T00:00:00") == []


def test_a_sent_flag_on_a_part_paid_invoice_goes_unnoticed() -> None:
    one = client()
    one.json("POST", "/Invoices/INV-0002", {"SentToContact": True})
    one.json("POST", "/Invoices/INV-0003", {"SentToContact": True})
    assert one.invoice("INV-0002")["SentToContact"] is True
    assert one.since("/Invoices", "2026-11-22T00:00:00") == []
    one.json("POST", "/Invoices/INV-0001", {"SentToContact": True})
    assert numbers(one.since("/Invoices", "2026-11-22T00:00:00")) == ["INV-0001"]


def test_a_payment_moves_invoice_and_balance_but_not_the_contacts_stamp() -> None:
    one = client()
    before = one.json("GET", f"/Contacts/{one.id_of('contact', 'ada')}")["Contacts"][0]
    assert before["Balances"]["AccountsReceivable"] == {"Outstanding": Decimal("215.0"), "Overdue": Decimal("215.0")}
    one.do("pay", invoice="open")
    after = one.json("GET", f"/Contacts/{one.id_of('contact', 'ada')}")["Contacts"][0]
    assert after["Balances"]["AccountsReceivable"] == {"Outstanding": Decimal("100.0"), "Overdue": Decimal("100.0")}
    assert after["UpdatedDateUTC"] == before["UpdatedDateUTC"]
    assert one.since("/Contacts", "2026-11-22T00:00:00") == []
    assert numbers(one.since("/Invoices", "2026-11-22T00:00:00")) == ["INV-0001"]
    assert len(one.since("/Payments", "2026-11-22T00:00:00")) == 1


def test_notes_and_groups_do_not_move_stamps_unless_the_switches_say_so() -> None:
    one = client()
    one.json("PUT", "/Invoices/INV-0001/History", {"HistoryRecords": [{"Details": "Called."}]})
    one.do("add_to_group", customer="ada", group="Disputed")
    assert one.since("/Invoices", "2026-11-22T00:00:00") == []
    assert one.since("/Contacts", "2026-11-22T00:00:00") == []
    one.books.switches.update(note_bumps_updated=True, group_bumps_contact=True)
    one.json("PUT", "/Invoices/INV-0001/History", {"HistoryRecords": [{"Details": "Called."}]})
    one.do("add_to_group", customer="ada", group="Other")
    assert len(one.since("/Invoices", "2026-11-22T00:00:00")) == 1
    assert len(one.since("/Contacts", "2026-11-22T00:00:00")) == 1


# --- the rest of what is read ----------------------------------------------------------------------------------


def test_voided_and_deleted_stay_and_archived_contacts_hide() -> None:
    one = client()
    one.do("void", invoice="open")
    one.do("delete_draft", invoice="draft")
    statuses = {row["Status"] for row in one.json("GET", "/Invoices")["Invoices"]}
    assert statuses == {"VOIDED", "DELETED", "AUTHORISED", "PAID"}
    assert one.invoice(one.id_of("invoice", "draft"))["Status"] == "DELETED"
    one.books.switches["deleted_in_lists"] = False
    assert "DELETED" not in {row["Status"] for row in one.json("GET", "/Invoices")["Invoices"]}
    one.do("archive_contact", customer="bob")
    assert len(one.json("GET", "/Contacts")["Contacts"]) == 1
    assert len(one.json("GET", "/Contacts", includeArchived="true")["Contacts"]) == 2
    assert one.json("GET", f"/Contacts/{one.id_of('contact', 'bob')}")["Contacts"][0]["ContactStatus"] == "ARCHIVED"


def test_organisation_lists_and_settings() -> None:
    one = client(
        organisation={
            "name": "Locked Ltd",
            "country": "GB",
            "timezone": "Europe/London",
            "base_currency": "GBP",
            "period_lock_date": "2026-03-31",
            "native_reminders": True,
        }
    )
    organisation = one.json("GET", "/Organisation")["Organisations"][0]
    assert organisation["Timezone"] == "GMTSTANDARDTIME"
    assert organisation["PeriodLockDate"] == "/Date(1774915200000+0000)/"
    assert "EndOfYearLockDate" not in organisation
    assert one.call("POST", "/Organisation", {"Name": "x"}).status == 501
    assert one.json("GET", "/InvoiceReminders/Settings")["InvoiceReminders"] == [{"Enabled": True}]
    one.books.switches["actions_not_allowed"] = ["CreateApprovedInvoice"]
    actions = {row["Name"]: row["Status"] for row in one.json("GET", "/Organisation/Actions")["Actions"]}
    assert actions["CreateApprovedInvoice"] == "NOT-ALLOWED"
    assert actions["CreateDraftInvoice"] == "ALLOWED"
    rate = one.json("GET", "/TaxRates/OUTPUT2")["TaxRates"][0]
    assert rate["EffectiveRate"] == Decimal("20.0")
    sales = one.json("GET", "/Accounts", where='Type=="REVENUE" AND Code=="200"')["Accounts"]
    assert [row["Name"] for row in sales] == ["Sales"]
    assert one.json("GET", f"/Accounts/{sales[0]['AccountID']}")["Accounts"] == sales
    assert one.call("GET", "/TaxRates/NOPE").status == 404
    for plural in ("Users", "BrandingThemes", "Currencies", "TrackingCategories", "RepeatingInvoices"):
        assert plural in one.json("GET", f"/{plural}")


def test_payments_name_what_they_pay() -> None:
    one = client()
    rows = one.json("GET", "/Payments", where='Invoice.InvoiceNumber=="INV-0002"')["Payments"]
    assert [(row["Amount"], row["Invoice"]["InvoiceNumber"]) for row in rows] == [(Decimal("15.0"), "INV-0002")]
    assert rows[0]["PaymentType"] == "ACCRECPAYMENT"
    assert rows[0]["Account"]["Code"] == "090"
    single = one.json("GET", f"/Payments/{rows[0]['PaymentID']}")["Payments"][0]
    assert single["Invoice"]["AmountDue"] == Decimal("100.0")


def test_the_aged_report_adds_up_and_needs_its_role() -> None:
    one = client()
    answer = one.json("GET", "/Reports/AgedReceivablesByContact", contactId=one.id_of("contact", "ada"))
    rows = answer["Reports"][0]["Rows"][1]["Rows"]
    assert [row["Cells"][1]["Value"] for row in rows] == ["INV-0001", "INV-0002", ""]
    assert rows[0]["Cells"][3]["Value"] == "32 days overdue"
    assert [cell["Value"] for cell in rows[-1]["Cells"][4:]] == ["230.00", "15.00", "0.00", "215.00"]
    assert one.json("GET", "/Reports/AgedReceivablesByContact", status=400)["ErrorNumber"] == 16
    one.books.switches["aged_report_role"] = False
    refused = one.json("GET", "/Reports/AgedReceivablesByContact", status=403, contactId="x")
    assert refused["Detail"] == "AuthenticationUnsuccessful"


@pytest.fixture(scope="module")
def crowded() -> BooksClient:
    line = [{"description": "Support", "unit_amount": "10.00"}]
    invoices = [
        {
            "ref": f"i{n}",
            "customer": "ada" if n % 2 else "bob",
            "date": f"2026-{n % 9 + 1:02d}-{n % 28 + 1:02d}",
            "due": f"2026-{n % 9 + 2:02d}-{n % 28 + 1:02d}",
            "lines": line,
        }
        for n in range(5000)
    ]
    return BooksClient(scenario.load(scenario_document(invoices=invoices, payments=[]), NOW), checks=False)


@pytest.mark.parametrize(
    "parameters",
    [
        {"page": "7"},
        {
            "page": "1",
            "where": 'Type=="ACCREC" AND Status=="AUTHORISED" AND AmountDue>0 AND DueDate<DateTime(2026,6,1)',
        },
        {"page": "3", "order": "DueDate DESC", "where": 'Contact.Name.Contains("ada")'},
    ],
)
def test_filters_and_pages_of_five_thousand_invoices_are_quick(
    crowded: BooksClient, parameters: dict[str, str]
) -> None:
    crowded.json("GET", "/Invoices", None, 200, **parameters)
    spans = []
    for _ in range(5):
        start = time.thread_time()
        response = crowded.call("GET", "/Invoices", None, None, **parameters)
        spans.append(time.thread_time() - start)
        assert response.status == 200
    assert min(spans) < 0.05
