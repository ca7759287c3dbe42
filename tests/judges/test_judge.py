"""The judge itself: it convicts what a small description does not allow, and acquits what it does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.judges.description import Description, Exchange, json_schema
from tests.judges.deviations import DEVIATIONS, sustained

SMALL: Mapping[str, Any] = {
    "paths": {
        "/Things": {
            "get": {
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Things"}}}},
                    "400": {"$ref": "#/components/responses/400Error"},
                }
            }
        },
        "/Things/{ThingID}": {"delete": {"responses": {"204": {"description": "gone"}}}},
    },
    "components": {
        "responses": {
            "400Error": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
        },
        "schemas": {
            "Things": {
                "type": "object",
                "x-objectArrayKey": "things",
                "properties": {"Things": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}},
            },
            "Thing": {
                "type": "object",
                "required": ["ThingID"],
                "properties": {
                    "ThingID": {"type": "string", "format": "uuid"},
                    "Name": {"type": "string", "maxLength": 5},
                    "Note": {"type": "string", "nullable": True, "enum": ["A", "B"]},
                    "Total": {"type": "number", "format": "double", "x-is-money": True},
                    "Date": {"type": "string", "x-is-msdate": True},
                    "UpdatedDateUTC": {"type": "string", "x-is-msdate-time": True},
                    "Made": {"type": "string", "format": "date-time"},
                },
            },
            "Error": {
                "type": "object",
                "properties": {"Type": {"type": "string"}, "Elements": {"type": "array", "items": {"type": "object"}}},
            },
        },
    },
}
KEY = "d4956132-0000-4000-8000-000000000001"
PROBLEM = (
    b'{"Type":null,"Title":"Unauthorized","Status":%d,"Detail":"x","Extensions":{},"Instance":"' + KEY.encode() + b'"}'
)
FAIR = {
    "ThingID": KEY,
    "Name": "five!",
    "Note": None,
    "Total": 345.0,
    "Date": "/Date(1793491200000+0000)/",
    "UpdatedDateUTC": "/Date(1793502245123)/",
    "Made": "2026-11-22T03:00:00Z",
}


def verdicts(body: object, status: int = 200, method: str = "GET", path: str = "/Things") -> list[str]:
    """Where a small description objects to a JSON answer."""
    raw = json.dumps(body).encode() if body is not None else b""
    exchange = Exchange(method, path, status, "application/json" if raw else "", raw)
    return [one.where for one in Description({"": SMALL}).objections(exchange)]


def test_a_fair_answer_is_acquitted() -> None:
    assert verdicts({"Things": [FAIR]}) == []
    assert verdicts({"Things": []}, path="/things/") == []
    assert verdicts(None, 204, "DELETE", f"/Things/{KEY}") == []
    assert verdicts({"no": "route"}, 404, "GET", "/Other") == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"Colour": "red"}, "Thing.Colour undescribed"),
        ({"Name": "longer"}, "Thing.Name maxLength"),
        ({"Note": "C"}, "Thing.Note enum"),
        ({"Total": "345.0"}, "Thing.Total type"),
        ({"Total": None}, "Thing.Total type"),
        ({"Date": "2026-11-01"}, "Thing.Date format"),
        ({"Date": "/Date(1793491200001+0000)/"}, "Thing.Date format"),
        ({"UpdatedDateUTC": "/Date(1793502245123+1300)/"}, "Thing.UpdatedDateUTC format"),
        ({"Made": "2026-11-22T03:00:00"}, "Thing.Made format"),
        ({"ThingID": "d495613200004000800000000000001"}, "Thing.ThingID format"),
        ({"ThingID": KEY.replace("-", "")}, "Thing.ThingID format"),
    ],
)
def test_a_wrong_value_is_convicted(change: dict[str, object], where: str) -> None:
    assert verdicts({"Things": [{**FAIR, **change}]}) == [where]


def test_a_wrong_answer_as_a_whole_is_convicted() -> None:
    assert verdicts({"Things": [{"Name": "x"}]}) == ["Thing.ThingID required"]
    assert verdicts({"Id": KEY}) == ["envelope.Id undescribed", "Things.Things required"]
    assert verdicts({"Things": []}, 202) == ["status 202"]
    assert verdicts({"Things": []}, 200, "GET", "/Other") == ["GET /Other"]
    assert verdicts({}, 204, "DELETE", f"/Things/{KEY}") == ["DELETE /Things/{ThingID}"]
    html = Exchange("GET", "/Things", 200, "text/html", b"<html>")
    assert [one.where for one in Description({"": SMALL}).objections(html)] == ["GET /Things JSON"]


def test_refused_elements_are_judged_as_what_they_are() -> None:
    assert verdicts({"Type": "x", "Elements": [{**FAIR, "Date": "2026-11-01"}]}, 400) == ["Thing.Date format"]
    assert verdicts({"Type": "x", "Elements": [FAIR]}, 400) == []


def test_what_would_be_lost_in_conversion_is_refused() -> None:
    with pytest.raises(ValueError, match="does not know oneOf"):
        json_schema({"oneOf": [{"type": "string"}]}, "Thing")
    strange = {"type": "object", "properties": {"Zip": {"type": "string", "format": "postcode"}}}
    document = {"paths": {}, "components": {"schemas": {"Strange": strange}}}
    with pytest.raises(ValueError, match="nobody checks the format postcode"):
        Description({"": document})


def test_every_deviation_names_its_place_once_and_gives_reason_and_source() -> None:
    places = [(one.where, one.on) for one in DEVIATIONS]
    assert len(places) == len(set(places))
    assert all(one.because and one.source for one in DEVIATIONS)


@pytest.mark.parametrize(
    ("status", "kind", "body", "fits"),
    [
        (429, "", b"", True),
        (429, "application/json", b"{}", False),
        (404, "text/html; charset=utf-8", b"<html>", True),
        (404, "application/json", b"{}", False),
        (415, "text/plain", b"no XML", True),
        (418, "text/plain", b"teapot", False),
        (
            401,
            "application/json",
            b'{"Type":null,"Title":"Unauthorized","Status":401,"Detail":"x","Extensions":{},"Instance":"%b"}'
            % KEY.encode(),
            True,
        ),
        (
            403,
            "application/json",
            b'{"Type":null,"Title":"Unauthorized","Status":403,"Detail":"x","Extensions":{},"Instance":"%b"}'
            % KEY.encode(),
            False,
        ),
    ],
)
def test_undescribed_statuses_have_their_form(status: int, kind: str, body: bytes, fits: bool) -> None:
    exchange = Exchange("DELETE", f"/Things/{KEY}", status, kind, body)
    assert [one.where for one in sustained(Description({"": SMALL}), exchange)] == (
        [] if fits else [f"status {status}"]
    )
