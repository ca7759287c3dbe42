"""Serving the Xero twin over a loopback socket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from adapters._twin.pump import Pump
from adapters._twin.server import TwinServer
from adapters.xero.sandbox.app import XeroTwin


@dataclass(frozen=True, slots=True)
class Served:
    """A running sandbox and what an app needs to use it. `organisation` is {"id", "name"}.

    `notes` tell what was left out of recorded answers.
    """

    base_url: str
    client_id: str
    client_secret: str
    organisation: dict[str, str]
    notes: tuple[str, ...]
    twin: XeroTwin
    server: TwinServer
    pump: Pump

    def stop(self) -> None:
        """Close the port and every connection, and send no more webhooks."""
        self.pump.stop()
        self.server.stop()


def serve(*, port: int, books: Path | None, now: datetime | None, seed: int, frozen: bool) -> Served:
    """Start the twin on 127.0.0.1 (port 0 = a free one) at the virtual instant `now`, or at real time without one.

    Raises OSError when the port is taken and ValueError when the books cannot be read.
    """
    start = now or datetime.now(tz=UTC)  # noqa: TID251 - virtual time has to begin somewhere
    twin = XeroTwin.default(books, start, seed, frozen=frozen)
    server = TwinServer(lambda request: twin.handle(request, twin.clock.now()), port=port)
    server.start()
    pump = Pump(twin.pump)
    twin.wake = pump.wake
    pump.start()
    first = twin.organisations()[0]
    return Served(
        base_url=server.base_url,
        client_id=twin.client_id,
        client_secret=twin.client_secret,
        organisation={"id": first.id, "name": first.name},
        notes=tuple(first.notes),
        twin=twin,
        server=server,
        pump=pump,
    )
