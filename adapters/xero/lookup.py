"""Reading chosen records: by their ids, in as few calls as Xero allows, and who is in the groups dunwell minds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from adapters.xero import normalise, wire
from adapters.xero.client import XeroClient
from adapters.xero.decode import Page
from adapters.xero.normalise import Found
from adapters.xero.parties import Membership
from connector.domain.flat import Brought
from connector.domain.ledger import NeedsReview, RecordKind
from connector.ports import batched

T = TypeVar("T")

IDS_PER_CALL: Final = 40  # longer lists make addresses that proxies refuse


@dataclass(frozen=True, slots=True)
class Groups:
    """The contact groups that dunwell minds, as they are now. Two groups may bear one name: both count."""

    ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # name -> group ids
    of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # contact id -> names
    at: datetime | None = None  # the server's clock when it was first asked

    def membership(self, minded: Iterable[str]) -> Membership:
        return Membership(frozenset(minded), self.of)


def groups(client: XeroClient, minded: Sequence[str], known: Mapping[str, tuple[str, ...]]) -> Groups:
    """Members of the minded groups. One call a group when its id is `known` and still right, one more otherwise."""
    read = _members(client, {name: known[name] for name in minded if known.get(name)})
    if read is not None and set(read.ids) == set(minded):
        return read
    listed = client.groups()
    named = {name: matching(listed.rows, name) for name in minded}
    fresh = _members(client, {name: ids for name, ids in named.items() if ids}) or Groups()
    return Groups(fresh.ids, fresh.of, read.at if read and read.at else listed.at)


def matching(rows: Iterable[wire.GroupRow], name: str) -> tuple[str, ...]:
    """Ids of the active groups of that name, smallest first. Xero compares names without case."""
    return tuple(
        sorted(
            identity
            for row in rows
            if (identity := row.get("ContactGroupID"))
            and (row.get("Name") or "").strip().casefold() == name.strip().casefold()
            and (row.get("Status") or "ACTIVE") == "ACTIVE"
        )
    )


def members(client: XeroClient, group_id: str) -> frozenset[str] | None:
    """Contact ids in one group; None where the group is gone."""
    page = client.one(wire.GROUPS, group_id)
    if page is None or not page.rows or (page.rows[0].get("Status") or "ACTIVE") != "ACTIVE":
        return None
    return frozenset(found for contact in page.rows[0].get("Contacts") or () if (found := contact.get("ContactID")))


def _members(client: XeroClient, ids: Mapping[str, tuple[str, ...]]) -> Groups | None:
    """None where one of these groups is gone or has another name by now."""
    of: dict[str, list[str]] = {}
    at: datetime | None = None
    for name, group_ids in ids.items():
        for group_id in group_ids:
            page = client.one(wire.GROUPS, group_id)
            if page is None or matching(page.rows, name) != (group_id,):
                return None
            at = at or page.at
            for contact in page.rows[0].get("Contacts") or ():
                names = of.setdefault(contact.get("ContactID") or "", [])
                if name not in names:
                    names.append(name)
    of.pop("", None)
    return Groups(dict(ids), {contact: tuple(sorted(names)) for contact, names in of.items()}, at)


def invoices(client: XeroClient, ids: Iterable[str]) -> Found:
    """With their lines, 40 ids a call."""
    return _merged(normalise.invoices(page) for page in _by_ids(client, wire.INVOICES, ids, {}))


def customers(client: XeroClient, ids: Iterable[str], membership: Membership) -> Found:
    """Archived ones too, 40 ids a call."""
    pages = _by_ids(client, wire.CONTACTS, ids, {"includeArchived": "true"})
    return _merged(normalise.customers(page, membership) for page in pages)


def payments(client: XeroClient, ids: Iterable[str]) -> Found:
    """One call each: the list of payments takes no ids."""
    return _merged(normalise.payments(page) for page in _singly(client, (wire.PAYMENTS,), ids))


def credits(client: XeroClient, ids: Iterable[str]) -> Found:  # noqa: A001 (the domain's word)
    """Up to three calls each: an id does not say whether it is a credit note, an overpayment or a prepayment."""
    shapes = (wire.CREDIT_NOTES, wire.OVERPAYMENTS, wire.PREPAYMENTS)
    return _merged(normalise.credits(page) for page in _singly(client, shapes, ids))


def fetch(client: XeroClient, kind: RecordKind, ids: Sequence[str], membership: Callable[[], Membership]) -> Found:
    """Those records as they are now; missing ones are absent."""
    match kind:
        case RecordKind.INVOICE:
            return invoices(client, ids)
        case RecordKind.CUSTOMER:
            return customers(client, ids, membership())
        case RecordKind.PAYMENT:
            return payments(client, ids)
        case RecordKind.CREDIT:
            return credits(client, ids)


def _by_ids(
    client: XeroClient, shape: wire.Shape[T], ids: Iterable[str], params: Mapping[str, str]
) -> Iterator[Page[T]]:
    for batch in batched(dict.fromkeys(ids), IDS_PER_CALL):
        yield client.page(shape, 1, {**params, "IDs": ",".join(batch)})


def _singly(client: XeroClient, shapes: Sequence[wire.Shape[T]], ids: Iterable[str]) -> Iterator[Page[T]]:
    for identity in dict.fromkeys(ids):
        answers = (client.one(shape, identity) for shape in shapes)
        if (found := next((page for page in answers if page is not None), None)) is not None:
            yield found


def _merged(parts: Iterable[Found]) -> Found:
    records: list[Brought] = []
    review: list[NeedsReview] = []
    for found, doubtful in parts:
        records += found
        review += doubtful
    return tuple(records), tuple(review)
