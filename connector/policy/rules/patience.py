"""Patience: when all pauses of an invoice together pass the policy's limit, a person decides."""

from __future__ import annotations

from datetime import date

from connector.domain.decisions import ActionKind, Decision, Reason, RuleOutcome, TargetKind, Verdict
from connector.domain.facts import CustomerFacts, ItemFacts
from connector.policy.document import Policy
from connector.policy.pauses import paused_days
from connector.policy.rule import Rule

NAME = "patience"


class _PatienceRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        del as_of
        limit = policy.patience.longest_days
        spent = [(item, paused_days(item)) for item in facts.items if item.is_overdue and item.plan is None]
        over = [(item, days) for item, days in spent if days > limit]
        decisions = [_task(facts, item, days, limit) for item, days in over]
        outcomes = [RuleOutcome(NAME, Verdict.DECIDED, d.reasons[0], d.items) for d in decisions]
        return decisions, outcomes or [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("patience.within"))]


RULE: Rule = _PatienceRule()


def _task(facts: CustomerFacts, item: ItemFacts, days: int, limit: int) -> Decision:
    return Decision(
        rule=NAME,
        kind=ActionKind.TASK,
        target_kind=TargetKind.INVOICE,
        target=item.invoice.id,
        customer_id=facts.customer_id,
        occasion="patience.exceeded",
        reasons=(Reason("patience.exceeded", {"invoice": item.invoice.number, "days": days, "most": limit}),),
        items=(item.invoice.id,),
        amount=item.collectable,
        data={"what": "all pauses are used up: decide how to go on", "to": "credit_contact"},
    )
