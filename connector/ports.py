"""The seams: what services need from the outside world, as protocols; and what a ledger package exports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from connector.domain.effects import Capabilities, Effect, Prepared, Probe, Receipt
from connector.domain.flat import Brought
from connector.domain.ledger import NeedsReview, Organisation, RecordKind

__all__ = [
    "Adapter",
    "Batch",
    "Channel",
    "Clock",
    "Credentials",
    "Grant",
    "HttpAnswer",
    "HttpClient",
    "HttpRequest",
    "Ids",
    "Ledger",
    "LedgerOptions",
    "OAuthEndpoints",
    "Option",
    "OutgoingLetter",
    "Random",
    "Tokens",
]


class Clock(Protocol):
    """Every instant and every wait goes through here."""

    def now(self) -> datetime:
        """The present instant, UTC, aware."""
        ...

    def sleep(self, seconds: float) -> None: ...

    def lease_now(self) -> datetime:
        """The clock that ages leases (the database's own where it has one)."""
        ...


class Ids(Protocol):
    def new(self) -> str:
        """A fresh id for records that have no natural one (people's inputs, vendor keys)."""
        ...


class Random(Protocol):
    def uniform(self, low: float, high: float) -> float:
        """For jitter only."""
        ...


@dataclass(frozen=True, slots=True)
class HttpRequest:
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


class HttpClient(Protocol):
    """One request, one answer, no policy.

    Raises `NotSent` when certainly no byte of the request left, `OutcomeUnknown` when it may have been processed
    (timeout, reset, cut answer).
    """

    def send(self, request: HttpRequest) -> HttpAnswer: ...


class Tokens(Protocol):
    """Access tokens of one connection; refreshing happens behind it, once for all processes."""

    def access(self) -> str:
        """A token that is valid now. Raises `ConnectionRevoked`, `WrongCredentials`, `Retriable`."""
        ...

    def replace(self, refused: str) -> str:
        """Another token than `refused`, which the ledger answered 401 to. Raises as `access`."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Some normalised records of one kind. `cursor` is set only on the round's last batch."""

    kind: RecordKind
    records: tuple[Brought, ...]
    needs_review: tuple[NeedsReview, ...] = ()
    cursor: str | None = None
    calls: int = 0
    size: int = 0  # bytes received


@dataclass(frozen=True, slots=True)
class Option:
    """One entry of the ledger's own lists, for mappings."""

    code: str
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LedgerOptions:
    """The ledger's own lists that mappings may name."""

    accounts: tuple[Option, ...] = ()
    tax_codes: tuple[Option, ...] = ()
    groups: tuple[Option, ...] = ()
    terms: tuple[Option, ...] = ()


class Ledger(Protocol):
    """One connected organisation."""

    capabilities: Capabilities

    def organisation(self) -> Organisation: ...

    def changes(self, cursor: str | None, pages: Executor) -> Iterator[Batch]:
        """Everything that changed since `cursor` (None = everything).

        The cursor is the server's time, overlapping. Pages may arrive in any order and records may repeat; the last
        batch carries the new cursor.
        """
        ...

    def fetch(self, kind: RecordKind, ids: Sequence[str]) -> Batch:
        """These records as they are now, in as few calls as the ledger allows; missing ones are absent."""
        ...

    def prepare(self, effect: Effect, receipts: Mapping[str, Receipt]) -> Prepared:
        """The exact request for the effect. Pure. Raises `Refused` where the ledger cannot carry it."""
        ...

    def send(self, effect: Effect, prepared: Prepared, leave_by: datetime) -> Receipt:
        """Do it. No request leaves after `leave_by` (UTC): by then another process may have taken over.

        Raises `NotSent`, `RateLimited`, `NeedsPerson` (certainly not done), `LedgerRejected`, `OutcomeUnknown`.
        """
        ...

    def find(self, effect: Effect, prepared: Prepared) -> Probe:
        """Look whether the effect is in the ledger. Raises `Retriable` when it cannot be looked up now."""
        ...

    def options(self) -> LedgerOptions: ...

    def pay_link(self, invoice_id: str) -> str | None: ...

    def pdf(self, invoice_id: str) -> bytes: ...

    def calls(self) -> int:
        """Calls made through this object so far."""
        ...

    def budgets(self) -> Mapping[str, int]:
        """What the server last said remains, e.g. {"minute": 58, "day": 4711}; empty before an answer."""
        ...

    def held_until(self) -> datetime | None:
        """Until when (UTC) the ledger's limits hold back a call that waits; None = none waits. Any thread may ask."""
        ...


@dataclass(frozen=True, slots=True)
class OutgoingLetter:
    """A letter on its way: `message_id` is derived from the effect key."""

    message_id: str
    recipient: str
    subject: str
    text: str
    html: str = ""
    attachments: tuple[tuple[str, str, bytes], ...] = ()  # file name, media type, content


class Channel(Protocol):
    """Raises `NotSent` (certainly not out), `LedgerRejected` (refused for good), `OutcomeUnknown`."""

    name: str

    @property
    def goes_to(self) -> Path | str:
        """Where letters go, for people to be told: a folder, or the name of a mail server."""
        ...

    def send(self, letter: OutgoingLetter, at: datetime) -> Receipt: ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """The app's own credentials. `secret` is "" for a PKCE app. Never printed."""

    client_id: str
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class OAuthEndpoints:
    """Where consent, tokens and revocation live. `base_url` of a sandbox replaces every host."""

    authorize: str
    token: str
    revoke: str
    scopes: tuple[str, ...]
    refresh_lifetime_days: int = 60
    grace_seconds: int = 0  # the previous refresh token may be retried that long


@dataclass(frozen=True, slots=True)
class Grant:
    """An organisation that a fresh consent reaches."""

    ledger_id: str
    name: str
    connection_id: str = ""  # the ledger's own id of this grant, for disconnecting


@dataclass(frozen=True, slots=True)
class Adapter:
    """What a ledger package exports as `ADAPTER`."""

    name: str
    title: str
    oauth: Callable[[str], OAuthEndpoints]  # base_url ("" = the real service)
    grants: Callable[[HttpClient, str, str], tuple[Grant, ...]]  # http, base_url, access token
    connect: Callable[..., Ledger]  # keyword arguments: http, clock, random, tokens, base_url, ledger_id
    disconnect: Callable[[HttpClient, str, str, Grant], None]  # http, base_url, access token, grant
    capabilities: Capabilities
    sandbox: str  # dotted name of the module with `serve(...)`
    env_prefix: str  # "DUNWELL_XERO"
    mapping_defaults: Mapping[str, Any] = field(default_factory=dict)
    review_note: str = ""


def batched(ids: Iterable[str], size: int) -> Iterator[tuple[str, ...]]:
    """Slices of at most `size`."""
    batch: list[str] = []
    for item in ids:
        batch.append(item)
        if len(batch) == size:
            yield tuple(batch)
            batch = []
    if batch:
        yield tuple(batch)
