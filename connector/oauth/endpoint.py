"""One request to the token or revocation endpoint, one answer, every refusal named. No state, no retry.

Sources: RFC 6749, 7009 (revocation), 7636 (PKCE); what a ledger does differently stands in its adapter.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Never
from urllib.parse import urlencode

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from connector.errors import (
    ConnectionRevoked,
    DunwellError,
    LedgerUnavailable,
    OutcomeUnknown,
    RateLimited,
    Refused,
    ScopeMissing,
    UnreadableAnswer,
    WrongCredentials,
)
from connector.ports import Credentials, HttpAnswer, HttpClient, HttpRequest, OAuthEndpoints

REQUEST_SECONDS = 20.0
_FORM = "application/x-www-form-urlencoded"
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_ERROR_CODE = re.compile(r"[a-z_]{1,40}")
_UNSAID_LIFETIME = 300  # seconds, where the answer does not say how long the access token lives
_LONGEST_ACCESS = 24 * 3600
_LONGEST_REFRESH = 6 * 366 * 24 * 3600
_DEFAULT_WAIT = 60.0
_LONGEST_WAIT = 24 * 3600
_OK, _BAD_REQUEST, _SERVER_ERROR, _TOO_MANY, _TIMEOUT = 200, 400, 500, 429, 408


@dataclass(frozen=True, slots=True)
class Pkce:
    """The proof that who exchanges the code is who asked for it (RFC 7636, S256)."""

    verifier: str = field(repr=False)

    @property
    def challenge(self) -> str:
        return str(create_s256_code_challenge(self.verifier))


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What the token endpoint gave. `refresh` is "" and `scopes` empty where it said nothing. Lifetimes in seconds."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_in: int
    refresh_expires_in: int | None
    scopes: tuple[str, ...]


def new_state() -> str:
    """A fresh, unguessable state parameter."""
    return secrets.token_urlsafe(32)


def new_pkce() -> Pkce:
    return Pkce(secrets.token_urlsafe(64))


def authorization_url(
    endpoints: OAuthEndpoints, client_id: str, redirect_uri: str, state: str, pkce: Pkce | None = None
) -> str:
    """Where the person gives consent."""
    proof = {"code_challenge": pkce.challenge, "code_challenge_method": "S256"} if pkce else {}
    scope = " ".join(endpoints.scopes)
    url = prepare_grant_uri(endpoints.authorize, client_id, "code", redirect_uri, scope=scope, state=state, **proof)
    return str(url)


def exchange(
    http: HttpClient,
    endpoints: OAuthEndpoints,
    credentials: Credentials,
    code: str,
    redirect_uri: str,
    pkce: Pkce | None = None,
) -> TokenAnswer:
    """Tokens for a code. Raises `Refused` for a used, expired or foreign code, `WrongCredentials`, `ScopeMissing`,
    `Retriable` (then the code may be spent: start again)."""
    form = {"code": code, "redirect_uri": redirect_uri, "code_verifier": pkce.verifier if pkce else ""}
    try:
        return _token(http, endpoints, credentials, "authorization_code", form)
    except ConnectionRevoked:
        raise Refused(
            "the ledger refused the authorisation code: it was used before, has expired, or belongs to another app",
            not_done="nothing was stored",
            next_step="start `dunwell connect` again",
        ) from None
    except OutcomeUnknown as error:
        raise _unanswered() from error


def refresh(http: HttpClient, endpoints: OAuthEndpoints, credentials: Credentials, token: str) -> TokenAnswer:
    """New tokens for a refresh token. Raises `ConnectionRevoked` when it is dead, `OutcomeUnknown` when it may have
    been used up without an answer, `WrongCredentials`, `ScopeMissing`, `Retriable`."""
    return _token(http, endpoints, credentials, "refresh_token", {"refresh_token": token})


def client_credentials(
    http: HttpClient, endpoints: OAuthEndpoints, credentials: Credentials, scopes: Sequence[str]
) -> TokenAnswer:
    """A custom connection's token: no person, no refresh token. Raises `WrongCredentials`, `ScopeMissing`, `Refused`,
    `Retriable`."""
    try:
        return _token(http, endpoints, credentials, "client_credentials", {"scope": " ".join(scopes)})
    except OutcomeUnknown as error:
        raise _unanswered() from error


def revoke(http: HttpClient, endpoints: OAuthEndpoints, credentials: Credentials, token: str) -> None:
    """End a refresh token; an unknown one is no error. Safe to repeat. Raises `WrongCredentials`, `Refused`,
    `Retriable`."""
    try:
        answer = _post(http, endpoints.revoke, credentials, {"token": token})
    except OutcomeUnknown as error:
        raise _unanswered() from error
    if answer.status != _OK:
        _refuse(answer)


def _unanswered() -> LedgerUnavailable:
    return LedgerUnavailable("the ledger's identity service did not answer", next_step="try again in a moment")


def _token(
    http: HttpClient, endpoints: OAuthEndpoints, credentials: Credentials, grant: str, form: Mapping[str, str]
) -> TokenAnswer:
    answer = _post(http, endpoints.token, credentials, {"grant_type": grant, **form})
    if answer.status != _OK:
        _refuse(answer)
    return _read(answer)


def _post(http: HttpClient, url: str, credentials: Credentials, form: Mapping[str, str]) -> HttpAnswer:
    known = credentials.client_id + credentials.secret
    if not credentials.client_id or not known.isascii() or not known.isprintable():
        raise WrongCredentials("the client id or secret is empty or holds characters that none can hold")
    fields = dict(form)
    body = prepare_token_request(fields.pop("grant_type"), **fields) if "grant_type" in fields else urlencode(fields)
    method = "client_secret_basic" if credentials.secret else "none"
    headers = {"Content-Type": _FORM, "Accept": "application/json"}
    auth = ClientAuth(credentials.client_id, credentials.secret, method)
    url, headers, body = auth.prepare("POST", url, headers, body)
    return http.send(HttpRequest("POST", url, headers, body.encode("ascii"), REQUEST_SECONDS))


def _read(answer: HttpAnswer) -> TokenAnswer:
    document = _document(answer)
    access, token = document.get("access_token"), document.get("refresh_token") or ""
    kind = document.get("token_type", "bearer")
    if not isinstance(access, str) or not _TOKEN.fullmatch(access):
        raise _unreadable("without a usable access token")
    if not isinstance(token, str) or not (token == "" or _TOKEN.fullmatch(token)):
        raise _unreadable("with an unusable refresh token")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise _unreadable("with a token that is no bearer token")
    refresh_life = document.get("refresh_expires_in", document.get("x_refresh_token_expires_in"))
    return TokenAnswer(
        access=access,
        refresh=token,
        expires_in=_seconds(document.get("expires_in"), _LONGEST_ACCESS) or _UNSAID_LIFETIME,
        refresh_expires_in=_seconds(refresh_life, _LONGEST_REFRESH),
        scopes=_scopes(document.get("scope")),
    )


def _scopes(raw: object) -> tuple[str, ...]:
    words = raw.split() if isinstance(raw, str) else raw if isinstance(raw, list) else []
    return tuple(dict.fromkeys(word for word in words if isinstance(word, str) and _TOKEN.fullmatch(word)))


def _seconds(raw: object, longest: int) -> int | None:
    """A lifetime; None where there is none that makes sense."""
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < len(str(_LONGEST_REFRESH)) + 1:
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int) or raw <= 0:
        return None
    return min(raw, longest)


def _document(answer: HttpAnswer) -> Mapping[str, object]:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise _unreadable("that is no JSON") from None
    if not isinstance(document, dict):
        raise _unreadable("that is no JSON object")
    return document


def _unreadable(how: str) -> UnreadableAnswer:
    return UnreadableAnswer(f"the ledger's identity service gave an answer {how}", next_step="try again later")


def _refuse(answer: HttpAnswer) -> Never:
    """Raise what the refusal means. The ledger's free text is left out: it may repeat a token."""
    if answer.status == _TOO_MANY:
        wait = _wait(answer.headers.get("retry-after", ""))
        raise RateLimited("the ledger's identity service asks us to wait", retry_after=wait, limit="app")
    if answer.status >= _SERVER_ERROR or answer.status == _TIMEOUT:
        raise LedgerUnavailable(f"the ledger's identity service answered HTTP {answer.status}")
    if answer.status < _BAD_REQUEST:
        raise _unreadable(f"with the unexpected status {answer.status}")
    code = _document(answer).get("error")
    if not isinstance(code, str) or not _ERROR_CODE.fullmatch(code):
        raise _unreadable(f"with status {answer.status} and no reason")
    raise refusal(code)


