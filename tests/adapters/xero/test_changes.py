"""Rounds of changes: everything once, then what changed, stamped or not, in few calls and without gaps."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import httpx
import pytest

from adapters.xero import cursor as cursors
from connector.domain.flat import FlatInvoice
from connector.domain.ledger import Customer, Invoice, InvoiceStatus, NeedsReview, Payment, Record, RecordKind
from connector.errors import LedgerUnavailable, RateLimited, UnreadableAnswer
from connector.ports import Batch, Ledger
from tests.adapters.xero.office import SOON, Office, office_with_customers
from tests.adapters.xero.rows import (
    Row,
    contact_id,
    contact_row,
    credit_note_row,
    invoice_row,
    opened,
    overpayment_row,
    payment_row,
    prepayment_row,
    wire_date,
)

TAG = "Disputed (dunwell)"


class AtOnce(Executor):
    """Runs what is submitted before `submit` returns."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 (a future carries whatever was raised)
            future.set_exception(error)
        return future


@dataclass
class Round:
    """What one round brought, later batches over earlier ones as a mirror would."""

    cursor: str
    calls: int
    records: dict[str, Record] = field(default_factory=dict)
    review: dict[str, NeedsReview] = field(default_factory=dict)
    size: int = 0

    def invoice(self, number: int = 1) -> Invoice:
        found = self.records[invoice_row(number)["InvoiceID"]]
        assert isinstance(found, Invoice)
        return found

    def customer(self, number: int = 1) -> Customer:
        found = self.records[contact_id(number)]
        assert isinstance(found, Customer)
        return found


def pull(ledger: Ledger, cursor: str | None = None, executor: Executor | None = None) -> Round:
    found = Round("", 0)
    batches = list(ledger.changes(cursor, executor or AtOnce()))
    for batch in batches:
        assert batch.cursor is None or batch is batches[-1]  # only the last one moves on
        found.records |= {record.id: opened(record) for record in batch.records}
        found.review |= {review.id: review for review in batch.needs_review}
        found.calls += batch.calls
        found.size += batch.size
    assert batches[-1].cursor is not None
    found.cursor = batches[-1].cursor
    return found


def next_round(office: Office, ledger: Ledger, cursor: str) -> Round:
    office.log.clear()
    return pull(ledger, cursor)


# --- everything ----------------------------------------------------------------------------------------------------


def test_the_first_round_brings_everything_of_the_receivables_side() -> None:
    office = office_with_customers(2)
    office.add("Contacts", contact_row(3, ContactStatus="ARCHIVED"))
    office.add(
        "Invoices", *(invoice_row(n, Status=status) for n, status in enumerate(["PAID", "VOIDED", "DELETED"], 1))
    )
    office.add("Invoices", invoice_row(4), invoice_row(5, Type="ACCPAY"))
    office.add("Payments", payment_row(), payment_row(2, PaymentType="ACCPAYPAYMENT"))
    office.add("CreditNotes", credit_note_row())
    office.add("Overpayments", overpayment_row())
    office.add("Prepayments", prepayment_row())
    with office.open() as ledger:
        found = pull(ledger)
    kinds = [type(record).__name__ for record in found.records.values()]
    assert {kind: kinds.count(kind) for kind in kinds} == {"Customer": 3, "Invoice": 4, "Payment": 1, "Credit": 3}
    assert found.invoice(3).status is InvoiceStatus.DELETED
    assert found.invoice(4).lines  # lists are paged, so lines are there
    assert found.calls == ledger.calls() == len(office.log)
    assert found.size > 0


@pytest.mark.parametrize("threads", [0, 5])
def test_many_pages_come_whole(threads: int) -> None:
    office = office_with_customers(1, page_size=7)
    office.add("Invoices", *(invoice_row(n) for n in range(1, 101)))
    with office.open() as ledger:
        if threads:
            with ThreadPoolExecutor(threads) as executor:
                found = pull(ledger, executor=executor)
        else:
            found = pull(ledger)
    assert sum(isinstance(record, Invoice) for record in found.records.values()) == 100


