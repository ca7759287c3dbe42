"""What a use case is given: made once by `connector.bootstrap`, by tests with fakes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:  # only the types: a command that needs no letters or policy does not load what makes them
    from connector.channels.render import Letterbook
    from connector.config.layers import LoadedPolicy
    from connector.config.mapping import Mapping
    from connector.domain.dates import Calendar
    from connector.ports import Channel, Clock, HttpClient, Ids, Ledger, Random
    from connector.store.db import Database
    from connector.store.organisations import OrganisationRow


@dataclass(frozen=True)
class Wiring:
    """Database, clock, ledgers, channel and configuration of one project."""

    project: Path
    tenant: str
    db: Database
    clock: Clock
    ids: Ids
    random: Random
    http: HttpClient
    ledger: Callable[[OrganisationRow], Ledger]
    channel: Callable[[], Channel]
    policy: Callable[[OrganisationRow], LoadedPolicy]
    mapping: Callable[[OrganisationRow], Mapping]
    calendar: Callable[[OrganisationRow], Calendar]
    letterbook: Callable[[], Letterbook]
    pages: Callable[[], AbstractContextManager[Executor]]  # where pages are fetched: threads, or serial in tests
    who: str  # the person at the keyboard, recorded with every decision
    holder: str  # this process, for leases
    letters_lack: Callable[[], str] = lambda: ""  # what is missing before letters may reach customers of real books

    def today(self, organisation: OrganisationRow) -> date:
        """The calendar date at the organisation's place."""
        return local(self.clock.now(), organisation).date()


def local(instant: datetime, organisation: OrganisationRow) -> datetime:
    """The instant in the organisation's time zone."""
    return instant.astimezone(ZoneInfo(organisation.record.timezone))


def local_minute(instant: datetime, organisation: OrganisationRow) -> str:
    """The instant as people at the organisation's place read it: "2026-11-24 09:05", in its time zone."""
    return f"{local(instant, organisation):%Y-%m-%d %H:%M}"
