"""A small identity server and ledger behind the HttpClient port: codes once, refresh tokens that rotate."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from connector.domain.effects import Capabilities
from connector.domain.ledger import Organisation
from connector.errors import NotFound, NotSent, OutcomeUnknown
from connector.ports import (
    Adapter,
    Clock,
    Credentials,
    Grant,
    HttpAnswer,
    HttpClient,
    HttpRequest,
    OAuthEndpoints,
    Random,
    Tokens,
)
from tests import builders

BASE = "http://127.0.0.1:9"
APP = Credentials("APP1", "CANARY-app-secret")
SCOPES = ("openid", "offline_access", "books.write", "settings.read")
CANARY = "CANARY"  # every secret that this server or these tests make holds it

Fault = Callable[[HttpRequest, Callable[[], HttpAnswer]], HttpAnswer]


def answer(status: int, document: object = None, **headers: str) -> HttpAnswer:
    body = b"" if document is None else json.dumps(document).encode()
    return HttpAnswer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@dataclass
class Identity:
    """The token and revocation endpoints. `grace`: a used refresh token may be used again. Thread-safe.

    `faults` are taken one a request: called with the request and what the server would do, they give the answer.
    """

    grace: bool = False
    lifetime: int = 1800
    scopes: tuple[str, ...] | None = None  # None = as asked
    says_scope: bool = True
    gives_refresh: bool = True
    dead: bool = False  # every refresh token is refused
    faults: list[Fault] = field(default_factory=list)
    codes: dict[str, str | None] = field(default_factory=dict)  # code -> PKCE challenge
    requests: list[HttpRequest] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _issued: dict[str, int] = field(default_factory=dict)
    _live: set[str] = field(default_factory=set)
    _used: set[str] = field(default_factory=set)

    def send(self, request: HttpRequest) -> HttpAnswer:
        with self._lock:
            self.requests.append(request)
            fault = self.faults.pop(0) if self.faults else None
        return fault(request, lambda: self._handle(request)) if fault else self._handle(request)

    def form(self, number: int = -1) -> dict[str, str]:
        return {k: v[0] for k, v in parse_qs(self.requests[number].body.decode()).items()}

    def consent(self, url: str) -> str:
        """What the person's browser would be sent back to."""
        query = {k: v[0] for k, v in parse_qs(urlsplit(url).query).items()}
        code = self._secret("code")
        self.codes[code] = query.get("code_challenge")
        return f"{query['redirect_uri']}?code={code}&state={query['state']}"

    def _secret(self, kind: str) -> str:
        self._issued[kind] = self._issued.get(kind, 0) + 1
        return f"{CANARY}-{kind}-{self._issued[kind]}"

    def _handle(self, request: HttpRequest) -> HttpAnswer:
        with self._lock:
            form = {k: v[0] for k, v in parse_qs(request.body.decode()).items()}
            if not _is_app(request, form):
                return self._refuse("invalid_client")
            if request.url.endswith("/revoke"):
                self.revoked.append(form["token"])
                return answer(200)
            grant = form["grant_type"]
            self.counts[grant] = self.counts.get(grant, 0) + 1
            if grant == "authorization_code":
                return self._code(form)
            return self._refresh(form) if grant == "refresh_token" else self._issue(form["scope"], refresh=False)

    def _code(self, form: Mapping[str, str]) -> HttpAnswer:
        if form["code"] not in self.codes:
            return self._refuse("invalid_grant")
        challenge = self.codes.pop(form["code"])
        if challenge != _challenge(form.get("code_verifier")):
            return self._refuse("invalid_grant")
        return self._issue(" ".join(SCOPES), refresh=self.gives_refresh)

    def _refresh(self, form: Mapping[str, str]) -> HttpAnswer:
        token = form["refresh_token"]
        if self.dead or not (token in self._live or (self.grace and token in self._used)):
            return self._refuse("invalid_grant")
        self._live.discard(token)
        self._used.add(token)
        return self._issue(" ".join(SCOPES), refresh=True)

    def _issue(self, scope: str, *, refresh: bool) -> HttpAnswer:
        document: dict[str, object] = {"access_token": self._secret("access"), "token_type": "Bearer"}
        document["expires_in"] = self.lifetime
        if self.says_scope:
            document["scope"] = scope if self.scopes is None else " ".join(self.scopes)
        if refresh:
            document["refresh_token"] = self._secret("refresh")
            self._live.add(str(document["refresh_token"]))
        return answer(200, document)

    def _refuse(self, code: str) -> HttpAnswer:
        self.counts[code] = self.counts.get(code, 0) + 1
        return answer(400, {"error": code, "error_description": f"{CANARY}-echo"})


