"""The filter language against a tiny table with every kind of field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from adapters.xero.sandbox.errors import BadQuery
from adapters.xero.sandbox.where import Field, Fields, ordering, parse, sort


@dataclass(frozen=True)
class Row:
    name: str
    due: date | None = None
    amount: Decimal = Decimal(0)
    sent: bool | None = None
    id: str = "00000000-0000-0000-0000-000000000001"
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)


FIELDS: Fields[Row] = {
    "name": Field("text", lambda row: row.name, fast=True),
    "contact.name": Field("text", lambda row: row.name),
    "duedate": Field("date", lambda row: row.due, fast=True, ranged=True, sortable=True),
    "amountdue": Field("number", lambda row: row.amount, fast=True, ranged=True),
    "senttocontact": Field("bool", lambda row: row.sent),
    "id": Field("guid", lambda row: row.id),
    "updateddateutc": Field("date", lambda row: row.at),
}
ROW = Row("Ada Café", date(2026, 11, 21), Decimal("345.00"), sent=True, at=datetime(2026, 11, 1, 3, 4, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    "true",
    [
        'Name=="ada cafe"',
        'Name=="ADA CAFÉ"',
        'Name!="Bob"',
        "AmountDue>344.99 AND AmountDue<=345",
        "AmountDue >= 345.00M",
        "DueDate<DateTime(2026,11,22)",
        "DueDate==DateTime(2026, 11, 21)",
        "UpdatedDateUTC>=DateTime(2026,11,1,3,4,5)",
        "SentToContact==true",
        'Id==Guid("00000000-0000-0000-0000-000000000001")',
        'Contact.Name.Contains("fé")',
        'Name.StartsWith("ada") && amountdue!=0',
        'Name=="x" || Name=="y" OR Name=="Ada Cafe"',
        'Name=="x" AND AmountDue==345 OR SentToContact==true',
        'SentToContact==true OR Name=="x" AND Name=="y"',
        '(Name=="Ada Cafe" OR AmountDue==1) AND (DueDate!=null)',
        "  ( ( Name != null ) )  ",
    ],
)
def test_accepts_what_holds(true: str) -> None:
    assert parse(true, FIELDS).test(ROW)


@pytest.mark.parametrize(
    "false",
    [
        'Name=="Ada"',
        "AmountDue<345",
        "DueDate==null",
        "UpdatedDateUTC>DateTime(2026,11,1,3,4,5)",
        "SentToContact==false",
        '(SentToContact==true OR Name=="x") AND Name=="y"',
        'Id==Guid("00000000-0000-0000-0000-000000000002")',
        'Name.StartsWith("café")',
    ],
)
def test_rejects_what_does_not_hold(false: str) -> None:
    assert not parse(false, FIELDS).test(ROW)


def test_an_unset_date_is_neither_before_nor_after_but_is_null_and_unequal() -> None:
    unset = Row("x")
    assert not parse("DueDate<DateTime(2030,1,1)", FIELDS).test(unset)
    assert not parse("DueDate>DateTime(2000,1,1)", FIELDS).test(unset)
    assert parse("DueDate!=DateTime(2000,1,1)", FIELDS).test(unset)
    assert parse("DueDate==null", FIELDS).test(unset)
    assert parse("SentToContact==false", FIELDS).test(unset)


def test_a_long_filter_is_no_matter() -> None:
    assert parse(" OR ".join(["AmountDue==1"] * 299 + ["AmountDue==345"]), FIELDS).test(ROW)
    assert not parse(" AND ".join(["AmountDue==345"] * 299 + ["AmountDue==1"]), FIELDS).test(ROW)


def test_quotes_inside_text_are_escaped_with_a_backslash() -> None:
    assert parse(r'Name=="say \"hi\" \\"', FIELDS).test(Row('say "hi" \\'))


@pytest.mark.parametrize(
    "broken",
    [
        'Name="',
        "Name==",
        'Name=="a" Name=="b"',
        'Nonsense=="a"',
        "Name==5",
        'AmountDue=="5"',
        "AmountDue>null",
        'Id=="00000000-0000-0000-0000-000000000001"',
        'Id==Guid("short")',
        "SentToContact>true",
        "DueDate<DateTime(2026,13,1)",
        "DueDate<DateTime(2026,11)",
        "DueDate<DateTime(99999999999999999999,1,1)",
        "(AmountDue>0",
        "AmountDue>0)",
        "AmountDue>0 AND",
        'AmountDue.Contains("3")',
        "AmountDue ; DROP",
        "(" * 200 + "AmountDue>0" + ")" * 200,
        " OR ".join(["AmountDue==1"] * 301),
        "OR",
        "== 5",
    ],
)
def test_refuses_what_it_cannot_understand(broken: str) -> None:
    with pytest.raises(BadQuery):
        parse(broken, FIELDS)


def test_knows_which_filters_are_cheap() -> None:
    assert parse('Name=="a" AND AmountDue>0', FIELDS).optimised
    assert not parse('Name!="a"', FIELDS).optimised
    assert not parse('Name.Contains("a")', FIELDS).optimised
    assert not parse("SentToContact==true", FIELDS).optimised


def test_orders_by_several_keys_unset_first() -> None:
    rows = [
        Row("b", date(2026, 1, 2)),
        Row("A", date(2026, 1, 2)),
        Row("c", None),
        Row("d", date(2026, 1, 3)),
    ]
    keys, cheap = ordering("DueDate DESC, Name", FIELDS)
    assert [row.name for row in sort(rows, keys)] == ["d", "A", "b", "c"]
    assert not cheap
    keys, cheap = ordering("DueDate", FIELDS)
    assert [row.name for row in sort(rows, keys)] == ["c", "b", "A", "d"]
    assert cheap


@pytest.mark.parametrize("order", ["Nonsense", "DueDate SIDEWAYS", "DueDate ASC ASC", ","])
def test_refuses_an_order_that_it_cannot_understand(order: str) -> None:
    with pytest.raises(BadQuery):
        ordering(order, FIELDS)
