"""Which organisations each app may reach, and the /connections routes that list and end them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from adapters._twin.ids import SeededIds
from adapters._twin.messages import Response
from adapters.xero.sandbox.apps import App
from adapters.xero.sandbox.state import Books


@dataclass(slots=True)
class Connection:
    """One organisation that the user has opened to one app."""

    id: str
    app: App
    tenant_id: str
    event_id: str
    created: datetime
    updated: datetime


class Connections:
    """All connections of the sandbox's one user."""

    def __init__(self, seed: int, organisations: Mapping[str, Books]) -> None:
        self._ids = SeededIds(seed, "xero-connections")
        self._organisations = organisations
        self._rows: list[Connection] = []

    def open(self, app: App, tenant_id: str, event_id: str, now: datetime) -> None:
        """Connect, or renew a connection that is there already."""
        for row in self._rows:
            if row.app == app and row.tenant_id == tenant_id:
                row.event_id, row.updated = event_id, now
                return
        self._rows.append(Connection(self._ids.uuid(), app, tenant_id, event_id, now, now))

    def reaches(self, app: App, tenant_id: str) -> bool:
        """Tell whether the app may read and write this organisation."""
        return any(row.app == app and row.tenant_id == tenant_id for row in self._rows)

    def drop(self, app: App | None = None, tenant_id: str | None = None) -> int:
        """End the connections that fit (all, without arguments) and return how many there were."""
        kept = [
            row
            for row in self._rows
            if (app is not None and row.app != app) or (tenant_id is not None and row.tenant_id != tenant_id)
        ]
        dropped = len(self._rows) - len(kept)
        self._rows = kept
        return dropped

    def close(self, app: App, connection_id: str) -> bool:
        """End one connection by its own id (not the tenant's); False when the app has none such."""
        for row in self._rows:
            if row.app == app and row.id == connection_id.lower():
                self._rows.remove(row)
                return True
        return False

    def listing(self, app: App, *, event_id: str | None, tenant_id: str | None) -> Response:
        """Answer GET /connections: a bare array, filtered by the consent that made them when asked."""
        rows = [
            {
                "id": row.id,
                "authEventId": row.event_id,
                "tenantId": row.tenant_id,
                "tenantType": "ORGANISATION",
                "tenantName": self._organisations[row.tenant_id].name,
                "createdDateUtc": _stamp(row.created),
                "updatedDateUtc": _stamp(row.updated),
            }
            for row in self._rows
            if row.app == app
            and (event_id is None or row.event_id == event_id.lower())
            and (tenant_id is None or row.tenant_id == tenant_id)
        ]
        headers = (("Content-Type", "application/json; charset=utf-8"),)
        return Response(200, headers, json.dumps(rows).encode())


def _stamp(instant: datetime) -> str:
    """Seven fractional digits and no zone, as Xero prints it."""
    return f"{instant:%Y-%m-%dT%H:%M:%S.%f}0"
