"""Column types and the few kinds of columns that all tables are made of."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from connector.store.plain import clean


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware instant, stored and returned in UTC (SQLite drops the zone, Postgres returns the session's)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        instant: datetime = value
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


class SafeText(sa.types.TypeDecorator[str]):
    """Text without NUL and lone surrogates."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else clean(value)


def text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, SafeText(), nullable=False, **options)


def key(name: str) -> sa.Column[str]:
    return sa.Column(name, SafeText(), primary_key=True, nullable=False)


def integer(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def flag(name: str, *, nullable: bool = False) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=nullable)


def day(name: str, *, nullable: bool = True) -> sa.Column[date]:
    return sa.Column(name, sa.Date(), nullable=nullable)


def instant(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def stamps() -> tuple[sa.Column[Any], sa.Column[Any]]:
    """The ledger's own stamp (microseconds since 1970, UTC) and the hash of everything that is stored."""
    return (
        sa.Column("updated_us", sa.BigInteger(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
    )
