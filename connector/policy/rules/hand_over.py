"""Who holds the debt: the ledger is told when an account or invoice goes to somebody else, and when it is ours again.

That a person records who holds it makes dunwell silent at once; this rule only brings the neutral notes about it. Only
a hand-over to somebody who collects is noted: what a factor bought or an insurer covers is financing, which the books
know already, and is left alone altogether.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from connector.domain.cases import HeldBy, Holder
from connector.domain.decisions import (
    ActionKey,
    ActionKind,
    Decision,
    Reason,
    RuleOutcome,
    Scalar,
    TargetKind,
    Verdict,
)
from connector.domain.facts import CustomerFacts, ItemFacts
from connector.policy.document import Policy
from connector.policy.rule import Rule

NAME = "hand_over"
_COLLECTS = frozenset({Holder.AGENCY, Holder.SOLICITOR})


class _HandOverRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        del policy, as_of
        decisions: list[Decision] = []
        outcomes: list[RuleOutcome] = []
        for case in newest(facts):
            found = _taken_back(facts, case) if case.holder is Holder.US else _handed_over(facts, case)
            if isinstance(found, Decision):
                decisions.append(found)
            elif found is not None:
                outcomes.append(found)
        return decisions, outcomes or [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("hand_over.none"))]


RULE: Rule = _HandOverRule()


def newest(facts: CustomerFacts) -> tuple[HeldBy, ...]:
    """The word that counts about the whole customer, and about each invoice that has one of its own."""
    return tuple({case.invoice_id: case for case in facts.held}.values())


def stands(facts: CustomerFacts, decision: Decision) -> bool:
    """Whether the word that the decision notes is still the newest."""
    return any(case.id == decision.occasion for case in newest(facts))


def refusal(facts: CustomerFacts, invoice_ids: Collection[str]) -> Reason | None:
    """Why these invoices may not be handed over today; None when they may."""
    if facts.legal_hold is not None:
        return Reason("hand_over.legal_hold", {"why": facts.legal_hold.why.value})
    for item in facts.items:
        if item.invoice.id in invoice_ids and item.disputes:
            if not any(dispute.is_open for dispute in item.disputes):
                return Reason("hand_over.outcome_awaited", {"invoice": item.invoice.number})
            decide_by = item.disputes[0].decide_by.isoformat()
            return Reason("hand_over.disputed", {"invoice": item.invoice.number, "decide_by": decide_by})
    return None


def _handed_over(facts: CustomerFacts, case: HeldBy) -> Decision | RuleOutcome | None:
    told = _told(facts, case)
    items = tuple(item.invoice.id for item in _concerned(facts, case))
    said: dict[str, Scalar] = {"holder": case.holder.value, "on": case.on.isoformat()}
    if case.holder not in _COLLECTS:
        return RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("hand_over.financed", said), items)
    if told is not None and told.holder is case.holder:
        return RuleOutcome(NAME, Verdict.DONE, Reason("hand_over.told", said), items)
    if not items:
        return RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("hand_over.nothing_open", said))
    if (why := refusal(facts, items)) is not None:
        return RuleOutcome(NAME, Verdict.BLOCKED, why, items)
    return _decision(facts, ActionKind.HAND_OVER, case, items, Reason("hand_over.held_by", {**said, "by": case.by}))


def _taken_back(facts: CustomerFacts, case: HeldBy) -> Decision | RuleOutcome | None:
    """Only what the ledger was told of is taken back in it."""
    told = _told(facts, case)
    items = tuple(item.invoice.id for item in _concerned(facts, case))
    if told is None or told.holder is Holder.US or (case.invoice_id and not items):
        return None
    said: dict[str, Scalar] = {"holder": told.holder.value, "on": case.on.isoformat(), "by": case.by}
    return _decision(facts, ActionKind.TAKE_BACK, case, items, Reason("hand_over.taken_back", said))


def _told(facts: CustomerFacts, case: HeldBy) -> HeldBy | None:
    """The last word about the same debt that the ledger was told."""
    told = [one for one in facts.held if one.invoice_id == case.invoice_id and facts.was_done(_key(facts, one))]
    return told[-1] if told else None


def _key(facts: CustomerFacts, case: HeldBy) -> ActionKey:
    kind = ActionKind.TAKE_BACK if case.holder is Holder.US else ActionKind.HAND_OVER
    return ActionKey(kind, facts.customer_id, case.id)


def _concerned(facts: CustomerFacts, case: HeldBy) -> list[ItemFacts]:
    """The invoice, or every open one that is not with somebody by a word of its own."""
    own = {one.invoice_id for one in newest(facts) if one.invoice_id and one.holder is not Holder.US}
    return [
        item
        for item in facts.items
        if item.invoice.is_open
        and (item.invoice.id == case.invoice_id if case.invoice_id else item.invoice.id not in own)
    ]


def _decision(facts: CustomerFacts, kind: ActionKind, case: HeldBy, items: tuple[str, ...], reason: Reason) -> Decision:
    return Decision(
        rule=NAME,
        kind=kind,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=case.id,
        reasons=(reason,),
        items=items,
        data={"case": case.id, "holder": case.holder.value, "invoice": case.invoice_id},
    )
