"""Guardrails: whatever forbids a contact, when deciding and when sending."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from connector.domain.cases import (
    CallMade,
    CallOutcome,
    CaseRecord,
    Dispute,
    DisputeCode,
    Exclusion,
    Extension,
    HeldBy,
    Holder,
    LegalHold,
    LegalHoldKind,
    OptOut,
    Party,
    PartyIs,
    Reply,
    ReplyOutcome,
    TakeOnChoice,
)
from connector.domain.dates import Calendar
from connector.domain.decisions import Acted, ActedState, ActionKind, Decision, DunningLevel, Reason, TargetKind
from connector.domain.ledger import InvoiceStatus, NeedsReview, RecordKind
from connector.policy import guardrails
from tests.builders import customer, invoice, money, organisation
from tests.worlds import MONDAY, START, World, days_after, letter, letter_of, overdue, preset

CUSTOMER = "cust-1"
ZONE = ZoneInfo("Pacific/Auckland")


def friendly(*items: str, level: DunningLevel = DunningLevel.FRIENDLY, rule: str = "ladder") -> Decision:
    ids = items or ("inv-1",)
    return Decision(
        rule=rule,
        kind=ActionKind.LETTER,
        target_kind=TargetKind.CUSTOMER,
        target=CUSTOMER,
        customer_id=CUSTOMER,
        occasion=f"{ids[0]}:{int(level)}",
        reasons=(Reason("test"),),
        level=level,
        items=ids,
        asks_for_money=True,
        contact=True,
    )


def codes(world: World, decision: Decision, day: date = MONDAY, *, planning: bool = False) -> list[str]:
    return [r.code for r in guardrails.check(world.policy, world.facts(day), decision, day, planning=planning)]


def until(world: World, decision: Decision, day: date = MONDAY) -> list[object]:
    return [r.facts.get("until") for r in guardrails.check(world.policy, world.facts(day), decision, day)]


def test_nothing_forbids_an_ordinary_letter() -> None:
    assert codes(World(invoices=[overdue(10)]), friendly()) == []


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (LegalHold(id="l", customer_id=CUSTOMER, on=START, by="A", why=LegalHoldKind.FRAUD), "customer.legal_hold"),
        (HeldBy(id="h", customer_id=CUSTOMER, on=START, by="A", holder=Holder.AGENCY), "customer.held_by"),
        (PartyIs(id="p", customer_id=CUSTOMER, on=START, by="A", party=Party.RELATED), "customer.never_chased"),
        (PartyIs(id="p", customer_id=CUSTOMER, on=START, by="A", party=Party.DUMMY), "customer.never_chased"),
        (Exclusion(id="x", customer_id=CUSTOMER, on=START, by="A", reason="audit"), "customer.excluded"),
        (OptOut(id="o", customer_id=CUSTOMER, on=START, by="A"), "customer.no_address"),
        (
            HeldBy(id="h", customer_id=CUSTOMER, on=START, by="A", holder=Holder.FACTOR, invoice_id="inv-1"),
            "item.held_by",
        ),
        (Exclusion(id="x", customer_id=CUSTOMER, on=START, by="A", reason="r", invoice_id="inv-1"), "item.excluded"),
        (
            Dispute(
                id="d", customer_id=CUSTOMER, on=START, by="A", invoice_id="inv-1", code=DisputeCode.TAX,
                amount=money("1.00"), decide_by=MONDAY,
            ),
            "item.disputed",
        ),
        (
            Extension(
                id="e", customer_id=CUSTOMER, on=START, by="A", invoice_id="inv-1", until=days_after(MONDAY, 2)
            ),
            "item.extended",
        ),
        (Reply(id="r", customer_id=CUSTOMER, on=MONDAY, by="A", outcome=ReplyOutcome.QUERY), "contact.reply_waits"),
    ],
)  # fmt: skip
def test_what_people_recorded_forbids_the_letter(record: CaseRecord, code: str) -> None:
    assert codes(World(invoices=[overdue(10)], records=[record]), friendly()) == [code]


def test_no_address_forbids_letters_but_no_calls() -> None:
    world = World(invoices=[overdue(10)], customer=customer(email=""))
    call = replace(friendly(level=DunningLevel.CALL), kind=ActionKind.CALL)
    assert codes(world, friendly()) == ["customer.no_address"]
    assert codes(world, call) == []


def test_an_unreadable_record_of_the_customer_forbids_everything() -> None:
    world = World(invoices=[overdue(10)], needs_review=(NeedsReview(RecordKind.PAYMENT, "p", "unknown status"),))
    assert codes(world, friendly()) == ["customer.needs_review"]


def test_settled_unapproved_and_zero_items_are_not_asked_for() -> None:
    world = World(invoices=[overdue(10), invoice("inv-3", paid="115.00"), overdue(9, "inv-4")])
    world.invoices[2] = replace(world.invoices[2], status=InvoiceStatus.DRAFT)
    assert codes(world, friendly("inv-1", "inv-3", "inv-4")) == ["item.settled", "item.not_approved"]


def test_a_call_about_a_plan_ignores_what_is_paid_but_not_when_everything_is() -> None:
    world = World(invoices=[overdue(10), invoice("inv-3", paid="115.00")])
    call = replace(friendly("inv-1", "inv-3", rule="plan", level=DunningLevel.CALL), kind=ActionKind.CALL)
    assert codes(world, call) == []
    world.pay("inv-1", MONDAY)
    assert codes(world, call) == ["item.settled", "item.settled"]


# -- cash known -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lag", "level", "code"),
    [
        (None, DunningLevel.FRIENDLY, ["cash.unknown"]),
        (5, DunningLevel.FRIENDLY, []),  # Wednesday before: three business days
        (6, DunningLevel.FRIENDLY, ["cash.stale"]),
        (3, DunningLevel.FIRM, []),  # Friday
        (4, DunningLevel.FIRM, ["cash.stale"]),
        (11, DunningLevel.FRIENDLY, ["cash.not_known_to"]),
    ],
)
def test_cash_must_be_known_past_the_due_date_and_freshly(
    lag: int | None, level: DunningLevel, code: list[str]
) -> None:
    world = World(invoices=[overdue(10)], cash_lag=lag)
    assert codes(world, friendly(level=level)) == code


def test_a_firm_letter_rests_on_the_by_date_of_the_letter_before() -> None:
    world = World(invoices=[overdue(30)], cash_lag=1)
    world.records = [letter(DunningLevel.REMINDER, days_after(MONDAY, -9), by_date=days_after(MONDAY, -1))]
    firm = friendly(level=DunningLevel.FIRM)
    tuesday = days_after(MONDAY, 1)
    assert codes(world, firm) == []
    world.state_changes = {"cash_known_to": days_after(MONDAY, -3)}
    assert codes(world, firm) == ["cash.not_known_to"]
    assert codes(world, friendly()) == [], "a soft letter needs the due date only"
    assert until(world, firm) == [tuesday.isoformat()]


def test_a_neutral_statement_needs_the_age_only() -> None:
    statement = replace(
        friendly(rule="statements"), kind=ActionKind.STATEMENT, asks_for_money=False, level=DunningLevel.NONE
    )
    world = World(invoices=[overdue(1)], cash_lag=3)
    assert codes(world, statement) == []
    world.cash_lag = 8
    assert codes(world, statement) == ["cash.stale"]


# -- caps and dates ---------------------------------------------------------------------------------------------------


def test_caps_hold_over_every_window_and_name_the_next_free_day() -> None:
    world = World(invoices=[overdue(40, "inv-9")])
    world.records = [letter(DunningLevel.FRIENDLY, days_after(MONDAY, -n), ("inv-1",)) for n in (6, 3)]
    assert codes(world, friendly("inv-9")) == ["contact.cap"]
    assert until(world, friendly("inv-9")) == [days_after(MONDAY, 1).isoformat()]
    world.records = [letter(DunningLevel.FRIENDLY, days_after(MONDAY, -n), ("inv-1",)) for n in (29, 22, 19, 15, 10)]
    assert until(world, friendly("inv-9")) == [days_after(MONDAY, 1).isoformat()]
    world.records = world.records[1:]
    assert codes(world, friendly("inv-9")) == []


def test_one_contact_a_day_counts_voicemails_and_the_shared_mailbox() -> None:
    world = World(invoices=[overdue(10)])
    world.mailbox = [MONDAY]
    assert codes(world, friendly()) == ["contact.cap"]
    world.mailbox = []
    world.records = [
        CallMade(id="c", customer_id=CUSTOMER, on=MONDAY, by="A", occasion="o", outcome=CallOutcome.VOICEMAIL)
    ]
    assert codes(world, friendly()) == ["contact.cap"]
    assert codes(world, friendly(), days_after(MONDAY, 1)) == []


def test_the_same_act_may_go_to_a_second_recipient_on_its_day() -> None:
    world = World(invoices=[overdue(10)], mailbox=[MONDAY])
    world.records = [letter_of(friendly(), MONDAY)]
    assert codes(world, friendly()) == []
    assert codes(world, friendly(level=DunningLevel.REMINDER)) == ["contact.cap"]


def test_weekends_holidays_and_quiet_days_wait_for_the_next_contact_day() -> None:
    quiet = Calendar(frozenset({days_after(MONDAY, 7)}), ((days_after(MONDAY, 8), days_after(MONDAY, 9)),))
    world = World(invoices=[overdue(10)], calendar=quiet)
    saturday = days_after(MONDAY, 5)
    assert codes(world, friendly(), saturday) == ["contact.not_a_contact_day"]
    assert until(world, friendly(), saturday) == [days_after(MONDAY, 10).isoformat()]


def test_the_time_that_a_letter_gave_runs_for_its_items_only() -> None:
    world = World(invoices=[overdue(20), overdue(5, "inv-2")])
    running = letter(DunningLevel.FRIENDLY, days_after(MONDAY, -7), by_date=MONDAY)
    world.records = [running]
    assert codes(world, friendly(level=DunningLevel.REMINDER)) == ["contact.by_date_running"]
    assert codes(world, friendly("inv-2", level=DunningLevel.REINVOICE)) == []
    assert codes(world, friendly(level=DunningLevel.REMINDER), days_after(MONDAY, 1)) == []
    world.records = [replace(running, bounced_on=days_after(MONDAY, -6), recipient="old@rimu.example")]
    assert codes(world, friendly(level=DunningLevel.REMINDER)) == []


def test_a_reply_pauses_everything_but_its_answer_and_not_for_ever() -> None:
    reply = Reply(id="r", customer_id=CUSTOMER, on=MONDAY, by="A", outcome=ReplyOutcome.NEVER_RECEIVED)
    world = World(invoices=[overdue(10)], records=[reply])
    answer = replace(friendly(rule="replies"), asks_for_money=False, level=DunningLevel.NONE)
    assert codes(world, friendly()) == ["contact.reply_waits"]
    assert codes(world, answer) == []
    assert codes(world, friendly(), days_after(MONDAY, 30)) == []
    world.records = [replace(reply, answered_on=MONDAY)]
    assert codes(world, friendly()) == []
    world.records = [replace(reply, outcome=ReplyOutcome.OUT_OF_OFFICE)]
    assert codes(world, friendly()) == []


# -- the organisation -------------------------------------------------------------------------------------------------


def test_the_open_take_on_forbids_sending_but_not_planning() -> None:
    world = World(invoices=[overdue(10)])
    world.state_changes = {"take_on_closed": False, "take_on_missing": ("tax_basis",)}
    assert codes(world, friendly()) == ["take_on.questions_open", "take_on.not_closed"]
    assert codes(world, friendly(), planning=True) == []


def test_native_reminders_need_the_owners_decision() -> None:
    world = World(invoices=[overdue(10)])
    world.state_changes = {"organisation": organisation(native_reminders=True)}
    assert codes(world, friendly(), planning=True) == ["organisation.native_reminders"]
    world.state_changes["native_reminders_accepted"] = True
    assert codes(world, friendly()) == []


def test_an_unmatched_receipt_of_this_payer_or_amount_holds_the_item_for_a_time() -> None:
    world = World(invoices=[overdue(10, total="1000.00")])
    on = days_after(MONDAY, -3)
    for receipt, holds in (
        (("cust-1", on, money("5.00")), True),
        (("cust-2", on, money("1000.00")), False),
        (("", on, money("1009.99")), True),
        (("", on, money("1010.01")), False),
        (("", on, money("1000.00", "AUD")), False),
        (("", days_after(MONDAY, -60), money("1000.00")), False),
    ):
        world.state_changes = {"unmatched_receipts": (receipt,)}
        assert codes(world, friendly()) == (["item.unmatched_receipt"] if holds else []), receipt


def test_opening_items_wait_for_a_person_and_very_old_ones_for_a_person_by_name() -> None:
    world = World(invoices=[overdue(10)], start=days_after(MONDAY, -5))
    assert codes(world, friendly()) == ["take_on.unsorted"]
    world.sort_opening(TakeOnChoice.FIX_BOOKS)
    assert codes(world, friendly()) == ["take_on.sorted"]
    world.sort_opening()
    assert codes(world, friendly()) == []
    world.invoices = [overdue(200)]
    assert codes(world, friendly()) == ["take_on.too_old"]
    world.sort_opening(TakeOnChoice.CHASE, "inv-1")
    assert codes(world, friendly()) == []
    world.invoices = [overdue(5 * 365 + 1)]
    assert codes(world, friendly()) == ["item.maybe_time_barred"]


def test_something_approved_for_this_customer_goes_first_when_planning() -> None:
    world = World(invoices=[overdue(10)])
    earlier = friendly("inv-7").key
    world.acted = {earlier: Acted(earlier, ActedState.APPROVED, MONDAY)}
    assert codes(world, friendly(), planning=True) == ["contact.pending"]
    assert codes(world, friendly()) == []


def test_internal_tasks_are_never_forbidden() -> None:
    hold = LegalHold(id="l", customer_id=CUSTOMER, on=START, by="A", why=LegalHoldKind.FRAUD)
    task = replace(friendly(), kind=ActionKind.TASK, contact=False, asks_for_money=False)
    world = World(invoices=[overdue(10)], records=[hold], cash_lag=None)
    assert codes(world, task) == []
    schedule = replace(task, kind=ActionKind.WRITE_SCHEDULE)
    assert codes(world, schedule) == ["customer.legal_hold"]


# -- hours ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (datetime(2026, 3, 2, 9, 0, tzinfo=ZONE), None),
        (datetime(2026, 3, 2, 16, 59, tzinfo=ZONE), None),
        (datetime(2026, 3, 2, 8, 59, tzinfo=ZONE), datetime(2026, 3, 2, 9, 0, tzinfo=ZONE)),
        (datetime(2026, 3, 2, 17, 0, tzinfo=ZONE), datetime(2026, 3, 3, 9, 0, tzinfo=ZONE)),
        (datetime(2026, 3, 6, 18, 0, tzinfo=ZONE), datetime(2026, 3, 9, 9, 0, tzinfo=ZONE)),
        (datetime(2026, 3, 7, 11, 0, tzinfo=ZONE), datetime(2026, 3, 9, 9, 0, tzinfo=ZONE)),
    ],
)
def test_letters_leave_in_office_hours_only(now: datetime, opens: datetime | None) -> None:
    assert guardrails.send_window(preset(), World().facts(now.date()), now) == opens
