"""Tokens: what the endpoint's answers mean, and one refresh per expiry for all threads and processes."""

from __future__ import annotations

import logging
import shutil
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from connector import oauth
from connector.errors import (
    Busy,
    ConnectionRevoked,
    DunwellError,
    LedgerUnavailable,
    NeedsPerson,
    OutcomeUnknown,
    RateLimited,
    Refused,
    ScopeMissing,
    StorageFailed,
    TokenExpired,
    UnreadableAnswer,
    WrongCredentials,
)
from connector.oauth import StoredTokens, TokenAnswer, TokenDocument, document_place
from connector.oauth.scopes import granted_scopes, scope_warnings
from connector.ports import Clock, Credentials, HttpAnswer, HttpRequest
from connector.store import connections, organisations, timeline
from connector.store.connections import ConnectionRow
from connector.store.db import Database
from connector.vault import Vault
from tests import builders
from tests.fakes import NOON, FakeClock, FakeIds
from tests.identity import APP, BASE, CANARY, SCOPES, Identity, LedgerSide, answer, lost_after, not_sent, says

PKCE_APP = Credentials("APP1-pkce")
TENANT = "default"
ENDPOINTS = LedgerSide().adapter().oauth(BASE)
BACK = "http://localhost:8484/callback"


# The endpoint: requests


def test_the_link_asks_for_what_the_ledger_needs() -> None:
    pkce = oauth.new_pkce()
    url = oauth.authorization_url(ENDPOINTS, "APP1", BACK, "st&te", pkce)
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert url.startswith(f"{BASE}/authorize?")
    assert query == {
        "response_type": "code",
        "client_id": "APP1",
        "redirect_uri": BACK,
        "scope": " ".join(SCOPES),
        "state": "st&te",
        "code_challenge": pkce.challenge,
        "code_challenge_method": "S256",
    }
    assert "code_challenge" not in oauth.authorization_url(ENDPOINTS, "APP1", BACK, "state")
    assert 43 <= len(pkce.verifier) <= 128
    assert oauth.new_state() != oauth.new_state()


