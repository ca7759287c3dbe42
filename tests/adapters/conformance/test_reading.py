"""What is read is what stands in the books, whatever happens while it is read."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connector.domain.ledger import RecordKind
from connector.errors import LedgerUnavailable
from tests.adapters.conformance.bench import Bench, Json, Key, Portrait, Spoilt
from tests.adapters.conformance.books import NOON, empty, invoice, line, new_invoice
from tests.adapters.conformance.conftest import BENCHES, Found
from tests.adapters.conformance.desk import Desk, Mirror, Serial

CUSTOMER, INVOICE, PAYMENT, CREDIT = RecordKind.CUSTOMER, RecordKind.INVOICE, RecordKind.PAYMENT, RecordKind.CREDIT
Act = Json


def same(mirror: Mirror, desk: Desk) -> None:
    """The mirror is the books, record by record and field by field; nothing is left for a person."""
    got, true = mirror.portraits(), desk.truth()
    found = differences(got, true)
    assert not found, "\n".join(found)
    assert mirror.review == {}


def differences(got: dict[Key, Portrait], true: Any) -> list[str]:
    missing = [f"missing {key}" for key in true if key not in got]
    invented = [f"invented {key}" for key in got if key not in true]
    wrong = [
        f"{key} {name}: {got[key][name]!r}, true is {value!r}"
        for key, portrait in true.items()
        if key in got
        for name, value in portrait.items()
        if got[key][name] != value
    ]
    return missing + invented + wrong


def numbered(mirror: Mirror, number: str) -> Portrait:
    (found,) = (one for one in mirror.of(INVOICE).values() if one["number"] == number)
    return found


def called(mirror: Mirror, name: str) -> Portrait:
    (found,) = (one for one in mirror.of(CUSTOMER).values() if one["name"] == name)
    return found


# --- everything ------------------------------------------------------------------------------------------------------


def test_a_full_pull_is_the_books(desk: Desk) -> None:
    mirror = Mirror()
    desk.pull(mirror)
    same(mirror, desk)
    assert {kind: len(mirror.of(kind)) for kind in RecordKind} == {CUSTOMER: 5, INVOICE: 11, PAYMENT: 2, CREDIT: 3}


def test_an_empty_organisation_has_no_records_and_still_a_cursor(found: Found) -> None:
    document = empty()
    document["customers"] = []
    desk, mirror = found(document), Mirror()
    cursor = desk.pull(mirror)
    desk.pull(mirror, cursor)
    assert mirror.portraits() == {}


def test_a_quiet_round_changes_nothing_and_costs_little(desk: Desk) -> None:
    mirror = Mirror()
    cursor = desk.pull(mirror)
    first = len(desk.line.log)
    desk.wait(600)
    again = Mirror()
    desk.pull(again, cursor)
    assert len(desk.line.log) - first <= desk.bench.quiet_calls
    same(mirror, desk)
    assert differences(again.portraits(), {key: desk.truth()[key] for key in again.records}) == []


def test_a_second_full_pull_is_equal_to_the_first(desk: Desk) -> None:
    first, second = Mirror(), Mirror()
    desk.pull(first)
    desk.pull(second)
    assert first.portraits() == second.portraits()


@pytest.mark.parametrize("kind", RecordKind)
def test_chosen_records_are_read_as_they_are_now_and_missing_ones_are_absent(desk: Desk, kind: RecordKind) -> None:
    true = {key: one for key, one in desk.truth().items() if key[0] is kind}
    nobody = "00000000-0000-4000-8000-000000000000"
    batch = desk.ledger.fetch(kind, [*(one for _, one in true), nobody])
    mirror = Mirror()
    mirror.take(batch)
    assert differences(mirror.portraits(), true) == []
    assert batch.cursor is None


def test_the_organisation_is_read(desk: Desk) -> None:
    read = desk.ledger.organisation()
    assert (read.name, read.base_currency, read.country) == ("Harbour Lane", "GBP", "GB")
    assert (read.timezone, read.lock_date, read.native_reminders, read.demo) == ("Europe/London", None, False, False)
    assert (read.ledger, read.ledger_id) == (desk.bench.adapter.name, desk.grant.ledger_id)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_ledgers_own_reminders_are_told(desk: Desk, enabled: bool) -> None:
    desk.people({"do": "set_reminders", "enabled": enabled})
    assert desk.ledger.organisation().native_reminders is enabled


def test_the_lock_date_is_the_later_of_two(desk: Desk) -> None:
    desk.people({"do": "set_lock_date", "period_lock_date": "2026-01-31", "end_of_year_lock_date": "2025-12-31"})
    assert desk.ledger.organisation().lock_date == date(2026, 1, 31)


# --- what people do between two rounds -------------------------------------------------------------------------------


def _pays(number: str, amount: str) -> Act:
    return {"do": "pay", "invoice": number, "amount": amount}


BETWEEN: dict[str, list[Act]] = {
    "a new invoice": [new_invoice("INV-NEW")],
    "a new customer's first invoice": [new_invoice("INV-NEW", "dogwood")],
    "part payment": [_pays("INV-1", "10.01")],
    "full payment": [{"do": "pay", "invoice": "INV-1"}],
    "several payments": [_pays("INV-1", "10.00"), _pays("INV-1", "20.00"), _pays("INV-1", "30.00")],
    "one payment over two invoices": [{"do": "pay_batch", "invoices": ["INV-1", "INV-PART"]}],
    "a payment deleted": [{"do": "delete_payment", "invoice": "INV-PAID"}],
    "an invoice voided": [{"do": "void", "invoice": "INV-1"}],
    "a draft approved": [{"do": "approve", "invoice": "INV-DRAFT"}],
    "a draft deleted": [{"do": "delete_draft", "invoice": "INV-WAITS"}],
    "an invoice edited": [{"do": "edit_invoice", "invoice": "INV-1", "reference": "PO 9", "descriptions": ["New"]}],
    "a due date moved": [{"do": "edit_invoice", "invoice": "INV-1", "due": "2026-03-31"}],
    "marked as sent": [{"do": "mark_sent", "invoice": "INV-PART"}],
    "credited in full": [{"do": "credit", "invoice": "INV-1"}],
    "credited in part": [{"do": "credit", "invoice": "INV-1", "amount": "100.00", "number": "CN-9"}],
    "a credit on account": [{"do": "credit", "customer": "acorn", "amount": "12.00"}],
    "an open credit allocated": [{"do": "allocate", "credit": "pre", "invoice": "INV-1", "amount": "60.00"}],
    "an overpayment": [{"do": "overpay", "customer": "birch", "amount": "5.00"}],
    "a prepayment": [{"do": "prepay", "customer": "birch", "amount": "6.00"}],
    "a customer renamed": [{"do": "edit_contact", "customer": "acorn", "name": "Acorn & Sons"}],
    "a customer's terms": [{"do": "edit_contact", "customer": "acorn", "terms_days": 45}],
    "a customer archived": [{"do": "archive_contact", "customer": "birch"}],
    "two customers merged": [{"do": "merge_contacts", "from": "elm", "into": "acorn"}],
    "merged, then paid": [
        {"do": "merge_contacts", "from": "elm", "into": "acorn"},
        {"do": "pay", "invoice": "INV-ELM"},
    ],
    "paid and unpaid again": [{"do": "pay", "invoice": "INV-1"}, {"do": "delete_payment", "invoice": "INV-1"}],
}  # fmt: skip


@pytest.mark.parametrize("what", BETWEEN)
def test_what_people_did_since_the_last_round_comes_with_the_next(desk: Desk, what: str) -> None:
    mirror = Mirror()
    cursor = desk.pull(mirror)
    desk.wait(86_400)
    if "dogwood" in str(BETWEEN[what]):  # archived: nobody can bill it before it is a customer again
        desk.people({"do": "create_invoice", **invoice("INV-NEW", "elm")})
    else:
        desk.people(*BETWEEN[what])
    assert differences(mirror.portraits(), desk.truth()) != []
    cursor = desk.pull(mirror, cursor)
    same(mirror, desk)
    desk.pull(mirror, cursor)
    same(mirror, desk)


@pytest.mark.parametrize("what", [case for bench in BENCHES for case in bench.out_of])
def test_changes_that_the_ledger_does_not_stamp_come_all_the_same(bench: Bench, found: Found, what: str) -> None:
    if what not in bench.out_of:
        pytest.skip(f"{bench.name} stamps: {what}")
    desk, mirror = found(), Mirror()
    cursor = desk.pull(mirror)
    desk.wait(86_400)
    before = {key: one.get("updated_us") or one.get("updated_at") for key, one in desk.truth().items()}
    desk.people(bench.out_of[what])
    after = {key: one.get("updated_us") or one.get("updated_at") for key, one in desk.truth().items()}
    assert after == before  # the case is what it says
    assert differences(mirror.portraits(), desk.truth()) != []
    desk.pull(mirror, cursor)
    same(mirror, desk)


# --- while it is read ------------------------------------------------------------------------------------------------

MANY = 23
ROWS = 5


def many(count: int = MANY) -> Json:
    document = empty()
    document["customers"] += [{"ref": f"c{n:02}", "name": f"Customer {n:02}"} for n in range(count // 2 + 1)]
    document["invoices"] = [invoice(f"INV-{n:02}", "acorn" if n % 2 else f"c{n // 2:02}") for n in range(count)]
    document["payments"] = [
        {"ref": f"p{n}", "invoice": f"inv-{n:02}", "date": "2026-02-10", "amount": "1.00"} for n in range(12)
    ]
    return document


def narrow(desk: Desk, rows: int = ROWS) -> None:
    desk.line.reshape = lambda request: desk.bench.narrow(request, rows)


DURING: dict[str, list[Act]] = {
    "paid": [{"do": "pay", "invoice": "INV-00"}, {"do": "pay", "invoice": "INV-22"}],
    "edited, first and last": [
        {"do": "edit_invoice", "invoice": "INV-00", "due": "2026-03-31"},
        {"do": "edit_invoice", "invoice": "INV-22", "due": "2026-03-31"},
    ],
    "all edited": [{"do": "edit_invoice", "invoice": f"INV-{n:02}", "reference": "moved"} for n in range(MANY)],
    "created": [new_invoice("INV-NEW"), new_invoice("INV-NEWER", "c03")],
    "a page's worth created": [new_invoice(f"INV-N{n}") for n in range(ROWS + 1)],
    "voided": [{"do": "void", "invoice": f"INV-{n}"} for n in (13, 14, 20)],
    "payment deleted": [{"do": "delete_payment", "invoice": "INV-03"}],
    "customer edited": [{"do": "edit_contact", "customer": "acorn", "name": "Acorn 2"}],
    "merged": [{"do": "merge_contacts", "from": "c01", "into": "c02"}],
    "archived": [{"do": "archive_contact", "customer": "c03"}],
    "credited": [{"do": "credit", "invoice": "INV-20", "amount": "10.00"}],
}


@pytest.mark.parametrize("nth", [1, 3, 5])
@pytest.mark.parametrize("what", DURING)
def test_what_people_do_while_pages_are_read_is_there_after_the_next_round(found: Found, what: str, nth: int) -> None:
    desk, mirror = found(many()), Mirror()
    narrow(desk)
    desk.meanwhile({**desk.bench.listing(INVOICE), "nth": nth}, *DURING[what])
    there = set(desk.truth())
    cursor = desk.pull(mirror)
    assert desk.done_meanwhile() == len(DURING[what])
    assert there - set(mirror.records) == set()  # what was there all the time is never missed, not even for a round
    desk.wait(600)
    desk.pull(mirror, cursor)
    same(mirror, desk)


@pytest.mark.parametrize("kind", RecordKind)
def test_changes_while_any_list_is_read(found: Found, kind: RecordKind) -> None:
    """Rows come, go and move in the middle of each list, also of lists that others depend on."""
    desk, mirror = found(), Mirror()
    narrow(desk, 1)
    acts: list[Act] = [
        new_invoice("INV-NEW"), {"do": "pay", "invoice": "INV-1", "amount": "5.00"},
        {"do": "overpay", "customer": "birch", "amount": "5.00"},
        {"do": "merge_contacts", "from": "elm", "into": "acorn"},
    ]  # fmt: skip
    desk.meanwhile(desk.bench.listing(kind), *acts)
    cursor = desk.pull(mirror)
    assert desk.done_meanwhile() == len(acts)
    desk.wait(600)
    desk.pull(mirror, cursor)
    same(mirror, desk)


@pytest.mark.parametrize("how", [case for bench in BENCHES for case in bench.reading_switches])
def test_rows_that_leave_while_pages_are_read(bench: Bench, found: Found, how: str) -> None:
    """The list shrinks, so that its last pages are past the end."""
    if how not in bench.reading_switches:
        pytest.skip(f"not a behaviour of {bench.name}")
    document = many()
    for one in document["invoices"][5:]:
        one.update(status="draft", sent=False)
    document["payments"] = []
    desk, mirror = found(document), Mirror()
    desk.order("switch", bench.reading_switches[how])
    narrow(desk)
    desk.meanwhile(
        {**bench.listing(INVOICE), "nth": 2},
        *({"do": "delete_draft", "invoice": f"INV-{n:02}"} for n in range(8, MANY)),
    )
    cursor = desk.pull(mirror)
    assert desk.done_meanwhile() == MANY - 8
    desk.wait(600)
    desk.pull(mirror, cursor)
    same(mirror, desk)


def test_records_that_come_twice_are_one(found: Found) -> None:
    """Rounds overlap, on purpose: most of this second one came with the first."""
    desk, mirror = found(many()), Mirror()
    narrow(desk)
    desk.people(*({"do": "edit_invoice", "invoice": f"INV-{n:02}", "reference": "again"} for n in range(MANY)))
    cursor = desk.pull(mirror)
    desk.pull(mirror, cursor)
    assert sum(times > 1 for (kind, _), times in mirror.came.items() if kind is INVOICE) >= MANY
    same(mirror, desk)


# --- the cursor ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0.0, 0.4, 1.0, 59.0, 299.0, 301.0, 86_400.0])
def test_no_edit_falls_between_two_rounds(found: Found, after: float) -> None:
    """In the same second as the round, within its overlap, just beyond it, and long after."""
    desk, mirror = found(now=NOON + timedelta(milliseconds=700)), Mirror()
    cursor = desk.pull(mirror)
    desk.wait(after)
    desk.people({"do": "edit_invoice", "invoice": "INV-1", "due": "2026-03-09"}, {"do": "pay", "invoice": "INV-2"})
    desk.wait(after)
    cursor = desk.pull(mirror, cursor)
    same(mirror, desk)
    desk.wait(after)
    desk.people({"do": "edit_invoice", "invoice": "INV-1", "due": "2026-03-10"})
    desk.pull(mirror, cursor)
    same(mirror, desk)


@pytest.mark.parametrize("minutes", [-10, -1, 1, 10])
def test_our_own_clock_may_be_wrong(found: Found, minutes: int) -> None:
    desk, mirror = found(ahead=timedelta(minutes=minutes)), Mirror()
    cursor = desk.pull(mirror)
    for amount in ("1.00", "2.00", "3.00"):
        desk.wait(61)
        desk.people({"do": "pay", "invoice": "INV-1", "amount": amount}, new_invoice(f"INV-{amount}"))
        cursor = desk.pull(mirror, cursor)
        same(mirror, desk)


def test_the_cursor_is_never_ahead_of_what_was_read(found: Found) -> None:
    """An edit after its page was read, in a round that takes a quarter of an hour, comes with the next round."""
    desk, mirror = found(many()), Mirror()
    narrow(desk)
    batches = desk.ledger.changes(None, Serial())
    cursor = None
    for number, batch in enumerate(batches):
        mirror.take(batch)
        desk.wait(90)
        desk.people({"do": "edit_invoice", "invoice": f"INV-{number % MANY:02}", "reference": f"at {number}"})
        cursor = batch.cursor
    assert cursor is not None
    desk.wait(86_400)
    desk.pull(mirror, cursor)
    same(mirror, desk)


@pytest.mark.parametrize("full", [True, False], ids=["full", "changes"])
def test_a_crash_after_any_batch_loses_nothing(found: Found, full: bool) -> None:
    """The round is repeated from the old cursor, whatever of it was stored; a day later, with new edits."""
    for batches in itertools.count(1, 2):
        desk, mirror = found(), Mirror()
        narrow(desk, 3)
        cursor = None if full else desk.pull(mirror)
        desk.wait(86_400)
        desk.people(*BETWEEN["part payment"], *BETWEEN["two customers merged"], new_invoice("INV-NEW"))
        crashed = desk.crash_after(batches, mirror, cursor)
        desk.wait(86_400)
        desk.people({"do": "pay", "invoice": "INV-NEW"}, {"do": "archive_contact", "customer": "birch"})
        desk.pull(mirror, cursor)
        same(mirror, desk)
        if not crashed:
            assert batches > 8
            break


@pytest.mark.parametrize("action", ["reset", "hang", "gateway"])
def test_a_round_that_a_lost_answer_ends_loses_nothing(found: Found, action: str) -> None:
    desk, mirror = found(), Mirror()
    cursor = desk.pull(mirror)
    desk.wait(86_400)
    desk.people(*BETWEEN["part payment"], *BETWEEN["an overpayment"], *BETWEEN["a customer renamed"])
    how: Json = {"do": "status", "status": 503} if action == "gateway" else {"do": action}
    desk.fault({**desk.bench.listing(PAYMENT)}, None, **how)
    with pytest.raises(LedgerUnavailable):
        desk.pull(mirror, cursor)
    desk.heal()
    desk.pull(mirror, cursor)
    same(mirror, desk)


def test_a_cursor_that_nobody_can_read_means_everything_again(desk: Desk) -> None:
    for spoilt in ("", "not json", "{}", '{"v": 999, "since": "2026-01-01T00:00:00+00:00"}'):
        mirror = Mirror()
        desk.pull(mirror, spoilt)
        same(mirror, desk)


def test_fifty_edits_in_one_second_at_the_boundary(found: Found) -> None:
    desk, mirror = found(many(50)), Mirror()
    narrow(desk)
    cursor = desk.pull(mirror)
    desk.people(*({"do": "edit_invoice", "invoice": f"INV-{n:02}", "reference": "x"} for n in range(50)))
    desk.pull(mirror, cursor)
    same(mirror, desk)


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
    (payment,) = mirror.of(PAYMENT).values()
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
    assert {one["currency"] for one in mirror.of(INVOICE).values()} == {currency}


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
    others = {one: true for one, true in sound.items() if one != key and one[0] is not CUSTOMER}
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
