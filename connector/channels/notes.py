"""Status notes: a closed list of neutral phrases. Notes cannot be unwritten, and the customer may read them one day.

A note says what was sent, when, the agreed date and the reference; never a reason, a standing or a circumstance. The
writer and the checker come from the same table. The same phrase serves invoices and customers: it names one invoice or
several. Dates and amounts are written the same way everywhere ("12 Nov 2026", "NZD 1,345.00").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Final

from connector.channels.context import LetterKind
from connector.domain.cases import Holder
from connector.domain.effects import ScheduleLine
from connector.domain.ledger import PaymentTerms, TermsBasis
from connector.domain.money import Money
from connector.domain.text import one_line

LIMIT: Final = 2400  # Xero keeps 2,500 characters of a history note; the marker needs its share
Fact = str | int | date | Money | Sequence[str] | Sequence[Money] | Sequence[ScheduleLine] | PaymentTerms | None

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONGEST_REFERENCE: Final = 64


class NotePhrase(StrEnum):
    """Everything that a note can say. `[…]` in a phrase is left out when its fact is not given."""

    FIRST_SENT = "Sent {on}: {invoices}, balance {balance}[, due {due}]."
    REINVOICED = "Copy sent {on} of {invoices}, balance {balance}[; reply asked by {by}]."
    LETTER = "{letter} sent {on} for {invoices}[, balance {balance}][; reply asked by {by}]."
    STATEMENT = "Statement sent {on}: {invoices}, balance {balance}."
    CALL_DONE = "Call made {on} about {invoices}[; payment expected by {expected}]."
    DISPUTE_OPENED = "Query open on {invoice}, {amount} of {total}[; answer by {by}]."
    DISPUTE_RESOLVED = "Query on {invoice}, {amount} of {total}, closed {on}."
    EXPECTED_DATE_SET = "Payment expected {expected} for {invoices}[, agreed {on}][; due date {due} unchanged]."
    PLAN_SCHEDULED = "Instalment plan {plan}, version {version}, for {invoices}, {total}: {lines}."
    PLAN_COMPLETED = "Instalment plan {plan} for {invoices} completed {on}."
    PLAN_ENDED = (
        "Instalment plan {plan} for {invoices} ended {on}[; the expected date {expected} no longer holds];"
        " the original due dates apply."
    )
    CREDITED = "Credit note {reference}, {amount}, applied to {invoice} {on}."
    CREDIT_APPLIED = "Open credit, {amount}, applied to {invoice} {on}."
    ENTERED = "Entry {reference}, {amount}, made against {invoice} {on}."
    TERMS_SET = "Terms for future invoices from {on}: {terms}."
    REPLACED = "{invoice}, {amount}, replaced by {reference} on {on}[; original due date {due}]."
    REPLACES = "{reference} replaces {invoice}, {amount}, from {on}[; original due date {due}]."
    HANDED_OVER = "With the {holder} since {on}: {invoices}, balance {balance}."
    TAKEN_BACK = "With us again since {on}[: {invoices}, balance {balance}]."
    THANKS = "Thanks sent {on} for the payment of {invoices}."


_TERMS: Final[Mapping[TermsBasis, str]] = {
    TermsBasis.AFTER_INVOICE_DATE: "days after the invoice date",
    TermsBasis.AFTER_INVOICE_MONTH: "days after the month of the invoice",
    TermsBasis.OF_THIS_MONTH: "of the month of the invoice",
    TermsBasis.OF_NEXT_MONTH: "of the month after the invoice",
}
_LETTERS: Final[Mapping[LetterKind, str]] = {
    LetterKind.REINVOICE: "Copy",
    LetterKind.FRIENDLY: "Friendly reminder",
    LetterKind.REMINDER: "Reminder",
    LetterKind.FIRM: "Firm letter",
    LetterKind.PRINCIPAL: "Letter to the principal",
    LetterKind.FINAL: "Final reminder",
    LetterKind.STATEMENT: "Statement",
    LetterKind.TAKE_ON_STATEMENT: "Opening statement",
    LetterKind.FIRST_SENDING: "Invoice",
    LetterKind.THANKS: "Thanks",
    LetterKind.EXTENSION_CONFIRMED: "Confirmation of the new date",
    LetterKind.PLAN_AGREEMENT: "Instalment agreement",
    LetterKind.PLAN_COMPLETED: "Thanks for the completed plan",
    LetterKind.INSTALMENT_MISSED_FOLLOWUP: "Letter about an instalment",
    LetterKind.DISPUTE_ACKNOWLEDGED: "Acknowledgement of the query",
    LetterKind.UNDISPUTED_PART: "Letter about the part not in question",
    LetterKind.CALL_SUMMARY: "Summary of the call",
}


_HOLDERS: Final = tuple(holder.value for holder in Holder if holder is not Holder.US)


def note(phrase: NotePhrase, limit: int = LIMIT, **facts: Fact) -> str:
    """The note's text, without the marker, at most `limit` characters; long lists end in "and n more".

    `on`, `by`, `due`, `expected`: dates · `invoice`, `plan`, `reference`: text · `invoices`: their numbers ·
    `balance`, `total`, `amount`: `Money` (or several, one a currency) · `letter`: a `LetterKind` · `terms`: payment
    terms · `holder`: who else holds the debt · `version`: a number · `lines`: schedule lines. Raises `TypeError` for a
    fact that the phrase does not know, that is missing or of another type, and `ValueError` when even the shortened
    text is longer than `limit`.
    """
    given = {name: fact for name, fact in facts.items() if fact is not None}
    if unknown := given.keys() - set(_FIELD.findall(phrase)):
        raise TypeError(f"{phrase.name} says nothing about {', '.join(sorted(unknown))}")
    kept = _OPTIONAL.sub(lambda part: part[1] if set(_FIELD.findall(part[1])) <= given.keys() else "", phrase)
    if missing := [name for name in _FIELD.findall(kept) if name not in given]:
        raise TypeError(f"{phrase.name} needs {', '.join(missing)}")
    text = _FIELD.sub(lambda name: _written(name[1], given[name[1]], limit), kept)
    if len(text) > limit:
        raise ValueError(f"{phrase.name} does not fit {limit} characters")
    return text


def is_closed_phrase(text: str, references: Collection[str] | None = None) -> bool:
    """Whether the text, with or without a marker at its end, is one of the phrases and nothing else.

    `references`: the invoice numbers and plan ids that may occur; None = any single token may be one.
    """
    known = None if references is None else {reference(each) for each in references}
    for pattern in _CHECKS:
        if match := pattern.fullmatch(text):
            return known is None or all(name in known for name in _named(match))
    return False


def reference(value: str) -> str:
    """An invoice number or plan id as one harmless token: no ordinary spaces, no list marks, no fake markers."""
    plain = "\u00a0".join(one_line(value).translate(str.maketrans("[],;", "()··")).split())
    return (plain if len(plain) <= _LONGEST_REFERENCE else f"{plain[: _LONGEST_REFERENCE - 1]}…") or "?"


def short_date(day: date) -> str:
    """`12 Nov 2026`, the same in every locale."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _date(fact: Fact) -> str:
    if not isinstance(fact, date):
        raise TypeError(f"a date was expected, not {fact!r}")
    return short_date(fact)


