"""Payment plans: the schedule in the ledger, a call on the next business day after a miss, breach, cure, completion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from connector.domain.cases import Holder, Instalment, PaymentPlan, PlanState
from connector.domain.decisions import (
    ActionKind,
    Decision,
    DunningLevel,
    Reason,
    RuleOutcome,
    Scalar,
    TargetKind,
    Verdict,
)
from connector.domain.facts import CustomerFacts, PlanProgress
from connector.domain.money import Money, total
from connector.policy.calls import still_to_call
from connector.policy.document import Policy
from connector.policy.plan_ends import obstacle_to_end
from connector.policy.plans import Judgement, PlanStanding, add_months, judge, schedule_occasion
from connector.policy.rule import Rule

NAME = "plan"
_WHAT: Final[Mapping[str, str]] = {
    "plan.allocate_first": "lay the money that has arrived against the covered invoices",
    "plan.breached": "agree how the missed instalment is made good, and by when",
    "plan.uncured": "decide what becomes of the plan: its time to be cured is over, and the rule does not end it",
}


class _PlanRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        decisions: list[Decision] = []
        outcomes: list[RuleOutcome] = []
        for plan in facts.plans:
            if plan.plan.state is not PlanState.SIGNED:
                continue
            judged = judge(policy.plan, plan, facts.state.cash_known_to, as_of)
            if judged.standing is not PlanStanding.COMPLETED:
                decisions += _schedule(facts, plan)
            decisions += _follow_up(policy, facts, plan, judged)
            outcomes.append(_outcome(facts, plan, judged, as_of))
        if facts.offered_plan is not None:
            said: dict[str, Scalar] = {"plan": facts.offered_plan.id, "offered": facts.offered_plan.on.isoformat()}
            outcomes.append(RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("plan.not_signed", said)))
        return decisions, outcomes or [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("plan.none"))]


RULE: Rule = _PlanRule()


def _said(plan: PaymentPlan, **more: Scalar) -> Mapping[str, Scalar]:
    return {"plan": plan.id, "version": plan.version, **more}


def _covered(plan: PaymentPlan) -> tuple[str, ...]:
    return tuple(invoice_id for invoice_id, _ in plan.covered)


def _schedule(facts: CustomerFacts, progress: PlanProgress) -> list[Decision]:
    """One schedule beside each covered invoice that is still open; the expected date is the next instalment's."""
    plan = progress.plan
    amounts = dict(plan.covered)
    still_open = [item.invoice for item in facts.items if item.invoice.id in amounts]
    return [
        Decision(
            rule=NAME,
            kind=ActionKind.WRITE_SCHEDULE,
            target_kind=TargetKind.INVOICE,
            target=invoice.id,
            customer_id=facts.customer_id,
            occasion=schedule_occasion(plan),
            reasons=(Reason("plan.signed", {"invoice": invoice.number, "instalments": len(plan.instalments)}),),
            items=(invoice.id,),
            amount=amounts[invoice.id],
            data=_said(plan, expected=progress.next_due.isoformat() if progress.next_due else None),
        )
        for invoice in still_open
    ]


def _follow_up(policy: Policy, facts: CustomerFacts, progress: PlanProgress, judged: Judgement) -> Iterator[Decision]:
    if judged.standing is PlanStanding.COMPLETED:
        yield _thanks(facts, progress)
        return
    missed = judged.instalment
    if missed is None or judged.standing in (PlanStanding.ON_TRACK, PlanStanding.UNDECIDED):
        return
    if progress.unapplied is not None:
        yield _allocate(facts, progress, missed, progress.unapplied)
    if progress.unapplied is None or progress.unapplied < _shortfall(progress):
        yield from _call(policy, facts, progress, missed)
    if judged.standing is PlanStanding.BREACHED:
        yield _breach(facts, progress, judged, missed)
    if judged.standing is PlanStanding.UNCURED and (obstacle := obstacle_to_end(policy, facts, progress.plan)):
        yield _uncured(facts, progress, judged, missed, obstacle)


def _shortfall(progress: PlanProgress) -> Money:
    """At most what is missing on the missed instalments: they are filled in order, so money laid comes off once."""
    lines = progress.plan.instalments
    due = total((line.amount for line in lines[: max(progress.missed)]), lines[0].amount.currency)
    return (due - progress.paid).floor_zero()


def _call(policy: Policy, facts: CustomerFacts, progress: PlanProgress, missed: Instalment) -> Iterator[Decision]:
    attempt = still_to_call(facts, f"plan.missed:{progress.plan.id}:{missed.number}")
    if attempt is None:
        return
    calendar = facts.state.calendar
    yield Decision(
        rule=NAME,
        kind=ActionKind.CALL,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=attempt.occasion,
        reasons=(_missed("plan.instalment_missed", progress, missed),),
        level=DunningLevel.CALL,
        items=_covered(progress.plan),
        amount=_shortfall(progress),
        data=_said(progress.plan, number=missed.number, due=missed.due.isoformat()),
        not_before=calendar.contact_on_or_after(max(calendar.add(missed.due, policy.plan.call_bd), attempt.not_before)),
        asks_for_money=True,
        contact=True,
    )


def _missed(code: str, progress: PlanProgress, missed: Instalment, **more: Scalar) -> Reason:
    said: dict[str, Scalar] = {
        "number": missed.number,
        "of": len(progress.plan.instalments),
        "due": missed.due.isoformat(),
    }
    return Reason(code, {"plan": progress.plan.id, "amount": str(missed.amount), **said, **more})


