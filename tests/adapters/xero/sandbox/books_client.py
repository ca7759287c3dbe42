"""Calling the routes of the books without a frame: no tokens, limits or sockets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from adapters._twin.messages import Request, Response
from adapters.xero.sandbox import people, scenario
from adapters.xero.sandbox.resources import ROUTES
from adapters.xero.sandbox.routing import Call, Route
from adapters.xero.sandbox.store import Books
from tests.adapters.xero.sandbox.spec_check import check_against_spec

NOW = datetime(2026, 11, 22, 3, 0, 0, 123000, tzinfo=UTC)  # 16:00 on the 22nd in Auckland


def _pattern(route: Route) -> re.Pattern[str]:
    return re.compile(
        "".join(rf"/(?P<{s[1:-1]}>[^/]+)" if s[0] == "{" else f"/{s}" for s in route.template.split("/")[1:])
    )


_TABLE = sorted(((_pattern(one), one) for one in ROUTES), key=lambda row: row[1].template.count("{"))


@dataclass
class BooksClient:
    """One organisation's books under a clock that only moves when told to."""

    books: Books
    now: datetime = NOW
    checks: bool = True
    headers: dict[str, str] = field(default_factory=lambda: {"accept": "application/json"})

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        **query: str,
    ) -> Response:
        """Send one request; a body that is not bytes goes as JSON, decimals as numbers."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body, default=str).encode()
        request = Request(method, path, urlencode(query), {**self.headers, **(headers or {})}, raw)
        for pattern, route in _TABLE:
            match = pattern.fullmatch(path)
            if match and route.method == method:
                call = Call(request, self.now, self.books, match.groupdict(), query, "Sandbox test")
                response = route.handler(call)
                if self.checks:
                    check_against_spec(method, route.template, response)
                return response
        raise AssertionError(f"no route for {method} {path}")

    def json(self, method: str, path: str, body: object = None, status: int = 200, **query: str) -> Any:
        """Send one request and return its JSON answer, decimals exact."""
        response = self.call(method, path, body, None, **query)
        assert response.status == status, (response.status, response.body[:600])
        return json.loads(response.body, parse_float=Decimal)

    def since(self, path: str, instant: str, **query: str) -> list[Any]:
        """Return a list's records modified since the instant, as the header gives it."""
        response = self.call("GET", path, None, {"if-modified-since": instant}, **query)
        assert response.status == 200, response.body
        answer = json.loads(response.body, parse_float=Decimal)
        return list(next(value for value in answer.values() if isinstance(value, list)))

    def invoice(self, key: str) -> Any:
        """Return one invoice by id or number."""
        return self.json("GET", f"/Invoices/{key}")["Invoices"][0]

    def id_of(self, kind: str, ref: str) -> str:
        """Return the id of a scenario's ref."""
        return self.books.refs[kind, ref]

    def do(self, word: str, **details: object) -> dict[str, object]:
        """Let people do something."""
        return people.act(self.books, {"do": word, **details}, self.now)

    def wait(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def refusal(self, method: str, path: str, body: object = None, **query: str) -> str:
        """Send a request that must be refused with a ValidationException, and return its first message."""
        answer = self.json(method, path, body, status=400, **query)
        assert answer["ErrorNumber"] == 10
        assert answer["Type"] == "ValidationException"
        element = answer["Elements"][0]
        nested = (element.get("Contact") or {}).get("ValidationErrors", [])
        return str((element["ValidationErrors"] or nested)[0]["Message"])


def scenario_document(**parts: object) -> dict[str, object]:
    """Return a small New Zealand company: two customers; one open, one part-paid, one paid, one draft invoice."""
    line = [{"description": "Consulting", "unit_amount": "100.00"}]
    document: dict[str, object] = {
        "organisation": {"name": "Test Ltd", "country": "NZ", "timezone": "Pacific/Auckland", "base_currency": "NZD"},
        "customers": [
            {
                "ref": "ada",
                "name": "Ada Café",
                "email": "ada@cafe.example",
                "terms_days": 20,
                "people": [
                    {"first_name": "Ann", "last_name": "Lee", "email": "ann@cafe.example", "on_invoices": True},
                    {"first_name": "Bo", "last_name": "Lin", "email": "bo@cafe.example", "on_invoices": False},
                ],
            },
            {"ref": "bob", "name": "Bob & Sons"},
        ],
        "invoices": [
            {
                "ref": "open",
                "customer": "ada",
                "number": "INV-0001",
                "date": "2026-10-01",
                "due": "2026-10-21",
                "lines": line,
            },
            {
                "ref": "part",
                "customer": "ada",
                "number": "INV-0002",
                "date": "2026-10-02",
                "due": "2026-10-22",
                "lines": line,
            },
            {
                "ref": "paid",
                "customer": "bob",
                "number": "INV-0003",
                "date": "2026-10-03",
                "due": "2026-10-23",
                "lines": line,
            },
            {
                "ref": "draft",
                "customer": "bob",
                "date": "2026-11-20",
                "due": "2026-12-20",
                "lines": line,
                "status": "draft",
            },
        ],
        "payments": [
            {"ref": "p1", "invoice": "part", "date": "2026-10-25", "amount": "15.00"},
            {"ref": "p2", "invoice": "paid", "date": "2026-10-26", "amount": "115.00"},
        ],
    }
    return {**document, **parts}


def client(now: datetime = NOW, **parts: object) -> BooksClient:
    """Return a client on the small company."""
    return BooksClient(scenario.load(scenario_document(**parts), now), now)
