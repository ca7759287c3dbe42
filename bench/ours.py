"""dunwell's own pull against the canned server: `python -m bench.ours ROOT-URL DATABASE`.

The whole of `service.sync.pull`: lease, every list in its pages with five in flight, exact amounts, the second look,
the mirror with its hashes, marks and indexes, the cursor, the control total. The database is migrated before the meter
runs, everything is imported; nothing has been executed yet.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Never

import adapters
from bench.books import TODAY
from bench.measure import Measured, meter, tell
from bench.server import TENANT
from connector import bootstrap, http
from connector.clock import SystemClock, SystemIds, SystemRandom
from connector.domain.ledger import Organisation
from connector.errors import NotFound
from connector.service.sync import pull
from connector.service.wiring import Wiring
from connector.store import organisations
from connector.store.db import Database, Tx
from connector.store.organisations import OrganisationRow

RECORD = Organisation("xero", TENANT, "Bench Limited", "NZD", "Pacific/Auckland", "NZ")


class OpenDoor:
    """Tokens that the canned server never looks at."""

    def access(self) -> str:
        return "bench"

    def replace(self, refused: str) -> Never:
        raise AssertionError(f"the canned server refused {refused!r}")


@contextmanager
def wired(root: str, database: Path, start: date = TODAY) -> Iterator[tuple[Wiring, OrganisationRow]]:
    """What a pull needs, on a real database, and nothing of what it does not."""
    bootstrap.settle()
    clock = SystemClock()
    with closing(http.client()) as client, closing(Database.open(f"sqlite:///{database}", clock)) as db:
        if db.is_empty():
            db.migrate()
        with db.writing("default") as tx:
            row = _organisation_row(tx, start)
        ledger = adapters.load("xero").connect(
            http=client, clock=clock, random=SystemRandom(), tokens=OpenDoor(), base_url=root, ledger_id=TENANT
        )
        yield Wiring(
            project=database.parent, tenant="default", db=db, clock=clock, ids=SystemIds(), random=SystemRandom(),
            http=client, ledger=lambda _row: ledger, channel=_unused, policy=_unused, mapping=_unused, calendar=_unused,
            letterbook=_unused, pages=lambda: ThreadPoolExecutor(5), who="bench", holder="bench",
        ), row  # fmt: skip


def _organisation_row(tx: Tx, start: date) -> OrganisationRow:
    try:
        return organisations.get(tx, organisations.organisation_id(RECORD))
    except NotFound:
        return organisations.add(tx, RECORD, "bench", start)


def _unused(*_: object) -> Never:
    raise AssertionError("a pull needs no policy, mapping, calendar or letters")


def measured_pull(root: str, database: Path, around: Callable[[Callable[[], Any]], Any] | None = None) -> Measured:
    """One pull; `around` may wrap it, with a profiler."""
    result: Measured = {}
    with wired(root, database) as (wiring, row):
        with meter(result):
            pulled = around(lambda: pull(wiring, row)) if around else pull(wiring, row)
        result |= {
            "records": sum(pulled.records.values()),
            "written": pulled.changed,
            "needs_review": pulled.needs_review,
            "calls": pulled.calls,
            "control": pulled.control,  # what is open, summed up by us and by the ledger
        }
    return result


if __name__ == "__main__":
    tell(measured_pull(sys.argv[1], Path(sys.argv[2])))
