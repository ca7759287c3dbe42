"""Xero's own reminders: when they go out, to whom, and when they do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.adapters.xero.sandbox.books_client import BooksClient, client

LINE = [{"description": "x", "unit_amount": "100.00"}]


def sent(due: str, **more: object) -> dict[str, object]:
    base = {"ref": "late", "customer": "ada", "number": "S-1", "date": "2026-01-05", "due": due, "sent": True}
    return {**base, "lines": LINE, **more}


def world(now: datetime, zone: str, invoice: dict[str, object], *, on: bool = True) -> BooksClient:
    organisation = {"name": "Keen Ltd", "country": "NZ", "timezone": zone, "base_currency": "NZD"}
    return client(now, organisation={**organisation, "native_reminders": on}, invoices=[invoice], payments=[])


def run(one: BooksClient, days: int) -> list[datetime]:
    """Let days pass, six hours at a time, and return when reminders went out."""
    for _ in range(days * 4):
        one.wait(hours=6)
        one.books.advance(one.now)
    return [datetime.fromisoformat(str(mail["at"])) for mail in one.books.mails]


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Europe/London", "America/New_York", "UTC"])
@pytest.mark.parametrize("due", ["2026-03-20", "2026-10-18"])  # clocks change in between
def test_three_go_out_in_the_morning_of_the_organisation(zone: str, due: str) -> None:
    day = datetime.fromisoformat(due).replace(tzinfo=UTC)
    one = world(day - timedelta(days=2), zone, sent(due))
    local = [at.astimezone(ZoneInfo(zone)) for at in run(one, 40)]
    assert [(at.date() - day.date()).days for at in local] == [7, 14, 21]
    assert all(4 <= at.hour < 8 for at in local)
    assert {tuple(mail["to"]) for mail in one.books.mails if isinstance(mail["to"], list)} == {
        ("ada@cafe.example", "ann@cafe.example")
    }
    history = one.json("GET", "/Invoices/S-1/History")["HistoryRecords"]
    assert [row["Changes"] for row in history].count("Invoice reminder") == 3


def test_one_step_or_many_make_no_difference() -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    small, large = (world(start, "Europe/London", sent("2026-11-03")) for _ in range(2))
    run(small, 30)
    large.books.advance(start + timedelta(days=30))
    assert small.books.mails == large.books.mails
    assert len(large.books.mails) == 3


def test_what_was_missed_while_they_were_off_does_not_go_out_later() -> None:
    one = world(datetime(2026, 11, 1, tzinfo=UTC), "Europe/London", sent("2026-11-03"), on=False)
    one.wait(days=20)
    one.do("set_reminders", enabled=True)
    assert len(run(one, 20)) == 1


def test_an_unsent_invoice_gets_none_until_it_is_marked_as_sent() -> None:
    one = world(datetime(2026, 11, 1, tzinfo=UTC), "Europe/London", sent("2026-11-03", sent=False))
    assert run(one, 12) == []
    assert one.call("POST", "/Invoices/S-1", {"Invoices": [{"SentToContact": True}]}).status == 200
    assert len(run(one, 20)) == 2


@pytest.mark.parametrize("end", ["pay", "void"])
def test_a_settled_or_voided_invoice_gets_no_more(end: str) -> None:
    one = world(datetime(2026, 11, 1, tzinfo=UTC), "Europe/London", sent("2026-11-03"))
    assert len(run(one, 12)) == 1
    one.do(end, invoice="late")
    assert len(run(one, 20)) == 1


def test_an_invoice_on_which_nothing_is_due_gets_none() -> None:
    one = world(datetime(2026, 11, 1, tzinfo=UTC), "Europe/London", sent("2026-11-03"))
    [invoice] = one.books.invoices
    one.books.put_invoice(replace(invoice, amount_due=Decimal("0.00")))  # as recorded books may have it
    assert run(one, 30) == []


def test_a_part_paid_invoice_is_still_reminded_of_and_a_later_due_date_puts_it_off() -> None:
    one = world(datetime(2026, 11, 1, tzinfo=UTC), "Europe/London", sent("2026-11-03"))
    one.do("pay", invoice="late", amount="10.00")
    assert len(run(one, 12)) == 1
    one.do("edit_invoice", invoice="late", due="2026-12-10")
    assert len(run(one, 30)) == 1
    assert len(run(one, 8)) == 2
