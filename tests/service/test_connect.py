"""Connecting, listing and disconnecting: everything is known before anything is stored."""

from __future__ import annotations

import http.client
import logging
import shutil
import socket
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from connector.errors import (
    ConnectionRevoked,
    DunwellError,
    LedgerRejected,
    LedgerUnavailable,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Refused,
    ScopeMissing,
    UnreadableAnswer,
    UserError,
    WrongCredentials,
)
from connector.oauth import TokenDocument, document_place
from connector.ports import Adapter, Credentials, Grant, HttpAnswer, HttpRequest
from connector.service.connect import (
    Connected,
    ConnectRequest,
    ConnectWiring,
    begin,
    choose_none,
    connect_custom,
    finish,
    stored_tokens,
)
from connector.service.connected import disconnect, listing
from connector.service.consent import Pending, receive, self_consent
from connector.store import connections, organisations, timeline
from connector.store.connections import ConnectionRow
from connector.store.db import Database
from connector.vault import Vault
from tests import builders
from tests.fakes import NOON, FakeClock, FakeIds, FakeRandom
from tests.identity import APP, BASE, CANARY, SCOPES, Identity, LedgerSide, answer, lost_after, says

TENANT = "default"
ASK = ConnectRequest("xero", APP, BASE)
KAURI, TOTARA = Grant("org-1", "Kauri Joinery Ltd", "grant-1"), Grant("org-2", "Totara Ltd", "grant-2")


@dataclass
class Office:
    """A project on a real database, a fake identity service and a fake ledger."""

    db: Database
    clock: FakeClock = field(default_factory=FakeClock)
    identity: Identity = field(default_factory=Identity)
    side: LedgerSide = field(default_factory=LedgerSide)
    vault: Vault = field(default_factory=lambda: Vault([b"k" * 32]))
    ids: FakeIds = field(default_factory=lambda: FakeIds("con"))
    credentials: Credentials | None = APP
    tenant: str = TENANT

    @property
    def w(self) -> ConnectWiring:
        return ConnectWiring(
            tenant=self.tenant,
            db=self.db,
            vault=self.vault,
            http=self.identity,
            clock=self.clock,
            ids=self.ids,
            random=FakeRandom(),
            adapter=self.side.adapter,
            credentials=lambda _adapter: self.credentials,
            who="Ana",
        )

    def connect(
        self,
        request: ConnectRequest = ASK,
        choose: Callable[[Sequence[Grant]], Grant | None] = choose_none,
        consent: Callable[[str], str] | None = None,
    ) -> Connected:
        pending = begin(self.w, request)
        return finish(self.w, request, pending, (consent or self.identity.consent)(pending.url), choose)

    def connection(self) -> ConnectionRow:
        """The consent of the first organisation."""
        with self.db.reading(self.tenant) as tx:
            row = connections.for_organisation(tx, "xero:org-1")
        assert row is not None
        return row

    def document(self) -> TokenDocument:
        row = self.connection()
        return TokenDocument.from_bytes(self.vault.unseal(row.sealed, document_place(self.tenant, row.id)))

    def stored(self) -> tuple[list[str], list[str]]:
        """Organisation ids, and connection ids with their states."""
        with self.db.reading(self.tenant) as tx:
            names = [row.id for row in organisations.all(tx)]
            return names, [f"{row.id} {row.state}" for row in connections.all(tx)]

    def events(self, organisation_id: str = "xero:org-1") -> list[str]:
        with self.db.reading(self.tenant) as tx:
            return [f"{e.kind} by {e.actor}" for e in timeline.entries(tx, organisation_id) if e.actor == "Ana"]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database, to copy: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / "office.db"
    db = Database.open(f"sqlite:///{path}", FakeClock())
    db.migrate()
    db.close()
    return path


@pytest.fixture
def office(tmp_path: Path, empty: Path) -> Iterator[Office]:
    clock = FakeClock()
    shutil.copy(empty, tmp_path)
    db = Database.open(f"sqlite:///{tmp_path / 'office.db'}", clock)
    made = Office(db, clock)
    yield made
    db.close()


# What is stored


