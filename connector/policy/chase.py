"""Who is asked for what next: the overdue items of one currency, the item that drives, and the next rung."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from connector.domain.cases import LetterSent, Party, PlanState
from connector.domain.decisions import ActionKind, DunningLevel, Reason, RuleOutcome, Scalar, Verdict
from connector.domain.facts import CustomerFacts, ItemFacts, PauseState, Standing
from connector.domain.history import base_value
from connector.domain.known import arrived, leads
from connector.domain.money import Money, total
from connector.policy.blocks import customer_block, never, not_now, until_of, waits
from connector.policy.calls import calls_about
from connector.policy.contacts import next_statement_day
from connector.policy.document import Policy
from connector.policy.guardrails import cash_reason
from connector.policy.standing import standing_of, stretched

LETTER_LEVELS = (
    DunningLevel.FRIENDLY,
    DunningLevel.REMINDER,
    DunningLevel.FIRM,
    DunningLevel.PRINCIPAL,
    DunningLevel.FINAL,
)
TAKE_ON = "take-on"
BUSINESSES = (Party.COMPANY, Party.PARTNERSHIP)
_CALLED_BY_BD = 3  # after a lapse the call comes first; the next letter waits for it no longer than this


@dataclass(frozen=True, slots=True)
class Chase:
    """The open case against a customer in one currency. `lead` drives: the highest level earned, then the oldest."""

    facts: CustomerFacts
    lead: ItemFacts
    items: tuple[ItemFacts, ...]  # everything overdue that may be asked for in this currency, the lead first
    standing: Standing

    @property
    def lead_id(self) -> str:
        return self.lead.invoice.id

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(item.invoice.id for item in self.items)

    @property
    def amount(self) -> Money:
        return total((item.collectable for item in self.items), self.lead.invoice.currency)

    @property
    def base_amount(self) -> Decimal:
        """In the organisation's base currency, at each invoice's own rate: for thresholds."""
        return value_of(self.facts, self.items)

    @property
    def letters(self) -> tuple[LetterSent, ...]:
        """Letters that asked for the lead's money and arrived, oldest first."""
        return tuple(
            letter
            for letter in self.facts.letters
            if letter.asks_for_money and self.lead_id in letter.invoice_ids and arrived(letter, self.facts.as_of)
        )

    def time_ends(self, policy: Policy) -> date | None:
        """The day after the time that the last letter gave; None before any letter."""
        if not self.letters:
            return None
        last = self.letters[-1]
        given = last.by_date or policy.ladder.by_date(self.facts.state.calendar, last.on)
        return given + timedelta(days=1)

    def reached_on(self, policy: Policy, after_days: int) -> date:
        """The business day from which a step of so many days past due is reached, at this standing."""
        start = self.lead.counts_from or self.facts.as_of
        day = start + timedelta(days=stretched(policy, self.standing, after_days))
        return self.facts.state.calendar.on_or_after(day)

    def next_letter(self, policy: Policy) -> DunningLevel | None:
        """The next rung that is a letter, one at a time and none skipped; None after the last.

        Principals are written to at businesses only. After a breached plan the ladder resumes at firm.
        """
        rungs = [level for level in LETTER_LEVELS if level in policy.ladder.levels and self._suits(level)]
        floor = DunningLevel.FIRM if self.lead.breached and DunningLevel.FIRM in rungs else DunningLevel.NONE
        return next((level for level in rungs if level > self.lead.level and level >= floor), None)

    def _suits(self, level: DunningLevel) -> bool:
        return level is not DunningLevel.PRINCIPAL or self.facts.party in BUSINESSES

    def lapsed_on(self) -> date | None:
        """The last day of an extension, promise or plan that was not kept and ended after the last letter."""
        item, last = self.lead, self.letters[-1].on if self.letters else date.min
        lapses = [item.extension.until] if item.extension and item.extension_state is PauseState.BROKEN else []
        if item.promise and item.promise_state is PauseState.BROKEN:
            lapses.append(item.promise.until)
        if (ended := self.plan_ended_on()) is not None:
            lapses.append(ended - timedelta(days=1))
        return max((day for day in lapses if day > last), default=None)

    def plan_ended_on(self) -> date | None:
        """The day on which the last breached plan of the lead ended; None while a new one runs."""
        if self.lead.plan is not None:
            return None
        ended = (
            plan.closed_on
            for plan in self.facts.ended_plans
            if plan.state is PlanState.VOID and any(one == self.lead_id for one, _ in plan.covered)
        )
        return max((day for day in ended if day is not None), default=None)

    def letter_due(self, policy: Policy, level: DunningLevel) -> date:
        """The day on which that letter is due by age; after a lapse, as soon as the customer was called about it."""
        calendar, lapsed = self.facts.state.calendar, self.lapsed_on()
        if lapsed is not None:
            called = [call.on for call in calls_about(self.facts, self.lead_id) if call.on > lapsed]
            latest = calendar.add(lapsed, _CALLED_BY_BD)
            return min(calendar.add(min(called), 1), latest) if called else latest
        days = policy.ladder.after(level) or 0
        resumes = self.lead.breached and level <= DunningLevel.FIRM
        return self.facts.as_of if resumes else self.reached_on(policy, days)

    def occasion(self, level: DunningLevel) -> str:
        """The lead and its level; a letter that bounced may be sent again."""
        bounced = {
            letter.id
            for letter in self.facts.letters
            if letter.level == level and leads(letter, self.lead_id) and not arrived(letter, self.facts.as_of)
        }
        again = f":again-{len(bounced)}" if bounced else ""
        return f"{self.lead_id}:{int(level)}{again}"


