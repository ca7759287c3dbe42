"""From one recorded record to one of the books', with its amounts exactly as they were printed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from types import MappingProxyType
from uuid import UUID, uuid5

from adapters.xero.sandbox import lenient, modelled, render_contacts, zones
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.money_in import PAYMENT_TYPES

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
CREDIT_IDS: dict[r.CreditKind, str] = {
    "credit_note": "CreditNoteID",
    "overpayment": "OverpaymentID",
    "prepayment": "PrepaymentID",
}
_REFUNDED: dict[str, r.CreditKind] = {
    "ACCRECCREDIT": "credit_note",
    "ACCPAYCREDIT": "credit_note",
    "AROVERPAYMENT": "overpayment",
    "APOVERPAYMENT": "overpayment",
    "ARPREPAYMENT": "prepayment",
    "APPREPAYMENT": "prepayment",
}


def organisation(raw: r.Json, tenant_id: str, base_currency: str, country: str) -> r.Organisation:
    """Return the organisation as recorded; `base_currency` and `country` stand in where it says nothing."""
    name = lenient.words(raw, "Name") or "Recorded books"
    return r.Organisation(
        id=lenient.words(raw, "OrganisationID") or str(uuid5(UUID(tenant_id), "organisation")),
        name=name,
        legal_name=lenient.words(raw, "LegalName") or name,
        country=lenient.words(raw, "CountryCode") or country,
        timezone=zones.iana_name(lenient.words(raw, "Timezone")),
        base_currency=lenient.words(raw, "BaseCurrency") or base_currency,
        sales_tax_basis=lenient.words(raw, "SalesTaxBasis"),
        period_lock_date=lenient.day(raw, "PeriodLockDate"),
        end_of_year_lock_date=lenient.day(raw, "EndOfYearLockDate"),
        demo=lenient.flag(raw, "IsDemoCompany") or False,
        edition_class=lenient.words(raw, "Class") or "PREMIUM",
        short_code=lenient.words(raw, "ShortCode"),
        created=lenient.instant(raw, "CreatedDateUTC"),
        extra=lenient.tidied(raw),
    )


def contact_id(raw: r.Json, tenant_id: str) -> str:
    """Return the id of a contact, made from its name where none was recorded; "" for an empty object."""
    name = lenient.words(raw, "Name")
    return lenient.words(raw, "ContactID") or (str(uuid5(UUID(tenant_id), f"contact/{name}")) if name else "")


def contact(raw: r.Json, own_id: str) -> r.Contact:
    """Return a contact as recorded."""
    terms = lenient.child(raw, "PaymentTerms")
    return r.Contact(
        id=own_id,
        name=lenient.words(raw, "Name"),
        updated=_updated(raw),
        status=lenient.words(raw, "ContactStatus") or "ACTIVE",
        first_name=lenient.words(raw, "FirstName"),
        last_name=lenient.words(raw, "LastName"),
        email=lenient.words(raw, "EmailAddress"),
        number=lenient.words(raw, "ContactNumber"),
        account_number=lenient.words(raw, "AccountNumber"),
        tax_number=lenient.words(raw, "TaxNumber"),
        persons=tuple(_person(one) for one in lenient.children(raw, "ContactPersons")),
        phones=_places(lenient.children(raw, "Phones"), "PhoneType", render_contacts.PHONE_FIELDS),
        addresses=_places(lenient.children(raw, "Addresses"), "AddressType", render_contacts.ADDRESS_FIELDS),
        currency=lenient.words(raw, "DefaultCurrency"),
        sales_terms=_terms(lenient.child(terms, "Sales")),
        bills_terms=_terms(lenient.child(terms, "Bills")),
        merged_to=lenient.words(raw, "MergedToContactID"),
        is_customer=lenient.flag(raw, "IsCustomer") or False,
        is_supplier=lenient.flag(raw, "IsSupplier") or False,
        extra=lenient.rest(raw, modelled.CONTACT),
    )


def _person(raw: r.Json) -> r.Person:
    return r.Person(
        lenient.words(raw, "FirstName"),
        lenient.words(raw, "LastName"),
        lenient.words(raw, "EmailAddress"),
        lenient.flag(raw, "IncludeInEmails") or False,
    )


def _places(rows: Iterable[r.Json], type_field: str, fields: tuple[str, ...]) -> MappingProxyType[str, r.Texts]:
    kept = {
        lenient.words(row, type_field): MappingProxyType(
            {key: value for key in fields if (value := lenient.words(row, key))}
        )
        for row in rows
    }
    return MappingProxyType({kind: slot for kind, slot in kept.items() if kind and slot})


def _terms(raw: r.Json) -> r.Terms | None:
    days, kind = lenient.amount(raw, "Day"), lenient.words(raw, "Type")
    return r.Terms(int(days), kind) if days is not None and kind else None


def balance(raw: r.Json) -> r.Balance | None:
    """Return a contact's printed balances, or None when there are none."""
    balances = lenient.child(raw, "Balances")
    if not balances:
        return None
    receivable, payable = lenient.child(balances, "AccountsReceivable"), lenient.child(balances, "AccountsPayable")
    return r.Balance(
        lenient.amount(receivable, "Outstanding") or r.ZERO,
        lenient.amount(receivable, "Overdue") or r.ZERO,
        lenient.amount(payable, "Outstanding") or r.ZERO,
        lenient.amount(payable, "Overdue") or r.ZERO,
    )


