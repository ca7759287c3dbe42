"""The product's ports as the simulation gives them: every call is a place where others may go first, or a process die.

The ledger is the Xero twin in process, behind the `HttpClient` port: what the wire does to an answer (reset, silence, a
cut body) is told as the product's own transport tells it. The database is SQLite, with one connection per transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa

from adapters._twin.messages import CutAfter, Hang, Request, Reset, Response
from adapters.xero.sandbox.app import XeroTwin
from connector.domain.effects import Effect, EffectKind, Prepared, Receipt
from connector.errors import LedgerRejected, NotSent, OutcomeUnknown
from connector.ports import Channel, HttpAnswer, HttpRequest, Ledger, OutgoingLetter
from connector.store.db import Database
from tests.simulation.baton import Baton

TOKEN_PATH = "/connect/token"


class Watcher(Protocol):
    """Whoever judges what goes over the wire."""

    def leaving(self, request: Request) -> None: ...

    def arrived(self, request: Request) -> None: ...

    def answered(self, request: Request, answer: Response, *, delivered: bool) -> None: ...

    def posting(self, letter: OutgoingLetter) -> None: ...

    def posted(self, letter: OutgoingLetter) -> None: ...


class Events(Protocol):
    """Crashes and pauses of the script."""

    def at(self, point: str, kind: str) -> None: ...

    def wanted(self, *points: str) -> bool: ...

    def refuses(self, request: Request) -> bool: ...

    def latency(self) -> float: ...

    def post(self) -> str: ...


@dataclass
class SimClock:
    """The twin's time. Waiting passes the baton."""

    baton: Baton

    def now(self) -> datetime:
        return self.baton.now

    def sleep(self, seconds: float) -> None:
        self.baton.sleep(seconds)

    def lease_now(self) -> datetime:
        return self.baton.now


@dataclass
class SimIds:
    prefix: str
    count: int = 0

    def new(self) -> str:
        self.count += 1
        return f"{self.prefix}{self.count:04d}"


