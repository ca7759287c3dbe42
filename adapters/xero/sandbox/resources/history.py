"""History of records: read, and append notes. There is no route to change or delete a note."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from adapters._twin.messages import Response
from adapters.xero.sandbox import answers, checks
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.errors import Refused
from adapters.xero.sandbox.reading import elements
from adapters.xero.sandbox.resources import contacts, credit_documents, invoices, payments
from adapters.xero.sandbox.resources.edge import CONTACTS, INVOICES, PAYMENTS, act_of, route
from adapters.xero.sandbox.routing import Call, Handler, Route
from adapters.xero.sandbox.store import Act, Books

NOTE = "Note"
Owner = r.Invoice | r.Credit | r.Payment | r.Contact
Find = Callable[[Books, str], Owner]


def _read_of(kind: str, parameter: str, find: Find) -> Handler:
    def handle(call: Call) -> Response:
        owner = find(call.books, call.params[parameter])
        delay = timedelta(seconds=call.books.whole("history_delay_seconds"))
        entries = call.books.history(kind, owner.id)
        visible = (one for one in entries if one.changes != NOTE or one.at + delay <= call.now)
        return answers.envelope(call, "HistoryRecords", [_written(one) for one in visible])

    return handle


def _written(one: r.HistoryEntry) -> dict[str, object]:
    return {
        "Changes": one.changes,
        "DateUTCString": one.at.strftime("%Y-%m-%dT%H:%M:%S"),
        "DateUTC": answers.stamp(one.at),
        "User": one.user,
        "Details": one.details,
    }


def _append_of(kind: str, parameter: str, find: Find) -> Handler:
    def handle(call: Call) -> Response:
        books, act = call.books, act_of(call)
        owner = find(books, call.params[parameter])
        if not books.on("history_in_locked_period") and isinstance(owner, (r.Invoice, r.Credit, r.Payment)):
            checks.check_open(books, owner.date)
        found = elements(call, "HistoryRecords", frozenset({"Details"}))
        texts = [_checked(books, one.text("Details") or "") for one in found]
        for text in texts:
            append(books, act, kind, owner, text)
        return answers.envelope(call, "HistoryRecords", [_acknowledged(call, text) for text in texts])

    return handle


def _checked(books: Books, text: str) -> str:
    if not text.strip():
        raise Refused("Details cannot be empty")
    limit = books.whole("history_limit")
    if len(text) > limit:
        raise Refused(f"Details exceeds the maximum length of {limit} characters.")
    return text


def append(books: Books, act: Act, kind: str, owner: Owner, text: str) -> None:
    """Append one note to a record's history, and to the log with its full text."""
    books.note(kind, owner.id, act, NOTE, text)
    books.log(act, "history_note", kind, owner.id, {"text": text})
    if not books.on("note_bumps_updated"):
        return
    stamp = checks.later(owner.updated, act)
    match owner:
        case r.Invoice():
            books.put_invoice(replace(owner, updated=stamp))
        case r.Credit():
            books.put_credit(replace(owner, updated=stamp))
        case r.Payment():
            books.put_payment(replace(owner, updated=stamp))
        case r.Contact():
            books.put_contact(replace(owner, updated=stamp))


def _acknowledged(call: Call, text: str) -> dict[str, object]:
    """Write a fresh note as the API acknowledges it: without Changes and User, its date without an offset."""
    return {
        "Details": text,
        "DateUTCString": call.now.strftime("%Y-%m-%dT%H:%M:%S"),
        "DateUTC": answers.bare_stamp(call.now),
        "ValidationErrors": [],
    }


def _credit(kind: r.CreditKind) -> Find:
    return lambda books, key: credit_documents.find(books, kind, key)


_OWNERS: tuple[tuple[str, str, str, str, Find], ...] = (
    ("invoice", "Invoices", "InvoiceID", INVOICES, invoices.find),
    ("contact", "Contacts", "ContactID", CONTACTS, contacts.find),
    ("payment", "Payments", "PaymentID", PAYMENTS, payments.find),
    ("credit_note", "CreditNotes", "CreditNoteID", INVOICES, _credit("credit_note")),
    ("overpayment", "Overpayments", "OverpaymentID", PAYMENTS, _credit("overpayment")),
    ("prepayment", "Prepayments", "PrepaymentID", PAYMENTS, _credit("prepayment")),
)


def _routes() -> tuple[Route, ...]:
    found: list[Route] = []
    for kind, plural, parameter, scope, find in _OWNERS:
        template = f"/{plural}/{{{parameter}}}/History"
        found.append(route("GET", template, scope, _read_of(kind, parameter, find)))
        append_ = _append_of(kind, parameter, find)
        found += [route(method, template, scope, append_, "HistoryRecord") for method in ("PUT", "POST")]
    return tuple(found)


ROUTES = _routes()
