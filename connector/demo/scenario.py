"""The demo's scenario: data with a schema, ledger-neutral. `scenario.yaml` beside this file is the one that ships."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

Amount = Annotated[str, Field(pattern=r"^-?\d+(\.\d{1,4})?$")]
HISTORY_MONTHS = 24


class Part(BaseModel):
    """A part of the scenario; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Habit(Part):
    """How a customer has paid for two years: one invoice a month, paid so many days after it was due."""

    amount: Amount
    pays: tuple[int, ...] = Field(min_length=1, description="Days after due, in turn; negative = early.")
    day: int = Field(default=3, ge=1, le=28, description="Day of the month on which the invoice is issued.")
    months: int = Field(default=HISTORY_MONTHS, ge=1, le=60)
    description: str = "Monthly service"


class DemoCustomer(Part):
    """One debtor. `party` is what a person marks at take-on."""

    ref: str
    name: str
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    city: str = "Wellington"
    country: str = "NZ"
    currency: str = ""
    rate: Amount = "1.0"
    terms_days: int = 14
    party: str = ""
    sort: str = "chase"
    sort_reason: str = ""
    habit: Habit | None = None
    old_debts: int = Field(default=0, ge=0, description="Unpaid invoices at the start, one a month back in time.")
    old_amount: Amount = "100.00"


class DemoInvoice(Part):
    """An invoice in the books at the start. `day` counts from the start; negative = before."""

    ref: str
    number: str
    customer: str
    day: int
    amount: Amount
    description: str
    status: Literal["draft", "submitted", "authorised"] = "authorised"
    sent: bool = True
    type: Literal["receivable", "payable"] = "receivable"


class DemoCredit(Part):
    """Money of the customer that nobody has applied."""

    customer: str
    day: int
    amount: Amount
    kind: Literal["overpayment", "prepayment", "credit_note"] = "overpayment"


class Sees(Part):
    """Something in the ledger's write log about the story's customer: a note with these words, or another write."""

    kind: Literal["note", "tag", "untag", "email", "attachment", "expected_date"] = "note"
    words: str = ""


class Step(Part):
    """What people do next in a story: from a day on, or so many days after they saw something in the ledger."""

    day: int | None = None
    when: Sees | None = None
    after: int | None = Field(default=None, ge=0, le=90, description="Days after the step before.")
    wait: int = Field(default=0, ge=0, le=60)
    because: str
    books: tuple[dict[str, Any], ...] = Field(default=(), description="Acts of people in the ledger.")
    say: tuple[dict[str, Any], ...] = Field(default=(), description="What somebody tells dunwell: as the commands.")
    between: bool = Field(default=False, description="Happens between plan and apply.")


class Story(Part):
    """One thread of the demo, and what the ledger must show at its end."""

    name: str
    customer: str
    tells: str
    steps: tuple[Step, ...] = ()
    expect: tuple[Sees, ...] = Field(default=(), description="In this order.")
    never: tuple[Sees, ...] = ()
    at_most: dict[str, int] = Field(default_factory=dict, description="Words of a note -> at most so often.")
    told: bool = Field(default=True, description="False: somebody in the background, told only when it goes wrong.")
    refused: bool = Field(default=False, description="At least one effect of this customer was refused for drift.")
    phone: Literal["spoke", "voicemail", "unreachable"] = "voicemail"


class DemoFault(Part):
    """Something that goes wrong between dunwell and the ledger, once, from that day on."""

    day: int = Field(ge=0)
    write: Literal["note", "tag", "attachment", "expected_date", "email"] = "note"
    happens: Literal["answer_lost", "not_available"]
    because: str


