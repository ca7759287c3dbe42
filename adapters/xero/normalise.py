"""Xero's rows as dunwell's records; invoices and payments, which come by the ten thousand, as plain values. Pure.

Only receivables come out: bills, supplier credits and refunds are left aside. What cannot be read for certain (unknown
status, missing contact, an amount with digits beyond the currency's smallest unit) becomes `NeedsReview` with the
reason, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Final, TypeVar

from adapters.xero.decode import Page
from adapters.xero.parties import Membership, customer
from adapters.xero.values import (
    Amount,
    Unclear,
    currency,
    day,
    iso_day,
    minor_units,
    money,
    plain,
    rate,
    rate_text,
    stamp,
    stamp_us,
)
from adapters.xero.wire import (
    AllocationRow,
    ContactRef,
    ContactRow,
    CreditRow,
    InvoiceRow,
    LineRow,
    PaymentRow,
)
from connector.domain.flat import Brought, FlatInvoice, FlatLine, FlatPayment
from connector.domain.ledger import Allocation, Credit, CreditKind, Customer, InvoiceStatus, NeedsReview, RecordKind
from connector.domain.money import Money
from connector.domain.text import one_line

R = TypeVar("R", ContactRow, InvoiceRow, PaymentRow, CreditRow)
Found = tuple[tuple[Brought, ...], tuple[NeedsReview, ...]]

_STATUSES: Final = {
    "DRAFT": InvoiceStatus.DRAFT.value,
    "SUBMITTED": InvoiceStatus.SUBMITTED.value,
    "AUTHORISED": InvoiceStatus.APPROVED.value,
    "PAID": InvoiceStatus.PAID.value,
    "VOIDED": InvoiceStatus.VOIDED.value,
    "DELETED": InvoiceStatus.DELETED.value,
}
_GONE: Final = frozenset({InvoiceStatus.VOIDED.value, InvoiceStatus.DELETED.value})
_RECEIPT: Final = "ACCRECPAYMENT"
# Money going out, or paid on bills: not a customer's payment.
_OTHER_PAYMENTS: Final = frozenset(
    {
        "ACCPAYPAYMENT",
        "ARCREDITPAYMENT",
        "APCREDITPAYMENT",
        "AROVERPAYMENTPAYMENT",
        "ARPREPAYMENTPAYMENT",
        "APOVERPAYMENTPAYMENT",
        "APPREPAYMENTPAYMENT",
    }
)
_CREDITS: Final = {
    "ACCRECCREDIT": CreditKind.CREDIT_NOTE,
    "RECEIVE-OVERPAYMENT": CreditKind.OVERPAYMENT,
    "AROVERPAYMENT": CreditKind.OVERPAYMENT,
    "RECEIVE-PREPAYMENT": CreditKind.PREPAYMENT,
    "ARPREPAYMENT": CreditKind.PREPAYMENT,
}
_SUPPLIER_CREDITS: Final = frozenset(
    {"ACCPAYCREDIT", "SPEND-OVERPAYMENT", "APOVERPAYMENT", "SPEND-PREPAYMENT", "APPREPAYMENT"}
)
_SUPPLIER_TYPES: Final = _SUPPLIER_CREDITS | {"ACCPAY"}
_IN_USE: Final = frozenset({"AUTHORISED", "PAID"})
_NOT_IN_USE: Final = frozenset({"DRAFT", "SUBMITTED", "VOIDED", "DELETED"})


def invoices(page: Page[InvoiceRow]) -> Found:
    return _each(RecordKind.INVOICE, page, invoice, _about_invoice)


def payments(page: Page[PaymentRow]) -> Found:
    return _each(RecordKind.PAYMENT, page, payment, _about_payment)


def credits(page: Page[CreditRow]) -> Found:  # noqa: A001 (the domain's word)
    return _each(RecordKind.CREDIT, page, credit, _about_credit)


def customers(
    page: Page[ContactRow], membership: Membership, wanted: Callable[[ContactRow], bool] = lambda _: True
) -> Found:
    def one(row: ContactRow) -> Customer | None:
        return customer(row, membership) if wanted(row) else None

    return _each(RecordKind.CUSTOMER, page, one, _about_customer)


def _each(
    kind: RecordKind, page: Page[R], convert: Callable[[R], Brought | None], about: Callable[[R], tuple[str, str, str]]
) -> Found:
    records: list[Brought] = []
    review = [
        NeedsReview(kind, broken.id, broken.reason, broken.customer_id, broken.number)
        for broken in page.broken
        if broken.type not in _SUPPLIER_TYPES
    ]
    for row in page.rows:
        try:
            record = convert(row)
        except Unclear as unclear:
            known, customer_id, number = about(row)
            review.append(NeedsReview(kind, known or "unidentified", str(unclear), customer_id, number))
        else:
            if record is not None:
                records.append(record)
    return tuple(records), tuple(review)


def _about_invoice(row: InvoiceRow) -> tuple[str, str, str]:
    return row["InvoiceID"], _contact(row.get("Contact")), row.get("InvoiceNumber") or ""


def _about_payment(row: PaymentRow) -> tuple[str, str, str]:
    document = row.get("Invoice") or {}
    return row["PaymentID"], _contact(document.get("Contact")), document.get("InvoiceNumber") or ""


def _about_credit(row: CreditRow) -> tuple[str, str, str]:
    return _credit_id(row), _contact(row.get("Contact")), row.get("CreditNoteNumber") or ""


def _about_customer(row: ContactRow) -> tuple[str, str, str]:
    return row["ContactID"], row["ContactID"], row.get("Name") or ""


def _contact(reference: ContactRef | None) -> str:
    return (reference.get("ContactID") or "") if reference else ""


def _due_from(contact: ContactRef | None) -> str:
    if not (found := _contact(contact)):
        raise Unclear("no contact")
    return found


def _day(name: str, value: str | None, twin: str | None = None) -> str:
    if (found := iso_day(value, twin)) is None:
        raise Unclear(f"no {name}")
    return found


def _given(name: str, amount: Amount | None) -> Amount:
    if amount is None:
        raise Unclear(f"no {name}")
    return amount


def invoice(row: InvoiceRow) -> FlatInvoice | None:
    """The receivable, or None for a bill. A voided or deleted one owes nothing. Raises `Unclear`."""
    kind = row.get("Type")
    if kind == "ACCPAY":
        return None
    if kind != "ACCREC":
        raise Unclear(f"unknown type {kind!r}")
    status = _STATUSES.get(row.get("Status") or "")
    if status is None:
        raise Unclear(f"unknown status {row.get('Status')!r}")
    code = currency(row.get("CurrencyCode"))
    minor = minor_units(code)
    return FlatInvoice(
        row["InvoiceID"],
        one_line(row.get("InvoiceNumber") or ""),
        _due_from(row.get("Contact")),
        status,
        _day("date", row.get("Date"), row.get("DateString")),
        iso_day(row.get("DueDate"), row.get("DueDateString")),
        code,
        total=minor(_given("total", row.get("Total"))),
        tax=minor(row.get("TotalTax") or 0.0),
        balance=0 if status in _GONE else minor(_given("amount due", row.get("AmountDue"))),
        paid=minor(row.get("AmountPaid") or 0.0),
        credited=minor(row.get("AmountCredited") or 0.0),
        rate=rate_text(row.get("CurrencyRate")),
        reference=plain(row.get("Reference")),
        sent=row.get("SentToContact"),
        expected=iso_day(row.get("ExpectedPaymentDate"), row.get("ExpectedPaymentDateString")),
        fully_paid_on=iso_day(row.get("FullyPaidOnDate")),
        repeating=bool(row.get("RepeatingInvoiceID")),
        has_attachments=bool(row.get("HasAttachments")),
        lines=_lines(row.get("LineItems"), minor, inclusive=row.get("LineAmountTypes") == "Inclusive"),
        updated_us=stamp_us(row.get("UpdatedDateUTC") or row.get("UpdatedDateUTCString")),
    )


def _lines(rows: Iterable[LineRow] | None, minor: Callable[[Amount], int], *, inclusive: bool) -> tuple[FlatLine, ...]:
    """The lines, net of tax also where the document shows them with it."""
    found: list[FlatLine] = []
    for row in rows or ():
        tax = minor(row.get("TaxAmount") or 0.0)
        amount = minor(row.get("LineAmount") or 0.0)
        net = amount - tax if inclusive else amount
        account, tax_code = row.get("AccountCode") or "", row.get("TaxType") or ""
        found.append((row.get("LineItemID") or "", plain(row.get("Description")), net, tax, account, tax_code))
    return tuple(found)


def payment(row: PaymentRow) -> FlatPayment | None:
    """Money received for an invoice, or None for any other movement. Raises `Unclear`."""
    document = row.get("Invoice") or {}
    kind = row.get("PaymentType")
    if kind in _OTHER_PAYMENTS or (kind is None and document.get("Type") in _SUPPLIER_TYPES | {"ACCRECCREDIT"}):
        return None
    if kind != _RECEIPT and not (kind is None and document.get("Type") == "ACCREC"):
        raise Unclear(f"unknown payment type {kind!r}")
    if (status := row.get("Status")) not in {"AUTHORISED", "DELETED"}:
        raise Unclear(f"unknown status {status!r}")
    if not (invoice_id := document.get("InvoiceID")):
        raise Unclear("no invoice")
    on = _day("date", row.get("Date"), row.get("DateString"))
    code = currency(document.get("CurrencyCode"))
    amount = minor_units(code)(_given("amount", row.get("Amount")))
    account = row.get("Account") or {}
    return FlatPayment(
        row["PaymentID"],
        _contact(document.get("Contact")),
        on,
        code,
        amount,
        plain(row.get("Reference")),
        row.get("IsReconciled"),
        account.get("Code") or account.get("AccountID") or "",
        active=status == "AUTHORISED",
        allocations=((invoice_id, amount, on, ""),),
        updated_us=stamp_us(row.get("UpdatedDateUTC") or row.get("UpdatedDateUTCString")),
    )


def _credit_id(row: CreditRow) -> str:
    return row.get("CreditNoteID") or row.get("OverpaymentID") or row.get("PrepaymentID") or ""


def credit(row: CreditRow) -> Credit | None:
    """A customer's credit note, overpayment or prepayment; None for a supplier's. Raises `Unclear`."""
    if (name := row.get("Type") or "") in _SUPPLIER_CREDITS:
        return None
    if (kind := _CREDITS.get(name)) is None:
        raise Unclear(f"unknown type {row.get('Type')!r}")
    if (status := row.get("Status") or "") not in _IN_USE | _NOT_IN_USE:
        raise Unclear(f"unknown status {row.get('Status')!r}")
    if not (found := _credit_id(row)):
        raise Unclear("no id")
    code = currency(row.get("CurrencyCode"))
    if (issued := day(row.get("Date"), row.get("DateString"))) is None:
        raise Unclear("no date")
    active = status in _IN_USE
    return Credit(
        id=found,
        kind=kind,
        customer_id=_due_from(row.get("Contact")),
        issued=issued,
        total=money(_given("total", row.get("Total")), code),
        remaining=money(_given("remaining credit", row.get("RemainingCredit")), code) if active else Money(0, code),
        number=one_line(row.get("CreditNoteNumber") or ""),
        allocations=_allocations(row.get("Allocations"), code, issued),
        reference=plain(row.get("Reference")),
        active=active,
        rate=rate(row.get("CurrencyRate")),
        updated_at=stamp(row.get("UpdatedDateUTC") or row.get("UpdatedDateUTCString")),
    )


def _allocations(rows: Iterable[AllocationRow] | None, code: str, issued: date) -> tuple[Allocation, ...]:
    found: list[Allocation] = []
    for row in rows or ():
        if row.get("IsDeleted"):
            continue
        if not (invoice_id := (row.get("Invoice") or {}).get("InvoiceID")):
            raise Unclear("an allocation names no invoice")
        amount = row.get("Amount")
        applied = money(_given("allocated amount", row.get("AppliedAmount") if amount is None else amount), code)
        on = day(row.get("Date"), row.get("DateString")) or issued
        found.append(Allocation(invoice_id, applied, on, row.get("AllocationID") or ""))
    return tuple(found)
