"""Pull: bring the mirror up to date with the ledger. Idempotent; the cursor moves once, with the round's last page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from connector.domain.ledger import Organisation, RecordKind
from connector.domain.money import Money
from connector.errors import Busy, ConnectionRevoked
from connector.ports import Batch
from connector.service.wiring import Wiring, local_minute
from connector.store import connections, leases, mirror, organisations
from connector.store.organisations import OrganisationRow

LEASE_SECONDS = 120
STORED_TOGETHER = 3_000  # records
_COMMANDS = {"pull": "dunwell pull", "deliver": "dunwell apply"}

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Pulled:
    """What one pull did. `open` sums the ledger balances by currency; `control` is the ledger's own total."""

    organisation: str
    name: str
    calls: int
    bytes: int
    records: dict[str, int]
    changed: int
    needs_review: int
    seconds: float
    open: dict[str, dict[str, object]]
    control: dict[str, object]
    budgets: dict[str, int] = field(default_factory=dict)


@contextmanager
def working_on(w: Wiring, organisation_id: str, what: str) -> Iterator[int]:
    """Hold the organisation's lease; yields the fencing epoch. Raises `Busy` when another process holds it."""
    name = f"{what}:{organisation_id}"
    with w.db.writing(w.tenant) as tx:
        epoch = leases.acquire(tx, name, w.holder, LEASE_SECONDS)
    if epoch is None:
        raise _busy(w, organisation_id, what)
    try:
        yield epoch
    except ConnectionRevoked as error:
        mark_lost(w, organisation_id, error)
        raise
    finally:
        with w.db.writing(w.tenant) as tx:
            leases.release(tx, name, epoch)


def _busy(w: Wiring, organisation_id: str, what: str) -> Busy:
    """Who is at work, where, and since when, so that a person can look after that process."""
    with w.db.reading(w.tenant) as tx:
        held = leases.held_by(tx, f"{what}:{organisation_id}")
        organisation = organisations.get(tx, organisation_id)
    not_done = f"this {what} did not start"
    if held is None:  # it ended between our two looks
        return Busy(
            f"another process was just at work ({what})",
            record=organisation.record.name,
            not_done=not_done,
            next_step=f"run {_COMMANDS.get(what, what)} again",
        )
    since = local_minute(held.since, organisation)
    return Busy(
        f"another process is at work ({what}): {_process(held.holder)}, since {since}",
        record=organisation.record.name,
        not_done=not_done,
        next_step=f"wait for it to end, then run {_COMMANDS.get(what, what)} again; a process that crashed or was "
        f"killed blocks for {LEASE_SECONDS} s at most",
    )


def _process(holder: str) -> str:
    """A holder's own name (`Wiring.holder`: host, process id, nonce) in words."""
    host, _, rest = holder.partition(":")
    pid = rest.partition(":")[0]
    return f"process {pid} on {host}" if pid.isdecimal() else holder


def mark_lost(w: Wiring, organisation_id: str, error: ConnectionRevoked) -> None:
    """Remember that the consent is gone, so that every surface says so and nothing tries again in vain."""
    with w.db.writing(w.tenant) as tx:
        connection = connections.for_organisation(tx, organisation_id)
        if connection is not None:
            connections.lost(tx, connection.id, str(error))


