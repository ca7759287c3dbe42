"""The webhook sender: subscriptions, and what goes out to them when virtual time comes. Loopback addresses only.

A new address, and one that is enabled again, first has to pass an intent-to-receive run. Batches go out in order, one
at a time; one that fails is sent again at once, then every 15 minutes for 24 hours, and then the subscription is
disabled. What happens meanwhile is stored for 31 days and goes out in order after it is enabled again.

Orders of the control plane: `{"subscribe": {"url": ..., "categories": [...]}}` (all categories without a list),
`{"enable": true}`, `{"disturb": {"hold", "lose", "reverse", "repeat"}}`, `{"remove": true}`; each for the web app,
or for the one named by `client_id`. Not verified: the size of a batch (here at most 100 events), and that a batch
which fails holds up the later ones.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime

from adapters._twin.ids import SeededIds
from adapters._twin.outgoing import Answered, Delivery, Post, Unanswered, check_loopback
from adapters.xero.sandbox.store import Books
from adapters.xero.sandbox.webhook_events import CATEGORIES, Event, events_of, payload, signature, spoilt
from adapters.xero.sandbox.webhook_state import MOST_EVENTS, Batch, Subscription

_ORDERS = {"subscribe", "enable", "disturb", "remove"}
_MOST_AT_ONCE = 1000  # a receiver whose every answer causes a new event must not keep a caller for ever
Reaches = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class _Step:
    """The next thing to send: a probe of an intent-to-receive run, or a batch."""

    subscription: Subscription
    delivery: Delivery
    probe: str = ""
    run: list[dict[str, object]] | None = None  # the intent-to-receive run to which the probe belongs
    batch: Batch | None = None


class Webhooks:
    """All subscriptions of one sandbox.

    `reaches` tells whether an app (client id) is connected to an organisation (tenant id). Everything but `deliver`
    is called under the sandbox's lock; `deliver` takes it, and not while it waits for an answer.
    """

    def __init__(
        self,
        seed: int,
        client_ids: tuple[str, ...],
        books: Mapping[str, Books],
        reaches: Reaches,
        lock: AbstractContextManager[object],
        post: Post,
    ) -> None:
        self._seed = seed
        self._client_ids = client_ids
        self._books = books
        self._reaches = reaches
        self._lock = lock
        self._post = post
        self._ids = SeededIds(seed, "xero-webhooks")
        self._sending = threading.Lock()
        self._subscriptions: dict[str, Subscription] = {}
        self._read: dict[str, tuple[Books, int]] = {}

    @property
    def active(self) -> bool:
        """Tell whether anyone has subscribed."""
        return bool(self._subscriptions)

    # --- orders ------------------------------------------------------------------------------------------------

    def document(self) -> dict[str, object]:
        """Return all subscriptions as plain data."""
        return {"subscriptions": [one.document() for one in self._subscriptions.values()]}

    def order(self, order: Mapping[str, object], now: datetime) -> dict[str, object]:
        """Obey the control plane, see the module. Raises ValueError, and then nothing has changed."""
        self.collect()
        client_id = str(order.get("client_id", self._client_ids[0]))
        words = set(order) - {"client_id"}
        if len(words) != 1 or not words <= _ORDERS:
            raise ValueError(f"webhooks: give one of {', '.join(sorted(_ORDERS))}")
        if client_id not in self._client_ids:
            raise ValueError(f"webhooks: no app {client_id!r}")
        [word] = words
        if word == "subscribe":
            return self._subscribe(client_id, _object(order["subscribe"])).document()
        subscription = self._subscriptions.get(client_id)
        if subscription is None:
            raise ValueError("webhooks: this app has no subscription")
        if word == "disturb":
            subscription.disturbance.order(_object(order["disturb"]))
            subscription.since = now
        elif order[word] is not True:
            raise ValueError(f"webhooks: {word} must be true")
        elif word == "enable":
            subscription.expire(now)
            subscription.begin_intent()
        else:
            del self._subscriptions[client_id]
        return subscription.document()

    def _subscribe(self, client_id: str, wanted: Mapping[str, object]) -> Subscription:
        if set(wanted) - {"url", "categories"}:
            raise ValueError("webhooks: subscribe takes url and categories")
        url, categories = str(wanted.get("url", "")), wanted.get("categories", list(CATEGORIES))
        check_loopback(url)
        if not isinstance(categories, list) or not categories or not set(categories) <= set(CATEGORIES):
            raise ValueError(f"webhooks: categories must be some of {', '.join(CATEGORIES)}")
        chosen = tuple(one for one in CATEGORIES if one in categories)
        subscription = self._subscriptions.get(client_id)
        if subscription is None:
            digest = hashlib.sha512(f"xero-webhook-key:{self._seed}:{client_id}".encode()).digest()
            subscription = Subscription(client_id, base64.b64encode(digest).decode(), url, chosen)
            self._subscriptions[client_id] = subscription
        else:
            subscription.url, subscription.categories = url, chosen
            subscription.begin_intent()
        return subscription

    # --- events ------------------------------------------------------------------------------------------------

    def collect(self) -> None:
        """Turn what was committed since the last call into events of whoever is connected and has subscribed."""
        for tenant_id, books in self._books.items():
            known, count = self._read.get(tenant_id, (books, 0))
            fresh = books.truth[count if known is books else 0 :]
            self._read[tenant_id] = (books, len(books.truth))
            if fresh:
                for subscription in self._subscriptions.values():
                    if subscription.validated and self._reaches(subscription.client_id, tenant_id):
                        self._queue(subscription, books, fresh)

    def _queue(self, subscription: Subscription, books: Books, fresh: list[dict[str, object]]) -> None:
        for entry in fresh:
            for event in events_of(books, entry):
                if event.category not in subscription.categories:
                    continue
                subscription.sequence += 1
                if subscription.disturbance.lose:
                    subscription.lost += 1
                else:
                    subscription.waiting.append(replace(event, sequence=subscription.sequence))

    # --- sending -----------------------------------------------------------------------------------------------

    def deliver(self, now: datetime) -> int:
        """Send everything that is due up to `now`, each at its own instant, and return how many requests went out."""
        with self._sending:
            for sent in range(_MOST_AT_ONCE):
                with self._lock:
                    step = self._next(now)
                if step is None:
                    return sent
                outcome = self._post(step.delivery)
                with self._lock:
                    self._record(step, outcome)
        return _MOST_AT_ONCE

    def next_due(self, now: datetime) -> datetime | None:
        """Return when there is something to send: now, later, or None while nothing is known."""
        found = [due for one in self._subscriptions.values() if (due := self._due(one, now)) is not None]
        return min(found, default=None)

    def _due(self, one: Subscription, now: datetime) -> datetime | None:
        if one.status == "intent_pending":
            return now
        if one.status != "ok" or one.disturbance.hold:
            return None
        if one.batch is not None:
            return one.batch.due
        return now if one.waiting else None

    def _next(self, now: datetime) -> _Step | None:
        for one in self._subscriptions.values():
            if (due := self._due(one, now)) is None or due > now:
                continue
            if one.status == "intent_pending":
                one.since = now
                return self._probe(one)
            one.batch = one.batch or self._batch(one)
            return _Step(one, _delivery(one, one.batch.body, signature(one.batch.body, one.key)), batch=one.batch)
        return None

    def _probe(self, one: Subscription) -> _Step:
        how = one.probes.popleft()
        body = payload((), self._entropy())
        right = signature(body, one.key)
        return _Step(one, _delivery(one, body, right if how == "right" else spoilt(right, how)), how, one.intent)

    def _batch(self, one: Subscription) -> Batch:
        if one.disturbance.reverse:
            events: tuple[Event, ...] = (one.waiting.pop(),)
        else:
            events = tuple(one.waiting.popleft() for _ in range(min(MOST_EVENTS, len(one.waiting))))
        due = max(one.since or events[-1].at, events[-1].at)
        return Batch(events, payload(events, self._entropy()), due, one.disturbance.repeat)

    def _record(self, step: _Step, outcome: Answered | Unanswered) -> None:
        one = step.subscription
        if step.batch is not None:
            one.record_batch(step.batch, outcome)
            return
        if step.run is one.intent:
            one.record_probe(step.probe, outcome)

    def _entropy(self) -> str:
        return "".join(chr(ord("A") + ord(sign) % 26) for sign in self._ids.token()[:20])


def _delivery(one: Subscription, body: bytes, signed: str) -> Delivery:
    headers = (("Content-Type", "application/json; charset=utf-8"), ("x-xero-signature", signed))
    return Delivery(one.url, headers, body)


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ValueError("webhooks: the order must be an object")
    return value
