"""Which customers need a look: those whose facts changed, and those whose date to look again has come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa
from pydantic_core import to_json

from connector.store.db import Tx
from connector.store.plain import clean
from connector.store.schema import customer, wake

# All customers in one value, of a list or of its JSON on SQLite: a statement for each would cost more than the rows.
_MARK = (
    "INSERT INTO wake (tenant, organisation_id, customer_id, dirty, revisit) {chosen} "
    "ON CONFLICT (organisation_id, customer_id) DO UPDATE SET dirty = excluded.dirty WHERE wake.dirty <> excluded.dirty"
)
_MARK_SQLITE = _MARK.format(chosen="SELECT ?, ?, value, ?, NULL FROM json_each(?) WHERE true")
_MARK_POSTGRES = _MARK.format(chosen="SELECT %s, %s, one, %s, NULL FROM unnest(%s::text[]) AS one")
_REVISIT = (
    "INSERT INTO wake (tenant, organisation_id, customer_id, dirty, revisit) VALUES ({p}, {p}, {p}, {p}, {p}) "
    "ON CONFLICT (organisation_id, customer_id) DO UPDATE SET revisit = excluded.revisit"
)


def _placeholder(tx: Tx) -> str:
    return "%s" if tx.connection.dialect.name == "postgresql" else "?"


def mark(tx: Tx, org_id: str, customer_ids: Iterable[str]) -> None:
    """These customers' facts changed."""
    _mark(tx, org_id, set(customer_ids) - {""}, dirty=True)


def _mark(tx: Tx, org_id: str, customer_ids: Iterable[str], *, dirty: bool) -> None:
    ids = sorted({clean(customer_id) for customer_id in customer_ids})
    if not ids:
        return
    if tx.connection.dialect.name == "postgresql":
        tx.connection.exec_driver_sql(_MARK_POSTGRES, (tx.tenant, org_id, dirty, ids))
    else:
        tx.connection.exec_driver_sql(_MARK_SQLITE, (tx.tenant, org_id, dirty, to_json(ids).decode()))


def mark_all(tx: Tx, org_id: str) -> None:
    """Something changed that concerns every customer (cash known, who holds the debts)."""
    known = sa.select(customer.c.id).where(customer.c.tenant == tx.tenant, customer.c.organisation_id == org_id)
    mark(tx, org_id, tx.connection.execute(known).scalars())


def set_revisit(tx: Tx, org_id: str, customer_id: str, on: date | None) -> None:
    """Look again on that day (organisation's zone) even if nothing changes; None = only when something changes."""
    row = (tx.tenant, org_id, clean(customer_id), False, None if on is None else on.isoformat())
    tx.connection.exec_driver_sql(_REVISIT.format(p=_placeholder(tx)), row)


def due(tx: Tx, org_id: str, as_of: date) -> set[str]:
    """The customers to look at on that day."""
    query = sa.select(wake.c.customer_id).where(
        wake.c.tenant == tx.tenant,
        wake.c.organisation_id == org_id,
        sa.or_(wake.c.dirty, wake.c.revisit <= as_of),
    )
    return set(tx.connection.execute(query).scalars())


def clear(tx: Tx, org_id: str, customer_ids: Iterable[str]) -> None:
    """These were looked at: not changed since. Their revisit date stays; set it anew in the same transaction."""
    _mark(tx, org_id, customer_ids, dirty=False)
