"""What happened, append-only: one chain of SHA-256 hashes per tenant.

Entry n's hash covers entry n-1's hash and every field of entry n, so an edit, a deletion, a reordering or a truncation
is found and located. Someone who rewrites the whole chain with its head is not: export checkpoints for that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from connector.store.db import Tx
from connector.store.plain import canonical, clean
from connector.store.schema import timeline_entry, timeline_head

GENESIS: Final = "0" * 64
_FETCH: Final = 2_000


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `subject` is the id of what it happened to, `body` canonical JSON."""

    number: int
    organisation_id: str
    customer_id: str  # "" = no customer's in particular
    at: datetime
    kind: str
    subject: str
    actor: str
    body: str
    hash: str


@dataclass(frozen=True)
class Problem:
    """Where the chain is broken. `number` is the entry's place, counted from 1."""

    number: int
    what: str

    def __str__(self) -> str:
        return self.what


class _Appender:
    """Collects a transaction's entries and writes them just before the commit: one statement instead of one each."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx
        self.rows: list[dict[str, Any]] = []
        head = tx.connection.execute(
            sa.select(timeline_head.c.number, timeline_head.c.hash).where(timeline_head.c.tenant == tx.tenant)
        ).one_or_none()
        self.is_first = head is None
        self.number: int = 0 if head is None else head.number
        self.hash: str = GENESIS if head is None else head.hash

    def append(self, organisation_id: str, kind: str, subject: str, actor: str, body: Mapping[str, Any]) -> None:
        subject, actor, text = clean(subject), clean(actor), canonical(body)
        customer_id = clean(str(body.get("customer_id", "")))
        self.number += 1
        self.hash = _hash(
            self.hash, self.tx.tenant, self.number, organisation_id, customer_id, self.tx.now, kind, subject, actor,
            text,
        )  # fmt: skip
        self.rows.append(
            {
                "tenant": self.tx.tenant,
                "number": self.number,
                "organisation_id": organisation_id,
                "customer_id": customer_id,
                "at": self.tx.now,
                "kind": kind,
                "subject": subject,
                "actor": actor,
                "body": text,
                "hash": self.hash,
            }
        )

    def write(self) -> None:
        if not self.rows:
            return
        self.tx.connection.execute(sa.insert(timeline_entry), self.rows)
        head = {"number": self.number, "hash": self.hash}
        if self.is_first:
            self.tx.connection.execute(sa.insert(timeline_head), {"tenant": self.tx.tenant} | head)
        else:
            self.tx.connection.execute(sa.update(timeline_head).where(timeline_head.c.tenant == self.tx.tenant), head)
        self.rows, self.is_first = [], False


def _hash(previous: str, *fields: str | int | datetime) -> str:
    return hashlib.sha256(canonical([previous, *fields]).encode()).hexdigest()


def append(tx: Tx, organisation_id: str, kind: str, subject: str, actor: str, body: Mapping[str, Any]) -> None:
    """Record that `kind` happened to `subject`, done by `actor`. Committed with the transaction, or not at all.

    `body`: JSON values, dates, decimals and money; never a secret. Its "customer_id" says whose history it belongs to.
    """
    _appender(tx).append(organisation_id, kind, subject, actor, body)


def _appender(tx: Tx) -> _Appender:
    for finish in tx.before_commit:
        owner = getattr(finish, "__self__", None)
        if isinstance(owner, _Appender):
            return owner
    appender = _Appender(tx)
    tx.before_commit.append(appender.write)
    return appender


def entries(tx: Tx, organisation_id: str | None = None, subject: str | None = None) -> tuple[Entry, ...]:
    """The tenant's entries, oldest first; of one organisation, about one subject (also a customer)."""
    return tuple(_stream(tx, organisation_id, subject))


def about(tx: Tx, organisation_id: str, subjects: Collection[str]) -> tuple[Entry, ...]:
    """The organisation's entries about any of these subjects (also customers), oldest first."""
    found = _stream(tx, organisation_id)
    return tuple(entry for entry in found if entry.subject in subjects or entry.customer_id in subjects)


def latest(tx: Tx) -> Entry | None:
    """The tenant's newest entry, None in a new database."""
    table = timeline_entry.c
    query = sa.select(*(table[name] for name in Entry.__dataclass_fields__)).where(table.tenant == tx.tenant)
    row = tx.connection.execute(query.order_by(table.number.desc()).limit(1)).first()
    return Entry(*row) if row is not None else None


def _stream(tx: Tx, organisation_id: str | None = None, subject: str | None = None) -> Iterator[Entry]:
    for finish in tx.before_commit:
        finish()
    table = timeline_entry.c
    query = sa.select(*(table[name] for name in Entry.__dataclass_fields__)).where(table.tenant == tx.tenant)
    if organisation_id is not None:
        query = query.where(table.organisation_id == organisation_id)
    if subject is not None:
        query = query.where(sa.or_(table.subject == subject, table.customer_id == subject))
    with tx.connection.execute(query.order_by(table.number).execution_options(yield_per=_FETCH)) as rows:
        for row in rows:
            yield Entry(*row)


def verify(tx: Tx) -> list[Problem]:
    """Every place where the chain is broken; empty when it is whole. Streams: memory does not grow with the chain."""
    problems: list[Problem] = []
    expected, previous = 1, GENESIS
    for entry in _stream(tx):
        if entry.number != expected:  # what this entry followed is gone: its link cannot be checked
            problems.append(Problem(expected, _missing(expected, entry.number)))
        elif entry.hash != _rehash(tx.tenant, previous, entry):
            what = f"entry {entry.number} was changed, or does not follow from the entry before it"
            problems.append(Problem(entry.number, what))
        expected, previous = entry.number + 1, entry.hash
    return problems + _check_head(tx, expected - 1, previous)


def _rehash(tenant: str, previous: str, entry: Entry) -> str:
    return _hash(
        previous,
        tenant,
        entry.number,
        entry.organisation_id,
        entry.customer_id,
        entry.at,
        entry.kind,
        entry.subject,
        entry.actor,
        entry.body,
    )


def _missing(first: int, found: int) -> str:
    return f"entry {first} is missing" if found == first + 1 else f"entries {first} to {found - 1} are missing"


def _check_head(tx: Tx, last: int, last_hash: str) -> list[Problem]:
    head = tx.connection.execute(
        sa.select(timeline_head.c.number, timeline_head.c.hash).where(timeline_head.c.tenant == tx.tenant)
    ).one_or_none()
    if head is None:
        return [] if last == 0 else [Problem(last, "the stored head of the chain is missing")]
    if head.number > last:
        return [Problem(last + 1, f"{_missing(last + 1, head.number + 1)} at the end")]
    if head.number < last:
        return [Problem(head.number + 1, f"entries after {head.number} are not covered by the stored head")]
    return [] if head.hash == last_hash else [Problem(last, "the stored head does not match the last entry")]
