"""Why something happens to a customer, or why nothing does: facts, each rule's outcome, and the next date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from connector.domain.decisions import ActionKind, Decision, Reason, RuleOutcome, Verdict
from connector.domain.facts import ItemFacts
from connector.domain.ledger import Invoice
from connector.domain.money import Money
from connector.errors import UserError
from connector.policy import engine
from connector.policy.standing import standing_of
from connector.service import lookup
from connector.service.plan_ends import facts_of
from connector.service.standstill import UNSETTLED, Pending, Situation, next_look, standstill
from connector.service.wiring import Wiring
from connector.service.wording import say
from connector.store import actions, mirror, outbox, timeline
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow
from connector.store.outbox import EffectRow


@dataclass(frozen=True)
class Told:
    """A reason as a sentence, with its code and facts."""

    code: str
    text: str
    facts: Mapping[str, object]


@dataclass(frozen=True)
class ItemExplained:
    """One invoice: what is asked for, how that follows from the ledger's balance, and what it waits for."""

    invoice_id: str
    number: str
    status: str
    due: date | None
    expected: date | None
    agreed: date | None
    days_overdue: int  # days past the contractual due date; 0 when not past it, or settled
    counted_from: date | None  # where it is later than the due date: the day from which the ladder's steps count
    balance: Money
    collectable: Money
    bridge: tuple[tuple[str, Money], ...]
    level: str
    paused_by: str
    nothing_because: Told
    next_date: date | None


@dataclass(frozen=True)
class OutcomeTold:
    rule: str
    verdict: str
    reason: Told
    items: tuple[str, ...]
    revisit: date | None


@dataclass(frozen=True)
class Explanation:
    """Everything behind today's decisions about one customer, or about one invoice of theirs.

    `nothing_because`: why nothing reaches the customer or the books by itself today, also where it is proposed and
    waits. `next_date` is when something may change by itself, `next_rule` whose date that is and `next_because` what it
    said; none where only a change in the books or a person's word counts.
    """

    organisation: str
    customer_id: str
    customer: str
    as_of: date
    mode: str
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
    next_rule: str
    next_because: Told | None
    nothing_because: Told
    policy_version: str
    mapping_version: str
    written: tuple[Mapping[str, object], ...]


