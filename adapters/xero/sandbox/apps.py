"""The apps registered with the sandbox's developer portal."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus, urlsplit

from adapters._twin.messages import Request


@dataclass(frozen=True, slots=True)
class App:
    """One registered app. A PKCE app (native, desktop) has no secret; the other kind must prove its own."""

    client_id: str
    secret: str | None
    name: str


def registered(seed: int) -> tuple[App, App]:
    """Return the web app and the PKCE app; the same seed gives the same ids and secret."""
    digest = hashlib.sha256(f"xero-app:{seed}".encode()).hexdigest()
    client_id = digest[:32].upper()
    return (
        App(client_id, f"sandbox-{digest[32:]}", "dunwell sandbox app"),
        App(f"{client_id}-pkce", None, "dunwell sandbox app (PKCE)"),
    )


def redirect_accepted(uri: str) -> bool:
    """Tell whether Xero lets an app register this redirect URI: https, or http on "localhost" and no other name."""
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return False
    if parts.fragment or not parts.hostname or parts.username is not None or not uri.isprintable() or " " in uri:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "localhost")


def authenticate(request: Request, form: Mapping[str, str], apps: Mapping[str, App]) -> App | None:
    """Find the app that calls the token endpoint, by HTTP Basic or form fields; None when it is not proven."""
    client_id, secret = form.get("client_id", ""), form.get("client_secret")
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            pair = b64decode(credentials, validate=True).decode()
        except ValueError:
            return None
        name, colon, password = pair.partition(":")
        client_id, secret = unquote_plus(name), unquote_plus(password) if colon else None
    app = apps.get(client_id)
    if app is None or app.secret is None:
        return app
    if secret is None or not hmac.compare_digest(secret.encode(), app.secret.encode()):
        return None
    return app
