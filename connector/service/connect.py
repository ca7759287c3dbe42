"""Connect an organisation: consent, tokens, a first look at the ledger, and then one transaction that stores it all.

Whatever goes wrong before that transaction leaves nothing behind. Connecting the same organisation again renews its
connection under the same id: nothing about the organisation is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from connector.clock import is_loopback
from connector.domain.ledger import Organisation
from connector.errors import NotFound, Refused, ScopeMissing, UserError
from connector.oauth import endpoint
from connector.oauth.document import TokenDocument, document_place
from connector.oauth.scopes import granted_scopes, scope_warnings, without_person
from connector.oauth.stored import FreshTokens, StoredTokens
from connector.ports import Adapter, Clock, Credentials, Grant, HttpClient, Ids, Random
from connector.service.consent import CALLBACK_PATH, Pending
from connector.store import connections, organisations, timeline
from connector.store.connections import ConnectionRow
from connector.store.db import Database, Tx
from connector.store.organisations import OrganisationRow
from connector.vault import Vault

DEFAULT_PORT: Final = 8484
_MAX_PORT = 65535
Choose = Callable[[Sequence[Grant]], Grant | None]


@dataclass(frozen=True)
class ConnectWiring:
    """What connecting is given."""

    tenant: str
    db: Database
    vault: Vault
    http: HttpClient
    clock: Clock
    ids: Ids
    random: Random
    adapter: Callable[[str], Adapter]  # by ledger name; raises `NotFound`
    credentials: Callable[[Adapter], Credentials | None]  # from the process settings
    who: str


@dataclass(frozen=True)
class ConnectRequest:
    """Which ledger, as which app. Without a secret the app is a PKCE app; `custom` needs a secret and no person."""

    ledger: str
    credentials: Credentials
    base_url: str = ""
    custom: bool = False
    port: int = DEFAULT_PORT
    organisation: str = ""  # name or ledger id, where a consent reaches several
    preset: str = "standard"

    @property
    def app_kind(self) -> str:
        if self.custom:
            return "custom"
        return "confidential" if self.credentials.secret else "pkce"


@dataclass(frozen=True)
class Connected:
    """`warnings` are sentences for a person."""

    organisation: OrganisationRow
    scopes: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    renewed: bool = False  # it was connected before


@dataclass(frozen=True)
class _Consented:
    """What a consent turned out to be, before anything is stored."""

    record: Organisation
    grant: Grant
    document: TokenDocument = field(repr=False)
    scopes: tuple[str, ...]
    warnings: tuple[str, ...]


def choose_none(_grants: Sequence[Grant]) -> Grant | None:
    """Nobody to ask: several organisations are refused with their names."""
    return None


def begin(w: ConnectWiring, request: ConnectRequest) -> Pending:
    """Prepare the consent of a person; makes no call. Raises `UserError`, `NotFound`."""
    adapter = _checked(w, request)
    if request.custom:
        raise UserError("a custom connection has no consent page", next_step="use --custom-connection alone")
    endpoints = adapter.oauth(request.base_url)
    redirect_uri = f"http://localhost:{request.port}{CALLBACK_PATH}"
    pkce = None if request.credentials.secret else endpoint.new_pkce()
    state = endpoint.new_state()
    return Pending(
        url=endpoint.authorization_url(endpoints, request.credentials.client_id, redirect_uri, state, pkce),
        redirect_uri=redirect_uri,
        state=state,
        pkce=pkce,
        hosts=frozenset(urlsplit(url).hostname or "" for url in (endpoints.authorize, endpoints.token)),
        base_url=request.base_url,
    )


def finish(
    w: ConnectWiring, request: ConnectRequest, pending: Pending, answer: str, choose: Choose = choose_none
) -> Connected:
    """Take the redirect that came back from consent and connect what it reaches.

    Raises `Refused` (other state, refused consent, used code, several organisations and no choice), `ScopeMissing`,
    `WrongCredentials`, `NotFound`, `Retriable`; then nothing is stored.
    """
    adapter = _checked(w, request)
    code = pending.code_in(answer)
    endpoints = adapter.oauth(request.base_url)
    at = w.clock.now()
    tokens = endpoint.exchange(w.http, endpoints, request.credentials, code, pending.redirect_uri, pending.pkce)
    secret = _secret_to_keep(w, adapter, request)
    document = TokenDocument.issued_at(at, tokens, endpoints.refresh_lifetime_days, secret)
    granted = granted_scopes(tokens, endpoints.scopes)
    if not tokens.refresh:
        raise ScopeMissing(
            "the ledger gave no refresh token: the connection would end with the first access token",
            not_done="nothing was stored",
            next_step="connect again and grant the scope offline_access",
        )
    return _connect(w, request, adapter, document, granted, endpoints.scopes, choose)


def connect_custom(w: ConnectWiring, request: ConnectRequest, choose: Choose = choose_none) -> Connected:
    """Connect the organisation of a custom connection, by the app's credentials alone. Raises as `finish`."""
    adapter = _checked(w, request)
    if not request.credentials.secret:
        raise UserError(
            "a custom connection needs the app's secret", next_step=f"set {adapter.env_prefix}_CLIENT_SECRET"
        )
    endpoints = adapter.oauth(request.base_url)
    wanted = without_person(endpoints.scopes)
    at = w.clock.now()
    tokens = endpoint.client_credentials(w.http, endpoints, request.credentials, wanted)
    secret = _secret_to_keep(w, adapter, request)
    document = TokenDocument.issued_at(at, tokens, endpoints.refresh_lifetime_days, secret)
    return _connect(w, request, adapter, document, granted_scopes(tokens, wanted), wanted, choose)


