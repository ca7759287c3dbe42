"""What people concede is entered once, link by link, whatever befalls each link's request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.domain.cases import Concession, DisputeCode, DisputeOutcome
from connector.domain.decisions import ActionKind
from connector.domain.effects import CreditNote, EffectKind, EffectState
from connector.domain.ledger import PaymentTerms, TermsBasis
from connector.domain.money import Money
from connector.domain.reductions import Reduction
from connector.errors import NotFound, Refused
from connector.service import concessions, disputes
from connector.service.approve import approve_all
from connector.service.explain import explain
from connector.store import mirror
from tests.end_to_end.test_exactly_once import COMMITTED, NOT_COMMITTED
from tests.harness import QUIET, Office

pytestmark = pytest.mark.socket

ID = "[0-9a-f-]{36}"
LINKS = {
    EffectKind.CREDIT_NOTE: ("PUT", "/CreditNotes$"),
    EffectKind.ALLOCATION: ("PUT", f"/CreditNotes/{ID}/Allocations$"),
    EffectKind.TERMS: ("POST", f"/Contacts/{ID}$"),
}
RECIPES = """
reductions:
  goodwill:
    account: "200"
    tax: {NONE: as_invoiced, OUTPUT2: as_invoiced}
    country: GB
    tax_basis: BASIS
    confirmed_by: "Jo Tan"
    confirmed_on: 2026-02-01
