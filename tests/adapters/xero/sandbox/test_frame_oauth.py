"""Consent, tokens, revocation and connections, as an app sees them."""

from __future__ import annotations

import json
import re

import pytest

from adapters._twin.messages import Response
from adapters.xero.sandbox.jwt import sign
from tests.adapters.xero.sandbox.frame_client import (
    REDIRECT,
    SCOPES,
    START,
    Caller,
    challenge_of,
    claims,
    fields,
    returned,
    small_twin,
)

VERIFIER = "v" * 43


@pytest.fixture
def caller() -> Caller:
    return Caller(small_twin())


def error(response: Response) -> str:
    assert response.status == 400, response.body
    assert fields(response)["cache-control"].startswith("no-store")
    name = json.loads(response.body)["error"]
    assert isinstance(name, str)
    return name


def code_form(code: str, **more: str) -> dict[str, str]:
    return {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT} | more


def refresh_token(granted: dict[str, str]) -> str:
    return granted["refresh_token"]


def test_consent_page_lists_organisations_and_escapes_what_it_shows() -> None:
    twin = small_twin()
    [organisation] = twin.organisations()
    page = Caller(twin).send("GET", Caller(twin).authorize_url(state='"><script>alert(1)</script>'))
    text = page.body.decode()
    assert page.status == 200
    assert fields(page)["content-type"].startswith("text/html")
    assert f'name="organisation" value="{organisation.id}" checked' in text
    assert organisation.name in text
    assert re.findall(r'name="decision" value="(\w+)"', text) == ["allow", "cancel"]
    assert '<form method="post">' in text  # posts to its own address: nothing of the request in it
    assert "<script" not in text


def test_a_hostile_organisation_name_stays_text() -> None:
    caller = Caller(small_twin())
    caller.control("POST", "scenario", {"organisation": {"name": '<img src=x onerror="1">'} | PLACE})
    text = caller.send("GET", caller.authorize_url()).body.decode()
    assert "<img" not in text
    assert "&lt;img src=x onerror=&quot;1&quot;&gt;" in text


PLACE = {"country": "NZ", "timezone": "Pacific/Auckland", "base_currency": "NZD"}


def test_allow_returns_a_code_and_the_state_as_sent(caller: Caller) -> None:
    back = returned(caller.authorize())
    assert back["state"] == "s t/1&"
    assert set(back) == {"code", "state"}
    assert returned(caller.authorize("cancel")) == {"error": "access_denied", "state": "s t/1&"}


def test_no_state_no_state_back(caller: Caller) -> None:
    assert set(returned(caller.authorize(state=""))) == {"code"}


def test_a_redirect_uri_keeps_its_own_query(caller: Caller) -> None:
    location = fields(caller.authorize(redirect_uri="https://app.example/cb?x=1"))["location"]
    assert location.startswith("https://app.example/cb?x=1&code=")


@pytest.mark.parametrize(
    "query",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "http://127.0.0.1:8484/callback"},
        {"redirect_uri": "http://app.example/cb"},
        {"redirect_uri": "https://app.example/cb#f"},
        {"redirect_uri": "https://a@evil.example/"},
        {"redirect_uri": "https://x\r\nSet-Cookie: a=b/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "https://[bad/"},
        {"redirect_uri": ""},
    ],
)
def test_an_untrusted_address_is_never_redirected_to(caller: Caller, query: dict[str, str]) -> None:
    for response in (caller.authorize(**query), caller.send("GET", caller.authorize_url(**query))):
        assert response.status == 400
        assert "location" not in fields(response)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "accounting.transactions offline_access"}, "unauthorized_client"),
        ({"scope": "accounting.reports.read"}, "unauthorized_client"),
        ({"scope": "accounting.journals.read"}, "unauthorized_client"),
        ({"scope": "accounting.nonsense"}, "unauthorized_client"),
        ({"scope": ""}, "unauthorized_client"),
        ({"code_challenge": "abc", "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "abc"}, "invalid_request"),
    ],
)
def test_a_bad_request_of_a_known_app_goes_back_as_an_error(caller: Caller, query: dict[str, str], name: str) -> None:
    back = returned(caller.authorize(**query))
    assert (back["error"], back["state"]) == (name, "s t/1&")
    assert "code" not in back


def test_the_pkce_app_must_bring_a_challenge(caller: Caller) -> None:
    assert returned(caller.authorize(client_id=caller.twin.pkce_app.client_id))["error"] == "invalid_request"


