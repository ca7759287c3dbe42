"""What follows from a delivered effect in our own records, written in the transaction that stores the receipt."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from connector.channels.context import LetterKind
from connector.domain.cases import LetterSent, PaymentPlan, PlanState
from connector.domain.decisions import ActionKind
from connector.domain.effects import EffectKind, EffectState, Letter, Receipt
from connector.service import reissues
from connector.service.wiring import Wiring, local
from connector.store import actions, cases, outbox, wake
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow
from connector.store.outbox import EffectRow

OPEN_STATES = frozenset({EffectState.PLANNED, EffectState.SENDING, EffectState.UNKNOWN, EffectState.HUMAN})
_CHANNELS = {EffectKind.LETTER: "email", EffectKind.LEDGER_EMAIL: "ledger_email"}


def record_done(w: Wiring, tx: Tx, organisation: OrganisationRow, row: EffectRow, receipt: Receipt | None) -> None:
    """A letter that left becomes a contact of record; everything else speaks through the ledger itself."""
    action = actions.get(tx, row.action_id)
    wake.mark(tx, organisation.id, [action.customer_id])
    if receipt is not None:
        reissues.was_raised(tx, organisation, action, row, receipt)
    channel = _CHANNELS.get(row.effect.kind)
    if channel is None:
        return
    decision = action.decision
    by_person = decision.kind is ActionKind.CALL  # the summary of a call earns no level and asks for nothing new
    recipient = row.effect.payload.recipient if isinstance(row.effect.payload, Letter) else ""
    case = LetterSent(
        id=f"letter-{row.effect.key[:24]}",
        customer_id=action.customer_id,
        on=happened_on(row, organisation),
        by=action.decided_by or "dunwell",
        level=0 if by_person else int(decision.level),
        what="call_summary" if by_person else decision.kind.value,
        occasion=decision.occasion,
        invoice_ids=decision.items,
        lead_item=decision.items[0] if decision.items else "",
        by_date=decision.by_date,
        recipient=recipient,
        channel=channel,
        asks_for_money=decision.asks_for_money and not by_person,
    )
    if receipt is not None or row.effect.kind is EffectKind.LETTER:
        cases.put(tx, organisation.id, case)
    if decision.data.get("letter") == LetterKind.PLAN_COMPLETED.value:
        _complete_plan(w, tx, organisation, str(decision.data.get("plan", "")))


def happened_on(row: EffectRow, organisation: OrganisationRow) -> date:
    """The day (organisation's zone) on which a delivered effect left, not the one on which that was found out."""
    return local(row.t_send or row.updated_at, organisation).date()


def _complete_plan(w: Wiring, tx: Tx, organisation: OrganisationRow, plan_id: str) -> None:
    plan = cases.get(tx, organisation.id, plan_id)
    if isinstance(plan, PaymentPlan) and plan.state is PlanState.SIGNED:
        done = replace(plan, state=PlanState.COMPLETED, closed_on=w.today(organisation))
        cases.put(tx, organisation.id, done)


def settle_action(tx: Tx, action_id: str) -> None:
    """Close the action when none of its effects is open any more: done if its first act happened, else cancelled."""
    rows = outbox.of_action(tx, action_id)
    if not rows or any(row.state in OPEN_STATES for row in rows):
        return
    action = actions.get(tx, action_id)
    if action.state != "approved":
        return
    first_acts = [row for row in rows if not row.effect.after]
    happened = any(row.state is EffectState.DONE for row in first_acts)
    actions.settle(tx, action_id, "done" if happened else "cancelled", tx.now)
