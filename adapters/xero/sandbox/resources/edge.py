"""The edge of every handler: what the books refuse becomes the API's documented answer, and nothing half-done stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from adapters._twin.messages import Response
from adapters.xero.sandbox import answers
from adapters.xero.sandbox import errors as e
from adapters.xero.sandbox.reading import Element, WrongContentType
from adapters.xero.sandbox.routing import Call, Handler, Route
from adapters.xero.sandbox.store import SYSTEM_USER, Act

INVOICES = "accounting.invoices"
PAYMENTS = "accounting.payments"
CONTACTS = "accounting.contacts"
SETTINGS = "accounting.settings"
ATTACHMENTS = "accounting.attachments"
AGED_REPORTS = "accounting.reports.aged"
# How an element of a list says that it was refused; allocations and groups have no such flag.
_FLAGS = {
    "Invoices": "HasErrors",
    "CreditNotes": "HasErrors",
    "Contacts": "HasValidationErrors",
    "Payments": "HasValidationErrors",
}
_DATES = frozenset({"Date", "DueDate", "ExpectedPaymentDate", "PlannedPaymentDate"})
_NUMBERS = frozenset(
    {
        "Amount",
        "CurrencyRate",
        "DiscountAmount",
        "DiscountRate",
        "LineAmount",
        "Quantity",
        "TaxAmount",
        "UnitAmount",
    }
)


class _ElementsRefused(Exception):
    """Some elements of a call were refused, and with them the whole call."""

    def __init__(self, elements: list[dict[str, object]]) -> None:
        super().__init__()
        self.elements = elements


def act_of(call: Call) -> Act:
    """Return who acts through this call: the API, which history shows as "System Generated"."""
    request = call.request
    key = request.headers.get("idempotency-key", "")
    return Act("api", SYSTEM_USER, call.now, request.method, request.path, key, call.app_name)


def route(method: str, template: str, scope: str, handler: Handler, expects: str = "") -> Route:
    """Build a route whose handler may raise the errors of errors.py. `expects` names its element for ErrorNumber 17."""

    def guarded(call: Call) -> Response:
        try:
            with call.books.attempt():
                return handler(call)
        except _ElementsRefused as refused:
            return answers.validation_exception(refused.elements)
        except e.Refused as refused:
            return answers.refusal(*refused.messages)
        except e.Unreadable as unreadable:
            return answers.unreadable(str(unreadable))
        except e.NothingToDo:
            return answers.no_data(expects or "other")
        except e.BadQuery as bad:
            return answers.unreadable_query(str(bad))
        except e.BadPrecondition as bad:
            return answers.plain_text(412, str(bad))
        except e.Unknown:
            return answers.not_found()
        except WrongContentType as wrong:
            return answers.plain_text(415, str(wrong))

    return Route(method, template, scope, guarded)


def write_each(
    call: Call,
    plural: str,
    id_field: str,
    found: Sequence[Element],
    write: Callable[[Element], dict[str, object]],
    own_id: str = answers.NO_ID,
) -> Response:
    """Write every element of a call, or none: unless summarizeErrors=false, one refused element refuses them all.

    A refused element is echoed with its own id; with `own_id`, the zero id for a creation, where it names none.
    """
    one_by_one = call.query.get("summarizeErrors", "").strip().lower() == "false"
    done: list[dict[str, object]] = []
    refused: list[dict[str, object]] = []
    for element in found:
        try:
            with call.books.attempt():
                written = write(element)
        except e.Refused as why:
            echo = _echo(element, {id_field: own_id}, why)
            refused.append(echo)
            flag = {_FLAGS[plural]: True} if plural in _FLAGS else {}
            done.append({**echo, **flag, "StatusAttributeString": "ERROR"})
        else:
            done.append({**written, "StatusAttributeString": "OK"} if one_by_one else written)
    if refused and not one_by_one:
        raise _ElementsRefused(refused)
    return answers.envelope(call, plural, done)


def _echo(element: Element, identity: dict[str, object], why: e.Refused) -> dict[str, object]:
    echo: dict[str, object] = {**identity, **{key: _as_read(key, value) for key, value in element.raw.items()}}
    errors = answers.errors(why.messages)
    nested = echo.get(why.field) if why.field else None
    if isinstance(nested, dict):
        echo[why.field] = {**nested, "HasValidationErrors": True, "ValidationErrors": errors}
        errors = []
    return {**echo, "ValidationErrors": errors}


def _as_read(key: str, value: object) -> object:
    """Write a value as the service echoes it: dates and numbers that it could read, in the form of its answers."""
    if isinstance(value, Mapping):
        return {inner: _as_read(inner, one) for inner, one in value.items()}
    if isinstance(value, list):
        return [_as_read(key, one) for one in value]
    if not isinstance(value, str) or key not in _DATES | _NUMBERS:
        return value
    sent = Element({key: value}, key)
    try:
        day = sent.day(key) if key in _DATES else None
        return answers.day(day) if day else sent.amount(key) if key in _NUMBERS else value
    except e.Unreadable:
        return value
