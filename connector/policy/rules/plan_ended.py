"""A plan that ended early: the ledger is told, and after a breach the customer is called before the ladder resumes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from connector.domain.cases import PaymentPlan, PlanState
from connector.domain.decisions import (
    ActedState,
    ActionKey,
    ActionKind,
    Decision,
    DunningLevel,
    Reason,
    RuleOutcome,
    TargetKind,
    Verdict,
)
from connector.domain.facts import CustomerFacts, ItemFacts
from connector.domain.ledger import InvoiceStatus
from connector.domain.money import total
from connector.policy.calls import still_to_call
from connector.policy.document import Policy
from connector.policy.plans import schedule_occasion
from connector.policy.rule import Rule

NAME = "plan_ended"
_GONE = (InvoiceStatus.VOIDED, InvoiceStatus.DELETED)


class _PlanEndedRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        del policy, as_of
        decisions: list[Decision] = []
        outcomes: list[RuleOutcome] = []
        for plan in facts.ended_plans:
            notes = list(_schedules(facts, plan))
            decisions += notes
            outcomes += (RuleOutcome(NAME, Verdict.DECIDED, one.reasons[0], one.items) for one in notes)
            if plan.state is PlanState.VOID and (owing := _owing(facts, plan)):
                call, outcome = _call(facts, plan, owing)
                decisions += [] if call is None else [call]
                outcomes.append(outcome)
        return decisions, outcomes or [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("plan.none_ended"))]


RULE: Rule = _PlanEndedRule()


def _ended_on(plan: PaymentPlan) -> date:
    """A plan that was closed without a day counts as ended when it was made."""
    return plan.closed_on or plan.on


def _schedules(facts: CustomerFacts, plan: PaymentPlan) -> Iterator[Decision]:
    """One note beside each schedule that was written: a paid invoice too shows the lines of all others."""
    occasion = schedule_occasion(plan)
    for invoice in facts.book.invoices:
        written = _was_done(facts, ActionKey(ActionKind.WRITE_SCHEDULE, invoice.id, occasion))
        told = _was_done(facts, ActionKey(ActionKind.END_SCHEDULE, invoice.id, occasion))
        if not written or told or invoice.status in _GONE:
            continue
        reason = Reason("plan.schedule_ended", {"invoice": invoice.number, "on": _ended_on(plan).isoformat()})
        yield Decision(
            rule=NAME,
            kind=ActionKind.END_SCHEDULE,
            target_kind=TargetKind.INVOICE,
            target=invoice.id,
            customer_id=facts.customer_id,
            occasion=occasion,
            reasons=(reason,),
            items=(invoice.id,),
            amount=dict(plan.covered).get(invoice.id),
            data={"plan": plan.id, "version": plan.version, "ended": _ended_on(plan).isoformat()},
        )


def _was_done(facts: CustomerFacts, key: ActionKey) -> bool:
    earlier = facts.acted.get(key)
    return earlier is not None and earlier.state is ActedState.DONE


def _owing(facts: CustomerFacts, plan: PaymentPlan) -> list[ItemFacts]:
    """What the plan covered and is still to be asked for; nothing where a new plan covers it."""
    covered = {invoice_id for invoice_id, _ in plan.covered}
    return [
        item
        for item in facts.items
        if item.invoice.id in covered and item.plan is None and item.collectable.minor > 0 and not item.disputes
    ]


def _call(facts: CustomerFacts, plan: PaymentPlan, owing: list[ItemFacts]) -> tuple[Decision | None, RuleOutcome]:
    ids = tuple(item.invoice.id for item in owing)
    ended = _ended_on(plan)
    said = {"plan": plan.id, "on": ended.isoformat()}
    attempt = still_to_call(facts, f"plan.ended:{plan.id}")
    if attempt is None:
        return None, RuleOutcome(NAME, Verdict.DONE, Reason("plan.ended_called", said), ids)
    reason = Reason("plan.ended", said)
    call = Decision(
        rule=NAME,
        kind=ActionKind.CALL,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=attempt.occasion,
        reasons=(reason,),
        level=DunningLevel.CALL,
        items=ids,
        amount=total((item.collectable for item in owing), owing[0].invoice.currency),
        data={"plan": plan.id},
        not_before=facts.state.calendar.contact_on_or_after(max(ended, attempt.not_before)),
        asks_for_money=True,
        contact=True,
    )
    return call, RuleOutcome(NAME, Verdict.DECIDED, reason, ids)
