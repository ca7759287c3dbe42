"""The ladder: friendly, reminder, firm, principal, final. The oldest item drives; one rung at a time, none skipped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from connector.domain.cases import Dispute
from connector.domain.decisions import ActionKind, Decision, DunningLevel, Reason, RuleOutcome, TargetKind, Verdict
from connector.domain.facts import CustomerFacts, ItemFacts
from connector.policy.blocks import never, not_now, waits
from connector.policy.calls import REACHED, calls_about, still_to_call
from connector.policy.chase import (
    Askable,
    Chase,
    askable,
    chases,
    idle,
    lateness,
    outcome,
    refusals,
    too_small,
    whole_customer,
)
from connector.policy.document import Policy
from connector.policy.guardrails import cash_reason
from connector.policy.rule import Rule

NAME = "ladder"
Found = Decision | RuleOutcome


class _LadderRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        if (nobody := whole_customer(NAME, facts)) is not None:
            return [], [nobody]
        ready = askable(policy, facts)
        outcomes = list(refusals(NAME, [(item, reason) for item, reason in ready.refused if item.introduced]))
        decisions = list(_undisputed_parts(policy, facts, as_of))
        for case in chases(policy, facts, ready):
            found = _next(policy, facts, case, as_of)
            if isinstance(found, Decision):
                decisions.append(found)
            else:
                outcomes.append(found)
        outcomes += (RuleOutcome(NAME, Verdict.DECIDED, d.reasons[0], d.items) for d in decisions)
        return decisions, outcomes or idle(NAME, ready, _nothing(ready))


RULE: Rule = _LadderRule()


def _nothing(ready: Askable) -> Reason:
    """What may be asked for is overdue; without a first contact about it no letter follows."""
    return Reason("ladder.copy_first") if ready.items else Reason("ladder.nothing_overdue")


def _next(policy: Policy, facts: CustomerFacts, case: Chase, as_of: date) -> Found:
    if (small := too_small(policy, facts, case.items)) is not None:
        return outcome(NAME, small, *case.items)
    ends = case.time_ends(policy)
    if ends is not None and as_of < ends:
        return outcome(NAME, waits("ladder.time_to_pay", ends, level=_name(case.lead.level)), *case.items)
    level = case.next_letter(policy)
    if level is None:
        return _after_the_last(policy, facts, case, as_of)
    due = case.letter_due(policy, level)
    if as_of < due:
        return outcome(NAME, waits("ladder.not_yet", due, level=_name(level)), *case.items)
    if not _was_called(facts, case, level):
        tomorrow = facts.state.calendar.add(as_of, 1)
        return outcome(NAME, waits("ladder.call_first", tomorrow, level=_name(level)), *case.items)
    return _letter(policy, facts, case, level, as_of)


def _was_called(facts: CustomerFacts, case: Chase, level: DunningLevel) -> bool:
    """A firm letter needs a call about this debt before it, one to the principal needs a call to the principal."""
    if level is DunningLevel.PRINCIPAL:
        return still_to_call(facts, f"{case.lead_id}:{int(level)}") is None
    if level is not DunningLevel.FIRM:
        return True
    last = case.letters[-1].on if case.letters else date.min
    since = [c for c in calls_about(facts, case.lead_id) if c.outcome in REACHED and c.on >= last]
    return bool(since) or still_to_call(facts, f"{case.lead_id}:{int(DunningLevel.CALL)}") is None


def _letter(policy: Policy, facts: CustomerFacts, case: Chase, level: DunningLevel, as_of: date) -> Decision:
    lapsed = case.lapsed_on()
    why = [
        Reason(
            "ladder.overdue",
            {
                **lateness(case.lead, as_of),
                "level": _name(level),
                "last": _name(case.lead.level),
            },
        )
    ]
    if lapsed is not None and not case.lead.breached:
        why.append(Reason("ladder.agreed_date_lapsed", {"on": lapsed.isoformat()}))
    if case.lead.breached:
        why.append(Reason("ladder.resumes_after_breach", {"level": _name(level)}))
    return Decision(
        rule=NAME,
        kind=ActionKind.LETTER,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=case.occasion(level),
        reasons=tuple(why),
        level=level,
        items=case.ids,
        amount=case.amount,
        by_date=policy.ladder.by_date(facts.state.calendar, as_of),
        data={"lead": case.lead_id, "standing": case.standing.value},
        asks_for_money=True,
        contact=True,
    )


def _after_the_last(policy: Policy, facts: CustomerFacts, case: Chase, as_of: date) -> Found:
    """Every letter was sent: the principal decides what happens next. No letter ever mentions it."""
    days = policy.ladder.after(DunningLevel.HAND_OVER)
    if days is not None and as_of < (reached := case.reached_on(policy, days)):
        return outcome(NAME, waits("ladder.not_yet", reached, level="hand_over"), *case.items)
    code = "ladder.hand_over" if days is not None else "ladder.finished"
    return Decision(
        rule=NAME,
        kind=ActionKind.TASK,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=f"{case.lead_id}:{int(DunningLevel.HAND_OVER)}",
        reasons=(Reason(code, lateness(case.lead, as_of)),),
        level=DunningLevel.HAND_OVER,
        items=case.ids,
        amount=case.amount,
        data={"what": "decide about hand-over: every letter and call was made", "to": "principal"},
    )


def _undisputed_parts(policy: Policy, facts: CustomerFacts, as_of: date) -> Iterator[Decision]:
    """What nobody disputes is asked for once, separately."""
    for item in facts.items:
        dispute = next((one for one in item.disputes if one.is_open), None)
        if dispute is not None and _may_ask_for_rest(policy, facts, item, dispute):
            yield Decision(
                rule=NAME,
                kind=ActionKind.LETTER,
                target_kind=TargetKind.CUSTOMER,
                target=facts.customer_id,
                customer_id=facts.customer_id,
                occasion=f"{item.invoice.id}:undisputed:{dispute.id}",
                reasons=(
                    Reason("ladder.undisputed_part", {"invoice": item.invoice.number, "amount": str(item.collectable)}),
                ),
                items=(item.invoice.id,),
                amount=item.collectable,
                by_date=policy.ladder.by_date(facts.state.calendar, as_of),
                data={"letter": "undisputed_part", "dispute": dispute.id},
                asks_for_money=True,
                contact=True,
            )


def _may_ask_for_rest(policy: Policy, facts: CustomerFacts, item: ItemFacts, dispute: Dispute) -> bool:
    if not item.is_overdue or item.days_overdue < policy.reinvoice.after_days:
        return False
    asked = {letter.occasion for letter in facts.letters}
    if f"{item.invoice.id}:undisputed:{dispute.id}" in asked:
        return False
    return (
        never(policy, facts, item) is None
        and not_now(policy, facts, item, undisputed_part=True) is None
        and too_small(policy, facts, [item]) is None
        and cash_reason(facts.state, facts.as_of, policy.cash_known.soft_bd, item.due) is None
    )


def _name(level: DunningLevel) -> str:
    return level.name.lower()
