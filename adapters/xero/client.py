"""Typed calls of Xero's Accounting API: one method a call, rows out, errors by class.

Every call asks for JSON and names the organisation; reads are repeated by the `Caller`, writes only where they
certainly were not processed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

from adapters.xero import wire
from adapters.xero.decode import Page, page
from adapters.xero.dialect import XeroDialect
from adapters.xero.endpoints import api
from connector.errors import NotFound, RateLimited, UnreadableAnswer
from connector.http import Caller
from connector.ports import Clock, HttpAnswer, HttpClient, HttpRequest, Random, Tokens

T = TypeVar("T")

PAGE_SIZE: Final = 1000
DAY_RESERVE: Final = 100  # calls of a day that reading in bulk leaves to writes: a tenth of the smallest tier's 1,000
_HOUR: Final = 3600.0
READ_SECONDS: Final = 60.0  # a page of a thousand invoices with lines takes a while
WRITE_SECONDS: Final = 30.0
_JSON: Final = "application/json"
_PDF: Final = "application/pdf"


class XeroClient:
    """The calls of one connected organisation."""

    def __init__(
        self, *, http: HttpClient, clock: Clock, random: Random, tokens: Tokens, base_url: str, ledger_id: str
    ) -> None:
        self.caller = Caller(http=http, clock=clock, random=random, tokens=tokens, dialect=XeroDialect())
        self._root = api(base_url)
        self._tenant = ledger_id
        self._spares = False

    def sparing(self) -> XeroClient:
        """The same connection for reading in bulk: it raises `RateLimited` rather than use up the day's last calls."""
        sparing = copy(self)
        sparing._spares = True  # noqa: SLF001 (its own kind)
        return sparing

    def page(
        self, shape: wire.Shape[T], number: int, params: Mapping[str, str], since: datetime | None = None
    ) -> Page[T]:
        """One page of a list. `since` (the server's time, UTC) leaves out what was not modified after it."""
        request = self._page_request(shape, number, params, since)
        return self._read(request, lambda answer: page(answer, shape))

    def unread_page(
        self, shape: wire.Shape[Any], number: int, params: Mapping[str, str], since: datetime | None = None
    ) -> HttpAnswer:
        """The same as its bytes: a third of the memory. Whoever reads it repeats the call where it is unreadable."""
        return self._read(self._page_request(shape, number, params, since), lambda answer: answer)

    def _page_request(
        self, shape: wire.Shape[Any], number: int, params: Mapping[str, str], since: datetime | None
    ) -> HttpRequest:
        query = {**params, "page": str(number), "pageSize": str(PAGE_SIZE)}
        extra = {"If-Modified-Since": since.strftime("%Y-%m-%dT%H:%M:%S")} if since else {}
        return self._request("GET", _address(f"/{shape.plural}", query), extra=extra)

    def all(self, shape: wire.Shape[T], path: str) -> Page[T]:
        """A list that Xero does not page, or a single record (a list of one)."""
        return self._read(self._request("GET", path), lambda answer: page(answer, shape))

    def one(self, shape: wire.Shape[T], identity: str) -> Page[T] | None:
        """A single record, archived or deleted ones too; None where there is none."""
        try:
            return self.all(shape, f"/{shape.plural}/{segment(identity)}")
        except NotFound:
            return None

    def organisation(self) -> wire.OrganisationRow:
        rows = self.all(wire.ORGANISATIONS, "/Organisation").rows
        if not rows:
            raise UnreadableAnswer("Xero's answer holds no organisation")
        return rows[0]

    def actions(self) -> Mapping[str, bool]:
        """What the connection may do, by Xero's name for it."""
        rows = self.all(wire.ACTIONS, "/Organisation/Actions").rows
        return {row.get("Name") or "": row.get("Status") == "ALLOWED" for row in rows}

    def reminders(self) -> bool | None:
        """Whether Xero mails its own reminders; None where it does not say."""
        rows = self.all(wire.REMINDERS, "/InvoiceReminders/Settings").rows
        return rows[0].get("Enabled") if rows else None

    def groups(self) -> Page[wire.GroupRow]:
        """All contact groups, without their members."""
        return self.all(wire.GROUPS, "/ContactGroups")

    def history(self, path: str) -> tuple[wire.HistoryRow, ...]:
        """The history of `/Invoices/{id}/History` or `/Contacts/{id}/History`, newest first, unpaged."""
        return self.all(wire.HISTORY, path).rows

    def attachments(self, invoice_id: str) -> tuple[wire.AttachmentRow, ...]:
        return self.all(wire.ATTACHMENTS, f"/Invoices/{segment(invoice_id)}/Attachments").rows

    def online_invoice(self, invoice_id: str) -> str | None:
        """The address under which the customer sees the invoice; None where it has none (a draft)."""
        try:
            rows = self.all(wire.ONLINE_INVOICES, f"/Invoices/{segment(invoice_id)}/OnlineInvoice").rows
        except NotFound:
            return None
        return rows[0].get("OnlineInvoiceUrl") if rows else None

    def pdf(self, invoice_id: str) -> bytes:
        """The invoice as Xero prints it. Raises `NotFound`, `UnreadableAnswer`."""
        return self.caller.read(self._request("GET", f"/Invoices/{segment(invoice_id)}", accept=_PDF), _pdf)

    def accounts(self) -> tuple[wire.AccountRow, ...]:
        return self.all(wire.ACCOUNTS, "/Accounts").rows

    def tax_rates(self) -> tuple[wire.TaxRateRow, ...]:
        return self.all(wire.TAX_RATES, "/TaxRates").rows

    def write(self, method: str, path: str, body: bytes, *, content_type: str = _JSON, key: str = "") -> HttpAnswer:
        """One write, exactly these bytes. `key` goes along as Idempotency-Key, except on DELETE, which ignores it."""
        extra = {"Content-Type": content_type} if body else {}
        if key and method != "DELETE":
            extra["Idempotency-Key"] = key
        request = self._request(method, path, extra=extra, body=body, seconds=WRITE_SECONDS)
        return self.caller.write(request, lambda answer: answer)

    def _read(self, request: HttpRequest, decode: Callable[[HttpAnswer], T]) -> T:
        left = self.caller.budgets().get("day")
        if self._spares and left is not None and left <= DAY_RESERVE:
            raise RateLimited(
                f"Xero allows {left} more calls today, which are kept for what has to be written",
                retry_after=_HOUR,
                limit="day",
            )
        return self.caller.read(request, decode)

    def _request(
        self,
        method: str,
        path: str,
        *,
        accept: str = _JSON,
        extra: Mapping[str, str] | None = None,
        body: bytes = b"",
        seconds: float = READ_SECONDS,
    ) -> HttpRequest:
        headers = {"Accept": accept, "xero-tenant-id": self._tenant, **(extra or {})}
        return HttpRequest(method, self._root + path, headers, body, seconds)


def _address(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query, quote_via=quote)}"


def segment(identity: str) -> str:
    """An id or file name as one segment of a path, whatever it contains. Raises `NotFound` for none, "." and ".."."""
    if not identity.strip("."):
        raise NotFound(f"{identity!r} is not an id")
    return quote(identity, safe="")


def _pdf(answer: HttpAnswer) -> bytes:
    if not answer.body.startswith(b"%PDF-"):
        raise UnreadableAnswer("Xero's PDF is not one")
    return answer.body
