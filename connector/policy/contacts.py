"""How often and when people may be contacted: caps over every window, business days, hours at their place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from connector.domain.decisions import ActionKind, Decision, Reason
from connector.domain.facts import CustomerFacts
from connector.policy.blocks import waits
from connector.policy.document import Policy

_HORIZON = timedelta(days=400)


def contact_days(facts: CustomerFacts, decision: Decision | None = None) -> tuple[Sequence[date], Sequence[date]]:
    """The days on which this customer was contacted, and its mailbox, without what `decision` itself has sent.

    One act may go to several recipients: its own first letter must not forbid its second.
    """
    own = list(facts.contacts)
    mailbox = list(facts.mailbox_contacts)
    sent = {
        letter.on
        for letter in facts.letters
        if decision is not None and letter.what == decision.kind.value and letter.occasion == decision.occasion
    }
    for day in sent:
        for days in (own, mailbox):
            if day in days:
                days.remove(day)
    return own, mailbox


def next_contact_day(policy: Policy, facts: CustomerFacts, wanted: date, decision: Decision | None = None) -> date:
    """The first day from `wanted` on which calendar and caps allow one more contact, one a day."""
    day = wanted
    rung = {call.on for call in facts.calls}  # also in vain: enough for one day
    while day < wanted + _HORIZON:
        day = facts.state.calendar.contact_on_or_after(day)
        if day not in rung and all(_has_room(policy, days, day) for days in contact_days(facts, decision)):
            return day
        day += timedelta(days=1)
    return day


def _has_room(policy: Policy, days: Sequence[date], day: date) -> bool:
    week = sum(day - timedelta(days=7) < on <= day for on in days)
    month = sum(day - timedelta(days=30) < on <= day for on in days)
    return day not in days and week < policy.contact.per_7_days and month < policy.contact.per_30_days


def contact_reason(policy: Policy, facts: CustomerFacts, decision: Decision, as_of: date) -> Reason | None:
    """Why not today: a day off or quiet, or the caps are used up. `until` is the next day that is free."""
    free = next_contact_day(policy, facts, as_of, decision)
    if free == as_of:
        return None
    if not facts.state.calendar.may_contact(as_of):
        return waits("contact.not_a_contact_day", free)
    own, mailbox = contact_days(facts, decision)
    return waits("contact.cap", free, contacts=len(own), mailbox=len(mailbox))


def by_date_reason(facts: CustomerFacts, decision: Decision, as_of: date) -> Reason | None:
    """The customer was given time for some of these items, and it has not passed."""
    if decision.kind is ActionKind.CALL or not decision.asks_for_money:
        return None
    given = [
        letter.by_date
        for letter in facts.letters
        if letter.asks_for_money
        and letter.by_date is not None
        and letter.by_date >= as_of
        and (letter.bounced_on is None or letter.bounced_on > as_of)
        and not set(letter.invoice_ids).isdisjoint(decision.items)
        and letter.occasion != decision.occasion
    ]
    return waits("contact.by_date_running", max(given) + timedelta(days=1)) if given else None


def send_window(policy: Policy, facts: CustomerFacts, now_local: datetime) -> datetime | None:
    """None when a letter may leave at this local time; else the next moment at which it may."""
    opens, closes = policy.contact.opens, policy.contact.closes
    day = now_local.date()
    if facts.state.calendar.may_contact(day):
        if now_local.time() < opens:
            return datetime.combine(day, opens, now_local.tzinfo)
        if now_local.time() < closes:
            return None
    tomorrow = facts.state.calendar.contact_on_or_after(day + timedelta(days=1))
    return datetime.combine(tomorrow, opens, now_local.tzinfo)


def statement_day(policy: Policy, facts: CustomerFacts, month_of: date) -> date:
    """The business day of that month on which statements leave."""
    return facts.state.calendar.add(month_of.replace(day=1) - timedelta(days=1), policy.statements.monthly_bd)


def next_statement_day(policy: Policy, facts: CustomerFacts, after: date) -> date | None:
    """The first statement day after `after`; None where the policy sends none."""
    if not policy.statements.enabled:
        return None
    day = statement_day(policy, facts, after)
    return day if day > after else statement_day(policy, facts, after.replace(day=28) + timedelta(days=7))
