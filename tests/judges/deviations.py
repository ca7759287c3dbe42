"""Where the sandbox leaves Xero's own API description, on purpose: each place with its reason and source.

facts: the project's notes on the service, which win over the description. A deviation that no answer needs any more
fails the suite, so that this list stays true.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from tests.judges.description import Description, Exchange, Objection

EXAMPLES = "examples of the description itself"
ELEMENT = "Element.* undescribed"
RECORDED = "answers recorded from Xero's demo company in September 2026"


@dataclass(frozen=True, slots=True)
class Deviation:
    """One place that the description and the sandbox see differently. `on` is what the route begins with."""

    where: str
    because: str
    source: str
    on: str = ""


def _undescribed(names: str, because: str, source: str, on: str = "") -> tuple[Deviation, ...]:
    return tuple(Deviation(f"{name} undescribed", because, source, on) for name in names.split())


DEVIATIONS: tuple[Deviation, ...] = (
    *_undescribed(
        "envelope.Id envelope.Status envelope.ProviderName envelope.DateTimeUTC",
        "every answer wears the envelope, which its schemas leave out",
        f"{EXAMPLES}; {RECORDED}",
    ),
    *_undescribed(
        "Invoice.DateString Invoice.DueDateString CreditNote.DateString Overpayment.DateString Prepayment.DateString",
        "dates have a twin without the /Date()/ dress",
        f"{EXAMPLES}; {RECORDED}",
    ),
    *_undescribed(
        "Invoice.ExpectedPaymentDateString Invoice.PlannedPaymentDateString",
        "so have the dates that people expect and plan",
        "changelog of singer-io/tap-xero, 0.1.15 and 0.1.18",
    ),
    *_undescribed("CreditNote.ID Overpayment.ID Prepayment.ID", "credits name their id twice", EXAMPLES),
    *_undescribed("ContactGroup.HasValidationErrors", "groups carry the flag that contacts have", EXAMPLES),
    *_undescribed("Invoice.InvoicePaymentServices", "an empty list in every recorded invoice", RECORDED),
    *_undescribed(
        "HistoryRecord.DateUTCString HistoryRecord.ValidationErrors",
        "records have a readable date; the answer to a new one also an empty list of errors",
        f"{EXAMPLES}; {RECORDED}",
    ),
    Deviation("Connection.createdDateUtc format", "seven digits and no zone", "example of the identity description"),
    Deviation("Connection.updatedDateUtc format", "seven digits and no zone", "example of the identity description"),
    *(
        Deviation(f"BatchPayment.{name} type", "text where the batch is inside a payment", EXAMPLES, "GET /Payments")
        for name in ("TotalAmount", "IsReconciled")
    ),
    *(
        Deviation(where, "a deleted allocation answers with its id and IsDeleted alone", source, "DELETE ")
        for source in ("facts section 4; xero-python issue 159",)
        for where in (
            "Allocation.Amount required",
            "Allocation.Invoice required",
            "Allocation.Date required",
            "Allocation.AllocationId undescribed",
        )
    ),
    *(
        Deviation(where, "a misused Idempotency-Key gets the gateway's problem document", "facts section 4: unverified")
        for where in (
            "Error.Type type",
            "Error.Title undescribed",
            "Error.Status undescribed",
            "Error.Detail undescribed",
            "Error.Instance undescribed",
            "Error.Extensions undescribed",
        )
    ),
    Deviation(
        ELEMENT, "a refused element is echoed whole; it is judged as what it is instead", f"{EXAMPLES}; {RECORDED}"
    ),
    *_undescribed(
        "Attachment.ValidationErrors", "so is a refused file, of which this is all", "facts section 4", "PUT "
    ),
    Deviation("GET /Invoices/{InvoiceID} JSON", "PDF by the Accept header", "facts section 3; x-path of .../pdf"),
    Deviation(
        "DELETE /Connections/{id}",
        "the gateway's problem document for an unknown connection",
        "facts section 1 (404 only; body unverified)",
    ),
    *(
        Deviation(f"GET /Organisations{rest}", "the plural is answered, too", "pyxero issues 17 and 75")
        for rest in ("", "/Actions")
    ),
    *(
        Deviation(f"POST /{plural}/{{id}}/History", "the same as PUT", "facts section 4")
        for plural in ("Contacts", "CreditNotes", "Invoices", "Overpayments", "Payments", "Prepayments")
    ),
    Deviation("POST /connect/token", "of the identity server, which has no description", "facts section 1; RFC 6749"),
    Deviation("POST /identity/connect/authorize", "the consent page's way back: 302", "facts section 1; RFC 6749"),
    Deviation("POST /connect/revocation", "of the identity server, which has no description", "facts section 1"),
)


@dataclass(frozen=True, slots=True)
class Status:
    """A status that operations do not describe, and the form that its answer has all the same."""

    form: str
    because: str
    source: str


STATUSES: dict[int, Status] = {
    400: Status("error", "reads have none described; a bad filter or parameter still gets one", "facts section 4"),
    401: Status("problem", "the gateway's: token missing, expired or without the scope", "facts section 4"),
    403: Status("problem", "the gateway's: tenant not connected, or the user's role", "facts section 4"),
    404: Status("html", "an unknown id, a web page", f"{RECORDED}; xero-node issue 209"),
    412: Status("text", "a precondition that cannot be read", "facts section 4"),
    415: Status("text", "the sandbox's own: it reads no XML", "tests/judges/test_pyxero.py"),
    429: Status("nothing", "a limit is reached; all is said in headers", RECORDED),
    501: Status("text", "the sandbox's own: described, but not simulated", "adapters/xero/sandbox/problems.py"),
}


def sustained(description: Description, exchange: Exchange, used: set[str] | None = None) -> Iterator[Objection]:
    """Yield the objections to an answer that no deviation meets; note the deviations that were needed in `used`."""
    for objection in description.objections(exchange):
        status = STATUSES.get(exchange.status) if objection.where.startswith("status ") else None
        if status is not None and _has_form(exchange, status.form):
            needed = objection.where
        else:
            needed = next((one.where for one in DEVIATIONS if _meets(one, objection)), "")
        if not needed:
            yield objection
        elif used is not None:
            used.add(needed)


def _meets(one: Deviation, objection: Objection) -> bool:
    if one.where == ELEMENT:
        return re.fullmatch(r"Element\.\w+ undescribed", objection.where) is not None
    return one.where == objection.where and objection.route.startswith(one.on)


def _has_form(exchange: Exchange, form: str) -> bool:
    kind = exchange.content_type.partition(";")[0]
    if form == "nothing":
        return not kind and not exchange.body
    if form in {"html", "text"}:
        return kind == {"html": "text/html", "text": "text/plain"}[form] and bool(exchange.body)
    if kind != "application/json":
        return False
    document = json.loads(exchange.body)
    if form == "error":
        return set(document) <= {"ErrorNumber", "Type", "Message", "Elements"} and isinstance(document["Message"], str)
    UUID(document.pop("Instance"))
    title = {401: "Unauthorized", 403: "Forbidden"}[exchange.status]
    detail = document.pop("Detail")
    expected: dict[str, object] = {"Type": None, "Title": title, "Status": exchange.status, "Extensions": {}}
    return document == expected and isinstance(detail, str) and bool(detail)
