"""The arithmetic of a document: per line, rounded half up to cents, then summed. Exact decimals throughout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from adapters.xero.sandbox.errors import Refused
from adapters.xero.sandbox.records import ZERO, Line

CENT = Decimal("0.01")
_PRICE = Decimal("0.0001")
_HUNDRED = Decimal(100)


def cents(amount: Decimal) -> Decimal:
    """Round half up to two decimals."""
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A document's lines with their amounts, and its sums: total = sub_total + total_tax."""

    lines: tuple[Line, ...]
    sub_total: Decimal
    total_tax: Decimal
    total: Decimal


def reckon(lines: tuple[Line, ...], amounts: str, percent_of: Callable[[str], Decimal]) -> Reckoned:
    """Reckon a document's lines.

    `amounts` is its LineAmountTypes (Exclusive, Inclusive, NoTax); `percent_of` gives a tax type's rate as a
    percentage. A line's own TaxAmount overrules the reckoned one. Raises Refused when a given LineAmount does not
    equal quantity times price.
    """
    done = tuple(_line(one, amounts, percent_of) for one in lines)
    net = sum((one.line_amount or ZERO for one in done), ZERO)
    tax = sum((one.tax_amount or ZERO for one in done), ZERO)
    if amounts == "Inclusive":
        return Reckoned(done, net - tax, tax, net)
    return Reckoned(done, net, tax, net + tax)


def _line(one: Line, amounts: str, percent_of: Callable[[str], Decimal]) -> Line:
    if one.quantity is None and one.unit_amount is None and one.line_amount is None:
        return replace(one, line_amount=ZERO.quantize(CENT), tax_amount=ZERO.quantize(CENT))  # a line of text
    quantity = one.quantity if one.quantity is not None else Decimal(1)
    unit, amount = _unit_and_amount(one, quantity)
    if amounts == "NoTax":
        tax = ZERO.quantize(CENT)
    elif one.tax_amount is not None:
        tax = cents(one.tax_amount)
    else:
        rate = percent_of(one.tax_type) if one.tax_type else ZERO
        tax = cents(amount * rate / (_HUNDRED + rate)) if amounts == "Inclusive" else cents(amount * rate / _HUNDRED)
    return replace(one, quantity=quantity, unit_amount=unit, line_amount=amount, tax_amount=tax)


def _unit_and_amount(one: Line, quantity: Decimal) -> tuple[Decimal, Decimal]:
    unit = one.unit_amount
    if unit is None:
        amount = cents(one.line_amount or ZERO)
        return (amount / quantity if quantity else amount).quantize(_PRICE, ROUND_HALF_UP), amount
    expected = cents(
        quantity * unit * (_HUNDRED - (one.discount_rate or ZERO)) / _HUNDRED - (one.discount_amount or ZERO)
    )
    if one.line_amount is not None and cents(one.line_amount) != expected:
        raise Refused(f"The line total {cents(one.line_amount)} does not match the expected line total {expected}")
    return unit, expected
