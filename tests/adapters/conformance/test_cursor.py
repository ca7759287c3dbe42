"""The cursor: nothing falls between two rounds, and a round that ended early is repeated without loss."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from connector.domain.ledger import RecordKind
from connector.errors import LedgerUnavailable
from tests.adapters.conformance.bench import Json
from tests.adapters.conformance.books import MANY, NOON, many, new_invoice
from tests.adapters.conformance.compare import same
from tests.adapters.conformance.conftest import Found
from tests.adapters.conformance.desk import Desk, Mirror, Serial

PAID: Json = {"do": "pay", "invoice": "INV-1", "amount": "10.01"}
MERGED: Json = {"do": "merge_contacts", "from": "elm", "into": "acorn"}
OVERPAID: Json = {"do": "overpay", "customer": "birch", "amount": "5.00"}
RENAMED: Json = {"do": "edit_contact", "customer": "acorn", "name": "Acorn & Sons"}


@pytest.mark.parametrize("after", [0.0, 0.4, 1.0, 59.0, 299.0, 301.0, 86_400.0])
def test_no_edit_falls_between_two_rounds(found: Found, after: float) -> None:
    """In the same second as the round, within its overlap, just beyond it, and long after."""
    desk, mirror = found(now=NOON + timedelta(milliseconds=700)), Mirror()
    cursor = desk.pull(mirror)
    desk.wait(after)
    desk.people({"do": "edit_invoice", "invoice": "INV-1", "due": "2026-03-09"}, {"do": "pay", "invoice": "INV-2"})
    desk.wait(after)
    cursor = desk.pull(mirror, cursor)
    same(mirror, desk)
    desk.wait(after)
    desk.people({"do": "edit_invoice", "invoice": "INV-1", "due": "2026-03-10"})
    desk.pull(mirror, cursor)
    same(mirror, desk)


@pytest.mark.parametrize("minutes", [-10, -1, 1, 10])
def test_our_own_clock_may_be_wrong(found: Found, minutes: int) -> None:
    desk, mirror = found(ahead=timedelta(minutes=minutes)), Mirror()
    cursor = desk.pull(mirror)
    for amount in ("1.00", "2.00", "3.00"):
        desk.wait(61)
        desk.people({"do": "pay", "invoice": "INV-1", "amount": amount}, new_invoice(f"INV-{amount}"))
        cursor = desk.pull(mirror, cursor)
        same(mirror, desk)


def test_the_cursor_is_never_ahead_of_what_was_read(found: Found) -> None:
    """An edit after its page was read, in a round that takes a quarter of an hour, comes with the next round."""
    desk, mirror = found(many()), Mirror()
    desk.narrow()
    batches = desk.ledger.changes(None, Serial())
    cursor = None
    for number, batch in enumerate(batches):
        mirror.take(batch)
        desk.wait(90)
        desk.people({"do": "edit_invoice", "invoice": f"INV-{number % MANY:02}", "reference": f"at {number}"})
        cursor = batch.cursor
    assert cursor is not None
    desk.wait(86_400)
    desk.pull(mirror, cursor)
    same(mirror, desk)


@pytest.mark.parametrize("full", [True, False], ids=["full", "changes"])
def test_a_crash_after_any_batch_loses_nothing(found: Found, full: bool) -> None:
    """The round is repeated from the old cursor, whatever of it was stored; a day later, with new edits."""
    for batches in itertools.count(1, 2):
        desk, mirror = found(), Mirror()
        desk.narrow(3)
        cursor = None if full else desk.pull(mirror)
        desk.wait(86_400)
        desk.people(PAID, MERGED, new_invoice("INV-NEW"))
        crashed = desk.crash_after(batches, mirror, cursor)
        desk.wait(86_400)
        desk.people({"do": "pay", "invoice": "INV-NEW"}, {"do": "archive_contact", "customer": "birch"})
        desk.pull(mirror, cursor)
        same(mirror, desk)
        if not crashed:
            assert batches > 8
            break


@pytest.mark.parametrize("action", ["reset", "hang", "gateway"])
def test_a_round_that_a_lost_answer_ends_loses_nothing(found: Found, action: str) -> None:
    desk, mirror = found(), Mirror()
    cursor = desk.pull(mirror)
    desk.wait(86_400)
    desk.people(PAID, OVERPAID, RENAMED)
    how: Json = {"do": "status", "status": 503} if action == "gateway" else {"do": action}
    desk.fault({**desk.bench.listing(RecordKind.PAYMENT)}, None, **how)
    with pytest.raises(LedgerUnavailable):
        desk.pull(mirror, cursor)
    desk.heal()
    desk.pull(mirror, cursor)
    same(mirror, desk)


def test_a_cursor_that_nobody_can_read_means_everything_again(desk: Desk) -> None:
    for spoilt in ("", "not json", "{}", '{"v": 999, "since": "2026-01-01T00:00:00+00:00"}'):
        mirror = Mirror()
        desk.pull(mirror, spoilt)
        same(mirror, desk)


def test_fifty_edits_in_one_second_at_the_boundary(found: Found) -> None:
    desk, mirror = found(many(50)), Mirror()
    desk.narrow()
    cursor = desk.pull(mirror)
    desk.people(*({"do": "edit_invoice", "invoice": f"INV-{n:02}", "reference": "x"} for n in range(50)))
    desk.pull(mirror, cursor)
    same(mirror, desk)
