"""What the books or the law leave to a person."""

from __future__ import annotations

from connector.domain.cases import LegalHold, LegalHoldKind
from connector.domain.decisions import ActionKind
from connector.domain.ledger import NeedsReview, RecordKind
from tests.builders import invoice, money
from tests.worlds import MONDAY, START, World, days_after, overdue


def occasions(world: World) -> list[str]:
    return [d.occasion for d in world.proposed(MONDAY, ActionKind.TASK) if d.rule == "review"]


def test_nothing_to_look_at() -> None:
    assert occasions(World(invoices=[overdue(3)])) == []


def test_a_legal_hold_opens_a_task_that_says_what_to_do() -> None:
    world = World(invoices=[overdue(30)])
    world.records = [LegalHold(id="l", customer_id="cust-1", on=START, by="Ana", why=LegalHoldKind.BREATHING_SPACE)]
    (task,) = world.proposed(MONDAY)
    assert (task.occasion, task.data["to"]) == ("legal-hold:l", "principal")
    assert "interest" in str(task.data["what"])


def test_unreadable_records_missing_due_dates_old_debts_and_loose_receipts_are_shown() -> None:
    unreadable = World(invoices=[overdue(30)], needs_review=(NeedsReview(RecordKind.INVOICE, "x", "unknown status"),))
    assert occasions(unreadable) == ["record:invoice:x"]
    assert occasions(World(invoices=[invoice("inv-1", due=None)])) == ["no-due-date"]
    assert occasions(World(invoices=[overdue(1826)])) == ["time-barred"]
    loose = World(invoices=[overdue(30)])
    loose.state_changes = {"unmatched_receipts": (("cust-1", days_after(MONDAY, -2), money("1.00")),)}
    assert occasions(loose) == ["receipt:2026-02-28"]