def test_the_challenge_is_the_one_of_the_standard() -> None:
    # RFC 7636, appendix B
    pkce = oauth.Pkce("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert pkce.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_a_confidential_app_proves_itself_by_basic_and_a_pkce_app_by_its_verifier() -> None:
    identity = Identity(codes={"c1": None})
    tokens = oauth.exchange(identity, ENDPOINTS, APP, "c1", BACK)
    assert identity.requests[0].headers["Authorization"].startswith("Basic ")
    assert identity.form() == {"grant_type": "authorization_code", "code": "c1", "redirect_uri": BACK}
    assert (tokens.expires_in, tokens.scopes) == (1800, SCOPES)
    pkce = oauth.new_pkce()
    identity.codes["c2"] = pkce.challenge
    oauth.exchange(identity, ENDPOINTS, PKCE_APP, "c2", BACK, pkce)
    assert "Authorization" not in identity.requests[1].headers
    assert (identity.form()["client_id"], identity.form()["code_verifier"]) == ("APP1-pkce", pkce.verifier)


def test_a_code_works_once_and_only_with_its_verifier() -> None:
    identity = Identity(codes={"c1": None, "c2": oauth.new_pkce().challenge})
    oauth.exchange(identity, ENDPOINTS, APP, "c1", BACK)
    with pytest.raises(Refused, match="used before"):
        oauth.exchange(identity, ENDPOINTS, APP, "c1", BACK)
    with pytest.raises(Refused):
        oauth.exchange(identity, ENDPOINTS, PKCE_APP, "c2", BACK, oauth.new_pkce())


@pytest.mark.parametrize("credentials", [Credentials("", "x"), Credentials("ä", "x"), Credentials("A", "x\ny")])
def test_impossible_credentials_are_refused_before_any_request(credentials: Credentials) -> None:
    identity = Identity()
    with pytest.raises(WrongCredentials):
        oauth.refresh(identity, ENDPOINTS, credentials, "token")
    assert identity.requests == []


# The endpoint: answers


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b'{"error":"invalid_client"}', WrongCredentials),
        (401, b'{"error":"invalid_client"}', WrongCredentials),
        (400, b'{"error":"unauthorized_client"}', WrongCredentials),
        (400, b'{"error":"invalid_grant"}', ConnectionRevoked),
        (400, b'{"error":"invalid_scope"}', ScopeMissing),
        (400, b'{"error":"access_denied"}', Refused),
        (400, b'{"error":"unsupported_grant_type"}', Refused),
        (400, b'{"error":"temporarily_unavailable"}', LedgerUnavailable),
        (400, b'{"error":["CANARY"]}', UnreadableAnswer),
        (400, b'{"error":"CANARY <b>"}', UnreadableAnswer),
        (403, b"<html>CANARY", UnreadableAnswer),
        (302, b"", UnreadableAnswer),
        (500, b"<html>CANARY", LedgerUnavailable),
        (503, b'{"error":"invalid_grant"}', LedgerUnavailable),
        (408, b"", LedgerUnavailable),
        (429, b"", RateLimited),
        (200, b"<html>CANARY", UnreadableAnswer),
        (200, b"[" * 100_000, UnreadableAnswer),
        (200, b"[]", UnreadableAnswer),
        (200, b'{"refresh_token":"r"}', UnreadableAnswer),
        (200, b'{"access_token":"CANARY\\r\\nX-Evil: 1"}', UnreadableAnswer),
        (200, b'{"access_token":7}', UnreadableAnswer),
        (200, b'{"access_token":"a","refresh_token":{"CANARY":1}}', UnreadableAnswer),
        (200, b'{"access_token":"a","token_type":"mac"}', UnreadableAnswer),
    ],
)
def test_every_refusal_has_its_name_and_repeats_nothing(status: int, body: bytes, expected: type[DunwellError]) -> None:
    with pytest.raises(DunwellError) as caught:
        oauth.refresh(Identity(faults=[says(status, body)]), ENDPOINTS, APP, "token")
    assert type(caught.value) is expected
    assert CANARY not in "".join(traceback.format_exception(caught.value)) + str(caught.value.as_dict())


@pytest.mark.parametrize(("header", "seconds"), [("26", 26.0), ("", 60.0), ("soon", 60.0), ("-1", 60.0)])
def test_a_rate_limit_says_how_long(header: str, seconds: float) -> None:
    with pytest.raises(RateLimited) as caught:
        oauth.refresh(Identity(faults=[says(429, b"", retry_after=header)]), ENDPOINTS, APP, "token")
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [(1800, 1800), ("1800", 1800), (None, 300), (-5, 300), (True, 300), ("x", 300), (10**12, 86400), (1.5, 300)],
)
def test_lifetimes_are_read_with_distrust(raw: object, seconds: int) -> None:
    given = answer(200, {"access_token": "a", "expires_in": raw})
    tokens = oauth.refresh(Identity(faults=[lambda _request, _handle: given]), ENDPOINTS, APP, "token")
    assert tokens.expires_in == seconds


def test_a_lost_answer_is_told_apart_only_where_it_matters() -> None:
    with pytest.raises(OutcomeUnknown):
        oauth.refresh(Identity(faults=[lost_after]), ENDPOINTS, APP, "token")
    with pytest.raises(LedgerUnavailable):
        oauth.exchange(Identity(codes={"c": None}, faults=[lost_after]), ENDPOINTS, APP, "c", BACK)
    with pytest.raises(LedgerUnavailable):
        oauth.client_credentials(Identity(faults=[lost_after]), ENDPOINTS, APP, ["a"])
    with pytest.raises(LedgerUnavailable):
        oauth.revoke(Identity(faults=[lost_after]), ENDPOINTS, APP, "token")