def test_connecting_stores_the_organisation_and_its_sealed_tokens(office: Office) -> None:
    office.clock.set(NOON.replace(hour=12))  # 01:00 the next day in Auckland
    connected = office.connect(replace(ASK, preset="gentle"))
    assert connected.scopes == SCOPES
    assert connected.warnings == ()
    assert not connected.renewed
    row = connected.organisation
    assert (row.id, row.mode, row.preset) == ("xero:org-1", "observe", "gentle")
    assert row.start_date == date(2026, 3, 3)
    consent = office.connection()
    assert (consent.app_kind, consent.client_id, consent.base_url) == ("confidential", "APP1", BASE)
    assert (consent.grant_id, consent.state, consent.scopes) == ("grant-1", "active", SCOPES)
    assert consent.access_expires_at == office.clock.now() + timedelta(minutes=30)
    assert consent.refresh_expires_at == office.clock.now() + timedelta(days=60)
    assert office.document().refresh == f"{CANARY}-refresh-1"
    assert office.events() == ["organisation.connected by Ana"]
    assert stored_tokens(office.w, office.side.adapter(), consent.id).access() == f"{CANARY}-access-1"


def test_without_a_secret_the_app_is_a_pkce_app(office: Office) -> None:
    office.credentials = None
    request = ConnectRequest("xero", Credentials("APP1-pkce"), BASE)
    query = parse_qs(urlsplit(begin(office.w, request).url).query)
    assert query["code_challenge_method"] == ["S256"]
    office.connect(request)
    assert office.connection().app_kind == "pkce"
    office.clock.advance(hours=1)
    assert stored_tokens(office.w, office.side.adapter(), "con-1").access() == f"{CANARY}-access-2"


def test_a_confidential_app_sends_no_challenge(office: Office) -> None:
    assert "code_challenge" not in begin(office.w, ASK).url


@pytest.mark.parametrize("environment", [None, Credentials("OTHER", "other"), Credentials("APP1", "former secret")])
def test_a_secret_from_the_prompt_is_kept_sealed_for_refreshing(
    office: Office, environment: Credentials | None
) -> None:
    office.credentials = environment
    office.connect()
    assert office.document().client_secret == APP.secret


def test_a_secret_from_the_environment_is_not_copied(office: Office) -> None:
    office.connect()
    assert office.document().client_secret == ""


def test_connecting_again_renews_the_connection_and_keeps_the_organisation(office: Office) -> None:
    first = office.connect(replace(ASK, preset="gentle")).organisation
    with office.db.writing(TENANT) as tx:
        organisations.set_mode(tx, first.id, "approve")
        organisations.set_cursor(tx, first.id, "cursor-7", office.clock.now())
    office.clock.advance(days=9)
    office.side.records["org-1"] = builders.organisation("org-1", name="Kauri Joinery 2026 Ltd")
    again = office.connect()
    assert again.renewed
    kept = again.organisation
    assert (kept.mode, kept.cursor, kept.preset, kept.start_date) == ("approve", "cursor-7", "gentle", first.start_date)
    assert (kept.connection_id, kept.record.name) == (first.connection_id, "Kauri Joinery 2026 Ltd")
    assert office.document().refresh == f"{CANARY}-refresh-2"
    assert office.stored() == (["xero:org-1"], ["con-1 active"])


def test_a_revoked_connection_lives_again_after_connecting(office: Office) -> None:
    office.connect()
    office.clock.advance(hours=1)
    office.identity.dead = True
    tokens = stored_tokens(office.w, office.side.adapter(), "con-1")
    with pytest.raises(ConnectionRevoked):
        tokens.access()
    office.identity.dead = False
    office.connect()
    assert tokens.access() == f"{CANARY}-access-2"


def test_an_organisation_of_another_tenant_is_refused_and_untouched(office: Office) -> None:
    office.connect()
    office.tenant = "other"
    with pytest.raises(Refused, match="connected already"):
        office.connect()
    assert office.stored() == ([], [])
    office.tenant = TENANT
    assert office.document().refresh == f"{CANARY}-refresh-1"


