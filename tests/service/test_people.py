"""What people tell dunwell: recorded with who and when, refused where it cannot be true."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from connector.domain.cases import CallOutcome, Holder, LegalHoldKind, ReplyOutcome
from connector.domain.decisions import ActionKind
from connector.errors import NotFound, Refused
from connector.service import people
from connector.store import cases, mirror
from tests.harness import Office

pytestmark = pytest.mark.socket


def kinds(office: Office) -> list[ActionKind]:
    return [one.key.kind for one in office.plan().actions if one.preview.get("customer") == "Letter Ltd"]


def test_a_legal_hold_ends_every_proposal_and_only_the_principal_lifts_it(office: Office) -> None:
    office.invoice("INV-5", "Letter Ltd")
    office.pull()
    office.reconciled()
    assert ActionKind.REINVOICE in kinds(office)
    hold = people.set_hold(office.w, office.row, "Letter Ltd", LegalHoldKind.INSOLVENCY)
    assert (hold.by, hold.on) == ("Ana", date(2026, 3, 2))
    assert ActionKind.REINVOICE not in kinds(office)
    with pytest.raises(Refused, match="principal"):
        people.lift_hold(office.w, office.row, "Letter Ltd", principal=False)
    assert ActionKind.REINVOICE not in kinds(office)
    people.lift_hold(office.w, office.row, "Letter Ltd", principal=True)
    assert ActionKind.REINVOICE in kinds(office)
    with pytest.raises(NotFound):
        people.lift_hold(office.w, office.row, "Letter Ltd", principal=True)


def test_exclusions_need_a_reason_and_can_be_lifted(office: Office) -> None:
    office.invoice("INV-5", "Letter Ltd")
    office.pull()
    office.reconciled()
    with pytest.raises(Refused, match="reason"):
        people.exclude(office.w, office.row, "Letter Ltd", reason=" ", until=None)
    people.exclude(office.w, office.row, "INV-5", reason="a swap", until=None, invoice=True)
    assert ActionKind.REINVOICE not in kinds(office)
    with pytest.raises(NotFound):
        people.lift_exclusion(office.w, office.row, "Letter Ltd")  # the invoice is excluded, not the customer
    people.exclude(office.w, office.row, "Letter Ltd", reason="a friend", until=None)
    people.lift_exclusion(office.w, office.row, "INV-5")
    assert ActionKind.REINVOICE not in kinds(office), "the customer's own exclusion went with the invoice's"
    people.lift_exclusion(office.w, office.row, "Letter Ltd")
    assert ActionKind.REINVOICE in kinds(office)


def test_a_debt_that_comes_back_from_the_factor_is_ours_again(office: Office) -> None:
    office.invoice("INV-5", "Letter Ltd")
    office.pull()
    office.reconciled()
    people.set_held_by(office.w, office.row, "INV-5", Holder.FACTOR, invoice=True)
    assert ActionKind.REINVOICE not in kinds(office)
    people.set_held_by(office.w, office.row, "INV-5", Holder.US, invoice=True)
    assert ActionKind.REINVOICE in kinds(office)


def test_nobody_knows_the_books_of_tomorrow(office: Office) -> None:
    with pytest.raises(Refused, match="future"):
        people.books_known_to(office.w, office.row, office.w.today(office.row) + timedelta(days=1))
    with office.w.db.reading("default") as tx:
        assert cases.all(tx, office.row.id, "cash_known") == ()


def test_books_are_known_of_accounts_that_there_are_and_of_days_that_can_be_meant(office: Office) -> None:
    start = office.row.start_date
    with pytest.raises(Refused, match="more than a year before the start"):
        people.books_known_to(office.w, office.row, start - timedelta(days=367))
    with pytest.raises(Refused, match="no money ever came into an account 'nosuch'"):
        people.books_known_to(office.w, office.row, start, "nosuch")
    office.invoice("INV-5", "Letter Ltd")
    office.people({"do": "pay", "invoice": "INV-5"})
    office.pull()
    with office.w.db.reading("default") as tx:
        (account,) = mirror.receiving_accounts(tx, office.row.id)
        assert cases.all(tx, office.row.id, "cash_known") == ()
    with pytest.raises(Refused) as refused:
        people.books_known_to(office.w, office.row, start, "nosuch")
    assert refused.value.next_step == f"one of {account}; or leave --account out"
    assert people.books_known_to(office.w, office.row, start, account).account == account


def test_replies_wait_until_they_are_answered(office: Office) -> None:
    with pytest.raises(NotFound):
        people.answer_replies(office.w, office.row, "Letter Ltd")
    people.reply(office.w, office.row, "Letter Ltd", ReplyOutcome.PAID)
    people.reply(office.w, office.row, "Letter Ltd", ReplyOutcome.QUERY)
    assert len(people.answer_replies(office.w, office.row, "Letter Ltd")) == 2
    with pytest.raises(NotFound):
        people.answer_replies(office.w, office.row, "Letter Ltd")


def test_only_a_call_that_waits_can_have_been_made(office: Office) -> None:
    office.invoice("INV-5", "Letter Ltd")
    office.pull()
    office.reconciled()
    (copy,) = [one for one in office.plan().actions if one.key.kind is ActionKind.REINVOICE]
    with pytest.raises(Refused, match="not a call"):
        people.call_done(office.w, copy.id, CallOutcome.SPOKE)


def test_a_name_that_fits_two_customers_is_refused_with_both(office: Office) -> None:
    office.people({"do": "edit_contact", "customer": "Query Ltd", "email": "shared@mail.example"},
                  {"do": "edit_contact", "customer": "Plan Ltd", "email": "shared@mail.example"})  # fmt: skip
    office.pull()
    with pytest.raises(Refused, match="Plan Ltd, Query Ltd"):
        people.exclude(office.w, office.row, "shared@mail.example", reason="r", until=None)
