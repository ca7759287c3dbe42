"""What is connected, and ending it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connector.domain.counting import counted
from connector.errors import NeedsPerson, NotFound, Permanent, Refused
from connector.ports import Adapter, Grant
from connector.service.connect import ConnectWiring, stored_tokens
from connector.store import connections, organisations, timeline
from connector.store.connections import ConnectionRow
from connector.store.organisations import OrganisationRow

_WARN_BEFORE: Final = timedelta(days=30)


@dataclass(frozen=True)
class Listed:
    """One organisation and the state of its connection. `refresh_expires_at` moves on with every refresh."""

    organisation: OrganisationRow
    state: str  # active | refreshing | needs_reauth | disconnected
    scopes: tuple[str, ...]
    access_expires_at: datetime
    refresh_expires_at: datetime | None  # None for a custom connection
    note: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Disconnected:
    organisation: OrganisationRow
    warnings: tuple[str, ...] = ()


def listing(w: ConnectWiring) -> tuple[Listed, ...]:
    """Every organisation of the tenant, disconnected ones too, by id."""
    with w.db.reading(w.tenant) as tx:
        consents = {row.id: row for row in connections.all(tx)}
        rows = organisations.all(tx)
    now = w.clock.now()
    return tuple(_listed(row, consents[row.connection_id], now) for row in rows)


def _listed(organisation: OrganisationRow, row: ConnectionRow, now: datetime) -> Listed:
    return Listed(
        organisation=organisation,
        state=row.state,
        scopes=row.scopes,
        access_expires_at=row.access_expires_at,
        refresh_expires_at=row.refresh_expires_at,
        note=row.note,
        warnings=tuple(_concerns(row, now)),
    )


def _concerns(row: ConnectionRow, now: datetime) -> list[str]:
    if row.state == "disconnected":
        return []
    again = f"run `dunwell connect {row.ledger}`"
    if row.state == "needs_reauth":
        return [f"has to be connected again: {again}"]
    if row.refresh_expires_at is None or row.refresh_expires_at - now > _WARN_BEFORE:
        return []
    if row.refresh_expires_at <= now:
        return [f"the consent has lapsed unused: {again}"]
    days = (row.refresh_expires_at - now).days
    return [f"the consent lapses in {counted(days, 'day')} unless dunwell runs before then"]


def disconnect(w: ConnectWiring, text: str) -> Disconnected:
    """End the consent at the ledger and forget the tokens; the organisation's history stays. Safe to repeat.

    Where the ledger does not take our tokens any more, they are forgotten and a warning says what to check there.
    Raises `NotFound`, `Refused`, and `Retriable` when the ledger cannot be reached: then nothing is forgotten.
    """
    with w.db.reading(w.tenant) as tx:
        organisation = organisations.find(tx, text)
        row = connections.get(tx, organisation.connection_id)
        shared = _shares_consent(row, connections.all(tx))
    if row.state == "disconnected":
        raise Refused(f"{organisation.record.name} is disconnected already", record=organisation.id)
    adapter = w.adapter(row.ledger)
    warnings = _end_at_ledger(w, adapter, organisation, row, shared=shared)
    with w.db.writing(w.tenant) as tx:
        connections.disconnect(tx, row.id, f"by {w.who}")
        body = {"connection": row.id, "warnings": list(warnings)}
        timeline.append(tx, organisation.id, "organisation.disconnected", organisation.id, w.who, body)
    return Disconnected(organisation, warnings)


def _shares_consent(row: ConnectionRow, rows: tuple[ConnectionRow, ...]) -> bool:
    """Whether another live connection was made through the same app: revoking a token may end that one, too (Xero
    ends every connection of the person who consented)."""
    app = (row.ledger, row.base_url, row.client_id)
    return any(
        other.id != row.id and other.state != "disconnected" and (other.ledger, other.base_url, other.client_id) == app
        for other in rows
    )


def _end_at_ledger(
    w: ConnectWiring, adapter: Adapter, organisation: OrganisationRow, row: ConnectionRow, *, shared: bool
) -> tuple[str, ...]:
    tokens = stored_tokens(w, adapter, row.id)
    grant = Grant(organisation.record.ledger_id, organisation.record.name, row.grant_id)
    warnings: tuple[str, ...] = ()
    try:
        try:
            adapter.disconnect(w.http, row.base_url, tokens.access(), grant)
        except NotFound:
            warnings = ("the ledger did not know this connection any more",)
        if not shared:
            tokens.revoke()
    except (NeedsPerson, Permanent, Refused) as error:
        check = f"check the connected apps in {adapter.title} and remove dunwell there"
        return (f"the connection could not be ended at the ledger ({error.what}); {check}",)
    return warnings
