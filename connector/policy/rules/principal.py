"""Principal: at a business that still does not answer, the person who decides is called, and then written to."""

from __future__ import annotations

from datetime import date

from connector.domain.decisions import ActionKind, Decision, DunningLevel, Reason, RuleOutcome, TargetKind, Verdict
from connector.domain.facts import CustomerFacts
from connector.policy.blocks import waits
from connector.policy.calls import still_to_call
from connector.policy.chase import Chase, askable, chases, idle, lateness, outcome, whole_customer
from connector.policy.document import Policy
from connector.policy.rule import Rule

NAME = "principal"
_CHECKLIST = "look at the bank and the mailbox now; find out who decides about payments there, and that person's number"


class _PrincipalRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        if (nobody := whole_customer(NAME, facts)) is not None:
            return [], [nobody]
        decisions: list[Decision] = []
        outcomes: list[RuleOutcome] = []
        ready = askable(policy, facts)
        for case in chases(policy, facts, ready):
            found = _about(policy, facts, case, as_of)
            if isinstance(found, Decision):
                decisions.append(found)
                outcomes.append(RuleOutcome(NAME, Verdict.DECIDED, found.reasons[0], found.items))
            elif found is not None:
                outcomes.append(found)
        return decisions, outcomes or idle(NAME, ready, Reason("principal.not_yet"))


RULE: Rule = _PrincipalRule()


def _about(policy: Policy, facts: CustomerFacts, case: Chase, as_of: date) -> Decision | RuleOutcome | None:
    ends = case.time_ends(policy)
    level = DunningLevel.PRINCIPAL
    if ends is None or as_of < ends or case.next_letter(policy) is not level:
        return None
    due = case.letter_due(policy, level)
    if as_of < due:
        return outcome(NAME, waits("principal.soon", due), *case.items)
    attempt = still_to_call(facts, f"{case.lead_id}:{int(level)}")
    if attempt is None:
        return RuleOutcome(NAME, Verdict.DONE, Reason("principal.called"), case.ids)
    if as_of < attempt.not_before:
        return outcome(NAME, waits("call.one_try_a_day", attempt.not_before), *case.items)
    return Decision(
        rule=NAME,
        kind=ActionKind.CALL,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=attempt.occasion,
        reasons=(Reason("principal.unanswered", lateness(case.lead, as_of)),),
        level=level,
        items=case.ids,
        amount=case.amount,
        data={"to": "principal", "attempt": attempt.number, "checklist": _CHECKLIST},
        asks_for_money=True,
        contact=True,
    )