def _reference(fact: Fact) -> str:
    if not isinstance(fact, str):
        raise TypeError(f"a reference was expected, not {fact!r}")
    return reference(fact)


def _money(fact: Fact) -> str:
    amounts = (fact,) if isinstance(fact, Money) else fact
    if not isinstance(amounts, Sequence) or not amounts:
        raise TypeError(f"money was expected, not {fact!r}")
    told = []
    for amount in amounts:
        if not isinstance(amount, Money):
            raise TypeError(f"money was expected, not {amount!r}")
        told.append(str(amount))
    return " and ".join(told)


def _number(fact: Fact) -> str:
    if not isinstance(fact, int):
        raise TypeError(f"a number was expected, not {fact!r}")
    return str(fact)


def _letter(fact: Fact) -> str:
    if not isinstance(fact, LetterKind):
        raise TypeError(f"a kind of letter was expected, not {fact!r}")
    return _LETTERS[fact]


def _terms(fact: Fact) -> str:
    if not isinstance(fact, PaymentTerms):
        raise TypeError(f"payment terms were expected, not {fact!r}")
    return f"{fact.day} {_TERMS[fact.basis]}"


def _holder(fact: Fact) -> str:
    if fact not in _HOLDERS:
        raise TypeError(f"somebody else who holds a debt was expected, not {fact!r}")
    return str(fact)


