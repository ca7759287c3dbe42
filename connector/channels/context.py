"""What a letter may say: the facts that a service hands to a template, as frozen values.

Money is exact; dates are in the organisation's zone. Text from the ledger is hostile: it goes in as it is and is
cleaned and escaped by the renderer, never by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from connector.domain.decisions import DunningLevel
from connector.domain.effects import ScheduleLine
from connector.domain.facts import BridgeLine
from connector.domain.money import Money


class LetterKind(StrEnum):
    """Every letter that can be written; the value is the template's file name without `.md`."""

    REINVOICE = "reinvoice"
    FRIENDLY = "friendly"
    REMINDER = "reminder"
    FIRM = "firm"
    PRINCIPAL = "principal"
    FINAL = "final"
    STATEMENT = "statement"
    TAKE_ON_STATEMENT = "take_on_statement"
    FIRST_SENDING = "first_sending"
    THANKS = "thanks"
    EXTENSION_CONFIRMED = "extension_confirmed"
    PLAN_AGREEMENT = "plan_agreement"
    PLAN_COMPLETED = "plan_completed"
    INSTALMENT_MISSED_FOLLOWUP = "instalment_missed_followup"
    DISPUTE_ACKNOWLEDGED = "dispute_acknowledged"
    UNDISPUTED_PART = "undisputed_part"
    CALL_SUMMARY = "call_summary"


LETTER_OF_LEVEL: Final[Mapping[DunningLevel, LetterKind]] = {
    DunningLevel.REINVOICE: LetterKind.REINVOICE,
    DunningLevel.FRIENDLY: LetterKind.FRIENDLY,
    DunningLevel.REMINDER: LetterKind.REMINDER,
    DunningLevel.FIRM: LetterKind.FIRM,
    DunningLevel.PRINCIPAL: LetterKind.PRINCIPAL,
    DunningLevel.FINAL: LetterKind.FINAL,
}

# Letters that ask for overdue money: each names its amounts, a by-date and a way to answer (policy, texts).
DUNNING: Final = frozenset(LETTER_OF_LEVEL.values()) | {
    LetterKind.INSTALMENT_MISSED_FOLLOWUP,
    LetterKind.UNDISPUTED_PART,
}

# The facts without which a letter of that kind would be untrue or empty.
NEEDS: Final[Mapping[LetterKind, frozenset[str]]] = {
    **dict.fromkeys(LETTER_OF_LEVEL.values(), frozenset({"items", "by_date"})),
    LetterKind.STATEMENT: frozenset({"items"}),
    LetterKind.TAKE_ON_STATEMENT: frozenset({"items"}),
    LetterKind.FIRST_SENDING: frozenset({"items"}),
    LetterKind.THANKS: frozenset({"items"}),
    LetterKind.EXTENSION_CONFIRMED: frozenset({"extension"}),
    LetterKind.PLAN_AGREEMENT: frozenset({"plan"}),
    LetterKind.PLAN_COMPLETED: frozenset({"plan"}),
    LetterKind.INSTALMENT_MISSED_FOLLOWUP: frozenset({"plan", "instalment", "by_date"}),
    LetterKind.DISPUTE_ACKNOWLEDGED: frozenset({"query"}),
    LetterKind.UNDISPUTED_PART: frozenset({"items", "by_date"}),
    LetterKind.CALL_SUMMARY: frozenset({"call"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who signs, and where an answer goes. `reply_to` is an e-mail address that people read."""

    name: str
    reply_to: str
    role: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterItem:
    """One invoice in a letter. `collectable` is what the letter asks for.

    `bridge` leads from `balance` to `collectable` (as `ItemFacts.bridge`; a leading "balance" line is ignored) and must
    add up: a letter whose arithmetic does not is refused.
    """

    number: str
    issued: date
    due: date | None
    total: Money
    balance: Money
    collectable: Money
    bridge: tuple[BridgeLine, ...] = ()
    pay_link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReceived:
    """Money that arrived, for letters of thanks."""

    amount: Money
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDate:
    """One agreed later date for one invoice; the contractual due date stays."""

    number: str
    amount: Money  # collectable
    due: date | None  # contractual
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuery:
    """A query on one invoice: only `amount` is paused, and the customer hears from us by `decide_by`."""

    number: str
    amount: Money
    total: Money  # of the invoice
    decide_by: date
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTerms:
    """An instalment agreement as the customer sees it. The lines sum exactly to the covered amounts."""

    reference: str
    version: int
    covered: tuple[tuple[str, Money], ...]  # invoice number, amount
    lines: tuple[ScheduleLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHeld:
    """A telephone call, summed up the same day. `agreed` are a person's own sentences (they pass the tone lint)."""

    on: date
    spoke_with: str = ""
    agreed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterContext:
    """Everything that a letter may mention. Which facts a kind needs is in `NEEDS`."""

    organisation: str
    customer: str
    sender: Sender
    written_on: date
    locale: str = "en_GB"  # the organisation's: formats amounts and dates
    first_name: str = ""  # of a person known to read it; "" = greet the customer by its name
    items: tuple[LetterItem, ...] = ()
    by_date: date | None = None
    attached: bool = False  # copies of the listed invoices travel with the letter
    payment: PaymentReceived | None = None
    extension: NewDate | None = None
    query: OpenQuery | None = None
    plan: PlanTerms | None = None
    instalment: ScheduleLine | None = None
    call: CallHeld | None = None