def test_warnings_tell_what_would_go_wrong(office: Office) -> None:
    office.identity.scopes = ("offline_access", "books.write.read", "settings.read")
    office.side.records["org-1"] = builders.organisation("org-1", demo=True, native_reminders=True)
    warnings = "\n".join(office.connect().warnings)
    for part in ("writing for books.write", "reminded twice", "demo company"):
        assert part in warnings
    office.side.records["org-1"] = builders.organisation("org-1", native_reminders=None)
    assert "could not be read" in "\n".join(office.connect().warnings)


# Which organisation


def test_one_new_organisation_among_several_is_taken(office: Office) -> None:
    office.connect()
    office.side.grants = (KAURI, TOTARA)
    assert office.connect().organisation.id == "xero:org-2"
    assert office.stored()[0] == ["xero:org-1", "xero:org-2"]


@pytest.mark.parametrize("wanted", ["org-2", "totara ltd"])
def test_the_organisation_named_is_taken(office: Office, wanted: str) -> None:
    office.side.grants = (KAURI, TOTARA)
    assert office.connect(replace(ASK, organisation=wanted)).organisation.id == "xero:org-2"


def test_several_organisations_are_asked_about(office: Office) -> None:
    office.side.grants = (KAURI, TOTARA)
    seen: list[Sequence[Grant]] = []

    def choose(grants: Sequence[Grant]) -> Grant:
        seen.append(grants)
        return grants[1]

    assert office.connect(choose=choose).organisation.id == "xero:org-2"
    assert seen == [(KAURI, TOTARA)]


@pytest.mark.parametrize(
    ("grants", "wanted", "expected", "words"),
    [
        ((), "", Refused, "reaches no organisation"),
        ((KAURI, TOTARA), "", Refused, "Kauri Joinery Ltd (org-1), Totara Ltd (org-2)"),
        ((KAURI, TOTARA), "Rimu", NotFound, "does not reach 'Rimu'"),
        ((KAURI, replace(TOTARA, name=KAURI.name)), KAURI.name, Refused, "several"),
    ],
)
def test_no_certain_organisation_stores_nothing(
    office: Office, grants: tuple[Grant, ...], wanted: str, expected: type[DunwellError], words: str
) -> None:
    office.side.grants = grants
    with pytest.raises(expected) as caught:
        office.connect(replace(ASK, organisation=wanted))
    assert words in str(caught.value)
    assert office.stored() == ([], [])


def test_a_choice_that_was_not_offered_is_refused(office: Office) -> None:
    office.side.grants = (KAURI, TOTARA)
    with pytest.raises(Refused):
        office.connect(choose=lambda _grants: Grant("org-9", "Elsewhere"))
    assert office.stored() == ([], [])


# What goes wrong on the way


def _with(**changes: str) -> Callable[[Identity, str], str]:
    """The true redirect with some parameters changed, or left out where empty."""

    def change(identity: Identity, url: str) -> str:
        base, _, query = identity.consent(url).partition("?")
        fields = dict(parse_qsl(query)) | changes
        return f"{base}?" + "&".join(f"{name}={value}" for name, value in fields.items() if value)

    return change


@pytest.mark.parametrize(
    ("crafted", "expected", "words"),
    [
        (_with(state="forged"), Refused, "state differs"),
        (_with(state=""), Refused, "state differs"),
        (_with(state="%C3%A4"), Refused, "state differs"),
        (_with(code=""), Refused, "no authorisation code"),
        (_with(code="a%0d%0ab"), Refused, "no authorisation code"),
        (_with(iss="https://evil.example"), Refused, "another service"),
        (_with(code="", error="access_denied"), Refused, "consent was refused"),
        (_with(error="access_denied", state="forged"), Refused, "state differs"),
        (_with(code="", error="invalid_scope"), ScopeMissing, "scopes"),
        (
            _with(code="", error="unauthorized_client", error_description="Invalid+scope+for+client"),
            ScopeMissing,
            "scopes",
        ),
        (_with(code="", error="unauthorized_client"), WrongCredentials, "client id or secret"),
        (_with(code="", error=f"%1b[31m{CANARY}"), Refused, "unknown reason"),
        (lambda identity, url: identity.consent(url) + "&code=second", Refused, "twice"),
        (
            lambda identity, url: identity.consent(url).replace("localhost:8484", "evil.example"),
            Refused,
            "not at http://localhost:8484/callback",
        ),
        (lambda identity, url: identity.consent(url).replace("/callback", "/other"), Refused, "not at"),
        (lambda _identity, _url: "http://[::1", Refused, "no address"),
        (lambda _identity, _url: "", Refused, "state differs"),
        (lambda _identity, _url: "x" * 9000, Refused, "too long"),
    ],
)
def test_a_crafted_answer_reaches_no_token_endpoint(
    office: Office, crafted: Callable[[Identity, str], str], expected: type[DunwellError], words: str
) -> None:
    with pytest.raises(expected) as caught:
        office.connect(consent=lambda url: crafted(office.identity, url))
    assert words in str(caught.value)
    assert CANARY not in str(caught.value.as_dict())
    assert office.identity.requests == []
    assert office.stored() == ([], [])


