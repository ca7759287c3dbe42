"""What a new organisation starts with: chart of accounts, tax rates, currencies, a user, a branding theme."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from adapters.xero.sandbox import answers
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.countries import BANK_CODE, CHART, SALES_CODE, Rate, country
from adapters.xero.sandbox.names import named_id
from adapters.xero.sandbox.store import Books
from adapters.xero.sandbox.tables import Journal, Table

OWNER = "Jane Doe"
_CURRENCY_NAMES = {"NZD": "New Zealand Dollar", "GBP": "British Pound", "AUD": "Australian Dollar", "USD": "US Dollar"}


def found(organisation: r.Organisation, now: datetime, currencies: Iterable[str] = ()) -> Books:
    """Return the books of a new organisation of its country, without documents."""
    books = Books(organisation, now)
    created = organisation.created or now
    furnish(books, created, currencies)
    return books


def furnish(books: Books, created: datetime, currencies: Iterable[str] = ()) -> None:
    """Give the books every default list that they lack."""
    lists: Mapping[str, list[r.Plain]] = {
        "Accounts": _accounts(books, created),
        "TaxRates": [_tax_rate(one) for one in country(books.organisation.country).rates],
        "Users": [_user(books, created)],
        "BrandingThemes": [_theme(books, created)],
        "Currencies": [_currency(one) for one in dict.fromkeys((books.organisation.base_currency, *currencies))],
        "TrackingCategories": [],
        "RepeatingInvoices": [],
    }
    for plural, rows in lists.items():
        if plural not in books.plain:
            books.plain[plural] = table(rows)


def table(rows: Iterable[r.Plain]) -> Table[r.Plain]:
    """Return a table of a read-only list."""
    made: Table[r.Plain] = Table(Journal())
    for row in rows:
        made.put(row)
    return made


def default_account(books: Books, code: str = SALES_CODE) -> str:
    """Return a code that the organisation's chart has: the wanted one, else its first of revenue."""
    accounts = books.plain["Accounts"]
    if any(one.wire.get("Code") == code for one in accounts):
        return code
    revenue = next((one for one in accounts if one.wire.get("Class") == "REVENUE"), None)
    return str(revenue.wire.get("Code", "")) if revenue else ""


def bank_account(books: Books) -> str:
    """Return the id of the account that takes payments. Raises ValueError when there is none."""
    accounts = list(books.plain["Accounts"])
    found_ = next((one for one in accounts if one.wire.get("Code") == BANK_CODE), None)
    found_ = found_ or next((one for one in accounts if one.wire.get("Type") == "BANK"), None)
    if found_ is None:
        raise ValueError("the organisation has no bank account")
    return found_.id


def _id(books: Books, name: str) -> str:
    return named_id(books.tenant_id, name)


def _accounts(books: Books, created: datetime) -> list[r.Plain]:
    standard, untaxed = country(books.organisation.country).standard, country(books.organisation.country).untaxed
    made: list[r.Plain] = []
    for one in CHART:
        wire: dict[str, object] = {"AccountID": _id(books, f"account/{one.code}"), "Code": one.code, "Name": one.name}
        wire.update(Status="ACTIVE", Type=one.type, Class=one.cls)
        wire["TaxType"] = standard if one.type == "REVENUE" and one.name != "Interest Income" else untaxed
        if one.system:
            wire["SystemAccount"] = one.system
        wire["EnablePaymentsToAccount"] = one.payments
        if one.type == "BANK":
            wire.update(BankAccountType="BANK", CurrencyCode=books.organisation.base_currency)
        wire["UpdatedDateUTC"] = answers.stamp(created)
        made.append(r.Plain(str(wire["AccountID"]), wire))
    return made


def _tax_rate(one: Rate) -> r.Plain:
    component = {"Name": one.name, "Rate": one.percent, "IsCompound": False, "IsNonRecoverable": False}
    return r.Plain(
        one.tax_type,
        {
            "Name": one.name,
            "TaxType": one.tax_type,
            "CanApplyToAssets": True,
            "CanApplyToEquity": True,
            "CanApplyToExpenses": one.on_purchases,
            "CanApplyToLiabilities": True,
            "CanApplyToRevenue": one.on_sales,
            "DisplayTaxRate": one.percent,
            "EffectiveRate": one.percent,
            "Status": "ACTIVE",
            "TaxComponents": [component],
        },
    )


def _user(books: Books, created: datetime) -> r.Plain:
    first, last = OWNER.split()
    wire: dict[str, object] = {"UserID": _id(books, "user/owner"), "EmailAddress": "jane.doe@example.com"}
    wire.update(FirstName=first, LastName=last, UpdatedDateUTC=answers.stamp(created))
    wire.update(IsSubscriber=True, OrganisationRole="FINANCIALADVISER")
    return r.Plain(str(wire["UserID"]), wire)


def _theme(books: Books, created: datetime) -> r.Plain:
    wire: dict[str, object] = {"BrandingThemeID": _id(books, "theme/standard"), "Name": "Standard", "Type": "INVOICE"}
    wire.update(SortOrder=0, CreatedDateUTC=answers.stamp(created))
    return r.Plain(str(wire["BrandingThemeID"]), wire)


def _currency(code: str) -> r.Plain:
    return r.Plain(code, {"Code": code, "Description": _CURRENCY_NAMES.get(code, code)})