def refusal(code: str, description: str = "") -> DunwellError:
    """The error for an OAuth error code, from the token endpoint or on the way back from consent."""
    about_scope = "scope" in description.lower()
    if code == "invalid_scope" or (code == "unauthorized_client" and about_scope):
        return ScopeMissing(
            f"the ledger does not let this app ask for these scopes ({code})",
            next_step="give the app the scopes in the ledger's developer portal, then connect again",
        )
    if code in {"invalid_client", "unauthorized_client"}:
        return WrongCredentials(
            f"the ledger refused the app's client id or secret ({code})",
            next_step="check the client id and secret in the ledger's developer portal",
        )
    if code == "invalid_grant":
        return ConnectionRevoked("the consent was revoked or has expired", next_step="run `dunwell connect` again")
    if code == "access_denied":
        return Refused("consent was refused", not_done="nothing was stored", next_step="connect again and allow access")
    if code in {"server_error", "temporarily_unavailable"}:
        return LedgerUnavailable(f"the ledger's identity service is unavailable ({code})")
    return Refused(f"the ledger refused the request: {code if _ERROR_CODE.fullmatch(code) else 'unknown reason'}")


def _wait(raw: str) -> float:
    return float(min(int(raw), _LONGEST_WAIT)) if raw.isascii() and raw.isdigit() and len(raw) < 10 else _DEFAULT_WAIT
