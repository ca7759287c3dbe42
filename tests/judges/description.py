"""Xero's own API description as a judge of answers: OpenAPI 3.0 made into closed JSON Schemas, and the way to them.

Closed: a property that the description does not know is an objection, so that nothing is sent unnoticed. The files are
not part of the project; DUNWELL_XERO_SPEC names xero_accounting.yaml, or it lies in ../shared/specs beside the project,
with xero_identity.yaml next to it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

from referencing import Registry
from referencing.jsonschema import DRAFT202012
from ruamel.yaml import YAML

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "specs" / "xero_accounting.yaml"
SPEC = Path(os.environ.get("DUNWELL_XERO_SPEC") or _BESIDE)
MISSING = "the OpenAPI file of Xero's Accounting API is not there (DUNWELL_XERO_SPEC): NO ANSWER IS HELD AGAINST IT"
ACCOUNTING = "/api.xro/2.0"
_KEPT = ("type", "enum", "maxLength", "minLength", "pattern", "minimum", "maximum", "required")
_NO_CONSTRAINT = {"description", "example", "externalDocs", "readOnly", "default", "deprecated", "uniqueItems", "title"}
ENVELOPE = {"Id", "Status", "ProviderName", "DateTimeUTC"}
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MS = re.compile(r"/Date\((-?\d+)(\+0000)?\)/")
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, as the judge needs them."""

    method: str
    path: str
    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Objection:
    """What the description does not allow. `where` is the same in every run: "Invoice.DateString undescribed",
    "Allocation.Amount required", "status 401", "GET /Organisations"."""

    where: str
    what: str
    route: str

    def __str__(self) -> str:
        return f"{self.route}: {self.where}: {self.what}"


# --- from OpenAPI 3.0 to JSON Schema ---------------------------------------------------------------------------


def json_schema(node: Mapping[str, Any], title: str) -> dict[str, Any]:
    """Convert one schema object. Raises ValueError for a keyword that the conversion would lose."""
    if "$ref" in node:
        return {"$ref": str(node["$ref"])}  # OpenAPI 3.0: what stands beside a reference is ignored
    lost = {key for key in node if not key.startswith("x-")} - {*_KEPT, *_NO_CONSTRAINT}
    if lost := lost - {"properties", "items", "nullable", "format"}:
        raise ValueError(f"{title}: the conversion does not know {', '.join(sorted(lost))}")
    made: dict[str, Any] = {"title": title, **{key: node[key] for key in _KEPT if key in node}}
    if form := _format(node):
        made["format"] = form
    if "items" in node:
        made["items"] = json_schema(node["items"], f"{title}[]")
    if "properties" in node:
        made["properties"] = {key: json_schema(value, f"{title}.{key}") for key, value in node["properties"].items()}
        made["additionalProperties"] = False
    if node.get("nullable"):
        made["type"] = [made["type"], "null"]
        made |= {"enum": [*made["enum"], None]} if "enum" in made else {}
    return made


def _format(node: Mapping[str, Any]) -> str:
    if node.get("x-is-msdate"):
        return "msdate"
    return "msdate-time" if node.get("x-is-msdate-time") else str(node.get("format", ""))


def _lists_of(made: Mapping[str, Any]) -> list[str]:
    """The list of an envelope, without which it says nothing: the description forgets to require it."""
    lists = [key for key, value in made.get("properties", {}).items() if value.get("type") == "array"]
    return [key for key in lists if key != "Warnings"]


def _ms(text: str) -> int:
    match = _MS.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is not a /Date()/")
    return int(match.group(1))


def _msdate(text: str) -> None:
    if _ms(text) % _DAY_MS:
        raise ValueError(f"{text} is not midnight UTC")


def _uuid(text: str) -> None:
    if str(UUID(text)) != text.lower():
        raise ValueError(f"{text} is not written as a UUID is")


def _date_time(text: str) -> None:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError(f"{text} has no zone (RFC 3339)")


_FORMATS: Mapping[str, Callable[[str], object]] = {
    "msdate": _msdate,
    "msdate-time": _ms,
    "uuid": _uuid,
    "date": date.fromisoformat,
    "date-time": _date_time,
}
_NUMBERS = {"double", "int32", "int64"}  # said by the type


def _checker() -> Any:
    """jsonschema's own checks of formats pass silently where an optional package is missing: these do not."""
    checker = import_module("jsonschema").FormatChecker(formats=())
    for name, read in _FORMATS.items():
        checker.checks(name, raises=ValueError)(_reads(read))
    return checker


def _reads(read: Callable[[str], object]) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        if isinstance(value, str):
            read(value)
        return True

    return check


# --- the judge -------------------------------------------------------------------------------------------------


