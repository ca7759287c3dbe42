"""Take-on: opening items are sorted by a person once; the first contact about them is one statement per customer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from connector.domain.cases import TakeOnChoice
from connector.domain.decisions import ActionKind, Decision, Reason, RuleOutcome, TargetKind, Verdict
from connector.domain.facts import CustomerFacts, ItemFacts
from connector.domain.money import total
from connector.policy.blocks import is_too_old, waits
from connector.policy.chase import TAKE_ON, askable, is_take_on, outcome, refusals, statement_pending, whole_customer
from connector.policy.document import Policy
from connector.policy.rule import Rule

NAME = "take_on"
_TO_DO = {
    TakeOnChoice.FIX_BOOKS: "find the payment and lay it against the invoice",
    TakeOnChoice.CREDIT: "write the credit note in the ledger",
    TakeOnChoice.WRITE_OFF: "write the debt off with your accountant",
    TakeOnChoice.LEGAL: "decide with a solicitor what is done",
}


class _TakeOnRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        opening = [item for item in facts.items if item.opening and item.invoice.is_open]
        if not opening:
            return [], [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("take_on.no_opening_items"))]
        if (nobody := whole_customer(NAME, facts)) is not None:
            return [], [nobody]
        decisions = [*_sort(facts, opening), *_by_hand(policy, facts, opening)]
        statements, outcomes = _statements(policy, facts, as_of)
        decisions += statements
        outcomes += (RuleOutcome(NAME, Verdict.DECIDED, d.reasons[0], d.items) for d in decisions)
        return decisions, outcomes or [RuleOutcome(NAME, Verdict.DONE, Reason("take_on.introduced"))]


RULE: Rule = _TakeOnRule()


def _sort(facts: CustomerFacts, opening: Sequence[ItemFacts]) -> Iterator[Decision]:
    unsorted = [item for item in opening if item.sorted is None and not item.excluded]
    if unsorted:
        yield Decision(
            rule=NAME,
            kind=ActionKind.TASK,
            target_kind=TargetKind.CUSTOMER,
            target=facts.customer_id,
            customer_id=facts.customer_id,
            occasion="sort",
            reasons=(Reason("take_on.unsorted", {"items": len(unsorted)}),),
            items=tuple(item.invoice.id for item in unsorted),
            data={
                "what": "sort the opening items: chase, fix the books, exclude, credit, write off, legal",
                "to": "staff",
            },
        )


def _by_hand(policy: Policy, facts: CustomerFacts, opening: Sequence[ItemFacts]) -> Iterator[Decision]:
    """What a person chose to do in the books, and what is too old to be chased without a decision by name."""
    for item in opening:
        if item.sorted in _TO_DO:
            reason = Reason("take_on.sorted", {"choice": item.sorted.value, "invoice": item.invoice.number})
            yield _item_task(facts, item, item.sorted.value, reason, _TO_DO[item.sorted])
        elif item.sorted is TakeOnChoice.CHASE and is_too_old(policy, facts, item) and not item.sorted_itself:
            reason = Reason("take_on.too_old", {"days": policy.take_on.max_age_days, "invoice": item.invoice.number})
            yield _item_task(facts, item, "too-old", reason, "decide about this old invoice by name: chase it or not")


def _item_task(facts: CustomerFacts, item: ItemFacts, occasion: str, reason: Reason, what: str) -> Decision:
    return Decision(
        rule=NAME,
        kind=ActionKind.TASK,
        target_kind=TargetKind.INVOICE,
        target=item.invoice.id,
        customer_id=facts.customer_id,
        occasion=f"{TAKE_ON}:{occasion}",
        reasons=(reason,),
        items=(item.invoice.id,),
        amount=item.invoice.balance,
        data={"what": what, "to": "staff"},
    )


def _statements(policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
    ready = askable(policy, facts)
    outcomes = list(refusals(NAME, [(i, r) for i, r in ready.refused if statement_pending(facts, i)]))
    decisions: list[Decision] = []
    pending = [item for item in ready.items if statement_pending(facts, item)]
    for currency in sorted({item.invoice.currency for item in pending}):
        items = [item for item in pending if item.invoice.currency == currency]
        if facts.state.new_customers_today >= policy.take_on.per_day:
            tomorrow = facts.state.calendar.add(as_of, 1)
            outcomes.append(outcome(NAME, waits("take_on.enough_for_today", tomorrow), *items))
        else:
            decisions.append(_statement(policy, facts, items, as_of))
    return decisions, outcomes


def _statement(policy: Policy, facts: CustomerFacts, items: Sequence[ItemFacts], as_of: date) -> Decision:
    currency = items[0].invoice.currency
    own = facts.book.customer.currency or facts.state.organisation.base_currency
    bounced = sum(
        is_take_on(letter.occasion) and letter.bounced_on is not None and letter.bounced_on <= as_of
        for letter in facts.letters
    )
    parts = [TAKE_ON, *([] if currency == own else [currency]), *([f"again-{bounced}"] if bounced else [])]
    return Decision(
        rule=NAME,
        kind=ActionKind.STATEMENT,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=":".join(parts),
        reasons=(Reason("take_on.first_contact", {"items": len(items)}),),
        items=tuple(item.invoice.id for item in items),
        amount=total((item.collectable for item in items), currency),
        by_date=policy.ladder.by_date(facts.state.calendar, as_of),
        data={"letter": "take_on_statement"},
        asks_for_money=True,
        contact=True,
    )
