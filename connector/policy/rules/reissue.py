"""Raising an invoice again under a new number: off unless the policy says otherwise, refused wherever it could harm.

Never voids anything. What the mirror does not know cannot be refused here: whether the customer takes invoices through
a portal, stock items behind the lines, and retentions. A purchase order is known where the invoice names one. The tax
recipe and the filed periods are looked at where the entry is written, because only the mapping knows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from connector.domain.cases import Holder, Reissue
from connector.domain.decisions import (
    ActedState,
    ActionKey,
    ActionKind,
    Decision,
    Reason,
    RuleOutcome,
    Scalar,
    TargetKind,
    Verdict,
)
from connector.domain.facts import CustomerFacts, ItemFacts, PauseState
from connector.domain.ledger import Invoice
from connector.domain.money import Money
from connector.policy.blocks import waits
from connector.policy.document import Policy
from connector.policy.rule import Rule

NAME = "reissue"
# Tax is accounted for when it is invoiced: only then do a credit note and an invoice of one day cancel out in a return.
_BY_INVOICE: Final = frozenset({"accrual", "accruals", "invoice", "none"})
_ORDER: Final = re.compile(
    r"\b(p\.?\s?o\.?|purchase\s+order|order)\s*(no\.?|number|ref\.?|[#:])?\s*\w*\d", re.IGNORECASE
)
_RUNS: Final = (PauseState.ACTIVE, PauseState.UNDECIDED)


class _ReissueRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        decisions: list[Decision] = []
        outcomes: list[RuleOutcome] = []
        for case in facts.reissues:
            key = ActionKey(ActionKind.REISSUE, case.invoice_id, case.id)
            if facts.was_done(key):
                decisions += _unfinished(facts, case)
            elif _is_under_way(facts, key):
                continue
            elif (why := refusal(policy, facts, case.invoice_id, case.amount, as_of)) is not None:
                outcomes.append(RuleOutcome(NAME, Verdict.BLOCKED, why, (case.invoice_id,)))
            else:
                decisions.append(_again(facts, case))
        return decisions, outcomes or [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("reissue.none"))]


RULE: Rule = _ReissueRule()


def stands(facts: CustomerFacts, decision: Decision) -> bool:
    """Whether the request has not been withdrawn."""
    return any(case.id == decision.occasion for case in facts.reissues)


def refusal(policy: Policy, facts: CustomerFacts, invoice_id: str, amount: Money, as_of: date) -> Reason | None:
    """Why this invoice over `amount` (gross) may not be raised again today; None when it may."""
    if not policy.reissue.enabled:
        return Reason("reissue.off")
    item = next((item for item in facts.items if item.invoice.id == invoice_id), None)
    if item is None or not item.invoice.is_open:
        number = next((one.number for one in facts.book.invoices if one.id == invoice_id), invoice_id)
        return Reason("reissue.not_open", {"invoice": number})
    for look in (_whose, _touched, _agreed, _document, _tax):
        if (why := look(facts, item, as_of)) is not None:
            return why
    if item.invoice.total != amount:
        said: dict[str, Scalar] = {"invoice": item.invoice.number, "was": str(amount), "now": str(item.invoice.total)}
        return Reason("reissue.changed", said)
    return None


def _whose(facts: CustomerFacts, item: ItemFacts, as_of: date) -> Reason | None:
    del as_of
    number = item.invoice.number
    if facts.legal_hold is not None:
        return Reason("reissue.legal_hold", {"why": facts.legal_hold.why.value})
    if item.holder is not Holder.US:  # the organisation's and the customer's holder count for every item
        return Reason("reissue.held_by", {"invoice": number, "holder": item.holder.value})
    if facts.excluded or item.excluded:
        return Reason("reissue.excluded", {"invoice": number})
    if facts.needs_review:
        return Reason("reissue.unreadable", {"what": facts.needs_review[0].reason})
    return None


def _touched(facts: CustomerFacts, item: ItemFacts, as_of: date) -> Reason | None:
    """Money or a credit has met it, or is on its way to it."""
    del as_of
    invoice = item.invoice
    said: dict[str, Scalar] = {"invoice": invoice.number}
    if invoice.paid or invoice.credited or invoice.balance != invoice.total:
        return Reason("reissue.part_paid", {**said, "balance": str(invoice.balance), "total": str(invoice.total)})
    if item.in_transit_until is not None:
        return waits("reissue.in_transit", item.in_transit_until + timedelta(days=1), invoice=invoice.number)
    if any(_pending(facts, invoice)):
        return Reason("reissue.reduction_pending", said)
    return None


def _pending(facts: CustomerFacts, invoice: Invoice) -> Iterator[bool]:
    """What people conceded on it already, and what has not failed for good yet."""
    for kind, cases in ((ActionKind.CREDIT, facts.concessions), (ActionKind.APPLY_CREDIT, facts.credit_uses)):
        for case in cases:
            yield case.invoice_id == invoice.id and not facts.was_done(ActionKey(kind, invoice.id, case.id))


def _agreed(facts: CustomerFacts, item: ItemFacts, as_of: date) -> Reason | None:
    del facts, as_of
    said: dict[str, Scalar] = {"invoice": item.invoice.number}
    if item.disputes and not any(dispute.is_open for dispute in item.disputes):
        return Reason("reissue.outcome_awaited", said)
    if item.disputes:
        return Reason("reissue.disputed", {**said, "decide_by": item.disputes[0].decide_by.isoformat()})
    if item.plan is not None:
        return Reason("reissue.on_plan", {**said, "plan": item.plan.id})
    if item.extension_state in _RUNS or item.promise_state in _RUNS:
        return Reason("reissue.agreed_date", said)
    return None


def _document(facts: CustomerFacts, item: ItemFacts, as_of: date) -> Reason | None:
    """What the customer, or the rate of a currency, hangs on this very document."""
    del as_of
    invoice = item.invoice
    if any(_ORDER.search(text) for text in (invoice.reference, *(line.description for line in invoice.lines))):
        return Reason("reissue.purchase_order", {"invoice": invoice.number})
    base = facts.state.organisation.base_currency
    if invoice.currency != base or invoice.rate != 1:  # the mirror does not know today's rate
        return Reason("reissue.rate", {"invoice": invoice.number, "currency": invoice.currency})
    return None


def _tax(facts: CustomerFacts, item: ItemFacts, as_of: date) -> Reason | None:
    organisation, invoice = facts.state.organisation, item.invoice
    if organisation.tax_basis.casefold() not in _BY_INVOICE:
        return Reason("reissue.tax_basis", {"basis": organisation.tax_basis.lower() or "unknown"})
    locked = organisation.lock_date
    if locked is not None and as_of <= locked:
        return waits("reissue.locked", locked + timedelta(days=1))
    if locked is not None and invoice.issued <= locked:
        said = {"invoice": invoice.number, "issued": invoice.issued.isoformat(), "locked_to": locked.isoformat()}
        return Reason("reissue.period_locked", said)
    return None


def _is_under_way(facts: CustomerFacts, key: ActionKey) -> bool:
    """Its first links may be in the books already: nothing about it is judged before the last one is."""
    earlier = facts.acted.get(key)
    return earlier is not None and earlier.state is ActedState.APPROVED


def _again(facts: CustomerFacts, case: Reissue) -> Decision:
    said: dict[str, Scalar] = {"invoice": _number(facts, case), "by": case.by, "why": case.reason}
    return _decision(facts, ActionKind.REISSUE, case, case.id, Reason("reissue.requested", said))


def _unfinished(facts: CustomerFacts, case: Reissue) -> Iterator[Decision]:
    """Credited, but not raised again: the chain broke, and only a person can tell why."""
    if case.replaced_by:
        return
    reason = Reason("reissue.unfinished", {"invoice": _number(facts, case)})
    what = (
        "finish the reissue: a link of it was refused; see dunwell effects, then effects retry KEY, "
        "or raise the invoice in the ledger"
    )
    task = _decision(facts, ActionKind.TASK, case, f"reissue.unfinished:{case.id}", reason)
    yield replace(task, data={**task.data, "what": what, "to": "credit_contact"})


def _decision(facts: CustomerFacts, kind: ActionKind, case: Reissue, occasion: str, reason: Reason) -> Decision:
    return Decision(
        rule=NAME,
        kind=kind,
        target_kind=TargetKind.INVOICE,
        target=case.invoice_id,
        customer_id=facts.customer_id,
        occasion=occasion,
        reasons=(reason,),
        items=(case.invoice_id,),
        amount=case.amount,
        data={"case": case.id},
    )


def _number(facts: CustomerFacts, case: Reissue) -> str:
    return next((one.number for one in facts.book.invoices if one.id == case.invoice_id), "") or case.invoice_id
