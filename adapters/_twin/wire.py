"""HTTP/1.1 bytes to messages and back: what the socket server needs of RFC 9112, and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from adapters._twin.messages import Request, Response

BODY_LIMIT = 10 * 1024 * 1024
HEAD_LIMIT = 64 * 1024
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Refused(Exception):
    """The bytes are no request that the server can take; the connection ends after the answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.answer = Response(status, (("Content-Type", "text/plain; charset=utf-8"),), reason.encode())


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request, and whether the connection may carry another after it."""

    request: Request
    keep_alive: bool


def read_request(stream: BinaryIO, send: Callable[[bytes], None]) -> Incoming | None:
    """Read one request; None when the client has closed. `send` carries "100 Continue". Raises Refused."""
    line = _line(stream)
    while line == b"":  # RFC 9112 2.2: be lenient to an empty line before the request
        line = _line(stream)
    if line is None:
        return None
    method, target, version = _request_line(line)
    headers = _headers(stream)
    _check_host(headers.get("host", ""))
    body = _body(stream, headers, send)
    path, query = _target(target)
    options = {option.strip().lower() for option in headers.get("connection", "").split(",")}
    keep_alive = "close" not in options and (version == "HTTP/1.1" or "keep-alive" in options)
    return Incoming(Request(method, path, query, headers, body), keep_alive)


def _line(stream: BinaryIO) -> bytes | None:
    raw = stream.readline(HEAD_LIMIT + 1)
    if not raw:
        return None
    if not raw.endswith(b"\n"):
        raise Refused(431 if len(raw) > HEAD_LIMIT else 400, "the line does not end")
    return raw.rstrip(b"\r\n")


def _request_line(line: bytes) -> tuple[str, str, str]:
    parts = line.decode("latin-1").split(" ")
    if len(parts) != 3 or parts[2] not in {"HTTP/1.1", "HTTP/1.0"} or not parts[0].isalpha():
        raise Refused(400, "not an HTTP/1.1 request")
    return parts[0], parts[1], parts[2]


def _headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    size = 0
    while line := _line(stream):
        size += len(line)
        name, colon, value = line.decode("latin-1").partition(":")
        if size > HEAD_LIMIT:
            raise Refused(431, "the head is too long")
        if not colon or not name or name != name.strip():
            raise Refused(400, "not a header line")
        key = name.lower()
        headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    return headers


def _check_host(host: str) -> None:
    """Keep out a web page that reaches the loopback under a name of its own (DNS rebinding)."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        name = ""
    if host and name not in _LOOPBACK:
        raise Refused(421, "this sandbox answers on the loopback only")


def _target(target: str) -> tuple[str, str]:
    if not target.startswith("/"):
        parts = urlsplit(target)
        return unquote(parts.path or "/"), parts.query
    path, _, query = target.partition("?")
    return unquote(path), query.partition("#")[0]


def _body(stream: BinaryIO, headers: dict[str, str], send: Callable[[bytes], None]) -> bytes:
    chunked = "transfer-encoding" in headers
    length = _length(headers)
    if chunked and headers["transfer-encoding"].lower() != "chunked":
        raise Refused(501, "only the chunked transfer coding is known")
    if chunked and length is not None:
        raise Refused(400, "both a length and a transfer coding")
    if length is not None and length > BODY_LIMIT:
        raise Refused(413, "the body exceeds 10 MB")
    if headers.get("expect", "").lower() == "100-continue" and (chunked or length):
        send(b"HTTP/1.1 100 Continue\r\n\r\n")
    return _chunks(stream) if chunked else _exactly(stream, length or 0)


def _length(headers: dict[str, str]) -> int | None:
    text = headers.get("content-length")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise Refused(400, "the content length is no number")
    return int(text)


def _exactly(stream: BinaryIO, length: int) -> bytes:
    body = stream.read(length) if length else b""
    if len(body) != length:
        raise Refused(400, "the body ends early")
    return body


def _chunks(stream: BinaryIO) -> bytes:
    body = bytearray()
    while True:
        head = (_line(stream) or b"").split(b";")[0].strip()
        try:
            size = int(head, 16)
        except ValueError:
            raise Refused(400, "not a chunk") from None
        if size < 0 or len(body) + size > BODY_LIMIT:
            raise Refused(413, "the body exceeds 10 MB")
        if size == 0:
            break
        body += _exactly(stream, size)
        if _line(stream) != b"":
            raise Refused(400, "the chunk does not end")
    while _line(stream):  # trailers
        pass
    return bytes(body)


def encode(request_method: str, response: Response, *, keep_alive: bool) -> tuple[bytes, bytes]:
    """Return head and body as they go on the wire. Raises ValueError for a header that would split the head."""
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {response.status} {phrase}"]
    for name, value in response.headers:
        if "\r" in value or "\n" in value:
            raise ValueError(f"the header {name} has a line break")
        lines.append(f"{name}: {value}")
    if response.status not in {204, 304}:
        lines.append(f"Content-Length: {len(response.body)}")
    if not keep_alive:
        lines.append("Connection: close")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    bodiless = request_method == "HEAD" or response.status in {204, 304}
    return head, b"" if bodiless else response.body