def test_suppliers_are_left_out_until_a_receivable_names_them() -> None:
    office = office_with_customers(1)
    supplier = {"IsSupplier": True, "IsCustomer": False}
    office.add("Contacts", contact_row(2, **supplier), contact_row(3, **supplier))
    office.add("Invoices", invoice_row(1, Status="DRAFT", Contact={"ContactID": contact_id(3)}))
    office.clock.advance(hours=1)
    with office.open() as ledger:
        first = pull(ledger)
        assert {record.id for record in first.records.values() if isinstance(record, Customer)} == {
            contact_id(1),
            contact_id(3),
        }
        office.clock.advance(hours=1)
        office.add("Invoices", invoice_row(2, Status="DRAFT", Contact={"ContactID": contact_id(2)}))
        assert contact_id(2) in next_round(office, ledger, first.cursor).records


def test_without_the_servers_clock_there_is_no_round() -> None:
    office = office_with_customers(1)
    bare = httpx.Response(200, json={"ContactGroups": []})
    office.refuse["GET /ContactGroups"] = bare
    with office.open() as ledger, pytest.raises(UnreadableAnswer, match="tell the time"):
        pull(ledger)


# --- later rounds --------------------------------------------------------------------------------------------------


def settled(office: Office, ledger: Ledger) -> str:
    """A first round, long enough ago that its overlap brings nothing again."""
    office.clock.advance(hours=1)
    cursor = pull(ledger).cursor
    office.clock.advance(hours=1)
    cursor = pull(ledger, cursor).cursor
    office.clock.advance(hours=1)
    return cursor


@pytest.mark.parametrize("tagged", [False, True])
def test_a_round_in_which_nothing_happened_costs_eight_calls(tagged: bool) -> None:
    office = office_with_customers(3)
    office.add("Invoices", invoice_row(1), invoice_row(2, AmountDue=45.0), invoice_row(3, Status="DRAFT"))
    office.add("Payments", payment_row())
    if tagged:
        office.group(TAG, contact_id(2))
    with office.open() as ledger:
        found = next_round(office, ledger, settled(office, ledger))
    assert found.calls == len(office.log) == 8
    assert found.records == {}


def test_what_is_stamped_comes() -> None:
    office = office_with_customers(2)
    office.add("Invoices", invoice_row(1), invoice_row(2))
    office.add("Payments", payment_row(1))
    with office.open() as ledger:
        cursor = settled(office, ledger)
        office.edit("Invoices", invoice_row(1)["InvoiceID"], Status="VOIDED")
        office.edit("Payments", payment_row(1)["PaymentID"], Status="DELETED")
        found = next_round(office, ledger, cursor)
    assert found.invoice(1).status is InvoiceStatus.VOIDED
    gone = found.records[payment_row(1)["PaymentID"]]
    assert isinstance(gone, Payment)
    assert not gone.active
    assert invoice_row(2)["InvoiceID"] not in found.records


@pytest.mark.parametrize(
    "unseen",
    [
        {"DueDate": wire_date(date(2026, 12, 31)), "DueDateString": "2026-12-31T00:00:00"},
        {"SentToContact": False},
        {"ExpectedPaymentDate": wire_date(date(2026, 12, 31))},
    ],
    ids=lambda fields: next(iter(fields)),
)
@pytest.mark.parametrize("applied", [{"AmountPaid": 200.0}, {"AmountCredited": 200.0}], ids=["paid", "credited"])
def test_what_xero_forgets_to_stamp_on_part_paid_invoices_comes(unseen: Row, applied: Row) -> None:
    office = office_with_customers(1)
    office.add("Invoices", *(invoice_row(n, AmountDue=345.0, **applied) for n in range(1, 4)))
    with office.open() as ledger:
        cursor = settled(office, ledger)
        office.edit("Invoices", invoice_row(2)["InvoiceID"], stamped=False, **unseen)
        found = next_round(office, ledger, cursor)
        assert set(found.records) == {invoice_row(2)["InvoiceID"], contact_id(1)}
        assert found.invoice(2).lines  # read in full, not from the summary
        again = next_round(office, ledger, found.cursor)
    assert again.records == {}


def test_a_forgotten_change_during_the_first_round_comes_with_the_next() -> None:
    office = office_with_customers(1)
    office.add("Invoices", invoice_row(1, AmountDue=345.0))

    def sneak(request: httpx.Request) -> None:
        if request.url.path.endswith("/Contacts"):
            due = {"DueDate": wire_date(date(2026, 12, 31)), "DueDateString": "2026-12-31T00:00:00"}
            office.edit("Invoices", invoice_row(1)["InvoiceID"], stamped=False, **due)

    office.before.append(sneak)
    with office.open() as ledger:
        office.clock.advance(hours=1)
        first = pull(ledger)
        office.before.clear()
        office.clock.advance(hours=1)
        found = next_round(office, ledger, first.cursor)
    assert found.invoice(1).due == date(2026, 12, 31)