def _secret_to_keep(w: ConnectWiring, adapter: Adapter, request: ConnectRequest) -> str:
    """The app's secret where the environment does not hold it: typed at a prompt, it is needed for every refresh."""
    return "" if w.credentials(adapter) == request.credentials else request.credentials.secret


def _checked(w: ConnectWiring, request: ConnectRequest) -> Adapter:
    adapter = w.adapter(request.ledger)
    if not request.credentials.client_id:
        raise UserError(
            f"the client id of your {adapter.title} app is not set",
            next_step=f"set {adapter.env_prefix}_CLIENT_ID, or give --client-id",
        )
    if request.base_url and not is_loopback(request.base_url):
        raise Refused(
            "a base URL can only be a sandbox on this machine (http://127.0.0.1:PORT)",
            not_done="nothing was sent there",
            next_step=f"leave out --base-url to connect to {adapter.title} itself",
        )
    if not 0 < request.port <= _MAX_PORT:
        raise UserError(f"{request.port} is no port", next_step="give a number from 1 to 65535")
    return adapter


def _connect(
    w: ConnectWiring,
    request: ConnectRequest,
    adapter: Adapter,
    document: TokenDocument,
    granted: tuple[str, ...],
    wanted: tuple[str, ...],
    choose: Choose,
) -> Connected:
    warnings = scope_warnings(granted, wanted)
    grants = adapter.grants(w.http, request.base_url, document.access)
    grant = _pick(w, adapter.name, grants, request.organisation, choose)
    ledger = adapter.connect(
        http=w.http,
        clock=w.clock,
        random=w.random,
        tokens=FreshTokens(document.access),
        base_url=request.base_url,
        ledger_id=grant.ledger_id,
    )
    record = ledger.organisation()
    if (record.ledger, record.ledger_id) != (adapter.name, grant.ledger_id):
        raise Refused("the ledger answered for another organisation than the one chosen", not_done="nothing was stored")
    consented = _Consented(record, grant, document, granted, (*warnings, *_warnings(record)))
    return _store(w, request, consented)


