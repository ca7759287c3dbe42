"""How wide Helvetica sets its characters: advance widths in thousandths of the size (Adobe's core font metrics)."""

from __future__ import annotations

import unicodedata
from typing import Final

_UNKNOWN: Final = 1000  # wider than any letter: text may end early, never run over the edge
_WIDTHS: Final = {
    191: "'",
    222: "ijl",
    260: "|",
    278: " !,./:;I[\\]ft",
    333: "()-`r",
    334: "{}",
    355: '"',
    389: "*",
    469: "^",
    500: "Jcksvxyz",
    556: "#$0123456789?L_abdeghnopqu",
    584: "+<=>~",
    611: "FTZ",
    667: "&ABEKPSVXY",
    722: "CDHNRUw",
    778: "GOQ",
    833: "Mm",
    889: "%",
    944: "W",
    1015: "@",
}
_OF: Final = {char: width for width, chars in _WIDTHS.items() for char in chars}


_WIDER_IN_BOLD: Final = frozenset("ABJKLbcdfghijklmnopqrstuvwxy")  # by 56, to the unit


def width(text: str, size: float, *, bold: bool = False) -> float:
    """The width of the text in points; accented letters are as wide as their plain ones."""
    plain = [unicodedata.normalize("NFD", char)[0] for char in text]
    units = sum(_OF.get(char, _UNKNOWN) + (56 if bold and char in _WIDER_IN_BOLD else 0) for char in plain)
    return units * size / 1000
