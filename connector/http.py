"""The only importer of httpx: one pooled client, and the caller that every adapter speaks through.

`client()` sends one request and judges nothing but whether it left. `Caller` adds what all ledgers need alike: a
limiter fed by the server's own headers, retries by error class, one token replacement, counts and a log without
secrets. What differs between ledgers is a `Dialect`. Every wait goes through the Clock; the socket deadline alone is
real time.
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from io import BytesIO
from ipaddress import ip_address
from time import monotonic
from typing import Final, Protocol, TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception

from connector.errors import (
    DunwellError,
    LedgerUnavailable,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Retriable,
    TokenExpired,
    UnreadableAnswer,
)
from connector.ports import Clock, HttpAnswer, HttpClient, HttpRequest, Random, Tokens

__all__ = ["Caller", "Dialect", "HttpxClient", "Limiter", "client"]

T = TypeVar("T")

log = logging.getLogger("dunwell.http")

MAX_ANSWER: Final = 64 * 1024 * 1024  # bytes after decompression
CONNECT_SECONDS: Final = 10.0
WINDOW: Final = timedelta(seconds=60)
MARGIN: Final = timedelta(seconds=1)  # the server's clock and ours need not tick together
LONGEST_WAIT: Final = 120.0  # a longer Retry-After is the caller's business
ATTEMPTS: Final = 4
LIMIT_ATTEMPTS: Final = 10

# Raised by httpx before the first byte of the request is written: connecting (names, routes, TLS) and the pool's queue.
_NEVER_LEFT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class _Cut(Exception):
    """Our own end of an answer: too long or too slow."""


@cache
def _tls() -> ssl.SSLContext:
    """One context a process: building it costs more than a request. Honours SSL_CERT_FILE and SSL_CERT_DIR."""
    return httpx.create_ssl_context()


class HttpxClient:
    """`HttpClient` over httpx: a connection pool without redirects, cookies, proxies or netrc from the environment."""

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        for chatty in ("httpx", "httpcore"):  # they log whole URLs and headers
            logging.getLogger(chatty).setLevel(logging.WARNING)
        self._in_process = transport is not None
        self._client = httpx.Client(
            transport=transport,
            verify=_tls(),
            trust_env=False,
            follow_redirects=False,
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=5.0),
            headers={"User-Agent": "dunwell"},
        )

    def send(self, request: HttpRequest) -> HttpAnswer:
        """One request, one answer.

        Raises `NotSent` when certainly no byte of the request left, `OutcomeUnknown` when it may have been processed,
        `Refused` for plain http to another machine. Errors carry neither the request nor its headers.
        """
        where = self._check(request)
        started = monotonic()
        # The error is raised outside the except block so that no httpx exception, which holds the request and its
        # bearer token, hangs on to it as context.
        fault: DunwellError
        try:
            answer = self._exchange(request, started + request.timeout)
        except _NEVER_LEFT as error:
            fault = NotSent(f"{where} cannot be reached: {_words(error)}", not_done="the request was not sent")
        except httpx.InvalidURL:
            fault = NotSent("the address is not a valid URL", not_done="the request was not sent")
        except _Cut as error:
            fault = OutcomeUnknown(f"{where}: {error}")
        except (httpx.HTTPError, httpx.StreamError) as error:
            fault = OutcomeUnknown(f"{where} did not give a whole answer: {type(error).__name__}")
        else:
            taken = (monotonic() - started) * 1000
            log.debug("%s -> %d, %d bytes, %.0f ms", where, answer.status, len(answer.body), taken)
            return answer
        log.info("%s -> %s", where, type(fault).__name__)
        raise fault

    def close(self) -> None:
        self._client.close()

    def _check(self, request: HttpRequest) -> str:
        """Method, host and path, for messages: never the query, which may carry search words or codes."""
        try:
            url = httpx.URL(request.url)
        except httpx.InvalidURL:
            return request.method
        if url.scheme == "http" and not self._in_process and not _is_loopback(url.host):
            raise Refused(f"{url.host}: tokens never travel over plain http", next_step="use an https address")
        return f"{request.method} {url.host}{url.path}"

    def _exchange(self, request: HttpRequest, deadline: float) -> HttpAnswer:
        body = BytesIO()  # grows and hands out its bytes with less copying than a bytearray
        with self._client.stream(
            request.method,
            request.url,
            headers=dict(request.headers),
            content=request.body or None,
            timeout=httpx.Timeout(request.timeout, connect=min(request.timeout, CONNECT_SECONDS)),
        ) as response:
            for chunk in response.iter_bytes():
                body.write(chunk)
                if body.tell() > MAX_ANSWER:
                    raise _Cut(f"the answer is longer than {MAX_ANSWER} bytes")
                if monotonic() > deadline:
                    raise _Cut(f"the answer took longer than {request.timeout:.0f} s")
            headers = {name.lower(): value for name, value in response.headers.items()}
            return HttpAnswer(response.status_code, headers, body.getvalue())


def _words(error: Exception) -> str:
    """httpx's words where they come from the resolver, the route or TLS; they never quote our headers."""
    return str(error) or type(error).__name__


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def client(transport: httpx.BaseTransport | None = None) -> HttpxClient:
    """The process's HTTP client. `transport` replaces the network: a sandbox in process, or a test."""
    return HttpxClient(transport)


