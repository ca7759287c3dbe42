"""Plain text out of hostile text: what may stand in a letter, a header, a note or a document."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit

# Joiners that scripts and emoji need; every other invisible format character (bidi overrides among them) goes.
_JOINERS: Final = "\u200c\u200d"
_DROPPED: Final = frozenset({"Cf", "Cs", "Co", "Cn"})  # format, surrogate, private use, unassigned
_AS_SPACE: Final = frozenset({"Cc", "Zl", "Zp"})  # controls and line or paragraph separators
_ASCII_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")
_LINK_SCHEMES: Final = frozenset({"http", "https"})


def one_line(value: str) -> str:
    """The value on one line, composed (NFC), without control, bidi or private-use characters; outer space trimmed.

    Runs of ordinary white space become one space; a no-break space stays.
    """
    kept = []
    for char in unicodedata.normalize("NFC", value):
        category = unicodedata.category(char)
        if category in _AS_SPACE:
            kept.append(" ")
        elif category not in _DROPPED or char in _JOINERS:
            kept.append(char)
    return re.sub(" {2,}", " ", "".join(kept)).strip()


def web_link(value: str) -> str:
    """The value if it is an absolute http or https address in plain ASCII, else ""."""
    if not _ASCII_PRINTABLE.fullmatch(value):
        return ""
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    return value if parts.scheme in _LINK_SCHEMES and parts.hostname and "\\" not in value else ""
