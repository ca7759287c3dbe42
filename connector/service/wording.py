"""Reasons in plain words. A reason is data (code and facts); this is the one place where it becomes a sentence."""

from __future__ import annotations

from connector.domain.decisions import Reason
from connector.service.reason_texts import TEXTS


def say(reason: Reason) -> str:
    """The reason as a sentence, without a full stop; an unknown code is shown with its facts."""
    template = TEXTS.get(reason.code)
    facts = {name: "" if value is None else value for name, value in reason.facts.items()}
    if template is not None:
        try:
            return template.format(**facts)
        except (KeyError, IndexError):
            pass
    shown = ", ".join(f"{name} {value}" for name, value in facts.items() if value not in ("", None))
    return f"{reason.code} ({shown})" if shown else reason.code
