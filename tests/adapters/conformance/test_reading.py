"""What is read is what stands in the books, whatever happens while it is read."""

from __future__ import annotations

from datetime import date

import pytest

from connector.domain.ledger import RecordKind
from tests.adapters.conformance.bench import Bench, Json
from tests.adapters.conformance.books import MANY, empty, many, new_invoice
from tests.adapters.conformance.compare import differences, same
from tests.adapters.conformance.conftest import BENCHES, Found
from tests.adapters.conformance.desk import ROWS, Desk, Mirror

CUSTOMER, INVOICE, PAYMENT, CREDIT = RecordKind.CUSTOMER, RecordKind.INVOICE, RecordKind.PAYMENT, RecordKind.CREDIT
Act = Json


# --- everything ------------------------------------------------------------------------------------------------------


def test_a_full_pull_is_the_books(desk: Desk) -> None:
    mirror = Mirror()
    desk.pull(mirror)
    same(mirror, desk)
    assert {kind: len(mirror.of(kind)) for kind in RecordKind} == {CUSTOMER: 6, INVOICE: 11, PAYMENT: 2, CREDIT: 3}


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
    "a new customer's first invoice": [new_invoice("INV-NEW", "fir")],
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
    desk.narrow()
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
    desk.narrow(1)
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
    desk.narrow()
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
    desk.narrow()
    desk.people(*({"do": "edit_invoice", "invoice": f"INV-{n:02}", "reference": "again"} for n in range(MANY)))
    cursor = desk.pull(mirror)
    desk.pull(mirror, cursor)
    assert sum(times > 1 for (kind, _), times in mirror.came.items() if kind is INVOICE) >= MANY
    same(mirror, desk)
