"""Raising an invoice again: nothing moves per account, tax code and period, and the debt stays as old as it was."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connector.domain.cases import LetterSent, Reissue
from connector.domain.decisions import DunningLevel
from connector.domain.effects import DocumentLine
from connector.domain.ledger import Invoice, InvoiceStatus, Line
from connector.domain.money import Money
from connector.domain.reductions import AS_INVOICED, NoReduction, Recipe, Reduction
from connector.domain.reissues import check_neutral, replacement, reversal
from tests.builders import invoice, money
from tests.worlds import MONDAY, World, days_after, letter, overdue

CODES, ACCOUNTS = ("OUTPUT2", "ZERO", "HALF"), ("200", "201")
RECIPE = Recipe(
    Reduction.CORRECTION, AS_INVOICED, dict.fromkeys(CODES, AS_INVOICED), "NZ", "invoice", "Jo Tan", date(2026, 2, 1)
)


def over(*found: tuple[str, str, int, int]) -> Invoice:
    """An invoice of lines (account, tax code, net, tax in cents)."""
    lines = tuple(
        Line(str(n), f"Part {n}", Money(net, "NZD"), Money(tax, "NZD"), account, code)
        for n, (account, code, net, tax) in enumerate(found)
    )
    whole = Money(sum(net + tax for _, _, net, tax in found), "NZD")
    tax = Money(sum(tax for *_, tax in found), "NZD")
    nothing = Money(0, "NZD")
    return Invoice(
        "i", "INV-7", "c", InvoiceStatus.APPROVED, date(2026, 2, 3), date(2026, 2, 17), whole, tax, whole, nothing,
        nothing, Decimal(1), lines=lines,
    )  # fmt: skip


# Any line a ledger could hold, discounts and free lines among them: the tax need not be what the code's rate says.
a_line = st.tuples(
    st.sampled_from(ACCOUNTS), st.sampled_from(CODES), st.integers(-(10**6), 10**7), st.integers(-(10**5), 10**6)
)
invoices = st.lists(a_line, min_size=1, max_size=8).map(lambda found: over(*found))


def by_code(lines: tuple[DocumentLine, ...]) -> dict[str, tuple[int, int]]:
    net: Counter[str] = Counter()
    tax: Counter[str] = Counter()
    for line in lines:
        net[line.tax_code] += line.net.minor
        tax[line.tax_code] += line.tax.minor
    return {code: (net[code], tax[code]) for code in CODES}


@given(invoices)
def test_credit_and_new_invoice_cancel_out_per_tax_code_or_are_refused(whole: Invoice) -> None:
    assume(whole.total.minor > 0)
    try:
        taken, given_ = reversal(whole, RECIPE, "Correction"), replacement(whole)
        check_neutral(whole, taken, given_)
    except NoReduction:
        groups = {(a, c): 0 for a in ACCOUNTS for c in CODES}
        for line in whole.lines:
            groups[line.account, line.tax_code] += line.net.minor + line.tax.minor
        nets = [line for line in whole.lines if line.net.minor < 0 or line.tax.minor < 0]
        assert min(groups.values()) < 0 or nets, "an ordinary invoice can always be raised again"
        return
    assert by_code(taken) == by_code(given_)
    assert sum(line.net.minor + line.tax.minor for line in given_) == whole.total.minor
    assert [line.description for line in given_] == [line.description for line in whole.lines]


@pytest.mark.parametrize(
    "recipe",
    [
        replace(RECIPE, account="260"),
        replace(RECIPE, tax={"OUTPUT2": "ZERO"}),
    ],
    ids=["another account", "another tax code"],
)
def test_a_recipe_that_moves_something_is_no_recipe_for_a_reissue(recipe: Recipe) -> None:
    whole = over(("200", "OUTPUT2", 100_00, 15_00))
    with pytest.raises(NoReduction, match="as_invoiced"):
        check_neutral(whole, reversal(whole, recipe, ""), replacement(whole))


def test_a_line_with_a_sum_needs_an_account_and_a_line_of_words_does_not() -> None:
    whole = over(("200", "OUTPUT2", 100_00, 15_00), ("", "", 0, 0))
    words = replacement(whole)[1]
    assert (words.description, words.account, words.net) == ("Part 1", "", money(0))
    with pytest.raises(NoReduction, match="names no account"):
        replacement(over(("", "OUTPUT2", 100_00, 15_00)))


# -- the debt goes on --------------------------------------------------------------------------------------------------


def raised_again(world: World, *, old: str = "inv-1", new: str = "inv-2", total: str = "1150.00") -> World:
    """inv-1, 30 days overdue on Monday, was credited whole on Monday and raised again, to be paid at once."""
    was = next(one for one in world.invoices if one.id == old)
    world.invoices.remove(was)
    world.invoices += [
        replace(was, status=InvoiceStatus.PAID, balance=money(0), credited=was.total),
        invoice(new, total, issued=MONDAY, due=MONDAY, sent=False),
    ]
    world.records.append(
        Reissue(
            id=f"reissue-{new}", customer_id="cust-1", on=MONDAY, by="Ana", invoice_id=old, amount=was.total,
            reason="wrong name", due=was.due, tax_point=was.issued, replaced_by=new,
        )
    )  # fmt: skip
    return world


def test_the_new_invoice_is_as_overdue_as_the_old_one_and_its_letters_count() -> None:
    world = World(invoices=[overdue(30)], records=[letter(DunningLevel.REMINDER, days_after(MONDAY, -10))])
    (item,) = raised_again(world).facts(MONDAY).items
    assert (item.invoice.id, item.due, item.days_overdue) == ("inv-2", MONDAY - timedelta(days=30), 30)
    assert (item.level, item.introduced) == (DunningLevel.REMINDER, True)
    assert item.sent is False, "a letter about the old invoice did not bring the new one"


def test_the_copy_of_the_old_invoice_did_not_bring_the_new_one() -> None:
    world = World(invoices=[overdue(30)], records=[letter(DunningLevel.REINVOICE, days_after(MONDAY, -20))])
    (item,) = raised_again(world).facts(MONDAY).items
    assert (item.sent, item.level) == (False, DunningLevel.NONE)


def test_what_is_raised_again_twice_still_has_its_first_due_date() -> None:
    world = World(invoices=[overdue(30)], records=[letter(DunningLevel.FIRM, days_after(MONDAY, -3))])
    (known,) = raised_again(world).facts(MONDAY).items
    raised_again(world, old="inv-2", new="inv-3")
    record = world.records[-1]
    assert isinstance(record, Reissue)
    world.records[-1] = replace(record, due=known.due)  # as a person's request takes it from the facts
    (item,) = world.facts(MONDAY).items
    assert (item.invoice.id, item.due) == ("inv-3", MONDAY - timedelta(days=30))
    assert item.level is DunningLevel.FIRM


def test_without_a_reissue_nothing_is_read_differently() -> None:
    world = World(invoices=[overdue(30)], records=[letter(DunningLevel.FRIENDLY, days_after(MONDAY, -3))])
    facts = world.facts(MONDAY)
    assert isinstance(facts.letters[0], LetterSent)
    assert (facts.letters[0].invoice_ids, facts.items[0].due) == (("inv-1",), MONDAY - timedelta(days=30))