def _is_app(request: HttpRequest, form: Mapping[str, str]) -> bool:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Basic":
        return form.get("client_id") == "APP1-pkce"
    name, _, secret = base64.b64decode(value).decode().partition(":")
    return (unquote_plus(name), unquote_plus(secret)) == (APP.client_id, APP.secret)


def _challenge(verifier: str | None) -> str | None:
    if verifier is None:
        return None
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def lost_after(_request: HttpRequest, handle: Callable[[], HttpAnswer]) -> HttpAnswer:
    """The server acts and its answer is lost."""
    handle()
    raise OutcomeUnknown("the connection was reset")


def not_sent(_request: HttpRequest, _handle: Callable[[], HttpAnswer]) -> HttpAnswer:
    raise NotSent("no connection")


def says(
    status: int, body: bytes = b"", **headers: str
) -> Callable[[HttpRequest, Callable[[], HttpAnswer]], HttpAnswer]:
    """The server answers so instead."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request, _handle: HttpAnswer(status, named, body)


@dataclass
class FakeLedger:
    """Enough of a ledger to be connected; `refuses` raises instead of answering."""

    capabilities: Capabilities
    record: Organisation
    tokens: Tokens
    refuses: Exception | None = None

    def organisation(self) -> Organisation:
        self.tokens.access()
        if self.refuses:
            raise self.refuses
        return self.record

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"connecting has no business with {name}")


@dataclass
class LedgerSide:
    """What the fake adapter reaches, and what was done to it."""

    grants: tuple[Grant, ...] = (Grant("org-1", "Kauri Joinery Ltd", "grant-1"),)
    records: dict[str, Organisation] = field(default_factory=dict)
    refuses: Exception | None = None
    disconnected: list[str] = field(default_factory=list)
    disconnect_error: Exception | None = None
    grace_seconds: int = 1800

    def adapter(self, name: str = "xero") -> Adapter:
        if name != "xero":
            raise NotFound(f"no ledger {name!r}")
        return Adapter(
            name="xero",
            title="Xero",
            oauth=self._endpoints,
            grants=lambda _http, _base, _access: self.grants,
            connect=self._connect,
            disconnect=self._disconnect,
            capabilities=Capabilities(),
            sandbox="nowhere",
            env_prefix="DUNWELL_XERO",
        )

    def _endpoints(self, base_url: str) -> OAuthEndpoints:
        base = base_url or "https://identity.example"
        return OAuthEndpoints(
            f"{base}/authorize", f"{base}/token", f"{base}/revoke", SCOPES, grace_seconds=self.grace_seconds
        )

    def _connect(
        self, *, http: HttpClient, clock: Clock, random: Random, tokens: Tokens, base_url: str, ledger_id: str
    ) -> FakeLedger:
        record = self.records.get(ledger_id) or builders.organisation(ledger_id)
        return FakeLedger(Capabilities(), record, tokens, self.refuses)

    def _disconnect(self, _http: HttpClient, _base: str, _access: str, grant: Grant) -> None:
        if self.disconnect_error:
            raise self.disconnect_error
        self.disconnected.append(grant.connection_id)
