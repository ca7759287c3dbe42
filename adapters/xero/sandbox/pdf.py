"""A one-page PDF, written by hand: enough for a reader to open and for a test to recognise."""

from __future__ import annotations

from collections.abc import Sequence

_LINE_LIMIT, _PAGE_LINES = 100, 45


def document(lines: Sequence[str]) -> bytes:
    """Return a valid PDF 1.4 of one A4 page with these lines of text; characters outside Latin-1 become "?"."""
    content = b"BT /F1 11 Tf 15 TL 60 780 Td " + b" ".join(_shown(line) for line in lines[:_PAGE_LINES]) + b" ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Font << /F1 5 0 R >> >>",
    )
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def _shown(line: str) -> bytes:
    text = "".join(sign if sign.isprintable() else " " for sign in line[:_LINE_LIMIT])
    raw = text.encode("latin-1", "replace")
    for special in (b"\\", b"(", b")"):
        raw = raw.replace(special, b"\\" + special)
    return b"(" + raw + b") Tj T*"
