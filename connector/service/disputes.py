"""Queries on invoices: opened, reviewed, resolved by people. Tags and notes follow at the next plan."""

from __future__ import annotations

from dataclasses import replace

from connector.domain.cases import Dispute, DisputeCode, DisputeOutcome
from connector.domain.collectable import OWES_SOMETHING, paused_parts
from connector.domain.ledger import Invoice
from connector.domain.money import Money, total
from connector.errors import NotFound, Refused
from connector.service import lookup
from connector.service.knowledge import policy_for_records
from connector.service.people import record
from connector.service.wiring import Wiring
from connector.store import cases, mirror
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow

_ID_BEGINNING = 4  # characters of an id, at least: fewer could begin a customer's name


def open_dispute(
    w: Wiring,
    organisation: OrganisationRow,
    text: str,
    *,
    code: DisputeCode,
    amount: Money | None = None,
    wants: str = "",
    evidence: str = "",
    owner: str = "",
) -> Dispute:
    """Open a query on an invoice; only `amount` (None = the whole balance) is paused.

    Raises `Refused` when the amount is not in the invoice's currency, not positive, or more than the balance.
    """
    policy = policy_for_records(w, organisation)
    with w.db.writing(w.tenant) as tx:
        invoice = lookup.invoice(tx, organisation.id, text)
        if not invoice.is_open:
            raise Refused(f"{invoice.number} is {invoice.status.value} with nothing due", record=invoice.id)
        left = invoice.balance - _in_question(tx, organisation, invoice)
        asked = amount or left
        if asked.currency != invoice.currency or asked.minor <= 0 or asked > left:
            raise Refused(
                f"{asked} cannot be disputed on {invoice.number}: its balance is {invoice.balance}, "
                f"of which {left} is not in question yet",
                record=invoice.number,
                not_done="no query was opened",
            )
        today = w.today(organisation)
        case = Dispute(
            id=w.ids.new(),
            customer_id=invoice.customer_id,
            on=today,
            by=w.who,
            invoice_id=invoice.id,
            code=code,
            amount=asked,
            wants=wants,
            evidence=evidence,
            owner=owner or w.who,
            decide_by=w.calendar(organisation).add(today, policy.dispute.decide_bd),
        )
        return record(tx, organisation, case)


def _in_question(tx: Tx, organisation: OrganisationRow, invoice: Invoice) -> Money:
    """The sum of the queries that are open on the invoice already."""
    found = cases.of(tx, organisation.id, invoice.customer_id).records
    amounts = (c.amount for c in found if isinstance(c, Dispute) and c.is_open and c.invoice_id == invoice.id)
    return total(amounts, invoice.currency)


def open_disputes(w: Wiring, organisation: OrganisationRow, text: str | None = None) -> list[Dispute]:
    """Open queries, oldest first; of one invoice or customer when `text` is given."""
    return _unfinished(w, organisation, text, closed=False)


def awaited_disputes(w: Wiring, organisation: OrganisationRow, text: str | None = None) -> list[Dispute]:
    """Closed queries whose outcome is not done yet (no credit in the ledger, not redone), with what is missing."""
    return _unfinished(w, organisation, text, closed=True)


def _unfinished(w: Wiring, organisation: OrganisationRow, text: str | None, *, closed: bool) -> list[Dispute]:
    with w.db.reading(w.tenant) as tx:
        known = [c for c in cases.all(tx, organisation.id, "dispute") if isinstance(c, Dispute)]
        found = _awaited(tx, organisation, known) if closed else [c for c in known if c.is_open]
        if text is None:
            return found
        customer = lookup.customer(tx, organisation.id, text)
        chosen = [c for c in found if c.customer_id == customer.id]
        invoices = [r.id for r in mirror.find(tx, organisation.id, text) if hasattr(r, "customer_id")]
    return [c for c in chosen if not invoices or c.invoice_id in invoices]


def _awaited(tx: Tx, organisation: OrganisationRow, known: list[Dispute]) -> list[Dispute]:
    of_customer: dict[str, list[Dispute]] = {}
    for case in known:
        if not case.is_open and case.outcome in OWES_SOMETHING:
            of_customer.setdefault(case.customer_id, []).append(case)
    found: list[Dispute] = []
    for customer_id, closed in of_customer.items():
        book = mirror.book(tx, organisation.id, customer_id)
        for invoice in book.invoices:
            found += paused_parts(invoice, book, closed) if invoice.is_open else ()
    return sorted(found, key=lambda case: (case.on, case.id))


def review(w: Wiring, organisation: OrganisationRow, text: str, *, valid: bool, evidence: str = "") -> Dispute:
    """Record what the review found."""
    case = _only(w, organisation, text)
    changed = replace(case, valid=valid, reviewed_on=w.today(organisation), evidence=evidence or case.evidence)
    with w.db.writing(w.tenant) as tx:
        return record(tx, organisation, changed)


def resolve(w: Wiring, organisation: OrganisationRow, text: str, outcome: DisputeOutcome) -> Dispute:
    """Close the query; once more with another outcome while what the first one promised is not done.

    The credit or redo that the outcome calls for is a person's act: until it is done, the part stays paused.
    """
    case = _only(w, organisation, text, or_awaited=True)
    with w.db.writing(w.tenant) as tx:
        return record(tx, organisation, replace(case, resolved_on=w.today(organisation), outcome=outcome))


def _only(w: Wiring, organisation: OrganisationRow, text: str, *, or_awaited: bool = False) -> Dispute:
    known = open_disputes(w, organisation) + (awaited_disputes(w, organisation) if or_awaited else [])
    found = [case for case in known if case.id.startswith(text)][:1]
    if not found:
        try:
            found = open_disputes(w, organisation, text)
        except NotFound:
            _must_not_be_closed(w, organisation, text)
            raise
    if not found and or_awaited:
        found = awaited_disputes(w, organisation, text)
    if not found:
        raise NotFound(f"no open query on {text!r}", next_step="`dunwell dispute list` shows them")
    if len(found) > 1:
        raise Refused(f"{len(found)} queries are open on {text!r}", next_step="name one by its id")
    with w.db.reading(w.tenant) as tx:
        case = cases.get(tx, organisation.id, found[0].id)  # as recorded: with the amount that was asked about
    assert isinstance(case, Dispute)
    return case


def _must_not_be_closed(w: Wiring, organisation: OrganisationRow, text: str) -> None:
    """A closed query's id names neither a customer nor an invoice. Raises `Refused`."""
    with w.db.reading(w.tenant) as tx:
        for case in cases.all(tx, organisation.id, "dispute"):
            if isinstance(case, Dispute) and len(text) >= _ID_BEGINNING and case.id.startswith(text):
                raise Refused(
                    "this query is closed", record=case.id, not_done="nothing was changed",
                    next_step="`dunwell dispute list` shows those that are open",
                )  # fmt: skip
