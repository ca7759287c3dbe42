"""What the suite has to know about a ledger, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from adapters._twin.control import Sandbox
from adapters._twin.messages import Request, Response
from connector.domain.decisions import TargetKind
from connector.domain.effects import Effect, Prepared
from connector.domain.ledger import RecordKind
from connector.ports import Adapter

Json = dict[str, Any]
Key = tuple[RecordKind, str]  # a record: its kind and the ledger's id
Portrait = Mapping[str, object]  # what is compared of a record, see `portraits`
Match = Mapping[str, object]  # which requests, in the words of the twins' fault script


class LedgerTwin(Sandbox, Protocol):
    """A twin in process: its control plane and its answers."""

    @property
    def client_id(self) -> str: ...

    @property
    def client_secret(self) -> str: ...

    def handle(self, request: Request, now: datetime) -> Response: ...


class Trouble(StrEnum):
    """What may befall a write in the ledger, whatever the wire does."""

    CLOSED = "closed period"
    PAID = "paid meanwhile"
    EDITED = "edited by a person meanwhile"
    GONE = "record gone"


class Outcome(StrEnum):
    """What comes of a write, by what the port says and what the ledger's log shows."""

    DONE = "done"  # a receipt, one write
    ALREADY = "already"  # a receipt, no write: it stood there
    REFUSED = "refused"  # `LedgerRejected`, no write


class Spoilt(StrEnum):
    """How a record may be unreadable."""

    STATUS = "unknown status"
    TYPE = "unknown type"
    DIGITS = "digits beyond the smallest unit"
    CURRENCY = "no currency"
    DATE = "no date"
    CUSTOMER = "no customer"


class Answer(StrEnum):
    """Answers that a ledger gives instead of what was asked for, where every ledger has its own words."""

    LIMIT_MINUTE = "429 minute"
    LIMIT_DAY = "429 day"
    LIMIT_CONCURRENT = "429 concurrent"
    ROLE = "403 role"


class Bench(Protocol):
    """One ledger."""

    name: str
    adapter: Adapter
    tag_on: TargetKind  # where the dispute tag sits
    per_minute: int  # calls that the ledger allows one organisation
    in_flight: int  # calls that the ledger allows at once
    quiet_calls: int  # calls of a round in which nothing happened
    day_reserve: int  # calls of a day that reading leaves to writes
    out_of: Mapping[str, Mapping[str, object]]  # people's acts of which the ledger stamps nothing: name -> the act
    skips: Mapping[str, str]  # "test name[errand or case]" -> why this ledger is excused
    outcomes: Mapping[tuple[Trouble, str], Outcome]  # by errand; where nothing is said the write is DONE
    comes_along: frozenset[str]  # rows of the log that an effect may bring with it, such as making its group
    bodiless: frozenset[str]  # errands whose answer has no body
    keyless: frozenset[str]  # errands whose request the ledger does not know again by its key
    writing_scopes: tuple[str, ...]  # without them the connection may only read
    zones: tuple[str, ...]  # IANA names with organisations in them, the farthest among them
    reading_switches: Mapping[str, Mapping[str, object]]  # how the ledger may behave towards readers, by name

    def found(self, scenario: Json, now: datetime) -> LedgerTwin:
        """A fresh twin with these books (the twins' neutral scenario), its clock standing still at `now`."""
        ...

    def truth(self, twin: LedgerTwin, organisation: str) -> Mapping[Key, Portrait]:
        """Every receivable record as the twin's own books have it now."""
        ...

    def narrow(self, request: Request, rows: int) -> Request:
        """The request as if this ledger's pages held no more than so many rows."""
        ...

    def listing(self, kind: RecordKind) -> Match:
        """Requests for a page of records of this kind."""
        ...

    def writing(self, effect: Effect, prepared: Prepared) -> Match:
        """The one request that carries the effect."""
        ...

    def happened(self, effect: Effect, prepared: Prepared, row: Json) -> bool:
        """Whether this row of the twin's log of committed changes is that effect."""
        ...

    def spoil(self, twin: LedgerTwin, organisation: str, invoice_id: str, how: Spoilt) -> None:
        """Make an invoice unreadable, and stamp it as modified."""
        ...

    def mend(self, twin: LedgerTwin, organisation: str, invoice_id: str) -> None:
        """Undo `spoil`, without a stamp."""
        ...

    def answer(self, what: Answer) -> Json:
        """The fault action that gives this answer."""
        ...
