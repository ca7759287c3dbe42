"""The schedule document: a PDF that readers can open, the same bytes for the same plan, whatever the names."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.channels.schedule import schedule_pdf
from connector.domain.effects import ScheduleLine
from connector.domain.money import Money
from connector.errors import Refused


def plan(count: int, each: str = "100.00") -> tuple[list[tuple[str, Money]], list[ScheduleLine]]:
    amount = Money.of(each, "NZD")
    lines = [ScheduleLine(n, date(2026, 12, 1) + timedelta(days=7 * n), amount) for n in range(1, count + 1)]
    return [("INV-0107", Money(amount.minor * count, "NZD"))], lines


def document(count: int = 3, organisation: str = "Kauri Joinery", customer: str = "Ridgeway University") -> bytes:
    return schedule_pdf(organisation, customer, "P-7", 1, *plan(count))


def objects(pdf: bytes) -> dict[int, bytes]:
    """The file's objects, reached as a reader reaches them: startxref, table, offsets, declared lengths."""
    assert pdf.startswith(b"%PDF-1.4\n")
    start = int(re.findall(rb"startxref\n(\d+)\n%%EOF\n\Z", pdf)[0])
    table = pdf[start:].split(b"trailer")[0].split(b"\n")
    assert table[0] == b"xref"
    assert all(len(row) == 19 for row in table[2:-1]), "20 bytes a row with its line end"
    size = int(table[1].split()[1])
    found = {}
    for number, row in enumerate(table[3 : 2 + size], 1):
        offset = int(row[:10])
        assert pdf[offset:].startswith(b"%d 0 obj\n" % number)
        body = pdf[offset : pdf.index(b"\nendobj\n", offset)]
        found[number] = body.split(b" 0 obj\n", 1)[1]
    assert b"/Size %d " % size in pdf[start:]
    return found


def texts(pdf: bytes) -> list[list[str]]:
    """The texts of each page, in drawing order, unescaped."""
    pages = []
    for body in objects(pdf).values():
        if match := re.fullmatch(rb"<< /Length (\d+) >>\nstream\n(.*)\nendstream", body, re.DOTALL):
            assert len(match[2]) == int(match[1])
            drawn = re.findall(rb"BT /F[12] [\d.]+ Tf [\d.]+ [\d.]+ Td \(((?:[^()\\]|\\.)*)\) Tj ET", match[2])
            assert len(drawn) == match[2].count(b"\n") + 1, "every line is one complete text operator"
            pages.append([re.sub(rb"\\(.)", rb"\1", text).decode("cp1252") for text in drawn])
    return pages


def test_it_names_parties_plan_invoices_and_every_instalment() -> None:
    (page,) = texts(document())
    assert page[:4] == [
        "Instalment schedule",
        "Plan P-7, version 1",
        "Creditor: Kauri Joinery",
        "Customer: Ridgeway University",
    ]
    joined = " | ".join(page)
    assert "Invoices covered | Amount | INV-0107 | NZD 300.00 | In all | NZD 300.00" in joined
    assert "1 | 8 Dec 2026 | NZD 100.00 | NZD 200.00 | 2 | 15 Dec 2026 | NZD 100.00 | NZD 100.00" in joined
    assert "3 | 22 Dec 2026 | NZD 100.00 | NZD 0.00" in joined
    assert page[-1] == "Plan P-7, version 1 - page 1 of 1"


def test_the_same_plan_gives_the_same_bytes_and_another_does_not() -> None:
    assert document() == document()
    assert document() != document(customer="Ridgeway")


def test_a_long_schedule_runs_over_pages_without_losing_a_line() -> None:
    pages = texts(document(70))
    assert len(pages) == 3
    assert [page[-1] for page in pages] == [f"Plan P-7, version 1 - page {n} of 3" for n in (1, 2, 3)]
    drawn = [text for page in pages for text in page]
    assert [n for n in range(1, 71) if str(n) in drawn] == list(range(1, 71))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Café (Zoë) \\ Sons", "Customer: Café (Zoë) \\ Sons"),
        ("株式会社 Œuvre €", "Customer: ???? Œuvre €"),
        (") Tj ET BT (evil", "Customer: ) Tj ET BT (evil"),
        ("a\r\nendstream\nendobj", "Customer: a endstream endobj"),
        ("e\u0301\u202e\x00\ud800", "Customer: é"),
    ],
)
def test_names_are_text_whatever_they_hold(name: str, shown: str) -> None:
    (page,) = texts(document(customer=name))
    assert page[3] == shown


def test_a_name_too_long_for_the_page_is_cut() -> None:
    (page,) = texts(document(customer="W" * 500))
    assert page[3].startswith("Customer: WWW")
    assert page[3].endswith("...")
    assert len(page[3]) < 70


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_no_name_breaks_the_file(name: str) -> None:
    pdf = schedule_pdf(name, name, name, 1, [(name, Money.of("2.00", "NZD"))], plan(2, "1.00")[1])
    assert len(texts(pdf)) == 1


@pytest.mark.parametrize(
    ("covered", "lines"),
    [
        ([("A", Money.of("299.99", "NZD"))], plan(3)[1]),
        ([("A", Money.of("300.00", "USD"))], plan(3)[1]),
        ([], plan(3)[1]),
        (plan(3)[0], []),
    ],
)
def test_instalments_that_do_not_add_up_are_never_written(
    covered: list[tuple[str, Money]], lines: list[ScheduleLine]
) -> None:
    with pytest.raises(Refused, match="do not add up"):
        schedule_pdf("o", "c", "P-7", 1, covered, lines)
