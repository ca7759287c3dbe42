"""Approve or reject proposals. Approval and effects commit together; both are bound to the content that was shown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from connector.domain.decisions import ActionKind, DunningLevel
from connector.errors import NotFound, Refused
from connector.service.wiring import Wiring
from connector.store import actions, outbox
from connector.store.actions import ActionRow
from connector.store.db import Tx

FOR_A_PERSON = frozenset({ActionKind.CALL, ActionKind.TASK})
MOVES_MONEY = frozenset({ActionKind.CREDIT, ActionKind.APPLY_CREDIT, ActionKind.SET_TERMS, ActionKind.REISSUE})
HANDS_OVER = frozenset({ActionKind.HAND_OVER, ActionKind.TAKE_BACK})
_ONE_BY_ONE = FOR_A_PERSON | MOVES_MONEY | HANDS_OVER


def in_bulk(action: ActionRow) -> bool:
    """May `--all` approve it? Money, final letters, principal letters and hand-over are approved one by one."""
    return action.key.kind not in _ONE_BY_ONE and action.decision.level < DunningLevel.PRINCIPAL


def approve_all(w: Wiring, organisation_id: str | None = None) -> list[ActionRow]:
    """Approve every proposal that may be approved in bulk."""
    with w.db.writing(w.tenant) as tx:
        waiting = actions.listing(tx, organisation_id, "proposed")
        chosen = [action for action in waiting if in_bulk(action) and not _expired(tx, action)]
        return [_approve(w, tx, action) for action in chosen]


def approve(w: Wiring, ids: Iterable[str]) -> list[ActionRow]:
    """Approve these proposals, all or none. Raises `NotFound`, `Refused`."""
    with w.db.writing(w.tenant) as tx:
        return [_approve(w, tx, actions.find(tx, text)) for text in ids]


def approve_exactly(w: Wiring, pairs: Iterable[tuple[str, str]]) -> list[ActionRow]:
    """Approve (id, content hash) pairs of a saved plan; what has changed since, or is for a person, is passed over."""
    approved = []
    with w.db.writing(w.tenant) as tx:
        for action_id, content in pairs:
            action = actions.find(tx, action_id)
            if action.key.kind in FOR_A_PERSON:
                continue
            if action.state == "proposed" and action.content_hash == content and not _expired(tx, action):
                approved.append(_approve(w, tx, action))
    return approved


def reject(w: Wiring, text: str, *, reason: str, until: date | None, for_good: bool) -> ActionRow:
    """Turn a proposal down until a date or for good. Raises `Refused` without a reason or a term."""
    if not reason.strip():
        raise Refused("a rejection needs a reason", record=text, next_step="add --reason TEXT")
    if (until is None) == (not for_good):
        raise Refused(
            "a rejection needs a term",
            record=text,
            not_done="the proposal stays as it was",
            next_step="add either --until DATE or --for-good",
        )
    with w.db.writing(w.tenant) as tx:
        action = actions.find(tx, text)
        if action.state != "proposed":
            raise Refused(f"the action is {action.state}, only proposals can be rejected", record=action.id)
        actions.reject(tx, action.id, w.who, tx.now, reason, until)
        return actions.get(tx, action.id)


def _expired(tx: Tx, action: ActionRow) -> bool:
    return action.expires_at is not None and action.expires_at <= tx.now


def _approve(w: Wiring, tx: Tx, action: ActionRow) -> ActionRow:
    if action.key.kind in FOR_A_PERSON:
        raise Refused(
            f"a {action.key.kind.value} is done by a person, not approved",
            record=action.id,
            not_done="nothing was approved",
            next_step=f"do it, then `dunwell call done {action.id}`"
            if action.key.kind is ActionKind.CALL
            else f"do it, then `dunwell reject {action.id} --for-good --reason done`",
        )
    if action.state == "approved":
        return action
    if not actions.approve(tx, action.id, action.content_hash, w.who, tx.now):
        raise Refused(
            f"the proposal is {'expired' if _expired(tx, action) else action.state}",
            record=action.id,
            not_done="nothing was approved",
            next_step="run `dunwell plan` and look at the proposal again",
        )
    outbox.add(tx, action.organisation_id, action.id, action.effects)
    return actions.get(tx, action.id)


def known_action(w: Wiring, text: str) -> ActionRow:
    """The action with this id or unambiguous beginning of one. Raises `NotFound`."""
    with w.db.reading(w.tenant) as tx:
        found = actions.find(tx, text)
    if found is None:
        raise NotFound(f"no action {text!r}", next_step="`dunwell plan` lists them")
    return found
