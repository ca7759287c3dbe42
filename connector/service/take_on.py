"""The first run: questions that must be answered, opening items that a person sorts, and closing the take-on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from connector.domain.cases import Holder, TakeOnAnswer, TakeOnChoice, TakeOnSorted
from connector.domain.counting import counted
from connector.domain.facts import CustomerFacts
from connector.domain.money import Money, total
from connector.errors import Refused
from connector.service import lookup
from connector.service.knowledge import TAKE_ON_QUESTIONS, all_facts, gather
from connector.service.people import record
from connector.service.wiring import Wiring
from connector.store import organisations
from connector.store.organisations import OrganisationRow

QUESTIONS = {
    "financed": "Is the ledger financed, insured or with a collector? (no | factor | insurer | agency)",
    "tax_basis": "On which basis is tax reported, and to which date is it filed? (e.g. accrual, filed to 2026-09-30)",
    "native_reminders": "Are the ledger's own reminders and late fees on? (off | accepted)",
    "approver": "Who approves what? (names and roles)",
    "parties": "Which customers are related, dummy, public or PO-only? (done, once `dunwell party` has marked them)",
}


CHOICES = {"financed": ("no", "factor", "insurer", "agency"), "native_reminders": ("off", "no", "accepted", "keep")}


@dataclass(frozen=True)
class OpeningCustomer:
    """A customer with opening items, and what dunwell would suggest."""

    customer_id: str
    name: str
    items: int
    oldest_due: date | None
    amounts: tuple[Money, ...]
    sorted: TakeOnChoice | None
    suggestion: TakeOnChoice
    because: str


@dataclass(frozen=True)
class TakeOn:
    """Where the take-on of one organisation stands."""

    closed_on: date | None
    start_date: date
    missing: tuple[str, ...]
    customers: tuple[OpeningCustomer, ...]

    @property
    def unsorted(self) -> tuple[OpeningCustomer, ...]:
        return tuple(one for one in self.customers if one.sorted is None)


def show(w: Wiring, organisation: OrganisationRow) -> TakeOn:
    """The open questions and the customers with opening items."""
    today = w.today(organisation)
    with w.db.reading(w.tenant) as tx:
        knowledge = gather(w, tx, organisation, today)
        everyone = all_facts(tx, organisation, knowledge, today)
        customers = tuple(opening for facts in everyone if (opening := _opening(facts)))
    missing = knowledge.state.take_on_missing
    return TakeOn(organisation.take_on_closed_on, organisation.start_date, missing, customers)


def _opening(facts: CustomerFacts) -> OpeningCustomer | None:
    items = [item for item in facts.items if item.opening and item.invoice.is_open]
    if not items:
        return None
    currencies = sorted({item.invoice.currency for item in items})
    amounts = tuple(total((i.invoice.balance for i in items if i.invoice.currency == c), c) for c in currencies)
    dues = [item.due for item in items if item.due is not None]
    suggestion, because = _suggest(facts)
    sorted_as = facts.sorted or next((item.sorted for item in items if item.sorted), None)
    return OpeningCustomer(
        facts.customer_id,
        facts.book.customer.name,
        len(items),
        min(dues, default=None),
        amounts,
        sorted_as,
        suggestion,
        because,
    )


def _suggest(facts: CustomerFacts) -> tuple[TakeOnChoice, str]:
    if facts.unapplied:
        return TakeOnChoice.FIX_BOOKS, "unapplied money of this customer waits to be allocated"
    if facts.needs_review:
        return TakeOnChoice.FIX_BOOKS, "some of its records could not be read for certain"
    if facts.legal_hold is not None:
        return TakeOnChoice.LEGAL, "a legal hold is set"
    opening = [item for item in facts.items if item.opening and item.invoice.is_open]
    if facts.excluded or all(item.excluded for item in opening):
        until = f" until {facts.excluded_until}" if facts.excluded_until else ""
        return TakeOnChoice.EXCLUDE, f"already excluded{until}"
    holders = {facts.holder} if facts.holder is not Holder.US else {item.holder for item in opening}
    if Holder.US not in holders:  # not excluded: it is to be asked for when it comes back
        return TakeOnChoice.CHASE, f"left alone as long as it is held by {' and '.join(sorted(holders))}"
    return TakeOnChoice.CHASE, "nothing speaks against asking"


def answer(w: Wiring, organisation: OrganisationRow, question: str, text: str) -> TakeOnAnswer:
    """Answer one of the questions. Raises `Refused` for an unknown question or an empty answer."""
    if question not in TAKE_ON_QUESTIONS or not text.strip():
        raise Refused(
            f"{question!r} is not an open question, or the answer is empty",
            next_step="the questions are " + ", ".join(TAKE_ON_QUESTIONS),
        )
    allowed = CHOICES.get(question)
    if allowed and text.strip().casefold() not in allowed:
        raise Refused(f"{text!r} does not answer {question}", record=question, next_step="say " + " or ".join(allowed))
    case = TakeOnAnswer(id=w.ids.new(), on=w.today(organisation), by=w.who, question=question, answer=text.strip())
    with w.db.writing(w.tenant) as tx:
        return record(tx, organisation, case)


def sort(
    w: Wiring,
    organisation: OrganisationRow,
    texts: list[str],
    choice: TakeOnChoice,
    *,
    reason: str = "",
    until: date | None = None,
) -> list[TakeOnSorted]:
    """Sort the opening items of these customers; with no names, of every customer not sorted yet.

    Raises `Refused` when leaving items alone without a reason.
    """
    if choice is TakeOnChoice.EXCLUDE and not reason.strip():
        raise Refused("excluding needs a reason", next_step="add --reason TEXT")
    waiting = show(w, organisation)
    with w.db.writing(w.tenant) as tx:
        if texts:
            ids = [lookup.customer(tx, organisation.id, text).id for text in texts]
        else:
            ids = [one.customer_id for one in waiting.unsorted]
        return [
            record(
                tx,
                organisation,
                TakeOnSorted(
                    id=w.ids.new(),
                    customer_id=customer_id,
                    on=w.today(organisation),
                    by=w.who,
                    choice=choice,
                    reason=reason,
                    until=until,
                ),
            )
            for customer_id in ids
        ]


def close(w: Wiring, organisation: OrganisationRow) -> OrganisationRow:
    """End the take-on: from now on proposals may be approved. Raises `Refused` while anything is open."""
    state = show(w, organisation)
    if state.closed_on is not None:
        raise Refused(f"the take-on was closed on {state.closed_on}", record=organisation.record.name)
    if state.missing:
        raise Refused(
            f"{counted(len(state.missing), 'question is', 'questions are')} open: {', '.join(state.missing)}",
            record=organisation.record.name,
            not_done="the take-on stays open",
            next_step="`dunwell take-on answer QUESTION TEXT`",
        )
    if state.unsorted:
        raise Refused(
            f"not sorted: {counted(len(state.unsorted), 'customer')} with opening items",
            record=organisation.record.name,
            not_done="the take-on stays open",
            next_step="`dunwell take-on sort CUSTOMER chase` (or --all)",
        )
    with w.db.writing(w.tenant) as tx:
        organisations.close_take_on(tx, organisation.id, w.today(organisation))
        organisations.set_mode(tx, organisation.id, "approve")
        return organisations.get(tx, organisation.id)
