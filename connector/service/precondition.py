"""Look again, immediately before a write: the records are re-read (at most 60 s old), the facts derived anew, and the
decision's own inputs, guardrails and contact window checked in the transaction that commits the intent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from connector.domain.cases import CaseFile, LetterSent
from connector.domain.counting import counted
from connector.domain.decisions import Decision, Reason, TargetKind
from connector.domain.derive import derive
from connector.domain.facts import CustomerFacts, OrganisationState
from connector.domain.flat import Brought
from connector.domain.ledger import Customer, RecordKind
from connector.policy import engine, guardrails
from connector.ports import Ledger
from connector.service.approve import FOR_A_PERSON
from connector.service.knowledge import organisation_state
from connector.service.wiring import Wiring, local
from connector.service.wording import say
from connector.store import actions, cases, mirror, organisations
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow
from connector.store.outbox import EffectRow

FRESH = timedelta(seconds=60)
MORNING = time(9, 0)


@dataclass(frozen=True)
class Go:
    """Send it."""


@dataclass(frozen=True)
class Cancel:
    """What the decision rested on no longer holds; nothing is written."""

    reason: str


@dataclass(frozen=True)
class Postpone:
    """Not now."""

    reason: str
    not_before: datetime


Check = Go | Cancel | Postpone


class Precondition:
    """One organisation's look-again, with the records re-read in batches."""

    def __init__(self, w: Wiring, organisation: OrganisationRow, ledger: Ledger) -> None:
        self._w, self._organisation, self._ledger = w, organisation, ledger
        self._read_at: dict[str, datetime] = {}
        self._missing: set[str] = set()
        self._reconciled: Mapping[str, date] | None = None
        self._policy = w.policy(organisation).policy

    def is_stale(self, row: EffectRow) -> bool:
        """Must anything that this effect rests on be read again first?"""
        with self._w.db.reading(self._w.tenant) as tx:
            invoices, customers = self._rests_on(tx, [row])
        return any(self._is_stale(one) for one in (*invoices, *customers))

    def refresh(self, rows: Iterable[EffectRow]) -> None:
        """Re-read what these effects rest on, batched by ids, unless it was read within the last minute."""
        with self._w.db.reading(self._w.tenant) as tx:
            invoices, customers = self._rests_on(tx, rows)
        self._fetch(RecordKind.INVOICE, [i for i in invoices if self._is_stale(i)])
        self._fetch(RecordKind.CUSTOMER, [c for c in customers if self._is_stale(c)])

    def _rests_on(self, tx: Tx, rows: Iterable[EffectRow]) -> tuple[list[str], list[str]]:
        """The ids of the invoices and customers under these effects."""
        invoices: dict[str, None] = {}
        customers: dict[str, None] = {}
        for row in rows:
            if row.effect.after:
                continue  # a report of what has happened already: nothing to look at again
            action = actions.get(tx, row.action_id)
            if action.key.kind in FOR_A_PERSON:
                continue
            customers[action.customer_id] = None
            invoices |= dict.fromkeys(action.decision.items)
            if row.effect.target_kind is TargetKind.INVOICE:
                invoices[row.effect.target] = None
        return list(invoices), [one for one in customers if one]

    def _is_stale(self, record_id: str) -> bool:
        read = self._read_at.get(record_id)
        return read is None or self._w.clock.now() - read >= FRESH

    def _fetch(self, kind: RecordKind, ids: list[str]) -> None:
        if not ids:
            return
        batch = self._ledger.fetch(kind, ids)
        with self._w.db.writing(self._w.tenant) as tx:
            mirror.upsert(tx, self._organisation.id, kind, [self._as_pulled(tx, one) for one in batch.records])
            mirror.review(tx, self._organisation.id, batch.needs_review)
        found = {record.id for record in batch.records}
        self._missing = (self._missing - found) | (set(ids) - found)
        self._read_at |= dict.fromkeys(ids, self._w.clock.now())

    def _as_pulled(self, tx: Tx, record: Brought) -> Brought:
        """A customer's groups stay as the last pull left them: its cursor remembers who was in, for the ledger does not
        stamp who joins or leaves. What joined here and left before the next pull would stay in the mirror for good."""
        if not isinstance(record, Customer):
            return record
        known = mirror.customer(tx, self._organisation.id, record.id)
        return replace(record, groups=known.groups)

    def numbers(self, invoice_ids: Iterable[str]) -> list[tuple[str, str]]:
        """(id, number) of these invoices."""
        with self._w.db.reading(self._w.tenant) as tx:
            return [(one, mirror.invoice(tx, self._organisation.id, one).number) for one in invoice_ids]

    def check(self, tx: Tx, row: EffectRow) -> Check:
        """May this effect be written now? Runs in the transaction that commits the intent."""
        action = actions.get(tx, row.action_id)
        if row.effect.after or action.key.kind in FOR_A_PERSON:
            return Go()  # a report of what has happened already
        if action.state != "approved":
            return Cancel(f"the action is {action.state}")
        decision = action.decision
        wanted = {action.customer_id, *decision.items} - {""}
        if stale := [one for one in wanted if self._is_stale(one)]:
            return Postpone(f"{counted(len(stale), 'record')} must be read again first", tx.now)
        if missing := wanted & self._missing:
            return Cancel(f"the ledger no longer has {', '.join(sorted(missing))}")
        if decision.contact and action.expires_at is not None and action.expires_at <= tx.now:
            return Cancel("the approval lapsed before it could be sent; the next plan proposes it anew")
        if decision.by_date is not None and self._leaves_too_little_time(decision.by_date):
            return Cancel(f"it asks for an answer by {decision.by_date}, which is too soon by now; plan it anew")
        facts = self._facts(tx, action.customer_id)
        if drifted := engine.drift(decision, facts):
            return Cancel("drift: " + _told(drifted, facts))
        return self._guarded(facts, decision)

    def _leaves_too_little_time(self, by_date: date) -> bool:
        """Less than half of the time that the policy gives a reader, because the letter was put off."""
        left = (by_date - self._w.today(self._organisation)).days
        given = self._policy.ladder.by_days
        return given is not None and left * 2 < given

    def _facts(self, tx: Tx, customer_id: str) -> CustomerFacts:
        today = self._w.today(self._organisation)
        book = mirror.book(tx, self._organisation.id, customer_id)
        own = cases.of(tx, self._organisation.id, customer_id)
        state = self._state(tx, own, today)
        acted = actions.acted(tx, self._organisation.id, customer_id)
        address = book.customer.email.casefold()
        written = {
            case.on
            for case in cases.all(tx, self._organisation.id, "letter_sent")
            if isinstance(case, LetterSent) and address and case.recipient.casefold() == address
        }
        return derive(state, book, own, acted, today, mailbox_contacts=tuple(sorted(written)))

    def _state(self, tx: Tx, own: CaseFile, today: date) -> OrganisationState:
        """What holds for the whole organisation now: a hold that a person has just set counts for the next effect."""
        if self._reconciled is None:
            self._reconciled = mirror.newest_reconciled(tx, self._organisation.id)
        current = organisations.get(tx, self._organisation.id)
        wide = [record for record in own.records if not record.customer_id]
        return organisation_state(self._w, current, today, wide, self._reconciled)

    def _guarded(self, facts: CustomerFacts, decision: Decision) -> Check:
        today = facts.as_of
        blocking = guardrails.check(self._policy, facts, decision, today)
        if blocking:
            until = max((day for reason in blocking if (day := _until(reason)) is not None), default=None)
            text = "; ".join(say(reason) for reason in blocking)
            if until is None or any(_until(reason) is None for reason in blocking):
                return Cancel(f"guardrail: {text}")
            return Postpone(f"guardrail: {text}", self._morning(until))
        if not decision.contact:
            return Go()
        now = local(self._w.clock.now(), self._organisation)
        opens = guardrails.send_window(self._policy, facts, now)
        if opens is not None:
            return Postpone("outside the customer's contact hours", opens.astimezone(UTC))
        return Go()

    def _morning(self, day: date) -> datetime:
        zone = ZoneInfo(self._organisation.record.timezone)
        return datetime.combine(day, MORNING, zone).astimezone(UTC)


def _told(drifted: Iterable[Reason], facts: CustomerFacts) -> str:
    """What changed, in words: invoices by number, the weightiest change of each, no internal values."""
    numbers = {invoice.id: invoice.number for invoice in facts.book.invoices}
    changed: dict[str, tuple[str, str]] = {}
    for reason in drifted:
        record, _, what = str(reason.facts["what"]).rpartition(".")
        if record not in changed or what == "status":
            changed[record] = (what, str(reason.facts["now"]))
    told = []
    for record, (what, now) in changed.items():
        subject = numbers.get(record) or "the customer"
        plain = f"is now {now}" if what == "status" else f"has changed ({what.replace('_', ' ')})"
        told.append(f"{subject} {plain}")
    return "; ".join(told)


def _until(reason: Reason) -> date | None:
    value = reason.facts.get("until")
    return date.fromisoformat(value) if isinstance(value, str) and value else None
