"""Control totals and receivables figures from the mirror, per organisation and currency.

Open, overdue and aging are the ledger's balances (not the collectable amount), by the contractual due date. For a past
day the balances are rebuilt from the allocations dated after it; what was voided or deleted since is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import partial

from connector.domain.facts import CustomerFacts
from connector.domain.ledger import CustomerBook, Invoice, InvoiceStatus
from connector.domain.money import Money
from connector.service.knowledge import gather
from connector.service.neglect import is_neglected
from connector.service.sync import totals
from connector.service.wiring import Wiring
from connector.store import mirror
from connector.store.organisations import OrganisationRow

BUCKETS = ("current", "1-30", "31-60", "61-90", "90+")
SALES_DAYS = 365


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
    """The figures in one currency.

    `unsent` and `neglected` are None for any day but today: what was known then is not kept.
    """

    currency: str
    open: Figure
    overdue: Figure
    aging: dict[str, Figure]
    sales: Figure  # invoices issued in the last 365 days
    unsent: Figure | None
    neglected: Figure | None
    no_due_date: int = 0

    @property
    def dso(self) -> Decimal | None:
        """Days sales outstanding = open receivables / credit sales of the last 365 days x 365, to one decimal.

        The trade's usual definition (total receivables / total credit sales x days in the period), over a whole year
        so that a season does not move it. Both are the invoices' totals with tax, as the ledger states them; credit
        notes are taken off neither. Books younger than a year show too much. None without sales.
        """
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
    is_today: bool
    currencies: dict[str, CurrencyReport] = field(default_factory=dict)
    without_address: list[str] = field(default_factory=list)  # customers who owe and cannot be written to
    needs_review: int = 0
    control: dict[str, object] = field(default_factory=dict)
    cash_known_to: date | None = None
    warnings: list[str] = field(default_factory=list)  # why these figures are not quite what they seem


def report(w: Wiring, organisation: OrganisationRow, as_of: date | None = None) -> Report:
    """The figures as of a day (default: today at the organisation's place)."""
    today = w.today(organisation)
    day = as_of or today
    result = Report(organisation.id, organisation.record.name, day, day == today)
    result.warnings += _warnings(organisation, day, today)
    with w.db.reading(w.tenant) as tx:
        knowledge = gather(w, tx, organisation, day)
        result.cash_known_to = knowledge.state.cash_known_to
        result.needs_review = len(mirror.needs_review_list(tx, organisation.id))
        for book in mirror.books(tx, organisation.id, open_only=False):
            _customer(result, book, partial(knowledge.facts, book, today), day)
    if day == today:
        result.control = totals(w, organisation)[1]
    return result


def _warnings(organisation: OrganisationRow, day: date, today: date) -> list[str]:
    found = []
    if organisation.last_pull_at is None:
        found.append("the ledger was never read: run dunwell pull first")
    if day > today:
        found.append(
            f"{day} is in the future (it is {today} there): balances are today's, as if nothing were paid or invoiced "
            "until then, and DSO lacks the sales of those days"
        )
    if day != today:
        found.append(f"what is neglected or was never sent is known for today ({today}) only")
    return found


def _customer(result: Report, book: CustomerBook, facts: Callable[[], CustomerFacts], day: date) -> None:
    later = _allocated_after(book, day)
    overdue: list[tuple[str, Money]] = []
    for invoice in _receivable(book, day):
        figures = _figures(result, invoice.currency)
        if invoice.issued > day - timedelta(days=SALES_DAYS):
            figures.sales.add(invoice.total)
        balance = Money(invoice.balance.minor + later.get(invoice.id, 0), invoice.currency)
        if balance.minor <= 0:
            continue
        figures.open.add(balance)
        figures.no_due_date += invoice.due is None
        if figures.unsent is not None and invoice.sent is False:
            figures.unsent.add(balance)
        days = (day - invoice.due).days if invoice.due else 0
        figures.aging[bucket(days)].add(balance)
        if days > 0:
            figures.overdue.add(balance)
            overdue.append((invoice.id, balance))
    if overdue:
        _overdue(result, facts(), overdue)


def _overdue(result: Report, facts: CustomerFacts, overdue: list[tuple[str, Money]]) -> None:
    """What must be known about a customer who is late: can anybody write to them, and does anybody."""
    if not facts.recipient:
        result.without_address.append(facts.book.customer.name)
    neglected = {item.invoice.id for item in facts.items if is_neglected(facts, item)}
    for invoice_id, balance in overdue:
        figure = result.currencies[balance.currency].neglected
        if figure is not None and invoice_id in neglected:
            figure.add(balance)


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
            unsent=Figure(currency) if result.is_today else None,
            neglected=Figure(currency) if result.is_today else None,
        )
    return result.currencies[currency]
