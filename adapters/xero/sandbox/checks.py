"""What every change of a document has to pass, and how a change is told to the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from adapters.xero.sandbox import answers
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.errors import Refused
from adapters.xero.sandbox.render import account_by_code
from adapters.xero.sandbox.store import Act, Books, whole_ms
from adapters.xero.sandbox.tax import Reckoned, reckon

NOT_MODIFIABLE = "Invoice not of valid status for modification"
HAS_MONEY = "This document cannot be edited as it has a payment or credit note allocated to it."
NOT_UNIQUE = "Invoice # must be unique."
ARCHIVED = (
    "The contact with the specified contact details has been archived. "
    "The contact must be un-archived before creating new invoices or credit notes."
)
TOO_MUCH = "Payment amount exceeds the amount outstanding on this document"
NOT_AUTHORISED = "Payments can only be made against Authorised documents"
LINE_AMOUNT_TYPES = ("Exclusive", "Inclusive", "NoTax")


def check_open(books: Books, *days: date | None) -> None:
    """Refuse a document, payment or allocation dated within a locked period."""
    locked = books.lock_date
    if locked and any(day is not None and day <= locked for day in days):
        raise Refused(
            f"The document date cannot be before the period lock date, currently set at {answers.long_day(locked)}"
        )


def check_contact(books: Books, contact_id: str) -> r.Contact:
    """Return the contact of a new document. Refuses an unknown or archived one."""
    contact = books.contacts.get(contact_id)
    if contact is None:
        raise Refused("The specified contact details matched no contact.", field="Contact")
    if contact.status != "ACTIVE":
        raise Refused(ARCHIVED, field="Contact")
    return contact


def check_lines(books: Books, lines: Iterable[r.Line], *, approved: bool) -> None:
    """Refuse lines that a document of this stage may not have."""
    found = list(lines)
    if approved and not found:
        raise Refused("One or more line items must be specified")
    for one in found:
        if not one.description.strip():
            raise Refused("Description cannot be empty")
        if len(one.description) > 4000:
            raise Refused("Description exceeds the maximum length of 4000 characters.")
        is_priced = one.unit_amount is not None or one.line_amount is not None
        if one.account_code and account_by_code(books, one.account_code) is None:
            raise Refused(f"Account code '{one.account_code}' is not a valid code for this document.")
        if approved and is_priced and not one.account_code:
            raise Refused("Account code must be specified")
        if one.tax_type and percent_of(books, one.tax_type) is None:
            raise Refused(
                f"The TaxType code '{one.tax_type}' does not exist or cannot be used for this type of transaction."
            )


def percent_of(books: Books, tax_type: str) -> Decimal | None:
    """Return a tax type's rate as a percentage, or None for an unknown one."""
    rates = books.plain.get("TaxRates")
    rate = rates.get(tax_type) if rates else None
    percent = rate.wire.get("EffectiveRate") if rate else None
    return percent if isinstance(percent, Decimal) else None


def percent(books: Books, tax_type: str) -> Decimal:
    """Return a tax type's rate as a percentage; 0 for an unknown one, as in recorded books without rates."""
    return percent_of(books, tax_type) or r.ZERO


def default_tax(books: Books, account_code: str) -> str:
    """Return the tax type of the account, for lines that name none."""
    account = account_by_code(books, account_code)
    tax_type = account.wire.get("TaxType") if account else None
    return tax_type if isinstance(tax_type, str) else ""


def reckoned(books: Books, lines: tuple[r.Line, ...], amounts: str) -> Reckoned:
    """Return a document's lines with ids, tax types and amounts, and its sums. Raises Refused."""
    if amounts not in LINE_AMOUNT_TYPES:
        raise Refused(f"LineAmountTypes must be one of {', '.join(LINE_AMOUNT_TYPES)}")
    untaxed = "NONE" if amounts == "NoTax" else ""
    ready = tuple(
        replace(
            one,
            id=one.id or books.new_id("line"),
            tax_type=one.tax_type or untaxed or default_tax(books, one.account_code),
        )
        for one in lines
    )
    return reckon(ready, amounts, lambda tax_type: percent(books, tax_type))


def later(before: datetime, act: Act) -> datetime:
    """Return the stamp of a record that is changed now; never earlier than it was."""
    return max(before, whole_ms(act.now))


def changed(names: Mapping[str, str], before: object, after: object) -> dict[str, object]:
    """Tell what differs between two versions, by the wire's names: {"DueDate": {"old": ..., "new": ...}}."""
    told: dict[str, object] = {}
    for attribute, wire_name in names.items():
        old, new = getattr(before, attribute), getattr(after, attribute)
        if old != new:
            told[wire_name] = {"old": plain(old), "new": plain(new)}
    return told


def plain(value: object) -> object:
    """Return a value of a record as plain data for the log; amounts as text, so that they stay exact."""
    if isinstance(value, Decimal):
        return answers.number(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, r.Line):
        return {
            "id": value.id,
            "description": value.description,
            "quantity": plain(value.quantity),
            "unit_amount": plain(value.unit_amount),
            "tax_type": value.tax_type,
        }
    if isinstance(value, r.Person):
        return {
            "first_name": value.first_name,
            "last_name": value.last_name,
            "email": value.email,
            "in_emails": value.in_emails,
        }
    if isinstance(value, r.Terms):
        return {"day": value.day, "type": value.type}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def name_of(books: Books, contact_id: str) -> str:
    """Return the contact's name for texts of the history."""
    contact = books.contacts.get(contact_id)
    return contact.name if contact else "an unknown contact"


def money(amount: Decimal | None) -> str:
    """Write an amount for people: 1,234.50."""
    return f"{amount if amount is not None else r.ZERO:,.2f}"