def test_revoking_and_its_refusal() -> None:
    identity = Identity()
    oauth.revoke(identity, ENDPOINTS, APP, "token-1")
    assert (identity.revoked, identity.form()) == (["token-1"], {"token": "token-1"})
    with pytest.raises(WrongCredentials):
        oauth.revoke(identity, ENDPOINTS, Credentials("APP1", "wrong"), "token-1")


# Scopes


def test_scopes_are_taken_from_the_answer_then_the_token_then_the_request() -> None:
    asked = ("a", "b")
    claims = "e30.eyJzY29wZSI6WyJhIiwgImMiXX0.sig"  # {"scope":["a", "c"]}
    said = TokenAnswer("x", "", 1, None, ("z",))
    assert granted_scopes(said, asked) == ("z",)
    assert granted_scopes(replace(said, scopes=(), access=claims), asked) == ("a", "c")
    for opaque in ("opaque", "a.b.c", "e30.e30.x", "..", "x.W10.y", f"x.{'W' * 4001}.y"):
        assert granted_scopes(replace(said, scopes=(), access=opaque), asked) == asked


def test_missing_scopes_block_or_warn() -> None:
    wanted = ("openid", "offline_access", "books", "settings.read")
    assert scope_warnings(wanted, wanted) == []
    assert scope_warnings(("books", "settings"), wanted) == []  # the wider scope covers reading; openid is no record
    (warning,) = scope_warnings(("books.read", "settings.read"), wanted)
    assert "read only" in warning
    assert "books" in warning
    with pytest.raises(ScopeMissing, match=r"does not cover books, settings\.read"):
        scope_warnings(("openid", "offline_access"), wanted)


# Stored tokens


@dataclass
class Shop:
    """One stored connection on a real database."""

    db: Database
    clock: FakeClock
    identity: Identity
    side: LedgerSide = field(default_factory=LedgerSide)
    vault: Vault = field(default_factory=lambda: Vault([b"k" * 32]))
    ids: FakeIds = field(default_factory=FakeIds)
    credentials: Credentials | None = APP

    def tokens(
        self, db: Database | None = None, clock: Clock | None = None, ids: FakeIds | None = None
    ) -> StoredTokens:
        return StoredTokens(
            db or self.db,
            self.vault,
            self.identity,
            self.side.adapter(),
            "con-1",
            clock or self.clock,
            ids or self.ids,
            self.credentials,
            tenant=TENANT,
        )

    def connect(self, *, app_kind: str = "confidential", client_id: str = "APP1", secret: str = "") -> None:
        self.identity.codes["c"] = None
        first = oauth.exchange(self.identity, ENDPOINTS, APP, "c", BACK)
        document = TokenDocument.issued_at(self.clock.now(), first, 60, secret)
        with self.db.writing(TENANT) as tx:
            connections.add(tx, self.row(document, app_kind, client_id))
            organisations.add(tx, builders.organisation(), "con-1", NOON.date())

    def row(self, document: TokenDocument, app_kind: str = "confidential", client_id: str = "APP1") -> ConnectionRow:
        return ConnectionRow(
            id="con-1",
            ledger="xero",
            base_url=BASE,
            client_id=client_id,
            app_kind=app_kind,
            scopes=document.scopes,
            state="active",
            sealed=self.vault.seal(document.to_bytes(), document_place(TENANT, "con-1")),
            version=1,
            access_expires_at=document.expires,
            refresh_expires_at=document.refresh_expires,
            lease_holder="",
            lease_until=None,
            epoch=0,
            note="",
            grant_id="grant-1",
        )

    def stored(self) -> ConnectionRow:
        with self.db.reading(TENANT) as tx:
            return connections.get(tx, "con-1")

    def notices(self) -> list[str]:
        with self.db.reading(TENANT) as tx:
            return [entry.kind for entry in timeline.entries(tx, subject="con-1")]

    @property
    def refreshes(self) -> int:
        return self.identity.counts.get("refresh_token", 0)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database, to copy: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / "shop.db"
    db = Database.open(f"sqlite:///{path}", FakeClock())
    db.migrate()
    db.close()
    return path


