"""What the policy wants, and why: reasons are data, decisions are values, actions are what a person may approve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum, StrEnum

from connector.domain.money import Money

Scalar = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Reason:
    """A stable code ("overdue.days") with the facts behind it; texts are made from it by the surfaces."""

    code: str
    facts: Mapping[str, Scalar] = field(default_factory=dict)


class DunningLevel(IntEnum):
    """The ladder's rungs, numbered as in the presets table. Letters exist for 1, 2, 3, 5, 6, 7."""

    NONE = 0
    REINVOICE = 1
    FRIENDLY = 2
    REMINDER = 3
    CALL = 4
    FIRM = 5
    PRINCIPAL = 6
    FINAL = 7
    HAND_OVER = 8


class ActionKind(StrEnum):
    SEND_INVOICE = "send_invoice"
    REINVOICE = "reinvoice"
    STATEMENT = "statement"
    LETTER = "letter"
    THANKS = "thanks"
    CALL = "call"
    TASK = "task"
    TAG_DISPUTE = "tag_dispute"
    UNTAG_DISPUTE = "untag_dispute"
    SET_EXPECTED_DATE = "set_expected_date"
    WRITE_SCHEDULE = "write_schedule"
    END_SCHEDULE = "end_schedule"
    CREDIT = "credit"
    APPLY_CREDIT = "apply_credit"
    SET_TERMS = "set_terms"
    HAND_OVER = "hand_over"
    TAKE_BACK = "take_back"
    REISSUE = "reissue"


class TargetKind(StrEnum):
    ORGANISATION = "organisation"
    CUSTOMER = "customer"
    INVOICE = "invoice"


@dataclass(frozen=True, slots=True)
class ActionKey:
    """What "the same action" means: unique per organisation."""

    kind: ActionKind
    target: str  # ledger id of the customer or invoice; organisation: its ledger id
    occasion: str


@dataclass(frozen=True, slots=True)
class Decision:
    """One act that the policy wants on this day.

    `items`: the invoices it speaks of, oldest due first; `amount`: their collectable sum (one currency a decision).
    `inputs` is the fingerprint of the facts it rests on (status, collectable, due, dispute, plan, hold, recipient per
    item): drift compares these and nothing else. `data` carries what the effect needs beyond the items
    (dates ISO, amounts as decimal strings, ids).
    """

    rule: str
    kind: ActionKind
    target_kind: TargetKind
    target: str
    customer_id: str
    occasion: str
    reasons: tuple[Reason, ...]
    level: DunningLevel = DunningLevel.NONE
    items: tuple[str, ...] = ()
    amount: Money | None = None
    by_date: date | None = None
    data: Mapping[str, Scalar] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    not_before: date | None = None  # wanted, but only from this day on (contact days, caps)
    asks_for_money: bool = False  # asks for overdue money: cash must be known
    contact: bool = False  # reaches a person at the customer's (counts in the caps)

    @property
    def key(self) -> ActionKey:
        return ActionKey(self.kind, self.target, self.occasion)


class Verdict(StrEnum):
    DECIDED = "decided"
    NOT_APPLICABLE = "not_applicable"
    WAITING = "waiting"  # the reason carries until when; `revisit` the date
    BLOCKED = "blocked"  # a guardrail or a person's record forbids it
    DONE = "done"  # this occasion has been acted on already


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What one rule said about one customer (or item), also when it said nothing: the raw material of `explain`."""

    rule: str
    verdict: Verdict
    reason: Reason
    items: tuple[str, ...] = ()
    revisit: date | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything that dunwell would do for one customer on one day, and why.

    `revisit`: the next date on which this customer needs a look without any change in the facts; None only when no
    open item remains.
    """

    customer_id: str
    as_of: date
    decisions: tuple[Decision, ...]
    outcomes: tuple[RuleOutcome, ...]
    revisit: date | None


class ActedState(StrEnum):
    """What became of an earlier action with the same key."""

    APPROVED = "approved"  # approved or being delivered
    DONE = "done"
    REJECTED = "rejected"  # by a person, until a date or for good
    CANCELLED = "cancelled"  # its effects were refused (drift, nothing left)


@dataclass(frozen=True, slots=True)
class Acted:
    """An earlier action: facts for the engine, so that nothing is proposed twice."""

    key: ActionKey
    state: ActedState
    on: date
    until: date | None = None  # rejected until; None = for good
