"""Books from a folder of recorded API answers. What was printed stays as it was printed, sums that do not add up
included, until something touches the record; from then on changes move the printed amounts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid5

from adapters.xero.sandbox import lenient, recorded
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.founding import furnish, table
from adapters.xero.sandbox.recordings import KINDS, Recordings, gather
from adapters.xero.sandbox.render import PLURALS
from adapters.xero.sandbox.store import Books, tenant_id_of

_PLAIN = ("Accounts", "TaxRates", "Users", "BrandingThemes", "Currencies", "TrackingCategories", "RepeatingInvoices")
_HOME = {"NZD": "NZ", "GBP": "GB", "AUD": "AU", "USD": "US"}


def load(folder: Path, now: datetime) -> Books:
    """Return the books of the one organisation whose answers lie in the folder. Raises ValueError without any record.

    `notes` of the books tell what was left out and why.
    """
    found = gather(folder)
    if not found.records:
        raise ValueError(f"{folder} holds no recorded answers: {'; '.join(found.notes) or 'no files'}")
    books = _organisation(found, now)
    for plural in _PLAIN:
        if rows := found.of(plural):
            books.plain[plural] = table(r.Plain(lenient.words(one, KINDS[plural]), lenient.tidied(one)) for one in rows)
    _contacts(books, found)
    _groups(books, found)
    _documents(books, found)
    _balances(books, found, now)
    furnish(books, now, _currencies(found))
    books.notes = found.notes
    return books


def _currencies(found: Recordings) -> list[str]:
    used = Counter(lenient.words(one, "CurrencyCode") for one in found.of("Invoices"))
    return [code for code, _ in used.most_common() if code]


def _organisation(found: Recordings, now: datetime) -> Books:
    raw = next(iter(found.of("Organisations")), r.NOTHING)
    currency = next(iter(_currencies(found)), "NZD")
    tenant_id = tenant_id_of(f"{lenient.words(raw, 'OrganisationID')}/{lenient.words(raw, 'Name') or 'Recorded books'}")
    made = recorded.organisation(raw, tenant_id, currency, _HOME.get(currency, ""))
    reminders = next(iter(found.of("InvoiceReminders")), r.NOTHING)
    made = replace(made, native_reminders=lenient.flag(reminders, "Enabled") or False)
    return Books(made, now, tenant_id)


# --- contacts --------------------------------------------------------------------------------------------------


def _contacts(books: Books, found: Recordings) -> None:
    for raw in found.of("Contacts"):
        books.put_contact(recorded.contact(raw, lenient.words(raw, "ContactID")))
    documents = [one for plural in PLURALS.values() for one in found.of(plural)]
    paid = [lenient.child(one, "Invoice") for one in found.of("Payments")]
    for document in (*documents, *paid):
        _embedded(books, lenient.child(document, "Contact"))


def _embedded(books: Books, raw: r.Json) -> str:
    """Add the contact that a document names, or the name where only the id was listed; return its id."""
    own_id, name = recorded.contact_id(raw, books.tenant_id), lenient.words(raw, "Name")
    listed = books.contacts.get(own_id) if own_id else None
    if own_id and listed is None:
        books.put_contact(recorded.contact(raw, own_id))
    elif listed is not None and name and not listed.name:
        books.put_contact(replace(listed, name=name))
    return own_id


def _groups(books: Books, found: Recordings) -> None:
    for raw in found.of("ContactGroups"):
        members = [_embedded(books, one) for one in lenient.children(raw, "Contacts")]
        _group(books, raw, members)
    for raw in found.of("Contacts"):
        for one in lenient.children(raw, "ContactGroups"):
            _group(books, one, [lenient.words(raw, "ContactID")])


def _group(books: Books, raw: r.Json, members: list[str]) -> None:
    own_id = lenient.words(raw, "ContactGroupID")
    if not own_id:
        return
    status = lenient.words(raw, "Status") or "ACTIVE"
    group = books.groups.get(own_id) or r.Group(own_id, lenient.words(raw, "Name"), status)
    joined = dict.fromkeys((*group.members, *(one for one in members if one)))
    books.groups.put(replace(group, members=tuple(joined)))


def _balances(books: Books, found: Recordings, now: datetime) -> None:
    for raw in found.of("Contacts"):
        printed, contact = recorded.balance(raw), books.contacts.get(lenient.words(raw, "ContactID"))
        if printed and contact:
            shift = printed.minus(books.reckoned_balance(contact.id, now))
            books.put_contact(replace(contact, printed_minus_reckoned=shift))


# --- documents -------------------------------------------------------------------------------------------------


def _documents(books: Books, found: Recordings) -> None:
    for kind in books.credits:
        for raw in found.of(PLURALS[kind]):
            owner = _embedded(books, lenient.child(raw, "Contact"))
            books.put_credit(recorded.credit(raw, kind, owner))
            _files(books, kind, lenient.words(raw, recorded.CREDIT_IDS[kind]), raw)
    for raw in found.of("Invoices"):
        invoice = recorded.invoice(raw, _embedded(books, lenient.child(raw, "Contact")))
        books.put_invoice(replace(invoice, loose=_loose_credits(books, invoice.id, raw)))
        _files(books, "invoice", invoice.id, raw)
    for raw in found.of("Payments"):
        books.put_payment(recorded.payment(raw))
    for raw in found.of("Invoices"):
        _nested_payments(books, "invoice", lenient.words(raw, "InvoiceID"), raw)
    for kind in books.credits:
        for raw in found.of(PLURALS[kind]):
            _nested_payments(books, kind, lenient.words(raw, recorded.CREDIT_IDS[kind]), raw)


def _loose_credits(books: Books, invoice_id: str, raw: r.Json) -> dict[str, tuple[r.Json, ...]]:
    """Return the nested credits that no listed credit's allocation accounts for."""
    accounted = {credit.id.lower() for credit, _ in books.credits_on(invoice_id)}
    loose: dict[str, tuple[r.Json, ...]] = {}
    for kind, id_field in recorded.CREDIT_IDS.items():
        rows = lenient.children(raw, PLURALS[kind])
        loose[PLURALS[kind]] = tuple(one for one in rows if lenient.words(one, id_field).lower() not in accounted)
    return loose


