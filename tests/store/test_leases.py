"""Leases and refresh leases: one holder, and a late one changes nothing."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from connector.errors import NotFound
from connector.store import connections, leases, organisations, timeline
from connector.store.connections import ConnectionRow
from connector.store.db import Database, Tx
from tests.builders import organisation
from tests.fakes import NOON, FakeClock
from tests.store.conftest import TENANT, Open


class TestLeases:
    def test_one_holder_at_a_time(self, tx: Tx) -> None:
        assert leases.acquire(tx, "pull:a", "me", 60) == 1
        assert leases.acquire(tx, "pull:a", "other", 60) is None
        assert leases.acquire(tx, "pull:a", "me", 60) is None  # not even the holder twice
        assert leases.acquire(tx, "pull:b", "other", 60) == 1
        assert leases.held(tx, "pull:a", 1)

    def test_a_lease_runs_out_and_the_old_holder_is_fenced_off(self, tx: Tx, clock: FakeClock) -> None:
        old = leases.acquire(tx, "pull:a", "me", 60)
        clock.advance(seconds=60)
        assert not leases.held(tx, "pull:a", 1)
        new = leases.acquire(tx, "pull:a", "other", 60)
        assert (old, new) == (1, 2)
        assert not leases.renew(tx, "pull:a", 1, 60)
        leases.release(tx, "pull:a", 1)  # a late release does not free the new holder's lease
        assert leases.held(tx, "pull:a", 2)

    def test_renewing(self, tx: Tx, clock: FakeClock) -> None:
        leases.acquire(tx, "pull:a", "me", 60)
        clock.advance(seconds=50)
        assert leases.renew(tx, "pull:a", 1, 60)
        clock.advance(seconds=50)
        assert leases.held(tx, "pull:a", 1)
        clock.advance(seconds=50)  # ran out, but nobody was there in between
        assert leases.renew(tx, "pull:a", 1, 60)

    def test_the_epoch_grows_over_releases(self, tx: Tx) -> None:
        for epoch in (1, 2, 3):
            assert leases.acquire(tx, "pull:a", "me", 60) == epoch
            leases.release(tx, "pull:a", epoch)
            assert not leases.held(tx, "pull:a", epoch)
            assert not leases.renew(tx, "pull:a", epoch, 60)  # given back is given back

    def test_who_holds_it_and_since_when(self, tx: Tx, clock: FakeClock) -> None:
        assert leases.held_by(tx, "pull:a") is None
        leases.acquire(tx, "pull:a", "me", 60)
        clock.advance(seconds=50)
        assert leases.renew(tx, "pull:a", 1, 60)
        assert leases.held_by(tx, "pull:a") == leases.Held("me", NOON), "renewing is the same work going on"
        clock.advance(seconds=61)
        assert leases.held_by(tx, "pull:a") is None, "ran out"
        leases.acquire(tx, "pull:a", "other", 60)
        assert leases.held_by(tx, "pull:a") == leases.Held("other", NOON + timedelta(seconds=111))
        leases.release(tx, "pull:a", 2)
        assert leases.held_by(tx, "pull:a") is None

    def test_tenants_have_their_own(self, database: Database) -> None:
        for tenant in ("firm-a", "firm-b"):
            with database.writing(tenant) as tx:
                assert leases.acquire(tx, "pull:a", "me", 60) == 1

    def test_of_many_processes_one_gets_it(self, open_database: Open) -> None:
        won: list[int | None] = []

        def try_it(handle: Database) -> None:
            with handle.writing(TENANT) as tx:
                won.append(leases.acquire(tx, "pull:a", "someone", 60))

        threads = [threading.Thread(target=try_it, args=(open_database(),)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(won, key=str) == [1, None, None, None, None, None]


ROW = ConnectionRow(
    id="c-1", ledger="xero", base_url="", client_id="app", app_kind="pkce", scopes=("a", "b"), state="active",
    sealed=b"\x00sealed\xff", version=1, access_expires_at=NOON, refresh_expires_at=NOON + timedelta(days=60),
    lease_holder="", lease_until=None, epoch=0, note="", grant_id="g-1",
)  # fmt: skip
SOON = NOON + timedelta(minutes=30)


class TestConnections:
    @pytest.fixture(autouse=True)
    def _connected(self, tx: Tx) -> None:
        connections.add(tx, ROW)

    def take(self, tx: Tx, version: int = 1, holder: str = "me", seconds: float = 0) -> int | None:
        return connections.take_refresh_lease(tx, "c-1", holder, version, NOON + timedelta(seconds=seconds), 30)

    def store(self, tx: Tx, epoch: int, sealed: bytes = b"new") -> bool:
        return connections.store_refreshed(tx, "c-1", epoch, sealed, ("a",), SOON, None)

    def test_comes_back_exactly_and_hides_the_tokens(self, tx: Tx) -> None:
        assert connections.get(tx, "c-1") == ROW
        assert connections.all(tx) == (ROW,)
        assert "sealed" not in repr(ROW)
        with pytest.raises(NotFound):
            connections.get(tx, "c-2")

    def test_reached_through_its_organisation(self, tx: Tx) -> None:
        assert connections.for_organisation(tx, "xero:org-1") is None
        organisations.add(tx, organisation("org-1"), "c-1", NOON.date())
        assert connections.for_organisation(tx, "xero:org-1") == ROW

    def test_one_refreshes_and_stores(self, tx: Tx) -> None:
        assert self.take(tx) == 1
        assert self.take(tx, holder="other") is None
        assert connections.get(tx, "c-1").state == "refreshing"
        assert self.store(tx, 1)
        assert connections.get(tx, "c-1") == replace(
            ROW, sealed=b"new", version=2, scopes=("a",), access_expires_at=SOON, refresh_expires_at=None, epoch=1
        )

    def test_who_read_an_old_version_does_not_refresh(self, tx: Tx) -> None:
        assert self.take(tx) == 1
        assert self.store(tx, 1)
        assert self.take(tx, version=1, holder="other") is None
        assert self.take(tx, version=2, holder="other") == 2

    def test_who_was_overtaken_stores_nothing(self, tx: Tx) -> None:
        assert self.take(tx) == 1
        assert self.take(tx, holder="other", seconds=29.9) is None
        assert self.take(tx, holder="other", seconds=30) == 2  # the first one died or is slow
        assert not self.store(tx, 1, b"late")
        assert not connections.release_refresh_lease(tx, "c-1", 1, "needs_reauth", "late")
        assert self.store(tx, 2, b"good")
        assert not self.store(tx, 2, b"twice")
        assert (connections.get(tx, "c-1").sealed, connections.get(tx, "c-1").state) == (b"good", "active")

    def test_giving_up_says_why_once(self, tx: Tx) -> None:
        assert self.take(tx) == 1
        assert connections.release_refresh_lease(tx, "c-1", 1, "needs_reauth", "the consent was withdrawn")
        assert not connections.release_refresh_lease(tx, "c-1", 1, "needs_reauth", "again")
        row = connections.get(tx, "c-1")
        assert (row.state, row.note, row.lease_holder) == ("needs_reauth", "the consent was withdrawn", "")
        assert self.take(tx) is None  # only a new consent helps
        kinds = [entry.kind for entry in timeline.entries(tx, subject="c-1")]
        assert kinds == ["connection.added", "connection.needs_reauth"]

    def test_a_new_consent_ends_a_refresh_under_way(self, tx: Tx) -> None:
        assert self.take(tx) == 1
        connections.replace(tx, replace(ROW, sealed=b"fresh", scopes=("a", "b", "c")))
        assert not self.store(tx, 1, b"from the old consent")
        row = connections.get(tx, "c-1")
        assert (row.sealed, row.version, row.state, row.lease_until) == (b"fresh", 2, "active", None)
        assert self.take(tx, version=2) == 3

    def test_disconnecting_forgets_the_tokens_and_stays_on_record(self, tx: Tx) -> None:
        assert self.take(tx) == 1
        connections.disconnect(tx, "c-1", "asked to")
        assert not self.store(tx, 1)
        row = connections.get(tx, "c-1")
        assert (row.sealed, row.state, row.note) == (b"", "disconnected", "asked to")
        assert self.take(tx, version=row.version) is None

    def test_no_token_on_the_timeline(self, tx: Tx) -> None:
        self.take(tx)
        self.store(tx, 1, b"canary")
        connections.disconnect(tx, "c-1")
        assert all("canary" not in entry.body and "sealed" not in entry.body for entry in timeline.entries(tx))
