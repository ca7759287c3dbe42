"""Payments: read, make, delete; batch payments: read."""

from __future__ import annotations

from adapters._twin.messages import Response
from adapters.xero.sandbox import answers, lenient
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.errors import Refused, Unknown
from adapters.xero.sandbox.fields import payment_fields
from adapters.xero.sandbox.listing import Shelf, listing
from adapters.xero.sandbox.money_in import Money, delete_payment, pay, refund
from adapters.xero.sandbox.reading import Element, elements
from adapters.xero.sandbox.render import ID_FIELDS, account_by_code
from adapters.xero.sandbox.render import payment as render
from adapters.xero.sandbox.resources.edge import PAYMENTS, act_of, route, write_each
from adapters.xero.sandbox.routing import Call
from adapters.xero.sandbox.store import Books

_NESTED: dict[r.CreditKind, str] = {
    "credit_note": "CreditNote",
    "overpayment": "Overpayment",
    "prepayment": "Prepayment",
}
_KNOWN = frozenset(
    {
        "Invoice",
        "InvoiceNumber",
        "CreditNote",
        "CreditNoteNumber",
        "Overpayment",
        "Prepayment",
        "Account",
        "Date",
        "Amount",
        "Reference",
        "IsReconciled",
        "CurrencyRate",
        "Status",
        "PaymentID",
    }
)


def _list(call: Call) -> Response:
    books = call.books
    rows = list(books.payments)
    if not books.on("deleted_in_lists"):
        rows = [one for one in rows if one.status != "DELETED"]
    page = listing(call, rows, Shelf(payment_fields(books), stamped=True))
    return answers.envelope(call, "Payments", [render(books, one, page.view) for one in page.rows], page.pagination)


def find(books: Books, payment_id: str) -> r.Payment:
    """Return the payment of this id. Raises Unknown."""
    payment = books.payments.get(payment_id)
    if payment is None:
        raise Unknown
    return payment


def _single(call: Call) -> Response:
    payment = find(call.books, call.params["PaymentID"])
    return answers.envelope(call, "Payments", [render(call.books, payment, "single")])


def _pay_one(call: Call, sent: Element) -> dict[str, object]:
    books, act = call.books, act_of(call)
    money = Money(
        amount=sent.amount("Amount") or r.ZERO,
        day=sent.day("Date") or books.today(call.now),
        account_id=_account(books, sent),
        reference=sent.text("Reference", 255),
        reconciled=sent.flag("IsReconciled") or False,
        rate=sent.amount("CurrencyRate"),
    )
    if money.rate is not None and money.rate <= 0:
        raise Refused("CurrencyRate must be greater than zero")
    for kind, name in _NESTED.items():
        if nested := sent.child(name):
            credit = books.credit(kind, nested.text(ID_FIELDS[kind]) or "")
            if credit is None:
                raise Refused(f"The {name} to be paid could not be found")
            return render(books, refund(books, act, credit, money), "write")
    return render(books, pay(books, act, _invoice(books, sent), money), "write")


def _invoice(books: Books, sent: Element) -> r.Invoice:
    nested = sent.child("Invoice") or Element({}, "Invoice")
    number = nested.text("InvoiceNumber") or sent.text("InvoiceNumber") or ""
    found = books.invoices.get(nested.text("InvoiceID") or "")
    found = found or next((one for one in books.invoices_numbered(number) if one.type == "ACCREC"), None)
    if found is None:
        raise Refused("The Invoice to be paid could not be found")
    return found


def _account(books: Books, sent: Element) -> str:
    nested = sent.child("Account")
    if nested is None:
        raise Refused("An account must be specified")
    accounts = books.plain.get("Accounts")
    found = accounts.get(nested.text("AccountID") or "") if accounts else None
    found = found or account_by_code(books, nested.text("Code") or "")
    if found is None:
        raise Refused("The account could not be found")
    if found.wire.get("Type") != "BANK" and found.wire.get("EnablePaymentsToAccount") is not True:
        raise Refused("The account is not a bank account and does not allow payments")
    return found.id


def _make(call: Call) -> Response:
    found = elements(call, "Payments", _KNOWN)
    return write_each(call, "Payments", "PaymentID", found, lambda sent: _pay_one(call, sent))


def _make_or_delete(call: Call) -> Response:
    """Make payments; an element with Status DELETED deletes the one that it names."""

    def write(sent: Element) -> dict[str, object]:
        if sent.text("Status") != "DELETED":
            return _pay_one(call, sent)
        payment = call.books.payments.get(sent.text("PaymentID") or "")
        if payment is None:
            raise Refused("The Payment could not be found")
        return _delete_one(call, payment, sent)

    return write_each(call, "Payments", "PaymentID", elements(call, "Payments", _KNOWN), write)


def _delete_one(call: Call, payment: r.Payment, sent: Element) -> dict[str, object]:
    if sent.text("Status") != "DELETED" or set(sent.raw) - {"Status", "PaymentID"}:
        raise Refused("A payment can only be deleted, by Status DELETED alone")
    return render(call.books, delete_payment(call.books, act_of(call), payment), "write")


def _delete(call: Call) -> Response:
    payment = find(call.books, call.params["PaymentID"])
    found = elements(call, "Payments", _KNOWN)[:1]
    return write_each(call, "Payments", "PaymentID", found, lambda sent: _delete_one(call, payment, sent), payment.id)


# --- batch payments --------------------------------------------------------------------------------------------


def _batches(books: Books) -> list[dict[str, object]]:
    """Gather the batches from the payments that were made in them."""
    found: dict[str, dict[str, object]] = {}
    parts: dict[str, list[object]] = {}
    for one in books.payments:
        if one.batch and one.status != "DELETED":
            batch_id = str(one.batch.get("BatchPaymentID", ""))
            found.setdefault(batch_id, dict(one.batch))
            part = {"PaymentID": one.id, "Amount": one.amount, "Invoice": {"InvoiceID": one.document_id}}
            parts.setdefault(batch_id, []).append(part)
    return [{**_plain(wire), "Payments": parts[batch_id]} for batch_id, wire in found.items()]


def _plain(wire: dict[str, object]) -> dict[str, object]:
    """A batch of its own has real numbers and booleans, which the same batch has as text inside its payments."""
    plain = {"TotalAmount": lenient.amount(wire, "TotalAmount"), "IsReconciled": lenient.flag(wire, "IsReconciled")}
    return {**wire, **{key: value for key, value in plain.items() if value is not None}}


def _batch_list(call: Call) -> Response:
    return answers.envelope(call, "BatchPayments", _batches(call.books))


def _batch_single(call: Call) -> Response:
    wanted = call.params["BatchPaymentID"].lower()
    found = [one for one in _batches(call.books) if str(one.get("BatchPaymentID", "")).lower() == wanted]
    return answers.envelope(call, "BatchPayments", found) if found else answers.not_found()


ROUTES = (
    route("GET", "/Payments", PAYMENTS, _list),
    route("GET", "/Payments/{PaymentID}", PAYMENTS, _single),
    route("PUT", "/Payments", PAYMENTS, _make, "Payment"),
    route("POST", "/Payments", PAYMENTS, _make_or_delete, "Payment"),
    route("POST", "/Payments/{PaymentID}", PAYMENTS, _delete, "Payment"),
    route("GET", "/BatchPayments", PAYMENTS, _batch_list),
    route("GET", "/BatchPayments/{BatchPaymentID}", PAYMENTS, _batch_single),
)