def _updated(raw: r.Json) -> datetime:
    stamp = lenient.instant(raw, "UpdatedDateUTC")
    if stamp is not None:
        return stamp
    on = lenient.day(raw, "Date")
    return datetime(on.year, on.month, on.day, tzinfo=UTC) if on else _LONG_AGO


def _lines(raw: r.Json, own_id: str) -> tuple[r.Line, ...]:
    rows = lenient.children(raw, "LineItems")
    return tuple(_line(one, str(uuid5(_uuid(own_id), f"line/{place}"))) for place, one in enumerate(rows))


def _uuid(text: str) -> UUID:
    """Return a UUID for an id, even one that is none."""
    try:
        return UUID(text)
    except ValueError:
        return uuid5(UUID(int=0), text)


def _line(raw: r.Json, made_id: str) -> r.Line:
    return r.Line(
        id=lenient.words(raw, "LineItemID") or made_id,
        description=lenient.words(raw, "Description"),
        quantity=lenient.amount(raw, "Quantity"),
        unit_amount=lenient.amount(raw, "UnitAmount"),
        line_amount=lenient.amount(raw, "LineAmount"),
        tax_type=lenient.words(raw, "TaxType"),
        tax_amount=lenient.amount(raw, "TaxAmount"),
        account_code=lenient.words(raw, "AccountCode"),
        item_code=lenient.words(raw, "ItemCode"),
        discount_rate=lenient.amount(raw, "DiscountRate"),
        discount_amount=lenient.amount(raw, "DiscountAmount"),
        tracking=tuple(lenient.children(raw, "Tracking")),
        extra=lenient.rest(raw, modelled.LINE),
    )


def invoice(raw: r.Json, owner_id: str) -> r.Invoice:
    """Return an invoice or bill as recorded; `owner_id` is its contact's id."""
    own_id = lenient.words(raw, "InvoiceID")
    return r.Invoice(
        id=own_id,
        type=lenient.words(raw, "Type"),
        contact_id=owner_id,
        status=lenient.words(raw, "Status"),
        currency=lenient.words(raw, "CurrencyCode"),
        updated=_updated(raw),
        number=lenient.text(raw, "InvoiceNumber"),
        reference=lenient.text(raw, "Reference"),
        date=lenient.day(raw, "Date"),
        due_date=lenient.day(raw, "DueDate"),
        line_amount_types=lenient.words(raw, "LineAmountTypes"),
        lines=_lines(raw, own_id),
        sub_total=lenient.amount(raw, "SubTotal"),
        total_tax=lenient.amount(raw, "TotalTax"),
        total=lenient.amount(raw, "Total"),
        amount_due=lenient.amount(raw, "AmountDue"),
        amount_paid=lenient.amount(raw, "AmountPaid"),
        amount_credited=lenient.amount(raw, "AmountCredited"),
        rate=lenient.amount(raw, "CurrencyRate"),
        sent=lenient.flag(raw, "SentToContact"),
        expected=lenient.day(raw, "ExpectedPaymentDate"),
        planned=lenient.day(raw, "PlannedPaymentDate"),
        fully_paid_on=lenient.day(raw, "FullyPaidOnDate"),
        branding_id=lenient.words(raw, "BrandingThemeID"),
        url=lenient.words(raw, "Url"),
        repeating_id=lenient.words(raw, "RepeatingInvoiceID"),
        extra=_extra(raw, modelled.INVOICE),
    )


