"""What must be left alone, and what must wait: one look at the customer, one at each item.

Every function gives the reason, or None. A reason carries `until` (ISO date: the first day on which to look again)
where a day is known; without it only a person or a change in the books ends it.
"""

from __future__ import annotations

from datetime import date, timedelta

from connector.domain.cases import DisputeOutcome, Holder, Party, TakeOnChoice
from connector.domain.decisions import Reason, Scalar
from connector.domain.facts import CustomerFacts, ItemFacts, PauseState
from connector.domain.money import Money
from connector.policy.document import Policy
from connector.policy.pauses import paused_days

NEVER_CHASED = (Party.RELATED, Party.DUMMY)
# Claims lapse after five to six years in most places: who is still owed after five asks a solicitor, not dunwell.
BARRED_AFTER = timedelta(days=5 * 365)


def waits(code: str, until: date | None, **facts: Scalar) -> Reason:
    """A reason that ends on `until`."""
    return Reason(code, facts if until is None else {**facts, "until": until.isoformat()})


def until_of(reason: Reason) -> date | None:
    """The day on which the reason ends; None where none is known."""
    value = reason.facts.get("until")
    return date.fromisoformat(value) if isinstance(value, str) and value else None


def customer_block(facts: CustomerFacts) -> Reason | None:
    """Why nobody at this customer may be contacted at all."""
    if facts.legal_hold is not None:
        return Reason("customer.legal_hold", {"why": facts.legal_hold.why.value})
    if facts.holder is not Holder.US:
        return Reason("customer.held_by", {"holder": facts.holder.value})
    if facts.party in NEVER_CHASED:
        return Reason("customer.never_chased", {"party": facts.party.value})
    if facts.excluded:
        return waits("customer.excluded", facts.excluded_until, why=facts.excluded)
    if facts.book.customer.merged_into:
        return Reason("customer.merged", {"into": facts.book.customer.merged_into})
    if facts.needs_review:
        return Reason(
            "customer.needs_review", {"records": len(facts.needs_review), "what": facts.needs_review[0].reason}
        )
    return None


def never(policy: Policy, facts: CustomerFacts, item: ItemFacts) -> Reason | None:
    """Why this item may not be mentioned to the customer at all."""
    if not item.invoice.is_open:
        return Reason("item.not_approved", {"status": item.invoice.status.value})
    if item.holder is not Holder.US:
        return Reason("item.held_by", {"holder": item.holder.value})
    if item.excluded:
        return waits("item.excluded", item.excluded_until, why=item.excluded)
    if item.due is not None and item.due < facts.as_of - BARRED_AFTER:
        return Reason("item.maybe_time_barred", {"due": item.due.isoformat()})
    return _take_on(policy, facts, item)


def _take_on(policy: Policy, facts: CustomerFacts, item: ItemFacts) -> Reason | None:
    if not item.opening:
        return None
    if item.sorted is None:
        return Reason("take_on.unsorted")
    if item.sorted is not TakeOnChoice.CHASE:
        return Reason("take_on.sorted", {"choice": item.sorted.value})
    if is_too_old(policy, facts, item) and not item.sorted_itself:
        return Reason("take_on.too_old", {"days": policy.take_on.max_age_days})
    return None


def is_too_old(policy: Policy, facts: CustomerFacts, item: ItemFacts) -> bool:
    """An opening item that was overdue for so long at the connection that a person decides about it by name."""
    return item.due is not None and (facts.state.start_date - item.due).days > policy.take_on.max_age_days


def nothing_to_ask(item: ItemFacts) -> Reason | None:
    """Why there is no collectable amount."""
    if item.collectable.minor > 0:
        return None
    if (query := in_question(item)) is not None:
        return query
    if item.in_transit_until is not None:
        return waits("item.in_transit", item.in_transit_until + timedelta(days=1))
    return Reason("item.nothing_collectable", {"balance": str(item.invoice.balance)})


def in_question(item: ItemFacts) -> Reason | None:
    """The query that pauses a part of this item: open, or closed with an outcome that we have not kept yet."""
    if not item.disputes:
        return None
    dispute = next((one for one in item.disputes if one.is_open), item.disputes[0])
    if dispute.is_open:
        return waits("item.disputed", None, dispute=dispute.id, decide_by=dispute.decide_by.isoformat())
    outcome = dispute.outcome.value if dispute.outcome else ""
    return waits("item.outcome_awaited", None, dispute=dispute.id, outcome=outcome)


