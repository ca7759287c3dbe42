"""Transactions: all or nothing, one writer, snapshots, and clear words when the database fails."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connector.clock import SystemClock
from connector.errors import Busy, StorageFailed, UserError
from connector.ports import Clock
from connector.store import leases, organisations, schema
from connector.store.db import Database
from tests.builders import organisation
from tests.fakes import NOON, FakeClock
from tests.store.conftest import TENANT, Open


def names(database: Database, tenant: str = TENANT) -> list[str]:
    with database.reading(tenant) as tx:
        return [row.record.name for row in organisations.all(tx)]


def add(database: Database, ledger_id: str, tenant: str = TENANT) -> None:
    with database.writing(tenant) as tx:
        organisations.add(tx, organisation(ledger_id, name=ledger_id), "c", NOON.date())


def test_a_transaction_knows_its_tenant_and_instant(database: Database, clock: FakeClock) -> None:
    with database.writing("firm-a") as tx:
        assert (tx.tenant, tx.now) == ("firm-a", NOON)
    clock.advance(days=1)
    with database.reading("firm-a") as tx:
        assert tx.now == NOON + timedelta(days=1)


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3)])
def test_any_error_undoes_everything(database: Database, error: BaseException) -> None:
    def step() -> None:
        with database.writing(TENANT) as tx:
            organisations.add(tx, organisation(), "c", NOON.date())
            raise error

    with pytest.raises(type(error)):
        step()
    assert names(database) == []
    add(database, "after")  # and the next transaction is unharmed
    assert names(database) == ["after"]


def test_reading_refuses_to_write(database: Database) -> None:
    with pytest.raises(StorageFailed), database.reading(TENANT) as tx:
        organisations.add(tx, organisation(), "c", NOON.date())
    assert names(database) == []
    add(database, "after")
    assert names(database) == ["after"]


def test_reading_sees_one_moment_and_does_not_block_a_writer(database: Database, open_database: Open) -> None:
    add(database, "first")
    with database.reading(TENANT) as tx:
        before = [row.record.name for row in organisations.all(tx)]
        add(open_database(busy_seconds=1.0), "second")
        assert [row.record.name for row in organisations.all(tx)] == before == ["first"]
    assert names(database) == ["first", "second"]


def test_a_second_writer_waits_and_then_says_busy(database: Database, open_database: Open) -> None:
    impatient = open_database(busy_seconds=0.2)
    with database.writing(TENANT) as tx:
        organisations.add(tx, organisation("mine", name="mine"), "c", NOON.date())
        with pytest.raises(Busy, match="another process is writing"):
            add(impatient, "theirs")
    add(impatient, "theirs")
    assert names(database) == ["mine", "theirs"]


def test_no_update_is_lost_between_two_writers(database: Database, open_database: Open) -> None:
    """Each reads, then writes what it read plus one: only true serial writers count every step."""
    add(database, "counted")

    def count(handle: Database) -> None:
        for _ in range(20):
            with handle.writing(TENANT) as tx:
                row = organisations.get(tx, "xero:counted")
                organisations.set_cursor(tx, row.id, str(int(row.cursor or 0) + 1), tx.now)

    threads = [threading.Thread(target=count, args=(handle,)) for handle in (database, open_database())]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading(TENANT) as tx:
        assert organisations.get(tx, "xero:counted").cursor == "40"


def test_a_writer_inside_a_writer_is_a_defect_and_fails_at_once(database: Database) -> None:
    with (
        database.writing(TENANT),
        pytest.raises(RuntimeError, match="inside another"),
        database.writing(TENANT),
    ):
        pass


def test_tenants_do_not_see_each_other(database: Database) -> None:
    add(database, "a", tenant="firm-a")
    add(database, "b", tenant="firm-b")
    assert (names(database, "firm-a"), names(database, "firm-b"), names(database)) == (["a"], ["b"], [])


class TestSqliteFiles:
    def test_the_folder_is_made_and_only_the_owner_may_look(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "er" / "dunwell.db"
        database = Database.open(f"sqlite:///{path}", FakeClock())
        database.migrate()
        modes = {file.name: file.stat().st_mode & 0o777 for file in (path, path.parent)}
        assert modes == {"dunwell.db": 0o600, "er": 0o700}
        database.close()

    def test_commits_survive_a_power_cut(self, tmp_path: Path) -> None:
        database = Database.open(f"sqlite:///{tmp_path}/d.db", FakeClock())
        with database.reading(TENANT) as tx:
            pragmas = [tx.connection.exec_driver_sql(f"PRAGMA {p}").scalar() for p in ("journal_mode", "synchronous")]
        assert pragmas == ["wal", 2]  # 2 = FULL
        database.close()

    def test_a_full_disk_stores_nothing_of_the_step(self, tmp_path: Path) -> None:
        database = Database.open(f"sqlite:///{tmp_path}/d.db", FakeClock())
        database.migrate()
        add(database, "before")
        with database.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

        @sa.event.listens_for(database.engine, "begin")
        def full(connection: sa.Connection) -> None:
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

        def step() -> None:
            with database.writing(TENANT) as tx:
                leases.acquire(tx, "work", "me", 60)
                for number in range(2_000):
                    organisations.add(tx, organisation(f"org-{number}", name="x" * 500), "c", NOON.date())

        with pytest.raises(StorageFailed, match="full") as caught:
            step()
        assert "free some space" in caught.value.next_step
        assert names(database) == ["before"]
        with database.reading(TENANT) as tx:
            assert leases.live_epoch(tx, "work") is None
        database.close()

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "d.db").write_bytes(b"Dear customer, " * 200)
        database = Database.open(f"sqlite:///{tmp_path}/d.db", FakeClock())
        with pytest.raises(StorageFailed, match="could not be read"):
            database.check_schema()
        database.close()

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o500)
        with pytest.raises(StorageFailed, match="cannot be made"):
            Database.open(f"sqlite:///{tmp_path}/deep/d.db", FakeClock())


@pytest.mark.parametrize(
    "address", ["sqlite://", "sqlite:///relative.db", "mysql://root:hunter2@host/db", "hunter2 is no address", ""]
)
def test_other_addresses_are_refused_without_repeating_them(address: str) -> None:
    with pytest.raises(UserError) as caught:
        Database.open(address, FakeClock())
    assert "hunter2" not in str(caught.value.as_dict())
    assert "sqlite:////" in caught.value.next_step


def test_too_many_at_once_is_busy_not_broken(open_database: Open) -> None:
    crowded = open_database(busy_seconds=0.2)

    def crowd() -> None:
        with ExitStack() as readers:
            for _ in range(100):
                readers.enter_context(crowded.reading(TENANT))

    with pytest.raises(Busy, match="every connection"):
        crowd()
    assert names(crowded) == []


@pytest.mark.postgres
class TestPostgres:
    def test_a_lost_connection_undoes_the_step_and_the_next_one_works(
        self, postgres_url: str, postgres_engine: sa.Engine
    ) -> None:
        database = Database.open(postgres_url, FakeClock())

        def step() -> None:
            with database.writing(TENANT) as tx:
                organisations.add(tx, organisation(), "c", NOON.date())
                pid = tx.connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
                with postgres_engine.connect() as other:
                    other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
                organisations.all(tx)

        with pytest.raises(StorageFailed, match="could not be reached"):
            step()
        assert names(database) == []
        database.close()

    def test_leases_age_by_the_servers_clock(self, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Two machines' clocks may differ by more than a lease is long."""
        monkeypatch.setattr(SystemClock, "lease_now", lambda _: datetime(2001, 1, 1, tzinfo=UTC))
        database = Database.open(postgres_url, SystemClock())
        with database.reading(TENANT) as tx:
            server = tx.connection.execute(sa.text("SELECT now()")).scalar_one()
            assert tx.lease_now() >= server
            assert tx.lease_now().tzinfo is UTC
        database.close()


