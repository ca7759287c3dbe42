"""Queries: marked in the ledger while open, acknowledged, kept moving, decided in time by a named person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final

from connector.domain.cases import Dispute, DisputeOutcome
from connector.domain.decisions import (
    ActedState,
    ActionKey,
    ActionKind,
    Decision,
    DunningLevel,
    Reason,
    RuleOutcome,
    Scalar,
    TargetKind,
    Verdict,
)
from connector.domain.facts import CustomerFacts
from connector.domain.ledger import Invoice, InvoiceStatus
from connector.policy.document import Policy
from connector.policy.rule import Rule

NAME = "dispute"
_TAGGED = frozenset({ActedState.APPROVED, ActedState.DONE})
_WHAT: Final[Mapping[str, str]] = {
    "dispute.acknowledge": "tell the customer that the query is being looked at, by whom, and until when",
    "dispute.update": "tell the customer where the query stands",
    "dispute.decide_overdue": "decide the query; its date has passed",
    "dispute.invoice_settled": "the invoice is settled: close the query",
    "dispute.enter_credit": "enter the credit, in the books or with `dunwell accommodate credit`",
    "dispute.redo": "have it redone; then close the query again: `dunwell dispute resolve ID --outcome withdrawn`",
    "dispute.outcome_overdue": "have it done, or close the query again with another outcome",
}
_SETTLED = frozenset({InvoiceStatus.PAID, InvoiceStatus.VOIDED, InvoiceStatus.DELETED})


class _DisputeRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        invoices = {invoice.id: invoice for invoice in facts.book.invoices}
        awaited = {one.id: one for item in facts.items for one in item.disputes if not one.is_open}
        decisions: list[Decision] = []
        outcomes: list[RuleOutcome] = []
        for dispute in sorted(facts.disputes, key=lambda d: (d.on, d.id)):
            invoice = invoices.get(dispute.invoice_id)
            if dispute.is_open:
                if invoice is None or invoice.status not in _SETTLED:
                    decisions.append(_tag(facts, dispute, invoice))
                tasks = list(_tasks(policy, facts, dispute, invoice, as_of))
                decisions += tasks
                number = _number(dispute, invoice)
                outcomes.append(_waiting(policy, facts, dispute, number, as_of, decided=bool(tasks)))
            else:
                decisions += _untag(facts, dispute, invoice)
                if (missing := awaited.get(dispute.id)) is not None:
                    decisions += _awaited(policy, facts, missing, _number(dispute, invoice), as_of)
                    outcomes.append(_not_done(policy, facts, missing, _number(dispute, invoice), as_of))
                else:
                    outcomes.append(_resolved(policy, dispute, _number(dispute, invoice), as_of))
        return decisions, outcomes or [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("dispute.none"))]


RULE: Rule = _DisputeRule()


def _number(dispute: Dispute, invoice: Invoice | None) -> str:
    return invoice.number if invoice else dispute.invoice_id


def _said(dispute: Dispute, **more: Scalar) -> Mapping[str, Scalar]:
    return {"dispute": dispute.id, "invoice": dispute.invoice_id, "amount": str(dispute.amount), **more}


def _tag(facts: CustomerFacts, dispute: Dispute, invoice: Invoice | None) -> Decision:
    return Decision(
        rule=NAME,
        kind=ActionKind.TAG_DISPUTE,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=dispute.id,
        reasons=(Reason("dispute.open", {"invoice": _number(dispute, invoice), "amount": str(dispute.amount)}),),
        items=(dispute.invoice_id,),
        amount=dispute.amount,
        data=_said(dispute),
    )


def _untag(facts: CustomerFacts, dispute: Dispute, invoice: Invoice | None) -> list[Decision]:
    """The closing note for a query that was marked; `tag` True: the mark itself goes too, with the last open query."""
    acted = facts.acted.get(ActionKey(ActionKind.TAG_DISPUTE, facts.customer_id, dispute.id))
    if acted is None or acted.state not in _TAGGED:
        return []
    last = not any(other.is_open for other in facts.disputes)
    outcome = _outcome(dispute)
    return [
        Decision(
            rule=NAME,
            kind=ActionKind.UNTAG_DISPUTE,
            target_kind=TargetKind.CUSTOMER,
            target=facts.customer_id,
            customer_id=facts.customer_id,
            occasion=dispute.id,
            reasons=(Reason("dispute.resolved", {"invoice": _number(dispute, invoice), "outcome": outcome}),),
            items=(dispute.invoice_id,),
            amount=dispute.amount,
            data=_said(dispute, tag=last),
        )
    ]


def _tasks(
    policy: Policy, facts: CustomerFacts, dispute: Dispute, invoice: Invoice | None, as_of: date
) -> Iterator[Decision]:
    limits, calendar = policy.dispute, facts.state.calendar
    number = _number(dispute, invoice)
    if invoice is not None and invoice.status in _SETTLED:
        yield _task(facts, dispute, Reason("dispute.invoice_settled", {"invoice": number}), as_of)
        return
    acknowledge_by = calendar.add(dispute.on, limits.acknowledge_bd)
    facts_said: dict[str, Scalar] = {"invoice": number, "opened": dispute.on.isoformat()}
    yield _task(facts, dispute, Reason("dispute.acknowledge", facts_said), acknowledge_by)
    updates = calendar.between(dispute.on, as_of) // limits.update_every_bd
    if updates:
        due = calendar.add(dispute.on, updates * limits.update_every_bd)
        yield _task(facts, dispute, Reason("dispute.update", facts_said), due, part=updates)
    if as_of > dispute.decide_by:
        late: dict[str, Scalar] = {"invoice": number, "decide_by": dispute.decide_by.isoformat()}
        reason = Reason("dispute.decide_overdue", late)
        yield _task(facts, dispute, reason, dispute.decide_by, to="principal")


def _task(
    facts: CustomerFacts,
    dispute: Dispute,
    reason: Reason,
    by: date,
    *,
    to: str = "credit_contact",
    part: int | None = None,
) -> Decision:
    return Decision(
        rule=NAME,
        kind=ActionKind.TASK,
        target_kind=TargetKind.INVOICE,
        target=dispute.invoice_id,
        customer_id=facts.customer_id,
        occasion=f"{reason.code}:{dispute.id}" if not part else f"{reason.code}:{dispute.id}:{part}",
        reasons=(reason,),
        items=(dispute.invoice_id,),
        amount=dispute.amount,
        by_date=by,
        data=_said(dispute, what=_WHAT[reason.code], to=to, owner=dispute.owner),
    )


def _waiting(
    policy: Policy, facts: CustomerFacts, dispute: Dispute, number: str, as_of: date, *, decided: bool
) -> RuleOutcome:
    """The next day on which an open query needs a look: the next update, or the day after decide-by."""
    calendar, every = facts.state.calendar, policy.dispute.update_every_bd
    updates = calendar.between(dispute.on, as_of) // every + 1
    revisit = calendar.add(dispute.on, updates * every)
    if as_of <= dispute.decide_by:
        revisit = min(revisit, dispute.decide_by + timedelta(days=1))
    decide_by = dispute.decide_by.isoformat()
    reason = Reason("dispute.open", {"invoice": number, "amount": str(dispute.amount), "decide_by": decide_by})
    verdict = Verdict.DECIDED if decided else Verdict.WAITING
    return RuleOutcome(NAME, verdict, reason, (dispute.invoice_id,), revisit)


def _resolved(policy: Policy, dispute: Dispute, number: str, as_of: date) -> RuleOutcome:
    """After standing firm the customer has fresh time to pay before the ladder resumes."""
    outcome = _outcome(dispute)
    until = fresh_until(policy, dispute)
    if until is not None and as_of < until:
        reason = Reason("dispute.fresh_time", {"outcome": outcome, "until": until.isoformat()})
        return RuleOutcome(NAME, Verdict.WAITING, reason, (dispute.invoice_id,), until)
    reason = Reason("dispute.resolved", {"invoice": number, "outcome": outcome})
    return RuleOutcome(NAME, Verdict.DONE, reason, (dispute.invoice_id,))


def _awaited(policy: Policy, facts: CustomerFacts, missing: Dispute, number: str, as_of: date) -> Iterator[Decision]:
    """What the outcome asks of us, for a person; once it is late, the principal is asked again and again."""
    said: dict[str, Scalar] = {"invoice": number, "outcome": _outcome(missing), "amount": str(missing.amount)}
    by = _done_by(policy, facts, missing)
    if missing.outcome is DisputeOutcome.REDO:
        yield _task(facts, missing, Reason("dispute.redo", said), by)
    elif not _conceded(facts, missing):  # what was conceded is proposed by itself: nobody is to enter it twice
        yield _task(facts, missing, Reason("dispute.enter_credit", said), by)
    if as_of > by:
        part = facts.state.calendar.between(by, as_of) // policy.dispute.decide_bd + 1
        late = Reason("dispute.outcome_overdue", {**said, "by": by.isoformat()})
        yield _task(facts, missing, late, by, to="principal", part=part)


def _conceded(facts: CustomerFacts, dispute: Dispute) -> bool:
    return any(one.invoice_id == dispute.invoice_id and one.on >= dispute.on for one in facts.concessions)


def _done_by(policy: Policy, facts: CustomerFacts, missing: Dispute) -> date:
    """An outcome has as long to be carried out as a query has to be decided."""
    return facts.state.calendar.add(missing.resolved_on or missing.decide_by, policy.dispute.decide_bd)


def _not_done(policy: Policy, facts: CustomerFacts, missing: Dispute, number: str, as_of: date) -> RuleOutcome:
    calendar, every = facts.state.calendar, policy.dispute.decide_bd
    by = _done_by(policy, facts, missing)
    revisit = by if as_of <= by else calendar.add(by, (calendar.between(by, as_of) // every + 1) * every)
    reason = Reason("dispute.resolved", {"invoice": number, "outcome": _outcome(missing)})
    return RuleOutcome(NAME, Verdict.WAITING, reason, (missing.invoice_id,), max(revisit, as_of) + timedelta(days=1))


def _outcome(dispute: Dispute) -> str:
    return dispute.outcome.value if dispute.outcome else ""


def fresh_until(policy: Policy, dispute: Dispute) -> date | None:
    """The day on which the ladder resumes after standing firm; None for every other outcome."""
    if dispute.outcome is not DisputeOutcome.STAND_FIRM or dispute.resolved_on is None:
        return None
    return dispute.resolved_on + timedelta(days=policy.dispute.fresh_days)


_ARRIVAL_DAYS = 7


def came_late(facts: CustomerFacts, dispute: Dispute) -> bool:
    """Whether the query came late: after chasing began, although the invoice was sent and our first contact about it
    arrived more than a week before. Whatever is unknown speaks for the customer.
    """
    invoice = next((i for i in facts.book.invoices if i.id == dispute.invoice_id), None)
    if invoice is None or invoice.sent is not True:
        return False
    arrived = [
        letter.on
        for letter in facts.letters
        if letter.level > DunningLevel.NONE and letter.bounced_on is None and dispute.invoice_id in letter.invoice_ids
    ]
    return bool(arrived) and (dispute.on - min(arrived)).days > _ARRIVAL_DAYS
