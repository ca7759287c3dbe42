"""What must never happen, whatever the world does: properties over generated customers living through many days.

The numbers are those of docs/explanation/guarantees (policy invariants). A run carries out each day's decisions as the
services would, while customers pay, complain, promise and fall silent, people forget to reconcile, and policies change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.domain.cases import (
    CallMade,
    CallOutcome,
    CaseRecord,
    Dispute,
    DisputeCode,
    DisputeOutcome,
    Exclusion,
    Extension,
    HeldBy,
    Holder,
    LegalHold,
    LegalHoldKind,
    LetterSent,
    Party,
    PartyIs,
    Promise,
    Reply,
    ReplyOutcome,
    TakeOnChoice,
)
from connector.domain.dates import Calendar
from connector.domain.decisions import ActionKind, Decision, DunningLevel, Evaluation, Verdict
from connector.domain.facts import CustomerFacts, PauseState
from connector.domain.ledger import CreditKind, Invoice
from connector.policy.chase import BUSINESSES, LETTER_LEVELS
from connector.policy.document import Policy
from connector.policy.pauses import paused_days
from connector.service.wording import say
from tests.builders import credit, invoice, money
from tests.worlds import MONDAY, World, days_after, preset

DAYS = 60
CUSTOMER = "cust-1"
DEBT_LETTERS = (ActionKind.LETTER, ActionKind.REINVOICE)
CALENDAR = Calendar(
    frozenset({days_after(MONDAY, 32), days_after(MONDAY, 35)}), ((days_after(MONDAY, 45), days_after(MONDAY, 49)),)
)

# -- generated worlds -------------------------------------------------------------------------------------------------

EVENTS = (
    "pay", "pay_some", "reverse", "credit", "dispute", "resolve", "stand_firm", "extension", "promise", "reply",
    "answer", "insufficient", "hold", "lift", "factor", "back", "exclude", "related", "company", "preset", "stale",
    "reconciled", "away", "nobody_in", "spoke", "bounce",
)  # fmt: skip
Event = tuple[int, str, int]


@st.composite
def invoices(draw: st.DrawFn) -> list[Invoice]:
    """One to four invoices around the first day, some in another currency, tiny, unsent or without a due date."""
    found = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        due = days_after(MONDAY, draw(st.integers(-60, 25)))
        terms = draw(st.sampled_from([0, 7, 20]))
        found.append(
            invoice(
                f"inv-{number}",
                draw(st.sampled_from(["15.00", "60.00", "900.00", "4000.00", "12000.00"])),
                issued=due - timedelta(days=terms),
                due=None if draw(st.integers(0, 12)) == 0 else due,
                currency=draw(st.sampled_from(["NZD", "NZD", "NZD", "AUD"])),
                sent=draw(st.sampled_from([True, True, None, False])),
            )
        )
    return found


@st.composite
def worlds(draw: st.DrawFn) -> World:
    world = World(
        policy=preset(draw(st.sampled_from(["gentle", "standard", "firm"]))),
        invoices=draw(invoices()),
        calendar=CALENDAR,
        start=draw(st.sampled_from([days_after(MONDAY, -400), days_after(MONDAY, -10), MONDAY])),
        cash_lag=draw(st.sampled_from([0, 0, 1, 2])),
    )
    if draw(st.booleans()) or draw(st.booleans()):
        world.sort_opening(draw(st.sampled_from([TakeOnChoice.CHASE] * 5 + [TakeOnChoice.FIX_BOOKS])))
    return world


events = st.lists(st.tuples(st.integers(0, DAYS - 1), st.sampled_from(EVENTS), st.integers(0, 9)), max_size=14)


# -- what happens -----------------------------------------------------------------------------------------------------


@dataclass
class Life:
    """A world, what will happen in it, and who is at work."""

    world: World
    events: list[Event]
    away: int = 0  # days on which nobody carries anything out

    def happen(self, day: date) -> None:
        for offset, name, number in self.events:
            if days_after(MONDAY, offset) == day:
                self._one(name, number, day)

    def _one(self, name: str, number: int, day: date) -> None:
        world = self.world
        match name:
            case "stale":
                world.cash_lag = (3, 5, 30, None)[number % 4]
            case "reconciled":
                world.cash_lag = number % 2
            case "away":
                self.away = number
            case "nobody_in":
                world.call_outcome = lambda _: CallOutcome.UNREACHABLE
            case "spoke":
                world.call_outcome = lambda _: CallOutcome.SPOKE
            case "preset":
                world.policy = preset(("gentle", "standard", "firm")[number % 3])
            case "credit":
                kind = (CreditKind.OVERPAYMENT, CreditKind.CREDIT_NOTE)[number % 2]
                world.credits.append(credit(f"c-{day}", "300.00", kind=kind, issued=day))
            case "reverse":
                self._reverse()
            case "pay" | "pay_some":
                self._pay(day, number, whole=name == "pay")
            case _:
                self.world.records += self._records(name, number, day)

    def _pick(self, number: int) -> Invoice | None:
        still_open = [i for i in self.world.invoices if i.is_open]
        return still_open[number % len(still_open)] if still_open else None

    def _pay(self, day: date, number: int, *, whole: bool) -> None:
        if (chosen := self._pick(number)) is not None:
            self.world.pay(chosen.id, day, None if whole or chosen.balance.minor < 2000 else "10.00")

    def _reverse(self) -> None:
        """The last payment bounces: it is deleted, and its invoice is open again."""
        if self.world.payments and self.world.payments[-1].active:
            payment = self.world.payments[-1]
            self.world.payments[-1] = replace(payment, active=False)
            (laid,) = payment.allocations
            index = next(n for n, i in enumerate(self.world.invoices) if i.id == laid.invoice_id)
            before = self.world.invoices[index]
            self.world.invoices[index] = replace(
                before,
                balance=before.balance + laid.amount,
                paid=before.paid - laid.amount,
                status=type(before.status).APPROVED,
                fully_paid_on=None,
            )

    def _records(self, name: str, number: int, day: date) -> Iterator[CaseRecord]:
        key, by, chosen = f"{name}-{day}-{number}", "Ana", self._pick(number)
        match name:
            case "reply":
                outcome = tuple(ReplyOutcome)[number % len(ReplyOutcome)]
                yield Reply(id=key, customer_id=CUSTOMER, on=day, by=by, outcome=outcome, amount=money("100.00"))
            case "insufficient":
                yield Reply(id=key, customer_id=CUSTOMER, on=day, by=by, outcome=ReplyOutcome.INSUFFICIENT)
            case "answer":
                waiting = [r for r in self.world.records if isinstance(r, Reply) and r.answered_on is None]
                yield from (replace(reply, answered_on=day) for reply in waiting)
            case "hold":
                yield LegalHold(id="hold", customer_id=CUSTOMER, on=day, by=by, why=LegalHoldKind.VULNERABILITY)
            case "lift":
                held = [r for r in self.world.records if isinstance(r, LegalHold)]
                yield from (replace(hold, lifted_on=day) for hold in held[-1:])
            case "factor" | "back":
                holder = Holder.FACTOR if name == "factor" else Holder.US
                scope = chosen.id if chosen and number % 2 else ""
                yield HeldBy(id=key, customer_id=CUSTOMER, on=day, by=by, holder=holder, invoice_id=scope)
            case "exclude":
                until = days_after(day, 3 * number + 1)
                yield Exclusion(id=key, customer_id=CUSTOMER, on=day, by=by, reason="seasonal", until=until)
            case "related" | "company":
                party = Party.RELATED if name == "related" and number < 3 else Party.COMPANY
                yield PartyIs(id=key, customer_id=CUSTOMER, on=day, by=by, party=party)
            case "bounce":
                letters = [r for r in self.world.records if isinstance(r, LetterSent) and r.bounced_on is None]
                if letters:
                    yield replace(letters[-1], bounced_on=day, recipient=f"old{number}@rimu.example")
            case _:
                if chosen is not None:
                    yield from self._about(name, key, chosen, number, day)

    def _about(self, name: str, key: str, chosen: Invoice, number: int, day: date) -> Iterator[CaseRecord]:
        match name:
            case "dispute":
                part = chosen.balance if number % 2 else chosen.balance.split(2)[0]
                yield Dispute(
                    id=key, customer_id=CUSTOMER, on=day, by="Ana", invoice_id=chosen.id, code=DisputeCode.PRICE,
                    amount=part, decide_by=days_after(day, 14),
                )  # fmt: skip
            case "resolve" | "stand_firm":
                outcome = DisputeOutcome.STAND_FIRM if name == "stand_firm" else DisputeOutcome.WITHDRAWN
                pending = [r for r in self.world.records if isinstance(r, Dispute) and r.resolved_on is None]
                yield from (replace(dispute, resolved_on=day, outcome=outcome) for dispute in pending[-1:])
            case "extension":
                if not any(isinstance(r, Extension) and r.invoice_id == chosen.id for r in self.world.records):
                    yield Extension(
                        id=key, customer_id=CUSTOMER, on=day, by="Ana", invoice_id=chosen.id, until=days_after(day, 7)
                    )
            case _:
                until = days_after(day, 1 + number)
                yield Promise(id=key, customer_id=CUSTOMER, on=day, by="Ana", invoice_ids=(chosen.id,), until=until)

    def work(self, day: date) -> list[Decision]:
        if self.away > 0:
            self.away -= 1
            return []
        return self.world.live(day)


# -- what must hold ---------------------------------------------------------------------------------------------------


def check_contacts(facts: CustomerFacts, decisions: tuple[Decision, ...]) -> None:
    """Invariant 1, and at most one contact a day."""
    items = {item.invoice.id: item for item in facts.items}
    contacts = [d for d in decisions if d.contact or d.kind is ActionKind.SEND_INVOICE]
    assert sum(d.contact for d in contacts) <= 1
    for decision in contacts:
        assert facts.legal_hold is None
        assert facts.holder is Holder.US
        assert facts.party not in (Party.RELATED, Party.DUMMY)
        assert not facts.excluded
        assert facts.state.calendar.may_contact(facts.as_of)
        if decision.kind is ActionKind.THANKS:
            continue
        for item in (items[one] for one in decision.items):
            assert item.collectable.minor > 0
            assert item.holder is Holder.US
            assert not item.excluded
            assert not item.opening or item.sorted is TakeOnChoice.CHASE
        amounts = {items[one].collectable.currency for one in decision.items}
        assert decision.amount is not None
        assert amounts == {decision.amount.currency}
        assert decision.amount.minor == sum(items[one].collectable.minor for one in decision.items)


def check_cash(facts: CustomerFacts, decisions: tuple[Decision, ...]) -> None:
    """Invariant 11: nothing that asks for overdue money rests on a date later than cash is known."""
    known = facts.state.cash_known_to
    items = {item.invoice.id: item for item in facts.items}
    for decision in (d for d in decisions if d.asks_for_money):
        assert known is not None
        for item in (items[one] for one in decision.items):
            assert item.due is not None
            assert item.due <= known
            assert item.due < facts.as_of
            if decision.rule in ("extension", "promise"):
                agreed = item.extension if decision.rule == "extension" else item.promise
                assert agreed is not None
                assert agreed.until <= known
        if decision.level >= DunningLevel.FIRM and decision.kind is ActionKind.LETTER:
            dates = [
                x.by_date
                for x in facts.letters
                if x.by_date and x.bounced_on is None and set(x.invoice_ids) & set(decision.items) and x.asks_for_money
            ]
            assert max(dates) <= known


def check_tone(policy: Policy, facts: CustomerFacts, decisions: tuple[Decision, ...]) -> None:
    """Invariants 4 and 6: one rung up at a time, never down, never before the date that was given has passed."""
    items = {item.invoice.id: item for item in facts.items}
    for decision in decisions:
        if decision.kind not in DEBT_LETTERS or decision.level is DunningLevel.NONE or decision.rule == "replies":
            continue
        earned = max(items[one].level for one in decision.items)
        assert decision.level > earned
        assert items[decision.items[0]].level == earned, "the lead is the item that earned most"
        rungs = [level for level in LETTER_LEVELS if level in policy.ladder.levels]
        between = {level for level in rungs if earned < level < decision.level}
        if facts.party not in BUSINESSES:
            between.discard(DunningLevel.PRINCIPAL)
        assert between == set(), "no rung is skipped, whatever policy was in force before"
        if decision.level >= DunningLevel.FRIENDLY:
            assert items[decision.items[0]].introduced
        for sent in facts.letters:
            arrived = sent.bounced_on is None or sent.bounced_on > facts.as_of
            if arrived and sent.asks_for_money and sent.by_date and set(sent.invoice_ids) & set(decision.items):
                assert sent.by_date < facts.as_of


def check_pauses(policy: Policy, facts: CustomerFacts, evaluation: Evaluation) -> None:
    """Invariant 5: what was agreed is kept to, and no pause outlasts the policy's patience."""
    waiting = {
        invoice_id
        for outcome in evaluation.outcomes
        if outcome.reason.code in ("item.extended", "item.promised")
        for invoice_id in outcome.items
    }
    for item in facts.items:
        spent = paused_days(item) > policy.patience.longest_days
        assert not (spent and item.invoice.id in waiting)
        if item.extension_state is PauseState.ACTIVE and not spent:
            asked = [d for d in evaluation.decisions if d.kind in DEBT_LETTERS and item.invoice.id in d.items]
            assert all(d.rule == "replies" for d in asked)


