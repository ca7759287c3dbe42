"""All rows of a Xero list, although rows may move between its pages while they are read.

Rows are ordered by their own id, which no edit changes: an edited row stays where it is and a new one can only push
others back. What a push hides from pages that are in flight shows in the server's own count: the pass is repeated until
every row was seen or two passes agree. Rows may come twice; storing them is idempotent.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from datetime import datetime
from typing import Final, TypeVar

from adapters.xero.client import XeroClient
from adapters.xero.decode import Page
from adapters.xero.decode import page as read_page
from adapters.xero.wire import Shape
from connector.errors import LedgerRejected, NotFound, UnreadableAnswer
from connector.ports import HttpAnswer

T = TypeVar("T")

IN_FLIGHT: Final = 5
PASSES: Final = 4
_PARTS: Final = 64


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
    before: _Seen | None = None
    for _ in range(PASSES):
        seen = _Seen()
        nameless = counted = 0
        for page in _pass(client, executor, shape, params, since):
            seen.add(page.ids)
            nameless += page.nameless
            counted = max(counted, page.items or 0)
            yield page
        if seen.count() + nameless >= counted or (before is not None and before.same(seen)):
            return
        before = seen
    raise UnreadableAnswer(f"Xero's list of {shape.plural} keeps changing while it is read")


class _Seen:
    """The ids of one pass, at eight bytes each: as texts those of a large list weigh more than all pages in flight.

    Python salts its hashes for each process: nobody can choose ids that collide.
    """

    def __init__(self) -> None:
        self._parts = [array("q") for _ in range(_PARTS)]  # to make one part at a time a set

    def add(self, ids: Iterable[str]) -> None:
        parts = self._parts
        for one in ids:
            hashed = hash(one)
            parts[hashed % _PARTS].append(hashed)

    def count(self) -> int:
        """How many different ones."""
        return sum(len(set(part)) for part in self._parts)

    def same(self, other: _Seen) -> bool:
        return all(set(mine) == set(theirs) for mine, theirs in zip(self._parts, other._parts, strict=True))


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
    if first.pages is None:
        yield from _until_empty(client, shape, ordered, since, first)
        return

    def fetch(number: int) -> HttpAnswer | None:
        try:
            return client.unread_page(shape, number, ordered, since)
        except NotFound:  # rows left meanwhile: the list has no such page any more
            return None

    for number, answer in _ahead(executor, fetch, first.pages):
        if answer is None:
            return
        page = _read(client, shape, number, ordered, since, answer)
        yield page
        if not page.count:
            return


def _read(
    client: XeroClient,
    shape: Shape[T],
    number: int,
    params: Mapping[str, str],
    since: datetime | None,
    answer: HttpAnswer,
) -> Page[T]:
    try:
        return read_page(answer, shape)
    except UnreadableAnswer:
        return client.page(shape, number, params, since)


def _until_empty(
    client: XeroClient, shape: Shape[T], params: Mapping[str, str], since: datetime | None, page: Page[T]
) -> Iterator[Page[T]]:
    """Without the server's count only an empty page is an end."""
    number = 1
    while page.count:
        number += 1
        page = client.page(shape, number, params, since)
        yield page


def _ahead(
    executor: Executor, fetch: Callable[[int], HttpAnswer | None], pages: int
) -> Iterator[tuple[int, HttpAnswer | None]]:
    """Pages 2 to the last, a few of them in flight: as bytes, so that only the one at hand is read and weighs."""
    waiting: deque[tuple[int, Future[HttpAnswer | None]]] = deque()
    try:
        for number in range(2, pages + 1):
            waiting.append((number, executor.submit(fetch, number)))
            if len(waiting) >= IN_FLIGHT:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    finally:
        for _, future in waiting:
            future.cancel()
