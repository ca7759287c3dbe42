"""An app that speaks to the twin in process: consent, tokens and calls, written by hand and without the connector."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from adapters._twin.clock import VirtualClock
from adapters._twin.messages import Request, Response
from adapters.xero.sandbox.app import XeroTwin
from adapters.xero.sandbox.routing import Call, Route
from adapters.xero.sandbox.state import Books, demo_books

START = datetime(2026, 11, 22, 8, tzinfo=UTC)
REDIRECT = "http://localhost:8484/callback"
SCOPES = "openid profile email offline_access accounting.invoices accounting.contacts.read"
JSON = (("Content-Type", "application/json; charset=utf-8"),)


def answer(call: Call) -> Response:
    """A handler of the tests: tells what it was given and, on a write, adds to the truth."""
    if call.request.method != "GET":
        call.books.truth.append(
            {
                "seq": len(call.books.truth) + 1,
                "at": call.now.isoformat(),
                "actor": "api",
                "kind": "note",
                "detail": call.request.body.decode(),
            }
        )
    document = {"Id": str(len(call.books.truth)), "Now": call.now.isoformat(), "Params": dict(call.params)}
    return Response(200, JSON, json.dumps(document | {"Query": dict(call.query)}).encode())


ROUTES = (
    Route("GET", "/Invoices", "accounting.invoices", answer),
    Route("POST", "/Invoices", "accounting.invoices", answer),
    Route("GET", "/Invoices/{InvoiceID}", "accounting.invoices", answer),
    Route("PUT", "/Invoices/{InvoiceID}/History", "accounting.invoices", answer),
    Route("GET", "/Contacts", "accounting.contacts", answer),
    Route("PUT", "/Contacts", "accounting.contacts", answer),
)


def small_twin(*more: Books, routes: tuple[Route, ...] = ROUTES, seed: int = 0) -> XeroTwin:
    """A twin with the demo company, any further books, and the routes above."""
    return XeroTwin([demo_books(START), *more], VirtualClock(START, frozen=True), seed=seed, routes=routes)


def fields(response: Response) -> dict[str, str]:
    """The headers by lower-case name."""
    return {name.lower(): value for name, value in response.headers}


@dataclass
class Caller:
    """The app's side of the conversation."""

    twin: XeroTwin
    token: str = ""
    tenant: str = ""

    def send(
        self,
        method: str,
        target: str,
        body: bytes | Mapping[str, str] = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send a request; a mapping as body becomes a form."""
        path, _, query = target.partition("?")
        given = {name.lower(): value for name, value in (headers or {}).items()}
        content = body if isinstance(body, bytes) else urlencode(body).encode()
        request = Request(method, path, query, {"host": "localhost:9"} | given, content)
        return self.twin.handle(request, self.twin.clock.now())

    def control(self, method: str, name: str, document: object = None) -> dict[str, object]:
        """Give the control plane an order that it accepts."""
        response = self.send(method, f"/__sandbox/{name}", json.dumps(document).encode())
        assert response.status == 200, response.body
        parsed = json.loads(response.body)
        assert isinstance(parsed, dict)
        return parsed

    def authorize(self, decision: str = "allow", organisation: str | None = None, **query: str) -> Response:
        """Open the consent page's address and post the user's decision."""
        form = {"decision": decision}
        if organisation is not None:
            form["organisation"] = organisation
        return self.send("POST", self.authorize_url(**query), form)

    def authorize_url(self, **query: str) -> str:
        """The address that an app sends the user to; an empty value leaves the parameter out."""
        standard = {
            "response_type": "code",
            "client_id": self.twin.client_id,
            "redirect_uri": REDIRECT,
            "scope": SCOPES,
            "state": "s t/1&",
        }
        chosen = {key: value for key, value in (standard | query).items() if value}
        return f"/identity/connect/authorize?{urlencode(chosen)}"

    def code(self, **options: str) -> str:
        """Consent and return the code."""
        return returned(self.authorize(**options))["code"]

    def exchange(self, form: Mapping[str, str], *, secret: str | None = None) -> Response:
        """Call the token endpoint with HTTP Basic."""
        pair = f"{quote(self.twin.client_id)}:{quote(secret or self.twin.client_secret)}"
        basic = base64.b64encode(pair.encode()).decode()
        return self.send("POST", "/connect/token", form, {"Authorization": f"Basic {basic}"})

    def connect(self, **options: str) -> dict[str, str]:
        """Go through the whole flow, keep the access token and tenant, and return the token answer."""
        form = {"grant_type": "authorization_code", "code": self.code(**options), "redirect_uri": REDIRECT}
        granted: dict[str, str] = json.loads(self.exchange(form).body)
        self.token = granted["access_token"]
        self.tenant = self.tenant or self.connections()[0]["tenantId"]
        return granted

    def refresh(self, refresh_token: str) -> Response:
        """Use a refresh token."""
        return self.exchange({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def connections(self, query: str = "") -> list[dict[str, str]]:
        """List the connections that the token may see."""
        response = self.send("GET", f"/connections{query}", headers={"Authorization": f"Bearer {self.token}"})
        rows: list[dict[str, str]] = json.loads(response.body)
        return rows

    def api(self, method: str, target: str, body: bytes = b"", **headers: str) -> Response:
        """Call the Accounting API; `headers` with underscores replace or add, an empty one leaves out."""
        standard = {
            "authorization": f"Bearer {self.token}",
            "xero-tenant-id": self.tenant,
            "accept": "application/json",
        }
        chosen = standard | {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in chosen.items() if value}
        return self.send(method, f"/api.xro/2.0{target}", body, kept)


def returned(response: Response) -> dict[str, str]:
    """What a redirect carries back to the app."""
    assert response.status == 302, response.body
    location = fields(response)["location"]
    assert location.startswith(f"{REDIRECT}?")
    return {key: values[-1] for key, values in parse_qs(urlsplit(location).query).items()}


def challenge_of(verifier: str) -> str:
    """The S256 challenge (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def claims(token: str) -> dict[str, object]:
    """What a client may read in a token."""
    part = token.split(".")[1]
    parsed: dict[str, object] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return parsed


def truth(caller: Caller) -> list[str]:
    """The details of everything that was written, in order."""
    writes = caller.control("GET", "writes")["writes"]
    assert isinstance(writes, list)
    return [write["detail"] for write in writes]


def minute_left(caller: Caller) -> str:
    """How many calls of this minute are left, without making one."""
    return dict(caller.twin.limits.remaining(caller.tenant, START))["X-MinLimit-Remaining"]


def limited(**caps: int) -> Caller:
    """A connected app whose limits are as given."""
    caller = Caller(small_twin())
    caller.connect()
    if caps:
        caller.control("POST", "limits", caps)
    return caller


def unlimited() -> Caller:
    """A connected app for which the limits are off."""
    connected = Caller(small_twin())
    connected.connect()
    connected.control("POST", "limits", {"off": True})
    return connected