def pull(w: Wiring, organisation: OrganisationRow, *, full: bool = False, progress: Progress | None = None) -> Pulled:
    """One round of reading. Raises `Retriable` or `NeedsPerson`; what was stored before that stays valid."""
    ledger = w.ledger(organisation)
    with working_on(w, organisation.id, "pull") as epoch:
        started = w.clock.now()
        # Alone and first: it brings the access token. Calls that all miss it would wait for one another.
        _refresh(w, organisation, ledger.organisation())
        seen: Counter[str] = Counter()
        changed = review = size = 0
        cursor = None if full else organisation.cursor
        with w.pages() as pages:
            for batches in _together(ledger.changes(cursor, pages)):
                changed += _store(w, organisation, batches, epoch)
                for batch in batches:
                    seen[batch.kind.value] += len(batch.records)
                    review += len(batch.needs_review)
                    size += batch.size
                    if progress is not None:
                        progress(batch.kind.value, len(batch.records))
        seconds = (w.clock.now() - started) / timedelta(seconds=1)
        open_totals, control = totals(w, organisation)
        records = {kind.value: seen[kind.value] for kind in RecordKind}
        return Pulled(
            organisation.id, organisation.record.name, ledger.calls(), size, records, changed, review, seconds,
            open_totals, control, dict(ledger.budgets()),
        )  # fmt: skip


def _refresh(w: Wiring, organisation: OrganisationRow, record: Organisation) -> None:
    if record != organisation.record:
        with w.db.writing(w.tenant) as tx:
            organisations.update_record(tx, organisation.id, record)


def _together(batches: Iterable[Batch]) -> Iterator[tuple[Batch, ...]]:
    """Batches by the few thousand records: a transaction for each would write the same pages of an index each time."""
    waiting: list[Batch] = []
    for batch in batches:
        waiting.append(batch)
        if batch.cursor is not None or sum(len(one.records) for one in waiting) >= STORED_TOGETHER:
            yield tuple(waiting)
            waiting.clear()
    if waiting:
        yield tuple(waiting)


def _store(w: Wiring, organisation: OrganisationRow, batches: Sequence[Batch], epoch: int) -> int:
    changed = 0
    with w.db.writing(w.tenant) as tx:
        if not leases.renew(tx, f"pull:{organisation.id}", epoch, LEASE_SECONDS):
            raise Busy("another process took over this pull", record=organisation.id, not_done="this page was dropped")
        for batch in batches:
            changed += mirror.upsert(tx, organisation.id, batch.kind, batch.records).changed
            mirror.review(tx, organisation.id, batch.needs_review)
            if batch.cursor is not None:
                organisations.set_cursor(tx, organisation.id, batch.cursor, tx.now)
    return changed


def totals(w: Wiring, organisation: OrganisationRow) -> tuple[dict[str, dict[str, object]], dict[str, object]]:
    """Open invoices by currency, and the control total: against the ledger's own sum of customers' balances."""
    base = organisation.record.base_currency
    counts: Counter[str] = Counter()
    sums: Counter[str] = Counter()  # in minor units
    in_base = Money.zero(base)
    with w.db.reading(w.tenant) as tx:
        for currency, minor, rate in mirror.open_balances(tx, organisation.id):
            counts[currency] += 1
            sums[currency] += minor
            if currency != base:
                in_base = in_base + Money(minor, currency).in_base(base, Decimal(rate))
        own = mirror.outstanding_total(tx, organisation.id)
    in_base = in_base + Money(sums[base], base)
    opened = {currency: Money(sums[currency], currency) for currency in sorted(counts)}
    printed = sum((amount.amount for amount in opened.values()), Decimal(0))
    told: dict[str, dict[str, object]] = {
        currency: {"count": counts[currency], "total": amount.as_dict()} for currency, amount in opened.items()
    }
    return told, _control(own, in_base, printed, base if set(opened) <= {base} else "mixed")


def _control(own: Decimal | None, in_base: Money, printed: Decimal, currency: str) -> dict[str, object]:
    """Ledgers state a customer's balance unconverted: with several currencies the sums compare, but are no money."""
    control: dict[str, object] = {
        "basis": "customers' outstanding balances as the ledger states them, not converted",
        "open_in_base": in_base.as_dict(),
        "open_unconverted": {"amount": f"{printed:f}", "currency": currency},
        "ledger": None if own is None else {"amount": f"{own:f}", "currency": currency},
    }
    if own is not None:
        control["difference"] = {"amount": f"{printed - own:f}", "currency": currency}
    return control
