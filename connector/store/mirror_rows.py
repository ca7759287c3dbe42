"""Ledger records as flat rows and back. Written for speed: a first pull brings tens of thousands.

A row is a tuple in the order of its table's columns after tenant and organisation. Days are bound as ISO text and
stamps as microseconds, which both drivers take without conversion; `hash` covers the whole row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, Generic, TypeVar

import sqlalchemy as sa
from pydantic_core import PydanticSerializationError, from_json, to_json

from connector.domain.flat import Brought, FlatAllocation, FlatInvoice, FlatPayment
from connector.domain.ledger import (
    Address,
    Allocation,
    Credit,
    CreditKind,
    Customer,
    Invoice,
    InvoiceStatus,
    Line,
    Payment,
    PaymentTerms,
    Person,
    RecordKind,
    TermsBasis,
)
from connector.domain.money import CurrencyMismatch, Money
from connector.store import schema
from connector.store.plain import clean, clean_json, dumps

Row = tuple[Any, ...]
R = TypeVar("R")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LARGEST: Final = 2**63 - 1  # what a 64-bit column holds
_APPROVED: Final = InvoiceStatus.APPROVED.value
_UNFINISHED: Final = (InvoiceStatus.DRAFT.value, InvoiceStatus.SUBMITTED.value)


class Unstorable(ValueError):
    """The record holds something that no ledger should say; it goes to a person, the rest of the page goes on."""


def micros(stamp: datetime | None) -> int | None:
    """Microseconds since 1970, UTC. Raises `Unstorable` without a time zone."""
    if stamp is None:
        return None
    if stamp.tzinfo is None:
        raise Unstorable("its stamp has no time zone")
    return (stamp - _EPOCH) // _MICROSECOND


def _instant(us: int | None) -> datetime | None:
    return None if us is None else _EPOCH + timedelta(microseconds=us)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _minor(currency: str, amount: Money) -> int:
    """The amount as an integer. Raises `Unstorable` for another currency."""
    if amount.currency != currency:
        raise Unstorable(f"it mixes {currency} and {amount.currency}")
    return amount.minor


def _bounded(*amounts: int) -> None:
    """Raises `Unstorable` for a figure beyond 64 bits."""
    if min(amounts) < -_LARGEST or max(amounts) > _LARGEST:
        raise Unstorable("an amount is too large to be one")


def _json(value: object) -> str:
    try:
        return to_json(value).decode()
    except PydanticSerializationError:  # text that is no Unicode; mended before it is stored
        return dumps(value)


def _allocations(currency: str, allocations: tuple[Allocation, ...]) -> tuple[FlatAllocation, ...]:
    return tuple([(a.invoice_id, _minor(currency, a.amount), a.on.isoformat(), a.id) for a in allocations])


def flat_invoice(i: Invoice) -> FlatInvoice:
    """Raises `Unstorable` for mixed currencies and a stamp without a time zone."""
    currency = i.total.currency
    lines = [
        (ln.id, ln.description, _minor(currency, ln.net), _minor(currency, ln.tax), ln.account, ln.tax_code)
        for ln in i.lines
    ]
    return FlatInvoice(
        i.id, i.number, i.customer_id, i.status.value, i.issued.isoformat(), _day(i.due), currency, i.total.minor,
        _minor(currency, i.tax), _minor(currency, i.balance), _minor(currency, i.paid), _minor(currency, i.credited),
        str(i.rate), i.reference, i.sent, _day(i.expected), _day(i.fully_paid_on), i.repeating, i.has_attachments,
        tuple(lines), micros(i.updated_at),
    )  # fmt: skip


def flat_payment(p: Payment) -> FlatPayment:
    """Raises `Unstorable` as `flat_invoice`."""
    currency = p.amount.currency
    return FlatPayment(
        p.id, p.customer_id, p.paid_on.isoformat(), currency, p.amount.minor, p.reference, p.reconciled, p.account,
        p.active, _allocations(currency, p.allocations), micros(p.updated_at),
    )  # fmt: skip


def _customer_row(c: Customer) -> Row:
    body = {
        "first_name": c.first_name,
        "last_name": c.last_name,
        "people": [[p.name, p.email, p.on_invoices] for p in c.people],
        "addresses": [[a.kind, a.lines, a.city, a.region, a.postal_code, a.country, a.attention] for a in c.addresses],
        "phones": c.phones,
        "account_number": c.account_number,
        "groups": c.groups,
        "merged_into": c.merged_into,
        "parent": c.parent,
        "terms": None if c.terms is None else [c.terms.day, c.terms.basis.value],
        "overdue": None if c.overdue is None else f"{c.overdue:f}",
    }
    outstanding = None if c.outstanding is None else f"{c.outstanding:f}"
    return (
        c.id, c.name, c.name.casefold(), c.email, c.email.casefold(), c.active, c.currency, outstanding, _json(body),
        micros(c.updated_at),
    )  # fmt: skip


def _invoice_row(invoice: FlatInvoice) -> Row:
    (
        id_, number, customer_id, status, issued, due, currency, total, tax, balance, paid, credited, rate, reference,
        sent, expected, fully_paid_on, repeating, has_attachments, lines, updated,
    ) = invoice  # fmt: skip
    _bounded(total, tax, balance, paid, credited)
    live = balance > 0 if status == _APPROVED else status in _UNFINISHED
    return (
        id_, number, number.casefold(), customer_id, status, live, issued, due, currency, total, tax, balance, paid,
        credited, rate, reference, sent, expected, fully_paid_on, repeating, has_attachments, _json(lines), updated,
    )  # fmt: skip


def _payment_row(payment: FlatPayment) -> Row:
    (
        id_, customer_id, paid_on, currency, amount, reference, reconciled, account, active, allocations, updated,
    ) = payment  # fmt: skip
    _bounded(amount)
    first = allocations[0][0] if allocations else ""
    return (
        id_, customer_id, first, paid_on, currency, amount, reference, reconciled, account, active,
        _json(allocations), updated,
    )  # fmt: skip


def _credit_row(c: Credit) -> Row:
    currency = c.total.currency
    total, remaining = c.total.minor, _minor(currency, c.remaining)
    _bounded(total, remaining)
    return (
        c.id, c.kind.value, c.customer_id, c.issued.isoformat(), currency, total, remaining, c.number, c.reference,
        c.active, str(c.rate), _json(_allocations(currency, c.allocations)), micros(c.updated_at),
    )  # fmt: skip


def _row_of(record: Brought) -> Row:
    match record:
        case FlatInvoice():
            return _invoice_row(record)
        case FlatPayment():
            return _payment_row(record)
        case Invoice():
            return _invoice_row(flat_invoice(record))
        case Payment():
            return _payment_row(flat_payment(record))
        case Customer():
            return _customer_row(record)
        case Credit():
            return _credit_row(record)


def encode(record: Brought) -> tuple[Row, bytes]:
    """The record's row, without its hash, and the hash. Raises `Unstorable`."""
    try:
        row = _row_of(record)
        text = _hashed(row)
        if b"\\u0000" in text:  # rare: the text cannot be stored as it is
            row = _mended(row)
            text = to_json(row)
        return row, blake2b(text, digest_size=16).digest()
    except (CurrencyMismatch, OverflowError, UnicodeError, PydanticSerializationError) as error:
        raise Unstorable(str(error)) from error


