"""The HTTP messages that a twin takes and gives, and how an answer is to be put on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as the twin sees it."""

    method: str
    path: str  # percent-decoded, without the query
    query: str = ""  # raw, still percent-encoded, without "?"
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Deliver:
    """Send the whole answer."""


@dataclass(frozen=True, slots=True)
class CutAfter:
    """Send the head (with the full Content-Length) and only this many bytes of the body, then close."""

    body_bytes: int


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection without any answer."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Give no answer and keep the connection open until the client gives up (at most `seconds` of real time)."""

    seconds: float = 30.0


Wire = Deliver | CutAfter | Reset | Hang


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer. `wire` says how much of it reaches the client."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    wire: Wire = field(default_factory=Deliver)


class Twin(Protocol):
    """A stateful stand-in for one ledger's service: a function of (request, virtual now), without a framework."""

    def handle(self, request: Request, now: datetime) -> Response:
        """Answer one request at the virtual instant `now` (UTC, aware). Thread-safe."""
        ...

    def advance(self, now: datetime) -> None:
        """Run whatever is due up to the virtual instant `now`."""
        ...
