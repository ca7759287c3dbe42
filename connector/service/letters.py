"""From facts to a letter: which template, what it may say, and how it leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from connector.channels.context import (
    LETTER_OF_LEVEL,
    CallHeld,
    LetterContext,
    LetterItem,
    LetterKind,
    PaymentReceived,
    PlanTerms,
    Sender,
)
from connector.channels.greeting import first_name
from connector.channels.message import message_id
from connector.channels.render import Rendered
from connector.domain.decisions import ActionKind, Decision
from connector.domain.effects import Effect, Letter, Prepared, ScheduleLine
from connector.domain.facts import CustomerFacts, ItemFacts
from connector.domain.money import Money
from connector.ports import OutgoingLetter
from connector.service.wiring import Wiring
from connector.store.organisations import OrganisationRow

UNSET_ADDRESS = "accounts@dunwell.invalid"  # letters in a folder only; real mail refuses to go without a sender

_KINDS = {
    ActionKind.REINVOICE: LetterKind.REINVOICE,
    ActionKind.STATEMENT: LetterKind.STATEMENT,
    ActionKind.THANKS: LetterKind.THANKS,
    ActionKind.SEND_INVOICE: LetterKind.FIRST_SENDING,
}


def kind_of(decision: Decision) -> LetterKind:
    """The template for a decision; `data["letter"]` names one that the level alone does not tell."""
    named = decision.data.get("letter")
    if isinstance(named, str) and named:
        return LetterKind(named)
    if decision.kind is ActionKind.STATEMENT and decision.occasion == "take-on":
        return LetterKind.TAKE_ON_STATEMENT
    if decision.kind is ActionKind.LETTER:
        return LETTER_OF_LEVEL[decision.level]
    return _KINDS[decision.kind]


def write(w: Wiring, organisation: OrganisationRow, facts: CustomerFacts, decision: Decision) -> Rendered:
    """The letter for a decision. Raises `Refused` when its facts do not suffice or its tone fails."""
    return w.letterbook().render(kind_of(decision), context(w, organisation, facts, decision))


def write_summary(
    w: Wiring, organisation: OrganisationRow, facts: CustomerFacts, decision: Decision, call: CallHeld
) -> Rendered:
    """The summary of a call. Raises `Refused` when a person's sentence fails the tone lint."""
    said = replace(context(w, organisation, facts, decision), call=call, attached=False)
    return w.letterbook().render(LetterKind.CALL_SUMMARY, said)


def context(w: Wiring, organisation: OrganisationRow, facts: CustomerFacts, decision: Decision) -> LetterContext:
    """What the letter may mention."""
    mapping = w.mapping(organisation)
    customer = facts.book.customer
    sender = mapping.letters
    return LetterContext(
        organisation=organisation.record.legal_name or organisation.record.name,
        customer=customer.name,
        sender=Sender(
            name=sender.sender_name or organisation.record.name,
            reply_to=sender.reply_to or sender.sender_address or UNSET_ADDRESS,
            phone=sender.phone,
        ),
        written_on=facts.as_of,
        locale=locale_of(organisation),
        first_name=first_name(customer, facts.recipient, facts.party),
        items=tuple(_items(facts, decision)),
        by_date=decision.by_date,
        attached=attaches(decision),
        payment=_payment(decision),
        plan=_plan(facts, decision),
    )


def _items(facts: CustomerFacts, decision: Decision) -> list[LetterItem]:
    open_items = {item.invoice.id: item for item in facts.items}
    every = {invoice.id: invoice for invoice in facts.book.invoices}
    items = []
    for invoice_id in decision.items:
        if (item := open_items.get(invoice_id)) is not None:
            items.append(_item(item))
        elif (invoice := every.get(invoice_id)) is not None:
            items.append(
                LetterItem(
                    number=invoice.number,
                    issued=invoice.issued,
                    due=invoice.due,
                    total=invoice.total,
                    balance=invoice.balance,
                    collectable=invoice.balance,
                )
            )
    return items


def _plan(facts: CustomerFacts, decision: Decision) -> PlanTerms | None:
    numbers = {invoice.id: invoice.number or invoice.id[:8] for invoice in facts.book.invoices}
    for plan in (progress.plan for progress in facts.plans):
        if plan.id == decision.data.get("plan"):
            return PlanTerms(
                reference=plan.id[:8],
                version=plan.version,
                covered=tuple((numbers.get(one, one), amount) for one, amount in plan.covered),
                lines=tuple(ScheduleLine(i.number, i.due, i.amount) for i in plan.instalments),
            )
    return None


def _item(item: ItemFacts) -> LetterItem:
    invoice = item.invoice
    return LetterItem(
        number=invoice.number,
        issued=invoice.issued,
        due=invoice.due,
        total=invoice.total,
        balance=invoice.balance,
        collectable=item.collectable,
        bridge=item.bridge,
    )


def _payment(decision: Decision) -> PaymentReceived | None:
    if decision.kind is not ActionKind.THANKS or decision.amount is None:
        return None
    on = decision.data.get("paid_on")
    if not isinstance(on, str):
        return None
    return PaymentReceived(amount=Money(decision.amount.minor, decision.amount.currency), on=date.fromisoformat(on))


def attaches(decision: Decision) -> bool:
    """Do copies of the invoices travel with this letter?"""
    return decision.kind is ActionKind.REINVOICE or (
        decision.kind is ActionKind.SEND_INVOICE and kind_of(decision) is LetterKind.FIRST_SENDING
    )


_LOCALES = {"AU": "en_AU", "CA": "en_CA", "GB": "en_GB", "IE": "en_IE", "NZ": "en_NZ", "US": "en_US", "ZA": "en_ZA"}


def locale_of(organisation: OrganisationRow) -> str:
    """How amounts and dates are written at the organisation's place."""
    return _LOCALES.get(organisation.record.country, "en_GB")


@dataclass(frozen=True)
class Outgoing:
    """A letter ready to leave, and the frozen request that stands for it in the outbox."""

    letter: OutgoingLetter
    prepared: Prepared


def outgoing(
    w: Wiring, organisation: OrganisationRow, effect: Effect, attachments: tuple[tuple[str, str, bytes], ...]
) -> Outgoing:
    """The letter of an effect; its Message-ID follows from the effect key, so that it can be recognised."""
    payload = effect.payload
    if not isinstance(payload, Letter):
        raise TypeError("only letters leave by mail")
    domain = w.mapping(organisation).letters.message_domain or "dunwell.invalid"
    identity = message_id(effect.key, domain)
    letter = OutgoingLetter(identity, payload.recipient, payload.subject, payload.text, payload.html, attachments)
    body = f"{payload.subject}\n\n{payload.text}".encode()
    return Outgoing(letter, Prepared("MAIL", payload.recipient, body, "text/plain; charset=utf-8", identity))
