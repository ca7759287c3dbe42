"""Promise to pay: chasing waits for a date, a limited number of times; a broken one gets a call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from connector.domain.cases import Holder, Promise
from connector.domain.decisions import (
    ActionKind,
    Decision,
    DunningLevel,
    Reason,
    RuleOutcome,
    TargetKind,
    Verdict,
)
from connector.domain.facts import CustomerFacts, ItemFacts, PauseState
from connector.domain.money import total
from connector.policy.calls import still_to_call
from connector.policy.document import Policy
from connector.policy.pauses import paused_days
from connector.policy.rule import Rule

NAME = "promise"


class _PromiseRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        decisions: list[Decision] = []
        outcomes: list[RuleOutcome] = []
        for promise, items in _by_promise(facts):
            found, outcome = _about(policy, facts, promise, items, as_of)
            decisions += found
            outcomes.append(outcome)
        return decisions, outcomes or [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("promise.none"))]


RULE: Rule = _PromiseRule()


def _by_promise(facts: CustomerFacts) -> list[tuple[Promise, list[ItemFacts]]]:
    """Each item under the latest promise that covers it; promises in order of their dates."""
    grouped: dict[str, tuple[Promise, list[ItemFacts]]] = {}
    for item in facts.items:
        if item.promise is not None:
            grouped.setdefault(item.promise.id, (item.promise, []))[1].append(item)
    return sorted(grouped.values(), key=lambda group: (group[0].until, group[0].id))


def _about(
    policy: Policy, facts: CustomerFacts, promise: Promise, items: list[ItemFacts], as_of: date
) -> tuple[list[Decision], RuleOutcome]:
    owing = [item for item in items if item.collectable.minor > 0 and item.plan is None]
    states = {item.promise_state for item in owing}
    if not owing or states <= {PauseState.KEPT, None}:
        return [], _outcome(promise, items, Verdict.DONE, "promise.kept")
    running = [item for item in owing if item.promise_state is PauseState.ACTIVE]
    if running:
        waiting = _outcome(promise, running, Verdict.WAITING, "promise.running", promise.until + timedelta(days=1))
        return [_expected_date(facts, promise, item) for item in running], waiting
    calendar, known = facts.state.calendar, facts.state.cash_known_to
    judged_on = calendar.add(promise.until, policy.promise.broken_after_bd)
    if as_of <= judged_on:
        return [], _outcome(promise, owing, Verdict.WAITING, "promise.bank_lag", judged_on + timedelta(days=1))
    broken = [item for item in owing if item.promise_state is PauseState.BROKEN]
    if not broken or known is None or known < judged_on:
        tomorrow = calendar.add(as_of, 1)
        return [], _outcome(promise, owing, Verdict.WAITING, "promise.cash_not_known", tomorrow)
    return _broken(facts, promise, broken, judged_on)


def _outcome(
    promise: Promise, items: Sequence[ItemFacts], verdict: Verdict, code: str, revisit: date | None = None
) -> RuleOutcome:
    reason = Reason(code, {"until": promise.until.isoformat(), "made": promise.on.isoformat()})
    return RuleOutcome(NAME, verdict, reason, tuple(item.invoice.id for item in items), revisit)


def _expected_date(facts: CustomerFacts, promise: Promise, item: ItemFacts) -> Decision:
    until = promise.until.isoformat()
    return Decision(
        rule=NAME,
        kind=ActionKind.SET_EXPECTED_DATE,
        target_kind=TargetKind.INVOICE,
        target=item.invoice.id,
        customer_id=facts.customer_id,
        occasion=promise.id,
        reasons=(Reason("promise.made", {"invoice": item.invoice.number, "until": until}),),
        items=(item.invoice.id,),
        amount=item.collectable,
        data={"expected": until, "because": NAME, "case": promise.id, "final": False},
    )


def _broken(
    facts: CustomerFacts, promise: Promise, items: list[ItemFacts], judged_on: date
) -> tuple[list[Decision], RuleOutcome]:
    attempt = still_to_call(facts, f"promise.broken:{promise.id}")
    if attempt is None:
        return [], _outcome(promise, items, Verdict.DONE, "promise.break_called")
    same = [item for item in items if item.invoice.currency == items[0].invoice.currency]
    call = Decision(
        rule=NAME,
        kind=ActionKind.CALL,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=attempt.occasion,
        reasons=(Reason("promise.broken", {"until": promise.until.isoformat(), "made": promise.on.isoformat()}),),
        level=DunningLevel.CALL,
        items=tuple(item.invoice.id for item in same),
        amount=total((item.collectable for item in same), same[0].invoice.currency),
        data={"case": promise.id, "until": promise.until.isoformat()},
        not_before=facts.state.calendar.contact_on_or_after(max(judged_on + timedelta(days=1), attempt.not_before)),
        asks_for_money=True,
        contact=True,
    )
    return [call], _outcome(promise, items, Verdict.DECIDED, "promise.broken")


def may_promise(
    policy: Policy, facts: CustomerFacts, invoice_id: str, until: date, *, principal: bool = False
) -> Reason | None:
    """Why a promise to pay this invoice by `until` must not pause chasing; None when it may.

    Reasons with the fact `principal` True fall away when the client's principal decides; the others never do: a
    promise cannot pass an extension's final date, and all pauses together stay within the policy's patience.
    """
    item = next((item for item in facts.items if item.invoice.id == invoice_id), None)
    if item is None:
        return Reason("promise.unknown_invoice", {"invoice": invoice_id})
    return next(_objections(policy, facts, item, until, principal=principal), None)


def _objections(
    policy: Policy, facts: CustomerFacts, item: ItemFacts, until: date, *, principal: bool
) -> Iterator[Reason]:
    number, limits = item.invoice.number, policy.promise
    yield from _never(policy, facts, item, until)
    if principal:
        return
    latest = facts.as_of + timedelta(days=limits.longest_days)
    if until > latest:
        yield Reason("promise.too_long", {"invoice": number, "latest": latest.isoformat(), "principal": True})
    if len(item.promises) >= limits.per_invoice:
        made = len(item.promises)
        yield Reason(
            "promise.too_many", {"invoice": number, "made": made, "most": limits.per_invoice, "principal": True}
        )


def _never(policy: Policy, facts: CustomerFacts, item: ItemFacts, until: date) -> Iterator[Reason]:
    number = item.invoice.number
    if facts.legal_hold is not None:
        yield Reason("promise.legal_hold", {"why": facts.legal_hold.why.value})
    if item.holder is not Holder.US or facts.holder is not Holder.US or facts.state.held_by is not Holder.US:
        yield Reason("promise.held_by_others", {"invoice": number})
    if item.plan is not None:
        yield Reason("promise.on_plan", {"invoice": number})
    if item.collectable.minor <= 0:
        yield Reason("promise.nothing_collectable", {"invoice": number})
    if until < facts.as_of:
        yield Reason("promise.in_the_past", {"until": until.isoformat()})
    if item.extension is not None and until > item.extension.until:
        final = item.extension.until.isoformat()
        yield Reason("promise.past_extension", {"invoice": number, "final": final})
    if (days := paused_days(item, (facts.as_of, until))) > policy.patience.longest_days:
        yield Reason("promise.patience", {"invoice": number, "days": days, "most": policy.patience.longest_days})
