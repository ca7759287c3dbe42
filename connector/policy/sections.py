"""Sections of the credit policy about chasing: one model per YAML section, every setting with meaning, unit and bounds.

Money thresholds are in the policy's own currency (`Policy.currency`), never in an invoice's. Fields named `*_bd`
count business days, `*_days` calendar days.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, Strict, model_validator

from connector.domain.dates import Calendar
from connector.domain.decisions import ActionKind, Decision, DunningLevel
from connector.domain.money import Money
from connector.policy.fields import (
    BusinessDays,
    Count,
    Days,
    Factor,
    Flag,
    MonthDay,
    Months,
    Section,
    Share,
    Threshold,
    TimeOfDay,
)


class CashKnown(Section):
    """How fresh the knowledge of cash must be before anybody is asked for overdue money."""

    soft_bd: BusinessDays = Field(description="Oldest reconciliation for a friendly contact.")
    firm_bd: BusinessDays = Field(description="Oldest reconciliation for firm letters, calls and breaches.")
    receipt_days: Days = Field(description="An unmatched receipt holds the item it may belong to for this long.")
    receipt_tolerance: Share = Field(description="How far an unmatched receipt may differ from the amount owed.")


class TakeOn(Section):
    """The first run over everything that was open when the organisation was connected."""

    per_day: Annotated[int, Strict(), Field(ge=1, le=1000)] = Field(
        description="Most customers with opening items contacted for the first time on one day."
    )
    max_age_days: Days = Field(description="Opening items older than this go to a person, item by item.")


class BillPromptly(Section):
    """Nobody pays what did not arrive."""

    unsent_bd: BusinessDays = Field(description="Approved but not sent for this long: send it or fix it.")
    draft_bd: BusinessDays = Field(description="Draft or submitted for this long: a task to finish it.")


class Reinvoice(Section):
    """Level 1: the invoice again as a copy, with the chance to explain."""

    after_days: Days = Field(description="From this many days past due.")
    latest_days: Days = Field(description="If it could not be sent by then, a person is told.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.latest_days < self.after_days:
            raise ValueError("latest_days must not be before after_days")
        return self


StepName = Literal["friendly", "reminder", "call", "firm", "principal", "final", "hand_over"]
_LEVELS: Mapping[str, DunningLevel] = {level.name.lower(): level for level in DunningLevel}


class Step(Section):
    """One rung: what it is, and from when."""

    level: StepName = Field(description="Which rung.")
    after_days: Days = Field(description="From this many days past due, moved to the next business day.")

    @property
    def rung(self) -> DunningLevel:
        return _LEVELS[self.level]


class IntervalFactor(Section):
    """Patience follows history: how the steps stretch or shrink with the customer's standing."""

    solid: Factor = Field(description="For customers of solid standing, every step's days times this.")
    chronic: Factor = Field(description="For customers of chronic standing, every step's days times this.")


