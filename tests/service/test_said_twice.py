"""What a person says twice, or too late, is refused: one plan, no more in question than is owed, no vain promises."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from connector.domain.cases import DisputeCode, PaymentPlan, PlanState, ReplyOutcome
from connector.domain.decisions import ActionKind
from connector.domain.money import Money
from connector.errors import NotFound, Refused
from connector.service import accommodations, disputes, people, take_on
from tests.harness import MONDAY, Office, new_project, opened, sandbox

pytestmark = pytest.mark.socket
CUSTOMER = "Letter Ltd"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with sandbox() as served:
        new_project(tmp_path / "project", served)
        with opened(tmp_path / "project", served) as made:
            made.take_on()
            made.go_to(MONDAY)
            made.invoice("INV-7", CUSTOMER, "4000.00")
            made.pull()
            made.reconciled()
            yield made


def sign(office: Office, plan: str) -> PaymentPlan:
    today = office.w.today(office.row)
    return accommodations.plan_sign(office.w, office.row, plan, name="Jo", capacity="owner", on=today, evidence="paper")


def test_a_second_offer_replaces_the_first_and_a_second_signature_is_refused(office: Office) -> None:
    first = accommodations.plan_offer(office.w, office.row, CUSTOMER, 1, principal=True)
    second = accommodations.plan_offer(office.w, office.row, CUSTOMER, 2, principal=True)
    with pytest.raises(NotFound):
        sign(office, first.id)
    assert sign(office, second.id).state is PlanState.SIGNED
    with pytest.raises(NotFound):
        sign(office, CUSTOMER)
    with pytest.raises(Refused, match="nothing overdue"):
        accommodations.plan_offer(office.w, office.row, CUSTOMER, 1, principal=True)


def test_an_offer_is_not_signed_once_the_debt_has_changed(office: Office) -> None:
    offer = accommodations.plan_offer(office.w, office.row, CUSTOMER, 1, principal=True)
    office.people({"do": "pay", "invoice": "INV-7", "amount": "1.00"})
    office.pull()
    with pytest.raises(Refused, match="changed since the offer: INV-7"):
        sign(office, offer.id)


def test_queries_together_never_exceed_the_balance(office: Office) -> None:
    def ask(amount: str) -> object:
        return disputes.open_dispute(
            office.w, office.row, "INV-7", code=DisputeCode.PRICE, amount=Money.of(amount, "GBP")
        )

    ask("3000.00")
    with pytest.raises(Refused, match=r"1,000\.00 is not in question"):
        ask("1000.01")
    ask("1000.00")
    assert len(disputes.open_disputes(office.w, office.row, "INV-7")) == 2


def test_a_query_on_an_invoice_paid_meanwhile_is_not_marked_in_the_ledger(office: Office) -> None:
    disputes.open_dispute(office.w, office.row, "INV-7", code=DisputeCode.PRICE)
    office.people({"do": "pay", "invoice": "INV-7"})
    office.pull()
    kinds = [action.key.kind for action in office.plan().actions if action.preview.get("customer") == CUSTOMER]
    assert ActionKind.TAG_DISPUTE not in kinds
    assert ActionKind.TASK in kinds  # close the query


def test_replies_that_cannot_be_true_are_refused(office: Office) -> None:
    with pytest.raises(Refused, match="needs a date"):
        people.reply(office.w, office.row, CUSTOMER, ReplyOutcome.PROMISE)
    with pytest.raises(Refused, match="nothing was paid on 2027"):
        people.reply(office.w, office.row, CUSTOMER, ReplyOutcome.PAID, until=date(2027, 1, 1))


def test_the_take_on_is_closed_once_and_answered_with_the_words_it_offers(office: Office) -> None:
    with pytest.raises(Refused, match="was closed on"):
        take_on.close(office.w, office.row)
    with pytest.raises(Refused, match="does not answer"):
        take_on.answer(office.w, office.row, "financed", "banana")
