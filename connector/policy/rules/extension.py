"""Extension: one final later date for one invoice, asked for in time; a lapsed one gets a call, not another date."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from connector.domain.cases import Extension, Holder
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
from connector.policy.calls import still_to_call
from connector.policy.document import Policy
from connector.policy.pauses import paused_days
from connector.policy.rule import Rule

NAME = "extension"


class _ExtensionRule:
    name = NAME

    def decide(self, policy: Policy, facts: CustomerFacts, as_of: date) -> tuple[list[Decision], list[RuleOutcome]]:
        del policy
        decisions: list[Decision] = []
        outcomes: list[RuleOutcome] = []
        for item in facts.items:
            if item.extension is None:
                continue
            decision, outcome = _about(facts, item, item.extension, as_of)
            outcomes.append(outcome)
            if decision is not None:
                decisions.append(decision)
        return decisions, outcomes or [RuleOutcome(NAME, Verdict.NOT_APPLICABLE, Reason("extension.none"))]


RULE: Rule = _ExtensionRule()


def _about(
    facts: CustomerFacts, item: ItemFacts, extension: Extension, as_of: date
) -> tuple[Decision | None, RuleOutcome]:
    if item.collectable.minor <= 0 or item.extension_state is PauseState.KEPT:
        return None, _outcome(item, Verdict.NOT_APPLICABLE, "extension.kept", extension)
    if item.plan is not None:
        return None, _outcome(item, Verdict.NOT_APPLICABLE, "extension.on_plan", extension)
    if item.extension_state is PauseState.UNDECIDED:
        tomorrow = facts.state.calendar.add(as_of, 1)
        return None, _outcome(item, Verdict.WAITING, "extension.cash_not_known", extension, tomorrow)
    if item.extension_state is PauseState.BROKEN:
        return _lapsed(facts, item, extension, as_of)
    waiting = _outcome(item, Verdict.WAITING, "extension.running", extension, extension.until + timedelta(days=1))
    if _promised_since(item, extension):
        return None, waiting
    return _expected_date(facts, item, extension), waiting


def _outcome(
    item: ItemFacts, verdict: Verdict, code: str, extension: Extension, revisit: date | None = None
) -> RuleOutcome:
    reason = Reason(code, {"invoice": item.invoice.number, "until": extension.until.isoformat()})
    return RuleOutcome(NAME, verdict, reason, (item.invoice.id,), revisit)


def _promised_since(item: ItemFacts, extension: Extension) -> bool:
    """A promise made since the extension is the later word on the expected date."""
    return (
        item.promise is not None
        and item.promise.on >= extension.on
        and item.promise_state in (PauseState.ACTIVE, PauseState.UNDECIDED)
    )


def _expected_date(facts: CustomerFacts, item: ItemFacts, extension: Extension) -> Decision:
    return Decision(
        rule=NAME,
        kind=ActionKind.SET_EXPECTED_DATE,
        target_kind=TargetKind.INVOICE,
        target=item.invoice.id,
        customer_id=facts.customer_id,
        occasion=extension.id,
        reasons=(Reason("extension.granted", {"invoice": item.invoice.number, "until": extension.until.isoformat()}),),
        items=(item.invoice.id,),
        amount=item.collectable,
        data={"expected": extension.until.isoformat(), "because": NAME, "case": extension.id, "final": True},
    )


def _lapsed(
    facts: CustomerFacts, item: ItemFacts, extension: Extension, as_of: date
) -> tuple[Decision | None, RuleOutcome]:
    attempt = still_to_call(facts, f"extension.lapsed:{extension.id}")
    if attempt is None:
        return None, _outcome(item, Verdict.DONE, "extension.lapse_called", extension)
    if _promised_since(item, extension):
        tomorrow = facts.state.calendar.add(as_of, 1)
        return None, _outcome(item, Verdict.WAITING, "extension.promised_since", extension, tomorrow)
    from_day = facts.state.calendar.contact_on_or_after(max(extension.until + timedelta(days=1), attempt.not_before))
    reason = Reason("extension.lapsed", {"invoice": item.invoice.number, "until": extension.until.isoformat()})
    call = Decision(
        rule=NAME,
        kind=ActionKind.CALL,
        target_kind=TargetKind.CUSTOMER,
        target=facts.customer_id,
        customer_id=facts.customer_id,
        occasion=attempt.occasion,
        reasons=(reason,),
        level=DunningLevel.CALL,
        items=(item.invoice.id,),
        amount=item.collectable,
        data={"case": extension.id, "until": extension.until.isoformat()},
        not_before=from_day,
        asks_for_money=True,
        contact=True,
    )
    return call, _outcome(item, Verdict.DECIDED, "extension.lapsed", extension)


def may_extend(
    policy: Policy, facts: CustomerFacts, invoice_id: str, until: date, *, principal: bool = False
) -> Reason | None:
    """Why an extension of this invoice to `until` must not be granted on the facts' day; None when it may.

    Reasons with the fact `principal` True fall away when the client's principal decides (`principal`); the others
    never do: one extension an invoice, and all pauses together within the policy's patience.
    """
    item = next((item for item in facts.items if item.invoice.id == invoice_id), None)
    if item is None:
        return Reason("extension.unknown_invoice", {"invoice": invoice_id})
    return next(_objections(policy, facts, item, until, principal=principal), None)


def _objections(
    policy: Policy, facts: CustomerFacts, item: ItemFacts, until: date, *, principal: bool
) -> Iterator[Reason]:
    number, limits = item.invoice.number, policy.extension
    yield from _never(policy, facts, item, until)
    if principal or item.due is None:
        return
    latest = max(facts.as_of, item.due) + timedelta(days=limits.days)
    ask_by = item.due + timedelta(days=limits.ask_until_days)
    granted = facts.history.extensions_12_months
    if until > latest:
        yield Reason("extension.too_long", {"invoice": number, "latest": latest.isoformat(), "principal": True})
    if facts.as_of > ask_by:
        yield Reason("extension.asked_too_late", {"invoice": number, "ask_by": ask_by.isoformat(), "principal": True})
    if granted >= limits.per_customer:
        yield Reason("extension.too_many", {"granted": granted, "most": limits.per_customer, "principal": True})


def _never(policy: Policy, facts: CustomerFacts, item: ItemFacts, until: date) -> Iterator[Reason]:
    number = item.invoice.number
    if facts.legal_hold is not None:
        yield Reason("extension.legal_hold", {"why": facts.legal_hold.why.value})
    if item.holder is not Holder.US or facts.holder is not Holder.US or facts.state.held_by is not Holder.US:
        yield Reason("extension.held_by_others", {"invoice": number})
    if item.extension is not None:
        yield Reason("extension.already", {"invoice": number, "until": item.extension.until.isoformat()})
    if item.plan is not None:
        yield Reason("extension.on_plan", {"invoice": number})
    if item.collectable.minor <= 0:
        yield Reason("extension.nothing_collectable", {"invoice": number})
    if item.due is None:
        yield Reason("extension.no_due_date", {"invoice": number})
    elif until <= max(facts.as_of, item.due):
        yield Reason("extension.not_later", {"invoice": number, "due": item.due.isoformat()})
    if (days := paused_days(item, (facts.as_of, until))) > policy.patience.longest_days:
        yield Reason("extension.patience", {"invoice": number, "days": days, "most": policy.patience.longest_days})