class Ladder(Section):
    """From the first friendly letter to the decision to hand over, one step at a time.

    Exactly one of `by_days` and `by_bd` is given.
    """

    steps: tuple[Step, ...] = Field(min_length=1, max_length=7, description="The rungs, mildest first.")
    by_days: Days | None = Field(
        default=None, description="Time to pay that each letter names.", json_schema_extra={"unit": "days"}
    )
    by_bd: BusinessDays | None = Field(
        default=None, description="Time to pay that each letter names.", json_schema_extra={"unit": "business days"}
    )
    interval_factor: IntervalFactor = Field(description="Patience by standing.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        rungs = [step.rung for step in self.steps]
        days = [step.after_days for step in self.steps]
        if rungs != sorted(set(rungs)):
            raise ValueError("steps must go from mild to firm, each level once")
        if days != sorted(set(days)):
            raise ValueError("each step must be later than the one before")
        if DunningLevel.FIRM in rungs and DunningLevel.CALL not in rungs:
            raise ValueError("a firm letter needs a call before it")
        if DunningLevel.FINAL in rungs and DunningLevel.FIRM not in rungs:
            raise ValueError("a final letter needs a firm one before it")
        if DunningLevel.HAND_OVER in rungs and DunningLevel.FINAL not in rungs:
            raise ValueError("hand-over needs a final letter before it")
        if bool(self.by_days) == bool(self.by_bd):
            raise ValueError("give exactly one of by_days and by_bd, at least 1")
        return self

    @property
    def levels(self) -> tuple[DunningLevel, ...]:
        """The rungs of this ladder, mildest first, without level 1 (see `Reinvoice`)."""
        return tuple(step.rung for step in self.steps)

    def after(self, level: DunningLevel) -> int | None:
        """Days past due from which the level is reached; None where this ladder has no such rung."""
        return next((step.after_days for step in self.steps if step.rung is level), None)

    def by_date(self, calendar: Calendar, sent: date) -> date:
        """The business day that a letter sent on `sent` names."""
        if self.by_bd:
            return calendar.add(sent, self.by_bd)
        return calendar.on_or_after(sent + timedelta(days=self.by_days or 0))


class Call(Section):
    """When the phone is worth more than another letter."""

    unanswered_letters: Annotated[int, Strict(), Field(ge=1, le=20)] = Field(
        description="Call after this many letters without an answer."
    )
    minimum: Threshold = Field(description="Below this collectable amount nobody calls, except before a firm letter.")
    at_once: Threshold = Field(
        description="From this collectable amount the call comes first: no letter before it is made or rejected."
    )
    solid_by_days: Days = Field(description="Customers of solid standing are called no later than this past due.")


class Statements(Section):
    """The neutral monthly statement."""

    enabled: Flag = Field(description="Send statements.")
    monthly_bd: Annotated[int, Strict(), Field(ge=1, le=20)] = Field(
        description="Sent on this business day of the month.", json_schema_extra={"unit": "business days"}
    )
    merge_days: Days = Field(description="A letter due within this time takes the statement along.")


class Thanks(Section):
    """A thank-you when money follows our contact."""

    enabled: Flag = Field(description="Send thanks.")
    within_days: Days = Field(description="The payment came at most this long after our contact.")


class NewStanding(Section):
    """No verdict on thin history: new under either."""

    paid_invoices: Count = Field(description="Fewer invoices paid than this.")
    months: Months = Field(description="Younger than this.")


class SolidStanding(Section):
    """Reliable: a long customer who pays on time."""

    months: Months = Field(description="A customer for at least this long.")
    on_time_share: Share = Field(description="Share paid on time, by value.")
    tolerance_days: Days = Field(description="Paid this late still counts as on time.")


class ChronicStanding(Section):
    """Repeated, not unlucky: either holds."""

    pauses: Annotated[int, Strict(), Field(ge=1, le=100)] = Field(
        description="Broken promises, plans and extensions in 12 months, together."
    )
    median_days_late: Days = Field(description="The median payment is later than this.")
    minimum_invoices: Annotated[int, Strict(), Field(ge=1, le=100)] = Field(
        description="The median counts only from this many paid invoices."
    )


class Standing(Section):
    """How history turns into patience; who fits none of these is slow."""

    new: NewStanding
    solid: SolidStanding
    chronic: ChronicStanding


class QuietPeriod(Section):
    """Days on which nobody is contacted, every year; the last day may lie in the next year."""

    first: MonthDay = Field(description="First day, MM-DD.")
    last: MonthDay = Field(description="Last day, MM-DD.")
    countries: tuple[str, ...] = Field(default=(), description="ISO codes; none = everywhere.")


class Contact(Section):
    """How often and when people may be contacted."""

    per_7_days: Annotated[int, Strict(), Field(ge=1, le=3)] = Field(
        description="Most contacts with one person or payer in 7 days."
    )
    per_30_days: Annotated[int, Strict(), Field(ge=1, le=10)] = Field(
        description="Most contacts with one person or payer in 30 days."
    )
    opens: TimeOfDay = Field(description="Earliest, local time.")
    closes: TimeOfDay = Field(description="Latest, local time.")
    quiet: tuple[QuietPeriod, ...] = Field(default=(), description="Quiet periods; the longest that fits holds.")

    @model_validator(mode="after")
    def _hours(self) -> Self:
        if not time(8) <= self.opens < self.closes <= time(20):
            raise ValueError("contact hours must open before they close, within 08:00 and 20:00")
        return self


class Freshness(Section):
    """How old the mirror may be."""

    plan_minutes: Annotated[int, Strict(), Field(ge=1, le=1440)] = Field(
        description="For planning.", json_schema_extra={"unit": "minutes"}
    )
    send_seconds: Annotated[int, Strict(), Field(ge=10, le=3600)] = Field(
        description="For sending.", json_schema_extra={"unit": "seconds"}
    )


Role = Literal["staff", "credit_contact", "principal"]


class Authority(Section):
    """The lowest role that may approve each act: the practice's staff, the client's credit contact or principal."""

    send_invoice: Role = Field(description="Sending an invoice for the first time.")
    reinvoice: Role = Field(description="Sending a copy.")
    statement: Role = Field(description="A statement.")
    thanks: Role = Field(description="A thank-you.")
    friendly: Role = Field(description="A friendly letter.")
    reminder: Role = Field(description="A reminder.")
    firm: Role = Field(description="A firm letter.")
    principal: Role = Field(description="A letter to the customer's principal.")
    final: Role = Field(description="A final letter.")
    call: Role = Field(description="A call.")
    task: Role = Field(description="A task.")
    tag_dispute: Role = Field(description="Marking or unmarking a query in the ledger.")
    set_expected_date: Role = Field(description="Writing an expected date to the ledger.")
    write_schedule: Role = Field(description="Writing a payment schedule to the ledger.")
    credit: Role = Field(description="Taking something off an invoice, of whatever kind.")
    apply_credit: Role = Field(description="Laying an open credit against an invoice.")
    set_terms: Role = Field(description="Changing a customer's payment terms.")
    reissue: Role = Field(description="Crediting an invoice whole and raising it again.")
    hand_over: Role = Field(description="Telling the ledger that a debt went to somebody else, or came back.")
    extension: Role = Field(description="Granting an extension.")
    promise: Role = Field(description="Recording a promise.")
    plan: Role = Field(description="Agreeing a plan within limits.")
    plan_ceiling: Literal["principal"] = Field(description="Agreeing a plan over the limits.")
    dispute_outcome: Role = Field(description="Deciding a query.")
    expires_bd: Annotated[BusinessDays, Field(ge=1)] = Field(description="An approval lapses after this time.")


AutopilotAct = Literal["send_invoice", "reinvoice", "statement", "thanks", "friendly"]


class Autopilot(Section):
    """What may go without a person's approval, where the organisation's mode allows it."""

    acts: tuple[AutopilotAct, ...] = Field(default=(), description="Which acts; never money, final or hand-over.")
    limit: Threshold = Field(description="Up to this collectable amount per customer and day.")

    def covers(self, decision: Decision, base_currency: str) -> bool:
        """Whether this act may go by itself. A sum in another currency than the thresholds' is for a person."""
        act = decision.level.name.lower() if decision.kind is ActionKind.LETTER else decision.kind.value
        asked = decision.amount or Money.zero(base_currency)
        return act in self.acts and asked.currency == base_currency and asked.amount <= self.limit


class Amounts(Section):
    """What is worth a letter."""

    minimum_to_chase: Threshold = Field(description="Below this collectable amount only the statement asks.")
