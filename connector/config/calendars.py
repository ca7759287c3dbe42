"""Business days of a country: public holidays by name, and the policy's quiet periods."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import holidays

from connector.domain.dates import Calendar
from connector.policy.document import Policy
from connector.policy.sections import QuietPeriod

# Where a country's own list leaves out what most of its businesses keep, the region that stands for it.
_USUAL_REGION = {"GB": "ENG"}


def calendar(country: str, region: str, years: Iterable[int], policy: Policy) -> Calendar:
    """The calendar for `country` (ISO 3166 alpha-2) and `region` (its subdivision code, "" = the usual one).

    An unknown country has weekends and quiet periods only (see `is_known`); an unknown region counts as "". Saturday
    and Sunday are the weekend everywhere.
    """
    covered = sorted(set(years))
    return Calendar(_public_holidays(country, region, covered), tuple(_quiet(country, covered, policy)))


def is_known(country: str) -> bool:
    """Whether public holidays are known for the country."""
    return country in holidays.list_supported_countries(include_aliases=False)


def _public_holidays(country: str, region: str, years: list[int]) -> frozenset[date]:
    if not is_known(country):
        return frozenset()
    regions = holidays.list_supported_countries(include_aliases=False)[country]
    chosen = region if region in regions else _USUAL_REGION.get(country)
    return frozenset(holidays.country_holidays(country, subdiv=chosen, years=years))


def _quiet(country: str, years: list[int], policy: Policy) -> list[tuple[date, date]]:
    if not years:
        return []
    spans = []
    for period in policy.contact.quiet:
        if not period.countries or country in period.countries:
            # One year earlier, too: a period that runs over the new year belongs to both.
            spans += [_span(period, year) for year in range(years[0] - 1, years[-1] + 1)]
    return sorted(spans)


def _span(period: QuietPeriod, year: int) -> tuple[date, date]:
    first, last = date.fromisoformat(f"{year}-{period.first}"), date.fromisoformat(f"{year}-{period.last}")
    return first, last if last >= first else last.replace(year=year + 1)
