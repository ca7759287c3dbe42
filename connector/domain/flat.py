"""Invoices and payments as plain values: what a pull carries from the ledger to the mirror by the ten thousand.

Objects are made only of those that somebody looks at. Amounts count the smallest unit of the record's one currency,
days are ISO texts in the organisation's time zone, rates decimal texts, stamps microseconds since 1970 (UTC).
"""

from __future__ import annotations

from typing import NamedTuple

from connector.domain.ledger import Record

FlatLine = tuple[str, str, int, int, str, str]  # id, description, net, tax, account, tax code
FlatAllocation = tuple[str, int, str, str]  # invoice id, amount, day, id


class FlatInvoice(NamedTuple):
    """As `connector.domain.ledger.Invoice`."""

    id: str
    number: str
    customer_id: str
    status: str  # a value of InvoiceStatus
    issued: str
    due: str | None
    currency: str
    total: int
    tax: int
    balance: int
    paid: int
    credited: int
    rate: str
    reference: str
    sent: bool | None
    expected: str | None
    fully_paid_on: str | None
    repeating: bool
    has_attachments: bool
    lines: tuple[FlatLine, ...]
    updated_us: int | None


class FlatPayment(NamedTuple):
    """As `connector.domain.ledger.Payment`."""

    id: str
    customer_id: str
    paid_on: str
    currency: str
    amount: int
    reference: str
    reconciled: bool | None
    account: str
    active: bool
    allocations: tuple[FlatAllocation, ...]
    updated_us: int | None


Brought = Record | FlatInvoice | FlatPayment  # a record in either form
