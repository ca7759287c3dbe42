"""Policy and mapping versions: immutable, so that every decision can be replayed with what it was made by."""

from __future__ import annotations

import sqlalchemy as sa

from connector.store.db import Tx
from connector.store.schema import policy_version


def save_policy(tx: Tx, version: str, body: str) -> None:
    """Keep a policy (or mapping) under its hash, so that decisions can be replayed. Safe to repeat."""
    if get_policy(tx, version) is None:
        row = {"tenant": tx.tenant, "hash": version, "body": body, "saved_at": tx.now}
        tx.connection.execute(sa.insert(policy_version), row)


def get_policy(tx: Tx, version: str) -> str | None:
    """The policy with this hash, None when it was never saved."""
    table = policy_version.c
    query = sa.select(table.body).where(table.tenant == tx.tenant, table.hash == version)
    return tx.connection.execute(query).scalar_one_or_none()