@pytest.mark.parametrize("shape", ["whole", "query", "question mark", "spaces", "issuer"])
def test_pasted_answers_may_have_any_honest_shape(office: Office, shape: str) -> None:
    def paste(url: str) -> str:
        whole = office.identity.consent(url)
        query = whole.partition("?")[2]
        shapes = {"whole": whole, "query": query, "question mark": f"?{query}", "spaces": f"  {whole}\n"}
        return shapes.get(shape, f"{whole}&iss=http://127.0.0.1:9")

    assert office.connect(consent=paste).organisation.id == "xero:org-1"


def test_one_consent_is_good_for_one_answer(office: Office) -> None:
    pending = begin(office.w, ASK)
    redirect = office.identity.consent(pending.url)
    finish(office.w, ASK, pending, redirect)
    with pytest.raises(Refused, match="answered before"):
        finish(office.w, ASK, pending, redirect)


def test_a_replayed_code_stores_nothing(office: Office) -> None:
    pending = begin(office.w, ASK)
    redirect = office.identity.consent(pending.url)
    office.identity.codes.clear()
    with pytest.raises(Refused, match="authorisation code"):
        finish(office.w, ASK, pending, redirect)
    assert office.stored() == ([], [])


def _narrow(office: Office) -> None:
    office.identity.scopes = ("openid", "offline_access", "books.write")


def _no_refresh(office: Office) -> None:
    office.identity.gives_refresh = False


def _wrong_organisation(office: Office) -> None:
    office.side.records["org-1"] = builders.organisation("org-9")


def _ledger_down(office: Office) -> None:
    office.side.refuses = LedgerUnavailable("503")


def _lost(office: Office) -> None:
    office.identity.faults = [lost_after]


def _login_page(office: Office) -> None:
    office.identity.faults = [says(200, b"<html>")]


@pytest.mark.parametrize(
    ("prepare", "expected", "words"),
    [
        (_narrow, ScopeMissing, "does not cover settings.read"),
        (_no_refresh, ScopeMissing, "no refresh token"),
        (_wrong_organisation, Refused, "another organisation"),
        (_ledger_down, LedgerUnavailable, "503"),
        (_lost, LedgerUnavailable, "did not answer"),
        (_login_page, UnreadableAnswer, "no JSON"),
    ],
)
def test_whatever_goes_wrong_stores_nothing(
    office: Office, prepare: Callable[[Office], None], expected: type[DunwellError], words: str
) -> None:
    prepare(office)
    with pytest.raises(expected) as caught:
        office.connect()
    assert words in str(caught.value)
    assert office.stored() == ([], [])


def test_a_wrong_secret_is_named_and_not_shown(office: Office) -> None:
    secret = "WRONG-secret"
    with pytest.raises(WrongCredentials) as caught:
        office.connect(replace(ASK, credentials=Credentials("APP1", secret)))
    assert "check the client id and secret" in caught.value.next_step
    assert secret not in "".join(traceback.format_exception(caught.value)) + str(caught.value.as_dict())
    assert office.stored() == ([], [])


