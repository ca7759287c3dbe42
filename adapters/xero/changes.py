"""One round of changes: everything at first, later what Xero stamps as modified and what it forgets to stamp.

A later round costs 8 calls where nothing happened:

* 1 for the members of the minded contact group (or, while there is none, for the list of groups);
* 1 a thousand documents for the *sweep*, see below;
* 6 lists with If-Modified-Since: invoices, credit notes, payments, overpayments, prepayments, contacts.

If-Modified-Since misses changes that do not move UpdatedDateUTC: due date and sent flag of part-paid or credited
invoices, the balances of contacts, membership of groups. The sweep lists open receivables and drafts as summaries
(no lines, no payments) and compares the few that can change unseen with their fingerprint of last time; only those that
differ, or that vanished, are read in full, 40 a call. It runs before the lists, so that what changes in between differs
from its fingerprint next time. Balances change only with a document: the contacts of the documents that came are read
again, after the documents. A merge hands one contact's documents to another without a stamp: all documents of the
contact that got them are read again. All this costs calls only when something happened. Reading all part-paid invoices
in full every round would be as right, but costs their lines each time; asking per contact costs a call a contact.

The cursor is the server's clock of the round's first answer; the next round begins 5 minutes before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final, NamedTuple

from adapters.xero import lookup, normalise, wire
from adapters.xero.client import PAGE_SIZE, XeroClient
from adapters.xero.cursor import Cursor, load
from adapters.xero.decode import Page
from adapters.xero.lookup import IDS_PER_CALL
from adapters.xero.normalise import Found
from adapters.xero.paging import Listing, Reader, rows
from connector.domain.ledger import Customer, NeedsReview, RecordKind
from connector.errors import UnreadableAnswer
from connector.ports import Batch

OVERLAP: Final = timedelta(minutes=5)
QUICK: Final = timedelta(minutes=1)  # a first round that took no longer does without a second look
_RECEIVABLE: Final = {"where": 'Type=="ACCREC"'}
_OPEN: Final = {**_RECEIVABLE, "Statuses": "AUTHORISED,SUBMITTED,DRAFT", "summaryOnly": "true"}
_ARCHIVED_TOO: Final = {"includeArchived": "true"}
_UNAPPROVED: Final = frozenset({"DRAFT", "SUBMITTED"})
_CREDITS: Final = (wire.CREDIT_NOTES, wire.OVERPAYMENTS, wire.PREPAYMENTS)
_Convert = Callable[[Page[Any]], Found]
_KINDS: Final[dict[str, tuple[RecordKind, _Convert]]] = {
    "Invoices": (RecordKind.INVOICE, normalise.invoices),
    "CreditNotes": (RecordKind.CREDIT, normalise.credits),
    "Overpayments": (RecordKind.CREDIT, normalise.credits),
    "Prepayments": (RecordKind.CREDIT, normalise.credits),
    "Payments": (RecordKind.PAYMENT, normalise.payments),
}


class Source(NamedTuple):
    """A list of documents, what its rows are, and what makes records of them."""

    listing: Listing[Any]
    kind: RecordKind
    convert: _Convert


def _source(
    shape: wire.Shape[Any],
    params: Mapping[str, str] | None = None,
    since: datetime | None = None,
    after: Sequence[Listing[Any]] = (),
) -> Source:
    return Source(Listing(shape, params or {}, since, after), *_KINDS[shape.plural])


def changes(client: XeroClient, minded: Sequence[str], cursor: str | None, executor: Executor) -> Iterator[Batch]:
    """The batches of one round; the last one carries the new cursor. Raises as `Caller.read`."""
    return Round(client, minded, load(cursor), executor).batches()


class Round:
    """The state of one round."""

    def __init__(self, client: XeroClient, minded: Sequence[str], before: Cursor | None, executor: Executor) -> None:
        self._client = client
        self._minded = minded
        self._before = before
        self._executor = executor
        self._started: datetime | None = None
        self._at: datetime | None = None  # the server's clock of the newest page
        self._groups = lookup.Groups()
        self._watch: dict[str, str] = {}
        self._review: set[str] = set()
        self._contacts = before.contacts if before else 0
        self._touched: set[str] = set()  # customers whose documents came
        self._came: set[str] = set()  # customers that came in this pass
        self._awaited: set[str] = set()  # documents that changed unseen and did not come yet
        self._merged: set[str] = set()  # customers that others were merged into
        self._counted = (client.caller.calls, client.caller.received)

    def batches(self) -> Iterator[Batch]:
        before = self._before
        self._groups = lookup.groups(self._client, self._minded, before.groups if before else {})
        self._hear(self._groups.at)
        self._client = self._client.sparing()  # only now: the first answer told how many calls the day has left
        if before is None:
            yield from self._everything()
        else:
            since = before.since - OVERLAP
            with self._reader(sweep := Listing(wire.WATCHED, _OPEN)) as reader:
                self._watch_all(reader.pages(sweep))
            self._awaited = self._unseen(before)
            yield from self._documents(since)
            yield from self._unstamped()
            self._touched |= _moved(before.members, self._groups.of)
            yield from self._customers(since)
        yield from self._changed_hands()
        yield self._batch(RecordKind.CUSTOMER, ((), ()), cursor=self._cursor())

    def _everything(self) -> Iterator[Batch]:
        """The first round: one stream of all lists, so that pages are always on their way."""
        sweep = Listing(wire.WATCHED, _OPEN)
        *others, payments = (_source(shape) for shape in (*_CREDITS, wire.PAYMENTS))
        invoices = _source(wire.INVOICES, _RECEIVABLE, after=(sweep,))
        contacts = Listing(wire.CONTACTS, _ARCHIVED_TOO, after=(payments.listing,))
        documents = (*others, payments, invoices)
        with self._reader(sweep, *(one.listing for one in documents), contacts) as reader:
            self._watch_all(reader.pages(sweep))
            yield from self._read(reader, documents)
            yield from self._contacts_of(reader.pages(contacts))
        yield from self._touched_again()
        if self._at is None or self._at - self._began() > QUICK:
            # It took long: a second look at what changed meanwhile. Otherwise the next round brings it.
            self._came.clear()
            self._merged.clear()
            yield from self._documents(self._began() - OVERLAP)
            yield from self._customers(self._began() - OVERLAP)

    def _hear(self, at: datetime | None) -> None:
        """The server's clock of the first answer, or no round: ours is never asked."""
        if self._started is None and at is None:
            raise UnreadableAnswer("Xero's answer does not tell the time")
        self._started = self._started or at

    def _began(self) -> datetime:
        assert self._started is not None
        return self._started

    def _cursor(self) -> Cursor:
        return Cursor(
            self._began(),
            self._watch,
            tuple(sorted(self._review)),
            dict(self._groups.ids),
            dict(self._groups.of),
            self._contacts,
        )

    def _batch(self, kind: RecordKind, found: Found, cursor: Cursor | None = None) -> Batch:
        calls, received = self._client.caller.calls, self._client.caller.received
        since = self._counted
        self._counted = (calls, received)
        records, review = found
        return Batch(
            kind, records, review, cursor.dump() if cursor else None, calls=calls - since[0], size=received - since[1]
        )

    def _reader(self, *listings: Listing[Any]) -> Reader:
        return Reader(self._client, self._executor, listings)

    def _watch_all(self, pages: Iterable[Page[wire.WatchedRow]]) -> None:
        for page in pages:
            for row in page.rows:
                if _may_change_unseen(row) and row.get("Type") in {None, "ACCREC"}:
                    self._watch[row["InvoiceID"]] = _fingerprint(row)

    def _documents(self, since: datetime | None, contact: str = "") -> Iterator[Batch]:
        """All of them, or those of one contact."""
        mine = f'Contact.ContactID==guid("{contact}")'
        sources = (
            _source(wire.INVOICES, {**_RECEIVABLE, "ContactIDs": contact} if contact else _RECEIVABLE, since),
            *(_source(shape, {"where": mine} if contact else {}, since) for shape in _CREDITS),
            _source(wire.PAYMENTS, {"where": f"Invoice.{mine}"} if contact else {}, since),
        )
        with self._reader(*(one.listing for one in sources)) as reader:
            yield from self._read(reader, sources)

    def _read(self, reader: Reader, sources: Iterable[Source]) -> Iterator[Batch]:
        for source in sources:
            for page in reader.pages(source.listing):
                self._at = page.at
                found = source.convert(page)
                del page  # it weighs twice what was made of it
                yield self._came_in(source.kind, found)

    def _changed_hands(self) -> Iterator[Batch]:
        """Documents of contacts that others were merged into: which of them are new there, Xero does not say."""
        for contact in sorted(self._merged - {""}):
            if contact.replace("-", "").isalnum():  # it goes into a filter
                yield from self._documents(None, contact)

    def _came_in(self, kind: RecordKind, found: Found) -> Batch:
        records, review = found
        ids = [one.id for one in chain(records, review)]
        if kind is RecordKind.CUSTOMER:
            self._came.update(ids)
            self._merged.update(one.merged_into for one in records if isinstance(one, Customer))
        else:
            self._touched.update(one.customer_id for one in records if not isinstance(one, Customer))
            self._touched.discard("")
        if kind is RecordKind.INVOICE:
            self._awaited.difference_update(ids)
            self._review -= {record.id for record in records}
            self._review |= {doubtful.id for doubtful in review} - {"unidentified"}
        return self._batch(kind, found)

    def _unseen(self, before: Cursor) -> set[str]:
        """Documents whose fingerprint is not what it was, and those that could not be read last time."""
        ids = {known for known, fingerprint in before.watch.items() if self._watch.get(known) != fingerprint}
        return ids | (self._watch.keys() - before.watch.keys()) | set(before.review)

    def _unstamped(self) -> Iterator[Batch]:
        """Documents that changed, vanished or could not be read last time, without coming by their stamp."""
        if not self._awaited:
            return
        found = lookup.invoices(self._client, sorted(self._awaited))
        yield self._came_in(RecordKind.INVOICE, found)
        for missing in sorted(self._awaited):
            yield self._came_in(RecordKind.INVOICE, self._vanished(missing))
            self._review.discard(missing)  # asking again would not bring it back

    def _vanished(self, invoice_id: str) -> Found:
        """A document that no list shows any more: its own page says why, or a person must."""
        page = self._client.one(wire.INVOICES, invoice_id)
        if page is not None:
            return normalise.invoices(page)
        return (), (NeedsReview(RecordKind.INVOICE, invoice_id, "no longer in Xero"),)

    def _customers(self, since: datetime) -> Iterator[Batch]:
        """Contacts that were modified, and those whose documents came."""
        with self._reader(listing := Listing(wire.CONTACTS, _ARCHIVED_TOO, since)) as reader:
            for page in reader.pages(listing):
                yield self._contacts_in(page, self._is_debtor)
        yield from self._touched_again()

    def _contacts_of(self, pages: Iterable[Page[wire.ContactRow]]) -> Iterator[Batch]:
        for page in pages:
            self._at = page.at
            self._contacts = max(self._contacts, page.items or 0)
            yield self._contacts_in(page, self._is_debtor)

    def _contacts_in(self, page: Page[wire.ContactRow], wanted: Callable[[wire.ContactRow], bool]) -> Batch:
        membership = self._groups.membership(self._minded)
        return self._came_in(RecordKind.CUSTOMER, normalise.customers(page, membership, wanted))

    def _touched_again(self) -> Iterator[Batch]:
        """Contacts whose documents came and that did not come themselves: their balances moved unseen."""
        ids = self._touched - self._came
        if len(ids) * PAGE_SIZE > max(self._contacts, PAGE_SIZE) * IDS_PER_CALL:  # fewer calls than naming them
            for page in rows(self._client, self._executor, wire.CONTACTS, _ARCHIVED_TOO):
                self._contacts = max(self._contacts, page.items or 0)
                yield self._contacts_in(page, lambda row: row["ContactID"] in ids)
        elif ids:
            membership = self._groups.membership(self._minded)
            yield self._came_in(RecordKind.CUSTOMER, lookup.customers(self._client, sorted(ids), membership))
        self._touched.clear()

    def _is_debtor(self, row: wire.ContactRow) -> bool:
        """Contacts that Xero calls suppliers only are left out until a receivable names them."""
        return bool(row.get("IsCustomer")) or not row.get("IsSupplier") or row["ContactID"] in self._touched


def _may_change_unseen(row: wire.WatchedRow) -> bool:
    return row.get("AmountDue") != row.get("Total") or row.get("Status") in _UNAPPROVED


def _fingerprint(row: wire.WatchedRow) -> str:
    """What may change unseen."""
    parts = (row.get("Status"), row.get("DueDate"), row.get("SentToContact"), row.get("ExpectedPaymentDate"))
    return "|".join("" if part is None else str(part) for part in parts)


def _moved(before: Mapping[str, tuple[str, ...]], now: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Contacts that joined or left a minded group."""
    return {contact for contact in chain(before, now) if before.get(contact) != now.get(contact)}
