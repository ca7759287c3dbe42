"""Plain text out of hostile text: the one place that says what a name from a ledger may hold.

An adapter makes names and numbers of its records `one_line`; letters, headers, notes and documents do so again with all
they write; a terminal gets everything `harmless`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Joiners that scripts and emoji need; every other invisible format character (bidi overrides among them) goes.
_JOINERS: Final = "\u200c\u200d"
_DROPPED: Final = frozenset({"Cf", "Cs", "Co", "Cn"})  # format, surrogate, private use, unassigned
_AS_SPACE: Final = frozenset({"Cc", "Zl", "Zp"})  # controls and line or paragraph separators


def one_line(value: str) -> str:
    """The value on one line, composed (NFC), without control, bidi or private-use characters; outer space trimmed.

    Runs of ordinary white space become one space; a no-break space stays.
    """
    if value.isprintable() and "  " not in value and unicodedata.is_normalized("NFC", value):
        return value.strip()
    kept = []
    for char in unicodedata.normalize("NFC", value):
        category = unicodedata.category(char)
        if category in _AS_SPACE:
            kept.append(" ")
        elif category not in _DROPPED or char in _JOINERS:
            kept.append(char)
    return re.sub(" {2,}", " ", "".join(kept)).strip()


def harmless(value: str) -> str:
    """The value for a terminal, its line ends kept: what could act on the terminal or mislead the eye is a "?"."""
    return value if value.isprintable() else "".join(map(_shown, value))


def _shown(char: str) -> str:
    if char.isprintable() or char == "\n" or char in _JOINERS:
        return char
    return " " if unicodedata.category(char) == "Zs" else "?"


def escaped(document: str) -> str:
    """A JSON document whose strings say the same, with everything that could act on a terminal written as an escape."""
    return document if document.isprintable() else "".join(map(_escape, document))


def _escape(char: str) -> str:
    if char.isprintable() or char == "\n":
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
