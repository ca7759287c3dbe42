"""The refusals of Xero's gateway: authentication, tenants, limits and paths, as recorded."""

from __future__ import annotations

import json
from datetime import datetime

from adapters._twin.messages import Response

_JSON = (("Content-Type", "application/json; charset=utf-8"),)
_HTML = (("Content-Type", "text/html; charset=utf-8"),)
_TEXT = (("Content-Type", "text/plain; charset=utf-8"),)


def problem(status: int, title: str, detail: str, instance: str) -> Response:
    """Return the gateway's problem document; `instance` is a support id."""
    document: dict[str, object] = {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": instance,
        "Extensions": {},
    }
    return Response(status, _JSON, json.dumps(document).encode())


def unauthenticated(instance: str) -> Response:
    """No token, or none that Xero issued."""
    return problem(401, "Unauthorized", "AuthenticationUnsuccessful", instance)


def token_expired(expired: datetime, instance: str) -> Response:
    """The access token's 30 minutes are over."""
    detail = f"TokenExpired: token expired at {expired:%m/%d/%Y %H:%M:%S}"
    return problem(401, "Unauthorized", detail, instance)


def scope_missing(instance: str) -> Response:
    """The token lacks the route's scope; a refresh does not help."""
    return problem(401, "Unauthorized", "AuthorizationUnsuccessful", instance)


def tenant_forbidden(instance: str) -> Response:
    """The xero-tenant-id is missing, foreign, or no longer connected."""
    return problem(403, "Forbidden", "AuthenticationUnsuccessful", instance)


def connection_missing(instance: str) -> Response:
    """DELETE of a connection that is not there."""
    return problem(404, "NotFound", "Connection not found", instance)


def key_refused(detail: str, instance: str, shape: str) -> Response:
    """A misused Idempotency-Key. Xero's JSON shape for it is not verified: "problem" or "validation"."""
    if shape == "problem":
        return problem(400, "BadRequest", detail, instance)
    element: dict[str, object] = {"ValidationErrors": [{"Message": detail}]}
    document = {"ErrorNumber": 10, "Type": "ValidationException", "Message": "A validation exception occurred"}
    return Response(400, _JSON, json.dumps({**document, "Elements": [element]}).encode())


def not_found() -> Response:
    """Xero's 404 of the Accounting API: a web page, not JSON."""
    return Response(404, _HTML, b"<html><body>The resource you're looking for cannot be found</body></html>")


def method_not_allowed(methods: tuple[str, ...]) -> Response:
    """A known path with a method that it does not have."""
    return Response(405, (("Allow", ", ".join(methods)), *_HTML), b"<html><body>Method not allowed</body></html>")


def not_simulated(method: str, template: str) -> Response:
    """The sandbox's own refusal: Xero documents this route, the twin does not have it yet."""
    text = f"not simulated yet: {method} {template} (this is the sandbox speaking, not Xero)"
    return Response(501, _TEXT, text.encode())
