"""Every route of the sandbox, driven through its statuses, and every answer held against Xero's own API description."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from adapters._twin.clock import VirtualClock
from adapters.xero.sandbox import books
from adapters.xero.sandbox.app import XeroTwin
from adapters.xero.sandbox.resources import ROUTES
from tests.judges.court import NOW, Court, seat, seat_of
from tests.judges.description import MISSING, SPEC, official
from tests.judges.deviations import DEVIATIONS, STATUSES, sustained
from tests.judges.drive import Drive, template_of

pytestmark = [pytest.mark.socket, pytest.mark.skipif(not SPEC.exists(), reason=MISSING)]
LINE = {"Description": "Retainer", "Quantity": 1.0, "UnitAmount": 100.0, "LineAmount": 100.0, "Tracking": []}
CONTACT = {"ContactID": "a3675fc4-0000-4000-8000-000000000003", "Name": "Basket Case"}
RECORDED: dict[str, object] = {
    "Organisations": [
        {"Name": "Recorded Ltd", "BaseCurrency": "NZD", "CountryCode": "NZ", "Timezone": "NEWZEALANDSTANDARDTIME"}
    ],
    "Contacts": [CONTACT],
    "RepeatingInvoices": [
        {
            "RepeatingInvoiceID": "428c0d75-909f-4b04-8403-a48dc27283b0",
            "ID": "428c0d75-909f-4b04-8403-a48dc27283b0",
            "Type": "ACCREC",
            "Status": "AUTHORISED",
            "Contact": CONTACT,
            "Schedule": {"Period": 1, "Unit": "MONTHLY", "DueDate": 10, "DueDateType": "OFFOLLOWINGMONTH"},
            "LineItems": [LINE],
            "LineAmountTypes": "Exclusive",
            "Total": 115.0,
            "CurrencyCode": "NZD",
        }
    ],
    "TrackingCategories": [
        {
            "TrackingCategoryID": "22f10184-0deb-44ae-a312-b1f6ea70e51f",
            "Name": "Region",
            "Status": "ACTIVE",
            "Options": [
                {"TrackingOptionID": "cf3c7af2-0000-4000-8000-000000000001", "Name": "North", "Status": "ACTIVE"}
            ],
        }
    ],
}


def _recorded(folder: Path) -> Court:
    """Read what only recorded books have."""
    (folder / "books.json").write_text(json.dumps(RECORDED), "utf-8")
    court, server = seat_of(XeroTwin([books.load(folder, NOW)], VirtualClock(NOW, frozen=True), seed=1))
    with server:
        court.base_url = server.base_url
        drive = Drive(court, court.first_token()["access_token"])
        [repeating] = drive.rows("/RepeatingInvoices")
        [single] = drive.rows(f"/RepeatingInvoices/{repeating['RepeatingInvoiceID']}")
        assert single["Schedule"]["Unit"] == "MONTHLY"
        [category] = drive.rows("/TrackingCategories")
        assert [one["Name"] for one in category["Options"]] == ["North"]
    return court


@cache
def _scenario() -> Court:
    """Go through every resource, every refusal, and the end of the connection."""
    court, server = seat()
    with server:
        court.base_url = server.base_url
        drive = Drive(court, court.first_token()["access_token"])
        drive.everything()
        drive.farewell(court.first_token())
    return court


def test_every_answer_of_every_route_fits_the_description(tmp_path: Path) -> None:
    used: set[str] = set()
    exchanges = _scenario().exchanges + _recorded(tmp_path).exchanges
    found = [one for each in exchanges for one in sustained(official(), each, used)]
    assert not found, "\n".join(sorted({str(one) for one in found}))

    answered = {template_of(each.method, each.path) for each in exchanges if each.status < 300}
    never_well = {"POST /Organisation"}  # 501, as Xero has it
    assert answered >= {f"{one.method} {one.template}" for one in ROUTES} - never_well

    known = {one.where for one in DEVIATIONS} | {f"status {status}" for status in STATUSES}
    assert used == known, f"no answer needs: {sorted(known - used)}"


def test_each_kind_of_refusal_was_met() -> None:
    statuses = {each.status for each in _scenario().exchanges}
    assert statuses >= {200, 204, 302, 400, 401, 403, 404, 405, 412, 415, 429, 501}
    numbers = {json.loads(each.body).get("ErrorNumber") for each in _scenario().exchanges if each.status == 400}
    assert numbers == {10, 14, 16, 17, None}
