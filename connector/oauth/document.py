"""The token document of one connection, as it lies sealed in the database."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connector.errors import NeedsPerson
from connector.oauth.endpoint import TokenAnswer
from connector.vault import place

MARGIN = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class TokenDocument:
    """Tokens with their instants (UTC). `client_secret` is kept only where the environment does not hold it."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)  # "" for a custom connection
    expires: datetime
    issued: datetime
    refresh_expires: datetime | None
    scopes: tuple[str, ...]
    client_secret: str = field(default="", repr=False)

    @classmethod
    def issued_at(cls, at: datetime, answer: TokenAnswer, refresh_days: int, client_secret: str = "") -> TokenDocument:
        """The document of a first answer. `at` is the instant before the request left: no token is thought younger
        than it is."""
        return cls(
            access=answer.access,
            refresh=answer.refresh,
            expires=at + timedelta(seconds=answer.expires_in),
            issued=at,
            refresh_expires=_refresh_expires(at, answer, refresh_days) if answer.refresh else None,
            scopes=answer.scopes,
            client_secret=client_secret,
        )

    def renewed(self, at: datetime, answer: TokenAnswer, refresh_days: int) -> TokenDocument:
        """The document after a refresh. What the answer leaves out stays: the refresh token, the scopes."""
        token = answer.refresh or self.refresh
        return TokenDocument(
            access=answer.access,
            refresh=token,
            expires=at + timedelta(seconds=answer.expires_in),
            issued=at,
            refresh_expires=_refresh_expires(at, answer, refresh_days) if token else None,
            scopes=answer.scopes or self.scopes,
            client_secret=self.client_secret,
        )

    def lives(self, now: datetime) -> bool:
        """Whether the access token is good for a call that starts now: valid for two minutes more, or for a quarter of
        its life where that is shorter."""
        return self.expires - now > min(MARGIN, (self.expires - self.issued) / 4)

    def to_bytes(self) -> bytes:
        """For sealing only: holds the tokens in clear."""
        document = {
            "access": self.access,
            "refresh": self.refresh,
            "expires": self.expires.isoformat(),
            "issued": self.issued.isoformat(),
            "refresh_expires": self.refresh_expires.isoformat() if self.refresh_expires else None,
            "scopes": list(self.scopes),
            "client_secret": self.client_secret,
        }
        return json.dumps(document, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> TokenDocument:
        """Raises `NeedsPerson` when it was not written by `to_bytes`."""
        try:
            document = json.loads(raw)
            until = document["refresh_expires"]
            return cls(
                access=document["access"],
                refresh=document["refresh"],
                expires=datetime.fromisoformat(document["expires"]).astimezone(UTC),
                issued=datetime.fromisoformat(document["issued"]).astimezone(UTC),
                refresh_expires=datetime.fromisoformat(until).astimezone(UTC) if until else None,
                scopes=tuple(document["scopes"]),
                client_secret=document["client_secret"],
            )
        except (ValueError, KeyError, TypeError):
            raise NeedsPerson("the stored tokens cannot be read", next_step="run `dunwell connect` again") from None


def document_place(tenant: str, connection_id: str) -> str:
    """What the sealed document is bound to."""
    return place(tenant, "connection.sealed", connection_id)


def _refresh_expires(at: datetime, answer: TokenAnswer, days: int) -> datetime:
    if answer.refresh_expires_in is not None:
        return at + timedelta(seconds=answer.refresh_expires_in)
    return at + timedelta(days=days)
