"""The Xero sandbox before its judges: served on a loopback socket, and every answer recorded."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from adapters._twin.clock import VirtualClock
from adapters._twin.messages import Deliver, Request, Response
from adapters._twin.server import TwinServer
from adapters.xero.sandbox.app import XeroTwin
from tests.judges.description import Exchange

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)  # 16:00 on the 22nd in Auckland
REDIRECT = "http://localhost:8484/callback"
SCOPES = (
    "openid profile email offline_access accounting.invoices accounting.payments accounting.contacts"
    " accounting.settings accounting.attachments accounting.reports.aged.read"
)
_LINE = [{"description": "Consulting", "unit_amount": "100.00"}]


def _invoice(ref: str, customer: str, number: str, day: int, **more: object) -> dict[str, object]:
    dates = {"date": f"2026-10-{day:02d}", "due": f"2026-11-{day:02d}"}
    return {"ref": ref, "customer": customer, "number": number, **dates, "lines": _LINE, "sent": True, **more}


COMPANY: dict[str, object] = {
    "organisation": {"name": "Kauri & Sons Ltd", "country": "NZ", "timezone": "Pacific/Auckland"},
    "customers": [
        {
            "ref": "ada",
            "name": "Ada Café",
            "email": "ada@cafe.example",
            "first_name": "Ada",
            "last_name": "Lee",
            "phone": "555 1234",
            "address": {"line1": "1 Quay St", "city": "Auckland", "postal_code": "1010", "country": "New Zealand"},
            "account_number": "A-17",
            "terms_days": 20,
            "groups": ["Regulars"],
            "people": [
                {"first_name": "Ann", "last_name": "Lee", "email": "ann@cafe.example", "on_invoices": True},
                {"first_name": "Bo", "last_name": "Lin", "email": "bo@cafe.example", "on_invoices": False},
            ],
        },
        {"ref": "bob", "name": "Bob O'Neill"},
        {"ref": "gone", "name": "Gone Ltd", "archived": True},
    ],
    "invoices": [
        _invoice("open", "ada", "INV-0001", 1, reference="PO 4411"),
        _invoice("part", "ada", "INV-0002", 2),
        _invoice("paid", "bob", "INV-0003", 3),
        _invoice("draft", "bob", "INV-0004", 4, status="draft", sent=False),
        _invoice("void", "bob", "INV-0005", 5, status="voided"),
        _invoice("euro", "bob", "INV-0006", 6, currency="USD", rate="0.6"),
        _invoice("noted", "ada", "INV-0007", 7),
        *(_invoice(f"b{day}", "bob", f"INV-10{day}", day) for day in range(10, 16)),
    ],
    "payments": [
        {"ref": "p1", "invoice": "part", "date": "2026-10-25", "amount": "15.00", "reference": "first part"},
        {"ref": "p2", "invoice": "paid", "date": "2026-10-26", "amount": "115.00"},
    ],
    "credit_notes": [
        {
            "ref": "cn",
            "customer": "ada",
            "number": "CN-0001",
            "date": "2026-10-20",
            "lines": [{"description": "Goodwill", "unit_amount": "40.00"}],
            "allocations": [{"invoice": "noted", "amount": "10.00"}],
        }
    ],
    "overpayments": [{"ref": "over", "customer": "ada", "date": "2026-10-21", "amount": "50.00"}],
    "prepayments": [{"ref": "pre", "customer": "bob", "date": "2026-10-22", "amount": "60.00"}],
}


@dataclass
class Court:
    """A served sandbox with the company above, and the answers that it has sent."""

    twin: XeroTwin
    exchanges: list[Exchange] = field(default_factory=list)
    base_url: str = ""
    folder: str = ""

    @property
    def tenant(self) -> str:
        """The organisation's tenant id."""
        return next(iter(self.twin.books))

    def answer(self, request: Request) -> Response:
        """Let the sandbox answer, and record it; what is cut off on the wire proves nothing and is left out."""
        response = self.twin.handle(request, self.twin.clock.now())
        kind = next((value for name, value in response.headers if name.lower() == "content-type"), "")
        if isinstance(response.wire, Deliver) and not request.path.startswith("/__sandbox/"):
            self.exchanges.append(Exchange(request.method, request.path, response.status, kind, response.body))
        return response

    def order(self, name: str, document: object) -> Any:
        """Give the control plane an order that it accepts."""
        raw = json.dumps(document).encode()
        response = self.twin.handle(Request("POST", f"/__sandbox/{name}", "", {}, raw), self.twin.clock.now())
        assert response.status == 200, response.body
        return json.loads(response.body)

    def advance(self, seconds: int) -> None:
        """Let virtual time pass."""
        self.order("clock", {"advance": seconds})

    def people(self, **action: object) -> Any:
        """Let people do something in the ledger's own screens, and return what came of it."""
        [told] = self.order("people", {"actions": [action]})["results"]
        return told

    def id_of(self, kind: str, ref: str) -> str:
        """The ledger's id of a record of the company."""
        return self.twin.books[self.tenant].refs[kind, ref]

    def written(self, kind: str) -> list[Any]:
        """The truth: every committed change of this kind."""
        return [row for row in self.twin.books[self.tenant].truth if row["kind"] == kind]

    def consent(self, scopes: str = SCOPES) -> str:
        """Press Allow on the consent page, over the socket; return the address that the user is sent back to."""
        query = {
            "response_type": "code",
            "client_id": self.twin.client_id,
            "redirect_uri": REDIRECT,
            "scope": scopes,
            "state": "s-1",
        }
        url = f"{self.base_url}/identity/connect/authorize?{urlencode(query)}"
        with pytest.raises(urllib.error.HTTPError) as redirect:
            urllib.request.build_opener(_Stay).open(url, b"decision=allow", timeout=5)
        with redirect.value as answer:
            assert answer.code == 302
            return str(answer.headers["Location"])

    def first_token(self, scopes: str = SCOPES) -> dict[str, Any]:
        """Consent and exchange the code, over the socket."""
        form = {
            "grant_type": "authorization_code",
            "code": parse_qs(urlsplit(self.consent(scopes)).query)["code"][0],
            "redirect_uri": REDIRECT,
            "client_id": self.twin.client_id,
            "client_secret": self.twin.client_secret,
        }
        with urllib.request.urlopen(f"{self.base_url}/connect/token", urlencode(form).encode(), timeout=5) as answer:
            token: dict[str, Any] = json.load(answer)
        return token


class _Stay(urllib.request.HTTPRedirectHandler):
    """Leaves redirects to the caller."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def seat() -> tuple[Court, TwinServer]:
    """Return a court on a server that is yet to be started."""
    twin = XeroTwin([], VirtualClock(NOW, frozen=True), seed=1)
    twin.load_scenario(COMPANY, NOW)
    return seat_of(twin)


def seat_of(twin: XeroTwin) -> tuple[Court, TwinServer]:
    """Return a court on the server of a sandbox with other books."""
    court = Court(twin)
    return court, TwinServer(court.answer)
