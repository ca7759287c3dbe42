"""PUT and POST /Invoices, and POST /Invoices/{InvoiceID}/Email."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from decimal import Decimal

from adapters._twin.messages import Response
from adapters.xero.sandbox import answers, checks
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.errors import Refused
from adapters.xero.sandbox.invoicing import InvoiceDraft, edit_invoice, mark_sent, raise_invoice
from adapters.xero.sandbox.listing import unitdp
from adapters.xero.sandbox.reading import Element, elements
from adapters.xero.sandbox.render import invoice as render
from adapters.xero.sandbox.resources.edge import INVOICES, act_of, route, write_each
from adapters.xero.sandbox.resources.invoice_lines import contact_of, lines_of
from adapters.xero.sandbox.resources.invoices import find
from adapters.xero.sandbox.routing import Call
from adapters.xero.sandbox.store import Act, Books

_IDENTITY = frozenset({"InvoiceID", "InvoiceNumber", "Type"})
_EDITABLE = frozenset(
    {
        "Contact",
        "LineItems",
        "Date",
        "DueDate",
        "LineAmountTypes",
        "Reference",
        "BrandingThemeID",
        "Url",
        "CurrencyCode",
        "CurrencyRate",
        "Status",
        "SentToContact",
        "ExpectedPaymentDate",
        "PlannedPaymentDate",
    }
)
_KNOWN = _IDENTITY | _EDITABLE
_CAPS = {"DEMO": 0, "TRIAL": 20}


# --- reading an element ----------------------------------------------------------------------------------------


def _draft(call: Call, act: Act, sent: Element) -> InvoiceDraft:
    contact_id = contact_of(call.books, act, sent)
    if contact_id is None:
        raise Refused("A contact must be specified for this type of transaction.")
    return InvoiceDraft(
        contact_id=contact_id,
        lines=lines_of(sent, (), unitdp(call)),
        type=sent.text("Type") or "",
        status=sent.text("Status") or "DRAFT",
        number=sent.text("InvoiceNumber", 255) or "",
        reference=sent.text("Reference", 255),
        date=sent.day("Date"),
        due_date=sent.day("DueDate"),
        amounts=sent.text("LineAmountTypes") or "Exclusive",
        currency=_currency(sent) or "",
        rate=_rate(sent),
        sent=sent.flag("SentToContact"),
        expected=sent.day("ExpectedPaymentDate"),
        planned=sent.day("PlannedPaymentDate"),
        url=_url(sent) or "",
        branding_id=sent.text("BrandingThemeID") or "",
    )


def _currency(sent: Element) -> str | None:
    code = sent.text("CurrencyCode")
    if code is not None and not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
        raise Refused("CurrencyCode must be three capital letters")
    return code


def _url(sent: Element) -> str | None:
    url = sent.text("Url", 500)
    if url and ("xero" in url.lower() or not url.lower().startswith(("http://", "https://"))):
        raise Refused("Url must be a web address outside Xero")
    return url


def _rate(sent: Element) -> Decimal | None:
    rate = sent.amount("CurrencyRate")
    if rate is not None and rate <= 0:
        raise Refused("CurrencyRate must be greater than zero")
    return rate


def _edited(call: Call, act: Act, before: r.Invoice, sent: Element) -> r.Invoice:
    contact_id = contact_of(call.books, act, sent)
    number, flag = sent.text("InvoiceNumber", 255), sent.flag("SentToContact")
    reference, url = sent.text("Reference", 255), _url(sent)
    return replace(
        before,
        contact_id=contact_id or before.contact_id,
        lines=lines_of(sent, before.lines, unitdp(call)),
        status=sent.text("Status") or before.status,
        number=number or before.number,
        reference=before.reference if reference is None else reference,
        date=sent.day("Date") or before.date,
        due_date=sent.day("DueDate") or before.due_date,
        line_amount_types=sent.text("LineAmountTypes") or before.line_amount_types,
        currency=_currency(sent) or before.currency,
        rate=_rate(sent) or before.rate,
        sent=before.sent if flag is None else flag,
        expected=_expected(call.books, before, sent),
        planned=sent.day("PlannedPaymentDate") or before.planned,
        url=before.url if url is None else url,
        branding_id=sent.text("BrandingThemeID") or before.branding_id,
    )


def _expected(books: Books, before: r.Invoice, sent: Element) -> r.Day | None:
    clears = "ExpectedPaymentDate" in sent.raw and sent.day("ExpectedPaymentDate") is None
    if clears and books.on("expected_date_clearable"):
        return None
    return sent.day("ExpectedPaymentDate") or before.expected


# --- writing ---------------------------------------------------------------------------------------------------


def _change(call: Call, before: r.Invoice, sent: Element) -> dict[str, object]:
    act = act_of(call)
    touched = set(sent.raw) & _EDITABLE
    if before.has_money_on_it and before.status != "VOIDED" and touched:
        _check_touch(call.books, before, sent, touched)
    after = edit_invoice(call.books, act, before, _edited(call, act, before, sent))
    # The answer to a void still shows the old AmountDue; a later read shows 0.
    shown = replace(after, amount_due=before.due) if after.status == "VOIDED" else after
    return render(call.books, shown, "write", unitdp(call))


def _check_touch(books: Books, before: r.Invoice, sent: Element, touched: set[str]) -> None:
    """With money on it an invoice takes nothing but SentToContact: true, not even a value that it has already."""
    if touched == {"SentToContact"} and sent.flag("SentToContact"):
        return
    if touched == {"DueDate"} and before.status == "AUTHORISED" and books.on("due_date_on_part_paid"):
        return
    if "Status" in touched and sent.text("Status") == "DELETED":
        raise Refused(checks.NOT_MODIFIABLE)
    raise Refused(checks.HAS_MONEY)


def _add(call: Call, sent: Element) -> dict[str, object]:
    act = act_of(call)
    return render(call.books, raise_invoice(call.books, act, _draft(call, act, sent)), "write", unitdp(call))


def _match(books: Books, sent: Element) -> r.Invoice | None:
    if invoice_id := sent.text("InvoiceID"):
        found = books.invoices.get(invoice_id)
        if found is None:
            raise Refused("The InvoiceID does not belong to a document of this organisation")
        return found
    number = sent.text("InvoiceNumber")
    if not number or sent.text("Type") == "ACCPAY":
        return None
    numbered = [one for one in books.invoices_numbered(number) if one.type == "ACCREC"]
    return next((one for one in numbered if one.status not in {"VOIDED", "DELETED"}), None) or _reusable(
        books, numbered
    )


def _reusable(books: Books, numbered: list[r.Invoice]) -> r.Invoice | None:
    return None if books.on("reuse_voided_number") else next(iter(numbered), None)


def _upsert_one(call: Call, sent: Element) -> dict[str, object]:
    before = _match(call.books, sent)
    return _add(call, sent) if before is None else _change(call, before, sent)


def _create(call: Call) -> Response:
    found = elements(call, "Invoices", _KNOWN)
    return write_each(call, "Invoices", "InvoiceID", found, lambda sent: _add(call, sent))


def _upsert(call: Call) -> Response:
    found = elements(call, "Invoices", _KNOWN)
    return write_each(call, "Invoices", "InvoiceID", found, lambda sent: _upsert_one(call, sent))


def _update(call: Call) -> Response:
    before = find(call.books, call.params["InvoiceID"])
    found = elements(call, "Invoices", _KNOWN)[:1]
    return write_each(call, "Invoices", "InvoiceID", found, lambda sent: _change(call, before, sent), before.id)


# --- e-mail ----------------------------------------------------------------------------------------------------


def _email(call: Call) -> Response:
    books, act = call.books, act_of(call)
    invoice = find(books, call.params["InvoiceID"])
    if invoice.type != "ACCREC" or invoice.status not in books.words("email_statuses"):
        raise Refused("Only approved sales invoices can be emailed")
    to = books.mail_addresses(invoice.contact_id)
    if not to:
        raise Refused("The contact has no valid email address")
    if _mailed_today(call) >= _cap(books):
        raise Refused("The daily limit of invoice emails has been reached")
    after = mark_sent(books, act, invoice)
    books.mail(act, invoice, to, "invoice")
    told = checks.changed({"sent": "SentToContact"}, invoice, after)
    books.note("invoice", invoice.id, act, "Invoice sent", f"This invoice has been sent to {', '.join(to)}")
    books.log(act, "email", "invoice", invoice.id, {"number": invoice.number, "to": to, "changed": told})
    return answers.empty(204)


def _cap(books: Books) -> int:
    if books.switches["email_daily_cap"] is not None:
        return books.whole("email_daily_cap")
    organisation = books.organisation
    return 0 if organisation.demo else _CAPS.get(organisation.edition_class, 1000)


def _mailed_today(call: Call) -> int:
    today = call.now.astimezone(UTC).date().isoformat()
    return sum(1 for mail in call.books.mails if mail["what"] == "invoice" and str(mail["at"]).startswith(today))


ROUTES = (
    route("PUT", "/Invoices", INVOICES, _create, "Invoice"),
    route("POST", "/Invoices", INVOICES, _upsert, "Invoice"),
    route("POST", "/Invoices/{InvoiceID}", INVOICES, _update, "Invoice"),
    route("POST", "/Invoices/{InvoiceID}/Email", INVOICES, _email, "Invoice"),
)
