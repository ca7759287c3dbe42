"""Review: what the books or the law leave to a person before anything else can be decided."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from connector.domain.cases import LegalHoldKind
from connector.domain.decisions import ActionKind, Decision, Reason, RuleOutcome, Scalar, TargetKind, Verdict
from connector.domain.facts import CustomerFacts, ItemFacts
from connector.policy.blocks import BARRED_AFTER, unmatched_receipt
from connector.policy.document import Policy
from connector.policy.rule import Rule

NAME = "review"
_LEGAL = "stop all contact and collection; read what the notice asks of creditors and by when; tell the principal"
_DUTIES = {
    LegalHoldKind.INSOLVENCY: "stop all contact; lodge a proof of debt with the office-holder",
    LegalHoldKind.BANKRUPTCY_STAY: "stop all contact; lodge a proof of debt with the trustee",
    LegalHoldKind.BREATHING_SPACE: "stop all contact, interest and fees until the end date in the notice",
    LegalHoldKind.DECEASED: "stop all contact; write to the estate's representative only",
    LegalHoldKind.ADVISER_APPOINTED: "write to the adviser only",
    LegalHoldKind.VULNERABILITY: "stop all contact; let a trained person decide how to help",
}


class _ReviewRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        del as_of
        tasks = [*_customer_tasks(facts), *_item_tasks(policy, facts)]
        outcomes = [RuleOutcome(NAME, Verdict.DECIDED, task.reasons[0], task.items) for task in tasks]
        return tasks, outcomes or [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("review.nothing"))]


RULE: Rule = _ReviewRule()


def _customer_tasks(facts: CustomerFacts) -> Iterator[Decision]:
    open_items = tuple(item.invoice.id for item in facts.items)
    if (hold := facts.legal_hold) is not None and open_items:
        what = _DUTIES.get(hold.why, _LEGAL)
        reason = Reason("review.legal_hold", {"why": hold.why.value, "since": hold.on.isoformat()})
        yield _customer_task(facts, f"legal-hold:{hold.id}", reason, open_items, what, to="principal")
    for record in sorted(facts.needs_review, key=lambda r: (r.kind, r.id)):
        reason = Reason("review.unreadable", {"kind": record.kind.value, "record": record.id, "why": record.reason})
        what = "mend the record in the ledger; nothing is asked of this customer until then"
        yield _customer_task(facts, f"record:{record.kind.value}:{record.id}", reason, open_items, what)
    if (into := facts.book.customer.merged_into) and open_items:
        reason = Reason("review.merged", {"into": into})
        yield _customer_task(facts, f"merged:{into}", reason, open_items, "move the open invoices to the customer kept")


def _item_tasks(policy: Policy, facts: CustomerFacts) -> Iterator[Decision]:
    for item in facts.items:
        if not item.invoice.is_open:
            continue
        number = item.invoice.number
        if item.due is None:
            reason = Reason("review.no_due_date", {"invoice": number})
            yield _item_task(facts, item, "no-due-date", reason, "give the invoice a due date")
        elif item.due < facts.as_of - BARRED_AFTER:
            reason = Reason("review.maybe_time_barred", {"invoice": number, "due": item.due.isoformat()})
            yield _item_task(
                facts, item, "time-barred", reason, "ask a solicitor before anything is said", to="principal"
            )
        if (receipt := unmatched_receipt(policy, facts, item)) is not None:
            reason = Reason("review.unmatched_receipt", {**receipt.facts, "invoice": number})
            yield _item_task(
                facts, item, f"receipt:{receipt.facts['on']}", reason, "match the receipt; it may pay this invoice"
            )


def _customer_task(
    facts: CustomerFacts, occasion: str, reason: Reason, items: tuple[str, ...], what: str, *, to: str = "staff"
) -> Decision:
    data: dict[str, Scalar] = {"what": what, "to": to}
    return Decision(
        rule=NAME,
        kind=ActionKind.TASK,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=occasion,
        reasons=(reason,),
        items=items,
        data=data,
    )


def _item_task(
    facts: CustomerFacts, item: ItemFacts, occasion: str, reason: Reason, what: str, *, to: str = "staff"
) -> Decision:
    data: dict[str, Scalar] = {"what": what, "to": to}
    return Decision(
        rule=NAME,
        kind=ActionKind.TASK,
        target_kind=TargetKind.INVOICE,
        target=item.invoice.id,
        customer_id=facts.customer_id,
        occasion=occasion,
        reasons=(reason,),
        items=(item.invoice.id,),
        amount=item.invoice.balance,
        data=data,
    )
