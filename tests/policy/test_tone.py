"""The tone lint against a small labelled corpus: what must be caught, and what must be let through."""

from __future__ import annotations

import pytest

from connector.policy.tone import MustName, lint

BAD = {
    "tone.threat": [
        "Pay up, or we will be forced to take other measures.",
        "We have no choice but to stop deliveries.",
        "Otherwise you will face serious consequences.",
        "You will regret this.",
        "This could damage your reputation.",
        "Your credit rating may suffer.",
        "We will cut off your service without further notice.",
        "We know where you live.",
        "We are forced to\nescalate.",
    ],
    "tone.shaming": [
        "You should be ashamed.",
        "You are known as a bad payer.",
        "This is unacceptable behaviour.",
        "Stop ignoring our messages.",
        "We are tired of your excuses.",
        "We will tell your customers how you pay.",
        "What you do is theft.",
        "You are avoiding us.",
        "As a chronic debtor, you …",
    ],
    "tone.false_urgency": [
        "Immediate payment is required.",
        "URGENT: open invoice",
        "Pay now!",
        "This is your last chance.",
        "FINAL NOTICE",
        "Final demand for …",
        "Answer within 24 hours.",
        "Time is running out.",
        "Act before it is too late.",
        "Do not ignore this letter.",
        "Please pay!!",
    ],
    "tone.legal_claim": [
        "We will take legal action.",
        "We shall take you to court.",
        "The matter goes before the small claims tribunal.",
        "We will sue you.",
        "Our solicitors have been instructed.",
        "You are breaking the law.",
        "Non-payment is unlawful, and it is illegal.",
        "You are legally obliged to pay.",
        "This is a letter before action.",
        "The police will be told.",
        "A statutory demand follows.",
        "You must sue or be sued; suing is easy.",
    ],
    "tone.third_party": [
        "We will pass your account to a collection agency.",
        "Your debt will be sold.",
        "Debt collectors will call.",
        "We report to credit bureaus.",
        "We will hand the matter over to an agency.",
        "Third-party recovery is next.",
    ],
    "tone.bank_details": [
        "Pay to GB29 NWBK 6016 1331 9268 19.",
        "Account number: 12-3456-0789012-00",
        "BSB 062-000",
        "Our bank details have changed.",
        "Please use our new bank account.",
    ],
    "tone.shouting": ["PLEASE PAY THIS INVOICE", "YOU HAVE NOT ANSWERED"],
}
GOOD = [
    "This is our last reminder about them.",
    "Final reminder: INV-0107",
    "Could you pay this, or tell us how things stand, by 19 November 2026?",
    "COPY: INV-0107 from Kauri Joinery",
    "We delivered to 12 Court Street and to the tennis court.",
    "Sue Barker called; Mr Bailey and Mrs Law will answer.",
    "Sue agreed to pay NZD 100.00 on Friday.",
    "The rights of both sides stay as they are.",
    "Please excuse the delay on our side.",
    "If your payment is on its way, thank you: there is nothing more for you to do.",
    "You agreed to pay now NZD 100.00 and the rest in May.",
    "We have passed your query to our workshop.",
    "We sent the file to you again.",
    "Your account number with us is on the invoice.",
    "There is nothing urgent about this, and no need to worry!",
    "The agreement ends on its last instalment's date.",
    "We noticed that the public body you work for pays monthly.",
    "We called within the last 24 days.",
    "We are glad to have you as a customer, and we regret the mistake.",
    "Please quote NZ or GB in the reference.",
    "Payment is due now that the goods have arrived.",
]


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in BAD.items() for text in texts])
def test_bad_wording_is_named_for_what_it_is(code: str, text: str) -> None:
    assert code in {reason.code for reason in lint(text)}


@pytest.mark.parametrize("text", GOOD)
def test_courteous_wording_passes(text: str) -> None:
    assert lint(text) == ()


def test_a_reason_quotes_the_words_and_their_line() -> None:
    (reason,) = lint("Dear Aroha,\n\nwe will take legal\n  action soon.")
    assert (reason.code, reason.facts) == ("tone.legal_claim", {"words": "legal action", "line": 3})


MUST = MustName(("NZD\u00a0345.00",), "19 November 2026", ("accounts@kauri.example", "+64 9 555 0100"))
ASKS = "Please pay NZD 345.00 by 19 November\n2026, or write to accounts@kauri.example."


def test_a_letter_with_all_it_must_name_passes() -> None:
    assert lint(ASKS, MUST) == ()


def test_any_one_way_to_answer_is_enough() -> None:
    assert lint(ASKS.replace("write to accounts@kauri.example", "call +64 9\n555 0100"), MUST) == ()


@pytest.mark.parametrize(
    ("cut", "code"),
    [
        ("NZD 345.00", "letter.amount_missing"),
        ("19 November\n2026", "letter.by_date_missing"),
        ("accounts@kauri.example", "letter.answer_missing"),
    ],
)
def test_what_an_edit_took_out_is_missed(cut: str, code: str) -> None:
    assert [reason.code for reason in lint(ASKS.replace(cut, ""), MUST)] == [code]


def test_nothing_to_name_is_not_the_same_as_named() -> None:
    codes = [reason.code for reason in lint(ASKS, MustName((), "", ("",)))]
    assert codes == ["letter.amount_missing", "letter.by_date_missing", "letter.answer_missing"]
