"""A desk whose consent is stored as the product stores it: the real connecting, the vault, a database of its own."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from connector.oauth import StoredTokens
from connector.ports import Adapter, Clock, Credentials, Ids, Ledger
from connector.service import connect as connecting
from connector.service.connect import Connected, ConnectRequest, ConnectWiring
from connector.service.consent import self_consent
from connector.store import connections, timeline
from connector.store.connections import ConnectionRow
from connector.store.db import Database
from connector.vault import Vault
from tests.adapters.conformance.desk import BASE, Desk
from tests.fakes import FakeClock, FakeIds, FakeRandom

TENANT = "default"


@dataclass
class Office:
    """The desk's organisation, connected and stored."""

    desk: Desk
    path: Path
    db: Database
    vault: Vault = field(default_factory=lambda: Vault([b"k" * 32]))
    ids: FakeIds = field(default_factory=FakeIds)

    @classmethod
    def at(cls, desk: Desk, empty: Path, folder: Path) -> Office:
        """`empty`: a migrated database to copy."""
        path = folder / "office.db"
        shutil.copyfile(empty, path)
        return cls(desk, path, Database.open(f"sqlite:///{path}", desk.clock))

    def wiring(self) -> ConnectWiring:
        def adapter(_name: str) -> Adapter:
            return self.desk.bench.adapter

        def credentials(_adapter: Adapter) -> Credentials:
            return self.desk.app

        return ConnectWiring(
            TENANT, self.db, self.vault, self.desk.client, self.desk.clock, self.ids, FakeRandom(), adapter,
            credentials, "Ana",
        )  # fmt: skip

    def connect(self, organisation: str = "", answer: Callable[[str], str] = lambda back: back) -> Connected:
        """A person consents; `answer` may spoil what comes back."""
        request = ConnectRequest(self.desk.bench.adapter.name, self.desk.app, BASE, organisation=organisation)
        pending = connecting.begin(self.wiring(), request)
        back = self_consent(self.desk.client, pending, self.desk.name)
        return connecting.finish(self.wiring(), request, pending, answer(back))

    def tokens(self, db: Database | None = None, clock: Clock | None = None, ids: Ids | None = None) -> StoredTokens:
        """The stored tokens as another process would hold them."""
        return StoredTokens(
            db or self.db, self.vault, self.desk.client, self.desk.bench.adapter, self.row().id,
            clock or self.desk.clock, ids or self.ids, self.desk.app, tenant=TENANT,
        )  # fmt: skip

    def ledger(self, tokens: StoredTokens | None = None, clock: Clock | None = None) -> Ledger:
        return self.desk.opened(self.desk.client, tokens or self.tokens(), clock=clock)

    def row(self) -> ConnectionRow:
        with self.db.reading(TENANT) as tx:
            (row,) = connections.all(tx)
        return row

    def notices(self) -> list[str]:
        with self.db.reading(TENANT) as tx:
            return [entry.kind for entry in timeline.entries(tx, subject=self.row().id)]

    def refreshes(self) -> int:
        """How many requests for fresh tokens the ledger got."""
        return sum(b"grant_type=refresh_token" in one.body for one, _ in self.desk.line.log)

    def close(self) -> None:
        self.db.close()


def migrated(folder: Path) -> Path:
    """An empty database with this version's tables: making it takes longer than most cases."""
    path = folder / "empty.db"
    db = Database.open(f"sqlite:///{path}", FakeClock())
    db.migrate()
    db.close()
    return path


class Waiting:
    """The desk's instants, and real but very short waits: losers of a lease must not run virtual time away."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._never = threading.Event()

    def now(self) -> datetime:
        return self._clock.now()

    def lease_now(self) -> datetime:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        self._never.wait(min(seconds, 0.002))


def together(calls: list[Callable[[], str]]) -> list[str]:
    """All at the same moment. Whatever one raises is raised."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], str]) -> str:
        gate.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
