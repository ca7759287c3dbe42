"""The mirror: our copy of the ledger's records, one organisation at a time.

Iterators read as they go and are valid only inside their transaction. Amounts are exact, days the organisation's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from connector.domain.ledger import (
    Credit,
    Customer,
    CustomerBook,
    Invoice,
    InvoiceStatus,
    NeedsReview,
    Payment,
    Record,
    RecordKind,
)
from connector.errors import NotFound
from connector.ports import batched
from connector.store.db import Tx
from connector.store.mirror_rows import CREDITS, CUSTOMERS, INVOICES, PAYMENTS, SHAPES, R, Shape
from connector.store.mirror_write import Upserted, review, upsert
from connector.store.schema import needs_review

__all__ = [
    "Upserted",
    "all_invoices",
    "book",
    "books",
    "counts",
    "customer",
    "find",
    "invoice",
    "names",
    "needs_review_list",
    "newest_reconciled",
    "open_balances",
    "outstanding_total",
    "review",
    "upsert",
]

_TOGETHER: Final = 250  # customers whose books are read together: few queries, flat memory
_FETCH: Final = 1_000

_C, _I, _P, _R = CUSTOMERS.table.c, INVOICES.table.c, PAYMENTS.table.c, needs_review.c


def _of(tx: Tx, org_id: str, table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.tenant == tx.tenant, table.c.organisation_id == org_id)


def _records(tx: Tx, org_id: str, shape: Shape[R], *conditions: sa.ColumnElement[bool]) -> list[R]:
    query = sa.select(*shape.selected()).where(_of(tx, org_id, shape.table), *conditions)
    return [shape.decode(row) for row in tx.connection.execute(query)]


def _stream(tx: Tx, query: sa.Select[Any], shape: Shape[R]) -> Iterator[R]:
    """Row by row, in flat memory."""
    with tx.connection.execute(query.execution_options(yield_per=_FETCH)) as rows:
        for row in rows:
            yield shape.decode(row)


def customer(tx: Tx, org_id: str, customer_id: str) -> Customer:
    """Raises `NotFound`."""
    return _one(tx, org_id, CUSTOMERS, customer_id, "customer")


def invoice(tx: Tx, org_id: str, invoice_id: str) -> Invoice:
    """Raises `NotFound`."""
    return _one(tx, org_id, INVOICES, invoice_id, "invoice")


def names(tx: Tx, org_id: str, customer_ids: Iterable[str]) -> dict[str, str]:
    """Customers' names by id, of those of these that there are."""
    found: dict[str, str] = {}
    for ids in batched(sorted(set(customer_ids)), _FETCH):
        query = sa.select(_C.id, _C.name).where(_of(tx, org_id, CUSTOMERS.table), _C.id.in_(ids))
        found |= {row.id: row.name for row in tx.connection.execute(query)}
    return found


def _one(tx: Tx, org_id: str, shape: Shape[R], record_id: str, what: str) -> R:
    if found := _records(tx, org_id, shape, shape.table.c.id == record_id):
        return found[0]
    raise NotFound(f"no such {what} in the mirror", record=record_id, next_step="`dunwell pull` reads the ledger")


def book(tx: Tx, org_id: str, customer_id: str) -> CustomerBook:
    """Everything the mirror holds about one customer. Raises `NotFound`."""
    return next(_books_of(tx, org_id, [customer(tx, org_id, customer_id)]))


def books(
    tx: Tx, org_id: str, customer_ids: Iterable[str] | None = None, *, open_only: bool = True
) -> Iterator[CustomerBook]:
    """Books by customer id, each with its whole history: of these customers (None = all).

    `open_only`: only of customers that have an open or draft invoice.
    """
    if customer_ids is None:
        yield from _all_books(tx, org_id, open_only=open_only)
        return
    for ids in batched(sorted(set(customer_ids)), _TOGETHER):
        yield from _books_of(tx, org_id, _customers(tx, org_id, _C.id.in_(ids), open_only=open_only))


def _all_books(tx: Tx, org_id: str, *, open_only: bool) -> Iterator[CustomerBook]:
    last = ""
    while some := _customers(tx, org_id, _C.id > last, open_only=open_only):
        yield from _books_of(tx, org_id, some)
        last = some[-1].id


def _customers(tx: Tx, org_id: str, which: sa.ColumnElement[bool], *, open_only: bool) -> list[Customer]:
    query = sa.select(*CUSTOMERS.selected()).where(_of(tx, org_id, CUSTOMERS.table), which)
    if open_only:
        live = sa.select(_I.id).where(_I.organisation_id == org_id, _I.customer_id == _C.id, _I.live)
        query = query.where(live.exists())
    rows = tx.connection.execute(query.order_by(_C.id).limit(_TOGETHER))
    return [CUSTOMERS.decode(row) for row in rows]


def _books_of(tx: Tx, org_id: str, customers: list[Customer]) -> Iterator[CustomerBook]:
    ids = [c.id for c in customers]
    invoices: defaultdict[str, list[Invoice]] = defaultdict(list)
    for found in _records(tx, org_id, INVOICES, _I.customer_id.in_(ids)):
        invoices[found.customer_id].append(found)
    credits_: defaultdict[str, list[Credit]] = defaultdict(list)
    for credit in _records(tx, org_id, CREDITS, CREDITS.table.c.customer_id.in_(ids)):
        credits_[credit.customer_id].append(credit)
    payments = _payments_of(tx, org_id, ids)
    reviews = _reviews_of(tx, org_id, ids)
    for debtor in customers:
        yield CustomerBook(
            debtor,
            tuple(sorted(invoices[debtor.id], key=lambda i: (i.due or i.issued, i.id))),
            tuple(sorted(payments[debtor.id], key=lambda p: (p.paid_on, p.id))),
            tuple(sorted(credits_[debtor.id], key=lambda c: (c.issued, c.id))),
            tuple(reviews[debtor.id]),
        )


