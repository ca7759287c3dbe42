"""xero-python meets the sandbox's frame: tokens and their rotation, repeats by key, refusals as it maps them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.judges.court import Court
from tests.judges.sdk import Sdk

pytestmark = pytest.mark.socket
ELSEWHERE = "11111111-1111-4111-8111-111111111111"


def note_of(sdk: Sdk, text: str) -> Any:
    """The body that adds one note."""
    return sdk.models.HistoryRecords(history_records=[sdk.models.HistoryRecord(details=text)])


def names(sdk: Sdk) -> list[str]:
    """Read something, to see whether the token works."""
    return [one.name for one in sdk.api.get_organisations(sdk.tenant).organisations]


def headers_of(refusal: Any) -> dict[str, str]:
    """The headers of a refused answer, by lower-case name."""
    return {name.lower(): value for name, value in refusal.http_resp.urllib3_response.headers.items()}


def test_a_refresh_rotates_the_token_and_the_old_one_lives_for_half_an_hour(sdk: Sdk, court: Court) -> None:
    first = dict(sdk.token)
    sdk.refresh()
    second = dict(sdk.token)
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert second["expires_in"] == 1800
    assert names(sdk) == ["Kauri & Sons Ltd"]

    court.advance(1799)
    sdk.use(first)  # the answer was lost: the old token is tried again, within its grace
    sdk.refresh()
    third = dict(sdk.token)
    assert third["refresh_token"] not in {first["refresh_token"], second["refresh_token"]}
    assert names(sdk) == ["Kauri & Sons Ltd"]
    court.advance(1)
    sdk.use(first)
    with pytest.raises(sdk.errors.ApiException) as over:
        sdk.refresh()
    assert over.value.status == 400
    assert b"invalid_grant" in over.value.body
    sdk.use(second)  # unused until now
    sdk.refresh()
    assert names(sdk) == ["Kauri & Sons Ltd"]


def test_revoking_ends_the_connection_and_the_token(sdk: Sdk) -> None:
    kept = dict(sdk.token)
    sdk.use(kept)
    assert sdk.client.configuration.oauth2_token.revoke_access_token(sdk.client)
    assert sdk.token["refresh_token"] is None
    sdk.use(kept)
    assert sdk.identity.get_connections() == []
    assert sdk.refused("HTTPStatusException", "get_organisations").status == 403
    with pytest.raises(sdk.errors.ApiException) as over:
        sdk.refresh()
    assert b"invalid_grant" in over.value.body


def test_a_repeat_gets_the_first_answer_and_is_not_carried_out(sdk: Sdk, court: Court) -> None:
    key = court.id_of("invoice", "open")

    def write(text: str, idempotency_key: str) -> Any:
        return sdk.api.create_invoice_history(sdk.tenant, key, note_of(sdk, text), idempotency_key=idempotency_key)

    first = write("once", "k-1")
    court.advance(359)
    again = write("once", "k-1")
    assert again.history_records[0].date_utc == first.history_records[0].date_utc
    assert len(court.written("history_note")) == 1
    misuse = sdk.refused(
        "AccountingBadRequestException",
        "create_invoice_history",
        key,
        note_of(sdk, "other"),
        idempotency_key="k-1",
    )
    assert misuse.http_resp.status == 400
    assert "is used with a different request" in misuse.http_resp.text
    elsewhere = court.id_of("invoice", "part")
    sdk.refused(
        "AccountingBadRequestException",
        "create_invoice_history",
        elsewhere,
        note_of(sdk, "once"),
        idempotency_key="k-1",
    )
    assert len(court.written("history_note")) == 1
    court.advance(1)  # six minutes from the first call: the key is free again
    assert write("once", "k-1").history_records[0].date_utc > first.history_records[0].date_utc
    assert len(court.written("history_note")) == 2
    sdk.refused(
        "AccountingBadRequestException",
        "create_invoice_history",
        key,
        note_of(sdk, "long"),
        idempotency_key="x" * 129,
    )


def test_errors_are_kept_under_their_key_too(sdk: Sdk, court: Court) -> None:
    change = sdk.invoices(sdk.models.Invoice(reference="PO 1"))
    court.people(do="set_lock_date", period_lock_date="2026-10-31")
    arguments = (court.id_of("invoice", "open"), change)
    first = sdk.refused("AccountingBadRequestException", "update_invoice", *arguments, idempotency_key="k-2")
    assert first.reason.startswith("The document date cannot be before the period lock date")
    court.people(do="set_lock_date", period_lock_date=None)
    again = sdk.refused("AccountingBadRequestException", "update_invoice", *arguments, idempotency_key="k-2")
    assert again.reason == first.reason
    [mended] = sdk.api.update_invoice(sdk.tenant, *arguments, idempotency_key="k-3").invoices
    assert mended.reference == "PO 1"


def test_the_refusals_as_the_library_maps_them(sdk: Sdk, court: Court) -> None:
    missing = sdk.refused("NotFoundException", "get_invoice", ELSEWHERE)
    assert missing.status == 404
    assert headers_of(missing)["content-type"] == "text/html; charset=utf-8"
    with pytest.raises(sdk.errors.HTTPStatusException) as foreign:
        sdk.api.get_invoices(ELSEWHERE)
    assert foreign.value.status == 403
    assert b'"Detail": "AuthenticationUnsuccessful"' in foreign.value.body

    court.order("limits", {"minute": 0})
    limited = sdk.refused("RateLimitException", "get_invoices")
    told = headers_of(limited)
    assert (limited.status, limited.body, told["x-rate-limit-problem"]) == (429, b"", "minute")
    assert 1 <= int(told["retry-after"]) <= 60
    assert told["x-minlimit-remaining"] == "0"
    court.order("limits", {"minute": 60, "day": 0})
    assert headers_of(sdk.refused("RateLimitException", "get_invoices"))["x-rate-limit-problem"] == "day"
    court.order("limits", {"day": 1000})

    court.advance(1800)
    expired = sdk.refused("HTTPStatusException", "get_invoices")
    assert expired.status == 401
    assert b"TokenExpired: token expired at 11/22/2026 03:30:00" in expired.body
    sdk.refresh()
    assert names(sdk) == ["Kauri & Sons Ltd"]
    empty = sdk.refused("AccountingBadRequestException", "create_invoices", sdk.invoices())
    assert (empty.status, empty.error_data["Type"]) == (400, "NoDataProcessedException")


def test_a_missing_scope_is_a_401_that_no_refresh_mends(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = Sdk(court, monkeypatch, "openid offline_access accounting.invoices.read accounting.settings.read")
    assert len(narrow.api.get_invoices(narrow.tenant, page=1).invoices) == 13
    for _ in range(2):
        refusal = narrow.refused(
            "HTTPStatusException",
            "create_invoice_history",
            court.id_of("invoice", "open"),
            note_of(narrow, "x"),
        )
        assert refusal.status == 401
        assert b"AuthorizationUnsuccessful" in refusal.body
        narrow.refresh()
    assert narrow.refused("HTTPStatusException", "get_contacts").status == 401
    assert court.written("history_note") == []
    narrow.close()
