"""Thanks: money that follows our contact is answered by a thank-you, once."""

from __future__ import annotations

from datetime import date, timedelta

from connector.domain.decisions import ActionKind, Decision, Reason, RuleOutcome, TargetKind, Verdict
from connector.domain.facts import CustomerFacts
from connector.domain.known import arrived
from connector.domain.ledger import InvoiceStatus, Payment
from connector.domain.money import total
from connector.policy.chase import whole_customer
from connector.policy.document import Policy
from connector.policy.rule import Rule

NAME = "thanks"


class _ThanksRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        if not policy.thanks.enabled:
            return [], [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("thanks.off"))]
        if (nobody := whole_customer(NAME, facts)) is not None:
            return [], [nobody]
        since = as_of - timedelta(days=policy.thanks.within_days)
        recent = [p for p in facts.book.payments if p.active and since <= p.paid_on <= as_of]
        payments = sorted(recent, key=lambda p: (p.paid_on, p.id), reverse=True)
        answered = [(payment, ids) for payment in payments if (ids := _answered(policy, facts, payment))]
        if not answered:
            return [], [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("thanks.nothing_to_thank_for"))]
        payment, ids = answered[0]
        if any(item.is_overdue for item in facts.items):
            return [], [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("thanks.more_is_overdue"), ids)]
        decision = _thanks(facts, payment, ids)
        return [decision], [RuleOutcome(NAME, Verdict.DECIDED, decision.reasons[0], ids)]


RULE: Rule = _ThanksRule()


def _answered(policy: Policy, facts: CustomerFacts, payment: Payment) -> tuple[str, ...]:
    """The invoices that this payment settled after we had asked for them (plans have thanks of their own)."""
    earliest = payment.paid_on - timedelta(days=policy.thanks.within_days)
    asked = {
        invoice_id
        for letter in facts.letters
        if letter.asks_for_money and earliest <= letter.on <= payment.paid_on and arrived(letter, facts.as_of)
        for invoice_id in letter.invoice_ids
    }
    planned = {invoice_id for progress in facts.plans for invoice_id, _ in progress.plan.covered}
    settled = {invoice.id for invoice in facts.book.invoices if invoice.status is InvoiceStatus.PAID}
    laid = {allocation.invoice_id for allocation in payment.allocations}
    return tuple(sorted((asked & settled & laid) - planned))


def _thanks(facts: CustomerFacts, payment: Payment, ids: tuple[str, ...]) -> Decision:
    amount = total((a.amount for a in payment.allocations if a.invoice_id in ids), payment.amount.currency)
    return Decision(
        rule=NAME,
        kind=ActionKind.THANKS,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=payment.id,
        reasons=(Reason("thanks.paid_after_contact", {"paid_on": payment.paid_on.isoformat(), "amount": str(amount)}),),
        items=ids,
        amount=amount,
        data={"paid_on": payment.paid_on.isoformat(), "payment": payment.id},
        contact=True,
    )
