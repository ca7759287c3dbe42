"""Bill promptly: nobody pays what did not arrive. Drafts are finished, approved invoices sent, addresses mended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from connector.domain.decisions import ActionKind, Decision, Reason, RuleOutcome, TargetKind, Verdict
from connector.domain.facts import CustomerFacts, ItemFacts
from connector.domain.known import NOT_A_CONTACT, arrived
from connector.domain.ledger import InvoiceStatus
from connector.policy.blocks import never, waits
from connector.policy.chase import outcome, whole_customer
from connector.policy.document import Policy
from connector.policy.rule import Rule

NAME = "bill_promptly"
_UNFINISHED = (InvoiceStatus.DRAFT, InvoiceStatus.SUBMITTED)


class _BillPromptlyRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        if (nobody := whole_customer(NAME, facts)) is not None:
            return [], [nobody]
        decisions: list[Decision] = list(_address(facts))
        outcomes: list[RuleOutcome] = []
        for item in facts.items:
            found = _unfinished(policy, facts, item, as_of) or _unsent(policy, facts, item, as_of)
            if isinstance(found, Decision):
                decisions.append(found)
            elif found is not None:
                outcomes.append(found)
        outcomes += (RuleOutcome(NAME, Verdict.DECIDED, d.reasons[0], d.items) for d in decisions)
        return decisions, outcomes or [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("bill_promptly.all_sent"))]


RULE: Rule = _BillPromptlyRule()


def _address(facts: CustomerFacts) -> Iterator[Decision]:
    """Nobody can be written to: mend the address before it matters."""
    open_items = tuple(item.invoice.id for item in facts.items if item.invoice.is_open)
    if open_items and not facts.recipient:
        why = facts.no_recipient_because
        yield Decision(
            rule=NAME,
            kind=ActionKind.TASK,
            target_kind=TargetKind.CUSTOMER,
            target=facts.customer_id,
            customer_id=facts.customer_id,
            occasion=f"address:{why}",
            reasons=(Reason("bill_promptly.no_recipient", {"why": why}),),
            items=open_items,
            data={"what": "find an address that this customer reads and put it into the ledger", "to": "staff"},
        )


def _unfinished(policy: Policy, facts: CustomerFacts, item: ItemFacts, as_of: date) -> Decision | RuleOutcome | None:
    invoice = item.invoice
    if invoice.status not in _UNFINISHED:
        return None
    from_day = facts.state.calendar.add(invoice.issued, policy.bill_promptly.draft_bd)
    if as_of < from_day:
        return outcome(NAME, waits("bill_promptly.draft_is_young", from_day), item)
    due = invoice.due.isoformat() if invoice.due else None
    return Decision(
        rule=NAME,
        kind=ActionKind.TASK,
        target_kind=TargetKind.INVOICE,
        target=invoice.id,
        customer_id=facts.customer_id,
        occasion=f"unfinished:{invoice.status.value}",
        reasons=(
            Reason(
                "bill_promptly.unfinished",
                {
                    "invoice": invoice.number,
                    "status": invoice.status.value,
                    "issued": invoice.issued.isoformat(),
                    "due": due,
                },
            ),
        ),
        items=(invoice.id,),
        amount=invoice.total,
        data={"what": "approve and send this invoice, or delete it", "to": "staff"},
    )


def _unsent(policy: Policy, facts: CustomerFacts, item: ItemFacts, as_of: date) -> Decision | RuleOutcome | None:
    """Approved and never sent. Opening items are not sent late: their first contact is the take-on's statement."""
    invoice = item.invoice
    if item.sent or not invoice.is_open:
        return None
    if item.opening:
        return _sent_by_a_person(facts, item)
    if (forbidden := never(policy, facts, item)) is not None:
        return outcome(NAME, forbidden, item)
    from_day = facts.state.calendar.add(invoice.issued, policy.bill_promptly.unsent_bd)
    if as_of < from_day:
        return outcome(NAME, waits("bill_promptly.just_approved", from_day), item)
    return Decision(
        rule=NAME,
        kind=ActionKind.SEND_INVOICE,
        target_kind=TargetKind.INVOICE,
        target=invoice.id,
        customer_id=facts.customer_id,
        occasion=_first_sending(facts, invoice.id),
        reasons=(
            Reason("bill_promptly.never_sent", {"invoice": invoice.number, "issued": invoice.issued.isoformat()}),
        ),
        items=(invoice.id,),
        amount=item.collectable,
    )


def _first_sending(facts: CustomerFacts, invoice_id: str) -> str:
    """Once; and again after the mail that brought it bounced."""
    bounced = sum(
        letter.what == NOT_A_CONTACT and invoice_id in letter.invoice_ids and not arrived(letter, facts.as_of)
        for letter in facts.letters
    )
    return f"first:again-{bounced}" if bounced else "first"


def _sent_by_a_person(facts: CustomerFacts, item: ItemFacts) -> Decision:
    invoice = item.invoice
    return Decision(
        rule=NAME,
        kind=ActionKind.TASK,
        target_kind=TargetKind.INVOICE,
        target=invoice.id,
        customer_id=facts.customer_id,
        occasion="opening-unsent",
        reasons=(Reason("bill_promptly.opening_unsent", {"invoice": invoice.number}),),
        items=(invoice.id,),
        amount=invoice.balance,
        data={
            "what": "find out whether this old invoice was ever sent; send it or mark it sent in the ledger",
            "to": "staff",
        },
    )
