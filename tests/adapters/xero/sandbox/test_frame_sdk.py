"""Xero's own client library against the served sandbox: a reader of the wire that nobody here wrote."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from adapters.xero.sandbox.serve import Served, serve
from tests.adapters.xero.sandbox.frame_client import REDIRECT

pytestmark = pytest.mark.socket
SCOPES = "openid profile email offline_access accounting.invoices accounting.settings.read"
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


class Quiet(urllib.request.HTTPRedirectHandler):
    """Leaves redirects to the test."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


@pytest.fixture
def served() -> Iterator[Served]:
    running = serve(port=0, books=None, now=NOW, seed=1, frozen=True)
    yield running
    running.stop()


def post(served: Served, path: str, document: object) -> dict[str, Any]:
    data = json.dumps(document).encode()
    request = urllib.request.Request(f"{served.base_url}{path}", data, method="POST")
    with urllib.request.urlopen(request, timeout=5) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def consent(served: Served) -> str:
    """Press Allow on the consent page, and return the code."""
    query = {"response_type": "code", "client_id": served.client_id, "redirect_uri": REDIRECT, "scope": SCOPES}
    url = f"{served.base_url}/identity/connect/authorize?{urlencode(query)}"
    with pytest.raises(urllib.error.HTTPError) as redirect:
        urllib.request.build_opener(Quiet).open(url, b"decision=allow", timeout=5)
    with redirect.value as answer:
        assert answer.code == 302
        return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def first_token(served: Served) -> dict[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "code": consent(served),
        "redirect_uri": REDIRECT,
        "client_id": served.client_id,
        "client_secret": served.client_secret,
    }
    with urllib.request.urlopen(f"{served.base_url}/connect/token", urlencode(form).encode(), timeout=5) as answer:
        token: dict[str, Any] = json.load(answer)
    return token | {"scope": token["scope"].split()}


class Sdk:
    """xero-python, pointed at the sandbox."""

    def __init__(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        client_module: Any = pytest.importorskip("xero_python.api_client")
        oauth2: Any = pytest.importorskip("xero_python.api_client.oauth2")
        accounting: Any = pytest.importorskip("xero_python.accounting")
        identity: Any = pytest.importorskip("xero_python.identity")
        self.errors: Any = pytest.importorskip("xero_python.exceptions")
        monkeypatch.setattr(oauth2.TokenApi, "refresh_token_url", f"{served.base_url}/connect/token")
        self.token = first_token(served)
        self.client = client_module.ApiClient(
            client_module.Configuration(
                oauth2_token=oauth2.OAuth2Token(client_id=served.client_id, client_secret=served.client_secret)
            ),
            oauth2_token_getter=lambda: self.token,
            oauth2_token_saver=self._save,
        )
        # by default its transport sleeps through Retry-After in real time; here the refusals are wanted
        self.client.rest_client.pool_manager.connection_pool_kw["retries"] = False
        self.accounting = accounting.AccountingApi(self.client, base_url=f"{served.base_url}/api.xro/2.0")
        self.identity = identity.IdentityApi(self.client, base_url=served.base_url)

    def _save(self, token: dict[str, Any]) -> None:
        self.token = token

    def refresh(self) -> None:
        assert self.client.configuration.oauth2_token.refresh_access_token(self.client)

    def status(self, tenant: str) -> tuple[int, dict[str, str]]:
        """The status of a listing that is refused, and the headers that came with it."""
        with pytest.raises(self.errors.OpenApiException) as refused:
            self.accounting.get_invoices(tenant)
        answer = refused.value.http_resp.urllib3_response
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}


def test_the_sdk_connects_pages_refreshes_and_meets_the_refusals(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdk = Sdk(served, monkeypatch)
    [connection] = sdk.identity.get_connections()
    tenant = connection.tenant_id
    assert connection.tenant_name == served.organisation["name"]
    assert tenant == served.organisation["id"]

    everything = sdk.accounting.get_invoices(tenant, page=1, page_size=1000).invoices
    pages = [sdk.accounting.get_invoices(tenant, page=number, page_size=7) for number in (1, 2, 3)]
    numbered = [invoice.invoice_id for page in pages for invoice in page.invoices]
    assert len(everything) >= 15
    assert numbered == [invoice.invoice_id for invoice in everything][: len(numbered)]
    assert pages[0].pagination.item_count == len(everything)
    assert all(isinstance(invoice.due_date, datetime | type(NOW.date())) for invoice in everything if invoice.due_date)

    before = dict(sdk.token)
    sdk.refresh()
    assert sdk.token["access_token"] != before["access_token"]
    assert sdk.token["refresh_token"] != before["refresh_token"]
    assert sdk.accounting.get_organisations(tenant).organisations[0].name == served.organisation["name"]

    assert sdk.status("11111111-1111-4111-8111-111111111111")[0] == 403
    post(served, "/__sandbox/limits", {"minute": 0})
    status, headers = sdk.status(tenant)
    assert (status, headers["x-rate-limit-problem"]) == (429, "minute")
    assert int(headers["retry-after"]) >= 1
    post(served, "/__sandbox/limits", {"minute": 60})
    post(served, "/__sandbox/clock", {"advance": 1800})
    assert sdk.status(tenant)[0] == 401
    sdk.refresh()
    assert sdk.accounting.get_invoices(tenant, page=1).invoices
