"""What the frame needs to know of the books: the class, and a company to begin with."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from adapters.xero.sandbox import demo_company, scenario
from adapters.xero.sandbox.store import Books

__all__ = ["Books", "demo_books"]


def demo_books(now: datetime) -> Books:
    """Return the default company's books as they are at `now` (UTC): the same ids in every run."""
    return scenario.load(demo_company.document(now.astimezone(ZoneInfo("Pacific/Auckland")).date()), now)
