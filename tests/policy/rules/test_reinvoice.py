"""Level 1: the copy, with the chance to explain."""

from __future__ import annotations

from connector.domain.decisions import ActionKind, DunningLevel
from tests.builders import customer, invoice
from tests.worlds import MONDAY, World, days_after, letter, overdue

REINVOICE = ActionKind.REINVOICE


def test_the_copy_leaves_on_the_business_day_after_the_presets_days() -> None:
    friday_due = invoice("inv-1", due=days_after(MONDAY, -3))
    world = World(invoices=[friday_due])
    saturday, monday = days_after(MONDAY, -2), MONDAY
    assert world.proposed(saturday, REINVOICE) == []
    (decision,) = world.proposed(monday, REINVOICE)
    assert (decision.occasion, decision.level) == ("inv-1:1", DunningLevel.REINVOICE)
    assert decision.asks_for_money
    assert decision.contact


def test_not_before_cash_is_known_past_the_due_date() -> None:
    world = World(invoices=[overdue(3)], cash_lag=4)
    assert world.proposed(MONDAY, REINVOICE) == []
    assert "cash.not_known_to" in world.why(MONDAY, "reinvoice")
    world.cash_lag = 3
    assert len(world.proposed(MONDAY, REINVOICE)) == 1


def test_everything_new_goes_in_one_copy_and_what_was_asked_before_does_not() -> None:
    world = World(invoices=[overdue(5), overdue(4, "inv-2"), overdue(1, "inv-3"), overdue(-1, "inv-4")])
    world.records = [letter(DunningLevel.REINVOICE, days_after(MONDAY, -1))]
    (decision,) = world.proposed(MONDAY, REINVOICE)
    assert decision.items == ("inv-2", "inv-3")
    world.live(MONDAY)
    assert world.proposed(days_after(MONDAY, 1), REINVOICE) == []


def test_no_step_down_in_tone_the_next_letter_lists_the_new_invoice() -> None:
    world = World(invoices=[overdue(30), overdue(5, "inv-2")])
    world.records = [
        letter(DunningLevel.REINVOICE, days_after(MONDAY, -28)),
        letter(DunningLevel.FRIENDLY, days_after(MONDAY, -9)),
    ]
    assert world.proposed(MONDAY, REINVOICE) == []
    assert "reinvoice.listed_in_next_letter" in world.why(MONDAY, "reinvoice")
    (listed,) = world.proposed(MONDAY, ActionKind.LETTER)
    assert listed.items == ("inv-1", "inv-2")


def test_a_person_is_told_when_it_comes_late() -> None:
    assert World(invoices=[overdue(6)]).proposed(MONDAY, ActionKind.TASK) == []
    (task,) = World(invoices=[overdue(7)]).proposed(MONDAY, ActionKind.TASK)
    assert (task.occasion, task.contact) == ("inv-1:late", False)


def test_never_sent_means_never_chased() -> None:
    world = World(invoices=[invoice("inv-1", issued=days_after(MONDAY, -30), due=days_after(MONDAY, -9), sent=False)])
    assert [d.kind for d in world.proposed(MONDAY)] == [ActionKind.SEND_INVOICE]
    world.live(MONDAY)
    assert world.proposed(days_after(MONDAY, 20), REINVOICE) == [], "its own terms run from the sending"
    assert len(world.proposed(days_after(MONDAY, 23), REINVOICE)) == 1


def test_currencies_are_kept_apart() -> None:
    world = World(invoices=[overdue(5), invoice("inv-2", "90.00", currency="AUD", due=days_after(MONDAY, -4))])
    world.live(MONDAY)
    world.live(days_after(MONDAY, 1))
    assert [(d.items, d.amount.currency if d.amount else "") for _, d in world.sent] == [
        (("inv-1",), "NZD"),
        (("inv-2",), "AUD"),
    ]


def test_a_copy_that_bounced_may_be_sent_again() -> None:
    world = World(invoices=[overdue(9)])
    world.records = [letter(DunningLevel.REINVOICE, days_after(MONDAY, -3), bounced_on=days_after(MONDAY, -2))]
    world.customer = customer(email="new@rimu.example")
    (decision,) = world.proposed(MONDAY, REINVOICE)
    assert decision.occasion == "inv-1:1:again-1"
