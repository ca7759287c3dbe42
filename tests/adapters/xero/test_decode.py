"""From bytes to rows: exact, lenient where Xero is careless, never "no records" for garbage."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.xero import decode, normalise, wire
from adapters.xero.decode import Page
from connector.domain.ledger import Credit, Invoice
from connector.domain.money import Money
from connector.errors import UnreadableAnswer
from connector.ports import HttpAnswer
from tests.adapters.xero.rows import (
    AT,
    Row,
    answer,
    contact_row,
    credit_note_row,
    envelope,
    invoice_row,
    opened,
    payment_row,
)


def invoices(*rows: object) -> Page[wire.InvoiceRow]:
    return decode.page(answer(envelope("Invoices", list(rows))), wire.INVOICES)


def with_total(literal: str) -> HttpAnswer:
    """An invoice whose total is this very JSON literal."""
    document = json.dumps(envelope("Invoices", [invoice_row(Total="@")])).replace('"@"', literal)
    return answer(document.encode())


@given(st.integers(0, 10**19), st.booleans())
def test_no_amount_is_rounded_on_the_way(minor: int, trailing: bool) -> None:
    exact = Decimal(minor).scaleb(-2)
    literal = f"{exact:f}" + ("0" if trailing else "")
    page = decode.page(with_total(literal), wire.INVOICES)
    invoice = opened(*normalise.invoices(page)[0])
    assert isinstance(invoice, Invoice)
    assert invoice.total == Money(minor, "NZD")


def test_digits_that_a_double_would_drop_are_seen() -> None:
    records, (review,) = normalise.invoices(decode.page(with_total("545.00000000000000001"), wire.INVOICES))
    assert records == ()
    assert "beyond the smallest unit" in review.reason


def test_the_envelope_is_read() -> None:
    document = envelope("Invoices", [invoice_row(1), invoice_row(2)], pagination={"pageCount": 3, "itemCount": 2500})
    page = decode.page(answer(document), wire.INVOICES)
    assert (page.count, page.items, page.pages, page.at) == (2, 2500, 3, AT)
    assert page.ids == {invoice_row(1)["InvoiceID"], invoice_row(2)["InvoiceID"]}


def test_the_servers_clock_falls_back_to_the_date_header() -> None:
    bare = envelope("Invoices", [], at=None)
    dated = answer(bare, date="Sun, 22 Nov 2026 08:00:00 GMT")
    assert decode.page(dated, wire.INVOICES).at == AT
    assert decode.page(answer(bare), wire.INVOICES).at is None
    assert decode.page(answer(bare, date="soon"), wire.INVOICES).at is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"Invoices": [{"InvoiceID"',
        b"<html>Please log in</html>",
        b"null",
        b"[]",
        b"{}",
        b'{"Invoices": null}',
        b'{"Invoices": {}}',
        b'{"Contacts": []}',
        b'{"Invoices": [{"InvoiceID": "a", "Total": NaN}]}',
        b'{"Invoices": [{"InvoiceID": "a", "Reference": NaN}]}',
        b'{"Invoices": [{"InvoiceID": "a", "Total": Infinity}]}',
        b'{"Invoices": [], "n": ' + b"9" * 5000 + b"}",
        b'{"Invoices": ' + b"[" * 100_000,
        b"\xff\xfe{}",
        b'{"Invoices": [' + b"\xc3\x28" + b"]}",
    ],
)
def test_garbage_is_never_an_empty_list(body: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        decode.page(answer(body), wire.INVOICES)


def test_a_byte_order_mark_does_no_harm() -> None:
    body = b"\xef\xbb\xbf" + json.dumps(envelope("Invoices", [invoice_row()])).encode()
    assert decode.page(answer(body), wire.INVOICES).count == 1


@pytest.mark.parametrize(
    ("broken", "where"),
    [
        (invoice_row(2, Contact=[]), "Contact"),
        (invoice_row(2, LineItems={}), "LineItems"),
        (invoice_row(2, SentToContact="perhaps"), "SentToContact"),
        (invoice_row(2, InvoiceNumber=True), "InvoiceNumber"),
        (invoice_row(2, Reference="\ud800"), "text: it holds half a character"),
        (invoice_row(2, Total={"amount": 1}), "Total"),
        (invoice_row(2, Total=True), "Total"),
    ],
)
def test_one_broken_row_does_not_break_its_page(broken: dict[str, object], where: str) -> None:
    page = invoices(invoice_row(1), broken, invoice_row(3))
    assert [row["InvoiceNumber"] for row in page.rows] == ["INV-0001", "INV-0003"]
    records, (review,) = normalise.invoices(page)
    assert len(records) == 2
    assert review.id == broken["InvoiceID"]
    assert review.reason.startswith(f"unreadable {where}")
    assert page.ids == {row["InvoiceID"] for row in (*page.rows, broken)}  # counted as seen


def test_characters_in_two_halves_are_whole() -> None:
    record = opened(*normalise.invoices(invoices(invoice_row(Reference="\U0001f600")))[0])
    assert isinstance(record, Invoice)
    assert record.reference == "\U0001f600"


def test_rows_without_an_id_are_counted_and_reviewed() -> None:
    page = invoices(invoice_row(1), invoice_row(2, InvoiceID=None), "nonsense")
    assert (page.count, page.nameless) == (3, 2)
    assert {review.id for review in normalise.invoices(page)[1]} == {"unidentified"}


def test_a_broken_bill_is_nobodys_business() -> None:
    assert normalise.invoices(invoices(invoice_row(1, Type="ACCPAY", Contact=[]))) == ((), ())


def test_what_careless_writers_send_is_read() -> None:
    row = invoice_row(SentToContact="True", HasAttachments="false", AmountDue="545.00", TotalTax=71, LineItems=None)
    row |= {"Reference": None, "DueDate": None, "DueDateString": None, "ExpectedPaymentDate": None, "New": {"a": 1}}
    (found, review) = normalise.invoices(invoices(row))
    assert review == ()
    invoice = opened(*found)
    assert isinstance(invoice, Invoice)
    assert (invoice.sent, invoice.has_attachments, invoice.reference, invoice.due) == (True, False, "", None)
    assert (invoice.balance.minor, invoice.tax.minor, invoice.lines) == (54500, 7100, ())


def test_a_broken_contact_or_credit_is_named() -> None:
    contacts = decode.page(answer(envelope("Contacts", [contact_row(7, Phones="none")])), wire.CONTACTS)
    assert (contacts.broken[0].id, contacts.broken[0].number) == (contact_row(7)["ContactID"], "Customer 7")
    notes = decode.page(answer(envelope("CreditNotes", [credit_note_row(Allocations={})])), wire.CREDIT_NOTES)
    assert notes.broken[0].number == "CN-0001"
    assert notes.broken[0].customer_id == credit_note_row()["Contact"]["ContactID"]


def test_careful_and_quick_reading_agree() -> None:
    rows = [credit_note_row(n, Total=100 + n / 100, RemainingCredit=n / 100) for n in range(50)]
    quick = decode.page(answer(envelope("CreditNotes", rows)), wire.CREDIT_NOTES)
    slow = decode.page(answer(envelope("CreditNotes", rows) | {"Note": 0.1234567890123456789}), wire.CREDIT_NOTES)
    assert normalise.credits(quick) == normalise.credits(slow)
    assert {record.total.minor for record in normalise.credits(quick)[0] if isinstance(record, Credit)} == {
        10000 + n for n in range(50)
    }


@pytest.mark.parametrize(
    ("shape", "row"),
    [
        (wire.INVOICES, invoice_row()),
        (wire.PAYMENTS, payment_row()),
        (wire.CONTACTS, contact_row(PaymentTerms={"Sales": {"Day": 20, "Type": "OFFOLLOWINGMONTH"}})),
        (wire.CREDIT_NOTES, credit_note_row()),
    ],
)
def test_rows_as_xero_writes_them_are_read_at_once(shape: wire.Shape[Any], row: Row) -> None:
    """A field of another type than it has on the wire would send every page the careful, slow way."""
    assert shape.envelope is not None
    assert shape.envelope.validate_python(envelope(shape.plural, [row]), strict=True)
