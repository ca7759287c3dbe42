"""Reading the outbox: its rows as values, and the one query that finds what is due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from pydantic import TypeAdapter

from connector.domain.effects import EFFECT, Effect, EffectKind, EffectState, Prepared, Receipt
from connector.errors import NotFound, Refused
from connector.ports import batched
from connector.store.db import Tx
from connector.store.plain import load
from connector.store.schema import action, effect, effect_after

_RECEIPT: TypeAdapter[Receipt] = TypeAdapter(Receipt)
_OURS = effect.c
_MANY: Final = 500


@dataclass(frozen=True)
class EffectRow:
    """One effect and how far it came. `t_send` is when its last attempt began; `prepared` what that attempt sent."""

    effect: Effect
    organisation_id: str
    action_id: str
    state: EffectState
    attempt: int
    epoch: int  # of the lease under which the last attempt was made
    t_send: datetime | None
    prepared: Prepared | None
    hold: bool
    reason: str
    not_before: datetime | None
    receipt: Receipt | None
    content_hash: str
    created_at: datetime
    updated_at: datetime

    @property
    def next_key(self) -> str | None:
        """The vendor key of a new request. None for a letter: its Message-ID is how it is found, and never changes."""
        return None if self.effect.kind is EffectKind.LETTER else f"{self.effect.key[:40]}-{self.attempt + 1}"


def decode(row: sa.Row[Any]) -> EffectRow:
    """A row of the table as a value."""
    prepared = None
    if row.request_method is not None:
        prepared = Prepared(row.request_method, row.request_path, row.request_body, row.request_type, row.vendor_key)
    return EffectRow(
        effect=load(EFFECT, row.body),
        organisation_id=row.organisation_id,
        action_id=row.action_id,
        state=EffectState(row.state),
        attempt=row.attempt,
        epoch=row.epoch,
        t_send=row.t_send,
        prepared=prepared,
        hold=row.hold,
        reason=row.reason,
        not_before=row.not_before,
        receipt=None if row.receipt is None else load(_RECEIPT, row.receipt),
        content_hash=row.content_hash,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def due_query(tenant: str, org_id: str, now: datetime) -> sa.Select[Any]:
    """Planned, not held, its time come, all it waits for done; oldest first. Served by `ix_effect_due`."""
    first = effect.alias("first")
    unfinished = (
        sa.select(effect_after.c.after_key)
        .join_from(
            effect_after,
            first,
            sa.and_(first.c.tenant == effect_after.c.tenant, first.c.key == effect_after.c.after_key),
            isouter=True,
        )
        .where(
            effect_after.c.tenant == _OURS.tenant,
            effect_after.c.key == _OURS.key,
            first.c.state.is_distinct_from(sa.literal_column("'done'")),
        )
    )
    return (
        sa.select(effect)
        .where(
            _OURS.tenant == tenant,
            _OURS.organisation_id == org_id,
            # Written out, not bound: only then do both databases see that the partial index covers it.
            _OURS.state == sa.literal_column("'planned'"),
            sa.not_(_OURS.hold),
            sa.or_(_OURS.not_before.is_(None), _OURS.not_before <= now),
            ~unfinished.exists(),
        )
        .order_by(_OURS.created_at, _OURS.action_id, _OURS.position)
    )


def get(tx: Tx, key: str) -> EffectRow:
    """Raises `NotFound`."""
    row = tx.connection.execute(sa.select(effect).where(named(tx, key))).one_or_none()
    if row is None:
        raise NotFound("no such effect", record=key, next_step="`dunwell effects` lists them")
    return decode(row)


def find(tx: Tx, prefix: str) -> EffectRow:
    """By key or the beginning of one. Raises `NotFound`, `Refused` when several begin so."""
    folded = prefix.strip().lower()
    same = sa.func.substr(_OURS.key, 1, max(len(folded), 1)) == folded
    rows = tx.connection.execute(sa.select(effect).where(_OURS.tenant == tx.tenant, same).limit(2)).all()
    if not rows:
        raise NotFound(f"no effect {prefix!r}", next_step="`dunwell effects` lists them")
    if len(rows) > 1:
        raise Refused(f"several effects begin with {prefix!r}", next_step="write more of the key")
    return decode(rows[0])


def listing(tx: Tx, org_id: str | None, *wanted: EffectState) -> tuple[EffectRow, ...]:
    """Effects in these states (none named = all) of one organisation or all, oldest first."""
    conditions = [] if org_id is None else [_OURS.organisation_id == org_id]
    if wanted:
        conditions.append(_OURS.state.in_([state.value for state in wanted]))
    return _select(tx, *conditions)


def of_action(tx: Tx, action_id: str) -> tuple[EffectRow, ...]:
    """The action's effects, in their order."""
    return _select(tx, _OURS.action_id == action_id)


def of_customer(tx: Tx, org_id: str, customer_id: str) -> tuple[EffectRow, ...]:
    """The effects of every action about this customer, oldest first."""
    mine = sa.select(action.c.id).where(
        action.c.tenant == tx.tenant, action.c.organisation_id == org_id, action.c.customer_id == customer_id
    )
    return _select(tx, _OURS.organisation_id == org_id, _OURS.action_id.in_(mine))


def receipts(tx: Tx, keys: Iterable[str]) -> dict[str, Receipt]:
    """The receipts of those effects that have one."""
    query = sa.select(_OURS.key, _OURS.receipt).where(_OURS.receipt.is_not(None))
    return {row.key: load(_RECEIPT, row.receipt) for row in by_keys(tx, query, keys)}


def states(tx: Tx, keys: Iterable[str]) -> dict[str, EffectState]:
    """The states of those effects that exist."""
    return {row.key: EffectState(row.state) for row in by_keys(tx, sa.select(_OURS.key, _OURS.state), keys)}


def counts(tx: Tx, org_id: str | None) -> dict[tuple[EffectKind, EffectState], int]:
    """How many effects of each kind are in each state."""
    query = sa.select(_OURS.kind, _OURS.state, sa.func.count()).where(_OURS.tenant == tx.tenant)
    if org_id is not None:
        query = query.where(_OURS.organisation_id == org_id)
    rows = tx.connection.execute(query.group_by(_OURS.kind, _OURS.state).order_by(_OURS.kind, _OURS.state))
    return {(EffectKind(kind), EffectState(state)): count for kind, state, count in rows}


def due(tx: Tx, org_id: str, now: datetime) -> tuple[EffectRow, ...]:
    """What may be sent at that instant, oldest first: planned, not held, its time come, all it waits for done."""
    return tuple(decode(row) for row in tx.connection.execute(due_query(tx.tenant, org_id, now)))


def by_keys(tx: Tx, query: sa.Select[Any], keys: Iterable[str]) -> Iterable[sa.Row[Any]]:
    """The query, for these keys only."""
    for some in batched(dict.fromkeys(keys), _MANY):
        yield from tx.connection.execute(query.where(_OURS.tenant == tx.tenant, _OURS.key.in_(some)))


def _select(tx: Tx, *conditions: sa.ColumnElement[bool]) -> tuple[EffectRow, ...]:
    query = sa.select(effect).where(_OURS.tenant == tx.tenant, *conditions)
    ordered = query.order_by(_OURS.created_at, _OURS.action_id, _OURS.position)
    return tuple(decode(row) for row in tx.connection.execute(ordered))


def named(tx: Tx, key: str) -> sa.ColumnElement[bool]:
    """The condition that picks one effect."""
    return sa.and_(_OURS.tenant == tx.tenant, _OURS.key == key)
