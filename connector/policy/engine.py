"""The engine: facts in, decisions out. Rules want, guardrails forbid, and nothing overdue is ever left silent.

Decisions are a function of (policy, facts, date) and of nothing else. What was acted on already is a fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from connector.domain.decisions import (
    Acted,
    ActedState,
    ActionKey,
    ActionKind,
    Decision,
    Evaluation,
    Reason,
    RuleOutcome,
    Verdict,
)
from connector.domain.facts import CustomerFacts
from connector.policy import guardrails
from connector.policy.blocks import until_of, waits
from connector.policy.chase import lateness
from connector.policy.document import Policy
from connector.policy.inputs import drift, inputs_of
from connector.policy.organisation import organisation_decisions
from connector.policy.precedence import comes_first, precedence, waits_for
from connector.policy.rule import Rule
from connector.policy.rules import (
    bill_promptly,
    call,
    dispute,
    extension,
    hand_over,
    ladder,
    patience,
    payment_plan,
    plan_ended,
    principal,
    promise,
    reduction,
    reinvoice,
    reissue,
    replies,
    review,
    statements,
    take_on,
    thanks,
)

__all__ = ["RULES", "decide", "drift", "inputs_of", "organisation_decisions", "why_not"]

RULES: tuple[Rule, ...] = (
    review.RULE,
    replies.RULE,
    dispute.RULE,
    reduction.RULE,
    reissue.RULE,
    hand_over.RULE,
    payment_plan.RULE,
    plan_ended.RULE,
    extension.RULE,
    promise.RULE,
    patience.RULE,
    take_on.RULE,
    bill_promptly.RULE,
    reinvoice.RULE,
    ladder.RULE,
    call.RULE,
    principal.RULE,
    statements.RULE,
    thanks.RULE,
)
_LOOK_AGAIN = timedelta(days=30)  # nothing stays unlooked at for longer, whatever the reason
_DEBT_LETTERS = ("reinvoice", "ladder")
_LETTER_TO_COME = ("item.not_due", "reinvoice.soon", "ladder.not_yet", "ladder.time_to_pay")


def decide(policy: Policy, facts: CustomerFacts, as_of: date) -> Evaluation:
    """Everything that dunwell would do for this customer on this day, and why."""
    base = facts.state.organisation.base_currency
    policy = policy if policy.currency == base else policy.scaled(base)
    wanted: list[Decision] = []
    outcomes: list[RuleOutcome] = []
    for rule in RULES:
        decisions, said = rule.decide(policy, facts, as_of)
        wanted += decisions
        outcomes += said
    allowed, refused = _sorted_out(policy, facts, wanted, as_of)
    outcomes += refused
    chosen, put_off = _one_contact(policy, facts, allowed, outcomes, as_of)
    outcomes += put_off
    outcomes += _neglected(facts, chosen, outcomes, as_of)
    kept = tuple(replace(decision, inputs=inputs_of(facts, decision)) for decision in chosen)
    return Evaluation(facts.customer_id, as_of, kept, tuple(outcomes), _revisit(facts, kept, outcomes, as_of))


def _sorted_out(
    policy: Policy, facts: CustomerFacts, wanted: Iterable[Decision], as_of: date
) -> tuple[list[Decision], list[RuleOutcome]]:
    """What may be proposed, and why the rest may not. No letter overtakes a call that the policy wants first.

    That holds while the call is not made, and also on days on which it may not be made itself; not once it is rejected.
    """
    judged = [(decision, _refusal(policy, facts, decision, as_of)) for decision in wanted]
    calls = [
        decision
        for decision, refusal in judged
        if comes_first(decision) and (refusal is None or not refusal.reason.code.startswith("acted."))
    ]
    tomorrow = facts.state.calendar.contact_on_or_after(as_of + timedelta(days=1))
    allowed, refused = list[Decision](), list[RuleOutcome]()
    for decision, refusal in judged:
        first = next((call for call in calls if waits_for(decision, call)), None)
        if refusal is None and first is not None:
            reason = waits("contact.call_first", tomorrow, amount=str(first.amount))
            refused.append(_about(decision, Verdict.WAITING, reason))
        elif refusal is None:
            allowed.append(decision)
        else:
            refused.append(refusal)
    return allowed, refused


def _refusal(policy: Policy, facts: CustomerFacts, decision: Decision, as_of: date) -> RuleOutcome | None:
    """Why this decision is not proposed today; None when it is."""
    if (done := _acted(facts.acted, decision, facts, as_of)) is not None:
        return done
    if decision.not_before is not None and as_of < decision.not_before:
        return _about(decision, Verdict.WAITING, waits("decision.not_before", decision.not_before))
    reasons = guardrails.check(policy, facts, decision, as_of, planning=True)
    if not reasons:
        return None
    lasting = next((reason for reason in reasons if until_of(reason) is None), None)
    reason = lasting or max(reasons, key=lambda r: until_of(r) or date.min)
    organisation_wide = reason.facts.get("scope") == "organisation"
    return _about(decision, Verdict.BLOCKED if lasting or organisation_wide else Verdict.WAITING, reason)


def _acted(
    acted: Mapping[ActionKey, Acted], decision: Decision, facts: CustomerFacts, as_of: date
) -> RuleOutcome | None:
    """What an earlier action with the same key says: nothing is proposed twice."""
    earlier = acted.get(decision.key)
    if earlier is None or earlier.state is ActedState.CANCELLED:
        return None
    if earlier.state is ActedState.REJECTED:
        if earlier.until is not None and earlier.until <= as_of:
            return None
        return _about(decision, Verdict.BLOCKED, waits("acted.rejected", earlier.until, on=earlier.on.isoformat()))
    if earlier.state is ActedState.APPROVED:
        tomorrow = facts.state.calendar.add(as_of, 1)
        return _about(decision, Verdict.DONE, waits("acted.approved", tomorrow, on=earlier.on.isoformat()))
    return _about(decision, Verdict.DONE, Reason("acted.done", {"on": earlier.on.isoformat()}))


def _about(decision: Decision, verdict: Verdict, reason: Reason) -> RuleOutcome:
    said = {**reason.facts, "action": decision.kind.value, "occasion": decision.occasion}
    return RuleOutcome(decision.rule, verdict, Reason(reason.code, said), decision.items, until_of(reason))


def _one_contact(
    policy: Policy, facts: CustomerFacts, allowed: Sequence[Decision], outcomes: Iterable[RuleOutcome], as_of: date
) -> tuple[list[Decision], list[RuleOutcome]]:
    """At most one contact with this customer a day; a statement goes along with a letter that is due soon."""
    contacts = sorted(
        (decision for decision in allowed if decision.contact),
        key=lambda decision: (precedence(policy, facts, decision, as_of), decision.occasion),
    )
    soon = _letter_soon(policy, contacts, outcomes, as_of)
    chosen, put_off = [decision for decision in allowed if not decision.contact], list[RuleOutcome]()
    first: Decision | None = None
    for decision in contacts:
        if decision.rule == "statements" and soon is not None:
            put_off.append(_about(decision, Verdict.WAITING, waits("statements.goes_with_letter", soon)))
        elif first is None:
            first = decision
            chosen.append(decision)
        else:
            tomorrow = facts.state.calendar.contact_on_or_after(as_of + timedelta(days=1))
            reason = waits("contact.one_a_day", tomorrow, first=f"{first.rule}:{first.occasion}")
            put_off.append(_about(decision, Verdict.WAITING, reason))
    return chosen, put_off


def _letter_soon(
    policy: Policy, contacts: Iterable[Decision], outcomes: Iterable[RuleOutcome], as_of: date
) -> date | None:
    """The next day to look at a letter about this account, if one is due within the statement's merging time."""
    last = as_of + timedelta(days=policy.statements.merge_days)
    days = [as_of + timedelta(days=1) for decision in contacts if decision.rule in _DEBT_LETTERS]
    for said in outcomes:
        if said.rule in _DEBT_LETTERS and said.revisit is not None and said.reason.code in _LETTER_TO_COME:
            overdue_from = said.reason.code == "item.not_due"
            days.append(said.revisit + timedelta(days=policy.reinvoice.after_days - 1 if overdue_from else 0))
    days = [day for day in days if as_of < day <= last]
    return min(days, default=None)


