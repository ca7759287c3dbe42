"""GET /Invoices and what hangs on one invoice: PDF, online link."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode

from adapters._twin.messages import Response
from adapters.xero.sandbox import answers, pdf
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.errors import Unknown
from adapters.xero.sandbox.fields import invoice_fields
from adapters.xero.sandbox.listing import Shelf, among, flag, listing, matching, unitdp
from adapters.xero.sandbox.render import invoice as render
from adapters.xero.sandbox.resources.edge import INVOICES, route
from adapters.xero.sandbox.routing import Call
from adapters.xero.sandbox.store import Books


def find(books: Books, key: str) -> r.Invoice:
    """Return the invoice of this id or, as the API allows, number. Raises Unknown."""
    found = books.invoices.get(key)
    if found is None:
        found = next(iter(books.invoices_numbered(key)), None)
    if found is None:
        raise Unknown
    return found


def _list(call: Call) -> Response:
    books = call.books
    rows = list(books.invoices)
    if not books.on("deleted_in_lists"):
        rows = [one for one in rows if one.status != "DELETED"]
    rows = among(call, "IDs", rows, lambda one: one.id)
    rows = among(call, "InvoiceNumbers", rows, lambda one: one.number)
    rows = among(call, "ContactIDs", rows, lambda one: one.contact_id)
    rows = among(call, "Statuses", rows, lambda one: one.status)
    if flag(call, "createdByMyApp"):
        rows = [one for one in rows if one.by_app]
    rows = matching(call, rows, lambda one: (one.number, one.reference))
    shelf = Shelf(invoice_fields(books), stamped=True, guarded=True)
    page = listing(call, rows, shelf)
    decimals = unitdp(call)
    return answers.envelope(
        call, "Invoices", [render(books, one, page.view, decimals) for one in page.rows], page.pagination
    )


def _single(call: Call) -> Response:
    invoice = find(call.books, call.params["InvoiceID"])
    if "application/pdf" in call.request.headers.get("accept", ""):
        return _pdf_of(call, invoice)
    return answers.envelope(call, "Invoices", [render(call.books, invoice, "single", unitdp(call))])


def _pdf(call: Call) -> Response:
    return _pdf_of(call, find(call.books, call.params["InvoiceID"]))


def _pdf_of(call: Call, invoice: r.Invoice) -> Response:
    contact = call.books.contacts.get(invoice.contact_id)
    text = [
        call.books.organisation.legal_name,
        f"{'Tax invoice' if invoice.type == 'ACCREC' else 'Bill'} {invoice.number or ''}",
        f"To: {contact.name if contact else ''}",
        f"Date: {invoice.date or ''}",
        f"Due: {invoice.due_date or ''}",
        *(f"{one.description}: {one.line_amount}" for one in invoice.lines),
        f"Total {invoice.currency} {invoice.total}",
        f"Amount due {invoice.currency} {invoice.due}",
    ]
    return Response(200, (("Content-Type", "application/pdf"),), pdf.document(text))


def _online(call: Call) -> Response:
    invoice = find(call.books, call.params["InvoiceID"])
    if invoice.type != "ACCREC" or invoice.status in {"DRAFT", "SUBMITTED", "DELETED"}:
        status = call.books.whole("draft_online_invoice_status")
        return answers.not_found() if status == 404 else answers.refusal("Online invoices exist for approved ones only")
    digest = hashlib.sha256(f"{call.books.tenant_id}/{invoice.id}".encode()).digest()
    url = "https://in.xero.com/" + urlsafe_b64encode(digest[:30]).decode()
    return answers.envelope(call, "OnlineInvoices", [{"OnlineInvoiceUrl": url}])


ROUTES = (
    route("GET", "/Invoices", INVOICES, _list),
    route("GET", "/Invoices/{InvoiceID}", INVOICES, _single),
    route("GET", "/Invoices/{InvoiceID}/pdf", INVOICES, _pdf),
    route("GET", "/Invoices/{InvoiceID}/OnlineInvoice", INVOICES, _online),
)
