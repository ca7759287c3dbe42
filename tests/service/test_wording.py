"""Every reason that can be given has a sentence, with the facts that it speaks of; the reference lists them all."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest

import connector
from connector.domain.decisions import Reason
from connector.policy.rules.replies import ANSWERS
from connector.service.reason_texts import TEXTS
from connector.service.wording import facts_of, say
from tests.golden.reasons import REFERENCE, document

ROOT: Final = Path(connector.__file__).parent
_DOTTED: Final = re.compile(r"[a-z_]+\.[a-z_]+")
# Findings of the tone lint about letters, shown by the letterbook with the words they complain about.
_FINDINGS: Final = ("tone.", "letter.")
_NO_CODES: Final = {"document.py", "sections.py", "case_sections.py", "fields.py", "tone.py"}  # settings, lint
# Codes that are put together: what may stand in the braces.
_BUILT: Final = {"replies.{answer.task}": {answer.task for answer in ANSWERS.values()}}


@dataclass(frozen=True)
class Site:
    """One place that makes a reason: `Reason(code, {...})` or `waits(code, until, ...)`."""

    where: str
    code: ast.expr
    facts: frozenset[str]
    more: bool  # further facts are laid in from elsewhere

    def codes(self) -> set[str]:
        """The codes that can come from here; {} when they are a variable's."""
        if isinstance(self.code, ast.Constant):
            return {str(self.code.value)}
        if isinstance(self.code, ast.JoinedStr):
            built = ast.unparse(self.code)[2:-1]
            filled = re.sub(r"\{.*\}", "{}", built)
            return {filled.format(one) for one in _BUILT.get(built, {"(what?)"})}
        return set()


def _trees() -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted(ROOT.rglob("*.py")):
        if file.name != "reason_texts.py":
            yield file, ast.parse(file.read_text("utf-8"))


@cache
def _sites() -> tuple[Site, ...]:
    calls = [
        (f"{file.relative_to(ROOT)}:{node.lineno}", node, node.func.id)
        for file, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args
    ]
    found = [_of_reason(where, call) for where, call, name in calls if name == "Reason"]
    found += [_of_waits(where, call) for where, call, name in calls if name == "waits"]
    return tuple(site for site in found if not site.codes() or not next(iter(site.codes())).startswith(_FINDINGS))


def _of_reason(where: str, call: ast.Call) -> Site:
    given = call.args[1] if len(call.args) > 1 else ast.Dict([], [])
    keys = given.keys if isinstance(given, ast.Dict) else [None]
    names = frozenset(str(key.value) for key in keys if isinstance(key, ast.Constant))
    return Site(where, call.args[0], names, more=len(names) < len(keys))


def _of_waits(where: str, call: ast.Call) -> Site:
    names = {word.arg for word in call.keywords if word.arg}
    until = call.args[1]
    if not (isinstance(until, ast.Constant) and until.value is None):
        names.add("until")
    return Site(where, call.args[0], frozenset(names), more=len(names) < len(call.keywords))


@cache
def _spelt_out() -> frozenset[str]:
    """Every string in the pure code that looks like a reason's code: also those that reach `Reason` by a variable."""
    pure = [
        tree
        for file, tree in _trees()
        if file.relative_to(ROOT).parts[0] in ("policy", "domain") and file.name not in _NO_CODES
    ]
    texts = {node.value for tree in pure for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    found = {text for text in texts if isinstance(text, str) and _DOTTED.fullmatch(text)}
    return frozenset(code for code in found if not code.startswith(_FINDINGS))


def test_every_reason_that_can_be_given_has_a_sentence() -> None:
    given = {code for site in _sites() for code in site.codes()} | _spelt_out()
    assert {"neglected", "compose.refused", "replies.search_bank", "plan.on_track"} <= given
    assert sorted(given - TEXTS.keys()) == []


def test_a_sentence_for_a_reason_that_nothing_gives_is_dead() -> None:
    named = {node.value for _, tree in _trees() for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    built = {code for site in _sites() for code in site.codes()}
    assert sorted(TEXTS.keys() - named - built) == []


def test_every_reason_carries_the_facts_that_its_sentence_needs() -> None:
    lacking = [
        f"{site.where} {code}: {sorted(wanted)}"
        for site in _sites()
        for code in site.codes()
        if not site.more and (wanted := facts_of(re.sub(r"\[.*?\]", "", TEXTS[code])) - site.facts)
    ]
    assert lacking == []


def test_every_optional_part_can_be_said() -> None:
    by_code: dict[str, list[Site]] = {}
    for site in _sites():
        for code in site.codes():
            by_code.setdefault(code, []).append(site)
    never = {
        code: unsaid
        for code, sites in by_code.items()
        if not any(site.more for site in sites)
        and (unsaid := facts_of(TEXTS[code]) - frozenset().union(*(site.facts for site in sites)))
    }
    assert never == {}


def test_an_optional_part_appears_only_with_its_fact() -> None:
    assert say(Reason("item.on_plan")) == "a payment plan covers it"
    assert say(Reason("contact.cap")) == "contacted often enough for now"
    assert (
        say(Reason("contact.cap", {"until": "2026-11-23"})) == "contacted often enough for now; again from 2026-11-23"
    )


@pytest.mark.parametrize(
    ("code", "facts", "said"),
    [
        ("ladder.overdue", {"invoice": "INV-1", "days": 1}, "INV-1 is 1 day overdue"),
        ("ladder.overdue", {"invoice": "INV-1", "days": 1200}, "INV-1 is 1,200 days overdue"),
        ("call.valued_customer", {"days": 1}, "a valued customer is called early (1 day overdue)"),
        ("standing.thin_history", {"paid": 1, "months": 2}, "1 paid invoice in 2 months"),
        ("plan.too_many_instalments", {"instalments": 13}, "13 instalments are too many"),
    ],
)
def test_one_is_no_plural(code: str, facts: dict[str, str | int], said: str) -> None:
    assert say(Reason(code, facts)) == said


def test_our_codes_become_words_and_names_stay_as_they_are() -> None:
    assert say(Reason("customer.never_chased", {"party": "public_body"})) == "a public body customer is never chased"
    assert say(Reason("ladder.overdue", {"invoice": "INV_7", "days": 3})) == "INV_7 is 3 days overdue"


def test_an_invoice_without_a_number_is_spoken_of_all_the_same() -> None:
    assert say(Reason("ladder.overdue", {"invoice": "", "days": 3})) == "an invoice without a number is 3 days overdue"


def test_a_reason_that_lacks_a_needed_fact_is_shown_as_data_not_hidden() -> None:
    assert say(Reason("take_on.too_old", {"invoice": "INV-1"})) == "take_on.too_old (invoice INV-1)"
    assert say(Reason("made.up", {"x": ""})) == "made.up"


def test_the_reference_page_is_up_to_date() -> None:
    assert REFERENCE.read_text("utf-8") == document(), "run `python -m tests.golden.reasons`"
