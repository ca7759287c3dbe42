"""PUT and POST /Contacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from adapters._twin.messages import Response
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox import render_contacts
from adapters.xero.sandbox.address_book import (
    TERM_TYPES,
    add_contact,
    contact_named,
    contact_numbered,
    edit_contact,
)
from adapters.xero.sandbox.errors import Refused
from adapters.xero.sandbox.reading import Element, elements
from adapters.xero.sandbox.resources.contacts import find
from adapters.xero.sandbox.resources.edge import CONTACTS, act_of, route, write_each
from adapters.xero.sandbox.routing import Call
from adapters.xero.sandbox.store import Act, Books, whole_ms

IDENTITY = frozenset({"ContactID", "ContactNumber", "Name"})
_LIMITS = {
    "Name": 255,
    "FirstName": 255,
    "LastName": 255,
    "EmailAddress": 255,
    "ContactNumber": 50,
    "AccountNumber": 50,
    "TaxNumber": 50,
    "DefaultCurrency": 3,
}
KNOWN = IDENTITY | set(_LIMITS) | {"ContactStatus", "ContactPersons", "Phones", "Addresses", "PaymentTerms"}
_ADDRESS_LIMITS = {"City": 255, "Region": 255, "PostalCode": 50, "Country": 50, "AttentionTo": 255}
_PHONE_LIMITS = {"PhoneNumber": 50, "PhoneAreaCode": 10, "PhoneCountryCode": 20}


def create(books: Books, act: Act, sent: Element) -> r.Contact:
    """Add the contact that an element describes. Raises Refused and Unreadable."""
    blank = r.Contact(books.new_id("contact"), "", whole_ms(act.now))
    return add_contact(books, act, _filled(blank, sent))


def update(books: Books, act: Act, before: r.Contact, sent: Element, *, drops_persons: bool = False) -> r.Contact:
    """Change a contact by the fields that an element has; the rest stays. Raises Refused and Unreadable."""
    after = _filled(before, sent)
    if drops_persons and not sent.has("ContactPersons"):
        after = replace(after, persons=())
    return edit_contact(books, act, before, after)


def _filled(contact: r.Contact, sent: Element) -> r.Contact:
    def text(key: str, before: str) -> str:
        value = sent.text(key, _LIMITS[key])
        return before if value is None else value

    status = sent.text("ContactStatus") or contact.status
    if status not in {"ACTIVE", "ARCHIVED"} and status != contact.status:
        raise Refused("ContactStatus must be ACTIVE or ARCHIVED")
    terms = sent.child("PaymentTerms")
    return replace(
        contact,
        name=text("Name", contact.name),
        first_name=text("FirstName", contact.first_name),
        last_name=text("LastName", contact.last_name),
        email=text("EmailAddress", contact.email),
        number=text("ContactNumber", contact.number),
        account_number=text("AccountNumber", contact.account_number),
        tax_number=text("TaxNumber", contact.tax_number),
        currency=text("DefaultCurrency", contact.currency),
        status=status,
        persons=_persons(sent) or contact.persons,
        phones=_places(
            sent.children("Phones"), "PhoneType", render_contacts.PHONE_TYPES, _PHONE_LIMITS, contact.phones
        ),
        addresses=_places(
            sent.children("Addresses"),
            "AddressType",
            render_contacts.ADDRESS_TYPES,
            {**dict.fromkeys(render_contacts.ADDRESS_FIELDS, 500), **_ADDRESS_LIMITS},
            contact.addresses,
        ),
        sales_terms=_terms(terms, "Sales") or contact.sales_terms,
        bills_terms=_terms(terms, "Bills") or contact.bills_terms,
    )


def _persons(sent: Element) -> tuple[r.Person, ...]:
    """Read ContactPersons: the array replaces all; an empty one says nothing."""
    return tuple(
        r.Person(
            first_name=one.text("FirstName", 255) or "",
            last_name=one.text("LastName", 255) or "",
            email=one.text("EmailAddress", 255) or "",
            in_emails=one.flag("IncludeInEmails") or False,
        )
        for one in sent.children("ContactPersons") or ()
    )


def _places(
    sent: list[Element] | None,
    type_field: str,
    types: tuple[str, ...],
    limits: Mapping[str, int],
    before: Mapping[str, Mapping[str, str]],
) -> Mapping[str, Mapping[str, str]]:
    """Merge phones or addresses into the slots that a contact has; "" empties a field."""
    after = {key: dict(value) for key, value in before.items()}
    for one in sent or ():
        kind = one.text(type_field) or types[0]
        if kind not in types:
            raise Refused(f"{type_field} must be one of {', '.join(types)}")
        slot = after.setdefault(kind, {})
        for key, limit in limits.items():
            value = one.text(key, limit)
            if value:
                slot[key] = value
            elif value == "":
                slot.pop(key, None)
    return MappingProxyType({key: MappingProxyType(value) for key, value in after.items()})


def _terms(terms: Element | None, side: str) -> r.Terms | None:
    sent = terms.child(side) if terms else None
    if sent is None:
        return None
    day, kind = sent.whole("Day"), sent.text("Type")
    if kind not in TERM_TYPES:
        raise Refused(f"The payment terms type must be one of {', '.join(TERM_TYPES)}")
    least, most = (0, 999) if kind.startswith("DAYSAFTER") else (1, 31)
    if day is None or not least <= day <= most:
        raise Refused(f"The payment terms day must be between {least} and {most}")
    return r.Terms(day, kind)


def _write(call: Call, sent: Element, *, may_update: bool) -> dict[str, object]:
    books, act = call.books, act_of(call)
    if not may_update:
        contact = create(books, act, sent)
    elif (before := _match(books, sent)) is not None:
        contact = update(books, act, before, sent)
    else:
        contact = create(books, act, sent)
    return render_contacts.contact(books, contact, "write", call.now)


def _match(books: Books, sent: Element) -> r.Contact | None:
    if contact_id := sent.text("ContactID"):
        found = books.contacts.get(contact_id)
        if found is None:
            raise Refused("The specified contact details matched no contact.")
        return found
    number, name = sent.text("ContactNumber"), sent.text("Name")
    return (contact_numbered(books, number) if number else None) or (contact_named(books, name) if name else None)


def _create(call: Call) -> Response:
    found = elements(call, "Contacts", KNOWN)
    return write_each(call, "Contacts", "ContactID", found, lambda sent: _write(call, sent, may_update=False))


def _upsert(call: Call) -> Response:
    found = elements(call, "Contacts", KNOWN)
    return write_each(call, "Contacts", "ContactID", found, lambda sent: _write(call, sent, may_update=True))


def _update(call: Call) -> Response:
    before = find(call.books, call.params["ContactID"])
    found = elements(call, "Contacts", KNOWN)[:1]

    def write(sent: Element) -> dict[str, object]:
        contact = update(call.books, act_of(call), before, sent)
        return render_contacts.contact(call.books, contact, "write", call.now)

    return write_each(call, "Contacts", "ContactID", found, write, before.id)


ROUTES = (
    route("PUT", "/Contacts", CONTACTS, _create, "Contact"),
    route("POST", "/Contacts", CONTACTS, _upsert, "Contact"),
    route("POST", "/Contacts/{ContactID}", CONTACTS, _update, "Contact"),
)
