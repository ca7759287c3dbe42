"""Write the golden letters anew: `python -m tests.golden.update`. Read the difference before you commit it."""

from __future__ import annotations

from pathlib import Path

from connector.channels.context import LetterKind
from connector.channels.render import Letterbook, Rendered, shipped
from connector.channels.samples import COMPLETE, lean

LETTERS = Path(__file__).parent / "letters"


def golden_text(letter: Rendered) -> str:
    return f"Subject: {letter.subject}\n\n{letter.text}"


def letters() -> dict[str, str]:
    """File name and content of every golden letter: the fullest in text and HTML, the barest in text."""
    book = Letterbook([shipped()])
    found: dict[str, str] = {}
    for kind in LetterKind:
        full = book.render(kind, COMPLETE)
        found[f"{kind}.txt"] = golden_text(full)
        found[f"{kind}.html"] = full.html
        found[f"{kind}.lean.txt"] = golden_text(book.render(kind, lean(kind)))
    return found


if __name__ == "__main__":
    LETTERS.mkdir(exist_ok=True)
    for name, content in letters().items():
        (LETTERS / name).write_text(content, encoding="utf-8")
