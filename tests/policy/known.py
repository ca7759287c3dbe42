"""Facts for rule tests, made by the real `derive` from case records and a small book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache

from connector.config.layers import load_preset
from connector.domain.cases import CaseFile, CaseRecord, Instalment, PaymentPlan, PlanState, Signature
from connector.domain.dates import Calendar
from connector.domain.decisions import Acted, ActedState, ActionKey, ActionKind, Decision, RuleOutcome
from connector.domain.derive import derive
from connector.domain.facts import CustomerFacts, OrganisationState
from connector.domain.ledger import Credit, CustomerBook, Invoice, Payment
from connector.policy.document import Policy
from tests.builders import customer, invoice, money, organisation

EASTER_2026 = frozenset({date(2026, 4, 3), date(2026, 4, 6)})


@cache
def policy(preset: str = "standard") -> Policy:
    """A shipped preset in NZD."""
    return load_preset(preset).scaled("NZD")


def facts(
    as_of: date,
    *records: CaseRecord,
    invoices: Sequence[Invoice] | None = None,
    payments: Sequence[Payment] = (),
    credits_: Sequence[Credit] = (),
    known_to: date | None = None,
    acted: Mapping[ActionKey, Acted] | None = None,
) -> CustomerFacts:
    """One customer, owing NZD 1,200.00 on inv-1 since 10 February 2026; cash is known to `as_of` unless told."""
    state = OrganisationState(
        organisation=organisation(),
        start_date=date(2025, 1, 1),
        calendar=Calendar(EASTER_2026),
        take_on_closed=True,
        cash_known_to=known_to or as_of,
    )
    owed = (invoice("inv-1", "1200.00"),) if invoices is None else tuple(invoices)
    book = CustomerBook(customer(), owed, tuple(payments), tuple(credits_))
    return derive(state, book, CaseFile(records), acted or {}, as_of)


def done(kind: ActionKind, target: str, occasion: str, on: date) -> dict[ActionKey, Acted]:
    key = ActionKey(kind, target, occasion)
    return {key: Acted(key, ActedState.DONE, on)}


def of_kind(decisions: Sequence[Decision], kind: ActionKind) -> list[Decision]:
    return [decision for decision in decisions if decision.kind is kind]


def codes(decisions: Sequence[Decision]) -> list[str]:
    """The first reason of each decision."""
    return [decision.reasons[-1].code for decision in decisions]


def outcome_codes(outcomes: Sequence[RuleOutcome]) -> list[str]:
    return [outcome.reason.code for outcome in outcomes]


def signed_plan(
    *dues: date,
    amount: str = "1200.00",
    on: date = date(2026, 3, 2),
    state: PlanState = PlanState.SIGNED,
    closed_on: date | None = None,
) -> PaymentPlan:
    """A plan over inv-1 in equal instalments on these days, signed on the day of the offer."""
    whole = money(amount)
    parts = whole.split(len(dues))
    return PaymentPlan(
        id="plan-1",
        customer_id="cust-1",
        on=on,
        by="Jo",
        state=state,
        covered=(("inv-1", whole),),
        instalments=tuple(Instalment(n + 1, due, part) for n, (due, part) in enumerate(zip(dues, parts, strict=True))),
        signature=Signature("Ari Rimu", "director", on, "signed PDF"),
        closed_on=closed_on,
    )
