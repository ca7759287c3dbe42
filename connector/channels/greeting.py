"""Whom a letter greets: a person only where one is known, else the customer by its own name.

Ledgers keep a first and a last name beside every customer, and people fill them with what is at hand: the first word
of the company's name, "Accounts", initials. "Dear Basket," is worse than "Dear Basket Case,"; whatever is in doubt
therefore greets the customer.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from connector.domain.cases import Party
from connector.domain.ledger import Customer
from connector.domain.text import one_line

LONGEST: Final = 40  # characters of a first name; what is longer is no name
_NOBODY: Final = re.compile(  # words that stand for an office
    r"ap|ar|att(ention|n)|acc(ounts?|ountants?|ounting)|admin(istrat(ion|or))?|billing|book-?keep(er|ing)|creditors"
    r"|customers?|dep(artmen)?t|enquiries|finance|hello|info|invoic(es?|ing)|manager|none|office|orders?|pay(ables?|roll)"
    r"|purchasing|reception(ist)?|sales|secretary|services?|shop|suppliers?|team|test|unknown"
)
_TITLES: Final = re.compile(r"dr|miss|mrs?|ms|mx|prof(essor)?|rev|sir")
_BESIDE_LETTERS: Final = frozenset(
    " '’-.&\u200c\u200d"
)  # what else stands in first names; joiners, as scripts need them
_WORD: Final = re.compile(r"\w+")


def first_name(customer: Customer, recipient: str, party: Party) -> str:
    """The first name of the person whom a letter to `recipient` greets; "" where no person is known.

    A person is known by first and last name together, and the first name must be no word of the customer's own name:
    from the ledger's entry for that address where there is one, else from the customer's. A sole trader needs no last
    name; a consumer is a person in any case, so its own name may be the person's.
    """
    entries = [person for person in customer.people if _same(person.email, recipient)]
    known = [_greeted(*_parted(person.name), customer.name, party) for person in entries]
    if not entries or any(_same(address, recipient) for address in re.split(r"[,;]", customer.email)):
        known.append(_greeted(one_line(customer.first_name), one_line(customer.last_name), customer.name, party))
    return next(filter(None, known), "")


def _same(address: str, other: str) -> bool:
    return bool(other) and address.strip().casefold() == other.strip().casefold()


def _parted(name: str) -> tuple[str, str]:
    first, _, last = one_line(name).partition(" ")
    return first, last


def _greeted(first: str, last: str, customer: str, party: Party) -> str:
    words = _words(first)
    if not _is_name(first) or any(map(_TITLES.fullmatch, words)) or any(map(_NOBODY.fullmatch, words | _words(last))):
        return ""
    if party is not Party.CONSUMER:
        if words & _words(customer) or _joined(customer).startswith(_joined(first)):
            return ""
        if not last and party is not Party.SOLE_TRADER:
            return ""
    return _calm(first, last)


def _is_name(text: str) -> bool:
    """Letters and what stands beside them; more than initials."""
    letters = any(len(word) > 1 or (word.isalpha() and word.lower() == word.upper()) for word in _WORD.findall(text))
    return letters and len(text) <= LONGEST and all(_may_stand(char) for char in text)


def _may_stand(char: str) -> bool:
    return char.isalpha() or char in _BESIDE_LETTERS or unicodedata.category(char)[0] == "M"


def _bare(text: str) -> str:
    """Without case and accents, to compare."""
    parts = unicodedata.normalize("NFKD", one_line(text).casefold())
    return "".join(char for char in parts if unicodedata.category(char)[0] != "M")


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(_bare(text)))


def _joined(text: str) -> str:
    return "".join(_WORD.findall(_bare(text)))


def _calm(first: str, last: str) -> str:
    """Shouted names in ordinary case; two capitals beside a last name in ordinary case are initials and stay."""
    shouted = first.isupper() and (len(first) > 2 or last.isupper())
    return first.title() if shouted else first
