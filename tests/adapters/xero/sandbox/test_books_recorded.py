"""Books from recorded answers: found anywhere, read leniently, printed as they were until touched."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.xero.sandbox import books
from tests.adapters.xero.sandbox.books_client import NOW, BooksClient

ADA = "a3675fc4-0000-4000-8000-000000000003"
FIRST = "d4956132-0000-4000-8000-000000000001"


def invoice(**fields: object) -> dict[str, object]:
    """Return a recorded invoice whose sums do not add up."""
    return {
        "Type": "ACCREC",
        "InvoiceID": FIRST,
        "InvoiceNumber": "INV-0107",
        "Status": "AUTHORISED",
        "Contact": {"ContactID": ADA, "Name": "Ada"},
        "Date": "/Date(1790812800000+0000)/",
        "DueDateString": "2018-12-30 00:00:00",
        "SubTotal": 40.0,
        "TotalTax": 0.0,
        "Total": 40.0,
        "AmountDue": 345.5,
        "AmountPaid": 7.0,
        "CurrencyCode": "NZD",
        "UpdatedDateUTC": "/Date(1541176290160+0000)/",
        **fields,
    }


def recorded(folder: Path, **files: object) -> BooksClient:
    for name, body in files.items():
        (folder / f"{name}.json").write_text(json.dumps(body), "utf-8")
    return BooksClient(books.load(folder, NOW))


def amounts(row: Any) -> dict[str, Decimal]:
    keys = ("SubTotal", "TotalTax", "Total", "AmountDue", "AmountPaid", "AmountCredited")
    return {key: row[key] for key in keys if key in row}


def test_printed_amounts_stay_until_something_touches_the_record(tmp_path: Path) -> None:
    one = recorded(tmp_path, envelope={"Id": "x", "Status": "OK", "Invoices": [invoice()]})
    row = one.invoice("INV-0107")
    printed = {"SubTotal": 40, "TotalTax": 0, "Total": 40, "AmountDue": Decimal("345.5"), "AmountPaid": 7}
    assert amounts(row) == printed
    assert (row["DateString"], row["DueDate"]) == ("2026-10-01T00:00:00", "/Date(1546128000000+0000)/")
    one.do("edit_invoice", invoice="INV-0107", reference="touched")
    assert amounts(one.invoice("INV-0107")) == printed
    one.do("pay", invoice="INV-0107", amount="45.50")
    row = one.invoice("INV-0107")
    assert (row["AmountDue"], row["AmountPaid"], row["Status"]) == (Decimal(300), Decimal("52.5"), "AUTHORISED")


def test_finds_records_in_whatever_contains_them(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "bom.json").write_text("\ufeff" + json.dumps([invoice(InvoiceID="i-1")]), "utf-8")
    (tmp_path / "notes.yaml").write_text("openapi: 3.0.0")
    (tmp_path / "broken.json").write_text("{")
    one = recorded(
        tmp_path,
        single=invoice(InvoiceID="i-2"),
        lower={"tax_rates": [{"TaxType": "OUTPUT2", "EffectiveRate": "15.0000", "CanApplyToRevenue": "true"}]},
        dump={"get /Invoices 200": {"Invoices": [invoice(InvoiceID="i-3")]}},
        error={"ErrorNumber": 10, "Elements": [invoice(InvoiceID="i-4")]},
        unrelated={"hello": "world"},
    )
    assert {row["InvoiceID"] for row in one.json("GET", "/Invoices")["Invoices"]} == {"i-1", "i-2", "i-3"}
    rate = one.json("GET", "/TaxRates")["TaxRates"][0]
    assert (rate["EffectiveRate"], rate["CanApplyToRevenue"]) == (Decimal(15), True)
    notes = "\n".join(one.books.notes)
    assert "notes.yaml: not a JSON file" in notes
    assert "broken.json: not readable as JSON" in notes
    assert "error.json: nothing new" in notes


def test_the_newest_version_counts_then_the_richest(tmp_path: Path) -> None:
    old = invoice(Reference="old", Url="https://rich.example", UpdatedDateUTC="/Date(1541176290159+0000)/")
    poor = invoice(Reference="poor", Contact=None)
    rich = invoice(Reference="rich", Url="https://rich.example")
    one = recorded(tmp_path, a=[rich], b=[old], c=[poor])
    assert one.invoice(FIRST)["Reference"] == "rich"


def test_contacts_inside_documents_become_contacts(tmp_path: Path) -> None:
    bob = {"Name": "Bob only by name"}
    one = recorded(
        tmp_path,
        a={
            "Invoices": [invoice(), invoice(InvoiceID="i-2", Contact=bob)],
            "Contacts": [{"ContactID": ADA, "Name": "Ada A."}],
        },
    )
    names = {row["Name"] for row in one.json("GET", "/Contacts")["Contacts"]}
    assert names == {"Ada A.", "Bob only by name"}
    assert one.invoice("i-2")["Contact"]["Name"] == "Bob only by name"


def test_nested_payments_get_a_record_where_they_have_an_id(tmp_path: Path) -> None:
    nested = [
        {"PaymentID": "p-1", "Date": "/Date(1543449600000+0000)/", "Amount": 5.0},
        {"PaymentID": "p-2", "Amount": 1.0},
        {"Amount": 1.0, "Reference": "no id"},
    ]
    listed = {
        "PaymentID": "p-2",
        "Amount": 1.0,
        "Status": "AUTHORISED",
        "Invoice": {"InvoiceID": FIRST},
        "Reference": "full",
    }
    one = recorded(tmp_path, a={"Invoices": [invoice(Payments=nested)]}, b={"Payments": [listed]})
    rows = {row["PaymentID"]: row for row in one.json("GET", "/Payments")["Payments"]}
    assert rows["p-1"]["Invoice"]["InvoiceNumber"] == "INV-0107"
    assert rows["p-2"]["Reference"] == "full"
    shown = one.invoice(FIRST)["Payments"]
    assert sorted(row.get("PaymentID", row.get("Reference")) for row in shown) == ["no id", "p-1", "p-2"]
    one.json("POST", "/Payments/p-1", {"Status": "DELETED"})
    assert one.invoice(FIRST)["AmountDue"] == Decimal("350.5")


def test_credits_keep_their_allocations_and_loose_ones_stay_visible(tmp_path: Path) -> None:
    loose = {"CreditNoteID": "cn-9", "AppliedAmount": 2.0}
    note = {
        "CreditNoteID": "cn-1",
        "CreditNoteNumber": "CN-1",
        "Type": "ACCRECCREDIT",
        "Status": "AUTHORISED",
        "Contact": {"ContactID": ADA, "Name": "Ada"},
        "RemainingCredit": 32.5,
        "Total": 34.5,
        "CurrencyCode": "NZD",
        "Allocations": [{"Amount": 2.0, "Date": "/Date(1543449600000+0000)/", "Invoice": {"InvoiceID": FIRST}}],
    }
    nested = [loose, {"CreditNoteID": "cn-1", "AppliedAmount": 2.0}]
    one = recorded(tmp_path, a={"Invoices": [invoice(CreditNotes=nested)], "CreditNotes": [note]})
    shown = one.invoice(FIRST)["CreditNotes"]
    assert sorted(row["CreditNoteID"] for row in shown) == ["cn-1", "cn-9"]
    one.do("allocate", credit="CN-1", invoice=FIRST, amount="30.00")
    assert one.json("GET", "/CreditNotes/CN-1")["CreditNotes"][0]["RemainingCredit"] == Decimal("2.5")
    assert one.invoice(FIRST)["AmountDue"] == Decimal("315.5")


def test_printed_balances_move_by_what_changes(tmp_path: Path) -> None:
    balances = {"AccountsReceivable": {"Outstanding": 760.0, "Overdue": 920.0}}
    contact = {"ContactID": ADA, "Name": "Ada", "Balances": balances}
    one = recorded(tmp_path, a={"Invoices": [invoice()], "Contacts": [contact]})

    def receivable() -> Any:
        return one.json("GET", f"/Contacts/{ADA}")["Contacts"][0]["Balances"]["AccountsReceivable"]

    assert receivable() == {"Outstanding": Decimal(760), "Overdue": Decimal(920)}
    one.do("pay", invoice=FIRST, amount="100.00")
    assert receivable() == {"Outstanding": Decimal(660), "Overdue": Decimal(820)}


def test_an_organisation_is_read_or_made(tmp_path: Path) -> None:
    made = recorded(tmp_path, a=[invoice(), invoice(InvoiceID="i-2"), invoice(InvoiceID="i-3", CurrencyCode="USD")])
    row = made.json("GET", "/Organisation")["Organisations"][0]
    assert (row["Name"], row["Timezone"], row["BaseCurrency"]) == ("Recorded books", "UTC", "NZD")
    organisation = {
        "Name": "Real Ltd",
        "OrganisationID": "o-1",
        "Timezone": "NEWZEALANDSTANDARDTIME",
        "BaseCurrency": "NZD",
        "CountryCode": "NZ",
        "PeriodLockDate": "/Date(1546214400000+0000)/",
        "Class": "PREMIUM",
        "RegistrationNumber": "kept",
    }
    one = recorded(tmp_path, org={"Organisations": [organisation]}, rem={"InvoiceReminders": [{"Enabled": "True"}]})
    row = one.json("GET", "/Organisation")["Organisations"][0]
    assert {key: row[key] for key in organisation} == organisation
    assert one.books.organisation.timezone == "Pacific/Auckland"
    assert one.json("GET", "/InvoiceReminders/Settings")["InvoiceReminders"] == [{"Enabled": True}]
    one.do("set_lock_date", period_lock_date=None)
    assert "PeriodLockDate" not in one.json("GET", "/Organisation")["Organisations"][0]


def test_oddities_are_shown_not_hidden(tmp_path: Path) -> None:
    odd = {
        "InvoiceID": "5n1de608-0713-4a32-b0ae-9b718f7cd621",
        "AmountDue": 200.0,
        "Total": 2000.0,
        "HasAttachments": "True",
        "SentToContact": "False",
        "UpdatedDateUTC": "garbage",
        "Date": 12,
        "CISRate": 3.0,
        "Contact": {},
    }
    one = recorded(tmp_path, a={"invoices": [odd]})
    row = one.json("GET", "/Invoices", page="1")["Invoices"][0]
    assert (row["AmountDue"], row["Total"], row["CISRate"]) == (Decimal(200), Decimal(2000), Decimal(3))
    assert (row["HasAttachments"], row["SentToContact"]) == (True, False)
    assert not {"AmountPaid", "Date", "DueDate", "Contact"} & set(row)
    assert one.json("GET", "/Invoices", where='InvoiceID==Guid("5n1de608-0713-4a32-b0ae-9b718f7cd621")')["Invoices"]


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no recorded answers"):
        books.load(tmp_path, NOW)
    with pytest.raises(ValueError, match="not a folder"):
        books.load(tmp_path / "nowhere", NOW)