class Dialect(Protocol):
    """What one ledger's HTTP means."""

    @property
    def per_minute(self) -> int:
        """Calls that the ledger allows one organisation in a minute."""
        ...

    @property
    def reserve(self) -> int:
        """Calls of a minute that are left untouched."""
        ...

    @property
    def concurrent(self) -> int:
        """Calls in flight at once."""
        ...

    def classify(self, request: HttpRequest, answer: HttpAnswer) -> DunwellError | None:
        """The error that the answer means, or None where it is what was asked for."""
        ...

    def limits(self, headers: Mapping[str, str]) -> Mapping[str, int]:
        """What the server says remains, by window name ("minute", "day"); empty where it says nothing."""
        ...


class Limiter:
    """Keeps calls under the server's limits, so that they are met by waiting and not by a refusal.

    The minute is a fixed window whose start only the server knows. It ends at the latest 60 s after the first answer
    that was seen inside it, so waiting until then is always enough. Where the server says nothing, our own last minute
    is counted instead.
    """

    def __init__(self, clock: Clock, dialect: Dialect) -> None:
        self._clock = clock
        self._dialect = dialect
        self._gate = threading.Lock()  # held while sleeping: the others wait behind the sleeper
        self._changed = threading.Condition()
        self._in_flight = 0
        self._silent = False  # the server's headers do not speak of minutes
        self._remaining: int | None = None
        self._seen: datetime | None = None  # first answer seen in the present window
        self._blocked_until: datetime | None = None
        self._sent: deque[datetime] = deque(maxlen=dialect.per_minute)
        self.budgets: dict[str, int] = {}

    def enter(self) -> None:
        """Waits until one more call may leave. Every `enter` needs one `leave`."""
        with self._gate:
            while True:
                with self._changed:
                    while self._must_hear_first():
                        self._changed.wait()
                    pause = self._pause()
                    if pause <= 0:
                        self._in_flight += 1
                        self._sent.append(self._clock.now())
                        return
                self._clock.sleep(pause)

    def leave(self, headers: Mapping[str, str] | None) -> None:
        """The call is over; `headers` None where no answer came."""
        with self._changed:
            self._in_flight -= 1
            if headers is not None:
                self._observe(self._dialect.limits(headers))
            self._changed.notify_all()

    def block(self, seconds: float) -> None:
        """The server asked everyone to wait that long."""
        with self._changed:
            self._blocked_until = self._clock.now() + timedelta(seconds=seconds)
            self._remaining = None

    def _must_hear_first(self) -> bool:
        """Whether an answer in flight must arrive before anything can be decided."""
        if self._in_flight == 0:
            return False
        if self._in_flight >= self._dialect.concurrent:
            return True
        if self._remaining is None:
            return not self._silent
        return self._remaining - self._in_flight <= self._dialect.reserve

    def _pause(self) -> float:
        now = self._clock.now()
        if self._blocked_until is not None:
            if now < self._blocked_until:
                return (self._blocked_until - now).total_seconds()
            self._blocked_until = None
        if self._remaining is not None and self._seen is not None:
            end = self._seen + WINDOW + MARGIN
            if now >= end:
                self._remaining = None  # a new window: the next answer says
            elif self._remaining - self._in_flight <= self._dialect.reserve:
                return (end - now).total_seconds()
        elif self._silent:
            while self._sent and self._sent[0] + WINDOW <= now:
                self._sent.popleft()
            if len(self._sent) >= max(1, self._dialect.per_minute - self._dialect.reserve):
                return (self._sent[0] + WINDOW - now).total_seconds()
        return 0.0

    def _observe(self, remaining: Mapping[str, int]) -> None:
        self.budgets.update(remaining)
        if "minute" not in remaining:
            self._silent = self._remaining is None
            return
        now = self._clock.now()
        left = remaining["minute"]
        rolled = self._seen is None or now >= self._seen + WINDOW
        # Answers overtake each other by at most the calls in flight; a larger rise is a new window.
        if rolled or self._remaining is None or left > self._remaining + self._dialect.concurrent:
            self._seen, self._remaining = now, left
        else:
            self._remaining = min(self._remaining, left)
        self._silent = False


