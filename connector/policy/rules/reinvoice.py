"""Level 1: the invoice once more, marked as a copy, with the chance to explain what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from connector.domain.decisions import ActionKind, Decision, DunningLevel, Reason, RuleOutcome, TargetKind, Verdict
from connector.domain.facts import CustomerFacts, ItemFacts
from connector.domain.known import arrived
from connector.domain.money import total
from connector.policy.blocks import waits
from connector.policy.chase import (
    askable,
    lateness,
    outcome,
    refusals,
    statement_pending,
    too_small,
    whole_customer,
)
from connector.policy.document import Policy
from connector.policy.rule import Rule

NAME = "reinvoice"


class _ReinvoiceRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        if (nobody := whole_customer(NAME, facts)) is not None:
            return [], [nobody]
        ready = askable(policy, facts)
        untold = [(i, r) for i, r in ready.refused if not i.introduced and not statement_pending(facts, i)]
        decisions, outcomes = list[Decision](), list(refusals(NAME, untold))
        fresh = [item for item in ready.items if not item.introduced and not statement_pending(facts, item)]
        for currency in sorted({item.invoice.currency for item in fresh}):
            items = [item for item in fresh if item.invoice.currency == currency]
            along = [item for item in ready.items if item.invoice.currency == currency and item not in items]
            found, said = _about(policy, facts, items, along, as_of)
            decisions += found
            outcomes.append(said)
        return decisions, outcomes or [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("reinvoice.nothing_new"))]


RULE: Rule = _ReinvoiceRule()


def _about(
    policy: Policy, facts: CustomerFacts, items: Sequence[ItemFacts], along: Sequence[ItemFacts], as_of: date
) -> tuple[list[Decision], RuleOutcome]:
    """`items` are overdue and were never asked for; `along` is whatever else is overdue in the same currency."""
    lead = items[0]
    if any(item.level >= DunningLevel.FRIENDLY for item in along):
        # A copy now would step down in tone: the letter that comes next lists these too.
        return [], outcome(NAME, Reason("reinvoice.listed_in_next_letter"), *items)
    if (small := too_small(policy, facts, [*items, *along])) is not None:
        return [], outcome(NAME, small, *items)
    start = lead.counts_from or as_of
    reached = facts.state.calendar.on_or_after(start + timedelta(days=policy.reinvoice.after_days))
    if as_of < reached:
        return [], outcome(NAME, waits("reinvoice.soon", reached), *items)
    decisions = [_copy(policy, facts, items, as_of)]
    late_from = start + timedelta(days=policy.reinvoice.latest_days)
    if as_of >= late_from:
        decisions.append(_late(policy, facts, lead))
    tell_on = late_from if late_from > as_of else None
    return decisions, RuleOutcome(NAME, Verdict.DECIDED, decisions[0].reasons[0], decisions[0].items, tell_on)


def _copy(policy: Policy, facts: CustomerFacts, items: Sequence[ItemFacts], as_of: date) -> Decision:
    lead = items[0]
    return Decision(
        rule=NAME,
        kind=ActionKind.REINVOICE,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=_occasion(facts, lead, as_of),
        reasons=(Reason("reinvoice.overdue", lateness(lead, as_of)),),
        level=DunningLevel.REINVOICE,
        items=tuple(item.invoice.id for item in items),
        amount=total((item.collectable for item in items), lead.invoice.currency),
        by_date=policy.ladder.by_date(facts.state.calendar, as_of),
        data={"lead": lead.invoice.id, "copy": True},
        asks_for_money=True,
        contact=True,
    )


def _occasion(facts: CustomerFacts, lead: ItemFacts, as_of: date) -> str:
    stem = f"{lead.invoice.id}:{int(DunningLevel.REINVOICE)}"
    bounced = sum(
        letter.occasion.startswith(stem) and not arrived(letter, as_of) and letter.on <= as_of
        for letter in facts.letters
    )
    return f"{stem}:again-{bounced}" if bounced else stem


def _late(policy: Policy, facts: CustomerFacts, lead: ItemFacts) -> Decision:
    return Decision(
        rule=NAME,
        kind=ActionKind.TASK,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=f"{lead.invoice.id}:late",
        reasons=(
            Reason(
                "reinvoice.late",
                {"invoice": lead.invoice.number, "days": lead.days_overdue, "latest": policy.reinvoice.latest_days},
            ),
        ),
        items=(lead.invoice.id,),
        amount=lead.collectable,
        data={"what": "find out why this customer has not been asked yet", "to": "staff"},
    )
