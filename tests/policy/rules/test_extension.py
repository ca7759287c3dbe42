"""Extensions: one an invoice, in time, final; a lapsed one is called about once cash is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from connector.domain.cases import (
    CallMade,
    CallOutcome,
    CaseRecord,
    Extension,
    HeldBy,
    Holder,
    LegalHold,
    LegalHoldKind,
    Promise,
)
from connector.domain.decisions import ActionKind, DunningLevel, Verdict
from connector.policy.rules.extension import RULE, may_extend
from tests.builders import invoice, payment
from tests.policy.known import facts, outcome_codes, policy, signed_plan

GRANTED = date(2026, 2, 13)  # a Friday
EXTENSION = Extension(
    id="ext-1", customer_id="cust-1", on=GRANTED, by="Jo", invoice_id="inv-1", until=date(2026, 2, 20)
)


def test_a_running_extension_is_written_to_the_ledger_and_waited_for() -> None:
    decisions, outcomes = RULE.decide(policy(), facts(GRANTED, EXTENSION), GRANTED)
    (written,) = decisions
    assert (written.kind, written.target, written.occasion) == (ActionKind.SET_EXPECTED_DATE, "inv-1", "ext-1")
    assert written.data["expected"] == "2026-02-20"
    assert not written.contact
    (outcome,) = outcomes
    assert (outcome.verdict, outcome.revisit) == (Verdict.WAITING, date(2026, 2, 21))


def test_a_lapsed_extension_is_called_about_on_the_next_business_day() -> None:
    monday = date(2026, 2, 23)
    decisions, outcomes = RULE.decide(policy(), facts(monday, EXTENSION), monday)
    (call,) = decisions
    assert call.kind is ActionKind.CALL
    assert call.not_before == monday
    assert call.level is DunningLevel.CALL
    assert call.contact
    assert call.asks_for_money
    assert outcome_codes(outcomes) == ["extension.lapsed"]


def test_nothing_lapses_before_cash_is_known_to_its_day() -> None:
    monday = date(2026, 2, 23)
    decisions, outcomes = RULE.decide(policy(), facts(monday, EXTENSION, known_to=date(2026, 2, 19)), monday)
    assert decisions == []
    assert outcome_codes(outcomes) == ["extension.cash_not_known"]
    assert outcomes[0].revisit == date(2026, 2, 24)


def test_a_lapse_that_somebody_was_reached_about_is_done() -> None:
    tuesday = date(2026, 2, 24)
    call = CallMade(
        id="c", customer_id="cust-1", on=date(2026, 2, 23), by="Jo", occasion="extension.lapsed:ext-1",
        outcome=CallOutcome.SPOKE,
    )  # fmt: skip
    decisions, outcomes = RULE.decide(policy(), facts(tuesday, EXTENSION, call), tuesday)
    assert (decisions, outcome_codes(outcomes)) == ([], ["extension.lapse_called"])


def test_an_unanswered_call_is_tried_again_the_next_business_day() -> None:
    monday = date(2026, 2, 23)
    call = CallMade(
        id="c", customer_id="cust-1", on=monday, by="Jo", occasion="extension.lapsed:ext-1",
        outcome=CallOutcome.UNREACHABLE,
    )  # fmt: skip
    (again,), _ = RULE.decide(policy(), facts(monday, EXTENSION, call), monday)
    assert (again.occasion, again.not_before) == ("extension.lapsed:ext-1:try-2", date(2026, 2, 24))


def test_money_in_time_keeps_the_extension() -> None:
    monday = date(2026, 2, 23)
    paid = invoice("inv-1", "1200.00", paid="1200.00", fully_paid_on=date(2026, 2, 20))
    still_open = invoice("inv-2", "50.00")
    world = facts(
        monday, EXTENSION, invoices=(paid, still_open), payments=(payment(amount="1200.00", paid_on=date(2026, 2, 20)),)
    )
    assert outcome_codes(RULE.decide(policy(), world, monday)[1]) == ["extension.none"]


def test_a_promise_made_since_has_the_later_word() -> None:
    day = date(2026, 2, 17)
    promise = Promise(id="p-1", customer_id="cust-1", on=day, by="Jo", invoice_ids=("inv-1",), until=date(2026, 2, 19))
    decisions, outcomes = RULE.decide(policy(), facts(day, EXTENSION, promise), day)
    assert (decisions, outcome_codes(outcomes)) == ([], ["extension.running"])


def _refusal(as_of: date, until: date, *records: CaseRecord, principal: bool = False) -> str | None:
    reason = may_extend(policy(), facts(as_of, *records), "inv-1", until, principal=principal)
    return reason.code if reason else None


def test_an_extension_asked_for_in_time_may_be_granted() -> None:
    assert _refusal(GRANTED, date(2026, 2, 20)) is None


def _earlier(number: int) -> Extension:
    """One granted for another invoice within the last year."""
    return Extension(
        id=f"old-{number}", customer_id="cust-1", on=date(2025, 9, number), by="Jo", invoice_id=f"other-{number}",
        until=date(2025, 9, number + 5),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("as_of", "until", "records", "code"),
    [
        (GRANTED, date(2026, 2, 21), (), "extension.too_long"),
        (date(2026, 3, 4), date(2026, 3, 9), (), "extension.asked_too_late"),
        (GRANTED, date(2026, 2, 20), (_earlier(1), _earlier(2)), "extension.too_many"),
    ],
)
def test_over_a_limit_only_the_principal_may_grant_it(
    as_of: date, until: date, records: tuple[CaseRecord, ...], code: str
) -> None:
    assert _refusal(as_of, until, *records) == code
    assert _refusal(as_of, until, *records, principal=True) is None


@pytest.mark.parametrize(
    ("until", "records", "code"),
    [
        (date(2026, 2, 20), (EXTENSION,), "extension.already"),
        (date(2026, 2, 10), (), "extension.not_later"),
        (date(2026, 4, 1), (), "extension.patience"),
        (
            date(2026, 2, 20),
            (LegalHold(id="h", customer_id="cust-1", on=GRANTED, by="Jo", why=LegalHoldKind.INSOLVENCY),),
            "extension.legal_hold",
        ),
        (
            date(2026, 2, 20),
            (HeldBy(id="h", customer_id="cust-1", on=GRANTED, by="Jo", holder=Holder.FACTOR),),
            "extension.held_by_others",
        ),
        (date(2026, 2, 20), (signed_plan(date(2026, 3, 6), date(2026, 4, 7), on=GRANTED),), "extension.on_plan"),
    ],
)
def test_what_nobody_may_grant(until: date, records: tuple[CaseRecord, ...], code: str) -> None:
    assert _refusal(GRANTED, until, *records, principal=True) == code


def test_an_invoice_that_is_not_open_cannot_be_extended() -> None:
    reason = may_extend(policy(), facts(GRANTED), "inv-9", date(2026, 2, 20))
    assert reason is not None
    assert reason.code == "extension.unknown_invoice"


def test_before_the_due_date_the_length_counts_from_it() -> None:
    later = replace(invoice("inv-1", "1200.00"), due=date(2026, 3, 10))
    world = facts(date(2026, 2, 20), invoices=(later,))
    assert may_extend(policy(), world, "inv-1", date(2026, 3, 17)) is None
    reason = may_extend(policy(), world, "inv-1", date(2026, 3, 18))
    assert reason is not None
    assert reason.code == "extension.too_long"