def test_a_document_that_vanished_is_asked_for_by_name() -> None:
    office = office_with_customers(1)
    office.add("Invoices", *(invoice_row(n, Status="DRAFT") for n in range(1, 4)))
    with office.open() as ledger:
        cursor = settled(office, ledger)
        office.edit("Invoices", invoice_row(1)["InvoiceID"], stamped=False, Status="DELETED")
        del office.rows["Invoices"][invoice_row(2)["InvoiceID"]]
        found = next_round(office, ledger, cursor)
        assert found.invoice(1).status is InvoiceStatus.DELETED
        assert found.review[invoice_row(2)["InvoiceID"]].reason == "no longer in Xero"
        assert next_round(office, ledger, found.cursor).calls == 8  # and is not asked for again


def test_balances_follow_documents_although_xero_does_not_stamp_contacts() -> None:
    office = office_with_customers(3)
    office.add("Invoices", invoice_row(1))
    with office.open() as ledger:
        cursor = settled(office, ledger)
        balances = {"AccountsReceivable": {"Outstanding": 345.0}}
        office.edit("Contacts", contact_id(1), stamped=False, Balances=balances)
        office.add("Payments", payment_row())
        found = next_round(office, ledger, cursor)
    assert str(found.customer(1).outstanding) == "345"
    assert contact_id(2) not in found.records


def test_the_balance_is_read_after_the_document() -> None:
    """A contact that is stamped itself must still not be older than the documents of its round."""
    office = office_with_customers(1)
    with office.open() as ledger:
        cursor = settled(office, ledger)
        office.edit("Contacts", contact_id(1), EmailAddress="new@customer.example")

        def invoiced(request: httpx.Request) -> None:
            if request.url.path.endswith("/Invoices") and "summaryOnly" not in request.url.params:
                office.before.clear()
                office.add("Invoices", invoice_row(1))
                balances = {"AccountsReceivable": {"Outstanding": 545.0}}
                office.edit("Contacts", contact_id(1), stamped=False, Balances=balances)

        office.before.append(invoiced)
        found = next_round(office, ledger, cursor)
    assert invoice_row(1)["InvoiceID"] in found.records
    assert str(found.customer(1).outstanding) == "545"


def test_many_touched_contacts_are_read_in_pages() -> None:
    office = office_with_customers(90)
    with office.open() as ledger:
        cursor = settled(office, ledger)
        office.add("Invoices", *(invoice_row(n, Contact={"ContactID": contact_id(n)}) for n in range(1, 91)))
        found = next_round(office, ledger, cursor)
    assert len([record for record in found.records.values() if isinstance(record, Customer)]) == 90
    assert len([path for path in office.asked() if path.startswith("/Contacts")]) == 2


def test_an_invoice_under_review_is_looked_at_again() -> None:
    office = office_with_customers(1)
    office.add("Invoices", invoice_row(1, Status="PAID", CurrencyCode="??"))
    with office.open() as ledger:
        cursor = settled(office, ledger)
        office.edit("Invoices", invoice_row(1)["InvoiceID"], stamped=False, CurrencyCode="NZD")
        found = next_round(office, ledger, cursor)
        assert found.invoice(1).status is InvoiceStatus.PAID
        office.clock.advance(hours=1)
        assert next_round(office, ledger, found.cursor).calls == 8


def test_group_members_are_kept_exact() -> None:
    office = office_with_customers(3)
    group = office.group(TAG, contact_id(1))
    with office.open() as ledger:
        first = pull(ledger)
        assert first.customer(1).groups == (TAG,)
        assert first.customer(2).groups == ()
        office.clock.advance(hours=1)
        office.groups[group]["Contacts"] = [{"ContactID": contact_id(2)}]  # no stamp moves
        found = next_round(office, ledger, first.cursor)
        assert (found.customer(1).groups, found.customer(2).groups) == ((), (TAG,))
        office.clock.advance(hours=1)
        office.groups[group]["Status"] = "DELETED"
        office.group(TAG.upper(), contact_id(3))  # Xero compares names without case
        found = next_round(office, ledger, found.cursor)
    assert (found.customer(2).groups, found.customer(3).groups) == ((), (TAG,))


