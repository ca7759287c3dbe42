"""Calls: before firm always, earlier where letters go unanswered or much is at stake."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from connector.domain.cases import CallMade, CallOutcome, LetterSent, Reply, ReplyOutcome
from connector.domain.decisions import ActionKind, DunningLevel
from tests.builders import invoice
from tests.worlds import MONDAY, World, days_after, letter, overdue

CALL = ActionKind.CALL


def unanswered(letters: int, total: str = "1150.00", days: int = 14) -> World:
    """So many letters went without an answer; the last one's time has passed."""
    levels = (DunningLevel.REINVOICE, DunningLevel.FRIENDLY)[:letters]
    records: list[LetterSent] = [
        letter(level, days_after(MONDAY, -9 * (letters - n))) for n, level in enumerate(levels)
    ]
    return World(invoices=[overdue(days, total=total)], records=[*records])


def test_two_unanswered_letters_are_followed_by_a_call() -> None:
    assert unanswered(1).proposed(MONDAY, CALL) == []
    (decision,) = unanswered(2).proposed(MONDAY, CALL)
    assert decision.occasion == "inv-1:4"
    assert decision.reasons[0].facts["letters"] == 2
    assert decision.data["checklist"]


def test_not_while_the_letters_time_runs_nor_for_small_sums() -> None:
    assert unanswered(2).proposed(days_after(MONDAY, -3), CALL) == []
    assert unanswered(2, "299.99").proposed(MONDAY, CALL) == []
    assert len(unanswered(2, "300.00").proposed(MONDAY, CALL)) == 1


def test_an_answer_a_talk_or_a_payment_starts_the_count_again() -> None:
    yesterday = days_after(MONDAY, -1)
    reply = Reply(
        id="r", customer_id="cust-1", on=yesterday, by="Ana", outcome=ReplyOutcome.IN_PAYMENT_RUN, answered_on=yesterday
    )
    spoke = CallMade(id="c", customer_id="cust-1", on=yesterday, by="Ana", occasion="other", outcome=CallOutcome.SPOKE)
    for record in (reply, spoke):
        world = unanswered(2)
        world.records.append(record)
        assert world.proposed(MONDAY, CALL) == []
    world = unanswered(2)
    world.records.append(replace(reply, outcome=ReplyOutcome.OUT_OF_OFFICE))
    assert len(world.proposed(MONDAY, CALL)) == 1
    world.pay("inv-1", yesterday, "10.00")
    assert world.proposed(MONDAY, CALL) == []


def test_a_large_sum_is_called_about_at_once() -> None:
    (decision,) = World(invoices=[overdue(1, total="10000.00")]).proposed(MONDAY, CALL)
    assert decision.occasion == "inv-1:large"
    assert World(invoices=[overdue(1, total="9999.99")]).proposed(MONDAY, CALL) == []
    assert World(invoices=[overdue(0, total="10000.00")]).proposed(MONDAY, CALL) == []


def test_a_call_that_nobody_makes_keeps_statements_waiting_no_longer_but_letters() -> None:
    world = World(invoices=[overdue(1, total="10000.00")])
    assert [d.kind for d in world.proposed(days_after(MONDAY, 2)) if d.contact] == [CALL]
    late = world.evaluate(days_after(MONDAY, 7))
    assert [d.kind for d in late.decisions if d.contact] == [ActionKind.STATEMENT]
    assert "contact.call_first" in world.why(days_after(MONDAY, 7), "reinvoice")


def test_one_try_a_day_and_no_more_after_a_voicemail() -> None:
    world = unanswered(2)
    world.call_outcome = lambda _: CallOutcome.UNREACHABLE
    world.records.append(letter(DunningLevel.REMINDER, days_after(MONDAY, -9)))
    assert len(world.live(MONDAY)) == 1
    assert world.proposed(MONDAY, CALL) == []
    assert "call.one_try_a_day" in world.why(MONDAY, "call")
    world.call_outcome = lambda _: CallOutcome.VOICEMAIL
    (second,) = world.live(days_after(MONDAY, 1))
    assert second.occasion == "inv-1:4:try-2"
    assert world.proposed(days_after(MONDAY, 3), CALL) == []


def test_solid_customers_are_called_early() -> None:
    world = unanswered(1, days=11)
    assert world.proposed(MONDAY, CALL) == []
    for number in range(4):
        due = date(2025, 1, 10 + number)
        world.invoices.append(invoice(f"old-{number}", "100.00", issued=date(2024, 12, 1), due=due))
        world.pay(f"old-{number}", due)
    (decision,) = world.proposed(MONDAY, CALL)
    assert decision.reasons[0].code == "call.valued_customer"
