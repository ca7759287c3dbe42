"""All rows of a Xero list, although rows may move between its pages while they are read.

Rows are ordered by their own id, which no edit changes: an edited row stays where it is and a new one can only push
others back. What a push hides from pages that are in flight shows in the server's own count: the pass is repeated until
every row was seen or two passes agree. Rows may come twice; storing them is idempotent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from datetime import datetime
from typing import Final, TypeVar

from adapters.xero.client import XeroClient
from adapters.xero.decode import Page
from adapters.xero.wire import Shape
from connector.errors import LedgerRejected, UnreadableAnswer

T = TypeVar("T")

IN_FLIGHT: Final = 5
PASSES: Final = 4


def rows(
    client: XeroClient,
    executor: Executor,
    shape: Shape[T],
    params: Mapping[str, str],
    since: datetime | None = None,
) -> Iterator[Page[T]]:
    """Every page of the list, the same row perhaps more than once.

    Raises `UnreadableAnswer` when the list does not come to rest: an incomplete one is never taken for whole.
    """
    before: set[str] | None = None
    for _ in range(PASSES):
        seen: set[str] = set()
        nameless = counted = 0
        for page in _pass(client, executor, shape, params, since):
            seen |= page.ids
            nameless += page.nameless
            counted = max(counted, page.items or 0)
            yield page
        if len(seen) + nameless >= counted or before == seen:
            return
        before = seen
    raise UnreadableAnswer(f"Xero's list of {shape.plural} keeps changing while it is read")


def _pass(
    client: XeroClient, executor: Executor, shape: Shape[T], params: Mapping[str, str], since: datetime | None
) -> Iterator[Page[T]]:
    ordered = {**params, "order": f"{shape.id} ASC"}
    try:
        first = client.page(shape, 1, ordered, since)
    except LedgerRejected as error:
        if "efficient" not in error.detail:
            raise
        # A huge organisation refuses filters and orders that its index does not serve: take the list as it comes.
        ordered = {name: value for name, value in params.items() if name != "where"}
        first = client.page(shape, 1, ordered, since)
    yield first

    def read(number: int) -> Page[T]:
        return client.page(shape, number, ordered, since)

    if first.pages is None:
        yield from _until_empty(read, first)
    else:
        yield from _ahead(executor, read, first.pages)


def _until_empty(read: Callable[[int], Page[T]], page: Page[T]) -> Iterator[Page[T]]:
    """Without the server's count only an empty page is an end."""
    number = 1
    while page.count:
        number += 1
        page = read(number)
        yield page


def _ahead(executor: Executor, read: Callable[[int], Page[T]], pages: int) -> Iterator[Page[T]]:
    """Pages 2 to the last, a few of them in flight."""
    waiting: deque[Future[Page[T]]] = deque()
    try:
        for number in range(2, pages + 1):
            waiting.append(executor.submit(read, number))
            if len(waiting) >= IN_FLIGHT:
                page = waiting.popleft().result()
                yield page
                if not page.count:
                    return
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