def check_nothing_silent(facts: CustomerFacts, evaluation: Evaluation) -> None:
    """Invariant 12; and there is always a next day while anything is open."""
    spoken = {one for decision in evaluation.decisions for one in decision.items}
    for outcome in evaluation.outcomes:
        dated = outcome.revisit is not None and outcome.revisit > facts.as_of
        if dated or outcome.verdict is Verdict.BLOCKED:
            spoken |= set(outcome.items)
    for item in facts.items:
        assert item.invoice.id in spoken or item.days_overdue == 0
    assert (evaluation.revisit is not None) >= bool(facts.items)
    assert evaluation.revisit is None or evaluation.revisit > facts.as_of
    reasons = [outcome.reason for outcome in evaluation.outcomes]
    reasons += [reason for decision in evaluation.decisions for reason in decision.reasons]
    assert [say(reason) for reason in reasons if say(reason).startswith(reason.code)] == [], "shown raw"
    neglected = {one for outcome in evaluation.outcomes if outcome.rule == "neglect" for one in outcome.items}
    said = [(o.rule, o.reason.code) for o in evaluation.outcomes if neglected & set(o.items)]
    assert not neglected, f"nobody turned anything down in these lives, but all that is said is {said}"


def check_caps(world: World, strictest: Policy, days: list[date]) -> None:
    """Invariant 3, over every window."""
    for day in days:
        assert sum(day - timedelta(days=7) < other <= day for other in days) <= strictest.contact.per_7_days
        assert sum(day - timedelta(days=30) < other <= day for other in days) <= strictest.contact.per_30_days
    assert len(days) == len(set(days))
    assert all(world.calendar.may_contact(day) for day in days)


