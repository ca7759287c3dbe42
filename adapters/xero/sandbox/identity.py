"""Xero's identity service: discovery, consent, tokens, revocation and connections."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import parse_qs, parse_qsl

from adapters._twin.ids import SeededIds
from adapters._twin.messages import Request, Response
from adapters.xero.sandbox import problems
from adapters.xero.sandbox.apps import App, authenticate
from adapters.xero.sandbox.connections import Connections
from adapters.xero.sandbox.consent import Consent
from adapters.xero.sandbox.scopes import API_SCOPES, CUSTOM_SCOPES, MANAGE_CONNECTIONS, USER_SCOPES
from adapters.xero.sandbox.state import Books
from adapters.xero.sandbox.tokens import AccessToken, Grant, InvalidGrant, Tokens

AUTHORIZE = "/identity/connect/authorize"
TOKEN = "/connect/token"  # noqa: S105 - a path
REVOCATION = "/connect/revocation"
DISCOVERY = "/.well-known/openid-configuration"
CONNECTIONS = "/connections"
_METHODS: dict[str, tuple[str, ...]] = {
    AUTHORIZE: ("GET", "POST"),
    TOKEN: ("POST",),
    REVOCATION: ("POST",),
    DISCOVERY: ("GET",),
}
_NO_STORE = (("Content-Type", "application/json; charset=UTF-8"), ("Cache-Control", "no-store, no-cache"))


class OAuthRefusal(Exception):
    """The token endpoint's error, by its RFC 6749 name."""


