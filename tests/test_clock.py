"""Clocks: real time is UTC; sandbox time is the sandbox's and never chosen off loopback."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from connector.clock import SandboxClock, StoppedClock, SystemClock, SystemIds, SystemRandom, clock_for, is_loopback
from connector.errors import LedgerUnavailable, NotSent, OutcomeUnknown
from connector.ports import HttpAnswer, HttpRequest

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ONE, TWO = "http://127.0.0.1:8600", "http://localhost:8601"


class Sandboxes:
    """Frozen control planes by base URL; everything else answers as a plain website."""

    def __init__(self, *urls: str) -> None:
        self.now = dict.fromkeys(urls, START)
        self.asked: list[str] = []
        self.error: Exception | None = None
        self.garbage: HttpAnswer | None = None

    def send(self, request: HttpRequest) -> HttpAnswer:
        self.asked.append(f"{request.method} {request.url}")
        if self.error:
            raise self.error
        if self.garbage:
            return self.garbage
        base = request.url.removesuffix("/__sandbox/clock")
        if base not in self.now:
            return HttpAnswer(404, {}, b"<html>")
        order = json.loads(request.body or b"{}")
        if "advance" in order:
            self.now[base] += timedelta(seconds=order["advance"])
        if "now" in order:
            self.now[base] = datetime.fromisoformat(order["now"])
        stamp = self.now[base].isoformat().replace("+00:00", "Z")
        return HttpAnswer(200, {}, json.dumps({"now": stamp, "frozen": True}).encode())


def test_real_time_is_utc_and_really_passes() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0.02)
    assert before.tzinfo is UTC
    assert timedelta(milliseconds=19) < clock.now() - before < timedelta(seconds=20)
    clock.sleep(-1)


def test_ids_differ_and_jitter_stays_inside() -> None:
    ids, random = SystemIds(), SystemRandom()
    assert len({ids.new() for _ in range(100)}) == 100
    assert all(2.0 <= random.uniform(2.0, 3.0) <= 3.0 for _ in range(100))


@pytest.mark.parametrize("url", [ONE, TWO, "http://[::1]:8600", "https://127.0.0.1", "http://LOCALHOST:1/x"])
def test_loopback(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8600",
        "https://api.xero.com",
        "http://localhost.example.com",
        "http://127.0.0.1.nip.io",
        "http://localhost@evil.example",
        "http://user@localhost",
        "http://evil.example#@localhost",
        "http://evil.example/\\@localhost",
        "http://evil.example\\@localhost",
        "http://0.0.0.0:1",
        "http://10.0.0.1",
        "http://2130706433",
        "http://localhost:99999",
        "ftp://localhost",
        "file://localhost/etc/passwd",
        "http://local\nhost",
        "http://[::1",
    ],
)
def test_not_loopback(url: str) -> None:
    assert not is_loopback(url)


def test_a_project_of_sandboxes_follows_their_clock_and_advances_all() -> None:
    sandboxes = Sandboxes(ONE, TWO)
    clock = clock_for([ONE, TWO, f"{ONE}/"], sandboxes)
    assert isinstance(clock, SandboxClock)
    assert clock.now() == clock.lease_now() == START
    clock.sleep(90)
    assert clock.now() == START + timedelta(seconds=90)
    assert set(sandboxes.now.values()) == {START + timedelta(seconds=90)}
    clock.set(START + timedelta(days=3))
    assert set(sandboxes.now.values()) == {START + timedelta(days=3)}
    before = len(sandboxes.asked)
    clock.sleep(0)
    assert len(sandboxes.asked) == before


@pytest.mark.parametrize("urls", [[], [""], [ONE, ""], ["https://api.xero.com"], ["http://127.0.0.1.nip.io:8600"]])
def test_any_real_ledger_means_real_time_and_no_sandbox_is_even_asked(urls: list[str]) -> None:
    sandboxes = Sandboxes(ONE)
    assert isinstance(clock_for(urls, sandboxes), SystemClock)
    assert sandboxes.asked == []


def test_loopback_that_is_no_sandbox_means_real_time() -> None:
    sandboxes = Sandboxes(ONE)
    assert isinstance(clock_for([ONE, TWO], sandboxes), SystemClock)
    sandboxes.error = NotSent("refused")
    assert isinstance(clock_for([ONE], sandboxes), SystemClock)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html>",
        b'{"now": "2026-03-02T12:00:00", "frozen": true}',
        b'{"now": 5, "frozen": true}',
        b'{"now": "2026-03-02T12:00:00Z"}',
        b'{"now": "2026-03-02T12:00:00Z", "frozen": "no"}',
    ],
)
def test_an_answer_without_a_certain_instant_is_no_clock(body: bytes) -> None:
    sandboxes = Sandboxes(ONE)
    clock = SandboxClock(sandboxes, ONE)
    sandboxes.garbage = HttpAnswer(200, {}, body)
    assert isinstance(clock_for([ONE], sandboxes), SystemClock)
    with pytest.raises(LedgerUnavailable):
        clock.now()


@pytest.mark.parametrize("error", [NotSent("down"), OutcomeUnknown("reset")])
def test_a_silent_sandbox_never_becomes_real_time(error: Exception) -> None:
    sandboxes = Sandboxes(ONE)
    clock = SandboxClock(sandboxes, ONE)
    sandboxes.error = error
    for act in (clock.now, clock.lease_now, lambda: clock.sleep(1)):
        with pytest.raises(LedgerUnavailable, match="sandbox"):
            act()


def test_a_shared_clock_sees_every_move_and_an_exclusive_one_asks_once() -> None:
    sandboxes = Sandboxes(ONE)
    shared, exclusive = SandboxClock(sandboxes, ONE), SandboxClock(sandboxes, ONE, exclusive=True)
    assert exclusive.now() == START
    sandboxes.now[ONE] += timedelta(days=1)
    assert shared.now() == START + timedelta(days=1)
    asked = len(sandboxes.asked)
    assert [exclusive.now() for _ in range(3)] == [START] * 3
    assert len(sandboxes.asked) == asked
    exclusive.sleep(1)
    assert exclusive.now() == START + timedelta(days=1, seconds=1)


def test_an_exclusive_reading_of_a_ticking_clock_ticks_on() -> None:
    sandboxes = Sandboxes(ONE)
    sandboxes.garbage = HttpAnswer(200, {}, json.dumps({"now": START.isoformat(), "frozen": False}).encode())
    clock = SandboxClock(sandboxes, ONE, exclusive=True)
    first = clock.now()
    SystemClock().sleep(0.005)
    assert clock.now() - first >= timedelta(milliseconds=4)
    assert len(sandboxes.asked) == 1


def test_the_time_of_a_lost_sandbox_stands_still_and_nobody_waits_on_it() -> None:
    last = datetime(2026, 12, 2, 9, 30, tzinfo=UTC)
    stopped = StoppedClock(last)
    assert (stopped.now(), stopped.lease_now()) == (last, last)
    with pytest.raises(LedgerUnavailable, match="does not answer"):
        stopped.sleep(1)
