"""Reducing what is owed: six kinds, never one (policy section 4). Pure arithmetic and refusals.

A reduction is laid over the invoice's own tax codes in proportion to what they make up of it, so that it is neutral per
tax code; the sum is exact to the minor unit. What tax may be claimed or must be repaid is for the accountant: dunwell
writes only under a recipe that a person confirmed for this country, tax basis, kind and tax code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from connector.domain.effects import DocumentLine
from connector.domain.ledger import Invoice, Line, Organisation
from connector.domain.money import Money

AS_INVOICED: Final = "as_invoiced"  # instead of an account or tax code: the invoice line's own


class Reduction(StrEnum):
    """Why less is owed. `bad_debt` is internal: the debt is not released and no customer sees the entry."""

    CORRECTION = "correction"
    GOODWILL = "goodwill"
    SETTLEMENT = "settlement"
    SMALL_BALANCE = "small_balance"
    SHORTFALL = "shortfall"
    BAD_DEBT = "bad_debt"


INTERNAL: Final = frozenset({Reduction.BAD_DEBT})


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one kind is entered, as a person confirmed it for one country and tax basis.

    `account`: the ledger's code, or `AS_INVOICED`. `tax`: tax code of the invoice line -> tax code of the entry, or
    `AS_INVOICED` to reduce the tax with the price. A tax code that is not named has no recipe.
    """

    kind: Reduction
    account: str
    tax: Mapping[str, str]
    country: str
    tax_basis: str
    confirmed_by: str
    confirmed_on: date


class NoReduction(ValueError):
    """Why this reduction cannot be entered; the text is for a person."""


def check_recipe(recipe: Recipe | None, kind: Reduction, organisation: Organisation, invoice: Invoice) -> Recipe:
    """The recipe, if it covers this invoice. Raises `NoReduction` naming what is missing."""
    where = f"{organisation.country or 'an unknown country'} ({organisation.tax_basis.lower() or 'unknown tax basis'})"
    if recipe is None:
        raise NoReduction(f"there is no confirmed tax recipe for a {_said(kind)} in {where}")
    if (recipe.country, recipe.tax_basis.casefold()) != (organisation.country, organisation.tax_basis.casefold()):
        confirmed = f"{recipe.country} ({recipe.tax_basis.lower()})"
        raise NoReduction(f"the tax recipe for a {_said(kind)} was confirmed for {confirmed}, not for {where}")
    missing = sorted({line.tax_code for line in invoice.lines if line.net or line.tax} - set(recipe.tax))
    if missing:
        raise NoReduction(f"the tax recipe for a {_said(kind)} says nothing about tax code {', '.join(missing)}")
    if kind is not Reduction.CORRECTION and recipe.account == AS_INVOICED:
        raise NoReduction(f"a {_said(kind)} needs an account of its own, not the one that was invoiced")
    return recipe


def check_date(organisation: Organisation, dated: date, filed_to: date | None) -> None:
    """Raises `NoReduction` when the entry would fall into a locked or filed period (never back-dated: the caller's)."""
    for until, what in ((organisation.lock_date, "locked"), (filed_to, "filed")):
        if until is not None and dated <= until:
            raise NoReduction(f"the books are {what} up to {until}; nothing is dated {dated}")


def lines(invoice: Invoice, gross: Money, recipe: Recipe, description: str) -> tuple[DocumentLine, ...]:
    """The entry's lines: `gross` in proportion over the invoice's (account, tax code) groups, exact in the sum.

    Reducing the whole total gives the invoice's own sums back, group by group. Raises `NoReduction` for a sum that is
    not positive or more than the total, and for an invoice whose lines do not add up to its total.
    """
    if gross.currency != invoice.currency or not 0 < gross.minor <= invoice.total.minor:
        raise NoReduction(f"{gross} cannot be taken off {invoice.number}, which is over {invoice.total}")
    groups = _groups(invoice.lines)
    whole = sum(net + tax for net, tax in groups.values())
    if whole != invoice.total.minor or any(net + tax < 0 for net, tax in groups.values()):
        raise NoReduction(f"the lines of {invoice.number} do not add up to its total by tax code")
    made: list[DocumentLine] = []
    given = passed = 0
    for (account, tax_code), (net, tax) in groups.items():
        passed += net + tax
        share = _part(gross.minor, passed, whole) - given  # cumulative: the shares sum exactly to the whole
        given += share
        if share:
            made.append(_line(share, net, tax, account, tax_code, recipe, gross.currency, description))
    return tuple(made)


def _groups(found: tuple[Line, ...]) -> dict[tuple[str, str], tuple[int, int]]:
    """Net and tax by (account, tax code), in the order of the invoice."""
    groups: dict[tuple[str, str], tuple[int, int]] = {}
    for line in found:
        net, tax = groups.get((line.account, line.tax_code), (0, 0))
        groups[line.account, line.tax_code] = (net + line.net.minor, tax + line.tax.minor)
    return {name: sums for name, sums in groups.items() if sums != (0, 0)}


def _part(whole: int, numerator: int, denominator: int) -> int:
    """Rounded half up."""
    return int((Decimal(whole) * numerator / denominator).to_integral_value("ROUND_HALF_UP"))


def _line(
    share: int, net: int, tax: int, account: str, tax_code: str, recipe: Recipe, currency: str, description: str
) -> DocumentLine:
    with_tax = recipe.tax[tax_code] == AS_INVOICED
    taxed = _part(share, tax, net + tax) if with_tax else 0
    return DocumentLine(
        description=description,
        net=Money(share - taxed, currency),
        tax=Money(taxed, currency),
        account=account if recipe.account == AS_INVOICED else recipe.account,
        tax_code=tax_code if with_tax else recipe.tax[tax_code],
    )


def _said(kind: Reduction) -> str:
    return kind.value.replace("_", " ")
