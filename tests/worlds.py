"""Small worlds for the policy: one organisation, one customer, days that pass, and people who do as they are asked.

`World` keeps books, case records and what was acted on; `facts(day)` derives, `evaluate(day)` decides, `live(day)`
carries out what was decided the way the services do: letters leave after the guardrails were asked again, calls are
made, internal tasks stay with the person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from connector.config.layers import load_preset
from connector.domain.cases import (
    CallMade,
    CallOutcome,
    CaseFile,
    CaseRecord,
    LetterSent,
    TakeOnChoice,
    TakeOnSorted,
)
from connector.domain.dates import Calendar
from connector.domain.decisions import Acted, ActedState, ActionKey, ActionKind, Decision, DunningLevel, Evaluation
from connector.domain.derive import derive
from connector.domain.facts import CustomerFacts, OrganisationState
from connector.domain.ledger import Credit, Customer, CustomerBook, Invoice, InvoiceStatus, NeedsReview, Payment
from connector.policy import engine, guardrails
from connector.policy.document import Policy
from connector.policy.plan_ends import ended_by_rule
from tests import builders

MONDAY = date(2026, 3, 2)  # the day of most examples: far from holidays and quiet periods
START = date(2025, 1, 1)
LETTERS = (ActionKind.LETTER, ActionKind.REINVOICE, ActionKind.STATEMENT, ActionKind.THANKS, ActionKind.SEND_INVOICE)


@cache
def preset(name: str = "standard", currency: str = "NZD") -> Policy:
    """A shipped preset, its thresholds in `currency`."""
    return load_preset(name).scaled(currency)


def days_after(day: date, days: int) -> date:
    return day + timedelta(days=days)


@dataclass
class World:
    """One customer's world. `cash_lag`: how many days the books are behind; None = nobody reconciles."""

    policy: Policy = field(default_factory=preset)
    customer: Customer = field(default_factory=builders.customer)
    invoices: list[Invoice] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    credits: list[Credit] = field(default_factory=list)
    needs_review: tuple[NeedsReview, ...] = ()
    records: list[CaseRecord] = field(default_factory=list)
    acted: dict[ActionKey, Acted] = field(default_factory=dict)
    mailbox: list[date] = field(default_factory=list)
    calendar: Calendar = field(default_factory=Calendar)
    start: date = START
    cash_lag: int | None = 0
    state_changes: dict[str, Any] = field(default_factory=dict)
    call_outcome: Callable[[Decision], CallOutcome] = lambda _: CallOutcome.SPOKE
    sent: list[tuple[date, Decision]] = field(default_factory=list)  # contacts that happened, in order

    def state(self, day: date) -> OrganisationState:
        known = None if self.cash_lag is None else days_after(day, -self.cash_lag)
        state = OrganisationState(
            organisation=builders.organisation(),
            start_date=self.start,
            calendar=self.calendar,
            take_on_closed=True,
            cash_known_to=known,
        )
        return replace(state, **self.state_changes)

    def book(self) -> CustomerBook:
        return CustomerBook(
            self.customer, tuple(self.invoices), tuple(self.payments), tuple(self.credits), self.needs_review
        )

    def facts(self, day: date) -> CustomerFacts:
        return derive(
            self.state(day),
            self.book(),
            CaseFile(tuple(self.records)),
            dict(self.acted),
            day,
            mailbox_contacts=tuple(self.mailbox),
        )

    def evaluate(self, day: date) -> Evaluation:
        return engine.decide(self.policy, self.facts(day), day)

    def proposed(self, day: date, *kinds: ActionKind) -> list[Decision]:
        return [d for d in self.evaluate(day).decisions if not kinds or d.kind in kinds]

    def why(self, day: date, rule: str) -> set[str]:
        """The reason codes of this rule's outcomes."""
        return {outcome.reason.code for outcome in self.evaluate(day).outcomes if outcome.rule == rule}

    def live(self, day: date) -> list[Decision]:
        """Carry out the day's decisions; gives those that happened."""
        done = []
        self.records += ended_by_rule(self.policy, self.facts(day))
        for decision in self.evaluate(day).decisions:
            if decision.kind in LETTERS:
                if not self._send(decision, day):
                    continue
            elif decision.kind is ActionKind.CALL:
                self._call(decision, day)
            elif decision.kind is ActionKind.TASK:
                continue
            self.acted[decision.key] = Acted(decision.key, ActedState.DONE, day)
            if decision.contact:
                self.sent.append((day, decision))
            done.append(decision)
        return done

    def live_through(self, first: date, last: date) -> list[tuple[date, Decision]]:
        """Carry out every day from `first` to `last`; gives what happened when."""
        happened = []
        day = first
        while day <= last:
            happened += [(day, decision) for decision in self.live(day)]
            day = days_after(day, 1)
        return happened

    def _send(self, decision: Decision, day: date) -> bool:
        facts = self.facts(day)
        if guardrails.check(self.policy, facts, decision, day) or engine.drift(decision, facts):
            return False
        self.records.append(letter_of(decision, day, self.customer.email))
        if decision.contact:
            self.mailbox.append(day)
        return True

    def _call(self, decision: Decision, day: date) -> None:
        number = sum(isinstance(record, CallMade) for record in self.records)
        self.records.append(
            CallMade(
                id=f"call-{number}",
                customer_id=self.customer.id,
                on=day,
                by="Ana",
                occasion=decision.occasion,
                outcome=self.call_outcome(decision),
                invoice_ids=decision.items,
            )
        )

    def pay(self, invoice_id: str, day: date, amount: str | None = None) -> None:
        """Money arrives and is laid against the invoice at once."""
        index = next(n for n, invoice in enumerate(self.invoices) if invoice.id == invoice_id)
        invoice = self.invoices[index]
        sum_ = invoice.balance.amount if amount is None else builders.money(amount).amount
        number = len(self.payments) + 1
        self.payments.append(
            builders.payment(
                f"pay-{number}",
                sum_,
                customer_id=self.customer.id,
                invoice_ids=(invoice_id,),
                paid_on=day,
                currency=invoice.currency,
            )
        )
        self.invoices[index] = _paid(invoice, sum_, day)

    def sort_opening(self, choice: TakeOnChoice = TakeOnChoice.CHASE, invoice_id: str = "") -> None:
        self.records.append(
            TakeOnSorted(
                id=f"sorted-{len(self.records)}",
                customer_id=self.customer.id,
                on=self.start,
                by="Ana",
                choice=choice,
                invoice_id=invoice_id,
            )
        )


