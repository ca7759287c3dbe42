"""Reasons in plain words. A reason is data (code and facts); this is the one place where it becomes a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from connector.domain.counting import counted
from connector.domain.decisions import Reason, Scalar
from connector.service.reason_texts import TEXTS

_OPTIONAL: Final = re.compile(r"\[([^\[\]]*)\]")
_FACT: Final = re.compile(r"\{(?P<name>[a-z_]+)(?::(?P<noun>[^{}/]+)(?:/(?P<plural>[^{}]+))?)?\}")
_CODE: Final = re.compile(r"[a-z]+(?:_[a-z]+)+")
_NAMELESS: Final = {"invoice": "an invoice without a number"}


def say(reason: Reason) -> str:
    """The reason as a sentence, without a full stop; one without a text is shown as its code and facts."""
    given = {name: value for name, value in reason.facts.items() if value not in ("", None)}
    facts = _NAMELESS | given
    template = TEXTS.get(reason.code)
    if template is not None:
        text = _OPTIONAL.sub(lambda part: part[1] if facts_of(part[1]) <= facts.keys() else "", template)
        if facts_of(text) <= facts.keys():
            return _FACT.sub(lambda found: _said(found, facts), text)
    shown = ", ".join(f"{name.replace('_', ' ')} {_shown(value)}" for name, value in given.items())
    return f"{reason.code} ({shown})" if shown else reason.code


def facts_of(text: str) -> set[str]:
    """The facts that a sentence, or a part of one, speaks of."""
    return {found["name"] for found in _FACT.finditer(text)}


def _said(found: re.Match[str], facts: Mapping[str, Scalar]) -> str:
    value = facts[found["name"]]
    if found["noun"] and isinstance(value, int):
        return counted(value, found["noun"], found["plural"] or "")
    return _shown(value) + (f" {found['plural'] or found['noun'] + 's'}" if found["noun"] else "")


def _shown(value: Scalar) -> str:
    """Our own codes in words; what came from a ledger or a person (an invoice number may hold "_") as it is."""
    text = str(value)
    return text.replace("_", " ") if _CODE.fullmatch(text) else text
