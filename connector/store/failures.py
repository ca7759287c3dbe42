"""What the database driver says, as dunwell's own errors."""

from __future__ import annotations

import sqlite3

from sqlalchemy import exc

from connector.errors import Busy, DunwellError, StorageFailed

_NOT_DONE = "nothing of this step was stored; nothing is sent without a durable intent"
_BUSY_SQLITE = {"SQLITE_BUSY", "SQLITE_LOCKED"}
_FULL_SQLITE = {"SQLITE_FULL"}
_BUSY_STATES = {"55P03", "40001", "40P01"}  # lock timeout, serialization failure, deadlock
_FULL_STATES = {"53100"}


def translate(error: exc.DBAPIError | exc.TimeoutError) -> DunwellError | None:
    """The error to raise instead, or None where the statement itself is wrong (a defect: let it through)."""
    if isinstance(error, exc.TimeoutError):
        return _busy("every connection to the database is in use")
    if not isinstance(error, exc.OperationalError | exc.InternalError) and not _database_is_broken(error):
        return None
    origin = error.orig
    if isinstance(origin, sqlite3.Error):
        return _from_sqlite(origin)
    return _from_postgres(getattr(origin, "sqlstate", None), origin)


def _database_is_broken(error: exc.DBAPIError) -> bool:
    """sqlite3 raises the bare DatabaseError for corrupt files; a lost connection may be an InterfaceError."""
    return type(error) is exc.DatabaseError or isinstance(error, exc.InterfaceError) or error.connection_invalidated


def _from_sqlite(origin: sqlite3.Error) -> DunwellError | None:
    # Primary code names begin the extended ones: SQLITE_IOERR_WRITE, SQLITE_BUSY_SNAPSHOT.
    name = "_".join(str(getattr(origin, "sqlite_errorname", "")).split("_")[:2])
    if name in _BUSY_SQLITE:
        return _busy("another process is writing to the database")
    if name in _FULL_SQLITE:
        return _failed("the disk that holds the database is full", "free some space, then run the command again")
    if name == "SQLITE_ERROR":  # unknown table, wrong SQL
        return None
    return _failed(f"the database could not be read or written: {origin}", "check the disk and the database file")


def _from_postgres(state: str | None, origin: BaseException | None) -> DunwellError:
    if state in _BUSY_STATES:
        return _busy("another process is writing to the database")
    if state in _FULL_STATES:
        return _failed("the disk that holds the database is full", "free some space, then run the command again")
    first_line = str(origin).strip().splitlines()[0] if str(origin).strip() else "no connection"
    return _failed(f"the database could not be reached or written: {first_line}", "check the database server")


def _busy(what: str) -> Busy:
    return Busy(what, not_done=_NOT_DONE, next_step="try again in a moment")


def _failed(what: str, next_step: str) -> StorageFailed:
    return StorageFailed(what, not_done=_NOT_DONE, next_step=next_step)
