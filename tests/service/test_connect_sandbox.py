"""Connecting over a real socket to the Xero sandbox: consent, refresh, grace, revocation, its clock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

import adapters
from adapters.xero.sandbox.serve import Served, serve
from connector.clock import SandboxClock, SystemIds, SystemRandom, clock_for
from connector.errors import ConnectionRevoked, Refused, ScopeMissing, WrongCredentials
from connector.http import HttpxClient, client
from connector.ports import Credentials, HttpRequest
from connector.service.connect import (
    Connected,
    ConnectRequest,
    ConnectWiring,
    begin,
    connect_custom,
    finish,
    stored_tokens,
)
from connector.service.connected import disconnect, listing
from connector.service.consent import self_consent
from connector.store.db import Database
from connector.vault import Vault
from tests.fakes import NOON

pytestmark = pytest.mark.socket
XERO = adapters.load("xero")


@dataclass
class Desk:
    served: Served
    http: HttpxClient
    w: ConnectWiring

    @property
    def request(self) -> ConnectRequest:
        app = Credentials(self.served.client_id, self.served.client_secret)
        return ConnectRequest("xero", app, self.served.base_url)

    def connect(self, request: ConnectRequest) -> Connected:
        pending = begin(self.w, request)
        return finish(self.w, request, pending, self_consent(self.http, pending))

    def order(self, what: str, document: object) -> None:
        url = f"{self.served.base_url}/__sandbox/{what}"
        assert self.http.send(HttpRequest("POST", url, {}, json.dumps(document).encode())).status == 200


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    served = serve(port=0, books=None, now=NOON, seed=7, frozen=True)
    try:
        with closing(client()) as http:
            clock = clock_for([served.base_url], http)
            assert isinstance(clock, SandboxClock)
            with closing(Database.open(f"sqlite:///{tmp_path / 'desk.db'}", clock)) as db:
                db.migrate()
                w = ConnectWiring(
                    tenant="default",
                    db=db,
                    vault=Vault([b"k" * 32]),
                    http=http,
                    clock=clock,
                    ids=SystemIds(),
                    random=SystemRandom(),
                    adapter=lambda _name: XERO,
                    credentials=lambda _adapter: None,
                    who="Ana",
                )
                yield Desk(served, http, w)
    finally:
        served.stop()


@pytest.mark.parametrize("kind", ["confidential", "pkce", "custom"])
def test_each_kind_of_app_connects_and_refreshes(desk: Desk, kind: str) -> None:
    request = desk.request
    if kind == "pkce":
        request = replace(request, credentials=Credentials(f"{desk.served.client_id}-pkce"))
    custom = replace(request, custom=True)
    connected = connect_custom(desk.w, custom) if kind == "custom" else desk.connect(request)
    assert connected.organisation.record.ledger_id == desk.served.organisation["id"]
    tokens = stored_tokens(desk.w, XERO, connected.organisation.connection_id)
    first = tokens.access()
    desk.w.clock.sleep(1800)
    second = tokens.access()
    assert second != first
    assert XERO.grants(desk.http, desk.served.base_url, second)[0].ledger_id == desk.served.organisation["id"]
    assert listing(desk.w)[0].access_expires_at == NOON + timedelta(hours=1)


def test_a_refresh_whose_answer_was_cut_is_healed_by_the_grace(desk: Desk) -> None:
    connected = desk.connect(desk.request)
    desk.w.clock.sleep(1800)
    rule = {"match": {"method": "POST", "path": "/connect/token"}, "action": {"do": "reset_after_commit"}, "times": 1}
    desk.order("faults", rule)
    token = stored_tokens(desk.w, XERO, connected.organisation.connection_id).access()
    assert XERO.grants(desk.http, desk.served.base_url, token)


def test_refused_consent_narrow_scopes_and_a_wrong_secret_store_nothing(desk: Desk) -> None:
    desk.order("consent", {"refuse": True})
    with pytest.raises(Refused, match="consent was refused"):
        desk.connect(desk.request)
    with pytest.raises(WrongCredentials):
        desk.connect(replace(desk.request, credentials=Credentials(desk.served.client_id, "wrong")))
    desk.order("consent", {"drop_scopes": ["accounting.settings.read"]})
    with pytest.raises(ScopeMissing, match=r"accounting\.settings\.read"):
        desk.connect(desk.request)
    assert listing(desk.w) == ()


def test_consent_revoked_in_xero_needs_a_person_and_connecting_again_heals(desk: Desk) -> None:
    connected = desk.connect(desk.request)
    desk.order("consent", {"revoke_all": True})
    desk.w.clock.sleep(1800)
    tokens = stored_tokens(desk.w, XERO, connected.organisation.connection_id)
    with pytest.raises(ConnectionRevoked):
        tokens.access()
    assert listing(desk.w)[0].state == "needs_reauth"
    assert desk.connect(desk.request).renewed
    assert tokens.access()


def test_disconnecting_ends_everything_at_xero(desk: Desk) -> None:
    connected = desk.connect(desk.request)
    access = stored_tokens(desk.w, XERO, connected.organisation.connection_id).access()
    assert disconnect(desk.w, connected.organisation.id).warnings == ()
    assert XERO.grants(desk.http, desk.served.base_url, access) == ()
