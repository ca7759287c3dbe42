"""A cold `dunwell plan` on a warm store: `python -m bench.plan ROOT-URL FOLDER RUNS` makes, pulls and plans a project.

The server also answers as a sandbox's clock, so that the plan is of the same day on every machine. The take-on is
closed and the policy is the standard preset as shipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from bench.books import CHANGED_AT
from bench.measure import Measured, environment, tell
from bench.ours import RECORD, measured_pull, wired
from connector.config.init import scaffold
from connector.domain.cases import TakeOnAnswer
from connector.service.knowledge import TAKE_ON_QUESTIONS
from connector.store import cases, connections, organisations
from connector.store.connections import ConnectionRow

START = date(2025, 1, 1)
COMMAND = (sys.executable, "-c", "from connector.cli import main; main(['plan'])")


def prepare(root: str, folder: Path) -> None:
    """A project that has been running for a while."""
    scaffold(folder)
    database = folder / ".dunwell" / "dunwell.db"
    database.parent.mkdir()
    with wired(root, database, START) as (wiring, row), wiring.db.writing("default") as tx:
        connections.add(tx, _connection(root))
        for question in TAKE_ON_QUESTIONS:
            answer = TakeOnAnswer(question=question, answer="off", on=START, by="bench", id=question)
            cases.put(tx, row.id, answer)
        organisations.close_take_on(tx, row.id, START + timedelta(days=30))
    measured_pull(root, database)
    first_line(folder)


def _connection(root: str) -> ConnectionRow:
    return ConnectionRow(
        id="bench", ledger=RECORD.ledger, base_url=root, client_id="bench", app_kind="confidential", scopes=(),
        state="active", sealed=b"", version=1, access_expires_at=CHANGED_AT,
        refresh_expires_at=None, lease_holder="", lease_until=None, epoch=0, note="", grant_id="bench",
    )  # fmt: skip


def first_line(folder: Path) -> Measured:
    """Seconds from starting the process to its first line, and to its end."""
    started = time.perf_counter()
    process = subprocess.Popen(
        COMMAND, cwd=folder, env=environment() | {"PYTHONPATH": str(Path.cwd())}, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    first = time.perf_counter() - started
    process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "first": first,
        "whole": time.perf_counter() - started,
        "cpu": usage.ru_utime + usage.ru_stime,
        "line": line.decode().strip(),
        "code": process.returncode,
    }


if __name__ == "__main__":
    project = Path(sys.argv[2])
    prepare(sys.argv[1], project)
    tell({"runs": [first_line(project) for _ in range(int(sys.argv[3]))]})
