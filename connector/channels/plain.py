"""Addresses out of hostile text: what may become a link in a letter."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_ASCII_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")
_LINK_SCHEMES: Final = frozenset({"http", "https"})


def web_link(value: str) -> str:
    """The value if it is an absolute http or https address in plain ASCII, else ""."""
    if not _ASCII_PRINTABLE.fullmatch(value):
        return ""
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    return value if parts.scheme in _LINK_SCHEMES and parts.hostname and "\\" not in value else ""
