"""Writing the mirror: set by set, unchanged rows never, older never over newer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from pydantic_core import to_json

from connector.domain.flat import Brought
from connector.domain.ledger import Customer, NeedsReview, RecordKind
from connector.ports import batched
from connector.store import cases, wake
from connector.store.db import Tx
from connector.store.mirror_rows import SHAPES, Row, Unstorable, encode
from connector.store.plain import clean
from connector.store.schema import invoice, needs_review

_BATCH = 1_000  # rows read and written by one statement; bounds memory and bind parameters


@dataclass(frozen=True)
class Upserted:
    """`seen` records were offered, `changed` were new or different and written."""

    seen: int
    changed: int


def upsert(tx: Tx, org_id: str, kind: RecordKind, records: Sequence[Brought]) -> Upserted:
    """Store what the ledger says now about these records; repeating it changes nothing.

    A record older than ours (by the ledger's stamp) is dropped; the same stamp with other content overwrites. A record
    that cannot be stored goes to `needs_review`. Customers whose facts changed are marked in `wake`.
    """
    changed = 0
    for start in range(0, len(records), _BATCH):
        changed += _upsert_batch(tx, org_id, kind, records[start : start + _BATCH])
    return Upserted(len(records), changed)


def _upsert_batch(tx: Tx, org_id: str, kind: RecordKind, records: Sequence[Brought]) -> int:
    rows, broken = _encoded(kind, records)
    known = _known(tx, org_id, kind, rows)
    older = {row_id for row_id, (stamp, _, _) in known.items() if _older(rows[row_id][0][-1], stamp)}
    current = [row_id for row_id in rows if row_id not in older]
    changed = [row_id for row_id in current if row_id not in known or known[row_id][1] != rows[row_id][1]]
    if changed:
        owner = (tx.tenant, org_id)
        lines = [owner + row + (digest,) for row, digest in map(rows.__getitem__, changed)]
        tx.connection.exec_driver_sql(_statement(kind, tx.connection.dialect.name), lines)
        _mark_customers(
            tx, org_id, kind, [rows[row_id][0] for row_id in changed], [known.get(i, _NEW) for i in changed]
        )
        if kind is RecordKind.INVOICE:
            _follow(tx, org_id, [rows[row_id][0] for row_id in changed], known)
        new = set(changed)
        customers = (one for one in records if isinstance(one, Customer) and one.id in new)
        if merged := {one.id: one.merged_into for one in customers if one.merged_into}:
            cases.follow_customers(tx, org_id, merged)
    _clear_review(tx, org_id, kind, current)
    review(tx, org_id, broken)
    return len(changed)


_NEW: tuple[int | None, bytes, str] = (None, b"", "")  # stamp, hash, customer of a record that we do not have yet


def _encoded(kind: RecordKind, records: Sequence[Brought]) -> tuple[dict[str, tuple[Row, bytes]], list[NeedsReview]]:
    """Rows by id (of repeated ones the newest, the later at the same stamp), and what cannot be stored."""
    rows: dict[str, tuple[Row, bytes]] = {}
    broken = []
    for record in records:
        try:
            row, digest = encode(record)
        except Unstorable as problem:
            customer_id = getattr(record, "customer_id", "")
            broken.append(NeedsReview(kind, record.id, f"cannot be stored: {problem}", customer_id))
            continue
        before = rows.get(row[0])
        if before is None or not _older(row[-1], before[0][-1]):
            rows[row[0]] = (row, digest)
    return rows, broken


def _older(stamp: int | None, than: int | None) -> bool:
    return stamp is not None and than is not None and stamp < than


def _known(tx: Tx, org_id: str, kind: RecordKind, ids: Iterable[str]) -> dict[str, tuple[int | None, bytes, str]]:
    dialect = tx.connection.dialect.name
    asked = list(ids) if dialect == "postgresql" else to_json(list(ids)).decode()
    found = tx.connection.exec_driver_sql(_lookup(kind, dialect), (asked, org_id, tx.tenant))
    return {row_id: (stamp, digest, customer) for row_id, stamp, digest, customer in found}


@lru_cache(maxsize=16)
def _lookup(kind: RecordKind, dialect: str) -> str:
    return SHAPES[kind].known(dialect)


@lru_cache(maxsize=16)
def _statement(kind: RecordKind, dialect: str) -> str:
    return SHAPES[kind].upsert("%s" if dialect == "postgresql" else "?")


def _mark_customers(
    tx: Tx, org_id: str, kind: RecordKind, rows: Sequence[Row], before: Sequence[tuple[int | None, bytes, str]]
) -> None:
    """The customer of each changed record, and the one it belonged to before (the ledger merges customers)."""
    shape = SHAPES[kind]
    at = shape.columns.index(shape.owner)
    customers = {row[at] for row in rows} | {customer for _, _, customer in before}
    if kind is RecordKind.PAYMENT:
        invoice_at = shape.columns.index("invoice_id")
        customers |= set(_customers_of(tx, org_id, {row[invoice_at] for row in rows if not row[at]}).values())
    wake.mark(tx, org_id, customers)


def _follow(tx: Tx, org_id: str, invoices: Sequence[Row], known: Mapping[str, tuple[int | None, bytes, str]]) -> None:
    """What people said about an invoice goes along when the ledger gives it to another customer."""
    at = SHAPES[RecordKind.INVOICE].columns.index("customer_id")
    before = ((row, known[row[0]][2]) for row in invoices if row[0] in known)
    if moved := {row[0]: (owner, row[at]) for row, owner in before if owner != row[at]}:
        cases.follow_invoices(tx, org_id, moved)


def _customers_of(tx: Tx, org_id: str, invoice_ids: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for ids in batched(sorted(invoice_ids), _BATCH):
        query = sa.select(invoice.c.id, invoice.c.customer_id).where(
            invoice.c.tenant == tx.tenant, invoice.c.organisation_id == org_id, invoice.c.id.in_(ids)
        )
        found |= {row.id: row.customer_id for row in tx.connection.execute(query)}
    return found


def review(tx: Tx, org_id: str, items: Sequence[NeedsReview]) -> None:
    """A person must look at these records. Each stays listed until the record is read for certain."""
    if not items:
        return
    newest = {(item.kind, clean(item.id)): item for item in items}
    unnamed = {item.id for item in newest.values() if item.kind is RecordKind.INVOICE and not item.customer_id}
    customers = _customers_of(tx, org_id, unnamed)
    rows: list[dict[str, Any]] = []
    for (kind, record_id), item in newest.items():
        if not item.customer_id:
            own = record_id if kind is RecordKind.CUSTOMER else customers.get(record_id, "")
            item = replace(item, customer_id=own)
        rows.append(
            {
                "tenant": tx.tenant,
                "organisation_id": org_id,
                "kind": kind.value,
                "id": record_id,
                "reason": item.reason,
                "customer_id": item.customer_id,
                "number": item.number,
            }
        )
    for kind in RecordKind:
        _delete_review(tx, org_id, kind, [row["id"] for row in rows if row["kind"] == kind.value])
    tx.connection.execute(sa.insert(needs_review), rows)
    wake.mark(tx, org_id, {row["customer_id"] for row in rows})


def _clear_review(tx: Tx, org_id: str, kind: RecordKind, ids: Sequence[str]) -> None:
    table = needs_review.c
    listed = tx.connection.execute(
        sa.select(table.id, table.customer_id).where(
            table.tenant == tx.tenant, table.organisation_id == org_id, table.kind == kind.value
        )
    )
    certain = set(ids)
    cleared = {row.id: row.customer_id for row in listed if row.id in certain}
    if cleared:
        _delete_review(tx, org_id, kind, list(cleared))
        wake.mark(tx, org_id, cleared.values())


def _delete_review(tx: Tx, org_id: str, kind: RecordKind, ids: Sequence[str]) -> None:
    table = needs_review.c
    for some in batched(ids, _BATCH):
        tx.connection.execute(
            sa.delete(needs_review).where(
                table.tenant == tx.tenant,
                table.organisation_id == org_id,
                table.kind == kind.value,
                table.id.in_(some),
            )
        )
