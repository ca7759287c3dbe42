"""Which contact comes first on a day that has room for one."""

from __future__ import annotations

from datetime import date

from connector.domain.decisions import ActionKind, Decision
from connector.domain.facts import CustomerFacts
from connector.policy.document import Policy

_AGREEMENTS = ("plan", "plan_ended", "extension", "promise")
_PATIENT_BD = 3  # a call that nobody has made by then no longer holds back letters; it stays before a person
_LAST = 9


def precedence(policy: Policy, facts: CustomerFacts, decision: Decision, as_of: date) -> tuple[int, int]:
    """Smaller goes first: answers, calls about broken agreements, letters (firmest first), other calls, courtesies.

    A call about a large sum goes first, too. Once it is old it keeps courtesies and statements waiting no longer; the
    letters that it comes before (`waits_for`) still do.
    """
    if decision.rule == "replies":
        return (0, 0)
    if comes_first(decision) and not _presses(policy, facts, decision, as_of):
        return (_LAST, 1)
    if decision.kind is ActionKind.CALL:
        return (1 if _presses(policy, facts, decision, as_of) else 5, 0)
    match decision.kind:
        case ActionKind.LETTER:
            return (2, -int(decision.level))
        case ActionKind.STATEMENT if decision.asks_for_money:
            return (3, 0)
        case ActionKind.REINVOICE:
            return (4, 0)
        case ActionKind.THANKS:
            return (6, 0)
        case _:
            return (_LAST, 0)


def _presses(policy: Policy, facts: CustomerFacts, decision: Decision, as_of: date) -> bool:
    if decision.rule in _AGREEMENTS:
        since = decision.not_before or as_of
        return facts.state.calendar.between(since, as_of) < _PATIENT_BD
    oldest = max((i.days_overdue for i in facts.items if i.invoice.id in decision.items), default=0)
    return comes_first(decision) and oldest <= policy.reinvoice.latest_days


def comes_first(decision: Decision) -> bool:
    """The call that the policy asks for from a large sum on (`call.at_once`), before anything is written about it."""
    return decision.kind is ActionKind.CALL and ":large" in decision.occasion


def waits_for(decision: Decision, call: Decision) -> bool:
    """Whether this letter or copy presses for the same debt that the call comes first about."""
    presses = decision.asks_for_money and decision.kind in (ActionKind.LETTER, ActionKind.REINVOICE)
    return presses and decision.rule != "replies" and not set(decision.items).isdisjoint(call.items)
