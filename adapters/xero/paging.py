"""All rows of Xero's lists, although rows may move between a list's pages while they are read.

Rows are ordered by their own id, which no edit changes: an edited row stays where it is and a new one can only push
others back. What a push hides from pages that are in flight shows in the server's own count: the pass is repeated until
every row was seen or two passes agree. Rows may come twice; storing them is idempotent.

A round reads several lists. While the pages of one are worked on, those of the next are on their way.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from datetime import datetime
from typing import Any, Final, Generic, Self, TypeVar

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


class Listing(Generic[T]):
    """A list to be read, and what of it is on its way.

    `since` (the server's time, UTC) leaves out what was not modified after it. It is not asked for before the lists in
    `after` were read to their ends.
    """

    def __init__(
        self,
        shape: Shape[T],
        params: Mapping[str, str],
        since: datetime | None = None,
        after: Sequence[Listing[Any]] = (),
    ) -> None:
        self.shape = shape
        self.since = since
        self.after = after
        self.params = {**params, "order": f"{shape.id} ASC"}
        self.ended = False
        self.first: Future[HttpAnswer] | None = None
        self.pages = 0  # the server's own count, once the first page was read
        self.asked = 0
        self.coming: deque[Future[HttpAnswer]] = deque()  # from the second page on

    def drop(self) -> None:
        """Nothing more of this pass is wanted."""
        for future in self.coming if self.first is None else (self.first, *self.coming):
            future.cancel()
        self.coming.clear()
        self.first = None
        self.pages = self.asked = 0

    def take_as_it_comes(self) -> None:
        """Without filter and order."""
        self.params = {name: value for name, value in self.params.items() if name not in {"where", "order"}}


class Reader:
    """Reads lists one after the other, in the order given. Its pages are fetched by the executor, ahead of their turn.

    They wait as bytes, so that only the one at hand is read and weighs.
    """

    def __init__(self, client: XeroClient, executor: Executor, listings: Sequence[Listing[Any]]) -> None:
        self._client = client
        self._executor = executor
        self._listings = listings

    def __enter__(self) -> Self:
        self._ask()
        return self

    def __exit__(self, *_: object) -> None:
        for listing in self._listings:
            listing.drop()

    def pages(self, listing: Listing[T]) -> Iterator[Page[T]]:
        """Every page of the list, the same row perhaps more than once.

        Raises `UnreadableAnswer` when the list does not come to rest: an incomplete one is never taken for whole.
        """
        before: _Seen | None = None
        for _ in range(PASSES):
            seen = _Seen()
            nameless = counted = 0
            for page in self._pass(listing):
                seen.add(page.ids)
                nameless += page.nameless
                counted = max(counted, page.items or 0)
                yield page
                del page  # it weighs as much as the next one, which is about to be read
            listing.drop()
            if seen.count() + nameless >= counted or (before is not None and before.same(seen)):
                listing.ended = True
                self._ask()
                return
            before = seen
        raise UnreadableAnswer(f"Xero's list of {listing.shape.plural} keeps changing while it is read")

    def _pass(self, listing: Listing[T]) -> Iterator[Page[T]]:
        self._ask()
        page = self._first(listing)
        if page.pages is None:
            yield page
            yield from self._until_empty(listing, page)
            return
        listing.asked, listing.pages = 1, page.pages
        self._ask()
        yield page
        del page
        for number in range(2, listing.pages + 1):
            try:
                answer = listing.coming.popleft().result()
            except NotFound:  # rows left meanwhile: the list has no such page any more
                return
            self._ask()
            page = self._read(listing, number, answer)
            del answer
            empty = not page.count
            yield page
            if empty:
                return
            del page

    def _ask(self) -> None:
        """First pages as soon as may be, later ones a few at a time."""
        for listing in self._listings:
            if listing.first is None and not listing.ended and all(one.ended for one in listing.after):
                listing.first = self._fetch(listing, 1)
        for listing in self._listings:
            while listing.asked < listing.pages and sum(len(one.coming) for one in self._listings) < IN_FLIGHT:
                listing.asked += 1
                listing.coming.append(self._fetch(listing, listing.asked))

    def _fetch(self, listing: Listing[Any], number: int) -> Future[HttpAnswer]:
        return self._executor.submit(
            self._client.unread_page, listing.shape, number, dict(listing.params), listing.since
        )

    def _first(self, listing: Listing[T]) -> Page[T]:
        assert listing.first is not None, "it was asked for before what it comes after"
        try:
            return self._read(listing, 1, listing.first.result())
        except LedgerRejected as error:
            if "efficient" not in error.detail:
                raise
            # A huge organisation refuses filters and orders that its index does not serve.
            listing.take_as_it_comes()
            return self._client.page(listing.shape, 1, listing.params, listing.since)

    def _read(self, listing: Listing[T], number: int, answer: HttpAnswer) -> Page[T]:
        try:
            return read_page(answer, listing.shape)
        except UnreadableAnswer:
            return self._client.page(listing.shape, number, listing.params, listing.since)

    def _until_empty(self, listing: Listing[T], page: Page[T]) -> Iterator[Page[T]]:
        """Without the server's count only an empty page is an end."""
        number = 1
        while page.count:
            number += 1
            page = self._client.page(listing.shape, number, listing.params, listing.since)
            yield page


def rows(
    client: XeroClient,
    executor: Executor,
    shape: Shape[T],
    params: Mapping[str, str],
    since: datetime | None = None,
) -> Iterator[Page[T]]:
    """Every page of a single list. Raises as `Reader.pages`."""
    listing = Listing(shape, params, since)
    with Reader(client, executor, (listing,)) as reader:
        yield from reader.pages(listing)


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
