"""The records of the sandbox's books, as immutable values: a change is a new value put in the old one's place.

Amounts are exact decimals in the document's own currency and `None` where a recorded answer did not print them.
Dates are calendar dates in the organisation's zone; instants are UTC. `extra` keeps printed fields that the sandbox
does not model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

Json = Mapping[str, object]
Texts = Mapping[str, str]
Day = date  # a field named `date` hides the class inside its own record
NOTHING: Json = MappingProxyType({})
ZERO = Decimal(0)

CreditKind = Literal["credit_note", "overpayment", "prepayment"]
DocumentKind = Literal["invoice", "credit_note", "overpayment", "prepayment"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a document. `line_amount` is net of discount, in the sense of the document's LineAmountTypes."""

    id: str
    description: str = ""
    quantity: Decimal | None = None
    unit_amount: Decimal | None = None
    line_amount: Decimal | None = None
    tax_type: str = ""
    tax_amount: Decimal | None = None
    account_code: str = ""
    item_code: str = ""
    discount_rate: Decimal | None = None
    discount_amount: Decimal | None = None
    tracking: tuple[Json, ...] = ()
    extra: Json = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class Invoice:
    """A sales invoice (ACCREC) or a bill (ACCPAY)."""

    id: str
    type: str
    contact_id: str
    status: str
    currency: str
    updated: datetime
    number: str | None = None
    reference: str | None = None
    date: Day | None = None
    due_date: Day | None = None
    line_amount_types: str = "Exclusive"
    lines: tuple[Line, ...] = ()
    sub_total: Decimal | None = None
    total_tax: Decimal | None = None
    total: Decimal | None = None
    amount_due: Decimal | None = None
    amount_paid: Decimal | None = None
    amount_credited: Decimal | None = None
    rate: Decimal | None = None  # units of `currency` for one unit of the base currency
    sent: bool | None = None
    expected: Day | None = None
    planned: Day | None = None
    fully_paid_on: Day | None = None
    branding_id: str = ""
    url: str = ""
    repeating_id: str = ""
    by_app: bool = False
    loose: Mapping[str, tuple[Json, ...]] = field(default_factory=lambda: MappingProxyType({}))
    extra: Json = field(default_factory=lambda: NOTHING)

    @property
    def due(self) -> Decimal:
        """What is still to be paid, in the invoice's currency: the printed AmountDue where there is one."""
        if self.amount_due is not None:
            return self.amount_due
        return (self.total or ZERO) - (self.amount_paid or ZERO) - (self.amount_credited or ZERO)

    @property
    def has_money_on_it(self) -> bool:
        """Whether a payment or credit is applied, which closes the invoice for edits."""
        return self.status == "PAID" or bool(self.amount_paid) or bool(self.amount_credited)


@dataclass(frozen=True, slots=True)
class Allocation:
    """Part of a credit laid against one invoice, in the credit's currency."""

    id: str
    invoice_id: str
    amount: Decimal
    date: Day | None
    invoice_number: str = ""


@dataclass(frozen=True, slots=True)
class Credit:
    """A credit note, overpayment or prepayment: money of the contact's that is not, or not wholly, allocated."""

    id: str
    kind: CreditKind
    type: str
    contact_id: str
    status: str
    currency: str
    updated: datetime
    number: str | None = None
    reference: str | None = None
    date: Day | None = None
    line_amount_types: str = "Exclusive"
    lines: tuple[Line, ...] = ()
    sub_total: Decimal | None = None
    total_tax: Decimal | None = None
    total: Decimal | None = None
    remaining: Decimal | None = None
    allocations: tuple[Allocation, ...] = ()
    rate: Decimal | None = None
    sent: bool | None = None
    fully_paid_on: Day | None = None
    loose: Mapping[str, tuple[Json, ...]] = field(default_factory=lambda: MappingProxyType({}))
    extra: Json = field(default_factory=lambda: NOTHING)

    @property
    def is_receivable(self) -> bool:
        """Whether it is the customer's money and not a supplier's."""
        return self.type in RECEIVABLE_CREDITS


RECEIVABLE_CREDITS = frozenset(
    {"ACCRECCREDIT", "RECEIVE-OVERPAYMENT", "AROVERPAYMENT", "RECEIVE-PREPAYMENT", "ARPREPAYMENT"}
)


@dataclass(frozen=True, slots=True)
class Payment:
    """Money laid against one document, in that document's currency."""

    id: str
    document_kind: DocumentKind
    document_id: str
    type: str
    updated: datetime
    date: Day | None = None
    amount: Decimal | None = None
    bank_amount: Decimal | None = None
    rate: Decimal | None = None
    reference: str | None = None
    reconciled: bool | None = None
    status: str = "AUTHORISED"
    account_id: str = ""
    batch: Json | None = None
    extra: Json = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class Person:
    """A further person at the contact's."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    in_emails: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """When documents of this contact fall due by default."""

    day: int
    type: str


@dataclass(frozen=True, slots=True)
class Balance:
    """Outstanding and overdue amounts, receivable and payable, as GET /Contacts prints them."""

    receivable: Decimal = ZERO
    receivable_overdue: Decimal = ZERO
    payable: Decimal = ZERO
    payable_overdue: Decimal = ZERO

    def plus(self, other: Balance) -> Balance:
        return Balance(
            self.receivable + other.receivable,
            self.receivable_overdue + other.receivable_overdue,
            self.payable + other.payable,
            self.payable_overdue + other.payable_overdue,
        )

    def minus(self, other: Balance) -> Balance:
        return self.plus(Balance(-other.receivable, -other.receivable_overdue, -other.payable, -other.payable_overdue))


@dataclass(frozen=True, slots=True)
class Contact:
    """A customer or supplier. `phones` and `addresses` map the wire's type to the wire's fields."""

    id: str
    name: str
    updated: datetime
    status: str = "ACTIVE"
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    number: str = ""
    account_number: str = ""
    tax_number: str = ""
    persons: tuple[Person, ...] = ()
    phones: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    addresses: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    currency: str = ""
    sales_terms: Terms | None = None
    bills_terms: Terms | None = None
    merged_to: str = ""
    is_customer: bool = False
    is_supplier: bool = False
    printed_minus_reckoned: Balance | None = None
    extra: Json = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class Group:
    """A contact group; `members` are contact ids in the order of joining."""

    id: str
    name: str
    status: str = "ACTIVE"
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of a record's history."""

    at: datetime
    changes: str
    user: str
    details: str


@dataclass(frozen=True, slots=True)
class HistoryLog:
    """All history of one record; `id` is "<kind>:<record id>"."""

    id: str
    entries: tuple[HistoryEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attached file; `content` is None where a recorded answer only named it."""

    id: str
    name: str
    mime: str
    size: int
    content: bytes | None = None
    include_online: bool = False


@dataclass(frozen=True, slots=True)
class Folder:
    """The attachments of one record; `id` is "<kind>:<record id>"."""

    id: str
    files: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Plain:
    """A record of a read-only list (account, tax rate, user, ...), kept in the wire's own words."""

    id: str
    wire: Json


@dataclass(frozen=True, slots=True)
class Organisation:
    """The organisation's own settings."""

    id: str
    name: str
    legal_name: str
    country: str
    timezone: str  # IANA
    base_currency: str
    sales_tax_basis: str = ""
    period_lock_date: Day | None = None
    end_of_year_lock_date: Day | None = None
    demo: bool = False
    edition_class: str = "PREMIUM"
    short_code: str = ""
    created: datetime | None = None
    native_reminders: bool = False
    extra: Json = field(default_factory=lambda: NOTHING)
