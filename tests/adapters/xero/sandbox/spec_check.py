"""Holding answers against the service's own API description, where its place is given by DUNWELL_XERO_SPEC."""

from __future__ import annotations

import json
import os
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from referencing import Registry
from referencing.jsonschema import DRAFT202012
from ruamel.yaml import YAML

from adapters._twin.messages import Response

SPEC = os.environ.get("DUNWELL_XERO_SPEC", "")
checked: dict[str, int] = {}


def check_against_spec(method: str, template: str, response: Response) -> None:
    """Hold a JSON answer of 200 against the schema of its operation, if the description is at hand."""
    if not SPEC or response.status != 200 or not _is_json(response):
        return
    if method == "DELETE":
        return  # the description's own example of a deleted allocation breaks its schema
    validator = _validator(method.lower(), template)
    if validator is None:
        return
    errors = [
        f"{'/'.join(map(str, one.path))}: {one.message}" for one in validator.iter_errors(json.loads(response.body))
    ]
    assert not errors, f"{method} {template}: {errors[:5]}"
    checked[f"{method} {template}"] = checked.get(f"{method} {template}", 0) + 1


def _is_json(response: Response) -> bool:
    return any(name.lower() == "content-type" and "json" in value for name, value in response.headers)


@cache
def _document() -> Any:
    document = YAML(typ="safe").load(Path(SPEC))
    _loosen(document["components"]["schemas"])
    return document


def _loosen(schemas: Any) -> None:
    """Mend what the description is known to have wrong: batch numbers as text, dates as YAML made them, GUIDs' form."""
    for name in ("TotalAmount", "IsReconciled"):
        schemas["BatchPayment"]["properties"][name].pop("type", None)


@cache
def _registry() -> Registry[Any]:
    filled: Registry[Any] = Registry().with_resource("urn:spec", DRAFT202012.create_resource(_document()))
    return filled


@cache
def _validator(method: str, template: str) -> Any:
    """Return the validator of an operation's answer, or None; jsonschema has no type stubs here, hence Any."""
    paths = _document()["paths"]
    known = template if template in paths else _same_shape(template, paths)
    operation = paths.get(known, {}).get(method)
    if operation is None:
        return None
    content = operation["responses"].get("200", {}).get("content", {}).get("application/json")
    if not content or "schema" not in content:
        return None
    schema = _absolute(content["schema"])
    return import_module("jsonschema").Draft202012Validator(schema, registry=_registry())


def _same_shape(template: str, paths: Any) -> str:
    shape = ["{}" if part.startswith("{") else part for part in template.split("/")]
    return next((one for one in paths if ["{}" if p.startswith("{") else p for p in one.split("/")] == shape), "")


def _absolute(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: f"urn:spec{value}" if key == "$ref" and value.startswith("#") else _absolute(value)
            for key, value in schema.items()
        }
    return [_absolute(one) for one in schema] if isinstance(schema, list) else schema


def examples() -> dict[str, Any]:
    """Return the description's own examples of 200 answers, by method and path."""
    found: dict[str, Any] = {}
    for path, operations in _document()["paths"].items():
        for method, operation in operations.items():
            if isinstance(operation, dict):
                content = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
                if "example" in content:
                    found[f"{method} {path}"] = content["example"]
    return found
