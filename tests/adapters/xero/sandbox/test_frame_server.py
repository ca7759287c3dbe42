"""The socket server: what reaches a client, byte by byte."""

from __future__ import annotations

import http.client
import logging
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from adapters._twin.messages import CutAfter, Hang, Request, Reset, Response
from adapters._twin.server import TwinServer

pytestmark = pytest.mark.socket


class Echo:
    """Answers by path and keeps what it saw."""

    def __init__(self) -> None:
        self.seen: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.seen.append(request)
        body = b"0123456789" * 10
        match request.path:
            case "/cut":
                return Response(200, (), body, CutAfter(7))
            case "/reset":
                return Response(200, (), body, Reset())
            case "/hang":
                return Response(200, (), body, Hang(0.15))
            case "/hang-long":
                return Response(200, (), body, Hang(600))
            case "/none":
                return Response(204)
            case "/defect":
                raise KeyError("unexpected")
            case "/split":
                return Response(200, (("X-Evil", "a\r\nX-Injected: 1"),), body)
            case _:
                return Response(200, (("X-Twin", "yes"),), request.body or body)


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def server(echo: Echo) -> Iterator[TwinServer]:
    with TwinServer(echo) as running:
        yield running


@pytest.fixture
def client(server: TwinServer) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(server.base_url).netloc, timeout=5)
    yield connection
    connection.close()


def raw(server: TwinServer, data: bytes) -> bytes:
    """Send bytes as they are and return everything until the server closes."""
    address = urlsplit(server.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_keeps_one_connection_for_many_requests(client: http.client.HTTPConnection, echo: Echo) -> None:
    client.connect()
    first = client.sock
    for number in range(3):
        client.request("POST", f"/a%20b/{number}?x=%31&y", b"body", {"X-One": "1"})
        answer = client.getresponse()
        assert (answer.status, answer.headers["X-Twin"], answer.read()) == (200, "yes", b"body")
    assert client.sock is first
    seen = echo.seen[-1]
    assert (seen.method, seen.path, seen.query) == ("POST", "/a b/2", "x=%31&y")
    assert seen.headers["x-one"] == "1"


def test_no_stall_between_requests(client: http.client.HTTPConnection) -> None:
    """A delayed acknowledgement costs 40 ms a call where head and body are sent apart under Nagle."""
    started = time.monotonic()
    for _ in range(100):
        client.request("PUT", "/x", b"x" * 5000)
        client.getresponse().read()
    assert time.monotonic() - started < 2


def test_chunked_body_is_put_together(client: http.client.HTTPConnection, echo: Echo) -> None:
    client.request("POST", "/c", iter([b"one,", b"two,", b"three"]), encode_chunked=True)
    assert client.getresponse().read() == b"one,two,three"
    client.request("GET", "/after")  # the trailer was consumed
    assert client.getresponse().status == 200
    assert echo.seen[0].body == b"one,two,three"


def test_expect_continue_is_answered_before_the_body(server: TwinServer, echo: Echo) -> None:
    address = urlsplit(server.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        head = b"PUT /e HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(head)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert echo.seen == []
        connection.sendall(b"body")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
    assert echo.seen[0].body == b"body"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10485761\r\n\r\n", 413),
        (b"PUT /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nA00001\r\n", 413),
        (b"PUT /x HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"PUT /x HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"PUT /x HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"PUT /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc", 400),
        (b"PUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX", 400),
        (b"PUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\n", 413),
        (b"hello\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\n folded: 1\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\nA: " + b"a" * 70000 + b"\r\n\r\n", 431),
        (b"GET /x HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
    ],
)
def test_refuses_what_it_cannot_take(server: TwinServer, echo: Echo, data: bytes, status: int) -> None:
    answer = raw(server, data)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Connection: close" in answer
    assert echo.seen == []


def test_the_largest_body_passes(client: http.client.HTTPConnection) -> None:
    client.request("PUT", "/big", b"z" * 10_485_760)
    assert len(client.getresponse().read()) == 10_485_760


def test_http_1_0_and_close_end_the_connection(server: TwinServer) -> None:
    assert b"Connection: close" in raw(server, b"GET /x HTTP/1.0\r\n\r\n")
    both = raw(server, b"GET /x HTTP/1.1\r\nConnection: close\r\n\r\nGET /y HTTP/1.1\r\n\r\n")
    assert both.count(b"HTTP/1.1 200 OK") == 1


def test_no_content_has_no_length_and_the_connection_goes_on(client: http.client.HTTPConnection) -> None:
    client.request("POST", "/none", b"{}")
    answer = client.getresponse()
    assert (answer.status, answer.headers["Content-Length"], answer.read()) == (204, None, b"")
    client.request("HEAD", "/x")
    assert client.getresponse().headers["Content-Length"] == "100"


def test_cut_sends_the_head_in_full_and_the_body_in_part(client: http.client.HTTPConnection) -> None:
    client.request("GET", "/cut")
    answer = client.getresponse()
    assert answer.headers["Content-Length"] == "100"
    with pytest.raises(http.client.IncompleteRead) as broken:
        answer.read()
    assert broken.value.partial == b"0123456"


def test_reset_is_a_reset_and_not_an_orderly_close(client: http.client.HTTPConnection) -> None:
    client.request("GET", "/reset")
    with pytest.raises(ConnectionResetError):
        client.getresponse()


def test_hang_says_nothing_and_then_closes(client: http.client.HTTPConnection) -> None:
    started = time.monotonic()
    client.request("GET", "/hang")
    with pytest.raises(http.client.RemoteDisconnected):
        client.getresponse()
    assert time.monotonic() - started >= 0.15


def test_stop_ends_a_hanging_call_at_once(echo: Echo) -> None:
    server = TwinServer(echo)
    server.start()
    outcome: list[str] = []

    def call() -> None:
        connection = http.client.HTTPConnection(urlsplit(server.base_url).netloc, timeout=20)
        connection.request("GET", "/hang-long")
        try:
            connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            outcome.append(type(error).__name__)
        finally:
            connection.close()

    caller = threading.Thread(target=call)
    caller.start()
    while not echo.seen:
        caller.join(0.01)
    started = time.monotonic()
    server.stop()
    caller.join(5)
    assert outcome
    assert time.monotonic() - started < 3
    with pytest.raises(ConnectionRefusedError):
        raw(server, b"")


@pytest.mark.parametrize("path", ["/defect", "/split"])
def test_a_defect_of_the_twin_shows(
    client: http.client.HTTPConnection, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    with caplog.at_level(logging.ERROR):
        client.request("GET", path)
        answer = client.getresponse()
        body = answer.read()
    assert answer.status == 500
    assert body.startswith(b"sandbox defect: ")
    assert "X-Injected" not in answer.headers
    assert "the sandbox failed" in caplog.text


def test_binds_the_loopback_only_and_says_when_the_port_is_taken(server: TwinServer, echo: Echo) -> None:
    address = urlsplit(server.base_url)
    assert address.hostname == "127.0.0.1"
    assert address.port is not None
    with pytest.raises(OSError, match="in use"):
        TwinServer(echo, port=address.port).start()


def test_serves_many_clients_at_once(server: TwinServer, echo: Echo) -> None:
    def call() -> None:
        assert b"200 OK" in raw(server, b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")

    threads = [threading.Thread(target=call) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(echo.seen) == 20
