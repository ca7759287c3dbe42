"""How answers look on the wire: numbers, dates, envelope, errors."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from adapters.xero.sandbox import answers
from tests.adapters.xero.sandbox.books_client import client


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("345", "345.0"),
        ("345.00", "345.0"),
        ("473.91", "473.91"),
        ("0", "0.0"),
        ("-0.00", "0.0"),
        ("1E+3", "1000.0"),
        ("12.3450", "12.345"),
        ("-7.5", "-7.5"),
        ("12345678901.99", "12345678901.99"),
    ],
)
def test_numbers_are_exact_and_have_a_decimal_place(value: str, text: str) -> None:
    assert answers.encode({"n": Decimal(value)}) == f'{{"n":{text}}}'.encode()


def test_encodes_hostile_text_and_empty_things_as_json() -> None:
    value = {"a": 'q"\\\x00\u2028é\ud800', "b": [], "c": {}, "d": [None, True, False, 3], "e": {"f": [{"g": ""}]}}
    assert json.loads(answers.encode(value)) == value


def test_text_that_looks_like_the_encoders_own_marks_comes_through() -> None:
    text = ["\ue0001.0\ue000", "\ue000" * 7, '"\ue000']
    written = answers.encode({"t": text, "n": Decimal("1.50")})
    assert json.loads(written, parse_float=Decimal) == {"t": text, "n": Decimal("1.5")}


def test_what_is_no_number_or_no_data_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        answers.encode(Decimal("NaN"))
    with pytest.raises(TypeError):
        answers.encode({"f": object()})


def test_dates_are_midnight_utc_and_stamps_keep_their_milliseconds() -> None:
    assert answers.day(date(2026, 9, 14)) == "/Date(1789344000000+0000)/"
    assert answers.day_string(date(2026, 9, 14)) == "2026-09-14T00:00:00"
    at = datetime(2026, 9, 14, 9, 29, 59, 100_999, tzinfo=UTC)
    assert answers.stamp(at) == "/Date(1789378199100+0000)/"
    assert answers.bare_stamp(at) == "/Date(1789378199100)/"
    assert answers.stamp_string(at) == "2026-09-14T09:29:59Z"
    assert answers.day(date(1969, 12, 31)) == "/Date(-86400000+0000)/"


def test_every_list_wears_the_envelope() -> None:
    answer = client().json("GET", "/Invoices")
    assert list(answer) == ["Id", "Status", "ProviderName", "DateTimeUTC", "Invoices"]
    assert answer["Status"] == "OK"
    assert answer["ProviderName"] == "Sandbox test"
    assert re.fullmatch(r"/Date\(\d+\)/", answer["DateTimeUTC"])


def test_an_invoice_reads_as_the_service_writes_it() -> None:
    one = client().invoice("INV-0002")
    assert one["AmountDue"] == Decimal("100.0")
    assert (one["SubTotal"], one["TotalTax"], one["Total"]) == (Decimal("100.0"), Decimal("15.0"), Decimal("115.0"))
    assert one["Date"] == "/Date(1790899200000+0000)/"
    assert one["DateString"] == "2026-10-02T00:00:00"
    assert one["DueDateString"] == "2026-10-22T00:00:00"
    assert one["UpdatedDateUTC"].endswith("+0000)/")
    assert one["UpdatedDateUTCString"] == "2026-10-24T21:00:07Z"
    payment = one["Payments"][0]
    assert (payment["Amount"], payment["Date"]) == (Decimal("15.0"), "/Date(1792886400000+0000)/")
    assert "FullyPaidOnDate" not in one
    assert "ExpectedPaymentDate" not in one
    assert one["LineItems"][0]["TaxType"] == "OUTPUT2"
    assert one["LineItems"][0]["AccountID"]


def test_an_unknown_id_is_html_whatever_was_asked_for() -> None:
    response = client().call("GET", "/Invoices/ffffffff-0000-4000-8000-000000000000")
    assert response.status == 404
    assert dict(response.headers)["Content-Type"] == "text/html; charset=utf-8"
    assert b"The resource you're looking for cannot be found" in response.body


@pytest.mark.parametrize(
    ("body", "error_number"),
    [
        (b"{not json", 14),
        (b'{"Invoices":[{"DueDate":"/Date(1789344000000+0000)/"}]}', 14),
        (b'{"Invoices":[{"DueDate":"2026-02-30"}]}', 14),
        (b'{"Invoices":[{"Contact":"Ada"}]}', 14),
        (b'{"Invoices":["x"]}', 14),
        (b'{"Invoices":[{"LineItems":[{"Quantity":NaN}]}]}', 14),
        (b'{"Invoices":[{"LineItems":[{"Quantity":1e99}]}]}', 14),
        (b'{"Invoices":[{"Status":"PAID","Unknown":1e999999999}]}', 14),
        (b'{"Invoices":[{"Unknown":-1e-99999999999999999999999}]}', 14),
        (b'{"Invoices":[{"DueDate":"9999-12-31"}]}', 14),
        (b"[" * 100_000, 14),
        (b'{"Wrong":[{"DueDate":"2026-01-01"}]}', 17),
        (b'{"Invoices":[]}', 17),
        (b"", 17),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_whole(body: bytes, error_number: int) -> None:
    one = client()
    answer = one.json("POST", f"/Invoices/{one.id_of('invoice', 'open')}", body, status=400)
    assert answer["ErrorNumber"] == error_number
    assert one.books.truth == []


def test_no_data_says_what_the_endpoint_expects() -> None:
    answer = client().json("PUT", "/Contacts", {"Invoices": []}, status=400)
    assert "expecting Contact data to be specifed" in answer["Message"]


def test_other_content_types_are_refused_clearly() -> None:
    response = client().call("PUT", "/Invoices", b"<Invoices/>", {"content-type": "application/xml"})
    assert response.status == 415
    assert b"application/json" in response.body
