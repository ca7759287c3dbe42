"""Extensions and promises, judged by what arrived at the bank and never later than cash is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from connector.domain.cases import Extension, Promise
from connector.domain.facts import PauseState
from connector.domain.ledger import CustomerBook, Invoice, InvoiceStatus
from connector.domain.money import Money, total


@dataclass(frozen=True, slots=True)
class Bank:
    """When money came in for each invoice, by the bank date of payments that still stand."""

    invoices: Mapping[str, Invoice]
    laid: Mapping[str, tuple[tuple[date, Money], ...]]
    known_to: date | None
    as_of: date

    @classmethod
    def of(cls, book: CustomerBook, known_to: date | None, as_of: date) -> Bank:
        laid: dict[str, list[tuple[date, Money]]] = {}
        for payment in book.payments:
            for allocation in payment.allocations if payment.active else ():
                laid.setdefault(allocation.invoice_id, []).append((payment.paid_on, allocation.amount))
        ordered = {
            invoice: tuple(sorted(rows, key=lambda row: (row[0], row[1].minor))) for invoice, rows in laid.items()
        }
        return cls({invoice.id: invoice for invoice in book.invoices}, ordered, known_to, as_of)

    def settled_on(self, invoice_id: str) -> date | None:
        """The bank date that settled the invoice; None while it is open, or settled by something else than money."""
        invoice = self.invoices.get(invoice_id)
        if invoice is None or invoice.status is not InvoiceStatus.PAID:
            return None
        rows = self.laid.get(invoice_id, ())
        if rows:
            return rows[-1][0]
        return invoice.fully_paid_on if invoice.paid.minor > 0 else None

    def is_settled(self, invoice_id: str, by: date) -> bool:
        """Nothing was due any more on `by`; an invoice that was voided or credited away counts as settled."""
        invoice = self.invoices.get(invoice_id)
        if invoice is None or (not invoice.is_open and invoice.status is not InvoiceStatus.PAID):
            return True
        on = self.settled_on(invoice_id)
        return not invoice.is_open and (on is None or on <= by)

    def extension(self, extension: Extension, lag_until: date | None = None) -> PauseState:
        return self._judge(extension.until, self.is_settled(extension.invoice_id, lag_until or extension.until))

    def promise(self, promise: Promise, lag_until: date | None = None) -> PauseState:
        """Kept when the promised sum (all of it where none was named) came in by `until`, or by `lag_until`."""
        return self._judge(promise.until, self._promise_met(promise, lag_until or promise.until))

    def _judge(self, until: date, met: bool) -> PauseState:  # noqa: FBT001 - private, one caller each
        if met:
            return PauseState.KEPT
        if self.as_of <= until:
            return PauseState.ACTIVE
        return PauseState.BROKEN if self.known_to is not None and until <= self.known_to else PauseState.UNDECIDED

    def _promise_met(self, promise: Promise, by: date) -> bool:
        if all(self.is_settled(invoice_id, by) for invoice_id in promise.invoice_ids):
            return True
        if promise.amount is None:
            return False
        came = [
            money
            for invoice_id in promise.invoice_ids
            for on, money in self.laid.get(invoice_id, ())
            if promise.on <= on <= by and money.currency == promise.amount.currency
        ]
        return total(came, promise.amount.currency) >= promise.amount
