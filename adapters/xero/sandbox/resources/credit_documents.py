"""Credit notes, overpayments and prepayments, and their allocations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from adapters._twin.messages import Response
from adapters.xero.sandbox import answers, checks, pdf
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.crediting import (
    CreditDraft,
    allocate,
    check_credit_number,
    deallocate,
    edit_draft_credit,
    raise_credit,
    void_credit,
)
from adapters.xero.sandbox.errors import Refused, Unknown
from adapters.xero.sandbox.fields import credit_fields
from adapters.xero.sandbox.listing import Shelf, among, listing, unitdp
from adapters.xero.sandbox.reading import Element, elements
from adapters.xero.sandbox.render import ID_FIELDS, PLURALS, nested_allocation
from adapters.xero.sandbox.render import credit as render
from adapters.xero.sandbox.resources.edge import INVOICES, PAYMENTS, act_of, route, write_each
from adapters.xero.sandbox.resources.invoice_lines import contact_of, lines_of
from adapters.xero.sandbox.routing import Call, Handler, Route
from adapters.xero.sandbox.store import Books

_KNOWN = frozenset(
    {
        "CreditNoteID",
        "CreditNoteNumber",
        "Type",
        "Contact",
        "Date",
        "LineItems",
        "LineAmountTypes",
        "Reference",
        "Status",
        "CurrencyCode",
        "CurrencyRate",
        "SentToContact",
    }
)
_ALLOCATION = frozenset({"Invoice", "Amount", "Date"})
_NOUN: dict[r.CreditKind, str] = {
    "credit_note": "CreditNote",
    "overpayment": "Overpayment",
    "prepayment": "Prepayment",
}


def find(books: Books, kind: r.CreditKind, key: str) -> r.Credit:
    """Return the credit of this id; a credit note also by its number. Raises Unknown."""
    found = books.credit(kind, key)
    if found is None and kind == "credit_note":
        found = next((one for one in books.credits_numbered(key) if one.kind == kind), None)
    if found is None:
        raise Unknown
    return found


def _list_of(kind: r.CreditKind) -> Handler:
    def handle(call: Call) -> Response:
        books = call.books
        rows = list(books.credits[kind])
        rows = among(call, "IDs", rows, lambda one: one.id)
        rows = among(call, "References", rows, lambda one: one.reference)
        rows = among(call, "InvoiceNumbers", rows, lambda one: one.number)
        shelf = Shelf(credit_fields(books, ID_FIELDS[kind]), stamped=True)
        page = listing(call, rows, shelf)
        written = [render(books, one, page.view, unitdp(call)) for one in page.rows]
        return answers.envelope(call, PLURALS[kind], written, page.pagination)

    return handle


def _single_of(kind: r.CreditKind) -> Handler:
    def handle(call: Call) -> Response:
        credit = find(call.books, kind, call.params[ID_FIELDS[kind]])
        if "application/pdf" in call.request.headers.get("accept", ""):
            return _pdf_of(credit)
        return answers.envelope(call, PLURALS[kind], [render(call.books, credit, "single", unitdp(call))])

    return handle


def _pdf(call: Call) -> Response:
    return _pdf_of(find(call.books, "credit_note", call.params["CreditNoteID"]))


def _pdf_of(credit: r.Credit) -> Response:
    text = (f"Credit note {credit.number or ''}", f"Date: {credit.date or ''}", f"{credit.currency} {credit.total}")
    return Response(200, (("Content-Type", "application/pdf"),), pdf.document(text))


# --- writing credit notes --------------------------------------------------------------------------------------


def _draft(call: Call, sent: Element) -> CreditDraft:
    contact_id = contact_of(call.books, act_of(call), sent)
    if contact_id is None:
        raise Refused("A contact must be specified for this type of transaction.")
    type_ = sent.text("Type")
    if type_ not in {"ACCRECCREDIT", "ACCPAYCREDIT"}:
        raise Refused("Credit note type must be ACCRECCREDIT or ACCPAYCREDIT")
    return CreditDraft(
        kind="credit_note",
        contact_id=contact_id,
        lines=lines_of(sent, (), unitdp(call)),
        type=type_,
        status=sent.text("Status") or "DRAFT",
        number=sent.text("CreditNoteNumber", 255) or "",
        reference=sent.text("Reference", 255),
        date=sent.day("Date"),
        amounts=sent.text("LineAmountTypes") or "Exclusive",
        currency=sent.text("CurrencyCode", 3) or "",
        rate=sent.amount("CurrencyRate"),
    )


def _add(call: Call, sent: Element) -> dict[str, object]:
    credit = raise_credit(call.books, act_of(call), _draft(call, sent))
    return render(call.books, credit, "write", unitdp(call))


def _change(call: Call, before: r.Credit, sent: Element) -> dict[str, object]:
    books, act = call.books, act_of(call)
    if before.status in {"VOIDED", "DELETED"}:
        raise Refused("Credit note not of valid status for modification")
    if before.allocations or before.status == "PAID":
        raise Refused(checks.HAS_MONEY)
    if sent.text("Status") in {"VOIDED", "DELETED"}:
        _check_gone(before, sent)
        return render(books, void_credit(books, act, before), "write", unitdp(call))
    number, reference = sent.text("CreditNoteNumber", 255), sent.text("Reference", 255)
    if number:
        check_credit_number(books, number, before.id)
    after = replace(
        before,
        contact_id=contact_of(books, act, sent) or before.contact_id,
        number=number or before.number,
        reference=before.reference if reference is None else reference,
        date=sent.day("Date") or before.date,
        status=sent.text("Status") or before.status,
        line_amount_types=sent.text("LineAmountTypes") or before.line_amount_types,
        lines=lines_of(sent, before.lines, unitdp(call)),
    )
    return render(books, edit_draft_credit(books, act, before, after), "write", unitdp(call))


def _check_gone(before: r.Credit, sent: Element) -> None:
    wanted = "VOIDED" if before.status == "AUTHORISED" else "DELETED"
    if sent.text("Status") != wanted:
        raise Refused("Credit note not of valid status for modification")


def _upsert_one(call: Call, sent: Element) -> dict[str, object]:
    key = sent.text("CreditNoteID") or sent.text("CreditNoteNumber")
    try:
        before = find(call.books, "credit_note", key) if key else None
    except Unknown:
        if sent.has("CreditNoteID"):
            raise Refused("The CreditNoteID does not belong to a document of this organisation") from None
        before = None
    return _add(call, sent) if before is None else _change(call, before, sent)


def _create(call: Call) -> Response:
    found = elements(call, "CreditNotes", _KNOWN)
    return write_each(call, "CreditNotes", "CreditNoteID", found, lambda sent: _add(call, sent))


def _upsert(call: Call) -> Response:
    found = elements(call, "CreditNotes", _KNOWN)
    return write_each(call, "CreditNotes", "CreditNoteID", found, lambda sent: _upsert_one(call, sent))


def _update(call: Call) -> Response:
    before = find(call.books, "credit_note", call.params["CreditNoteID"])
    found = elements(call, "CreditNotes", _KNOWN)[:1]
    return write_each(call, "CreditNotes", "CreditNoteID", found, lambda sent: _change(call, before, sent), before.id)


# --- allocations -----------------------------------------------------------------------------------------------


def _allocate_of(kind: r.CreditKind) -> Handler:
    def handle(call: Call) -> Response:
        find(call.books, kind, call.params[ID_FIELDS[kind]])
        found = elements(call, "Allocations", _ALLOCATION)
        return write_each(call, "Allocations", "AllocationID", found, _allocate_one(call, kind))

    return handle


def _allocate_one(call: Call, kind: r.CreditKind) -> Callable[[Element], dict[str, object]]:
    def write(sent: Element) -> dict[str, object]:
        credit = find(call.books, kind, call.params[ID_FIELDS[kind]])
        nested, amount, day = sent.child("Invoice"), sent.amount("Amount"), sent.day("Date")
        if nested is None or amount is None or day is None:
            raise Refused("Amount, Invoice and Date are required")
        invoice = call.books.invoices.get(nested.text("InvoiceID") or "")
        if invoice is None:
            raise Refused("The Invoice to be credited could not be found")
        part = allocate(call.books, act_of(call), credit, invoice, amount, day)
        wire = nested_allocation(call.books, part)
        if not call.books.on("allocation_id_in_answer"):
            del wire["AllocationID"]
        parent = {ID_FIELDS[kind]: credit.id, "ID": credit.id, "LineItems": []}
        return {**wire, _NOUN[kind]: parent, "ValidationErrors": []}

    return write


def _deallocate_of(kind: r.CreditKind) -> Handler:
    def handle(call: Call) -> Response:
        credit = find(call.books, kind, call.params[ID_FIELDS[kind]])
        wanted = call.params["AllocationID"].lower()
        part = next((one for one in credit.allocations if one.id.lower() == wanted), None)
        if part is None:
            raise Unknown
        deallocate(call.books, act_of(call), credit, part)
        return answers.json_response({"AllocationId": part.id, "IsDeleted": True})

    return handle


def _routes_of(kind: r.CreditKind, scope: str) -> tuple[Route, ...]:
    plural, id_field = PLURALS[kind], ID_FIELDS[kind]
    single = f"/{plural}/{{{id_field}}}"
    return (
        route("GET", f"/{plural}", scope, _list_of(kind)),
        route("GET", single, scope, _single_of(kind)),
        route("PUT", f"{single}/Allocations", scope, _allocate_of(kind), "Allocation"),
        route("DELETE", f"{single}/Allocations/{{AllocationID}}", scope, _deallocate_of(kind)),
    )


ROUTES = (
    *_routes_of("credit_note", INVOICES),
    *_routes_of("overpayment", PAYMENTS),
    *_routes_of("prepayment", PAYMENTS),
    route("GET", "/CreditNotes/{CreditNoteID}/pdf", INVOICES, _pdf),
    route("PUT", "/CreditNotes", INVOICES, _create, "CreditNote"),
    route("POST", "/CreditNotes", INVOICES, _upsert, "CreditNote"),
    route("POST", "/CreditNotes/{CreditNoteID}", INVOICES, _update, "CreditNote"),
)
