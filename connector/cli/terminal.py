"""A table in a terminal: fixed columns stay whole, texts wrap; where that takes too many lines, one record a row.

Nothing is ever cut off: a figure that lacks its last digit is a wrong figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

_GAP: Final = 2  # between two columns
_LONGEST_WORD: Final = 24  # a longer one (an address) may be folded
_MOST_LINES: Final = 4  # of one row; what takes more is easier read as a record
_FIXED: Final = ">="


def drawn(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table that fits the terminal. Columns are marked as for `output.table`."""
    console = Console(highlight=False, markup=False, emoji=False)
    if (widths := _widths(columns, rows, console.width)) is None:
        filled = [at for at, _ in enumerate(columns) if any(row[at] for row in rows)]
        columns, rows = [columns[at] for at in filled], [[row[at] for at in filled] for row in rows]
        widths = _widths(columns, rows, console.width)
    with console.capture() as shown:
        if widths is None:
            _print_records(console, columns, rows)
        else:
            console.print(_table(columns, rows, widths))
    return [line.rstrip() for line in shown.get().splitlines() if line.strip()]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, _GAP - 1, 0, 0))
    for column, width in zip(columns, widths, strict=True):
        table.add_column(
            Text(_title(column)), width=width, overflow="fold", justify="right" if column.startswith(">") else "left"
        )
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]], terminal: int) -> list[int] | None:
    """How wide each column is drawn; None where a figure would be cut or a text become a tower."""
    least, most = [], []
    for column, title, cells in zip(columns, map(_title, columns), zip(*rows, strict=True), strict=True):
        widest, words = max(map(cell_len, cells)), _longest_word(title)
        if column[0] in _FIXED:
            least.append(max(widest, words))
            most.append(max(widest, words))
        else:
            words = max(words, min(max(map(_longest_word, cells)), _LONGEST_WORD))
            least.append(max(words, -(-widest // _MOST_LINES)))
            most.append(max(widest, words))
    left = terminal - _GAP * len(columns)  # rich counts a gap behind the last one, too
    if sum(least) > left:
        return None
    titled = [max(width, cell_len(_title(column))) for column, width in zip(columns, most, strict=True)]
    widths = _filled(least, most, left - sum(least))
    return _filled(widths, titled, left - sum(widths))  # what is left then keeps titles on one line


def _filled(least: list[int], most: list[int], spare: int) -> list[int]:
    """Spare room goes to the column that lacks the most, cell by cell."""
    widths = list(least)
    for _ in range(spare):
        lacking = max(range(len(widths)), key=lambda at: most[at] - widths[at], default=None)
        if lacking is None or widths[lacking] >= most[lacking]:
            break
        widths[lacking] += 1
    return widths


def _print_records(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The first column as a heading; below it the others by name, several on a line where they are short."""
    titles = [_title(column) for column in columns[1:]]
    for row in rows:
        console.print(Text(row[0], style="bold"), soft_wrap=True)
        fields = [f"{title}: {text}" for title, text in zip(titles, row[1:], strict=True) if text]
        for line in _flowed(fields, console.width - _GAP):
            console.print(Text(" " * _GAP + line), soft_wrap=True)


def _flowed(fields: Sequence[str], width: int) -> list[str]:
    """Fields one after the other, each whole on its line; one that is longer than a line wraps, indented, alone."""
    lines: list[str] = []
    room = 0
    for field in fields:
        length = cell_len(field)
        if length <= room - 2 * _GAP:
            lines[-1] += " " * 2 * _GAP + field
            room -= length + 2 * _GAP
        else:
            first, *others = _wrapped(field, width)
            lines += [first, *others]
            room = 0 if others else width - cell_len(first)
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    """Broken between words only: what is longer than a line is left to the terminal, which cuts nothing."""
    lines: list[str] = []
    for word in text.split():
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(f"{' ' * _GAP}{word}" if lines else word)
    return lines


def _title(column: str) -> str:
    return column.lstrip(_FIXED)


def _longest_word(text: str) -> int:
    return max(map(cell_len, text.split()), default=0)
