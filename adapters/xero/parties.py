"""Xero's contacts and organisation as dunwell's records. Pure."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from adapters.xero.timezones import IANA, MAIN_ZONE
from adapters.xero.values import Amount, Unclear, currency, day, number, plain, stamp
from adapters.xero.wire import AddressRow, ContactRow, OrganisationRow, PersonRow, PhoneRow
from connector.domain.ledger import Address, Customer, Organisation, PaymentTerms, Person, TermsBasis
from connector.domain.text import one_line

log = logging.getLogger("dunwell.xero")

_PHONES: Final = ("DEFAULT", "MOBILE", "DDI")
_ADDRESSES: Final[dict[str, Literal["street", "postal"]]] = {"STREET": "street", "POBOX": "postal"}


@dataclass(frozen=True, slots=True)
class Membership:
    """Who is in the contact groups that dunwell minds: the group's own list, which a contact's list may lag behind."""

    minded: frozenset[str] = frozenset()  # group names
    of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # contact id -> names


def customer(row: ContactRow, membership: Membership) -> Customer:
    """The contact as debtor. `outstanding` and `overdue` are Xero's own figures for receivables. Raises `Unclear`."""
    if (status := row.get("ContactStatus") or "ACTIVE") not in {"ACTIVE", "ARCHIVED", "GDPRREQUEST"}:
        raise Unclear(f"unknown status {status!r}")
    if not (name := one_line(row.get("Name") or "")):
        raise Unclear("no name")
    merged = row.get("MergedToContactID") or ""
    receivable = (row.get("Balances") or {}).get("AccountsReceivable") or {}
    own = {group for found in row.get("ContactGroups") or () if (group := plain(found.get("Name")))}
    return Customer(
        id=row["ContactID"],
        name=name,
        email=plain(row.get("EmailAddress")),
        first_name=one_line(row.get("FirstName") or ""),
        last_name=one_line(row.get("LastName") or ""),
        people=tuple(_person(person) for person in row.get("ContactPersons") or ()),
        addresses=tuple(_addresses(row.get("Addresses") or ())),
        phones=_phones(row.get("Phones") or ()),
        active=status == "ACTIVE" and not merged,
        currency=row.get("DefaultCurrency") or "",
        account_number=plain(row.get("AccountNumber")),
        groups=tuple(sorted((own - membership.minded) | set(membership.of.get(row["ContactID"], ())))),
        terms=terms(row),
        merged_into=merged,
        outstanding=_figure(receivable.get("Outstanding")),
        overdue=_figure(receivable.get("Overdue")),
        updated_at=stamp(row.get("UpdatedDateUTC")),
    )


BASES: Final = {
    "DAYSAFTERBILLDATE": TermsBasis.AFTER_INVOICE_DATE,
    "DAYSAFTERBILLMONTH": TermsBasis.AFTER_INVOICE_MONTH,
    "OFCURRENTMONTH": TermsBasis.OF_THIS_MONTH,
    "OFFOLLOWINGMONTH": TermsBasis.OF_NEXT_MONTH,
}


def terms(row: ContactRow) -> PaymentTerms | None:
    """The contact's own terms for sales; None where it has none. Raises `Unclear` for a number of days that is none."""
    sales = (row.get("PaymentTerms") or {}).get("Sales") or {}
    basis = BASES.get(sales.get("Type") or "")
    if basis is None or (given := sales.get("Day")) is None or given == "":
        return None
    found = number(given)
    if found != found.to_integral_value():
        raise Unclear(f"unusable terms {found}")
    return PaymentTerms(int(found), basis)


def _figure(amount: Amount | None) -> Decimal | None:
    """A balance of the whole contact: exact, of no single document's currency."""
    return None if amount is None else number(amount)


def _person(row: PersonRow) -> Person:
    email = plain(row.get("EmailAddress"))
    name = one_line(f"{row.get('FirstName') or ''} {row.get('LastName') or ''}")
    return Person(name or email, email, bool(row.get("IncludeInEmails")))


def _phones(rows: Iterable[PhoneRow]) -> tuple[str, ...]:
    """Numbers that a person can be called on, the main one first."""
    numbers: dict[str, str] = {}
    for row in rows:
        if plain(row.get("PhoneNumber")):
            parts = (row.get("PhoneCountryCode"), row.get("PhoneAreaCode"), row.get("PhoneNumber"))
            numbers[row.get("PhoneType") or ""] = " ".join(filter(None, map(plain, parts)))
    return tuple(numbers[kind] for kind in _PHONES if kind in numbers)


def _addresses(rows: Iterable[AddressRow]) -> Iterable[Address]:
    for row in rows:
        kind = _ADDRESSES.get(row.get("AddressType") or "")
        given = (row.get("AddressLine1"), row.get("AddressLine2"), row.get("AddressLine3"), row.get("AddressLine4"))
        address = Address(
            kind=kind or "street",
            lines=tuple(filter(None, map(plain, given))),
            city=plain(row.get("City")),
            region=plain(row.get("Region")),
            postal_code=plain(row.get("PostalCode")),
            country=plain(row.get("Country")),
            attention=plain(row.get("AttentionTo")),
        )
        if kind and (address.lines or address.city or address.postal_code):
            yield address


def organisation(row: OrganisationRow, ledger_id: str, *, native_reminders: bool | None) -> Organisation:
    """The organisation itself. Raises `Unclear` without a base currency."""
    locks = [lock for lock in (day(row.get("PeriodLockDate")), day(row.get("EndOfYearLockDate"))) if lock]
    country = plain(row.get("CountryCode"))
    return Organisation(
        ledger="xero",
        ledger_id=ledger_id,
        name=one_line(row.get("Name") or "") or one_line(row.get("LegalName") or ""),
        base_currency=currency(row.get("BaseCurrency")),
        timezone=timezone(plain(row.get("Timezone")), country),
        country=country,
        legal_name=one_line(row.get("LegalName") or ""),
        tax_basis=plain(row.get("SalesTaxBasis")),
        lock_date=max(locks, default=None),
        demo=bool(row.get("IsDemoCompany")),
        native_reminders=native_reminders,
        short_code=plain(row.get("ShortCode")),
    )


def timezone(wire: str, country: str) -> str:
    """The IANA name of Xero's zone id; for an id that is new to us the country's main zone, or UTC, with a warning."""
    if (known := IANA.get(wire)) is not None:
        return known
    fallback = MAIN_ZONE.get(country, "Etc/UTC")
    log.warning("Xero's time zone %r is not known; dates are judged in %s", wire[:60], fallback)
    return fallback
