"""A letter greets a person only where one is known; whatever is in doubt greets the customer by its own name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.channels.greeting import first_name
from connector.domain.cases import Party
from connector.domain.ledger import Customer, Person

MAIL = "office@customer.example"


def debtor(name: str, first: str = "", last: str = "", *people: Person) -> Customer:
    return Customer("c1", name, email=MAIL, first_name=first, last_name=last, people=people)


@pytest.mark.parametrize(
    ("name", "first", "last", "greeted"),
    [
        ("Tide & Timber Ltd", "Ana", "Silva", "Ana"),
        ("Rangi Plumbing Ltd", "Moana", "Rangi", "Moana"),  # the family's firm
        ("Tide & Timber Ltd", "Ana", "", ""),  # a first name alone may be anything
        ("Basket Case", "Basket", "Case", ""),
        ("Basket Case", "basket", "Accounts", ""),
        ("Basket Case", "Ana", "Accounts", ""),
        ("Basketcase Limited", "Basket", "Miller", ""),
        ("JOSÉ’S Catering", "Jose", "Miller", ""),
        ("Basket Case", "Accounts", "Payable", ""),
        ("Basket Case", "Dr", "Miller", ""),
        ("Basket Case", "J.", "Miller", ""),
        ("Basket Case", "ANA", "Miller", "Ana"),
        ("Basket Case", "JEAN-PAUL", "MILLER", "Jean-Paul"),
        ("Basket Case", "JO", "MILLER", "Jo"),
        ("Basket Case", "JR", "Miller", "JR"),
        ("Basket Case", "Ana\nMaria", "Silva", "Ana Maria"),
        ("Basket Case", "Ana\r\nBcc: all@evil.example", "Silva", ""),
        ("Basket Case", "\x1b[31mAna", "Silva", ""),
        ("Basket Case", "\u202eanA", "Silva", "anA"),
        ("Basket Case", "Ana 2", "Silva", ""),
        ("Basket Case", "ana@silva.example", "Silva", ""),
        ("Basket Case", "A" * 41, "Silva", ""),
        ("Basket Case", "  ", "Silva", ""),
        ("Basket Case", "李", "王", "李"),
    ],
)
def test_a_company_is_greeted_by_a_persons_name_only_when_it_certainly_is_one(
    name: str, first: str, last: str, greeted: str
) -> None:
    for party in (Party.COMPANY, Party.UNKNOWN, Party.PARTNERSHIP):
        assert first_name(debtor(name, first, last), MAIL, party) == greeted


@pytest.mark.parametrize(
    ("party", "name", "first", "last", "greeted"),
    [
        (Party.CONSUMER, "Moana Rangi", "Moana", "Rangi", "Moana"),
        (Party.CONSUMER, "Moana Rangi", "Moana", "", "Moana"),
        (Party.CONSUMER, "Moana Rangi", "Accounts", "", ""),
        (Party.SOLE_TRADER, "Wharf Street Books", "Jo", "", "Jo"),
        (Party.SOLE_TRADER, "Wharf Street Books", "Wharf", "", ""),
    ],
)
def test_a_customer_who_is_a_person_needs_less(party: Party, name: str, first: str, last: str, greeted: str) -> None:
    assert first_name(debtor(name, first, last), MAIL, party) == greeted


def test_who_has_the_address_is_greeted_and_nobody_else() -> None:
    ben = Person("BEN Carter", "Ben@customer.example", on_invoices=True)
    desk = Person("desk@customer.example", "desk@customer.example", on_invoices=True)
    debt = debtor("Basket Case", "Ana", "Silva", ben, desk)
    assert first_name(debt, "ben@customer.example", Party.COMPANY) == "Ben"
    assert first_name(debt, "desk@customer.example", Party.COMPANY) == "", "not Ana, whose address it is not"
    assert first_name(debt, MAIL, Party.COMPANY) == "Ana"
    assert (
        first_name(replace(debt, email=f"{MAIL}; desk@customer.example"), "desk@customer.example", Party.COMPANY)
        == "Ana"
    )
    assert first_name(debt, "", Party.COMPANY) == "Ana"
