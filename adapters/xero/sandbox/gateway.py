"""The way of one Accounting API call: token, tenant, limits, faults, scope, idempotency, and then the books.

A call refused with 401, 403 or 429 for token, tenant or limit reaches neither the faults nor the key store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from adapters._twin.calls import Calls
from adapters._twin.faults import Faults, Firing
from adapters._twin.ids import SeededIds
from adapters._twin.interjections import Interjections
from adapters._twin.messages import Request, Response
from adapters.xero.sandbox import problems
from adapters.xero.sandbox.directory import Found, directory_of
from adapters.xero.sandbox.idempotency import IdempotencyKeys, Rules
from adapters.xero.sandbox.identity import Identity
from adapters.xero.sandbox.limits import Limits
from adapters.xero.sandbox.routing import Call, Route
from adapters.xero.sandbox.scopes import permits
from adapters.xero.sandbox.state import Books
from adapters.xero.sandbox.tokens import AccessToken
from adapters.xero.sandbox.xml_answers import in_xml, wants_json

PREFIX = "/api.xro/2.0"


@dataclass(frozen=True, slots=True)
class Visit:
    """A call that has shown a valid token for one organisation."""

    request: Request
    token: AccessToken
    books: Books
    found: Found
    firing: Firing


@dataclass(frozen=True, slots=True)
class Parts:
    """What the gateway works with; `lock` guards the books, `identity_lock` tokens and connections.

    `catch_up` runs what is due and returns the present instant, never earlier than any it returned before. Whoever
    needs both locks takes `lock` first.
    """

    organisations: Mapping[str, Books]
    identity: Identity
    limits: Limits
    faults: Faults
    interjections: Interjections
    calls: Calls
    ids: SeededIds
    switches: Mapping[str, object]
    lock: AbstractContextManager[object]
    identity_lock: AbstractContextManager[object]
    catch_up: Callable[[datetime], datetime]


class Gateway:
    """Answers everything under /api.xro/2.0. Thread-safe; the books are touched under the sandbox's one lock."""

    def __init__(self, routes: Iterable[Route], parts: Parts) -> None:
        self._directory = directory_of(tuple(routes))
        self._parts = parts
        self._keys = IdempotencyKeys(parts.ids)

    def handle(self, request: Request, now: datetime) -> tuple[str, Response]:
        """Return the route's template and the answer."""
        found = self._directory.find(request.method, request.path.removeprefix(PREFIX))
        if found.refusal is not None and found.refusal.status in {404, 501}:
            label = request.path if found.refusal.status == 404 else found.template
            self._parts.calls.unsimulated(request.method, label)
        with self._parts.identity_lock:
            admitted = self._admit(request, now)
        if isinstance(admitted, Response):
            return found.template, admitted
        token, books = admitted
        refusal = self._parts.limits.enter(books.tenant_id, now)
        if refusal is not None:
            return found.template, refusal
        try:
            names = (books.tenant_id, books.name)
            visit = Visit(request, token, books, found, self._parts.faults.draw(request, names, now))
            response = visit.firing.at_edge(lambda instant: self._commit(visit, instant), now)
        finally:
            self._parts.limits.leave(books.tenant_id)
        remaining = self._parts.limits.remaining(books.tenant_id, now)
        return found.template, replace(response, headers=(*response.headers, *remaining))

    def _admit(self, request: Request, now: datetime) -> tuple[AccessToken, Books] | Response:
        token = self._parts.identity.visitor(request, now)
        if isinstance(token, Response):
            return token
        tenant_id = request.headers.get("xero-tenant-id") or token.grant.bound_tenant or ""
        books = self._parts.organisations.get(tenant_id.lower())
        if books is None or not self._parts.identity.reaches(token, books.tenant_id):
            return problems.tenant_forbidden(self._parts.ids.uuid())
        return token, books

    def _commit(self, visit: Visit, now: datetime) -> Response:
        """Carry the call out at `now`, which may be later than its arrival."""
        found, grant = visit.found, visit.token.grant
        if found.refusal is not None:
            refusal = found.refusal
            return visit.firing.within(lambda _: refusal, now)
        with self._parts.lock:
            now = self._parts.catch_up(now)
            route = found.route
            assert route is not None, "neither a route nor a refusal"
            if not permits(grant.scope, route.scope, write=visit.request.method != "GET"):
                return problems.scope_missing(self._parts.ids.uuid())
            names = (visit.books.tenant_id, visit.books.name)
            self._parts.interjections.fall("before", visit.request, names, now)
            response = self._keys.run(
                visit.request,
                (grant.app.client_id, visit.books.tenant_id),
                now,
                self._key_rules(),
                lambda: visit.firing.within(lambda instant: self._call(visit, route, instant), now),
            )
            self._parts.interjections.fall("after", visit.request, names, now)
        return response if wants_json(visit.request) else in_xml(response)

    def _key_rules(self) -> Rules:
        switches = self._parts.switches
        seconds = switches["idempotency_seconds"]
        assert isinstance(seconds, int), "the switch takes whole numbers only"
        life = timedelta(seconds=seconds)
        return Rules(life, str(switches["idempotency_refusal"]), bool(switches["email_obeys_key"]))

    def _call(self, visit: Visit, route: Route, now: datetime) -> Response:
        request = visit.request
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        params = visit.found.params or {}
        return route.handler(Call(request, now, visit.books, params, query, visit.token.grant.app.name))
