"""The fault engine: breaks the requests that the script names, before, after or long after they take effect.

What each action does (`executed` = the ledger carries the request out):

| do | executed | the client sees |
| --- | --- | --- |
| before_commit, status | no | the status (`status` has an empty body and is never kept by an idempotency store) |
| after_commit | yes | the status instead of the true answer |
| reset, hang | no | nothing |
| reset_after_commit, hang_after_commit | yes | nothing |
| cut_body | yes | the head and the first bytes of the body |
| late_commit | when virtual time reaches now + seconds | nothing |
| garbage | yes | an answer that cannot be read |
| slow | yes, after a pause of real time during which the call is in flight | the true answer |

`before_commit` and `after_commit` happen inside the application when `stored` (the default for status 500), so that
an idempotency store keeps that answer; otherwise at the edge, as a gateway's 502, 503 or 504 does.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus

from adapters._twin.fault_rules import Action, Rule, parse_rules
from adapters._twin.garbage import GARBAGE
from adapters._twin.messages import CutAfter, Hang, Request, Reset, Response, Wire

Execute = Callable[[datetime], Response]


@dataclass(frozen=True, slots=True)
class LateCommit:
    """A request that the ledger will carry out although its client has long given up."""

    due: datetime
    method: str
    path: str
    execute: Execute


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


class Faults:
    """The script in force, what it did, and the requests it holds back. Thread-safe."""

    def __init__(self, *, pause: Callable[[float], None] = _pause) -> None:
        self.pause = pause
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._firings: list[dict[str, object]] = []
        self._late: list[tuple[datetime, int, LateCommit]] = []
        self._numbers = itertools.count(1)

    def add(self, document: object) -> list[int]:
        """Append rules to the script and return their numbers. Raises ValueError, and then none is added."""
        rules = parse_rules(document)
        with self._lock:
            for rule in rules:
                rule.number = next(self._numbers)
            self._rules += rules
        return [rule.number for rule in rules]

    def clear(self) -> None:
        """Drop the script and the record of firings. Requests already held back still commit when due."""
        with self._lock:
            self._rules.clear()
            self._firings.clear()

    def document(self) -> dict[str, object]:
        """Return the script, the firings and the late commits to come, as plain data."""
        with self._lock:
            return {
                "rules": [{"id": r.number, **r.document, "seen": r.seen, "fired": r.fired} for r in self._rules],
                "firings": [dict(firing) for firing in self._firings],
                "pending": [
                    {"due": due.isoformat(), "method": late.method, "path": late.path}
                    for due, _, late in sorted(self._late, key=lambda entry: entry[:2])
                ],
            }

    def draw(self, request: Request, organisations: Collection[str], now: datetime) -> Firing:
        """Count the request against every rule that matches it; the first that fires decides."""
        with self._lock:
            chosen: Rule | None = None
            for rule in self._rules:
                if rule.matches(request, organisations):
                    rule.seen += 1
                    if chosen is None and rule.fires():
                        chosen = rule
            if chosen is None:
                return Firing(self, request, None)
            chosen.fired += 1
            self._firings.append(
                {
                    "rule": chosen.number,
                    "at": now.isoformat(),
                    "method": request.method,
                    "path": request.path,
                    "do": chosen.action.do,
                }
            )
            return Firing(self, request, chosen.action)

    def hold_back(self, late: LateCommit) -> None:
        """Keep a request until virtual time reaches its due instant."""
        with self._lock:
            heapq.heappush(self._late, (late.due, next(self._numbers), late))

    def next_due(self, now: datetime) -> LateCommit | None:
        """Take the earliest held request that is due; the caller executes it at its due instant."""
        with self._lock:
            if not self._late or self._late[0][0] > now:
                return None
            return heapq.heappop(self._late)[2]


@dataclass(frozen=True, slots=True)
class Firing:
    """The fault, or none, that befalls one request."""

    faults: Faults
    request: Request
    action: Action | None

    def within(self, execute: Execute, now: datetime) -> Response:
        """Run the application's part: a stored error replaces its answer, as the application's own failure."""
        action = self.action
        if action is None or not action.stored:
            return execute(now)
        if action.do == "after_commit":
            execute(now)
        return _failure(action)

    def at_edge(self, execute: Execute, now: datetime) -> Response:
        """Run the whole request as the outside sees it."""
        action = self.action
        if action is None or action.stored:
            return execute(now)
        match action.do:
            case "before_commit" | "status":
                return _failure(action)
            case "after_commit":
                execute(now)
                return _failure(action)
            case "reset":
                return _broken(Reset())
            case "hang":
                return _broken(Hang(action.seconds))
            case "reset_after_commit":
                return replace(execute(now), wire=Reset())
            case "hang_after_commit":
                return replace(execute(now), wire=Hang(action.seconds))
            case "cut_body":
                return replace(execute(now), wire=CutAfter(action.count))
            case "late_commit":
                return self._late(execute, now, action)
            case "garbage":
                return GARBAGE[action.kind](execute(now))
            case "slow":
                self.faults.pause(action.seconds)
                return execute(now)
            case _:
                raise AssertionError(f"an action without an effect: {action.do}")

    def all_at_edge(self, execute: Execute, now: datetime) -> Response:
        """Apply the fault to a request that no idempotency store covers."""
        return self.at_edge(lambda instant: self.within(execute, instant), now)

    def _late(self, execute: Execute, now: datetime, action: Action) -> Response:
        due = now + timedelta(seconds=action.seconds)
        self.faults.hold_back(LateCommit(due, self.request.method, self.request.path, execute))
        return _broken(Hang() if action.hangs else Reset())


def _broken(wire: Wire) -> Response:
    return Response(503, (), b"", wire)


def _failure(action: Action) -> Response:
    if action.body is not None or action.do == "status":
        return Response(action.status, action.headers, action.body or b"")
    phrase = HTTPStatus(action.status).phrase if action.status in set(HTTPStatus) else "Failure"
    headers = (("Content-Type", "text/plain; charset=utf-8"), *action.headers)
    return Response(action.status, headers, f"{action.status} {phrase}".encode())
