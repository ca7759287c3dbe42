"""Contacts and contact groups in the wire's words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from adapters.xero.sandbox import answers
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.store import Books

PHONE_TYPES = ("DDI", "DEFAULT", "FAX", "MOBILE")
PHONE_FIELDS = ("PhoneNumber", "PhoneAreaCode", "PhoneCountryCode")
ADDRESS_TYPES = ("STREET", "POBOX")
ADDRESS_FIELDS = (
    "AddressLine1",
    "AddressLine2",
    "AddressLine3",
    "AddressLine4",
    "City",
    "Region",
    "PostalCode",
    "Country",
    "AttentionTo",
)
_ALWAYS_WRITTEN = ("City", "Region", "PostalCode", "Country")


def brief_contact(one: r.Contact) -> dict[str, object]:
    """Write a contact as it appears inside lists: id and name, all else empty."""
    return {
        "ContactID": one.id,
        "Name": one.name,
        "Addresses": [],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "HasValidationErrors": False,
    }


def full_contact(books: Books, one: r.Contact, *, slots: bool) -> dict[str, object]:
    """Write a contact as it appears inside one document; `slots` fills what is empty with ""."""
    wire = _identity(one, slots=slots)
    wire["Addresses"] = _places(one.addresses, "AddressType", ADDRESS_TYPES, _ALWAYS_WRITTEN if slots else ())
    wire["Phones"] = _places(one.phones, "PhoneType", PHONE_TYPES, PHONE_FIELDS if slots else ())
    wire["UpdatedDateUTC"] = answers.stamp(one.updated)
    wire["ContactGroups"] = [group(books, each, members=False) for each in books.groups_of(one.id)]
    wire.update(IsSupplier=_is_party(books, one, "ACCPAY"), IsCustomer=_is_party(books, one, "ACCREC"))
    if one.currency:
        wire["DefaultCurrency"] = one.currency
    wire["ContactPersons"] = [_person(each) for each in one.persons]
    wire["HasValidationErrors"] = False
    return wire


def contact(books: Books, one: r.Contact, view: str, now: datetime) -> dict[str, object]:
    """Write a contact of its own endpoint in the given view (see render.View)."""
    wire = full_contact(books, one, slots=view == "write")
    if view == "list":
        wire["ContactPersons"] = []
        return wire
    if view == "summary":
        for key in ("IsSupplier", "IsCustomer", "ContactPersons", "ContactGroups", "Phones", "Addresses"):
            wire.pop(key, None)
        return wire
    terms = {key: value for key, value in (("Bills", one.bills_terms), ("Sales", one.sales_terms)) if value}
    if terms:
        wire["PaymentTerms"] = {key: {"Day": value.day, "Type": value.type} for key, value in terms.items()}
    if balances := _balances(books.balance(one, now), printed=one.printed_minus_reckoned is not None):
        wire["Balances"] = balances
    if one.merged_to:
        wire["MergedToContactID"] = one.merged_to
    wire["HasAttachments"] = bool(books.files("contact", one.id))
    if view == "single" and (files := books.files("contact", one.id)):
        wire["Attachments"] = [_file(each) for each in files]
    for key, value in one.extra.items():
        wire.setdefault(key, value)
    return wire


def _file(one: r.Attachment) -> dict[str, object]:
    return {"AttachmentID": one.id, "FileName": one.name, "MimeType": one.mime, "ContentLength": one.size}


def _identity(one: r.Contact, *, slots: bool) -> dict[str, object]:
    wire: dict[str, object] = {"ContactID": one.id}
    if one.number:
        wire["ContactNumber"] = one.number
    if one.account_number:
        wire["AccountNumber"] = one.account_number
    wire.update(ContactStatus=one.status, Name=one.name)
    texts = {"FirstName": one.first_name, "LastName": one.last_name, "EmailAddress": one.email}
    wire.update({key: value for key, value in texts.items() if value or slots})
    if one.tax_number:
        wire["TaxNumber"] = one.tax_number
    if slots:
        wire["BankAccountDetails"] = ""
    return wire


def _places(
    kept: Mapping[str, Mapping[str, str]], type_field: str, types: tuple[str, ...], always: tuple[str, ...]
) -> list[dict[str, object]]:
    """Write one slot a type; a slot without content comes with only its type, or with empty fields in write answers."""
    written: list[dict[str, object]] = []
    for each in types:
        fields = kept.get(each, {})
        slot: dict[str, object] = {type_field: each}
        slot.update({key: "" for key in always if key not in fields})
        slot.update(fields)
        written.append(slot)
    return written


def _person(one: r.Person) -> dict[str, object]:
    return {
        "FirstName": one.first_name,
        "LastName": one.last_name,
        "EmailAddress": one.email,
        "IncludeInEmails": one.in_emails,
    }


def _is_party(books: Books, one: r.Contact, type_: str) -> bool:
    if one.is_customer if type_ == "ACCREC" else one.is_supplier:
        return True
    return any(each.type == type_ and each.status != "DELETED" for each in books.invoices_of(one.id))


def _balances(balance: r.Balance, *, printed: bool) -> dict[str, object] | None:
    if not printed and balance == r.Balance():
        return None
    return {
        "AccountsReceivable": {"Outstanding": balance.receivable, "Overdue": balance.receivable_overdue},
        "AccountsPayable": {"Outstanding": balance.payable, "Overdue": balance.payable_overdue},
    }


def group(books: Books, one: r.Group, *, members: bool) -> dict[str, object]:
    """Write a contact group; only a single group shows its members."""
    found = [books.contacts.get(each) for each in one.members] if members else []
    return {
        "ContactGroupID": one.id,
        "Name": one.name,
        "Status": one.status,
        "Contacts": [brief_contact(each) for each in found if each],
        "HasValidationErrors": False,
    }
