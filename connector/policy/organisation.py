"""What the whole organisation must do first: reconcile the books, answer the questions, switch off double reminders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from connector.domain.decisions import Acted, ActedState, ActionKey, ActionKind, Decision, Reason, Scalar, TargetKind
from connector.domain.facts import CustomerFacts, OrganisationState
from connector.policy.document import Policy
from connector.policy.guardrails import cash_reason


def organisation_decisions(
    policy: Policy,
    state: OrganisationState,
    everyone: Iterable[CustomerFacts],
    as_of: date,
    acted: Mapping[ActionKey, Acted] | None = None,
) -> tuple[Decision, ...]:
    """Tasks about the organisation itself, each once: what a person said about one (`acted`) is respected."""
    found: list[Decision] = []
    waiting = sum(_waits_for_cash(facts) for facts in everyone)
    stale = cash_reason(state, as_of, policy.cash_known.soft_bd, None)
    if stale is not None and waiting:
        said = state.cash_known_to.isoformat() if state.cash_known_to else ""
        reason = Reason("organisation.reconcile_first", {"known_to": said, "customers_waiting": waiting})
        what = "reconcile the bank accounts first, then say how far: nobody is asked for money until then"
        found.append(_task(state, "cash_known", f"reconcile:{said or 'unknown'}", reason, what))
    if state.take_on_missing:
        reason = Reason("organisation.take_on_questions", {"open": ", ".join(state.take_on_missing)})
        found.append(_task(state, "take_on", "questions", reason, "answer the open questions of the take-on"))
    if state.organisation.native_reminders and not state.native_reminders_accepted:
        reason = Reason("organisation.native_reminders", {"ledger": state.organisation.ledger})
        what = "the ledger mails reminders itself: switch them off, or let the owner decide to keep both"
        found.append(_task(state, "take_on", "native-reminders", reason, what))
    return tuple(decision for decision in found if _is_open(decision, acted or {}, as_of))


def _waits_for_cash(facts: CustomerFacts) -> bool:
    """Something is past the ledger's own due date: opening items too, although days past due count later for them."""
    return any(item.due is not None and item.due < facts.as_of and item.collectable.minor > 0 for item in facts.items)


def _is_open(decision: Decision, acted: Mapping[ActionKey, Acted], as_of: date) -> bool:
    earlier = acted.get(decision.key)
    if earlier is None or earlier.state is ActedState.CANCELLED:
        return True
    return earlier.state is ActedState.REJECTED and earlier.until is not None and earlier.until <= as_of


def _task(state: OrganisationState, rule: str, occasion: str, reason: Reason, what: str) -> Decision:
    data: dict[str, Scalar] = {"what": what, "to": "staff"}
    return Decision(
        rule=rule,
        kind=ActionKind.TASK,
        target_kind=TargetKind.ORGANISATION,
        target=state.organisation.ledger_id,
        customer_id="",
        occasion=occasion,
        reasons=(reason,),
        data=data,
    )