def test_the_organisation_must_be_chosen_when_there_are_several(caller: Caller) -> None:
    made = caller.control("POST", "scenario", {"organisation": {"name": "Second Ltd"} | PLACE})["organisation"]
    assert isinstance(made, dict)
    assert caller.authorize().status == 400
    assert caller.authorize(organisation="elsewhere").status == 400
    assert caller.authorize("maybe", organisation=made["id"]).status == 400
    caller.connect(organisation=made["id"])
    assert [row["tenantName"] for row in caller.connections()] == ["Second Ltd"]


def test_the_code_flow_gives_tokens_like_xeros(caller: Caller) -> None:
    granted = caller.connect(nonce="n-1")
    assert granted["token_type"] == "Bearer"
    assert json.dumps(granted["expires_in"]) == "1800"  # a number
    assert granted["scope"] == SCOPES
    access, identity = claims(granted["access_token"]), claims(granted["id_token"])
    assert access["client_id"] == caller.twin.client_id
    assert access["scope"] == SCOPES.split()
    assert (access["nbf"], access["exp"]) == (START.timestamp(), START.timestamp() + 1800)
    assert identity["aud"] == caller.twin.client_id
    assert identity["nonce"] == "n-1"
    assert identity["exp"] == START.timestamp() + 300
    assert identity["xero_userid"] == access["xero_userid"] == access["sub"]
    assert access["iss"] == "http://localhost:9"
    [row] = caller.connections(f"?authEventId={access['authentication_event_id']}")
    assert row["tenantType"] == "ORGANISATION"
    assert row["createdDateUtc"] == "2026-11-22T08:00:00.0000000"
    assert row["id"] != row["tenantId"]
    assert caller.connections("?authEventId=00000000-0000-0000-0000-000000000000") == []


def test_no_openid_no_id_token_and_no_offline_access_no_refresh_token(caller: Caller) -> None:
    granted = caller.connect(scope="accounting.invoices")
    assert "id_token" not in granted
    assert "refresh_token" not in granted


def test_a_code_works_once_and_for_five_minutes(caller: Caller) -> None:
    code = caller.code()
    assert caller.exchange(code_form(code)).status == 200
    assert error(caller.exchange(code_form(code))) == "invalid_grant"
    fresh, stale = caller.code(), caller.code()
    caller.twin.clock.advance(299)
    assert caller.exchange(code_form(fresh)).status == 200
    caller.twin.clock.advance(1)
    assert error(caller.exchange(code_form(stale))) == "invalid_grant"


def test_a_failed_exchange_uses_the_code_up(caller: Caller) -> None:
    code = caller.code()
    assert error(caller.exchange(code_form(code, redirect_uri="http://localhost:1/other"))) == "invalid_grant"
    assert error(caller.exchange(code_form(code))) == "invalid_grant"


def test_the_client_must_prove_itself(caller: Caller) -> None:
    form = code_form(caller.code())
    known = {"client_id": caller.twin.client_id, "client_secret": caller.twin.client_secret}
    assert error(caller.exchange(form, secret="wrong")) == "invalid_client"
    assert error(caller.send("POST", "/connect/token", form)) == "invalid_client"
    assert error(caller.send("POST", "/connect/token", form | known | {"client_secret": "x"})) == "invalid_client"
    assert error(caller.send("POST", "/connect/token", form | {"client_id": known["client_id"]})) == "invalid_client"
    assert error(caller.send("POST", "/connect/token", form, {"Authorization": "Basic !"})) == "invalid_client"
    assert caller.send("POST", "/connect/token", form | known).status == 200  # client_secret_post
    assert error(caller.exchange({"grant_type": "password"})) == "unsupported_grant_type"
    assert caller.send("GET", "/connect/token").status == 405


@pytest.mark.parametrize(
    ("verifier", "status"),
    [(VERIFIER, 200), ("w" * 43, 400), ("", 400), ("v" * 42, 400), ("v" * 129, 400), ("é" * 43, 400)],
)
def test_pkce_verifier_is_checked(caller: Caller, verifier: str, status: int) -> None:
    client_id = caller.twin.pkce_app.client_id
    challenge = challenge_of(verifier if len(verifier) in {42, 129} else VERIFIER)
    code = caller.code(client_id=client_id, code_challenge=challenge, code_challenge_method="S256")
    form = code_form(code, client_id=client_id)
    response = caller.send("POST", "/connect/token", form | ({"code_verifier": verifier} if verifier else {}))
    assert response.status == status
    if status == 400:
        assert error(response) == "invalid_grant"


