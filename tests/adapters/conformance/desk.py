"""A desk: one connected organisation on a twin in process, a mirror, and the people who work in the ledger itself.

The way to the twin is the product's own HTTP client with the network replaced; time is the twin's and never passes by
itself. What happened is read from the twin's log and books, never from the adapter's opinion.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote_to_bytes

import httpx

from adapters._twin.messages import CutAfter, Deliver, Hang, Request, Reset, Response
from connector import http, oauth
from connector.domain.effects import Effect, Prepared
from connector.domain.flat import Brought, FlatInvoice, FlatPayment
from connector.domain.ledger import Invoice, NeedsReview, Payment, RecordKind
from connector.ports import Batch, Clock, Credentials, Grant, HttpClient, Ledger, OAuthEndpoints
from connector.service.consent import CALLBACK_PATH, Pending, self_consent
from connector.store.mirror_rows import flat_invoice, flat_payment
from tests.adapters.conformance.bench import Bench, Json, Key, LedgerTwin, Match, Portrait
from tests.fakes import FakeRandom

BASE = "http://127.0.0.1:1"
BACK = f"http://localhost:8484{CALLBACK_PATH}"
ROWS = 5
QUIET = 181.0  # seconds: just more than the wait after which an unknown outcome is looked up


class TwinClock:
    """The twin's time; waiting moves it. `ahead`: how far this machine's clock is wrong."""

    def __init__(self, twin: LedgerTwin, ahead: timedelta = timedelta(0)) -> None:
        self._twin = twin
        self._ahead = ahead
        self.slept: list[float] = []
        self.watch: Callable[[], None] = lambda: None  # called whenever somebody begins to wait

    def now(self) -> datetime:
        return self._twin.clock.now() + self._ahead

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.watch()
        self._twin.advance(self._twin.clock.advance(max(seconds, 0.0)))

    def lease_now(self) -> datetime:
        return self.now()


class Serial(Executor):
    """Pages one after the other, in the caller's own thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - the caller gets it from the future
            done.set_exception(error)
        return done


