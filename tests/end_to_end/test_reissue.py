"""An invoice is credited whole and raised again once, link by link, and neither tax nor time moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.domain.cases import DisputeCode, Reissue
from connector.domain.decisions import ActionKind
from connector.domain.effects import EffectKind, EffectState, NewInvoice
from connector.domain.ledger import Credit, Invoice, InvoiceStatus
from connector.domain.money import Money
from connector.domain.reductions import Reduction
from connector.errors import Refused
from connector.policy.rules import reissue as rule
from connector.service import concessions, disputes, outcomes, reissues
from connector.service.approve import approve_all
from connector.service.knowledge import facts_of
from connector.store import cases, mirror
from tests.end_to_end.test_exactly_once import COMMITTED, NOT_COMMITTED
from tests.harness import MONDAY, Office

pytestmark = pytest.mark.socket

ID = "[0-9a-f-]{36}"
LINKS = {
    EffectKind.CREDIT_NOTE: ("PUT", "/CreditNotes$"),
    EffectKind.ALLOCATION: ("PUT", f"/CreditNotes/{ID}/Allocations$"),
    EffectKind.INVOICE: ("PUT", "/Invoices$"),
}
RECIPE = """
reductions:
  filed_to: FILED
  correction:
    account: as_invoiced
    tax: {NONE: as_invoiced, OUTPUT2: as_invoiced}
    country: GB
    tax_basis: BASIS
    confirmed_by: "Jo Tan"
    confirmed_on: 2026-02-01