def check_ladders(world: World) -> None:
    """Per lead item the levels that were sent rise strictly; nothing was ever sent twice."""
    levels: dict[str, list[int]] = {}
    for _, decision in world.sent:
        if decision.kind in DEBT_LETTERS and decision.level and decision.rule != "replies":
            levels.setdefault(decision.items[0], []).append(int(decision.level))
    bounced = any(isinstance(record, LetterSent) and record.bounced_on for record in world.records)
    for rising in levels.values():
        assert bounced or rising == sorted(set(rising))
    keys = [decision.key for _, decision in world.sent]
    assert len(keys) == len(set(keys))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), events)
def test_lives(world: World, happening: list[Event]) -> None:
    """Invariants 1, 3, 4, 5, 6, 7, 11 and 12 on every day of a life."""
    life = Life(world, happening)
    policies = [world.policy]
    for offset in range(DAYS):
        day = days_after(MONDAY, offset)
        life.happen(day)
        policies.append(world.policy)
        facts = world.facts(day)
        evaluation = world.evaluate(day)
        check_contacts(facts, evaluation.decisions)
        check_cash(facts, evaluation.decisions)
        check_tone(world.policy, facts, evaluation.decisions)
        check_pauses(world.policy, facts, evaluation)
        check_nothing_silent(facts, evaluation)
        if life.work(day):
            before = {decision.key for decision in evaluation.decisions}
            again = {decision.key for decision in world.evaluate(day).decisions}
            assert again < before, f"invariant 7, right after an apply: {again - before}"
    loosest = max(policies, key=lambda policy: (policy.contact.per_30_days, policy.contact.per_7_days))
    days = [
        day for day, decision in world.sent if not (decision.kind is ActionKind.CALL and _unreached(world, decision))
    ]
    check_caps(world, loosest, days)
    check_ladders(world)


