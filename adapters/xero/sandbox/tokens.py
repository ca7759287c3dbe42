"""What the identity server has issued: codes, access tokens and rotating refresh tokens, with their lifetimes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters._twin.ids import SeededIds
from adapters.xero.sandbox.apps import App
from adapters.xero.sandbox.jwt import base64url, sign
from adapters.xero.sandbox.scopes import OFFLINE, OPENID

CODE_LIFE = timedelta(minutes=5)
ACCESS_LIFE = timedelta(minutes=30)
ID_TOKEN_LIFE = timedelta(minutes=5)
REFRESH_LIFE = timedelta(days=60)
GRACE = timedelta(minutes=30)
_AUDIENCE = "https://identity.xero.com/resources"


class InvalidGrant(Exception):
    """The code or refresh token is unknown, used, expired, another app's, or its proof is wrong."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one consent gave to one app. `bound_tenant` is set for a custom connection, which has no user."""

    app: App
    scope: tuple[str, ...]
    event_id: str
    nonce: str | None = None
    bound_tenant: str | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """An authorisation code that waits to be exchanged."""

    grant: Grant
    redirect_uri: str
    challenge: str | None
    expires: datetime


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token as the resource server sees it."""

    grant: Grant
    expires: datetime


@dataclass(slots=True)
class RefreshToken:
    """A refresh token; after its first use it works on for the grace period."""

    grant: Grant
    expires: datetime
    rotated: datetime | None = None


class Tokens:
    """Issues and redeems. Expired records are kept, so that a late caller gets the right refusal."""

    def __init__(self, seed: int, *, user_id: str, email: str) -> None:
        self._ids = SeededIds(seed, "xero-tokens")
        self._secret = hashlib.sha256(f"xero-signing:{seed}".encode()).digest()
        self._user_id = user_id
        self._email = email
        self._codes: dict[str, Code] = {}
        self._access: dict[str, AccessToken] = {}
        self._refresh: dict[str, RefreshToken] = {}

    def new_event_id(self) -> str:
        """Return the id of one consent (the authentication_event_id claim)."""
        return self._ids.uuid()

    def issue_code(self, grant: Grant, redirect_uri: str, challenge: str | None, now: datetime) -> str:
        """Return a single-use code that lives five minutes."""
        value = self._ids.token()
        self._codes[value] = Code(grant, redirect_uri, challenge, now + CODE_LIFE)
        return value

    def redeem_code(self, app: App, value: str, redirect_uri: str, verifier: str | None, now: datetime) -> Grant:
        """Exchange a code, once. Raises InvalidGrant; a failed exchange uses the code up as well."""
        code = self._codes.get(value)
        if code is None or code.grant.app != app:
            raise InvalidGrant
        del self._codes[value]
        if now >= code.expires or redirect_uri != code.redirect_uri or not _proven(code.challenge, verifier):
            raise InvalidGrant
        return code.grant

    def redeem_refresh(self, app: App, value: str, now: datetime) -> Grant:
        """Rotate a refresh token. Raises InvalidGrant after 60 days unused, or past the grace after its first use."""
        token = self._refresh.get(value)
        if token is None or token.grant.app != app:
            raise InvalidGrant
        if token.rotated is None:
            if now >= token.expires:
                raise InvalidGrant
            token.rotated = now
        elif now >= token.rotated + GRACE:
            raise InvalidGrant
        return token.grant

    def issue(self, grant: Grant, issuer: str, now: datetime) -> dict[str, object]:
        """Return the token endpoint's answer for a grant."""
        access = self._access_value(grant, issuer, now)
        self._access[access] = AccessToken(grant, now + ACCESS_LIFE)
        answer: dict[str, object] = {}
        if OPENID in grant.scope:
            answer["id_token"] = self._id_token(grant, issuer, access, now)
        answer |= {"access_token": access, "expires_in": int(ACCESS_LIFE.total_seconds()), "token_type": "Bearer"}
        if OFFLINE in grant.scope:
            refresh = self._ids.token()
            self._refresh[refresh] = RefreshToken(grant, now + REFRESH_LIFE)
            answer["refresh_token"] = refresh
        answer["scope"] = " ".join(grant.scope)
        return answer

    def access(self, value: str) -> AccessToken | None:
        """Return an access token that was once issued, expired or not."""
        return self._access.get(value)

    def grant_of_refresh(self, app: App, value: str) -> Grant | None:
        """Return the grant behind one of the app's refresh tokens, or None."""
        token = self._refresh.get(value)
        return token.grant if token is not None and token.grant.app == app else None

    def revoke(self, app: App) -> None:
        """End every refresh token and code of the app; access tokens live out their 30 minutes."""
        self._refresh = {key: token for key, token in self._refresh.items() if token.grant.app != app}
        self._codes = {key: code for key, code in self._codes.items() if code.grant.app != app}

    def _access_value(self, grant: Grant, issuer: str, now: datetime) -> str:
        claims: dict[str, object] = {
            "nbf": _seconds(now),
            "exp": _seconds(now + ACCESS_LIFE),
            "iss": issuer,
            "aud": _AUDIENCE,
            "client_id": grant.app.client_id,
            "authentication_event_id": grant.event_id,
            "scope": list(grant.scope),
            "jti": self._ids.uuid(),
        }
        if grant.bound_tenant is None:
            claims |= {"sub": self._user_id, "auth_time": _seconds(now), "xero_userid": self._user_id}
        return sign(claims, self._secret)

    def _id_token(self, grant: Grant, issuer: str, access: str, now: datetime) -> str:
        claims: dict[str, object] = {
            "nbf": _seconds(now),
            "exp": _seconds(now + ID_TOKEN_LIFE),
            "iss": issuer,
            "aud": grant.app.client_id,
            "iat": _seconds(now),
            "at_hash": base64url(hashlib.sha256(access.encode()).digest()[:16]),
            "sub": self._user_id,
            "xero_userid": self._user_id,
        }
        if grant.nonce is not None:
            claims["nonce"] = grant.nonce
        if "profile" in grant.scope:
            claims |= {"preferred_username": self._email, "given_name": "Sandbox", "family_name": "User"}
        if "email" in grant.scope:
            claims["email"] = self._email
        return sign(claims, self._secret)


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())


def _proven(challenge: str | None, verifier: str | None) -> bool:
    """Check PKCE (RFC 7636, S256): a challenge needs its verifier, and a verifier its challenge."""
    if challenge is None or verifier is None:
        return challenge is None and verifier is None
    if not 43 <= len(verifier) <= 128 or not verifier.isascii():
        return False
    return base64url(hashlib.sha256(verifier.encode()).digest()) == challenge
