"""The OAuth scopes that an app registered since 2 March 2026 may ask for: granular ones only.

Broad scopes (accounting.transactions, accounting.reports.read) and the ones that only a higher developer tier gets
(accounting.journals.read) are refused.
"""

from __future__ import annotations

from collections.abc import Collection

OFFLINE = "offline_access"
OPENID = "openid"
MANAGE_CONNECTIONS = "app.connections"
_IDENTITY = frozenset({OPENID, "profile", "email", OFFLINE})
_READ_AND_WRITE = (
    "invoices",
    "payments",
    "banktransactions",
    "manualjournals",
    "contacts",
    "settings",
    "attachments",
)
_REPORTS = (
    "aged",
    "balancesheet",
    "banksummary",
    "budgetsummary",
    "executivesummary",
    "profitandloss",
    "trialbalance",
    "taxreports",
)
API_SCOPES = frozenset(
    {f"accounting.{name}" for name in _READ_AND_WRITE}
    | {f"accounting.{name}.read" for name in _READ_AND_WRITE}
    | {f"accounting.reports.{name}.read" for name in _REPORTS}
    | {"accounting.budgets.read"}
)
USER_SCOPES = _IDENTITY | API_SCOPES
CUSTOM_SCOPES = API_SCOPES | {MANAGE_CONNECTIONS}


def permits(granted: Collection[str], needed: str, *, write: bool) -> bool:
    """Tell whether the token's scopes cover a route: the scope itself, or for a read also its ".read" form."""
    return needed in granted or (not write and f"{needed}.read" in granted)
