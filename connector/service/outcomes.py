"""The outbox as people see it: list, settle what nobody could see, retry or give up what was refused. And the modes."""

from __future__ import annotations

from enum import StrEnum

from connector.domain.decisions import ActionKind
from connector.domain.effects import Effect, EffectState, Receipt
from connector.errors import Refused, UserError
from connector.service.consequences import OPEN_STATES, record_done, settle_action
from connector.service.wiring import Wiring
from connector.store import actions, organisations, outbox, timeline, wake
from connector.store.actions import ActionRow
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow
from connector.store.outbox import EffectRow


class Mode(StrEnum):
    OBSERVE = "observe"
    APPROVE = "approve"
    AUTOPILOT = "autopilot"


def set_mode(w: Wiring, organisation: OrganisationRow, mode: Mode) -> OrganisationRow:
    """Change what may happen without a person. Raises `Refused` while the take-on is open."""
    if mode is not Mode.OBSERVE and organisation.take_on_closed_on is None:
        raise Refused(
            "the take-on is not closed",
            record=organisation.record.name,
            next_step="`dunwell take-on` shows what is open",
        )
    with w.db.writing(w.tenant) as tx:
        organisations.set_mode(tx, organisation.id, mode.value)
        timeline.append(tx, organisation.id, "mode", organisation.id, w.who, {"mode": mode.value})
        return organisations.get(tx, organisation.id)


def listing(w: Wiring, organisation_id: str | None, state: str | None) -> tuple[EffectRow, ...]:
    """Effects, oldest first. Raises `UserError` for an unknown state."""
    try:
        states = (EffectState(state),) if state else tuple(EffectState)
    except ValueError:
        raise UserError(f"{state!r} is not a state", next_step="one of " + ", ".join(EffectState)) from None
    with w.db.reading(w.tenant) as tx:
        return outbox.listing(tx, organisation_id, *states)


def proposed_calls(w: Wiring, organisation_id: str | None) -> list[ActionRow]:
    with w.db.reading(w.tenant) as tx:
        return [a for a in actions.listing(tx, organisation_id, "proposed") if a.key.kind is ActionKind.CALL]


def settle(w: Wiring, text: str, *, happened: bool) -> EffectRow:
    """A person looked: it happened, or it did not (then it may be sent again by the next apply). Raises `Refused`."""
    with w.db.writing(w.tenant) as tx:
        row = outbox.find(tx, text)
        if row.state is not EffectState.HUMAN:
            raise Refused(
                f"its outcome is known: {row.state.value}",
                record=row.effect.key[:12],
                not_done="nothing was settled",
                next_step="dunwell effects retry KEY, or dunwell effects settle KEY --give-up --reason TEXT"
                if row.state is EffectState.REJECTED
                else "dunwell effects --state human lists those that a person settles",
            )
        organisation = organisations.get(tx, row.organisation_id)
        if happened:
            receipt = Receipt(reference="a person saw it", detail=w.who, found=True)
            outbox.finish(
                tx, row.effect.key, row.attempt, EffectState.DONE, receipt=receipt, reason=f"settled by {w.who}"
            )
            record_done(w, tx, organisation, row, receipt)
        else:
            said = f"{w.who}: it did not happen"
            outbox.back(tx, row.effect.key, row.attempt, said, new_vendor_key=row.next_key)
        settle_action(tx, row.action_id)
        return outbox.get(tx, row.effect.key)


def give_up(w: Wiring, text: str, reason: str) -> EffectRow:
    """A person gives up, for good, what was refused or what nobody can tell: cancelled, and with it what waits for it.

    Its action is never proposed again unless another of its acts happened. Raises `Refused`, also without a reason.
    """
    if not reason.strip():
        raise Refused(
            "giving up needs a reason", record=text, not_done="nothing was given up", next_step="add --reason TEXT"
        )
    with w.db.writing(w.tenant) as tx:
        row = outbox.find(tx, text)
        key = row.effect.key
        if row.state not in (EffectState.HUMAN, EffectState.REJECTED):
            raise Refused(
                f"only what was refused, or what nobody can tell, is given up; this one is {row.state.value}",
                record=key[:12],
                not_done="nothing was given up",
                next_step="dunwell effects shows the state of each",
            )
        said = f"given up by {w.who}: {reason}"
        outbox.finish(tx, key, row.attempt, EffectState.CANCELLED, reason=said, by=w.who)
        outbox.cancel_dependents(tx, key, f"the act it reports was {said}")
        _give_up_action(w, tx, row.action_id, said)
        return outbox.get(tx, key)


def _give_up_action(w: Wiring, tx: Tx, action_id: str, said: str) -> None:
    """Done where another of its acts happened; rejected for good where none did and none is to come."""
    action = actions.get(tx, action_id)
    wake.mark(tx, action.organisation_id, [action.customer_id])
    rows = outbox.of_action(tx, action_id)
    if any(row.state in OPEN_STATES for row in rows):
        return
    if any(row.state is EffectState.DONE for row in rows if not row.effect.after):
        settle_action(tx, action_id)
    else:
        actions.give_up(tx, action_id, w.who, tx.now, said)


def retry(w: Wiring, text: str) -> EffectRow:
    """Try a refused effect again under the same identity, and after it what waited for it. Raises `Refused`."""
    with w.db.writing(w.tenant) as tx:
        row = outbox.find(tx, text)
        if row.state is not EffectState.REJECTED:
            raise Refused(f"only refused effects are tried again, this one is {row.state.value}", record=text)
        if actions.get(tx, row.action_id).state == "proposed":
            raise Refused(
                "the plan proposes it again, perhaps with other content",
                record=row.effect.key[:12],
                next_step=f"`dunwell approve {row.action_id}`",
            )
        outbox.retry(tx, row.effect.key, row.attempt, row.next_key, w.who)
        outbox.add(tx, row.organisation_id, row.action_id, _cancelled_with(tx, row))
        actions.settle(tx, row.action_id, "approved", tx.now)
        return outbox.get(tx, row.effect.key)


def _cancelled_with(tx: Tx, row: EffectRow) -> list[Effect]:
    """The effects of the same action that were cancelled because they wait for this one."""
    again: dict[str, Effect] = {row.effect.key: row.effect}
    for other in outbox.of_action(tx, row.action_id):  # in their order: each comes after what it waits for
        if other.state is EffectState.CANCELLED and not again.keys().isdisjoint(other.effect.after):
            again[other.effect.key] = other.effect
    return [effect for key, effect in again.items() if key != row.effect.key]
