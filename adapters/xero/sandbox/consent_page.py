"""The consent screen: a plain form that posts back to its own address. No scripts; everything shown is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from adapters._twin.messages import Response

_HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
)
_STYLE = "body{font:16px/1.5 sans-serif;max-width:34rem;margin:3rem auto}button{padding:.5rem 1.5rem}"


def _page(status: int, title: str, content: str) -> Response:
    text = (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{content}</body></html>"
    )
    return Response(status, _HEADERS, text.encode())


def consent_page(app_name: str, scopes: Iterable[str], organisations: Iterable[tuple[str, str]]) -> Response:
    """Ask the user which organisation (id, name) the app may reach. The form names no address: it posts to its own."""
    choices = "".join(
        f'<p><label><input type="radio" name="organisation" value="{escape(tenant)}"{"" if number else " checked"}>'
        f" {escape(name)}</label></p>"
        for number, (tenant, name) in enumerate(organisations)
    )
    wanted = "".join(f"<li>{escape(scope)}</li>" for scope in scopes)
    return _page(
        200,
        f"{app_name} wants access",
        f"<p>This is a sandbox, not Xero. The app asks for:</p><ul>{wanted}</ul>"
        f'<form method="post">{choices}<button name="decision" value="allow">Allow access</button> '
        '<button name="decision" value="cancel">Cancel</button></form>',
    )


def error_page(reason: str) -> Response:
    """Say what is wrong with the request; used where redirecting back would be unsafe."""
    return _page(400, "Sorry, something went wrong", f"<p>{escape(reason)}</p>")
