"""What people conceded: a reduction, a credit laid against an invoice, new terms. Proposed once, then in the ledger.

The decision to concede is a person's and recorded with its reason; this rule only says when it may be entered. The tax
recipe is checked where the entry is written, because only the mapping knows the ledger's accounts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from connector.domain.cases import Concession, CreditUse, Holder
from connector.domain.decisions import (
    ActionKind,
    Decision,
    Reason,
    RuleOutcome,
    Scalar,
    TargetKind,
    Verdict,
)
from connector.domain.facts import CustomerFacts, ItemFacts
from connector.domain.money import Money
from connector.policy.blocks import waits
from connector.policy.document import Policy
from connector.policy.rule import Rule

NAME = "reduction"


class _ReductionRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        del policy
        decisions: list[Decision] = []
        outcomes: list[RuleOutcome] = []
        for found in (*_concessions(facts, as_of), *_credit_uses(facts), *_terms(facts)):
            if isinstance(found, Decision):
                decisions.append(found)
            else:
                outcomes.append(found)
        return decisions, outcomes or [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("reduction.none"))]


RULE: Rule = _ReductionRule()


def stands(facts: CustomerFacts, decision: Decision) -> bool:
    """Whether what the decision enters has not been withdrawn."""
    made = (*facts.concessions, *facts.credit_uses, *facts.terms_changes)
    return any(case.id == decision.occasion for case in made)


def refusal(facts: CustomerFacts, invoice_id: str, amount: Money, as_of: date) -> Reason | None:
    """Why nothing may be taken off this invoice today; None when `amount` may."""
    item = next((item for item in facts.items if item.invoice.id == invoice_id), None)
    if item is None or not item.invoice.is_open:
        number = next((one.number for one in facts.book.invoices if one.id == invoice_id), invoice_id)
        return Reason("reduction.not_open", {"invoice": number})
    said: dict[str, Scalar] = {"invoice": item.invoice.number}
    if facts.holder is not Holder.US or item.holder is not Holder.US:
        holder = facts.holder if facts.holder is not Holder.US else item.holder
        return Reason("reduction.held_by", {**said, "holder": holder.value})
    if facts.legal_hold is not None:
        return Reason("customer.legal_hold", {"why": facts.legal_hold.why.value})
    balance = item.invoice.balance
    if amount.currency != balance.currency or amount > balance:
        return Reason("reduction.more_than_owed", {**said, "amount": str(amount), "balance": str(balance)})
    locked = facts.state.organisation.lock_date
    if locked is not None and as_of <= locked:
        return waits("reduction.locked", locked + timedelta(days=1), **said)
    return None


def _concessions(facts: CustomerFacts, as_of: date) -> Iterator[Decision | RuleOutcome]:
    for conceded in facts.concessions:
        decision = _credit(facts, conceded)
        if facts.was_done(decision.key):
            yield _entered(decision)
        elif (why := refusal(facts, conceded.invoice_id, conceded.amount, as_of)) is not None:
            yield RuleOutcome(NAME, Verdict.BLOCKED, why, (conceded.invoice_id,))
        else:
            yield decision


def _credit(facts: CustomerFacts, conceded: Concession) -> Decision:
    number = _number(facts, conceded.invoice_id)
    said: dict[str, Scalar] = {
        "invoice": number,
        "amount": str(conceded.amount),
        "reduction": conceded.reduction.value,
        "by": conceded.by,
        "why": conceded.reason,
    }
    return _decision(
        facts,
        ActionKind.CREDIT,
        conceded.invoice_id,
        conceded.id,
        Reason("reduction.conceded", said),
        conceded.amount,
        {"reduction": conceded.reduction.value, "case": conceded.id},
    )


def _credit_uses(facts: CustomerFacts) -> Iterator[Decision | RuleOutcome]:
    credits_open = {credit.id: credit for credit in facts.book.credits if credit.active}
    for use in facts.credit_uses:
        decision = _apply(facts, use)
        if facts.was_done(decision.key):
            yield _entered(decision)
            continue
        credit, item = credits_open.get(use.credit_id), _item(facts, use.invoice_id)
        if credit is None or item is None or credit.remaining < use.amount or item.invoice.balance < use.amount:
            said = {"invoice": _number(facts, use.invoice_id), "amount": str(use.amount)}
            yield RuleOutcome(NAME, Verdict.BLOCKED, Reason("reduction.credit_gone", said), (use.invoice_id,))
        else:
            yield decision


def _apply(facts: CustomerFacts, use: CreditUse) -> Decision:
    said: dict[str, Scalar] = {"invoice": _number(facts, use.invoice_id), "amount": str(use.amount), "by": use.by}
    data: dict[str, Scalar] = {"credit": use.credit_id, "case": use.id}
    reason = Reason("reduction.credit_used", said)
    return _decision(facts, ActionKind.APPLY_CREDIT, use.invoice_id, use.id, reason, use.amount, data)


def _terms(facts: CustomerFacts) -> Iterator[Decision | RuleOutcome]:
    for change in facts.terms_changes[-1:]:  # the newest word counts
        day, basis = change.terms.day, change.terms.basis.value
        decision = Decision(
            rule=NAME,
            kind=ActionKind.SET_TERMS,
            target_kind=TargetKind.CUSTOMER,
            target=facts.customer_id,
            customer_id=facts.customer_id,
            occasion=change.id,
            reasons=(Reason("reduction.terms_agreed", {"day": day, "basis": basis, "by": change.by}),),
            data={"day": day, "basis": basis, "case": change.id},
        )
        yield _entered(decision) if facts.was_done(decision.key) else decision


def _entered(decision: Decision) -> RuleOutcome:
    said: dict[str, Scalar] = {"action": decision.kind.value, "occasion": decision.occasion}
    return RuleOutcome(NAME, Verdict.DONE, Reason("reduction.entered", said), decision.items)


def _decision(
    facts: CustomerFacts,
    kind: ActionKind,
    invoice_id: str,
    occasion: str,
    reason: Reason,
    amount: Money,
    data: dict[str, Scalar],
) -> Decision:
    return Decision(
        rule=NAME,
        kind=kind,
        target_kind=TargetKind.INVOICE,
        target=invoice_id,
        customer_id=facts.customer_id,
        occasion=occasion,
        reasons=(reason,),
        items=(invoice_id,),
        amount=amount,
        data=data,
    )


def _item(facts: CustomerFacts, invoice_id: str) -> ItemFacts | None:
    return next((item for item in facts.items if item.invoice.id == invoice_id and item.invoice.is_open), None)


def _number(facts: CustomerFacts, invoice_id: str) -> str:
    return next((one.number for one in facts.book.invoices if one.id == invoice_id), "") or invoice_id
