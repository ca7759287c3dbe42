"""A promise is recorded once for each date, in the currency owed; a later one takes an earlier one's place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from connector.domain.cases import Promise, ReplyOutcome
from connector.domain.money import Money
from connector.errors import Refused
from connector.service import lookup, people, promises
from connector.store import cases
from tests.builders import invoice
from tests.harness import Office
from tests.policy.known import facts

FRIDAY, MONDAY_AFTER = date(2026, 3, 6), date(2026, 3, 9)


def recorded(office: Office) -> list[Promise]:
    with office.w.db.reading(office.w.tenant) as tx:
        return [one for one in cases.all(tx, office.row.id, "promise") if isinstance(one, Promise)]


def currency_of(office: Office, text: str) -> str:
    with office.w.db.reading(office.w.tenant) as tx:
        return lookup.currency(tx, office.row.id, text)


@pytest.mark.socket
def test_the_same_date_is_not_promised_twice(office: Office) -> None:
    office.invoice("INV-5", "Letter Ltd", "600.00")
    office.invoice("INV-6", "Letter Ltd", "300.00")
    office.pull()
    office.reconciled()
    first = promises.promise(office.w, office.row, "INV-5", FRIDAY)
    with pytest.raises(Refused, match="recorded on 2026-03-02 already"):
        promises.promise(office.w, office.row, "INV-5", FRIDAY)
    part = promises.promise(office.w, office.row, "INV-5", FRIDAY, amount=Money.of("200.00", "GBP"))
    assert recorded(office) == [part] == [replace(first, amount=Money.of("200.00", "GBP"))]
    rest = promises.promise(office.w, office.row, "Letter Ltd", FRIDAY)
    assert len(rest.invoice_ids) == 1
    assert rest.invoice_ids != first.invoice_ids
    with pytest.raises(Refused, match="already"):
        promises.promise(office.w, office.row, "Letter Ltd", FRIDAY)
    later = promises.promise(office.w, office.row, "INV-5", MONDAY_AFTER)
    assert recorded(office) == [part, rest, later]


@pytest.mark.socket
def test_an_amount_is_of_the_currency_owed_and_asked_for_where_there_are_several(office: Office) -> None:
    office.invoice("INV-5", "Letter Ltd", "600.00", currency="USD", rate="1.25")
    office.pull()
    assert (currency_of(office, "INV-5"), currency_of(office, "Letter Ltd")) == ("USD", "USD")
    office.invoice("INV-6", "Letter Ltd", "300.00")
    office.pull()
    assert (currency_of(office, "INV-5"), currency_of(office, "INV-6")) == ("USD", "GBP")
    with pytest.raises(Refused, match="owes in GBP and USD"):
        currency_of(office, "Letter Ltd")
    assert currency_of(office, "Plan Ltd") == "GBP"  # owes nothing: the books' own
    with pytest.raises(Refused, match="nothing was billed in GBP"):
        people.reply(office.w, office.row, "INV-5", ReplyOutcome.PAID, amount=Money.of("5.00", "GBP"))


@pytest.mark.socket
def test_no_more_is_promised_than_is_owed(office: Office) -> None:
    office.invoice("INV-5", "Letter Ltd", "600.00")
    office.invoice("INV-6", "Letter Ltd", "300.00")
    office.pull()
    office.reconciled()
    with pytest.raises(Refused, match=r"GBP 600\.01 is more than the GBP 600\.00"):
        promises.promise(office.w, office.row, "INV-5", FRIDAY, amount=Money.of("600.01", "GBP"))
    with pytest.raises(Refused, match=r"more than the GBP 900\.00"):
        promises.promise(office.w, office.row, "Letter Ltd", FRIDAY, amount=Money.of("900.01", "GBP"))
    assert recorded(office) == []
    whole = promises.promise(office.w, office.row, "Letter Ltd", FRIDAY, amount=Money.of("900.00", "GBP"))
    assert recorded(office) == [whole]


def test_a_promise_that_was_changed_in_time_is_not_a_broken_one() -> None:
    first = Promise(
        id="p-1", customer_id="cust-1", on=date(2026, 2, 16), by="Jo", invoice_ids=("inv-1", "inv-2"),
        until=date(2026, 2, 20),
    )  # fmt: skip
    in_time = replace(first, id="p-2", on=date(2026, 2, 20), until=date(2026, 2, 24))
    late = replace(in_time, on=date(2026, 2, 21))
    partly = replace(in_time, invoice_ids=("inv-1",))
    books = (invoice("inv-1", "1200.00"), invoice("inv-2", "300.00"))

    def broken(*records: Promise) -> int:
        return facts(date(2026, 3, 2), *records, invoices=books).history.broken_promises_12_months

    assert (broken(first), broken(first, in_time), broken(first, late), broken(first, partly)) == (1, 1, 2, 2)
    assert len(facts(date(2026, 3, 2), first, in_time, invoices=books).items[0].promises) == 2  # both count as made
