"""Every reason has a sentence, and the reference lists them all."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import connector
from connector.domain.decisions import Reason
from connector.service.reason_texts import TEXTS
from connector.service.wording import say
from tests.golden.reasons import REFERENCE, document

ROOT = Path(connector.__file__).parent
# Findings about texts and settings, shown by their own checkers; the first words of policy sections.
_NOT_REASONS = ("tone.", "letter.")


def _codes() -> set[str]:
    """String literals in the pure code that look like reason codes and are given to something that makes reasons."""
    found = set()
    for file in [*(ROOT / "policy").rglob("*.py"), *(ROOT / "domain").glob("*.py")]:
        if file.name in {"document.py", "sections.py", "case_sections.py", "fields.py", "tone.py"}:
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            value = node.value if isinstance(node, ast.Constant) else None
            if isinstance(value, str) and re.fullmatch(r"[a-z_]+\.[a-z_]+", value):
                found.add(value)
    return {code for code in found if not code.startswith(_NOT_REASONS)}


def test_every_reason_code_of_the_policy_has_a_sentence() -> None:
    codes = _codes()
    assert len(codes) > 150
    assert sorted(codes - TEXTS.keys()) == []


def test_an_optional_part_appears_only_with_its_fact() -> None:
    assert say(Reason("item.on_plan")) == "a payment plan covers it"
    assert say(Reason("contact.cap")) == "contacted often enough for now"
    assert (
        say(Reason("contact.cap", {"until": "2026-11-23"})) == "contacted often enough for now; again from 2026-11-23"
    )


def test_a_reason_that_lacks_a_needed_fact_is_shown_as_data_not_hidden() -> None:
    assert say(Reason("take_on.too_old", {"invoice": "INV-1"})) == "take_on.too_old (invoice INV-1)"
    assert say(Reason("made.up")) == "made.up"


def test_the_reference_page_is_up_to_date() -> None:
    assert REFERENCE.read_text("utf-8") == document(), "run `python -m tests.golden.reasons`"
