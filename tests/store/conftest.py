"""Every store test runs on both databases, migrated once and emptied (or copied afresh) for each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from connector.store.db import Database, Tx
from connector.store.schema import METADATA
from tests.fakes import FakeClock
from tests.store.cluster import NONE_FOUND, server

TENANT = "default"
Open = Callable[..., Database]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "dunwell.db"
    database = Database.open(f"sqlite:///{path}", FakeClock())
    database.migrate()
    database.close()
    return path


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with server(shared) as address:
        if address is None:
            pytest.skip(NONE_FOUND)
        yield address


@pytest.fixture(scope="session")
def create_database(postgres_server: str) -> Callable[[str, str], str]:
    """Makes an empty database (or a copy of a template) and gives its address."""

    def create(name: str, template: str = "template0") -> str:
        engine = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}"')
            connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        engine.dispose()
        return sa.make_url(postgres_server).set(database=name).render_as_string(hide_password=False)

    return create


@pytest.fixture(scope="session")
def postgres_url(create_database: Callable[[str, str], str]) -> str:
    """One database for each worker, from a migrated template."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    template = f"dunwell_template_{worker}"
    database = Database.open(create_database(template, "template0"), FakeClock())
    database.migrate()
    database.close()
    return create_database(f"dunwell_{worker}", template)


@pytest.fixture(scope="session")
def postgres_engine(postgres_url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(postgres_url)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database."""
    if request.param == "sqlite":
        path = tmp_path / "state" / "dunwell.db"
        path.parent.mkdir()
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    engine: sa.Engine = request.getfixturevalue("postgres_engine")
    yield request.getfixturevalue("postgres_url")
    with engine.begin() as connection:
        for table in METADATA.sorted_tables:  # quicker than TRUNCATE while they hold little
            connection.execute(sa.delete(table))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def open_database(url: str, clock: FakeClock) -> Iterator[Open]:
    """Opens further handles on the same database, as another process would."""
    handles: list[Database] = []

    def another(*, busy_seconds: float = 30.0) -> Database:
        handles.append(Database.open(url, clock, busy_seconds=busy_seconds))
        if url.startswith("sqlite"):  # no test pulls the plug; test_db.py checks the real setting
            sa.event.listen(handles[-1].engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
        return handles[-1]

    yield another
    for handle in handles:
        handle.close()


@pytest.fixture
def database(open_database: Open) -> Database:
    return open_database()


@pytest.fixture
def tx(database: Database) -> Iterator[Tx]:
    """A writing transaction that lasts for the whole test."""
    with database.writing(TENANT) as opened:
        yield opened
