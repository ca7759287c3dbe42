"""Sections of the credit policy about what customers ask for and tell us: replies, queries, more time, plans."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, Strict, model_validator

from connector.policy.fields import BusinessDays, Count, Days, Flag, Months, Section, Share, Threshold


class Replies(Section):
    """Answers from customers: the next move is ours."""

    answer_bd: BusinessDays = Field(description="We answer within this time; longer does not pause the ladder.")
    hardship_bd: BusinessDays = Field(description="A meeting or call is offered within this time.")
    in_transit_bd: BusinessDays = Field(description="Money reported as paid or posted counts as on its way so long.")


class Dispute(Section):
    """Queries: only the disputed part is paused."""

    acknowledge_bd: BusinessDays = Field(description="Acknowledge within this time.")
    update_every_bd: Annotated[BusinessDays, Field(ge=1)] = Field(description="Then tell the customer where it is.")
    decide_bd: Annotated[BusinessDays, Field(ge=1)] = Field(description="Decide within this time; then the principal.")
    fresh_days: Days = Field(description="After standing firm, fresh time to pay before the ladder resumes.")


class Extension(Section):
    """One final later date for one invoice, asked for in time."""

    days: Annotated[Days, Field(ge=1)] = Field(description="Longest, from the day it is granted.")
    per_customer: Count = Field(description="Most in 12 months; over it the principal approves, with a reason.")
    ask_until_days: Days = Field(description="Latest moment to ask, in days past due.")


class Promise(Section):
    """A dated promise to pay."""

    longest_days: Annotated[Days, Field(ge=1)] = Field(description="The promised date is at most this far ahead.")
    per_invoice: Count = Field(description="Most promises for one invoice.")
    broken_after_bd: BusinessDays = Field(description="Bank lag before a promise counts as broken.")


class Patience(Section):
    """Nothing is indefinite."""

    longest_days: Annotated[Days, Field(ge=1)] = Field(
        description="All pauses of an invoice together (not dispute, plan, legal hold); then a person decides."
    )


class Reissue(Section):
    """An invoice credited whole and raised again under a new number, instead of a copy."""

    enabled: Flag = Field(
        description="Whether people may ask for it; confirm with the accountant first. A copy is nearly always better."
    )


class Cadence(StrEnum):
    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"


class Plan(Section):
    """Payment plans: what may be offered, and what happens when an instalment is missed."""

    minimum_debt: Threshold = Field(description="No plan below this collectable amount.")
    instalments: Annotated[int, Strict(), Field(ge=2, le=60)] = Field(description="Most instalments.")
    months: Months = Field(description="Longest, from the agreement to the last instalment.")
    ceiling_instalments: Annotated[int, Strict(), Field(ge=2, le=60)] = Field(
        description="Most instalments that the principal may approve."
    )
    ceiling_months: Months = Field(description="Longest that the principal may approve.")
    minimum_instalment: Threshold = Field(description="Smallest instalment.")
    first_share: Share = Field(description="Least part that the first payment covers.")
    first_within_days: Days = Field(description="The first payment is due within this time.")
    cadences: tuple[Cadence, ...] = Field(min_length=1, max_length=3, description="Permitted rhythms.")
    call_bd: Annotated[BusinessDays, Field(ge=1)] = Field(
        description="A missed instalment is called about after this time, once the bank was checked."
    )
    breach_days: Days = Field(description="Grace after a missed instalment before the plan is in breach.")
    cure_days: Days = Field(description="Time to catch up after the breach, then the plan is void.")
    per_customer: Annotated[int, Strict(), Field(ge=1, le=20)] = Field(
        description="Most plans in the look-back time; over it the principal approves, with a reason."
    )
    lookback_months: Months = Field(description="The look-back time.")
    share_of_receivables: Share = Field(description="All plans together, at most this share of the receivables.")

    @model_validator(mode="after")
    def _ceiling(self) -> Self:
        if self.ceiling_instalments < self.instalments or self.ceiling_months < self.months:
            raise ValueError("the approval ceiling must not be below the ordinary limit")
        return self
