"""Guardrails: one function, applied when deciding and again in the transaction that starts sending."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from connector.domain.cases import ReplyOutcome
from connector.domain.decisions import Acted, ActedState, ActionKey, ActionKind, Decision, DunningLevel, Reason
from connector.domain.facts import CustomerFacts, ItemFacts, OrganisationState, PauseState
from connector.domain.known import arrived
from connector.policy.blocks import customer_block, never, not_now, nothing_to_ask, waits
from connector.policy.contacts import by_date_reason, contact_reason, next_contact_day, send_window
from connector.policy.document import Policy

__all__ = ["cash_reason", "check", "judged_date", "next_contact_day", "reply_reason", "send_window"]

CHASING = frozenset({"reinvoice", "ladder", "call", "principal"})  # rules that wait for agreed dates and queries
_LETTERS = (ActionKind.LETTER, ActionKind.REINVOICE, ActionKind.STATEMENT, ActionKind.THANKS)
_WRITTEN = (*_LETTERS, ActionKind.SEND_INVOICE)
_NEEDS_NO_ANSWER = (ReplyOutcome.INSUFFICIENT, ReplyOutcome.OUT_OF_OFFICE)


def check(
    policy: Policy, facts: CustomerFacts, decision: Decision, as_of: date, *, planning: bool = False
) -> tuple[Reason, ...]:
    """Everything that forbids this act on this day; nothing when it may happen.

    A reason without `until` ends only by a person or a change in the books. `planning` leaves out what forbids
    sending but not proposing (the open take-on), and adds that one contact is planned at a time.
    """
    if not (decision.contact or decision.asks_for_money or decision.kind in (*_WRITTEN, ActionKind.WRITE_SCHEDULE)):
        return ()
    return tuple(_reasons(policy, facts, decision, as_of, planning=planning))


def _reasons(
    policy: Policy, facts: CustomerFacts, decision: Decision, as_of: date, *, planning: bool
) -> Iterator[Reason]:
    if (block := customer_block(facts)) is not None:
        yield block
        return
    yield from _items(policy, facts, decision)
    if decision.kind is ActionKind.WRITE_SCHEDULE:
        return
    if decision.kind in _WRITTEN and not facts.recipient:
        yield Reason("customer.no_address", {"why": facts.no_recipient_because})
    yield from _organisation(facts, planning=planning)
    if (cash := _cash(policy, facts, decision, as_of)) is not None:
        yield cash
    if decision.kind is ActionKind.SEND_INVOICE:
        if not facts.state.calendar.may_contact(as_of):
            yield waits("contact.not_a_contact_day", facts.state.calendar.contact_on_or_after(as_of))
        return
    for reason in (
        _reply(policy, facts, decision, as_of),
        by_date_reason(facts, decision, as_of),
        _pending(facts, decision, as_of) if planning else None,
        contact_reason(policy, facts, decision, as_of),
    ):
        if reason is not None:
            yield reason


def _items(policy: Policy, facts: CustomerFacts, decision: Decision) -> Iterator[Reason]:
    known = {item.invoice.id: item for item in facts.items}
    some_open = any(invoice_id in known for invoice_id in decision.items)
    for invoice_id in decision.items:
        item = known.get(invoice_id)
        if item is None and some_open and decision.kind is ActionKind.CALL:
            continue  # a plan names all that it covers, also what is paid by now
        reason = _item(policy, facts, decision, item)
        if reason is not None:
            yield Reason(reason.code, {**reason.facts, "item": invoice_id})


def _item(policy: Policy, facts: CustomerFacts, decision: Decision, item: ItemFacts | None) -> Reason | None:
    if decision.kind is ActionKind.THANKS:
        return None
    if item is None:
        return Reason("item.settled") if decision.asks_for_money or decision.contact else None
    if (forbidden := never(policy, facts, item)) is not None:
        return forbidden
    if decision.asks_for_money and (item.due is None or item.due >= facts.as_of):
        return Reason("item.no_due_date") if item.due is None else waits("item.not_due", item.due + timedelta(days=1))
    if decision.rule in CHASING:
        return not_now(policy, facts, item, undisputed_part=bool(decision.data.get("dispute")))
    return nothing_to_ask(item) if decision.kind in _WRITTEN else None


def _organisation(facts: CustomerFacts, *, planning: bool) -> Iterator[Reason]:
    state = facts.state
    tomorrow = state.calendar.add(facts.as_of, 1)
    if state.organisation.native_reminders and not state.native_reminders_accepted:
        yield waits("organisation.native_reminders", tomorrow, scope="organisation")
    if planning:
        return
    if state.take_on_missing:
        yield waits("take_on.questions_open", tomorrow, scope="organisation", open=", ".join(state.take_on_missing))
    if not state.take_on_closed:
        yield waits("take_on.not_closed", tomorrow, scope="organisation")


def judged_date(facts: CustomerFacts, decision: Decision) -> date | None:
    """The latest date on which the decision's judgement rests: due dates, and for firm acts what was agreed since."""
    listed = [item for item in facts.items if item.invoice.id in decision.items]
    dates = [item.due for item in listed if item.due is not None]
    if _is_firm(decision):
        dates += [x.extension.until for x in listed if x.extension and x.extension_state is PauseState.BROKEN]
        dates += [x.promise.until for x in listed if x.promise and x.promise_state is PauseState.BROKEN]
        dates += [
            letter.by_date
            for letter in facts.letters
            if letter.by_date is not None
            and letter.asks_for_money
            and letter.by_date < facts.as_of
            and arrived(letter, facts.as_of)
            and not set(letter.invoice_ids).isdisjoint(decision.items)
        ]
    return max(dates, default=None)