@pytest.mark.postgres
def test_a_server_that_is_away_is_named_without_the_password() -> None:
    database = Database.open("postgresql+psycopg://me:hunter2@/d?host=/nonexistent/socket", FakeClock())
    with pytest.raises(StorageFailed) as caught:
        names(database)
    assert "hunter2" not in str(caught.value.as_dict())
    database.close()


class TestMigrations:
    def test_migrating_twice_is_the_same(self, database: Database) -> None:
        database.migrate()
        database.check_schema()
        assert not database.is_empty()

    def test_an_empty_database_asks_for_migrate(self, tmp_path: Path) -> None:
        database = Database.open(f"sqlite:///{tmp_path}/d.db", FakeClock())
        assert database.is_empty()
        with pytest.raises(UserError, match="no tables yet") as caught:
            database.check_schema()
        assert caught.value.next_step == "run `dunwell migrate`"
        database.close()

    def test_a_newer_database_is_left_alone(self, database: Database) -> None:
        def stamp(version: str) -> None:
            with database.writing(TENANT) as tx:
                tx.connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")

        stamp("9999")
        for step in (database.migrate, database.check_schema):
            with pytest.raises(UserError, match="newer dunwell"):
                step()
        stamp(schema.HEAD)
        database.check_schema()

    def test_the_named_revisions_are_the_scripts(self) -> None:
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        import connector.store.migrations as migrations

        config = Config()
        config.set_main_option("script_location", migrations.__path__[0])
        config.set_main_option("path_separator", "os")
        scripts = ScriptDirectory.from_config(config)
        assert [script.revision for script in scripts.walk_revisions()] == list(reversed(schema.REVISIONS))

    def test_the_migrated_sqlite_is_exactly_the_metadata(self, tmp_path: Path, sqlite_template: Path) -> None:
        fresh = Database.open(f"sqlite:///{tmp_path}/d.db", FakeClock())
        schema.METADATA.create_all(fresh.engine)
        assert _sqlite_shape(sqlite_template) == _sqlite_shape(tmp_path / "d.db")
        fresh.close()

    @pytest.mark.postgres
    def test_the_migrated_postgres_is_exactly_the_metadata(
        self, postgres_url: str, create_database: Callable[[str, str], str]
    ) -> None:
        address = create_database("dunwell_metadata", "template0")
        engine = sa.create_engine(address)
        schema.METADATA.create_all(engine)
        assert _postgres_shape(sa.create_engine(postgres_url)) == _postgres_shape(engine)


def _sqlite_shape(path: Path) -> dict[str, str]:
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").all()
    engine.dispose()
    return {name: " ".join(sql.split()) for name, sql in rows if name != "alembic_version"}


def _postgres_shape(engine: sa.Engine) -> list[tuple[Any, ...]]:
    columns = (
        "SELECT table_name, ordinal_position, column_name, data_type, is_nullable, column_default "
        "FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version' "
        "ORDER BY 1, 2"
    )
    indexes = (
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version' "
        "ORDER BY 1"
    )
    with engine.connect() as connection:
        shape = [tuple(row) for query in (columns, indexes) for row in connection.exec_driver_sql(query)]
    engine.dispose()
    return shape


def test_leases_age_by_the_clock_that_is_not_the_machines(database: Database, clock: Clock) -> None:
    with database.reading(TENANT) as tx:
        assert tx.lease_now() == clock.lease_now()
