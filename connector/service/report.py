"""Control totals and receivables figures from the mirror, per organisation and currency.

Open and overdue are the ledger's balances (not the collectable amount). For a past day the balances are rebuilt from
the allocations dated after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from connector.domain.facts import CustomerFacts, ItemFacts
from connector.domain.ledger import CustomerBook, Invoice, InvoiceStatus
from connector.domain.money import Money
from connector.service.knowledge import gather
from connector.service.sync import totals
from connector.service.wiring import Wiring
from connector.store import mirror
from connector.store.organisations import OrganisationRow

BUCKETS = ("current", "1-30", "31-60", "61-90", "90+")
SALES_DAYS = 365
NEGLECTED_AFTER = timedelta(days=30)


@dataclass
class Figure:
    """A count of invoices and their sum, in one currency."""

    currency: str
    count: int = 0
    minor: int = 0

    def add(self, amount: Money) -> None:
        self.count += 1
        self.minor += amount.minor

    def as_dict(self) -> dict[str, object]:
        return {"count": self.count, "total": Money(self.minor, self.currency).as_dict()}


@dataclass
class CurrencyReport:
    """The figures in one currency. `dso` = open receivables / credit sales of the last 365 days x 365 (days)."""

    currency: str
    open: Figure
    overdue: Figure
    aging: dict[str, Figure]
    sales: Figure
    unsent: Figure
    neglected: Figure
    no_due_date: int = 0

    @property
    def dso(self) -> Decimal | None:
        """Days sales outstanding, one decimal; None without sales in the last 365 days."""
        if self.sales.minor <= 0:
            return None
        days = Decimal(self.open.minor) / Decimal(self.sales.minor) * SALES_DAYS
        return days.quantize(Decimal("0.1"), ROUND_HALF_UP)


@dataclass
class Report:
    """One organisation's figures on one day."""

    organisation: str
    name: str
    as_of: date
    currencies: dict[str, CurrencyReport] = field(default_factory=dict)
    without_address: list[str] = field(default_factory=list)  # customers who owe and cannot be written to
    needs_review: int = 0
    control: dict[str, object] = field(default_factory=dict)
    cash_known_to: date | None = None


def report(w: Wiring, organisation: OrganisationRow, as_of: date | None = None) -> Report:
    """The figures as of a day (default: today at the organisation's place)."""
    today = w.today(organisation)
    day = as_of or today
    result = Report(organisation.id, organisation.record.name, day)
    with w.db.reading(w.tenant) as tx:
        knowledge = gather(w, tx, organisation, day)
        result.cash_known_to = knowledge.state.cash_known_to
        result.needs_review = len(mirror.needs_review_list(tx, organisation.id))
        for book in mirror.books(tx, organisation.id, open_only=False):
            facts = knowledge.facts(book, day) if day == today else None
            _customer(result, book, facts, day)
    if day == today:
        result.control = totals(w, organisation)[1]
    return result


def _customer(result: Report, book: CustomerBook, facts: CustomerFacts | None, day: date) -> None:
    later = _allocated_after(book, day)
    by_id = {item.invoice.id: item for item in facts.items} if facts else {}
    owes_overdue = False
    for invoice in _receivable(book, day):
        figures = _figures(result, invoice.currency)
        if invoice.issued > day - timedelta(days=SALES_DAYS):
            figures.sales.add(invoice.total)
        balance = Money(invoice.balance.minor + later.get(invoice.id, 0), invoice.currency)
        if balance.minor <= 0:
            continue
        figures.open.add(balance)
        figures.no_due_date += invoice.due is None
        if invoice.sent is False:
            figures.unsent.add(balance)
        days = (day - invoice.due).days if invoice.due else 0
        figures.aging[bucket(days)].add(balance)
        if days > 0:
            owes_overdue = True
            figures.overdue.add(balance)
            item = by_id.get(invoice.id)
            if facts is not None and item is not None and _is_neglected(facts, item):
                figures.neglected.add(balance)
    if owes_overdue and facts is not None and not facts.recipient:
        result.without_address.append(book.customer.name)


def _receivable(book: CustomerBook, day: date) -> Iterator[Invoice]:
    for invoice in book.invoices:
        if invoice.status in (InvoiceStatus.APPROVED, InvoiceStatus.PAID) and invoice.issued <= day:
            yield invoice


def _allocated_after(book: CustomerBook, day: date) -> dict[str, int]:
    """Minor units laid against each invoice after `day`: they were still open on it."""
    later: defaultdict[str, int] = defaultdict(int)
    for payment in book.payments:
        if payment.active:
            for allocation in payment.allocations:
                if allocation.on > day:
                    later[allocation.invoice_id] += allocation.amount.minor
    for credit in book.credits:
        if credit.active:
            for allocation in credit.allocations:
                if allocation.on > day:
                    later[allocation.invoice_id] += allocation.amount.minor
    return later


def _is_neglected(facts: CustomerFacts, item: ItemFacts) -> bool:
    """Overdue, collectable, ours, not paused, and untouched by letter or call for 30 days."""
    paused = item.disputes or item.plan or item.extension_state or item.promise_state or item.excluded
    if paused or facts.legal_hold or facts.excluded or not item.is_overdue or item.days_overdue < NEGLECTED_AFTER.days:
        return False
    touched = [letter.on for letter in facts.letters if item.invoice.id in letter.invoice_ids]
    touched += [call.on for call in facts.calls]
    return not touched or max(touched) < facts.as_of - NEGLECTED_AFTER


def bucket(days_past_due: int) -> str:
    """The aging bucket, by the contractual due date."""
    for name, limit in zip(BUCKETS, (0, 30, 60, 90), strict=False):
        if days_past_due <= limit:
            return name
    return BUCKETS[-1]


def _figures(result: Report, currency: str) -> CurrencyReport:
    if currency not in result.currencies:
        result.currencies[currency] = CurrencyReport(
            currency,
            open=Figure(currency),
            overdue=Figure(currency),
            aging={name: Figure(currency) for name in BUCKETS},
            sales=Figure(currency),
            unsent=Figure(currency),
            neglected=Figure(currency),
        )
    return result.currencies[currency]
