"""Call: talk before escalating. Before every firm letter; earlier where letters go unanswered or much is at stake."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from connector.domain.cases import CallOutcome, ReplyOutcome
from connector.domain.decisions import ActionKind, Decision, DunningLevel, Reason, RuleOutcome, TargetKind, Verdict
from connector.domain.facts import CustomerFacts, ItemFacts, Standing
from connector.domain.money import total
from connector.policy.blocks import waits
from connector.policy.calls import REACHED, Attempt, calls_about, still_to_call
from connector.policy.chase import (
    Chase,
    askable,
    chases,
    idle,
    lateness,
    outcome,
    statement_pending,
    value_of,
    whole_customer,
)
from connector.policy.document import Policy
from connector.policy.rule import Rule

NAME = "call"
_CHECKLIST = "look at the bank and the mailbox now; read the last letters and replies"
_SCRIPT = (
    "how did the job go? · the facts · silence · what happened? · what can you do today? · "
    "two permitted options · repeat back"
)
_NO_ANSWER = (ReplyOutcome.OUT_OF_OFFICE, ReplyOutcome.INSUFFICIENT)


class _CallRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        if (nobody := whole_customer(NAME, facts)) is not None:
            return [], [nobody]
        ready = askable(policy, facts)
        decisions: list[Decision] = []
        outcomes: list[RuleOutcome] = []
        known = [item for item in ready.items if not statement_pending(facts, item)]
        for currency in sorted({item.invoice.currency for item in known}):
            items = [item for item in known if item.invoice.currency == currency]
            _add(_at_once(policy, facts, items, as_of), decisions, outcomes)
        for case in chases(policy, facts, ready):
            _add(_about(policy, facts, case, as_of), decisions, outcomes)
        return decisions, outcomes or idle(NAME, ready, Reason("call.no_need"))


RULE: Rule = _CallRule()


def _add(found: Decision | RuleOutcome | None, decisions: list[Decision], outcomes: list[RuleOutcome]) -> None:
    if isinstance(found, Decision):
        decisions.append(found)
        outcomes.append(RuleOutcome(NAME, Verdict.DECIDED, found.reasons[0], found.items))
    elif found is not None:
        outcomes.append(found)


def _at_once(
    policy: Policy, facts: CustomerFacts, items: Sequence[ItemFacts], as_of: date
) -> Decision | RuleOutcome | None:
    """A large sum is worth a call as soon as it is overdue."""
    value = value_of(facts, items)
    if value < policy.call.at_once:
        return None
    attempt = still_to_call(facts, f"{items[0].invoice.id}:large")
    reason = Reason("call.large_amount", {"amount": str(value), "at_once": str(policy.call.at_once)})
    return _call_or_wait(facts, items, attempt, reason, as_of)


def _about(policy: Policy, facts: CustomerFacts, case: Chase, as_of: date) -> Decision | RuleOutcome | None:
    ends = case.time_ends(policy)
    if ends is None or as_of < ends:
        return None  # the ladder's own outcome says until when
    reason = _before_firm(policy, case, as_of) or _worth_it(policy, facts, case)
    if reason is None or _is_called_for_already(facts, case):
        return None
    attempt = still_to_call(facts, f"{case.lead_id}:{int(DunningLevel.CALL)}")
    return _call_or_wait(facts, case.items, attempt, reason, as_of)


def _before_firm(policy: Policy, case: Chase, as_of: date) -> Reason | None:
    days = policy.ladder.after(DunningLevel.CALL)
    if case.next_letter(policy) is not DunningLevel.FIRM or days is None:
        return None
    due = min(case.reached_on(policy, days), case.letter_due(policy, DunningLevel.FIRM))
    if as_of < due:
        return None
    return Reason("call.before_firm", lateness(case.lead, as_of))


def _worth_it(policy: Policy, facts: CustomerFacts, case: Chase) -> Reason | None:
    """After unanswered letters, or early with a solid customer: only for a sum that is worth the caller's time."""
    if case.base_amount < policy.call.minimum or case.lead.level >= DunningLevel.FIRM:
        return None
    unanswered = _unanswered(facts, case)
    if unanswered >= policy.call.unanswered_letters:
        return Reason("call.letters_unanswered", {"letters": unanswered})
    if case.standing is Standing.SOLID and case.lead.days_overdue >= policy.call.solid_by_days:
        return Reason("call.valued_customer", lateness(case.lead, facts.as_of))
    return None


def _unanswered(facts: CustomerFacts, case: Chase) -> int:
    """Letters about the lead since the customer last answered, spoke to us, or paid something."""
    answers = [reply.on for reply in facts.replies if reply.outcome not in _NO_ANSWER]
    answers += [call.on for call in facts.calls if call.outcome is CallOutcome.SPOKE]
    answers += [
        p.paid_on for p in facts.book.payments if p.active and set(case.ids) & {a.invoice_id for a in p.allocations}
    ]
    last = max((day for day in answers if day <= facts.as_of), default=date.min)
    return len({letter.occasion for letter in case.letters if letter.on > last})


def _is_called_for_already(facts: CustomerFacts, case: Chase) -> bool:
    """A lapsed date or a missed instalment has its own call; a second one about the same debt would be rude."""
    lapsed = case.lapsed_on()
    if lapsed is None:
        return False
    since = [call.outcome for call in calls_about(facts, case.lead_id) if call.on > lapsed]
    return not since or any(outcome in REACHED for outcome in since)


def _call_or_wait(
    facts: CustomerFacts, items: Sequence[ItemFacts], attempt: Attempt | None, reason: Reason, as_of: date
) -> Decision | RuleOutcome:
    ids = tuple(item.invoice.id for item in items)
    if attempt is None:
        return RuleOutcome(NAME, Verdict.DONE, Reason("call.made", reason.facts), ids)
    if as_of < attempt.not_before:
        return outcome(NAME, waits("call.one_try_a_day", attempt.not_before), *items)
    return Decision(
        rule=NAME,
        kind=ActionKind.CALL,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=attempt.occasion,
        reasons=(reason,),
        level=DunningLevel.CALL,
        items=ids,
        amount=total((item.collectable for item in items), items[0].invoice.currency),
        data={"attempt": attempt.number, "checklist": _CHECKLIST, "script": _SCRIPT},
        asks_for_money=True,
        contact=True,
    )
