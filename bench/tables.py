"""Tables with dunwell's columns, for those who write to SQLite without dunwell."""

from __future__ import annotations

import sqlite3
from typing import Final

COLUMNS: Final = {
    "invoice": (
        "tenant", "organisation_id", "id", "number", "number_folded", "customer_id", "status", "live", "issued", "due",
        "currency", "total", "tax", "balance", "paid", "credited", "rate", "reference", "sent", "expected",
        "fully_paid_on", "repeating", "has_attachments", "lines", "updated_us",
    ),
    "payment": (
        "tenant", "organisation_id", "id", "customer_id", "invoice_id", "paid_on", "currency", "amount", "reference",
        "reconciled", "account", "active", "allocations", "updated_us",
    ),
    "customer": (
        "tenant", "organisation_id", "id", "name", "name_folded", "email", "email_folded", "active", "currency",
        "outstanding", "body", "updated_us",
    ),
}  # fmt: skip


def open_tables(path: str) -> sqlite3.Connection:
    """A new database with a primary key and no other index, under dunwell's pragmas."""
    db = sqlite3.connect(path)
    for pragma in (
        "page_size=8192",
        "journal_mode=WAL",
        "synchronous=FULL",
        "cache_size=-4000",
        "wal_autocheckpoint=4000",
    ):
        db.execute(f"PRAGMA {pragma}")
    for table, columns in COLUMNS.items():
        db.execute(f"CREATE TABLE {table} ({', '.join(columns)}, PRIMARY KEY (organisation_id, id))")
    return db


def statement(table: str) -> str:
    columns = COLUMNS[table]
    return f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
