"""Minimal domain values for tests: everything has a default, name only what the test is about.

Amounts are major units ("120.00") in `currency`, NZD unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from connector.domain.ledger import (
    Allocation,
    Credit,
    CreditKind,
    Customer,
    Invoice,
    InvoiceStatus,
    Line,
    Organisation,
    Payment,
)
from connector.domain.money import Money

STAMP = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def money(amount: Decimal | str | int, currency: str = "NZD") -> Money:
    return Money.of(amount, currency)


def organisation(
    ledger_id: str = "org-1",
    *,
    ledger: str = "xero",
    name: str = "Kauri Joinery Ltd",
    base_currency: str = "NZD",
    timezone: str = "Pacific/Auckland",
    country: str = "NZ",
    demo: bool = False,
    native_reminders: bool | None = False,
    lock_date: date | None = None,
) -> Organisation:
    return Organisation(
        ledger=ledger,
        ledger_id=ledger_id,
        name=name,
        base_currency=base_currency,
        timezone=timezone,
        country=country,
        legal_name=name,
        demo=demo,
        native_reminders=native_reminders,
        lock_date=lock_date,
    )


def customer(
    record_id: str = "cust-1",
    name: str = "Rimu Cafe Ltd",
    *,
    email: str = "accounts@rimu.example",
    active: bool = True,
    outstanding: Decimal | str | None = None,
    updated_at: datetime | None = STAMP,
    groups: tuple[str, ...] = (),
    currency: str = "NZD",
) -> Customer:
    return Customer(
        id=record_id,
        name=name,
        email=email,
        active=active,
        outstanding=None if outstanding is None else Decimal(outstanding),
        updated_at=updated_at,
        groups=groups,
        currency=currency,
    )


def invoice(
    record_id: str = "inv-1",
    total: Decimal | str | int = "115.00",
    *,
    number: str | None = None,
    customer_id: str = "cust-1",
    status: InvoiceStatus | None = None,
    issued: date = date(2026, 1, 10),
    due: date | None = date(2026, 2, 10),
    balance: Decimal | str | int | None = None,
    paid: Decimal | str | int = 0,
    credited: Decimal | str | int = 0,
    tax: Decimal | str | int = 0,
    currency: str = "NZD",
    rate: Decimal | str = "1",
    sent: bool | None = True,
    expected: date | None = None,
    fully_paid_on: date | None = None,
    lines: tuple[Line, ...] = (),
    reference: str = "",
    updated_at: datetime | None = STAMP,
) -> Invoice:
    """Approved and open unless told otherwise; the balance follows from total, paid and credited."""
    open_amount = Decimal(total) - Decimal(paid) - Decimal(credited) if balance is None else Decimal(balance)
    default_status = InvoiceStatus.PAID if open_amount == 0 else InvoiceStatus.APPROVED
    return Invoice(
        id=record_id,
        number=f"INV-{record_id.removeprefix('inv-')}" if number is None else number,
        customer_id=customer_id,
        status=default_status if status is None else status,
        issued=issued,
        due=due,
        total=money(total, currency),
        tax=money(tax, currency),
        balance=money(open_amount, currency),
        paid=money(paid, currency),
        credited=money(credited, currency),
        rate=Decimal(rate),
        reference=reference,
        sent=sent,
        expected=expected,
        fully_paid_on=fully_paid_on,
        lines=lines,
        updated_at=updated_at,
    )


def payment(
    record_id: str = "pay-1",
    amount: Decimal | str | int = "115.00",
    *,
    customer_id: str = "cust-1",
    invoice_ids: Sequence[str] = ("inv-1",),
    paid_on: date = date(2026, 2, 12),
    currency: str = "NZD",
    reconciled: bool | None = None,
    account: str = "",
    active: bool = True,
    updated_at: datetime | None = STAMP,
) -> Payment:
    """Laid in equal parts against the named invoices."""
    whole = money(amount, currency)
    shares = whole.split(len(invoice_ids)) if invoice_ids else ()
    return Payment(
        id=record_id,
        paid_on=paid_on,
        amount=whole,
        customer_id=customer_id,
        allocations=tuple(Allocation(i, share, paid_on) for i, share in zip(invoice_ids, shares, strict=True)),
        reconciled=reconciled,
        account=account,
        active=active,
        updated_at=updated_at,
    )


def credit(
    record_id: str = "cred-1",
    total: Decimal | str | int = "50.00",
    *,
    kind: CreditKind = CreditKind.CREDIT_NOTE,
    customer_id: str = "cust-1",
    remaining: Decimal | str | int | None = None,
    issued: date = date(2026, 2, 1),
    currency: str = "NZD",
    number: str = "",
    allocations: tuple[Allocation, ...] = (),
    active: bool = True,
    updated_at: datetime | None = STAMP,
) -> Credit:
    """Unapplied unless told otherwise."""
    return Credit(
        id=record_id,
        kind=kind,
        customer_id=customer_id,
        issued=issued,
        total=money(total, currency),
        remaining=money(total if remaining is None else remaining, currency),
        number=number,
        allocations=allocations,
        active=active,
        updated_at=updated_at,
    )
