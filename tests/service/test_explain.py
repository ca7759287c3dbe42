"""Why something happens, or why nothing does: with the sum, its bridge, and the next date."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from connector.domain.cases import DisputeCode
from connector.domain.money import Money
from connector.errors import NotFound, UserError
from connector.service import disputes
from connector.service.explain import explain
from tests.harness import Office

pytestmark = pytest.mark.socket


def test_what_is_asked_for_follows_from_the_ledgers_balance(office: Office) -> None:
    office.invoice("INV-5", "Letter Ltd")
    office.people({"do": "overpay", "customer": "Letter Ltd", "amount": "50.00"})
    office.pull()
    office.reconciled()
    disputes.open_dispute(office.w, office.row, "INV-5", code=DisputeCode.PRICE, amount=Money.of("100.00", "GBP"))
    told = explain(office.w, office.row, "INV-5")
    (item,) = told.items
    assert (item.balance.amount, item.collectable.amount) == (Decimal("600.00"), Decimal("450.00"))
    assert sum(amount.minor for _, amount in item.bridge) == item.collectable.minor
    assert {code for code, _ in item.bridge} == {"balance", "disputed", "unapplied_credit"}
    assert item.paused_by == "query open"


def test_why_not_names_the_reason_and_when_to_look_again(office: Office) -> None:
    office.invoice("INV-5", "Letter Ltd", due="2026-03-20")
    office.pull()
    office.reconciled()
    told = explain(office.w, office.row, "Letter Ltd", "letter")
    assert told.why_not
    called = explain(office.w, office.row, "Letter Ltd", "call").why_not
    assert {one.rule for one in called} == {"call"}, "that there is no promise and no plan, stops no call"
    assert told.next_date is not None
    assert date(2026, 3, 2) < told.next_date <= date(2026, 3, 23)


def test_nothing_open_is_said_and_not_left_blank(office: Office) -> None:
    told = explain(office.w, office.row, "Letter Ltd")
    assert (told.proposed, told.items) == ((), ())
    assert told.nothing_because is not None
    assert told.nothing_because.text


def test_what_was_written_is_told(office: Office) -> None:
    office.five_cases()
    office.apply()
    told = explain(office.w, office.row, "Query Ltd")
    assert {str(one["kind"]) for one in told.written if one["state"] == "done"} == {"tag", "note"}


def test_unknown_words_are_refused_with_the_known_ones(office: Office) -> None:
    with pytest.raises(UserError) as refused:
        explain(office.w, office.row, "Letter Ltd", "shout")
    assert "letter" in refused.value.next_step
    with pytest.raises(NotFound):
        explain(office.w, office.row, "Nobody Ltd")


def test_why_nobody_can_be_written_to_is_said_in_words(office: Office) -> None:
    office.people({"do": "edit_contact", "customer": "letter", "email": ""})
    office.pull()
    assert explain(office.w, office.row, "Letter Ltd").recipient == "none: no address"
