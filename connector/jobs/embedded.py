"""The metronome: APScheduler in one process, memory job store. It says "look now"; what is due is in our tables."""

from __future__ import annotations

import logging
from pathlib import Path

from apscheduler.schedulers.blocking import BlockingScheduler

from connector.bootstrap import open_project
from connector.errors import DunwellError
from connector.service.cycle import run_once
from connector.store import organisations

log = logging.getLogger("dunwell.jobs")


def run_forever(folder: Path, *, minutes: int, who: str | None) -> None:
    """One turn over all organisations now and then every `minutes`, until stopped. One broken organisation never
    stops the others; a turn that takes longer than the interval is not started twice."""
    scheduler = BlockingScheduler(timezone="UTC")
    turn(folder, who)
    scheduler.add_job(
        turn, "interval", args=(folder, who), minutes=minutes, coalesce=True, max_instances=1, misfire_grace_time=60
    )
    scheduler.start()


def turn(folder: Path, who: str | None) -> None:
    """One turn over all organisations."""
    with open_project(folder, who=who) as w:
        with w.db.reading(w.tenant) as tx:
            rows = organisations.all(tx)
        for row in rows:
            try:
                cycle = run_once(w, row)
            except DunwellError as error:
                log.warning("%s: %s; %s", row.record.name, error, error.next_step)
                continue
            log.info("%s: %s effects", row.record.name, cycle.delivered.counts)