def _extra(raw: r.Json, known: frozenset[str]) -> r.Json:
    """Keep what is not modelled, and that there are attachments whose files were not recorded."""
    extra = dict(lenient.rest(raw, known))
    if lenient.flag(raw, "HasAttachments"):
        extra["HasAttachments"] = True
    return extra


def credit(raw: r.Json, kind: r.CreditKind, owner_id: str) -> r.Credit:
    """Return a credit note, overpayment or prepayment as recorded."""
    own_id = lenient.words(raw, CREDIT_IDS[kind])
    number_field = {"credit_note": "CreditNoteNumber", "prepayment": "InvoiceNumber"}.get(kind)
    return r.Credit(
        id=own_id,
        kind=kind,
        type=lenient.words(raw, "Type"),
        contact_id=owner_id,
        status=lenient.words(raw, "Status"),
        currency=lenient.words(raw, "CurrencyCode"),
        updated=_updated(raw),
        number=lenient.text(raw, number_field) if number_field else None,
        reference=lenient.text(raw, "Reference"),
        date=lenient.day(raw, "Date"),
        line_amount_types=lenient.words(raw, "LineAmountTypes"),
        lines=_lines(raw, own_id),
        sub_total=lenient.amount(raw, "SubTotal"),
        total_tax=lenient.amount(raw, "TotalTax"),
        total=lenient.amount(raw, "Total"),
        remaining=lenient.amount(raw, "RemainingCredit"),
        allocations=_allocations(raw, own_id),
        rate=lenient.amount(raw, "CurrencyRate"),
        sent=lenient.flag(raw, "SentToContact"),
        fully_paid_on=lenient.day(raw, "FullyPaidOnDate"),
        extra=_extra(raw, modelled.CREDIT),
    )


def _allocations(raw: r.Json, own_id: str) -> tuple[r.Allocation, ...]:
    found: list[r.Allocation] = []
    for place, one in enumerate(lenient.children(raw, "Allocations")):
        target, amount = lenient.child(one, "Invoice"), lenient.amount(one, "Amount")
        if amount is not None and lenient.words(target, "InvoiceID"):
            made_id = str(uuid5(_uuid(own_id), f"allocation/{place}"))
            part_id = lenient.words(one, "AllocationID") or made_id
            number = lenient.words(target, "InvoiceNumber")
            found.append(
                r.Allocation(part_id, lenient.words(target, "InvoiceID"), amount, lenient.day(one, "Date"), number)
            )
    return tuple(found)


def payment(raw: r.Json) -> r.Payment:
    """Return a payment as recorded, with the document that it names."""
    kind, document_id = _paid(raw)
    batch = raw.get("BatchPayment")
    return r.Payment(
        id=lenient.words(raw, "PaymentID"),
        document_kind=kind,
        document_id=document_id,
        type=lenient.words(raw, "PaymentType"),
        updated=_updated(raw),
        date=lenient.day(raw, "Date"),
        amount=lenient.amount(raw, "Amount"),
        bank_amount=lenient.amount(raw, "BankAmount"),
        rate=lenient.amount(raw, "CurrencyRate"),
        reference=lenient.text(raw, "Reference"),
        reconciled=lenient.flag(raw, "IsReconciled"),
        status=lenient.words(raw, "Status") or "AUTHORISED",
        account_id=lenient.words(lenient.child(raw, "Account"), "AccountID"),
        batch=batch if isinstance(batch, dict) else None,
        extra=lenient.rest(raw, modelled.PAYMENT),
    )


def _paid(raw: r.Json) -> tuple[r.DocumentKind, str]:
    for kind, key in CREDIT_IDS.items():
        nested = lenient.child(raw, key.removesuffix("ID"))
        if nested:
            return kind, lenient.words(nested, key)
    nested = lenient.child(raw, "Invoice")
    return _REFUNDED.get(lenient.words(nested, "Type"), "invoice"), lenient.words(nested, "InvoiceID")


def nested_payment(raw: r.Json, kind: r.DocumentKind, document_id: str, type_: str, on: date | None) -> r.Payment:
    """Return the payment that a document shows inside itself, of which nothing else was recorded."""
    made = payment(raw)
    moment = datetime(on.year, on.month, on.day, tzinfo=UTC) if on else made.updated
    return r.Payment(
        id=made.id,
        document_kind=kind,
        document_id=document_id,
        type=PAYMENT_TYPES.get(type_, ""),
        updated=max(made.updated, moment),
        date=made.date,
        amount=made.amount,
        rate=made.rate,
        reference=made.reference,
    )
