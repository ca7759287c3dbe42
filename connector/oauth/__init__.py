"""OAuth 2: the requests to a ledger's token endpoint, and tokens that are refreshed once for all processes."""

from connector.oauth.document import TokenDocument, document_place
from connector.oauth.endpoint import (
    Pkce,
    TokenAnswer,
    authorization_url,
    client_credentials,
    exchange,
    new_pkce,
    new_state,
    refresh,
    revoke,
)
from connector.oauth.stored import FreshTokens, StoredTokens

__all__ = [
    "FreshTokens",
    "Pkce",
    "StoredTokens",
    "TokenAnswer",
    "TokenDocument",
    "authorization_url",
    "client_credentials",
    "document_place",
    "exchange",
    "new_pkce",
    "new_state",
    "refresh",
    "revoke",
]
