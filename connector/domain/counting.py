"""Numbers with their nouns: "1 invoice", "2 invoices"."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """The number, thousands separated, and its noun; `plural` where it is not the noun with an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