"""
LINES = [
    {"description": "Boards", "unit_amount": "333.33", "tax": "standard"},
    {"description": "Delivery", "unit_amount": "66.67", "tax": "none"},
    {"description": "Screws", "unit_amount": "0.07", "tax": "standard"},
]
LAST_OF_MARCH = datetime(2026, 3, 31, 22, 0, tzinfo=UTC)  # 23:00 in London: an hour before the period ends


def gbp(amount: str) -> Money:
    return Money.of(amount, "GBP")


def configured(office: Office, *, enabled: bool = True, filed: str = "null", recipe: str = RECIPE) -> None:
    mapping, policy = Path(office.folder, "mapping.yaml"), Path(office.folder, "policy.yaml")
    kept, _, _ = mapping.read_text().partition("\nreductions:")
    basis = office.row.record.tax_basis
    mapping.write_text(kept + recipe.replace("BASIS", basis).replace("FILED", filed))
    kept, _, _ = policy.read_text().partition("\nreissue:")
    policy.write_text(f"{kept}\nreissue:\n  enabled: {str(enabled).lower()}\n")


@pytest.fixture
def debt(office: Office) -> Iterator[Office]:
    """One overdue invoice of three lines and two tax codes; the policy allows a reissue, the recipe is confirmed."""
    configured(office)
    with office.again() as made:
        made.invoice("INV-1", "Query Ltd", lines=LINES)
        made.pull()
        made.reconciled()
        yield made


def ask(office: Office) -> Reissue:
    return concessions.reissue(office.w, office.row, "INV-1", reason="the wrong company was named")


def invoices(office: Office) -> dict[str, Invoice]:
    """By number, as the ledger has them now."""
    office.pull()
    with office.w.db.reading(office.w.tenant) as tx:
        customer = mirror.find(tx, office.row.id, "Query Ltd")[0].id
        return {one.number: one for one in mirror.book(tx, office.row.id, customer).invoices}


def wrote(office: Office, kind: str) -> list[dict[str, Any]]:
    return [row for row in office.truth() if row["kind"] == kind]


def bearing(office: Office, part: str) -> Invoice | Credit:
    """The invoice or credit note whose number holds this, as it was read last."""
    with office.w.db.reading(office.w.tenant) as tx:
        customer = mirror.find(tx, office.row.id, "Query Ltd")[0].id
        book = mirror.book(tx, office.row.id, customer)
    found: list[Invoice | Credit] = [*book.invoices, *book.credits]
    return next(one for one in found if part in one.number)


def by_code(found: Invoice) -> dict[str, tuple[int, int]]:
    net: Counter[str] = Counter()
    tax: Counter[str] = Counter()
    for line in found.lines:
        net[line.tax_code] += line.net.minor
        tax[line.tax_code] += line.tax.minor
    return {code: (net[code], tax[code]) for code in net}


def test_it_is_credited_raised_again_and_noted_on_both(debt: Office) -> None:
    case = ask(debt)
    (action,) = debt.approve(ActionKind.REISSUE)
    assert [one.kind.value for one in action.effects] == ["credit_note", "allocation", "invoice", "note"]
    assert action.role == "principal"
    debt.apply()
    assert {row.state for row in debt.effects()} == {EffectState.DONE}
    found = invoices(debt)
    (old, new) = found["INV-1"], next(one for name, one in found.items() if name != "INV-1")
    assert (old.status, old.balance, old.credited) == (InvoiceStatus.PAID, gbp("0.00"), old.total)
    assert (new.balance, new.issued, new.due) == (old.total, date(2026, 3, 2), date(2026, 3, 2))
    assert new.number.startswith("INV-1-R-")
    assert "Replaces INV-1, due 17 Feb 2026; tax point 3 Feb 2026: do not reclaim the tax again" in new.reference
    assert by_code(new) == by_code(old)
    assert [line.description for line in new.lines] == ["Boards", "Delivery", "Screws"]
    texts = {text.split(" [dw:")[0] for text in debt.notes()}
    assert texts == {
        f"INV-1, {old.total}, replaced by {new.number} on 2 Mar 2026; original due date 17 Feb 2026.",
        f"{new.number} replaces INV-1, {old.total}, from 2 Mar 2026; original due date 17 Feb 2026.",
    }
    with debt.w.db.reading(debt.w.tenant) as tx:
        stored = cases.get(tx, debt.row.id, case.id)
        facts = facts_of(debt.w, tx, debt.row, case.customer_id, date(2026, 3, 2))
    assert isinstance(stored, Reissue)
    assert stored.replaced_by == new.id
    (item,) = facts.items
    assert (item.due, item.days_overdue) == (date(2026, 2, 17), 13), "raised again is no new time to pay"


def test_nothing_is_left_to_do_afterwards_but_to_send_it(debt: Office) -> None:
    ask(debt)
    debt.approve(ActionKind.REISSUE)
    debt.settle_down()
    invoices(debt)
    written = len(debt.truth())
    debt.go_to(MONDAY + timedelta(days=2))
    debt.pull()
    debt.reconciled()
    kinds = {one.key.kind for one in debt.plan().actions}
    assert ActionKind.SEND_INVOICE in kinds, "the customer has not got the new one yet"
    assert not kinds & {ActionKind.REISSUE, ActionKind.TASK, ActionKind.THANKS}
    assert debt.apply().effects == []
    assert len(debt.truth()) == written


@pytest.mark.parametrize("name", [*COMMITTED, *NOT_COMMITTED])
@pytest.mark.parametrize("link", LINKS)
def test_each_link_of_the_chain_happens_once(debt: Office, link: EffectKind, name: str) -> None:
    if name == "silence after commit":
        pytest.skip("takes real time; the reset after commit is the same to us")
    ask(debt)
    debt.approve(ActionKind.REISSUE)
    method, path = LINKS[link]
    debt.fault(path, method=method, **{**COMMITTED, **NOT_COMMITTED}[name])
    debt.settle_down()
    assert debt.fired() == 1
    assert {row.state for row in debt.effects()} == {EffectState.DONE}
    kinds = ("credit_note", "allocation", "invoice_create", "history_note")
    assert [len(wrote(debt, kind)) for kind in kinds] == [1, 1, 1, 2]
    assert sum(one.balance.minor for one in invoices(debt).values()) == bearing(debt, "-R-").total.minor


@pytest.mark.parametrize("which", [0, 1])
def test_each_note_is_written_once(debt: Office, which: int) -> None:
    ask(debt)
    debt.approve(ActionKind.REISSUE)
    debt.fault(f"/{ID}/History$", method="PUT", do="reset_after_commit")
    if which:
        debt.fault(f"/{ID}/History$", method="PUT", do="reset_after_commit")
    debt.settle_down()
    assert len(debt.notes()) == len(set(debt.notes())) == 2
    assert {row.state for row in debt.effects()} == {EffectState.DONE}


def test_both_documents_lie_in_one_tax_period_however_long_it_takes(debt: Office) -> None:
    """The credit note leaves in March; the ledger is away over midnight; the invoice is dated in March all the same."""
    debt.go_to(LAST_OF_MARCH)
    debt.pull()
    debt.reconciled()
    ask(debt)
    debt.approve(ActionKind.REISSUE)
    debt.fault(LINKS[EffectKind.INVOICE][1], method="PUT", do="before_commit", status=503)
    debt.apply()
    debt.settle_down(2, seconds=3 * 3600)
    debt.pull()
    new, credit = bearing(debt, "-R-"), bearing(debt, "-CN-")
    assert isinstance(new, Invoice)
    assert (new.issued, new.due, credit.issued) == (date(2026, 3, 31),) * 3


def test_a_chain_that_waits_before_its_invoice_still_takes_the_credit_notes_day(debt: Office) -> None:
    debt.go_to(LAST_OF_MARCH)
    debt.pull()
    debt.reconciled()
    ask(debt)
    debt.approve(ActionKind.REISSUE)
    debt.fault(LINKS[EffectKind.ALLOCATION][1], method="PUT", do="reset_after_commit")
    debt.apply()
    debt.settle_down(1, seconds=4 * 86_400)
    debt.pull()
    new, credit = bearing(debt, "-R-"), bearing(debt, "-CN-")
    assert isinstance(new, Invoice)
    assert (new.issued, new.due, credit.issued) == (date(2026, 3, 31),) * 3


def test_a_payment_in_between_leaves_the_rest_to_a_person(debt: Office) -> None:
    ask(debt)
    debt.approve(ActionKind.REISSUE)
    debt.fault(LINKS[EffectKind.ALLOCATION][1], method="PUT", do="before_commit", status=503)
    debt.apply()
    debt.people({"do": "pay", "invoice": "INV-1", "amount": "1.00"})
    debt.settle_down()
    states = {row.effect.kind: row.state for row in debt.effects()}
    assert states == {
        EffectKind.CREDIT_NOTE: EffectState.DONE,
        EffectKind.ALLOCATION: EffectState.REJECTED,
        EffectKind.INVOICE: EffectState.CANCELLED,
        EffectKind.NOTE: EffectState.CANCELLED,
    }
    assert not wrote(debt, "invoice_create")
    debt.pull()
    (task,) = [one for one in debt.plan().actions if one.decision.rule == rule.NAME]
    assert "finish the reissue" in task.preview["what"]


def test_an_invoice_that_was_refused_is_raised_once_a_person_mended_the_reason(debt: Office) -> None:
    ask(debt)
    debt.approve(ActionKind.REISSUE)
    body = {"body": '{"Message": "the theme is gone"}', "headers": {"Content-Type": "application/json"}}
    debt.fault(LINKS[EffectKind.INVOICE][1], method="PUT", do="status", status=400, **body)
    debt.settle_down(1)
    refused = debt.effect(EffectKind.INVOICE)
    assert refused.state is EffectState.REJECTED
    debt.pull()
    assert [one.decision.kind for one in debt.plan().actions if one.decision.rule == rule.NAME] == [ActionKind.TASK]
    outcomes.retry(debt.w, refused.effect.key)
    debt.settle_down(1)
    assert {row.state for row in debt.effects()} == {EffectState.DONE}
    assert [len(wrote(debt, kind)) for kind in ("credit_note", "invoice_create", "history_note")] == [1, 1, 2]


def test_a_period_that_was_filed_in_between_leaves_the_rest_to_a_person(debt: Office) -> None:
    ask(debt)
    debt.approve(ActionKind.REISSUE)
    debt.fault(LINKS[EffectKind.ALLOCATION][1], method="PUT", do="reset_after_commit")
    debt.apply()
    configured(debt, filed="2026-03-02")
    with debt.again() as made:
        made.settle_down(1)
        stopped = made.effect(EffectKind.INVOICE)
        assert stopped.state is EffectState.CANCELLED
        assert "filed up to 2026-03-02" in stopped.reason
        assert not wrote(made, "invoice_create")
        made.pull()
        (task,) = [one for one in made.plan().actions if one.decision.rule == rule.NAME]
        assert task.key.kind is ActionKind.TASK
        payload = stopped.effect.payload
        assert isinstance(payload, NewInvoice)
        with pytest.raises(Refused, match="no longer in the ledger"):
            reissues.dated(made.w, made.row, payload, None)


def test_a_number_that_somebody_else_used_is_refused(debt: Office) -> None:
    ask(debt)
    (action,) = debt.approve(ActionKind.REISSUE)
    number = next(e.payload.number for e in action.effects if isinstance(e.payload, NewInvoice))
    debt.invoice(number, "Letter Ltd", "7.00")
    debt.settle_down(1)
    assert debt.effect(EffectKind.INVOICE).state is EffectState.REJECTED
    assert "belongs to another document" in debt.effect(EffectKind.INVOICE).reason


def test_what_cannot_be_raised_again_is_refused_before_anything_is_recorded(debt: Office) -> None:
    w, row = debt.w, debt.row
    with pytest.raises(Refused, match="needs --reason"):
        concessions.reissue(w, row, "INV-1", reason=" ")
    disputes.open_dispute(w, row, "INV-1", code=DisputeCode.QUALITY)
    with pytest.raises(Refused, match="a query is open on INV-1"):
        ask(debt)
    with w.db.reading(w.tenant) as tx:
        assert cases.all(tx, row.id, "reissue") == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"enabled": False}, "the policy does not allow"),
        ({"filed": "2026-02-03"}, "filed up to 2026-02-03"),
        ({"filed": "2026-03-02"}, "filed up to 2026-03-02"),
        ({"recipe": "\nreductions: {}\n"}, "no confirmed tax recipe for a correction"),
        ({"recipe": RECIPE.replace("account: as_invoiced", 'account: "260"')}, "keeps every account and tax code"),
        ({"recipe": RECIPE.replace("OUTPUT2: as_invoiced", "OUTPUT2: NONE")}, "keeps every account and tax code"),
        ({"recipe": RECIPE.replace(", OUTPUT2: as_invoiced", "")}, "says nothing about tax code OUTPUT2"),
        ({"recipe": RECIPE.replace("country: GB", "country: NZ")}, "was confirmed for NZ"),
    ],
)
def test_policy_periods_and_recipe_must_allow_it(debt: Office, change: dict[str, Any], words: str) -> None:
    configured(debt, **change)
    with debt.again() as made, pytest.raises(Refused, match=words):
        ask(made)


def test_it_is_listed_withdrawn_and_asked_for_once(debt: Office) -> None:
    case = ask(debt)
    with pytest.raises(Refused, match="recorded already"):
        ask(debt)
    assert [(one.id, done) for one, done in concessions.conceded(debt.w, debt.row)] == [(case.id, False)]
    debt.plan()
    assert ActionKind.REISSUE not in {one.key.kind for one in approve_all(debt.w)}, "never in bulk"
    debt.approve(ActionKind.REISSUE)
    concessions.withdraw(debt.w, debt.row, case.id)
    debt.settle_down(1)
    assert not wrote(debt, "credit_note")
    case = ask(debt)
    debt.approve(ActionKind.REISSUE)
    debt.settle_down(1)
    with pytest.raises(Refused, match="in the ledger already"):
        concessions.withdraw(debt.w, debt.row, case.id)


def test_it_cannot_be_withdrawn_half_way(debt: Office) -> None:
    case = ask(debt)
    debt.approve(ActionKind.REISSUE)
    debt.fault(LINKS[EffectKind.ALLOCATION][1], method="PUT", do="reset_after_commit")
    debt.apply()
    with pytest.raises(Refused, match="on its way into it"):
        concessions.withdraw(debt.w, debt.row, case.id)
    debt.settle_down(1)
    assert {row.state for row in debt.effects()} == {EffectState.DONE}


def test_what_is_conceded_on_it_comes_first(debt: Office) -> None:
    goodwill = RECIPE.partition("correction:")[2].replace("as_invoiced", '"260"', 1)
    configured(debt, recipe=f"{RECIPE}  goodwill:{goodwill}")
    with debt.again() as made:
        conceded = concessions.concede(made.w, made.row, "INV-1", Reduction.GOODWILL, gbp("5.00"), reason="late")
        with pytest.raises(Refused, match="to be taken off INV-1 already"):
            ask(made)
        concessions.withdraw(made.w, made.row, conceded.id)
        assert ask(made).amount == gbp("466.75")
