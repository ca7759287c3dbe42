"""Nobody pays what did not arrive: drafts, unsent invoices, missing addresses."""

from __future__ import annotations

from connector.domain.decisions import ActionKind
from connector.domain.ledger import InvoiceStatus
from tests.builders import customer, invoice
from tests.worlds import MONDAY, World, days_after, overdue


def draft(days_old: int, status: InvoiceStatus = InvoiceStatus.DRAFT) -> World:
    issued = days_after(MONDAY, -days_old)
    return World(invoices=[invoice("inv-1", issued=issued, due=days_after(issued, 30), status=status, sent=False)])


def test_drafts_are_finished_before_they_fall_due() -> None:
    assert draft(3).proposed(MONDAY) == []
    assert draft(3).evaluate(MONDAY).revisit == days_after(MONDAY, 2), "three business days after Friday"
    (task,) = draft(5, InvoiceStatus.SUBMITTED).proposed(MONDAY)
    assert (task.kind, task.occasion) == (ActionKind.TASK, "unfinished:submitted")


def test_an_approved_invoice_that_never_left_is_sent_once() -> None:
    world = draft(0, InvoiceStatus.APPROVED)
    assert world.proposed(MONDAY) == []
    tuesday = days_after(MONDAY, 1)
    (decision,) = world.live(tuesday)
    assert (decision.kind, decision.occasion, decision.asks_for_money) == (ActionKind.SEND_INVOICE, "first", False)
    assert world.proposed(days_after(MONDAY, 2), ActionKind.SEND_INVOICE) == []


def test_a_ledger_that_does_not_say_is_believed_to_have_sent() -> None:
    world = World(invoices=[invoice("inv-1", issued=days_after(MONDAY, -9), due=days_after(MONDAY, 9), sent=None)])
    assert world.proposed(MONDAY) == []


def test_a_missing_address_is_a_task_and_nothing_is_sent() -> None:
    world = draft(9, InvoiceStatus.APPROVED)
    world.customer = customer(email="")
    (task,) = world.proposed(MONDAY)
    assert (task.kind, task.occasion) == (ActionKind.TASK, "address:no_address")
    world.invoices = []
    assert world.proposed(MONDAY) == []


def test_an_overdue_account_without_address_is_before_a_person() -> None:
    world = World(invoices=[overdue(20)], customer=customer(email=""))
    assert {d.kind for d in world.proposed(MONDAY)} == {ActionKind.TASK}
