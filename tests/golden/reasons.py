"""Writes docs/reference/reasons.md from the texts: `python -m tests.golden.reasons`."""

from __future__ import annotations

from pathlib import Path

from connector.service.reason_texts import TEXTS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "reasons.md"


def document() -> str:
    """The page: every reason code with its sentence."""
    rows = [f"| `{code}` | {text.replace('|', '/')} |" for code, text in sorted(TEXTS.items())]
    head = [
        "# Reasons",
        "",
        "Every decision, and every time nothing happens, has reasons: a stable code and facts. `{name}` is a fact;",
        "`{days:day}` is a number with its noun (1 day, 2 days); a part in `[…]` is left out without its fact.",
        "Generated from `connector/service/reason_texts.py`.",
        "",
        "| code | says |",
        "| --- | --- |",
    ]
    return "\n".join([*head, *rows]) + "\n"


if __name__ == "__main__":
    REFERENCE.write_text(document(), "utf-8")
