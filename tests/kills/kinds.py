"""What is killed where, as tables: the points of an effect's life, and the kinds of effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from connector.domain.decisions import ActionKind, TargetKind
from connector.domain.effects import EffectKind


class Point(StrEnum):
    """Where the process dies, in the order in which an effect comes by."""

    K1 = "decided, not committed"
    K2 = "intent committed"
    K3 = "claimed: sending written, not committed"
    K4 = "sending committed, nothing sent"
    K5 = "half the request sent"
    K6 = "committed remotely, answer unread"
    K7 = "answer read, not committed"
    K8 = "stored, lease not released"


BEFORE_THE_LEASE = frozenset({Point.K1, Point.K2})
IN_DOUBT = frozenset({Point.K4, Point.K5, Point.K6, Point.K7})
AFTER_THE_ACT = frozenset({Point.K6, Point.K7, Point.K8})
STORED_AS = {Point.K1: "", Point.K2: "planned", Point.K3: "planned", Point.K8: "done"}  # else "sending"


@dataclass(frozen=True)
class Kind:
    """One kind of effect, within the action that brings it about.

    `wrote`: what it leaves in the sandbox's log, "" where it is a letter; `writes`: all that its action leaves there.
    `request`: method and path (a pattern; TARGET is the target's id) of the write; "" where no request is made.
    """

    effect: EffectKind
    action: ActionKind
    customer: str
    wrote: str
    writes: tuple[str, ...]
    request: tuple[str, str] = ("", "")
    on: TargetKind = TargetKind.INVOICE
    office: str = "proposed"
    way: Literal["ledger", "folder", "mail"] = "ledger"  # how it leaves
    letters: int = 0
    findable: bool = True


_NOTE = "history_note"
_LETTER = (_NOTE, _NOTE)
_CREDIT = ("credit_note", "allocation", _NOTE)
_TAGGED = ("group_create", "group_add", _NOTE)
_ADD = ("PUT", "/ContactGroups/[^/]+/Contacts$")
_LAY = ("PUT", "/CreditNotes/[^/]+/Allocations$")

KINDS: Mapping[str, Kind] = {
    "note on invoice": Kind(
        EffectKind.NOTE, ActionKind.SET_EXPECTED_DATE, "Extension Ltd", _NOTE, ("invoice_update", _NOTE),
        ("PUT", "/Invoices/TARGET/History$"),
    ),
    "note on customer": Kind(
        EffectKind.NOTE, ActionKind.REINVOICE, "Letter Ltd", _NOTE, _LETTER, ("PUT", "/Contacts/TARGET/History$"),
        TargetKind.CUSTOMER, letters=1,
    ),
    "tag": Kind(EffectKind.TAG, ActionKind.TAG_DISPUTE, "Query Ltd", "group_add", _TAGGED, _ADD, TargetKind.CUSTOMER),
    "untag": Kind(
        EffectKind.TAG, ActionKind.UNTAG_DISPUTE, "Query Ltd", "group_remove", ("group_remove", _NOTE),
        ("DELETE", "/ContactGroups/[^/]+/Contacts/TARGET$"), TargetKind.CUSTOMER, "tagged",
    ),
    "expected date": Kind(
        EffectKind.EXPECTED_DATE, ActionKind.SET_EXPECTED_DATE, "Extension Ltd", "invoice_update",
        ("invoice_update", _NOTE), ("POST", "/Invoices/TARGET$"),
    ),
    "schedule": Kind(
        EffectKind.SCHEDULE, ActionKind.WRITE_SCHEDULE, "Plan Ltd", "attachment",
        ("attachment", _NOTE, "invoice_update"), ("PUT", "/Invoices/TARGET/Attachments/"),
    ),
    "ledger e-mail": Kind(
        EffectKind.LEDGER_EMAIL, ActionKind.SEND_INVOICE, "Unsent Ltd", "email", ("email", _NOTE),
        ("POST", "/Invoices/TARGET/Email$"), findable=False,
    ),
    "letter to a folder": Kind(
        EffectKind.LETTER, ActionKind.REINVOICE, "Letter Ltd", "", _LETTER, on=TargetKind.CUSTOMER, way="folder",
        letters=1,
    ),
    "letter by mail": Kind(
        EffectKind.LETTER, ActionKind.REINVOICE, "Letter Ltd", "", _LETTER, on=TargetKind.CUSTOMER, way="mail",
        letters=1, findable=False,
    ),
    "credit note": Kind(
        EffectKind.CREDIT_NOTE, ActionKind.CREDIT, "Credit Ltd", "credit_note", _CREDIT, ("PUT", "/CreditNotes$")
    ),
    "allocation": Kind(EffectKind.ALLOCATION, ActionKind.CREDIT, "Credit Ltd", "allocation", _CREDIT, _LAY),
    "open credit laid": Kind(
        EffectKind.ALLOCATION, ActionKind.APPLY_CREDIT, "Open Ltd", "allocation", ("allocation", _NOTE), _LAY
    ),
    "invoice raised again": Kind(
        EffectKind.INVOICE, ActionKind.REISSUE, "Again Ltd", "invoice_create", (*_CREDIT, "invoice_create", _NOTE),
        ("PUT", "/Invoices$"),
    ),
    "terms": Kind(
        EffectKind.TERMS, ActionKind.SET_TERMS, "Terms Ltd", "contact_update", ("contact_update", _NOTE),
        ("POST", "/Contacts/TARGET$"), TargetKind.CUSTOMER,
    ),
    # A tag whose group has to be made first: another request of the same effect.
    "group of a tag": Kind(
        EffectKind.TAG, ActionKind.TAG_DISPUTE, "Query Ltd", "group_create", _TAGGED, ("PUT", "/ContactGroups$"),
        TargetKind.CUSTOMER,
    ),
}  # fmt: skip

CASES = [
    (name, point)
    for name in KINDS
    for point in Point
    # The group's other points are those of its tag.
    if name != "group of a tag" or point in (Point.K5, Point.K6)
]
