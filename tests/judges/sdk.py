"""xero-python, Xero's own client library, pointed at the served sandbox."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from tests.judges.court import SCOPES, Court


class Sdk:
    """The library's accounting and identity clients, its models, and the token that it keeps."""

    def __init__(self, court: Court, monkeypatch: pytest.MonkeyPatch, scopes: str = SCOPES) -> None:
        clients: Any = import_module("xero_python.api_client")
        oauth2: Any = import_module("xero_python.api_client.oauth2")
        identity: Any = import_module("xero_python.identity")
        self.models: Any = import_module("xero_python.accounting")
        self.errors: Any = import_module("xero_python.exceptions")
        monkeypatch.setattr(oauth2.TokenApi, "refresh_token_url", f"{court.base_url}/connect/token")
        monkeypatch.setattr(oauth2.TokenApi, "revoke_token_url", f"{court.base_url}/connect/revocation")
        token = court.first_token(scopes)
        self.token: dict[str, Any] = token | {"scope": token["scope"].split()}
        self.tenant = court.tenant
        keys = oauth2.OAuth2Token(client_id=court.twin.client_id, client_secret=court.twin.client_secret)
        configuration = clients.Configuration(oauth2_token=keys)
        configuration.temp_folder_path = court.folder  # where it leaves the files that it downloads
        self.client = clients.ApiClient(
            configuration,
            oauth2_token_getter=lambda: self.token,
            oauth2_token_saver=self._save,
        )
        # by default its transport sleeps through Retry-After in real time; here the refusals are wanted
        self.client.rest_client.pool_manager.connection_pool_kw["retries"] = False
        self.api: Any = self.models.AccountingApi(self.client, base_url=f"{court.base_url}/api.xro/2.0")
        self.use(self.token)
        self.identity: Any = identity.IdentityApi(self.client, base_url=court.base_url)

    def _save(self, token: dict[str, Any]) -> None:
        self.token = token

    def close(self) -> None:
        """Close the pool's sockets: an open one would be a warning at the collector's whim."""
        self.client.rest_client.pool_manager.clear()

    def use(self, token: dict[str, Any]) -> None:
        """Go on with a token that was kept; the library reads it at its next call."""
        self.token = dict(token)
        self.client.configuration.oauth2_token.update_token(**token)

    def refresh(self) -> None:
        """Use the refresh token that is kept, and keep what comes back."""
        assert self.client.configuration.oauth2_token.refresh_access_token(self.client)

    def invoices(self, *some: Any) -> Any:
        """Wrap invoices as the library's bodies want them."""
        return self.models.Invoices(invoices=list(some))

    def refused(self, name: str, call: str, *arguments: Any, **options: Any) -> Any:
        """Return the exception of this class that a call of the accounting client raises."""
        with pytest.raises(getattr(self.errors, name)) as caught:
            getattr(self.api, call)(self.tenant, *arguments, **options)
        assert type(caught.value).__name__ == name
        return caught.value
