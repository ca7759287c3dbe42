"""Mail waits when the clock has gone back, until a person says that it is right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connector.errors import NeedsPerson
from connector.service.clockcheck import confirm_clock, refuse_a_clock_gone_back
from connector.store import organisations, timeline
from connector.store.db import Database
from tests.builders import organisation
from tests.fakes import FakeClock


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Any]:
    clock = FakeClock()
    db = Database.open(f"sqlite:///{tmp_path / 'd.db'}", clock)
    db.migrate()
    with db.writing("default") as tx:
        timeline.append(tx, "", "something", "x", "me", {})
    yield SimpleNamespace(db=db, tenant="default", clock=clock, who="Jo")
    db.close()


def test_an_hour_back_is_daylight_saving_more_needs_a_person(office: Any) -> None:
    office.clock.set(office.clock.now() - timedelta(minutes=59))
    refuse_a_clock_gone_back(office)
    office.clock.set(office.clock.now() - timedelta(minutes=2))
    with pytest.raises(NeedsPerson, match="clock says"):
        refuse_a_clock_gone_back(office)


def test_times_are_told_as_the_organisation_reads_them(office: Any) -> None:
    with office.db.writing("default") as tx:
        organisations.add(tx, organisation(timezone="Pacific/Auckland"), "c-1", office.clock.now().date())
    office.clock.set(office.clock.now() - timedelta(hours=3))
    with pytest.raises(NeedsPerson) as told:
        refuse_a_clock_gone_back(office)
    assert "UTC" not in told.value.what
    assert f"{office.clock.now().astimezone(ZoneInfo('Pacific/Auckland')):%Y-%m-%d %H:%M}" in told.value.what


def test_a_person_confirms_and_work_goes_on_from_there(office: Any) -> None:
    office.clock.set(office.clock.now() - timedelta(days=3))
    confirm_clock(office)
    refuse_a_clock_gone_back(office)
    with office.db.reading("default") as tx:
        assert timeline.verify(tx) == []