def _unreached(world: World, decision: Decision) -> bool:
    return any(
        isinstance(record, CallMade)
        and record.occasion == decision.occasion
        and record.outcome is CallOutcome.UNREACHABLE
        for record in world.records
    )


@settings(max_examples=40, deadline=None)
@given(worlds(), events)
def test_order_and_repetition_change_nothing(world: World, happening: list[Event]) -> None:
    """Invariant 6: the same knowledge in another order, or asked twice, gives the same decisions."""
    life = Life(world, happening)
    for offset in range(0, 20, 3):
        life.happen(days_after(MONDAY, offset))
        life.work(days_after(MONDAY, offset))
    day = days_after(MONDAY, 21)
    first = world.evaluate(day)
    assert world.evaluate(day) == first
    for rows in (world.invoices, world.payments, world.credits):
        rows.reverse()
    world.acted = dict(reversed(world.acted.items()))
    assert world.evaluate(day) == first


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), st.integers(0, 30))
def test_nothing_new_before_the_day_that_was_named(world: World, lived: int) -> None:
    """While nothing changes, no decision appears before `revisit`: only waking customers need a look."""
    world.cash_lag = 0
    day = days_after(MONDAY, lived)
    world.live_through(MONDAY, day)
    evaluation = world.evaluate(day)
    known = {decision.key for decision in evaluation.decisions}
    following = days_after(day, 1)
    while evaluation.revisit is not None and following < evaluation.revisit:
        new = {decision.key for decision in world.evaluate(following).decisions} - known
        assert not new, f"{new} on {following}, before {evaluation.revisit}"
        following = days_after(following, 1)