class Identity:
    """The identity server of one sandbox, with one user. Callers hold the sandbox's lock."""

    def __init__(
        self,
        apps: tuple[App, ...],
        tokens: Tokens,
        connections: Connections,
        organisations: Mapping[str, Books],
        ids: SeededIds,
    ) -> None:
        self._apps = {app.client_id: app for app in apps}
        self._tokens = tokens
        self.connections = connections
        self._organisations = organisations
        self._ids = ids
        self.consent = Consent(self._apps, tokens, connections, organisations)

    def route(self, request: Request) -> str | None:
        """Return the template that the path fits; None when it is not the identity service's."""
        if request.path in _METHODS:
            return request.path
        head, _, connection_id = request.path[1:].partition("/")
        if head.lower() != CONNECTIONS[1:]:  # Xero's own description and clients write /Connections
            return None
        return f"{CONNECTIONS}/{{id}}" if connection_id else CONNECTIONS

    def handle(self, request: Request, now: datetime) -> Response:
        """Answer a request for which `route` has found a template."""
        methods = _METHODS.get(request.path)
        if methods is None:
            return self._connections(request, now)
        if request.method not in methods:
            return problems.method_not_allowed(methods)
        if request.path == AUTHORIZE:
            return self.consent.handle(request, now)
        if request.path == TOKEN:
            return self._token(request, now)
        return self._revoke(request) if request.path == REVOCATION else _discovery(_base(request))

    def order(self, order: Mapping[str, object]) -> dict[str, object]:
        """Obey the control plane: `refuse` the next consent, `drop_scopes` from everything issued from now on (a
        list; [] ends it), `disconnect` one organisation (id or name), `revoke_all`. Raises ValueError."""
        if not order or set(order) - {"refuse", "drop_scopes", "disconnect", "revoke_all"}:
            raise ValueError("consent: give refuse, drop_scopes, disconnect or revoke_all")
        scopes = order.get("drop_scopes", [])
        if not isinstance(scopes, list) or not all(scope in USER_SCOPES for scope in scopes):
            raise ValueError("consent: drop_scopes must be a list of known scopes")
        flags = [order.get(key, False) for key in ("refuse", "revoke_all")]
        if not all(isinstance(flag, bool) for flag in flags):
            raise ValueError("consent: refuse and revoke_all must be true or false")
        dropped = 0
        if "disconnect" in order:
            dropped = self.connections.drop(tenant_id=self._tenant(order["disconnect"]))
        if "refuse" in order:
            self.consent.refuse_next = flags[0] is True
        if "drop_scopes" in order:
            self.consent.dropped_scopes = frozenset(scopes)
        if flags[1]:
            dropped += self.connections.drop()
            self.revoke_all()
        return {
            "refuse": self.consent.refuse_next,
            "drop_scopes": sorted(self.consent.dropped_scopes),
            "connections_dropped": dropped,
        }

    def _tenant(self, wanted: object) -> str:
        for books in self._organisations.values():
            if wanted in (books.tenant_id, books.name):
                return books.tenant_id
        raise ValueError(f"consent: no organisation {wanted!r}")

    def visitor(self, request: Request, now: datetime) -> AccessToken | Response:
        """Return the caller's access token, or the 401 that it earns."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        token = self._tokens.access(value.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            return problems.unauthenticated(self._ids.uuid())
        if now >= token.expires:
            return problems.token_expired(token.expires, self._ids.uuid())
        return token

    def reaches(self, token: AccessToken, tenant_id: str) -> bool:
        """Tell whether the token opens this organisation."""
        bound = token.grant.bound_tenant
        return self.connections.reaches(token.grant.app, tenant_id) and bound in {None, tenant_id}

    def revoke_all(self) -> None:
        """The user disconnects every app in the ledger's own screens."""
        for app in self._apps.values():
            self._end(app)

    def _end(self, app: App) -> None:
        self._tokens.revoke(app)
        self.connections.drop(app)
        self.consent.forget(app)

    def _token(self, request: Request, now: datetime) -> Response:
        form = _form(request)
        try:
            app = authenticate(request, form, self._apps)
            if app is None:
                raise OAuthRefusal("invalid_client")
            grant = self._grant(app, form, now)
        except OAuthRefusal as refusal:
            return Response(400, _NO_STORE, json.dumps({"error": str(refusal)}).encode())
        except InvalidGrant:
            return Response(400, _NO_STORE, b'{"error":"invalid_grant"}')
        narrow = replace(grant, scope=self.consent.narrowed(grant.scope))
        return Response(200, _NO_STORE, json.dumps(self._tokens.issue(narrow, _base(request), now)).encode())

    def _grant(self, app: App, form: Mapping[str, str], now: datetime) -> Grant:
        match form.get("grant_type"):
            case "authorization_code":
                verifier, redirect_uri = form.get("code_verifier"), form.get("redirect_uri", "")
                return self._tokens.redeem_code(app, form.get("code", ""), redirect_uri, verifier, now)
            case "refresh_token":
                return self._tokens.redeem_refresh(app, form.get("refresh_token", ""), now)
            case "client_credentials":
                return self._custom_connection(app, form.get("scope"), now)
            case _:
                raise OAuthRefusal("unsupported_grant_type")

    def _custom_connection(self, app: App, scope: str | None, now: datetime) -> Grant:
        """A custom connection reaches the first organisation, without a user and without a refresh token."""
        if app.secret is None or not self._organisations:
            raise OAuthRefusal("unauthorized_client")
        wanted = tuple(dict.fromkeys(scope.split())) if scope else tuple(sorted(API_SCOPES))
        if not CUSTOM_SCOPES.issuperset(wanted):
            raise OAuthRefusal("invalid_scope")
        tenant_id = next(iter(self._organisations))
        event_id = self._tokens.new_event_id()
        if wanted != (MANAGE_CONNECTIONS,):
            self.connections.open(app, tenant_id, event_id, now)
        return Grant(app, wanted, event_id, bound_tenant=tenant_id)

    def _revoke(self, request: Request) -> Response:
        form = _form(request)
        app = authenticate(request, form, self._apps)
        if app is None:
            return Response(400, _NO_STORE, b'{"error":"invalid_client"}')
        if self._tokens.grant_of_refresh(app, form.get("token", "")) is not None:
            self._end(app)
        return Response(200)  # RFC 7009: an unknown token is no error

    def _connections(self, request: Request, now: datetime) -> Response:
        connection_id = request.path[1:].partition("/")[2]
        token = self.visitor(request, now)
        if isinstance(token, Response):
            return token
        grant = token.grant
        if not connection_id:
            if request.method != "GET":
                return problems.method_not_allowed(("GET",))
            event_ids = parse_qs(request.query).get("authEventId", [None])
            tenant_id = None if MANAGE_CONNECTIONS in grant.scope else grant.bound_tenant
            return self.connections.listing(grant.app, event_id=event_ids[-1], tenant_id=tenant_id)
        if request.method != "DELETE":
            return problems.method_not_allowed(("DELETE",))
        if self.connections.close(grant.app, connection_id):
            return Response(204)
        return problems.connection_missing(self._ids.uuid())


def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def _base(request: Request) -> str:
    return f"http://{request.headers.get('host') or 'localhost'}"


def _discovery(base: str) -> Response:
    document = {
        "issuer": base,
        "authorization_endpoint": f"{base}{AUTHORIZE}",
        "token_endpoint": f"{base}{TOKEN}",
        "revocation_endpoint": f"{base}{REVOCATION}",
        "scopes_supported": sorted(USER_SCOPES),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
    }
    return Response(200, (("Content-Type", "application/json"),), json.dumps(document).encode())