@pytest.mark.parametrize(
    ("request_", "expected", "words"),
    [
        (replace(ASK, ledger="sage"), NotFound, "sage"),
        (replace(ASK, credentials=Credentials("")), UserError, "client id"),
        (replace(ASK, base_url="http://evil.example"), Refused, "sandbox on this machine"),
        (replace(ASK, base_url="https://localhost@evil.example"), Refused, "sandbox on this machine"),
        (replace(ASK, port=0), UserError, "no port"),
        (replace(ASK, custom=True), UserError, "no consent page"),
    ],
)
def test_an_impossible_request_is_refused_before_any_call(
    office: Office, request_: ConnectRequest, expected: type[DunwellError], words: str
) -> None:
    with pytest.raises(expected, match=words):
        begin(office.w, request_)
    assert office.identity.requests == []


# Custom connections


def test_a_custom_connection_needs_no_person(office: Office) -> None:
    connected = connect_custom(office.w, replace(ASK, custom=True))
    assert office.identity.form()["scope"] == "books.write settings.read"
    assert connected.scopes == ("books.write", "settings.read")
    row = office.connection()
    assert (row.app_kind, row.refresh_expires_at) == ("custom", None)
    office.clock.advance(hours=1)
    assert stored_tokens(office.w, office.side.adapter(), row.id).access() == f"{CANARY}-access-2"
    assert listing(office.w)[0].warnings == ()


def test_a_custom_connection_without_a_secret_or_with_a_wrong_one(office: Office) -> None:
    with pytest.raises(UserError, match="secret"):
        connect_custom(office.w, ConnectRequest("xero", Credentials("APP1"), BASE, custom=True))
    with pytest.raises(WrongCredentials):
        connect_custom(office.w, ConnectRequest("xero", Credentials("APP1", "x"), BASE, custom=True))
    assert office.stored() == ([], [])


# The loopback listener


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _get(port: int, target: str, host: str | None = None) -> tuple[int, str, dict[str, str]]:
    browser = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        browser.request("GET", target, headers={"Host": host or f"localhost:{port}"})
        got = browser.getresponse()
        return got.status, got.read().decode(), {k.lower(): v for k, v in got.getheaders()}
    finally:
        browser.close()


def _listen(pending: Pending, visit: Callable[[int], None], limit: float = 20) -> str:
    """Receive while `visit` plays the browser in a thread, from the moment the link is shown."""
    port = urlsplit(pending.redirect_uri).port
    assert port is not None
    browser = threading.Thread(target=visit, args=(port,))
    try:
        return receive(pending, lambda _url: browser.start(), limit_seconds=limit)
    finally:
        browser.join()


