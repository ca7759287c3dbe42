"""Posting to an address on this machine, as a ledger posts its webhooks: one try, in limited time."""

from __future__ import annotations

import http.client
import ipaddress
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LIMIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST that the sandbox sends out."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """What the receiver said, and how long it took. Header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    has_body: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Nothing that could be read came back in time."""

    reason: str


Post = Callable[[Delivery], Answered | Unanswered]


def check_loopback(url: str) -> tuple[str, int, str]:
    """Return host, port and target of a URL. Raises ValueError unless it is plain HTTP to a loopback address."""
    parts = urlsplit(url)
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if parts.scheme != "http" or not is_loopback or parts.username is not None or not url.isprintable() or " " in url:
        raise ValueError(f"{url!r}: a sandbox posts to http://127.0.0.1, http://[::1] or http://localhost only")
    target = parts.path or "/"
    return host, parts.port or 80, f"{target}?{parts.query}" if parts.query else target


def post(delivery: Delivery, limit: float = LIMIT_SECONDS) -> Answered | Unanswered:
    """Send the POST and wait at most about `limit` seconds of real time. Raises ValueError as `check_loopback`."""
    host, port, target = check_loopback(delivery.url)
    connection = http.client.HTTPConnection(host, port, timeout=limit)
    begun = time.monotonic()
    try:
        connection.request("POST", target, delivery.body, dict(delivery.headers))
        response = connection.getresponse()
        has_body = bool(response.read(1))
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answered(response.status, headers, has_body, time.monotonic() - begun)
    except (OSError, http.client.HTTPException) as error:
        return Unanswered(f"{type(error).__name__}: {error}")
    finally:
        connection.close()
