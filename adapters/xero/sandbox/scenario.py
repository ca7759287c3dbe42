"""Books from a ledger-neutral scenario: what an organisation's records would be, had people kept them until now.

Everything is entered through the same rules as any other change, at the dates of the documents, so that history and
stamps look lived in. A document that the rules refuse, an unknown key or an unknown ref raises ValueError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from adapters.xero.sandbox import address_book, crediting, invoicing, money_in, zones
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.countries import SALES_CODE, country
from adapters.xero.sandbox.errors import Refused
from adapters.xero.sandbox.founding import OWNER, bank_account, default_account, found
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
CUSTOMER = frozenset(
    {
        "ref",
        "name",
        "email",
        "first_name",
        "last_name",
        "people",
        "phone",
        "address",
        "currency",
        "terms_days",
        "groups",
        "archived",
        "account_number",
    }
)
_PERSON = frozenset({"first_name", "last_name", "email", "on_invoices"})
_ADDRESS = frozenset({"line1", "city", "region", "postal_code", "country"})
INVOICE = frozenset(
    {
        "ref",
        "customer",
        "number",
        "reference",
        "date",
        "due",
        "currency",
        "rate",
        "amounts",
        "lines",
        "status",
        "sent",
        "type",
        "expected",
    }
)
_LINE = frozenset({"description", "quantity", "unit_amount", "tax", "account"})
_PAYMENT = frozenset({"ref", "invoice", "date", "amount", "reference", "reconciled"})
CREDIT_NOTE = frozenset({"ref", "customer", "number", "date", "currency", "lines", "allocations"})
_ALLOCATION = frozenset({"invoice", "amount", "date"})
MONEY = frozenset({"ref", "customer", "date", "amount", "currency", "reference"})
AMOUNTS = {"exclusive": "Exclusive", "inclusive": "Inclusive", "none": "NoTax"}
_BASES = {"cash": "PAYMENTS", "accrual": "INVOICE"}


def load(document: dict[str, object], now: datetime) -> Books:
    """Return the books that the scenario describes, as they are at `now`. Raises ValueError."""
    top = Section(document, "scenario", _TOP)
    wanted = top.section("organisation", _ORGANISATION)
    if wanted is None:
        raise ValueError("scenario.organisation is missing")
    organisation = _organisation(wanted, now)
    currencies = [one.maybe("currency") for one in top.sections("invoices", INVOICE)]
    books = found(organisation, now, [code for code in currencies if code])
    loader = _Loader(books, now)
    for one in top.sections("customers", CUSTOMER):
        loader.enter(one, loader.customer)
    for one in top.sections("invoices", INVOICE):
        loader.enter(one, loader.invoice)
    for one in sorted(top.sections("payments", _PAYMENT), key=lambda each: each.day("date")):
        loader.enter(one, loader.payment)
    for one in top.sections("credit_notes", CREDIT_NOTE):
        loader.enter(one, loader.credit_note)
    for one in top.sections("overpayments", MONEY):
        loader.enter(one, loader.overpayment)
    for one in top.sections("prepayments", MONEY):
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
        contact = contact_from(self.books, section, created)
        address_book.add_contact(self.books, Act("people", OWNER, created), contact)
        for name in section.words("groups"):
            put_in_group(self.books, Act("people", OWNER, created), contact, name)
        if section.flag("archived"):
            self.archived += (contact.id,)

    def invoice(self, section: Section) -> None:
        ref = section.text("ref")
        if ("invoice", ref) in self.books.refs:
            raise ValueError(f"{section.place}.ref {ref!r} is used twice")
        day, status = section.day("date"), _status(section)
        draft = invoice_draft(self.books, section, self.books.id_of_ref("invoice", ref))
        invoice = invoicing.raise_invoice(self.books, self.act(day), replace(draft, status=_first_status(status)))
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
        draft = credit_note_draft(self.books, section, self._ref_id("credit_note", section))
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
        draft = money_draft(self.books, section, kind, self._ref_id(kind, section))
        crediting.raise_credit(self.books, self.act(section.day("date")), draft)

    def _ref_id(self, kind: str, section: Section) -> str:
        return self.books.id_of_ref(kind, section.maybe("ref") or f"#{self.entered}")

    def finish(self, wanted: Section) -> None:
        """Archive who is archived, set the locks, and start the log afresh: loading is not a change."""
        for contact_id in self.archived:
            contact = self.books.contacts.get(contact_id)
            if contact:
                self.books.contacts.put(replace(contact, status="ARCHIVED"))
        self.books.organisation = replace(
            self.books.organisation,
            period_lock_date=wanted.maybe_day("period_lock_date"),
            end_of_year_lock_date=wanted.maybe_day("end_of_year_lock_date"),
            native_reminders=bool(wanted.flag("native_reminders")),
        )
        self.books.truth.clear()
        self.books.mails.clear()


# --- neutral sections to the books' own terms; people.py enters new documents through these, too -----------------


def contact_from(books: Books, section: Section, created: datetime) -> r.Contact:
    """Return the contact that a customer section describes."""
    phones = {"DEFAULT": MappingProxyType({"PhoneNumber": section.maybe("phone")})} if section.maybe("phone") else {}
    days = section.whole("terms_days")
    return r.Contact(
        id=books.id_of_ref("contact", section.text("ref")),
        name=section.text("name"),
        updated=created,
        first_name=section.maybe("first_name"),
        last_name=section.maybe("last_name"),
        email=section.maybe("email"),
        account_number=section.maybe("account_number"),
        persons=tuple(
            r.Person(
                one.maybe("first_name"),
                one.maybe("last_name"),
                one.maybe("email"),
                one.flag("on_invoices") is True,
            )
            for one in section.sections("people", _PERSON)
        ),
        phones=MappingProxyType(phones),
        addresses=_addresses(section),
        currency=section.maybe("currency"),
        sales_terms=r.Terms(days, "DAYSAFTERBILLDATE") if days is not None else None,
        is_customer=True,
    )


def _addresses(section: Section) -> Mapping[str, Mapping[str, str]]:
    address = section.section("address", _ADDRESS)
    if address is None:
        return MappingProxyType({})
    fields = {
        "AddressLine1": address.maybe("line1"),
        "City": address.maybe("city"),
        "Region": address.maybe("region"),
        "PostalCode": address.maybe("postal_code"),
        "Country": address.maybe("country"),
    }
    kept = MappingProxyType({key: value for key, value in fields.items() if value})
    return MappingProxyType({"STREET": kept, "POBOX": kept})


def put_in_group(books: Books, act: Act, contact: r.Contact, name: str) -> None:
    """Add the contact to the group of this name, which is made if need be."""
    group = next((one for one in books.groups if one.name == name and one.status == "ACTIVE"), None)
    group = group or address_book.add_group(books, act, name, books.id_of_ref("group", name))
    address_book.join(books, act, group, contact)


def _contact_id(books: Books, section: Section) -> str:
    ref = section.text("customer")
    found_ = books.refs.get(("contact", ref)) or (ref if books.contacts.get(ref) else None)
    if found_ is None:
        raise ValueError(f"{section.place}.customer: unknown ref {ref!r}")
    return found_


def _status(section: Section) -> str:
    return section.choice("status", "authorised", "draft", "submitted", "authorised", "voided", "deleted")


def _first_status(status: str) -> str:
    return {"voided": "AUTHORISED", "deleted": "DRAFT"}.get(status, status.upper())


def invoice_draft(books: Books, section: Section, invoice_id: str) -> invoicing.InvoiceDraft:
    """Return the draft that an invoice section describes."""
    day = section.day("date")
    receivable = section.choice("type", "receivable", "receivable", "payable") == "receivable"
    return invoicing.InvoiceDraft(
        contact_id=_contact_id(books, section),
        lines=neutral_lines(books, section),
        type="ACCREC" if receivable else "ACCPAY",
        status=_first_status(_status(section)),
        number=section.maybe("number"),
        reference=section.maybe("reference"),
        date=day,
        due_date=section.maybe_day("due") or day,
        amounts=AMOUNTS[section.choice("amounts", "exclusive", *AMOUNTS)],
        currency=section.maybe("currency"),
        rate=section.maybe_amount("rate"),
        expected=section.maybe_day("expected"),
        id=invoice_id,
    )


def credit_note_draft(books: Books, section: Section, credit_id: str) -> crediting.CreditDraft:
    """Return the draft that a credit note section describes."""
    return crediting.CreditDraft(
        kind="credit_note",
        contact_id=_contact_id(books, section),
        lines=neutral_lines(books, section),
        type="ACCRECCREDIT",
        status="AUTHORISED",
        number=section.maybe("number"),
        date=section.day("date"),
        currency=section.maybe("currency"),
        id=credit_id,
    )


def money_draft(books: Books, section: Section, kind: r.CreditKind, credit_id: str) -> crediting.CreditDraft:
    """Return the draft of an over- or prepayment that a section describes."""
    words = {"overpayment": "Overpayment", "prepayment": "Prepayment"}[kind]
    amount = section.amount("amount")
    account = "610" if kind == "overpayment" else SALES_CODE
    line = r.Line("", words, unit_amount=amount, account_code=default_account(books, account))
    return crediting.CreditDraft(
        kind=kind,
        contact_id=_contact_id(books, section),
        lines=(line,),
        type=f"RECEIVE-{words.upper()}",
        status="AUTHORISED",
        reference=section.maybe("reference"),
        date=section.maybe_day("date"),
        amounts="NoTax",
        currency=section.maybe("currency"),
        id=credit_id,
    )


def neutral_lines(books: Books, section: Section) -> tuple[r.Line, ...]:
    """Return the lines of a section."""
    rules = country(books.organisation.country)
    tax = {"standard": rules.standard, "none": rules.untaxed}
    return tuple(
        r.Line(
            id="",
            description=one.text("description"),
            quantity=one.amount("quantity", "1"),
            unit_amount=one.amount("unit_amount"),
            tax_type=tax[one.choice("tax", "standard", "standard", "none")],
            account_code=one.maybe("account") or default_account(books),
        )
        for one in section.sections("lines", _LINE)
    )
