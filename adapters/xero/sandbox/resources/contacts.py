"""GET /Contacts."""

from __future__ import annotations

from adapters._twin.messages import Response
from adapters.xero.sandbox import answers
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.address_book import contact_numbered
from adapters.xero.sandbox.errors import Unknown
from adapters.xero.sandbox.fields import contact_fields
from adapters.xero.sandbox.listing import Shelf, among, flag, listing, matching
from adapters.xero.sandbox.render_contacts import contact as render
from adapters.xero.sandbox.resources.edge import CONTACTS, route
from adapters.xero.sandbox.routing import Call
from adapters.xero.sandbox.store import Books

_SHELF = Shelf(contact_fields(), stamped=True)


def find(books: Books, key: str) -> r.Contact:
    """Return the contact of this id or ContactNumber. Raises Unknown."""
    found = books.contacts.get(key) or contact_numbered(books, key)
    if found is None:
        raise Unknown
    return found


def _texts(one: r.Contact) -> tuple[str, ...]:
    return (one.name, one.first_name, one.last_name, one.number, one.email)


def _list(call: Call) -> Response:
    rows = list(call.books.contacts)
    if not flag(call, "includeArchived"):
        rows = [one for one in rows if one.status != "ARCHIVED"]
    rows = among(call, "IDs", rows, lambda one: one.id)
    page = listing(call, matching(call, rows, _texts), _SHELF)
    written = [render(call.books, one, page.view, call.now) for one in page.rows]
    return answers.envelope(call, "Contacts", written, page.pagination)


def _single(call: Call) -> Response:
    contact = find(call.books, call.params["ContactID"])
    return answers.envelope(call, "Contacts", [render(call.books, contact, "single", call.now)])


ROUTES = (
    route("GET", "/Contacts", CONTACTS, _list),
    route("GET", "/Contacts/{ContactID}", CONTACTS, _single),
)
