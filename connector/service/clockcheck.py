"""A clock that went back by more than an hour would send early and twice a day: a person must look before any mail."""

from __future__ import annotations

from datetime import timedelta

from connector.errors import NeedsPerson
from connector.service.wiring import Wiring
from connector.store import timeline

MOST = timedelta(hours=1)


def refuse_a_clock_gone_back(w: Wiring) -> None:
    """Raises `NeedsPerson` when the newest entry of the timeline lies more than an hour in the future."""
    with w.db.reading(w.tenant) as tx:
        newest = timeline.latest(tx)
    if newest is None or newest.at - w.clock.now() <= MOST:
        return
    raise NeedsPerson(
        f"this machine's clock says {w.clock.now():%Y-%m-%d %H:%M} UTC, but something was recorded at "
        f"{newest.at:%Y-%m-%d %H:%M} UTC",
        not_done="nothing was sent or written",
        next_step="set the clock right; if it is right now, run `dunwell doctor --clock-is-right`",
    )


def confirm_clock(w: Wiring) -> None:
    """A person says that the clock is right: recorded, and counted from here."""
    with w.db.writing(w.tenant) as tx:
        timeline.append(tx, "", "clock.confirmed", "clock", w.who, {"now": tx.now.isoformat()})
