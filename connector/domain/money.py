"""Exact money: an integer of the currency's minor unit, never a float (ISO 4217 exponents)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

# ISO 4217: currencies whose minor unit is not a hundredth.
_EXPONENTS: Final = (
    dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    )
    | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)
    | {"CLF": 4, "UYW": 4}
)


def exponent(currency: str) -> int:
    """Digits of the currency's minor unit (2 for most)."""
    return _EXPONENTS.get(currency, 2)


class InexactAmount(ValueError):
    """An amount has digits beyond the currency's minor unit; it must be reviewed, never rounded away."""


class CurrencyMismatch(ValueError):
    """Two currencies met in one sum."""


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount. `minor` counts the currency's smallest unit (cents, yen, fils)."""

    minor: int
    currency: str

    @classmethod
    def of(cls, amount: Decimal | str | int, currency: str) -> Money:
        """Exactly `amount` major units. Raises `InexactAmount` for digits beyond the minor unit."""
        scaled = Decimal(amount).scaleb(exponent(currency))
        if not scaled.is_finite() or scaled != scaled.to_integral_value():
            raise InexactAmount(f"{amount} {currency} has digits beyond the currency's smallest unit")
        return cls(int(scaled), currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(0, currency)

    @property
    def amount(self) -> Decimal:
        """In major units, with exactly the currency's number of decimals."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} cannot be added or compared")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __gt__(self, other: Money) -> bool:
        return other < self

    def __ge__(self, other: Money) -> bool:
        return other <= self

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.currency} {self.amount:,}"

    def floor_zero(self) -> Money:
        """The amount, or zero where it is negative."""
        return self if self.minor > 0 else Money(0, self.currency)

    def times(self, factor: Decimal) -> Money:
        """Rounded half up to the minor unit; for shares and thresholds, never for balances."""
        return Money(int((self.minor * factor).quantize(Decimal(1), ROUND_HALF_UP)), self.currency)

    def split(self, parts: int) -> tuple[Money, ...]:
        """Equal parts that sum exactly to the whole; the remainder is on the last."""
        if parts < 1:
            raise ValueError("a sum is split into at least one part")
        each = self.minor // parts if self.minor >= 0 else -(-self.minor // parts)
        last = self.minor - each * (parts - 1)
        return (*(Money(each, self.currency) for _ in range(parts - 1)), Money(last, self.currency))

    def in_base(self, base: str, rate: Decimal) -> Money:
        """At the document's own rate. `rate` = units of this currency for one unit of base (Xero's CurrencyRate).

        Rounded half up to the minor unit: for thresholds and reports only.
        """
        if self.currency == base:
            return self
        if rate <= 0:
            raise ValueError(f"a currency rate must be positive, got {rate}")
        major = (self.amount / rate).quantize(Decimal(1).scaleb(-exponent(base)), ROUND_HALF_UP)
        return Money.of(major, base)

    def as_dict(self) -> dict[str, str]:
        """`{"amount": "1234.50", "currency": "NZD"}`: how money is written in JSON."""
        return {"amount": f"{self.amount:f}", "currency": self.currency}


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum in one currency; zero of that currency for nothing. Raises `CurrencyMismatch`."""
    result = Money(0, currency)
    for amount in amounts:
        result = result + amount
    return result