@pytest.fixture
def shop(tmp_path: Path, empty: Path) -> Iterator[Shop]:
    clock = FakeClock()
    shutil.copy(empty, tmp_path)
    db = Database.open(f"sqlite:///{tmp_path / 'shop.db'}", clock)
    made = Shop(db, clock, Identity())
    made.connect()
    yield made
    db.close()


def test_a_token_is_used_until_two_minutes_before_its_end(shop: Shop) -> None:
    tokens = shop.tokens()
    first = tokens.access()
    shop.clock.advance(seconds=1800 - 121)
    assert tokens.access() == shop.tokens().access() == first
    assert shop.refreshes == 0
    shop.clock.advance(seconds=1)
    second = tokens.access()
    assert second != first
    assert shop.tokens().access() == second
    assert shop.refreshes == 1
    row = shop.stored()
    assert (row.state, row.version, row.lease_holder, row.note) == ("active", 2, "", "")
    assert row.access_expires_at == shop.clock.now() + timedelta(seconds=1800)
    assert row.refresh_expires_at == shop.clock.now() + timedelta(days=60)


def test_a_short_lived_token_is_not_refreshed_at_every_call(shop: Shop) -> None:
    shop.identity.lifetime = 100
    shop.clock.advance(hours=1)
    tokens = shop.tokens()
    assert len({tokens.access() for _ in range(3)} | {shop.tokens().access()}) == 1
    assert shop.refreshes == 1


def test_a_refused_token_is_replaced_once_for_everybody(shop: Shop) -> None:
    one, two = shop.tokens(), shop.tokens()
    refused = one.access()
    assert two.access() == refused
    fresh = one.replace(refused)
    assert fresh != refused
    assert two.replace(refused) == fresh
    assert one.access() == two.access() == fresh
    assert shop.refreshes == 1


def test_fresh_tokens_have_no_successor() -> None:
    fresh = oauth.FreshTokens(f"{CANARY}-token")
    assert fresh.access() == f"{CANARY}-token"
    assert CANARY not in repr(fresh)
    with pytest.raises(TokenExpired):
        fresh.replace(f"{CANARY}-token")


def test_eight_that_expire_together_refresh_once(shop: Shop, tmp_path: Path) -> None:
    """No grace: a refresh token used twice would answer invalid_grant and end the connection."""
    rounds = 5
    shop.side.grace_seconds = 0
    real = _Waiting(shop.clock)
    shared = shop.tokens(clock=real)
    databases = [Database.open(f"sqlite:///{tmp_path / 'shop.db'}", shop.clock) for _ in range(8)]
    each = [shop.tokens(db, real, FakeIds(f"p{n}")) for n, db in enumerate(databases)]
    for _ in range(rounds):
        shop.clock.advance(hours=1)
        got = _together([tokens.access for tokens in each] + [shared.access] * 4)
        assert len(set(got)) == 1
    refused = shared.access()
    assert len(set(_together([partial(tokens.replace, refused) for tokens in (*each, shared, shared)]))) == 1
    for db in databases:
        db.close()
    assert shop.identity.counts == {"authorization_code": 1, "refresh_token": rounds + 1}
    assert (shop.stored().state, shop.stored().version) == ("active", rounds + 2)


class _Waiting:
    """The shop's instants, and real (very short) waits: losers of the lease must not run virtual time away."""

    def __init__(self, clock: FakeClock) -> None:
        self.now = self.lease_now = clock.now
        self._never = threading.Event()

    def sleep(self, seconds: float) -> None:
        self._never.wait(min(seconds, 0.002))


