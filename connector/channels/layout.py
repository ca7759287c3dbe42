"""A parsed letter as plain text and as HTML. The only place where a letter's HTML is written; every word is escaped."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from html import escape
from itertools import zip_longest
from typing import Final
from urllib.parse import quote

from connector.channels.markdown import (
    Align,
    Block,
    Bold,
    Break,
    Heading,
    Inline,
    Line,
    Link,
    Listing,
    Paragraph,
    Table,
    Words,
    flatten,
    said,
)
from connector.channels.plain import web_link
from connector.domain.text import one_line

WIDTH: Final = 76
_MAILTO: Final = "mailto:"
_FONT: Final = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:15px;line-height:1.5"
_CELL: Final = "padding:6px 10px;border-bottom:1px solid #8888;vertical-align:top"


def as_text(blocks: Sequence[Block]) -> str:
    """The letter for readers of plain text: lines of at most 76 characters where words allow."""
    return "\n\n".join(_text_block(block) for block in blocks) + "\n"


def _text_block(block: Block) -> str:
    match block:
        case Heading(content=content) | Paragraph(content=content):
            return _wrap(flatten(content, _text_inline))
        case Listing():
            return "\n".join(_text_entry(block, number) for number in range(len(block.entries)))
        case Table():
            return _text_table(block)


def _wrap(text: str, first: str = "", rest: str = "") -> str:
    lines = []
    for number, line in enumerate(text.split("\n")):
        wrapped = textwrap.wrap(
            line,
            WIDTH,
            initial_indent=rest if number else first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines += wrapped or [""]
    return "\n".join(lines)


def _text_entry(listing: Listing, number: int) -> str:
    mark = f"{number + 1}. " if listing.ordered else "- "
    return _wrap(flatten(listing.entries[number], _text_inline), mark, " " * len(mark))


def _text_inline(part: Inline) -> str:
    match part:
        case Words():
            return part.text
        case Bold():
            return said(part.parts)
        case Break():
            return "\n"
        case Link():
            label, href = said(part.label), web_link(part.href)
            return f"{label}: {href}" if href and href != label else label


def _text_table(table: Table) -> str:
    """Columns where they fit the width, else one small block a row."""
    header = [flatten(cell, _text_inline) for cell in table.header]
    rows = [[flatten(cell, _text_inline) for cell in row] for row in table.rows]
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
    if sum(widths) + 2 * (len(widths) - 1) > WIDTH:
        return "\n\n".join(_text_stack(header, row) for row in rows)
    lines = [_text_row(row, widths, table.aligns) for row in (header, ["-" * width for width in widths], *rows)]
    return "\n".join(lines)


def _text_row(cells: Sequence[str], widths: Sequence[int], aligns: Sequence[Align]) -> str:
    padded = [
        cell.rjust(width) if align == "right" else cell.ljust(width)
        for cell, width, align in zip(cells, widths, aligns, strict=True)
    ]
    return "  ".join(padded).rstrip()


def _text_stack(header: Sequence[str], row: Sequence[str]) -> str:
    named = [f"{name}: {cell}" for name, cell in zip_longest(header[1:], row[1:], fillvalue="") if cell]
    return "\n".join([f"{header[0]} {row[0]}".strip(), *(f"  {line}" for line in named)])


def as_html(blocks: Sequence[Block], subject: str, language: str = "en") -> str:
    """The letter as a complete HTML document: no scripts, no remote content, inline styles only."""
    body = "\n".join(_html_block(block) for block in blocks)
    return (
        f'<!doctype html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(one_line(subject))}</title>\n</head>\n"
        f'<body style="{_FONT};max-width:44em;margin:0 auto;padding:16px">\n{body}\n</body>\n</html>\n'
    )


def _html_block(block: Block) -> str:
    match block:
        case Heading():
            tag = f"h{block.level}"
            return f'<{tag} style="font-size:17px;margin:20px 0 8px">{_html_line(block.content)}</{tag}>'
        case Paragraph():
            return f'<p style="margin:0 0 14px">{_html_line(block.content)}</p>'
        case Listing():
            tag = "ol" if block.ordered else "ul"
            entries = "\n".join(f"<li>{_html_line(entry)}</li>" for entry in block.entries)
            return f'<{tag} style="margin:0 0 14px;padding-left:22px">\n{entries}\n</{tag}>'
        case Table():
            return _html_table(block)


def _html_table(table: Table) -> str:
    head = "".join(_html_cell("th", cell, align) for cell, align in zip(table.header, table.aligns, strict=True))
    rows = "\n".join(
        f"<tr>{''.join(_html_cell('td', cell, align) for cell, align in zip(row, table.aligns, strict=True))}</tr>"
        for row in table.rows
    )
    style = "border-collapse:collapse;width:100%;margin:0 0 14px"
    return f'<table style="{style}">\n<thead>\n<tr>{head}</tr>\n</thead>\n<tbody>\n{rows}\n</tbody>\n</table>'


def _html_cell(tag: str, cell: Line, align: Align) -> str:
    return f'<{tag} style="{_CELL};text-align:{align}">{_html_line(cell)}</{tag}>'


def _html_line(line: Line) -> str:
    return flatten(line, _html_inline)


def _html_inline(part: Inline) -> str:
    match part:
        case Words():
            return escape(part.text)
        case Bold():
            return f"<strong>{escape(said(part.parts))}</strong>"
        case Break():
            return "<br>\n"
        case Link():
            label, href = escape(said(part.label)), _href(part.href)
            return f'<a href="{escape(href)}">{label}</a>' if href else label


def _href(target: str) -> str:
    """A target that may be clicked: a web address, or a mail address without headers smuggled in; else ""."""
    if target.startswith(_MAILTO):
        return _MAILTO + quote(target.removeprefix(_MAILTO), safe="@.+-_")
    return web_link(target)
