"""Effects: one effect is exactly one write. Identity, markers and payloads (`docs/explanation/guarantees`)."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Base64Bytes, Field, TypeAdapter

from connector.domain.decisions import TargetKind
from connector.domain.ledger import CreditKind, PaymentTerms
from connector.domain.money import Money

MARKER_LENGTH = 12


class EffectKind(StrEnum):
    NOTE = "note"
    TAG = "tag"
    EXPECTED_DATE = "expected_date"
    SCHEDULE = "schedule"
    LEDGER_EMAIL = "ledger_email"
    LETTER = "letter"
    CREDIT_NOTE = "credit_note"
    ALLOCATION = "allocation"
    INVOICE = "invoice"
    TERMS = "terms"


@dataclass(frozen=True, slots=True)
class Note:
    """A status note on an invoice or customer: a neutral phrase from the closed list, without the marker.

    `dated`: how the text writes the day of the act it reports, as planned; the true day replaces it when the note is
    prepared, because a note must not say that a letter left on a day on which it did not.
    """

    text: str
    dated: str = ""
    kind: Literal["note"] = "note"


@dataclass(frozen=True, slots=True)
class Tag:
    """The dispute tag on a customer, as a state: present or absent."""

    tag: str
    present: bool
    kind: Literal["tag"] = "tag"


@dataclass(frozen=True, slots=True)
class ExpectedDate:
    """The ledger's expected payment date. Written only if the ledger's value still is `seen`."""

    expected: date
    seen: date | None
    kind: Literal["expected_date"] = "expected_date"


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    number: int
    due: date
    amount: Money


@dataclass(frozen=True, slots=True)
class Schedule:
    """A payment-plan schedule laid beside an invoice. `document` is what a person sees when opening it."""

    plan_id: str
    version: int
    lines: tuple[ScheduleLine, ...]
    document: Base64Bytes  # raw bytes here, base64 in JSON: PDF bytes are no UTF-8
    media_type: str = "application/pdf"
    kind: Literal["schedule"] = "schedule"


@dataclass(frozen=True, slots=True)
class LedgerEmail:
    """Ask the ledger to e-mail the invoice with its own text. Cannot be found again: at most once."""

    copy: bool = False
    kind: Literal["ledger_email"] = "ledger_email"


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter by our own channel, to one recipient. Cannot be found again: at most once."""

    recipient: str
    subject: str
    text: str
    html: str = ""
    attach_invoices: tuple[str, ...] = ()
    kind: Literal["letter"] = "letter"


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One line of a document that we raise: its net amount and its tax, both as they shall stand, never recomputed.

    Without account and sums it only says something.
    """

    description: str
    net: Money
    tax: Money
    account: str  # the ledger's code of the account
    tax_code: str


@dataclass(frozen=True, slots=True)
class CreditNote:
    """Raise an approved credit note. It is laid against the invoice by an `Allocation` after it.

    `number` is chosen by us and unique, so that a repeat finds it; `reference` ends with the marker when it is sent.
    """

    number: str
    customer_id: str
    dated: date
    lines: tuple[DocumentLine, ...]
    rate: Decimal  # the invoice's own rate: units of its currency for one unit of base
    reference: str = ""
    kind: Literal["credit_note"] = "credit_note"


@dataclass(frozen=True, slots=True)
class Allocation:
    """Lay a credit against the target invoice. `credit_id` "" = the credit whose receipt is the first of `after`."""

    credit: CreditKind
    amount: Money
    dated: date
    credit_id: str = ""
    kind: Literal["allocation"] = "allocation"


@dataclass(frozen=True, slots=True)
class NewInvoice:
    """Raise an approved invoice in place of (a part of) the target invoice: an instalment, or a reissue."""

    number: str
    customer_id: str
    dated: date
    due: date
    lines: tuple[DocumentLine, ...]
    rate: Decimal
    reference: str = ""
    kind: Literal["invoice"] = "invoice"


@dataclass(frozen=True, slots=True)
class Terms:
    """Set a customer's terms for future invoices. Written only if the ledger's value still is `seen`."""

    wanted: PaymentTerms
    seen: PaymentTerms | None
    kind: Literal["terms"] = "terms"


Payload = Annotated[
    Note | Tag | ExpectedDate | Schedule | LedgerEmail | Letter | CreditNote | Allocation | NewInvoice | Terms,
    Field(discriminator="kind"),
]


def effect_key(ledger: str, organisation: str, kind: str, target: str, occasion: str, part: str = "") -> str:
    """The effect's identity: 64 hex digits over the ledger's own ids only, so a rebuilt database finds its markers."""
    material = json.dumps([ledger, organisation, kind, target, occasion, part], ensure_ascii=True)
    return hashlib.sha256(material.encode()).hexdigest()


def marker(key: str) -> str:
    """`[dw:` + 12 base32 characters (60 bits) of the key + `]`: the last thing in every text that we write."""
    short = base64.b32encode(bytes.fromhex(key))[:MARKER_LENGTH].decode().lower()
    return f"[dw:{short}]"


@dataclass(frozen=True, slots=True)
class Effect:
    """One write to come. `after`: keys of effects that must be DONE first; if one is not, this is CANCELLED."""

    key: str
    kind: EffectKind
    target_kind: TargetKind
    target: str  # the ledger's id
    occasion: str
    payload: Payload
    part: str = ""
    after: tuple[str, ...] = ()

    @property
    def marker(self) -> str:
        return marker(self.key)


EFFECT: TypeAdapter[Effect] = TypeAdapter(Effect)


class EffectState(StrEnum):
    PLANNED = "planned"
    SENDING = "sending"
    DONE = "done"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    HUMAN = "human"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Prepared:
    """The exact request that will be sent: frozen before the first byte leaves. `key` is the vendor's own."""

    method: str
    path: str
    body: bytes
    content_type: str = "application/json"
    key: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that an effect happened: what the ledger (or channel) said, ids that later effects need."""

    reference: str  # e.g. ledger id, attachment id, Message-ID
    detail: str = ""
    found: bool = False  # True when a probe found it, False when the answer said so
    already: bool = False  # the state was there before (absolute sets)


class Finding(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Probe:
    """What a look into the ledger found."""

    finding: Finding
    receipt: Receipt | None = None


def content_hash(effect: Effect) -> str:
    """Hash of what would be written; other content under the same key supersedes only while PLANNED."""
    return hashlib.sha256(EFFECT.dump_json(effect)).hexdigest()


@dataclass(frozen=True, slots=True)
class EffectClass:
    """How an effect kind can be made exactly once on one ledger, and what happens where it cannot."""

    letter: Literal["S", "C", "N", "P", "U"]
    supported: bool = True
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one ledger can carry, by effect kind."""

    classes: dict[EffectKind, EffectClass] = field(default_factory=dict)
    note_limit: int = 2500
