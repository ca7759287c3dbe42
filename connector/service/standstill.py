"""Why nothing happens about a customer or an invoice: the reason that actually holds, the nearest to an act first.

What is approved waits to be delivered, what is proposed waits to be approved, a call waits to be made; then comes what
the rules and guardrails said about the oldest invoice that is due; then the tasks that wait for a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from connector.domain.decisions import ActionKind, Decision, DunningLevel, Evaluation, Reason, RuleOutcome, Verdict
from connector.domain.effects import EffectState
from connector.domain.facts import CustomerFacts
from connector.domain.ledger import Invoice, InvoiceStatus
from connector.policy.blocks import customer_block
from connector.policy.document import Policy
from connector.service.consequences import OPEN_STATES
from connector.service.review import role_for
from connector.service.wiring import local_minute
from connector.store.actions import ActionRow
from connector.store.organisations import OrganisationRow
from connector.store.outbox import EffectRow

_BY_A_PERSON: Final = (ActionKind.CALL, ActionKind.TASK)
UNSETTLED: Final = OPEN_STATES | {EffectState.REJECTED}
_ACTED: Final = "acted."
_LAST: Final = ("statements", "thanks", "neglect")  # they speak of other things than what is overdue


@dataclass(frozen=True)
class Pending:
    """An effect that is not settled yet, and its action."""

    row: EffectRow
    action: ActionRow


@dataclass(frozen=True)
class Standstill:
    """The reason why nothing happens, and whose it is: a rule's name, or where it is found."""

    reason: Reason
    rule: str


@dataclass(frozen=True)
class Look:
    """The next day on which something may happen without any change in the books, and the rule that names it."""

    on: date
    rule: str
    reason: Reason


@dataclass(frozen=True)
class Situation:
    """Everything that is looked at; `narrowed` leaves what concerns one invoice."""

    organisation: OrganisationRow
    policy: Policy
    facts: CustomerFacts
    evaluation: Evaluation
    pending: tuple[Pending, ...] = ()
    invoice: Invoice | None = None  # the one that was asked about; None = the whole customer

    def narrowed(self, invoice: Invoice) -> Situation:
        """The same for one invoice: what speaks of others is left out."""
        mine = invoice.id
        whole = self.evaluation
        decisions = tuple(one for one in whole.decisions if mine in one.items)
        outcomes = tuple(one for one in whole.outcomes if mine in one.items or not one.items)
        return replace(
            self,
            evaluation=replace(whole, decisions=decisions, outcomes=outcomes),
            pending=tuple(one for one in self.pending if mine in one.action.decision.items),
            invoice=invoice,
        )


def standstill(found: Situation) -> Standstill:
    """The reason why nothing happens (yet)."""
    for look in (_under_way, _nothing_open, _blocked, _proposed, _said, _task, _else):
        if (told := look(found)) is not None:
            return told
    return Standstill(Reason("customer.nothing_due"), "")


def next_look(found: Situation) -> Look | None:
    """When and by which rule something may change by itself; None where only a change in the books matters."""
    as_of = found.evaluation.as_of
    dated = [one for one in found.evaluation.outcomes if one.revisit is not None and one.revisit > as_of]
    if found.invoice is not None:
        dated = [one for one in dated if one.items] or ([] if _is_closed(found) else dated)
    looks = [Look(one.revisit, one.rule, one.reason) for one in dated if one.revisit is not None]
    if found.evaluation.decisions:
        first = min(found.evaluation.decisions, key=_nearness)
        looks.append(Look(as_of + timedelta(days=1), first.rule, first.reasons[0]))
    return min(looks, key=lambda look: (look.on, look.rule in _LAST), default=None)


# -- approved, and not settled yet ------------------------------------------------------------------------------------


def _under_way(found: Situation) -> Standstill | None:
    """An approved act: in doubt, refused, or waiting to be delivered. What a person must settle comes first."""
    wanted = {decision.key for decision in found.evaluation.decisions}
    for states, tell in _DOUBTS:
        for one in found.pending:
            over = one.row.state is EffectState.REJECTED and one.action.key not in wanted
            if one.row.state in states and not over:
                return Standstill(tell(one.row), "outbox")
    planned = [one.row for one in found.pending if one.row.state is EffectState.PLANNED]
    if not planned:
        return None
    row = next((one for one in planned if not one.effect.after), planned[0])
    return _gate(found, _name(row)) or Standstill(_to_deliver(found, row), "outbox")


def _name(row: EffectRow) -> str:
    return row.effect.kind.value.replace("_", " ")


def _to_settle(row: EffectRow) -> Reason:
    return Reason("waits.settle", {"what": _name(row)})


def _refused(row: EffectRow) -> Reason:
    return Reason("waits.refused", {"what": _name(row), "why": row.reason})


def _in_doubt(row: EffectRow) -> Reason:
    return Reason("waits.unknown", {"what": _name(row)})


_DOUBTS: Final = (
    ((EffectState.HUMAN,), _to_settle),
    ((EffectState.REJECTED,), _refused),
    ((EffectState.UNKNOWN, EffectState.SENDING), _in_doubt),
)


