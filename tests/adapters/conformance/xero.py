"""Xero's bench."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import cast
from urllib.parse import parse_qsl, unquote, urlencode

from adapters._twin.clock import VirtualClock
from adapters._twin.messages import Request
from adapters.xero.adapter import ADAPTER, TAG
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox import scenario as neutral
from adapters.xero.sandbox.app import XeroTwin
from adapters.xero.sandbox.store import Books
from connector.domain.decisions import TargetKind
from connector.domain.effects import Effect, EffectKind, Prepared
from connector.domain.flat import FlatInvoice, FlatPayment
from connector.domain.ledger import (
    Address,
    Allocation,
    Credit,
    CreditKind,
    Customer,
    PaymentTerms,
    Person,
    RecordKind,
    TermsBasis,
)
from connector.domain.money import Money, exponent
from tests.adapters.conformance.bench import (
    Answer,
    Bench,
    Json,
    Key,
    LedgerTwin,
    Match,
    Outcome,
    Portrait,
    Spoilt,
    Trouble,
)
from tests.adapters.conformance.desk import portrait
from tests.adapters.conformance.errands import ERRANDS

API = "/api.xro/2.0"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STATUSES = {"AUTHORISED": "approved"}
LISTS = {
    RecordKind.CUSTOMER: "Contacts",
    RecordKind.INVOICE: "Invoices",
    RecordKind.PAYMENT: "Payments",
    RecordKind.CREDIT: "CreditNotes",
}
ROWS = {
    EffectKind.NOTE: {"history_note"},
    EffectKind.TAG: {"group_add", "group_remove"},
    EffectKind.EXPECTED_DATE: {"invoice_update"},
    EffectKind.SCHEDULE: {"attachment"},
    EffectKind.LEDGER_EMAIL: {"email"},
    EffectKind.CREDIT_NOTE: {"credit_note"},
    EffectKind.ALLOCATION: {"allocation"},
    EffectKind.INVOICE: {"invoice_create"},
    EffectKind.TERMS: {"contact_update"},
}
REFUSED, ALREADY = Outcome.REFUSED, Outcome.ALREADY
_UNAPPLIED = ("credit note", "allocation of the credit note", "allocation of an open credit", "new invoice")


class XeroBench(Bench):
    """Xero."""

    name = "xero"
    adapter = ADAPTER
    tag_on = TargetKind.CUSTOMER
    per_minute = 60
    in_flight = 5
    quiet_calls = 8
    day_reserve = 100  # a tenth of the smallest tier's day
    comes_along = frozenset({"group_create"})
    skips: Mapping[str, str] = {
        f"test_a_broken_record_goes_to_a_person_and_the_rest_goes_on[{Spoilt.TYPE.value}-{when}]": (
            "only receivables are asked for, by their type: a document of another type is not in the list"
        )
        for when in ("at first", "later")
    }
    outcomes: Mapping[tuple[Trouble, str], Outcome] = {
        # A lock date closes documents; notes, files, mails, groups and contacts stay open (twin's worst-case switches).
        **{(Trouble.CLOSED, name): REFUSED for name in ("expected date", *_UNAPPLIED)},
        (Trouble.PAID, "expected date"): REFUSED,
        (Trouble.PAID, "allocation of the credit note"): REFUSED,
        (Trouble.PAID, "allocation of an open credit"): REFUSED,
        (Trouble.EDITED, "tag"): ALREADY,
        (Trouble.EDITED, "untag"): ALREADY,
        (Trouble.EDITED, "expected date"): REFUSED,
        (Trouble.EDITED, "terms"): REFUSED,
        (Trouble.EDITED, "credit note"): REFUSED,
        (Trouble.EDITED, "new invoice"): REFUSED,
        (Trouble.EDITED, "allocation of an open credit"): REFUSED,
        (Trouble.EDITED, "allocation of the credit note"): REFUSED,
        **{(Trouble.GONE, name): REFUSED for name in ERRANDS},
        (Trouble.GONE, "untag"): ALREADY,  # who is not there is in no group
    }
    bodiless = frozenset({"untag", "ledger e-mail"})
    keyless = frozenset({"untag"})  # DELETE takes no Idempotency-Key
    writing_scopes = (
        "accounting.invoices",
        "accounting.contacts",
        "accounting.attachments",
        "accounting.payments",
    )
    zones = (
        "Pacific/Kiritimati",  # UTC+14
        "Etc/GMT+11",  # UTC-11
        "Europe/London",
        "Pacific/Auckland",
        "America/St_Johns",
        "Australia/Lord_Howe",  # half an hour of daylight saving
        "Asia/Kolkata",
    )
    reading_switches: Mapping[str, Mapping[str, object]] = {
        "as documented": {},
        "a page past the end is 404": {"page_past_end_status": 404},
        "deleted drafts leave the lists": {"deleted_in_lists": False},
        "both": {"page_past_end_status": 404, "deleted_in_lists": False},
        "huge organisation refuses filters": {"huge_organisation": True},
    }
    # On an invoice with money on it Xero stamps neither its due date nor its sent flag; a group does not stamp
    # its members.
    out_of: Mapping[str, Mapping[str, object]] = {
        "due date": {"do": "edit_invoice", "invoice": "INV-PART", "due": "2026-04-30"},
        "sent flag": {"do": "mark_sent", "invoice": "INV-PART"},
        "into the tag's group": {"do": "add_to_group", "customer": "acorn", "group": TAG},
        "out of the tag's group": {"do": "remove_from_group", "customer": "birch", "group": TAG},
    }

    def found(self, scenario: Json, now: datetime) -> LedgerTwin:
        return XeroTwin([neutral.load(scenario, now)], VirtualClock(now, frozen=True), seed=7)

    def truth(self, twin: LedgerTwin, organisation: str) -> Mapping[Key, Portrait]:
        books, now = _books(twin, organisation), twin.clock.now()
        found: dict[Key, Portrait] = {}
        for contact in books.contacts:
            found[RecordKind.CUSTOMER, contact.id] = _customer(books, contact, now)
        for invoice in books.invoices:
            if invoice.type == "ACCREC":
                found[RecordKind.INVOICE, invoice.id] = _invoice(books, invoice)
        for payment in books.payments:
            if payment.type == "ACCRECPAYMENT":
                found[RecordKind.PAYMENT, payment.id] = _payment(books, payment)
        for table in books.credits.values():
            found.update({(RecordKind.CREDIT, one.id): _credit(one) for one in table if one.is_receivable})
        return found

    def narrow(self, request: Request, rows: int) -> Request:
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        if request.method != "GET" or "pageSize" not in query:
            return request
        return replace(request, query=urlencode({**query, "pageSize": str(rows)}))

    def listing(self, kind: RecordKind) -> Match:
        return {"method": "GET", "path": f"{API}/{LISTS[kind]}$", "query": r"^(?!.*summaryOnly).*\bpage="}

    def writing(self, effect: Effect, prepared: Prepared) -> Match:
        path = f"{re.escape(API)}{re.escape(unquote(prepared.path))}$"
        if effect.kind is EffectKind.TAG:  # the group's name gives way to its id
            path = rf"{re.escape(API)}/ContactGroups/[^/]+/Contacts"
        return {"method": prepared.method, "path": path}

    def happened(self, effect: Effect, prepared: Prepared, row: Json) -> bool:
        if row["kind"] not in ROWS[effect.kind]:
            return False
        detail = row["detail"]
        match effect.payload.kind:
            case "note":
                return bool(row["target_id"] == effect.target) and str(detail["text"]).endswith(effect.marker)
            case "tag":
                wanted = "group_add" if effect.payload.present else "group_remove"
                return bool(row["kind"] == wanted and row["target_id"] == effect.target)
            case "expected_date":
                new = detail["changed"].get("ExpectedPaymentDate", {}).get("new")
                return bool(row["target_id"] == effect.target) and str(new) == effect.payload.expected.isoformat()
            case "credit_note" | "invoice":
                return bool(detail["number"] == effect.payload.number)
            case "allocation":
                return effect.target in str(detail) and bool(prepared.path.split("/")[2] == row["target_id"])
            case _:
                return bool(row["target_id"] == effect.target)

    def spoil(self, twin: LedgerTwin, organisation: str, invoice_id: str, how: Spoilt) -> None:
        books = _books(twin, organisation)
        invoice = books.invoices.get(invoice_id)
        assert invoice is not None
        changes: dict[Spoilt, Json] = {
            Spoilt.STATUS: {"status": "FROZEN"},
            Spoilt.TYPE: {"type": "ACCSOMETHING"},
            Spoilt.DIGITS: {"amount_due": Decimal("10.005")},
            Spoilt.CURRENCY: {"currency": ""},
            Spoilt.DATE: {"date": None},
            Spoilt.CUSTOMER: {"contact_id": "nobody"},
        }
        books.put_invoice(replace(invoice, **changes[how], updated=twin.clock.now()))

    def mend(self, twin: LedgerTwin, organisation: str, invoice_id: str) -> None:
        books = _books(twin, organisation)
        invoice = books.invoices.get(invoice_id)
        assert invoice is not None
        contact_id = books.refs["contact", "acorn"]
        sound: Json = {"status": "AUTHORISED", "type": "ACCREC", "currency": "GBP", "date": date(2026, 2, 3)}
        due = (invoice.total or r.ZERO) - (invoice.amount_paid or r.ZERO)
        books.put_invoice(replace(invoice, **sound, amount_due=due, contact_id=contact_id))

    def answer(self, what: Answer) -> Json:
        limited: Json = {"do": "status", "status": 429}
        match what:
            case Answer.LIMIT_MINUTE:
                return {**limited, "headers": {"X-Rate-Limit-Problem": "minute", "Retry-After": "26"}}
            case Answer.LIMIT_DAY:
                return {**limited, "headers": {"X-Rate-Limit-Problem": "day", "Retry-After": "7200"}}
            case Answer.LIMIT_CONCURRENT:
                return {**limited, "headers": {"X-Rate-Limit-Problem": "concurrent"}}
            case Answer.ROLE:
                detail = '{"Title": "Forbidden", "Status": 403, "Detail": "You are not permitted to access this"}'
                headers = {"Content-Type": "application/json; charset=utf-8"}
                return {"do": "before_commit", "status": 403, "headers": headers, "body": detail, "stored": False}


def _books(twin: LedgerTwin, organisation: str) -> Books:
    return next(one for one in cast("XeroTwin", twin).books.values() if one.name == organisation)


def _us(stamp: datetime) -> int:
    """Xero prints thousandths of a second."""
    return (stamp - EPOCH) // timedelta(milliseconds=1) * 1000


def _minor(amount: Decimal | None, currency: str) -> int:
    scaled = (amount or r.ZERO).scaleb(exponent(currency))
    assert scaled == int(scaled), f"the twin's books hold {amount} {currency}"
    return int(scaled)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _invoice(books: Books, one: r.Invoice) -> Portrait:
    code = one.currency
    return FlatInvoice(
        one.id, one.number or "", one.contact_id, STATUSES.get(one.status, one.status.lower()),
        str(_iso(one.date)), _iso(one.due_date), code,
        total=_minor(one.total, code), tax=_minor(one.total_tax, code),
        balance=0 if one.status in {"VOIDED", "DELETED"} else _minor(one.due, code),
        paid=_minor(one.amount_paid, code), credited=_minor(one.amount_credited, code),
        rate=f"{(one.rate or Decimal(1)).normalize():f}", reference=one.reference or "", sent=one.sent,
        expected=_iso(one.expected), fully_paid_on=_iso(one.fully_paid_on), repeating=bool(one.repeating_id),
        has_attachments=bool(books.files("invoice", one.id)), lines=tuple(_lines(one)), updated_us=_us(one.updated),
    )._asdict()  # fmt: skip


def _lines(one: r.Invoice) -> Iterator[tuple[str, str, int, int, str, str]]:
    for line in one.lines:
        tax = _minor(line.tax_amount, one.currency)
        amount = _minor(line.line_amount, one.currency)
        net = amount - tax if one.line_amount_types == "Inclusive" else amount
        yield line.id, line.description, net, tax, line.account_code, line.tax_type


def _payment(books: Books, one: r.Payment) -> Portrait:
    invoice = books.invoices.get(one.document_id)
    assert invoice is not None
    amount, on = _minor(one.amount, invoice.currency), str(_iso(one.date))
    account = next((row.wire.get("Code") for row in books.plain["Accounts"] if row.id == one.account_id), None)
    return FlatPayment(
        one.id, invoice.contact_id, on, invoice.currency, amount, one.reference or "", one.reconciled,
        str(account or one.account_id), one.status == "AUTHORISED", ((invoice.id, amount, on, ""),), _us(one.updated),
    )._asdict()  # fmt: skip


def _credit(one: r.Credit) -> Portrait:
    code, active = one.currency, one.status in {"AUTHORISED", "PAID"}
    assert one.date is not None
    parts = tuple(
        Allocation(part.invoice_id, Money(_minor(part.amount, code), code), part.date or one.date, part.id)
        for part in one.allocations
    )
    number = (one.number or "") if one.kind == "credit_note" else ""
    return portrait(
        Credit(
            id=one.id, kind=CreditKind(one.kind), customer_id=one.contact_id, issued=one.date,
            total=Money(_minor(one.total, code), code),
            remaining=Money(_minor(one.remaining, code) if active else 0, code), number=number, allocations=parts,
            reference=one.reference or "", active=active, rate=one.rate or Decimal(1),
            updated_at=EPOCH + timedelta(microseconds=_us(one.updated)),
        )
    )  # fmt: skip


def _customer(books: Books, one: r.Contact, now: datetime) -> Portrait:
    """The contact, with the sums of its open receivables; Xero does not convert them."""
    today = now.astimezone(books.zone).date()
    mine = [i for i in books.invoices if (i.contact_id, i.type, i.status) == (one.id, "ACCREC", "AUTHORISED")]
    late = [i for i in mine if i.due_date is not None and i.due_date < today]
    bases = {"DAYSAFTERBILLDATE": TermsBasis.AFTER_INVOICE_DATE}
    terms = PaymentTerms(one.sales_terms.day, bases[one.sales_terms.type]) if one.sales_terms else None
    kinds = (("STREET", "street"), ("POBOX", "postal"))
    places = [(kind, one.addresses[name]) for name, kind in kinds if one.addresses.get(name)]
    has_balance = any(i.due for i in books.invoices if (i.contact_id, i.status) == (one.id, "AUTHORISED"))  # or none
    return portrait(
        Customer(
            id=one.id, name=one.name, email=one.email, first_name=one.first_name, last_name=one.last_name,
            people=tuple(Person(f"{p.first_name} {p.last_name}", p.email, p.in_emails) for p in one.persons),
            addresses=tuple(
                Address(
                    kind="street" if kind == "street" else "postal", lines=(place["AddressLine1"],),
                    city=place["City"], postal_code=place["PostalCode"], country=place["Country"],
                )
                for kind, place in places
            ),
            phones=tuple(str(phone["PhoneNumber"]) for phone in one.phones.values()),
            active=one.status == "ACTIVE", currency=one.currency, account_number=one.account_number,
            groups=tuple(sorted({g.name for g in books.groups if g.status == "ACTIVE" and one.id in g.members})),
            terms=terms, merged_into=one.merged_to,
            outstanding=sum((i.due for i in mine), r.ZERO) if has_balance else None,
            overdue=sum((i.due for i in late), r.ZERO) if has_balance else None,
            updated_at=EPOCH + timedelta(microseconds=_us(one.updated)),
        )
    )  # fmt: skip
