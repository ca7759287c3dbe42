"""What people know and tell us: how far the books are reconciled, who the debtor is, who holds the debt, legal holds,
exclusions, replies, calls. Each becomes a case record with who said so and when; nothing is written to the ledger here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final, TypeVar

from connector.channels.context import CallHeld
from connector.domain.cases import (
    CallMade,
    CallOutcome,
    CaseRecord,
    CashKnown,
    Exclusion,
    HeldBy,
    Holder,
    LegalHold,
    LegalHoldKind,
    Party,
    PartyIs,
    Reply,
    ReplyOutcome,
)
from connector.domain.decisions import ActionKind
from connector.domain.effects import Effect, Letter
from connector.domain.ledger import CustomerBook
from connector.domain.money import Money
from connector.errors import NotFound, Refused
from connector.service import lookup
from connector.service.compose import call_note, call_summary
from connector.service.knowledge import facts_of
from connector.service.wiring import Wiring
from connector.store import actions, cases, mirror, organisations, outbox, wake
from connector.store.actions import ActionRow
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow

R = TypeVar("R", bound=CaseRecord)
_OLDEST_BOOKS: Final = timedelta(days=366)  # before the start: nobody keeps books that far behind


def record(tx: Tx, organisation: OrganisationRow, case: R) -> R:
    """Store a case record and have its customer looked at again."""
    cases.put(tx, organisation.id, case)
    if case.customer_id:
        wake.mark(tx, organisation.id, [case.customer_id])
    return case


def books_known_to(w: Wiring, organisation: OrganisationRow, until: date, account: str = "") -> CashKnown:
    """Attest that the books are reconciled up to and including `until`, of one receiving account or of all.

    Raises `Refused` for a future date, for one so old that it must be a slip, and for an account into which no money
    ever came: it would be waited for without end.
    """
    today, name, nothing = w.today(organisation), organisation.record.name, "nothing was recorded"
    if until > today:
        raise Refused(f"{until} is in the future", record=name, not_done=nothing)
    if until < organisation.start_date - _OLDEST_BOOKS:
        raise Refused(
            f"{until} is more than a year before the start on {organisation.start_date}",
            record=name,
            not_done=nothing,
            next_step="name the day up to which the bank is reconciled",
        )
    case = CashKnown(id=w.ids.new(), on=today, by=w.who, until=until, account=account)
    with w.db.writing(w.tenant) as tx:
        if account and account not in (known := mirror.receiving_accounts(tx, organisation.id)):
            raise Refused(
                f"no money ever came into an account {account!r}",
                record=name,
                not_done=nothing,
                next_step=f"one of {', '.join(known)}; or leave --account out" if known else "leave --account out",
            )
        return record(tx, organisation, case)


def set_party(w: Wiring, organisation: OrganisationRow, text: str, party: Party) -> PartyIs:
    with w.db.writing(w.tenant) as tx:
        customer = lookup.customer(tx, organisation.id, text)
        case = PartyIs(id=w.ids.new(), customer_id=customer.id, on=w.today(organisation), by=w.who, party=party)
        return record(tx, organisation, case)


def set_held_by(
    w: Wiring, organisation: OrganisationRow, text: str, holder: Holder, *, invoice: bool = False, note: str = ""
) -> HeldBy:
    """`text` names a customer, or an invoice with `invoice`; "" means the whole organisation."""
    with w.db.writing(w.tenant) as tx:
        customer_id = invoice_id = ""
        if invoice:
            found = lookup.invoice(tx, organisation.id, text)
            customer_id, invoice_id = found.customer_id, found.id
        elif text:
            customer_id = lookup.customer(tx, organisation.id, text).id
        case = HeldBy(
            id=w.ids.new(),
            customer_id=customer_id,
            on=w.today(organisation),
            by=w.who,
            holder=holder,
            invoice_id=invoice_id,
            note=note,
        )
        return record(tx, organisation, case)


def set_hold(w: Wiring, organisation: OrganisationRow, text: str, why: LegalHoldKind) -> LegalHold:
    """Anyone may set a legal hold; it beats every rule, approval and override."""
    with w.db.writing(w.tenant) as tx:
        customer = lookup.customer(tx, organisation.id, text)
        case = LegalHold(id=w.ids.new(), customer_id=customer.id, on=w.today(organisation), by=w.who, why=why)
        return record(tx, organisation, case)


def lift_hold(w: Wiring, organisation: OrganisationRow, text: str, *, principal: bool) -> list[LegalHold]:
    """Only the principal lifts it. Raises `Refused`, `NotFound`."""
    if not principal:
        raise Refused(
            "only the client's principal lifts a legal hold",
            record=text,
            not_done="the hold stands",
            next_step="let the principal run it with --as-principal",
        )
    with w.db.writing(w.tenant) as tx:
        customer = lookup.customer(tx, organisation.id, text)
        held = [
            case
            for case in cases.of(tx, organisation.id, customer.id).records
            if isinstance(case, LegalHold) and case.lifted_on is None and case.customer_id == customer.id
        ]
        if not held:
            raise NotFound(f"{customer.name} is not on legal hold", record=customer.id)
        today = w.today(organisation)
        return [record(tx, organisation, replace(case, lifted_on=today, lifted_by=w.who)) for case in held]


def exclude(
    w: Wiring, organisation: OrganisationRow, text: str, *, reason: str, until: date | None, invoice: bool = False
) -> Exclusion:
    """Leave a customer (or one invoice) alone, with a reason and normally an expiry."""
    if not reason.strip():
        raise Refused("an exclusion needs a reason", record=text, next_step="add --reason TEXT")
    with w.db.writing(w.tenant) as tx:
        if invoice:
            found = lookup.invoice(tx, organisation.id, text)
            customer_id, invoice_id = found.customer_id, found.id
        else:
            customer_id, invoice_id = lookup.customer(tx, organisation.id, text).id, ""
        case = Exclusion(
            id=w.ids.new(),
            customer_id=customer_id,
            on=w.today(organisation),
            by=w.who,
            reason=reason,
            until=until,
            invoice_id=invoice_id,
        )
        return record(tx, organisation, case)


def lift_exclusion(w: Wiring, organisation: OrganisationRow, text: str) -> list[Exclusion]:
    """`text` names what was excluded, the customer or the invoice: the other stays as it is. Raises `NotFound`."""
    with w.db.writing(w.tenant) as tx:
        customer = lookup.customer(tx, organisation.id, text)
        invoices = {r.id for r in mirror.find(tx, organisation.id, text) if hasattr(r, "customer_id")}
        standing = [
            case
            for case in cases.of(tx, organisation.id, customer.id).records
            if isinstance(case, Exclusion)
            and case.lifted_on is None
            and case.customer_id == customer.id
            and (case.invoice_id in invoices if invoices else not case.invoice_id)
        ]
        if not standing:
            raise NotFound(f"{text} is not excluded itself", record=customer.id)
        return [record(tx, organisation, replace(case, lifted_on=w.today(organisation))) for case in standing]


def reply(
    w: Wiring,
    organisation: OrganisationRow,
    text: str,
    outcome: ReplyOutcome,
    *,
    until: date | None = None,
    amount: Money | None = None,
    reference: str = "",
    note: str = "",
) -> Reply:
    """An answer came in. It pauses chasing until we answered, at most the policy's reply time.

    Raises `Refused` for a promise without a date, for money that was paid in the future, and for an amount in a
    currency in which nothing was billed.
    """
    if outcome is ReplyOutcome.PROMISE and until is None:
        raise Refused("a promise needs a date", record=text, next_step="`dunwell promise TARGET --on DATE` records one")
    if outcome is ReplyOutcome.PAID and until is not None and until > w.today(organisation):
        raise Refused(f"nothing was paid on {until} yet", record=text, not_done="nothing was recorded")
    with w.db.writing(w.tenant) as tx:
        customer = lookup.customer(tx, organisation.id, text)
        invoices = [r.id for r in mirror.find(tx, organisation.id, text) if hasattr(r, "customer_id")]
        if amount is not None:
            _must_be_billed(mirror.book(tx, organisation.id, customer.id), invoices, amount, text)
        case = Reply(
            id=w.ids.new(),
            customer_id=customer.id,
            on=w.today(organisation),
            by=w.who,
            outcome=outcome,
            invoice_ids=tuple(invoices),
            until=until,
            amount=amount,
            reference=reference,
            note=note,
        )
        return record(tx, organisation, case)


def _must_be_billed(book: CustomerBook, invoices: Sequence[str], amount: Money, text: str) -> None:
    """Money in a currency in which nothing was ever asked for would be believed to be on its way for nothing."""
    known = {one.currency for one in book.invoices if not invoices or one.id in invoices}
    if known and amount.currency not in known:
        raise Refused(
            f"nothing was billed in {amount.currency}",
            record=text,
            not_done="nothing was recorded",
            next_step=f"give it in {' or '.join(sorted(known))}, with --currency",
        )


def answer_replies(w: Wiring, organisation: OrganisationRow, text: str) -> list[Reply]:
    """We answered: every waiting reply of the customer is settled."""
    with w.db.writing(w.tenant) as tx:
        customer = lookup.customer(tx, organisation.id, text)
        waiting = [
            case
            for case in cases.of(tx, organisation.id, customer.id).records
            if isinstance(case, Reply) and case.answered_on is None
        ]
        if not waiting:
            raise NotFound(f"no reply of {customer.name} waits for us", record=customer.id)
        return [record(tx, organisation, replace(case, answered_on=w.today(organisation))) for case in waiting]


def call_letter(w: Wiring, text: str, outcome: CallOutcome, *, agreed: Sequence[str], spoke_with: str = "") -> Letter:
    """The letter that recording this call would approve; nothing is stored. Raises as `call_done`."""
    with w.db.reading(w.tenant) as tx:
        action, organisation = _call(tx, text, outcome, agreed)
        effects = _agreed_in_writing(w, tx, organisation, action, agreed, spoke_with)
    return next(one.payload for one in effects if isinstance(one.payload, Letter))


def call_done(
    w: Wiring,
    text: str,
    outcome: CallOutcome,
    *,
    note: str = "",
    agreed: Sequence[str] = (),
    spoke_with: str = "",
) -> CallMade:
    """A call task was carried out: recorded, and noted in the ledger by the next `apply`. `text`: the action's id.

    `agreed`: what was agreed, in sentences that the customer gets in a letter the same day (`call_letter`): whoever
    records it approves that letter.
    Raises `Refused`, also when something was agreed with nobody.
    """
    with w.db.writing(w.tenant) as tx:
        action, organisation = _call(tx, text, outcome, agreed)
        today = w.today(organisation)
        effects = call_note(w, tx, organisation, action, today, outcome)
        if agreed:
            effects += _agreed_in_writing(w, tx, organisation, action, agreed, spoke_with)
        if not actions.approve(tx, action.id, action.content_hash, w.who, tx.now):
            raise Refused("the call changed meanwhile", record=action.id, next_step="run `dunwell plan` again")
        outbox.add(tx, organisation.id, action.id, effects)
        if not effects:  # nothing to write: the call is over, not on its way
            actions.settle(tx, action.id, "done", tx.now)
        case = CallMade(
            id=w.ids.new(),
            customer_id=action.customer_id,
            on=today,
            by=w.who,
            occasion=action.key.occasion,
            outcome=outcome,
            note=note,
            invoice_ids=action.decision.items,
        )
        return record(tx, organisation, case)


def _call(tx: Tx, text: str, outcome: CallOutcome, agreed: Sequence[str]) -> tuple[ActionRow, OrganisationRow]:
    """The call that is proposed under this id. Raises `Refused`."""
    if agreed and outcome is not CallOutcome.SPOKE:
        raise Refused(
            "nothing can be agreed without speaking to somebody", record=text, not_done="nothing was recorded"
        )
    action = actions.find(tx, text)
    if action.key.kind is not ActionKind.CALL:
        raise Refused(f"{text} is a {action.key.kind.value}, not a call", record=action.id)
    if action.state != "proposed":
        raise Refused(f"this call is {action.state}", record=action.id, not_done="nothing was recorded")
    return action, organisations.get(tx, action.organisation_id)


def _agreed_in_writing(
    w: Wiring, tx: Tx, organisation: OrganisationRow, action: ActionRow, agreed: Sequence[str], spoke_with: str
) -> tuple[Effect, ...]:
    today = w.today(organisation)
    facts = facts_of(w, tx, organisation, action.customer_id, today)
    call = CallHeld(on=today, spoke_with=spoke_with, agreed=tuple(agreed))
    return call_summary(w, organisation, facts, action.decision, call)
