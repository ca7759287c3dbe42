"""What a new organisation has by country: tax rates and a small chart of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Rate:
    """A tax rate as a percentage."""

    tax_type: str
    name: str
    percent: Decimal
    on_sales: bool = True
    on_purchases: bool = False


@dataclass(frozen=True, slots=True)
class Country:
    """Defaults of one country. `standard` and `untaxed` are tax types for sales."""

    version: str
    currency: str
    standard: str
    untaxed: str
    rates: tuple[Rate, ...]


def _rate(tax_type: str, name: str, percent: str, *, sales: bool = True, purchases: bool = False) -> Rate:
    return Rate(tax_type, name, Decimal(percent), sales, purchases)


_NO_TAX = (_rate("NONE", "Tax Exempt", "0", purchases=True),)

_COUNTRIES = {
    "NZ": Country(
        "NZ",
        "NZD",
        "OUTPUT2",
        "NONE",
        (
            _rate("OUTPUT2", "15% GST on Income", "15"),
            _rate("INPUT2", "15% GST on Expenses", "15", sales=False, purchases=True),
            _rate("ZERORATED", "Zero Rated", "0"),
            _rate("NONE", "No GST", "0", purchases=True),
        ),
    ),
    "GB": Country(
        "UK",
        "GBP",
        "OUTPUT2",
        "NONE",
        (
            _rate("OUTPUT2", "20% (VAT on Income)", "20"),
            _rate("INPUT2", "20% (VAT on Expenses)", "20", sales=False, purchases=True),
            _rate("RROUTPUT", "5% (VAT on Income)", "5"),
            _rate("ZERORATEDOUTPUT", "Zero Rated Income", "0"),
            _rate("EXEMPTOUTPUT", "Exempt Income", "0"),
            _rate("NONE", "No VAT", "0", purchases=True),
        ),
    ),
    "AU": Country(
        "AU",
        "AUD",
        "OUTPUT",
        "BASEXCLUDED",
        (
            _rate("OUTPUT", "GST on Income", "10"),
            _rate("INPUT", "GST on Expenses", "10", sales=False, purchases=True),
            _rate("EXEMPTOUTPUT", "GST Free Income", "0"),
            _rate("BASEXCLUDED", "BAS Excluded", "0", purchases=True),
        ),
    ),
    "US": Country("US", "USD", "NONE", "NONE", _NO_TAX),
}

_GLOBAL_CURRENCY = {
    "IE": "EUR",
    "DE": "EUR",
    "FR": "EUR",
    "NL": "EUR",
    "SG": "SGD",
    "ZA": "ZAR",
    "CA": "CAD",
    "HK": "HKD",
}


def country(code: str) -> Country:
    """Return the defaults of an ISO 3166 country: untaxed and in US dollars where nothing better is known."""
    known = _COUNTRIES.get(code)
    return known or Country("GLOBAL", _GLOBAL_CURRENCY.get(code, "USD"), "NONE", "NONE", _NO_TAX)


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """One account of the default chart."""

    code: str
    name: str
    type: str
    cls: str
    system: str = ""
    payments: bool = False


CHART = (
    AccountPlan("090", "Business Bank Account", "BANK", "ASSET"),
    AccountPlan("091", "Business Savings Account", "BANK", "ASSET"),
    AccountPlan("200", "Sales", "REVENUE", "REVENUE"),
    AccountPlan("260", "Other Revenue", "REVENUE", "REVENUE"),
    AccountPlan("270", "Interest Income", "REVENUE", "REVENUE"),
    AccountPlan("310", "Cost of Goods Sold", "DIRECTCOSTS", "EXPENSE"),
    AccountPlan("404", "Bank Fees", "EXPENSE", "EXPENSE"),
    AccountPlan("416", "Bad Debts", "EXPENSE", "EXPENSE"),
    AccountPlan("429", "General Expenses", "EXPENSE", "EXPENSE"),
    AccountPlan("610", "Accounts Receivable", "CURRENT", "ASSET", "DEBTORS"),
    AccountPlan("800", "Accounts Payable", "CURRLIAB", "LIABILITY", "CREDITORS"),
    AccountPlan("820", "Sales Tax", "CURRLIAB", "LIABILITY", "GST"),
    AccountPlan("860", "Rounding", "CURRLIAB", "LIABILITY", "ROUNDING"),
    AccountPlan("970", "Owner A Funds Introduced", "EQUITY", "EQUITY", payments=True),
)
BANK_CODE = "090"
SALES_CODE = "200"
