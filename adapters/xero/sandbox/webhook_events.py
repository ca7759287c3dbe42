"""Which webhook events a committed change causes: ids only, for every record whose UpdatedDateUTC it moved.

Payments, groups and the organisation have no events. What no source says is a switch: whether money on an invoice
(a payment, an allocation) is told as an event of the invoice.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.xero.sandbox import answers
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.render import API
from adapters.xero.sandbox.store import Books, whole_ms

_PLACES: Mapping[str, tuple[str, str]] = {
    "invoice": ("INVOICE", "Invoices"),
    "contact": ("CONTACT", "Contacts"),
    "credit_note": ("CREDITNOTE", "CreditNotes"),
    "prepayment": ("PREPAYMENT", "Prepayments"),
    "overpayment": ("OVERPAYMENT", "Overpayments"),
}
CATEGORIES = tuple(category for category, _ in _PLACES.values())
_CREATIONS = {"invoice_create", "contact_create", "credit_note", "prepayment", "overpayment"}
_MONEY = {"payment", "payment_delete", "allocation", "allocation_delete"}
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


@dataclass(frozen=True, slots=True)
class Event:
    """One change as a webhook tells it; `sequence` counts within one subscription, from 1."""

    at: datetime
    category: str
    type: str
    plural: str
    resource_id: str
    tenant_id: str
    data: Mapping[str, object] | None = None
    sequence: int = 0

    def wire(self) -> dict[str, object]:
        """Return the event in the wire's words; its date has milliseconds and no zone."""
        told: dict[str, object] = {
            "resourceUrl": f"{API}/{self.plural}/{self.resource_id}",
            "resourceId": self.resource_id,
            "eventDateUtc": self.at.replace(tzinfo=None).isoformat(timespec="milliseconds"),
            "eventType": self.type,
            "eventCategory": self.category,
            "tenantId": self.tenant_id,
            "tenantType": "ORGANISATION",
        }
        return told if self.data is None else {**told, "data": self.data}


def events_of(books: Books, entry: Mapping[str, object]) -> list[Event]:
    """Return the events of one entry of the books' log, not yet numbered, as the records are now."""
    at = whole_ms(datetime.fromisoformat(str(entry["at"])))
    found: list[Event] = []
    for kind, record_id in _touched(books, entry):
        record = _record(books, kind, record_id)
        created = entry["kind"] in _CREATIONS and record_id == entry.get("target_id")
        if record is None or (record.updated < at and not created):
            continue
        category, plural = _PLACES[kind]
        data = _data(record) if isinstance(record, r.Credit) else None
        type_ = "CREATE" if created else "UPDATE"
        found.append(Event(at, category, type_, plural, record.id, books.tenant_id, data))
    return found


def _touched(books: Books, entry: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    kind, target = str(entry.get("target_kind", "")), str(entry.get("target_id", ""))
    if kind in _PLACES:
        yield kind, target
    detail = entry.get("detail")
    if not isinstance(detail, Mapping):
        return
    if entry["kind"] == "contact_merge":
        yield "contact", str(detail.get("merged_to", ""))
    if entry["kind"] not in _MONEY:
        return
    if "document_kind" in detail and (detail["document_kind"] != "invoice" or books.on("webhook_on_money")):
        yield str(detail["document_kind"]), str(detail.get("document_id", ""))
    if "invoice_id" in detail and books.on("webhook_on_money"):
        yield "invoice", str(detail["invoice_id"])


def _record(books: Books, kind: str, record_id: str) -> r.Invoice | r.Contact | r.Credit | None:
    if kind == "invoice":
        return books.invoices.get(record_id)
    if kind == "contact":
        return books.contacts.get(record_id)
    return next((found for known in books.credits if known == kind and (found := books.credit(known, record_id))), None)


def _data(credit: r.Credit) -> dict[str, object] | None:
    """What events of credits tell besides the id; of overpayments no source says anything."""
    told: dict[str, object] = {"Type": credit.type, "Status": credit.status}
    match credit.kind:
        case "credit_note":
            return told
        case "prepayment":
            return {**told, "UpdatedDateUTCString": answers.stamp_string(credit.updated)}
        case "overpayment":
            return None


def payload(events: Sequence[Event], entropy: str) -> bytes:
    """Write a body as the service does, with its irregular spaces: writing it anew breaks the signature."""
    rows = json.dumps([one.wire() for one in events], separators=(",", ":"))
    first, last = (events[0].sequence, events[-1].sequence) if events else (0, 0)
    text = f'{{"events":{rows},"firstEventSequence": {first},"lastEventSequence": {last}, "entropy": "{entropy}"}}'
    return text.encode()


def signature(body: bytes, key: str) -> str:
    """Return x-xero-signature: HMAC-SHA256 under the key's own characters, in base64."""
    return base64.b64encode(hmac.digest(key.encode(), body, hashlib.sha256)).decode()


def spoilt(right: str, how: str) -> str:
    """Return a signature with one character changed.

    `how`: "middle" changes one in the middle, "case" only the case of a letter, "last" one of which a careless decoder
    of base64 would not see the change.
    """
    match how:
        case "middle":
            place, other = 20, _ALPHABET[(_ALPHABET.index(right[20]) + 7) % 64]
        case "case":
            place = next(index for index, sign in enumerate(right) if sign.isalpha())
            other = right[place].swapcase()
        case "last":
            place = len(right.rstrip("=")) - 1
            other = _ALPHABET[_ALPHABET.index(right[place]) ^ 1]
        case _:
            raise ValueError(f"a signature cannot be spoilt by {how!r}")
    return right[:place] + other + right[place + 1 :]
