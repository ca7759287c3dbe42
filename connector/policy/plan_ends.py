"""The end of a payment plan by rule: its breach was not cured in time, and nothing stands in the way."""

from __future__ import annotations

from dataclasses import replace

from connector.domain.cases import PaymentPlan, PlanState
from connector.domain.decisions import Reason
from connector.domain.facts import CustomerFacts, ItemFacts
from connector.policy.blocks import customer_block, in_question, never, unmatched_receipt, waits
from connector.policy.document import Policy
from connector.policy.guardrails import reply_reason
from connector.policy.plans import PlanStanding, judge

BY_RULE = "dunwell"


def ended_by_rule(policy: Policy, facts: CustomerFacts) -> tuple[PaymentPlan, ...]:
    """The signed plans that end on the facts' day, as they stand from then on: void.

    A plan ends once the time to cure its breach is over, as far as cash is known. Money that waits to be allocated
    suspends it, and so does whatever `obstacle_to_end` names: then a person decides.
    """
    return tuple(
        replace(progress.plan, state=PlanState.VOID, closed_on=facts.as_of, closed_by=BY_RULE)
        for progress in facts.plans
        if progress.plan.state is PlanState.SIGNED
        and judge(policy.plan, progress, facts.state.cash_known_to, facts.as_of).standing is PlanStanding.UNCURED
        and obstacle_to_end(policy, facts, progress.plan) is None
    )


def obstacle_to_end(policy: Policy, facts: CustomerFacts, plan: PaymentPlan) -> Reason | None:
    """Why no rule may end this plan today: the debt is not ours to press for, or the customer's word waits for us."""
    if (block := customer_block(facts)) is not None:
        return block
    if (reply := reply_reason(policy, facts, facts.as_of)) is not None:
        return reply
    covered = {invoice_id for invoice_id, _ in plan.covered}
    found = (_of_item(policy, facts, item) for item in facts.items if item.invoice.id in covered)
    return next((reason for reason in found if reason is not None), None)


def _of_item(policy: Policy, facts: CustomerFacts, item: ItemFacts) -> Reason | None:
    if (forbidden := never(policy, facts, item)) is not None:
        return forbidden
    if (query := in_question(item)) is not None:
        return query
    if item.in_transit_until is not None:
        return waits("item.in_transit", item.in_transit_until)
    return unmatched_receipt(policy, facts, item)
