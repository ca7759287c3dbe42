"""Plan: what the policy wants today, as proposals that a person can read, approve or reject. Touches no ledger."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from connector.domain.cases import PaymentPlan
from connector.domain.decisions import ActionKind, Decision, DunningLevel, Evaluation, Reason, RuleOutcome, Verdict
from connector.domain.effects import EFFECT, Effect
from connector.domain.facts import CustomerFacts
from connector.errors import Refused
from connector.policy import engine
from connector.policy.document import Policy
from connector.service import lookup, plan_ends
from connector.service.compose import Composed, compose, describe
from connector.service.knowledge import all_facts, gather
from connector.service.wiring import Wiring, local_minute
from connector.store import actions, wake
from connector.store.actions import ActionRow
from connector.store.organisations import OrganisationRow

FRESHNESS = "freshness"  # what speaks where the mirror is too old


@dataclass(frozen=True)
class Proposal:
    """The plan of one organisation on one day."""

    organisation: str
    name: str
    as_of: date
    actions: tuple[ActionRow, ...]
    nothing_because: tuple[RuleOutcome, ...]  # organisation-wide reasons why (part of) nothing is proposed
    customers: int
    withdrawn: int = 0
    stored: bool = True  # False: only looked at; none of these can be approved
    stale: bool = False  # the mirror is older than the policy lets a plan be: pull, then plan again
    next_date: date | None = None  # when the plan wants to look again, without any change in the books


def propose(w: Wiring, organisation: OrganisationRow, as_of: date | None = None) -> Proposal:
    """Decide for every customer and keep the proposals.

    With `as_of`, and on a mirror older than the policy's freshness allows, nothing is kept: such a plan can be read but
    not approved. Raises `Refused` where the ledger was never read.
    """
    lookup.must_be_pulled(organisation)
    day = as_of or w.today(organisation)
    loaded = w.policy(organisation)
    stale = _stale(w, organisation, loaded.policy)
    store = as_of is None and stale is None
    rows: list[ActionRow] = []
    blocked: list[RuleOutcome] = [] if stale is None else [stale]
    revisits: dict[str, date | None] = {}
    ended: list[PaymentPlan] = []  # by the policy, on this day
    with w.db.reading(w.tenant) as tx:
        now = tx.now
        knowledge = gather(w, tx, organisation, day)

        def everyone() -> Iterator[CustomerFacts]:
            """Each customer once, decided on the way: the facts of all are never held together."""
            for read in all_facts(tx, organisation, knowledge, day):
                facts = plan_ends.as_ended(loaded.policy, knowledge, read)
                ended.extend(plan for plan in facts.ended_plans if plan not in read.ended_plans)
                evaluation = engine.decide(loaded.policy, facts, day)
                revisits[facts.customer_id] = evaluation.revisit
                blocked.extend(_organisation_wide(evaluation))
                for one in evaluation.decisions:
                    try:
                        rows.append(_row(w, organisation, facts, one, loaded.policy, loaded.version, now))
                    except Refused as refusal:  # one customer's data must not keep the plan from all others
                        blocked.append(_unwritten(facts, one, refusal))
                if any(one.kind is ActionKind.STATEMENT and one.occasion == "take-on" for one in evaluation.decisions):
                    knowledge.count_first_contact()
                yield facts

        acted = knowledge.acted.get("", {})
        own = engine.organisation_decisions(loaded.policy, knowledge.state, everyone(), day, acted)
        rows += [_organisation_row(w, organisation, decision, loaded.version, now) for decision in own]
    withdrawn = 0
    if store:
        rows, withdrawn = _keep(w, organisation, rows, revisits, ended)
    waiting = tuple(row for row in rows if row.state == "proposed")
    return Proposal(
        organisation.id, organisation.record.name, day, waiting, _distinct(blocked), len(revisits), withdrawn, store,
        stale is not None,
        min((one for one in revisits.values() if one is not None), default=None),
    )  # fmt: skip


def _stale(w: Wiring, organisation: OrganisationRow, policy: Policy) -> RuleOutcome | None:
    """Nothing may be approved by a mirror older than the policy allows: the ledger may know better."""
    limit = policy.freshness.plan_minutes
    pulled = organisation.last_pull_at
    if pulled is None or w.clock.now() - pulled <= timedelta(minutes=limit):
        return None
    since = local_minute(pulled, organisation)
    return RuleOutcome(FRESHNESS, Verdict.BLOCKED, Reason("mirror.stale", {"pulled": since, "limit": limit}))


def _keep(
    w: Wiring,
    organisation: OrganisationRow,
    rows: list[ActionRow],
    revisits: dict[str, date | None],
    ended: list[PaymentPlan],
) -> tuple[list[ActionRow], int]:
    """Store the proposals, and the payment plans that ended; what this plan does not renew is withdrawn."""
    with w.db.writing(w.tenant) as tx:
        plan_ends.keep(tx, organisation, ended)
        for row in rows:
            actions.propose(tx, organisation.id, row)
        withdrawn = actions.withdraw_unrenewed(tx, organisation.id, {row.id for row in rows}, None)
        for customer_id, revisit in revisits.items():
            wake.set_revisit(tx, organisation.id, customer_id, revisit)
        wake.clear(tx, organisation.id, list(revisits))
        return [actions.get(tx, row.id) for row in rows], withdrawn


def _row(
    w: Wiring,
    organisation: OrganisationRow,
    facts: CustomerFacts,
    decision: Decision,
    policy: Policy,
    version: str,
    now: datetime,
) -> ActionRow:
    composed = compose(w, organisation, facts, decision)
    return _action(w, organisation, decision, composed, role_for(policy, decision), version, now)


def _organisation_row(
    w: Wiring, organisation: OrganisationRow, decision: Decision, version: str, now: datetime
) -> ActionRow:
    return _action(w, organisation, decision, describe(decision), "staff", version, now)


def _action(
    w: Wiring,
    organisation: OrganisationRow,
    decision: Decision,
    composed: Composed,
    role: str,
    version: str,
    now: datetime,
) -> ActionRow:
    return ActionRow(
        id=actions.action_id(organisation.id, decision.key),
        organisation_id=organisation.id,
        key=decision.key,
        customer_id=decision.customer_id,
        state="proposed",
        content_hash=content_of(decision, composed.effects),
        decision=decision,
        effects=composed.effects,
        preview=dict(composed.preview),
        role=role,
        created_at=now,
        expires_at=_expires(w, organisation, now),
        decided_by="",
        decided_at=None,
        reason="",
        until=None,
        policy_version=version,
        mapping_version=w.mapping(organisation).version,
    )


def _expires(w: Wiring, organisation: OrganisationRow, now: datetime) -> datetime:
    """An approval lapses after the policy's number of business days, at the end of that day."""
    zone = ZoneInfo(organisation.record.timezone)
    days = w.policy(organisation).policy.authority.expires_bd
    last = w.calendar(organisation).add(now.astimezone(zone).date(), days)
    return datetime.combine(last + timedelta(days=1), time(0), zone).astimezone(now.tzinfo)


