"""Crediting an invoice whole and raising it again: neutral in the books, and the same debt as before.

The credit note and the new invoice bear the same date, so that nothing moves between tax periods; per account and tax
code they cancel out to the minor unit, or nothing is written. What people agreed and wrote about the first invoice
goes on: the debt keeps its first due date and the levels that its letters earned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from connector.domain.cases import LetterSent, Reissue
from connector.domain.effects import DocumentLine
from connector.domain.known import Known
from connector.domain.ledger import CustomerBook, Invoice, Line
from connector.domain.reductions import NoReduction, Recipe, lines

# Letters that bring the invoice itself: the new one has yet to be sent.
BRINGS_THE_INVOICE: Final = frozenset({"send_invoice", "reinvoice"})


def reversal(invoice: Invoice, recipe: Recipe, description: str) -> tuple[DocumentLine, ...]:
    """The credit note's lines: the whole invoice, by account and tax code. Raises `NoReduction`."""
    return lines(invoice, invoice.total, recipe, description)


def replacement(invoice: Invoice) -> tuple[DocumentLine, ...]:
    """The new invoice's lines: those of the old one, each as it stands. Raises `NoReduction`.

    Quantities, unit prices, stock items and tracking are not in the mirror: a line is its description and its sums.
    """
    return tuple(_again(invoice, line) for line in invoice.lines)


def _again(invoice: Invoice, line: Line) -> DocumentLine:
    if not line.account and (line.net or line.tax):
        raise NoReduction(f"a line of {invoice.number} names no account")
    return DocumentLine(line.description or f"As on {invoice.number}", line.net, line.tax, line.account, line.tax_code)


def check_neutral(invoice: Invoice, taken: Iterable[DocumentLine], given: Iterable[DocumentLine]) -> None:
    """Raises `NoReduction` unless both come to the same net and the same tax for each account and tax code."""
    if _sums(taken) != _sums(given):
        raise NoReduction(
            f"the credit note would not take {invoice.number} back as it was invoiced: a reissue needs a recipe for a"
            " correction that keeps every account and tax code as_invoiced"
        )


def _sums(found: Iterable[DocumentLine]) -> dict[tuple[str, str, str], int]:
    sums: Counter[tuple[str, str, str]] = Counter()
    for line in found:
        sums[line.account, line.tax_code, "net"] += line.net.minor
        sums[line.account, line.tax_code, "tax"] += line.tax.minor
    return {name: sum_ for name, sum_ in sums.items() if sum_}


def in_first_terms(book: CustomerBook, reissues: Iterable[Reissue]) -> CustomerBook:
    """The book with each new invoice due when the one was that it replaces: being raised again gives no new time."""
    due = {case.replaced_by: case.due for case in reissues if case.replaced_by}
    if not due:
        return book
    invoices = tuple(
        replace(one, due=due[one.id]) if due.get(one.id) is not None else one for one in book.invoices
    )  # fmt: skip
    return replace(book, invoices=invoices)


def carried_over(known: Known) -> Known:
    """The letters about an invoice that was raised again speak of the new one, except those that brought the old."""
    new = {case.invoice_id: case.replaced_by for case in known.all(Reissue) if case.replaced_by}
    if not new:
        return known
    letters = tuple(_readdressed(letter, new) for letter in known.all(LetterSent))
    return replace(known, by_kind={**known.by_kind, LetterSent: letters})


def _readdressed(letter: LetterSent, new: Mapping[str, str]) -> LetterSent:
    if letter.what in BRINGS_THE_INVOICE or new.keys().isdisjoint(letter.invoice_ids):
        return letter
    return replace(
        letter,
        invoice_ids=tuple(_newest(one, new) for one in letter.invoice_ids),
        lead_item=_newest(letter.lead_item, new),
    )


def _newest(invoice_id: str, new: Mapping[str, str]) -> str:
    """The invoice that stands for it now, however often it was raised again."""
    for _ in range(len(new)):
        invoice_id = new.get(invoice_id, invoice_id)
    return invoice_id
