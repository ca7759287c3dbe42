"""Contact groups and their members."""

from __future__ import annotations

from dataclasses import replace

from adapters._twin.messages import Response
from adapters.xero.sandbox import address_book, answers
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.errors import Refused, Unknown
from adapters.xero.sandbox.fields import group_fields
from adapters.xero.sandbox.listing import Shelf, listing
from adapters.xero.sandbox.reading import Element, elements
from adapters.xero.sandbox.render_contacts import group as render
from adapters.xero.sandbox.resources.edge import CONTACTS, act_of, route, write_each
from adapters.xero.sandbox.routing import Call
from adapters.xero.sandbox.store import Books

_SHELF = Shelf(group_fields(), paged=False)
_KNOWN = frozenset({"ContactGroupID", "Name", "Status", "Contacts"})


def _find(books: Books, group_id: str) -> r.Group:
    group = books.groups.get(group_id)
    if group is None:
        raise Unknown
    return group


def _live(call: Call) -> r.Group:
    group = _find(call.books, call.params["ContactGroupID"])
    if group.status != "ACTIVE":
        raise Refused("The contact group has been deleted")
    return group


def _list(call: Call) -> Response:
    rows = [one for one in call.books.groups if one.status == "ACTIVE"]
    page = listing(call, rows, _SHELF)
    return answers.envelope(call, "ContactGroups", [render(call.books, one, members=False) for one in page.rows])


def _single(call: Call) -> Response:
    group = _find(call.books, call.params["ContactGroupID"])
    return answers.envelope(call, "ContactGroups", [render(call.books, group, members=True)])


def _write(call: Call, before: r.Group | None, sent: Element) -> dict[str, object]:
    books, act = call.books, act_of(call)
    name, status = sent.text("Name", 255), sent.text("Status")
    if before is None:
        group = address_book.add_group(books, act, name or "")
        for one in sent.children("Contacts") or ():
            address_book.join(books, act, _find(books, group.id), _contact(books, one))
    else:
        after = replace(before, name=name or before.name, status=status or before.status)
        group = address_book.edit_group(books, act, before, after)
    return render(books, _find(books, group.id), members=False)


def _contact(books: Books, sent: Element) -> r.Contact:
    contact = books.contacts.get(sent.text("ContactID") or "")
    if contact is None:
        raise Refused("The specified contact details matched no contact.")
    return contact


def _create(call: Call) -> Response:
    found = elements(call, "ContactGroups", _KNOWN)
    return write_each(call, "ContactGroups", "ContactGroupID", found, lambda sent: _write(call, None, sent))


def _update(call: Call) -> Response:
    before = _find(call.books, call.params["ContactGroupID"])
    found = elements(call, "ContactGroups", _KNOWN)[:1]
    return write_each(
        call, "ContactGroups", "ContactGroupID", found, lambda sent: _write(call, before, sent), before.id
    )


def _join(call: Call) -> Response:
    _live(call)

    def write(sent: Element) -> dict[str, object]:
        contact = _contact(call.books, sent)
        address_book.join(call.books, act_of(call), _live(call), contact)
        empty: dict[str, object] = {"Addresses": [], "Phones": [], "ContactGroups": [], "ContactPersons": []}
        return {"ContactID": contact.id, **empty, "HasValidationErrors": False, "ValidationErrors": []}

    return write_each(call, "Contacts", "ContactID", elements(call, "Contacts", frozenset({"ContactID"})), write)


def _leave(call: Call) -> Response:
    contact = call.books.contacts.get(call.params["ContactID"])
    if contact is None:
        raise Unknown
    group = _live(call)
    if contact.id not in group.members:
        raise Refused("The contact is not in this contact group")
    address_book.leave(call.books, act_of(call), group, contact)
    return answers.empty(204)


def _leave_all(call: Call) -> Response:
    for member in _live(call).members:
        if contact := call.books.contacts.get(member):
            address_book.leave(call.books, act_of(call), _live(call), contact)
    return answers.empty(204)


ROUTES = (
    route("GET", "/ContactGroups", CONTACTS, _list),
    route("GET", "/ContactGroups/{ContactGroupID}", CONTACTS, _single),
    route("PUT", "/ContactGroups", CONTACTS, _create, "ContactGroup"),
    route("POST", "/ContactGroups/{ContactGroupID}", CONTACTS, _update, "ContactGroup"),
    route("PUT", "/ContactGroups/{ContactGroupID}/Contacts", CONTACTS, _join, "Contact"),
    route("DELETE", "/ContactGroups/{ContactGroupID}/Contacts", CONTACTS, _leave_all),
    route("DELETE", "/ContactGroups/{ContactGroupID}/Contacts/{ContactID}", CONTACTS, _leave),
)
