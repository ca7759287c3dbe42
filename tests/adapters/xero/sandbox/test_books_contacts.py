"""Writing contacts and contact groups."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.xero.sandbox import checks
from adapters.xero.sandbox.answers import NO_ID
from tests.adapters.xero.sandbox.books_client import BooksClient, client


def contact(one: BooksClient, ref: str) -> Any:
    return one.json("GET", f"/Contacts/{one.id_of('contact', ref)}")["Contacts"][0]


def edit(one: BooksClient, ref: str, **fields: object) -> Any:
    return one.json("POST", f"/Contacts/{one.id_of('contact', ref)}", fields)["Contacts"][0]


def test_creates_and_matches_by_name_and_number() -> None:
    one = client()
    made = one.json("PUT", "/Contacts", {"Contacts": [{"Name": "New Co", "ContactNumber": "N-1"}]})["Contacts"][0]
    assert made["ContactStatus"] == "ACTIVE"
    by_number = {"Contacts": [{"ContactNumber": "n-1", "EmailAddress": "a@new.example"}]}
    assert one.json("POST", "/Contacts", by_number)["Contacts"][0]["ContactID"] == made["ContactID"]
    by_name = {"Contacts": [{"Name": "new co", "FirstName": "Nia"}]}
    assert one.json("POST", "/Contacts", by_name)["Contacts"][0]["EmailAddress"] == "a@new.example"
    assert one.json("GET", "/Contacts/N-1")["Contacts"][0]["FirstName"] == "Nia"
    assert [entry["kind"] for entry in one.books.truth] == ["contact_create", "contact_update", "contact_update"]


def test_names_are_unique_among_active_contacts() -> None:
    one = client()
    body = {"Contacts": [{"Name": "BOB & SONS"}]}
    answer = one.json("PUT", "/Contacts", body, status=400)
    assert answer["Elements"][0]["ContactID"] == NO_ID
    assert answer["Elements"][0]["ValidationErrors"][0]["Message"] == (
        "The contact name BOB & SONS is already assigned to another contact. "
        "The contact name must be unique across all active contacts."
    )
    one.do("archive_contact", customer="bob")
    assert one.json("PUT", "/Contacts", body)["Contacts"][0]["Name"] == "BOB & SONS"


def test_terms_for_the_future_are_set_and_leave_invoices_alone() -> None:
    one = client()
    due = one.invoice("INV-0001")["DueDateString"]
    written = edit(one, "ada", PaymentTerms={"Sales": {"Day": 30, "Type": "DAYSAFTERBILLDATE"}})
    assert written["PaymentTerms"]["Sales"] == {"Day": 30, "Type": "DAYSAFTERBILLDATE"}
    assert one.invoice("INV-0001")["DueDateString"] == due
    detail = one.books.truth[-1]["detail"]
    assert isinstance(detail, dict)
    assert detail["changed"]["SalesTerms"]["old"] == {"day": 20, "type": "DAYSAFTERBILLDATE"}


@pytest.mark.parametrize(
    ("kind", "day", "date", "due"),
    [
        ("DAYSAFTERBILLDATE", 30, "2026-11-10", "2026-12-10"),
        ("DAYSAFTERBILLMONTH", 10, "2026-11-10", "2026-12-10"),
        ("OFCURRENTMONTH", 31, "2026-11-10", "2026-11-30"),
        ("OFFOLLOWINGMONTH", 20, "2026-12-31", "2027-01-20"),
        ("OFFOLLOWINGMONTH", 31, "2027-01-15", "2027-02-28"),
    ],
)
def test_each_kind_of_terms_gives_its_due_date(kind: str, day: int, date: str, due: str) -> None:
    one = client()
    edit(one, "bob", PaymentTerms={"Sales": {"Day": day, "Type": kind}})
    body = {"Type": "ACCREC", "Contact": {"ContactID": one.id_of("contact", "bob")}, "Date": date, "LineItems": []}
    made = one.json("PUT", "/Invoices", {"Invoices": [body]})["Invoices"][0]
    assert made["DueDateString"] == f"{due}T00:00:00"


@pytest.mark.parametrize(
    "terms", [{"Day": 30, "Type": "WHENEVER"}, {"Day": 32, "Type": "OFCURRENTMONTH"}, {"Type": "DAYSAFTERBILLDATE"}]
)
def test_refuses_terms_that_make_no_sense(terms: dict[str, object]) -> None:
    one = client()
    path = f"/Contacts/{one.id_of('contact', 'ada')}"
    assert "terms" in one.refusal("POST", path, {"PaymentTerms": {"Sales": terms}})


def test_persons_are_replaced_as_a_whole_and_an_empty_array_says_nothing() -> None:
    one = client()
    person = {"FirstName": "Cy", "EmailAddress": "cy@cafe.example", "IncludeInEmails": True}
    edit(one, "ada", ContactPersons=[])
    assert len(contact(one, "ada")["ContactPersons"]) == 2
    edit(one, "ada", ContactPersons=[person])
    assert [row["FirstName"] for row in contact(one, "ada")["ContactPersons"]] == ["Cy"]
    path = f"/Contacts/{one.id_of('contact', 'ada')}"
    assert "at most 5" in one.refusal("POST", path, {"ContactPersons": [person] * 6})


def test_phones_and_addresses_are_merged_by_their_slot() -> None:
    one = client()
    edit(one, "ada", Phones=[{"PhoneType": "MOBILE", "PhoneNumber": "021 1"}])
    edit(one, "ada", Phones=[{"PhoneType": "DEFAULT", "PhoneNumber": "09 2"}])
    edit(one, "ada", Addresses=[{"AddressType": "STREET", "City": "Auckland", "AddressLine1": "1 High St"}])
    edit(one, "ada", Addresses=[{"AddressType": "STREET", "AddressLine1": ""}])
    row = contact(one, "ada")
    phones = {slot["PhoneType"]: slot.get("PhoneNumber") for slot in row["Phones"]}
    assert phones == {"MOBILE": "021 1", "DEFAULT": "09 2", "DDI": None, "FAX": None}
    assert row["Addresses"][0] == {"AddressType": "STREET", "City": "Auckland"}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("EmailAddress", "müller@firm.example", "Email address must be valid."),
        ("EmailAddress", "nobody", "Email address must be valid."),
        ("Name", "", "The contact name must be specified"),
        ("Name", "x" * 256, "Name exceeds the maximum length of 255 characters."),
        ("AccountNumber", "x" * 51, "AccountNumber exceeds the maximum length of 50 characters."),
        ("ContactStatus", "GONE", "ContactStatus must be ACTIVE or ARCHIVED"),
    ],
)
def test_refuses_values_that_do_not_fit(field: str, value: str, message: str) -> None:
    one = client()
    assert one.refusal("POST", f"/Contacts/{one.id_of('contact', 'ada')}", {field: value}) == message


def test_an_archived_contact_takes_no_edits() -> None:
    one = client()
    edit(one, "bob", ContactStatus="ARCHIVED")
    assert one.refusal("POST", f"/Contacts/{one.id_of('contact', 'bob')}", {"FirstName": "x"}) == checks.ARCHIVED


def test_a_merge_by_people_moves_the_documents_and_leaves_a_pointer() -> None:
    one = client()
    one.do("merge_contacts", **{"from": "bob", "into": "ada"})
    gone = contact(one, "bob")
    assert (gone["ContactStatus"], gone["MergedToContactID"]) == ("ARCHIVED", one.id_of("contact", "ada"))
    assert one.invoice("INV-0003")["Contact"]["ContactID"] == one.id_of("contact", "ada")
    rows = one.json("GET", "/Invoices", ContactIDs=one.id_of("contact", "ada"))["Invoices"]
    assert len(rows) == 4
    assert one.since("/Invoices", "2026-11-22T00:00:00") == []
    unpaged = one.json("GET", "/Contacts", includeArchived="true")["Contacts"]
    assert all("MergedToContactID" not in row for row in unpaged)


# --- groups ----------------------------------------------------------------------------------------------------


def group(one: BooksClient, name: str = "Disputed (dunwell)") -> str:
    made = one.json("PUT", "/ContactGroups", {"ContactGroups": [{"Name": name}]})["ContactGroups"][0]
    assert made["Contacts"] == []
    return str(made["ContactGroupID"])


def test_members_come_and_go_and_show_only_on_the_single_group() -> None:
    one = client()
    group_id, ada = group(one), one.id_of("contact", "ada")
    answer = one.json("PUT", f"/ContactGroups/{group_id}/Contacts", {"Contacts": [{"ContactID": ada}]})
    assert answer["Contacts"][0]["ContactID"] == ada
    assert one.json("GET", "/ContactGroups")["ContactGroups"][0]["Contacts"] == []
    single = one.json("GET", f"/ContactGroups/{group_id}")["ContactGroups"][0]
    assert [row["Name"] for row in single["Contacts"]] == ["Ada Café"]
    assert [row["Name"] for row in contact(one, "ada")["ContactGroups"]] == ["Disputed (dunwell)"]
    response = one.call("DELETE", f"/ContactGroups/{group_id}/Contacts/{ada}")
    assert (response.status, response.body) == (204, b"")
    assert contact(one, "ada")["ContactGroups"] == []
    assert one.call("DELETE", f"/ContactGroups/{group_id}/Contacts/{ada}").status == 400
    kinds = [entry["kind"] for entry in one.books.truth]
    assert kinds == ["group_create", "group_add", "group_remove"]


def test_adding_a_member_twice_and_a_name_twice_depend_on_switches() -> None:
    one = client()
    group_id, body = group(one), {"Contacts": [{"ContactID": one.id_of("contact", "ada")}]}
    path = f"/ContactGroups/{group_id}/Contacts"
    one.json("PUT", path, body)
    assert "already in this contact group" in one.refusal("PUT", path, body)
    one.books.switches["duplicate_group_add"] = "ok"
    one.json("PUT", path, body)
    assert len(one.json("GET", f"/ContactGroups/{group_id}")["ContactGroups"][0]["Contacts"]) == 1
    assert group(one) != group_id
    one.books.switches["duplicate_group_name"] = "error"
    assert "already assigned" in one.refusal(
        "PUT", "/ContactGroups", {"ContactGroups": [{"Name": "Disputed (dunwell)"}]}
    )


def test_one_unknown_contact_keeps_the_others_out_too() -> None:
    one = client()
    group_id = group(one)
    body = {"Contacts": [{"ContactID": one.id_of("contact", "ada")}, {"ContactID": NO_ID}]}
    assert "matched no contact" in one.refusal("PUT", f"/ContactGroups/{group_id}/Contacts", body)
    assert one.json("GET", f"/ContactGroups/{group_id}")["ContactGroups"][0]["Contacts"] == []


def test_emptying_and_deleting_a_group() -> None:
    one = client()
    group_id = group(one)
    members = [{"ContactID": one.id_of("contact", ref)} for ref in ("ada", "bob")]
    one.json("PUT", f"/ContactGroups/{group_id}/Contacts", {"Contacts": members})
    assert one.call("DELETE", f"/ContactGroups/{group_id}/Contacts").status == 204
    assert one.json("GET", f"/ContactGroups/{group_id}")["ContactGroups"][0]["Contacts"] == []
    one.json("POST", f"/ContactGroups/{group_id}", {"ContactGroups": [{"Status": "DELETED"}]})
    assert one.json("GET", "/ContactGroups")["ContactGroups"] == []
    assert one.call("PUT", f"/ContactGroups/{group_id}/Contacts", {"Contacts": members}).status == 400
    assert one.call("GET", f"/ContactGroups/{NO_ID}").status == 404
