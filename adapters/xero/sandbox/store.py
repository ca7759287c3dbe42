"""The books of one organisation: its records, what happened to them, and the log that a judge reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.names import named_id
from adapters.xero.sandbox.switches import defaults
from adapters.xero.sandbox.tables import Index, Journal, Table

Actor = Literal["api", "people", "system"]
SYSTEM_USER = "System Generated"
REMINDER_DAYS = (7, 14, 21)
REMINDER_HOUR = 5  # native reminders leave between four and eight in the organisation's morning


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something, when (UTC) and, over the API, through which request."""

    actor: Actor
    user: str
    now: datetime
    method: str = ""
    path: str = ""
    key: str = ""
    app: str = ""


def tenant_id_of(name: str) -> str:
    """Return the tenant id that an organisation of this name always gets."""
    return str(uuid5(NAMESPACE_URL, f"xero-sandbox/tenant/{name}"))


class Books:
    """All records of one organisation. Not thread-safe: the frame holds one lock around every call.

    `truth` is the append-only log of committed changes, `mails` the outbox, `switches` the behaviours of switches.py.
    """

    def __init__(self, organisation: r.Organisation, now: datetime, tenant_id: str | None = None) -> None:
        self.organisation = organisation
        self.tenant_id = tenant_id or tenant_id_of(organisation.name)
        self.switches = defaults()
        self.truth: list[dict[str, object]] = []
        self.mails: list[dict[str, object]] = []
        self.notes: list[str] = []  # what a loader had to leave out
        self.refs: dict[tuple[str, str], str] = {}
        self.advanced_to = now
        self._journal = Journal()
        self._count = 0
        self._number_count: dict[str, int] = {}
        self.invoices: Table[r.Invoice] = Table(self._journal)
        self.credits: dict[r.CreditKind, Table[r.Credit]] = {
            "credit_note": Table(self._journal),
            "overpayment": Table(self._journal),
            "prepayment": Table(self._journal),
        }
        self.payments: Table[r.Payment] = Table(self._journal)
        self.contacts: Table[r.Contact] = Table(self._journal)
        self.groups: Table[r.Group] = Table(self._journal)
        self.plain: dict[str, Table[r.Plain]] = {}
        self._histories: Table[r.HistoryLog] = Table(self._journal)
        self._folders: Table[r.Folder] = Table(self._journal)
        self._by_number = Index()
        self._by_credit_number = Index()
        self._by_contact_name = Index()
        self._by_contact_number = Index()
        self._by_contact = Index()
        self._by_contact_credits = Index()
        self._payments_of = Index()
        self._credits_of_invoice = Index()

    # --- identity and time -------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return self.organisation.name

    @property
    def organisation_id(self) -> str:
        return self.organisation.id

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.organisation.timezone)

    def today(self, now: datetime) -> date:
        """Return the organisation's calendar date at the instant `now`."""
        return now.astimezone(self.zone).date()

    @property
    def lock_date(self) -> date | None:
        """The later of the two lock dates: nothing dated on or before it may change."""
        dates = (self.organisation.period_lock_date, self.organisation.end_of_year_lock_date)
        return max((day for day in dates if day), default=None)

    def new_id(self, kind: str) -> str:
        """Return the next id of these books: the same sequence in every run."""
        self._count += 1
        return named_id(self.tenant_id, f"{kind}#{self._count}")

    def id_of_ref(self, kind: str, ref: str) -> str:
        """Return the id that a scenario's ref stands for, and remember the ref."""
        return self.refs.setdefault((kind, ref), named_id(self.tenant_id, f"{kind}/{ref}"))

    def on(self, switch: str) -> bool:
        """Return whether a switch is on."""
        return bool(self.switches[switch])

    def whole(self, switch: str) -> int:
        """Return a switch that is a number. Raises ValueError when someone set it to anything else."""
        value = self.switches[switch]
        if not isinstance(value, int):
            raise ValueError(f"switch {switch} must be a whole number, not {value!r}")
        return value

    def words(self, switch: str) -> tuple[str, ...]:
        """Return a switch that is a list of words."""
        value = self.switches[switch]
        return tuple(str(word) for word in value) if isinstance(value, (list, tuple, set, frozenset)) else (str(value),)

    # --- all or nothing ----------------------------------------------------------------------------------------

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Undo everything that was done inside when an exception leaves the block. May be nested."""
        mark = self._journal.begin()
        logged, mailed, counts = len(self.truth), len(self.mails), (self._count, dict(self._number_count))
        organisation = self.organisation
        try:
            yield
        except BaseException:
            self._journal.end(mark, undo=True)
            del self.truth[logged:], self.mails[mailed:]
            self._count, self._number_count = counts
            self.organisation = organisation
            raise
        self._journal.end(mark, undo=False)

    # --- documents ---------------------------------------------------------------------------------------------

    def put_invoice(self, invoice: r.Invoice) -> None:
        self.invoices.put(invoice)
        self._by_contact.add(invoice.contact_id, invoice.id)
        if invoice.number:
            self._by_number.add(invoice.number, invoice.id)
            self._remember_number(invoice.number)

    def put_credit(self, credit: r.Credit) -> None:
        self.credits[credit.kind].put(credit)
        self._by_contact_credits.add(credit.contact_id, f"{credit.kind}:{credit.id}")
        for allocation in credit.allocations:
            self._credits_of_invoice.add(allocation.invoice_id, f"{credit.kind}:{credit.id}")
        if credit.number:
            self._by_credit_number.add(credit.number, f"{credit.kind}:{credit.id}")
            self._remember_number(credit.number)

    def put_payment(self, payment: r.Payment) -> None:
        self.payments.put(payment)
        self._payments_of.add(f"{payment.document_kind}:{payment.document_id}", payment.id)

    def credit(self, kind: r.CreditKind, record_id: str) -> r.Credit | None:
        return self.credits[kind].get(record_id)

    def invoices_numbered(self, number: str) -> list[r.Invoice]:
        """Return the invoices and bills that bear this number, whatever their status."""
        found = (self.invoices.get(record_id) for record_id in self._by_number.get(number))
        return [one for one in found if one and (one.number or "").lower() == number.lower()]

    def credits_numbered(self, number: str) -> list[r.Credit]:
        """Return the credits that bear this number, whatever their status."""
        found = (self._credit_at(place) for place in self._by_credit_number.get(number))
        return [one for one in found if one and (one.number or "").lower() == number.lower()]

    def invoices_of(self, contact_id: str) -> list[r.Invoice]:
        found = (self.invoices.get(record_id) for record_id in self._by_contact.get(contact_id))
        return [one for one in found if one and one.contact_id == contact_id]

    def credits_of(self, contact_id: str) -> list[r.Credit]:
        found = (self._credit_at(place) for place in self._by_contact_credits.get(contact_id))
        return [one for one in found if one and one.contact_id == contact_id]

    def payments_on(self, kind: r.DocumentKind, record_id: str) -> list[r.Payment]:
        """Return the document's payments that stand, oldest first."""
        found = (self.payments.get(one) for one in self._payments_of.get(f"{kind}:{record_id}"))
        return [one for one in found if one and one.status != "DELETED"]

    def credits_on(self, invoice_id: str) -> list[tuple[r.Credit, r.Allocation]]:
        """Return what credits are laid against the invoice."""
        found = (self._credit_at(place) for place in self._credits_of_invoice.get(invoice_id))
        return [
            (credit, part) for credit in found if credit for part in credit.allocations if part.invoice_id == invoice_id
        ]

    def _credit_at(self, place: str) -> r.Credit | None:
        kind, _, id_ = place.partition(":")
        for known in self.credits:
            if known == kind:
                return self.credits[known].get(id_)
        return None

    def next_number(self, prefix: str) -> str:
        """Return the next automatic number that no document bears, e.g. INV-0042."""
        while True:
            self._number_count[prefix] = self._number_count.get(prefix, 0) + 1
            number = f"{prefix}-{self._number_count[prefix]:04d}"
            if not self.invoices_numbered(number) and not self.credits_numbered(number):
                return number

    def _remember_number(self, number: str) -> None:
        prefix, _, digits = number.rpartition("-")
        if prefix and digits.isascii() and digits.isdigit() and len(digits) <= 9:
            self._number_count[prefix] = max(self._number_count.get(prefix, 0), int(digits))

    # --- contacts ----------------------------------------------------------------------------------------------

    def put_contact(self, contact: r.Contact) -> None:
        self.contacts.put(contact)
        self._by_contact_name.add(contact.name.strip().casefold(), contact.id)
        if contact.number:
            self._by_contact_number.add(contact.number, contact.id)

    def contacts_named(self, name: str) -> list[r.Contact]:
        """Return the contacts of this name, case ignored, whatever their status."""
        folded = name.strip().casefold()
        found = (self.contacts.get(record_id) for record_id in self._by_contact_name.get(folded))
        return [one for one in found if one and one.name.strip().casefold() == folded]

    def contacts_numbered(self, number: str) -> list[r.Contact]:
        """Return the contacts with this ContactNumber."""
        found = (self.contacts.get(record_id) for record_id in self._by_contact_number.get(number))
        return [one for one in found if one and one.number.lower() == number.lower()]

    def groups_of(self, contact_id: str) -> list[r.Group]:
        return [one for one in self.groups if one.status == "ACTIVE" and contact_id in one.members]

    def reckoned_balance(self, contact_id: str, now: datetime) -> r.Balance:
        """Sum the contact's open documents."""
        today, converted = self.today(now), self.on("balances_in_base_currency")
        sums = {"ACCREC": [r.ZERO, r.ZERO], "ACCPAY": [r.ZERO, r.ZERO]}
        for invoice in self.invoices_of(contact_id):
            if invoice.status != "AUTHORISED" or invoice.type not in sums:
                continue
            due = _in_base(invoice.due, invoice.rate) if converted else invoice.due
            sums[invoice.type][0] += due
            if invoice.due_date and invoice.due_date < today:
                sums[invoice.type][1] += due
        if self.on("balances_net_of_credits"):
            for credit in self.credits_of(contact_id):
                if credit.status == "AUTHORISED" and credit.remaining:
                    open_ = _in_base(credit.remaining, credit.rate) if converted else credit.remaining
                    sums["ACCREC" if credit.is_receivable else "ACCPAY"][0] -= open_
        return r.Balance(*sums["ACCREC"], *sums["ACCPAY"])

    def balance(self, contact: r.Contact, now: datetime) -> r.Balance:
        """Return what GET /Contacts prints: a recorded balance moves by what changed since it was loaded."""
        reckoned = self.reckoned_balance(contact.id, now)
        return reckoned.plus(contact.printed_minus_reckoned) if contact.printed_minus_reckoned else reckoned

    # --- history, files, log -----------------------------------------------------------------------------------

    def history(self, kind: str, record_id: str) -> tuple[r.HistoryEntry, ...]:
        """Return the record's history, newest first."""
        log = self._histories.get(f"{kind}:{record_id}")
        return tuple(sorted(log.entries if log else (), key=lambda entry: entry.at)[::-1])

    def note(self, kind: str, record_id: str, act: Act, changes: str, details: str) -> None:
        """Append to the record's history."""
        self.put_history(kind, record_id, (r.HistoryEntry(whole_ms(act.now), changes, act.user, details),))

    def put_history(self, kind: str, record_id: str, entries: tuple[r.HistoryEntry, ...]) -> None:
        """Append ready entries to the record's history."""
        key = f"{kind}:{record_id}"
        log = self._histories.get(key)
        self._histories.put(r.HistoryLog(key, log.entries + entries if log else entries))

    def files(self, kind: str, record_id: str) -> tuple[r.Attachment, ...]:
        folder = self._folders.get(f"{kind}:{record_id}")
        return folder.files if folder else ()

    def put_files(self, kind: str, record_id: str, files: tuple[r.Attachment, ...]) -> None:
        self._folders.put(r.Folder(f"{kind}:{record_id}", files))

    def log(self, act: Act, kind: str, target_kind: str, target_id: str, detail: dict[str, object]) -> None:
        """Append to the log of committed changes."""
        self.truth.append(
            {
                "seq": len(self.truth) + 1,
                "at": act.now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
                "actor": act.actor,
                "kind": kind,
                "method": act.method,
                "path": act.path,
                "idempotency_key": act.key,
                "target_kind": target_kind,
                "target_id": target_id,
                "detail": detail,
            }
        )

    def mail(self, act: Act, invoice: r.Invoice, to: list[str], what: str) -> None:
        """Put one e-mail of the ledger's own into the outbox."""
        self.mails.append(
            {
                "at": act.now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
                "to": to,
                "invoice_id": invoice.id,
                "invoice_number": invoice.number or "",
                "what": what,
            }
        )

    def mail_addresses(self, contact_id: str) -> list[str]:
        """Return whom the ledger's own invoice mail reaches: the contact, and persons with IncludeInEmails."""
        contact = self.contacts.get(contact_id)
        if contact is None or not contact.email:
            return []
        return [contact.email, *(one.email for one in contact.persons if one.in_emails and one.email)]

    # --- time passing ------------------------------------------------------------------------------------------

    def advance(self, now: datetime) -> None:
        """Send the native reminders that fell due since the last call, if the organisation has them switched on."""
        since, self.advanced_to = self.advanced_to, max(now, self.advanced_to)
        if not self.organisation.native_reminders or now <= since:
            return
        due: list[tuple[datetime, int, r.Invoice]] = []
        for invoice in self.invoices:
            if invoice.type == "ACCREC" and invoice.status == "AUTHORISED" and invoice.sent and invoice.due_date:
                due += [
                    (at, days, invoice)
                    for days in REMINDER_DAYS
                    if since < (at := self._reminder_at(invoice.due_date, days)) <= now
                ]
        for at, days, invoice in sorted(due, key=lambda one: (one[0], one[2].number or "", one[2].id)):
            self._remind(Act("system", SYSTEM_USER, at), invoice, days)

    def _reminder_at(self, due_date: date, days: int) -> datetime:
        day = due_date + timedelta(days=days)
        return datetime(day.year, day.month, day.day, REMINDER_HOUR, tzinfo=self.zone).astimezone(UTC)

    def _remind(self, act: Act, invoice: r.Invoice, days: int) -> None:
        to = self.mail_addresses(invoice.contact_id)
        if not to or invoice.due <= 0:
            return
        self.mail(act, invoice, to, "reminder")
        self.note(
            "invoice", invoice.id, act, "Invoice reminder", f"Reminder sent to {', '.join(to)}, {days} days overdue"
        )
        self.log(act, "native_reminder", "invoice", invoice.id, {"days": days, "to": to, "number": invoice.number})


def whole_ms(instant: datetime) -> datetime:
    """Cut an instant to milliseconds, as the wire shows it."""
    return instant.astimezone(UTC).replace(microsecond=instant.microsecond // 1000 * 1000)


def _in_base(amount: Decimal, rate: Decimal | None) -> Decimal:
    return (amount / rate).quantize(Decimal("0.01")) if rate else amount
