"""The report's totals are the books' own, to the cent, whatever people did in the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.service.report import report
from tests.harness import MONDAY, Office, new_project, opened, sandbox, scenario

pytestmark = pytest.mark.socket
Totals = dict[str, tuple[int, Decimal]]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Books in three currencies, with part payments, credits, drafts, bills and cents."""
    document = scenario()
    tax = {"tax": "none"}
    invoices: list[dict[str, Any]] = []
    for number, (customer, amount, currency, due) in enumerate(
        [
            ("query", "100.01", "GBP", "2026-01-15"),
            ("query", "0.03", "GBP", "2026-03-02"),
            ("extension", "33.33", "GBP", "2026-03-01"),
            ("plan", "19999.99", "EUR", "2025-11-01"),
            ("plan", "12.10", "EUR", "2026-04-01"),
            ("unsent", "777", "JPY", "2026-01-31"),
            ("letter", "250.00", "GBP", "2026-01-20"),
            ("letter", "80.00", "GBP", "2026-01-20"),
        ],
        1,
    ):
        form = {"ref": f"i{number}", "number": f"INV-{number}", "customer": customer, "date": "2025-10-01", "due": due}
        lines = [{"description": "Work", "unit_amount": amount, **tax}]
        foreign = {"currency": currency, "rate": "1.25"} if currency != "GBP" else {}
        invoices.append({**form, "lines": lines, "status": "authorised", "sent": True, **foreign})
    draft = {**invoices[0], "ref": "d1", "number": "INV-90", "status": "draft", "sent": False}
    bill = {**invoices[0], "ref": "b1", "number": "B-1", "type": "payable"}
    document["invoices"] = [*invoices, draft, bill]
    document["payments"] = [
        {"invoice": "i1", "date": "2026-01-10", "amount": "40.00"},
        {"invoice": "i8", "date": "2026-01-20", "amount": "80.00"},
    ]
    with sandbox(document) as served:
        new_project(tmp_path / "project", served)
        with opened(tmp_path / "project", served) as made:
            made.pull()
            made.go_to(MONDAY)
            yield made


def in_the_books(office: Office, today: date) -> tuple[Totals, Totals]:
    """Open and overdue by currency, counted from the sandbox's own records."""
    books = next(iter(b for b in office.served.twin._books.values() if b.organisation.name == "Harbour Lane"))
    opened_: defaultdict[str, list[Decimal]] = defaultdict(list)
    overdue: defaultdict[str, list[Decimal]] = defaultdict(list)
    for invoice in books.invoices:
        if invoice.type == "ACCREC" and invoice.status == "AUTHORISED" and invoice.due > 0:
            opened_[invoice.currency].append(invoice.due)
            if invoice.due_date is not None and invoice.due_date < today:
                overdue[invoice.currency].append(invoice.due)
    return _totals(opened_), _totals(overdue)


def _totals(amounts: dict[str, list[Decimal]]) -> Totals:
    return {currency: (len(each), sum(each, Decimal(0))) for currency, each in amounts.items()}


def reported(office: Office) -> tuple[Totals, Totals]:
    result = report(office.w, office.row)
    figures = result.currencies
    exponent = {"JPY": Decimal(1)}
    opened_ = {c: (f.open.count, f.open.minor * exponent.get(c, Decimal("0.01"))) for c, f in figures.items()}
    overdue = {c: (f.overdue.count, f.overdue.minor * exponent.get(c, Decimal("0.01"))) for c, f in figures.items()}
    return {c: t for c, t in opened_.items() if t[0]}, {c: t for c, t in overdue.items() if t[0]}


def test_open_and_overdue_are_the_ledgers_own(office: Office) -> None:
    office.pull()
    expected = in_the_books(office, MONDAY.date())
    assert reported(office) == expected
    assert expected[0]["GBP"] == (4, Decimal("343.37"))
    assert expected[1]["GBP"] == (3, Decimal("343.34")), "what is due today is not overdue"


def test_they_follow_whatever_people_do(office: Office) -> None:
    office.people(
        {"do": "pay", "invoice": "INV-4", "amount": "9999.98", "date": "2026-02-27"},
        {"do": "pay", "invoice": "INV-6", "date": "2026-02-27"},
        {"do": "credit", "invoice": "INV-7", "amount": "49.99"},
        {"do": "void", "invoice": "INV-3"},
        {"do": "delete_payment", "invoice": "INV-8"},
        {"do": "edit_invoice", "invoice": "INV-1", "due": "2026-02-28"},
        {"do": "overpay", "customer": "Plan Ltd", "amount": "5.00"},
    )
    office.pull()
    expected = in_the_books(office, MONDAY.date())
    assert reported(office) == expected
    assert expected[0]["EUR"] == (2, Decimal("10012.11"))
    assert "JPY" not in expected[0]


def test_the_control_total_is_the_ledgers_own_and_the_difference_is_named(office: Office) -> None:
    office.pull()
    control = report(office.w, office.row).control
    assert control["ledger"] is not None
    assert "difference" in control


def test_a_past_day_is_rebuilt_from_what_was_paid_since(office: Office) -> None:
    office.people({"do": "pay", "invoice": "INV-7", "date": "2026-02-20"})
    office.pull()
    then = report(office.w, office.row, date(2026, 2, 19)).currencies["GBP"]
    now = report(office.w, office.row).currencies["GBP"]
    assert then.open.minor - now.open.minor == 25_000
    assert office.clock.now() == datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_days_of_sales_count_one_year_of_invoices(office: Office) -> None:
    """What is open over GBP 463.37 invoiced in the 365 days; nothing of an invoice that is a day older."""
    old = {"date": "2025-03-02", "due": "2025-03-30", "sent": True}
    office.people(
        {"do": "create_invoice", "ref": "old", "customer": "letter", "number": "INV-OLD", **old,
         "lines": [{"description": "Work", "unit_amount": "1000.00", "tax": "none"}]},
        {"do": "pay", "invoice": "INV-OLD", "date": "2025-03-30"},
    )  # fmt: skip
    office.pull()
    figures = report(office.w, office.row).currencies["GBP"]
    assert (figures.open.minor, figures.sales.minor) == (34_337, 46_337)
    assert figures.dso == Decimal("270.5")  # 343.37 / 463.37 x 365
    assert report(office.w, office.row, date(2026, 3, 1)).currencies["GBP"].sales.minor > 100_000, "a day more of it"


def test_another_day_than_today_says_what_its_figures_lack(office: Office) -> None:
    office.pull()
    assert report(office.w, office.row).warnings == []
    future = report(office.w, office.row, date(2026, 3, 3))
    assert any("2026-03-03 is in the future (it is 2026-03-02 there)" in one for one in future.warnings)
    past = report(office.w, office.row, date(2026, 3, 1))
    assert not any("future" in one for one in past.warnings)
    for one in (past, future):
        assert one.currencies["GBP"].neglected is None, "an unknown is no zero"
        assert one.currencies["GBP"].unsent is None, "sent is a flag of today"
        assert any("neglected" in warning for warning in one.warnings)
