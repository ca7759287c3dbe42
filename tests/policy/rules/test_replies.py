"""Replies: each kind asks something of us, in time; never received brings the invoice again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from connector.domain.cases import Reply, ReplyOutcome
from connector.domain.decisions import ActionKind, DunningLevel, Verdict
from connector.policy.rules.replies import RULE
from tests.builders import invoice, money
from tests.policy.known import facts, of_kind, outcome_codes, policy

CAME = date(2026, 3, 2)  # a Monday
PAID = Reply(
    id="r-1", customer_id="cust-1", on=CAME, by="Jo", outcome=ReplyOutcome.PAID, reference="RIMU 12",
    amount=money("1200.00"), invoice_ids=("inv-1",),
)  # fmt: skip


def test_paid_means_that_we_search_the_bank() -> None:
    (task,), (outcome,) = RULE.decide(policy(), facts(CAME, PAID), CAME)
    assert (task.kind, task.occasion) == (ActionKind.TASK, "replies.search_bank:r-1")
    assert task.reasons[0].facts["reference"] == "RIMU 12"
    assert (task.by_date, task.data["first"]) == (date(2026, 3, 3), False)
    assert (outcome.reason.code, outcome.revisit) == ("replies.waits_for_us", date(2026, 3, 4))


def test_an_unanswered_reply_becomes_our_failure_and_comes_first() -> None:
    day = date(2026, 3, 4)
    (task,), (outcome,) = RULE.decide(policy(), facts(day, PAID), day)
    assert task.data["first"] is True
    assert [reason.code for reason in task.reasons] == ["replies.overdue", "replies.search_bank"]
    assert outcome.reason.code == "replies.overdue"
    gentle = RULE.decide(policy("gentle"), facts(day, PAID), day)[1]  # two business days to answer
    assert outcome_codes(gentle) == ["replies.waits_for_us"]


def test_the_bank_is_watched_after_the_answer_as_long_as_money_may_be_on_its_way() -> None:
    answered = replace(PAID, answered_on=CAME)
    still, gone = date(2026, 3, 9), date(2026, 3, 10)  # five business days
    assert len(RULE.decide(policy(), facts(still, answered), still)[0]) == 1
    assert outcome_codes(RULE.decide(policy(), facts(gone, answered), gone)[1]) == ["replies.none"]


@pytest.mark.parametrize(
    ("outcome", "task", "to"),
    [
        (ReplyOutcome.REMITTANCE, "search_bank", "staff"),
        (ReplyOutcome.CHEQUE_POSTED, "watch_for_cheque", "staff"),
        (ReplyOutcome.IN_PAYMENT_RUN, "record_date", "staff"),
        (ReplyOutcome.AWAITING_APPROVAL, "help_approval", "staff"),
        (ReplyOutcome.QUERY, "open_query", "staff"),
        (ReplyOutcome.HARDSHIP, "meet", "credit_contact"),
        (ReplyOutcome.PROMISE, "record_date", "staff"),
        (ReplyOutcome.WRONG_PERSON, "find_person", "staff"),
        (ReplyOutcome.ABUSIVE, "decide", "principal"),
    ],
)
def test_each_kind_of_reply_has_its_task(outcome: ReplyOutcome, task: str, to: str) -> None:
    (decided,), _ = RULE.decide(policy(), facts(CAME, replace(PAID, outcome=outcome)), CAME)
    assert (decided.occasion, decided.data["to"]) == (f"replies.{task}:r-1", to)
    assert decided.data["what"]
    assert not decided.contact


def test_an_answered_query_asks_nothing_more() -> None:
    reply = replace(PAID, outcome=ReplyOutcome.QUERY, answered_on=CAME)
    assert RULE.decide(policy(), facts(CAME, reply), CAME)[0] == []


def test_hardship_is_met_within_a_business_day_under_every_preset() -> None:
    reply = replace(PAID, outcome=ReplyOutcome.HARDSHIP)
    for preset in ("gentle", "standard", "firm"):
        (task,), _ = RULE.decide(policy(preset), facts(CAME, reply), CAME)
        assert task.by_date == date(2026, 3, 3)


def test_never_received_brings_the_invoice_again_without_asking_or_climbing() -> None:
    reply = replace(PAID, outcome=ReplyOutcome.NEVER_RECEIVED)
    books = (invoice("inv-1", "1200.00"), invoice("inv-2", "300.00"))
    decisions, _ = RULE.decide(policy(), facts(CAME, reply, invoices=books), CAME)
    (copy,) = of_kind(decisions, ActionKind.REINVOICE)
    assert (copy.occasion, copy.items, copy.level) == ("request:r-1", ("inv-1",), DunningLevel.NONE)
    assert copy.contact
    assert not copy.asks_for_money


def test_without_a_number_everything_overdue_comes_again_one_mailing_a_currency() -> None:
    reply = replace(PAID, outcome=ReplyOutcome.NEVER_RECEIVED, invoice_ids=())
    books = (
        invoice("inv-1", "1200.00"),
        invoice("inv-2", "300.00", currency="USD", rate="0.6"),
        invoice("inv-3", "80.00", due=date(2026, 3, 20)),
    )
    copies = of_kind(RULE.decide(policy(), facts(CAME, reply, invoices=books), CAME)[0], ActionKind.REINVOICE)
    assert [(copy.occasion, copy.items, copy.amount) for copy in copies] == [
        ("request:r-1", ("inv-1",), money("1200.00")),
        ("request:r-1:USD", ("inv-2",), money("300.00", "USD")),
    ]


def test_a_settled_invoice_does_not_come_again() -> None:
    reply = replace(PAID, outcome=ReplyOutcome.NEVER_RECEIVED)
    paid = invoice("inv-1", "1200.00", paid="1200.00", fully_paid_on=CAME)
    assert of_kind(RULE.decide(policy(), facts(CAME, reply, invoices=(paid,)), CAME)[0], ActionKind.REINVOICE) == []


def test_an_absence_waits_for_the_return_and_an_empty_answer_changes_nothing() -> None:
    away = replace(PAID, outcome=ReplyOutcome.OUT_OF_OFFICE, until=date(2026, 3, 6))
    (outcome,) = RULE.decide(policy(), facts(CAME, away), CAME)[1]
    assert (outcome.verdict, outcome.revisit) == (Verdict.WAITING, date(2026, 3, 9))
    back = RULE.decide(policy(), facts(date(2026, 3, 9), away), date(2026, 3, 9))[1]
    soon = RULE.decide(policy(), facts(CAME, replace(PAID, outcome=ReplyOutcome.INSUFFICIENT)), CAME)
    assert outcome_codes(back) == ["replies.no_answer_in_it"]
    assert (soon[0], outcome_codes(soon[1])) == ([], ["replies.no_answer_in_it"])
