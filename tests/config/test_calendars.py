"""Business days: named holidays by country, quiet periods by policy."""

from __future__ import annotations

from datetime import date

from connector.config.calendars import calendar, is_known
from tests.policy.known import policy

YEARS = (2026, 2027)


def test_holidays_are_those_of_the_country_and_its_region() -> None:
    nz = calendar("NZ", "", YEARS, policy())
    assert not nz.is_business_day(date(2026, 2, 6))  # Waitangi Day
    assert nz.is_business_day(date(2026, 1, 26))
    auckland = calendar("NZ", "AUK", YEARS, policy())
    assert not auckland.is_business_day(date(2026, 1, 26))  # Auckland Anniversary Day
    england = calendar("GB", "", YEARS, policy())
    assert not england.is_business_day(date(2026, 4, 6))  # Easter Monday, which Scotland does not keep
    assert calendar("GB", "SCT", YEARS, policy()).is_business_day(date(2026, 4, 6))


def test_an_unknown_country_has_weekends_only() -> None:
    nowhere = calendar("", "", YEARS, policy())
    assert nowhere.is_business_day(date(2026, 12, 25))
    assert not nowhere.is_business_day(date(2026, 12, 26))
    assert not is_known("")
    assert not is_known("XX")
    assert is_known("NZ")
    assert calendar("NZ", "nonsense", YEARS, policy()) == calendar("NZ", "", YEARS, policy())


def test_quiet_periods_run_over_the_new_year_and_longer_in_the_south() -> None:
    england, nz = calendar("GB", "", YEARS, policy()), calendar("NZ", "", YEARS, policy())
    for day in (date(2026, 1, 5), date(2026, 12, 20), date(2027, 1, 5)):
        assert england.is_quiet(day)
        assert nz.is_quiet(day)
    assert not england.is_quiet(date(2027, 1, 6))
    assert nz.is_quiet(date(2027, 1, 15))
    assert not nz.is_quiet(date(2027, 1, 16))
    assert not england.is_quiet(date(2026, 12, 19))
    assert england.contact_on_or_after(date(2026, 12, 19)) == date(2027, 1, 6)


def test_no_years_no_days() -> None:
    empty = calendar("NZ", "", (), policy())
    assert (empty.holidays, empty.quiet) == (frozenset(), ())