"""


def gbp(amount: str) -> Money:
    return Money.of(amount, "GBP")


@pytest.fixture
def debt(office: Office) -> Iterator[Office]:
    """One overdue invoice of 600, the books known up to yesterday, a recipe for goodwill."""
    mapping = Path(office.folder, "mapping.yaml")
    kept, _, _ = mapping.read_text().partition("\nreductions:")
    mapping.write_text(kept + RECIPES.replace("BASIS", office.row.record.tax_basis))
    with office.again() as made:
        made.invoice("INV-1", "Query Ltd")
        made.pull()
        made.reconciled()
        yield made


def concede(office: Office, amount: str = "100.00") -> Concession:
    return concessions.concede(
        office.w, office.row, "INV-1", Reduction.GOODWILL, gbp(amount), reason="the work was late"
    )


def wrote(office: Office, kind: str) -> list[dict[str, Any]]:
    return [row for row in office.truth() if row["kind"] == kind]


def invoice(office: Office) -> Any:
    office.pull()
    with office.w.db.reading(office.w.tenant) as tx:
        found = mirror.find(tx, office.row.id, "INV-1")[0]
        return mirror.invoice(tx, office.row.id, found.id)


def test_a_goodwill_credit_is_raised_laid_and_noted(debt: Office) -> None:
    concede(debt)
    (action,) = debt.approve(ActionKind.CREDIT)
    assert [effect.kind.value for effect in action.effects] == ["credit_note", "allocation", "note"]
    debt.apply()
    assert {row.state for row in debt.effects()} == {EffectState.DONE}
    found = invoice(debt)
    assert (found.balance, found.credited) == (gbp("500.00"), gbp("100.00"))
    with debt.w.db.reading(debt.w.tenant) as tx:
        (credit,) = mirror.book(tx, debt.row.id, found.customer_id).credits
    assert (credit.remaining, credit.total, credit.number[:9]) == (gbp("0.00"), gbp("100.00"), "INV-1-CN-")
    assert [text.split(" [dw:")[0] for text in debt.notes()] == [
        f"Credit note {credit.number}, GBP 100.00, applied to INV-1 2 Mar 2026."
    ]
    written = len(debt.truth())
    debt.wait(QUIET)
    assert ActionKind.CREDIT not in {one.key.kind for one in debt.plan().actions}
    assert debt.apply().effects == []
    assert len(debt.truth()) == written


def test_a_complaint_found_right_stays_paused_until_its_credit_is_in_the_books(debt: Office) -> None:
    disputes.open_dispute(debt.w, debt.row, "INV-1", code=DisputeCode.PRICE, amount=gbp("100.00"))
    disputes.resolve(debt.w, debt.row, "INV-1", DisputeOutcome.CORRECT)
    (item,) = explain(debt.w, debt.row, "INV-1").items
    assert (item.balance, item.collectable) == (gbp("600.00"), gbp("500.00"))
    assert "enter the credit" in next(one.preview["what"] for one in debt.plan().actions)
    assert [one.amount for one in disputes.awaited_disputes(debt.w, debt.row)] == [gbp("100.00")]
    concede(debt)
    debt.approve(ActionKind.CREDIT)
    debt.apply()
    assert {row.state for row in debt.effects()} == {EffectState.DONE}
    debt.pull()
    (item,) = explain(debt.w, debt.row, "INV-1").items
    assert (item.balance, item.collectable, item.paused_by) == (gbp("500.00"), gbp("500.00"), "")
    assert disputes.awaited_disputes(debt.w, debt.row) == []


def test_a_query_that_waits_for_its_credit_can_be_closed_once_more(debt: Office) -> None:
    disputes.open_dispute(debt.w, debt.row, "INV-1", code=DisputeCode.PRICE, amount=gbp("100.00"))
    disputes.resolve(debt.w, debt.row, "INV-1", DisputeOutcome.CORRECT)
    again = disputes.resolve(debt.w, debt.row, "INV-1", DisputeOutcome.WITHDRAWN)
    assert (again.outcome, again.amount) == (DisputeOutcome.WITHDRAWN, gbp("100.00"))
    (item,) = explain(debt.w, debt.row, "INV-1").items
    assert item.collectable == gbp("600.00")
    with pytest.raises(NotFound):
        disputes.resolve(debt.w, debt.row, "INV-1", DisputeOutcome.STAND_FIRM)


@pytest.mark.parametrize("name", [*COMMITTED, *NOT_COMMITTED])
@pytest.mark.parametrize("link", [EffectKind.CREDIT_NOTE, EffectKind.ALLOCATION])
def test_each_link_of_the_chain_happens_once(debt: Office, link: EffectKind, name: str) -> None:
    if name == "silence after commit":
        pytest.skip("takes real time; the reset after commit is the same to us")
    concede(debt)
    debt.approve(ActionKind.CREDIT)
    method, path = LINKS[link]
    debt.fault(path, method=method, **{**COMMITTED, **NOT_COMMITTED}[name])
    debt.settle_down()
    assert debt.fired() == 1
    assert {row.state for row in debt.effects()} == {EffectState.DONE}
    assert [len(wrote(debt, kind)) for kind in ("credit_note", "allocation", "history_note")] == [1, 1, 1]
    assert invoice(debt).balance == gbp("500.00")


def test_what_is_approved_shows_the_split_as_it_will_be_entered(debt: Office) -> None:
    """To the cent, by account and tax code: 100.00 off 480.00 with a fifth of tax and 120.00 without."""
    taxed = {"description": "Work", "unit_amount": "400.00", "tax": "standard"}
    untaxed = {"description": "Fees", "unit_amount": "120.00", "tax": "none"}
    debt.invoice("INV-2", "Query Ltd", lines=[taxed, untaxed])
    debt.pull()
    concessions.concede(debt.w, debt.row, "INV-2", Reduction.GOODWILL, gbp("100.00"), reason="the work was late")
    (action,) = debt.approve(ActionKind.CREDIT)
    assert action.preview["writes"].partition("\nlay ")[0].splitlines()[1:] == [
        "  account 200, tax code OUTPUT2: GBP 66.67 net, GBP 13.33 tax",
        "  account 200, tax code NONE: GBP 20.00 net, GBP 0.00 tax",
    ]


def test_a_payment_between_the_credit_and_its_allocation_leaves_it_to_a_person(debt: Office) -> None:
    concede(debt, "600.00")
    debt.approve(ActionKind.CREDIT)
    debt.fault(LINKS[EffectKind.ALLOCATION][1], method="PUT", do="before_commit", status=503)
    debt.apply()
    debt.people({"do": "pay", "invoice": "INV-1", "amount": "1.00"})
    debt.settle_down()
    assert debt.effect(EffectKind.CREDIT_NOTE).state is EffectState.DONE
    refused = debt.effect(EffectKind.ALLOCATION)
    assert refused.state is EffectState.REJECTED
    assert "has less than GBP 600.00 left" in refused.reason
    assert debt.effect(EffectKind.NOTE).state is EffectState.CANCELLED
    assert not wrote(debt, "allocation")


def test_a_number_that_somebody_else_used_is_refused(debt: Office) -> None:
    concede(debt)
    (action,) = debt.approve(ActionKind.CREDIT)
    payload = action.effects[0].payload
    assert isinstance(payload, CreditNote)
    debt.people({"do": "credit", "customer": "query", "number": payload.number, "amount": "7.00"})
    debt.settle_down(1)
    refused = debt.effect(EffectKind.CREDIT_NOTE)
    assert refused.state is EffectState.REJECTED
    assert "belongs to another document" in refused.reason
    assert {debt.effect(kind).state for kind in (EffectKind.ALLOCATION, EffectKind.NOTE)} == {EffectState.CANCELLED}


def test_an_open_credit_is_laid_against_the_invoice_once(debt: Office) -> None:
    debt.people({"do": "credit", "customer": "query", "number": "CN-9", "amount": "250.00"})
    debt.pull()
    use = concessions.use_credit(debt.w, debt.row, "INV-1")
    assert use.amount == gbp("250.00")
    debt.approve(ActionKind.APPLY_CREDIT)
    debt.fault(LINKS[EffectKind.ALLOCATION][1], method="PUT", do="reset_after_commit")
    debt.settle_down()
    assert len(wrote(debt, "allocation")) == 1
    assert invoice(debt).balance == gbp("350.00")
    with pytest.raises(NotFound, match="no open credit"):
        concessions.use_credit(debt.w, debt.row, "INV-1")


def test_terms_are_set_once_and_a_persons_later_word_wins(debt: Office) -> None:
    wanted = PaymentTerms(7, TermsBasis.AFTER_INVOICE_DATE)
    concessions.change_terms(debt.w, debt.row, "Query Ltd", wanted, reason="shorter after the plan")
    debt.approve(ActionKind.SET_TERMS)
    debt.fault(LINKS[EffectKind.TERMS][1], method="POST", do="reset_after_commit")
    debt.settle_down()
    assert [(row.state, row.reason) for row in debt.effects() if row.state is not EffectState.DONE] == []
    debt.pull()
    with debt.w.db.reading(debt.w.tenant) as tx:
        (customer,) = mirror.find(tx, debt.row.id, "Query Ltd")
        assert mirror.customer(tx, debt.row.id, customer.id).terms == wanted
    assert "Terms for future invoices from 2 Mar 2026: 7 days after the invoice date." in debt.notes()[0]
    with pytest.raises(Refused, match="has these terms already"):
        concessions.change_terms(debt.w, debt.row, "Query Ltd", wanted, reason="again")


def test_what_cannot_be_entered_is_refused_before_anything_is_recorded(debt: Office) -> None:
    w, row = debt.w, debt.row
    with pytest.raises(Refused, match="no confirmed tax recipe for a bad debt"):
        concessions.concede(w, row, "INV-1", Reduction.BAD_DEBT, reason="gone")
    with pytest.raises(Refused, match="needs --agreement"):
        concessions.concede(w, row, "INV-1", Reduction.SETTLEMENT, reason="agreed")
    with pytest.raises(Refused, match="more than INV-1 still owes"):
        concede(debt, "600.01")
    concede(debt, "550.00")
    with pytest.raises(Refused, match="more than INV-1 still owes"):
        concede(debt, "50.01")
    assert [done for _, done in concessions.conceded(w, row)] == [False]


def test_what_is_withdrawn_is_not_entered(debt: Office) -> None:
    case = concede(debt)
    debt.approve(ActionKind.CREDIT)
    concessions.withdraw(debt.w, debt.row, case.id)
    debt.settle_down(1)
    assert not wrote(debt, "credit_note")


def test_nothing_of_it_is_approved_in_bulk(debt: Office) -> None:
    concede(debt)
    debt.plan()
    assert ActionKind.CREDIT not in {one.key.kind for one in approve_all(debt.w)}
