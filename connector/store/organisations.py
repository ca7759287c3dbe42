"""The connected organisations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from connector.domain.ledger import Organisation
from connector.errors import NotFound, Refused
from connector.store import schema, timeline
from connector.store.db import Tx
from connector.store.plain import dump, load
from connector.store.schema import organisation

MODES = ("observe", "approve", "autopilot")
_RECORD: TypeAdapter[Organisation] = TypeAdapter(Organisation)
_OURS = organisation.c


@dataclass(frozen=True)
class OrganisationRow:
    """One organisation and how dunwell works on it. `start_date` is the day of its first connection there."""

    id: str
    tenant: str
    record: Organisation
    mode: str  # one of MODES
    start_date: date
    take_on_closed_on: date | None
    connection_id: str
    cursor: str | None  # where the next pull starts; None = from the beginning
    last_pull_at: datetime | None
    preset: str


def organisation_id(record: Organisation) -> str:
    """The id by which everything else names it."""
    return f"{record.ledger}:{record.ledger_id}"


def add(
    tx: Tx, record: Organisation, connection_id: str, start_date: date, preset: str = "standard"
) -> OrganisationRow:
    """A new organisation, in mode `observe`. Raises `Refused` when it is connected already, by whichever tenant."""
    taken = tx.connection.execute(
        sa.select(_OURS.id).where(_OURS.ledger == record.ledger, _OURS.ledger_id == record.ledger_id)
    ).first()
    if taken is not None:
        raise Refused(
            f"{record.name} is connected already",
            record=organisation_id(record),
            not_done="no second copy was made",
            next_step="`dunwell organisations` lists what is connected",
        )
    row = OrganisationRow(
        organisation_id(record), tx.tenant, record, "observe", start_date, None, connection_id, None, None, preset
    )
    values = {name: getattr(row, name) for name in OrganisationRow.__dataclass_fields__} | {
        "ledger": record.ledger,
        "ledger_id": record.ledger_id,
        "record": dump(_RECORD, record),
    }
    tx.connection.execute(sa.insert(organisation), values)
    timeline.append(tx, row.id, "organisation.added", row.id, "dunwell", {"name": record.name, "preset": preset})
    return row


def update_record(tx: Tx, org_id: str, record: Organisation) -> None:
    """Store what the ledger says of itself now. Raises `NotFound`, `Refused` for another organisation's record."""
    if organisation_id(record) != org_id:
        raise Refused("the ledger answered for another organisation", record=org_id, not_done="nothing was stored")
    _update(tx, org_id, record=dump(_RECORD, record))


def set_mode(tx: Tx, org_id: str, mode: str) -> None:
    """Observe, approve or autopilot. Raises `NotFound`, `Refused` for another word."""
    if mode not in MODES:
        raise Refused(f"{mode!r} is not a mode", record=org_id, next_step=f"use one of {', '.join(MODES)}")
    before = get(tx, org_id).mode
    _update(tx, org_id, mode=mode)
    timeline.append(tx, org_id, "organisation.mode", org_id, "dunwell", {"from": before, "to": mode})


def set_connection(tx: Tx, org_id: str, connection_id: str) -> None:
    """Reach it through another consent from now on. Raises `NotFound`."""
    _update(tx, org_id, connection_id=connection_id)


def set_preset(tx: Tx, org_id: str, preset: str) -> None:
    """Raises `NotFound`."""
    _update(tx, org_id, preset=preset)


def close_take_on(tx: Tx, org_id: str, on: date) -> None:
    """A person closed the take-on on that day (organisation's zone). Raises `NotFound`."""
    _update(tx, org_id, take_on_closed_on=on)
    timeline.append(tx, org_id, "organisation.take_on_closed", org_id, "dunwell", {"on": on})


def set_cursor(tx: Tx, org_id: str, cursor: str, at: datetime) -> None:
    """A round of pulling is complete: the next starts at `cursor`. Raises `NotFound`."""
    _update(tx, org_id, cursor=cursor, last_pull_at=at)


def all(tx: Tx) -> tuple[OrganisationRow, ...]:  # noqa: A001
    """Every organisation of the tenant, by id."""
    rows = tx.connection.execute(sa.select(organisation).where(_OURS.tenant == tx.tenant).order_by(_OURS.id))
    return tuple(_row(row) for row in rows)


def get(tx: Tx, org_id: str) -> OrganisationRow:
    """Raises `NotFound`."""
    row = tx.connection.execute(
        sa.select(organisation).where(_OURS.tenant == tx.tenant, _OURS.id == org_id)
    ).one_or_none()
    if row is None:
        raise NotFound("no such organisation", record=org_id, next_step="`dunwell organisations` lists them")
    return _row(row)


def find(tx: Tx, text: str) -> OrganisationRow:
    """By id, by the ledger's id, or by name (in any case; a unique beginning is enough).

    Raises `NotFound` naming what there is, `Refused` when several match.
    """
    known = all(tx)
    folded = text.strip().casefold()
    exact = [row for row in known if text in (row.id, row.record.ledger_id) or row.record.name.casefold() == folded]
    found = exact or [row for row in known if folded and row.record.name.casefold().startswith(folded)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{row.record.name} ({row.id})" for row in found or known)
    if not found:
        raise NotFound(
            f"no organisation {text!r}", next_step=f"there is: {names}" if names else "`dunwell connect` one"
        )
    raise Refused(f"{text!r} names several organisations", next_step=f"use the id of one: {names}")


def forget(tx: Tx, org_id: str) -> None:
    """Delete the organisation and its mirror. Raises `NotFound`.

    Cases, actions, effects and timeline stay: they prove what was done, and connected again, the organisation finds
    them under the same id and repeats nothing.
    """
    row = get(tx, org_id)
    for table in (schema.customer, schema.invoice, schema.payment, schema.credit, schema.needs_review, schema.wake):
        tx.connection.execute(sa.delete(table).where(table.c.tenant == tx.tenant, table.c.organisation_id == org_id))
    tx.connection.execute(sa.delete(organisation).where(_OURS.tenant == tx.tenant, _OURS.id == org_id))
    timeline.append(tx, org_id, "organisation.forgotten", org_id, "dunwell", {"name": row.record.name})


def _update(tx: Tx, org_id: str, **values: Any) -> None:
    changed = tx.connection.execute(
        sa.update(organisation).where(_OURS.tenant == tx.tenant, _OURS.id == org_id).values(values)
    )
    if changed.rowcount != 1:
        raise NotFound("no such organisation", record=org_id, next_step="`dunwell organisations` lists them")


def _row(row: sa.Row[Any]) -> OrganisationRow:
    return OrganisationRow(
        id=row.id,
        tenant=row.tenant,
        record=load(_RECORD, row.record),
        mode=row.mode,
        start_date=row.start_date,
        take_on_closed_on=row.take_on_closed_on,
        connection_id=row.connection_id,
        cursor=row.cursor,
        last_pull_at=row.last_pull_at,
        preset=row.preset,
    )
