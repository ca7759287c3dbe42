"""Days, amounts and names come exactly as they stand; what cannot be read for certain goes to a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connector.domain.ledger import RecordKind
from tests.adapters.conformance.bench import Bench, Spoilt
from tests.adapters.conformance.books import empty, invoice, line
from tests.adapters.conformance.compare import called, differences, numbered, same
from tests.adapters.conformance.conftest import BENCHES, Found
from tests.adapters.conformance.desk import Desk, Mirror

# --- zones and currencies --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", sorted({zone for bench in BENCHES for zone in bench.zones}))
@pytest.mark.parametrize("hour", [0, 11, 13, 23])
def test_days_are_the_organisations_own(bench: Bench, found: Found, zone: str, hour: int) -> None:
    if zone not in bench.zones:
        pytest.skip(f"{bench.name} has no organisations in {zone}")
    now = datetime(2026, 3, 28, hour, 30, tzinfo=UTC)
    document = empty(timezone=zone)
    today = now.astimezone(ZoneInfo(zone)).date()
    document["invoices"] = [
        invoice("INV-1", "acorn", date=f"{today - timedelta(days=1)}", due=f"{today}", expected=f"{today}"),
        invoice("INV-2", "acorn", date="2026-02-28", due=f"{today - timedelta(days=1)}"),
        invoice("INV-3", "acorn", date="2025-10-26", due="2025-10-26"),
    ]
    desk, mirror = found(document, now), Mirror()
    desk.people({"do": "pay", "invoice": "INV-3"})
    cursor = desk.pull(mirror)
    same(mirror, desk)
    assert desk.ledger.organisation().timezone == zone
    assert numbered(mirror, "INV-1")["due"] == numbered(mirror, "INV-1")["expected"] == today.isoformat()
    (payment,) = mirror.of(RecordKind.PAYMENT).values()
    assert payment["paid_on"] == today.isoformat()
    assert numbered(mirror, "INV-3")["fully_paid_on"] == today.isoformat()
    for _ in range(3):  # over midnight and the change of clocks
        desk.wait(86_400 / 2)
        desk.people({"do": "pay", "invoice": "INV-1", "amount": "1.00"})
        cursor = desk.pull(mirror, cursor)
        same(mirror, desk)


MONEY = {
    "JPY": ["12345", "1", "99999999"],
    "KRW": ["1000"],
    "GBP": ["0.01", "19.99", "12345678.90"],
    "USD": ["1.10", "1234567890.12"],
    "EUR": ["0.10", "0.20", "0.30"],
    "KWD": ["10.12", "0.01", "1000"],
    "BHD": ["7.50"],
}


@pytest.mark.parametrize("currency", MONEY)
def test_amounts_are_exact_in_currencies_of_any_exponent(found: Found, currency: str) -> None:
    document = empty()
    rate = {} if currency == "GBP" else {"currency": currency, "rate": "1.234567"}
    document["invoices"] = [
        invoice(f"INV-{n}", "acorn", amount, amounts="none", **rate) for n, amount in enumerate(MONEY[currency])
    ]
    desk, mirror = found(document), Mirror()
    desk.people({"do": "pay", "invoice": "INV-0", "amount": MONEY[currency][0]})
    desk.pull(mirror)
    same(mirror, desk)
    assert {one["currency"] for one in mirror.of(RecordKind.INVOICE).values()} == {currency}


@pytest.mark.parametrize("amounts", ["exclusive", "inclusive", "none"])
def test_lines_are_net_of_tax_however_they_are_shown(found: Found, amounts: str) -> None:
    document = empty()
    tax = "none" if amounts == "none" else "standard"
    lines = [line("10.00", tax, "A"), line("0.99", tax, "B"), line("3.33", "none", "C")]
    document["invoices"] = [invoice("INV-1", "acorn", lines=lines, amounts=amounts)]
    desk, mirror = found(document), Mirror()
    desk.pull(mirror)
    same(mirror, desk)
    read: Any = numbered(mirror, "INV-1")
    assert sum(net + tax for _, _, net, tax, _, _ in read["lines"]) == read["total"]
    assert sum(tax for _, _, _, tax, _, _ in read["lines"]) == read["tax"]


# --- what cannot be read ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("later", [False, True], ids=["at first", "later"])
@pytest.mark.parametrize("how", Spoilt)
def test_a_broken_record_goes_to_a_person_and_the_rest_goes_on(desk: Desk, how: Spoilt, later: bool) -> None:
    mirror, sound = Mirror(), dict(desk.truth())
    cursor = desk.pull(mirror) if later else None
    (key,) = (key for key, one in sound.items() if one.get("number") == "INV-1")
    desk.wait(60)
    desk.bench.spoil(desk.twin, desk.name, key[1], how)
    if not later:
        mirror = Mirror()
    cursor = desk.pull(mirror, cursor)
    assert [(one.kind, one.id) for one in mirror.review.values()] == [key]
    assert mirror.review[key].reason
    assert (key in mirror.records) is later  # the last sound reading stays, marked for review
    others = {one: true for one, true in sound.items() if one != key and one[0] is not RecordKind.CUSTOMER}
    assert differences({one: mirror.portraits()[one] for one in others}, others) == []

    desk.bench.mend(desk.twin, desk.name, key[1])
    desk.wait(86_400)
    desk.pull(mirror, cursor)
    assert key not in mirror.review
    same(mirror, desk)


HOSTILE = ['O\'Brien & "Sons"', "=cmd|' /C calc'!A0", "Ümläut 株式会社 🙂", "<script>alert(1)</script>", "../../etc"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_come_as_they_are(found: Found, name: str) -> None:
    document = empty()
    document["customers"][0]["name"] = name
    document["invoices"] = [invoice("INV-1", "acorn", reference=name, lines=[line("1.00", "none", name)])]
    desk, mirror = found(document), Mirror()
    desk.pull(mirror)
    same(mirror, desk)


def test_a_name_cannot_disguise_itself(found: Found) -> None:
    document = empty()
    document["customers"][0]["name"] = "Acorn\u202e dtL\u0007"
    desk, mirror = found(document), Mirror()
    desk.pull(mirror)
    assert called(mirror, "Acorn dtL")
