"""Which scopes a consent gave, and what is missing."""

from __future__ import annotations

import base64
import json
from typing import Final

from connector.errors import ScopeMissing
from connector.oauth.endpoint import TokenAnswer

# What OpenID Connect adds: no ledger record depends on them.
_PERSONAL: Final = frozenset({"openid", "profile", "email", "address", "phone", "offline_access"})


def without_person(scopes: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes that a custom connection asks for: it has no person to ask about, and no refresh token."""
    return tuple(scope for scope in scopes if scope not in _PERSONAL)


def granted_scopes(tokens: TokenAnswer, asked: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes granted: as the answer says, as the access token claims, or else (RFC 6749, 5.1) as asked for."""
    return tokens.scopes or _claimed_scopes(tokens.access) or asked


def _claimed_scopes(access: str) -> tuple[str, ...]:
    """The scope claim of a JWT access token (RFC 9068), unverified: it only makes a warning or a refusal sharper."""
    try:
        payload = access.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        claim = claims["scope"]
    except (IndexError, ValueError, KeyError, TypeError, RecursionError):
        return ()
    words = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else ()
    return tuple(word for word in words if isinstance(word, str) and word.isascii() and word.isprintable())


def scope_warnings(granted: tuple[str, ...], wanted: tuple[str, ...]) -> list[str]:
    """What falls short. Raises `ScopeMissing` where dunwell could not even read what it has to."""
    missing = [scope for scope in wanted if scope not in granted and scope.removesuffix(".read") not in granted]
    blocking = [scope for scope in missing if scope not in _PERSONAL and f"{scope}.read" not in granted]
    if blocking:
        raise ScopeMissing(
            f"the consent does not cover {', '.join(blocking)}",
            not_done="nothing was stored",
            next_step="connect again and grant every scope that the page lists",
        )
    read_only = [scope for scope in missing if scope not in _PERSONAL]
    if not read_only:
        return []
    return [f"read only: the consent covers reading but not writing for {', '.join(read_only)}"]
