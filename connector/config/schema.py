"""JSON Schemas of policy.yaml and mapping.yaml for editors, generated from the models and checked in."""

from __future__ import annotations

import json
from typing import Any, Final

from pydantic import BaseModel

from connector.config.layers import PRESETS
from connector.config.mapping import Mapping
from connector.policy.document import Policy

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_WHOLE: Final = frozenset({"Step", "QuietPeriod"})  # entries of lists, which replace whole: nothing may be left out

Schema = dict[str, Any]


def policy_schema() -> str:
    """The schema of policy.yaml: a preset's name, and any setting over it (null = the preset's)."""
    schema = _partial_document(Policy, "dunwell credit policy")
    schema["properties"] = {
        "preset": {"enum": list(PRESETS), "description": "Where every setting not named here comes from."},
        **schema["properties"],
    }
    return _written(schema)


def mapping_schema() -> str:
    """The schema of mapping.yaml."""
    return _written(_partial_document(Mapping, "dunwell mapping"))


def _partial_document(model: type[BaseModel], title: str) -> Schema:
    whole = model.model_json_schema()
    definitions = {
        name: definition if name in _WHOLE else _partial(definition) for name, definition in whole["$defs"].items()
    }
    return {"$schema": _DRAFT, **_partial(whole), "title": title, "$defs": definitions}


def _partial(schema: Schema) -> Schema:
    """Every property may be left out, or be null."""
    if "properties" not in schema:
        return schema
    loose = {key: value for key, value in schema.items() if key not in ("required", "$defs")}
    loose["properties"] = {name: _nullable(one) for name, one in schema["properties"].items()}
    return loose


def _nullable(one: Schema) -> Schema:
    described: Schema = {key: value for key, value in one.items() if key in ("description", "title", "unit")}
    rest = {key: value for key, value in one.items() if key not in described}
    return {**described, "anyOf": [*rest["anyOf"], {"type": "null"}] if "anyOf" in rest else [rest, {"type": "null"}]}


def _written(schema: Schema) -> str:
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"
