"""The seam between the twin's frame (auth, limits, faults, idempotency) and its resources (the books)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from adapters._twin.messages import Request, Response

if TYPE_CHECKING:
    from adapters.xero.sandbox.state import Books


@dataclass(frozen=True, slots=True)
class Call:
    """One authorised call on one organisation's books."""

    request: Request
    now: datetime  # virtual, UTC
    books: Books
    params: Mapping[str, str]  # from the path template
    query: Mapping[str, str]  # decoded; header-like names kept as sent, last value wins
    app_name: str  # ProviderName of the envelope


Handler = Callable[[Call], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """A documented route of the Accounting API that the twin simulates.

    `template` is relative to /api.xro/2.0, e.g. "/Invoices/{InvoiceID}/History". `scope` is the granular scope that a
    read needs with ".read" allowed (e.g. "accounting.invoices"); a write needs the scope itself.
    """

    method: str
    template: str
    scope: str
    handler: Handler