@dataclass(frozen=True, slots=True)
class Askable:
    """Which overdue items may be asked for today, and why the others may not."""

    items: tuple[ItemFacts, ...]
    refused: tuple[tuple[ItemFacts, Reason], ...]


def askable(policy: Policy, facts: CustomerFacts) -> Askable:
    """Every approved open item, sorted into what may be asked for today and what may not, and why."""
    items, refused = [], []
    for item in facts.items:
        if not item.invoice.is_open:
            continue
        reason = _refusal(policy, facts, item)
        if reason is None:
            items.append(item)
        else:
            refused.append((item, reason))
    return Askable(tuple(items), tuple(refused))


def _refusal(policy: Policy, facts: CustomerFacts, item: ItemFacts) -> Reason | None:
    if (reason := never(policy, facts, item) or not_now(policy, facts, item)) is not None:
        return reason
    if not item.is_overdue:
        first = None if item.counts_from is None else item.counts_from + timedelta(days=1)
        return waits("item.not_due", first)
    return cash_reason(facts.state, facts.as_of, policy.cash_known.soft_bd, item.due)


def chases(policy: Policy, facts: CustomerFacts, ready: Askable) -> tuple[Chase, ...]:
    """One case a currency, for the items that a first contact has introduced; others overdue are listed along."""
    kind, _ = standing_of(policy, facts)
    found = []
    for currency in sorted({item.invoice.currency for item in ready.items}):
        mine = [item for item in ready.items if item.invoice.currency == currency]
        introduced = [item for item in mine if item.introduced]
        if introduced:
            lead = max(introduced, key=_rung)  # the first, oldest due, among equals
            others = [item for item in mine if item is not lead and not statement_pending(facts, item)]
            found.append(Chase(facts, lead, (lead, *others), kind))
    return tuple(found)


def _rung(item: ItemFacts) -> DunningLevel:
    """Where the item stands on the ladder; after a breached plan it stands before firm, whatever it had earned."""
    return max(item.level, DunningLevel.CALL) if item.breached else item.level


def value_of(facts: CustomerFacts, items: Iterable[ItemFacts]) -> Decimal:
    """The collectable sum in the organisation's base currency, for thresholds."""
    base = facts.state.organisation.base_currency
    return total((base_value(item.invoice, item.collectable, base) for item in items), base).amount


def outcome(rule: str, reason: Reason, *items: ItemFacts) -> RuleOutcome:
    """Waiting where the reason names a day of this customer's own, blocked otherwise."""
    until = until_of(reason)
    organisation_wide = reason.facts.get("scope") == "organisation"
    verdict = Verdict.BLOCKED if until is None or organisation_wide else Verdict.WAITING
    return RuleOutcome(rule, verdict, reason, tuple(item.invoice.id for item in items), until)


def refusals(rule: str, pairs: Iterable[tuple[ItemFacts, Reason]]) -> Iterator[RuleOutcome]:
    """One outcome per item that may not be asked for."""
    for item, reason in pairs:
        yield outcome(rule, reason, item)


def whole_customer(rule: str, facts: CustomerFacts) -> RuleOutcome | None:
    """The outcome for a customer whom nobody may contact; None when contact is possible."""
    block = customer_block(facts)
    return None if block is None else outcome(rule, block, *facts.items)


def idle(rule: str, ready: Askable, reason: Reason) -> list[RuleOutcome]:
    """What a rule says that found nothing to do: `reason` where somebody may be asked, else why nobody may."""
    if ready.items or not ready.refused:
        return [RuleOutcome(rule, Verdict.NOT_APPLICABLE, reason, tuple(item.invoice.id for item in ready.items))]
    by_code: dict[str, list[RuleOutcome]] = {}
    for item, refused in ready.refused:
        said = RuleOutcome(rule, Verdict.NOT_APPLICABLE, refused, (item.invoice.id,))
        by_code.setdefault(refused.code, []).append(said)
    return [replace(same[0], items=tuple(id_ for one in same for id_ in one.items)) for same in by_code.values()]


def lateness(item: ItemFacts, as_of: date) -> dict[str, Scalar]:
    """The invoice, the days past its due date and, where its steps count from a later day, that day: for reasons."""
    later = item.counts_from if item.counts_from != item.due else None
    return {
        "invoice": item.invoice.number,
        "days": 0 if item.due is None else (as_of - item.due).days,
        "counted_from": None if later is None else later.isoformat(),
    }


def too_small(policy: Policy, facts: CustomerFacts, items: Iterable[ItemFacts]) -> Reason | None:
    """Below the minimum only the monthly statement asks."""
    value = value_of(facts, items)
    if value >= policy.amounts.minimum_to_chase:
        return None
    return waits(
        "customer.below_minimum",
        next_statement_day(policy, facts, facts.as_of),
        amount=str(value),
        minimum=str(policy.amounts.minimum_to_chase),
    )


def statement_pending(facts: CustomerFacts, item: ItemFacts) -> bool:
    """An opening item whose customer has not yet had the one statement that comes before anything else."""
    if not item.opening or item.introduced:
        return False
    currencies = {invoice.id: invoice.currency for invoice in facts.book.invoices}
    return not any(
        letter.what == ActionKind.STATEMENT
        and is_take_on(letter.occasion)
        and arrived(letter, facts.as_of)
        and any(currencies.get(invoice_id) == item.invoice.currency for invoice_id in letter.invoice_ids)
        for letter in facts.letters
    )


def is_take_on(occasion: str) -> bool:
    """The occasion of the one statement about opening items."""
    return occasion.partition(":")[0] == TAKE_ON
