"""Facts: what is known about one customer on one day, computed from the mirror and from our own records, nothing else.

`derive` (connector.domain.derive) computes them. Unknown is a value and is treated as the careful case.
Dates are in the organisation's zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from connector.domain.cases import (
    CallMade,
    Concession,
    CreditUse,
    Dispute,
    Extension,
    HeldBy,
    Holder,
    LegalHold,
    LetterSent,
    Party,
    PaymentPlan,
    Promise,
    Reissue,
    Reply,
    TakeOnChoice,
    TermsChange,
)
from connector.domain.dates import Calendar
from connector.domain.decisions import Acted, ActedState, ActionKey, DunningLevel
from connector.domain.ledger import CustomerBook, Invoice, NeedsReview, Organisation
from connector.domain.money import Money


@dataclass(frozen=True, slots=True)
class OrganisationState:
    """What holds for the whole organisation on this day."""

    organisation: Organisation
    start_date: date  # the day dunwell was connected: everything open then is an opening item
    calendar: Calendar
    take_on_closed: bool = False
    take_on_missing: tuple[str, ...] = ()  # questions not answered yet
    cash_known_to: date | None = None  # the earliest over the receiving accounts; None = nobody said and none seen
    held_by: Holder = Holder.US
    native_reminders_accepted: bool = False  # the owner decided to live with the ledger's own reminders
    unmatched_receipts: tuple[tuple[str, date, Money], ...] = ()  # payer's customer id or "", date, amount
    new_customers_today: int = 0  # opening-item statements already planned or sent today (backlog.per_day)


class PauseState(StrEnum):
    """Of an extension, a promise or a plan, judged no later than cash is known."""

    ACTIVE = "active"
    KEPT = "kept"
    BROKEN = "broken"  # an extension: lapsed
    UNDECIDED = "undecided"  # its date has passed, but the books are not reconciled far enough to judge


@dataclass(frozen=True, slots=True)
class BridgeLine:
    """One step from the ledger balance to the collectable amount, e.g. ("disputed", -120.00)."""

    code: str  # balance | disputed | unapplied_credit | in_transit | not_yet_due
    amount: Money


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """One invoice as the policy sees it."""

    invoice: Invoice
    collectable: Money
    bridge: tuple[BridgeLine, ...]
    due: date | None  # contractual, the ledger's
    counts_from: date | None  # max(due, start_date) for opening items; days past due count from here
    days_overdue: int = 0  # as_of - counts_from, never negative; 0 when not due
    opening: bool = False
    expected: date | None = None  # promise, or the ledger's expected date
    agreed: date | None = None  # extension, or the next plan instalment
    disputes: tuple[Dispute, ...] = ()  # open ones, and closed ones whose outcome is not done yet, with what is missing
    disputed: Money | None = None  # their sum, at most the balance
    extension: Extension | None = None
    extension_state: PauseState | None = None
    promise: Promise | None = None  # the latest that covers it
    promise_state: PauseState | None = None
    promises: tuple[Promise, ...] = ()  # all that cover it and were not withdrawn, oldest first
    plan: PaymentPlan | None = None  # signed and not closed, covering it
    holder: Holder = Holder.US
    excluded: str = ""  # the reason, "" = not excluded
    excluded_until: date | None = None
    sorted: TakeOnChoice | None = None  # how a person sorted this opening item
    sorted_itself: bool = False  # sorted by name, not along with the customer's others
    tax_clock: date | None = None  # the later, cautious date: issue, due or agreed
    sent: bool = True  # False = certainly never sent: the debt cannot be asked for before it was
    introduced: bool = False  # a letter that asks for money and did not bounce has listed it
    in_transit_until: date | None = None  # money reported on its way is believed until then
    breached: bool = False  # a signed plan that covered it became void
    level: DunningLevel = DunningLevel.NONE  # highest level earned by letters actually sent since tone last reset

    @property
    def is_overdue(self) -> bool:
        return self.days_overdue > 0 and self.collectable.minor > 0


class Standing(StrEnum):
    NEW = "new"
    SOLID = "solid"
    SLOW = "slow"
    CHRONIC = "chronic"
    EVASIVE = "evasive"


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    """A settled invoice as history: `days_late` counts from the later of due date and sending plus terms."""

    invoice_id: str
    on: date  # bank date of the payment that settled it
    days_late: int  # negative: early; without any tolerance
    value: Money  # base currency


@dataclass(frozen=True, slots=True)
class History:
    """How this customer has paid. Disputed, held and never-sent items are left out."""

    first_invoice: date | None = None
    invoices_paid: int = 0
    paid: tuple[PaidInvoice, ...] = ()  # of the last 24 months, at most the last 12, oldest first
    paid_on_time_share: Decimal | None = None  # of `paid`, by value, up to 7 days late; None = none paid
    median_days_late: int | None = None
    worst_days_late: int | None = None
    revenue_12_months: Money | None = None  # base currency
    broken_promises_12_months: int = 0  # lapsed extensions count as broken promises
    broken_plans_12_months: int = 0
    extensions_12_months: int = 0
    plans_lookback: int = 0  # plans signed in the last 24 months
    plans_signed_on: tuple[date, ...] = ()  # every plan ever signed, oldest first


@dataclass(frozen=True, slots=True)
class PlanProgress:
    """A signed plan against the money that arrived: allocations after signature, oldest instalment first."""

    plan: PaymentPlan
    paid: Money
    kept: int  # instalments fully covered
    next_due: date | None
    missed: tuple[int, ...] = ()  # numbers of instalments due, judged by known cash, and not covered
    undecided: tuple[int, ...] = ()  # due, but cash is not known that far
    unapplied: Money | None = None  # money of the customer that waits to be allocated: suspends breach
    lacking: tuple[Money, ...] = ()  # what each instalment still lacks, in the plan's order


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """Everything that rules and guardrails may look at."""

    state: OrganisationState
    book: CustomerBook
    as_of: date
    items: tuple[ItemFacts, ...]  # every open or draft invoice, oldest due first
    party: Party = Party.UNKNOWN
    holder: Holder = Holder.US
    legal_hold: LegalHold | None = None
    recipient: str = ""  # where letters go; "" = no usable address
    no_recipient_because: str = ""  # no_address | bounced | opted_out
    excluded: str = ""  # whole customer
    excluded_until: date | None = None
    sorted: TakeOnChoice | None = None
    history: History = field(default_factory=History)
    unapplied: Mapping[str, Money] = field(default_factory=dict)  # usable unapplied credit by currency, not yet used
    letters: tuple[LetterSent, ...] = ()  # oldest first
    calls: tuple[CallMade, ...] = ()
    replies: tuple[Reply, ...] = ()
    waiting_reply: Reply | None = None  # the oldest unanswered one
    plans: tuple[PlanProgress, ...] = ()  # signed ones, and completed ones
    ended_plans: tuple[PaymentPlan, ...] = ()  # signed once, then void or cancelled; oldest first
    offered_plan: PaymentPlan | None = None
    disputes: tuple[Dispute, ...] = ()  # all, open and resolved
    extensions: tuple[Extension, ...] = ()  # all, also of settled invoices
    promises: tuple[Promise, ...] = ()  # all not withdrawn, also of settled invoices
    concessions: tuple[Concession, ...] = ()  # all not withdrawn, also those that are in the ledger by now
    credit_uses: tuple[CreditUse, ...] = ()
    terms_changes: tuple[TermsChange, ...] = ()  # oldest first
    reissues: tuple[Reissue, ...] = ()  # all not withdrawn, also those that are in the ledger by now
    held: tuple[HeldBy, ...] = ()  # who holds this customer's debt or one invoice; oldest first, the newest counts
    needs_review: tuple[NeedsReview, ...] = ()
    acted: Mapping[ActionKey, Acted] = field(default_factory=dict)
    contacts: tuple[date, ...] = ()  # days on which this customer was contacted, oldest first
    mailbox_contacts: tuple[date, ...] = ()  # the same for the mailbox shared with other customers

    @property
    def customer_id(self) -> str:
        return self.book.customer.id

    def was_done(self, key: ActionKey) -> bool:
        """Whether the act is in the ledger."""
        earlier = self.acted.get(key)
        return earlier is not None and earlier.state is ActedState.DONE
