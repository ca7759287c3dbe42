"""GET /Reports/AgedReceivablesByContact."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from adapters._twin.messages import Response
from adapters.xero.sandbox import answers
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.errors import BadQuery, Unknown
from adapters.xero.sandbox.resources.edge import AGED_REPORTS, route
from adapters.xero.sandbox.routing import Call

_TITLES = ("Date", "Number", "Due Date", "", "Total", "Paid", "Credited", "Due")


def _aged(call: Call) -> Response:
    if not call.books.on("aged_report_role"):
        return answers.forbidden(call)
    wanted = call.query.get("contactId") or call.query.get("contactID") or ""
    if not wanted:
        raise BadQuery("contactId is required")
    contact = call.books.contacts.get(wanted)
    if contact is None:
        raise Unknown
    today = _day(call, "date") or call.books.today(call.now)
    first, last = _day(call, "fromDate"), _day(call, "toDate")
    found = [one for one in call.books.invoices_of(contact.id) if _listed(one, first, last)]
    found.sort(key=lambda one: (one.date or date.min, one.number or ""))
    return answers.envelope(call, "Reports", [_report(call, contact, found, today)])


def _day(call: Call, name: str) -> date | None:
    text = call.query.get(name, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise BadQuery(f"{name} is not a date") from None


def _listed(one: r.Invoice, first: date | None, last: date | None) -> bool:
    if one.type != "ACCREC" or one.status not in {"AUTHORISED", "PAID"} or one.date is None:
        return False
    return (first is None or one.date >= first) and (last is None or one.date <= last)


def _report(call: Call, contact: r.Contact, found: list[r.Invoice], today: date) -> dict[str, object]:
    rows = [_row(one, today) for one in found if one.due]
    total = [sum((_amounts(one)[column] for one in found if one.due), r.ZERO) for column in range(4)]
    cells = [{"Value": "Total"}, {"Value": ""}, {"Value": ""}, {"Value": ""}]
    summary = {"RowType": "SummaryRow", "Cells": [*cells, *({"Value": f"{one:.2f}"} for one in total)]}
    return {
        "ReportName": "Aged Receivables By Contact",
        "ReportType": "AgedReceivablesByContact",
        "ReportTitles": ["Invoices", contact.name, f"Showing payments to {answers.long_day(today)}"],
        "ReportDate": answers.long_day(today),
        "UpdatedDateUTC": answers.bare_stamp(call.now),
        "Fields": [],
        "Rows": [
            {"RowType": "Header", "Cells": [{"Value": title} for title in _TITLES]},
            {"RowType": "Section", "Title": "", "Rows": [*rows, summary]},
        ],
    }


def _amounts(one: r.Invoice) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    return (one.total or r.ZERO, one.amount_paid or r.ZERO, one.amount_credited or r.ZERO, one.due)


def _row(one: r.Invoice, today: date) -> dict[str, object]:
    late = (today - one.due_date).days if one.due_date else 0
    texts = [
        answers.day_string(one.date) if one.date else "",
        one.number or "",
        answers.day_string(one.due_date) if one.due_date else "",
        f"{late} days overdue" if late > 0 else "",
        *(f"{amount:.2f}" for amount in _amounts(one)),
    ]
    mark = [{"Value": one.id, "Id": "invoiceID"}]
    return {"RowType": "Row", "Cells": [{"Value": text, "Attributes": mark} for text in texts]}


ROUTES = (route("GET", "/Reports/AgedReceivablesByContact", AGED_REPORTS, _aged),)
