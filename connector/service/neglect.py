"""Neglect: overdue, ours to ask for, and nobody has touched it beyond the interval (policy, rule "neglect")."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from connector.domain.cases import Holder, TakeOnChoice
from connector.domain.facts import CustomerFacts, ItemFacts
from connector.domain.known import arrived
from connector.policy.blocks import customer_block

INTERVAL: Final = timedelta(days=30)


def is_neglected(facts: CustomerFacts, item: ItemFacts) -> bool:
    """Whether this open invoice is overdue by its own due date, may be asked for, and was left untouched for too long.

    Not: what is disputed, on a signed plan, excluded, held by others, on legal hold, never chased (related, dummy), or
    sorted at take-on as something other than to chase. What waits for a date that was agreed or expected, or for the
    time that a letter named, waits from that date on.
    """
    if item.due is None or item.due >= facts.as_of or item.collectable.minor <= 0 or _has_a_reason(facts, item):
        return False
    return max(_touched(facts, item), default=item.due) < facts.as_of - INTERVAL


def _has_a_reason(facts: CustomerFacts, item: ItemFacts) -> bool:
    """A reason that a person recorded and that has not expired: it stands without a date."""
    block = customer_block(facts)
    if block is not None and block.code not in ("customer.merged", "customer.needs_review"):
        return True  # those two are for a person to mend, and the money is no less overdue meanwhile
    sorted_away = item.opening and item.sorted not in (None, TakeOnChoice.CHASE)
    return bool(item.disputes or item.plan or item.excluded or item.holder is not Holder.US or sorted_away)


def _touched(facts: CustomerFacts, item: ItemFacts) -> Iterator[date]:
    """Every day up to which something happened about this invoice, or was to happen."""
    yield from (day for day in (item.due, item.expected, item.agreed) if day is not None)
    invoice_id = item.invoice.id
    for letter in facts.letters:
        if invoice_id in letter.invoice_ids and arrived(letter, facts.as_of):
            yield letter.by_date or letter.on
    for call in facts.calls:
        if invoice_id in call.invoice_ids or not call.invoice_ids:
            yield call.on
    for reply in facts.replies:
        if invoice_id in reply.invoice_ids or not reply.invoice_ids:
            yield reply.answered_on or reply.on
    for dispute in facts.disputes:
        if dispute.invoice_id == invoice_id and dispute.resolved_on is not None:
            yield dispute.resolved_on
