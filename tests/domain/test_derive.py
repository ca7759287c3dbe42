"""Facts from books and case records: what may be asked for, from when, of whom, and what was agreed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from connector.domain.cases import (
    CallMade,
    CallOutcome,
    Dispute,
    DisputeCode,
    DisputeOutcome,
    Exclusion,
    Extension,
    HeldBy,
    Holder,
    Instalment,
    LegalHold,
    LegalHoldKind,
    LetterSent,
    OptOut,
    Party,
    PartyIs,
    PaymentPlan,
    PlanState,
    Promise,
    Reply,
    ReplyOutcome,
    Signature,
    TakeOnChoice,
)
from connector.domain.decisions import DunningLevel
from connector.domain.facts import ItemFacts, PauseState
from connector.domain.ledger import Allocation, Credit, CreditKind, Invoice, InvoiceStatus, Person
from connector.domain.money import Money
from tests.builders import credit, customer, invoice, money, payment
from tests.worlds import MONDAY, START, World, days_after, letter, overdue

CUSTOMER = "cust-1"


def dispute(amount: str, *, on: date = MONDAY, currency: str = "NZD", invoice_id: str = "inv-1") -> Dispute:
    return Dispute(
        id="dispute-1",
        customer_id=CUSTOMER,
        on=on,
        by="Ana",
        invoice_id=invoice_id,
        code=DisputeCode.QUALITY,
        amount=money(amount, currency),
        decide_by=days_after(on, 14),
    )


def reply(outcome: ReplyOutcome, *, on: date = MONDAY, amount: str | None = None, record_id: str = "reply-1") -> Reply:
    return Reply(
        id=record_id,
        customer_id=CUSTOMER,
        on=on,
        by="Ana",
        outcome=outcome,
        invoice_ids=("inv-1",),
        amount=None if amount is None else money(amount),
    )


def only_item(world: World, day: date = MONDAY) -> ItemFacts:
    (item,) = world.facts(day).items
    return item


def steps(item: ItemFacts) -> dict[str, str]:
    return {line.code: str(line.amount.amount) for line in item.bridge}


# -- collectable --------------------


def test_the_bridge_leads_from_the_balance_to_what_may_be_asked_for() -> None:
    world = World(invoices=[overdue(10, total="1000.00")], credits=[credit("c", "150.00")])
    world.records = [dispute("200.00"), reply(ReplyOutcome.PAID, amount="100.00")]
    item = only_item(world)
    assert item.collectable == money("550.00")
    assert steps(item) == {
        "balance": "1000.00",
        "disputed": "-200.00",
        "unapplied_credit": "-150.00",
        "in_transit": "-100.00",
    }


def test_credit_is_laid_on_the_oldest_item_of_its_own_currency_and_the_rest_is_left_over() -> None:
    older, newer = overdue(20, "inv-1", "100.00"), overdue(5, "inv-2", "100.00")
    euros = invoice("inv-3", "100.00", currency="EUR", due=days_after(MONDAY, -9))
    world = World(
        invoices=[newer, euros, older],
        credits=[credit("c", "130.00"), credit("e", "500.00", currency="EUR", kind=CreditKind.OVERPAYMENT)],
    )
    facts = world.facts(MONDAY)
    assert [(i.invoice.id, i.collectable.minor) for i in facts.items] == [
        ("inv-1", 0),
        ("inv-3", 0),
        ("inv-2", 7000),
    ]
    assert facts.unapplied == {"EUR": Money(40000, "EUR")}


@pytest.mark.parametrize(
    ("unusable", "why"),
    [
        (credit("c", "50.00", active=False), "voided"),
        (credit("c", "50.00", issued=days_after(MONDAY, 1)), "of a later day"),
        (replace(credit("c", "50.00", kind=CreditKind.PREPAYMENT), reference="Deposit for kitchen"), "a deposit"),
        (credit("c", "50.00", currency="AUD"), "another currency"),
    ],
)
def test_credit_that_may_not_be_used_leaves_the_collectable_amount_alone(unusable: Credit, why: str) -> None:
    world = World(invoices=[overdue(10, total="100.00")], credits=[unusable])
    assert only_item(world).collectable == money("100.00"), why


def test_a_prepayment_that_is_no_deposit_and_the_unlaid_rest_of_a_payment_count() -> None:
    world = World(
        invoices=[overdue(10, total="100.00")],
        credits=[credit("c", "30.00", kind=CreditKind.PREPAYMENT)],
        payments=[payment("p", "20.00", invoice_ids=()), payment("gone", "50.00", invoice_ids=(), active=False)],
    )
    assert only_item(world).collectable == money("50.00")


def test_credit_is_not_spent_on_what_others_hold_while_our_own_item_is_open() -> None:
    world = World(
        invoices=[overdue(20, "inv-1", "100.00"), overdue(5, "inv-2", "100.00")], credits=[credit("c", "100.00")]
    )
    world.records = [HeldBy(id="h", customer_id=CUSTOMER, on=START, by="Ana", holder=Holder.FACTOR, invoice_id="inv-1")]
    assert {i.invoice.id: i.collectable.minor for i in world.facts(MONDAY).items} == {"inv-1": 10000, "inv-2": 0}


def test_a_dispute_takes_at_most_the_balance_and_everything_when_its_currency_is_not_the_invoices() -> None:
    world = World(invoices=[overdue(10, total="100.00")], records=[dispute("250.00")])
    assert only_item(world).disputed == money("100.00")
    world.records = [dispute("1.00", currency="AUD")]
    assert only_item(world).collectable == money("0")


def test_a_dispute_that_is_resolved_later_is_open_on_the_day_asked_about() -> None:
    resolved = replace(dispute("40.00"), resolved_on=days_after(MONDAY, 3), outcome=DisputeOutcome.WITHDRAWN)
    world = World(invoices=[overdue(10, total="100.00")], records=[resolved])
    assert only_item(world, days_after(MONDAY, 2)).collectable == money("60.00")
    after = only_item(world, days_after(MONDAY, 3))
    assert after.collectable == money("100.00")
    assert after.disputes == ()


def _credited(amount: str) -> Invoice:
    owed = overdue(10, total="100.00")
    return replace(owed, credited=money(amount), balance=owed.balance - money(amount))


@pytest.mark.parametrize(
    ("outcome", "credited", "on", "collectable"),
    [
        (DisputeOutcome.CORRECT, None, 0, "60.00"),
        (DisputeOutcome.CORRECT, "40.00", 3, "60.00"),  # in the ledger: the balance itself is lower
        (DisputeOutcome.CORRECT, "15.00", 3, "60.00"),  # 85.00 are open, of which 25.00 are still to be credited
        (DisputeOutcome.CORRECT, "40.00", -1, "20.00"),  # a credit from before the query is no answer to it
        (DisputeOutcome.SETTLE, None, 0, "60.00"),
        (DisputeOutcome.SETTLE, "15.00", 3, "85.00"),  # settled for less than was asked
        (DisputeOutcome.GOODWILL, "15.00", 3, "85.00"),
        (DisputeOutcome.REDO, "40.00", 3, "20.00"),  # whether it was redone is for a person to say
        (DisputeOutcome.STAND_FIRM, None, 0, "100.00"),
    ],
)
def test_the_part_stays_paused_until_what_the_query_promised_is_in_the_ledger(
    outcome: DisputeOutcome, credited: str | None, on: int, collectable: str
) -> None:
    closed = replace(dispute("40.00"), resolved_on=days_after(MONDAY, 2), outcome=outcome)
    world = World(invoices=[overdue(10, total="100.00")], records=[closed])
    if credited is not None:
        day = days_after(MONDAY, on)
        laid = (Allocation("inv-1", money(credited), day),)
        world.credits.append(credit(total=credited, remaining=0, issued=day, allocations=laid))
        world.invoices[0] = _credited(credited)
    assert only_item(world, days_after(MONDAY, 5)).collectable == money(collectable)


def test_one_credit_does_not_answer_two_queries() -> None:
    closed = replace(dispute("40.00"), resolved_on=MONDAY, outcome=DisputeOutcome.CORRECT)
    world = World(invoices=[_credited("40.00")], records=[closed])
    world.records.append(replace(closed, id="dispute-2", amount=money("30.00")))
    world.credits.append(credit(total="40.00", remaining=0, issued=MONDAY,
                                allocations=(Allocation("inv-1", money("40.00"), MONDAY),)))  # fmt: skip
    item = only_item(world)
    assert [one.id for one in item.disputes] == ["dispute-2"]
    assert item.collectable == money("30.00")


def test_money_reported_on_its_way_counts_for_a_week_only_and_not_twice_once_it_arrived() -> None:
    world = World(invoices=[overdue(10, total="100.00")], records=[reply(ReplyOutcome.PAID, amount="100.00")])
    believed = only_item(world, days_after(MONDAY, 7))
    assert believed.collectable.minor == 0
    assert believed.in_transit_until == days_after(MONDAY, 7)
    assert only_item(world, days_after(MONDAY, 8)).collectable == money("100.00")
    world.pay("inv-1", days_after(MONDAY, 1), "60.00")
    assert only_item(world, days_after(MONDAY, 2)).collectable.minor == 0, "40 of 40 are still on their way"


def test_a_third_report_that_money_is_coming_changes_nothing() -> None:
    world = World(invoices=[overdue(40, total="100.00")])
    world.records = [reply(ReplyOutcome.REMITTANCE, on=days_after(MONDAY, -n), record_id=f"r{n}") for n in (20, 10, 0)]
    assert only_item(world).collectable == money("100.00")
    del world.records[0]
    assert only_item(world).collectable.minor == 0


def test_drafts_owe_nothing_and_settled_invoices_are_no_items() -> None:
    world = World(
        invoices=[
            invoice("draft", status=InvoiceStatus.DRAFT, due=days_after(MONDAY, -5)),
            invoice("paid", paid="115.00"),
            invoice("void", status=InvoiceStatus.VOIDED),
        ]
    )
    item = only_item(world)
    assert (item.invoice.id, item.collectable.minor, item.days_overdue) == ("draft", 0, 0)


# -- dates --------------------


def test_days_count_from_the_due_date_and_opening_items_from_the_connection() -> None:
    start = days_after(MONDAY, -4)
    old = overdue(90, "inv-1")
    new = invoice("inv-2", issued=days_after(start, 1), due=days_after(MONDAY, -2))
    items = World(invoices=[new, old], start=start).facts(MONDAY).items
    assert [(i.invoice.id, i.opening, i.days_overdue) for i in items] == [("inv-1", True, 4), ("inv-2", False, 2)]


def test_an_item_without_a_due_date_is_not_due() -> None:
    item = only_item(World(invoices=[invoice("inv-1", due=None)]))
    assert (item.counts_from, item.days_overdue, item.is_overdue) == (None, 0, False)


def test_an_invoice_that_we_sent_late_is_due_its_own_terms_after_the_sending() -> None:
    item = invoice("inv-1", issued=date(2026, 1, 1), due=date(2026, 1, 15), sent=False)
    world = World(invoices=[item])
    assert only_item(world).sent is False
    sent = replace(letter(DunningLevel.NONE, date(2026, 2, 20)), what="send_invoice", asks_for_money=False)
    world.records = [sent]
    assert only_item(world).counts_from == date(2026, 3, 6)
    assert only_item(world).sent is True
    world.records = [replace(sent, what="reinvoice")]
    assert only_item(world).counts_from == date(2026, 3, 6), "a copy of what never arrived brings it"
    world.invoices = [replace(item, sent=True)]
    assert only_item(world).counts_from == item.due, "a copy of what had arrived does not"
    world.invoices = [item]
    world.records = [replace(sent, what="statement")]
    assert only_item(world).sent is False


def test_the_agreed_date_is_an_extension_or_the_next_instalment_and_the_due_date_stays() -> None:
    world = World(invoices=[overdue(5)])
    world.records = [
        Extension(id="e", customer_id=CUSTOMER, on=MONDAY, by="Ana", invoice_id="inv-1", until=days_after(MONDAY, 7))
    ]
    item = only_item(world)
    assert (item.due, item.agreed, item.tax_clock) == (
        days_after(MONDAY, -5),
        days_after(MONDAY, 7),
        days_after(MONDAY, 7),
    )
    world.records.append(_plan())
    assert only_item(world).agreed == days_after(MONDAY, 10)
    assert only_item(world).plan is not None


def _plan(state: PlanState = PlanState.SIGNED, closed_on: date | None = None) -> PaymentPlan:
    lines = (
        Instalment(1, days_after(MONDAY, 10), money("575.00")),
        Instalment(2, days_after(MONDAY, 24), money("575.00")),
    )
    return PaymentPlan(
        id="plan-1",
        customer_id=CUSTOMER,
        on=MONDAY,
        by="Ana",
        state=state,
        covered=(("inv-1", money("1150.00")),),
        instalments=lines,
        signature=Signature("R. Cafe", "director", MONDAY, "e-mail"),
        closed_on=closed_on,
    )


def test_a_void_plan_no_longer_covers_its_invoices_and_is_remembered_as_breached() -> None:
    world = World(invoices=[overdue(5)], records=[_plan(PlanState.VOID, days_after(MONDAY, 20))])
    item = only_item(world, days_after(MONDAY, 21))
    assert item.plan is None
    assert item.breached


# -- extensions and promises --------------------


@pytest.mark.parametrize(
    ("day", "lag", "state"),
    [(7, 0, PauseState.ACTIVE), (8, 0, PauseState.BROKEN), (8, 2, PauseState.UNDECIDED), (9, 2, PauseState.BROKEN)],
)
def test_an_extension_is_judged_only_as_far_as_cash_is_known(day: int, lag: int, state: PauseState) -> None:
    extension = Extension(
        id="e", customer_id=CUSTOMER, on=MONDAY, by="Ana", invoice_id="inv-1", until=days_after(MONDAY, 7)
    )
    world = World(invoices=[overdue(5)], records=[extension], cash_lag=lag)
    assert only_item(world, days_after(MONDAY, day)).extension_state is state


def test_a_promise_is_kept_by_its_sum_by_the_bank_date_and_broken_again_when_the_payment_is_deleted() -> None:
    until = days_after(MONDAY, 3)
    promise = Promise(
        id="p", customer_id=CUSTOMER, on=MONDAY, by="Ana", invoice_ids=("inv-1",), until=until, amount=money("400.00")
    )
    world = World(invoices=[overdue(5)], records=[promise])
    later = days_after(until, 10)
    assert only_item(world, later).promise_state is PauseState.BROKEN
    world.pay("inv-1", days_after(until, 1), "400.00")
    assert only_item(world, later).promise_state is PauseState.KEPT, "the bank takes a day or two"
    world.payments[0] = replace(world.payments[0], active=False)
    assert only_item(world, later).promise_state is PauseState.BROKEN
    world.payments[0] = replace(world.payments[0], active=True, paid_on=days_after(until, 6))
    assert only_item(world, later).promise_state is PauseState.BROKEN, "too late"


def test_a_withdrawn_promise_is_no_promise() -> None:
    promise = Promise(
        id="p",
        customer_id=CUSTOMER,
        on=MONDAY,
        by="Ana",
        invoice_ids=("inv-1",),
        until=days_after(MONDAY, 9),
        withdrawn_on=days_after(MONDAY, 2),
    )
    world = World(invoices=[overdue(5)], records=[promise])
    assert only_item(world, days_after(MONDAY, 1)).promise is not None
    assert only_item(world, days_after(MONDAY, 2)).promise is None


# -- holds, parties, exclusions --------------------


def test_the_newest_word_on_who_holds_the_debt_wins_at_each_scope() -> None:
    world = World(invoices=[overdue(5, "inv-1"), overdue(4, "inv-2")])
    world.records = [
        HeldBy(id="a", customer_id=CUSTOMER, on=START, by="Ana", holder=Holder.AGENCY, invoice_id="inv-1"),
        HeldBy(id="b", customer_id=CUSTOMER, on=START, by="Ana", holder=Holder.SOLICITOR),
        HeldBy(id="c", customer_id=CUSTOMER, on=days_after(START, 1), by="Ana", holder=Holder.US),
    ]
    facts = world.facts(MONDAY)
    assert (facts.holder, [i.holder for i in facts.items]) == (Holder.US, [Holder.AGENCY, Holder.US])
    world.state_changes = {"held_by": Holder.FACTOR}
    assert {i.holder for i in world.facts(MONDAY).items} == {Holder.FACTOR}


def test_a_legal_hold_stands_until_it_is_lifted_and_an_unnamed_party_is_unknown() -> None:
    hold = LegalHold(id="l", customer_id=CUSTOMER, on=MONDAY, by="Ana", why=LegalHoldKind.DECEASED)
    world = World(invoices=[overdue(5)], records=[hold])
    assert world.facts(days_after(MONDAY, -1)).legal_hold is None
    assert world.facts(MONDAY).legal_hold == hold
    world.records = [replace(hold, lifted_on=days_after(MONDAY, 2), lifted_by="Pat")]
    assert world.facts(days_after(MONDAY, 1)).legal_hold is not None
    assert world.facts(days_after(MONDAY, 2)).legal_hold is None
    assert world.facts(MONDAY).party is Party.UNKNOWN
    world.records = [PartyIs(id="p", customer_id=CUSTOMER, on=START, by="Ana", party=Party.COMPANY)]
    assert world.facts(MONDAY).party is Party.COMPANY


def test_exclusions_expire_and_the_longest_of_several_counts() -> None:
    short = Exclusion(
        id="x",
        customer_id=CUSTOMER,
        on=START,
        by="Ana",
        reason="holiday",
        until=days_after(MONDAY, 1),
        invoice_id="inv-1",
    )
    long = replace(short, id="y", reason="audit", until=days_after(MONDAY, 5))
    world = World(invoices=[overdue(5)], records=[long, short])
    assert (only_item(world).excluded, only_item(world).excluded_until) == ("audit", days_after(MONDAY, 5))
    assert only_item(world, days_after(MONDAY, 5)).excluded == ""


def test_sorting_by_name_beats_sorting_the_customer() -> None:
    world = World(invoices=[overdue(5, "inv-1"), overdue(4, "inv-2")], start=MONDAY)
    world.sort_opening(TakeOnChoice.CREDIT, "inv-2")
    world.sort_opening(TakeOnChoice.CHASE)
    first, second = world.facts(MONDAY).items
    assert (first.sorted, first.sorted_itself) == (TakeOnChoice.CHASE, False)
    assert (second.sorted, second.sorted_itself) == (TakeOnChoice.CREDIT, True)


# -- recipients --------------------


def test_letters_go_to_the_first_usable_address() -> None:
    people = (Person("Bo", "bo@rimu.example", on_invoices=True), Person("Cy", "cy@rimu.example", on_invoices=False))
    world = World(customer=replace(customer(email="a@rimu.example, b@rimu.example"), people=people))
    recipients = [world.facts(MONDAY).recipient]
    for refused in ("A@rimu.example", "b@rimu.example", "bo@rimu.example"):
        world.records.append(OptOut(id=refused, customer_id=CUSTOMER, on=START, by="Ana", address=refused))
        recipients.append(world.facts(MONDAY).recipient)
    assert recipients == ["a@rimu.example", "b@rimu.example", "bo@rimu.example", ""]
    assert world.facts(MONDAY).no_recipient_because == "opted_out"


@pytest.mark.parametrize(
    "hostile",
    ["", "not an address", "a@b\r\nBcc: x@y.example", "<a@b.example>", 'a"@b.example', "a@b@c.example", "@b.example"],
)
def test_what_is_no_single_plain_address_is_never_written_to(hostile: str) -> None:
    facts = World(customer=customer(email=hostile)).facts(MONDAY)
    assert (facts.recipient, facts.no_recipient_because) == ("", "no_address")


def test_a_bounced_address_is_not_used_again_and_a_general_opt_out_closes_every_one() -> None:
    world = World(records=[letter(DunningLevel.REINVOICE, days_after(MONDAY, -5), bounced_on=MONDAY)])
    assert world.facts(days_after(MONDAY, -1)).recipient == "accounts@rimu.example"
    assert world.facts(MONDAY).no_recipient_because == "bounced"
    world.records = [OptOut(id="o", customer_id=CUSTOMER, on=START, by="Ana")]
    assert world.facts(MONDAY).no_recipient_because == "opted_out"


# -- levels and contacts --------------------


def test_a_level_is_earned_by_the_lead_item_of_a_letter_that_arrived() -> None:
    world = World(invoices=[overdue(20, "inv-1"), overdue(3, "inv-2")])
    world.records = [
        letter(DunningLevel.REINVOICE, days_after(MONDAY, -15)),
        letter(DunningLevel.FRIENDLY, days_after(MONDAY, -6), ("inv-1", "inv-2")),
        letter(DunningLevel.REMINDER, days_after(MONDAY, -1), bounced_on=MONDAY),
    ]
    first, second = world.facts(MONDAY).items
    assert (first.level, second.level) == (DunningLevel.FRIENDLY, DunningLevel.NONE)
    assert second.introduced


def test_the_tone_resets_when_the_overdue_item_is_paid_and_resumes_when_the_payment_is_returned() -> None:
    world = World(invoices=[overdue(20, "inv-1"), overdue(3, "inv-2")])
    world.records = [letter(DunningLevel.FIRM, days_after(MONDAY, -6), ("inv-1", "inv-2"))]
    before = world.invoices[0]
    world.pay("inv-1", MONDAY)
    assert [(i.invoice.id, i.level) for i in world.facts(MONDAY).items] == [("inv-2", DunningLevel.NONE)]
    world.invoices[0] = before
    assert world.facts(MONDAY).items[0].level is DunningLevel.FIRM


def test_a_letter_to_two_recipients_is_one_contact_and_an_unanswered_ring_is_none() -> None:
    first = letter(DunningLevel.FRIENDLY, MONDAY)
    ring = CallMade(
        id="c", customer_id=CUSTOMER, on=days_after(MONDAY, 1), by="Ana", occasion="x", outcome=CallOutcome.UNREACHABLE
    )
    invoice_mail = replace(first, id="i", what="send_invoice", occasion="first")
    world = World(records=[first, replace(first, id="b", recipient="b@rimu.example"), invoice_mail, ring])
    world.records.append(replace(ring, id="d", outcome=CallOutcome.VOICEMAIL))
    assert world.facts(days_after(MONDAY, 5)).contacts == (MONDAY, days_after(MONDAY, 1))


def test_records_of_later_days_and_of_other_customers_are_not_looked_at() -> None:
    world = World(invoices=[overdue(5)])
    world.records = [
        letter(DunningLevel.REINVOICE, days_after(MONDAY, 1)),
        letter(DunningLevel.REINVOICE, days_after(MONDAY, -1), customer_id="cust-2"),
        LetterSent(
            id="own", on=START, by="Ana", level=0, what="statement", occasion="2025-01", invoice_ids=(), recipient=""
        ),
    ]
    assert [record.id for record in world.facts(MONDAY).letters] == ["own"]


def test_the_last_version_of_a_record_counts() -> None:
    waiting = reply(ReplyOutcome.QUERY)
    world = World(records=[waiting, replace(waiting, answered_on=days_after(MONDAY, 1))])
    assert world.facts(MONDAY).waiting_reply is not None
    assert world.facts(days_after(MONDAY, 1)).waiting_reply is None
