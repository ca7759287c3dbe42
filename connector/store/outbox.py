"""The outbox: effects on their way into the ledger, each with a durable intent before its first byte.

    PLANNED -> SENDING -> DONE | REJECTED | UNKNOWN        UNKNOWN -> DONE | PLANNED | HUMAN
    SENDING -> PLANNED (certainly not sent)                HUMAN -> DONE | PLANNED | CANCELLED
    PLANNED -> CANCELLED                                   REJECTED -> PLANNED (tried again, or approved anew)
    REJECTED -> CANCELLED (a person gave it up)

Every change is compare-and-set and on the timeline. `attempt` counts the starts: who holds an old one changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from pydantic import TypeAdapter

from connector.domain.effects import EFFECT, Effect, EffectState, Prepared, Receipt, content_hash
from connector.errors import Refused
from connector.store import leases, timeline
from connector.store.db import Tx
from connector.store.outbox_read import (
    EffectRow,
    by_keys,
    counts,
    decode,
    due,
    due_query,
    find,
    get,
    listing,
    named,
    of_action,
    of_customer,
    receipts,
    states,
)
from connector.store.plain import dump
from connector.store.schema import effect, effect_after

__all__ = [
    "EffectRow", "add", "back", "cancel_dependents", "counts", "due", "find", "finish", "get", "in_doubt", "listing",
    "of_action", "of_customer", "postpone", "receipts", "retry", "set_hold", "start", "states",
]  # fmt: skip

_RECEIPT: TypeAdapter[Receipt] = TypeAdapter(Receipt)
_OURS = effect.c
_MANY: Final = 500
_FLYING: Final = (EffectState.SENDING, EffectState.UNKNOWN)

# Where `finish` may lead, and from where; `back` and `retry` lead to PLANNED, `start` to SENDING.
FINISHES: Final = {
    EffectState.DONE: (EffectState.SENDING, EffectState.UNKNOWN, EffectState.HUMAN),
    EffectState.REJECTED: (EffectState.SENDING,),
    EffectState.UNKNOWN: (EffectState.SENDING,),
    EffectState.HUMAN: (EffectState.UNKNOWN,),
    EffectState.CANCELLED: (EffectState.PLANNED, EffectState.HUMAN, EffectState.REJECTED),
}
RETURNS: Final = (EffectState.SENDING, EffectState.UNKNOWN, EffectState.HUMAN)


def add(tx: Tx, org_id: str, action_id: str, effects: Sequence[Effect]) -> tuple[str, ...]:
    """Plan these effects: the keys that are planned by this call (an effect that is there already is not doubled).

    Other content replaces what is PLANNED and was never started, and a CANCELLED or REJECTED effect is planned again:
    none of them has touched the ledger. Otherwise other content raises `Refused`, and so does waiting for an unknown
    effect.
    """
    known = _present(tx, [key for e in effects for key in (e.key, *e.after)])
    ours = {e.key for e in effects}
    planned = []
    for position, one in enumerate(effects):
        if unknown := [key for key in one.after if key not in known and key not in ours]:
            raise Refused("the effect waits for one that does not exist", record=unknown[0], not_done="not planned")
        if _plan(tx, org_id, action_id, one, position, known.get(one.key)):
            planned.append(one.key)
    return tuple(planned)


def _plan(tx: Tx, org_id: str, action_id: str, one: Effect, position: int, before: EffectRow | None) -> bool:
    content = content_hash(one)
    values: dict[str, Any] = {
        "organisation_id": org_id, "action_id": action_id, "position": position, "kind": one.kind.value,
        "target_kind": one.target_kind.value, "target": one.target, "body": dump(EFFECT, one), "content_hash": content,
        "state": EffectState.PLANNED.value, "hold": False, "reason": "", "not_before": None, "updated_at": tx.now,
    }  # fmt: skip
    unprepared = {"request_method": None, "request_path": "", "request_body": b"", "request_type": "", "vendor_key": ""}
    if before is None:
        first = {"tenant": tx.tenant, "key": one.key, "attempt": 0, "epoch": 0, "created_at": tx.now}
        tx.connection.execute(sa.insert(effect), first | values | unprepared)
    elif before.state is EffectState.REJECTED:
        # The ledger may keep its refusal under the vendor key: what is approved anew goes as a new request.
        _change(tx, one.key, values | unprepared)
    elif before.state is EffectState.CANCELLED:
        # What was prepared (with its vendor key) is still right for the same content only.
        _change(tx, one.key, values | ({} if before.content_hash == content else unprepared))
    elif before.content_hash == content:
        return False
    elif before.state is EffectState.PLANNED and before.attempt == 0:
        _change(tx, one.key, values | unprepared)
    else:
        raise Refused(
            f"this effect was planned with other content and is {before.state.value}",
            record=one.key,
            not_done="what was planned first stays as it is",
        )
    _set_after(tx, one)
    _note(tx, org_id, one.key, "planned", {"action": action_id, "kind": one.kind.value, "content": content})
    return True


def _set_after(tx: Tx, one: Effect) -> None:
    mine = effect_after.c
    tx.connection.execute(sa.delete(effect_after).where(mine.tenant == tx.tenant, mine.key == one.key))
    rows = [{"tenant": tx.tenant, "key": one.key, "after_key": key} for key in dict.fromkeys(one.after)]
    if rows:
        tx.connection.execute(sa.insert(effect_after), rows)


def in_doubt(tx: Tx, org_id: str) -> tuple[EffectRow, ...]:
    """Effects that may or may not have happened: UNKNOWN, and SENDING by a holder that no longer is one."""
    epoch = leases.live_epoch(tx, leases.delivering(org_id))
    rows = listing(tx, org_id, *_FLYING)
    return tuple(row for row in rows if row.state is EffectState.UNKNOWN or row.epoch != epoch)


def start(tx: Tx, key: str, epoch: int, prepared: Prepared, at: datetime) -> bool:
    """Commit the intent to send exactly this. Only after the transaction has committed may the first byte leave.

    False when the effect is not due any more, or another effect of its target is in flight.
    """
    row = get(tx, key)
    now_due = tx.connection.execute(due_query(tx.tenant, row.organisation_id, at).where(_OURS.key == key)).first()
    if now_due is None or _target_is_busy(tx, row):
        return False
    _change(
        tx, key,
        {
            "state": EffectState.SENDING.value, "attempt": row.attempt + 1, "epoch": epoch, "t_send": at, "reason": "",
            "not_before": None, "request_method": prepared.method, "request_path": prepared.path,
            "request_body": prepared.body, "request_type": prepared.content_type, "vendor_key": prepared.key,
        },
    )  # fmt: skip
    _note(tx, row.organisation_id, key, "sending", {"attempt": row.attempt + 1, "epoch": epoch})
    return True


def _target_is_busy(tx: Tx, row: EffectRow) -> bool:
    other = sa.select(_OURS.key).where(
        _OURS.tenant == tx.tenant,
        _OURS.organisation_id == row.organisation_id,
        _OURS.target_kind == row.effect.target_kind.value,
        _OURS.target == row.effect.target,
        _OURS.state.in_([state.value for state in _FLYING]),
    )
    return tx.connection.execute(other.limit(1)).first() is not None


def finish(
    tx: Tx,
    key: str,
    attempt: int,
    state: EffectState,
    *,
    receipt: Receipt | None = None,
    reason: str = "",
    by: str = "dunwell",
) -> bool:
    """Store what became of this attempt. False when it was started again meanwhile, or is in that state already.

    Raises `NotFound`, and `Refused` for a change that the states do not allow.
    """
    row = get(tx, key)
    if row.attempt != attempt or row.state is state:
        return False
    _allow(row, state, FINISHES.get(state, ()))
    values: dict[str, Any] = {"state": state.value, "reason": reason}
    if receipt is not None:
        values["receipt"] = dump(_RECEIPT, receipt)
    _change(tx, key, values)
    said = {} if receipt is None else {"receipt": receipt.reference}
    _note(tx, row.organisation_id, key, state.value, {"attempt": attempt, "from": row.state.value} | said, reason, by)
    return True


def back(
    tx: Tx,
    key: str,
    attempt: int,
    reason: str,
    not_before: datetime | None = None,
    new_vendor_key: str | None = None,
) -> bool:
    """It certainly did not happen: plan it again, not before that instant. False when it was started again meanwhile.

    The request stays as it was frozen; `new_vendor_key` only where a look has proved absence. Raises `Refused`.
    """
    return _plan_again(tx, key, attempt, RETURNS, reason, not_before, new_vendor_key, "dunwell")


def retry(tx: Tx, key: str, attempt: int, new_vendor_key: str | None, by: str) -> bool:
    """A person mended what the ledger refused: plan it again under a new vendor key. Raises `Refused`."""
    return _plan_again(tx, key, attempt, (EffectState.REJECTED,), f"tried again by {by}", None, new_vendor_key, by)


def _plan_again(
    tx: Tx, key: str, attempt: int, sources: tuple[EffectState, ...], reason: str, not_before: datetime | None,
    vendor_key: str | None, by: str,
) -> bool:  # fmt: skip
    row = get(tx, key)
    if row.attempt != attempt:
        return False
    _allow(row, EffectState.PLANNED, sources)
    values: dict[str, Any] = {"state": EffectState.PLANNED.value, "reason": reason, "not_before": not_before}
    if vendor_key is not None:
        values["vendor_key"] = vendor_key
    _change(tx, key, values)
    body = {"attempt": attempt, "from": row.state.value, "not_before": not_before}
    _note(tx, row.organisation_id, key, "planned", body, reason, by)
    return True


def postpone(tx: Tx, key: str, reason: str, not_before: datetime | None) -> None:
    """It stays planned, for later. Not a change of state. Raises `Refused` when it is not PLANNED."""
    row = get(tx, key)
    _allow(row, EffectState.PLANNED, (EffectState.PLANNED,))
    _change(tx, key, {"reason": reason, "not_before": not_before})


def set_hold(tx: Tx, key: str, *, hold: bool, reason: str) -> None:
    """Keep it back, or let it go. Raises `Refused` when it is not PLANNED."""
    row = get(tx, key)
    _allow(row, EffectState.PLANNED, (EffectState.PLANNED,))
    _change(tx, key, {"hold": hold, "reason": reason})
    _note(tx, row.organisation_id, key, "held" if hold else "let_go", {}, reason)


def cancel_dependents(tx: Tx, key: str, reason: str) -> int:
    """Cancel every planned effect that waits for this one, and those that wait for them: how many."""
    mine = effect_after.c
    cancelled = 0
    waiting, seen = [key], {key}
    while waiting:
        query = sa.select(mine.key).where(mine.tenant == tx.tenant, mine.after_key == waiting.pop()).order_by(mine.key)
        for dependent in tx.connection.execute(query).scalars().all():
            if dependent in seen:
                continue
            seen.add(dependent)
            waiting.append(dependent)
            row = get(tx, dependent)
            if row.state is EffectState.PLANNED:
                cancelled += finish(tx, dependent, row.attempt, EffectState.CANCELLED, reason=reason)
    return cancelled


def _allow(row: EffectRow, state: EffectState, sources: tuple[EffectState, ...]) -> None:
    if row.state not in sources:
        raise Refused(
            f"an effect that is {row.state.value} does not become {state.value}",
            record=row.effect.key,
            not_done="it stays as it is",
        )


def _present(tx: Tx, keys: Iterable[str]) -> dict[str, EffectRow]:
    return {row.key: decode(row) for row in by_keys(tx, sa.select(effect), keys)}


def _change(tx: Tx, key: str, values: dict[str, Any]) -> None:
    tx.connection.execute(sa.update(effect).where(named(tx, key)).values({"updated_at": tx.now} | values))


def _note(
    tx: Tx, org_id: str, key: str, what: str, body: dict[str, Any], reason: str = "", by: str = "dunwell"
) -> None:
    timeline.append(tx, org_id, f"effect.{what}", key, by, body | ({"reason": reason} if reason else {}))