def _person(facts: CustomerFacts, progress: PlanProgress, occasion: str, reason: Reason, to: str) -> Decision:
    return Decision(
        rule=NAME,
        kind=ActionKind.TASK,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=f"{reason.code}:{occasion}",
        reasons=(reason,),
        items=_covered(progress.plan),
        data={**reason.facts, **_said(progress.plan, what=_WHAT[reason.code], to=to)},
    )


def _allocate(facts: CustomerFacts, progress: PlanProgress, missed: Instalment, waiting: Money) -> Decision:
    """Money is here but laid against nothing: allocate first; until then there is no breach."""
    reason = _missed("plan.allocate_first", progress, missed, unapplied=str(waiting))
    return _person(facts, progress, f"{progress.plan.id}:{missed.number}", reason, "staff")


def _breach(facts: CustomerFacts, progress: PlanProgress, judged: Judgement, missed: Instalment) -> Decision:
    cure_by = judged.cure_by.isoformat() if judged.cure_by else ""
    reason = _missed("plan.breached", progress, missed, cure_by=cure_by)
    return _person(facts, progress, f"{progress.plan.id}:{missed.number}", reason, "credit_contact")


def _uncured(
    facts: CustomerFacts, progress: PlanProgress, judged: Judgement, missed: Instalment, obstacle: Reason
) -> Decision:
    """Something stands in the way of ending it by rule: a person decides."""
    cure_by = judged.cure_by.isoformat() if judged.cure_by else ""
    reason = _missed("plan.uncured", progress, missed, cure_by=cure_by)
    task = _person(facts, progress, f"{progress.plan.id}:v{progress.plan.version}", reason, "credit_contact")
    return replace(task, reasons=(reason, obstacle))


def _thanks(facts: CustomerFacts, progress: PlanProgress) -> Decision:
    plan = progress.plan
    return Decision(
        rule=NAME,
        kind=ActionKind.THANKS,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=f"plan:{plan.id}",
        reasons=(Reason("plan.completed", {"plan": plan.id, "paid": str(progress.paid)}),),
        items=_covered(plan),
        amount=progress.paid,
        data=_said(plan, letter="plan_completed"),
        contact=True,
    )


_CODES: Mapping[PlanStanding, str] = {
    PlanStanding.ON_TRACK: "plan.on_track",
    PlanStanding.UNDECIDED: "plan.cash_not_known",
    PlanStanding.MISSED: "plan.instalment_missed",
    PlanStanding.BREACHED: "plan.breached",
    PlanStanding.UNCURED: "plan.uncured",
    PlanStanding.COMPLETED: "plan.completed",
}


def _outcome(facts: CustomerFacts, progress: PlanProgress, judged: Judgement, as_of: date) -> RuleOutcome:
    said: dict[str, Scalar] = {"plan": progress.plan.id, "kept": progress.kept}
    if judged.instalment is not None:
        said |= {"number": judged.instalment.number, "due": judged.instalment.due.isoformat()}
    reason = Reason(_CODES[judged.standing], said)
    tomorrow = facts.state.calendar.add(as_of, 1)
    match judged.standing:
        case PlanStanding.ON_TRACK:
            due = judged.instalment.due if judged.instalment else as_of
            verdict, revisit = Verdict.WAITING, max(due, as_of) + timedelta(days=1)
        case PlanStanding.UNDECIDED:
            verdict, revisit = Verdict.WAITING, tomorrow
        case PlanStanding.COMPLETED:
            verdict, revisit = Verdict.DECIDED, tomorrow
        case PlanStanding.MISSED | PlanStanding.BREACHED | PlanStanding.UNCURED:
            verdict, revisit = Verdict.DECIDED, _next_step(judged, as_of, tomorrow)
    return RuleOutcome(NAME, verdict, reason, _covered(progress.plan), revisit)


def _next_step(judged: Judgement, as_of: date, otherwise: date) -> date:
    """The day after the grace or the cure ends, whichever comes next."""
    ends = [day + timedelta(days=1) for day in (judged.grace_until, judged.cure_by) if day is not None]
    return min((day for day in ends if day > as_of), default=otherwise)


def may_offer(
    policy: Policy,
    facts: CustomerFacts,
    amount: Money,
    *,
    principal: bool = False,
    receivables: Money | None = None,
    under_plans: Money | None = None,
) -> Reason | None:
    """Why this customer must not be offered a plan now; None when one may be offered.

    `receivables` and `under_plans`: the organisation's totals in base currency (`amount` too, then); without them the
    share under plans is not judged. Reasons with the fact `principal` True fall away when the principal decides.
    """
    if facts.legal_hold is not None:
        return Reason("plan.legal_hold", {"why": facts.legal_hold.why.value})
    if facts.holder is not Holder.US or facts.state.held_by is not Holder.US:
        return Reason("plan.held_by_others", {"holder": facts.holder.value})
    if any(progress.plan.state is PlanState.SIGNED for progress in facts.plans):
        return Reason("plan.active_already")
    if principal:
        return None
    limits = policy.plan
    since = add_months(facts.as_of, -limits.lookback_months)
    made = sum(day > since for day in facts.history.plans_signed_on)
    if made >= limits.per_customer:
        return Reason("plan.too_many_plans", {"made": made, "most": limits.per_customer, "principal": True})
    if receivables is not None and under_plans is not None:
        most = receivables.times(limits.share_of_receivables)
        if under_plans + amount > most:
            said: dict[str, Scalar] = {"most": str(most), "under": str(under_plans), "principal": True}
            return Reason("plan.share_of_receivables", said)
    return None