def _is_firm(decision: Decision) -> bool:
    return decision.kind is ActionKind.CALL or decision.level >= DunningLevel.CALL


def _cash(policy: Policy, facts: CustomerFacts, decision: Decision, as_of: date) -> Reason | None:
    if decision.asks_for_money:
        limit = policy.cash_known.firm_bd if _is_firm(decision) else policy.cash_known.soft_bd
        return cash_reason(facts.state, as_of, limit, judged_date(facts, decision))
    if decision.kind is ActionKind.STATEMENT:
        return cash_reason(facts.state, as_of, policy.cash_known.soft_bd, None)
    return None


def cash_reason(state: OrganisationState, as_of: date, limit_bd: int, judged: date | None) -> Reason | None:
    """Whether the books say too little about cash: unknown, not up to the date judged, or older than `limit_bd`."""
    tomorrow = state.calendar.add(as_of, 1)
    known = state.cash_known_to
    if known is None:
        return waits("cash.unknown", tomorrow, scope="organisation")
    if judged is not None and known < judged:
        return waits("cash.not_known_to", tomorrow, known_to=known.isoformat(), needed=judged.isoformat())
    if state.calendar.between(known, as_of) > limit_bd:
        return waits("cash.stale", tomorrow, scope="organisation", known_to=known.isoformat(), limit_bd=limit_bd)
    return None


def _reply(policy: Policy, facts: CustomerFacts, decision: Decision, as_of: date) -> Reason | None:
    """A reply waits for us: only its answer may go out. Not longer than patience lasts: then a person decides."""
    if decision.rule == "replies" or decision.kind is ActionKind.THANKS:
        return None
    return reply_reason(policy, facts, as_of)


def reply_reason(policy: Policy, facts: CustomerFacts, as_of: date) -> Reason | None:
    """A reply that waits for us, and is not older than patience lasts."""
    ends = as_of - timedelta(days=policy.patience.longest_days)
    for reply in facts.replies:
        waiting = reply.answered_on is None or reply.answered_on > as_of
        if waiting and reply.outcome not in _NEEDS_NO_ANSWER and reply.on > ends:
            return waits("contact.reply_waits", facts.state.calendar.add(as_of, 1), since=reply.on.isoformat())
    return None


def _pending(facts: CustomerFacts, decision: Decision, as_of: date) -> Reason | None:
    """Something approved is on its way to this customer already."""
    for key in _approved(facts.acted):
        if key != decision.key and key.kind in _LETTERS:
            return waits(
                "contact.pending", facts.state.calendar.add(as_of, 1), kind=key.kind.value, occasion=key.occasion
            )
    return None


def _approved(acted: Mapping[ActionKey, Acted]) -> list[ActionKey]:
    return sorted(
        (key for key, one in acted.items() if one.state is ActedState.APPROVED),
        key=lambda key: (key.kind, key.target, key.occasion),
    )
