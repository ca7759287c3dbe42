"""Finding recorded answers in a folder: envelopes, bare lists, single records, other people's containers.

Of a record that appears in several places the newest version counts, by UpdatedDateUTC; among equally new ones the one
that says most.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from adapters.xero.sandbox import lenient
from adapters.xero.sandbox.answers import NO_ID
from adapters.xero.sandbox.reading import exact
from adapters.xero.sandbox.records import Json

# The wire's plural and its id, in the order in which a single record is recognised.
KINDS: Mapping[str, str] = {
    "Payments": "PaymentID",
    "CreditNotes": "CreditNoteID",
    "Overpayments": "OverpaymentID",
    "Prepayments": "PrepaymentID",
    "Invoices": "InvoiceID",
    "ContactGroups": "ContactGroupID",
    "Accounts": "AccountID",
    "Contacts": "ContactID",
    "Users": "UserID",
    "BrandingThemes": "BrandingThemeID",
    "TrackingCategories": "TrackingCategoryID",
    "RepeatingInvoices": "RepeatingInvoiceID",
    "Organisations": "OrganisationID",
    "TaxRates": "TaxType",
    "Currencies": "Code",
    "InvoiceReminders": "Enabled",
}
_PLURALS = {name.lower(): name for name in KINDS} | {"organisation": "Organisations"}
# What a record has to have, besides its id, to be taken for one without a container around it.
_TELLTALE: Mapping[str, tuple[str, ...]] = {
    "Payments": ("Amount",),
    "CreditNotes": ("RemainingCredit", "CreditNoteNumber"),
    "Overpayments": ("RemainingCredit",),
    "Prepayments": ("RemainingCredit",),
    "Invoices": ("Total", "AmountDue"),
    "ContactGroups": ("Name",),
    "Accounts": ("Code", "Type"),
    "Contacts": ("Name",),
    "Users": ("EmailAddress",),
    "Organisations": ("BaseCurrency", "Name"),
    "TaxRates": ("TaxComponents",),
}
_DEEPEST = 12
_BATCHES = {"RECBATCH": "ACCRECPAYMENT", "PAYBATCH": "ACCPAYPAYMENT"}


@dataclass(slots=True)
class Recordings:
    """Records by plural and id in lower case, and notes on what could not be used."""

    records: dict[str, dict[str, Json]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def of(self, plural: str) -> list[Json]:
        """Return the records of one kind."""
        return list(self.records.get(plural, {}).values())

    def add(self, plural: str, raw: Json, source: str) -> None:
        """Add one record, or let it stand against the version that is there."""
        key = lenient.words(raw, KINDS[plural]).lower()
        if plural in {"Organisations", "InvoiceReminders"}:
            key = "the one"  # all is one organisation
        if not key or key == NO_ID:
            self.notes.append(f"{source}: a record of {plural} without {KINDS[plural]} was left out")
            return
        place = self.records.setdefault(plural, {})
        if key not in place or _weight(raw) > _weight(place[key]):
            place[key] = raw


def _weight(raw: Json) -> tuple[datetime, int]:
    stamp = lenient.instant(raw, "UpdatedDateUTC") or datetime.min.replace(tzinfo=UTC)
    return stamp, _richness(raw)


def _richness(value: object) -> int:
    if isinstance(value, Mapping):
        return sum(1 + _richness(one) for one in value.values() if one not in (None, "", [], {}))
    if isinstance(value, list):
        return sum(_richness(one) for one in value)
    return 0


def gather(folder: Path) -> Recordings:
    """Read every JSON file below the folder. Raises ValueError when it is no folder."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder of recorded answers")
    found = Recordings()
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() != ".json":
            found.notes.append(f"{name}: not a JSON file, left out")
            continue
        before = sum(len(place) for place in found.records.values())
        try:
            body = json.loads(path.read_text("utf-8-sig"), parse_float=exact, parse_constant=lambda _: None)
        except (ValueError, RecursionError) as reason:
            found.notes.append(f"{name}: not readable as JSON ({reason}), left out")
            continue
        for plural, raw in _records_in(body, 0):
            found.add(plural, raw, name)
        if sum(len(place) for place in found.records.values()) == before:
            found.notes.append(f"{name}: nothing new found in it")
    return found


def _records_in(value: object, depth: int) -> Iterator[tuple[str, Json]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for one in value:
            yield from _records_in(one, depth + 1)
    elif isinstance(value, dict) and "ErrorNumber" not in value:
        yield from _records_of(value, depth)


def _records_of(value: dict[str, object], depth: int) -> Iterator[tuple[str, Json]]:
    if "BatchPaymentID" in value and isinstance(value.get("Payments"), list):
        yield from (("Payments", one) for one in _of_batch(value))
        return
    plural = _recognised(value)
    if plural:
        yield plural, value
        return
    for key, item in value.items():
        known = _PLURALS.get(str(key).lower().replace("_", ""))
        if known and isinstance(item, (list, dict)):
            rows = item if isinstance(item, list) else [item]
            yield from ((known, one) for one in rows if isinstance(one, dict))
        else:
            yield from _records_in(item, depth + 1)


def _of_batch(batch: dict[str, object]) -> Iterator[Json]:
    """A batch's payments, each with what only the batch says: which way the money went, when, over which account."""
    kind = _BATCHES.get(lenient.words(batch, "Type"), "")
    told = ("Date", "DateString", "Status", "IsReconciled", "Account")
    shared: dict[str, object] = {key: batch[key] for key in told if key in batch}
    nested = {key: item for key, item in batch.items() if key != "Payments"}
    for one in lenient.children(batch, "Payments"):
        yield {"PaymentType": kind, "BatchPayment": nested, **shared, **one}


def _recognised(value: dict[str, object]) -> str | None:
    for plural, marks in _TELLTALE.items():
        if KINDS[plural] in value and any(mark in value for mark in marks):
            return plural
    return None
