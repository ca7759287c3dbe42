"""Tokens of a stored connection. Whoever finds the access token old refreshes it for all processes, once.

The refresh runs under a lease in the database: a compare-and-set on the row's version takes it, losers wait and read
again, and the new tokens are stored by the statement that frees the lease. No request is sent inside a transaction.
A lost answer is asked for again with the same refresh token, which is what the ledgers' grace is for; a process that
dies in between leaves an expiring lease and the old refresh token, and the next one does the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connector.errors import (
    Busy,
    ConnectionRevoked,
    DunwellError,
    LedgerUnavailable,
    NotSent,
    OutcomeUnknown,
    StorageFailed,
    TokenExpired,
    UnreadableAnswer,
    WrongCredentials,
)
from connector.oauth import endpoint
from connector.oauth.document import TokenDocument, document_place
from connector.oauth.endpoint import REQUEST_SECONDS, TokenAnswer
from connector.ports import Adapter, Clock, Credentials, HttpClient, Ids, OAuthEndpoints
from connector.store import connections, organisations
from connector.store.connections import ConnectionRow
from connector.store.db import Database, Tx
from connector.vault import Vault

LEASE = timedelta(seconds=120)  # outlives every attempt of one refresh
_POLL_SECONDS = 0.25
_PATIENCE = LEASE + timedelta(seconds=30)
_WAITS = (1.0, 3.0)  # seconds between attempts
_LOST = (OutcomeUnknown, NotSent, LedgerUnavailable, UnreadableAnswer)
_STORE_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class FreshTokens:
    """An access token that is not stored yet: for the first look at what a consent reaches."""

    token: str = field(repr=False)

    def access(self) -> str:
        return self.token

    def replace(self, refused: str) -> str:  # noqa: ARG002 - there is no other
        raise TokenExpired("the ledger refused the access token it gave a moment ago", next_step="connect again")


@dataclass(frozen=True, slots=True)
class _Lease:
    row: ConnectionRow
    epoch: int
    until: datetime


class StoredTokens:
    """`Tokens` of one connection. Threads and processes may hold as many of these as they like."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        http: HttpClient,
        adapter: Adapter,
        connection_id: str,
        clock: Clock,
        ids: Ids,
        credentials: Credentials | None,
        *,
        tenant: str,
    ) -> None:
        """`credentials` are the ones of the process settings, if any; used where they are the connected app's."""
        self._db = db
        self._tenant = tenant
        self._vault = vault
        self._http = http
        self._adapter = adapter
        self._id = connection_id
        self._clock = clock
        self._ids = ids
        self._credentials = credentials
        self._held: TokenDocument | None = None

    def __repr__(self) -> str:
        return f"StoredTokens({self._id})"

    def access(self) -> str:
        """A token that is valid now.

        Raises `ConnectionRevoked`, `WrongCredentials`, `Retriable`, `NeedsPerson` (wrong master key), `StorageFailed`.
        """
        held = self._held
        if held is not None and held.lives(self._clock.now()):
            return held.access
        return self._obtain(refused="")

    def replace(self, refused: str) -> str:
        """Another token than `refused`, which the ledger answered 401 to. Raises as `access`."""
        self._held = None
        return self._obtain(refused)

    def revoke(self) -> None:
        """End the refresh token at the ledger; what is stored stays. Safe to repeat. Raises as `access`, `Refused`."""
        row, document = self._read()
        if document.refresh:
            app = self._app(row, document)
            endpoint.revoke(self._http, self._adapter.oauth(row.base_url), app, document.refresh)

    def _obtain(self, refused: str) -> str:
        started = self._clock.now()
        while True:
            row, document = self._read()
            usable = document.access != refused and document.lives(self._clock.now())
            if usable and not self._was_interrupted(row):
                self._held = document
                return document.access
            renewed = self._renew(row, document)
            if renewed is not None:
                self._held = renewed
                return renewed.access
            if self._clock.now() - started > _PATIENCE:
                raise Busy("another process is refreshing the tokens and does not finish", next_step="try again later")
            self._clock.sleep(_POLL_SECONDS)

    def _was_interrupted(self, row: ConnectionRow) -> bool:
        """Did a process die while it refreshed? Then the stored refresh token may be used up, and lives on for the
        ledger's grace only: it is tried at once, not when the access token ends."""
        return row.lease_until is not None and row.lease_until <= self._clock.lease_now()

    def _read(self) -> tuple[ConnectionRow, TokenDocument]:
        with self._db.reading(self._tenant) as tx:
            row = connections.get(tx, self._id)
            if row.state in {"needs_reauth", "disconnected"}:
                raise _gone(self._adapter, _names(tx, self._id), row.note or row.state)
        return row, TokenDocument.from_bytes(self._vault.unseal(row.sealed, document_place(self._tenant, self._id)))

    def _renew(self, row: ConnectionRow, document: TokenDocument) -> TokenDocument | None:
        """The renewed document, or None when another process is or was at it: read again."""
        lease = self._claim(row)
        if lease is None:
            return None
        endpoints = self._adapter.oauth(row.base_url)
        at = self._clock.now()
        try:
            answer = self._ask(lease, document, endpoints)
        except ConnectionRevoked as error:
            self._give_up(lease, error.what)
            return None
        except DunwellError as error:
            self._free(lease, error.what)
            raise
        renewed = document.renewed(at, answer, endpoints.refresh_lifetime_days)
        return renewed if self._store(lease, renewed) else None

    def _claim(self, row: ConnectionRow) -> _Lease | None:
        now = self._clock.lease_now()
        if row.lease_until is not None and row.lease_until > now:
            return None  # held: do not queue for the database's write lock only to hear so
        with self._db.writing(self._tenant) as tx:
            epoch = connections.take_refresh_lease(tx, row.id, self._ids.new(), row.version, now, LEASE)
        return None if epoch is None else _Lease(row, epoch, now + LEASE)

    def _ask(self, lease: _Lease, document: TokenDocument, endpoints: OAuthEndpoints) -> TokenAnswer:
        """One refresh, repeated with the same token while no answer arrives. Raises the last error as `Retriable`.

        Where the ledger gives no grace to a used token, it is tried once more only: a used one might be dead.
        """
        credentials = self._app(lease.row, document)
        waits = _WAITS if endpoints.grace_seconds > 0 else _WAITS[:1]
        for wait in (*waits, None):
            try:
                return self._request(lease.row, document, endpoints, credentials)
            except _LOST as error:
                if wait is None or not self._has_time(lease, wait):
                    raise _unanswered(error) from error
                self._clock.sleep(wait)
        raise AssertionError("unreachable: the last wait is None")

    def _request(
        self, row: ConnectionRow, document: TokenDocument, endpoints: OAuthEndpoints, credentials: Credentials
    ) -> TokenAnswer:
        if row.app_kind == "custom":
            return endpoint.client_credentials(self._http, endpoints, credentials, row.scopes)
        return endpoint.refresh(self._http, endpoints, credentials, document.refresh)

    def _app(self, row: ConnectionRow, document: TokenDocument) -> Credentials:
        """The app that the consent was given to: from the environment where it is the same, else as sealed."""
        if row.app_kind == "pkce":
            return Credentials(row.client_id)
        configured = self._credentials
        if configured is not None and configured.client_id == row.client_id and configured.secret:
            return configured
        if document.client_secret:
            return Credentials(row.client_id, document.client_secret)
        prefix = self._adapter.env_prefix
        raise WrongCredentials(
            f"the secret of the {self._adapter.title} app {row.client_id} is not set",
            next_step=f"set {prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET to the app that was connected",
        )

    def _has_time(self, lease: _Lease, wait: float) -> bool:
        return self._clock.lease_now() + timedelta(seconds=wait + REQUEST_SECONDS) < lease.until

    def _store(self, lease: _Lease, document: TokenDocument) -> bool:
        """Store before use; False when the lease was lost meanwhile. Raises `StorageFailed`, `Busy`."""
        sealed = self._vault.seal(document.to_bytes(), document_place(self._tenant, self._id))
        for attempt in range(1, _STORE_ATTEMPTS + 1):
            try:
                with self._db.writing(self._tenant) as tx:
                    return connections.store_refreshed(
                        tx, self._id, lease.epoch, sealed, document.scopes, document.expires, document.refresh_expires
                    )
            except (StorageFailed, Busy):
                if attempt == _STORE_ATTEMPTS:  # the old refresh token is still stored: the next process tries it
                    raise
                self._clock.sleep(_WAITS[0])
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _free(self, lease: _Lease, note: str) -> None:
        with self._db.writing(self._tenant) as tx:
            connections.release_refresh_lease(tx, self._id, lease.epoch, "active", note)

    def _give_up(self, lease: _Lease, why: str) -> None:
        """The refresh token is dead: `ConnectionRevoked`, told to the timeline once.

        Returns where another process took over meanwhile: its tokens may live, so the row is to be read again.
        """
        with self._db.writing(self._tenant) as tx:
            if not connections.release_refresh_lease(tx, self._id, lease.epoch, "needs_reauth", why):
                return
            names = _names(tx, self._id)
        raise _gone(self._adapter, names, why)


def _names(tx: Tx, connection_id: str) -> str:
    return ", ".join(row.record.name for row in organisations.all(tx) if row.connection_id == connection_id)


def _gone(adapter: Adapter, names: str, why: str) -> ConnectionRevoked:
    return ConnectionRevoked(
        f"{adapter.title} has to be connected again: {why}",
        record=names,
        not_done="nothing was read or written",
        next_step=f"run `dunwell connect {adapter.name}`",
    )


def _unanswered(error: DunwellError) -> LedgerUnavailable:
    return LedgerUnavailable(
        f"the access token could not be refreshed: {error.what}",
        not_done="nothing was read or written",
        next_step="try again in a moment; the connection itself is kept",
    )
