"""One app's webhook subscription: its state, what waits to be sent, and what has become of what was sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from adapters._twin.outgoing import LIMIT_SECONDS, Answered, Unanswered
from adapters.xero.sandbox.webhook_events import Event

RETRY_EVERY = timedelta(minutes=15)
RETRY_FOR = timedelta(hours=24)
STORED_FOR = timedelta(days=31)
MOST_EVENTS = 100
# How the intent-to-receive run signs its requests, in order.
PROBES = ("right", "middle", "case", "right", "last")
Status = Literal["intent_pending", "ok", "intent_failed", "disabled"]


@dataclass(slots=True)
class Batch:
    """Events that go out together, under one body whatever becomes of it."""

    events: tuple[Event, ...]
    body: bytes
    due: datetime
    repeats: int
    begun: datetime | None = None
    attempts: int = 0
    delivered: bool = False


@dataclass(slots=True)
class Disturbance:
    """What the control plane does to deliveries; nothing by default."""

    hold: bool = False  # nothing goes out
    lose: bool = False  # new events are never sent
    reverse: bool = False  # waiting events go out one by one, the newest first
    repeat: int = 0  # how often each delivered batch is sent again

    def order(self, order: Mapping[str, object]) -> None:
        """Change what is named. Raises ValueError, and then changes nothing."""
        flags = ("hold", "lose", "reverse")
        if not order or set(order) - {*flags, "repeat"}:
            raise ValueError("webhooks: disturb takes hold, lose, reverse and repeat")
        values = {name: order[name] for name in flags if name in order}
        repeat = order.get("repeat", self.repeat)
        if not all(isinstance(value, bool) for value in values.values()):
            raise ValueError("webhooks: hold, lose and reverse must be true or false")
        if isinstance(repeat, bool) or not isinstance(repeat, int) or not 0 <= repeat <= 10:
            raise ValueError("webhooks: repeat must be a whole number from 0 to 10")
        for name, value in values.items():
            setattr(self, name, value)
        self.repeat = repeat


@dataclass(slots=True)
class Subscription:
    """Where one app wants to be told of which events."""

    client_id: str
    key: str
    url: str
    categories: tuple[str, ...]
    status: Status = "intent_pending"
    validated: bool = False  # it has once answered an intent-to-receive run rightly: from then on events are stored
    sequence: int = 0
    since: datetime | None = None  # nothing that waits goes out before this instant
    lost: int = 0
    expired: int = 0
    probes: deque[str] = field(default_factory=lambda: deque(PROBES))
    waiting: deque[Event] = field(default_factory=deque)
    batch: Batch | None = None
    disturbance: Disturbance = field(default_factory=Disturbance)
    intent: list[dict[str, object]] = field(default_factory=list)
    deliveries: list[dict[str, object]] = field(default_factory=list)
    notices: list[dict[str, object]] = field(default_factory=list)

    def begin_intent(self) -> None:
        """Start an intent-to-receive run; what was under way waits for its end."""
        self.give_back()
        self.status, self.probes, self.intent = "intent_pending", deque(PROBES), []

    def give_back(self) -> None:
        """Let the events of the batch under way wait again, in front."""
        if self.batch is not None and not self.batch.delivered:
            self.waiting.extendleft(reversed(self.batch.events))
        self.batch = None

    def expire(self, now: datetime) -> None:
        """Forget events that have waited longer than they are stored."""
        kept = [one for one in self.waiting if now - one.at <= STORED_FOR]
        self.expired += len(self.waiting) - len(kept)
        self.waiting = deque(kept)

    def record_probe(self, how: str, outcome: Answered | Unanswered) -> None:
        """Judge one answer of an intent-to-receive run; the first wrong one ends it."""
        fault = verdict(outcome, signed=how == "right")
        self.intent.append({"signature": how, "answer": _told(outcome), "fault": fault})
        if fault:
            self.status, self.probes = "intent_failed", deque()
        elif not self.probes:
            self.status, self.validated = "ok", True

    def record_batch(self, batch: Batch, outcome: Answered | Unanswered) -> None:
        """Judge one answer to a batch: done, again at once, again in 15 minutes, or disabled after 24 hours."""
        fault = verdict(outcome, signed=True)
        batch.attempts += 1
        self.since = batch.due
        self.deliveries.append(
            {
                "at": batch.due.isoformat(),
                "attempt": batch.attempts,
                "sequences": [one.sequence for one in batch.events],
                "answer": _told(outcome),
                "fault": fault,
                "body": batch.body.decode(),
            }
        )
        if self.batch is not batch:
            return  # given back while it was under way: its events go out again
        if batch.delivered or not fault:
            self._delivered(batch)
            return
        batch.begun = batch.begun or batch.due
        due = batch.begun + RETRY_EVERY * (batch.attempts - 1)
        if due > batch.begun + RETRY_FOR:
            self._disable(batch.due)
        else:
            batch.due = due

    def _delivered(self, batch: Batch) -> None:
        if batch.repeats:
            batch.repeats, batch.delivered = batch.repeats - 1, True
        else:
            self.batch = None

    def _disable(self, at: datetime) -> None:
        self.give_back()
        self.status = "disabled"
        self.notices.append({"at": at.isoformat(), "to": "collaborators", "what": "webhook disabled", "url": self.url})

    def document(self) -> dict[str, object]:
        """Return everything about it as plain data."""
        return {
            "client_id": self.client_id,
            "url": self.url,
            "key": self.key,
            "categories": list(self.categories),
            "status": self.status,
            "waiting": len(self.waiting) + (0 if self.batch is None else len(self.batch.events)),
            "next_attempt": None if self.batch is None else self.batch.due.isoformat(),
            "lost": self.lost,
            "expired": self.expired,
            "intent": list(self.intent),
            "deliveries": list(self.deliveries),
            "notices": list(self.notices),
        }


def verdict(outcome: Answered | Unanswered, *, signed: bool) -> str:
    """Say what is wrong with an answer; "" when it is as the service wants it.

    2xx to a right signature and 401 to a wrong one, within five seconds, without body and cookies.
    """
    if isinstance(outcome, Unanswered):
        return f"no answer ({outcome.reason})"
    if outcome.seconds >= LIMIT_SECONDS:
        return f"answered after {outcome.seconds:.1f} seconds"
    if 300 <= outcome.status < 400:
        return "redirected"
    if signed and not 200 <= outcome.status < 300:
        return f"answered {outcome.status} to a right signature"
    if not signed and outcome.status != 401:
        return f"answered {outcome.status} to a wrong signature"
    if outcome.has_body:
        return "sent a body"
    return "set a cookie" if "set-cookie" in outcome.headers else ""


def _told(outcome: Answered | Unanswered) -> object:
    return outcome.status if isinstance(outcome, Answered) else None
