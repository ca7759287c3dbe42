"""A small Xero behind httpx, for the adapter's own tests: lists that page and are filtered, and a few writes.

It keeps wire rows and when each was last stamped as modified. `edit(..., stamped=False)` is a change that Xero forgets
to stamp. `before` hooks run before a call is answered: somebody else at work in between.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import httpx
import respx

from adapters.xero.adapter import connect
from connector import http
from connector.ports import Ledger
from tests.adapters.xero.rows import Row, contact_row, envelope
from tests.fakes import NOON, FakeClock, FakeRandom

ROOT = "https://api.xero.com/api.xro/2.0"
IDS = {
    "Invoices": "InvoiceID",
    "Contacts": "ContactID",
    "Payments": "PaymentID",
    "CreditNotes": "CreditNoteID",
    "Overpayments": "OverpaymentID",
    "Prepayments": "PrepaymentID",
}
NOT_IN_SUMMARY = ("Payments", "LineItems", "HasAttachments")


class Tokens:
    def access(self) -> str:
        return "token"

    def replace(self, refused: str) -> str:
        return "fresh"


class Office:
    """The books, and a log of what was asked."""

    def __init__(self, page_size: int = 1000) -> None:
        self.clock = FakeClock(NOON)
        self.page_size = page_size
        self.rows: dict[str, dict[str, Row]] = {plural: {} for plural in IDS}
        self.stamps: dict[str, datetime] = {}
        self.groups: dict[str, Row] = {}
        self.notes: dict[str, list[str]] = {}
        self.attachments: dict[str, dict[str, int]] = {}
        self.log: list[httpx.Request] = []
        self.before: list[Callable[[httpx.Request], None]] = []
        self.refuse: dict[str, httpx.Response | Exception] = {}  # "METHOD /path" -> once
        self.strict = False  # so large that unindexed filters and orders are refused
        self.reshape: Callable[[str, Row], None] | None = None  # spoils the document of a full list

    # --- books

    def add(self, plural: str, *rows: Row) -> None:
        for row in rows:
            self.edit(plural, row[IDS[plural]], **row)

    def edit(self, plural: str, identity: str, *, stamped: bool = True, **fields: Any) -> None:
        table = self.rows[plural]
        table[identity] = table.get(identity, {}) | fields
        if stamped or identity not in self.stamps:
            self.stamps[identity] = self.clock.now()

    def group(self, name: str, *members: str, status: str = "ACTIVE") -> str:
        identity = f"group-{len(self.groups) + 1}"
        contacts = [{"ContactID": member} for member in members]
        self.groups[identity] = {"ContactGroupID": identity, "Name": name, "Status": status, "Contacts": contacts}
        return identity

    def members(self, group_id: str) -> list[str]:
        return [contact["ContactID"] for contact in self.groups[group_id]["Contacts"]]

    # --- wire

    @contextmanager
    def open(self, base_url: str = "") -> Iterator[Ledger]:
        """The connected ledger."""
        with respx.mock(assert_all_called=False) as router:
            router.route().mock(side_effect=self.answer)
            yield connect(
                http=http.client(),
                clock=self.clock,
                random=FakeRandom(),
                tokens=Tokens(),
                base_url=base_url,
                ledger_id="tenant-1",
            )

    def asked(self, method: str = "GET") -> list[str]:
        return [unquote(str(request.url).removeprefix(ROOT)) for request in self.log if request.method == method]

    def answer(self, request: httpx.Request) -> httpx.Response:
        for hook in self.before:
            hook(request)
        self.log.append(request)
        self.clock.advance(seconds=0.01)
        path = unquote(request.url.raw_path.decode().partition("?")[0].removeprefix("/api.xro/2.0"))
        planned = self.refuse.pop(f"{request.method} {path}", None)
        if isinstance(planned, Exception):
            raise planned
        return planned or self._route(request, path.strip("/").split("/"))

    def _route(self, request: httpx.Request, parts: list[str]) -> httpx.Response:
        match request.method, parts:
            case "GET", [plural] if plural in IDS:
                return self._list(plural, request)
            case "GET", ["ContactGroups"]:
                return self.reply("ContactGroups", [row | {"Contacts": []} for row in self.groups.values()])
            case "GET", ["ContactGroups", identity]:
                return self._one("ContactGroups", self.groups, identity)
            case "GET", [plural, identity] if plural in IDS:
                return self._one(plural, self.rows[plural], identity)
            case "GET", [_, identity, "History"]:
                notes = [{"Details": note, "Changes": "Note"} for note in reversed(self.notes.get(identity, []))]
                return self.reply("HistoryRecords", notes)
            case "GET", ["Invoices", identity, "Attachments"]:
                return self.reply("Attachments", self._attached(identity))
            case _:
                return self._write(request, parts)

    def _write(self, request: httpx.Request, parts: list[str]) -> httpx.Response:
        match request.method, parts:
            case "PUT", [_, identity, "History"]:
                records = json.loads(request.content)["HistoryRecords"]
                self.notes.setdefault(identity, []).extend(record["Details"] for record in records)
                return self.reply("HistoryRecords", records)
            case "PUT", ["ContactGroups"]:
                identity = self.group(json.loads(request.content)["ContactGroups"][0]["Name"])
                return self.reply("ContactGroups", [self.groups[identity]])
            case "PUT", ["ContactGroups", identity, "Contacts"]:
                contacts = json.loads(request.content)["Contacts"]
                self.groups[identity]["Contacts"] += contacts
                return self.reply("Contacts", contacts)
            case "DELETE", ["ContactGroups", identity, "Contacts", contact]:
                row = self.groups[identity]
                row["Contacts"] = [found for found in row["Contacts"] if found["ContactID"] != contact]
                return httpx.Response(204)
            case "POST", ["Invoices", identity, "Email"]:
                return httpx.Response(204)
            case "POST", ["Invoices", identity]:
                fields = json.loads(request.content)
                day = datetime.fromisoformat(fields["ExpectedPaymentDate"]).replace(tzinfo=UTC)
                self.edit("Invoices", identity, ExpectedPaymentDate=f"/Date({int(day.timestamp() * 1000)}+0000)/")
                return self.reply("Invoices", [self.rows["Invoices"][identity]])
            case "PUT", ["Invoices", identity, "Attachments", name]:
                self.attachments.setdefault(identity, {})[name] = len(request.content)
                return self.reply("Attachments", [row for row in self._attached(identity) if row["FileName"] == name])
            case _:
                raise AssertionError(f"nobody asks {request.method} {'/'.join(parts)}")

    def reply(self, plural: str, rows: list[Any], **extra: Any) -> httpx.Response:
        return httpx.Response(200, json=envelope(plural, rows, at=self.clock.now()) | extra)

    def missing(self) -> httpx.Response:
        return httpx.Response(404, html="<p>The resource you're looking for cannot be found</p>")

    def _one(self, plural: str, table: dict[str, Row], identity: str) -> httpx.Response:
        return self.reply(plural, [table[identity]]) if identity in table else self.missing()

    def _attached(self, identity: str) -> list[Row]:
        return [
            {"AttachmentID": f"att-{name}", "FileName": name, "ContentLength": size}
            for name, size in self.attachments.get(identity, {}).items()
        ]

    def _list(self, plural: str, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        if self.strict and ("where" in asked or "order" in asked):
            return httpx.Response(400, json={"ErrorNumber": 16, "Message": f"not filtering {plural} efficiently"})
        rows = [row for identity, row in self.rows[plural].items() if self._wanted(plural, identity, row, request)]
        assert asked.get("order", f"{IDS[plural]} ASC") == f"{IDS[plural]} ASC"
        rows.sort(key=lambda row: str(row[IDS[plural]]))
        size = min(int(asked["pageSize"]), self.page_size)
        number = int(asked["page"])
        pagination = {
            "page": number,
            "pageSize": size,
            "pageCount": -(-len(rows) // size),
            "itemCount": len(rows),
        }
        page = rows[(number - 1) * size : number * size]
        if "summaryOnly" in asked:
            page = [{name: row[name] for name in row if name not in NOT_IN_SUMMARY} for row in page]
        document = envelope(plural, page, at=self.clock.now(), pagination=pagination)
        if self.reshape is not None and "summaryOnly" not in asked:
            self.reshape(plural, document)
        return httpx.Response(200, json=document)

    def _wanted(self, plural: str, identity: str, row: Row, request: httpx.Request) -> bool:
        asked = request.url.params
        since = request.headers.get("If-Modified-Since")
        if since and self.stamps[identity] < datetime.fromisoformat(since).replace(tzinfo=UTC):
            return False
        if "IDs" in asked and identity not in asked["IDs"].split(","):
            return False
        if "Statuses" in asked and row["Status"] not in asked["Statuses"].split(","):
            return False
        if plural == "Contacts" and row["ContactStatus"] == "ARCHIVED" and asked.get("includeArchived") != "true":
            return False
        where = asked.get("where", "")
        assert where in {"", 'Type=="ACCREC"'}
        return not where or row["Type"] == "ACCREC"


def office_with_customers(count: int, **settings: Any) -> Office:
    office = Office(**settings)
    office.add("Contacts", *(contact_row(number) for number in range(1, count + 1)))
    office.clock.advance(hours=1)
    return office


SOON = timedelta(minutes=30)