def test_the_overlap_brings_the_edges_again() -> None:
    office = office_with_customers(1)
    with office.open() as ledger:
        office.clock.advance(hours=1)
        cursor = pull(ledger).cursor
        since = datetime.fromisoformat(json.loads(cursor)["since"])
        office.add("Invoices", invoice_row(1))
        office.stamps[invoice_row(1)["InvoiceID"]] = since - SOON / 10  # three minutes before the round began
        assert invoice_row(1)["InvoiceID"] in next_round(office, ledger, cursor).records


@pytest.mark.parametrize("cursor", ["", "{}", "not json", '{"v":99,"since":"2026-11-22T08:00:00+00:00"}', "[]"])
def test_an_unusable_cursor_means_everything_again(cursor: str) -> None:
    assert cursors.load(cursor) is None


def test_the_cursor_comes_back_whole() -> None:
    office = office_with_customers(1)
    made = cursors.Cursor(
        office.clock.now(), {"i": "DRAFT||"}, ("r",), {TAG: ("g",)}, {contact_id(1): (TAG,)}, contacts=7
    )
    assert cursors.load(made.dump()) == made


# --- drift ---------------------------------------------------------------------------------------------------------


def hide_once(plural: str, identity: str) -> Callable[[str, Row], None]:
    """The row is missing from the list the first time that its page is read, but counted."""
    hidden: list[Row] = []

    def reshape(listed: str, document: Row) -> None:
        found = [row for row in document[listed] if row.get(f"{plural[:-1]}ID") == identity]
        if listed == plural and found and not hidden:
            hidden.extend(found)
            document[listed].remove(found[0])

    return reshape


def test_a_row_that_slipped_between_pages_is_found_by_another_pass() -> None:
    office = office_with_customers(1, page_size=3)
    office.add("Invoices", *(invoice_row(n) for n in range(1, 11)))
    office.reshape = hide_once("Invoices", invoice_row(4)["InvoiceID"])
    with office.open() as ledger:
        found = pull(ledger)
    assert sum(isinstance(record, Invoice) for record in found.records.values()) == 10


def test_rows_made_while_reading_push_nothing_out() -> None:
    office = office_with_customers(1, page_size=3)
    office.add("Invoices", *(invoice_row(n) for n in range(100, 120)))
    fresh = iter(range(1, 6))

    def invoice_meanwhile(request: httpx.Request) -> None:
        if request.url.params.get("page") == "2" and (number := next(fresh, None)):
            office.add("Invoices", invoice_row(number))  # sorts before all others

    office.before.append(invoice_meanwhile)
    with office.open() as ledger, ThreadPoolExecutor(5) as executor:
        office.clock.advance(hours=1)
        found = pull(ledger, executor=executor)
    assert {record.number for record in found.records.values() if isinstance(record, Invoice)} >= {
        f"INV-{n:04d}" for n in (*range(1, 6), *range(100, 120))
    }


def test_a_list_that_never_comes_to_rest_is_not_taken_for_whole() -> None:
    office = office_with_customers(1)
    office.add("Invoices", *(invoice_row(n) for n in range(1, 6)))
    turn = iter(range(1000))

    def restless(plural: str, document: Row) -> None:
        if plural == "Invoices":
            del document[plural][next(turn) % 5]

    office.reshape = restless
    with office.open() as ledger, pytest.raises(UnreadableAnswer, match="keeps changing"):
        pull(ledger)


def test_two_passes_that_agree_are_believed_against_the_count() -> None:
    office = office_with_customers(1)
    office.add("Invoices", *(invoice_row(n) for n in range(1, 6)))

    def overcounted(_: str, document: Row) -> None:
        document["pagination"]["itemCount"] += 1

    office.reshape = overcounted
    with office.open() as ledger:
        assert len(pull(ledger).records) == 6


def test_without_a_count_only_an_empty_page_ends_the_list() -> None:
    office = office_with_customers(1, page_size=4)
    office.add("Invoices", *(invoice_row(n) for n in range(1, 10)))

    def uncounted(_: str, document: Row) -> None:
        del document["pagination"]

    office.reshape = uncounted
    with office.open() as ledger:
        assert sum(isinstance(record, Invoice) for record in pull(ledger).records.values()) == 9


# --- trouble -------------------------------------------------------------------------------------------------------


def test_a_failed_page_fails_the_round_and_moves_no_cursor() -> None:
    office = office_with_customers(1)

    def dead(request: httpx.Request) -> None:
        if request.url.path.endswith("/Payments"):
            raise httpx.ReadError("cut")

    office.before.append(dead)
    with office.open() as ledger:
        batches: list[Batch] = []
        with pytest.raises(LedgerUnavailable):
            batches.extend(ledger.changes(None, AtOnce()))
    assert batches  # what came before is used
    assert [batch.cursor for batch in batches if batch.cursor] == []