def _hashed(row: Row) -> bytes:
    """The whole row as JSON, or a NUL where it is no Unicode."""
    try:
        return to_json(row)
    except PydanticSerializationError:
        return b"\\u0000"


def _mended(row: Row) -> Row:
    return tuple(
        (clean_json(value) if value[:1] in "[{" else clean(value)) if isinstance(value, str) else value for value in row
    )


def _customer(row: Row) -> Customer:
    id_, name, _, email, _, active, currency, outstanding, text, updated = row
    body = from_json(text)
    return Customer(
        id=id_,
        name=name,
        email=email,
        first_name=body["first_name"],
        last_name=body["last_name"],
        people=tuple([Person(*person) for person in body["people"]]),
        addresses=tuple([Address(kind, tuple(lines), *rest) for kind, lines, *rest in body["addresses"]]),
        phones=tuple(body["phones"]),
        active=active,
        currency=currency,
        account_number=body["account_number"],
        groups=tuple(body["groups"]),
        merged_into=body["merged_into"],
        parent=body["parent"],
        terms=_terms(body.get("terms")),
        outstanding=None if outstanding is None else Decimal(outstanding),
        overdue=None if body["overdue"] is None else Decimal(body["overdue"]),
        updated_at=_instant(updated),
    )


def _terms(stored: list[Any] | None) -> PaymentTerms | None:
    return None if stored is None else PaymentTerms(stored[0], TermsBasis(stored[1]))


def _invoice(row: Row) -> Invoice:
    (
        id_, number, _, customer_id, status, _, issued, due, currency, total, tax, balance, paid, credited, rate,
        reference, sent, expected, fully_paid_on, repeating, has_attachments, lines, updated,
    ) = row  # fmt: skip
    return Invoice(
        id_, number, customer_id, _STATUS[status], issued, due, Money(total, currency), Money(tax, currency),
        Money(balance, currency), Money(paid, currency), Money(credited, currency), Decimal(rate), reference, sent,
        expected, fully_paid_on, repeating, has_attachments, _read_lines(currency, lines), _instant(updated),
    )  # fmt: skip


