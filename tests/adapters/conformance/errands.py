"""One errand for every kind of write: the effect, what must be there before it, and how a person gets in its way."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from connector.domain.decisions import TargetKind
from connector.domain.effects import (
    Allocation,
    CreditNote,
    DocumentLine,
    Effect,
    EffectKind,
    ExpectedDate,
    LedgerEmail,
    Letter,
    NewInvoice,
    Note,
    Payload,
    Prepared,
    Receipt,
    Schedule,
    ScheduleLine,
    Tag,
    Terms,
    effect_key,
)
from connector.domain.ledger import CreditKind, PaymentTerms, RecordKind, TermsBasis
from connector.domain.money import Money
from tests.adapters.conformance.bench import Json
from tests.adapters.conformance.books import new_invoice
from tests.adapters.conformance.desk import Desk, Mirror

NOBODY = "00000000-0000-4000-8000-000000000000"
SENDS_WITHIN = timedelta(seconds=75)
PDF = b"%PDF-1.4\n" + b"a payment plan " * 20
TODAY = date(2026, 3, 2)


@dataclass(frozen=True)
class Errand:
    """A write to be carried out at a desk."""

    desk: Desk
    effect: Effect
    receipts: Mapping[str, Receipt] = field(default_factory=dict)

    def prepared(self, vendor_key: str = "") -> Prepared:
        """The request, frozen. Another vendor key is what a new attempt after a look brings."""
        made = self.desk.ledger.prepare(self.effect, self.receipts)
        return replace(made, key=vendor_key) if vendor_key else made

    def send(self, prepared: Prepared) -> Receipt:
        return self.desk.ledger.send(self.effect, prepared, self.desk.clock.now() + SENDS_WITHIN)

    def happened(self) -> int:
        """How often the ledger committed it."""
        return self.desk.happened(self.effect, self.prepared())


Maker = Callable[["Sight"], tuple[EffectKind, TargetKind, str, Payload]]


class Sight:
    """What the adapter itself has read: effects are made of nothing else."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        mirror = Mirror()
        desk.pull(mirror)
        self._of = {kind: list(mirror.of(kind).values()) for kind in RecordKind}
        self.tag = str(desk.bench.adapter.mapping_defaults["dispute_tag"])

    def invoice(self, number: str = "INV-1") -> Any:
        return next(one for one in self._of[RecordKind.INVOICE] if one["number"] == number)

    def customer(self, name: str = "Acorn Ltd") -> Any:
        return next(one for one in self._of[RecordKind.CUSTOMER] if one["name"] == name)

    def credit(self, kind: CreditKind) -> Any:
        return next(one for one in self._of[RecordKind.CREDIT] if one["kind"] is kind)

    def lines(self, net: str = "50.00") -> tuple[DocumentLine, ...]:
        """A line like those of the invoice: its account, its tax, in proportion."""
        _, _, its_net, its_tax, account, code = self.invoice()["lines"][0]
        amount = Money.of(Decimal(net), "GBP")
        return (DocumentLine("Goodwill", amount, Money(amount.minor * its_tax // its_net, "GBP"), account, code),)

    def tagged(self, name: str) -> str:
        return str(self.customer(name)["id"])


def _note(sight: Sight) -> tuple[EffectKind, TargetKind, str, Payload]:
    return EffectKind.NOTE, TargetKind.INVOICE, sight.invoice()["id"], Note("Reminder letter sent on 2 Mar 2026.")


def _customer_note(sight: Sight) -> tuple[EffectKind, TargetKind, str, Payload]:
    return EffectKind.NOTE, TargetKind.CUSTOMER, sight.customer()["id"], Note("Statement sent on 2 Mar 2026.")


def _tag(sight: Sight) -> tuple[EffectKind, TargetKind, str, Payload]:
    return EffectKind.TAG, sight.desk.bench.tag_on, sight.tagged("Acorn Ltd"), Tag(sight.tag, present=True)


def _untag(sight: Sight) -> tuple[EffectKind, TargetKind, str, Payload]:
    return EffectKind.TAG, sight.desk.bench.tag_on, sight.tagged("Birch & Söhne GmbH"), Tag(sight.tag, present=False)


def _expected(sight: Sight) -> tuple[EffectKind, TargetKind, str, Payload]:
    payload = ExpectedDate(date(2026, 3, 31), None)
    return EffectKind.EXPECTED_DATE, TargetKind.INVOICE, sight.invoice()["id"], payload


def _schedule(sight: Sight) -> tuple[EffectKind, TargetKind, str, Payload]:
    half = Money(sight.invoice()["balance"] // 2, "GBP")
    lines = (ScheduleLine(1, date(2026, 4, 1), half), ScheduleLine(2, date(2026, 5, 1), half))
    payload = Schedule("plan-1", 1, lines, base64.b64encode(PDF))
    return EffectKind.SCHEDULE, TargetKind.INVOICE, sight.invoice()["id"], replace(payload, document=PDF)


def _email(sight: Sight) -> tuple[EffectKind, TargetKind, str, Payload]:
    return EffectKind.LEDGER_EMAIL, TargetKind.INVOICE, sight.invoice()["id"], LedgerEmail()


def _credit_note(sight: Sight) -> tuple[EffectKind, TargetKind, str, Payload]:
    invoice = sight.invoice()
    payload = CreditNote("INV-1-C7", invoice["customer_id"], TODAY, sight.lines(), Decimal(1), "INV-1 goodwill")
    return EffectKind.CREDIT_NOTE, TargetKind.INVOICE, invoice["id"], payload


def _allocation_after(sight: Sight) -> tuple[EffectKind, TargetKind, str, Payload]:
    part = Allocation(CreditKind.CREDIT_NOTE, Money.of(Decimal("60.00"), "GBP"), TODAY)
    return EffectKind.ALLOCATION, TargetKind.INVOICE, sight.invoice()["id"], part


def _allocation_open(sight: Sight) -> tuple[EffectKind, TargetKind, str, Payload]:
    credit = sight.credit(CreditKind.PREPAYMENT)
    part = Allocation(CreditKind.PREPAYMENT, Money.of(Decimal("100.00"), "GBP"), TODAY, credit["id"])
    return EffectKind.ALLOCATION, TargetKind.INVOICE, sight.invoice()["id"], part


def _new_invoice(sight: Sight) -> tuple[EffectKind, TargetKind, str, Payload]:
    invoice = sight.invoice()
    due = date(2026, 4, 1)
    payload = NewInvoice("INV-1-P1", invoice["customer_id"], TODAY, due, sight.lines("120.00"), Decimal(1), "INV-1")
    return EffectKind.INVOICE, TargetKind.INVOICE, invoice["id"], payload


def _terms(sight: Sight) -> tuple[EffectKind, TargetKind, str, Payload]:
    seen: PaymentTerms | None = sight.customer()["terms"]
    payload = Terms(PaymentTerms(30, TermsBasis.AFTER_INVOICE_DATE), seen)
    return EffectKind.TERMS, TargetKind.CUSTOMER, sight.customer()["id"], payload


MAKERS: Mapping[str, Maker] = {
    "note": _note,
    "note on the customer": _customer_note,
    "tag": _tag,
    "untag": _untag,
    "expected date": _expected,
    "schedule": _schedule,
    "ledger e-mail": _email,
    "credit note": _credit_note,
    "allocation of the credit note": _allocation_after,
    "allocation of an open credit": _allocation_open,
    "new invoice": _new_invoice,
    "terms": _terms,
}
ERRANDS = tuple(MAKERS)
KINDS = {
    "note": EffectKind.NOTE,
    "note on the customer": EffectKind.NOTE,
    "tag": EffectKind.TAG,
    "untag": EffectKind.TAG,
    "expected date": EffectKind.EXPECTED_DATE,
    "schedule": EffectKind.SCHEDULE,
    "ledger e-mail": EffectKind.LEDGER_EMAIL,
    "credit note": EffectKind.CREDIT_NOTE,
    "allocation of the credit note": EffectKind.ALLOCATION,
    "allocation of an open credit": EffectKind.ALLOCATION,
    "new invoice": EffectKind.INVOICE,
    "terms": EffectKind.TERMS,
}
LETTER = Letter("pay@acorn.example", "Reminder", "Please pay")

# What a person does to the same thing before the write: another date, the same number, the tag put on or taken off.
IN_THE_WAY: Mapping[str, Json] = {
    "note": {"do": "note", "invoice": "INV-1", "text": "Rang them, will pay on Friday"},
    "note on the customer": {"do": "note", "customer": "acorn", "text": "Rang them"},
    "tag": {"do": "add_to_group", "customer": "acorn"},
    "untag": {"do": "remove_from_group", "customer": "birch"},
    "expected date": {"do": "edit_invoice", "invoice": "INV-1", "expected": "2026-04-20"},
    "schedule": {"do": "edit_invoice", "invoice": "INV-1", "reference": "changed"},
    "ledger e-mail": {"do": "edit_invoice", "invoice": "INV-1", "reference": "changed"},
    "credit note": {"do": "credit", "customer": "elm", "amount": "9.00", "number": "INV-1-C7"},
    "allocation of the credit note": {"do": "allocate", "credit": "INV-1-C7", "invoice": "INV-PART", "amount": "10.00"},
    "allocation of an open credit": {"do": "allocate", "credit": "pre", "invoice": "INV-PART", "amount": "60.00"},
    "new invoice": new_invoice("INV-1-P1", "elm", "9.00"),
    "terms": {"do": "edit_contact", "customer": "acorn", "terms_days": 60},
}


def errand(
    desk: Desk, name: str, target: str = "", after: Errand | None = None, proof: Receipt | None = None
) -> Errand:
    """The errand, with everything done that comes before it (or that was: `after`, with its `proof`).

    `target`: of another record than the one it is about.
    """
    sight = Sight(desk)
    receipts: dict[str, Receipt] = {}
    if after is not None and proof is not None:
        receipts[after.effect.key] = proof
    elif name == "allocation of the credit note":
        before = _made(desk, "credit note", _credit_note(sight))
        sent = Errand(desk, before)
        receipts[before.key] = sent.send(sent.prepared())
    kind, target_kind, its, payload = MAKERS[name](sight)
    if target and isinstance(payload, CreditNote | NewInvoice):
        payload = replace(payload, customer_id=target)
    effect = _made(desk, name, (kind, target_kind, target or its, payload), tuple(receipts))
    desk.forget()
    return Errand(desk, effect, receipts)


def _made(
    desk: Desk, name: str, parts: tuple[EffectKind, TargetKind, str, Payload], after: tuple[str, ...] = ()
) -> Effect:
    kind, target_kind, target, payload = parts
    key = effect_key(desk.bench.adapter.name, desk.grant.ledger_id, kind.value, target, "level 2 of INV-1", name)
    return Effect(key, kind, target_kind, target, "level 2 of INV-1", payload, name, after)


def in_the_way(desk: Desk, name: str) -> Json:
    """What a person does to the same thing."""
    act = dict(IN_THE_WAY[name])
    return {**act, "group": str(desk.bench.adapter.mapping_defaults["dispute_tag"])} if "_group" in act["do"] else act