def test_the_listener_takes_the_redirect_and_ignores_everything_else(
    office: Office, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    request = replace(ASK, port=_free_port())
    pending = begin(office.w, request)
    target = office.identity.consent(pending.url).partition(str(request.port))[2]
    pages: list[tuple[int, str, dict[str, str]]] = []

    def visit(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as silent:
            silent.sendall(b"\x16\x03\x01 not http\r\n\r\n")
        pages.append(_get(port, "/favicon.ico"))
        pages.append(_get(port, "/callback"))
        pages.append(_get(port, target, host="evil.example"))
        pages.append(_get(port, target))

    with caplog.at_level(logging.DEBUG):
        redirect = _listen(pending, visit)
    assert [page[0] for page in pages] == [404, 404, 404, 200]
    assert "default-src 'none'" in pages[3][2]["content-security-policy"]
    assert pages[3][2]["cache-control"] == "no-store"
    assert not any(CANARY in page[1] for page in pages)
    assert finish(office.w, request, pending, redirect).organisation.id == "xero:org-1"
    out, err = capfd.readouterr()
    assert CANARY not in out + err + caplog.text


def test_the_listener_page_holds_nothing_of_the_request(office: Office) -> None:
    pending = begin(office.w, replace(ASK, port=_free_port()))
    pages: list[str] = []
    target = "/callback?error=access_denied&x=<script>alert(1)</script>".replace("<", "%3C")
    redirect = _listen(pending, lambda port: pages.append(_get(port, target)[1]))
    assert "script" not in pages[0]
    with pytest.raises(Refused, match="state differs"):
        pending.code_in(redirect)


def test_nobody_answering_ends_the_wait(office: Office) -> None:
    pending = begin(office.w, replace(ASK, port=_free_port()))
    shown: list[str] = []
    with pytest.raises(Refused, match="nobody answered"):
        receive(pending, shown.append, limit_seconds=0.05)
    assert shown == [pending.url]


def test_a_taken_port_is_said_before_the_link_is_shown(office: Office) -> None:
    shown: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port}") as caught:
            receive(begin(office.w, replace(ASK, port=port)), shown.append)
    assert "--paste" in caught.value.next_step
    assert shown == []


# Consent by itself, at a sandbox


class SandboxPages:
    """The consent page and the control plane of a sandbox; tokens come from `identity`."""

    def __init__(self, identity: Identity, *names: str) -> None:
        self.identity = identity
        self.names = {f"org-{number}": name for number, name in enumerate(names, 1)}
        self.posted: dict[str, str] = {}
        self.instead: HttpAnswer | Exception | None = None

    def send(self, request: HttpRequest) -> HttpAnswer:
        if request.url == f"{BASE}/__sandbox/organisations":
            return answer(200, {"organisations": [{"id": i, "name": n} for i, n in self.names.items()]})
        self.posted = dict(parse_qsl(request.body.decode()))
        if isinstance(self.instead, Exception):
            raise self.instead
        return self.instead or HttpAnswer(302, {"location": self.identity.consent(request.url)}, b"")


def test_a_sandbox_is_consented_to_without_a_person(office: Office) -> None:
    pages = SandboxPages(office.identity, "Kauri Joinery Ltd", "Totara Ltd")
    pending = begin(office.w, ASK)
    redirect = self_consent(pages, pending, "totara LTD")
    assert pages.posted == {"decision": "allow", "organisation": "org-2"}
    office.side.grants = (TOTARA,)
    assert finish(office.w, ASK, pending, redirect).organisation.id == "xero:org-2"


@pytest.mark.parametrize(
    ("names", "wanted", "expected", "words"),
    [
        (("A", "B"), "", Refused, "several organisations: A, B"),
        (("A", "B"), "C", NotFound, "no organisation 'C'"),
        ((), "", NotFound, "no organisation"),
    ],
)
def test_the_sandbox_organisation_must_be_certain(
    office: Office, names: tuple[str, ...], wanted: str, expected: type[DunwellError], words: str
) -> None:
    pages = SandboxPages(office.identity, *names)
    with pytest.raises(expected, match=words):
        self_consent(pages, begin(office.w, ASK), wanted)
    assert pages.posted == {}


@pytest.mark.parametrize("base_url", ["", "https://login.xero.com", "http://localhost.evil.example"])
def test_consent_by_itself_is_refused_off_this_machine(office: Office, base_url: str) -> None:
    pending = begin(office.w, ASK)
    pages = SandboxPages(office.identity, "A")
    with pytest.raises(Refused, match="only a sandbox on this machine"):
        self_consent(pages, replace(pending, base_url=base_url))
    elsewhere = replace(pending, url=pending.url.replace(BASE, "https://login.xero.com"))
    with pytest.raises(Refused, match="only a sandbox on this machine"):
        self_consent(pages, elsewhere)
    assert pages.posted == {}


@pytest.mark.parametrize(
    "instead",
    [
        HttpAnswer(200, {}, b"<html>"),
        HttpAnswer(400, {}, b"<html>"),
        HttpAnswer(302, {}, b""),
        HttpAnswer(302, {"location": "http://evil.example/callback?code=x"}, b""),
        OutcomeUnknown("reset"),
    ],
)
def test_a_sandbox_that_does_not_send_back_is_refused(office: Office, instead: HttpAnswer | Exception) -> None:
    pages = SandboxPages(office.identity, "A")
    pages.instead = instead
    with pytest.raises(Refused):
        self_consent(pages, begin(office.w, ASK))


# Listing and disconnecting


def test_listing_tells_the_state_of_each_connection(office: Office) -> None:
    assert listing(office.w) == ()
    office.connect()
    (row,) = listing(office.w)
    assert (row.organisation.id, row.state, row.warnings) == ("xero:org-1", "active", ())
    office.clock.advance(days=31)
    assert "lapses in 29 days" in listing(office.w)[0].warnings[0]
    office.clock.advance(days=30)
    assert "lapsed unused" in listing(office.w)[0].warnings[0]
    office.identity.dead = True
    with pytest.raises(ConnectionRevoked):
        stored_tokens(office.w, office.side.adapter(), "con-1").access()
    (row,) = listing(office.w)
    assert row.state == "needs_reauth"
    assert row.warnings == ("has to be connected again: run `dunwell connect xero`",)
    assert "revoked" in row.note


def test_disconnecting_ends_the_consent_and_forgets_the_tokens(office: Office) -> None:
    office.connect()
    assert disconnect(office.w, "Kauri Joinery Ltd").warnings == ()
    assert office.side.disconnected == ["grant-1"]
    assert office.identity.revoked == [f"{CANARY}-refresh-1"]
    (row,) = listing(office.w)
    assert (row.state, row.warnings) == ("disconnected", ())
    assert office.connection().sealed == b""
    assert office.events()[-1] == "organisation.disconnected by Ana"
    with pytest.raises(Refused, match="disconnected already"):
        disconnect(office.w, "xero:org-1")
    assert office.connect().renewed
    assert listing(office.w)[0].state == "active"


def test_disconnecting_one_leaves_the_same_persons_other_organisation_alone(office: Office) -> None:
    office.side.records["org-2"] = builders.organisation("org-2", name="Totara Ltd")
    office.connect()
    office.side.grants = (TOTARA,)
    office.connect()
    disconnect(office.w, "Kauri Joinery Ltd")
    assert office.identity.revoked == []  # revoking would end Totara's consent as well
    assert [row.state for row in listing(office.w)] == ["disconnected", "active"]
    disconnect(office.w, "Totara Ltd")
    assert office.identity.revoked == [f"{CANARY}-refresh-2"]
    assert office.side.disconnected == ["grant-1", "grant-2"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotFound("no such connection"), "did not know"),
        (LedgerRejected("not allowed", status=400), "could not be ended at the ledger (not allowed)"),
        (Refused("its id is not known"), "check the connected apps in Xero"),
    ],
)
def test_a_connection_that_the_ledger_does_not_end_is_forgotten_here(
    office: Office, error: Exception, words: str
) -> None:
    office.connect()
    office.side.disconnect_error = error
    assert words in disconnect(office.w, "xero:org-1").warnings[0]
    assert listing(office.w)[0].state == "disconnected"


