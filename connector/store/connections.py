"""Consents and their sealed tokens. Refreshing is fenced: one process at a time, and a late one stores nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from connector.errors import NotFound
from connector.store import timeline
from connector.store.db import Tx
from connector.store.plain import dumps, strings
from connector.store.schema import connection, organisation

STATES = ("active", "refreshing", "needs_reauth", "disconnected")
_OURS = connection.c


@dataclass(frozen=True)
class ConnectionRow:
    """One consent. `sealed` is the encrypted token document, opaque here; `version` counts its rewrites."""

    id: str
    ledger: str
    base_url: str  # "" = the real service
    client_id: str
    app_kind: str  # confidential | pkce | custom
    scopes: tuple[str, ...]
    state: str  # one of STATES
    sealed: bytes = field(repr=False)
    version: int
    access_expires_at: datetime
    refresh_expires_at: datetime | None
    lease_holder: str
    lease_until: datetime | None
    epoch: int
    note: str
    grant_id: str  # the ledger's own id of the consent


def add(tx: Tx, row: ConnectionRow) -> None:
    """A new consent."""
    tx.connection.execute(sa.insert(connection), {"tenant": tx.tenant} | _values(row))
    _note(tx, row.id, "connection.added", {"ledger": row.ledger, "scopes": row.scopes})


def replace(tx: Tx, row: ConnectionRow) -> None:
    """A person consented again: new tokens under the same id. Raises `NotFound`.

    Version and epoch go on growing, so a refresh still under way with the old tokens can store nothing.
    """
    before = get(tx, row.id)
    values = _values(row) | {
        "version": before.version + 1,
        "epoch": before.epoch + 1,
        "lease_holder": "",
        "lease_until": None,
    }
    tx.connection.execute(sa.update(connection).where(_is(tx, row.id)).values(values))
    _note(tx, row.id, "connection.renewed", {"scopes": row.scopes})


def disconnect(tx: Tx, connection_id: str, note: str = "") -> None:
    """Forget the tokens; the row stays as a mark. Raises `NotFound`."""
    get(tx, connection_id)
    values = {
        "state": "disconnected",
        "sealed": b"",
        "version": _OURS.version + 1,
        "epoch": _OURS.epoch + 1,
        "lease_holder": "",
        "lease_until": None,
        "note": note,
    }
    tx.connection.execute(sa.update(connection).where(_is(tx, connection_id)).values(values))
    _note(tx, connection_id, "connection.disconnected", {"note": note})


def get(tx: Tx, connection_id: str) -> ConnectionRow:
    """Raises `NotFound`."""
    row = tx.connection.execute(sa.select(connection).where(_is(tx, connection_id))).one_or_none()
    if row is None:
        raise NotFound("no such connection", record=connection_id, next_step="`dunwell connect` makes one")
    return _row(row)


def all(tx: Tx) -> tuple[ConnectionRow, ...]:  # noqa: A001
    """Every consent of the tenant, disconnected ones too."""
    rows = tx.connection.execute(sa.select(connection).where(_OURS.tenant == tx.tenant).order_by(_OURS.id))
    return tuple(_row(row) for row in rows)


def for_organisation(tx: Tx, org_id: str) -> ConnectionRow | None:
    """The consent through which this organisation is reached; None when there is none."""
    query = (
        sa.select(connection)
        .join(organisation, sa.and_(organisation.c.tenant == _OURS.tenant, organisation.c.connection_id == _OURS.id))
        .where(organisation.c.tenant == tx.tenant, organisation.c.id == org_id)
    )
    row = tx.connection.execute(query).one_or_none()
    return None if row is None else _row(row)


def take_refresh_lease(
    tx: Tx, connection_id: str, holder: str, version: int, now: datetime, ttl: float | timedelta
) -> int | None:
    """Become the one who refreshes, if the tokens are still `version` and nobody else is at it: the new epoch.

    `ttl` in seconds. None for everybody else: read the row again.
    """
    length = ttl if isinstance(ttl, timedelta) else timedelta(seconds=ttl)
    taken = (
        sa.update(connection)
        .where(
            _is(tx, connection_id),
            _OURS.version == version,
            _OURS.state.in_(("active", "refreshing")),
            sa.or_(_OURS.lease_until.is_(None), _OURS.lease_until <= now),
        )
        .values(lease_holder=holder, lease_until=now + length, epoch=_OURS.epoch + 1, state="refreshing")
        .returning(_OURS.epoch)
    )
    return tx.connection.execute(taken).scalar_one_or_none()


def store_refreshed(
    tx: Tx,
    connection_id: str,
    epoch: int,
    sealed: bytes,
    scopes: tuple[str, ...],
    access_expires_at: datetime,
    refresh_expires_at: datetime | None,
) -> bool:
    """Store the new tokens and free the lease, in one statement. False when another took over: nothing was stored."""
    stored = (
        sa.update(connection)
        .where(_is(tx, connection_id), _OURS.epoch == epoch, _OURS.state == "refreshing")
        .values(
            sealed=sealed,
            scopes=dumps(scopes),
            access_expires_at=access_expires_at,
            refresh_expires_at=refresh_expires_at,
            version=_OURS.version + 1,
            state="active",
            note="",
            lease_holder="",
            lease_until=None,
        )
    )
    return tx.connection.execute(stored).rowcount == 1


def release_refresh_lease(tx: Tx, connection_id: str, epoch: int, state: str, note: str) -> bool:
    """Give up refreshing and say why. False when another took over: nothing was changed."""
    if state not in STATES:
        raise ValueError(f"{state!r} is not a state of a connection")
    freed = (
        sa.update(connection)
        .where(_is(tx, connection_id), _OURS.epoch == epoch, _OURS.state == "refreshing")
        .values(state=state, note=note, lease_holder="", lease_until=None)
    )
    if tx.connection.execute(freed).rowcount != 1:
        return False
    if state != "active":
        _note(tx, connection_id, f"connection.{state}", {"note": note})
    return True


def lost(tx: Tx, connection_id: str, note: str) -> bool:
    """The ledger does not know this consent any more: nothing is read or written before a person connects again.

    False when that was known already (one notice, not one a call).
    """
    gone = sa.update(connection).where(_is(tx, connection_id), _OURS.state.in_(("active", "refreshing")))
    if tx.connection.execute(gone.values(state="needs_reauth", note=note)).rowcount != 1:
        return False
    _note(tx, connection_id, "connection.needs_reauth", {"note": note})
    return True


def _note(tx: Tx, connection_id: str, kind: str, body: dict[str, Any]) -> None:
    timeline.append(tx, "", kind, connection_id, "dunwell", body)


def _is(tx: Tx, connection_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(_OURS.tenant == tx.tenant, _OURS.id == connection_id)


def _values(row: ConnectionRow) -> dict[str, Any]:
    return asdict(row) | {"scopes": dumps(row.scopes)}


def _row(row: sa.Row[Any]) -> ConnectionRow:
    fields = {name: getattr(row, name) for name in ConnectionRow.__dataclass_fields__}
    return ConnectionRow(**fields | {"scopes": strings(row.scopes)})