def explain(w: Wiring, organisation: OrganisationRow, text: str, why_not: str | None = None) -> Explanation:
    """Explain a customer, or the customer of an invoice (then only what concerns that invoice). Raises `NotFound`."""
    kind = _kind(why_not)
    today = w.today(organisation)
    loaded = w.policy(organisation)
    with w.db.reading(w.tenant) as tx:
        customer = lookup.customer(tx, organisation.id, text)
        asked = [r for r in mirror.find(tx, organisation.id, text) if isinstance(r, Invoice)]
        facts = facts_of(w, tx, organisation, customer.id, today)
        history = timeline.entries(tx, organisation.id, customer.id)
        written = outbox.of_customer(tx, organisation.id, customer.id)
        pending = _pending(tx, written)
    evaluation = engine.decide(loaded.policy, facts, today)
    whole = Situation(organisation, loaded.policy, facts, evaluation, pending)
    found = whole.narrowed(_chosen(asked)) if asked else whole
    numbers = {one.id: one.number or one.id for one in facts.book.invoices}
    look = next_look(found)
    return Explanation(
        organisation=organisation.id,
        customer_id=customer.id,
        customer=customer.name,
        as_of=today,
        mode=organisation.mode,
        party=facts.party.value,
        standing=standing_of(loaded.policy, facts)[0].value,
        held_by=facts.holder.value,
        legal_hold=facts.legal_hold.why.value if facts.legal_hold else "",
        recipient=facts.recipient or f"none: {facts.no_recipient_because.replace('_', ' ')}",
        cash_known_to=facts.state.cash_known_to,
        items=_items(whole, asked),
        proposed=tuple(_decision(one, numbers) for one in found.evaluation.decisions),
        outcomes=tuple(_told(one, numbers) for one in found.evaluation.outcomes),
        why_not=_why_not(found, kind, numbers) if kind else (),
        next_date=look.on if look else None,
        next_rule=look.rule if look else "",
        next_because=_reason(look.reason) if look else None,
        nothing_because=_reason(standstill(found).reason),
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


def _pending(tx: Tx, rows: tuple[EffectRow, ...]) -> tuple[Pending, ...]:
    """The effects that are not settled yet, each with its action."""
    return tuple(Pending(row, actions.get(tx, row.action_id)) for row in rows if row.state in UNSETTLED)


def _chosen(asked: list[Invoice]) -> Invoice:
    """The invoice that is meant: where a number was used twice, the one that is open."""
    return next((one for one in asked if one.is_open), asked[0])


def _why_not(found: Situation, kind: ActionKind, numbers: Mapping[str, str]) -> tuple[OutcomeTold, ...]:
    """Why no act of this kind happens: what stopped it, or what it waits for where it is proposed."""
    proposed = tuple(one for one in found.evaluation.decisions if one.kind is kind)
    if proposed:
        only = replace(found, evaluation=replace(found.evaluation, decisions=proposed), pending=())
        told = OutcomeTold(proposed[0].rule, "decided", _reason(standstill(only).reason), (), None)
        return (replace(told, items=_numbers(proposed[0].items, numbers)),)
    stopped = _weighty(engine.why_not(found.evaluation, kind), kind)
    if stopped:
        return tuple(_told(one, numbers) for one in stopped)
    still = standstill(found)  # no rule that could want it speaks of this invoice
    return (OutcomeTold(still.rule, "not_applicable", _reason(still.reason), (), None),)


def _weighty(stopped: tuple[RuleOutcome, ...], kind: ActionKind) -> tuple[RuleOutcome, ...]:
    """What stops the act; where nothing does, what the act's own rule says: that there is no promise, stops no call."""
    stopping = tuple(one for one in stopped if one.verdict is not Verdict.NOT_APPLICABLE)
    own = tuple(one for one in stopped if one.rule.removesuffix("s") == kind.value.removesuffix("s"))
    return stopping or own or stopped


def _reason(reason: Reason) -> Told:
    return Told(reason.code, say(reason), dict(reason.facts))


def _numbers(items: tuple[str, ...], numbers: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(numbers.get(one, one) for one in items)


def _told(outcome: RuleOutcome, numbers: Mapping[str, str]) -> OutcomeTold:
    items = _numbers(outcome.items, numbers)
    return OutcomeTold(outcome.rule, outcome.verdict.value, _reason(outcome.reason), items, outcome.revisit)


def _decision(decision: Decision, numbers: Mapping[str, str]) -> dict[str, object]:
    return {
        "kind": decision.kind,
        "level": decision.level.name.lower() if decision.level else None,
        "what": decision.data.get("what"),
        "amount": decision.amount,
        "items": list(_numbers(decision.items, numbers)),
        "by_date": decision.by_date,
        "not_before": decision.not_before,
        "reasons": [_reason(reason) for reason in decision.reasons],
    }


def _items(whole: Situation, asked: list[Invoice]) -> tuple[ItemExplained, ...]:
    """Every open or draft invoice; or those asked about, settled ones too."""
    items = {item.invoice.id: item for item in whole.facts.items}
    if not asked:
        return tuple(_item(whole, item) for item in items.values())
    settled = {one.id: ItemFacts(one, Money.zero(one.currency), (), one.due, one.due) for one in asked}
    return tuple(_item(whole, items.get(one.id, settled[one.id])) for one in asked)


def _item(whole: Situation, item: ItemFacts) -> ItemExplained:
    mine = whole.narrowed(item.invoice)
    look = next_look(mine)
    past_due = item.invoice.is_open and item.due is not None
    return ItemExplained(
        invoice_id=item.invoice.id,
        number=item.invoice.number or item.invoice.id,
        status=item.invoice.status.value,
        due=item.due,
        expected=item.expected,
        agreed=item.agreed,
        days_overdue=max(0, (whole.facts.as_of - item.due).days) if past_due and item.due else 0,
        counted_from=item.counts_from if item.counts_from != item.due else None,
        balance=item.invoice.balance,
        collectable=item.collectable,
        bridge=tuple((line.code, line.amount) for line in item.bridge),
        level=item.level.name.lower(),
        paused_by=_pause(item),
        nothing_because=_reason(standstill(mine).reason),
        next_date=look.on if look else None,
    )


def _pause(item: ItemFacts) -> str:
    if item.holder.value != "us":
        return f"held by {item.holder.value}"
    if item.excluded:
        return f"excluded: {item.excluded}"
    if item.plan is not None:
        return "payment plan"
    if item.disputes:
        return "query open" if any(one.is_open for one in item.disputes) else "query's outcome not done yet"
    for name, state in (("extension", item.extension_state), ("promise", item.promise_state)):
        if state is not None:
            return f"{name} {state.value}"
    return ""
