"""Books from a ledger-neutral scenario: what an organisation's records would be, had people kept them until now.

Everything is entered through the same rules as any other change, at the dates of the documents, so that history and
stamps look lived in. A document that the rules refuse, an unknown key or an unknown ref raises ValueError.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from adapters.xero.sandbox import address_book, crediting, entries, invoicing, money_in, zones
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.countries import country
from adapters.xero.sandbox.errors import Refused
from adapters.xero.sandbox.founding import OWNER, bank_account, found
from adapters.xero.sandbox.neutral import Section
from adapters.xero.sandbox.store import Act, Books, tenant_id_of

_TOP = frozenset({"organisation", "customers", "invoices", "payments", "credit_notes", "overpayments", "prepayments"})
_ORGANISATION = frozenset(
    {
        "name",
        "legal_name",
        "country",
        "timezone",
        "base_currency",
        "sales_tax_basis",
        "period_lock_date",
        "end_of_year_lock_date",
        "native_reminders",
        "demo",
    }
)
_PAYMENT = frozenset({"ref", "invoice", "date", "amount", "reference", "reconciled"})
CREDIT_NOTE = frozenset({"ref", "customer", "number", "date", "currency", "lines", "allocations"})
_ALLOCATION = frozenset({"invoice", "amount", "date"})
_BASES = {"cash": "PAYMENTS", "accrual": "INVOICE"}


def load(document: dict[str, object], now: datetime) -> Books:
    """Return the books that the scenario describes, as they are at `now`. Raises ValueError."""
    top = Section(document, "scenario", _TOP)
    wanted = top.section("organisation", _ORGANISATION)
    if wanted is None:
        raise ValueError("scenario.organisation is missing")
    organisation = _organisation(wanted, now)
    currencies = [one.maybe("currency") for one in top.sections("invoices", entries.INVOICE)]
    books = found(organisation, now, [code for code in currencies if code])
    loader = _Loader(books, now)
    for one in top.sections("customers", entries.CUSTOMER):
        loader.enter(one, loader.customer)
    for one in top.sections("invoices", entries.INVOICE):
        loader.enter(one, loader.invoice)
    for one in sorted(top.sections("payments", _PAYMENT), key=lambda each: each.day("date")):
        loader.enter(one, loader.payment)
    for one in top.sections("credit_notes", CREDIT_NOTE):
        loader.enter(one, loader.credit_note)
    for one in top.sections("overpayments", entries.MONEY):
        loader.enter(one, loader.overpayment)
    for one in top.sections("prepayments", entries.MONEY):
        loader.enter(one, loader.prepayment)
    loader.finish(wanted)
    return books


def _organisation(wanted: Section, now: datetime) -> r.Organisation:
    name, zone, code = wanted.text("name"), wanted.text("timezone"), wanted.text("country")
    zones.xero_name(zone)
    basis = wanted.maybe("sales_tax_basis") or ("INVOICE" if country(code).standard != "NONE" else "NONE")
    tenant = tenant_id_of(name)
    return r.Organisation(
        id=str(uuid5(UUID(tenant), "organisation")),
        name=name,
        legal_name=wanted.maybe("legal_name", name),
        country=code,
        timezone=zone,
        base_currency=wanted.maybe("base_currency") or country(code).currency,
        sales_tax_basis=_BASES.get(basis.lower(), basis.upper()),
        demo=bool(wanted.flag("demo")),
        edition_class="DEMO" if wanted.flag("demo") else "PREMIUM",
        short_code="!" + tenant[:5],
        created=now - timedelta(days=3 * 365),
    )


@dataclass(slots=True)
class _Loader:
    """Enters the sections of a scenario one by one."""

    books: Books
    now: datetime
    entered: int = 0
    archived: tuple[str, ...] = ()

    def enter(self, section: Section, how: Callable[[Section], None]) -> None:
        """Enter one section; what the rules refuse is told with its place."""
        self.entered += 1
        try:
            how(section)
        except Refused as refused:
            raise ValueError(f"{section.place}: {'; '.join(refused.messages)}") from refused

    def act(self, day: date, minutes: int = 0) -> Act:
        """Return a person at work on that day's morning, but never later than now."""
        zone = ZoneInfo(self.books.organisation.timezone)
        morning = datetime(day.year, day.month, day.day, 9, tzinfo=zone).astimezone(UTC)
        at = morning + timedelta(minutes=minutes, seconds=self.entered % 3600)
        return Act("people", OWNER, min(at, self.now))

    def customer(self, section: Section) -> None:
        ref = section.text("ref")
        if ("contact", ref) in self.books.refs:
            raise ValueError(f"{section.place}.ref {ref!r} is used twice")
        created = self.books.organisation.created or self.now
        contact = entries.contact_from(self.books, section, created)
        address_book.add_contact(self.books, Act("people", OWNER, created), contact)
        for name in section.words("groups"):
            entries.put_in_group(self.books, Act("people", OWNER, created), contact, name)
        if section.flag("archived"):
            self.archived += (contact.id,)

    def invoice(self, section: Section) -> None:
        ref = section.text("ref")
        if ("invoice", ref) in self.books.refs:
            raise ValueError(f"{section.place}.ref {ref!r} is used twice")
        day, status = section.day("date"), entries.status_of(section)
        draft = entries.invoice_draft(self.books, section, self.books.id_of_ref("invoice", ref))
        invoice = invoicing.raise_invoice(self.books, self.act(day), draft)
        if section.maybe_day("due") is None and invoice.due_date is not None:
            invoice = replace(invoice, due_date=None)
            self.books.put_invoice(invoice)
        if section.flag("sent") and status not in {"draft", "submitted", "deleted"}:
            act = self.act(day, 5)
            invoice = invoicing.mark_sent(self.books, act, invoice)
            self.books.note("invoice", invoice.id, act, "Invoice sent", "This invoice has been sent")
        if status in {"voided", "deleted"}:
            gone = replace(invoice, status=status.upper())
            invoicing.edit_invoice(self.books, self.act(day, 10), invoice, gone)

    def payment(self, section: Section) -> None:
        invoice, day = self._invoice(section), section.day("date")
        ref = section.maybe("ref") or f"#{self.entered}"
        money = money_in.Money(
            amount=section.amount("amount"),
            day=day,
            account_id=bank_account(self.books),
            reference=section.maybe("reference"),
            reconciled=section.flag("reconciled", default=True) is True,
            id=self.books.id_of_ref("payment", ref),
        )
        money_in.pay(self.books, self.act(day, 60), invoice, money)

    def _invoice(self, section: Section) -> r.Invoice:
        invoice = self.books.invoices.get(self.books.refs.get(("invoice", section.text("invoice")), ""))
        if invoice is None:
            raise ValueError(f"{section.place}.invoice: unknown ref {section.text('invoice')!r}")
        return invoice

    def credit_note(self, section: Section) -> None:
        day = section.day("date")
        draft = entries.credit_note_draft(self.books, section, self._ref_id("credit_note", section))
        credit = crediting.raise_credit(self.books, self.act(day), draft)
        for one in section.sections("allocations", _ALLOCATION):
            on = one.maybe_day("date") or day
            crediting.allocate(self.books, self.act(on, 30), credit, self._invoice(one), one.amount("amount"), on)
            credit = self.books.credit("credit_note", credit.id) or credit

    def overpayment(self, section: Section) -> None:
        self._money(section, "overpayment")

    def prepayment(self, section: Section) -> None:
        self._money(section, "prepayment")

    def _money(self, section: Section, kind: r.CreditKind) -> None:
        day = section.day("date")
        draft = entries.money_draft(self.books, section, kind, entries.contact_id_of(self.books, section), day)
        draft = replace(draft, id=self._ref_id(kind, section))
        crediting.raise_credit(self.books, self.act(day), draft)

    def _ref_id(self, kind: str, section: Section) -> str:
        return self.books.id_of_ref(kind, section.maybe("ref") or f"#{self.entered}")

    def finish(self, wanted: Section) -> None:
        """Archive who is archived, set the locks, and start the log afresh: loading is not a change."""
        for contact_id in self.archived:
            contact = self.books.contacts.get(contact_id)
            if contact:
                self.books.put_contact(replace(contact, status="ARCHIVED"))
        self.books.organisation = replace(
            self.books.organisation,
            period_lock_date=wanted.maybe_day("period_lock_date"),
            end_of_year_lock_date=wanted.maybe_day("end_of_year_lock_date"),
            native_reminders=bool(wanted.flag("native_reminders")),
        )
        self.books.truth.clear()
        self.books.mails.clear()
