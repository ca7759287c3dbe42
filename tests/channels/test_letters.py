"""Shipped letters: each is written as it was agreed, and passes its own check."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from connector.channels.context import DUNNING, LETTER_OF_LEVEL, LetterContext, LetterKind, NewDate
from connector.channels.render import Letterbook, shipped
from connector.channels.samples import COMPLETE, lean
from connector.domain.decisions import DunningLevel
from connector.domain.effects import ScheduleLine
from connector.domain.facts import BridgeLine
from connector.domain.money import Money
from connector.errors import NotFound, Refused
from connector.policy.tone import lint
from tests.golden.update import LETTERS, letters

BOOK = Letterbook([shipped()])


def test_every_shipped_letter_reads_as_the_golden_one() -> None:
    golden = {file.name: file.read_text(encoding="utf-8") for file in LETTERS.iterdir()}
    assert letters() == golden, "if the change is wanted: python -m tests.golden.update"


def test_the_shipped_letterbook_has_nothing_to_complain_about() -> None:
    assert BOOK.check() == ()


def test_every_level_that_writes_has_a_letter() -> None:
    assert set(LETTER_OF_LEVEL) == set(DunningLevel) - {DunningLevel.NONE, DunningLevel.CALL, DunningLevel.HAND_OVER}


@pytest.mark.parametrize("kind", sorted(DUNNING))
def test_a_letter_that_asks_for_money_names_amount_date_and_answer_in_both_forms(kind: LetterKind) -> None:
    letter = BOOK.render(kind, lean(kind))
    assert letter.must_name is not None
    assert letter.must_name.by_date == "19 November 2026"
    assert lint(letter.text, letter.must_name) == ()
    assert lint(letter.html, letter.must_name) == ()


@pytest.mark.parametrize("kind", [LetterKind.STATEMENT, LetterKind.THANKS, LetterKind.DISPUTE_ACKNOWLEDGED])
def test_other_letters_set_no_date_to_pay_by(kind: LetterKind) -> None:
    letter = BOOK.render(kind, COMPLETE)
    assert letter.must_name is None
    assert "19 November 2026" not in letter.text


def test_the_first_contact_offers_four_ways_to_explain() -> None:
    text = BOOK.render("reinvoice", COMPLETE).text
    for offer in ("Paid already", "Never received", "Something is wrong", "I'd like to talk about time"):
        assert offer in text


def test_the_bridge_leads_from_the_balance_to_what_is_asked_for() -> None:
    text = " ".join(BOOK.render("friendly", COMPLETE).text.split())
    assert (
        "INV-0112: balance NZD 545.00, less NZD 120.00 under query, less NZD 50.00 of credit on your account;"
        " asked for: NZD 375.00" in text
    )


def test_a_bridge_that_does_not_add_up_is_never_written() -> None:
    wrong = replace(COMPLETE.items[1], bridge=(BridgeLine("disputed", Money.of("-120.00", "NZD")),))
    with pytest.raises(Refused, match=r"INV-0112: the steps from NZD 545\.00 to NZD 375\.00 do not add up"):
        BOOK.render("friendly", replace(COMPLETE, items=(wrong,)))


def test_the_balance_line_of_a_bridge_is_no_step() -> None:
    balance = BridgeLine("balance", Money.of("545.00", "NZD"))
    item = replace(COMPLETE.items[1], bridge=(balance, *COMPLETE.items[1].bridge))
    assert BOOK.render("friendly", replace(COMPLETE, items=(item,))) == BOOK.render(
        "friendly", replace(COMPLETE, items=(COMPLETE.items[1],))
    )


def test_currencies_are_never_summed_together() -> None:
    usd = Money.of("80.00", "USD")
    foreign = replace(COMPLETE.items[0], number="INV-0200", total=usd, balance=usd, collectable=usd)
    text = BOOK.render("statement", replace(COMPLETE, items=(*COMPLETE.items, foreign))).text
    assert "asked for: NZD\u00a0720.00 and USD\u00a080.00" in text.replace("\n", " ")


@pytest.mark.parametrize(
    ("locale", "amount", "day"),
    [
        ("en_NZ", "NZD\u00a01,234.50", "19 November 2026"),
        ("en-US", "NZD\u00a01,234.50", "November 19, 2026"),
        ("de_DE", "1.234,50\u00a0NZD", "19. November 2026"),
    ],
)
def test_amounts_and_dates_follow_the_organisations_locale(locale: str, amount: str, day: str) -> None:
    owed = Money.of("1234.50", "NZD")
    item = replace(COMPLETE.items[0], total=owed, balance=owed, collectable=owed)
    text = BOOK.render("friendly", replace(COMPLETE, items=(item,), locale=locale)).text
    assert amount in text
    assert day in " ".join(text.split())


@pytest.mark.parametrize(("currency", "amount", "shown"), [("JPY", "1500", "1,500"), ("KWD", "1.250", "1.250")])
def test_amounts_have_the_decimals_of_their_currency(currency: str, amount: str, shown: str) -> None:
    owed = Money.of(amount, currency)
    item = replace(COMPLETE.items[0], total=owed, balance=owed, collectable=owed)
    text = BOOK.render("friendly", replace(COMPLETE, items=(item,))).text
    assert f"{currency}\u00a0{shown} by" in " ".join(text.split(" "))


def test_an_unknown_locale_is_refused() -> None:
    with pytest.raises(Refused, match="xx_QQ"):
        BOOK.render("friendly", replace(COMPLETE, locale="xx_QQ"))


@pytest.mark.parametrize(
    ("kind", "fact", "bare"),
    [
        ("firm", "by_date", replace(COMPLETE, by_date=None)),
        ("statement", "items", replace(COMPLETE, items=())),
        ("plan_agreement", "plan", replace(COMPLETE, plan=None)),
    ],
)
def test_a_letter_without_the_facts_it_needs_is_refused(kind: str, fact: str, bare: LetterContext) -> None:
    with pytest.raises(Refused, match=f"the letter {kind} needs {fact}"):
        BOOK.render(kind, bare)


def test_an_unknown_letter_is_not_found() -> None:
    with pytest.raises(NotFound, match="dunning"):
        BOOK.render("dunning", COMPLETE)


def test_an_agreement_whose_instalments_do_not_add_up_is_refused() -> None:
    assert COMPLETE.plan is not None
    short = replace(COMPLETE.plan, lines=(ScheduleLine(1, date(2026, 12, 1), Money.of("719.99", "NZD")),))
    with pytest.raises(Refused, match="do not add up"):
        BOOK.render("plan_agreement", replace(COMPLETE, plan=short))


@pytest.mark.parametrize(("due", "said"), [(date(2026, 10, 26), True), (date(2026, 11, 20), False)])
def test_only_an_overdue_invoice_is_called_overdue_when_extended(due: date, *, said: bool) -> None:
    extension = NewDate(number="INV-1", amount=Money.of("10.00", "NZD"), due=due, until=date(2026, 11, 27))
    text = BOOK.render("extension_confirmed", replace(COMPLETE, extension=extension)).text
    assert ("remains overdue" in " ".join(text.split())) is said


def test_a_persons_own_sentence_passes_the_tone_lint_too() -> None:
    assert COMPLETE.call is not None
    rude = replace(COMPLETE.call, agreed=("Pay now or we will sue you.",))
    with pytest.raises(Refused, match=r"tone\.legal_claim"):
        BOOK.render("call_summary", replace(COMPLETE, call=rude))


def test_a_customers_name_is_never_read_as_tone() -> None:
    named = replace(COMPLETE, customer="Final Demand & Court Action Ltd", first_name="")
    assert "Dear Final Demand & Court Action Ltd," in BOOK.render("friendly", named).text
