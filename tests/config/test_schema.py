"""The schemas that are checked in are those of the models, and they judge files as the models do."""

from __future__ import annotations

import json
from decimal import Decimal
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from connector.config.document import read_document
from connector.config.layers import PRESETS, preset_document
from connector.config.schema import mapping_schema, policy_schema

MAPPINGS = files("mappings")
Draft202012Validator: Any = import_module("jsonschema").Draft202012Validator


@pytest.mark.parametrize(("name", "made"), [("policy", policy_schema), ("mapping", mapping_schema)])
def test_the_schema_checked_in_is_the_models(name: str, made: object) -> None:
    """To update: write `policy_schema()` and `mapping_schema()` to mappings/schema."""
    assert callable(made)
    assert MAPPINGS.joinpath("schema", f"{name}.json").read_text("utf-8") == made()


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return float(value) if isinstance(value, Decimal) else value


def _judge(schema: str, text: str, folder: Path) -> bool:
    (folder / "some.yaml").write_text(text, "utf-8")
    validator = Draft202012Validator(json.loads(schema))
    return bool(validator.is_valid(_plain(read_document(folder / "some.yaml").data)))


def test_shipped_files_satisfy_their_schemas() -> None:
    for name in PRESETS:
        assert Draft202012Validator(json.loads(policy_schema())).is_valid(_plain(preset_document(name).data))
    for name, schema in (("policy.yaml", policy_schema()), ("defaults.yaml", mapping_schema())):
        document = read_document(MAPPINGS.joinpath(name))
        assert document.findings == []
        assert Draft202012Validator(json.loads(schema)).is_valid(_plain(document.data))


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("preset: firm\npromise: {longest_days: 5}\n", True),
        ("promise: null\nplan: {months: null}\n", True),
        ("preset: loud\n", False),
        ("promise: {longest: 5}\n", False),
        ("promise: {longest_days: soon}\n", False),
        ("ladder: {steps: [{level: friendly}]}\n", False),
        ("goodwill: {}\n", False),
    ],
)
def test_an_editor_sees_what_the_check_would_find(tmp_path: Path, text: str, valid: bool) -> None:
    assert _judge(policy_schema(), text, tmp_path) is valid