def _payments_of(tx: Tx, org_id: str, ids: list[str]) -> defaultdict[str, list[Payment]]:
    """By customer, also where the ledger names only the invoice that was paid."""
    found: defaultdict[str, list[Payment]] = defaultdict(list)
    for payment in _records(tx, org_id, PAYMENTS, _P.customer_id.in_(ids)):
        found[payment.customer_id].append(payment)
    same_invoice = sa.and_(_I.organisation_id == _P.organisation_id, _I.id == _P.invoice_id)
    query = (
        sa.select(_I.customer_id, *PAYMENTS.selected())
        .join_from(PAYMENTS.table, INVOICES.table, same_invoice)
        .where(_of(tx, org_id, PAYMENTS.table), _P.customer_id == "", _I.customer_id.in_(ids))
    )
    for owner, *row in tx.connection.execute(query):
        found[owner].append(PAYMENTS.decode(tuple(row)))
    return found


def _reviews_of(tx: Tx, org_id: str, ids: list[str]) -> defaultdict[str, list[NeedsReview]]:
    found: defaultdict[str, list[NeedsReview]] = defaultdict(list)
    for item in _reviews(tx, org_id, _R.customer_id.in_(ids)):
        found[item.customer_id].append(item)
    return found


def _reviews(tx: Tx, org_id: str, *conditions: sa.ColumnElement[bool]) -> tuple[NeedsReview, ...]:
    query = (
        sa.select(_R.kind, _R.id, _R.reason, _R.customer_id, _R.number)
        .where(_of(tx, org_id, needs_review), *conditions)
        .order_by(_R.kind, _R.id)
    )
    return tuple(NeedsReview(RecordKind(kind), *rest) for kind, *rest in tx.connection.execute(query))


def needs_review_list(tx: Tx, org_id: str) -> tuple[NeedsReview, ...]:
    """Records that a person must look at, and open invoices whose customer the ledger never sent."""
    same = sa.and_(_C.organisation_id == _I.organisation_id, _C.id == _I.customer_id)
    orphans = (
        sa.select(_I.id, _I.customer_id, _I.number)
        .join_from(INVOICES.table, CUSTOMERS.table, same, isouter=True)
        .where(_of(tx, org_id, INVOICES.table), _I.live, _C.id.is_(None))
        .order_by(_I.id)
    )
    return _reviews(tx, org_id) + tuple(
        NeedsReview(RecordKind.INVOICE, row.id, "its customer is not in the mirror", row.customer_id, row.number)
        for row in tx.connection.execute(orphans)
    )


def find(tx: Tx, org_id: str, text: str) -> tuple[Record, ...]:
    """Customers and invoices with exactly this id, number, name or e-mail address (in any case)."""
    text = text.strip()
    if not text:
        return ()
    folded = text.casefold()
    customers = _records(
        tx, org_id, CUSTOMERS, sa.or_(_C.id == text, _C.name_folded == folded, _C.email_folded == folded)
    )
    invoices = _records(tx, org_id, INVOICES, sa.or_(_I.id == text, _I.number_folded == folded))
    return (*sorted(customers, key=lambda c: c.id), *sorted(invoices, key=lambda i: i.id))


def open_balances(tx: Tx, org_id: str) -> list[tuple[str, int, str]]:
    """What is open on each approved invoice: currency, minor units, the document's own rate to the base currency."""
    query = sa.select(_I.currency, _I.balance, _I.rate).where(
        _of(tx, org_id, INVOICES.table), _I.live, _I.status == InvoiceStatus.APPROVED.value
    )
    return [(currency, balance, rate) for currency, balance, rate in tx.connection.execute(query)]


def all_invoices(tx: Tx, org_id: str) -> Iterator[Invoice]:
    """Every invoice of every status, without its lines, in no particular order."""
    columns = [sa.literal("[]") if column is _I.lines else column for column in INVOICES.selected()]
    return _stream(tx, sa.select(*columns).where(_of(tx, org_id, INVOICES.table)), INVOICES)


def counts(tx: Tx, org_id: str) -> dict[RecordKind, int]:
    """How many records of each kind the mirror holds."""
    return {
        kind: tx.connection.execute(
            sa.select(sa.func.count()).select_from(shape.table).where(_of(tx, org_id, shape.table))
        ).scalar_one()
        for kind, shape in SHAPES.items()
    }


def outstanding_total(tx: Tx, org_id: str) -> Decimal | None:
    """The sum of what the ledger itself says customers owe, not converted; None when it never says."""
    query = sa.select(_C.outstanding).where(_of(tx, org_id, CUSTOMERS.table), _C.outstanding.is_not(None))
    figures = [Decimal(text) for text in tx.connection.execute(query).scalars()]
    return sum(figures, Decimal(0)) if figures else None


def receiving_accounts(tx: Tx, org_id: str) -> tuple[str, ...]:
    """The accounts into which money ever came, as the ledger calls them; none where it names none."""
    query = sa.select(_P.account).where(_of(tx, org_id, PAYMENTS.table), _P.account != "").distinct()
    return tuple(sorted(tx.connection.execute(query).scalars()))


def newest_reconciled(tx: Tx, org_id: str) -> dict[str, date]:
    """Per account that received money ("" = the ledger names none): the day of its newest reconciled payment."""
    query = (
        sa.select(_P.account, sa.func.max(_P.paid_on).label("newest"))
        .where(_of(tx, org_id, PAYMENTS.table), _P.reconciled, _P.active)
        .group_by(_P.account)
        .order_by(_P.account)
    )
    return {row.account: row.newest for row in tx.connection.execute(query)}
