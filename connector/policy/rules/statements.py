"""Statements: a neutral account once a month, to everybody with an open account. A letter due soon takes it along."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from connector.domain.decisions import ActionKind, Decision, Reason, RuleOutcome, TargetKind, Verdict
from connector.domain.facts import CustomerFacts, ItemFacts
from connector.domain.known import NOT_A_CONTACT
from connector.domain.money import total
from connector.policy.blocks import never, waits
from connector.policy.chase import outcome, statement_pending, whole_customer
from connector.policy.contacts import next_statement_day, statement_day
from connector.policy.document import Policy
from connector.policy.rule import Rule

NAME = "statements"
_LATE_BD = 5  # a statement that could not leave within this time waits for the next month


class _StatementsRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        upcoming = next_statement_day(policy, facts, as_of)
        if upcoming is None:
            return [], [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("statements.off"))]
        if not any(item.invoice.is_open for item in facts.items):
            return [], [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("statements.nothing_open"))]
        if (nobody := whole_customer(NAME, facts)) is not None:
            return [], [nobody]
        this_month = statement_day(policy, facts, as_of)
        last = facts.state.calendar.add(this_month, _LATE_BD)
        if not this_month <= as_of <= last:
            return [], [outcome(NAME, waits("statements.next", upcoming))]
        tomorrow = facts.state.calendar.add(as_of, 1)
        again = tomorrow if tomorrow <= last else upcoming
        items = [item for item in facts.items if _belongs(policy, facts, item)]
        if not items:
            return [], [outcome(NAME, waits("statements.nothing_open", again))]
        if _told_lately(policy, facts, as_of):
            return [], [outcome(NAME, waits("statements.letter_was_sent", again))]
        decisions = [
            _statement(facts, [item for item in items if item.invoice.currency == currency], as_of)
            for currency in sorted({item.invoice.currency for item in items})
        ]
        return decisions, [RuleOutcome(NAME, Verdict.DECIDED, d.reasons[0], (), again) for d in decisions]


RULE: Rule = _StatementsRule()


def _belongs(policy: Policy, facts: CustomerFacts, item: ItemFacts) -> bool:
    """Collectable, ours, received before these days; opening items only after their own first statement."""
    since = facts.as_of - timedelta(days=policy.statements.merge_days)
    just_sent = any(
        letter.what == NOT_A_CONTACT and letter.on >= since and item.invoice.id in letter.invoice_ids
        for letter in facts.letters
    )
    said = item.sent and not just_sent and not statement_pending(facts, item)
    return said and item.collectable.minor > 0 and never(policy, facts, item) is None


def _told_lately(policy: Policy, facts: CustomerFacts, as_of: date) -> bool:
    since = as_of - timedelta(days=policy.statements.merge_days)
    own = f"{as_of:%Y-%m}"
    return any(
        letter.what != NOT_A_CONTACT
        and letter.on >= since
        and letter.asks_for_money
        and not letter.occasion.startswith(own)
        for letter in facts.letters
    )


def _statement(facts: CustomerFacts, items: Sequence[ItemFacts], as_of: date) -> Decision:
    currency = items[0].invoice.currency
    own = facts.book.customer.currency or facts.state.organisation.base_currency
    month = f"{as_of:%Y-%m}"
    return Decision(
        rule=NAME,
        kind=ActionKind.STATEMENT,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=month if currency == own else f"{month}:{currency}",
        reasons=(Reason("statements.monthly", {"month": month, "items": len(items)}),),
        items=tuple(item.invoice.id for item in items),
        amount=total((item.collectable for item in items), currency),
        contact=True,
    )