def _neglected(
    facts: CustomerFacts, chosen: Iterable[Decision], outcomes: Sequence[RuleOutcome], as_of: date
) -> Iterator[RuleOutcome]:
    """Overdue, and neither waiting for a named date or reason nor before a person: shown first, everywhere."""
    covered = {invoice_id for decision in chosen for invoice_id in decision.items}
    for said in outcomes:
        waiting = said.verdict is not Verdict.DECIDED and said.revisit is not None and said.revisit > as_of
        if waiting or (said.verdict is Verdict.BLOCKED and said.reason.code in _NAMED):
            covered |= set(said.items)
    tomorrow = facts.state.calendar.add(as_of, 1)
    for item in facts.items:
        if item.invoice.is_open and item.days_overdue > 0 and item.invoice.id not in covered:
            reason = Reason("neglected", {**lateness(item, as_of), "until": tomorrow.isoformat()})
            yield RuleOutcome("neglect", Verdict.BLOCKED, reason, (item.invoice.id,), tomorrow)


# Reasons that a person recorded or that the books state: they stand without a date until somebody changes them.
_NAMED = frozenset(
    {
        "customer.legal_hold",
        "customer.held_by",
        "customer.never_chased",
        "customer.excluded",
        "item.held_by",
        "item.excluded",
        "item.disputed",
        "item.outcome_awaited",
        "item.on_plan",
        "item.nothing_collectable",
        "take_on.sorted",
    }
)


