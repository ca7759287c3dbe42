"""Reasons in plain words. A reason is data (code and facts); this is the one place where it becomes a sentence."""

from __future__ import annotations

import re

from connector.domain.decisions import Reason
from connector.service.reason_texts import TEXTS

_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_FACT = re.compile(r"\{([a-z_]+)\}")


def say(reason: Reason) -> str:
    """The reason as a sentence, without a full stop; one without a text is shown as its code and facts."""
    facts = {name: str(value).replace("_", " ") for name, value in reason.facts.items() if value not in ("", None)}
    template = TEXTS.get(reason.code)
    if template is not None:
        text = _OPTIONAL.sub(lambda part: part[1] if set(_FACT.findall(part[1])) <= facts.keys() else "", template)
        if set(_FACT.findall(text)) <= facts.keys():
            return _FACT.sub(lambda name: facts[name[1]], text)
    shown = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items())
    return f"{reason.code} ({shown})" if shown else reason.code
