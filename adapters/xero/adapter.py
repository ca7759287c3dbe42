"""What Xero's package exports: consent, connecting, disconnecting, capabilities."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlencode

from ruamel.yaml import YAML

from adapters.xero import wire
from adapters.xero.client import XeroClient, segment
from adapters.xero.decode import listing
from adapters.xero.dialect import XeroDialect
from adapters.xero.endpoints import connections, oauth
from adapters.xero.ledger import XeroLedger
from adapters.xero.prepare import CAPABILITIES
from connector.errors import LedgerUnavailable, OutcomeUnknown, Refused
from connector.ports import Adapter, Clock, Grant, HttpAnswer, HttpClient, HttpRequest, Ledger, Random, Tokens


def _mapping() -> dict[str, Any]:
    text = files("adapters.xero").joinpath("mapping.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = YAML(typ="safe").load(text)
    return loaded


MAPPING: Final = _mapping()
TAG: Final[str] = MAPPING["dispute_tag"]


def connect(
    *,
    http: HttpClient,
    clock: Clock,
    random: Random,
    tokens: Tokens,
    base_url: str,
    ledger_id: str,
    groups: Sequence[str] = (TAG,),
) -> Ledger:
    """The organisation behind `ledger_id` (the tenantId). `groups`: the mapped tags, whose members are kept exact."""
    client = XeroClient(http=http, clock=clock, random=random, tokens=tokens, base_url=base_url, ledger_id=ledger_id)
    return XeroLedger(client, ledger_id, groups)


def grants(http: HttpClient, base_url: str, access_token: str) -> tuple[Grant, ...]:
    """The organisations that the consent reaches: those of this very consent, or all where it names none.

    Raises `NotSent`, `LedgerUnavailable`, `UnreadableAnswer`, `NeedsPerson`.
    """
    event = _claims(access_token).get("authentication_event_id")
    filters = ({"authEventId": event}, {}) if isinstance(event, str) and event else ({},)
    for query in filters:
        address = connections(base_url) + (f"?{urlencode(query)}" if query else "")
        found = tuple(
            Grant(row["tenantId"], row.get("tenantName") or row["tenantId"], row["id"])
            for row in listing(_call(http, "GET", address, access_token), wire.CONNECTIONS)
            if (row.get("tenantType") or "ORGANISATION") == "ORGANISATION"
        )
        if found:
            return found
    return ()


def disconnect(http: HttpClient, base_url: str, access_token: str, grant: Grant) -> None:
    """Removes the organisation from the consent; one that is gone already is as good."""
    if not grant.connection_id:
        raise Refused("the connection's id is not known", next_step="remove the app in Xero under Connected apps")
    _call(http, "DELETE", f"{connections(base_url)}/{segment(grant.connection_id)}", access_token, gone_is_fine=True)


def _call(http: HttpClient, method: str, address: str, access_token: str, *, gone_is_fine: bool = False) -> HttpAnswer:
    request = HttpRequest(method, address, {"Accept": "application/json", "Authorization": f"Bearer {access_token}"})
    try:
        answer = http.send(request)
    except OutcomeUnknown as error:  # both calls may be repeated without harm
        raise LedgerUnavailable(error.what) from None
    if gone_is_fine and answer.status == 404:
        return answer
    if (wrong := XeroDialect().classify(request, answer)) is not None:
        raise wrong
    return answer


def _claims(access_token: str) -> dict[str, Any]:
    """The token's claims, unverified: it came to us straight from Xero, and they only narrow a list."""
    try:
        payload = access_token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


ADAPTER: Final = Adapter(
    name="xero",
    title="Xero",
    oauth=oauth,
    grants=grants,
    connect=connect,
    disconnect=disconnect,
    capabilities=CAPABILITIES,
    sandbox="adapters.xero.sandbox.serve",
    env_prefix="DUNWELL_XERO",
    mapping_defaults=MAPPING,
    review_note="Xero's own invoice reminders must be off, or a person must decide who reminds.",
)
