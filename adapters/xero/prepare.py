"""From an effect to the one request that matters, frozen before the first byte leaves. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, assert_never

from adapters.xero import documents
from adapters.xero.client import segment
from connector.domain.decisions import TargetKind
from connector.domain.effects import (
    Allocation,
    Capabilities,
    CreditNote,
    Effect,
    EffectClass,
    EffectKind,
    ExpectedDate,
    LedgerEmail,
    Letter,
    NewInvoice,
    Note,
    Prepared,
    Receipt,
    Schedule,
    Tag,
    Terms,
)
from connector.errors import Refused

NOTE_LIMIT: Final = 2500  # characters, the marker included
LARGEST_ATTACHMENT: Final = 10 * 1024 * 1024  # bytes
_EXTENSIONS: Final = {"application/pdf": "pdf", "text/html": "html", "text/plain": "txt", "text/csv": "csv"}
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")

CAPABILITIES: Final = Capabilities(
    classes={
        EffectKind.NOTE: EffectClass("P"),
        EffectKind.TAG: EffectClass("S"),
        EffectKind.EXPECTED_DATE: EffectClass("S", instead="a note, where payments or credits are applied"),
        EffectKind.SCHEDULE: EffectClass("N"),
        EffectKind.LEDGER_EMAIL: EffectClass("U"),
        EffectKind.LETTER: EffectClass("U", supported=False, instead="sent by dunwell's own channels"),
        EffectKind.CREDIT_NOTE: EffectClass("N"),
        EffectKind.ALLOCATION: EffectClass("P"),
        EffectKind.INVOICE: EffectClass("N"),
        EffectKind.TERMS: EffectClass("S"),
    },
    note_limit=NOTE_LIMIT,
)


def prepare(effect: Effect, receipts: Mapping[str, Receipt]) -> Prepared:
    """The exact request for the effect. Pure. Raises `Refused` where Xero cannot carry it.

    `receipts`: of the effects that come before this one, by effect key.
    """
    payload = effect.payload
    match payload:
        case Note():
            return _note(effect, payload)
        case Tag():
            return _tag(effect, payload)
        case ExpectedDate():
            _only_on(effect, TargetKind.INVOICE)
            body = {"InvoiceID": effect.target, "ExpectedPaymentDate": payload.expected.isoformat()}
            return _json(effect, "POST", f"/Invoices/{segment(effect.target)}", body)
        case Schedule():
            return _schedule(effect, payload)
        case LedgerEmail():
            _only_on(effect, TargetKind.INVOICE)
            return _json(effect, "POST", f"/Invoices/{segment(effect.target)}/Email", {})
        case Letter():
            raise Refused("Xero sends no letters of our wording", next_step="letters go by dunwell's own channels")
        case CreditNote():
            return _json(effect, *documents.prepare_credit_note(effect, payload))
        case NewInvoice():
            return _json(effect, *documents.prepare_invoice(effect, payload))
        case Allocation():
            _only_on(effect, TargetKind.INVOICE)
            return _json(effect, *documents.prepare_allocation(effect, payload, receipts))
        case Terms():
            _only_on(effect, TargetKind.CUSTOMER)
            return _json(effect, *documents.prepare_terms(effect, payload))
        case _:
            assert_never(payload)


def _json(effect: Effect, method: str, path: str, body: Mapping[str, Any]) -> Prepared:
    return Prepared(method, path, json.dumps(body).encode(), key=_vendor_key(effect))


def _vendor_key(effect: Effect) -> str:
    return f"dw-{effect.key}"


def _only_on(effect: Effect, *kinds: TargetKind) -> None:
    if effect.target_kind not in kinds:
        raise Refused(f"Xero carries no {effect.kind} on {effect.target_kind}", record=effect.target)


def _note(effect: Effect, note: Note) -> Prepared:
    record = {"Details": f"{_fit(note.text, NOTE_LIMIT - len(effect.marker) - 1)} {effect.marker}"}
    return _json(effect, "PUT", history_path(effect), {"HistoryRecords": [record]})


def history_path(effect: Effect) -> str:
    _only_on(effect, TargetKind.INVOICE, TargetKind.CUSTOMER)
    parent = "Invoices" if effect.target_kind is TargetKind.INVOICE else "Contacts"
    return f"/{parent}/{segment(effect.target)}/History"


def _fit(text: str, limit: int) -> str:
    """The text without control characters, cut at a word where it is too long."""
    text = _UNPRINTABLE.sub(" ", text).strip()
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    word = cut.rfind(" ")
    return f"{cut[:word] if word > limit // 2 else cut}…"


def _tag(effect: Effect, tag: Tag) -> Prepared:
    """The group stands in the path by its name: its id is looked up, or the group created, when sending."""
    _only_on(effect, TargetKind.CUSTOMER)
    if not tag.tag.strip():
        raise Refused("the tag has no name", record=effect.target)
    path = f"/ContactGroups/{segment(tag.tag)}/Contacts"
    if tag.present:
        return _json(effect, "PUT", path, {"Contacts": [{"ContactID": effect.target}]})
    # Without the contact's id this call would empty the whole group; `segment` refuses an empty id.
    return Prepared("DELETE", f"{path}/{segment(effect.target)}", b"", key=_vendor_key(effect))


def _schedule(effect: Effect, schedule: Schedule) -> Prepared:
    _only_on(effect, TargetKind.INVOICE)
    if schedule.media_type not in _EXTENSIONS:
        raise Refused(f"a schedule cannot be attached as {schedule.media_type}", record=effect.target)
    if not 0 < len(schedule.document) <= LARGEST_ATTACHMENT:
        raise Refused("the schedule is empty or larger than the 10 MB that Xero takes", record=effect.target)
    path = f"/Invoices/{segment(effect.target)}/Attachments/{segment(attachment_name(effect, schedule))}"
    return Prepared("PUT", path, schedule.document, schedule.media_type, _vendor_key(effect))


def attachment_name(effect: Effect, schedule: Schedule) -> str:
    """Holds the marker's characters, so that it is unique and can be found again."""
    short = effect.marker.removeprefix("[dw:").removesuffix("]")
    return f"payment-plan-{short}-v{schedule.version}.{_EXTENSIONS[schedule.media_type]}"
