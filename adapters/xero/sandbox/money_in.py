"""Payments: money laid against a document, and taken back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from adapters.xero.sandbox import answers, checks
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.crediting import left
from adapters.xero.sandbox.errors import Refused
from adapters.xero.sandbox.invoicing import moved
from adapters.xero.sandbox.store import Act, Books, whole_ms

PAYMENT_TYPES = {"ACCREC": "ACCRECPAYMENT", "ACCPAY": "ACCPAYPAYMENT"}
_REFUND_TYPES: dict[r.CreditKind, str] = {
    "credit_note": "ARCREDITPAYMENT",
    "overpayment": "AROVERPAYMENTPAYMENT",
    "prepayment": "ARPREPAYMENTPAYMENT",
}


@dataclass(frozen=True, slots=True)
class Money:
    """A payment to be made. Amount in the document's currency, date in the organisation's zone."""

    amount: Decimal
    day: date
    account_id: str
    reference: str | None = None
    reconciled: bool = False
    rate: Decimal | None = None
    id: str = ""
    batch: r.Json | None = None


def pay(books: Books, act: Act, invoice: r.Invoice, money: Money) -> r.Payment:
    """Lay a payment against an invoice or bill. Raises Refused."""
    if invoice.status != "AUTHORISED":
        raise Refused(checks.NOT_AUTHORISED)
    _check_amount(money.amount, invoice.due)
    checks.check_open(books, money.day)
    payment = _payment(
        books, act, money, "invoice", invoice.id, PAYMENT_TYPES.get(invoice.type, "ACCRECPAYMENT"), invoice.rate
    )
    books.put_payment(payment)
    after = moved(books, act, invoice, paid=money.amount, day=money.day)
    who, when = checks.name_of(books, invoice.contact_id), answers.long_day(money.day)
    text = f"Payment received from {who} on {when} for {checks.money(money.amount)}."
    rest = (
        "This invoice has been fully paid." if after.status == "PAID" else f"{checks.money(after.due)} is outstanding."
    )
    books.note("invoice", invoice.id, act, "Paid", f"{text} {rest}")
    books.note("payment", payment.id, act, "Created", text)
    books.log(act, "payment", "payment", payment.id, _told(payment, invoice.number))
    return payment


def refund(books: Books, act: Act, credit: r.Credit, money: Money) -> r.Payment:
    """Pay a credit back to the contact. Raises Refused."""
    if credit.status != "AUTHORISED":
        raise Refused(checks.NOT_AUTHORISED)
    _check_amount(money.amount, credit.remaining or r.ZERO)
    checks.check_open(books, money.day)
    payment = _payment(books, act, money, credit.kind, credit.id, _REFUND_TYPES[credit.kind], credit.rate)
    books.put_payment(payment)
    left(books, act, credit, credit.allocations, -money.amount, money.day)
    books.note(credit.kind, credit.id, act, "Paid", f"Refund of {checks.money(money.amount)}.")
    books.log(act, "payment", "payment", payment.id, _told(payment, credit.number))
    return payment


def delete_payment(books: Books, act: Act, payment: r.Payment) -> r.Payment:
    """Take a payment back: the document is open again by its amount. Raises Refused."""
    if payment.status == "DELETED":
        raise Refused("Payment has already been deleted.")
    checks.check_open(books, payment.date)
    gone = replace(payment, status="DELETED", updated=checks.later(payment.updated, act))
    books.put_payment(gone)
    amount, number = payment.amount or r.ZERO, None
    if payment.document_kind == "invoice":
        if invoice := books.invoices.get(payment.document_id):
            number = invoice.number
            moved(books, act, invoice, paid=-amount, day=books.today(act.now))
    elif credit := books.credit(payment.document_kind, payment.document_id):
        number = credit.number
        left(books, act, credit, credit.allocations, amount, books.today(act.now))
    books.note(payment.document_kind, payment.document_id, act, "Payment deleted", f"{checks.money(amount)} removed.")
    books.log(act, "payment_delete", "payment", payment.id, _told(gone, number))
    return gone


def _check_amount(amount: Decimal, most: Decimal) -> None:
    if amount <= 0 or amount != amount.quantize(Decimal("0.01")):
        raise Refused("Payment amount must be greater than zero and have at most two decimals")
    if amount > most:
        raise Refused(checks.TOO_MUCH)


def _payment(
    books: Books, act: Act, money: Money, kind: r.DocumentKind, document_id: str, type_: str, rate: Decimal | None
) -> r.Payment:
    used = money.rate or rate or Decimal(1)
    return r.Payment(
        id=money.id or books.new_id("payment"),
        document_kind=kind,
        document_id=document_id,
        type=type_,
        updated=whole_ms(act.now),
        date=money.day,
        amount=money.amount,
        bank_amount=(money.amount / used).quantize(Decimal("0.01")),
        rate=used,
        reference=money.reference or "",
        reconciled=money.reconciled,
        account_id=money.account_id,
        batch=money.batch,
    )


def _told(payment: r.Payment, number: str | None) -> dict[str, object]:
    return {
        "document_kind": payment.document_kind,
        "document_id": payment.document_id,
        "document_number": number,
        "amount": checks.plain(payment.amount),
        "date": checks.plain(payment.date),
        "reference": payment.reference,
        "status": payment.status,
    }
