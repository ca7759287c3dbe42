"""Contacts and contact groups: what may be written to them, and what follows."""

from __future__ import annotations

import re
from dataclasses import replace

from adapters.xero.sandbox import checks
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.errors import Refused
from adapters.xero.sandbox.store import Act, Books

_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
MOST_PERSONS = 5
_NAMES = {
    "name": "Name",
    "status": "ContactStatus",
    "first_name": "FirstName",
    "last_name": "LastName",
    "email": "EmailAddress",
    "number": "ContactNumber",
    "account_number": "AccountNumber",
    "tax_number": "TaxNumber",
    "persons": "ContactPersons",
    "phones": "Phones",
    "addresses": "Addresses",
    "currency": "DefaultCurrency",
    "sales_terms": "SalesTerms",
    "bills_terms": "BillsTerms",
    "merged_to": "MergedToContactID",
}
TERM_TYPES = ("DAYSAFTERBILLDATE", "DAYSAFTERBILLMONTH", "OFCURRENTMONTH", "OFFOLLOWINGMONTH")


def contact_named(books: Books, name: str, other_than: str = "") -> r.Contact | None:
    """Return the active contact of this name, case ignored; `other_than` is an id to pass over."""
    found = books.contacts_named(name)
    return next((one for one in found if one.status == "ACTIVE" and one.id != other_than), None)


def contact_numbered(books: Books, number: str) -> r.Contact | None:
    """Return the contact with this ContactNumber."""
    return next(iter(books.contacts_numbered(number)), None)


def add_contact(books: Books, act: Act, contact: r.Contact) -> r.Contact:
    """Add a new contact. Raises Refused."""
    _check(books, contact)
    books.put_contact(contact)
    books.note("contact", contact.id, act, "Created", contact.name)
    books.log(act, "contact_create", "contact", contact.id, {"name": contact.name, "email": contact.email})
    return contact


def edit_contact(books: Books, act: Act, before: r.Contact, after: r.Contact) -> r.Contact:
    """Put a changed contact in the place of the old one. Raises Refused; an archived one takes no edits by the API."""
    if before.status != "ACTIVE" and act.actor == "api":
        raise Refused(checks.ARCHIVED)
    _check(books, after, before)
    told = checks.changed(_NAMES, before, after)
    after = replace(after, updated=checks.later(before.updated, act))
    books.put_contact(after)
    if told:
        books.note("contact", after.id, act, "Edited", f"{', '.join(told)} changed.")
    books.log(act, "contact_update", "contact", after.id, {"name": after.name, "changed": told})
    return after


def _check(books: Books, contact: r.Contact, before: r.Contact | None = None) -> None:
    """Check what is new about a contact: what was recorded otherwise stays as it was recorded."""
    if not contact.name.strip():
        raise Refused("The contact name must be specified")
    if (before is None or contact.email != before.email) and contact.email and not _EMAIL.fullmatch(contact.email):
        raise Refused("Email address must be valid.")
    if before is None or contact.persons != before.persons:
        _check_persons(contact)
    renamed = before is None or (contact.name, contact.number, contact.status) != (
        before.name,
        before.number,
        before.status,
    )
    if renamed and contact.status == "ACTIVE":
        _check_unique(books, contact)


def _check_persons(contact: r.Contact) -> None:
    if len(contact.persons) > MOST_PERSONS:
        raise Refused(f"A contact can have at most {MOST_PERSONS} contact persons")
    if any(one.email and not _EMAIL.fullmatch(one.email) for one in contact.persons):
        raise Refused("Email address of a contact person must be valid.")


def _check_unique(books: Books, contact: r.Contact) -> None:
    if contact_named(books, contact.name, contact.id):
        raise Refused(
            f"The contact name {contact.name} is already assigned to another contact. "
            "The contact name must be unique across all active contacts."
        )
    numbered = contact_numbered(books, contact.number) if contact.number else None
    if numbered and numbered.id != contact.id:
        raise Refused(f"The contact number {contact.number} is already assigned to another contact.")


