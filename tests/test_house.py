"""The house's own rules, where no tool checks them."""

from __future__ import annotations

import ast
import importlib.util
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector import ports

ROOT = Path(__file__).parents[1]
LONGEST_FILE, LONGEST_FUNCTION = 420, 60


def _sources() -> Iterator[Path]:
    for folder in ("connector", "adapters", "mappings"):
        yield from (ROOT / folder).rglob("*.py")


def test_no_file_is_much_over_400_lines() -> None:
    long = {str(file.relative_to(ROOT)): len(file.read_text("utf-8").splitlines()) for file in _sources()}
    assert {name: lines for name, lines in long.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_over_60_lines() -> None:
    long = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name}"
        for file in _sources()
        if "versions" not in file.parts  # migrations are lists of tables
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(file.relative_to(ROOT)) for file in _sources() if not ast.get_docstring(ast.parse(file.read_text("utf-8")))
    ]
    assert silent == []


def test_the_successor_of_httpx_is_not_installed() -> None:
    """authlib and others would prefer it, and the mock layer cannot intercept it (docs/decisions/0002)."""
    assert importlib.util.find_spec("httpx2") is None


def test_ports_exports_exactly_its_protocols_and_values() -> None:
    own = {name for name, value in vars(ports).items() if getattr(value, "__module__", "") == ports.__name__}
    assert sorted(own - {"batched"}) == sorted(ports.__all__)


def test_the_network_guard_guards() -> None:
    with socket.socket() as client, pytest.raises(AssertionError, match=r"192\.0\.2\.1"):
        client.connect(("192.0.2.1", 80))


def test_no_source_speaks_of_this_machine() -> None:
    """Paths of a developer's machine have no place in what users get."""
    marks = ("/" + "work" + "/", "/root" + "/")
    found = [
        str(file.relative_to(ROOT))
        for pattern in ("*.py", "*.md", "*.yaml", "*.toml")
        for file in ROOT.glob(f"[!.]*/**/{pattern}")
        if any(mark in file.read_text("utf-8") for mark in marks)
    ]
    assert found == []
