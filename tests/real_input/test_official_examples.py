"""The vendor's own examples as books: what is open, overdue, reviewed and planned was worked out by hand.

The examples were written operation by operation and do not always agree with one another; where they do not, the
test says so. An organisation in New Zealand (NZD), locked to 31 December 2018, looked at on 1 April 2019.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from connector.domain.decisions import ActionKind
from connector.domain.ledger import CreditKind, InvoiceStatus
from tests.real_input.practice import Practice, aged, examples, practice, sums

pytestmark = pytest.mark.socket

NOW = "2019-04-01T00:00:00+00:00"  # 13:00 in Auckland, the same day
BARNEY, LIAM, LUKE = "Barney Rubble-83203", "Liam Gallagher", "Luke Skywalker"


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """The examples of the list operations only: what a first pull would have read."""
    folder = tmp_path_factory.mktemp("lists")
    with practice(folder, examples(folder / "books", lists_only=True), NOW) as found:
        yield found


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """Every example of a successful answer: lists, single records, answers to writes."""
    folder = tmp_path_factory.mktemp("everything")
    with practice(folder, examples(folder / "books", lists_only=False), NOW) as found:
        yield found


def test_what_the_lists_hold(lists: Practice) -> None:
    # GET /Invoices shows INV-0001 (VOIDED, 40.00), INV-0002 (PAID, 46.00) and INV-0003 (AUTHORISED, 115.00).
    # GET /CreditNotes: CN-0005 and a supplier's draft. GET /Overpayments: five, two of them SPEND-. One prepayment:
    #   1 + 3 + 1 = 5 credits. GET /Payments: 46.00 for INV-0002, and 2.00 refunded on CN-0005 (money going out).
    # GET /BatchPayments: one RECBATCH of five receipts, for invoices that no list shows.
    # Contacts: Katherine and Lisa are listed; Barney, Liam, Luke and Daddy Warbucks stand in these documents only,
    #   sam in bank transactions, Adam in a quote.
    assert lists.pulled.records == {"invoice": 3, "credit": 5, "payment": 1 + 5, "customer": 2 + 4 + 2}
    assert lists.review() == {}
    organisation = lists.row.record
    assert (organisation.base_currency, organisation.timezone) == ("NZD", "Pacific/Auckland")
    assert organisation.lock_date == date(2018, 12, 31)
    assert organisation.native_reminders is False


def test_open_and_overdue_to_the_cent(lists: Practice) -> None:
    found = lists.report()
    figures = found.currencies["NZD"]
    assert set(found.currencies) == {"NZD"}
    assert sums(figures.open) == sums(figures.overdue) == (1, "115.00")
    # Due 7 November 2018: 23 + 31 + 31 + 28 + 31 + 1 = 145 days before 1 April 2019.
    assert aged(found, "NZD") == {"90+": (1, "115.00")}
    # Sales of the last 365 days: 46.00 + 115.00 (the voided 40.00 is none); 115 / 161 x 365 = 260.71.
    assert str(figures.dso) == "260.7"
    # INV-0003 does not say whether it was sent; that is unknown, not unsent.
    assert sums(figures.unsent) == (0, "0.00")
    assert found.without_address == [BARNEY], "a contact that stands in documents only has no e-mail address"


def test_a_past_day_is_rebuilt_from_the_payments(lists: Practice) -> None:
    # On 20 November 2018 INV-0002 (46.00, due 30 December) was still unpaid: its payment came on the 29th.
    found = lists.report(date(2018, 11, 20))
    assert sums(found.currencies["NZD"].open) == (2, "161.00")
    assert aged(found, "NZD") == {"current": (1, "46.00"), "1-30": (1, "115.00")}
    assert sums(lists.report(date(2018, 11, 29)).currencies["NZD"].open) == (1, "115.00")


def test_credits_are_the_customers_own_only(lists: Practice) -> None:
    books = lists.books()
    liam = {(one.kind, one.remaining.amount) for one in books[LIAM].credits}
    assert {(kind, str(amount)) for kind, amount in liam} == {
        (CreditKind.CREDIT_NOTE, "32.50"),
        (CreditKind.OVERPAYMENT, "20.00"),
    }
    assert len(books[LIAM].credits) == 1 + 3
    assert [str(one.remaining) for one in books[LUKE].credits] == ["NZD 3,450.00"]
    assert books["Daddy Warbucks"].credits == (), "money spent on a supplier is no credit of a customer"
    voided = {invoice.number: invoice for invoice in books[BARNEY].invoices}["INV-0001"]
    assert (voided.status, voided.balance.minor) == (InvoiceStatus.VOIDED, 0)


def test_the_control_total_shows_what_does_not_agree(lists: Practice) -> None:
    # Katherine's contact states 760.00 outstanding, but no invoice of hers is in the examples: 115 - (760 + 115).
    assert lists.report().control["difference"] == {"amount": "-760.00", "currency": "NZD"}


def test_the_plan_asks_nobody_before_somebody_mends_the_address(lists: Practice) -> None:
    before = lists.plan()
    asked = {action.key.occasion for action in before.actions}
    assert {"questions", "sort", "reconcile:unknown", "address:no_address"} <= asked
    assert not [action for action in before.actions if action.decision.contact]
    opening = lists.take_on()
    assert [(one.name, one.items, str(one.oldest_due)) for one in opening.customers] == [(BARNEY, 1, "2018-11-07")]
    after = lists.plan()
    assert {action.key.kind for action in after.actions} == {ActionKind.TASK}
    assert {action.key.occasion for action in after.actions} == {"address:no_address"}
    done = lists.apply()
    assert done.effects == []


def test_everything_that_the_description_shows(everything: Practice) -> None:
    # Added by single records and writes: INV-0007 of Liam (AUTHORISED, 40.00, due 10 December 2018, not sent),
    # INV-0006 (PAID), INV-0008 of Luke (SUBMITTED, 575.00: not a debt yet). Liam's contact now has an address.
    found = everything.report()
    figures = found.currencies["NZD"]
    assert sums(figures.open) == sums(figures.overdue) == (2, "155.00")  # 115.00 + 40.00
    assert aged(found, "NZD") == {"90+": (2, "155.00")}
    assert sums(figures.unsent) == (1, "40.00")
    assert found.without_address == [BARNEY]
    assert everything.books()[LIAM].customer.email == "liam@rockstar.com"


def test_a_contact_listed_by_id_alone_takes_its_name_from_a_document(everything: Practice) -> None:
    # PUT /ContactGroups/{id}/Contacts answers with bare ids, one of them Barney's.
    assert everything.review() == {}
    assert [invoice.number for invoice in everything.books()[BARNEY].invoices if invoice.is_open] == ["INV-0003"]


def test_unapplied_money_speaks_against_asking(everything: Practice) -> None:
    # Liam owes 40.00 and has 32.50 + 3 x 20.00 = 92.50 that nobody has applied.
    opening = everything.take_on()
    suggested = {one.name: one.suggestion.value for one in opening.customers}
    assert suggested == {LIAM: "fix_books", BARNEY: "chase"}
    kinds = {action.key.kind for action in everything.plan().actions}
    assert kinds <= {ActionKind.TASK}, "nothing is asked for while the customer's own money covers it"


def test_a_second_pull_changes_nothing(everything: Practice) -> None:
    assert everything.pull().changed == 0
