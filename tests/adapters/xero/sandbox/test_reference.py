"""The reference page of the sandbox, held against the code."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from adapters.xero.sandbox.switches import defaults
from tests.adapters.xero.sandbox.frame_client import Caller, small_twin

ROOT = Path(__file__).parents[4]
HERE = Path(__file__).parent
PAGE = (ROOT / "docs" / "reference" / "xero-sandbox.md").read_text("utf-8")
POINTS = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)


def functions_in(name: str) -> set[str]:
    tree = ast.parse((HERE / f"test_{name}.py").read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_point_is_on_the_page_once_and_in_order() -> None:
    assert [int(number) for number, *_ in POINTS] == list(range(1, 37))


@pytest.mark.parametrize(("number", "modules", "tests"), [(number, m, t) for number, _, m, t in POINTS])
def test_modules_and_tests_of_a_point_exist(number: str, modules: str, tests: str) -> None:
    for module in re.findall(r"`([^`]+)`", modules):
        place = ROOT / "adapters" if module.startswith("_twin/") else ROOT / "adapters" / "xero" / "sandbox"
        assert (place / module).is_file(), (number, module)
    named = re.findall(r"`(\w+)::(\w+)`", tests)
    assert named
    for file, test in named:
        assert f"test_{test}" in functions_in(file), (number, file, test)


def test_every_switch_is_on_the_page_with_its_default() -> None:
    table = PAGE.partition("## Switches")[2].partition("## Webhooks")[0]
    rows = re.findall(r"^\| (\w+) \| `(.+?)` \| (.+?) \|$", table, re.MULTILINE)
    written = {name: json.loads(default) for name, default, _ in rows}
    assert written == json.loads(json.dumps(defaults()))
    assert len(rows) == len(written)


def test_the_paths_of_the_control_plane_are_real() -> None:
    caller = Caller(small_twin())
    paths = set(re.findall(r"/__sandbox/(\w+)", PAGE))
    assert "webhooks" in paths
    for path in paths:
        statuses = {caller.send(method, f"/__sandbox/{path}", b"{}").status for method in ("GET", "POST")}
        assert statuses - {404}, path