@pytest.mark.parametrize("broken", ["{", "null", '{"Contacts": []}'])
def test_a_later_page_that_cannot_be_read_is_asked_for_again(broken: str) -> None:
    office = office_with_customers(1, page_size=7)
    office.add("Invoices", *(invoice_row(n) for n in range(1, 31)))
    spoilt: list[str] = []

    def spoil(request: httpx.Request) -> None:
        query = request.url.params
        if query.get("page") == "3" and "summaryOnly" not in query and not spoilt:
            spoilt.append(str(request.url))
            office.refuse["GET /Invoices"] = httpx.Response(
                200, text=broken, headers={"Content-Type": "application/json"}
            )

    office.before.append(spoil)
    with office.open() as ledger:
        found = pull(ledger)
    assert sum(isinstance(record, Invoice) for record in found.records.values()) == 30
    asked = [str(request.url) for request in office.log if "If-Modified-Since" not in request.headers]
    assert asked.count(spoilt[0]) == 2


def test_a_day_limit_in_the_middle_ends_the_round_at_once() -> None:
    office = office_with_customers(1, page_size=2)
    office.add("Invoices", *(invoice_row(n) for n in range(1, 20)))
    spent = httpx.Response(429, headers={"X-Rate-Limit-Problem": "day", "Retry-After": "3600"})

    def meter(request: httpx.Request) -> None:
        if request.url.params.get("page") == "4":
            office.refuse["GET /Invoices"] = spent

    office.before.append(meter)
    with office.open() as ledger, ThreadPoolExecutor(5) as executor, pytest.raises(RateLimited) as caught:
        pull(ledger, executor=executor)
    assert caught.value.limit == "day"


def test_a_huge_organisation_refuses_filters_and_is_read_as_it_comes() -> None:
    office = office_with_customers(1)
    office.add("Invoices", invoice_row(1), invoice_row(2, Type="ACCPAY"))
    office.strict = True
    with office.open() as ledger:
        found = pull(ledger)
    assert {record.id for record in found.records.values()} == {invoice_row(1)["InvoiceID"], contact_id(1)}


# --- by ids --------------------------------------------------------------------------------------------------------


def fetched(ledger: Ledger, kind: RecordKind, ids: Sequence[str]) -> tuple[set[str], int]:
    batch = ledger.fetch(kind, ids)
    assert batch.cursor is None
    return {record.id for record in batch.records}, batch.calls


def test_records_are_fetched_forty_at_a_time() -> None:
    office = office_with_customers(1)
    office.add("Invoices", *(invoice_row(n) for n in range(1, 91)))
    ids = [invoice_row(n)["InvoiceID"] for n in range(1, 91)]
    with office.open() as ledger:
        assert fetched(ledger, RecordKind.INVOICE, [*ids, ids[0], "missing"]) == (set(ids), 3)
        batch = ledger.fetch(RecordKind.INVOICE, ids[:1])
    assert all(isinstance(record, FlatInvoice) and record.lines for record in batch.records)


def test_customers_are_fetched_with_their_groups_and_archived_ones_too() -> None:
    office = office_with_customers(1)
    office.add("Contacts", contact_row(2, ContactStatus="ARCHIVED"))
    office.group(TAG, contact_id(2))
    with office.open() as ledger:
        batch = ledger.fetch(RecordKind.CUSTOMER, [contact_id(1), contact_id(2)])
    assert {record.id: record.groups for record in batch.records if isinstance(record, Customer)} == {
        contact_id(1): (),
        contact_id(2): (TAG,),
    }


def test_payments_and_credits_are_fetched_one_by_one_whatever_they_are() -> None:
    office = office_with_customers(1)
    office.add("Payments", payment_row())
    office.add("CreditNotes", credit_note_row())
    office.add("Prepayments", prepayment_row())
    wanted = [credit_note_row()["CreditNoteID"], prepayment_row()["PrepaymentID"], "missing"]
    with office.open() as ledger:
        assert fetched(ledger, RecordKind.PAYMENT, [payment_row()["PaymentID"], "missing"])[0] == {
            payment_row()["PaymentID"]
        }
        assert fetched(ledger, RecordKind.CREDIT, wanted)[0] == set(wanted[:2])
