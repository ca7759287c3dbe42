"""The ledger merges one customer into another: what was said about its invoices goes with them, and so do holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from connector.domain import cases as kinds
from connector.domain.cases import CaseRecord
from connector.domain.ledger import Customer, RecordKind
from connector.store import cases, mirror, timeline
from connector.store.db import Database, Tx
from tests.builders import customer, invoice, money

ORG = "xero:org-1"
ON = date(2026, 3, 2)
QUERY = kinds.Dispute(
    id="q",
    customer_id="old",
    on=ON,
    by="Ann",
    invoice_id="i",
    code=kinds.DisputeCode.PRICE,
    amount=money("5"),
    decide_by=ON,
)
PLAN = kinds.PaymentPlan(
    id="p", customer_id="old", on=ON, by="Ann", covered=(("i", money("5")), ("j", money("5"))),
    instalments=(kinds.Instalment(1, ON, money("10")),),
)  # fmt: skip
HOLD = kinds.LegalHold(id="h", customer_id="old", on=ON, by="Ann", why=kinds.LegalHoldKind.INSOLVENCY)
PARTY = kinds.PartyIs(id="c", customer_id="old", on=ON, by="Ann", party=kinds.Party.CONSUMER)
ELSEWHERE = kinds.Extension(id="e", customer_id="old", on=ON, by="Ann", invoice_id="other", until=ON)


def said(tx: Tx, customer_id: str) -> set[str]:
    return {record.id for record in cases.of(tx, ORG, customer_id).records}


def books(database: Database, *records: CaseRecord) -> None:
    """Two invoices of the old customer, and what was said about it."""
    with database.writing("default") as tx:
        mirror.upsert(tx, ORG, RecordKind.CUSTOMER, [customer("old"), customer("new")])
        mirror.upsert(tx, ORG, RecordKind.INVOICE, [invoice("i", customer_id="old"), invoice("j", customer_id="old")])
        for record in records:
            cases.put(tx, ORG, record)


def test_what_was_said_about_an_invoice_goes_along_with_it(database: Database) -> None:
    books(database, QUERY, PLAN, ELSEWHERE, PARTY)
    with database.writing("default") as tx:
        mirror.upsert(tx, ORG, RecordKind.INVOICE, [invoice("i", customer_id="new")])
    with database.reading("default") as tx:
        assert said(tx, "new") == {"q", "p"}
        assert said(tx, "old") == {"e", "c"}
        moved = cases.get(tx, ORG, "q")
        assert (moved.customer_id, moved.by) == ("new", "Ann")
        (entry,) = [one for one in timeline.entries(tx, subject="q") if one.kind == "case.dispute.moved"]
        assert entry.actor == "dunwell"
        assert timeline.verify(tx) == []


def test_what_holds_people_back_goes_along_with_the_customer(database: Database) -> None:
    books(database, HOLD, PARTY)
    with database.writing("default") as tx:
        mirror.upsert(tx, ORG, RecordKind.CUSTOMER, [customer("new"), _gone("old", "new")])
    with database.reading("default") as tx:
        assert said(tx, "new") == {"h"}
        assert said(tx, "old") == {"c"}


def _gone(record_id: str, into: str) -> Customer:
    return replace(customer(record_id, active=False), merged_into=into)