def _together(calls: list[Callable[[], str]]) -> list[str]:
    """Run all at the same moment. Whatever one raises is raised."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], str]) -> str:
        gate.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_no_request_is_sent_inside_a_transaction(shop: Shop) -> None:
    def write_meanwhile(request: HttpRequest, handle: Callable[[], HttpAnswer]) -> HttpAnswer:
        with shop.db.writing(TENANT) as tx:  # refused by the database if one were open
            timeline.append(tx, "", "test", "meanwhile", "test", {})
        return handle()

    shop.clock.advance(hours=1)
    shop.identity.faults = [write_meanwhile]
    shop.tokens().access()
    assert shop.refreshes == 1


@pytest.mark.parametrize("fault", [lost_after, says(503), says(200, b"<html>"), not_sent])
def test_a_lost_answer_is_asked_for_again_within_the_grace(shop: Shop, fault: object) -> None:
    shop.identity.grace = True
    shop.clock.advance(hours=1)
    assert callable(fault)
    shop.identity.faults = [fault, fault]
    token = shop.tokens().access()
    assert [shop.identity.form(n)["refresh_token"] for n in (1, 2, 3)] == [f"{CANARY}-refresh-1"] * 3
    assert shop.clock.slept == [1.0, 3.0]
    assert shop.tokens().access() == token


def test_without_an_answer_the_connection_is_kept_and_the_next_call_tries_the_same_token(shop: Shop) -> None:
    shop.identity.grace = True
    shop.clock.advance(hours=1)
    shop.identity.faults = [lost_after, lost_after, lost_after]
    with pytest.raises(LedgerUnavailable, match="could not be refreshed") as caught:
        shop.tokens().access()
    assert "connection itself is kept" in caught.value.next_step
    row = shop.stored()
    assert (row.state, row.lease_holder, row.version) == ("active", "", 1)
    assert "connection was reset" in row.note
    shop.tokens().access()
    assert shop.identity.form()["refresh_token"] == f"{CANARY}-refresh-1"
    assert shop.stored().note == ""


def test_without_grace_a_used_token_is_tried_once_more_only(shop: Shop) -> None:
    shop.side.grace_seconds = 0
    shop.clock.advance(hours=1)
    shop.identity.faults = [not_sent, not_sent, not_sent]
    with pytest.raises(LedgerUnavailable):
        shop.tokens().access()
    assert len(shop.identity.requests) == 1 + 2


def test_a_crash_in_the_middle_is_healed_by_the_next_process(shop: Shop) -> None:
    class Killed(BaseException):
        pass

    def die(_request: HttpRequest, handle: Callable[[], HttpAnswer]) -> HttpAnswer:
        handle()
        raise Killed

    shop.identity.grace = True
    shop.clock.advance(hours=1)
    shop.identity.faults = [die]
    with pytest.raises(Killed):
        shop.tokens().access()
    assert shop.stored().state == "refreshing"
    started = shop.clock.now()
    assert shop.tokens().access() == f"{CANARY}-access-3"  # the second went to the dead
    assert timedelta(seconds=120) <= shop.clock.now() - started < timedelta(seconds=125)
    assert (shop.stored().state, shop.stored().version) == ("active", 2)


def test_a_lease_that_never_ends_makes_the_others_busy(shop: Shop) -> None:
    shop.clock.advance(hours=1)
    now = shop.clock.now()
    with shop.db.writing(TENANT) as tx:
        assert connections.take_refresh_lease(tx, "con-1", "stuck", 1, now, timedelta(days=1)) == 1
    with pytest.raises(Busy):
        shop.tokens().access()
    assert shop.refreshes == 0


def test_a_dead_refresh_token_is_said_once_and_never_tried_again(shop: Shop) -> None:
    shop.clock.advance(hours=1)
    shop.identity.dead = True
    with pytest.raises(ConnectionRevoked) as caught:
        shop.tokens().access()
    assert caught.value.record == "Kauri Joinery Ltd"
    assert "dunwell connect xero" in caught.value.next_step
    assert shop.stored().state == "needs_reauth"
    for _ in range(2):
        with pytest.raises(ConnectionRevoked):
            shop.tokens().access()
    assert shop.refreshes == 1
    assert shop.notices().count("connection.needs_reauth") == 1


def test_a_late_invalid_grant_does_not_end_a_connection_that_was_renewed_meanwhile(shop: Shop) -> None:
    later = TokenDocument("new-access", "new-refresh", NOON + timedelta(hours=9), NOON, None, SCOPES)

    def reconnect_first(_request: HttpRequest, _handle: Callable[[], HttpAnswer]) -> HttpAnswer:
        with shop.db.writing(TENANT) as tx:
            connections.replace(tx, shop.row(later))
        return answer(400, {"error": "invalid_grant"})

    shop.clock.advance(hours=1)
    shop.identity.faults = [reconnect_first]
    assert shop.tokens().access() == "new-access"
    assert shop.stored().state == "active"


def test_tokens_that_arrive_after_the_lease_was_lost_are_not_stored(shop: Shop) -> None:
    later = TokenDocument("new-access", "new-refresh", NOON + timedelta(hours=9), NOON, None, SCOPES)

    def reconnect_first(_request: HttpRequest, handle: Callable[[], HttpAnswer]) -> HttpAnswer:
        with shop.db.writing(TENANT) as tx:
            connections.replace(tx, shop.row(later))
        return handle()

    shop.clock.advance(hours=1)
    shop.identity.faults = [reconnect_first]
    assert shop.tokens().access() == "new-access"


def test_a_disconnected_organisation_gets_no_token(shop: Shop) -> None:
    with shop.db.writing(TENANT) as tx:
        connections.disconnect(tx, "con-1", "by Ana")
    with pytest.raises(ConnectionRevoked, match="by Ana"):
        shop.tokens().access()


def test_a_wrong_secret_leaves_the_connection_alone(shop: Shop) -> None:
    shop.credentials = Credentials("APP1", "wrong")
    shop.clock.advance(hours=1)
    with pytest.raises(WrongCredentials):
        shop.tokens().access()
    assert shop.stored().state == "active"
    shop.credentials = APP
    assert shop.tokens().access()


@pytest.mark.parametrize("credentials", [None, Credentials("APP1"), Credentials("OTHER", "other secret")])
def test_a_secret_that_is_not_set_is_asked_for_by_variable(shop: Shop, credentials: Credentials | None) -> None:
    shop.credentials = credentials
    shop.clock.advance(hours=1)
    with pytest.raises(WrongCredentials) as caught:
        shop.tokens().access()
    assert "DUNWELL_XERO_CLIENT_SECRET" in caught.value.next_step
    assert len(shop.identity.requests) == 1  # the exchange; the other app's secret never left
    assert shop.stored().state == "active"


def test_a_sealed_secret_serves_where_the_environment_has_none(shop: Shop) -> None:
    shop.credentials = None
    document = TokenDocument("a", f"{CANARY}-refresh-1", NOON, NOON, None, SCOPES, client_secret=APP.secret)
    with shop.db.writing(TENANT) as tx:
        connections.replace(tx, shop.row(document))
    assert shop.tokens().access() == f"{CANARY}-access-2"
    shop.clock.advance(hours=1)
    assert shop.tokens().access() == f"{CANARY}-access-3"  # the secret was kept through the first refresh


def test_a_pkce_app_refreshes_without_a_secret(shop: Shop) -> None:
    document = TokenDocument("a", f"{CANARY}-refresh-1", NOON, NOON, None, SCOPES)
    with shop.db.writing(TENANT) as tx:
        connections.replace(tx, shop.row(document, "pkce", "APP1-pkce"))
    assert shop.tokens().access() == f"{CANARY}-access-2"
    assert shop.identity.form()["client_id"] == "APP1-pkce"
    assert "Authorization" not in shop.identity.requests[-1].headers


def test_a_custom_connection_mints_again(shop: Shop) -> None:
    document = TokenDocument("a", "", NOON, NOON, None, ("books.write",))
    with shop.db.writing(TENANT) as tx:
        connections.replace(tx, shop.row(document, "custom"))
    assert shop.tokens().access() == f"{CANARY}-access-2"
    assert shop.identity.form() == {"grant_type": "client_credentials", "scope": "books.write"}
    assert shop.stored().refresh_expires_at is None


def test_an_answer_without_a_refresh_token_keeps_the_old_one(shop: Shop) -> None:
    shop.clock.advance(hours=1)
    shop.identity.faults = [lambda _request, _handle: answer(200, {"access_token": "a", "expires_in": 1800})]
    assert shop.tokens().access() == "a"
    assert shop.stored().scopes == SCOPES
    shop.clock.advance(hours=1)
    shop.tokens().access()
    assert shop.identity.form()["refresh_token"] == f"{CANARY}-refresh-1"


def test_tokens_that_cannot_be_stored_are_not_used(shop: Shop) -> None:
    def lose_the_disk(_request: HttpRequest, handle: Callable[[], HttpAnswer]) -> HttpAnswer:
        got = handle()
        shop.db.close()
        path.unlink()
        path.mkdir()
        return got

    path = Path(str(shop.db.engine.url.database))
    shop.clock.advance(hours=1)
    shop.identity.faults = [lose_the_disk]
    tokens = shop.tokens()
    with pytest.raises(StorageFailed):
        tokens.access()
    with pytest.raises(StorageFailed):
        tokens.access()


def test_a_wrong_master_key_is_said_and_nothing_is_lost(shop: Shop) -> None:
    right, shop.vault = shop.vault, Vault([b"x" * 32])
    with pytest.raises(NeedsPerson, match="another master key"):
        shop.tokens().access()
    shop.vault = right
    assert shop.tokens().access()


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"access":1}', b"\xff"])
def test_a_document_of_another_make_is_refused(raw: bytes) -> None:
    with pytest.raises(NeedsPerson, match="cannot be read"):
        TokenDocument.from_bytes(raw)


def test_a_document_survives_its_sealing() -> None:
    at = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
    said = TokenAnswer("a", "r", 1800, 8726400, ("x", "y"))
    document = TokenDocument.issued_at(at, said, 60, "secret")
    assert document.refresh_expires == at + timedelta(seconds=8726400)
    assert TokenDocument.from_bytes(document.to_bytes()) == document
    custom = TokenDocument.issued_at(at, replace(said, refresh=""), 60)
    assert custom.refresh_expires is None
    assert TokenDocument.from_bytes(custom.to_bytes()) == custom


def test_no_token_or_secret_shows_anywhere(shop: Shop, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []
    with caplog.at_level(logging.DEBUG):
        tokens = shop.tokens()
        assert CANARY in tokens.access()
        shop.clock.advance(hours=1)
        assert CANARY in tokens.access()
        seen += [repr(tokens), repr(shop.stored()), repr(APP), repr(oauth.Pkce(CANARY))]
        seen.append(repr(oauth.exchange(Identity(codes={"c": None}), ENDPOINTS, APP, "c", BACK)))
        seen.append(repr(TokenDocument(CANARY, CANARY, NOON, NOON, None, (), CANARY)))
        for fault in (says(500, CANARY.encode()), says(400, b'{"error":"invalid_client"}'), lost_after, not_sent):
            shop.clock.advance(hours=1)
            shop.identity.faults = [fault] * 3
            with pytest.raises(DunwellError) as caught:
                shop.tokens().access()
            seen += [str(caught.value.as_dict()), "".join(traceback.format_exception(caught.value))]
        shop.identity.dead = True
        with pytest.raises(ConnectionRevoked) as revoked:
            shop.tokens().access()
        seen.append("".join(traceback.format_exception(revoked.value)))
    assert CANARY not in "\n".join(seen)
    assert CANARY not in caplog.text
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    assert files
    assert not any(CANARY.encode() in content for content in files)