class Scenario(Part):
    """Everything the demo needs. `start` is the instant at which the organisation is connected."""

    start: datetime
    days: int = Field(ge=1, le=120)
    organisation: dict[str, Any]
    bookkeeper_away: tuple[int, int] | None = Field(
        default=None, description="First and last day on which nobody reconciles the books."
    )
    take_on: Literal["closed", "left_open"] = "closed"
    customers: tuple[DemoCustomer, ...] = Field(min_length=1)
    invoices: tuple[DemoInvoice, ...] = ()
    credits: tuple[DemoCredit, ...] = ()
    stories: tuple[Story, ...]
    faults: tuple[DemoFault, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(str(self.organisation["timezone"]))

    @property
    def first_day(self) -> date:
        return self.start.astimezone(self.zone).date()

    def day(self, number: int) -> date:
        return self.first_day + timedelta(days=number)

    def nobody_reconciles(self, day: date) -> bool:
        """Whether the bookkeeper is away on that day."""
        away = self.bookkeeper_away
        return away is not None and self.day(away[0]) <= day <= self.day(away[1])

    def document(self) -> dict[str, object]:
        """The books at the start, in the neutral form that every sandbox loads."""
        invoices: list[dict[str, object]] = []
        payments: list[dict[str, object]] = []
        for customer in self.customers:
            for invoice, payment in self._history(customer):
                invoices.append(invoice)
                if payment is not None:
                    payments.append(payment)
        invoices += (self._invoice(one) for one in self.invoices)
        for number, form in enumerate(invoices, 1):
            form.setdefault("number", f"INV-{number:04d}")
        return {
            "organisation": self.organisation,
            "customers": [self._customer(one) for one in self.customers],
            "invoices": invoices,
            "payments": payments,
            "credit_notes": [self._credit(one) for one in self.credits if one.kind == "credit_note"],
            "overpayments": [self._credit(one) for one in self.credits if one.kind == "overpayment"],
            "prepayments": [self._credit(one) for one in self.credits if one.kind == "prepayment"],
        }

    def of(self, ref: str) -> DemoCustomer:
        return next(one for one in self.customers if one.ref == ref)

    def _customer(self, one: DemoCustomer) -> dict[str, object]:
        document: dict[str, object] = {
            "ref": one.ref,
            "name": one.name,
            "terms_days": one.terms_days,
            "address": {
                "line1": "1 Main Street", "city": one.city, "region": "", "postal_code": "6011", "country": one.country,
            },
        }  # fmt: skip
        for name in ("email", "first_name", "last_name", "phone", "currency"):
            if value := getattr(one, name):
                document[name] = value
        return document

    def _history(self, customer: DemoCustomer) -> Iterator[tuple[dict[str, object], dict[str, object] | None]]:
        if (habit := customer.habit) is not None:
            for number in range(habit.months, 0, -1):
                issued = _months_before(self.first_day, number).replace(day=habit.day)
                paid = issued + timedelta(days=customer.terms_days + habit.pays[number % len(habit.pays)])
                ref = f"{customer.ref}-h{number}"
                invoice = self._form(ref, customer, issued, habit.amount, habit.description)
                amount = invoice.pop("gross")
                payment = {"invoice": ref, "date": paid.isoformat(), "amount": amount, "reconciled": True}
                yield invoice, payment if paid < self.first_day else None
        for number in range(customer.old_debts, 0, -1):
            issued = _months_before(self.first_day, number + 1).replace(day=5)
            form = self._form(f"{customer.ref}-o{number}", customer, issued, customer.old_amount, "Works")
            form.pop("gross")
            yield form, None

    def _form(self, ref: str, customer: DemoCustomer, issued: date, amount: str, description: str) -> dict[str, object]:
        gross = (Decimal(amount) * Decimal("1.15")).quantize(Decimal("0.01"))
        foreign = bool(customer.currency) and customer.currency != self.organisation["base_currency"]
        form: dict[str, object] = {
            "ref": ref,
            "customer": customer.ref,
            "date": issued.isoformat(),
            "due": (issued + timedelta(days=customer.terms_days)).isoformat(),
            "lines": [{"description": description, "unit_amount": amount, "tax": "none" if foreign else "standard"}],
            "status": "authorised",
            "sent": True,
            "gross": amount if foreign else f"{gross}",
        }
        if foreign:
            form |= {"currency": customer.currency, "rate": customer.rate}
        return form

    def _invoice(self, one: DemoInvoice) -> dict[str, object]:
        form = self._form(one.ref, self.of(one.customer), self.day(one.day), one.amount, one.description)
        form.pop("gross")
        return form | {"number": one.number, "status": one.status, "sent": one.sent, "type": one.type}

    def _credit(self, one: DemoCredit) -> dict[str, object]:
        issued = self.day(one.day).isoformat()
        if one.kind == "credit_note":
            lines = [{"description": "Credit", "unit_amount": one.amount, "tax": "none"}]
            return {"customer": one.customer, "date": issued, "lines": lines}
        return {"customer": one.customer, "date": issued, "amount": one.amount}


def _months_before(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def load(text: str | None = None) -> Scenario:
    """The scenario that ships, or another. Raises pydantic's `ValidationError` for one that breaks the schema."""
    source = text if text is not None else files("connector.demo").joinpath("scenario.yaml").read_text("utf-8")
    return Scenario.model_validate(YAML(typ="safe", pure=True).load(source))
