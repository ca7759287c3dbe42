"""Promises: a date, a limited number of times; kept or broken by the bank; a broken one is called about."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from connector.domain.cases import CallMade, CallOutcome, CaseRecord, Extension, Promise
from connector.domain.decisions import ActionKind, Verdict
from connector.policy.rules import patience
from connector.policy.rules.promise import RULE, may_promise
from tests.builders import invoice, money, payment
from tests.policy.known import facts, outcome_codes, policy

MADE = date(2026, 2, 16)  # a Monday
PROMISE = Promise(
    id="p-1", customer_id="cust-1", on=MADE, by="Jo", invoice_ids=("inv-1",), until=date(2026, 2, 20)
)  # a Friday; broken after two business days: Tuesday the 24th has passed


def test_a_running_promise_sets_the_expected_date_of_every_invoice_it_covers() -> None:
    both = replace(PROMISE, invoice_ids=("inv-1", "inv-2"))
    world = facts(MADE, both, invoices=(invoice("inv-1", "1200.00"), invoice("inv-2", "300.00")))
    decisions, (outcome,) = RULE.decide(policy(), world, MADE)
    assert {(d.kind, d.target, d.occasion) for d in decisions} == {
        (ActionKind.SET_EXPECTED_DATE, "inv-1", "p-1"),
        (ActionKind.SET_EXPECTED_DATE, "inv-2", "p-1"),
    }
    assert (outcome.verdict, outcome.revisit, outcome.items) == (
        Verdict.WAITING,
        date(2026, 2, 21),
        ("inv-1", "inv-2"),
    )


def test_the_bank_lag_passes_before_a_promise_is_broken() -> None:
    tuesday = date(2026, 2, 24)
    decisions, outcomes = RULE.decide(policy(), facts(tuesday, PROMISE), tuesday)
    assert (decisions, outcome_codes(outcomes)) == ([], ["promise.bank_lag"])
    assert outcomes[0].revisit == date(2026, 2, 25)


def test_a_broken_promise_is_called_about_once() -> None:
    day = date(2026, 2, 25)
    (call,), outcomes = RULE.decide(policy(), facts(day, PROMISE), day)
    assert (call.kind, call.target, call.not_before) == (ActionKind.CALL, "cust-1", day)
    assert call.amount == money("1200.00")
    assert outcome_codes(outcomes) == ["promise.broken"]
    made = CallMade(id="c", customer_id="cust-1", on=day, by="Jo", occasion=call.occasion, outcome=CallOutcome.SPOKE)
    decisions, outcomes = RULE.decide(policy(), facts(day, PROMISE, made), day)
    assert (decisions, outcome_codes(outcomes)) == ([], ["promise.break_called"])


def test_no_promise_is_broken_beyond_known_cash() -> None:
    day = date(2026, 2, 25)
    decisions, outcomes = RULE.decide(policy(), facts(day, PROMISE, known_to=date(2026, 2, 23)), day)
    assert (decisions, outcome_codes(outcomes)) == ([], ["promise.cash_not_known"])
    assert outcomes[0].revisit == date(2026, 2, 26)


def test_a_part_that_was_promised_and_came_keeps_the_promise() -> None:
    day = date(2026, 2, 25)
    part = replace(PROMISE, amount=money("200.00"))
    world = facts(
        day,
        part,
        invoices=(invoice("inv-1", "1200.00", paid="200.00"),),
        payments=(payment(amount="200.00", paid_on=date(2026, 2, 19)),),
    )
    assert RULE.decide(policy(), world, day)[0] == []
    assert outcome_codes(RULE.decide(policy(), world, day)[1]) == ["promise.kept"]


def test_a_withdrawn_promise_pauses_nothing() -> None:
    withdrawn = replace(PROMISE, withdrawn_on=date(2026, 2, 17))
    day = date(2026, 2, 17)
    assert outcome_codes(RULE.decide(policy(), facts(day, withdrawn), day)[1]) == ["promise.none"]


def _refusal(
    until: date, *records: CaseRecord, principal: bool = False, as_of: date = MADE, preset: str = "standard"
) -> str | None:
    reason = may_promise(policy(preset), facts(as_of, *records), "inv-1", until, principal=principal)
    return reason.code if reason else None


def test_a_first_promise_within_the_limit_may_be_accepted() -> None:
    assert _refusal(date(2026, 2, 26)) is None


def test_over_a_limit_only_the_principal_may_accept_it() -> None:
    assert _refusal(date(2026, 2, 27)) == "promise.too_long"
    assert _refusal(date(2026, 2, 27), principal=True) is None
    second = replace(PROMISE, id="p-2")
    day = date(2026, 2, 20)
    assert _refusal(date(2026, 2, 27), PROMISE, second, as_of=day) == "promise.too_many"
    assert _refusal(date(2026, 2, 27), PROMISE, second, as_of=day, principal=True) is None


@pytest.mark.parametrize(
    ("until", "code"), [(date(2026, 2, 15), "promise.in_the_past"), (date(2026, 2, 20), "promise.past_extension")]
)
def test_what_nobody_may_accept(until: date, code: str) -> None:
    extension = Extension(
        id="e", customer_id="cust-1", on=date(2026, 2, 12), by="Jo", invoice_id="inv-1", until=date(2026, 2, 19)
    )
    assert _refusal(until, extension, principal=True) == code


def test_pauses_add_up_to_the_end_of_patience_and_overlaps_count_once() -> None:
    # Firm: 14 days past due in all. Due on the 10th; the promise takes the 17th to the 20th: four days.
    assert _refusal(date(2026, 2, 23), PROMISE, as_of=date(2026, 2, 18), preset="firm", principal=True) is None
    late = replace(PROMISE, on=date(2026, 2, 10), until=date(2026, 2, 20))  # ten days used
    four_more, five_more = date(2026, 2, 24), date(2026, 2, 25)
    day = date(2026, 2, 20)
    assert _refusal(four_more, late, as_of=day, preset="firm", principal=True) is None
    assert _refusal(five_more, late, as_of=day, preset="firm", principal=True) == "promise.patience"


def test_patience_that_is_used_up_goes_before_a_person() -> None:
    day = date(2026, 3, 2)
    long = replace(PROMISE, on=date(2026, 2, 10), until=date(2026, 2, 25))  # fifteen days, by the principal's leave
    within, _ = patience.RULE.decide(policy("standard"), facts(day, long), day)
    over, outcomes = patience.RULE.decide(policy("firm"), facts(day, long), day)
    assert within == []
    assert [(task.kind, task.target) for task in over] == [(ActionKind.TASK, "inv-1")]
    assert outcomes[0].reason.facts["days"] == 15