def _paid(invoice: Invoice, amount: object, day: date) -> Invoice:
    paid = builders.money(str(amount), invoice.currency)
    balance = invoice.balance - paid
    status = invoice.status if balance else InvoiceStatus.PAID
    return replace(
        invoice,
        balance=balance,
        paid=invoice.paid + paid,
        status=status,
        fully_paid_on=None if balance else day,
    )


def letter_of(decision: Decision, day: date, recipient: str = "accounts@rimu.example") -> LetterSent:
    """The record that the services write from a letter's receipt."""
    return LetterSent(
        id=f"letter-{day}-{decision.kind}-{decision.target}-{decision.occasion}",
        customer_id=decision.customer_id,
        on=day,
        by="dunwell",
        level=int(decision.level),
        what=decision.kind.value,
        occasion=decision.occasion,
        invoice_ids=decision.items,
        lead_item=decision.items[0] if decision.items else "",
        by_date=decision.by_date,
        recipient=recipient,
        asks_for_money=decision.asks_for_money,
    )


def letter(
    level: DunningLevel,
    on: date,
    invoice_ids: Iterable[str] = ("inv-1",),
    *,
    by_date: date | None = None,
    bounced_on: date | None = None,
    customer_id: str = "cust-1",
) -> LetterSent:
    """A dunning letter that left; its first invoice is the lead."""
    ids = tuple(invoice_ids)
    return LetterSent(
        id=f"letter-{on}-{level.name}-{ids[0]}",
        customer_id=customer_id,
        on=on,
        by="dunwell",
        level=int(level),
        what="reinvoice" if level is DunningLevel.REINVOICE else "letter",
        occasion=f"{ids[0]}:{int(level)}",
        invoice_ids=ids,
        lead_item=ids[0],
        by_date=by_date or days_after(on, 7),
        recipient="accounts@rimu.example",
        bounced_on=bounced_on,
    )


def overdue(days: int, record_id: str = "inv-1", total: str = "1150.00", *, day: date = MONDAY) -> Invoice:
    """An invoice that has been due for so many days on `day`, issued three weeks before."""
    due = days_after(day, -days)
    return builders.invoice(record_id, total, issued=days_after(due, -21), due=due)
