"""A clock that went back by more than an hour would send early and twice a day: a person must look before any mail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from connector.errors import NeedsPerson
from connector.service.wiring import Wiring, local_minute
from connector.store import organisations, timeline
from connector.store.organisations import OrganisationRow

MOST = timedelta(hours=1)


def refuse_a_clock_gone_back(w: Wiring) -> None:
    """Raises `NeedsPerson` when the newest entry of the timeline lies more than an hour in the future."""
    with w.db.reading(w.tenant) as tx:
        newest = timeline.latest(tx)
        rows = organisations.all(tx)
    if newest is None or newest.at - w.clock.now() <= MOST:
        return
    raise NeedsPerson(
        f"this machine's clock says {_read(w.clock.now(), rows)}, but something was recorded at "
        f"{_read(newest.at, rows)}",
        not_done="nothing was sent or written",
        next_step="set the clock right; if it is right now, run `dunwell doctor --clock-is-right`",
    )


def _read(instant: datetime, rows: Sequence[OrganisationRow]) -> str:
    """As the clock on the wall shows it where the organisations are; UTC where they are not in one zone."""
    if len({row.record.timezone for row in rows}) == 1:
        return local_minute(instant, rows[0])
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def confirm_clock(w: Wiring) -> None:
    """A person says that the clock is right: recorded, and counted from here."""
    with w.db.writing(w.tenant) as tx:
        timeline.append(tx, "", "clock.confirmed", "clock", w.who, {"now": tx.now.isoformat()})
