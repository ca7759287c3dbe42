"""Reductions: exact in the sum, neutral per tax code, refused where nobody confirmed the tax."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain import reductions
from connector.domain.ledger import Invoice, InvoiceStatus, Line, Organisation
from connector.domain.money import Money
from connector.domain.reductions import AS_INVOICED, NoReduction, Recipe, Reduction

BOOKS = Organisation("xero", "t", "Acme", "NZD", "Pacific/Auckland", "NZ", tax_basis="PAYMENTS")
RATES = {"OUTPUT2": 15, "ZERO": 0, "HALF": 7}
RECIPE = Recipe(
    Reduction.GOODWILL, "260", dict.fromkeys(RATES, AS_INVOICED), "NZ", "payments", "Jo Tan", date(2026, 11, 1)
)  # fmt: skip


def money(minor: int) -> Money:
    return Money(minor, "NZD")


def invoice(*found: tuple[str, int]) -> Invoice:
    """Lines of (tax code, net in cents), taxed per line, half up."""
    lines = tuple(
        Line(str(n), "Work", money(net), money((net * RATES[code] + 50) // 100), account="200", tax_code=code)
        for n, (code, net) in enumerate(found)
    )
    tax = sum(line.tax.minor for line in lines)
    total = money(tax + sum(line.net.minor for line in lines))
    return Invoice(
        "i", "INV-7", "c", InvoiceStatus.APPROVED, date(2026, 10, 1), date(2026, 11, 1), total, money(tax), total,
        money(0), money(0), Decimal(1), lines=lines,
    )  # fmt: skip


invoices = st.lists(st.tuples(st.sampled_from(sorted(RATES)), st.integers(1, 10**7)), min_size=1, max_size=8).map(
    lambda found: invoice(*found)
)


@given(invoices, st.data())
def test_a_reduction_is_exact_and_each_tax_code_bears_its_share(whole: Invoice, data: st.DataObject) -> None:
    gross = money(data.draw(st.integers(1, whole.total.minor)))
    made = reductions.lines(whole, gross, RECIPE, "Agreed reduction of INV-7")
    assert sum(line.net.minor + line.tax.minor for line in made) == gross.minor
    assert all(line.account == "260" and line.net.minor >= 0 and line.tax.minor >= 0 for line in made)
    taken: Counter[str] = Counter()
    for line in made:
        taken[line.tax_code] += line.net.minor + line.tax.minor
    for code in RATES:
        of_code = sum(line.net.minor + line.tax.minor for line in whole.lines if line.tax_code == code)
        fair = Decimal(gross.minor) * of_code / whole.total.minor
        assert abs(taken[code] - fair) <= 1


@given(invoices)
def test_reducing_all_of_it_gives_back_every_sum_per_tax_code(whole: Invoice) -> None:
    made = reductions.lines(whole, whole.total, RECIPE, "")
    for code in RATES:
        wanted = [(line.net.minor, line.tax.minor) for line in whole.lines if line.tax_code == code]
        found = [(line.net.minor, line.tax.minor) for line in made if line.tax_code == code]
        assert [sum(parts) for parts in zip(*found, strict=True)] == [sum(parts) for parts in zip(*wanted, strict=True)]


def test_an_untaxed_recipe_moves_the_whole_sum_without_tax() -> None:
    whole = invoice(("OUTPUT2", 100_00))
    untaxed = replace(RECIPE, kind=Reduction.BAD_DEBT, account="620", tax={"OUTPUT2": "NONE"})
    (line,) = reductions.lines(whole, money(115_00), untaxed, "Internal: debt not released (INV-7)")
    assert (line.net, line.tax, line.tax_code, line.account) == (money(115_00), money(0), "NONE", "620")


def test_a_correction_goes_back_to_the_accounts_that_were_invoiced() -> None:
    whole = invoice(("OUTPUT2", 100_00), ("ZERO", 50_00))
    lines = (whole.lines[0], replace(whole.lines[1], account="210"))
    back = replace(RECIPE, kind=Reduction.CORRECTION, account=AS_INVOICED)
    assert [line.account for line in reductions.lines(replace(whole, lines=lines), money(33_00), back, "")] == [
        "200",
        "210",
    ]


def test_a_sum_that_cannot_be_taken_off_is_refused() -> None:
    whole = invoice(("OUTPUT2", 100_00))
    for gross in (money(0), money(-1), money(115_01), Money(1, "USD")):
        with pytest.raises(NoReduction, match="cannot be taken off"):
            reductions.lines(whole, gross, RECIPE, "")
    with pytest.raises(NoReduction, match="do not add up"):
        reductions.lines(replace(whole, total=money(116_00)), money(1), RECIPE, "")


@pytest.mark.parametrize(
    ("recipe", "organisation", "said"),
    [
        (None, BOOKS, r"no confirmed tax recipe for a goodwill in NZ \(payments\)"),
        (replace(RECIPE, country="AU"), BOOKS, r"confirmed for AU \(payments\), not for NZ"),
        (RECIPE, replace(BOOKS, tax_basis="INVOICE"), r"confirmed for NZ \(payments\), not for NZ \(invoice\)"),
        (replace(RECIPE, tax={"ZERO": AS_INVOICED}), BOOKS, "says nothing about tax code OUTPUT2"),
        (replace(RECIPE, account=AS_INVOICED), BOOKS, "needs an account of its own"),
    ],
)
def test_without_a_recipe_that_fits_nothing_is_reduced(
    recipe: Recipe | None, organisation: Organisation, said: str
) -> None:
    with pytest.raises(NoReduction, match=said):
        reductions.check_recipe(recipe, Reduction.GOODWILL, organisation, invoice(("OUTPUT2", 100_00)))
    assert reductions.check_recipe(RECIPE, Reduction.GOODWILL, BOOKS, invoice(("OUTPUT2", 100_00))) is RECIPE


def test_nothing_is_dated_into_a_locked_or_filed_period() -> None:
    day = date(2026, 11, 22)
    reductions.check_date(replace(BOOKS, lock_date=date(2026, 11, 21)), day, date(2026, 11, 21))
    with pytest.raises(NoReduction, match="locked up to 2026-11-22"):
        reductions.check_date(replace(BOOKS, lock_date=day), day, None)
    with pytest.raises(NoReduction, match="filed up to 2026-12-31"):
        reductions.check_date(BOOKS, day, date(2026, 12, 31))
