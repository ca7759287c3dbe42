"""The Xero twin: identity service, Accounting API and control plane on one base URL, as a function of requests.

Paths are those of Xero's three hosts (login, identity, api), which do not overlap. Requests carry their virtual
instant; the twin's own clock follows the latest, and it alone drives every lifetime and limit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Self

from adapters._twin.calls import Calls
from adapters._twin.clock import VirtualClock
from adapters._twin.control import PREFIX as CONTROL_PREFIX
from adapters._twin.control import ControlPlane, Organisation
from adapters._twin.faults import Faults
from adapters._twin.ids import SeededIds
from adapters._twin.interjections import Interjections
from adapters._twin.messages import Request, Response
from adapters._twin.outgoing import Post, post
from adapters.xero.sandbox import books as recorded
from adapters.xero.sandbox import people, problems, scenario
from adapters.xero.sandbox.apps import registered
from adapters.xero.sandbox.connections import Connections
from adapters.xero.sandbox.gateway import PREFIX as API_PREFIX
from adapters.xero.sandbox.gateway import Gateway, Parts
from adapters.xero.sandbox.identity import Identity
from adapters.xero.sandbox.limits import Limits
from adapters.xero.sandbox.resources import ROUTES
from adapters.xero.sandbox.routing import Route
from adapters.xero.sandbox.state import Books, demo_books
from adapters.xero.sandbox.switches import CHOICES, defaults
from adapters.xero.sandbox.tokens import Tokens
from adapters.xero.sandbox.webhooks import Webhooks

_USER_EMAIL = "user@sandbox.invalid"
_SWITCHES = defaults()
_ADVANCE_STEP = timedelta(seconds=1)


class XeroTwin:
    """A stateful stand-in for Xero with one user, two registered apps and any number of organisations."""

    def __init__(
        self,
        organisations: Iterable[Books],
        clock: VirtualClock,
        *,
        seed: int = 0,
        routes: Iterable[Route] = ROUTES,
        faults: Faults | None = None,
        post: Post = post,
    ) -> None:
        self.clock = clock
        self.faults = faults or Faults()
        self.interjections = Interjections(self.act)
        self.calls = Calls()
        self.limits = Limits()
        self.lock: AbstractContextManager[object] = threading.RLock()
        self.switches = dict(_SWITCHES)
        self.web_app, self.pkce_app = registered(seed)
        self._books = {each.tenant_id: each for each in organisations}
        self._present = self._advanced = clock.now()
        self._ids = SeededIds(seed, "xero-answers")
        self._identity_lock = threading.RLock()
        tokens = Tokens(seed, user_id=SeededIds(seed, "xero-user").uuid(), email=_USER_EMAIL)
        connections = Connections(seed, self._books)
        self._identity = Identity((self.web_app, self.pkce_app), tokens, connections, self._books, self._ids)
        self._gateway = Gateway(routes, self._parts())
        self._connections = connections
        self._webhooks = self._sender(seed, post)
        self.wake: Callable[[], None] = _nobody
        self._control = ControlPlane(self)

    @classmethod
    def default(cls, books_dir: Path | None, now: datetime, seed: int, *, frozen: bool = True) -> Self:
        """Build a twin with the recorded books of a folder, or with the demo company."""
        books = demo_books(now) if books_dir is None else recorded.load(books_dir, now)
        return cls([books], VirtualClock(now, frozen=frozen), seed=seed)

    @property
    def client_id(self) -> str:
        """The web app's id; the PKCE app's is the same with "-pkce"."""
        return self.web_app.client_id

    @property
    def client_secret(self) -> str:
        """The web app's secret; the PKCE app has none."""
        assert self.web_app.secret is not None
        return self.web_app.secret

    @property
    def books(self) -> Mapping[str, Books]:
        """The organisations' books by tenant id, for whoever judges what was written."""
        return self._books

    def handle(self, request: Request, now: datetime) -> Response:
        """Answer one request at the virtual instant `now`. Thread-safe."""
        now = self.clock.follow(now)
        if request.path.startswith(CONTROL_PREFIX):
            self.advance(now)
            response = self._control.handle(request)
            self._stir()
            return response
        if request.path.startswith(f"{API_PREFIX}/"):
            route, response = self._gateway.handle(request, now)
        else:
            route, response = self._identify(request, now)
        self._stir()
        self.calls.record(request.method, route, response)
        stamps = (("Date", format_datetime(now, usegmt=True)), ("Xero-Correlation-Id", self._ids.uuid()))
        return replace(response, headers=(*response.headers, *stamps))

    def advance(self, now: datetime) -> None:
        """Commit the held-back requests and run the books' own events that are due."""
        with self.lock:
            self._catch_up(self.clock.follow(now))
            for books in self._books.values():
                books.advance(self._present)

    def organisations(self) -> Sequence[Organisation]:
        """Return the organisations with what was written to them."""
        return [
            Organisation(each.tenant_id, each.name, each.truth, each.mails, each.notes) for each in self._books.values()
        ]

    def load_scenario(self, document: Mapping[str, object], now: datetime) -> Organisation:
        """Add the organisation that a neutral scenario describes, or replace it. Raises ValueError."""
        books = scenario.load(dict(document), now)
        books.switches.update(self.switches)
        self._books[books.tenant_id] = books
        return Organisation(books.tenant_id, books.name, books.truth, books.mails)

    def act(self, organisation_id: str, action: Mapping[str, object], now: datetime) -> Mapping[str, object]:
        """Do what a person does in Xero's screens. Raises ValueError."""
        return people.act(self._books[organisation_id], dict(action), now)

    def order_consent(self, order: Mapping[str, object], now: datetime) -> Mapping[str, object]:
        """Steer the user: refuse the next consent, grant fewer scopes from now on, disconnect. Raises ValueError."""
        del now
        with self._identity_lock:
            return self._identity.order(order)

    def order_limits(self, order: Mapping[str, object], now: datetime) -> Mapping[str, object]:
        """Change caps or usage, see `Limits.order`. Raises ValueError."""
        return self.limits.order(order, list(self._books), now)

    def switch(self, order: Mapping[str, object]) -> Mapping[str, object]:
        """Set named behaviours, for every organisation present and future. Raises ValueError for an unknown name."""
        for name, value in order.items():
            if name not in self.switches:
                raise ValueError(f"unknown switch {name}; known: {', '.join(sorted(self.switches))}")
            if not _fits(value, _SWITCHES[name]):
                raise ValueError(f"switch {name}: {value!r} is not of the kind of its default {_SWITCHES[name]!r}")
            if name in CHOICES and value not in CHOICES[name]:
                raise ValueError(f"switch {name} must be one of {', '.join(map(str, CHOICES[name]))}")
        self.switches.update(order)
        self.limits.concurrent_name = str(self.switches["concurrent_problem"])
        self.limits.app_minute_name = str(self.switches["app_minute_problem"])
        for books in self._books.values():
            books.switches.update(order)
        return dict(self.switches)

    def webhooks_document(self) -> Mapping[str, object]:
        """Return the webhook subscriptions: their state, and everything that was sent."""
        return self._webhooks.document()

    def order_webhooks(self, order: Mapping[str, object], now: datetime) -> Mapping[str, object]:
        """Subscribe, enable, disturb or remove, see `webhooks`. Raises ValueError."""
        return self._webhooks.order(order, now)

    def deliver_webhooks(self) -> int:
        """Send the webhooks that are due by the twin's clock and return how many requests went out.

        Takes the sandbox's lock only between the requests. A served sandbox does this by itself.
        """
        now = self.clock.now()
        self.advance(now)
        with self.lock:
            self._webhooks.collect()
        return self._webhooks.deliver(now)

    def pump(self) -> float | None:
        """Send what is due and return after how many real seconds to look again; None while nothing is to come."""
        self.deliver_webhooks()
        now = self.clock.now()
        with self.lock:
            due = self._webhooks.next_due(now)
        if due is None or self.clock.frozen:
            return None
        return max(0.0, (due - now).total_seconds())

    def _sender(self, seed: int, post: Post) -> Webhooks:
        apps = {app.client_id: app for app in (self.web_app, self.pkce_app)}

        def reaches(client_id: str, tenant_id: str) -> bool:
            with self._identity_lock:
                return self._connections.reaches(apps[client_id], tenant_id)

        return Webhooks(seed, tuple(apps), self._books, reaches, self.lock, post)

    def _stir(self) -> None:
        """Tell the webhook sender that something may have happened."""
        if self._webhooks.active:
            with self.lock:
                self._webhooks.collect()
            self.wake()

    def _parts(self) -> Parts:
        return Parts(
            organisations=self._books,
            identity=self._identity,
            limits=self.limits,
            faults=self.faults,
            interjections=self.interjections,
            calls=self.calls,
            ids=self._ids,
            switches=self.switches,
            lock=self.lock,
            identity_lock=self._identity_lock,
            catch_up=self._catch_up,
        )

    def _identify(self, request: Request, now: datetime) -> tuple[str, Response]:
        route = self._identity.route(request)
        if route is None:
            self.calls.unsimulated(request.method, request.path)
            return "(undocumented)", problems.not_found()
        self.advance(now)
        return route, self.faults.draw(request, (), now).all_at_edge(
            lambda instant: self._answer_identity(request, instant), now
        )

    def _answer_identity(self, request: Request, now: datetime) -> Response:
        with self._identity_lock:
            return self._identity.handle(request, now)

    def _catch_up(self, now: datetime) -> datetime:
        """Run what is due up to `now`, in the order of its instants; the caller holds the lock."""
        while (late := self.faults.next_due(now)) is not None:
            self._move_to(late.due)
            late.execute(late.due)
        self._move_to(now)
        return self._present

    def _move_to(self, now: datetime) -> None:
        if now - self._advanced >= _ADVANCE_STEP:
            self._advanced = now
            for books in self._books.values():
                books.advance(now)
        self._present = max(self._present, now)


def _nobody() -> None:
    """Nobody waits for webhooks: they go out when `deliver_webhooks` is called."""


def _fits(value: object, default: object) -> bool:
    """Tell whether a switch may take the value: a number for a number, a list of texts for a list, and so on."""
    if default is None:
        return value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, int):
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9
    if isinstance(default, str):
        return isinstance(value, str)
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