def not_now(policy: Policy, facts: CustomerFacts, item: ItemFacts, *, undisputed_part: bool = False) -> Reason | None:
    """Why the customer may not be asked for this item's money yet."""
    if item.due is None:
        return Reason("item.no_due_date")
    if not item.sent:
        return Reason("item.never_sent")
    if (nothing := nothing_to_ask(item)) is not None:
        return nothing
    if (receipt := unmatched_receipt(policy, facts, item)) is not None:
        return receipt
    if not undisputed_part and (query := in_question(item)) is not None:
        return query
    return pause(policy, facts, item)


def pause(policy: Policy, facts: CustomerFacts, item: ItemFacts) -> Reason | None:
    """A plan, an extension, a promise or fresh time after a query: agreed with the customer, so we keep to it."""
    if item.plan is not None:
        return waits("item.on_plan", None, plan=item.plan.id)
    if (fresh := _fresh_time(policy, facts, item)) is not None:
        return fresh
    if (marked := _expected_at_take_on(policy, facts, item)) is not None:
        return marked
    if paused_days(item) > policy.patience.longest_days:
        return None  # patience is used up: rules.patience puts it before a person, the ladder goes on
    return _agreed_time(policy, facts, item)


def _agreed_time(policy: Policy, facts: CustomerFacts, item: ItemFacts) -> Reason | None:
    calendar = facts.state.calendar
    if item.extension is not None and item.extension_state in (PauseState.ACTIVE, PauseState.UNDECIDED):
        until = max(item.extension.until, facts.as_of) + timedelta(days=1)
        return waits("item.extended", until, extended_to=item.extension.until.isoformat())
    if item.promise is None or item.promise_state is PauseState.KEPT:
        return None
    last = calendar.add(item.promise.until, policy.promise.broken_after_bd)
    if item.promise_state is PauseState.UNDECIDED or facts.as_of <= last:
        return waits(
            "item.promised", max(last, facts.as_of) + timedelta(days=1), promised_for=item.promise.until.isoformat()
        )
    return None


def _fresh_time(policy: Policy, facts: CustomerFacts, item: ItemFacts) -> Reason | None:
    """After standing firm the customer gets fresh time before the ladder resumes where it stood."""
    resolved = [
        dispute.resolved_on
        for dispute in facts.disputes
        if dispute.invoice_id == item.invoice.id
        and dispute.outcome is DisputeOutcome.STAND_FIRM
        and dispute.resolved_on is not None
    ]
    if not resolved:
        return None
    until = max(resolved) + timedelta(days=policy.dispute.fresh_days)
    return waits("item.fresh_time", until) if facts.as_of < until else None


def _expected_at_take_on(policy: Policy, facts: CustomerFacts, item: ItemFacts) -> Reason | None:
    """A future expected date that somebody kept in the ledger before dunwell came is honoured, within patience."""
    marked = item.invoice.expected
    if not item.opening or marked is None or item.promise is not None or item.extension is not None:
        return None
    if any(marked == line.due for plan in facts.ended_plans for line in plan.instalments):
        return None  # an instalment of a plan that has ended: our own date, not somebody's word
    last = min(marked, facts.state.start_date + timedelta(days=policy.patience.longest_days))
    return waits("item.expected", last + timedelta(days=1)) if facts.as_of <= last else None


def unmatched_receipt(policy: Policy, facts: CustomerFacts, item: ItemFacts) -> Reason | None:
    """Money that nobody has matched yet, from this payer or of this amount, may be this item's."""
    for payer, on, amount in facts.state.unmatched_receipts:
        ends = on + timedelta(days=policy.cash_known.receipt_days)
        mine = payer == facts.customer_id if payer else _is_like(amount, item.collectable, policy)
        if mine and amount.currency == item.collectable.currency and on <= facts.as_of < ends:
            return waits("item.unmatched_receipt", ends, amount=str(amount), on=on.isoformat())
    return None


def _is_like(amount: Money, other: Money, policy: Policy) -> bool:
    return (
        amount.currency == other.currency
        and abs(amount.minor - other.minor) <= other.minor * policy.cash_known.receipt_tolerance
    )
