"""One is no plural, anywhere that dunwell speaks."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

import connector
from connector.domain.counting import counted

ALWAYS_MANY = {"name", "figures.dso"}  # a range ("1-30 days") and a decimal ("1.0 days")
PLURAL = re.compile(
    r" (?:[a-z]+ )?(?:actions|breaks|calls|customers|days|effects|instalments|invoices|items|letters|minutes|months"
    r"|notes|organisations|plans|problems|questions|records|tasks|times|weeks|writes|years)\b"
)


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 invoices"), (1, "1 invoice"), (2, "2 invoices"), (1200, "1,200 invoices")]
)
def test_the_noun_agrees_with_its_number(number: int, said: str) -> None:
    assert counted(number, "invoice") == said


def test_an_irregular_plural_is_given() -> None:
    assert [counted(number, "query", "queries") for number in (1, 2)] == ["1 query", "2 queries"]


def test_no_text_writes_a_plural_straight_after_a_number_it_does_not_know() -> None:
    root = Path(connector.__file__).parent
    found = [
        f"{file.relative_to(root)}:{part.lineno}: {after.value!r}"
        for file in sorted(root.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.JoinedStr)
        for part, after in pairwise(node.values)
        if isinstance(part, ast.FormattedValue) and ast.unparse(part.value) not in ALWAYS_MANY
        if isinstance(after, ast.Constant) and PLURAL.match(str(after.value))
    ]
    assert found == []
