"""Facts from the mirror and from our own records: pure, and the only place where facts are made.

What is not known stays unknown and is treated as the careful case: an unnamed party as a consumer, an unreadable
dispute as a dispute of everything, an item without a due date as not due. Records of later days are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from connector.domain.cases import (
    CallMade,
    CaseFile,
    Concession,
    CreditUse,
    Dispute,
    Extension,
    HeldBy,
    Holder,
    LetterSent,
    PaymentPlan,
    PlanState,
    Promise,
    Reissue,
    Reply,
    TermsChange,
)
from connector.domain.collectable import (
    Owed,
    Transit,
    disputed_on,
    lay_credit,
    lay_transit,
    paused_parts,
    usable_credit,
)
from connector.domain.decisions import Acted, ActionKey, DunningLevel
from connector.domain.facts import BridgeLine, CustomerFacts, ItemFacts, OrganisationState
from connector.domain.history import Past, counted_from, history
from connector.domain.instalments import progress
from connector.domain.known import NOT_A_CONTACT, Known, arrived, leads
from connector.domain.ledger import CustomerBook, Invoice, InvoiceStatus
from connector.domain.money import Money
from connector.domain.pauses import Bank
from connector.domain.reissues import BRINGS_THE_INVOICE, carried_over, in_first_terms

_PROMISE_LAG_BD = 2  # money that reaches the bank two business days after the promised day was sent on it
_UNFINISHED = (InvoiceStatus.DRAFT, InvoiceStatus.SUBMITTED)


def derive(
    state: OrganisationState,
    book: CustomerBook,
    cases: CaseFile,
    acted: Mapping[ActionKey, Acted],
    as_of: date,
    *,
    mailbox_contacts: tuple[date, ...] = (),
) -> CustomerFacts:
    """Everything that is known about one customer on `as_of` (organisation's zone).

    `cases` holds the customer's records and the organisation's own; `acted` what became of earlier actions;
    `mailbox_contacts` the days on which anybody wrote to the mailbox that this customer shares.
    """
    known = carried_over(Known.of(cases, book.customer.id, as_of))
    book = in_first_terms(book, known.all(Reissue))
    world = _World(state, book, known, Bank.of(book, state.cash_known_to, as_of))
    items, unapplied = _items(world)
    recipient, no_recipient_because = known.recipient(book.customer)
    excluded, excluded_until = known.exclusion()
    plans = known.all(PaymentPlan)
    return CustomerFacts(
        state=state,
        book=book,
        as_of=as_of,
        items=items,
        party=known.party(),
        holder=world.holder,
        legal_hold=known.legal_hold(),
        recipient=recipient,
        no_recipient_because=no_recipient_because,
        excluded=excluded,
        excluded_until=excluded_until,
        sorted=known.sorting(),
        history=history(world.past),
        unapplied=unapplied,
        letters=known.all(LetterSent),
        calls=known.all(CallMade),
        replies=known.all(Reply),
        waiting_reply=known.waiting_reply(),
        plans=tuple(
            progress(plan, book, state.cash_known_to, as_of)
            for plan in plans
            if (world.is_running(plan) or plan.state is PlanState.COMPLETED) and plan.instalments
        ),
        ended_plans=tuple(plan for plan in plans if world.has_ended(plan)),
        offered_plan=next((plan for plan in reversed(plans) if plan.state is PlanState.OFFERED), None),
        disputes=world.disputes,
        extensions=known.all(Extension),
        promises=world.promises,
        concessions=tuple(one for one in known.all(Concession) if not known.is_past(one.withdrawn_on)),
        credit_uses=tuple(one for one in known.all(CreditUse) if not known.is_past(one.withdrawn_on)),
        terms_changes=tuple(one for one in known.all(TermsChange) if not known.is_past(one.withdrawn_on)),
        reissues=tuple(one for one in known.all(Reissue) if not known.is_past(one.withdrawn_on)),
        held=tuple(one for one in known.all(HeldBy) if one.customer_id),
        needs_review=book.needs_review,
        acted=acted,
        contacts=known.contacts(),
        mailbox_contacts=tuple(sorted(day for day in mailbox_contacts if day <= as_of)),
    )


@dataclass(frozen=True, slots=True)
class _World:
    """What every item is judged by."""

    state: OrganisationState
    book: CustomerBook
    known: Known
    bank: Bank

    @property
    def as_of(self) -> date:
        return self.known.as_of

    @property
    def holder(self) -> Holder:
        """The organisation's holder, else the customer's."""
        return self.state.held_by if self.state.held_by is not Holder.US else self.known.holder()

    @property
    def disputes(self) -> tuple[Dispute, ...]:
        """As they stood on the day: one that was resolved later is open."""
        return tuple(
            dispute if self.known.is_past(dispute.resolved_on) else replace(dispute, resolved_on=None, outcome=None)
            for dispute in self.known.all(Dispute)
        )

    @property
    def promises(self) -> tuple[Promise, ...]:
        return tuple(p for p in self.known.all(Promise) if not self.known.is_past(p.withdrawn_on))

    @property
    def sent_on(self) -> dict[str, date]:
        """The day on which we first brought each invoice, where we did.

        A copy brings it only where the ledger had never sent it: elsewhere a copy changes no date.
        """
        unsent = {invoice.id for invoice in self.book.invoices if invoice.sent is False}
        first: dict[str, date] = {}
        for letter in self.known.all(LetterSent):
            if letter.what in BRINGS_THE_INVOICE and arrived(letter, self.as_of):
                for invoice_id in letter.invoice_ids:
                    if letter.what == NOT_A_CONTACT or invoice_id in unsent:
                        first.setdefault(invoice_id, letter.on)
        return first

    @property
    def past(self) -> Past:
        return Past(
            self.book, self.known, self.bank, self.state.organisation.base_currency, self.sent_on, self.promise_lag
        )

    def promise_lag(self, until: date) -> date:
        return self.state.calendar.add(until, _PROMISE_LAG_BD)

    def is_running(self, plan: PaymentPlan) -> bool:
        signed = plan.signature is not None and plan.signature.on <= self.as_of
        return signed and plan.state is PlanState.SIGNED and not self.known.is_past(plan.closed_on)

    def has_ended(self, plan: PaymentPlan) -> bool:
        """It was signed and ended without being kept."""
        signed = plan.signature is not None and plan.signature.on <= self.as_of
        ended = plan.state in (PlanState.VOID, PlanState.CANCELLED)
        return signed and ended and (plan.closed_on is None or self.known.is_past(plan.closed_on))


def _items(world: _World) -> tuple[tuple[ItemFacts, ...], dict[str, Money]]:
    """Every open or unfinished invoice with its collectable amount, oldest due first, and the credit left over."""
    invoices = sorted(
        (i for i in world.book.invoices if i.is_open or i.status in _UNFINISHED),
        key=lambda i: (i.due or date.max, i.issued, i.id),
    )
    owed = {i.id: Owed(i, i.balance, [BridgeLine("balance", i.balance)]) for i in invoices if i.is_open}
    for one in owed.values():
        if (part := disputed_on(one.invoice, paused_parts(one.invoice, world.book, world.disputes))) is not None:
            one.take("disputed", part)
    # Credit is ours to use on what we may collect before what others hold or what is left alone.
    ours_first = sorted(owed.values(), key=lambda one: not _is_ours(world, one.invoice))
    unapplied = lay_credit(ours_first, usable_credit(world.book, world.as_of))
    transit = Transit(world.state.calendar, world.as_of)
    lay_transit(ours_first, world.known.all(Reply), world.book, transit)
    sent_on = world.sent_on
    items = tuple(_item(world, invoice, owed.get(invoice.id), sent_on.get(invoice.id)) for invoice in invoices)
    return items, unapplied


def _is_ours(world: _World, invoice: Invoice) -> bool:
    return world.known.holder(invoice.id) is Holder.US and not world.known.exclusion(invoice.id)[0]


def _item(world: _World, invoice: Invoice, owed: Owed | None, sent_on: date | None) -> ItemFacts:
    known, as_of = world.known, world.as_of
    opening = invoice.issued <= world.state.start_date
    from_day = _counts_from(world, invoice, sent_on, opening=opening)
    excluded, excluded_until = known.exclusion(invoice.id)
    sorted_itself = known.sorting(invoice.id)
    letters = [x for x in known.all(LetterSent) if arrived(x, as_of) and invoice.id in x.invoice_ids]
    breached = any(_covers(p, invoice.id) and _is_breached(world, p) for p in known.all(PaymentPlan))
    disputes = paused_parts(invoice, world.book, world.disputes)
    item = ItemFacts(
        invoice=invoice,
        collectable=owed.left if owed else Money.zero(invoice.currency),
        bridge=tuple(owed.lines) if owed else (),
        due=invoice.due,
        counts_from=from_day,
        days_overdue=max(0, (as_of - from_day).days) if owed and from_day else 0,
        opening=opening,
        disputes=disputes,
        disputed=disputed_on(invoice, disputes),
        holder=world.holder if world.holder is not Holder.US else known.holder(invoice.id),
        excluded=excluded,
        excluded_until=excluded_until,
        sorted=sorted_itself or known.sorting(),
        sorted_itself=sorted_itself is not None,
        sent=invoice.sent is not False or any(letter.what in BRINGS_THE_INVOICE for letter in letters),
        introduced=breached or any(letter.asks_for_money for letter in letters),  # who signs a plan knows the debt
        in_transit_until=owed.in_transit_until if owed else None,
        breached=breached,
        level=_level(letters, invoice.id),
    )
    return _with_dates(world, item)


def _counts_from(world: _World, invoice: Invoice, sent_on: date | None, *, opening: bool) -> date | None:
    if invoice.due is None:
        return None
    start = counted_from(invoice, invoice.due, sent_on)
    return max(start, world.state.start_date) if opening else start


def _level(letters: list[LetterSent], invoice_id: str) -> DunningLevel:
    """The highest level that this item earned as a letter's lead.

    The tone resets by itself when nothing overdue is left: an invoice earns its own levels, so the next one starts at
    the bottom. An invoice that comes back (a dispute lost, a payment returned) resumes where it stood.
    """
    earned = [letter.level for letter in letters if letter.level in set(DunningLevel) and leads(letter, invoice_id)]
    return DunningLevel(max(earned, default=0))


def _covers(plan: PaymentPlan, invoice_id: str) -> bool:
    return any(covered == invoice_id for covered, _ in plan.covered)


def _is_breached(world: _World, plan: PaymentPlan) -> bool:
    return plan.state is PlanState.VOID and world.has_ended(plan)


def _with_dates(world: _World, item: ItemFacts) -> ItemFacts:
    """The dates that people agreed, and how the promises behind them stand."""
    invoice_id = item.invoice.id
    extension = next((e for e in reversed(world.known.all(Extension)) if e.invoice_id == invoice_id), None)
    promises = tuple(p for p in world.promises if invoice_id in p.invoice_ids)
    promise = promises[-1] if promises else None
    plan = next((p for p in world.known.all(PaymentPlan) if world.is_running(p) and _covers(p, invoice_id)), None)
    instalment = None
    if plan is not None and plan.instalments:
        instalment = progress(plan, world.book, world.state.cash_known_to, world.as_of).next_due
    agreed = instalment or (extension.until if extension else None)
    dates = [day for day in (item.invoice.issued, item.due, agreed) if day is not None]
    return replace(
        item,
        expected=promise.until if promise else item.invoice.expected,
        agreed=agreed,
        tax_clock=max(dates),
        extension=extension,
        extension_state=world.bank.extension(extension) if extension else None,
        promise=promise,
        promise_state=world.bank.promise(promise, world.promise_lag(promise.until)) if promise else None,
        promises=promises,
        plan=plan,
    )