def _read_lines(currency: str, text: str) -> tuple[Line, ...]:
    if text == "[]":
        return ()
    return tuple(
        [
            Line(line_id, description, Money(net, currency), Money(tax, currency), account, tax_code)
            for line_id, description, net, tax, account, tax_code in from_json(text)
        ]
    )


def _read_allocations(currency: str, text: str) -> tuple[Allocation, ...]:
    if text == "[]":
        return ()
    return tuple(
        [
            Allocation(invoice_id, Money(amount, currency), date.fromisoformat(on), allocation_id)
            for invoice_id, amount, on, allocation_id in from_json(text)
        ]
    )


def _payment(row: Row) -> Payment:
    (id_, customer_id, _, paid_on, currency, amount, reference, reconciled, account, active, allocations, updated) = row
    return Payment(
        id_, paid_on, Money(amount, currency), customer_id, _read_allocations(currency, allocations), reference,
        reconciled, account, active, _instant(updated),
    )  # fmt: skip


def _credit(row: Row) -> Credit:
    (
        id_, kind, customer_id, issued, currency, total, remaining, number, reference, active, rate, allocations,
        updated,
    ) = row  # fmt: skip
    return Credit(
        id_, _KIND[kind], customer_id, issued, Money(total, currency), Money(remaining, currency), number,
        _read_allocations(currency, allocations), reference, active, Decimal(rate), _instant(updated),
    )  # fmt: skip


_STATUS: Final = {status.value: status for status in InvoiceStatus}
_KIND: Final = {kind.value: kind for kind in CreditKind}


@dataclass(frozen=True)
class Shape(Generic[R]):
    """How one kind of record lies in its table. `columns` are those that `encode` fills, in its order."""

    table: sa.Table
    columns: tuple[str, ...]
    decode: Callable[[Row], R]

    def selected(self) -> list[sa.Column[Any]]:
        """What to select for `decode`."""
        return [self.table.c[name] for name in self.columns]

    @property
    def owner(self) -> str:
        """The column that names the customer."""
        return "customer_id" if "customer_id" in self.columns else "id"

    def known(self, dialect: str) -> str:
        """Stamp, hash and customer of the records that we have of some: of a list of ids, or of its JSON on SQLite.

        One bound value instead of one an id: a thousand of those cost more than the query.
        """
        name, fields = self.table.name, f"mine.id, mine.updated_us, mine.hash, mine.{self.owner}"
        if dialect == "postgresql":
            return (
                f"SELECT {fields} FROM {name} AS mine "  # noqa: S608 (names are constants)
                "WHERE mine.id = ANY(%s) AND mine.organisation_id = %s AND mine.tenant = %s"
            )
        return (
            f"SELECT {fields} FROM json_each(?) AS asked CROSS JOIN {name} AS mine "  # noqa: S608
            "WHERE mine.id = asked.value AND mine.organisation_id = ? AND mine.tenant = ?"
        )

    def upsert(self, placeholder: str) -> str:
        """Insert or replace; a row that is newer than ours by the ledger's own stamp stays (`updated_us`)."""
        name = self.table.name
        columns = ("tenant", "organisation_id", *self.columns, "hash")
        marks = ", ".join([placeholder] * len(columns))
        keep = ", ".join(f"{c} = excluded.{c}" for c in columns if c not in {"tenant", "organisation_id", "id"})
        return (
            f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks}) "  # noqa: S608 (names are constants)
            f"ON CONFLICT (organisation_id, id) DO UPDATE SET {keep} WHERE {name}.tenant = excluded.tenant AND "
            f"({name}.updated_us IS NULL OR excluded.updated_us IS NULL OR {name}.updated_us <= excluded.updated_us)"
        )


def _shape(table: sa.Table, decode: Callable[[Row], R], last: str) -> Shape[R]:
    """Column order follows the table; the long text `last` and the stamp come at the end."""
    left_out = {"tenant", "organisation_id", "hash", "updated_us", last}
    names = [column.name for column in table.columns if column.name not in left_out]
    return Shape(table, (*names, last, "updated_us"), decode)


CUSTOMERS: Final = _shape(schema.customer, _customer, "body")
INVOICES: Final = _shape(schema.invoice, _invoice, "lines")
PAYMENTS: Final = _shape(schema.payment, _payment, "allocations")
CREDITS: Final = _shape(schema.credit, _credit, "allocations")
SHAPES: Final[dict[RecordKind, Shape[Any]]] = {
    RecordKind.CUSTOMER: CUSTOMERS,
    RecordKind.INVOICE: INVOICES,
    RecordKind.PAYMENT: PAYMENTS,
    RecordKind.CREDIT: CREDITS,
}
