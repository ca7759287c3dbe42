"""The case pack: what an agency, a solicitor or an insurer needs to see of a debt, as one ZIP file.

A summary to read and print, the letters as they left, the open invoices for a spreadsheet, the timeline with the state
of its chain, and the checksums of all. The same case, at the same instant, always gives the same bytes. Everything in
it comes from a ledger or from people: every word of the summary is escaped, no cell of the spreadsheet is a formula,
no file name is theirs.
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from connector.channels.case_summary import summary
from connector.domain.facts import CustomerFacts, ItemFacts
from connector.domain.text import one_line

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_COLUMNS: Final = (
    "number", "issued", "due", "days_overdue", "currency", "total", "paid", "credited", "balance", "disputed",
    "collectable", "reference", "id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SentLetter:
    """A letter as it left. `what` and `key` are ours: they make its file name."""

    on: date
    what: str
    key: str
    to: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that goes into a pack. `covered`: ids of the invoices it is about."""

    organisation: str
    facts: CustomerFacts
    covered: frozenset[str]
    letters: tuple[SentLetter, ...]
    timeline: bytes  # the entries and the state of their chain, as JSON
    chain: str  # the state of the chain, in words
    read_at: str  # when the ledger was last read, at the organisation's place
    made_at: datetime
    made_by: str

    @property
    def items(self) -> tuple[ItemFacts, ...]:
        """The covered invoices, oldest due first."""
        return tuple(item for item in self.facts.items if item.invoice.id in self.covered)


def pack(case: Case) -> bytes:
    """The ZIP file."""
    files = dict(_files(case))
    files["SHA256SUMS"] = _checksums(files)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, case.made_at.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, content)
    return written.getvalue()


def _files(case: Case) -> Iterator[tuple[str, bytes]]:
    made = f"{case.made_at:%Y-%m-%d %H:%M}"
    yield "summary.html", summary(
        case.organisation, case.facts, case.items, read_at=case.read_at, made=f"{made}, by {case.made_by}",
        chain=case.chain,
    ).encode()  # fmt: skip
    yield "invoices.csv", _spreadsheet(case)
    for number, letter in enumerate(case.letters, 1):
        yield f"letters/{number:03}-{letter.on}-{letter.what}-{letter.key[:12]}.txt", _letter(letter)
    yield "timeline.json", case.timeline


def _letter(letter: SentLetter) -> bytes:
    head = (f"To: {one_line(letter.to)}", f"Sent: {letter.on}", f"Subject: {one_line(letter.subject)}")
    return ("\n".join(head) + f"\n\n{letter.text}").encode()


def _checksums(files: Mapping[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items()).encode()


def _spreadsheet(case: Case) -> bytes:
    """The invoices, as UTF-8 with the mark that spreadsheets look for."""
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\r\n")
    rows.writerow(_COLUMNS)
    rows.writerows([cell(value) for value in _row(item)] for item in case.items)
    return b"\xef\xbb\xbf" + written.getvalue().encode()


def _row(item: ItemFacts) -> Iterator[object]:
    invoice = item.invoice
    sums = (invoice.total, invoice.paid, invoice.credited, invoice.balance)
    yield from (invoice.number, invoice.issued, item.due, item.days_overdue, invoice.currency)
    yield from (sum_.amount for sum_ in sums)
    yield item.disputed.amount if item.disputed else ""
    yield from (item.collectable.amount, invoice.reference, invoice.id)


def cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula: text that could be one begins with an apostrophe."""
    if not isinstance(value, str):
        return "" if value is None else str(value)
    text = value.replace("\x00", "")
    risky = text.startswith(_FORMULA) or text.lstrip()[:1] in ("=", "+", "-", "@", "＝", "＋", "－", "＠")
    return f"'{text}" if risky else text
