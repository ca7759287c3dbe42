"""Queries: marked while open, acknowledged, kept moving, decided in time or by the principal; never silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from connector.domain.cases import Concession, Dispute, DisputeCode, DisputeOutcome, LetterSent
from connector.domain.decisions import ActionKind, DunningLevel, Verdict
from connector.domain.reductions import Reduction
from connector.policy.rules.dispute import RULE, came_late, fresh_until
from tests.builders import invoice, money
from tests.policy.known import codes, done, facts, of_kind, outcome_codes, policy
from tests.worlds import days_after

OPENED = date(2026, 2, 16)  # a Monday
QUERY = Dispute(
    id="d-1", customer_id="cust-1", on=OPENED, by="Jo", invoice_id="inv-1", code=DisputeCode.QUALITY,
    amount=money("200.00"), owner="Jo", decide_by=date(2026, 3, 2),
)  # fmt: skip
RESOLVED = replace(QUERY, resolved_on=date(2026, 2, 20), outcome=DisputeOutcome.CORRECT)


def test_an_open_query_is_marked_and_acknowledged_within_a_business_day() -> None:
    decisions, (outcome,) = RULE.decide(policy(), facts(OPENED, QUERY), OPENED)
    (tag,) = of_kind(decisions, ActionKind.TAG_DISPUTE)
    assert (tag.target, tag.occasion, tag.items) == ("cust-1", "d-1", ("inv-1",))
    assert tag.data["amount"] == "NZD 200.00"
    (task,) = of_kind(decisions, ActionKind.TASK)
    assert (task.reasons[0].code, task.by_date) == ("dispute.acknowledge", date(2026, 2, 17))
    assert outcome.revisit == date(2026, 2, 23)  # the first update, five business days on


def test_each_query_is_marked_for_itself() -> None:
    second = replace(QUERY, id="d-2", invoice_id="inv-2", amount=money("50.00"))
    world = facts(OPENED, QUERY, second, invoices=(invoice("inv-1", "1200.00"), invoice("inv-2", "300.00")))
    tags = of_kind(RULE.decide(policy(), world, OPENED)[0], ActionKind.TAG_DISPUTE)
    assert [tag.occasion for tag in tags] == ["d-1", "d-2"]


@pytest.mark.parametrize(
    ("day", "part", "due"),
    [(date(2026, 2, 23), 1, date(2026, 2, 23)), (date(2026, 2, 27), 1, date(2026, 2, 23)),
     (date(2026, 3, 2), 2, date(2026, 3, 2))],
)  # fmt: skip
def test_the_customer_hears_from_us_every_five_business_days(day: date, part: int, due: date) -> None:
    tasks = of_kind(RULE.decide(policy(), facts(day, QUERY), day)[0], ActionKind.TASK)
    updates = [task for task in tasks if task.reasons[0].code == "dispute.update"]
    assert [(task.occasion, task.by_date) for task in updates] == [(f"dispute.update:d-1:{part}", due)]


def test_an_unmet_decide_by_goes_to_the_principal_and_chases_nobody() -> None:
    day = date(2026, 3, 3)
    decisions, outcomes = RULE.decide(policy(), facts(day, QUERY), day)
    (late,) = [d for d in decisions if d.reasons[0].code == "dispute.decide_overdue"]
    assert (late.kind, late.data["to"]) == (ActionKind.TASK, "principal")
    assert not any(d.contact or d.asks_for_money for d in decisions)
    assert outcomes[0].revisit is not None
    assert outcomes[0].revisit > day
    on_time = RULE.decide(policy(), facts(date(2026, 3, 2), QUERY), date(2026, 3, 2))[0]
    assert "dispute.decide_overdue" not in codes(on_time)


def test_the_mark_goes_with_the_last_open_query() -> None:
    day = date(2026, 2, 20)
    other = replace(QUERY, id="d-2", invoice_id="inv-2")
    books = (invoice("inv-1", "1200.00"), invoice("inv-2", "300.00"))
    marked = done(ActionKind.TAG_DISPUTE, "cust-1", "d-1", OPENED)
    one_left = facts(day, RESOLVED, other, invoices=books, acted=marked)
    (note_only,) = of_kind(RULE.decide(policy(), one_left, day)[0], ActionKind.UNTAG_DISPUTE)
    assert (note_only.occasion, note_only.data["tag"]) == ("d-1", False)
    (last,) = of_kind(RULE.decide(policy(), facts(day, RESOLVED, acted=marked), day)[0], ActionKind.UNTAG_DISPUTE)
    assert last.data["tag"] is True


def test_a_query_that_was_never_marked_is_not_unmarked() -> None:
    day = date(2026, 2, 20)
    withdrawn = replace(RESOLVED, outcome=DisputeOutcome.WITHDRAWN)
    decisions, outcomes = RULE.decide(policy(), facts(day, withdrawn), day)
    assert decisions == []
    assert [outcome.verdict for outcome in outcomes] == [Verdict.DONE]


def test_a_query_on_a_settled_invoice_is_for_a_person_to_close() -> None:
    paid = invoice("inv-1", "1200.00", paid="1200.00", fully_paid_on=OPENED)
    decisions, _ = RULE.decide(policy(), facts(OPENED, QUERY, invoices=(paid,)), OPENED)
    assert codes(of_kind(decisions, ActionKind.TASK)) == ["dispute.invoice_settled"]


def test_a_complaint_found_right_waits_for_its_credit_and_then_for_the_principal() -> None:
    day = date(2026, 2, 20)
    decisions, (outcome,) = RULE.decide(policy(), facts(day, RESOLVED), day)
    (task,) = decisions
    assert (task.reasons[0].code, task.data["to"], task.amount) == (
        "dispute.enter_credit", "credit_contact", money("200.00"),
    )  # fmt: skip
    by = task.by_date
    assert by is not None
    assert (outcome.verdict, outcome.revisit) == (Verdict.WAITING, days_after(by, 1))
    late = date(2026, 3, 20)
    asked = [d for d in RULE.decide(policy(), facts(late, RESOLVED), late)[0] if d.data["to"] == "principal"]
    assert codes(asked) == ["dispute.outcome_overdue"]
    much_later = date(2026, 6, 19)
    again = [
        d for d in RULE.decide(policy(), facts(much_later, RESOLVED), much_later)[0] if d.data["to"] == "principal"
    ]
    assert asked[0].key != again[0].key, "whoever did not act is asked again"


def test_what_was_conceded_is_not_asked_for_a_second_time() -> None:
    day = date(2026, 2, 20)
    conceded = Concession(
        id="c-1", customer_id="cust-1", on=day, by="Jo", invoice_id="inv-1", reduction=Reduction.CORRECTION,
        amount=money("200.00"), reason="late",
    )  # fmt: skip
    assert RULE.decide(policy(), facts(day, RESOLVED, conceded), day)[0] == []


def test_work_to_be_redone_is_a_task_until_a_person_says_otherwise() -> None:
    day = date(2026, 2, 20)
    redo = replace(RESOLVED, outcome=DisputeOutcome.REDO)
    assert codes(RULE.decide(policy(), facts(day, redo), day)[0]) == ["dispute.redo"]


def test_standing_firm_gives_fresh_time() -> None:
    firm = replace(QUERY, resolved_on=date(2026, 2, 20), outcome=DisputeOutcome.STAND_FIRM)
    assert fresh_until(policy(), firm) == date(2026, 3, 2)
    waiting = RULE.decide(policy(), facts(date(2026, 3, 1), firm), date(2026, 3, 1))[1]
    over = RULE.decide(policy(), facts(date(2026, 3, 2), firm), date(2026, 3, 2))[1]
    assert [(o.reason.code, o.revisit) for o in waiting] == [("dispute.fresh_time", date(2026, 3, 2))]
    assert outcome_codes(over) == ["dispute.resolved"]
    assert fresh_until(policy(), RESOLVED) is None


def _letter(on: date, *, bounced_on: date | None = None, level: int = DunningLevel.REINVOICE) -> LetterSent:
    return LetterSent(
        id="l-1", customer_id="cust-1", on=on, by="Jo", level=level, what="reinvoice", occasion="inv-1:1",
        invoice_ids=("inv-1",), lead_item="inv-1", recipient="accounts@rimu.example", bounced_on=bounced_on,
    )  # fmt: skip


def test_a_query_is_late_only_when_our_first_contact_arrived_over_a_week_before() -> None:
    first = date(2026, 2, 8)
    assert came_late(facts(OPENED, QUERY, _letter(first)), QUERY)
    assert not came_late(facts(OPENED, QUERY, _letter(date(2026, 2, 9))), QUERY)
    assert not came_late(facts(OPENED, QUERY, _letter(first, bounced_on=date(2026, 2, 9))), QUERY)
    assert not came_late(facts(OPENED, QUERY, _letter(first, level=DunningLevel.NONE)), QUERY)
    never_sent = replace(invoice("inv-1", "1200.00"), sent=None)
    assert not came_late(facts(OPENED, QUERY, _letter(first), invoices=(never_sent,)), QUERY)