def test_a_verifier_without_a_challenge_is_refused(caller: Caller) -> None:
    assert error(caller.exchange(code_form(caller.code(), code_verifier=VERIFIER))) == "invalid_grant"


def test_one_apps_code_and_refresh_token_are_nothing_to_another(caller: Caller) -> None:
    other = {"client_id": caller.twin.pkce_app.client_id}
    code = caller.code()
    assert error(caller.send("POST", "/connect/token", code_form(code) | other)) == "invalid_grant"
    granted = json.loads(caller.exchange(code_form(code)).body)  # and the stranger did not use it up
    form = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]} | other
    assert error(caller.send("POST", "/connect/token", form)) == "invalid_grant"


def test_refresh_rotates_and_the_old_token_has_thirty_minutes_of_grace(caller: Caller) -> None:
    old = refresh_token(caller.connect())
    answers = [json.loads(caller.refresh(old).body)]
    caller.twin.clock.advance(29 * 60 + 59)
    answers.append(json.loads(caller.refresh(old).body))
    assert len({old, *(each["refresh_token"] for each in answers)}) == 3
    caller.twin.clock.advance(1)  # thirty minutes from the first use, not from the retry
    assert error(caller.refresh(old)) == "invalid_grant"
    assert caller.refresh(answers[0]["refresh_token"]).status == 200
    assert caller.refresh(answers[1]["refresh_token"]).status == 200


def test_a_refresh_token_dies_after_sixty_days_unused(caller: Caller) -> None:
    kept, lost = (refresh_token(caller.connect()) for _ in range(2))
    caller.twin.clock.advance(60 * 86400 - 1)
    assert caller.refresh(kept).status == 200
    caller.twin.clock.advance(1)
    assert error(caller.refresh(lost)) == "invalid_grant"
    assert caller.refresh(kept).status == 200  # in its grace


def test_scopes_add_up_over_consents_and_a_refresh_adds_none(caller: Caller) -> None:
    first = caller.connect(scope="offline_access accounting.invoices")
    second = caller.connect(scope="offline_access accounting.contacts")
    assert second["scope"].split() == ["offline_access", "accounting.contacts", "accounting.invoices"]
    assert json.loads(caller.refresh(refresh_token(first)).body)["scope"] == "offline_access accounting.invoices"
    assert len(caller.connections()) == 1


def test_custom_connection(caller: Caller) -> None:
    response = caller.exchange({"grant_type": "client_credentials", "scope": "accounting.invoices"})
    granted = json.loads(response.body)
    assert set(granted) == {"access_token", "expires_in", "token_type", "scope"}
    assert "xero_userid" not in claims(granted["access_token"])
    caller.token = granted["access_token"]
    [row] = caller.connections()
    assert caller.api("GET", "/Invoices", xero_tenant_id="").status == 200
    assert caller.api("GET", "/Invoices", xero_tenant_id=row["tenantId"]).status == 200
    assert caller.api("GET", "/Invoices", xero_tenant_id="1" * 36).status == 403


@pytest.mark.parametrize("scope", ["accounting.transactions", "openid", "offline_access accounting.invoices"])
def test_custom_connection_refuses_user_and_broad_scopes(caller: Caller, scope: str) -> None:
    assert error(caller.exchange({"grant_type": "client_credentials", "scope": scope})) == "invalid_scope"


def test_the_pkce_app_has_no_custom_connection(caller: Caller) -> None:
    form = {"grant_type": "client_credentials", "client_id": caller.twin.pkce_app.client_id}
    assert error(caller.send("POST", "/connect/token", form)) == "unauthorized_client"


def test_app_connections_scope_manages_connections_without_a_user(caller: Caller) -> None:
    caller.connect()
    form = {"grant_type": "client_credentials", "scope": "app.connections"}
    caller.token = json.loads(caller.exchange(form).body)["access_token"]
    [row] = caller.connections()
    bearer = {"Authorization": f"Bearer {caller.token}"}
    assert caller.send("DELETE", f"/connections/{row['id']}", headers=bearer).status == 204
    assert caller.connections() == []


def test_deleting_a_connection_closes_the_organisation(caller: Caller) -> None:
    caller.connect()
    [row] = caller.connections()
    bearer = {"Authorization": f"Bearer {caller.token}"}
    assert caller.send("DELETE", f"/connections/{row['tenantId']}", headers=bearer).status == 404
    assert caller.api("GET", "/Invoices").status == 200
    gone = caller.send("DELETE", f"/Connections/{row['id']}", headers=bearer)
    assert (gone.status, gone.body) == (204, b"")
    assert caller.send("DELETE", f"/connections/{row['id']}", headers=bearer).status == 404
    refused = caller.api("GET", "/Invoices")
    assert refused.status == 403
    assert json.loads(refused.body)["Detail"] == "AuthenticationUnsuccessful"
    assert caller.connections() == []


