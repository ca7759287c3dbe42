"""Answers held against the service's own API description; where it is given, every other test does so, too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.xero.sandbox import books
from adapters.xero.sandbox.state import demo_books
from tests.adapters.xero.sandbox import spec_check
from tests.adapters.xero.sandbox.books_client import NOW, BooksClient

pytestmark = pytest.mark.skipif(
    not spec_check.SPEC, reason="DUNWELL_XERO_SPEC does not name the OpenAPI file of Xero's Accounting API"
)
LISTS = (
    "Accounts",
    "BatchPayments",
    "BrandingThemes",
    "ContactGroups",
    "Contacts",
    "CreditNotes",
    "Currencies",
    "Invoices",
    "Organisation",
    "Organisation/Actions",
    "Overpayments",
    "Payments",
    "Prepayments",
    "RepeatingInvoices",
    "TaxRates",
    "TrackingCategories",
    "Users",
)


@pytest.mark.parametrize("path", LISTS)
def test_lists_of_the_default_company_fit_the_description(path: str) -> None:
    one = BooksClient(demo_books(NOW))
    before = dict(spec_check.checked)
    one.json("GET", f"/{path}")
    one.json("GET", f"/{path}", page="1")
    assert spec_check.checked[f"GET /{path}"] == before.get(f"GET /{path}", 0) + 2


def test_the_descriptions_own_examples_load_and_keep_their_printed_amounts(tmp_path: Path) -> None:
    examples = spec_check.examples()
    (tmp_path / "examples.json").write_text(json.dumps(examples, default=str), "utf-8")
    one = BooksClient(books.load(tmp_path, NOW), checks=False)
    listed = {row["InvoiceID"]: row for row in one.json("GET", "/Invoices", page="1")["Invoices"]}
    recorded = {row["InvoiceID"]: row for row in examples["get /Invoices"]["Invoices"]}
    assert recorded
    for key, row in recorded.items():
        for field in ("Total", "SubTotal", "TotalTax", "AmountDue", "AmountPaid", "AmountCredited"):
            assert listed[key][field] == row[field], (key, field)
