"""Leases: who may work on something now, fenced by an epoch that only ever grows.

A holder whose lease was taken over keeps an old epoch, and everything it then tries is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from connector.store.db import Tx
from connector.store.schema import lease


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds a lease (as it named itself) and since when: UTC, by the clock that ages leases."""

    holder: str
    since: datetime


def acquire(tx: Tx, name: str, holder: str, ttl_seconds: float) -> int | None:
    """Take the lease when it is free or has run out: the new fencing epoch. None while somebody holds it."""
    now = tx.lease_now()
    row = {
        "tenant": tx.tenant,
        "name": name,
        "holder": holder,
        "epoch": 1,
        "since": now,
        "until": now + timedelta(seconds=ttl_seconds),
    }
    insert = (postgresql.insert if tx.connection.dialect.name == "postgresql" else sqlite.insert)(lease).values(row)
    statement = insert.on_conflict_do_update(
        index_elements=[lease.c.tenant, lease.c.name],
        set_={
            "holder": insert.excluded.holder,
            "since": insert.excluded.since,
            "until": insert.excluded.until,
            "epoch": lease.c.epoch + 1,
        },
        where=sa.or_(lease.c.until <= now, lease.c.holder == ""),  # given back is free, whatever the clock says
    ).returning(lease.c.epoch)
    return tx.connection.execute(statement).scalar_one_or_none()


def renew(tx: Tx, name: str, epoch: int, ttl_seconds: float) -> bool:
    """Hold it for another `ttl_seconds` from now. False when it was taken over or released.

    A lease that ran out but that nobody took may be renewed: the epoch proves that nobody was there in between.
    """
    until = tx.lease_now() + timedelta(seconds=ttl_seconds)
    renewed = sa.update(lease).where(_is(tx, name, epoch), lease.c.holder != "").values(until=until)
    return tx.connection.execute(renewed).rowcount == 1


def release(tx: Tx, name: str, epoch: int) -> None:
    """Give it back. Does nothing when it was taken over meanwhile."""
    # The row stays: its epoch must go on growing.
    freed = sa.update(lease).where(_is(tx, name, epoch)).values(until=tx.lease_now(), holder="")
    tx.connection.execute(freed)


def held(tx: Tx, name: str, epoch: int) -> bool:
    """Is this epoch still the holder, and in time?"""
    return live_epoch(tx, name) == epoch


def live_epoch(tx: Tx, name: str) -> int | None:
    """The epoch of whoever holds the lease now; None when it is free or has run out."""
    query = sa.select(lease.c.epoch).where(
        lease.c.tenant == tx.tenant, lease.c.name == name, lease.c.until > tx.lease_now()
    )
    return tx.connection.execute(query).scalar_one_or_none()


def held_by(tx: Tx, name: str) -> Held | None:
    """Whoever holds the lease now; None when it is free or has run out."""
    query = sa.select(lease.c.holder, lease.c.since).where(
        lease.c.tenant == tx.tenant, lease.c.name == name, lease.c.holder != "", lease.c.until > tx.lease_now()
    )
    row = tx.connection.execute(query).one_or_none()
    return None if row is None else Held(row.holder, row.since)


def delivering(organisation_id: str) -> str:
    """The name of the lease that must be held to write to this organisation's ledger."""
    return f"deliver:{organisation_id}"


def _is(tx: Tx, name: str, epoch: int) -> sa.ColumnElement[bool]:
    return sa.and_(lease.c.tenant == tx.tenant, lease.c.name == name, lease.c.epoch == epoch)