class Description:
    """One or more OpenAPI documents, each under the prefix of its paths."""

    def __init__(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        self._checker = _checker()
        self._registry: Registry[Any] = Registry()
        self._routes: list[tuple[str, re.Pattern[str], str, Mapping[str, Any]]] = []
        self._responses: dict[str, Mapping[str, Any]] = {}
        self._lists: dict[str, dict[str, str]] = {}
        for prefix, document in documents.items():
            urn = f"urn:description:{len(self._responses)}"
            self._add(urn, document["components"])
            self._responses[urn] = document["components"].get("responses", {})
            for template, operations in document["paths"].items():
                self._routes.append((urn, _pattern(prefix + template), prefix + template, operations))
        self._routes.sort(key=lambda row: (row[2].count("{"), row[2]))

    def _add(self, urn: str, components: Mapping[str, Any]) -> None:
        schemas = {name: json_schema(node, name) for name, node in components["schemas"].items()}
        self._lists[urn] = {}
        for name, made in schemas.items():
            if "x-objectArrayKey" in components["schemas"][name]:
                [self._lists[urn][name]] = made["required"] = _lists_of(made)
            _check_formats(made)
        resource = DRAFT202012.create_resource({"components": {"schemas": schemas}})
        self._registry = self._registry.with_resource(urn, resource)

    def route_of(self, method: str, path: str) -> tuple[str, str, Mapping[str, Any]] | None:
        """Return document, "GET /Invoices/{InvoiceID}" and the operation; case and a last slash do not count."""
        for urn, pattern, template, operations in self._routes:
            if pattern.fullmatch(path.rstrip("/")) and method.lower() in operations:
                return urn, f"{method} {template.removeprefix(ACCOUNTING)}", operations[method.lower()]
        return None

    def objections(self, exchange: Exchange) -> Iterator[Objection]:
        """Yield what is wrong with an answer, by its operation and status."""
        found = self.route_of(exchange.method, exchange.path)
        if found is None:
            if exchange.status not in {404, 405, 501}:  # what is not described has to be refused
                route = f"{exchange.method} {_ID.sub('{id}', exchange.path.removeprefix(ACCOUNTING))}"
                yield Objection(route, "no such operation", route)
            return
        urn, route, operation = found
        response = operation["responses"].get(str(exchange.status))
        if response is None:
            yield Objection(f"status {exchange.status}", "the operation has no such status", route)
            return
        response = self._responses[urn][response["$ref"].rpartition("/")[2]] if "$ref" in response else response
        yield from self._content(exchange, route, urn, response.get("content", {}))
        if exchange.status == 400 and exchange.content_type.startswith("application/json"):
            yield from self._echoes(exchange, route, urn, operation)

    def _content(self, exchange: Exchange, route: str, urn: str, content: Mapping[str, Any]) -> Iterator[Objection]:
        if not content and exchange.body:
            yield Objection(route, f"a body of {exchange.content_type} where none is described", route)
        elif content and "application/json" in content:
            if not exchange.content_type.startswith("application/json"):
                yield Objection(f"{route} JSON", f"{exchange.content_type or 'nothing'} instead", route)
                return
            yield from self.judge(content["application/json"]["schema"], json_of(exchange.body), route, urn)
        elif content and "application/octet-stream" not in content and exchange.content_type not in content:
            yield Objection(route, f"{exchange.content_type} instead of {', '.join(content)}", route)

    def _echoes(self, exchange: Exchange, route: str, urn: str, operation: Mapping[str, Any]) -> Iterator[Objection]:
        """Judge the refused elements as what they are: the description of errors knows no more than their ids."""
        schema = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
        elements = json_of(exchange.body).get("Elements")
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        if elements and name and (plural := self._lists[urn].get(name)):
            yield from self.judge(schema, {plural: elements}, route, urn)

    def judge(self, schema: Mapping[str, Any], value: Any, route: str, urn: str) -> Iterator[Objection]:
        """Yield what a schema object has against a JSON value."""
        made = _absolute(json_schema(schema, route), urn)
        validator = import_module("jsonschema").Draft202012Validator(
            made, registry=self._registry, format_checker=self._checker
        )
        for error in validator.iter_errors(value):
            title, place = str(error.schema.get("title", "?")), "/".join(map(str, error.absolute_path))
            if error.validator == "additionalProperties":
                for key in sorted(set(error.instance) - set(error.schema["properties"])):
                    inside = title if place or key not in ENVELOPE or title == "Error" else "envelope"
                    yield Objection(f"{inside}.{key} undescribed", f"at {place or 'the top'}", route)
            elif error.validator == "required":
                yield Objection(
                    f"{title}.{error.message.split(chr(39))[1]} required", f"at {place or 'the top'}", route
                )
            else:
                yield Objection(f"{title} {error.validator}", f"{error.message[:160]} at {place}", route)


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]*\})", template)
    text = "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts)
    return re.compile(text, re.IGNORECASE)


def _absolute(schema: dict[str, Any], urn: str) -> dict[str, Any]:
    if "$ref" in schema:
        return {"$ref": urn + schema["$ref"]}
    return {key: _absolute(value, urn) if isinstance(value, dict) else value for key, value in schema.items()}


def _check_formats(made: object) -> None:
    """Raise ValueError for a format that nobody would check."""
    if isinstance(made, dict):
        form = made.get("format")
        if isinstance(form, str) and form not in {*_FORMATS, *_NUMBERS}:
            raise ValueError(f"{made.get('title')}: nobody checks the format {form}")
        for value in made.values():
            _check_formats(value)


def json_of(body: bytes) -> Any:
    """Read JSON with exact numbers."""
    return json.loads(body, parse_float=Decimal)


@cache
def official() -> Description:
    """Return the description of the Accounting API and of the connections. Raises OSError where it is not there."""
    read = YAML(typ="safe", pure=False).load
    return Description(
        {
            ACCOUNTING: read(SPEC.read_text("utf-8")),
            "": read(SPEC.with_name("xero_identity.yaml").read_text("utf-8")),
        }
    )