def test_connections_need_a_living_token(caller: Caller) -> None:
    assert caller.send("GET", "/connections").status == 401
    caller.connect()
    caller.twin.clock.advance(1800)
    bearer = {"Authorization": f"Bearer {caller.token}"}
    assert caller.send("GET", "/connections", headers=bearer).status == 401
    assert caller.send("POST", "/connections", headers=bearer).status == 401


def test_revocation_ends_tokens_connections_and_granted_scopes(caller: Caller) -> None:
    granted = caller.connect()
    known = {"client_id": caller.twin.client_id, "client_secret": caller.twin.client_secret}
    wrong = caller.send("POST", "/connect/revocation", {"token": refresh_token(granted)})
    assert error(wrong) == "invalid_client"
    unknown = caller.send("POST", "/connect/revocation", {"token": "never issued"} | known)
    assert (unknown.status, unknown.body) == (200, b"")
    assert caller.api("GET", "/Invoices").status == 200
    done = caller.send("POST", "/connect/revocation", {"token": refresh_token(granted)} | known)
    assert (done.status, done.body) == (200, b"")
    assert error(caller.refresh(refresh_token(granted))) == "invalid_grant"
    assert caller.api("GET", "/Invoices").status == 403
    assert caller.connections() == []
    assert caller.connect(scope="accounting.settings.read")["scope"] == "accounting.settings.read"


def test_discovery_names_the_endpoints_on_the_address_that_was_asked(caller: Caller) -> None:
    response = caller.send("GET", "/.well-known/openid-configuration", headers={"Host": "127.0.0.1:4711"})
    document = json.loads(response.body)
    assert document["issuer"] == "http://127.0.0.1:4711"
    assert document["token_endpoint"] == "http://127.0.0.1:4711/connect/token"
    assert document["authorization_endpoint"] == "http://127.0.0.1:4711/identity/connect/authorize"
    assert document["revocation_endpoint"] == "http://127.0.0.1:4711/connect/revocation"


def test_the_user_refuses_once_when_told_to(caller: Caller) -> None:
    caller.control("POST", "consent", {"refuse": True})
    assert returned(caller.authorize())["error"] == "access_denied"
    assert "code" in returned(caller.authorize())


def test_dropped_scopes_narrow_consents_and_refreshes(caller: Caller) -> None:
    granted = caller.connect()
    caller.control("POST", "consent", {"drop_scopes": ["accounting.invoices"]})
    narrowed = json.loads(caller.refresh(refresh_token(granted)).body)
    assert "accounting.invoices" not in narrowed["scope"].split()
    claimed = claims(narrowed["access_token"])["scope"]
    assert isinstance(claimed, list)
    assert "accounting.contacts.read" in claimed
    assert "accounting.invoices" not in claimed
    assert "accounting.invoices" not in caller.connect()["scope"].split()
    caller.control("POST", "consent", {"drop_scopes": []})
    assert "accounting.invoices" in caller.connect()["scope"].split()


def test_the_user_disconnects_one_or_all(caller: Caller) -> None:
    granted = caller.connect()
    [organisation] = caller.twin.organisations()
    caller.control("POST", "consent", {"disconnect": organisation.name})
    assert caller.api("GET", "/Invoices").status == 403
    assert caller.refresh(refresh_token(granted)).status == 200
    again = caller.connect()
    caller.control("POST", "consent", {"revoke_all": True})
    assert caller.api("GET", "/Invoices").status == 403
    assert error(caller.refresh(refresh_token(again))) == "invalid_grant"


def test_the_same_seed_registers_the_same_app() -> None:
    one, same, other = small_twin(seed=3), small_twin(seed=3), small_twin(seed=4)
    assert (one.client_id, one.client_secret) == (same.client_id, same.client_secret)
    assert one.client_id != other.client_id
    assert Caller(one).connect() == Caller(same).connect()


def test_tokens_are_signed_with_hs256() -> None:
    """The signature was computed with `openssl dgst -sha256 -hmac k`."""
    assert sign({"a": 1}, b"k") == (
        "eyJhbGciOiJIUzI1NiIsImtpZCI6InNhbmRib3giLCJ0eXAiOiJKV1QifQ.eyJhIjoxfQ."
        "N6H0MVr_PgDNohtqByNu-E01G7voDInmjdVnrHDv-N4"
    )
