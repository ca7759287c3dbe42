"""Virtual time and seeded ids."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from adapters._twin.clock import VirtualClock
from adapters._twin.ids import SeededIds

START = datetime(2026, 11, 22, 8, tzinfo=UTC)


class Ticks:
    """Real time as the test moves it."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_ticks_on_with_real_time_and_keeps_its_offset_after_a_jump() -> None:
    ticks = Ticks()
    clock = VirtualClock(START, monotonic=ticks)
    ticks.seconds += 2.5
    assert clock.now() == START + timedelta(seconds=2.5)
    clock.advance(3600)
    ticks.seconds += 1
    assert clock.now() == START + timedelta(seconds=3603.5)


def test_frozen_time_moves_only_by_order_and_thaws_where_it_stood() -> None:
    ticks = Ticks()
    clock = VirtualClock(START, frozen=True, monotonic=ticks)
    ticks.seconds += 50
    assert clock.now() == START
    assert clock.advance(5) == START + timedelta(seconds=5)
    clock.freeze(frozen=False)
    ticks.seconds += 1
    assert clock.now() == START + timedelta(seconds=6)
    clock.freeze(frozen=True)
    ticks.seconds += 10
    assert clock.now() == START + timedelta(seconds=6)
    assert clock.frozen


def test_never_goes_backwards() -> None:
    clock = VirtualClock(START, frozen=True)
    with pytest.raises(ValueError, match="never goes backwards"):
        clock.set(START - timedelta(microseconds=1))
    with pytest.raises(ValueError, match="zero or more"):
        clock.advance(-0.001)
    with pytest.raises(ValueError, match="zero or more"):
        clock.advance(float("nan"))
    with pytest.raises(ValueError, match="that far"):
        clock.advance(1e12)
    assert clock.follow(START - timedelta(days=1)) == START
    assert clock.follow(START + timedelta(days=1)) == clock.now() == START + timedelta(days=1)


def test_instants_need_a_zone_and_come_back_in_utc() -> None:
    with pytest.raises(ValueError, match="time zone"):
        VirtualClock(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test
    clock = VirtualClock(START, frozen=True)
    with pytest.raises(ValueError, match="time zone"):
        clock.set(datetime(2027, 1, 1))  # noqa: DTZ001
    auckland = timezone(timedelta(hours=13))
    assert clock.set(datetime(2027, 1, 1, tzinfo=auckland)).isoformat() == "2026-12-31T11:00:00+00:00"


def test_ids_repeat_with_the_seed_and_differ_between_purposes() -> None:
    first, again = SeededIds(7, "a"), SeededIds(7, "a")
    rows = [first.uuid(), first.uuid(), first.token()]
    assert rows == [again.uuid(), again.uuid(), again.token()]
    assert len(set(rows)) == 3
    assert SeededIds(7, "b").uuid() != rows[0] != SeededIds(8, "a").uuid()
