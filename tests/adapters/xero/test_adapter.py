"""Consent, connections, and what else a connected organisation is asked."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import respx

from adapters.xero import ADAPTER
from connector import http
from connector.domain.effects import EffectKind
from connector.errors import ConnectionRevoked, LedgerUnavailable, Refused, TokenExpired, UnreadableAnswer
from connector.ports import Grant, Ledger
from tests.adapters.xero.office import Office
from tests.adapters.xero.rows import envelope, invoice_row

CONNECTIONS = "https://api.xero.com/connections"


def token(**claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"header.{payload}.signature"


def connection(tenant: str, kind: str = "ORGANISATION") -> Mapping[str, str]:
    return {"id": f"id-{tenant}", "tenantId": tenant, "tenantType": kind, "tenantName": tenant.title()}


def test_the_real_service_and_a_sandbox() -> None:
    real = ADAPTER.oauth("")
    assert real.authorize == "https://login.xero.com/identity/connect/authorize"
    assert real.token == "https://identity.xero.com/connect/token"
    assert real.revoke == "https://identity.xero.com/connect/revocation"
    assert (real.refresh_lifetime_days, real.grace_seconds) == (60, 1800)
    assert "offline_access" in real.scopes
    assert not [scope for scope in real.scopes if scope.startswith("accounting.transactions")]  # the broad ones go
    twin = ADAPTER.oauth("http://localhost:8090/")
    assert {twin.authorize, twin.token, twin.revoke} == {
        "http://localhost:8090/identity/connect/authorize",
        "http://localhost:8090/connect/token",
        "http://localhost:8090/connect/revocation",
    }


def test_the_tag_and_the_sandbox_have_names() -> None:
    assert ADAPTER.mapping_defaults == {"dispute_tag": "Disputed (dunwell)"}
    assert ADAPTER.env_prefix == "DUNWELL_XERO"
    assert ADAPTER.capabilities.classes[EffectKind.NOTE].letter == "P"


@respx.mock
def test_the_grants_of_this_consent() -> None:
    route = respx.get(CONNECTIONS, params={"authEventId": "event-1"}).respond(
        json=[connection("kauri"), connection("a practice", "PRACTICE")]
    )
    found = ADAPTER.grants(http.client(), "", token(authentication_event_id="event-1"))
    assert found == (Grant("kauri", "Kauri", "id-kauri"),)
    assert route.calls[0].request.headers["Authorization"].startswith("Bearer header.")


@respx.mock
@pytest.mark.parametrize("access", [token(scope="x"), "opaque", "a.!.c", token(authentication_event_id=7)])
def test_without_an_event_all_grants_count(access: str) -> None:
    respx.get(CONNECTIONS).respond(json=[connection("kauri"), connection("rimu")])
    assert [grant.ledger_id for grant in ADAPTER.grants(http.client(), "", access)] == ["kauri", "rimu"]


@respx.mock
def test_an_organisation_connected_before_is_found_although_the_event_is_new() -> None:
    respx.get(CONNECTIONS, params={"authEventId": "event-2"}).respond(json=[])
    respx.get(CONNECTIONS).respond(json=[connection("kauri")])
    found = ADAPTER.grants(http.client(), "", token(authentication_event_id="event-2"))
    assert [grant.ledger_id for grant in found] == ["kauri"]


@respx.mock
@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (httpx.Response(401, json={"Detail": "TokenExpired"}), TokenExpired),
        (httpx.Response(503), LedgerUnavailable),
        (httpx.Response(200, html="<html>"), UnreadableAnswer),
        (httpx.Response(200, json={"not": "a list"}), UnreadableAnswer),
        (httpx.ReadTimeout("slow"), LedgerUnavailable),
    ],
)
def test_trouble_with_grants(trouble: Any, expected: type[Exception]) -> None:
    respx.get(CONNECTIONS).mock(side_effect=[trouble])
    with pytest.raises(expected):
        ADAPTER.grants(http.client(), "", "token")


@respx.mock
def test_disconnecting_goes_by_the_connections_id_and_may_be_repeated() -> None:
    route = respx.delete(f"{CONNECTIONS}/id-kauri").mock(side_effect=[httpx.Response(204), httpx.Response(404)])
    for _ in range(2):
        ADAPTER.disconnect(http.client(), "", "token", Grant("kauri", "Kauri", "id-kauri"))
    assert route.call_count == 2
    with pytest.raises(Refused):
        ADAPTER.disconnect(http.client(), "", "token", Grant("kauri", "Kauri"))


# --- the connected organisation ------------------------------------------------------------------------------------

ORGANISATION = {
    "Name": "Kauri Joinery",
    "BaseCurrency": "NZD",
    "CountryCode": "NZ",
    "Timezone": "NEWZEALANDSTANDARDTIME",
}


@pytest.fixture
def office() -> Office:
    return Office()


def plan(office: Office, path: str, plural: str, *rows: Mapping[str, Any]) -> None:
    office.refuse[f"GET {path}"] = httpx.Response(200, json=envelope(plural, list(rows)))


def organisation_with(office: Office, reminders: httpx.Response, ledger: Ledger) -> bool | None:
    plan(office, "/Organisation", "Organisations", ORGANISATION)
    office.refuse["GET /InvoiceReminders/Settings"] = reminders
    found = ledger.organisation()
    assert (found.name, found.ledger_id, found.timezone) == ("Kauri Joinery", "tenant-1", "Pacific/Auckland")
    return found.native_reminders


def test_the_organisation_says_whether_xero_reminds_by_itself(office: Office) -> None:
    with office.open() as ledger:
        for enabled in (True, False):
            said = httpx.Response(200, json={"InvoiceReminders": [{"Enabled": enabled}]})
            assert organisation_with(office, said, ledger) is enabled
        for silent in (
            httpx.Response(200, json={"InvoiceReminders": []}),
            httpx.Response(401, json={"Detail": "AuthorizationUnsuccessful"}),
            office.missing(),
        ):
            assert organisation_with(office, silent, ledger) is None


def test_a_revoked_connection_is_not_an_organisation_without_reminders(office: Office) -> None:
    gone = httpx.Response(403, json={"Detail": "AuthenticationUnsuccessful"})
    office.refuse["GET /Organisation"] = gone
    with office.open() as ledger, pytest.raises(ConnectionRevoked):
        ledger.organisation()


@pytest.mark.parametrize("rows", [[], [{"Name": "No money"}]])
def test_an_organisation_that_cannot_be_read(office: Office, rows: list[Mapping[str, Any]]) -> None:
    plan(office, "/Organisation", "Organisations", *rows)
    plan(office, "/InvoiceReminders/Settings", "InvoiceReminders")
    with office.open() as ledger, pytest.raises(UnreadableAnswer):
        ledger.organisation()


def test_options_are_the_active_ones(office: Office) -> None:
    plan(
        office,
        "/Accounts",
        "Accounts",
        {"AccountID": "a1", "Code": "200", "Name": "Sales", "Type": "REVENUE", "Status": "ACTIVE"},
        {"AccountID": "a2", "Name": "Bank", "Type": "BANK", "Status": "ACTIVE"},
        {"AccountID": "a3", "Code": "999", "Name": "Old", "Status": "ARCHIVED"},
    )
    plan(office, "/TaxRates", "TaxRates", {"TaxType": "OUTPUT2", "Name": "15% GST", "EffectiveRate": 15.0})
    office.group("VIP")
    office.group("Gone", status="DELETED")
    with office.open() as ledger:
        options = ledger.options()
    assert [(option.code, option.name, option.detail) for option in options.accounts] == [
        ("200", "Sales", "REVENUE"),
        ("a2", "Bank", "BANK"),
    ]
    assert [(option.code, option.detail) for option in options.tax_codes] == [("OUTPUT2", "15.0")]
    assert [(option.code, option.name) for option in options.groups] == [("group-1", "VIP")]


@pytest.mark.parametrize(
    ("given", "link"),
    [
        ("https://in.xero.com/abc", "https://in.xero.com/abc"),
        ("http://localhost:8090/pay/abc", "http://localhost:8090/pay/abc"),
        ("http://in.evil.example/abc", None),
        ("javascript:alert(1)", None),
        ("", None),
    ],
)
def test_a_pay_link_is_safe_to_print(office: Office, given: str, link: str | None) -> None:
    plan(office, "/Invoices/i/OnlineInvoice", "OnlineInvoices", {"OnlineInvoiceUrl": given})
    with office.open() as ledger:
        assert ledger.pay_link("i") == link


def test_a_draft_has_no_pay_link(office: Office) -> None:
    office.refuse["GET /Invoices/i/OnlineInvoice"] = office.missing()
    with office.open() as ledger:
        assert ledger.pay_link("i") is None


def test_the_pdf_is_one(office: Office) -> None:
    identity = invoice_row(1)["InvoiceID"]
    pdf = httpx.Response(200, content=b"%PDF-1.7 ...", headers={"Content-Type": "application/pdf"})
    office.refuse[f"GET /Invoices/{identity}"] = pdf
    with office.open() as ledger:
        assert ledger.pdf(identity) == b"%PDF-1.7 ..."
        assert office.log[0].headers["Accept"] == "application/pdf"
        office.add("Invoices", invoice_row(1))
        with pytest.raises(UnreadableAnswer):
            ledger.pdf(identity)  # JSON came


def test_what_remains_and_what_was_used(office: Office) -> None:
    headers = {"X-MinLimit-Remaining": "57", "X-DayLimit-Remaining": "987"}
    document = envelope("OnlineInvoices", [])
    office.refuse["GET /Invoices/i/OnlineInvoice"] = httpx.Response(200, json=document, headers=headers)
    with office.open() as ledger:
        assert (ledger.calls(), ledger.budgets()) == (0, {})
        ledger.pay_link("i")
        assert (ledger.calls(), ledger.budgets()) == (1, {"minute": 57, "day": 987})


@pytest.mark.parametrize("base_url", ["http://localhost:8090", "http://localhost:8090/"])
def test_a_sandbox_is_asked_under_its_own_address(office: Office, base_url: str) -> None:
    office.refuse["GET /Invoices/i/OnlineInvoice"] = office.missing()
    with office.open(base_url) as ledger:
        ledger.pay_link("i")
    assert str(office.log[0].url) == "http://localhost:8090/api.xro/2.0/Invoices/i/OnlineInvoice"