def _revisit(
    facts: CustomerFacts, chosen: Sequence[Decision], outcomes: Iterable[RuleOutcome], as_of: date
) -> date | None:
    days = [said.revisit for said in outcomes if said.revisit is not None and said.revisit > as_of]
    if chosen:
        days.append(as_of + timedelta(days=1))
    if facts.items:
        days.append(as_of + _LOOK_AGAIN)
    return min(days, default=None)


def why_not(evaluation: Evaluation, kind: ActionKind) -> tuple[RuleOutcome, ...]:
    """What stands between this customer and an act of that kind, the weightiest first; nothing if it is proposed.

    Only what could have wanted such an act, and the guardrails that stopped one.
    """
    if any(decision.kind is kind for decision in evaluation.decisions):
        return ()
    rules = _RULES_OF[kind]
    undecided = [said for said in evaluation.outcomes if said.verdict is not Verdict.DECIDED]
    found = [
        said for said in undecided if said.reason.facts.get("action", kind.value if said.rule in rules else "") == kind
    ]
    weight = (Verdict.BLOCKED, Verdict.WAITING, Verdict.DONE, Verdict.NOT_APPLICABLE)
    return tuple(sorted(found, key=lambda said: weight.index(said.verdict)))


_RULES_OF: Mapping[ActionKind, frozenset[str]] = {
    ActionKind.SEND_INVOICE: frozenset({"bill_promptly"}),
    ActionKind.REINVOICE: frozenset({"reinvoice", "replies"}),
    ActionKind.STATEMENT: frozenset({"statements", "take_on"}),
    ActionKind.LETTER: frozenset({"ladder"}),
    ActionKind.THANKS: frozenset({"thanks", "plan"}),
    ActionKind.CALL: frozenset({"call", "principal", "extension", "promise", "plan", "plan_ended"}),
    ActionKind.TASK: frozenset(
        {
            "review",
            "take_on",
            "bill_promptly",
            "reinvoice",
            "ladder",
            "replies",
            "dispute",
            "patience",
            "plan",
            "reissue",
        }
    ),
    ActionKind.TAG_DISPUTE: frozenset({"dispute"}),
    ActionKind.UNTAG_DISPUTE: frozenset({"dispute"}),
    ActionKind.SET_EXPECTED_DATE: frozenset({"extension", "promise"}),
    ActionKind.WRITE_SCHEDULE: frozenset({"plan"}),
    ActionKind.END_SCHEDULE: frozenset({"plan_ended"}),
    ActionKind.CREDIT: frozenset({"reduction"}),
    ActionKind.APPLY_CREDIT: frozenset({"reduction"}),
    ActionKind.SET_TERMS: frozenset({"reduction"}),
    ActionKind.REISSUE: frozenset({"reissue"}),
    ActionKind.HAND_OVER: frozenset({"hand_over"}),
    ActionKind.TAKE_BACK: frozenset({"hand_over"}),
}
