"""connector.http: what certainly was not sent, what may have been, when to try again, and how long to wait."""

from __future__ import annotations

import gzip
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from connector import http
from connector.errors import (
    DunwellError,
    LedgerRejected,
    LedgerUnavailable,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Retriable,
    TokenExpired,
    UnreadableAnswer,
)
from connector.http import Caller
from connector.ports import HttpAnswer, HttpRequest
from tests.fakes import NOON, FakeClock, FakeRandom

URL = "https://ledger.example/api/Invoices"
SECRET = "canary-token-7f3a"


def ask(url: str = URL, method: str = "GET", body: bytes = b"") -> HttpRequest:
    return HttpRequest(method, url, {"Authorization": f"Bearer {SECRET}"}, body, timeout=5.0)


# --- one request, one answer -------------------------------------------------------------------------------------


@respx.mock
@pytest.mark.parametrize(
    ("failure", "meaning"),
    [
        (httpx.ConnectError("name not known"), NotSent),
        (httpx.ConnectTimeout(""), NotSent),
        (httpx.PoolTimeout(""), NotSent),
        (httpx.ReadTimeout(""), OutcomeUnknown),
        (httpx.WriteTimeout(""), OutcomeUnknown),
        (httpx.ReadError(""), OutcomeUnknown),
        (httpx.WriteError(""), OutcomeUnknown),
        (httpx.CloseError(""), OutcomeUnknown),
        (httpx.RemoteProtocolError("peer closed"), OutcomeUnknown),
        (httpx.LocalProtocolError(f"Illegal header value b'Bearer {SECRET}'"), OutcomeUnknown),
        (httpx.DecodingError(""), OutcomeUnknown),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_a_failure_says_whether_the_request_may_have_been_processed(
    failure: Exception, meaning: type[DunwellError]
) -> None:
    respx.post(URL).mock(side_effect=failure)
    with pytest.raises(DunwellError) as caught:
        http.client().send(ask(method="POST", body=b"{}"))
    assert type(caught.value) is meaning
    # No httpx exception hangs on: it would hold the request and its bearer token.
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert SECRET not in f"{caught.value} {caught.value!r} {caught.value.as_dict()}"


@respx.mock
def test_an_answer_has_status_lower_case_headers_and_body() -> None:
    respx.get(URL).respond(201, headers={"X-MinLimit-Remaining": "58"}, content=b"body")
    answer = http.client().send(ask())
    assert (answer.status, answer.body) == (201, b"body")
    assert answer.headers["x-minlimit-remaining"] == "58"


@respx.mock
def test_redirects_are_not_followed_and_cookies_not_returned() -> None:
    respx.get(URL).respond(302, headers={"Location": "https://evil.example/", "Set-Cookie": "a=1"})
    client = http.client()
    assert client.send(ask()).status == 302
    client.send(ask())
    assert [call.request.url.host for call in respx.calls] == ["ledger.example", "ledger.example"]
    assert "cookie" not in respx.calls[1].request.headers


@respx.mock
def test_neither_tokens_nor_search_words_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    respx.get(url__startswith=URL).respond(200, content=b"x")
    client = http.client()
    with caplog.at_level(logging.DEBUG):
        client.send(ask(f"{URL}?where=Name%3D%22Smith%22"))
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name != "asyncio")
    assert "GET ledger.example/api/Invoices -> 200, 1 bytes" in logged
    assert SECRET not in logged
    assert "Smith" not in logged


def test_plain_http_leaves_this_machine_never() -> None:
    with pytest.raises(Refused, match="plain http"):
        http.client().send(ask("http://ledger.example/api"))


@respx.mock
@pytest.mark.parametrize("host", ["localhost:8090", "127.0.0.1:8090", "[::1]:8090", "xero.localhost"])
def test_plain_http_reaches_a_sandbox_on_this_machine(host: str) -> None:
    respx.get(f"http://{host}/api").respond(200)
    assert http.client().send(ask(f"http://{host}/api")).status == 200


def test_an_invalid_address_was_not_sent() -> None:
    with pytest.raises(NotSent):
        http.client().send(ask("https://[half"))


@respx.mock
def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.http.transport.MAX_ANSWER", 10)
    respx.get(URL).respond(200, content=b"x" * 11)
    with pytest.raises(OutcomeUnknown, match="longer than 10 bytes"):
        http.client().send(ask())


@contextmanager
def serving(reply: bytes) -> Iterator[str]:
    """A loopback server that answers one request with exactly these bytes and closes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(reply)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api"
    finally:
        thread.join()
        listener.close()


@pytest.mark.socket
def test_over_a_real_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # proxies of the environment are not used
    packed = gzip.compress(b"whole")
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: "
    client = http.client()
    with serving(head + f"{len(packed)}\r\n\r\n".encode() + packed) as address:
        assert client.send(ask(address)).body == b"whole"
    with serving(head + f"{len(packed) + 1}\r\n\r\n".encode() + packed) as address, pytest.raises(OutcomeUnknown):
        client.send(ask(address))
    with serving(b"") as address, pytest.raises(OutcomeUnknown):
        client.send(ask(address))
    with pytest.raises(NotSent):  # nobody listens there any more
        client.send(ask(address))
    client.close()


# --- calls of one connection -------------------------------------------------------------------------------------


class Dialect:
    """Status codes as plainly as possible."""

    per_minute = 60
    reserve = 5
    concurrent = 5

    def classify(self, request: HttpRequest, answer: HttpAnswer) -> DunwellError | None:
        if answer.status == 429:
            after = float(answer.headers.get("retry-after", "1"))
            return RateLimited("slow down", retry_after=after, limit=answer.headers.get("limit", "concurrent"))
        known: dict[int, DunwellError] = {
            401: TokenExpired("expired"),
            400: LedgerRejected("no"),
            500: LedgerUnavailable("down"),
        }
        return known.get(answer.status)

    def limits(self, headers: Mapping[str, str]) -> Mapping[str, int]:
        return {"minute": int(headers["left"])} if "left" in headers else {}


class Tokens:
    def __init__(self, trouble: Retriable | None = None) -> None:
        self.trouble = trouble
        self.refused: list[str] = []

    def access(self) -> str:
        if self.trouble:
            raise self.trouble
        return "old"

    def replace(self, refused: str) -> str:
        self.refused.append(refused)
        return "new"


class Script:
    """An HttpClient that plays its answers in turn, the last one for ever, and keeps what it was asked."""

    def __init__(self, *script: HttpAnswer | DunwellError) -> None:
        self.script = list(script)
        self.asked: list[HttpRequest] = []

    def send(self, request: HttpRequest) -> HttpAnswer:
        self.asked.append(request)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, DunwellError):
            raise step
        return step


def answer(status: int = 200, body: bytes = b"ok", **headers: str) -> HttpAnswer:
    return HttpAnswer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def text(found: HttpAnswer) -> str:
    return found.body.decode()


def caller(script: Script, tokens: Tokens | None = None) -> tuple[Caller, FakeClock]:
    clock = FakeClock()
    return Caller(http=script, clock=clock, random=FakeRandom(), tokens=tokens or Tokens(), dialect=Dialect()), clock


POST = HttpRequest("POST", URL, {"Idempotency-Key": "k"}, b"body")
GET = HttpRequest("GET", URL)


@pytest.mark.parametrize(
    "trouble", [answer(500), NotSent("no route"), OutcomeUnknown("cut")], ids=["unavailable", "not sent", "cut answer"]
)
def test_a_read_is_tried_again(trouble: HttpAnswer | DunwellError) -> None:
    script = Script(trouble, trouble, answer())
    calls, clock = caller(script)
    assert calls.read(GET, text) == "ok"
    assert (calls.calls, calls.received) == (
        3,
        2 + sum(len(t.body) for t in [trouble] * 2 if isinstance(t, HttpAnswer)),
    )
    assert clock.slept == [1.0, 2.0]  # longer each time, by the injected clock


def test_a_read_gives_up_with_its_reason() -> None:
    script = Script(OutcomeUnknown("cut"))
    calls, _ = caller(script)
    with pytest.raises(LedgerUnavailable, match="cut"):  # a read changes nothing: its outcome is not in doubt
        calls.read(GET, text)
    assert len(script.asked) == http.ATTEMPTS


def test_an_unreadable_answer_is_read_again_but_never_written_again() -> None:
    def half(found: HttpAnswer) -> str:
        raise UnreadableAnswer("half a document")

    script = Script(answer())
    calls, _ = caller(script)
    with pytest.raises(UnreadableAnswer):
        calls.read(GET, half)
    assert len(script.asked) == http.ATTEMPTS
    script.asked.clear()
    with pytest.raises(OutcomeUnknown):
        calls.write(POST, half)
    assert len(script.asked) == 1


@pytest.mark.parametrize("trouble", [answer(500), OutcomeUnknown("cut")], ids=["500", "cut"])
def test_a_write_in_doubt_is_never_repeated(trouble: HttpAnswer | DunwellError) -> None:
    script = Script(trouble)
    calls, clock = caller(script)
    with pytest.raises(OutcomeUnknown):
        calls.write(POST, text)
    assert len(script.asked) == 1
    assert clock.slept == []


def test_a_write_that_was_not_processed_is_repeated_byte_for_byte() -> None:
    script = Script(NotSent("no route"), answer(429, limit="minute", retry_after="26"), answer(401), answer())
    tokens = Tokens()
    calls, clock = caller(script, tokens)
    assert calls.write(POST, text) == "ok"
    assert {(asked.method, asked.url, asked.body, asked.headers["Idempotency-Key"]) for asked in script.asked} == {
        ("POST", URL, b"body", "k")
    }
    assert [asked.headers["Authorization"] for asked in script.asked][-2:] == ["Bearer old", "Bearer new"]
    assert tokens.refused == ["old"]
    assert sum(clock.slept) >= 26


@pytest.mark.parametrize("method", ["read", "write"])
def test_a_token_is_replaced_once(method: str) -> None:
    script = Script(answer(401))
    calls, _ = caller(script)
    with pytest.raises(TokenExpired):
        getattr(calls, method)(GET, text)
    assert len(script.asked) == 2


def test_without_a_token_nothing_was_sent() -> None:
    script = Script(answer())
    calls, _ = caller(script, Tokens(LedgerUnavailable("the token endpoint is down")))
    with pytest.raises(NotSent, match="token endpoint"):
        calls.write(POST, text)
    assert script.asked == []


def test_a_day_limit_is_the_callers_business_at_once() -> None:
    script = Script(answer(429, limit="day", retry_after="66975"))
    calls, clock = caller(script)
    with pytest.raises(RateLimited) as caught:
        calls.read(GET, text)
    assert (caught.value.limit, caught.value.retry_after, clock.slept) == ("day", 66975, [])


def test_a_minute_limit_is_waited_for_by_everyone() -> None:
    script = Script(answer(429, limit="minute", retry_after="26"), answer())
    calls, clock = caller(script)
    assert calls.read(GET, text) == "ok"
    assert clock.now() == NOON + timedelta(seconds=26)


def test_too_many_at_once_is_waited_for_shortly() -> None:
    script = Script(answer(429, limit="concurrent"), answer(429, limit="concurrent"), answer())
    calls, clock = caller(script)
    assert calls.read(GET, text) == "ok"
    assert 0 < sum(clock.slept) < 5


def test_what_must_leave_soon_waits_no_longer_than_that() -> None:
    script = Script(answer(429, limit="minute", retry_after="100"), answer())
    calls, clock = caller(script)
    with pytest.raises(RateLimited), calls.leaving_by(clock.now() + timedelta(seconds=75)):
        calls.write(POST, text)
    assert (clock.slept, len(script.asked)) == ([], 1)


def test_what_waited_too_long_for_its_turn_does_not_leave() -> None:
    script = Script(answer(429, limit="minute", retry_after="100"), answer())
    calls, clock = caller(script)
    with pytest.raises(RateLimited), calls.leaving_by(clock.now() + timedelta(seconds=75)):
        calls.write(POST, text)  # from now on the limiter holds everybody back for 100 s
    with pytest.raises(NotSent), calls.leaving_by(clock.now() + timedelta(seconds=75)):
        calls.write(POST, text)
    assert len(script.asked) == 1
    assert calls.write(POST, text) == "ok"


def test_a_definite_refusal_is_final() -> None:
    script = Script(answer(400))
    calls, _ = caller(script)
    with pytest.raises(LedgerRejected):
        calls.write(POST, text)
    assert len(script.asked) == 1


# --- the limiter ---------------------------------------------------------------------------------------------------


class Minutes:
    """A server with fixed windows whose start it keeps to itself; others may use the same allowance."""

    def __init__(self, clock: FakeClock, phase: float, others: Callable[[int], int], *, tells: bool = True) -> None:
        self.clock, self.phase, self.others, self.tells = clock, phase, others, tells
        self.lock = threading.Lock()
        self.window: int | None = None
        self.left = 60
        self.refused = 0
        self.times: list[datetime] = []

    def send(self, request: HttpRequest) -> HttpAnswer:
        with self.lock:
            self.clock.advance(seconds=0.05)
            window = int(((self.clock.now() - NOON).total_seconds() + self.phase) // 60)
            if window != self.window:
                self.window, self.left = window, 60 - self.others(window)
            self.times.append(self.clock.now())
            if self.left <= 0:
                self.refused += 1
                return answer(429, limit="minute", retry_after="60", left="0")
            self.left -= 1
            return answer(200, b"ok", **({"left": str(self.left)} if self.tells else {}))


@given(phase=st.floats(0, 59.9), busy=st.lists(st.integers(0, 40), min_size=1, max_size=5))
def test_a_full_pull_meets_no_minute_limit(phase: float, busy: list[int]) -> None:
    clock = FakeClock()
    server = Minutes(clock, phase, lambda window: busy[window % len(busy)])
    calls = Caller(http=server, clock=clock, random=FakeRandom(), tokens=Tokens(), dialect=Dialect())
    for _ in range(150):
        calls.read(GET, text)
    assert server.refused == 0
    assert calls.budgets()["minute"] >= 0


@pytest.mark.parametrize("phase", [0.0, 17.0, 59.5])
def test_five_at_once_meet_no_minute_limit(phase: float) -> None:
    clock = FakeClock()
    server = Minutes(clock, phase, lambda _: 0)
    calls = Caller(http=server, clock=clock, random=FakeRandom(), tokens=Tokens(), dialect=Dialect())
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: calls.read(GET, text), range(200)))
    assert found == ["ok"] * 200
    assert server.refused == 0
    # The allowance is used, not merely respected: about 55 calls a window.
    assert clock.now() - NOON < timedelta(minutes=4, seconds=30)


def test_where_the_server_says_nothing_our_own_minute_is_counted() -> None:
    clock = FakeClock()
    server = Minutes(clock, 0.0, lambda _: 0, tells=False)
    calls = Caller(http=server, clock=clock, random=FakeRandom(), tokens=Tokens(), dialect=Dialect())
    for _ in range(150):
        calls.read(GET, text)
    within = [sum(start <= at < start + timedelta(seconds=60) for at in server.times) for start in server.times]
    assert max(within) <= 60
    assert server.refused == 0


def test_no_more_than_the_allowed_number_is_in_flight() -> None:
    at_once, most = 0, 0
    lock = threading.Lock()
    full = threading.Event()

    class Slow:
        def send(self, request: HttpRequest) -> HttpAnswer:
            nonlocal at_once, most
            with lock:
                at_once += 1
                most = max(most, at_once)
                if most == Dialect.concurrent:
                    full.set()
            if request.url != URL:  # the first call only teaches the limiter how much remains
                full.wait(5)
            with lock:
                at_once -= 1
            return answer(200, b"ok", left="59")

    calls = Caller(http=Slow(), clock=FakeClock(), random=FakeRandom(), tokens=Tokens(), dialect=Dialect())
    calls.read(GET, text)
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda n: calls.read(HttpRequest("GET", f"{URL}/{n}"), text), range(24)))
    assert most == Dialect.concurrent
