"""A canned Xero on loopback, in a process of its own: every page is rendered before the first request.

`python -m bench.server SIZE` prints its address and serves until its input is closed. The same books stand under
several roots: `/plain`; `/delay150`, which waits 150 ms before each answer; `/changed`, where one per cent changed.
It knows what both client libraries ask for and nothing more: it does not check tokens and counts no limits.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Protocol
from urllib.parse import parse_qs, urlsplit

from bench import books, render

TENANT: Final = "5a6f1c0e-0000-4000-8000-0000000000aa"
ROOTS: Final = ("plain", "delay150", "changed")
_OPEN: Final = frozenset({"AUTHORISED", "SUBMITTED", "DRAFT"})
_ORGANISATION: Final = (
    '{"OrganisationID":"%s","Name":"Bench Limited","LegalName":"Bench Limited","BaseCurrency":"NZD","CountryCode":"NZ",'
    '"Timezone":"NEWZEALANDSTANDARDTIME","IsDemoCompany":false,"ShortCode":"!bench","SalesTaxBasis":"ACCRUALS"}'
)


class Identified(Protocol):
    @property
    def id(self) -> str: ...


@dataclass(frozen=True)
class Canned:
    """The lists of one state of the books. `since`: what If-Modified-Since leaves."""

    everything: dict[str, list[bytes]]
    sweep: list[bytes]
    since: dict[str, list[bytes]]
    rows: dict[str, dict[str, str]]  # by plural and id, for ?IDs=
    members: dict[str, list[bytes]]

    def answer(self, path: str, query: dict[str, list[str]], *, modified: bool) -> bytes | None:
        number = int(query.get("page", ["1"])[0]) - 1
        plural = path.rsplit("/", 1)[-1]
        if path in self.members:
            return self.members[path][0]
        if plural not in self.everything:
            return None
        if "IDs" in query:
            known = self.rows[plural]
            return render.pages(plural, [known[i] for i in query["IDs"][0].split(",") if i in known])[0]
        listed = self.everything[plural]
        if modified:
            listed = self.since[plural]
        elif "Statuses" in query:
            listed = self.sweep
        return listed[number] if number < len(listed) else render.pages(plural, [])[0]


def canned(now: books.Books, stamped: books.Books | None, *, by_id: bool = False) -> Canned:
    """Every answer, rendered. `by_id`: single rows too."""
    invoices = [render.invoice(one) for one in now.invoices]
    contacts = [render.contact(one) for one in now.contacts]
    sweep = [render.summary(one) for one in now.invoices if one.status in _OPEN]
    some = stamped or books.Books((), (), ())
    empty: dict[str, list[str]] = {"CreditNotes": [], "Overpayments": [], "Prepayments": []}
    since = {
        "Invoices": [render.invoice(one) for one in some.invoices],
        "Payments": [render.payment(one) for one in some.payments],
        "Contacts": [render.contact(one) for one in some.contacts],
    }
    rows = {"Invoices": _by_id(now.invoices, invoices), "Contacts": _by_id(now.contacts, contacts)} if by_id else {}
    everything = {"Invoices": invoices, "Payments": [render.payment(one) for one in now.payments], "Contacts": contacts}
    return Canned(
        {plural: render.pages(plural, found) for plural, found in (everything | empty).items()},
        render.pages("Invoices", sweep),
        {plural: render.pages(plural, found) for plural, found in (since | empty).items()},
        rows,
        {
            "Organisation": render.pages("Organisations", [_ORGANISATION % TENANT], paged=False),
            "InvoiceReminders/Settings": render.pages("InvoiceReminders", ['{"Enabled":false}'], paged=False),
            "ContactGroups": render.pages("ContactGroups", [], paged=False),
        },
    )


def _by_id(records: Iterable[Identified], rows: Iterable[str]) -> dict[str, str]:
    return {record.id: row for record, row in zip(records, rows, strict=True)}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, states: dict[str, Canned]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.states = states


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with kept-alive connections, one write an answer."""

    server: Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path.endswith("/__sandbox/clock"):
            self._send(200, json.dumps({"now": books.CHANGED_AT.isoformat(), "frozen": True}).encode())
            return
        _, root, *rest = address.path.split("/", 2)
        path = "".join(rest).removeprefix("api.xro/2.0/")
        if root == "delay150":
            time.sleep(0.15)
        modified = self.headers.get("If-Modified-Since") is not None
        body = self.server.states[root].answer(path, parse_qs(address.query), modified=modified)
        self._send(200 if body else 404, body or b"{}")

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", "application/json; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("X-MinLimit-Remaining", "1000000"),
            ("X-DayLimit-Remaining", "1000000"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name it has above)
        """Say nothing."""


@dataclass(frozen=True)
class Served:
    """A running server. `differing`: how many records are not the same under `/changed`."""

    address: str
    records: int
    invoices: int
    differing: int

    def root(self, name: str) -> str:
        return f"{self.address}/{name}"


@contextmanager
def serving(size: int) -> Iterator[Served]:
    """A server in its own process, until the end of the block."""
    command = [sys.executable, "-m", "bench.server", str(size)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Served(**json.loads(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait(timeout=30)


def main() -> None:
    size = int(sys.argv[1])
    before = books.books(size)
    after, stamped = books.changed(before)
    plain = canned(before, None)
    server = Server({"plain": plain, "delay150": plain, "changed": canned(after, stamped, by_id=True)})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    records = len(before.invoices) + len(before.payments) + len(before.contacts)
    told = Served(f"http://127.0.0.1:{server.server_port}", records, size, books.differing(before, after))
    print(json.dumps(vars(told)), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
