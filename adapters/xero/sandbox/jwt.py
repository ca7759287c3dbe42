"""Tokens in the shape of Xero's: three base64url parts. Signed with a secret of the sandbox, so good for it alone."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping


def base64url(raw: bytes) -> str:
    """Return base64url without padding (RFC 7515)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _part(document: Mapping[str, object]) -> str:
    return base64url(json.dumps(document, separators=(",", ":")).encode())


def sign(claims: Mapping[str, object], secret: bytes) -> str:
    """Return header.payload.signature with HS256."""
    signed = f"{_part({'alg': 'HS256', 'kid': 'sandbox', 'typ': 'JWT'})}.{_part(claims)}"
    return f"{signed}.{base64url(hmac.digest(secret, signed.encode(), hashlib.sha256))}"
