"""A mature organisation's books, the same on every machine, and the same books after one per cent of them changed.

Of 100 invoices 48 are paid and 2 part-paid by one payment each, 36 are settled by a prepayment (they have no payment of
their own), 8 are open with nothing applied, 3 voided, 1 deleted, 1 draft, 1 submitted: 50,000 invoices come with 25,000
payments. One to four lines each; one in twenty is in a foreign currency. Everything is drawn from a seed per record.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

TODAY: Final = date(2026, 11, 18)  # a Wednesday
EPOCH: Final = date(1970, 1, 1)
CHANGED_AT: Final = datetime(2026, 11, 18, 20, 0, tzinfo=UTC)  # after everything else
_KINDS: Final = (
    ("paid",) * 48 + ("part",) * 2 + ("prepaid",) * 36 + ("open",) * 8
    + ("voided",) * 3 + ("deleted", "draft", "submitted")
)  # fmt: skip
_CURRENCIES: Final = (("USD", "0.61"), ("AUD", "0.92"), ("GBP", "0.47"))
_PREFIX: Final = {"contact": "c0", "invoice": "d0", "payment": "e0", "prepayment": "f0", "line": "a0"}


@dataclass(frozen=True, slots=True)
class Invoice:
    """Amounts in cents. `paid` by payment, `credited` by prepayment."""

    n: int
    id: str
    customer: int
    kind: str
    issued: date
    due: date
    net: tuple[int, ...]  # each line, without tax
    tax: tuple[int, ...]
    paid: int
    credited: int
    currency: str
    rate: str
    updated: datetime
    reference: str
    sent: bool

    @property
    def total(self) -> int:
        return sum(self.net) + sum(self.tax)

    @property
    def open(self) -> int:
        return 0 if self.kind in {"voided", "deleted"} else self.total - self.paid - self.credited

    @property
    def status(self) -> str:
        if self.kind in {"voided", "deleted", "draft", "submitted"}:
            return self.kind.upper()
        return "AUTHORISED" if self.open else "PAID"


@dataclass(frozen=True, slots=True)
class Contact:
    n: int
    id: str
    outstanding: int  # cents, as the documents state them
    overdue: int
    email: str
    updated: datetime


@dataclass(frozen=True, slots=True)
class Books:
    """Rows in the order of their ids."""

    invoices: tuple[Invoice, ...]
    payments: tuple[Invoice, ...]  # a payment is told by the invoice that it pays
    contacts: tuple[Contact, ...]


def identity(kind: str, n: int) -> str:
    digest = hashlib.blake2b(f"{kind}:{n}".encode(), digest_size=16).hexdigest()
    return f"{_PREFIX[kind]}{digest[2:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


def books(size: int) -> Books:
    """`size` invoices, half as many payments, a twentieth as many contacts."""
    return _assembled([_invoice(n, size) for n in range(size)], size, frozenset())


def changed(before: Books) -> tuple[Books, Books]:
    """The books after one per cent changed, and only the rows that If-Modified-Since would show.

    Half of the changed invoices were open and are paid now (each by a new payment), half got another reference; one per
    cent of the contacts has another address. The balances of contacts whose invoices were paid change without a stamp.
    """
    size = len(before.invoices)
    invoices = [_moved_on(one) for one in before.invoices]
    moved = frozenset(range(0, size // 20, 100))
    after = _assembled(invoices, size, moved)
    stamped = Books(
        tuple(i for i in after.invoices if i.updated == CHANGED_AT),
        tuple(i for i in after.payments if i.updated == CHANGED_AT),
        tuple(c for c in after.contacts if c.updated == CHANGED_AT),
    )
    return after, stamped


def _moved_on(one: Invoice) -> Invoice:
    if one.n % 200 == _KINDS.index("open"):
        return replace(one, kind="paid", paid=one.total, updated=CHANGED_AT)
    if one.n % 200 == _KINDS.index("prepaid"):
        return replace(one, reference=f"PO {one.n + 7}", updated=CHANGED_AT)
    return one


def differing(before: Books, after: Books) -> int:
    """How many records are not what they were: what a second pull may write, and not a row more."""
    invoices = sum(was != now for was, now in zip(before.invoices, after.invoices, strict=True))
    contacts = sum(was != now for was, now in zip(before.contacts, after.contacts, strict=True))
    return invoices + contacts + len(after.payments) - len(before.payments)


def _invoice(n: int, size: int) -> Invoice:
    drawn = hashlib.blake2b(f"books:{n}".encode(), digest_size=32).digest()
    kind = _KINDS[n % 100]
    recent = kind in {"open", "part", "draft", "submitted"}
    age = (int.from_bytes(drawn[0:2]) % 120) if recent else 45 + int.from_bytes(drawn[0:2]) % 1400
    issued = TODAY - timedelta(days=age)
    net = tuple(500 + int.from_bytes(drawn[4 + 3 * i : 7 + 3 * i]) % 250_000 for i in range(1 + drawn[2] % 4))
    tax = tuple((one * 15 + 50) // 100 for one in net)
    total = sum(net) + sum(tax)
    currency, rate = _CURRENCIES[drawn[20] % 3] if drawn[3] % 20 == 0 else ("NZD", "1.0")
    stamp = datetime(issued.year, issued.month, issued.day, tzinfo=UTC) + timedelta(
        hours=drawn[21] % 24, seconds=drawn[22]
    )
    return Invoice(
        n, identity("invoice", n), int.from_bytes(drawn[24:28]) % (size // 20), kind, issued,
        issued + timedelta(days=(14, 20, 30)[drawn[23] % 3]), net, tax,
        total if kind == "paid" else total // 2 if kind == "part" else 0, total if kind == "prepaid" else 0,
        currency, rate, stamp, f"PO {drawn[28] * 256 + drawn[29]}" if drawn[30] % 3 else "", drawn[31] % 10 != 0,
    )  # fmt: skip


def _assembled(invoices: list[Invoice], size: int, moved: frozenset[int]) -> Books:
    outstanding: defaultdict[int, int] = defaultdict(int)
    overdue: defaultdict[int, int] = defaultdict(int)
    for one in invoices:
        if one.status == "AUTHORISED":
            outstanding[one.customer] += one.open
            overdue[one.customer] += one.open if one.due < TODAY else 0
    contacts = [_contact(n, outstanding[n], overdue[n], moved=n in moved) for n in range(size // 20)]
    paid = (one for one in invoices if one.paid)
    return Books(
        tuple(sorted(invoices, key=lambda i: i.id)),
        tuple(sorted(paid, key=lambda i: identity("payment", i.n))),
        tuple(sorted(contacts, key=lambda c: c.id)),
    )


def _contact(n: int, outstanding: int, overdue: int, *, moved: bool) -> Contact:
    email = f"accounts{n}{'-new' if moved else ''}@customer{n}.example"
    return Contact(
        n,
        identity("contact", n),
        outstanding,
        overdue,
        email,
        CHANGED_AT if moved else datetime(2024, 5, 1, tzinfo=UTC),
    )
