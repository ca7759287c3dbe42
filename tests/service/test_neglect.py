"""Neglected: overdue by its own due date, ours to ask for, and untouched for more than thirty days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from connector.domain.cases import (
    CallMade,
    CallOutcome,
    CaseRecord,
    Dispute,
    DisputeCode,
    DisputeOutcome,
    Exclusion,
    Extension,
    HeldBy,
    Holder,
    LegalHold,
    LegalHoldKind,
    Party,
    PartyIs,
    Promise,
    Reply,
    ReplyOutcome,
    TakeOnChoice,
)
from connector.domain.decisions import DunningLevel
from connector.service.neglect import is_neglected
from tests.builders import credit, money
from tests.policy.known import signed_plan
from tests.worlds import MONDAY, World, days_after, letter, overdue

LATELY, LONG_AGO = days_after(MONDAY, -30), days_after(MONDAY, -31)


def neglected(*records: CaseRecord, days: int = 40, start: date | None = None) -> bool:
    world = World(invoices=[overdue(days)])
    world.start = start or world.start
    world.records += records
    return first(world)


def first(world: World) -> bool:
    facts = world.facts(MONDAY)
    return is_neglected(facts, facts.items[0])


def about(record: Callable[..., CaseRecord], on: date = LONG_AGO, **more: object) -> CaseRecord:
    return record(id="r", customer_id="cust-1", on=on, by="Ana", **more)


def test_thirty_days_past_the_due_date_whatever_day_the_ladder_counts_from() -> None:
    assert neglected(days=31)
    assert not neglected(days=30)
    assert neglected(days=200, start=days_after(MONDAY, -1)), "an opening item has been overdue since its due date"


@pytest.mark.parametrize(
    "record",
    [
        about(HeldBy, holder=Holder.FACTOR),
        about(HeldBy, holder=Holder.AGENCY, invoice_id="inv-1"),
        about(LegalHold, why=LegalHoldKind.INSOLVENCY),
        about(PartyIs, party=Party.RELATED),
        about(Exclusion, reason="a friend"),
        about(Exclusion, reason="a friend", invoice_id="inv-1"),
        about(
            Dispute, invoice_id="inv-1", code=DisputeCode.PRICE, amount=money("10.00"), decide_by=LATELY
        ),
        about(Extension, invoice_id="inv-1", until=days_after(MONDAY, 1)),
        about(Promise, invoice_ids=("inv-1",), until=days_after(MONDAY, 1)),
        signed_plan(days_after(MONDAY, 5), amount="1150.00"),
    ],
)  # fmt: skip
def test_a_reason_that_has_not_expired_is_no_neglect(record: CaseRecord) -> None:
    assert not neglected(record)


@pytest.mark.parametrize(
    "touch",
    [
        lambda on: about(CallMade, on, occasion="x", outcome=CallOutcome.VOICEMAIL),
        lambda on: about(Reply, on, outcome=ReplyOutcome.PROMISE),
        lambda on: letter(DunningLevel.FRIENDLY, days_after(on, -7)),  # it names a date seven days later
        lambda on: about(Extension, days_after(on, -5), invoice_id="inv-1", until=on),
        lambda on: about(Promise, days_after(on, -5), invoice_ids=("inv-1",), until=on),
        lambda on: about(
            Dispute, days_after(on, -5), invoice_id="inv-1", code=DisputeCode.PRICE, amount=money("10.00"),
            decide_by=on, resolved_on=on, outcome=DisputeOutcome.WITHDRAWN,
        ),
    ],
)  # fmt: skip
def test_what_was_touched_is_neglected_thirty_days_later(touch: Callable[[date], CaseRecord]) -> None:
    assert not neglected(touch(LATELY), days=90)
    assert neglected(touch(LONG_AGO), days=90)


def test_a_letter_that_bounced_or_spoke_of_something_else_touched_nothing() -> None:
    assert neglected(letter(DunningLevel.FRIENDLY, LATELY, bounced_on=LATELY))
    assert neglected(letter(DunningLevel.FRIENDLY, LATELY, ("inv-9",)))


def test_nothing_to_collect_is_no_neglect() -> None:
    assert not first(World(invoices=[overdue(40)], credits=[credit(total="1150.00")]))
    assert not first(World(invoices=[replace(overdue(40), due=None)]))


def test_what_was_sorted_away_at_take_on_is_no_neglect() -> None:
    world = World(invoices=[overdue(40)], start=days_after(MONDAY, -35))
    world.sort_opening(TakeOnChoice.FIX_BOOKS)
    assert not first(world)
    world.sort_opening(TakeOnChoice.CHASE)
    assert first(world)