def _references(fact: Fact, limit: int) -> str:
    if isinstance(fact, str) or not isinstance(fact, Sequence) or not fact:
        raise TypeError(f"invoice numbers were expected, not {fact!r}")
    told = []
    for number in fact:
        if not isinstance(number, str):
            raise TypeError(f"an invoice number was expected, not {number!r}")
        told.append(reference(number))
    return _fitting(told, ", ", limit // 3)


def _lines(fact: Fact, limit: int) -> str:
    if isinstance(fact, str) or not isinstance(fact, Sequence) or not fact:
        raise TypeError(f"schedule lines were expected, not {fact!r}")
    told = []
    for line in fact:
        if not isinstance(line, ScheduleLine):
            raise TypeError(f"a schedule line was expected, not {line!r}")
        told.append(f"{line.number}) {short_date(line.due)} {line.amount}")
    return _fitting(told, "; ", limit // 2)


def _fitting(entries: Sequence[str], separator: str, budget: int) -> str:
    """As many whole entries as fit, and how many are left out."""
    length, kept = 0, 0
    for entry in entries:
        length += len(entry) + len(separator)
        if length > budget:
            break
        kept += 1
    left = len(entries) - kept
    return separator.join(entries[:kept]) + (f" and {left} more" if left else "")


_ONE: Final[Mapping[str, Callable[[Fact], str]]] = {
    **dict.fromkeys(("on", "by", "due", "expected"), _date),
    **dict.fromkeys(("invoice", "plan", "reference"), _reference),
    **dict.fromkeys(("balance", "total", "amount"), _money),
    "version": _number,
    "letter": _letter,
    "terms": _terms,
    "holder": _holder,
}
_MANY: Final[Mapping[str, Callable[[Fact, int], str]]] = {"invoices": _references, "lines": _lines}


def _written(name: str, fact: Fact, limit: int) -> str:
    return _MANY[name](fact, limit) if name in _MANY else _ONE[name](fact)


_FIELD: Final = re.compile(r"\{(\w+)\}")
_OPTIONAL: Final = re.compile(r"\[([^\]]+)\]")
_MARKER: Final = r"(?: ?\[dw:[a-z2-7]{12}\])?"
_DAY: Final = rf"\d{{1,2}} (?:{'|'.join(_MONTHS)}) \d{{4}}"
_AMOUNT: Final = r"[A-Z]{3} -?[\d,]+(?:\.\d+)?"
_REFERENCE: Final = r"[^ \t\r\n,;\[\]]+"
_MORE: Final = r"(?: and \d+ more)?"
_READ: Final[Mapping[str, str]] = {
    **dict.fromkeys(("on", "by", "due", "expected"), _DAY),
    **dict.fromkeys(("invoice", "plan", "reference"), _REFERENCE),
    **dict.fromkeys(("balance", "total", "amount"), rf"{_AMOUNT}(?: and {_AMOUNT})*"),
    "version": r"\d+",
    "holder": "|".join(_HOLDERS),
    "terms": "|".join(rf"\d+ {re.escape(words)}" for words in _TERMS.values()),
    "letter": "|".join(map(re.escape, _LETTERS.values())),
    "invoices": rf"{_REFERENCE}(?:, {_REFERENCE})*{_MORE}",
    "lines": rf"\d+\) {_DAY} {_AMOUNT}(?:; \d+\) {_DAY} {_AMOUNT})*{_MORE}",
}


def _check(phrase: str) -> str:
    """The phrase as a pattern."""
    pieces = re.split(r"(\[[^\]]+\]|\{\w+\})", phrase)
    return "".join(_check_piece(piece) for piece in pieces)


def _check_piece(piece: str) -> str:
    if piece.startswith("["):
        return f"(?:{_check(piece[1:-1])})?"
    if field := _FIELD.fullmatch(piece):
        return f"(?P<{field[1]}>{_READ[field[1]]})"
    return re.escape(piece)


_CHECKS: Final = tuple(re.compile(_check(phrase) + _MARKER) for phrase in NotePhrase)


def _named(match: re.Match[str]) -> Iterator[str]:
    found = match.groupdict()
    yield from (found[name] for name in ("invoice", "plan", "reference") if found.get(name))
    if found.get("invoices"):
        yield from re.sub(r" and \d+ more$", "", found["invoices"]).split(", ")
