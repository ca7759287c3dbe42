"""Actions: what the policy proposes, a person approves, and deliveries settle. Approval binds to the content shown."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic import TypeAdapter

from connector.domain.decisions import Acted, ActedState, ActionKey, ActionKind, Decision
from connector.domain.effects import Effect
from connector.errors import NotFound, Refused
from connector.store import organisations, timeline
from connector.store.db import Tx
from connector.store.plain import canonical, dump, dumps, load
from connector.store.policies import get_policy, save_policy
from connector.store.schema import action

__all__ = [
    "ActionRow", "acted", "acted_all", "action_id", "approve", "find", "get", "get_policy", "give_up", "listing",
    "propose", "reject", "save_policy", "settle", "withdraw_unrenewed",
]  # fmt: skip

ID_LENGTH: Final = 10
Proposed = Literal["new", "unchanged", "changed", "standing"]

_DECISION: TypeAdapter[Decision] = TypeAdapter(Decision)
_EFFECTS: TypeAdapter[tuple[Effect, ...]] = TypeAdapter(tuple[Effect, ...])
_OURS = action.c

# Built once: these run for every proposal of a plan.
_BY_ID: Final = sa.select(action).where(_OURS.tenant == sa.bindparam("in_tenant"), _OURS.id == sa.bindparam("named"))
_BY_KEY: Final = sa.select(action).where(
    _OURS.tenant == sa.bindparam("in_tenant"),
    _OURS.organisation_id == sa.bindparam("org"),
    _OURS.kind == sa.bindparam("kind"),
    _OURS.target == sa.bindparam("at"),
    _OURS.occasion == sa.bindparam("why"),
)
_INSERT: Final = sa.insert(action)

# From where `settle` may lead to a state. A cancelled or done action is approved anew when an effect is tried again.
_SETTLES: Final = {
    "done": ("proposed", "approved", "cancelled"),
    "cancelled": ("proposed", "approved"),
    "expired": ("proposed",),
    "withdrawn": ("proposed",),
    "approved": ("done", "cancelled"),
}
_ACTED: Final = {
    "approved": ActedState.APPROVED,
    "done": ActedState.DONE,
    "rejected": ActedState.REJECTED,
    "cancelled": ActedState.CANCELLED,
}


@dataclass(frozen=True)
class ActionRow:
    """One action. An approval is bound to `content_hash`; a rejection ends on `until` (None = never)."""

    id: str
    organisation_id: str
    key: ActionKey
    customer_id: str
    state: str  # proposed | approved | rejected | withdrawn | expired | done | cancelled
    content_hash: str
    decision: Decision
    effects: tuple[Effect, ...]
    preview: dict[str, str]
    role: str
    created_at: datetime
    expires_at: datetime | None
    decided_by: str
    decided_at: datetime | None
    reason: str
    until: date | None
    policy_version: str
    mapping_version: str
    settled_at: datetime | None = None


def action_id(org_id: str, key: ActionKey) -> str:
    """Ten letters and digits that say which action it is; the same for the same organisation and key, always."""
    material = canonical([org_id, key.kind.value, key.target, key.occasion])
    return base64.b32encode(hashlib.sha256(material.encode()).digest())[:ID_LENGTH].decode().lower()


def propose(tx: Tx, org_id: str, row: ActionRow) -> Proposed:
    """Offer the action. Nothing that was approved, done or rejected in force is touched ("standing").

    "changed": a waiting proposal now has other content (its approval would be for that). "new" also stands for one that
    was withdrawn, expired, cancelled or rejected until a day that has come: it needs a fresh approval.
    """
    fresh = replace(
        row, id=action_id(org_id, row.key), organisation_id=org_id, state="proposed", decided_by="", decided_at=None,
        reason="", until=None, settled_at=None,
    )  # fmt: skip
    found = _by_key(tx, org_id, row.key)
    if found is None:
        tx.connection.execute(_INSERT, _values(tx, fresh))
        _note(tx, fresh, "action.proposed", "dunwell")
        return "new"
    if found.state == "proposed" and not _expired(tx, found):
        return _renew(tx, found, fresh)
    if not _may_return(tx, org_id, found):
        return "standing"
    _update(tx, fresh.id, **_values(tx, fresh))
    _note(tx, fresh, "action.proposed", "dunwell", before=found.state)
    return "new"


def _renew(tx: Tx, found: ActionRow, fresh: ActionRow) -> Proposed:
    fresh = replace(fresh, created_at=found.created_at)
    if fresh.content_hash != found.content_hash:
        _update(tx, fresh.id, **_values(tx, fresh))
        _note(tx, fresh, "action.changed", "dunwell", before=found.content_hash)
        return "changed"
    # Same content on other facts: drift must later be measured against the facts of today.
    if fresh.decision != found.decision:
        _update(tx, fresh.id, decision=dump(_DECISION, fresh.decision), policy_version=fresh.policy_version)
    return "unchanged"


def _may_return(tx: Tx, org_id: str, found: ActionRow) -> bool:
    if found.state == "rejected":
        zone = _zone(tx, org_id)
        return found.until is not None and found.until <= tx.now.astimezone(zone).date()
    return found.state in {"proposed", "withdrawn", "expired", "cancelled"}  # proposed: its time ran out


def _expired(tx: Tx, row: ActionRow) -> bool:
    return row.expires_at is not None and row.expires_at <= tx.now


def withdraw_unrenewed(tx: Tx, org_id: str, renewed_ids: set[str], customer_ids: set[str] | None) -> int:
    """Withdraw the proposals (of these customers; None = all) that the plan did not make again: how many."""
    query = sa.select(_OURS.id, _OURS.customer_id).where(
        _OURS.tenant == tx.tenant, _OURS.organisation_id == org_id, _OURS.state == "proposed"
    )
    gone = [
        row.id
        for row in tx.connection.execute(query)
        if row.id not in renewed_ids and (customer_ids is None or row.customer_id in customer_ids)
    ]
    for row_id in gone:
        settle(tx, row_id, "withdrawn", tx.now)
    return len(gone)


def approve(tx: Tx, row_id: str, content_hash: str, by: str, at: datetime) -> bool:
    """Approve exactly this content. False when it is not proposed any more, has other content, or has expired."""
    approved = (
        sa.update(action)
        .where(
            _is(tx, row_id),
            _OURS.state == "proposed",
            _OURS.content_hash == content_hash,
            sa.or_(_OURS.expires_at.is_(None), _OURS.expires_at > at),
        )
        .values(state="approved", decided_by=by, decided_at=at)
        .returning(_OURS.organisation_id, _OURS.kind, _OURS.customer_id)
    )
    found = tx.connection.execute(approved).one_or_none()
    if found is None:
        return False
    body = {"kind": found.kind, "customer_id": found.customer_id, "content": content_hash}
    timeline.append(tx, found.organisation_id, "action.approved", row_id, by, body)
    return True


def reject(tx: Tx, row_id: str, by: str, at: datetime, reason: str, until: date | None) -> None:
    """Turn a proposal down until that day (None = for good). Raises `NotFound`, `Refused` when it is no proposal."""
    row = get(tx, row_id)
    if row.state != "proposed":
        raise Refused(f"the action is {row.state}, only proposals can be rejected", record=row_id)
    _update(tx, row_id, state="rejected", decided_by=by, decided_at=at, reason=reason, until=until)
    _note(tx, row, "action.rejected", by, reason=reason, until=until)


def give_up(tx: Tx, row_id: str, by: str, at: datetime, reason: str) -> None:
    """None of its acts will happen any more, and it is never proposed again. Raises `NotFound`, `Refused` when done."""
    row = get(tx, row_id)
    if row.state == "done":
        raise Refused("the action is done", record=row_id, not_done="it stays done")
    _update(tx, row_id, state="rejected", decided_by=by, decided_at=at, reason=reason, until=None, settled_at=None)
    _note(tx, row, "action.rejected", by, before=row.state, reason=reason, until=None)


def settle(tx: Tx, row_id: str, state: str, at: datetime) -> None:
    """Move on to done, cancelled, expired, withdrawn, or back to approved; no-op when it is there already.

    Raises `NotFound`, `Refused` where that state does not lead there.
    """
    row = get(tx, row_id)
    if row.state == state:
        return
    if row.state not in _SETTLES.get(state, ()):
        raise Refused(f"an action that is {row.state} does not become {state}", record=row_id)
    _update(tx, row_id, state=state, settled_at=None if state == "approved" else at)
    _note(tx, row, f"action.{state}", "dunwell", before=row.state)


def get(tx: Tx, row_id: str) -> ActionRow:
    """Raises `NotFound`."""
    row = tx.connection.execute(_BY_ID, {"in_tenant": tx.tenant, "named": row_id}).one_or_none()
    if row is None:
        raise NotFound("no such action", record=row_id, next_step="`dunwell plan` lists them")
    return _row(row)


def find(tx: Tx, prefix: str) -> ActionRow:
    """By id or the beginning of one. Raises `NotFound`, `Refused` when several begin so."""
    folded = prefix.strip().lower()
    query = sa.select(action).where(
        _OURS.tenant == tx.tenant, sa.func.substr(_OURS.id, 1, max(len(folded), 1)) == folded
    )
    rows = tx.connection.execute(query.order_by(_OURS.id).limit(2)).all()
    if not rows:
        raise NotFound(f"no action {prefix!r}", next_step="`dunwell plan` lists them")
    if len(rows) > 1:
        raise Refused(f"several actions begin with {prefix!r}", next_step="write more of the id")
    return _row(rows[0])


def listing(tx: Tx, org_id: str | None, *states: str) -> tuple[ActionRow, ...]:
    """Actions in these states (none named = all) of one organisation or all, oldest first."""
    query = sa.select(action).where(_OURS.tenant == tx.tenant)
    if org_id is not None:
        query = query.where(_OURS.organisation_id == org_id)
    if states:
        query = query.where(_OURS.state.in_(states))
    return tuple(_row(row) for row in tx.connection.execute(query.order_by(_OURS.created_at, _OURS.id)))


def acted(tx: Tx, org_id: str, customer_id: str) -> dict[ActionKey, Acted]:
    """What became of earlier actions about this customer."""
    return _acted(tx, org_id, _OURS.customer_id == customer_id).get(customer_id, {})


def acted_all(tx: Tx, org_id: str) -> dict[str, dict[ActionKey, Acted]]:
    """The same for every customer, by customer id."""
    return _acted(tx, org_id)


def _acted(tx: Tx, org_id: str, *conditions: sa.ColumnElement[bool]) -> dict[str, dict[ActionKey, Acted]]:
    zone = _zone(tx, org_id)
    query = (
        sa.select(
            _OURS.customer_id, _OURS.kind, _OURS.target, _OURS.occasion, _OURS.state, _OURS.until,
            sa.func.coalesce(_OURS.settled_at, _OURS.decided_at, _OURS.created_at, type_=_OURS.created_at.type),
        )
        .where(_OURS.tenant == tx.tenant, _OURS.organisation_id == org_id, _OURS.state.in_(_ACTED), *conditions)
        .order_by(_OURS.id)
    )  # fmt: skip
    found: dict[str, dict[ActionKey, Acted]] = {}
    for customer_id, kind, target, occasion, state, until, at in tx.connection.execute(query):
        key = ActionKey(ActionKind(kind), target, occasion)
        found.setdefault(customer_id, {})[key] = Acted(key, _ACTED[state], at.astimezone(zone).date(), until)
    return found


def _zone(tx: Tx, org_id: str) -> ZoneInfo:
    return ZoneInfo(organisations.get(tx, org_id).record.timezone)


def _by_key(tx: Tx, org_id: str, key: ActionKey) -> ActionRow | None:
    named = {"in_tenant": tx.tenant, "org": org_id, "kind": key.kind.value, "at": key.target, "why": key.occasion}
    row = tx.connection.execute(_BY_KEY, named).one_or_none()
    return None if row is None else _row(row)


def _update(tx: Tx, row_id: str, **values: Any) -> None:
    tx.connection.execute(sa.update(action).where(_is(tx, row_id)).values(values))


def _note(tx: Tx, row: ActionRow, kind: str, actor: str, **more: Any) -> None:
    body = {"kind": row.key.kind.value, "customer_id": row.customer_id, "content": row.content_hash} | more
    timeline.append(tx, row.organisation_id, kind, row.id, actor, body)


def _is(tx: Tx, row_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(_OURS.tenant == tx.tenant, _OURS.id == row_id)


_SAME: Final = (
    "id", "organisation_id", "customer_id", "state", "content_hash", "role", "created_at", "expires_at", "decided_by",
    "decided_at", "settled_at", "reason", "until", "policy_version", "mapping_version",
)  # fmt: skip


def _values(tx: Tx, row: ActionRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _SAME} | {
        "tenant": tx.tenant,
        "kind": row.key.kind.value,
        "target": row.key.target,
        "occasion": row.key.occasion,
        "decision": dump(_DECISION, row.decision),
        "effects": dump(_EFFECTS, row.effects),
        "preview": dumps(row.preview),
    }


def _row(row: sa.Row[Any]) -> ActionRow:
    fields = {name: getattr(row, name) for name in _SAME}
    return ActionRow(
        key=ActionKey(ActionKind(row.kind), row.target, row.occasion),
        decision=load(_DECISION, row.decision),
        effects=load(_EFFECTS, row.effects),
        preview=json.loads(row.preview),
        **fields,
    )
