"""Business days. Holidays are data that the caller passes in, never looked up here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days on which nobody works: weekends, named holidays, and quiet periods in which nobody is contacted."""

    holidays: frozenset[date] = frozenset()
    quiet: tuple[tuple[date, date], ...] = ()  # inclusive ranges

    def is_business_day(self, day: date) -> bool:
        return day.weekday() < _SATURDAY and day not in self.holidays

    def is_quiet(self, day: date) -> bool:
        """No contact on that day although it may be a business day."""
        return any(first <= day <= last for first, last in self.quiet)

    def may_contact(self, day: date) -> bool:
        return self.is_business_day(day) and not self.is_quiet(day)

    def on_or_after(self, day: date) -> date:
        """The first business day not before `day`."""
        while not self.is_business_day(day):
            day += timedelta(days=1)
        return day

    def on_or_before(self, day: date) -> date:
        """The last business day not after `day`."""
        while not self.is_business_day(day):
            day -= timedelta(days=1)
        return day

    def contact_on_or_after(self, day: date) -> date:
        """The first day not before `day` on which people may be contacted."""
        while not self.may_contact(day):
            day += timedelta(days=1)
        return day

    def add(self, day: date, business_days: int) -> date:
        """`business_days` steps from `day` (negative goes back); 0 gives the first business day on or after."""
        if business_days == 0:
            return self.on_or_after(day)
        step = timedelta(days=1 if business_days > 0 else -1)
        left = abs(business_days)
        while left:
            day += step
            left -= self.is_business_day(day)
        return day

    def between(self, start: date, end: date) -> int:
        """Business days after `start` up to and including `end`; 0 when `end` is not after `start`."""
        days = (end - start).days
        return sum(self.is_business_day(start + timedelta(days=n)) for n in range(1, days + 1))
