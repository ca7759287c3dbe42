"""The warm process: `python -m tests.kills FOLDER [POSTGRES]`. Reads a case a line, answers what the survivor found.

It never runs a thread while it forks, so that a fork finds no lock held. Sandboxes are forks, too: each case has its
own, in the state in which the office was prepared.
"""

from __future__ import annotations

import gc
import json
import os
import select
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from adapters._twin.pump import Pump
from adapters._twin.server import TwinServer
from adapters.xero.sandbox.app import XeroTwin
from connector.bootstrap import TENANT
from connector.ports import Clock
from connector.store.db import Database
from connector.store.schema import connection
from tests.channels.smtp_server import ScriptedServer
from tests.fakes import FakeClock
from tests.kills import survivor, victim
from tests.kills.kinds import AFTER_THE_ACT, KINDS, Kind, Point
from tests.kills.offices import Case, Databases, Prepared, prepare

SECONDS = 40.0  # of real time, for one process


class Dropped:
    """A mail server's handler: every mail becomes a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self._folder.mkdir(exist_ok=True)
        number = len(list(self._folder.iterdir()))
        (self._folder / f"{number}.eml").write_bytes(envelope.content)
        return "250 queued"


def forked(work: Callable[[int], None]) -> tuple[int, int]:
    """Another process at work: its id, and where to read what it writes to the handle it is given."""
    reading, writing = os.pipe()
    if pid := os.fork():
        os.close(writing)
        return pid, reading
    code = 1
    try:
        os.close(reading)
        work(writing)
        code = 0
    except BaseException:  # noqa: BLE001 - nothing of this process's may go on in the other
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(pid: int) -> int:
    """How that process ended: its code, or the negative number of the signal that killed it."""
    handle = os.pidfd_open(pid)
    try:
        if not select.select([handle], [], [], SECONDS)[0]:
            os.kill(pid, signal.SIGKILL)
            raise TimeoutError(f"process {pid} did not come to an end")
    finally:
        status = os.waitpid(pid, 0)[1]
        os.close(handle)
    return os.waitstatus_to_exitcode(status)


def write(handle: int, document: object) -> None:
    """Say it to the process that reads `told`."""
    with os.fdopen(handle, "w") as stream:
        json.dump(document, stream)


def told(handle: int) -> Any:
    """What another process writes, up to its end."""
    with os.fdopen(handle) as stream:
        return json.loads(stream.read() or "null")


def mail_server(folder: Path) -> int:
    """The port of a mail server that puts into the folder what arrives."""
    server = ScriptedServer({})
    server.handler = Dropped(folder)
    server.start()
    return server.port


def world(twin: XeroTwin, folder: Path, *, mail: bool) -> tuple[int, str, int]:
    """A process with the sandbox, and perhaps a mail server: its id, the sandbox's address, the mail server's port."""

    def serve(handle: int) -> None:
        server = TwinServer(lambda request: twin.handle(request, twin.clock.now()))
        server.start()
        pump = Pump(twin.pump)
        twin.wake = pump.wake
        pump.start()
        write(handle, [server.base_url, mail_server(folder / ".dunwell" / "letters") if mail else 0])
        threading.Event().wait()

    pid, handle = forked(serve)
    base_url, port = told(handle)
    return pid, base_url, port


def move(database: str, base_url: str) -> None:
    """The sandbox listens elsewhere now."""
    with closing(Database.open(database, FakeClock())) as db, db.writing(TENANT) as tx:
        tx.connection.execute(sa.update(connection).values(base_url=base_url))


def keep_engines(patch: pytest.MonkeyPatch) -> None:
    """Databases opened at the same address share an engine and the statements that it has compiled; no connections:
    each is closed before the next is opened, or dies with its process."""
    really = Database.open
    engines: dict[str, sa.Engine] = {}

    def opened(url: str, clock: Clock) -> Database:
        if url not in engines:
            engines[url] = really(url, clock).engine
        return Database(engines[url], clock)

    patch.setattr(Database, "open", opened)


def environment(kind: Kind, database: str, port: int) -> None:
    """What the processes of a case find in their environment."""
    for name in [name for name in os.environ if name.startswith("DUNWELL_")]:
        del os.environ[name]
    os.environ["DUNWELL_DATABASE_URL"] = database
    if kind.way == "mail":
        os.environ |= {
            "DUNWELL_SMTP_HOST": "127.0.0.1",
            "DUNWELL_SMTP_PORT": str(port),
            "DUNWELL_SMTP_SECURITY": "none",
            "DUNWELL_SMTP_FROM": "ar@harbour.example",
        }


def run(case: Case, point: Point) -> dict[str, Any]:
    """One process dies, another carries on: what that one found."""
    pid, handle = forked(lambda _handle: victim.live(case, point))
    os.close(handle)
    if (code := ended(pid)) != -signal.SIGKILL:
        return {"error": f"it was not killed at that point, but ended with {code}"}
    pid, handle = forked(lambda handle: write(handle, asdict(survivor.survive(case, thorough=point in AFTER_THE_ACT))))
    found = told(handle)
    code = ended(pid)
    return {"found": found} if code == 0 else {"error": f"the survivor ended with {code}"}


class Ground:
    """The prepared offices, and one case after the other in copies of them."""

    def __init__(self, folder: Path, server: str) -> None:
        self._folder = folder
        self._databases = Databases(server)
        names = sorted({kind.office for kind in KINDS.values()})
        self._offices: dict[str, Prepared] = {name: prepare(folder, self._databases, name) for name in names}
        with self._laid_out("credit note") as case:  # a rehearsal, so that forks find compiled what they will need
            survivor.survive(case, thorough=True)
        gc.collect()
        gc.freeze()

    def case(self, name: str, point: Point) -> dict[str, Any]:
        """Kill, carry on, and say what was found."""
        with self._laid_out(name) as case:
            return run(case, point)

    @contextmanager
    def _laid_out(self, name: str) -> Iterator[Case]:
        """A fresh copy of the office with a sandbox of its own: always in the same place, one at a time."""
        kind = KINDS[name]
        office = self._offices[kind.office]
        folder = self._folder / "case"
        database = self._databases.lay_out(office, folder)
        sandbox, base_url, port = world(office.twin, folder, mail=kind.way == "mail")
        try:
            move(database, base_url)
            environment(kind, database, port)
            yield Case(folder, base_url, kind, office.victims[name])
        finally:
            os.kill(sandbox, signal.SIGKILL)
            ended(sandbox)
            shutil.rmtree(folder)

    def close(self) -> None:
        for office in self._offices.values():
            self._databases.drop(office.database)


def say(answer: object) -> None:
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.flush()


def main(folder: str, server: str = "") -> None:
    """Answer cases until there are no more."""
    keep_engines(pytest.MonkeyPatch())
    ground = Ground(Path(folder), server)
    try:
        assert threading.active_count() == 1, "a fork may find a lock held"
        say("ready")
        for line in sys.stdin:
            name, point = json.loads(line)
            try:
                answer = ground.case(name, Point[point])
            except Exception as error:  # noqa: BLE001 - told to the test
                answer = {"error": f"{type(error).__name__}: {error}"}
            say(answer)
    finally:
        ground.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
