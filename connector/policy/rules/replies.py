"""Replies: the next move is ours. Each kind of answer asks for its own act, and waits for us only so long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from connector.domain.cases import Reply, ReplyOutcome
from connector.domain.decisions import ActionKind, Decision, Reason, RuleOutcome, Scalar, TargetKind, Verdict
from connector.domain.facts import CustomerFacts, ItemFacts
from connector.domain.money import total
from connector.policy.document import Policy
from connector.policy.rule import Rule

NAME = "replies"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a kind of reply asks of us, who does it, and within which of the policy's times."""

    task: str
    what: str
    to: str = "staff"
    within: Literal["answer", "hardship"] = "answer"


ANSWERS: Final[Mapping[ReplyOutcome, _Answer]] = {
    ReplyOutcome.PAID: _Answer("search_bank", "look for the payment in the bank and mailbox; ask for no proof first"),
    ReplyOutcome.REMITTANCE: _Answer("search_bank", "match the remittance with the bank"),
    ReplyOutcome.CHEQUE_POSTED: _Answer("watch_for_cheque", "watch for the cheque"),
    ReplyOutcome.IN_PAYMENT_RUN: _Answer("record_date", "ask for the day of the payment run; record it as a promise"),
    ReplyOutcome.AWAITING_APPROVAL: _Answer("help_approval", "ask who approves and what is missing, e.g. a PO number"),
    ReplyOutcome.NEVER_RECEIVED: _Answer("check_address", "check the address before the copy goes out"),
    ReplyOutcome.QUERY: _Answer("open_query", "open the query (dispute open) and acknowledge it"),
    ReplyOutcome.HARDSHIP: _Answer("meet", "offer a meeting or a call", "credit_contact", "hardship"),
    ReplyOutcome.PROMISE: _Answer("record_date", "record the promised day (promise)"),
    ReplyOutcome.WRONG_PERSON: _Answer("find_person", "find the right person and correct the ledger's contact"),
    ReplyOutcome.ABUSIVE: _Answer("decide", "decide how to go on with this customer", "principal"),
}
_ON_ITS_WAY = frozenset({ReplyOutcome.PAID, ReplyOutcome.REMITTANCE, ReplyOutcome.CHEQUE_POSTED})


class _RepliesRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        decisions: list[Decision] = []
        outcomes: list[RuleOutcome] = []
        for reply in facts.replies:
            if not _concerns_us(policy, facts, reply, as_of):
                continue
            found, outcome = _about(policy, facts, reply, as_of)
            decisions += found
            outcomes.append(outcome)
        return decisions, outcomes or [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("replies.none"))]


RULE: Rule = _RepliesRule()


def answer_by(policy: Policy, facts: CustomerFacts, reply: Reply) -> date:
    """The day by which the reply must have its answer; until then chasing waits, afterwards it is our failure."""
    answer = ANSWERS.get(reply.outcome)
    hardship = answer is not None and answer.within == "hardship"
    return facts.state.calendar.add(reply.on, policy.replies.hardship_bd if hardship else policy.replies.answer_bd)


def _concerns_us(policy: Policy, facts: CustomerFacts, reply: Reply, as_of: date) -> bool:
    """Unanswered; or money is said to be on its way and the bank must still be watched."""
    if reply.answered_on is None or reply.answered_on > as_of:
        return True
    if reply.outcome not in _ON_ITS_WAY:
        return False
    return as_of <= facts.state.calendar.add(reply.on, policy.replies.in_transit_bd)


def _about(policy: Policy, facts: CustomerFacts, reply: Reply, as_of: date) -> tuple[list[Decision], RuleOutcome]:
    answer = ANSWERS.get(reply.outcome)
    said: dict[str, Scalar] = {"reply": reply.outcome.value, "received": reply.on.isoformat()}
    if answer is None:
        return [], _no_act(facts, reply, said, as_of)
    by = answer_by(policy, facts, reply)
    overdue = as_of > by and reply.answered_on is None
    decisions = [_task(facts, reply, answer, by, overdue=overdue)]
    if reply.outcome is ReplyOutcome.NEVER_RECEIVED:
        decisions += _copies(facts, reply)
    code = "replies.overdue" if overdue else "replies.waits_for_us"
    revisit = facts.state.calendar.add(as_of, 1) if overdue else by + timedelta(days=1)
    reason = Reason(code, {**said, "answer_by": by.isoformat()})
    return decisions, RuleOutcome(NAME, Verdict.DECIDED, reason, reply.invoice_ids, revisit)


def _no_act(facts: CustomerFacts, reply: Reply, said: Mapping[str, Scalar], as_of: date) -> RuleOutcome:
    """An absence waits for the return; an answer without date or reason changes nothing: the ladder goes on."""
    if reply.outcome is ReplyOutcome.OUT_OF_OFFICE and reply.until is not None and reply.until >= as_of:
        back = facts.state.calendar.add(reply.until, 1)
        reason = Reason("replies.out_of_office", {**said, "until": reply.until.isoformat()})
        return RuleOutcome(NAME, Verdict.WAITING, reason, reply.invoice_ids, back)
    return RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("replies.no_answer_in_it", said), reply.invoice_ids)


def _task(facts: CustomerFacts, reply: Reply, answer: _Answer, by: date, *, overdue: bool) -> Decision:
    reason = Reason(
        f"replies.{answer.task}",
        {
            "received": reply.on.isoformat(),
            "reference": reply.reference,
            "amount": str(reply.amount) if reply.amount else "",
            "until": reply.until.isoformat() if reply.until else "",
        },
    )
    late = (Reason("replies.overdue", {"answer_by": by.isoformat()}),) if overdue else ()
    return Decision(
        rule=NAME,
        kind=ActionKind.TASK,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=f"replies.{answer.task}:{reply.id}",
        reasons=(*late, reason),
        items=reply.invoice_ids,
        by_date=by,
        data={"reply": reply.id, "what": answer.what, "to": answer.to, "first": overdue},
    )


def _copies(facts: CustomerFacts, reply: Reply) -> list[Decision]:
    """The invoices again because the customer asked, one mailing a currency. Asks for nothing, earns no level."""
    wanted = [item for item in facts.items if _asked_for(item, reply)]
    currencies = list(dict.fromkeys(item.invoice.currency for item in wanted))
    return [
        _copy(facts, reply, [item for item in wanted if item.invoice.currency == currency], number)
        for number, currency in enumerate(currencies)
    ]


def _asked_for(item: ItemFacts, reply: Reply) -> bool:
    if not item.invoice.is_open:
        return False
    return item.invoice.id in reply.invoice_ids if reply.invoice_ids else item.is_overdue


def _copy(facts: CustomerFacts, reply: Reply, items: list[ItemFacts], number: int) -> Decision:
    currency = items[0].invoice.currency
    return Decision(
        rule=NAME,
        kind=ActionKind.REINVOICE,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=f"request:{reply.id}" if number == 0 else f"request:{reply.id}:{currency}",
        reasons=(Reason("replies.never_received", {"received": reply.on.isoformat()}),),
        items=tuple(item.invoice.id for item in items),
        amount=total((item.collectable for item in items), currency),
        data={"reply": reply.id, "requested": True, "letter": "first_sending"},
        contact=True,
    )
