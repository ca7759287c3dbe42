"""Why nothing happens, in situations that people ask about: the reason that holds, the next date and its rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.domain.cases import DisputeCode, DisputeOutcome, Holder, LegalHoldKind, Party, TakeOnChoice
from connector.domain.decisions import ActionKind
from connector.domain.effects import EffectState
from connector.service import accommodations, approve, disputes, outcomes, people, promises, take_on
from connector.service.explain import Explanation, explain
from tests.harness import ANSWERS, Office, new_project, opened, sandbox, scenario

pytestmark = pytest.mark.socket
WHO, INVOICE = "Letter Ltd", "INV-5"
TODAY, TOMORROW = date(2026, 3, 2), date(2026, 3, 3)
Next = tuple[date, str] | None


def owing(office: Office, **more: Any) -> None:
    """One invoice over 600 pounds, due on 17 February, and books that are reconciled."""
    office.invoice(INVOICE, WHO, **more)
    office.pull()
    office.reconciled()


def copied(office: Office) -> None:
    owing(office)
    office.approve(ActionKind.REINVOICE)
    office.apply()


def settled(office: Office) -> None:
    owing(office)
    office.people({"do": "pay", "invoice": INVOICE, "date": "2026-02-27"})
    office.pull()


def only_credit(office: Office) -> None:
    office.people({"do": "overpay", "customer": WHO, "amount": "50.00"})
    office.pull()


def observing(office: Office) -> None:
    owing(office)
    outcomes.set_mode(office.w, office.row, outcomes.Mode.OBSERVE)


def unreconciled(office: Office) -> None:
    office.invoice(INVOICE, WHO)
    office.pull()


def excluded(office: Office) -> None:
    owing(office)
    people.exclude(office.w, office.row, WHO, reason="a friend", until=date(2026, 4, 1))


def held(office: Office) -> None:
    owing(office)
    people.set_held_by(office.w, office.row, WHO, Holder.FACTOR)
    office.approve(ActionKind.HAND_OVER)
    office.apply()


def on_hold(office: Office) -> None:
    owing(office)
    people.set_hold(office.w, office.row, WHO, LegalHoldKind.INSOLVENCY)


def related(office: Office) -> None:
    owing(office)
    people.set_party(office.w, office.row, WHO, Party.RELATED)


def planned(office: Office) -> None:
    owing(office)
    accommodations.plan_offer(office.w, office.row, INVOICE, 1, principal=True)
    accommodations.plan_sign(office.w, office.row, INVOICE, name="Pat", capacity="owner", on=TODAY, evidence="a.pdf")
    office.approve(ActionKind.WRITE_SCHEDULE)
    office.apply()


def in_question(office: Office) -> None:
    owing(office)
    disputes.open_dispute(office.w, office.row, INVOICE, code=DisputeCode.QUALITY)
    office.approve()
    office.apply()


def promised(office: Office) -> None:
    owing(office)
    promises.promise(office.w, office.row, INVOICE, date(2026, 3, 9))
    office.approve()
    office.apply()


def approved(office: Office) -> None:
    owing(office)
    office.approve(ActionKind.REINVOICE)


def rejected(office: Office) -> None:
    owing(office)
    (action,) = [one for one in office.plan().actions if one.key.kind is ActionKind.REINVOICE]
    approve.reject(office.w, action.id, reason="they called", until=date(2026, 3, 20), for_good=False)


def in_doubt(office: Office) -> None:
    owing(office, sent=False)
    office.approve(ActionKind.SEND_INVOICE)
    office.fault("/Email$", do="reset")
    office.apply()


def undecidable(office: Office) -> None:
    in_doubt(office)
    office.wait(181)
    office.apply()
    assert office.effects()[0].state is EffectState.HUMAN


def refused(office: Office) -> None:
    owing(office, sent=False)
    office.approve(ActionKind.SEND_INVOICE)
    body = {"body": '{"Message": "No."}', "headers": {"Content-Type": "application/json"}}
    office.fault("/Email$", method="POST", do="status", status=400, **body)
    office.apply()


SITUATIONS: list[tuple[Callable[[Office], None], str, str, str, Next]] = [
    # what was done, asked about, reason, words in its sentence, next date and whose
    (settled, INVOICE, "item.settled", "paid on 2026-02-27", None),
    (only_credit, WHO, "customer.only_credit", "GBP 50.00 of credit", None),
    (observing, WHO, "waits.observe", "mode observe", (TOMORROW, "reinvoice")),
    (unreconciled, WHO, "cash.unknown", "how far the books are reconciled", (TOMORROW, "reinvoice")),
    (excluded, WHO, "customer.excluded", "a friend, until 2026-04-01", (date(2026, 4, 1), "bill_promptly")),
    (held, WHO, "customer.held_by", "factor", None),
    (on_hold, WHO, "customer.legal_hold", "insolvency", (TOMORROW, "review")),
    (related, WHO, "customer.never_chased", "related", None),
    (copied, INVOICE, "ladder.time_to_pay", "until 2026-03-10", (date(2026, 3, 10), "ladder")),
    (planned, INVOICE, "item.on_plan", "a payment plan covers it", (date(2026, 3, 10), "plan")),
    (in_question, INVOICE, "item.disputed", "a query is open", (TOMORROW, "dispute")),
    (promised, INVOICE, "promise.running", "promised, by 2026-03-09", (date(2026, 3, 10), "promise")),
    (owing, WHO, "waits.approval", "the reinvoice waits for approval by staff", (TOMORROW, "reinvoice")),
    (approved, WHO, "waits.delivery", "dunwell apply", (TOMORROW, "reinvoice")),
    (rejected, INVOICE, "acted.rejected", "until 2026-03-20", (TOMORROW, "reinvoice")),
    (in_doubt, WHO, "waits.unknown", "not known yet", (TOMORROW, "bill_promptly")),
    (undecidable, WHO, "waits.settle", "dunwell effects settle", (TOMORROW, "bill_promptly")),
    (refused, WHO, "waits.refused", "No.", (TOMORROW, "bill_promptly")),
    (lambda o: owing(o, due="2026-03-20"), INVOICE, "item.not_due", "2026-03-21", (date(2026, 3, 21), "reinvoice")),
    (lambda o: owing(o, due="2026-03-01"), INVOICE, "reinvoice.soon", "2026-03-03", (TOMORROW, "reinvoice")),
    (
        lambda o: owing(o, status="draft", sent=False),
        INVOICE,
        "waits.person",
        "approve and send",
        (TOMORROW, "bill_promptly"),
    ),
]


@pytest.mark.parametrize(
    ("done", "asked", "code", "words", "then"), SITUATIONS, ids=[f"{one[2]}-{n}" for n, one in enumerate(SITUATIONS)]
)
def test_the_reason_that_holds_is_named(
    office: Office, done: Callable[[Office], None], asked: str, code: str, words: str, then: Next
) -> None:
    done(office)
    told = explain(office.w, office.row, asked)
    assert (told.nothing_because.code, next_of(told)) == (code, then)
    assert words in told.nothing_because.text


def next_of(told: Explanation) -> Next:
    return None if told.next_date is None else (told.next_date, told.next_rule)


@pytest.fixture
def first_day(tmp_path: Path) -> Iterator[Office]:
    """Just connected: one opening item, nothing answered, nothing sorted."""
    document = scenario()
    lines = [{"description": "Work", "unit_amount": "600.00", "tax": "none"}]
    old = {"number": INVOICE, "customer": "letter", "date": "2025-12-01", "due": "2025-12-15", "sent": True}
    document["invoices"] = [{"ref": "i5", "lines": lines, "status": "authorised", **old}]
    with sandbox(document) as served:
        new_project(tmp_path / "project", served)
        with opened(tmp_path / "project", served) as made:
            made.pull()
            made.reconciled()
            yield made


def test_an_open_take_on_is_the_reason_whatever_is_proposed(first_day: Office) -> None:
    office = first_day
    assert explain(office.w, office.row, INVOICE).nothing_because.code == "take_on.unsorted"
    take_on.sort(office.w, office.row, [], TakeOnChoice.CHASE)
    office.wait(86_400)
    office.pull()
    office.reconciled()
    told = explain(office.w, office.row, INVOICE)
    assert [one["kind"] for one in told.proposed] == [ActionKind.STATEMENT]
    assert told.nothing_because.code == "take_on.questions_open"
    for question, text in ANSWERS.items():
        take_on.answer(office.w, office.row, question, text)
    assert explain(office.w, office.row, INVOICE).nothing_because.code == "take_on.not_closed"
    take_on.close(office.w, office.row)
    assert explain(office.w, office.row, INVOICE).nothing_because.code == "waits.approval"


def test_days_over_count_from_the_due_date_and_the_ladders_from_the_connection(first_day: Office) -> None:
    first_day.wait(86_400)
    (item,) = explain(first_day.w, first_day.row, INVOICE).items
    assert (item.due, item.days_overdue) == (date(2025, 12, 15), 50)
    assert item.counted_from == date(2026, 2, 2)


def test_each_invoice_has_its_own_reason(office: Office) -> None:
    owing(office)
    office.invoice("INV-6", WHO, due="2026-03-20")
    office.pull()
    people.exclude(office.w, office.row, INVOICE, reason="a friend", until=None, invoice=True)
    told = explain(office.w, office.row, WHO)
    assert {one.number: one.nothing_because.code for one in told.items} == {
        INVOICE: "item.excluded",
        "INV-6": "item.not_due",
    }
    assert told.nothing_because.code == "item.excluded", "of the oldest that is due"
    about = explain(office.w, office.row, "INV-6")
    assert (about.nothing_because.code, about.next_date) == ("item.not_due", date(2026, 3, 21))
    assert all(INVOICE not in one.items for one in about.outcomes)


def test_settled_invoices_are_named_by_their_number(office: Office) -> None:
    copied(office)
    office.wait(timedelta(days=1).total_seconds())
    office.people({"do": "pay", "invoice": INVOICE, "date": "2026-03-03"})
    office.pull()
    told = explain(office.w, office.row, WHO)
    (thanks,) = told.proposed
    assert (thanks["kind"], thanks["items"]) == (ActionKind.THANKS, [INVOICE])
    assert {number for one in told.outcomes for number in one.items} == {INVOICE}
    (item,) = explain(office.w, office.row, INVOICE).items
    assert (item.number, item.status, item.days_overdue) == (INVOICE, "paid", 0)


def test_a_query_names_its_invoice_open_and_resolved(office: Office) -> None:
    in_question(office)
    said = [one.reason for one in explain(office.w, office.row, INVOICE).outcomes if one.rule == "dispute"]
    assert said[0].text == f"query open on {INVOICE}, GBP 600.00"
    disputes.resolve(office.w, office.row, INVOICE, DisputeOutcome.CORRECT)
    said = [one.reason for one in explain(office.w, office.row, INVOICE).outcomes if one.rule == "dispute"]
    assert f"query resolved on {INVOICE}: correct" in [one.text for one in said]


def test_why_not_something_that_is_proposed_says_what_it_waits_for(office: Office) -> None:
    owing(office)
    (told,) = explain(office.w, office.row, WHO, "reinvoice").why_not
    assert (told.reason.code, told.verdict, told.items) == ("waits.approval", "decided", (INVOICE,))
    (told,) = explain(office.w, office.row, WHO, "letter").why_not
    assert (told.rule, told.reason.code) == ("ladder", "ladder.copy_first")
