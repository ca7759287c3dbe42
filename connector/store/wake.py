"""Which customers need a look: those whose facts changed, and those whose date to look again has come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa

from connector.store.db import Tx
from connector.store.plain import clean
from connector.store.schema import customer, wake

_MARK = (
    "INSERT INTO wake (tenant, organisation_id, customer_id, dirty, revisit) VALUES ({p}, {p}, {p}, {p}, NULL) "
    "ON CONFLICT (organisation_id, customer_id) DO UPDATE SET dirty = excluded.dirty WHERE wake.dirty <> excluded.dirty"
)
_REVISIT = (
    "INSERT INTO wake (tenant, organisation_id, customer_id, dirty, revisit) VALUES ({p}, {p}, {p}, {p}, {p}) "
    "ON CONFLICT (organisation_id, customer_id) DO UPDATE SET revisit = excluded.revisit"
)


def _placeholder(tx: Tx) -> str:
    return "%s" if tx.connection.dialect.name == "postgresql" else "?"


def mark(tx: Tx, org_id: str, customer_ids: Iterable[str]) -> None:
    """These customers' facts changed."""
    rows = [(tx.tenant, org_id, clean(customer_id), True) for customer_id in sorted(set(customer_ids) - {""})]
    if rows:
        tx.connection.exec_driver_sql(_MARK.format(p=_placeholder(tx)), rows)


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
    rows = [(tx.tenant, org_id, clean(customer_id), False) for customer_id in sorted(set(customer_ids))]
    if rows:
        tx.connection.exec_driver_sql(_MARK.format(p=_placeholder(tx)), rows)