def content_of(decision: Decision, effects: Iterable[Effect]) -> str:
    """What an approval is bound to: the act, its items and amount, and every byte that would be written."""
    shown = {
        "kind": decision.kind.value,
        "target": decision.target,
        "occasion": decision.occasion,
        "items": list(decision.items),
        "amount": decision.amount.as_dict() if decision.amount else None,
        "effects": [EFFECT.dump_python(effect, mode="json") for effect in effects],
    }
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def role_for(policy: Policy, decision: Decision) -> str:
    """The lowest role that may approve this act (the policy's authority section)."""
    authority = policy.authority
    if decision.level in (DunningLevel.FRIENDLY, DunningLevel.REMINDER, DunningLevel.FIRM, DunningLevel.FINAL):
        return str(getattr(authority, decision.level.name.lower()))
    if decision.level is DunningLevel.PRINCIPAL and decision.contact:
        return str(authority.principal)
    same = {"untag_dispute": "tag_dispute", "end_schedule": "write_schedule", "take_back": "hand_over"}
    name = same.get(decision.kind.value, decision.kind.value)
    return str(getattr(authority, name, "staff"))


def _organisation_wide(evaluation: Evaluation) -> list[RuleOutcome]:
    return [
        outcome
        for outcome in evaluation.outcomes
        if outcome.verdict is Verdict.BLOCKED and outcome.reason.facts.get("scope") == "organisation"
    ]


def _unwritten(facts: CustomerFacts, decision: Decision, refusal: Refused) -> RuleOutcome:
    said = {"customer": facts.book.customer.name, "action": decision.kind.value, "why": refusal.what}
    return RuleOutcome(decision.rule, Verdict.BLOCKED, Reason("compose.refused", said), decision.items)


def _distinct(outcomes: list[RuleOutcome]) -> tuple[RuleOutcome, ...]:
    kept: dict[tuple[str, str], RuleOutcome] = {}
    for outcome in outcomes:
        about = str(outcome.reason.facts.get("customer", ""))
        kept.setdefault((outcome.reason.code, about), replace(outcome, items=()))
    return tuple(kept.values())