class Caller:
    """Calls of one connection to one ledger: authorised, limited, retried by class of error, counted."""

    def __init__(self, *, http: HttpClient, clock: Clock, random: Random, tokens: Tokens, dialect: Dialect) -> None:
        self._http = http
        self._clock = clock
        self._random = random
        self._tokens = tokens
        self._dialect = dialect
        self._limiter = Limiter(clock, dialect)
        self._leave_by: datetime | None = None
        self._counting = threading.Lock()
        self._calls = 0
        self._received = 0

    @property
    def calls(self) -> int:
        """Requests sent so far, refused and repeated ones included."""
        return self._calls

    @property
    def received(self) -> int:
        """Bytes of answers received so far, decompressed."""
        return self._received

    def budgets(self) -> Mapping[str, int]:
        """What the server last said remains, by window."""
        return dict(self._limiter.budgets)

    def read(self, request: HttpRequest, decode: Callable[[HttpAnswer], T]) -> T:
        """The decoded answer to a request that changes nothing.

        Repeats what may come right by itself (also an answer that `decode` calls `UnreadableAnswer`); a day limit and
        everything that needs a person is raised at once.
        """
        decoded: T = self._retrying(_read_again)(self._read_once, request, decode)
        return decoded

    def write(self, request: HttpRequest, decode: Callable[[HttpAnswer], T]) -> T:
        """The decoded answer to a request that changes something.

        Repeated, byte for byte under the same key, only where it certainly was not processed: never sent, refused for
        its rate, refused for its token. Every other failure is `OutcomeUnknown` or definite.
        """
        decoded: T = self._retrying(_write_again)(self._write_once, request, decode)
        return decoded

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Requests made inside leave within so many seconds of the Clock, or not at all (`NotSent`, `RateLimited`).

        Whoever has declared an intent must not act on it long after others may have given it up.
        """
        self._leave_by = self._clock.now() + timedelta(seconds=seconds)
        try:
            yield
        finally:
            self._leave_by = None

    def _is_too_late(self, state: RetryCallState) -> bool:
        if self._leave_by is None:
            return False
        error = state.outcome.exception() if state.outcome else None
        wait = error.retry_after if isinstance(error, RateLimited) else 0.0
        return self._clock.now() + timedelta(seconds=wait) > self._leave_by

    def _retrying(self, again: Callable[[BaseException], bool]) -> Retrying:
        return Retrying(
            retry=retry_if_exception(again),
            stop=lambda state: _spent(state) or self._is_too_late(state),
            wait=self._wait,
            sleep=self._clock.sleep,
            reraise=True,
        )

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, RateLimited):
            if error.limit != "concurrent":
                return 0.0  # the limiter holds everyone back until then
            return self._random.uniform(0.3, 1.5) * state.attempt_number
        return self._random.uniform(0.5, 1.5) * 2.0 ** (state.attempt_number - 1)

    def _read_once(self, request: HttpRequest, decode: Callable[[HttpAnswer], T]) -> T:
        try:
            return decode(self._answer(request))
        except OutcomeUnknown as error:
            raise LedgerUnavailable(error.what) from None

    def _write_once(self, request: HttpRequest, decode: Callable[[HttpAnswer], T]) -> T:
        try:
            return decode(self._answer(request))
        except (NotSent, RateLimited):
            raise
        except Retriable as error:
            raise OutcomeUnknown(error.what, record=error.record) from None

    def _answer(self, request: HttpRequest) -> HttpAnswer:
        """The answer, after at most one replacement of a refused token. Raises what the dialect reads in it."""
        token = self._token(self._tokens.access)
        answer, error = self._exchange(request, token)
        if isinstance(error, TokenExpired):
            fresh = self._token(lambda: self._tokens.replace(token))
            answer, error = self._exchange(request, fresh)
        if isinstance(error, RateLimited) and error.limit in {"minute", "app"} and error.retry_after <= LONGEST_WAIT:
            self._limiter.block(error.retry_after)
        if error is not None:
            raise error
        return answer

    def _token(self, give: Callable[[], str]) -> str:
        try:
            return give()
        except Retriable as error:  # whatever kept the token away, this request was not sent
            raise NotSent(error.what, not_done="the request was not sent") from error

    def _exchange(self, request: HttpRequest, token: str) -> tuple[HttpAnswer, DunwellError | None]:
        authorised = replace(request, headers={**request.headers, "Authorization": f"Bearer {token}"})
        self._limiter.enter()
        answer: HttpAnswer | None = None
        try:
            if self._leave_by is not None and self._clock.now() > self._leave_by:
                raise NotSent("the request waited too long for its turn", not_done="the request was not sent")
            answer = self._http.send(authorised)
        finally:
            self._limiter.leave(None if answer is None else answer.headers)
            with self._counting:
                self._calls += 1
                self._received += 0 if answer is None else len(answer.body)
        return answer, self._dialect.classify(request, answer)


def _patient(error: BaseException) -> bool:
    """A limit that passes soon enough to wait for it here."""
    return isinstance(error, RateLimited) and error.limit != "day" and error.retry_after <= LONGEST_WAIT


def _read_again(error: BaseException) -> bool:
    return isinstance(error, (NotSent, LedgerUnavailable, UnreadableAnswer)) or _patient(error)


def _write_again(error: BaseException) -> bool:
    return isinstance(error, NotSent) or _patient(error)


def _spent(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    return state.attempt_number >= (LIMIT_ATTEMPTS if isinstance(error, RateLimited) else ATTEMPTS)
