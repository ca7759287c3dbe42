"""The ledger's limits are met by waiting, in its own time, and never by a refusal."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from connector.domain.ledger import RecordKind
from connector.errors import RateLimited
from tests.adapters.conformance.bench import Answer, Json
from tests.adapters.conformance.books import empty, invoice
from tests.adapters.conformance.conftest import Found
from tests.adapters.conformance.desk import Desk, Mirror
from tests.adapters.conformance.errands import errand

PAGES = 70
ROWS = 2
HEARING = 3  # calls at most, until a new round knows what the day has left


def long_books(pages: int = PAGES, rows: int = ROWS) -> Json:
    document = empty()
    document["invoices"] = [invoice(f"INV-{n}", "acorn") for n in range(pages * rows)]
    return document


def long_desk(found: Found) -> Desk:
    """So many pages that a pull takes longer than the ledger's minute."""
    desk = found(long_books())
    desk.narrow(ROWS)
    return desk


def lists_read(desk: Desk) -> int:
    return sum(one.method == "GET" for one, _ in desk.line.log)


@pytest.mark.parametrize("spent", [0, 1, 30, 59, 60])
def test_a_long_pull_is_never_refused(found: Found, spent: int) -> None:
    """Whatever others have used of the minute before."""
    desk = long_desk(found)
    desk.limits(minute=desk.bench.per_minute, used_minute=spent)
    mirror = Mirror()
    desk.pull(mirror)
    assert lists_read(desk) > PAGES > 60
    # Where nothing is left at the start the server has to say so once: nobody could know before.
    assert len(desk.line.refused()) == (1 if spent == desk.bench.per_minute else 0)
    assert mirror.portraits() == desk.truth()
    assert sum(desk.clock.slept) >= 60 * (lists_read(desk) // desk.bench.per_minute)


@pytest.mark.parametrize("per_minute", [7, 20, 45])
def test_a_lower_limit_than_documented_is_heard_from_the_answers(found: Found, per_minute: int) -> None:
    desk = long_desk(found)
    desk.limits(minute=per_minute)
    mirror = Mirror()
    desk.pull(mirror)
    assert desk.line.refused() == []
    assert mirror.portraits() == desk.truth()


@pytest.mark.parametrize("threads", [1, 2, 5, 8])
def test_pages_in_flight_never_exceed_what_the_ledger_allows(found: Found, threads: int) -> None:
    desk = long_desk(found)
    desk.fault(desk.bench.listing(RecordKind.INVOICE), None, do="slow", seconds=0.004)
    mirror = Mirror()
    with ThreadPoolExecutor(threads) as pages:
        desk.pull(mirror, None, pages)
    assert desk.line.refused() == []
    assert desk.line.most_at_once <= desk.bench.in_flight
    assert desk.line.most_at_once >= min(threads, 2)
    assert mirror.portraits() == desk.truth()


def test_several_readers_of_one_connection_share_its_limits(found: Found) -> None:
    """The same ledger object, asked by many threads at once."""
    desk = long_desk(found)
    desk.fault(desk.bench.listing(RecordKind.INVOICE), None, do="slow", seconds=0.002)
    ids = [key[1] for key in desk.truth() if key[0] is RecordKind.INVOICE]
    with ThreadPoolExecutor(12) as pool:
        batches = list(pool.map(lambda one: desk.ledger.fetch(RecordKind.INVOICE, [one]), ids))
    assert all(len(batch.records) == 1 for batch in batches)
    assert desk.line.refused() == []
    assert desk.line.most_at_once <= desk.bench.in_flight


@pytest.mark.parametrize("what", [Answer.LIMIT_MINUTE, Answer.LIMIT_CONCURRENT])
@pytest.mark.parametrize("nth", [1, 4, 40])
def test_a_refusal_all_the_same_is_obeyed(found: Found, what: Answer, nth: int) -> None:
    desk = long_desk(found)
    desk.fault({**desk.bench.listing(RecordKind.INVOICE), "nth": nth}, 1, **desk.bench.answer(what))
    mirror = Mirror()
    desk.pull(mirror)
    assert desk.line.refused() == [429]
    assert mirror.portraits() == desk.truth()
    if what is Answer.LIMIT_MINUTE:
        assert 26.0 in [round(one) for one in desk.clock.slept]


def test_a_ledger_that_keeps_refusing_is_given_up_and_not_hammered(found: Found) -> None:
    desk = long_desk(found)
    desk.fault(desk.bench.listing(RecordKind.INVOICE), None, **desk.bench.answer(Answer.LIMIT_MINUTE))
    with pytest.raises(RateLimited) as caught:
        desk.pull(Mirror())
    assert caught.value.limit == "minute"
    assert 1 < len(desk.line.refused()) <= 12
    assert sum(desk.clock.slept) >= 26.0 * (len(desk.line.refused()) - 1)


def test_how_long_everybody_waits_can_be_asked(found: Found) -> None:
    desk = long_desk(found)
    held: list[object] = []
    desk.clock.watch = lambda: held.append(desk.ledger.held_until())
    desk.pull(Mirror())
    assert held
    assert None not in held
    assert desk.ledger.held_until() is None


def test_what_remains_is_known(desk: Desk) -> None:
    assert desk.ledger.budgets() == {}
    desk.ledger.organisation()
    budgets = desk.ledger.budgets()
    assert 0 < budgets["minute"] < desk.bench.per_minute
    assert budgets["day"] > 0


def test_calls_are_counted_as_the_ledger_counts_them(desk: Desk) -> None:
    desk.fault(desk.bench.listing(RecordKind.INVOICE), 1, do="status", status=503)
    desk.pull(Mirror())
    assert desk.ledger.calls() == len(desk.line.log)


# --- the day ---------------------------------------------------------------------------------------------------------


def test_the_day_is_used_up(found: Found) -> None:
    """Parked: nothing is waited for here and nothing is asked again; what was stored stays valid."""
    desk = long_desk(found)
    desk.limits(day=1000, used_day=1000)
    with pytest.raises(RateLimited) as caught:
        desk.pull(Mirror())
    assert caught.value.limit == "day"
    assert 0 < caught.value.retry_after <= 86_400
    assert desk.line.refused() == [429]
    assert desk.clock.slept == []
    desk.wait(caught.value.retry_after)
    mirror = Mirror()
    desk.pull(mirror)
    assert mirror.portraits() == desk.truth()


@pytest.mark.parametrize("left", [30, 99, 150])
def test_reading_leaves_the_days_last_calls_to_writes(found: Found, left: int) -> None:
    """A tenth of the ledger's smallest day is kept: reading stops before it, and what is due is still written."""
    desk = found(long_books(120))
    job = errand(desk, "note")
    desk.narrow(ROWS)
    desk.limits(day=1000, used_day=1000 - left)
    desk.line.log.clear()
    with pytest.raises(RateLimited) as caught:
        desk.pull(Mirror())
    assert caught.value.limit == "day"
    assert caught.value.retry_after > 0
    assert desk.line.refused() == []
    assert lists_read(desk) <= max(HEARING, left - desk.bench.day_reserve)
    assert desk.ledger.budgets()["day"] >= min(left - HEARING, desk.bench.day_reserve)
    for _ in range(min(left, 20) // 2):
        job.send(job.prepared())
    assert job.happened() == 1
    assert desk.line.refused() == []


def test_a_day_that_is_used_up_while_reading_loses_nothing(found: Found) -> None:
    desk = long_desk(found)
    desk.limits(day=1000, used_day=1000 - desk.bench.day_reserve - 20)
    mirror = Mirror()
    with pytest.raises(RateLimited) as caught:
        desk.pull(mirror)
    desk.wait(max(86_400.0, caught.value.retry_after))
    desk.pull(mirror)
    assert mirror.portraits() == desk.truth()
