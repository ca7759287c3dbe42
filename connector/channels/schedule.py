"""The schedule of an instalment plan as a small PDF (1.4, standard fonts), laid beside the invoices in the ledger.

The same plan always gives the same bytes: no dates of creation, no compression, an id made from the content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from connector.channels.helvetica import width
from connector.channels.notes import short_date
from connector.domain.effects import ScheduleLine
from connector.domain.money import Money, total
from connector.domain.text import one_line
from connector.errors import Refused

LINES_A_PAGE: Final = 30

_WIDTH, _HEIGHT = 595, 842  # A4 in points
_LEFT, _RIGHT, _TOP = 56.0, 539.0, 780.0
_LEADING: Final = 18.0
_FIRST_ROOM: Final = 210.0  # for an invoice number, beside an amount
_COLUMNS: Final = (_LEFT + 60, 380.0, _RIGHT)  # where the due date begins; where the amount and what is left end


@dataclass(frozen=True, slots=True)
class _Text:
    x: float
    y: float
    text: str
    size: float = 10
    bold: bool = False
    to_right: bool = False  # `x` is where the text ends
    room: float = 0  # in points; 0 = to the page's margin


def schedule_pdf(
    organisation: str,
    customer: str,
    plan_id: str,
    version: int,
    covered: Sequence[tuple[str, Money]],
    lines: Sequence[ScheduleLine],
) -> bytes:
    """The document. `covered`: invoice numbers with the sums the plan covers; `lines`: its instalments, in order.

    Characters outside Windows-1252 are written as "?". Raises `Refused` when the instalments do not add up exactly to
    what they cover, in one currency.
    """
    owed = _owed(plan_id, covered, lines)
    rows = [*_covered_rows(covered, owed), *_line_rows(lines, owed)]
    groups = [rows[start : start + LINES_A_PAGE] for start in range(0, len(rows), LINES_A_PAGE)]
    title = f"Plan {one_line(plan_id)}, version {version}"
    pages = []
    for number, group in enumerate(groups, 1):
        head = _head(organisation, customer, title)
        foot = _Text(_RIGHT, 40, f"{title} - page {number} of {len(groups)}", 8, to_right=True)
        pages.append(_stream([*head, *_placed(group), *_terms(), foot]))
    return _document(pages)


def _owed(plan_id: str, covered: Sequence[tuple[str, Money]], lines: Sequence[ScheduleLine]) -> Money:
    currencies = {amount.currency for _, amount in covered} | {line.amount.currency for line in lines}
    if len(currencies) == 1 and covered and lines:
        currency = currencies.pop()
        owed = total((amount for _, amount in covered), currency)
        if total((line.amount for line in lines), currency) == owed:
            return owed
    raise Refused(
        f"the instalments of plan {plan_id} do not add up to what they cover",
        record=plan_id,
        not_done="the schedule was not written",
    )


_Row = tuple[tuple[str, str, str, str], bool]  # number, due, amount, left; bold


def _covered_rows(covered: Sequence[tuple[str, Money]], owed: Money) -> Iterator[_Row]:
    yield ("Invoices covered", "", "Amount", ""), True
    for number, amount in covered:
        yield (number, "", str(amount), ""), False
    yield ("In all", "", str(owed), ""), True
    yield ("", "", "", ""), False


def _line_rows(lines: Sequence[ScheduleLine], owed: Money) -> Iterator[_Row]:
    yield ("No.", "Due", "Instalment", "Left to pay"), True
    left = owed
    for line in lines:
        left = left - line.amount
        yield (str(line.number), short_date(line.due), str(line.amount), str(left)), False


def _head(organisation: str, customer: str, title: str) -> Iterator[_Text]:
    yield _Text(_LEFT, _TOP, "Instalment schedule", 18, bold=True)
    yield _Text(_LEFT, _TOP - 26, title, 11)
    yield _Text(_LEFT, _TOP - 44, f"Creditor: {organisation}")
    yield _Text(_LEFT, _TOP - 58, f"Customer: {customer}")


def _placed(rows: Sequence[_Row]) -> Iterator[_Text]:
    for number, ((first, due, amount, left), bold) in enumerate(rows):
        y = _TOP - 90 - number * _LEADING
        yield _Text(_LEFT, y, first, bold=bold, room=_FIRST_ROOM)
        yield _Text(_COLUMNS[0], y, due, bold=bold)
        yield _Text(_COLUMNS[1], y, amount, bold=bold, to_right=True)
        yield _Text(_COLUMNS[2], y, left, bold=bold, to_right=True)


def _terms() -> Iterator[_Text]:
    yield _Text(
        _LEFT, 76, "This schedule belongs to the acknowledgement of debt and instalment agreement of that plan.", 9
    )
    yield _Text(_LEFT, 63, "The original due dates of the invoices and the rights of both sides stay as they are.", 9)


def _stream(texts: Sequence[_Text]) -> bytes:
    return b"\n".join(_drawn(text) for text in texts if text.text)


def _drawn(text: _Text) -> bytes:
    """One text operator; what does not fit the page's width is cut with "..."."""
    room = text.room or (text.x - _LEFT if text.to_right else _RIGHT - text.x)
    shown = _cut(_encodable(text.text), text, room)
    x = text.x - width(shown, text.size, bold=text.bold) if text.to_right else text.x
    font = "F2" if text.bold else "F1"
    return f"BT /{font} {text.size:g} Tf {x:.2f} {text.y:.2f} Td ".encode() + _string(shown) + b" Tj ET"


def _encodable(text: str) -> str:
    """Only what the font can show; everything else becomes "?"."""
    return one_line(text).encode("cp1252", "replace").decode("cp1252")


def _cut(shown: str, text: _Text, room: float) -> str:
    if width(shown, text.size, bold=text.bold) <= room:
        return shown
    while shown and width(f"{shown}...", text.size, bold=text.bold) > room:
        shown = shown[:-1]
    return f"{shown}..."


def _string(text: str) -> bytes:
    """A literal string (PDF 32000-1, 7.3.4.2); no text can end it or begin an operator."""
    raw = text.encode("cp1252")
    for char in (b"\\", b"(", b")"):
        raw = raw.replace(char, b"\\" + char)
    return b"(" + raw + b")"


def _document(pages: Sequence[bytes]) -> bytes:
    """Objects: 1 catalogue, 2 page tree, 3 and 4 fonts, then a page and its content for each page."""
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Lang (en) >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        *(
            f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>".encode()
            for name in ("Helvetica", "Helvetica-Bold")
        ),
    ]
    for number, content in enumerate(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {_WIDTH} {_HEIGHT}] /Contents {6 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content))
    return _assembled(objects)


def _assembled(objects: Sequence[bytes]) -> bytes:
    """Header, numbered objects, cross-reference table and trailer (PDF 32000-1, 7.5)."""
    file = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    identity = hashlib.sha256(file).hexdigest()[:32]
    table = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        file += b"%010d 00000 n \n" % offset
    file += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /ID [<{identity}> <{identity}>] >>\n".encode()
    return bytes(file + b"startxref\n%d\n%%%%EOF\n" % table)
