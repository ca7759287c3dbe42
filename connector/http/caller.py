"""The caller that every adapter speaks through: authorised, limited, retried by class of error, counted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception

from connector.errors import (
    DunwellError,
    LedgerUnavailable,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    Retriable,
    TokenExpired,
    UnreadableAnswer,
)
from connector.http.dialect import Dialect
from connector.http.limiter import Limiter
from connector.ports import Clock, HttpAnswer, HttpClient, HttpRequest, Random, Tokens

T = TypeVar("T")

log = logging.getLogger("dunwell.http")

LONGEST_WAIT: Final = 120.0  # a longer Retry-After is the caller's business
ATTEMPTS: Final = 4
LIMIT_ATTEMPTS: Final = 10


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

    def held_until(self) -> datetime | None:
        """Until when the server's limits hold every call back, while they do. Any thread may ask."""
        return self._limiter.held_until

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
    def leaving_by(self, instant: datetime) -> Iterator[None]:
        """Requests made inside leave by that instant of the Clock (UTC), or not at all (`NotSent`, `RateLimited`).

        Whoever has declared an intent must not act on it long after others may have given it up.
        """
        self._leave_by = instant
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
