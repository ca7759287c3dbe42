"""A consent under way: the link, the ways its answer comes back, and the reading of that answer.

The answer is the redirect with a code. A loopback listener takes it, a person pastes it, or (sandboxes only) dunwell
gives consent to itself.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from connector.clock import is_loopback
from connector.errors import NotFound, OutcomeUnknown, Refused, UnreadableAnswer, UserError
from connector.oauth.endpoint import Pkce, refusal
from connector.ports import HttpClient, HttpRequest

CALLBACK_PATH: Final = "/callback"
LIMIT_SECONDS: Final = 300.0
_REQUEST_SECONDS = 5.0  # one connection to the listener may take no longer
_START_AGAIN = "start `dunwell connect` again"
_NOTHING = "nothing was stored"
_FOUND, _SEE_OTHER, _OK = 302, 303, 200
_LONGEST = 8192


@dataclass(slots=True)
class Pending:
    """A consent that was asked for and not answered yet. Good for one answer."""

    url: str = field(repr=False)  # where the person consents; carries the state
    redirect_uri: str
    state: str = field(repr=False)
    pkce: Pkce | None
    hosts: frozenset[str]  # who may name itself as the issuer
    base_url: str
    _answered: bool = False

    def code_in(self, answer: str) -> str:
        """The authorisation code in the redirect `answer` (whole URL or its query).

        Raises `Refused` for an answer to another request, a second answer, or refused consent; `ScopeMissing`,
        `WrongCredentials` where the ledger says so. No request is made.
        """
        fields = self._fields(answer.strip())
        if self._answered:
            raise _refused("this consent was answered before")
        self._answered = True
        if not hmac.compare_digest(fields.get("state", "").encode(), self.state.encode()):
            raise _refused("the answer does not belong to this consent (its state differs)")
        if "iss" in fields and urlsplit(fields["iss"]).hostname not in self.hosts:
            raise _refused("the answer comes from another service than the one that was asked")
        if "error" in fields:
            raise refusal(fields["error"], fields.get("error_description", ""))
        code = fields.get("code", "")
        if not code or not code.isascii() or not code.isprintable():
            raise _refused("the answer holds no authorisation code")
        return code

    def _fields(self, answer: str) -> dict[str, str]:
        try:
            parts = urlsplit(answer)
        except ValueError:
            raise _refused("the answer is no address") from None
        if parts.scheme and (parts.scheme, parts.netloc, parts.path) != urlsplit(self.redirect_uri)[:3]:
            raise _refused(f"the answer is not at {self.redirect_uri}", "copy the whole address from the browser")
        query = parts.query if parts.scheme else answer.lstrip("?")
        if len(query) > _LONGEST:
            raise _refused("the answer is too long")
        fields = parse_qs(query, keep_blank_values=True)
        if any(len(values) != 1 for values in fields.values()):
            raise _refused("the answer gives a parameter twice")
        return {name: values[0] for name, values in fields.items()}


def _refused(what: str, next_step: str = _START_AGAIN) -> Refused:
    return Refused(what, not_done=_NOTHING, next_step=next_step)


def receive(pending: Pending, show: Callable[[str], None], *, limit_seconds: float = LIMIT_SECONDS) -> str:
    """Listen on the redirect address, `show` the link, and wait for the person: the answer, unread.

    Raises `UserError` when the port is taken, `Refused` when nobody answers in time. Real time: a person is waited for.
    """
    port = urlsplit(pending.redirect_uri).port
    assert port is not None, "a loopback redirect names its port"
    try:
        listener = _Listener(port)
    except OSError as error:
        raise UserError(
            f"port {port} of this machine cannot be listened on: {error.strerror}",
            next_step="give another with --port (and register it with the app), or use --paste",
        ) from error
    with listener:
        show(pending.url)
        until = time.monotonic() + limit_seconds
        while not listener.query:
            listener.timeout = until - time.monotonic()
            if listener.timeout <= 0:
                raise _refused("nobody answered the consent page in time", f"{_START_AGAIN}, or use --paste")
            listener.handle_request()
    return f"{pending.redirect_uri}?{listener.query}"


class _Listener(HTTPServer):
    """Takes one redirect on 127.0.0.1. Says nothing on the terminal: a request line holds the code."""

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.query = ""
        self.hosts = {f"localhost:{port}", f"127.0.0.1:{port}"}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A broken connection is the browser's matter; the wait goes on."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _REQUEST_SECONDS
    server_version = "dunwell"
    sys_version = ""

    def do_GET(self) -> None:
        assert isinstance(self.server, _Listener)
        parts = urlsplit(self.path)
        is_answer = parts.path == CALLBACK_PATH and {"code", "error"} & parse_qs(parts.query).keys()
        if self.headers.get("Host", "") not in self.server.hosts or not is_answer:
            self._say(404, "Nothing here", "This address only waits for the ledger's answer.")
            return
        self.server.query = parts.query
        self._say(200, "Thank you", "The answer has arrived. You can close this window and go back to the terminal.")

    def _say(self, status: int, title: str, text: str) -> None:
        """A page without anything from the request in it."""
        page = f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1><p>{text}'
        body = page.encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
            ("Referrer-Policy", "no-referrer"),
            ("Cache-Control", "no-store"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's own name
        """Nothing: the request line holds the code."""


def self_consent(http: HttpClient, pending: Pending, organisation: str = "") -> str:
    """Give consent at a sandbox as its user would: the answer, unread.

    `organisation` is an id or name, needed where the sandbox has several. Raises `Refused` off loopback, `NotFound`.
    """
    if not is_loopback(pending.base_url) or not is_loopback(pending.url):
        raise _refused("only a sandbox on this machine may be consented to without a person", "leave out --auto")
    form = {"decision": "allow", "organisation": _sandbox_organisation(http, pending.base_url, organisation)}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        answer = http.send(HttpRequest("POST", pending.url, headers, urlencode(form).encode()))
    except OutcomeUnknown as error:
        raise _refused("the sandbox did not answer the consent") from error
    location = answer.headers.get("location", "")
    if answer.status not in {_FOUND, _SEE_OTHER} or not location.startswith(f"{pending.redirect_uri}?"):
        raise _refused(f"the sandbox refused the consent form (HTTP {answer.status})", "check client id and port")
    return location


def _sandbox_organisation(http: HttpClient, base_url: str, wanted: str) -> str:
    """The id of the wanted organisation, or of the only one."""
    known = _sandbox_organisations(http, base_url)
    found = [one for one, name in known.items() if not wanted or wanted == one or wanted.casefold() == name.casefold()]
    if len(found) == 1:
        return found[0]
    names = ", ".join(known.values()) or "none"
    if not found:
        raise NotFound(f"the sandbox has no organisation {wanted!r}", not_done=_NOTHING, next_step=f"it has: {names}")
    raise _refused(f"the sandbox has several organisations: {names}", "name one with --organisation")


def _sandbox_organisations(http: HttpClient, base_url: str) -> Mapping[str, str]:
    url = f"{base_url.rstrip('/')}/__sandbox/organisations"
    try:
        answer = http.send(HttpRequest("GET", url))
    except OutcomeUnknown as error:
        raise _refused("the sandbox did not answer") from error
    try:
        listed = json.loads(answer.body)["organisations"] if answer.status == _OK else None
        return {str(one["id"]): str(one["name"]) for one in listed or ()}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UnreadableAnswer("the sandbox did not list its organisations", next_step="check --base-url") from None