class _Cut(httpx.SyncByteStream):
    """A body whose connection is lost after some bytes."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self._body
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


@dataclass
class Line(httpx.BaseTransport):
    """The wire to the twin, and a log of what went over it."""

    twin: LedgerTwin
    reshape: Callable[[Request], Request] = lambda request: request  # before the ledger sees it
    log: list[tuple[Request, int]] = field(default_factory=list)  # with the status of the answer
    most_at_once: int = 0
    _at_once: int = 0
    _gate: threading.Lock = field(default_factory=threading.Lock)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        asked = self.reshape(_as_asked(request))
        with self._gate:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            response = self.twin.handle(asked, self.twin.clock.now())
        finally:
            with self._gate:
                self._at_once -= 1
                if not asked.path.startswith("/__sandbox/"):
                    self.log.append((asked, 0))
        if not asked.path.startswith("/__sandbox/"):
            self.log[-1] = (asked, response.status if isinstance(response.wire, Deliver) else 0)
        return self._put(request, response)

    def _put(self, request: httpx.Request, response: Response) -> httpx.Response:
        body = b"" if response.status in {204, 304} else response.body
        match response.wire:
            case Reset():
                raise httpx.ReadError("connection reset by peer", request=request)
            case Hang():
                self.twin.clock.advance(request.extensions["timeout"]["read"])
                raise httpx.ReadTimeout("timed out", request=request)
            case CutAfter(body_bytes=count) if count < len(body):
                return httpx.Response(response.status, headers=list(response.headers), stream=_Cut(body[:count]))
        return httpx.Response(response.status, headers=list(response.headers), content=body)

    def writes(self) -> list[Request]:
        """The requests to the ledger that would change something."""
        return [
            one for one, _ in self.log if one.method != "GET" and not one.path.startswith(("/identity", "/connect"))
        ]

    def refused(self) -> list[int]:
        """The statuses of answers that tell an app to go slower."""
        return [status for _, status in self.log if status == 429]


def _as_asked(request: httpx.Request) -> Request:
    path, _, query = request.url.raw_path.partition(b"?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(request.method, unquote_to_bytes(path).decode(), query.decode(), headers, request.read())


class Held:
    """Tokens from a real consent, refreshed only when the ledger refuses them: the wire shows what it says."""

    def __init__(
        self, client: HttpClient, endpoints: OAuthEndpoints, app: Credentials, first: oauth.TokenAnswer
    ) -> None:
        self._client, self._endpoints, self._app = client, endpoints, app
        self._tokens = first
        self.replaced = 0

    def access(self) -> str:
        return self._tokens.access

    def replace(self, refused: str) -> str:
        self.replaced += 1
        self._tokens = oauth.refresh(self._client, self._endpoints, self._app, self._tokens.refresh)
        return self._tokens.access


@dataclass
class Mirror:
    """Records as they came: an older stamp never overwrites a newer one, otherwise the later reading counts."""

    records: dict[Key, Brought] = field(default_factory=dict)
    review: dict[Key, NeedsReview] = field(default_factory=dict)
    came: Counter[Key] = field(default_factory=Counter)

    def take(self, batch: Batch) -> None:
        for doubtful in batch.needs_review:
            self.review[doubtful.kind, doubtful.id] = doubtful
        for record in batch.records:
            key = (batch.kind, record.id)
            self.came[key] += 1
            known = self.records.get(key)
            if known is None or _stamp(known) <= _stamp(record):
                self.records[key] = record
                self.review.pop(key, None)

    def portraits(self) -> dict[Key, Portrait]:
        return {key: portrait(record) for key, record in self.records.items()}

    def of(self, kind: RecordKind) -> dict[str, Portrait]:
        return {one: portrait(record) for (its, one), record in self.records.items() if its is kind}


def portrait(record: Brought) -> Portrait:
    """All that the mirror keeps of a record."""
    if isinstance(record, Invoice):
        record = flat_invoice(record)
    elif isinstance(record, Payment):
        record = flat_payment(record)
    if isinstance(record, FlatInvoice | FlatPayment):
        return record._asdict()
    return {name: getattr(record, name) for name in record.__slots__}


def _stamp(record: Brought) -> float:
    if isinstance(record, FlatInvoice | FlatPayment):
        return (record.updated_us or 0) / 1e6
    return record.updated_at.timestamp() if record.updated_at else 0


class Desk:
    """One connected organisation."""

    def __init__(self, bench: Bench, scenario: Json, now: datetime, ahead: timedelta = timedelta(0)) -> None:
        self.bench = bench
        self.twin = bench.found(scenario, now)
        self.clock = TwinClock(self.twin, ahead)
        self.line = Line(self.twin)
        self.client = http.client(self.line)
        self.name = str(scenario["organisation"]["name"])
        self.app = Credentials(self.twin.client_id, self.twin.client_secret)
        self._since = 0
        self.tokens, self.grant = self.consent()
        self.ledger = self.opened(self.client, self.tokens)
        self.line.log.clear()

    def consent(self) -> tuple[Held, Grant]:
        """A person consents on the ledger's own page; the code becomes tokens."""
        endpoints = self.bench.adapter.oauth(BASE)
        state, pkce = oauth.new_state(), oauth.new_pkce()
        url = oauth.authorization_url(endpoints, self.app.client_id, BACK, state, pkce)
        pending = Pending(url, BACK, state, pkce, frozenset({"127.0.0.1"}), BASE)
        code = pending.code_in(self_consent(self.client, pending, self.name))
        first = oauth.exchange(self.client, endpoints, self.app, code, BACK, pkce)
        (grant,) = (one for one in self.bench.adapter.grants(self.client, BASE, first.access) if one.name == self.name)
        return Held(self.client, endpoints, self.app, first), grant

    def opened(
        self, client: HttpClient, tokens: Any, *, base_url: str = BASE, ledger_id: str = "", clock: Clock | None = None
    ) -> Ledger:
        """The ledger as another process would open it."""
        return self.bench.adapter.connect(
            http=client, clock=clock or self.clock, random=FakeRandom(), tokens=tokens, base_url=base_url,
            ledger_id=ledger_id or self.grant.ledger_id,
        )  # fmt: skip

    def close(self) -> None:
        self.client.close()

    # -- the control plane -------------------------------------------------------------------------------------------

    def order(self, path: str, document: object) -> Json:
        return self._control("POST", path, json.dumps(document).encode())

    def look(self, path: str) -> Json:
        return self._control("GET", path, b"")

    def _control(self, method: str, path: str, body: bytes) -> Json:
        where, _, query = path.partition("?")
        answer = self.twin.handle(Request(method, f"/__sandbox/{where}", query, {}, body), self.twin.clock.now())
        assert answer.status == 200, answer.body
        document: Json = json.loads(answer.body)
        return document

    def people(self, *acts: Mapping[str, object]) -> list[Json]:
        """People do this in the ledger's own screens."""
        results: list[Json] = self.order("people", {"organisation": self.name, "actions": list(acts)})["results"]
        return results

    def meanwhile(self, match: Match, *acts: Mapping[str, object], moment: str = "before", times: int = 1) -> None:
        """People do this in the middle of such a request: "before" it is carried out, or "after"."""
        document = {"organisation": self.name, "match": dict(match), "moment": moment, "actions": list(acts)}
        self.order("interjections", {**document, "times": times})

    def done_meanwhile(self) -> int:
        """How many acts of people fell into requests; every one of them was possible."""
        firings = self.look("interjections")["firings"]
        assert [one for one in firings if "refused" in one] == []
        return len(firings)

    def fault(self, match: Match, times: int | None = 1, **action: object) -> None:
        """Such requests fare so."""
        rule: Json = {"match": dict(match), "action": action}
        self.order("faults", rule if times is None else {**rule, "times": times})

    def struck(self) -> int:
        """How many faults have struck."""
        return len(self.look("faults")["firings"])

    def heal(self) -> None:
        self._control("DELETE", "faults", b"")

    def limits(self, **caps: object) -> None:
        self.order("limits", caps)

    def wait(self, seconds: float) -> None:
        self.clock.sleep(seconds)

    def narrow(self, rows: int = ROWS) -> None:
        """The ledger's pages hold no more than so many rows."""
        self.line.reshape = lambda request: self.bench.narrow(request, rows)

    # -- what is true ------------------------------------------------------------------------------------------------

    def truth(self) -> Mapping[Key, Portrait]:
        return self.bench.truth(self.twin, self.name)

    def log(self) -> list[Json]:
        """Changes that came through the API since `forget`, oldest first."""
        writes: list[Json] = self.look(f"writes?since={self._since}")["writes"]
        return [row for row in writes if row["actor"] == "api"]

    def forget(self) -> None:
        """What happened so far was preparation."""
        self._since = max((int(row["seq"]) for row in self.look("writes")["writes"]), default=0)
        self.line.log.clear()

    def happened(self, effect: Effect, prepared: Prepared) -> int:
        """How often this effect was committed. Everything else in the log would be a write that nobody ordered."""
        rows = [row for row in self.log() if row["kind"] not in self.bench.comes_along]
        ours = [row for row in rows if self.bench.happened(effect, prepared, row)]
        assert ours == rows, f"writes that nobody ordered: {[row for row in rows if row not in ours]}"
        return len(ours)

    # -- reading -----------------------------------------------------------------------------------------------------

    def pull(self, mirror: Mirror, cursor: str | None = None, pages: Executor | None = None) -> str:
        """One whole round; its cursor."""
        last: str | None = None
        for batch in self.ledger.changes(cursor, pages or Serial()):
            assert last is None, "a batch after the one with the cursor"
            mirror.take(batch)
            last = batch.cursor
        assert last is not None, "a round without a cursor"
        return last

    def crash_after(self, batches: int, mirror: Mirror, cursor: str | None) -> bool:
        """A round of which only so many batches are stored. False where it had no more."""
        round_ = self.ledger.changes(cursor, Serial())
        for batch in itertools.islice(round_, batches):
            if batch.cursor is not None:
                return False
            mirror.take(batch)
        return True
