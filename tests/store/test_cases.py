"""Case records: every kind comes back exactly, in order, with its history on the timeline."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import get_args

import pytest

from connector.domain import cases as kinds
from connector.domain.cases import CaseRecord
from connector.domain.ledger import PaymentTerms, RecordKind, TermsBasis
from connector.domain.reductions import Reduction
from connector.errors import NotFound
from connector.store import cases, mirror, timeline, wake
from connector.store.db import Database, Tx
from tests.builders import customer, money

ORG = "xero:org-1"
ON = date(2026, 3, 2)
LATER = date(2026, 3, 9)

EVERY_KIND: tuple[CaseRecord, ...] = (
    kinds.CashKnown(id="1", on=ON, by="Ann", until=LATER, account="090"),
    kinds.PartyIs(id="2", customer_id="c", on=ON, by="Ann", party=kinds.Party.SOLE_TRADER),
    kinds.HeldBy(id="3", customer_id="c", on=ON, by="Ann", holder=kinds.Holder.FACTOR, invoice_id="i", note="sold"),
    kinds.LegalHold(id="4", customer_id="c", on=ON, by="Ann", why=kinds.LegalHoldKind.INSOLVENCY, lifted_on=LATER),
    kinds.Exclusion(id="5", customer_id="c", on=ON, by="Ann", reason="VIP", until=LATER),
    kinds.TakeOnAnswer(id="6", on=ON, by="Ann", question="financed", answer="no"),
    kinds.TakeOnSorted(id="7", customer_id="c", on=ON, by="Ann", choice=kinds.TakeOnChoice.CHASE, reason="due"),
    kinds.Dispute(
        id="8", customer_id="c", on=ON, by="Ann", invoice_id="i", code=kinds.DisputeCode.PRICE, amount=money("12.34"),
        wants="a credit", decide_by=LATER, valid=True, resolved_on=LATER, outcome=kinds.DisputeOutcome.CORRECT,
    ),
    kinds.Extension(id="9", customer_id="c", on=ON, by="Ann", invoice_id="i", until=LATER, reason="flood"),
    kinds.Promise(id="10", customer_id="c", on=ON, by="Ann", invoice_ids=("i", "j"), until=LATER, amount=money("5")),
    kinds.PaymentPlan(
        id="11", customer_id="c", on=ON, by="Ann", version=2, state=kinds.PlanState.SIGNED,
        covered=(("i", money("100", "JPY")), ("j", money("50", "JPY"))),
        instalments=(kinds.Instalment(1, ON, money("75", "JPY")), kinds.Instalment(2, LATER, money("75", "JPY"))),
        signature=kinds.Signature("Bo", "director", ON, "e-mail of 2 March"),
    ),
    kinds.LetterSent(
        id="12", customer_id="c", on=ON, by="dunwell", level=3, what="letter", occasion="i:3", invoice_ids=("i", "j"),
        lead_item="i", by_date=LATER, recipient="bo@example.test", bounced_on=LATER,
    ),
    kinds.CallMade(id="13", customer_id="c", on=ON, by="Ann", occasion="x", outcome=kinds.CallOutcome.SPOKE, note="ok"),
    kinds.Reply(
        id="14", customer_id="c", on=ON, by="Bo", outcome=kinds.ReplyOutcome.PROMISE, invoice_ids=("i",), until=LATER,
        amount=money("1"), answered_on=LATER,
    ),
    kinds.OptOut(id="15", customer_id="c", on=ON, by="Bo", address="bo@example.test", reason="asked"),
    kinds.Concession(
        id="16", customer_id="c", on=ON, by="Ann", invoice_id="i", reduction=Reduction.SETTLEMENT, amount=money("9.99"),
        reason="full and final", agreement="e-mail of 2 March", dispute_id="8", withdrawn_on=LATER,
    ),
    kinds.CreditUse(id="17", customer_id="c", on=ON, by="Ann", invoice_id="i", credit_id="k", amount=money("1")),
    kinds.TermsChange(
        id="18", customer_id="c", on=ON, by="Ann", terms=PaymentTerms(20, TermsBasis.OF_NEXT_MONTH), reason="asked"
    ),
    kinds.Reissue(
        id="19", customer_id="c", on=ON, by="Ann", invoice_id="i", amount=money("5"), reason="wrong name", due=LATER,
        tax_point=ON, replaced_by="j", withdrawn_on=LATER,
    ),
)  # fmt: skip


def ids(records: tuple[CaseRecord, ...]) -> list[str]:
    return [record.id for record in records]


def test_every_kind_comes_back_exactly(tx: Tx) -> None:
    for record in EVERY_KIND:
        cases.put(tx, ORG, record)
    assert cases.all(tx, ORG) == EVERY_KIND
    assert cases.get(tx, ORG, "11") == EVERY_KIND[10]
    assert {type(record) for record in EVERY_KIND} == set(get_args(get_args(CaseRecord)[0]))


def test_which_records_belong_to_whom(tx: Tx) -> None:
    for record in EVERY_KIND:
        cases.put(tx, ORG, record)
    cases.put(tx, ORG, kinds.OptOut(id="other", customer_id="d", on=ON, by="Ann"))
    cases.put(tx, "xero:org-2", kinds.OptOut(id="15", customer_id="c", on=ON, by="Ann"))
    assert cases.of(tx, ORG, "c").records == EVERY_KIND
    assert ids(cases.of(tx, ORG, "d").records) == ["1", "6", "other"]
    assert ids(cases.all(tx, ORG, "dispute", "promise")) == ["8", "10"]
    assert cases.all(tx, ORG, "call") == (EVERY_KIND[12],)
    assert cases.get(tx, "xero:org-2", "15") != cases.get(tx, ORG, "15")
    with pytest.raises(NotFound):
        cases.get(tx, ORG, "nothing")


def test_oldest_first_and_a_change_keeps_its_place(tx: Tx) -> None:
    def opt_out(record_id: str, on: date) -> kinds.OptOut:
        return kinds.OptOut(id=record_id, customer_id="c", on=on, by="Ann")

    for record in (opt_out("z", LATER), opt_out("b", ON), opt_out("a", ON), opt_out("m", LATER)):
        cases.put(tx, ORG, record)
    cases.put(tx, ORG, replace(opt_out("z", LATER), reason="changed"))
    assert ids(cases.all(tx, ORG)) == ["b", "a", "z", "m"]
    assert cases.get(tx, ORG, "z") == replace(opt_out("z", LATER), reason="changed")


def test_each_version_is_on_the_customers_timeline(tx: Tx) -> None:
    dispute = EVERY_KIND[7]
    assert isinstance(dispute, kinds.Dispute)
    cases.put(tx, ORG, replace(dispute, resolved_on=None, outcome=None))
    cases.put(tx, ORG, replace(dispute, by="Zoë"))
    first, second = timeline.entries(tx, ORG, "c")
    assert (first.kind, first.subject, first.actor) == ("case.dispute.added", "8", "Ann")
    assert (second.kind, second.actor) == ("case.dispute.changed", "Zoë")
    outcomes = [json.loads(json.loads(entry.body)["record"])["outcome"] for entry in (first, second)]
    assert outcomes == [None, "correct"]


def test_customers_are_looked_at_again(tx: Tx) -> None:
    mirror.upsert(tx, ORG, RecordKind.CUSTOMER, [customer("c"), customer("d"), customer("e")])
    wake.clear(tx, ORG, ["c", "d", "e"])
    cases.put(tx, ORG, EVERY_KIND[1])
    assert wake.due(tx, ORG, ON) == {"c"}
    cases.put(tx, ORG, EVERY_KIND[0])  # how far cash is known concerns everybody
    assert wake.due(tx, ORG, ON) == {"c", "d", "e"}


def test_words_that_no_database_holds(tx: Tx) -> None:
    cases.put(tx, ORG, kinds.OptOut(id="x", customer_id="c", on=ON, by="A\x00", reason="\ud800 stop \x00"))
    found = cases.get(tx, ORG, "x")
    assert isinstance(found, kinds.OptOut)
    assert (found.reason, found.by) == ("\ufffd stop \ufffd", "A\ufffd")
    assert timeline.verify(tx) == []


def test_another_tenant_sees_nothing(database: Database) -> None:
    with database.writing("firm-a") as tx:
        cases.put(tx, ORG, EVERY_KIND[1])
    with database.reading("firm-b") as tx:
        assert cases.all(tx, ORG) == ()
