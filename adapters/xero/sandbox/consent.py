"""/identity/connect/authorize: who asks for what, the user's answer, and the way back to the app.

Errors go back to the app as a redirect, except when the app or its redirect URI cannot be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from adapters._twin.messages import Request, Response
from adapters.xero.sandbox.apps import App, redirect_accepted
from adapters.xero.sandbox.connections import Connections
from adapters.xero.sandbox.consent_page import consent_page, error_page
from adapters.xero.sandbox.scopes import USER_SCOPES
from adapters.xero.sandbox.state import Books
from adapters.xero.sandbox.tokens import Grant, Tokens


@dataclass(frozen=True, slots=True)
class Ask:
    """An authorisation request that may be shown to the user."""

    app: App
    redirect_uri: str
    scope: tuple[str, ...]
    state: str | None
    nonce: str | None
    challenge: str | None


class Consent:
    """The authorisation endpoint and what the user has granted so far."""

    def __init__(
        self,
        apps: Mapping[str, App],
        tokens: Tokens,
        connections: Connections,
        organisations: Mapping[str, Books],
    ) -> None:
        self._apps = apps
        self._tokens = tokens
        self._connections = connections
        self._organisations = organisations
        self._granted: dict[App, tuple[str, ...]] = {}
        self.refuse_next = False
        self.dropped_scopes: frozenset[str] = frozenset()

    def handle(self, request: Request, now: datetime) -> Response:
        """Show the consent page (GET), or take the user's decision (POST)."""
        ask = self._read(dict(parse_qsl(request.query, keep_blank_values=True)))
        if isinstance(ask, Response):
            return ask
        if request.method == "GET":
            choices = [(books.tenant_id, books.name) for books in self._organisations.values()]
            return consent_page(ask.app.name, ask.scope, choices)
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        return self._decide(ask, form, now)

    def forget(self, app: App) -> None:
        """Drop what was granted: the next consent starts from nothing."""
        self._granted.pop(app, None)

    def narrowed(self, scope: tuple[str, ...]) -> tuple[str, ...]:
        """Return the scopes without those that the control plane has taken away."""
        return tuple(each for each in scope if each not in self.dropped_scopes)

    def _read(self, query: Mapping[str, str]) -> Ask | Response:
        app = self._apps.get(query.get("client_id", ""))
        if app is None:
            return error_page("unauthorized_client: unknown client_id")
        redirect_uri = query.get("redirect_uri", "")
        if not redirect_accepted(redirect_uri):
            return error_page("invalid_request: redirect_uri must be https, or http://localhost")
        scope = tuple(dict.fromkeys(query.get("scope", "").split()))
        challenge = query.get("code_challenge")
        ask = Ask(app, redirect_uri, scope, query.get("state"), query.get("nonce"), challenge)
        if query.get("response_type") != "code":
            return _back(ask, error="unsupported_response_type")
        if not scope or not USER_SCOPES.issuperset(scope):
            return _back(ask, error="unauthorized_client", error_description="Invalid scope for client")
        if challenge is None and app.secret is None:
            return _back(ask, error="invalid_request", error_description="code challenge required")
        if challenge is not None and query.get("code_challenge_method") != "S256":
            return _back(ask, error="invalid_request", error_description="transform algorithm not supported")
        return ask

    def _decide(self, ask: Ask, form: Mapping[str, str], now: datetime) -> Response:
        decision = form.get("decision")
        if decision not in {"allow", "cancel"}:
            return error_page("decision must be allow or cancel")
        if decision == "cancel" or self.refuse_next:
            self.refuse_next = False
            return _back(ask, error="access_denied")
        tenant_id = form.get("organisation") or self._only_organisation()
        if tenant_id not in self._organisations:
            return error_page("choose one of the organisations shown")
        event_id = self._tokens.new_event_id()
        earlier = self._granted.get(ask.app, ())
        scope = self.narrowed(tuple(dict.fromkeys(ask.scope + earlier)))  # scopes only ever add up
        self._granted[ask.app] = scope
        self._connections.open(ask.app, tenant_id, event_id, now)
        grant = Grant(ask.app, scope, event_id, ask.nonce)
        return _back(ask, code=self._tokens.issue_code(grant, ask.redirect_uri, ask.challenge, now))

    def _only_organisation(self) -> str:
        return next(iter(self._organisations)) if len(self._organisations) == 1 else ""


def _back(ask: Ask, **answer: str) -> Response:
    """Redirect to the app with the answer and the state exactly as it was sent."""
    if ask.state is not None:
        answer["state"] = ask.state
    joint = "&" if "?" in ask.redirect_uri else "?"
    location = f"{ask.redirect_uri}{joint}{urlencode(answer)}"
    return Response(302, (("Location", location), ("Cache-Control", "no-store")))
