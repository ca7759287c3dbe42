"""Several lists in one stream: what is asked for when, and how much waits."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from adapters.xero.paging import IN_FLIGHT
from tests.adapters.xero.office import Office, office_with_customers
from tests.adapters.xero.rows import invoice_row, payment_row
from tests.adapters.xero.test_changes import AtOnce, pull


class Late(Executor):
    """Runs what is submitted only when its result is asked for, and counts what waits."""

    def __init__(self) -> None:
        self.waiting = 0
        self.most = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        executor = self
        executor.waiting += 1
        executor.most = max(executor.most, executor.waiting)

        class Lazy(Future[Any]):
            def result(self, timeout: float | None = None) -> Any:
                executor.waiting -= 1
                return fn(*args, **kwargs)

        return Lazy()


def large_office() -> Office:
    office = office_with_customers(1, page_size=3)
    office.add("Invoices", *(invoice_row(n) for n in range(1, 41)))
    office.add("Payments", *(payment_row(n) for n in range(1, 31)))
    return office


def test_few_pages_wait_for_their_turn() -> None:
    office, executor = large_office(), Late()
    with office.open() as ledger:
        found = pull(ledger, executor=executor)
    assert len(found.records) == 1 + 40 + 30
    assert executor.most <= IN_FLIGHT + 6  # and the first page of each list
    assert executor.waiting == 0


def test_invoices_are_read_after_what_watches_them() -> None:
    """Otherwise a change that Xero does not stamp, made in between, would be in no list and in no fingerprint."""
    office = large_office()
    asked: list[bool] = []  # whether it was a summary

    def note(request: httpx.Request) -> None:
        if request.url.path.endswith("/Invoices"):
            asked.append("summaryOnly" in request.url.params)

    office.before.append(note)
    with office.open() as ledger, ThreadPoolExecutor(IN_FLIGHT) as executor:
        pull(ledger, executor=executor)
    assert asked == sorted(asked, reverse=True)
    assert asked.count(True) > 1


@pytest.mark.parametrize(("seconds", "seen"), [(90, True), (30, False)])
def test_a_first_round_that_took_long_looks_a_second_time(seconds: float, seen: bool) -> None:
    """What changed during a short one comes with the next, as what changes just after a round does."""
    office = large_office()

    def change(request: httpx.Request) -> None:
        if request.url.path.endswith("/Contacts"):  # invoice 1 was read
            office.before.clear()
            office.clock.advance(seconds=seconds)
            office.edit("Invoices", invoice_row(1)["InvoiceID"], Reference="new")

    office.before.append(change)
    with office.open() as ledger:
        found = pull(ledger, executor=AtOnce())
        assert (found.invoice(1).reference == "new") is seen
        assert pull(ledger, found.cursor).invoice(1).reference == "new"
