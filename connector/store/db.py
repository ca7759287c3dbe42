"""One database, SQLite or Postgres: opened, migrated, and entered only through short transactions.

On both databases one tenant has one writer at a time (SQLite: BEGIN IMMEDIATE; Postgres: an advisory lock per tenant),
so what a writing transaction has read stays true until it commits. Network calls never happen inside one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from connector.clock import SystemClock
from connector.errors import StorageFailed, UserError
from connector.ports import Clock
from connector.store import schema
from connector.store.failures import translate

BUSY_SECONDS: Final = 30.0
_LOCK_SPACE: Final = 0x64756E77  # "dunw": keeps our advisory locks apart from other users of the server
_MIGRATION_LOCK: Final = "\x01migration"

# WAL lets readers see a snapshot while one process writes. synchronous=FULL and not NORMAL: with NORMAL a power cut
# may undo the last commits, and an intent that is undone after its bytes left would be sent a second time. It costs
# one fsync a transaction (about half a millisecond), and transactions are pages and intents, not rows.
_PRAGMAS: Final = (
    "synchronous=FULL",
    "cache_size=-4000",  # the system caches the file; every connection would fill its own
    "temp_store=MEMORY",
    "wal_autocheckpoint=4000",
    "journal_size_limit=67108864",
)


@dataclass
class Tx:
    """One transaction of one tenant. `now` is the clock's instant at its start, UTC."""

    connection: sa.Connection
    tenant: str
    now: datetime
    clock: Clock = field(repr=False)
    before_commit: list[Callable[[], None]] = field(default_factory=list, repr=False)

    def lease_now(self) -> datetime:
        """The instant by which leases age: on Postgres, which several machines may share, the database's own clock.

        A clock that is not the machine's (a sandbox's, a test's) ages leases everywhere.
        """
        if isinstance(self.clock, SystemClock) and self.connection.dialect.name == "postgresql":
            now: datetime = self.connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
            return now.astimezone(UTC)
        return self.clock.lease_now()


class Database:
    """Opened by `Database.open`. Safe to share between threads; never between forked processes."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock
        self._entered = threading.local()

    @classmethod
    def open(cls, url: str, clock: Clock, *, busy_seconds: float = BUSY_SECONDS) -> Database:
        """Open `sqlite:////absolute/path` (its folder is made) or `postgresql+psycopg://…`; does not migrate.

        `busy_seconds`: how long a transaction waits for another writer before `Busy`. Raises `UserError` for another
        kind of address.
        """
        try:
            parsed = sa.make_url(url)
        except exc.ArgumentError:
            # The address may hold a password: it is never repeated.
            raise UserError("the database address cannot be read", next_step=_ADDRESSES) from None
        if parsed.drivername in {"sqlite", "sqlite+pysqlite"}:
            return cls(_sqlite_engine(parsed, busy_seconds), clock)
        if parsed.drivername == "postgresql+psycopg":
            return cls(_postgres_engine(parsed, busy_seconds), clock)
        raise UserError(f"databases of the kind {parsed.drivername!r} are not supported", next_step=_ADDRESSES)

    def migrate(self) -> None:
        """Bring the tables to this version. Raises `UserError` when a newer version of dunwell wrote them."""
        # Late: Alembic costs start-up time that no other command needs.
        from connector.store.migrations import upgrade

        with self._transaction(_MIGRATION_LOCK, read_only=False) as connection:
            self._refuse_newer(_revision(connection))
            upgrade(connection)

    def is_empty(self) -> bool:
        """Nothing was ever migrated here."""
        with self._transaction(_MIGRATION_LOCK, read_only=True) as connection:
            return _revision(connection) is None

    def check_schema(self) -> None:
        """Raises `UserError` when the tables are not exactly this version's."""
        with self._transaction(_MIGRATION_LOCK, read_only=True) as connection:
            revision = _revision(connection)
        self._refuse_newer(revision)
        if revision != schema.HEAD:
            state = "has no tables yet" if revision is None else "has the tables of an older version"
            raise UserError(f"the database {state}", not_done="nothing was read", next_step="run `dunwell migrate`")

    @staticmethod
    def _refuse_newer(revision: str | None) -> None:
        if revision is not None and revision not in schema.REVISIONS:
            raise UserError(
                f"the database was written by a newer dunwell (schema {revision}, this one knows {schema.HEAD})",
                not_done="nothing was changed",
                next_step="install the newer dunwell",
            )

    @contextmanager
    def writing(self, tenant: str) -> Iterator[Tx]:
        """A transaction that commits at the end and is undone by any error, interrupts included.

        Raises `Busy` when another writer does not finish in time, `StorageFailed` when the database or disk fails;
        then nothing of it is stored. Not re-entrant within a thread.
        """
        if getattr(self._entered, "writing", False):
            raise RuntimeError("a writing transaction was opened inside another one: it would wait for itself")
        now = self.clock.now()  # before the lock: a sandbox's clock is asked over the network
        self._entered.writing = True
        try:
            with self._transaction(tenant, read_only=False) as connection:
                tx = Tx(connection, tenant, now, self.clock)
                yield tx
                for finish in tx.before_commit:
                    finish()
        finally:
            self._entered.writing = False

    @contextmanager
    def reading(self, tenant: str) -> Iterator[Tx]:
        """A consistent snapshot in which writing is refused. On SQLite it never blocks a writer."""
        now = self.clock.now()
        with self._transaction(tenant, read_only=True) as connection:
            yield Tx(connection, tenant, now, self.clock)

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()

    @contextmanager
    def _transaction(self, lock: str, *, read_only: bool) -> Iterator[sa.Connection]:
        try:
            with self.engine.connect() as connection:
                begun = _begin_reading(connection) if read_only else _begin_writing(connection, lock)
                with begun:
                    yield connection
        except (exc.DBAPIError, exc.TimeoutError) as error:
            if (ours := translate(error)) is not None:
                raise ours from error
            raise


