"""One request, one answer, and whether it left: the only importer of httpx."""

from __future__ import annotations

import logging
import ssl
import sys
import threading
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from io import BytesIO
from ipaddress import ip_address
from time import monotonic
from types import ModuleType
from typing import Final, cast

from connector.errors import DunwellError, NotSent, OutcomeUnknown, Refused
from connector.ports import HttpAnswer, HttpRequest

# httpx brings a command line, whose rich, click and pygments take longer to load than httpx. It does without them.
sys.modules.setdefault("httpx._main", cast("ModuleType", None))
import httpx  # noqa: E402

log = logging.getLogger("dunwell.http")

MAX_ANSWER: Final = 64 * 1024 * 1024  # bytes after decompression
CONNECT_SECONDS: Final = 10.0
_LIMITS: Final = httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=5.0)

# Raised by httpx before the first byte of the request is written: connecting (names, routes, TLS) and the pool's queue.
_NEVER_LEFT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class _Cut(Exception):
    """Our own end of an answer: too long or too slow."""


@cache
def _tls() -> ssl.SSLContext:
    """One context a process: building it costs more than a request. Honours SSL_CERT_FILE and SSL_CERT_DIR."""
    return httpx.create_ssl_context()


class _Network(httpx.BaseTransport):
    """The network. TLS is set up with the first https address, for it reads every root certificate."""

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._transports: dict[str, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._of(request.url.scheme).handle_request(request)

    def close(self) -> None:
        for transport in self._transports.values():
            transport.close()

    def _of(self, scheme: str) -> httpx.HTTPTransport:
        with self._gate:
            if scheme not in self._transports:
                trust = _tls() if scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody
                self._transports[scheme] = httpx.HTTPTransport(verify=trust, trust_env=False, limits=_LIMITS)
            return self._transports[scheme]


class HttpxClient:
    """`HttpClient` over httpx: a connection pool without redirects, cookies, proxies or netrc from the environment."""

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        for chatty in ("httpx", "httpcore"):  # they log whole URLs and headers
            logging.getLogger(chatty).setLevel(logging.WARNING)
        self._in_process = transport is not None
        self._client = httpx.Client(
            transport=transport or _Network(),
            trust_env=False,
            follow_redirects=False,
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
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