def _nested_payments(books: Books, kind: r.DocumentKind, document_id: str, raw: r.Json) -> None:
    """Give nested payments that are not listed a record of their own; those without an id stay where they are."""
    loose: list[r.Json] = []
    for one in lenient.children(raw, "Payments"):
        payment_id = lenient.words(one, "PaymentID")
        listed = books.payments.get(payment_id) if payment_id else None
        if not payment_id:
            loose.append(one)
        elif listed is None or (not listed.document_id and listed.document_kind == "invoice"):
            type_, on = lenient.words(raw, "Type"), lenient.day(one, "Date")
            made = recorded.nested_payment(one, kind, document_id, type_, on)
            books.put_payment(replace(listed, document_kind=kind, document_id=document_id) if listed else made)
    if not loose:
        return
    if kind == "invoice":
        if invoice := books.invoices.get(document_id):
            books.put_invoice(replace(invoice, loose={**invoice.loose, "Payments": tuple(loose)}))
    elif credit := books.credit(kind, document_id):
        books.put_credit(replace(credit, loose={"Payments": tuple(loose)}))


def _files(books: Books, kind: str, record_id: str, raw: r.Json) -> None:
    """Note the files that a document names; their content was not recorded."""
    files = tuple(
        r.Attachment(
            id=lenient.words(one, "AttachmentID") or str(uuid5(UUID(books.tenant_id), f"{record_id}/{name}")),
            name=name,
            mime=lenient.words(one, "MimeType") or "application/octet-stream",
            size=int(lenient.amount(one, "ContentLength") or 0),
            include_online=lenient.flag(one, "IncludeOnline") or False,
        )
        for one in lenient.children(raw, "Attachments")
        if (name := lenient.words(one, "FileName"))
    )
    if files:
        books.put_files(kind, record_id, files)