def _to_deliver(found: Situation, row: EffectRow) -> Reason:
    at = local_minute(row.not_before, found.organisation) if row.not_before else None
    return Reason("waits.delivery", {"what": _name(row), "at": at, "why": row.reason if at else None})


# -- nothing to ask for, nobody to ask --------------------------------------------------------------------------------


def _is_closed(found: Situation) -> bool:
    return found.invoice is not None and all(item.invoice.id != found.invoice.id for item in found.facts.items)


def _nothing_open(found: Situation) -> Standstill | None:
    if found.evaluation.decisions:
        return None  # thanks, say
    if found.invoice is not None and _is_closed(found):
        return Standstill(_closed(found.invoice), "ledger")
    if found.facts.items:
        return None
    unused = ", ".join(str(amount) for amount in found.facts.unapplied.values() if amount.minor > 0)
    if unused:
        return Standstill(Reason("customer.only_credit", {"credit": unused}), "ledger")
    return Standstill(Reason("customer.nothing_open"), "ledger")


def _closed(invoice: Invoice) -> Reason:
    if invoice.status is InvoiceStatus.PAID:
        on = invoice.fully_paid_on
        return Reason("item.settled", {"on": on.isoformat() if on else None})
    return Reason("item.not_approved", {"status": invoice.status.value})


def _blocked(found: Situation) -> Standstill | None:
    block = customer_block(found.facts)
    return None if block is None or not found.facts.items else Standstill(block, "guardrails")


# -- proposed ---------------------------------------------------------------------------------------------------------


def _proposed(found: Situation) -> Standstill | None:
    acts = [one for one in found.evaluation.decisions if one.kind is not ActionKind.TASK]
    if not acts:
        return None
    first = min(acts, key=_nearness)
    if first.kind is ActionKind.CALL:
        return Standstill(Reason("waits.call"), first.rule)
    what = act_in_words(first)
    if (gate := _gate(found, what)) is not None:
        return gate
    base = found.organisation.record.base_currency
    if found.organisation.mode == "autopilot" and found.policy.autopilot.covers(first, base):
        return Standstill(Reason("waits.autopilot", {"what": what}), first.rule)
    role = role_for(found.policy, first).replace("_", " ")
    return Standstill(Reason("waits.approval", {"what": what, "role": role}), first.rule)


def _nearness(decision: Decision) -> int:
    """A letter or a write goes by itself once it is approved; a call and a task need a person's time."""
    return _BY_A_PERSON.index(decision.kind) + 1 if decision.kind in _BY_A_PERSON else 0


def act_in_words(decision: Decision) -> str:
    """ "reminder letter", "statement", "set expected date"."""
    named = decision.kind is ActionKind.LETTER and decision.level is not DunningLevel.NONE
    kind = decision.kind.value.replace("_", " ")
    return f"{decision.level.name.lower()} {kind}" if named else kind


def _gate(found: Situation, what: str) -> Standstill | None:
    """What keeps the whole organisation from sending and writing, whoever approves."""
    state, mode = found.facts.state, found.organisation.mode
    if state.take_on_missing:
        return Standstill(Reason("take_on.questions_open", {"open": ", ".join(state.take_on_missing)}), "take_on")
    if not state.take_on_closed:
        return Standstill(Reason("take_on.not_closed"), "take_on")
    return Standstill(Reason("waits.observe", {"what": what}), "mode") if mode == "observe" else None


# -- what the rules said ----------------------------------------------------------------------------------------------


def _said(found: Situation) -> Standstill | None:
    """Of the oldest invoice that is due, then of the next: a block before a wait."""
    as_of = found.evaluation.as_of
    items = [i for i in found.facts.items if found.invoice is None or i.invoice.id == found.invoice.id]
    overdue = [item for item in items if item.due is not None and item.due < as_of]
    for item in (*overdue, *items):
        mine = [o for o in found.evaluation.outcomes if item.invoice.id in o.items and o.rule not in _LAST]
        if (told := _first(mine, Verdict.BLOCKED, Verdict.WAITING)) is not None:
            return told
    return None


def _task(found: Situation) -> Standstill | None:
    tasks = [one for one in found.evaluation.decisions if one.kind is ActionKind.TASK]
    if not tasks:
        return None
    what = str(tasks[0].data.get("what") or "see the task")
    return Standstill(Reason("waits.person", {"what": what}), tasks[0].rule)


def _else(found: Situation) -> Standstill | None:
    """What was acted on already; then the rules that speak of the whole customer."""
    outcomes = found.evaluation.outcomes
    done = [one for one in outcomes if one.reason.code.startswith(_ACTED)]
    return _first(done, Verdict.DONE) or _first(outcomes, Verdict.BLOCKED, Verdict.WAITING)


def _first(outcomes: Iterable[RuleOutcome], *verdicts: Verdict) -> Standstill | None:
    """The first outcome of the first of these verdicts."""
    said = list(outcomes)
    chosen = next((one for verdict in verdicts for one in said if one.verdict is verdict), None)
    return None if chosen is None else Standstill(chosen.reason, chosen.rule)
