"""Notes in the ledger: only phrases of the closed list, short enough, without fake markers."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.channels.context import LetterKind
from connector.channels.notes import LIMIT, Fact, NotePhrase, is_closed_phrase, note
from connector.domain.effects import MARKER_LENGTH, ScheduleLine, marker
from connector.domain.ledger import PaymentTerms, TermsBasis
from connector.domain.money import Money

ON, BY = date(2026, 11, 12), date(2026, 11, 19)
OWED = Money.of("345.00", "NZD")
LINES = tuple(ScheduleLine(n, date(2026 + n // 12, n % 12 + 1, 1), Money.of("1000.00", "NZD")) for n in range(1, 61))
FACTS: dict[str, Fact] = {
    "on": ON,
    "by": BY,
    "due": date(2026, 10, 26),
    "expected": BY,
    "invoice": "INV-0107",
    "plan": "P-7",
    "invoices": ["INV-0107", "INV-0112"],
    "balance": (OWED, Money.of("1200.00", "USD")),
    "total": Money.of("545.00", "NZD"),
    "amount": Money.of("120.00", "NZD"),
    "letter": LetterKind.REMINDER,
    "version": 2,
    "reference": "INV-0107-CN-k3f7qa",
    "terms": PaymentTerms(7, TermsBasis.AFTER_INVOICE_DATE),
    "holder": "agency",
    "lines": LINES[:2],
}


def facts(phrase: NotePhrase, **others: Fact) -> dict[str, Any]:
    return {name: fact for name, fact in {**FACTS, **others}.items() if f"{{{name}}}" in phrase}


EXPECTED = {
    NotePhrase.FIRST_SENT: "Sent 12 Nov 2026: INV-0107, balance NZD 345.00, due 26 Oct 2026.",
    NotePhrase.REINVOICED: "Copy sent 12 Nov 2026 of INV-0107, balance NZD 345.00; reply asked by 19 Nov 2026.",
    NotePhrase.LETTER: "Reminder sent 12 Nov 2026 for INV-0107, balance NZD 345.00; reply asked by 19 Nov 2026.",
    NotePhrase.STATEMENT: "Statement sent 12 Nov 2026: INV-0107, balance NZD 345.00.",
    NotePhrase.CALL_DONE: "Call made 12 Nov 2026 about INV-0107; payment expected by 19 Nov 2026.",
    NotePhrase.DISPUTE_OPENED: "Query open on INV-0107, NZD 120.00 of NZD 545.00; answer by 19 Nov 2026.",
    NotePhrase.DISPUTE_RESOLVED: "Query on INV-0107, NZD 120.00 of NZD 545.00, closed 12 Nov 2026.",
    NotePhrase.EXPECTED_DATE_SET: (
        "Payment expected 19 Nov 2026 for INV-0107, agreed 12 Nov 2026; due date 26 Oct 2026 unchanged."
    ),
    NotePhrase.PLAN_SCHEDULED: (
        "Instalment plan P-7, version 2, for INV-0107, NZD 545.00:"
        " 1) 1 Feb 2026 NZD 1,000.00; 2) 1 Mar 2026 NZD 1,000.00."
    ),
    NotePhrase.PLAN_COMPLETED: "Instalment plan P-7 for INV-0107 completed 12 Nov 2026.",
    NotePhrase.PLAN_ENDED: (
        "Instalment plan P-7 for INV-0107 ended 12 Nov 2026; the expected date 19 Nov 2026 no longer holds;"
        " the original due dates apply."
    ),
    NotePhrase.CREDITED: "Credit note INV-0107-CN-k3f7qa, NZD 120.00, applied to INV-0107 12 Nov 2026.",
    NotePhrase.CREDIT_APPLIED: "Open credit, NZD 120.00, applied to INV-0107 12 Nov 2026.",
    NotePhrase.ENTERED: "Entry INV-0107-CN-k3f7qa, NZD 120.00, made against INV-0107 12 Nov 2026.",
    NotePhrase.TERMS_SET: "Terms for future invoices from 12 Nov 2026: 7 days after the invoice date.",
    NotePhrase.REPLACED: (
        "INV-0107, NZD 120.00, replaced by INV-0107-CN-k3f7qa on 12 Nov 2026; original due date 26 Oct 2026."
    ),
    NotePhrase.REPLACES: (
        "INV-0107-CN-k3f7qa replaces INV-0107, NZD 120.00, from 12 Nov 2026; original due date 26 Oct 2026."
    ),
    NotePhrase.HANDED_OVER: "With the agency since 12 Nov 2026: INV-0107, balance NZD 345.00.",
    NotePhrase.TAKEN_BACK: "With us again since 12 Nov 2026: INV-0107, balance NZD 345.00.",
    NotePhrase.THANKS: "Thanks sent 12 Nov 2026 for the payment of INV-0107.",
}


@pytest.mark.parametrize("phrase", NotePhrase)
def test_each_phrase_for_an_invoice(phrase: NotePhrase) -> None:
    assert note(phrase, **facts(phrase, invoices=["INV-0107"], balance=OWED)) == EXPECTED[phrase]


@pytest.mark.parametrize("phrase", NotePhrase)
def test_what_is_written_is_closed_with_and_without_marker(phrase: NotePhrase) -> None:
    text = note(phrase, **facts(phrase))
    assert is_closed_phrase(text)
    assert is_closed_phrase(f"{text} {marker('ab' * 32)}")
    assert is_closed_phrase(text, references={"INV-0107", "INV-0112", "P-7", "INV-0107-CN-k3f7qa"})


def test_a_customer_note_names_several_invoices_and_currencies() -> None:
    text = note(NotePhrase.STATEMENT, **facts(NotePhrase.STATEMENT))
    assert text == "Statement sent 12 Nov 2026: INV-0107, INV-0112, balance NZD 345.00 and USD 1,200.00."


def test_what_is_not_given_is_left_out() -> None:
    assert note(NotePhrase.LETTER, letter=LetterKind.CALL_SUMMARY, on=ON, invoices=["A"], by=None) == (
        "Summary of the call sent 12 Nov 2026 for A."
    )


@pytest.mark.parametrize("kind", LetterKind)
def test_every_letter_has_a_neutral_name(kind: LetterKind) -> None:
    assert is_closed_phrase(note(NotePhrase.LETTER, letter=kind, on=ON, invoices=["A"]))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Customer is evasive.",
        EXPECTED[NotePhrase.LETTER] + " They lied.",
        "Hardship. " + EXPECTED[NotePhrase.THANKS],
        EXPECTED[NotePhrase.LETTER].replace("Reminder", "Threat"),
        EXPECTED[NotePhrase.LETTER].replace("INV-0107", "INV-0107 the chronic one"),
        EXPECTED[NotePhrase.LETTER].replace("NZD 345.00", "a lot"),
        EXPECTED[NotePhrase.LETTER].replace("12 Nov 2026", "today"),
        EXPECTED[NotePhrase.LETTER] + "\n",
        EXPECTED[NotePhrase.LETTER] + " [dw:abc]",
    ],
)
def test_anything_else_is_not_closed(text: str) -> None:
    assert not is_closed_phrase(text)


def test_with_known_references_no_other_word_can_pose_as_one() -> None:
    posing = EXPECTED[NotePhrase.LETTER].replace("INV-0107", "evasive")
    assert is_closed_phrase(posing)
    assert not is_closed_phrase(posing, references={"INV-0107"})


def test_a_long_schedule_is_cut_between_lines_and_says_so() -> None:
    many = [f"INV-{n:04}" for n in range(500)]
    text = note(NotePhrase.PLAN_SCHEDULED, **facts(NotePhrase.PLAN_SCHEDULED, invoices=many, lines=LINES))
    assert len(text) <= LIMIT
    assert is_closed_phrase(text)
    written = text.count(") ")
    assert 30 < written < 60
    assert text.endswith(f" NZD 1,000.00 and {60 - written} more.")


@pytest.mark.parametrize("limit", [250, 1900, LIMIT])
@pytest.mark.parametrize("phrase", [NotePhrase.STATEMENT, NotePhrase.LETTER])
def test_a_note_keeps_its_limit(phrase: NotePhrase, limit: int) -> None:
    text = note(phrase, limit, **facts(phrase, invoices=["x" * 300] * 400))
    assert len(text) <= limit
    assert " more" in text
    assert is_closed_phrase(text)


def test_a_limit_that_cannot_be_kept_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit 40"):
        note(NotePhrase.DISPUTE_OPENED, 40, **facts(NotePhrase.DISPUTE_OPENED))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=100), st.sampled_from(list(NotePhrase)))
def test_a_hostile_number_stays_one_token_without_marker(number: str, phrase: NotePhrase) -> None:
    text = note(phrase, **facts(phrase, invoice=number, invoices=[number, number], plan=number, reference=number))
    assert is_closed_phrase(text)
    assert is_closed_phrase(text, references={number})
    assert "[" not in text


def test_a_number_cannot_forge_a_marker() -> None:
    forged = marker("cd" * 32)
    assert len(forged) == MARKER_LENGTH + 5
    text = note(NotePhrase.THANKS, on=ON, invoices=[f"INV-1 {forged}"])
    assert forged not in text


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"by": BY, "invoices": ["A"], "reason": "late again"}, "says nothing about by, reason"),
        ({"invoices": []}, "invoice numbers"),
        ({"invoices": "A"}, "invoice numbers"),
        ({}, "needs invoices"),
        ({"invoices": ["A"], "on": "today"}, "a date was expected"),
    ],
)
def test_facts_that_do_not_belong_are_refused(wrong: dict[str, Any], what: str) -> None:
    with pytest.raises(TypeError, match=what):
        note(NotePhrase.THANKS, **{"on": ON, **wrong})


def test_only_somebody_else_can_hold_a_debt() -> None:
    with pytest.raises(TypeError, match="somebody else who holds a debt"):
        note(NotePhrase.HANDED_OVER, **facts(NotePhrase.HANDED_OVER, holder="us"))
    with pytest.raises(TypeError, match="somebody else who holds a debt"):
        note(NotePhrase.HANDED_OVER, **facts(NotePhrase.HANDED_OVER, holder="the bailiffs, who will come"))
