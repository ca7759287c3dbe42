"""Where Xero lives and what dunwell asks consent for. With a `base_url` (a sandbox) everything lives under it."""

from __future__ import annotations

from typing import Final

from connector.ports import OAuthEndpoints

# The granular scopes of 2026, and no more than dunwell uses.
SCOPES: Final = (
    "openid",
    "profile",
    "email",
    "offline_access",
    "accounting.invoices",
    "accounting.payments",  # laying over- and prepayments against invoices is a write to them
    "accounting.contacts",
    "accounting.settings.read",
    "accounting.attachments",
)
REFRESH_DAYS: Final = 60  # unused life of a refresh token
GRACE_SECONDS: Final = 30 * 60  # the previous refresh token may be retried that long when an answer was lost


def oauth(base_url: str) -> OAuthEndpoints:
    """Consent, tokens and revocation. "" is the real service."""
    base = base_url.rstrip("/")
    identity = base or "https://identity.xero.com"
    return OAuthEndpoints(
        authorize=f"{base or 'https://login.xero.com'}/identity/connect/authorize",
        token=f"{identity}/connect/token",
        revoke=f"{identity}/connect/revocation",
        scopes=SCOPES,
        refresh_lifetime_days=REFRESH_DAYS,
        grace_seconds=GRACE_SECONDS,
    )


def api(base_url: str) -> str:
    return f"{base_url.rstrip('/') or 'https://api.xero.com'}/api.xro/2.0"


def connections(base_url: str) -> str:
    return f"{base_url.rstrip('/') or 'https://api.xero.com'}/connections"
