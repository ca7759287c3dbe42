"""What our own case records say about one customer on one day: the newest word on each matter, nothing from later."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from connector.domain.cases import (
    CallMade,
    CallOutcome,
    CaseFile,
    CaseRecord,
    Exclusion,
    HeldBy,
    Holder,
    LegalHold,
    LetterSent,
    OptOut,
    Party,
    PartyIs,
    Reply,
    TakeOnChoice,
    TakeOnSorted,
)
from connector.domain.ledger import Customer

R = TypeVar("R", bound=CaseRecord)

# One mailbox, nothing else: an address from a ledger must not smuggle in headers or a second recipient.
_ADDRESS = re.compile(r"[^\s@,;<>\"'()\[\]\\\x00-\x1f\x7f]{1,64}@[^\s@,;<>\"'()\[\]\\\x00-\x1f\x7f]{1,190}")
_SPEAKS = (CallOutcome.SPOKE, CallOutcome.VOICEMAIL)
NOT_A_CONTACT = "send_invoice"  # the invoice itself is trade, not dunning


@dataclass(frozen=True, slots=True)
class Known:
    """One customer's case records up to and including `as_of`, the last version of each, oldest first, by kind."""

    by_kind: Mapping[type, Sequence[CaseRecord]]
    as_of: date

    @classmethod
    def of(cls, file: CaseFile, customer_id: str, as_of: date) -> Known:
        latest: dict[str, CaseRecord] = {}
        for record in file.records:
            if record.on <= as_of and record.customer_id in ("", customer_id):
                latest.pop(f"{record.kind}:{record.id}", None)
                latest[f"{record.kind}:{record.id}"] = record
        by_kind: dict[type, list[CaseRecord]] = {}
        for record in sorted(latest.values(), key=lambda r: r.on):
            by_kind.setdefault(type(record), []).append(record)
        return cls(by_kind, as_of)

    def all(self, kind: type[R]) -> tuple[R, ...]:
        """Every record of this kind, oldest first."""
        return tuple(record for record in self.by_kind.get(kind, ()) if isinstance(record, kind))

    def party(self) -> Party:
        said = self.all(PartyIs)
        return said[-1].party if said else Party.UNKNOWN

    def holder(self, invoice_id: str = "") -> Holder:
        """Who holds the customer's debt, or this invoice; an invoice inherits nothing here."""
        said = [r for r in self.all(HeldBy) if r.invoice_id == invoice_id and (invoice_id or r.customer_id)]
        return said[-1].holder if said else Holder.US

    def legal_hold(self) -> LegalHold | None:
        """The oldest hold that was not lifted."""
        return next((hold for hold in self.all(LegalHold) if not self.is_past(hold.lifted_on)), None)

    def exclusion(self, invoice_id: str = "") -> tuple[str, date | None]:
        """Reason and expiry ("" = not excluded; no expiry = for good). Ends on its `until` day; the longest counts."""
        standing = [
            (r.reason or "excluded", r.until)
            for r in self.all(Exclusion)
            if r.invoice_id == invoice_id and not self.is_past(r.lifted_on) and self.runs(r.until)
        ]
        sorted_out = self._sorted(invoice_id)
        if sorted_out is not None and sorted_out.choice is TakeOnChoice.EXCLUDE:
            standing.append((sorted_out.reason or "excluded", sorted_out.until))
        return max(standing, key=lambda one: one[1] or date.max, default=("", None))

    def sorting(self, invoice_id: str = "") -> TakeOnChoice | None:
        found = self._sorted(invoice_id)
        return found.choice if found else None

    def _sorted(self, invoice_id: str) -> TakeOnSorted | None:
        said = [r for r in self.all(TakeOnSorted) if r.invoice_id == invoice_id]
        return said[-1] if said and self.runs(said[-1].until) else None

    def is_past(self, day: date | None) -> bool:
        """Something dated `day` has happened; None never has."""
        return day is not None and day <= self.as_of

    def runs(self, until: date | None) -> bool:
        """Something that ends on `until` still holds; None never ends."""
        return until is None or self.as_of < until

    def waiting_reply(self) -> Reply | None:
        return next((reply for reply in self.all(Reply) if not self.is_past(reply.answered_on)), None)

    def recipient(self, customer: Customer) -> tuple[str, str]:
        """Where letters go, and why nowhere: (address, "") or ("", no_address | bounced | opted_out)."""
        opted_out = {r.address.casefold() for r in self.all(OptOut) if not self.is_past(r.lifted_on)}
        if "" in opted_out:
            return "", "opted_out"
        candidates = list(_addresses(customer))
        willing = [address for address in candidates if address.casefold() not in opted_out]
        bounced = {r.recipient.casefold() for r in self.all(LetterSent) if self.is_past(r.bounced_on)}
        reachable = [address for address in willing if address.casefold() not in bounced]
        if reachable:
            return reachable[0], ""
        return "", "bounced" if willing else "opted_out" if candidates else "no_address"

    def contacts(self) -> tuple[date, ...]:
        """One day per letter (however many recipients) and per call that reached a person or a voicemail."""
        letters = {(r.on, r.what, r.occasion) for r in self.all(LetterSent) if r.what != NOT_A_CONTACT}
        calls = [r.on for r in self.all(CallMade) if r.outcome in _SPEAKS]
        return tuple(sorted([on for on, _, _ in letters] + calls))


def _addresses(customer: Customer) -> Iterator[str]:
    yield from _usable(re.split(r"[,;]", customer.email))
    yield from _usable(person.email for person in customer.people if person.on_invoices)


def _usable(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        if _ADDRESS.fullmatch(text.strip()):
            yield text.strip()


def arrived(letter: LetterSent, as_of: date) -> bool:
    """The letter left and is not known to have bounced by `as_of`."""
    return letter.on <= as_of and (letter.bounced_on is None or letter.bounced_on > as_of)


def leads(letter: LetterSent, invoice_id: str) -> bool:
    """The letter was about this item first; a person's letter that names no lead is about every item it lists."""
    named = letter.occasion.partition(":")[0]
    lead = named if named in letter.invoice_ids else letter.lead_item
    return lead == invoice_id if lead else invoice_id in letter.invoice_ids
