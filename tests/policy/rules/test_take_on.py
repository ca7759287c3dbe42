"""The first run: sorted by a person, one statement first, few customers a day, very old items by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.domain.cases import TakeOnChoice
from connector.domain.decisions import ActionKind, DunningLevel
from tests.builders import invoice
from tests.worlds import MONDAY, World, days_after, overdue

TASK, STATEMENT = ActionKind.TASK, ActionKind.STATEMENT


def opening(*extra: int, sorted_: TakeOnChoice | None = TakeOnChoice.CHASE) -> World:
    """Connected ten days before Monday, with inv-1 sixty days overdue then."""
    world = World(
        invoices=[overdue(70), *(overdue(days, f"inv-{days}") for days in extra)], start=days_after(MONDAY, -10)
    )
    if sorted_ is not None:
        world.sort_opening(sorted_)
    return world


def test_unsorted_items_go_before_a_person_and_nobody_is_contacted() -> None:
    (task,) = opening(50, sorted_=None).proposed(MONDAY)
    assert (task.kind, task.occasion, task.items) == (TASK, "sort", ("inv-1", "inv-50"))


def test_the_first_contact_is_one_statement_whatever_the_age() -> None:
    world = opening(12, 40)
    (decision,) = world.proposed(MONDAY)
    assert (decision.kind, decision.occasion, decision.level) == (STATEMENT, "take-on", DunningLevel.NONE)
    assert decision.items == ("inv-1", "inv-40", "inv-12")
    assert decision.data["letter"] == "take_on_statement"
    world.live(MONDAY)
    happened = world.live_through(days_after(MONDAY, 1), days_after(MONDAY, 60))
    levels = [int(d.level) for _, d in happened if d.kind in (ActionKind.LETTER, ActionKind.REINVOICE)]
    assert levels == [2, 3, 5, 7], "the statement was the chance to explain"
    first = next(day for day, d in happened if d.kind is ActionKind.LETTER)
    assert first > days_after(MONDAY, 7), "not before the statement's date has passed"


def test_a_later_opening_item_gets_its_copy_like_any_other() -> None:
    world = opening()
    world.invoices.append(invoice("inv-2", issued=days_after(MONDAY, -12), due=days_after(MONDAY, 3)))
    world.live(MONDAY)
    (decision,) = world.proposed(days_after(MONDAY, 7), ActionKind.REINVOICE)
    assert decision.items == ("inv-2",)


def test_only_so_many_customers_a_day() -> None:
    world = opening()
    world.state_changes = {"new_customers_today": 10}
    assert world.proposed(MONDAY) == []
    assert world.why(MONDAY, "take_on") == {"take_on.enough_for_today"}
    world.state_changes = {"new_customers_today": 9}
    assert len(world.proposed(MONDAY)) == 1


@pytest.mark.parametrize(
    ("choice", "kinds"),
    [
        (TakeOnChoice.FIX_BOOKS, [TASK]),
        (TakeOnChoice.CREDIT, [TASK]),
        (TakeOnChoice.WRITE_OFF, [TASK]),
        (TakeOnChoice.LEGAL, [TASK]),
        (TakeOnChoice.EXCLUDE, []),
    ],
)
def test_other_choices_stay_with_the_person(choice: TakeOnChoice, kinds: list[ActionKind]) -> None:
    assert [d.kind for d in opening(sorted_=choice).proposed(MONDAY)] == kinds


def test_very_old_items_are_decided_by_name() -> None:
    world = opening()
    world.invoices.append(overdue(200, "inv-2"))
    decisions = world.proposed(MONDAY)
    assert [(d.kind, d.items) for d in decisions] == [(TASK, ("inv-2",)), (STATEMENT, ("inv-1",))]
    world.sort_opening(TakeOnChoice.CHASE, "inv-2")
    (statement,) = world.proposed(MONDAY)
    assert statement.items == ("inv-2", "inv-1")


def test_an_expected_date_kept_in_the_ledger_before_is_honoured_within_patience() -> None:
    world = opening()
    world.invoices = [replace(overdue(70), expected=days_after(MONDAY, 5))]
    assert world.proposed(MONDAY) == []
    assert world.why(MONDAY, "take_on") == {"item.expected"}
    assert len(world.proposed(days_after(MONDAY, 7))) == 1
    world.invoices = [replace(overdue(70), expected=days_after(MONDAY, 300))]
    assert len(world.proposed(days_after(MONDAY, 21))) == 1, "nothing is indefinite"


def test_old_unsent_items_are_looked_into_before_anything_is_sent() -> None:
    world = opening()
    world.invoices = [replace(overdue(70), sent=False)]
    (task,) = world.proposed(MONDAY)
    assert (task.kind, task.occasion) == (TASK, "opening-unsent")