_ADDRESSES: Final = "use sqlite:////absolute/path/of/file or postgresql+psycopg://user@host/database"


def _begin_writing(connection: sa.Connection, lock: str) -> sa.RootTransaction:
    begun = connection.begin()
    if connection.dialect.name == "postgresql":
        connection.execute(
            sa.text("SELECT pg_advisory_xact_lock(:space, hashtext(:lock))"), {"space": _LOCK_SPACE, "lock": lock}
        )
    return begun


def _begin_reading(connection: sa.Connection) -> sa.RootTransaction:
    if connection.dialect.name == "postgresql":
        options = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        return options.begin()
    return connection.execution_options(dunwell_reading=True).begin()


def _sqlite_engine(url: sa.URL, busy_seconds: float) -> sa.Engine:
    if url.database is None or not Path(url.database).is_absolute():
        raise UserError("a SQLite database needs the absolute path of its file", next_step=_ADDRESSES)
    path = Path(url.database)
    # Customers' data and sealed tokens: nobody but the owner reads them. SQLite gives its side files the same mode.
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise StorageFailed(f"the database file {path} cannot be made: {error.strerror}") from error
    engine = sa.create_engine(url, pool_timeout=busy_seconds, connect_args={"timeout": busy_seconds})

    @event.listens_for(engine, "connect")
    def _prepare(raw: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        raw.isolation_level = None  # the driver's own BEGIN comes too late and takes no lock: we say it ourselves
        cursor = raw.cursor()
        cursor.execute("PRAGMA journal_mode")
        if cursor.fetchone() != ("wal",):  # switching needs an exclusive lock: only for a new file
            cursor.execute("PRAGMA page_size=8192")  # rows of about a kilobyte fill the usual 4096 badly
            cursor.execute("PRAGMA journal_mode=WAL")
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        reading = connection.get_execution_options().get("dunwell_reading", False)
        connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reading else 'OFF'}")
        # IMMEDIATE takes the writer's place at once and waits for it; a plain BEGIN fails later, without waiting.
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _postgres_engine(url: sa.URL, busy_seconds: float) -> sa.Engine:
    if find_spec("psycopg") is None:
        raise UserError("Postgres needs the psycopg driver", next_step="pip install 'dunwell[postgres]'")
    settings = f"-c lock_timeout={int(busy_seconds * 1000)} -c timezone=UTC"
    return sa.create_engine(url, pool_pre_ping=True, pool_timeout=busy_seconds, connect_args={"options": settings})


def _revision(connection: sa.Connection) -> str | None:
    """The migration that the tables are at; None for an empty database. (Read without Alembic: it loads slowly.)"""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return None if found is None else str(found)
