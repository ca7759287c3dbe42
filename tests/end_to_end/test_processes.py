"""Two processes on one project, and one that dies at the worst moments: nothing lost, doubled or locked.

The victims are real processes, killed with SIGKILL while the sandbox holds one of their requests.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector.domain.effects import Effect, EffectKind, EffectState, Prepared, Receipt
from connector.errors import Busy
from connector.service.sync import LEASE_SECONDS
from connector.store import leases
from tests.harness import Office

pytestmark = pytest.mark.socket

ROOT = Path(__file__).parents[2]
ID = "[0-9a-f-]{36}"
POINTS = {
    "while looking again": ("GET", "/Invoices$"),
    "at a note": ("PUT", f"/{ID}/History$"),
    "at the tag": ("PUT", "/ContactGroups/[^/]+/Contacts$"),
    "at the expected date": ("POST", f"/Invoices/{ID}$"),
    "at the schedule": ("PUT", "/Attachments/"),
    "at the ledger's e-mail": ("POST", "/Email$"),
    "at the invoice's PDF": ("GET", f"/Invoices/{ID}$"),
}


@contextmanager
def applying(office: Office) -> Iterator[subprocess.Popen[str]]:
    """Another process applies."""
    command = [sys.executable, "-m", "tests.end_to_end.applying", str(office.folder)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def until(condition: Callable[[], bool]) -> None:
    """Wait for something in another process, at most half a minute of real time."""
    pause = threading.Event()
    for _ in range(600):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError("it did not come to that")


def kill_at(office: Office, method: str, path: str, do: str) -> None:
    """SIGKILL the applying process while the sandbox holds this request."""
    office.fault(path, method=method, do=do, seconds=60)
    with applying(office) as victim:
        until(lambda: office.fired() > 0)
        victim.send_signal(signal.SIGKILL)
        assert victim.wait(10) == -signal.SIGKILL


@pytest.mark.parametrize("committed", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("point", POINTS)
def test_a_killed_apply_is_made_good_by_the_next_one(office: Office, point: str, committed: bool) -> None:
    method, path = POINTS[point]
    if committed and method == "GET":
        pytest.skip("a read commits nothing")
    office.five_cases()
    kill_at(office, method, path, "hang_after_commit" if committed else "hang")
    with pytest.raises(Busy, match="at work"):
        office.apply()
    office.wait(LEASE_SECONDS + 1)
    office.apply()  # takes over: what was being sent is in doubt
    office.wait(181)
    office.apply()
    office.apply()
    if point == "at the ledger's e-mail":
        assert office.states() == {"done": 10, "human": 1, "planned": 1}, "nobody can see whether it left"
        assert office.happened(office.effect(EffectKind.LEDGER_EMAIL)) == int(committed)
    else:
        assert office.states() == {"done": 12}
        assert [office.happened(row) for row in office.effects()] == [1] * 12


def test_two_applies_at_once_one_works_and_the_other_says_so(office: Office) -> None:
    office.five_cases()
    office.fault("/Attachments/", method="PUT", do="slow", seconds=4)
    with applying(office) as other:
        until(lambda: office.fired() > 0)
        with pytest.raises(Busy) as refused:
            office.apply()
        told = refused.value
        where = f"process {other.pid} on {socket.gethostname()}, since 2026-03-02 12:00"
        assert where in told.what, "who it is, and since when by the organisation's own clock"
        assert (told.record, "dunwell apply" in told.next_step, bool(told.not_done)) == ("Harbour Lane", True, True)
        assert other.wait(30) == 0
    assert office.states() == {"done": 12}
    assert [office.happened(row) for row in office.effects()] == [1] * 12
    assert office.apply().effects == []


def test_a_holder_that_was_too_slow_stops_when_another_took_over(office: Office) -> None:
    """Its lease ran out in the middle of a request: it ends that one, and the fencing epoch refuses it the next."""
    office.five_cases()
    ledger: Any = office.w.ledger(office.row)
    really_send = ledger.send
    sent: list[Effect] = []

    def send(effect: Effect, prepared: Prepared, leave_by: datetime) -> Receipt:
        sent.append(effect)
        if len(sent) == 1:
            office.wait(LEASE_SECONDS + 1)
            with office.again() as other:
                other.apply()
                # The other one is still at work when the first comes back to life.
                with other.w.db.writing("default") as tx:
                    assert leases.acquire(tx, leases.delivering(office.row.id), "other", LEASE_SECONDS) is not None
        receipt: Receipt = really_send(effect, prepared, leave_by)
        return receipt

    ledger.send = send
    assert isinstance(office.apply().stopped, Busy)
    assert len(sent) == 1
    office.wait(LEASE_SECONDS + 1)
    office.settle_down(2)
    assert office.states() == {"done": 12}
    assert [office.happened(row) for row in office.effects()] == [1] * 12


def test_a_request_that_waited_too_long_for_its_turn_does_not_leave(office: Office) -> None:
    """Between intent and first byte lie at most 75 s, or another holder might have looked and found nothing."""
    office.five_cases()
    office.fault("/Attachments/", method="PUT", do="status", status=429,
                 headers={"X-Rate-Limit-Problem": "minute", "Retry-After": "100"})  # fmt: skip
    office.apply()
    row = office.effect(EffectKind.SCHEDULE)
    assert (row.state, office.happened(row)) == (EffectState.PLANNED, 0)
    office.settle_down(2)
    assert office.states() == {"done": 12}
    assert [office.happened(row) for row in office.effects()] == [1] * 12
