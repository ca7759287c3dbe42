"""Why something happens to a customer, or why nothing does: facts, each rule's outcome, and the next date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from connector.domain.decisions import ActionKind, Decision, Reason, RuleOutcome, Verdict
from connector.domain.facts import CustomerFacts, ItemFacts
from connector.domain.ledger import Invoice
from connector.domain.money import Money
from connector.errors import UserError
from connector.policy import engine
from connector.policy.standing import standing_of
from connector.service import lookup
from connector.service.plan_ends import facts_of
from connector.service.wiring import Wiring
from connector.service.wording import say
from connector.store import mirror, outbox, timeline
from connector.store.organisations import OrganisationRow


@dataclass(frozen=True)
class Told:
    """A reason as a sentence, with its code and facts."""

    code: str
    text: str
    facts: Mapping[str, object]


@dataclass(frozen=True)
class ItemExplained:
    """One invoice: what is asked for, and how that follows from the ledger's balance."""

    invoice_id: str
    number: str
    status: str
    due: date | None
    expected: date | None
    agreed: date | None
    days_overdue: int
    balance: Money
    collectable: Money
    bridge: tuple[tuple[str, Money], ...]
    level: str
    paused_by: str


@dataclass(frozen=True)
class OutcomeTold:
    rule: str
    verdict: str
    reason: Told
    items: tuple[str, ...]
    revisit: date | None


@dataclass(frozen=True)
class Explanation:
    """Everything behind today's decisions about one customer."""

    organisation: str
    customer_id: str
    customer: str
    as_of: date
    party: str
    standing: str
    held_by: str
    legal_hold: str
    recipient: str
    cash_known_to: date | None
    items: tuple[ItemExplained, ...]
    proposed: tuple[dict[str, object], ...]
    outcomes: tuple[OutcomeTold, ...]
    why_not: tuple[OutcomeTold, ...]
    next_date: date | None
    nothing_because: Told | None
    policy_version: str
    mapping_version: str
    written: tuple[Mapping[str, object], ...]


def explain(w: Wiring, organisation: OrganisationRow, text: str, why_not: str | None = None) -> Explanation:
    """Explain a customer, or the customer of an invoice (then only that invoice's items). Raises `NotFound`."""
    kind = _kind(why_not)
    today = w.today(organisation)
    loaded = w.policy(organisation)
    with w.db.reading(w.tenant) as tx:
        customer = lookup.customer(tx, organisation.id, text)
        asked = {r.id for r in mirror.find(tx, organisation.id, text) if isinstance(r, Invoice)}
        facts = facts_of(w, tx, organisation, customer.id, today)
        history = timeline.entries(tx, organisation.id, customer.id)
        written = outbox.of_customer(tx, organisation.id, customer.id)
    evaluation = engine.decide(loaded.policy, facts, today)
    numbers = {item.invoice.id: item.invoice.number or item.invoice.id for item in facts.items}
    outcomes = tuple(
        _told(one, numbers) for one in evaluation.outcomes if not asked or not one.items or asked & {*one.items}
    )
    return Explanation(
        organisation=organisation.id,
        customer_id=customer.id,
        customer=customer.name,
        as_of=today,
        party=facts.party.value,
        standing=standing_of(loaded.policy, facts)[0].value,
        held_by=facts.holder.value,
        legal_hold=facts.legal_hold.why.value if facts.legal_hold else "",
        recipient=facts.recipient or f"none: {facts.no_recipient_because}",
        cash_known_to=facts.state.cash_known_to,
        items=tuple(_item(item) for item in facts.items if not asked or item.invoice.id in asked),
        proposed=tuple(_decision(one, numbers) for one in evaluation.decisions),
        outcomes=outcomes,
        why_not=tuple(_told(one, numbers) for one in engine.why_not(evaluation, kind)) if kind else (),
        next_date=evaluation.revisit,
        nothing_because=None if evaluation.decisions else _nothing(evaluation.outcomes, facts),
        policy_version=loaded.version,
        mapping_version=w.mapping(organisation).version,
        written=(
            *({"kind": row.effect.kind.value, "state": row.state.value, "at": row.updated_at} for row in written),
            *({"kind": entry.kind, "state": "recorded", "at": entry.at} for entry in history[-5:]),
        ),
    )


def _kind(text: str | None) -> ActionKind | None:
    if text is None:
        return None
    try:
        return ActionKind(text.replace("-", "_"))
    except ValueError:
        raise UserError(f"{text!r} is not a kind of action", next_step="one of " + ", ".join(ActionKind)) from None


def _reason(reason: Reason) -> Told:
    return Told(reason.code, say(reason), dict(reason.facts))


def _told(outcome: RuleOutcome, numbers: Mapping[str, str]) -> OutcomeTold:
    items = tuple(numbers.get(one, one) for one in outcome.items)
    return OutcomeTold(outcome.rule, outcome.verdict.value, _reason(outcome.reason), items, outcome.revisit)


def _decision(decision: Decision, numbers: Mapping[str, str]) -> dict[str, object]:
    return {
        "kind": decision.kind,
        "level": decision.level.name.lower() if decision.level else None,
        "amount": decision.amount,
        "items": [numbers.get(one, one) for one in decision.items],
        "by_date": decision.by_date,
        "not_before": decision.not_before,
        "reasons": [_reason(reason) for reason in decision.reasons],
    }


def _nothing(outcomes: tuple[RuleOutcome, ...], facts: CustomerFacts) -> Told:
    """The weightiest reason why nothing happens: a block before a wait before "does not apply"."""
    for verdict in (Verdict.BLOCKED, Verdict.WAITING, Verdict.DONE, Verdict.NOT_APPLICABLE):
        for outcome in outcomes:
            if outcome.verdict is verdict:
                return _reason(outcome.reason)
    code = "customer.nothing_open" if not facts.items else "customer.nothing_due"
    return _reason(Reason(code))


def _item(item: ItemFacts) -> ItemExplained:
    return ItemExplained(
        invoice_id=item.invoice.id,
        number=item.invoice.number,
        status=item.invoice.status.value,
        due=item.due,
        expected=item.expected,
        agreed=item.agreed,
        days_overdue=item.days_overdue,
        balance=item.invoice.balance,
        collectable=item.collectable,
        bridge=tuple((line.code, line.amount) for line in item.bridge),
        level=item.level.name.lower(),
        paused_by=_pause(item),
    )


def _pause(item: ItemFacts) -> str:
    if item.holder.value != "us":
        return f"held by {item.holder.value}"
    if item.excluded:
        return f"excluded: {item.excluded}"
    if item.plan is not None:
        return "payment plan"
    if item.disputes:
        return "query open"
    for name, state in (("extension", item.extension_state), ("promise", item.promise_state)):
        if state is not None:
            return f"{name} {state.value}"
    return ""