def merge(books: Books, act: Act, source: r.Contact, target: r.Contact) -> None:
    """Merge one contact into another, as people do: its documents change hands, it is archived and points there."""
    if source.id == target.id or "ARCHIVED" in {source.status, target.status}:
        raise Refused("Contacts to be merged must be two active ones")
    bump = books.on("merge_bumps_documents")
    for invoice in books.invoices_of(source.id):
        stamp = checks.later(invoice.updated, act) if bump else invoice.updated
        books.put_invoice(replace(invoice, contact_id=target.id, updated=stamp))
    for credit in books.credits_of(source.id):
        stamp = checks.later(credit.updated, act) if bump else credit.updated
        books.put_credit(replace(credit, contact_id=target.id, updated=stamp))
    for group in books.groups_of(source.id):
        rest = tuple(one for one in group.members if one not in {source.id, target.id})
        books.groups.put(replace(group, members=(*rest, target.id)))
    gone = replace(source, status="ARCHIVED", merged_to=target.id, updated=checks.later(source.updated, act))
    books.put_contact(gone)
    books.put_contact(replace(target, updated=checks.later(target.updated, act)))
    books.note("contact", target.id, act, "Merged", f"{source.name} was merged into this contact.")
    books.log(act, "contact_merge", "contact", source.id, {"name": source.name, "merged_to": target.id})


# --- groups ----------------------------------------------------------------------------------------------------


def add_group(books: Books, act: Act, name: str, group_id: str = "") -> r.Group:
    """Add a contact group. Raises Refused."""
    if not name.strip():
        raise Refused("The contact group name must be specified")
    _check_group_name(books, name, "")
    group = r.Group(group_id or books.new_id("group"), name)
    books.groups.put(group)
    books.log(act, "group_create", "group", group.id, {"name": name})
    return group


def edit_group(books: Books, act: Act, before: r.Group, after: r.Group) -> r.Group:
    """Rename a group or hide it (status DELETED). Raises Refused."""
    if after.status not in {"ACTIVE", "DELETED"}:
        raise Refused("The contact group status must be ACTIVE or DELETED")
    if after.status == "ACTIVE" and after.name != before.name:
        _check_group_name(books, after.name, before.id)
    books.groups.put(after)
    told = checks.changed({"name": "Name", "status": "Status"}, before, after)
    books.log(act, "group_update", "group", after.id, {"name": after.name, "changed": told})
    return after


def _check_group_name(books: Books, name: str, own_id: str) -> None:
    folded = name.strip().casefold()
    taken = any(one.name.casefold() == folded and one.id != own_id for one in books.groups if one.status == "ACTIVE")
    if taken and books.switches["duplicate_group_name"] == "error":
        raise Refused(f"The contact group name {name} is already assigned to another group.")


def join(books: Books, act: Act, group: r.Group, contact: r.Contact) -> None:
    """Add a contact to a group. Raises Refused."""
    if contact.status != "ACTIVE":
        raise Refused("An archived contact cannot be added to a contact group")
    if contact.id in group.members:
        if books.switches["duplicate_group_add"] == "error" and act.actor == "api":
            raise Refused(f"The contact {contact.name} is already in this contact group")
        return
    books.groups.put(replace(group, members=(*group.members, contact.id)))
    _touch(books, act, contact)
    books.log(act, "group_add", "contact", contact.id, {"group_id": group.id, "group": group.name})


def leave(books: Books, act: Act, group: r.Group, contact: r.Contact) -> None:
    """Take a contact out of a group."""
    books.groups.put(replace(group, members=tuple(one for one in group.members if one != contact.id)))
    _touch(books, act, contact)
    books.log(act, "group_remove", "contact", contact.id, {"group_id": group.id, "group": group.name})


def _touch(books: Books, act: Act, contact: r.Contact) -> None:
    if books.on("group_bumps_contact"):
        books.put_contact(replace(contact, updated=checks.later(contact.updated, act)))
