"""Case records: what people told us and what we did. Each change is on the timeline with the whole record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from connector.domain.cases import CASE_RECORD, CaseFile, CaseRecord, Exclusion, HeldBy, LegalHold, OptOut
from connector.errors import NotFound
from connector.store import timeline, wake
from connector.store.db import Tx
from connector.store.plain import dump, dumps, load
from connector.store.schema import case_record

_OURS = case_record.c


def put(tx: Tx, org_id: str, record: CaseRecord) -> None:
    """Insert the record, or replace the one with its id; the customer is looked at again.

    A replaced record keeps its place among the others of its day.
    """
    body = dump(CASE_RECORD, record)
    values: dict[str, Any] = {
        "kind": record.kind,
        "customer_id": record.customer_id,
        "invoice_ids": dumps(_invoice_ids(record)),
        "day": record.on,
        "author": record.by,
        "body": body,
    }
    changed = tx.connection.execute(sa.update(case_record).where(_is(tx, org_id, record.id)).values(values))
    is_new = changed.rowcount == 0
    if is_new:
        key = {"tenant": tx.tenant, "organisation_id": org_id, "id": record.id, "position": _next_position(tx, org_id)}
        tx.connection.execute(sa.insert(case_record), key | values)
    what = f"case.{record.kind}.{'added' if is_new else 'changed'}"
    timeline.append(tx, org_id, what, record.id, record.by, {"customer_id": record.customer_id, "record": body})
    if record.customer_id:
        wake.mark(tx, org_id, [record.customer_id])
    else:
        wake.mark_all(tx, org_id)


def follow_invoices(tx: Tx, org_id: str, moved: Mapping[str, tuple[str, str]]) -> None:
    """Invoices changed hands (id: from customer, to customer): what was said about them goes with them.

    A query or a plan left behind would not be seen any more by whoever decides about the invoice.
    """
    for record in _select(tx, org_id, _OURS.customer_id.in_({before for before, _ in moved.values()})):
        named = (moved[one] for one in _invoice_ids(record) if one in moved)
        for before, after in named:
            if record.customer_id == before:
                _move(tx, org_id, record, after)
                break


def follow_customers(tx: Tx, org_id: str, merged: Mapping[str, str]) -> None:
    """Customers were merged into others: what keeps people off them goes along: holds, opt-outs, …."""
    for record in _select(tx, org_id, _OURS.customer_id.in_(list(merged))):
        if isinstance(record, LegalHold | HeldBy | Exclusion | OptOut):
            _move(tx, org_id, record, merged[record.customer_id])


def _move(tx: Tx, org_id: str, record: CaseRecord, customer_id: str) -> None:
    moved = replace(record, customer_id=customer_id)
    body = dump(CASE_RECORD, moved)
    values: dict[str, Any] = {"customer_id": customer_id, "body": body}
    tx.connection.execute(sa.update(case_record).where(_is(tx, org_id, record.id)).values(values))
    told = {"customer_id": customer_id, "from": record.customer_id, "record": body}
    timeline.append(tx, org_id, f"case.{record.kind}.moved", record.id, "dunwell", told)
    wake.mark(tx, org_id, [record.customer_id, customer_id])


def get(tx: Tx, org_id: str, record_id: str) -> CaseRecord:
    """Raises `NotFound`."""
    text = tx.connection.execute(sa.select(_OURS.body).where(_is(tx, org_id, record_id))).scalar_one_or_none()
    if text is None:
        raise NotFound("no such record", record=record_id)
    return load(CASE_RECORD, text)


def of(tx: Tx, org_id: str, customer_id: str) -> CaseFile:
    """The customer's records and those about the whole organisation, oldest first."""
    return CaseFile(_select(tx, org_id, _OURS.customer_id.in_((customer_id, ""))))


def all(tx: Tx, org_id: str, *kinds: str) -> tuple[CaseRecord, ...]:  # noqa: A001
    """Every record of these kinds (none named = all), oldest first."""
    return _select(tx, org_id, *([_OURS.kind.in_(kinds)] if kinds else []))


def _select(tx: Tx, org_id: str, *conditions: sa.ColumnElement[bool]) -> tuple[CaseRecord, ...]:
    query = (
        sa.select(_OURS.body)
        .where(_OURS.tenant == tx.tenant, _OURS.organisation_id == org_id, *conditions)
        .order_by(_OURS.day, _OURS.position)
    )
    return tuple(load(CASE_RECORD, text) for text in tx.connection.execute(query).scalars())


def _invoice_ids(record: CaseRecord) -> list[str]:
    if (many := getattr(record, "invoice_ids", None)) is not None:
        return list(many)
    if (covered := getattr(record, "covered", None)) is not None:
        return [invoice_id for invoice_id, _ in covered]
    one = getattr(record, "invoice_id", "")
    return [one] if one else []


def _next_position(tx: Tx, org_id: str) -> int:
    highest = sa.select(sa.func.coalesce(sa.func.max(_OURS.position), 0) + 1).where(
        _OURS.tenant == tx.tenant, _OURS.organisation_id == org_id
    )
    position: int = tx.connection.execute(highest).scalar_one()
    return position


def _is(tx: Tx, org_id: str, record_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(_OURS.tenant == tx.tenant, _OURS.organisation_id == org_id, _OURS.id == record_id)
