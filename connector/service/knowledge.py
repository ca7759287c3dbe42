"""From the store to facts: gathers what `derive` needs, for one customer or for all, in few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from connector.config.layers import load_sound_policy
from connector.domain.cases import (
    CaseFile,
    CaseRecord,
    CashKnown,
    HeldBy,
    Holder,
    LetterSent,
    TakeOnAnswer,
    TakeOnSorted,
)
from connector.domain.decisions import Acted, ActedState, ActionKey, ActionKind
from connector.domain.derive import derive
from connector.domain.facts import CustomerFacts, OrganisationState
from connector.domain.ledger import CustomerBook
from connector.errors import ConfigError
from connector.policy.document import Policy
from connector.service.wiring import Wiring
from connector.store import actions, cases, mirror
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow

TAKE_ON_QUESTIONS = ("financed", "tax_basis", "native_reminders", "approver", "parties")


@dataclass
class Knowledge:
    """Everything about one organisation that does not depend on the customer, read once."""

    state: OrganisationState
    organisation_cases: tuple[CaseRecord, ...]
    by_customer: Mapping[str, tuple[CaseRecord, ...]]
    acted: Mapping[str, Mapping[ActionKey, Acted]]
    mailbox: Mapping[str, tuple[date, ...]]  # e-mail address -> days written to

    def count_first_contact(self) -> None:
        """One more customer with opening items is to be contacted for the first time today (take_on.per_day)."""
        self.state = replace(self.state, new_customers_today=self.state.new_customers_today + 1)

    def facts(self, book: CustomerBook, as_of: date, changed: tuple[CaseRecord, ...] = ()) -> CustomerFacts:
        """The facts about one customer on one day; `changed`: records as they would stand, not stored (yet)."""
        customer = book.customer
        file = CaseFile(self.organisation_cases + self.by_customer.get(customer.id, ()) + changed)
        shared = self.mailbox.get(customer.email.casefold(), ()) if customer.email else ()
        return derive(self.state, book, file, self.acted.get(customer.id, {}), as_of, mailbox_contacts=shared)


def gather(w: Wiring, tx: Tx, organisation: OrganisationRow, as_of: date) -> Knowledge:
    """Read the organisation's cases and earlier actions."""
    organisation_wide: list[CaseRecord] = []
    by_customer: defaultdict[str, list[CaseRecord]] = defaultdict(list)
    mailbox: defaultdict[str, list[date]] = defaultdict(list)
    for record in cases.all(tx, organisation.id):
        if record.customer_id:
            by_customer[record.customer_id].append(record)
        else:
            organisation_wide.append(record)
        if isinstance(record, LetterSent) and record.recipient:
            mailbox[record.recipient.casefold()].append(record.on)
    acted = actions.acted_all(tx, organisation.id)
    return Knowledge(
        state=organisation_state(
            w,
            organisation,
            as_of,
            organisation_wide,
            mirror.newest_reconciled(tx, organisation.id),
            _opening_statements_on(as_of, by_customer, acted),
        ),
        organisation_cases=tuple(organisation_wide),
        by_customer={customer: tuple(records) for customer, records in by_customer.items()},
        acted=acted,
        mailbox={address: tuple(sorted(days)) for address, days in mailbox.items()},
    )


def organisation_state(
    w: Wiring,
    organisation: OrganisationRow,
    as_of: date,
    organisation_wide: list[CaseRecord],
    reconciled: Mapping[str, date],
    new_customers: int = 0,
) -> OrganisationState:
    """What holds for the whole organisation, from the records about it and the newest reconciled days by account."""
    answers = {r.question: r.answer for r in organisation_wide if isinstance(r, TakeOnAnswer)}
    held = [r for r in organisation_wide if isinstance(r, HeldBy)]
    return OrganisationState(
        organisation=organisation.record,
        start_date=organisation.start_date,
        calendar=w.calendar(organisation),
        take_on_closed=organisation.take_on_closed_on is not None,
        take_on_missing=tuple(q for q in TAKE_ON_QUESTIONS if q not in answers),
        cash_known_to=cash_known_to(organisation_wide, reconciled, as_of),
        held_by=held[-1].holder if held else Holder.US,
        native_reminders_accepted=answers.get("native_reminders", "").casefold() in {"accepted", "keep"},
        new_customers_today=new_customers,
    )


def cash_known_to(records: Iterable[CaseRecord], reconciled: Mapping[str, date], as_of: date) -> date | None:
    """The earliest date, over the receiving accounts, up to which the books are known to be reconciled.

    A person's attestation counts for its account (or all); where nobody attested, the newest reconciled entry counts.
    Never later than `as_of`. (docs/decisions/0004)
    """
    attested: dict[str, date] = {}
    for record in records:
        if isinstance(record, CashKnown) and record.on <= as_of:
            attested[record.account] = record.until
    if not attested:
        return min(*reconciled.values(), as_of) if reconciled else None
    if "" not in attested:
        attested |= {account: day for account, day in reconciled.items() if account not in attested}
    return min(*attested.values(), as_of)


def _opening_statements_on(
    day: date,
    by_customer: Mapping[str, list[CaseRecord]],
    acted: Mapping[str, Mapping[ActionKey, Acted]],
) -> int:
    sent = {
        customer
        for customer, records in by_customer.items()
        for r in records
        if isinstance(r, LetterSent) and r.occasion == "take-on" and r.on == day
    }
    planned = {
        customer
        for customer, keys in acted.items()
        for key, value in keys.items()
        if key.kind is ActionKind.STATEMENT and key.occasion == "take-on" and value.state is ActedState.APPROVED
    }
    return len(sent | planned)


def all_facts(tx: Tx, organisation: OrganisationRow, knowledge: Knowledge, as_of: date) -> Iterator[CustomerFacts]:
    """Facts of every customer with open or draft items, or with recent case records."""
    recent = {
        customer
        for customer, records in knowledge.by_customer.items()
        if any(not isinstance(r, TakeOnSorted) and r.on >= as_of - timedelta(days=400) for r in records)
    }
    seen: set[str] = set()
    for book in mirror.books(tx, organisation.id):
        seen.add(book.customer.id)
        yield knowledge.facts(book, as_of)
    if rest := sorted(recent - seen):
        for book in mirror.books(tx, organisation.id, rest, open_only=False):
            yield knowledge.facts(book, as_of)


def policy_for_records(w: Wiring, organisation: OrganisationRow) -> Policy:
    """The policy by which a record is made: what people tell us is kept also while policy.yaml is wrong somewhere."""
    try:
        return w.policy(organisation).policy
    except ConfigError:
        return load_sound_policy(w.project, organisation.record.base_currency, organisation.preset).policy


def facts_of(w: Wiring, tx: Tx, organisation: OrganisationRow, customer_id: str, as_of: date) -> CustomerFacts:
    """Facts of one customer. Raises `NotFound`."""
    return gather(w, tx, organisation, as_of).facts(mirror.book(tx, organisation.id, customer_id), as_of)