def _pick(w: ConnectWiring, ledger: str, grants: Sequence[Grant], wanted: str, choose: Choose) -> Grant:
    """The organisation meant: the one named, the only one, the only new one, or the one chosen."""
    if not grants:
        raise Refused(
            "the consent reaches no organisation",
            not_done="nothing was stored",
            next_step="connect again and choose an organisation on the consent page",
        )
    names = ", ".join(f"{grant.name} ({grant.ledger_id})" for grant in grants)
    if wanted:
        folded = wanted.casefold()
        grants = [one for one in grants if wanted == one.ledger_id or folded == one.name.casefold()]
        if not grants:
            raise NotFound(f"the consent does not reach {wanted!r}", next_step=f"it reaches: {names}")
    if len(grants) == 1:
        return grants[0]
    with w.db.reading(w.tenant) as tx:
        known = {row.record.ledger_id for row in organisations.all(tx) if row.record.ledger == ledger}
    fresh = [grant for grant in grants if grant.ledger_id not in known]
    chosen = fresh[0] if len(fresh) == 1 and not wanted else choose(grants)
    if chosen is None or chosen not in grants:
        raise Refused(
            f"the consent reaches several organisations: {names}",
            not_done="nothing was stored",
            next_step="name one with --organisation",
        )
    return chosen


def _warnings(record: Organisation) -> list[str]:
    found = []
    if record.native_reminders:
        found.append(
            f"{record.name} has the ledger's own invoice reminders switched on: customers would be reminded twice; "
            "switch them off there before dunwell sends anything"
        )
    elif record.native_reminders is None:
        found.append(
            f"whether the ledger itself sends invoice reminders for {record.name} could not be read; "
            "make sure they are off"
        )
    if record.demo:
        found.append(f"{record.name} is a demo company: the ledger resets it and sends no mail for it")
    return found


def stored_tokens(w: ConnectWiring, adapter: Adapter, connection_id: str) -> StoredTokens:
    """The tokens of a stored connection."""
    own = w.credentials(adapter)
    return StoredTokens(w.db, w.vault, w.http, adapter, connection_id, w.clock, w.ids, own, tenant=w.tenant)


def _store(w: ConnectWiring, request: ConnectRequest, consented: _Consented) -> Connected:
    record = consented.record
    with w.db.writing(w.tenant) as tx:
        known = _known(tx, organisations.organisation_id(record))
        row = _row(w, request, consented, known.connection_id if known else w.ids.new())
        if known:
            connections.replace(tx, row)
            organisations.update_record(tx, known.id, record)
            organisation = organisations.get(tx, known.id)
        else:
            start = w.clock.now().astimezone(ZoneInfo(record.timezone)).date()
            connections.add(tx, row)
            organisation = organisations.add(tx, record, row.id, start, request.preset)
        body = {"connection": row.id, "scopes": list(row.scopes), "renewed": known is not None}
        timeline.append(tx, organisation.id, "organisation.connected", organisation.id, w.who, body)
    return Connected(organisation, consented.scopes, consented.warnings, renewed=known is not None)


def _known(tx: Tx, organisation_id: str) -> OrganisationRow | None:
    return next((row for row in organisations.all(tx) if row.id == organisation_id), None)


def _row(w: ConnectWiring, request: ConnectRequest, consented: _Consented, connection_id: str) -> ConnectionRow:
    document = consented.document
    return ConnectionRow(
        id=connection_id,
        ledger=request.ledger,
        base_url=request.base_url,
        client_id=request.credentials.client_id,
        app_kind=request.app_kind,
        scopes=consented.scopes,
        state="active",
        sealed=w.vault.seal(document.to_bytes(), document_place(w.tenant, connection_id)),
        version=1,
        access_expires_at=document.expires,
        refresh_expires_at=document.refresh_expires,
        lease_holder="",
        lease_until=None,
        epoch=0,
        note="",
        grant_id=consented.grant.connection_id,
    )
