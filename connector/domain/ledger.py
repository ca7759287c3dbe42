"""Canonical ledger records: what every ledger's documents become once normalised. Dates are in the organisation's
time zone; stamps are UTC. Ids are the ledger's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from connector.domain.money import Money


@dataclass(frozen=True, slots=True)
class Organisation:
    """One connected ledger file."""

    ledger: str  # "xero", "quickbooks"
    ledger_id: str  # Xero tenantId, QuickBooks realmId
    name: str
    base_currency: str
    timezone: str  # IANA
    country: str = ""  # ISO 3166 alpha-2, "" unknown
    legal_name: str = ""
    tax_basis: str = ""
    lock_date: date | None = None  # the later of period and year-end lock; nothing is dated on or before it
    demo: bool = False
    native_reminders: bool | None = None  # the ledger mails reminders itself; None = unknown
    short_code: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A person at the customer's."""

    name: str
    email: str
    on_invoices: bool  # the ledger's own invoice mail goes to them too


@dataclass(frozen=True, slots=True)
class Address:
    kind: Literal["street", "postal"]
    lines: tuple[str, ...] = ()
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    attention: str = ""


class TermsBasis(StrEnum):
    AFTER_INVOICE_DATE = "after_invoice_date"
    AFTER_INVOICE_MONTH = "after_invoice_month"
    OF_THIS_MONTH = "of_this_month"
    OF_NEXT_MONTH = "of_next_month"


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """When a customer's future invoices fall due: so many days after, or on that day of, what `basis` names."""

    day: int
    basis: TermsBasis


@dataclass(frozen=True, slots=True)
class Customer:
    """The debtor as the ledger knows it."""

    id: str
    name: str
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    people: tuple[Person, ...] = ()
    addresses: tuple[Address, ...] = ()
    phones: tuple[str, ...] = ()
    active: bool = True
    currency: str = ""
    account_number: str = ""
    groups: tuple[str, ...] = ()  # names of the ledger's own groups
    terms: PaymentTerms | None = None  # for future invoices; None = the ledger names none
    merged_into: str = ""
    parent: str = ""  # QuickBooks sub-customers
    outstanding: Decimal | None = None  # the ledger's own figure, base currency; None = not given
    overdue: Decimal | None = None
    updated_at: datetime | None = None


class InvoiceStatus(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"  # Xero AUTHORISED; also part-paid
    PAID = "paid"
    VOIDED = "voided"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Line:
    id: str
    description: str
    net: Money
    tax: Money
    account: str = ""
    tax_code: str = ""


@dataclass(frozen=True, slots=True)
class Invoice:
    """A receivable. `balance` is the ledger's open amount; policy uses `collectable`, never this alone."""

    id: str
    number: str
    customer_id: str
    status: InvoiceStatus
    issued: date
    due: date | None  # contractual; never written by dunwell
    total: Money
    tax: Money
    balance: Money
    paid: Money
    credited: Money
    rate: Decimal = Decimal(1)  # units of the invoice's currency for one unit of base
    reference: str = ""
    sent: bool | None = None  # None = the ledger does not say
    expected: date | None = None  # the ledger's expected payment date
    fully_paid_on: date | None = None
    repeating: bool = False
    has_attachments: bool = False
    lines: tuple[Line, ...] = ()
    updated_at: datetime | None = None

    @property
    def currency(self) -> str:
        return self.total.currency

    @property
    def is_open(self) -> bool:
        """Approved and not settled."""
        return self.status is InvoiceStatus.APPROVED and self.balance.minor > 0


@dataclass(frozen=True, slots=True)
class Allocation:
    """Part of a payment or credit laid against one invoice."""

    invoice_id: str
    amount: Money
    on: date
    id: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """Money received from a customer. `active` is False when it was deleted in the ledger."""

    id: str
    paid_on: date
    amount: Money
    customer_id: str = ""  # "" where the ledger names only the invoice
    allocations: tuple[Allocation, ...] = ()
    reference: str = ""
    reconciled: bool | None = None
    account: str = ""
    active: bool = True
    updated_at: datetime | None = None


class CreditKind(StrEnum):
    CREDIT_NOTE = "credit_note"
    OVERPAYMENT = "overpayment"
    PREPAYMENT = "prepayment"


@dataclass(frozen=True, slots=True)
class Credit:
    """A credit note, overpayment or prepayment: `remaining` is unapplied and counts against what may be asked for."""

    id: str
    kind: CreditKind
    customer_id: str
    issued: date
    total: Money
    remaining: Money
    number: str = ""
    allocations: tuple[Allocation, ...] = ()
    reference: str = ""
    active: bool = True  # False when draft, voided or deleted
    rate: Decimal = Decimal(1)
    updated_at: datetime | None = None


class RecordKind(StrEnum):
    CUSTOMER = "customer"
    INVOICE = "invoice"
    PAYMENT = "payment"
    CREDIT = "credit"


Record = Customer | Invoice | Payment | Credit


@dataclass(frozen=True, slots=True)
class NeedsReview:
    """A ledger record that could not be read for certain. Nothing is decided about it until a person looked."""

    kind: RecordKind
    id: str
    reason: str  # e.g. "unknown status 'FROZEN'"
    customer_id: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class CustomerBook:
    """Everything that the mirror holds about one customer."""

    customer: Customer
    invoices: tuple[Invoice, ...] = ()
    payments: tuple[Payment, ...] = ()
    credits: tuple[Credit, ...] = ()
    needs_review: tuple[NeedsReview, ...] = ()
