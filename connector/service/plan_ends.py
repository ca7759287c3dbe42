"""Plans that the policy ends: seen by every plan and explanation, recorded by the plan that is kept.

What the ledger is told about it is proposed and approved like every other write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from connector.channels.notes import NotePhrase
from connector.domain.cases import PaymentPlan, PlanState
from connector.domain.decisions import ActionKey, ActionKind, TargetKind
from connector.domain.effects import Effect, EffectState, ExpectedDate
from connector.domain.facts import CustomerFacts, ItemFacts, PauseState
from connector.domain.ledger import Invoice
from connector.errors import Refused
from connector.policy.document import Policy
from connector.policy.plan_ends import ended_by_rule
from connector.service.knowledge import Knowledge, gather
from connector.service.pen import Pen, number
from connector.service.wiring import Wiring
from connector.store import actions, cases, mirror, outbox
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow

_RUNS = (PauseState.ACTIVE, PauseState.UNDECIDED)


def as_ended(policy: Policy, knowledge: Knowledge, facts: CustomerFacts) -> CustomerFacts:
    """The facts with those plans void that the policy ends on this day."""
    ended = ended_by_rule(policy, facts)
    return knowledge.facts(facts.book, facts.as_of, ended) if ended else facts


def facts_of(w: Wiring, tx: Tx, organisation: OrganisationRow, customer_id: str, as_of: date) -> CustomerFacts:
    """Facts of one customer, as a plan of this day sees them. Raises `NotFound`."""
    knowledge = gather(w, tx, organisation, as_of)
    facts = knowledge.facts(mirror.book(tx, organisation.id, customer_id), as_of)
    return as_ended(w.policy(organisation).policy, knowledge, facts)


def keep(tx: Tx, organisation: OrganisationRow, ended: Iterable[PaymentPlan]) -> None:
    """Record these ends, except where a person has ended the plan meanwhile."""
    for plan in ended:
        stored = cases.get(tx, organisation.id, plan.id)
        if isinstance(stored, PaymentPlan) and stored.state is PlanState.SIGNED:
            cases.put(tx, organisation.id, plan)


def schedule_ended(pen: Pen) -> Iterator[Effect]:
    """The note that the plan has ended; the expected date that its schedule had set goes back to what it was.

    Where the ledger carried no date before, or takes none because money is applied, the note says that it does not
    hold: a ledger may keep an expected date, but not clear it.
    """
    decision = pen.decision
    plan = next((one for one in pen.facts.ended_plans if one.id == decision.data.get("plan")), None)
    if plan is None:
        raise Refused("the payment plan has not ended", record=str(decision.data.get("plan")))
    for invoice_id in decision.items:
        invoice = pen.invoices[invoice_id]
        ours = _our_date(pen, invoice)
        back = ours is not None and ours.seen is not None and not invoice.paid and not invoice.credited
        if ours is not None and ours.seen is not None and back:
            yield pen.effect(ExpectedDate(ours.seen, ours.expected), TargetKind.INVOICE, invoice_id)
        yield pen.note(
            NotePhrase.PLAN_ENDED, invoice_id, plan=plan.id[:8], on=plan.closed_on or pen.facts.as_of,
            invoices=[number(pen.invoices[one]) for one, _ in plan.covered if one in pen.invoices],
            expected=ours.expected if ours is not None and not back else None,
        )  # fmt: skip


def _our_date(pen: Pen, invoice: Invoice) -> ExpectedDate | None:
    """What the schedule set as expected date, and what stood there before: while it still stands, and means nothing."""
    item = pen.items.get(invoice.id)
    if item is None or _has_a_later_word(item):
        return None
    key = ActionKey(ActionKind.WRITE_SCHEDULE, invoice.id, pen.decision.occasion)
    with pen.w.db.reading(pen.w.tenant) as tx:
        rows = outbox.of_action(tx, actions.action_id(pen.organisation.id, key))
    for row in rows:
        wrote = row.state is EffectState.DONE and not (row.receipt is not None and row.receipt.already)
        payload = row.effect.payload
        if isinstance(payload, ExpectedDate) and wrote and payload.expected == invoice.expected:
            return payload
    return None


def _has_a_later_word(item: ItemFacts) -> bool:
    """A new plan, a promise or an extension sets the date itself."""
    return item.plan is not None or item.promise_state in _RUNS or item.extension_state in _RUNS
