"""The LineItems array and the Contact object of a document that is written."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.address_book import contact_named, contact_numbered
from adapters.xero.sandbox.errors import Refused
from adapters.xero.sandbox.reading import Element
from adapters.xero.sandbox.resources.contact_writes import IDENTITY, create, update
from adapters.xero.sandbox.store import Act, Books

_PRICE = {"Quantity", "UnitAmount", "LineAmount", "TaxType", "DiscountRate", "DiscountAmount", "AccountCode"}


def lines_of(element: Element, existing: tuple[r.Line, ...], unitdp: int) -> tuple[r.Line, ...]:
    """Read LineItems: with a known LineItemID an update of that line, without one a new line; the others are gone.

    Without the array the existing lines stay. Raises Refused and Unreadable.
    """
    items = element.children("LineItems")
    if items is None:
        return existing
    known = {one.id.lower(): one for one in existing}
    return tuple(_line(item, known, unitdp) for item in items)


def _line(item: Element, known: dict[str, r.Line], unitdp: int) -> r.Line:
    line_id = item.text("LineItemID") or ""
    before = known.pop(line_id.lower(), None) if line_id else r.Line("")
    if before is None:
        raise Refused(f"The LineItemID {line_id} does not belong to this document")
    priced = any(item.has(key) for key in _PRICE)
    places = Decimal("0.0001") if unitdp == 4 else Decimal("0.01")
    unit = item.amount("UnitAmount")
    description, code = item.text("Description"), item.text("AccountCode")
    tracking = item.children("Tracking")
    return replace(
        before,
        description=before.description if description is None else description,
        quantity=item.amount("Quantity") if item.has("Quantity") else before.quantity,
        unit_amount=before.unit_amount if unit is None else unit.quantize(places, ROUND_HALF_UP),
        line_amount=item.amount("LineAmount") if priced else before.line_amount,
        tax_type=item.text("TaxType") or before.tax_type,
        tax_amount=item.amount("TaxAmount") if priced or item.has("TaxAmount") else before.tax_amount,
        account_code=before.account_code if code is None else code,
        item_code=item.text("ItemCode") or before.item_code,
        discount_rate=item.amount("DiscountRate") if item.has("DiscountRate") else before.discount_rate,
        discount_amount=item.amount("DiscountAmount") if item.has("DiscountAmount") else before.discount_amount,
        tracking=before.tracking if tracking is None else tuple(one.raw for one in tracking),
    )


def contact_of(books: Books, act: Act, element: Element) -> str | None:
    """Return the id of the contact that a document names, or None when it names none.

    Found by id, else number, else name; a new name becomes a new contact. Fields beyond those update the contact, and
    drop persons that are not sent. Raises Refused (nested under Contact) and Unreadable.
    """
    sent = element.child("Contact")
    if sent is None:
        return None
    try:
        return _contact(books, act, sent).id
    except Refused as refused:
        raise Refused(*refused.messages, field="Contact") from None


def _contact(books: Books, act: Act, sent: Element) -> r.Contact:
    contact_id, number, name = sent.text("ContactID"), sent.text("ContactNumber"), sent.text("Name")
    if contact_id:
        found = books.contacts.get(contact_id)
    elif number:
        found = contact_numbered(books, number)
    else:
        found = contact_named(books, name or "")
    if found is None and (contact_id or not name):
        raise Refused("The specified contact details matched no contact.")
    if found is None:
        return create(books, act, sent)
    if set(sent.raw) - IDENTITY:
        return update(books, act, found, sent, drops_persons=True)
    return found
