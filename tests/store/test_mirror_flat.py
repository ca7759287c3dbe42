"""Invoices and payments as plain values in the mirror, and how it finds what is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from connector.domain.flat import FlatInvoice, FlatPayment
from connector.domain.ledger import Line, RecordKind
from connector.domain.money import Money
from connector.store import mirror
from connector.store.db import Database, Tx
from connector.store.mirror_rows import flat_invoice, flat_payment
from tests.builders import invoice, money, payment
from tests.store.conftest import TENANT

F = TypeVar("F", bound=FlatInvoice | FlatPayment)

ORG = "xero:org-1"
INVOICE = replace(
    invoice("i-9", "1150.00", paid="150.00", tax="150", currency="EUR", rate="0.5875", reference="PO 7", sent=None),
    lines=(Line("l-1", "Timber", Money(100000, "EUR"), Money(15000, "EUR"), "200", "OUTPUT2"),),
)
PAYMENT = payment("p-1", invoice_ids=("i-1", "i-2"))
BOTH: tuple[tuple[RecordKind, FlatInvoice | FlatPayment], ...] = (
    (RecordKind.INVOICE, flat_invoice(INVOICE)),
    (RecordKind.PAYMENT, flat_payment(PAYMENT)),
)
FLAGS = {"sent", "reconciled", "active", "repeating", "has_attachments"}
DAYS = {"issued", "due", "expected", "fully_paid_on", "paid_on"}


def other(name: str, value: Any) -> Any:
    """Another value that the column can hold."""
    if name in FLAGS:
        return not value
    if name in DAYS:
        return "2031-12-24"
    if isinstance(value, tuple):
        return value[:-1]
    return value + 1 if isinstance(value, int) else f"{value}1"


def changed_in(flat: F, name: str, value: Any) -> F:
    values: list[Any] = [value if field == name else old for field, old in zip(flat._fields, flat, strict=True)]
    return type(flat)(*values)


@pytest.mark.parametrize(("kind", "flat"), BOTH)
def test_they_are_stored_as_the_object_is(tx: Tx, kind: RecordKind, flat: FlatInvoice | FlatPayment) -> None:
    assert mirror.upsert(tx, ORG, kind, [flat]).changed == 1
    assert mirror.upsert(tx, ORG, kind, [INVOICE if kind is RecordKind.INVOICE else PAYMENT]).changed == 0


def test_an_invoice_comes_back_whole(tx: Tx) -> None:
    mirror.upsert(tx, ORG, RecordKind.INVOICE, [flat_invoice(INVOICE)])
    assert mirror.invoice(tx, ORG, "i-9") == INVOICE


@pytest.mark.parametrize(("kind", "flat"), BOTH)
def test_a_change_of_any_one_value_is_seen(tx: Tx, kind: RecordKind, flat: FlatInvoice | FlatPayment) -> None:
    for name in flat._fields[1:]:
        mirror.upsert(tx, ORG, kind, [flat])
        changed = changed_in(flat, name, other(name, getattr(flat, name)))
        assert mirror.upsert(tx, ORG, kind, [changed]).changed == 1, name
        flat = changed


def test_a_due_date_that_moves_under_the_same_stamp_is_written(tx: Tx) -> None:
    flat = flat_invoice(INVOICE)
    mirror.upsert(tx, ORG, RecordKind.INVOICE, [flat])
    assert mirror.upsert(tx, ORG, RecordKind.INVOICE, [flat._replace(due="2026-05-07")]).changed == 1
    assert mirror.invoice(tx, ORG, flat.id).due == date(2026, 5, 7)


@pytest.mark.parametrize("name", ["total", "tax", "balance", "paid", "credited"])
def test_a_sum_beyond_64_bits_goes_to_review(tx: Tx, name: str) -> None:
    flat = flat_invoice(INVOICE)
    huge = changed_in(flat, name, 2**63)
    assert mirror.upsert(tx, ORG, RecordKind.INVOICE, [huge]).changed == 0
    assert [item.reason for item in mirror.needs_review_list(tx, ORG)] == [
        "cannot be stored: an amount is too large to be one"
    ]


def test_what_is_open_is_told_in_minor_units(tx: Tx) -> None:
    others = [invoice("i-1"), invoice("i-2", paid="115.00"), replace(invoice("i-3"), balance=money(0))]
    mirror.upsert(tx, ORG, RecordKind.INVOICE, [INVOICE, *others])
    assert sorted(mirror.open_balances(tx, ORG)) == [("EUR", 100000, "0.5875"), ("NZD", 11500, "1")]


def test_what_is_open_is_summed_up_from_the_index_alone(url: str, open_database: Callable[[], Database]) -> None:
    if url.startswith("postgresql"):
        pytest.skip("Postgres plans by statistics")
    plans: list[str] = []
    database = open_database()

    @sa.event.listens_for(database.engine, "before_cursor_execute")
    def explain(connection: sa.Connection, _cursor: object, statement: str, bound: Any, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            cursor = connection.connection.cursor()
            cursor.execute("EXPLAIN QUERY PLAN " + statement, bound)
            plans.extend(row[3] for row in cursor.fetchall())

    with database.reading(TENANT) as tx:
        assert mirror.open_balances(tx, ORG) == []
    assert plans == ["SEARCH invoice USING COVERING INDEX ix_invoice_live (organisation_id=?)"]