class Serial(Executor):
    """Pages one after the other, in the caller's own thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - the caller gets it from the future
            done.set_exception(error)
        return done


def to_twin(request: HttpRequest) -> Request:
    """The request as the twin's server would read it."""
    parts = urlsplit(request.url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(request.method, unquote(parts.path), parts.query, headers, request.body)


def answer_of(response: Response) -> HttpAnswer:
    """The answer as the product's transport gives it. Raises `OutcomeUnknown` where it did not arrive whole."""
    match response.wire:
        case Reset():
            raise OutcomeUnknown("the connection was reset")
        case Hang():
            raise OutcomeUnknown("no answer in time")
        case CutAfter(body_bytes=count) if count < len(response.body):
            raise OutcomeUnknown("the answer was cut")
    headers = {name.lower(): value for name, value in response.headers}
    body = b"" if response.status in {204, 304} else response.body
    return HttpAnswer(response.status, headers, body)


@dataclass
class SimHttp:
    """`HttpClient` in front of the twin."""

    baton: Baton
    twin: XeroTwin
    watcher: Watcher
    events: Events

    def send(self, request: HttpRequest) -> HttpAnswer:
        baton, asked = self.baton, to_twin(request)
        if baton.writer is baton.me:
            baton.breach("I0", f"a request inside a writing transaction: {asked.method} {asked.path}")
        if self.events.refuses(asked):
            baton.turn(f"refused {asked.method} {asked.path}")
            raise NotSent("connection refused")
        self.watcher.leaving(asked)
        kind = _kind(baton) if asked.method != "GET" else ""
        baton.turn(f"> {asked.method} {asked.path}")
        self.events.at("K5", kind)
        baton.sleep(self.events.latency())
        self.watcher.arrived(asked)
        response = self.twin.handle(asked, baton.now)
        lost = isinstance(response.wire, (Reset, Hang, CutAfter))
        self.watcher.answered(asked, response, delivered=not lost)
        baton.turn(f"< {response.status}{' lost' if lost else ''}")
        self.events.at("K6", kind)
        baton.sleep(request.timeout if isinstance(response.wire, Hang) else self.events.latency())
        return answer_of(response)


def _kind(baton: Baton) -> str:
    sending = baton.me.sending
    return sending.kind.value if sending is not None else ""


class SimDatabase(Database):
    """The product's database. Transactions begin and end by the baton; a dead process's are rolled back."""

    baton: Baton
    events: Events

    @classmethod
    def on(cls, engine: sa.Engine, clock: SimClock, events: Events) -> SimDatabase:
        made = cls(engine, clock)
        made.baton, made.events = clock.baton, events
        return made

    @contextmanager
    def _transaction(self, lock: str, *, read_only: bool) -> Iterator[sa.Connection]:
        baton = self.baton
        baton.check()
        if read_only:
            with super()._transaction(lock, read_only=True) as connection:
                yield connection
            return
        baton.begin_to_write()
        me = baton.me
        points: list[tuple[str, str]] = []
        try:
            with super()._transaction(lock, read_only=False) as connection:
                before = _planned(connection) if self.events.wanted("K1", "K2") else 0
                sending = _sending(connection)
                yield connection
                baton.turn("commit")
                self._fenced(connection, sending)
                self._before_commit(connection, before, points)
            me.committed_at_turn = baton.turns
        finally:
            baton.end_writing()
        baton.turn("committed")
        for point, kind in points:
            self.events.at(point, kind)

    def _fenced(self, connection: sa.Connection, before: set[tuple[str, int]]) -> None:
        """I8: who begins to send holds the newest lease at that moment."""
        for key, epoch in _sending(connection) - before:
            newest = connection.exec_driver_sql("SELECT max(epoch) FROM lease WHERE name LIKE 'deliver:%'").scalar()
            if newest != epoch:
                self.baton.breach("I8", f"{key[:8]} is begun under epoch {epoch}, the lease is at {newest}")

    def _before_commit(self, connection: sa.Connection, before: int, points: list[tuple[str, str]]) -> None:
        """Where in an effect's life this transaction stands; `points` to come after its commit."""
        me = self.baton.me
        if self.events.wanted("K1", "K2") and _planned(connection) != before:
            points.append(("K2", ""))
            self.events.at("K1", "")
        if me.sent is not None:
            points.append(("K8", me.sent.kind.value))
            sent, me.sent = me.sent, None
            self.events.at("K7", sent.kind.value)
        elif self.events.wanted("K3") and (kind := _being_sent(connection)):
            self.events.at("K3", kind)


def _planned(connection: sa.Connection) -> int:
    return int(connection.exec_driver_sql("SELECT count(*) FROM effect").scalar_one())


def _sending(connection: sa.Connection) -> set[tuple[str, int]]:
    found = connection.exec_driver_sql("SELECT key, epoch FROM effect WHERE state = 'sending'")
    return {(str(key), int(epoch)) for key, epoch in found}


def _being_sent(connection: sa.Connection) -> str:
    found = connection.exec_driver_sql("SELECT kind FROM effect WHERE state = 'sending' LIMIT 1").scalar()
    return str(found or "")


@dataclass
class WatchedLedger:
    """The product's ledger; knows which effect is being sent."""

    inner: Ledger
    baton: Baton
    events: Events

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def send(self, effect: Effect, prepared: Prepared, leave_by: datetime) -> Receipt:
        with sending(self.baton, self.events, effect):
            return self.inner.send(effect, prepared, leave_by)


@contextmanager
def sending(baton: Baton, events: Events, effect: Effect) -> Iterator[None]:
    """The running actor sends this effect."""
    me = baton.me
    me.sending = effect
    try:
        events.at("K4", effect.kind.value)
        yield
    finally:
        me.sending, me.sent = None, effect


@dataclass
class Post:
    """A mail server. What it took for certain is in `delivered`, whatever it said."""

    baton: Baton
    watcher: Watcher
    events: Events
    name: str = "email"
    delivered: list[tuple[datetime, OutgoingLetter]] = field(default_factory=list)

    def send(self, letter: OutgoingLetter, at: datetime) -> Receipt:
        baton = self.baton
        with sending(baton, self.events, _letter(letter)):
            self.watcher.posting(letter)
            baton.turn(f"mail> {letter.message_id}")
            self.events.at("K5", "letter")
            baton.sleep(self.events.latency())
            fault = self.events.post()
            if fault == "before data":
                raise NotSent("421 try again later")
            if fault == "refused":
                raise LedgerRejected("550 no such mailbox", detail="no such mailbox", status=550)
            if fault != "lost before":
                self.deliver(letter)
            baton.turn("mail< delivered")
            self.events.at("K6", "letter")
            if fault.startswith("lost"):
                raise OutcomeUnknown("no answer after the end of the data")
            return Receipt(letter.message_id, "250 queued")

    def deliver(self, letter: OutgoingLetter) -> None:
        self.delivered.append((self.baton.now, letter))
        self.watcher.posted(letter)


@dataclass
class Folder(Post):
    """The product's folder of letters, where a letter can be found again."""

    inner: Any = None

    def deliver(self, letter: OutgoingLetter) -> None:
        channel: Channel = self.inner
        if not channel.send(letter, self.baton.now).already:
            super().deliver(letter)

    def find(self, message_id: str) -> bool:
        self.baton.turn("mail?")
        found: bool = self.inner.find(message_id)
        return found


def _letter(letter: OutgoingLetter) -> Any:
    @dataclass(frozen=True)
    class _Sent:
        key: str
        kind: EffectKind = EffectKind.LETTER

    return _Sent(letter.message_id)