def test_a_dead_consent_can_be_disconnected_with_a_warning(office: Office) -> None:
    office.connect()
    office.clock.advance(hours=1)
    office.identity.dead = True
    (warning,) = disconnect(office.w, "xero:org-1").warnings
    assert "check the connected apps in Xero" in warning
    assert listing(office.w)[0].state == "disconnected"


@pytest.mark.parametrize("error", [LedgerUnavailable("503"), NotSent("no route")])
def test_an_unreachable_ledger_keeps_the_connection(office: Office, error: DunwellError) -> None:
    office.connect()
    office.side.disconnect_error = error
    with pytest.raises(type(error)):
        disconnect(office.w, "xero:org-1")
    assert listing(office.w)[0].state == "active"
    office.side.disconnect_error = None
    office.identity.faults = [lost_after]
    with pytest.raises(LedgerUnavailable):
        disconnect(office.w, "xero:org-1")
    assert listing(office.w)[0].state == "active"
    disconnect(office.w, "xero:org-1")
    assert listing(office.w)[0].state == "disconnected"


def test_an_unknown_organisation_is_not_found(office: Office) -> None:
    with pytest.raises(NotFound):
        disconnect(office.w, "Nobody Ltd")


def test_nothing_secret_shows(office: Office, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        pending = begin(office.w, ASK)
        assert pending.state not in repr(pending)
        assert CANARY not in repr(ASK)
        connected = finish(office.w, ASK, pending, office.identity.consent(pending.url))
        shown = repr(connected) + repr(listing(office.w)) + repr(disconnect(office.w, "xero:org-1"))
    assert CANARY not in shown + caplog.text
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    assert files
    assert not any(CANARY.encode() in content for content in files)


def test_adapters_are_loaded_by_the_name_given(office: Office) -> None:
    asked: list[str] = []

    def load(name: str) -> Adapter:
        asked.append(name)
        return office.side.adapter(name)

    begin(replace(office.w, adapter=load), ASK)
    assert asked == ["xero"]
