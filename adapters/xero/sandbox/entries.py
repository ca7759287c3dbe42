"""From the neutral words of scenarios and people's actions to the books' own terms. Mistakes raise ValueError."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from types import MappingProxyType

from adapters.xero.sandbox import address_book, crediting, invoicing
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.countries import SALES_CODE, country
from adapters.xero.sandbox.founding import default_account
from adapters.xero.sandbox.neutral import Section
from adapters.xero.sandbox.store import Act, Books

CUSTOMER = frozenset(
    {
        "ref",
        "name",
        "email",
        "first_name",
        "last_name",
        "people",
        "phone",
        "address",
        "currency",
        "terms_days",
        "groups",
        "archived",
        "account_number",
    }
)
_PERSON = frozenset({"first_name", "last_name", "email", "on_invoices"})
_ADDRESS = frozenset({"line1", "city", "region", "postal_code", "country"})
INVOICE = frozenset(
    {
        "ref",
        "customer",
        "number",
        "reference",
        "date",
        "due",
        "currency",
        "rate",
        "amounts",
        "lines",
        "status",
        "sent",
        "type",
        "expected",
    }
)
_LINE = frozenset({"description", "quantity", "unit_amount", "tax", "account"})
AMOUNTS = {"exclusive": "Exclusive", "inclusive": "Inclusive", "none": "NoTax"}
MONEY = frozenset({"ref", "customer", "date", "amount", "currency", "reference"})


def contact_from(books: Books, section: Section, created: datetime) -> r.Contact:
    """Return the contact that a customer section describes."""
    blank = r.Contact(books.id_of_ref("contact", section.text("ref")), section.text("name"), created, is_customer=True)
    return with_changes(blank, section)


def with_changes(contact: r.Contact, section: Section) -> r.Contact:
    """Return the contact with what the section says; what it does not name stays."""
    days, phone = section.whole("terms_days"), section.maybe("phone")
    persons = tuple(
        r.Person(one.maybe("first_name"), one.maybe("last_name"), one.maybe("email"), one.flag("on_invoices") is True)
        for one in section.sections("people", _PERSON)
    )
    slot = MappingProxyType({"DEFAULT": MappingProxyType({"PhoneNumber": phone})}) if phone else contact.phones
    return replace(
        contact,
        name=section.maybe("name", contact.name),
        first_name=section.maybe("first_name", contact.first_name),
        last_name=section.maybe("last_name", contact.last_name),
        email=section.maybe("email", contact.email),
        account_number=section.maybe("account_number", contact.account_number),
        persons=persons if section.has("people") else contact.persons,
        phones=slot,
        addresses=_addresses(section) or contact.addresses,
        currency=section.maybe("currency", contact.currency),
        sales_terms=r.Terms(days, "DAYSAFTERBILLDATE") if days is not None else contact.sales_terms,
    )


def _addresses(section: Section) -> Mapping[str, Mapping[str, str]]:
    address = section.section("address", _ADDRESS)
    if address is None:
        return MappingProxyType({})
    fields = {
        "AddressLine1": address.maybe("line1"),
        "City": address.maybe("city"),
        "Region": address.maybe("region"),
        "PostalCode": address.maybe("postal_code"),
        "Country": address.maybe("country"),
    }
    kept = MappingProxyType({key: value for key, value in fields.items() if value})
    return MappingProxyType({"STREET": kept, "POBOX": kept})


def put_in_group(books: Books, act: Act, contact: r.Contact, name: str) -> None:
    """Add the contact to the group of this name, which is made if need be."""
    group = next((one for one in books.groups if one.name == name and one.status == "ACTIVE"), None)
    group = group or address_book.add_group(books, act, name, books.id_of_ref("group", name))
    address_book.join(books, act, group, contact)


def contact_id_of(books: Books, section: Section) -> str:
    """Return the id of the contact that a section's `customer` names, by ref or id."""
    ref = section.text("customer")
    found_ = books.refs.get(("contact", ref)) or (ref if books.contacts.get(ref) else None)
    if found_ is None:
        raise ValueError(f"{section.place}.customer: unknown ref {ref!r}")
    return found_


def status_of(section: Section) -> str:
    """Return the status that an invoice section asks for."""
    return section.choice("status", "authorised", "draft", "submitted", "authorised", "voided", "deleted")


def first_status(status: str) -> str:
    """Return the wire's status with which a document of that status begins."""
    return {"voided": "AUTHORISED", "deleted": "DRAFT"}.get(status, status.upper())


def invoice_draft(books: Books, section: Section, invoice_id: str) -> invoicing.InvoiceDraft:
    """Return the draft that an invoice section describes."""
    day = section.day("date")
    receivable = section.choice("type", "receivable", "receivable", "payable") == "receivable"
    return invoicing.InvoiceDraft(
        contact_id=contact_id_of(books, section),
        lines=neutral_lines(books, section),
        type="ACCREC" if receivable else "ACCPAY",
        status=first_status(status_of(section)),
        number=section.maybe("number"),
        reference=section.maybe("reference"),
        date=day,
        due_date=section.maybe_day("due") or day,
        amounts=AMOUNTS[section.choice("amounts", "exclusive", *AMOUNTS)],
        currency=section.maybe("currency"),
        rate=section.maybe_amount("rate"),
        expected=section.maybe_day("expected"),
        id=invoice_id,
    )


def credit_note_draft(books: Books, section: Section, credit_id: str) -> crediting.CreditDraft:
    """Return the draft that a credit note section describes."""
    return crediting.CreditDraft(
        kind="credit_note",
        contact_id=contact_id_of(books, section),
        lines=neutral_lines(books, section),
        type="ACCRECCREDIT",
        status="AUTHORISED",
        number=section.maybe("number"),
        date=section.day("date"),
        currency=section.maybe("currency"),
        id=credit_id,
    )


def money_draft(
    books: Books, section: Section, kind: r.CreditKind, contact_id: str, day: date
) -> crediting.CreditDraft:
    """Return the draft of an over- or prepayment that a section describes."""
    words = {"overpayment": "Overpayment", "prepayment": "Prepayment"}[kind]
    amount = section.amount("amount")
    account = "610" if kind == "overpayment" else SALES_CODE
    line = r.Line("", words, unit_amount=amount, account_code=default_account(books, account))
    return crediting.CreditDraft(
        kind=kind,
        contact_id=contact_id,
        lines=(line,),
        type=f"RECEIVE-{words.upper()}",
        status="AUTHORISED",
        reference=section.maybe("reference"),
        date=day,
        amounts="NoTax",
        currency=section.maybe("currency"),
    )


def neutral_lines(books: Books, section: Section) -> tuple[r.Line, ...]:
    """Return the lines of a section."""
    rules = country(books.organisation.country)
    tax = {"standard": rules.standard, "none": rules.untaxed}
    return tuple(
        r.Line(
            id="",
            description=one.text("description"),
            quantity=one.amount("quantity", "1"),
            unit_amount=one.amount("unit_amount"),
            tax_type=tax[one.choice("tax", "standard", "standard", "none")],
            account_code=one.maybe("account") or default_account(books),
        )
        for one in section.sections("lines", _LINE)
    )
