"""From a decision to its effects: which writes, in which order, with which words. Nothing is sent here.

A status note is always after the act that it reports. Notes come from the closed list of neutral phrases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from connector.channels.context import CallHeld, LetterKind
from connector.channels.notes import LIMIT, NotePhrase, note, short_date
from connector.channels.schedule import schedule_pdf
from connector.domain.cases import CallOutcome, Dispute, PaymentPlan
from connector.domain.decisions import ActionKind, Decision, TargetKind
from connector.domain.effects import (
    Allocation,
    CreditNote,
    DocumentLine,
    Effect,
    EffectKind,
    ExpectedDate,
    LedgerEmail,
    Letter,
    NewInvoice,
    Note,
    Schedule,
    ScheduleLine,
    Tag,
    Terms,
    effect_key,
)
from connector.domain.facts import CustomerFacts
from connector.domain.ledger import Invoice
from connector.domain.money import Money, total
from connector.errors import Refused
from connector.service import entries, hand_overs, letters, plan_ends, reissues
from connector.service.pen import Pen, number
from connector.service.wiring import Wiring
from connector.store import mirror
from connector.store.actions import ActionRow
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow


@dataclass(frozen=True)
class Composed:
    """The effects of one action, and what a person sees of it before approving."""

    effects: tuple[Effect, ...]
    preview: Mapping[str, str] = field(default_factory=dict)


def compose(w: Wiring, organisation: OrganisationRow, facts: CustomerFacts, decision: Decision) -> Composed:
    """The writes that would carry out the decision, and all that a person should see of them before approving."""
    composed = _composed(_Pen(w, organisation, facts, decision), facts, decision)
    numbers = {invoice.id: number(invoice) for invoice in facts.book.invoices}
    writes = "\n".join(line for effect in composed.effects if (line := _told(effect, numbers)))
    return Composed(composed.effects, {**composed.preview, "writes": writes}) if writes else composed


def _told(effect: Effect, numbers: Mapping[str, str]) -> str:
    """One write in words; "" for a letter, which is shown whole."""
    subject = numbers.get(effect.target, "the customer")
    match effect.payload:
        case Note(text):
            return f"note on {subject}: {text}"
        case Tag(tag, present):
            return f"{'mark' if present else 'unmark'} the customer: {tag}"
        case ExpectedDate(expected):
            return f"expected date of {subject}: {expected}"
        case Schedule() as plan:
            lines = "; ".join(f"{line.number}) {line.due} {line.amount}" for line in plan.lines)
            return f"schedule beside {subject}: {lines}"
        case LedgerEmail():
            return f"the ledger mails {subject} with its own text"
        case Letter():
            return ""
        case CreditNote() as credit:
            return f"credit note {credit.number} for {subject}, dated {credit.dated}: {_entered(credit.lines)}"
        case Allocation() as part:
            return f"lay {part.amount} of the credit against {subject}"
        case NewInvoice() as invoice:
            return f"new invoice {invoice.number}, due {invoice.due}, and a note on it: {_entered(invoice.lines)}"
        case Terms(wanted):
            return f"terms of the customer: {wanted.day} {wanted.basis.value.replace('_', ' ')}"


def _entered(lines: tuple[DocumentLine, ...]) -> str:
    """The gross, then each line as it will stand: what is approved is the split, not the sum alone."""
    gross = total((line.net + line.tax for line in lines), lines[0].net.currency)
    split = (
        f"\n  account {line.account or '(none)'}, tax code {line.tax_code or '(none)'}: {line.net} net, {line.tax} tax"
        for line in lines
        if line.account or line.net.minor or line.tax.minor
    )
    return f"{gross}{''.join(split)}"


def _composed(pen: _Pen, facts: CustomerFacts, decision: Decision) -> Composed:
    preview = {"customer": facts.book.customer.name, "title": title(decision)}
    match decision.kind:
        case ActionKind.SEND_INVOICE:
            return Composed(tuple(pen.first_sending()), preview)
        case ActionKind.REINVOICE | ActionKind.STATEMENT | ActionKind.LETTER | ActionKind.THANKS:
            letter, effects = pen.letter()
            return Composed(effects, preview | {"to": letter.recipient, "subject": letter.subject, "text": letter.text})
        case ActionKind.TAG_DISPUTE | ActionKind.UNTAG_DISPUTE:
            return Composed(tuple(pen.tag()), preview)
        case ActionKind.SET_EXPECTED_DATE:
            return Composed(tuple(pen.expected_date()), preview)
        case ActionKind.WRITE_SCHEDULE:
            return Composed(tuple(pen.schedule()), preview)
        case ActionKind.CALL | ActionKind.TASK:
            return Composed((), preview | _task_texts(decision))
        case _:
            return Composed(tuple(_ENTRIES[decision.kind](pen)), preview)


_ENTRIES: Final[Mapping[ActionKind, Callable[[Pen], Iterator[Effect]]]] = {
    ActionKind.END_SCHEDULE: plan_ends.schedule_ended,
    ActionKind.CREDIT: entries.credit,
    ActionKind.APPLY_CREDIT: entries.apply_credit,
    ActionKind.SET_TERMS: entries.terms,
    ActionKind.REISSUE: reissues.chain,
    ActionKind.HAND_OVER: hand_overs.notes,
    ActionKind.TAKE_BACK: hand_overs.notes,
}


def title(decision: Decision) -> str:
    """What the action is, in three words."""
    if decision.kind is ActionKind.LETTER and decision.level:
        return f"letter: {decision.level.name.lower()}"
    if decision.kind is ActionKind.TASK:
        return f"task: {decision.data.get('what') or decision.rule.replace('_', ' ')}"
    return decision.kind.value.replace("_", " ")


def describe(decision: Decision) -> Composed:
    """A task about the organisation itself: nothing is written, a person reads what to do."""
    return Composed((), {"title": title(decision)} | _task_texts(decision))


def _task_texts(decision: Decision) -> dict[str, str]:
    return {name: str(decision.data[name]) for name in ("checklist", "script", "what", "to") if decision.data.get(name)}


class _Pen(Pen):
    """Writes the effects of one decision."""

    def first_sending(self) -> Iterator[Effect]:
        """The ledger mails the invoice itself: its own text, once."""
        for invoice_id in self.decision.items:
            invoice = self.invoices[invoice_id]
            sent = self.effect(LedgerEmail(), TargetKind.INVOICE, invoice_id)
            yield sent
            yield self.note(
                NotePhrase.FIRST_SENT, invoice_id, (sent,), on=self.facts.as_of, invoices=[number(invoice)],
                balance=invoice.balance, due=invoice.due,
            )  # fmt: skip

    def letter(self) -> tuple[Letter, tuple[Effect, ...]]:
        """The letter, one note on the customer, and one short note on each listed invoice."""
        written = letters.write(self.w, self.organisation, self.facts, self.decision)
        attached = self.decision.items if letters.attaches(self.decision) else ()
        payload = Letter(self.facts.recipient, written.subject, written.text, written.html, tuple(attached))
        sent = self.effect(payload, TargetKind.CUSTOMER, self.facts.customer_id)
        notes = [self._letter_note(self.facts.customer_id, self.decision.items, written.kind, sent)]
        if self.decision.kind in (ActionKind.LETTER, ActionKind.REINVOICE):
            notes += [self._letter_note(one, (one,), written.kind, sent) for one in self.decision.items]
        return payload, (sent, *notes)

    def _letter_note(self, target: str, items: tuple[str, ...], kind: LetterKind, sent: Effect) -> Effect:
        numbers = [number(self.invoices[one]) for one in items]
        day, asked = self.facts.as_of, self.decision.by_date
        balances = self._balances(items)
        match self.decision.kind:
            case ActionKind.REINVOICE:
                return self.note(
                    NotePhrase.REINVOICED, target, (sent,), on=day, invoices=numbers, balance=balances, by=asked
                )
            case ActionKind.STATEMENT:
                return self.note(NotePhrase.STATEMENT, target, (sent,), on=day, invoices=numbers, balance=balances)
            case ActionKind.THANKS if kind is LetterKind.PLAN_COMPLETED:
                plan = self._plan().id[:8]
                return self.note(NotePhrase.PLAN_COMPLETED, target, (sent,), plan=plan, invoices=numbers, on=day)
            case ActionKind.THANKS:
                return self.note(NotePhrase.THANKS, target, (sent,), on=day, invoices=numbers)
            case _:
                return self.note(
                    NotePhrase.LETTER, target, (sent,), on=day, letter=kind, invoices=numbers, balance=balances,
                    by=asked,
                )  # fmt: skip

    def _balances(self, items: tuple[str, ...]) -> list[Money]:
        """The ledger's balances of these invoices, one sum a currency."""
        sums: dict[str, Money] = {}
        for one in items:
            balance = self.invoices[one].balance
            sums[balance.currency] = sums.get(balance.currency, Money.zero(balance.currency)) + balance
        return list(sums.values())

    def tag(self) -> Iterator[Effect]:
        """The tag means that at least one query is open; each query has its note on its invoice."""
        present = self.decision.kind is ActionKind.TAG_DISPUTE
        name = self.w.mapping(self.organisation).dispute_tag
        if self.decision.data.get("tag") is not False:
            yield self.effect(Tag(name, present), TargetKind.CUSTOMER, self.facts.customer_id)
        for dispute in self._disputes():
            if (invoice := self.invoices.get(dispute.invoice_id)) is not None:
                yield self._dispute_note(dispute, invoice, opened=present)

    def _disputes(self) -> list[Dispute]:
        named = self.decision.data.get("dispute")
        return [one for one in self.facts.disputes if one.id == (named or self.decision.occasion)]

    def _dispute_note(self, dispute: Dispute, invoice: Invoice, *, opened: bool) -> Effect:
        if opened:
            return self.note(
                NotePhrase.DISPUTE_OPENED, invoice.id, invoice=number(invoice), amount=dispute.amount,
                total=invoice.total, by=dispute.decide_by,
            )  # fmt: skip
        return self.note(
            NotePhrase.DISPUTE_RESOLVED, invoice.id, invoice=number(invoice), amount=dispute.amount,
            total=invoice.total, on=dispute.resolved_on or self.facts.as_of,
        )  # fmt: skip

    def expected_date(self) -> Iterator[Effect]:
        """The ledger's expected date where it can be written, and in any case the note."""
        expected = date.fromisoformat(str(self.decision.data["expected"]))
        for invoice_id in self.decision.items:
            invoice = self.invoices[invoice_id]
            yield from self._expected(invoice, expected)
            yield self.note(
                NotePhrase.EXPECTED_DATE_SET, invoice_id, expected=expected, invoices=[number(invoice)],
                due=invoice.due,
            )  # fmt: skip

    def _expected(self, invoice: Invoice, expected: date) -> Iterator[Effect]:
        untouched = not invoice.paid and not invoice.credited
        if untouched and invoice.expected != expected:
            yield self.effect(ExpectedDate(expected, invoice.expected), TargetKind.INVOICE, invoice.id)

    def schedule(self) -> Iterator[Effect]:
        """The schedule beside each covered invoice, its note, and the next instalment as expected date."""
        plan = self._plan()
        lines = tuple(ScheduleLine(i.number, i.due, i.amount) for i in plan.instalments)
        covered = [(number(self.invoices[one]), amount) for one, amount in plan.covered]
        document = schedule_pdf(
            self.organisation.record.legal_name or self.organisation.record.name,
            self.facts.book.customer.name,
            plan.id[:8],
            plan.version,
            covered,
            lines,
        )
        whole = total((amount for _, amount in covered), covered[0][1].currency)
        upcoming = min((line.due for line in lines if line.due >= self.facts.as_of), default=None)
        for invoice_id in self.decision.items:
            schedule = Schedule(plan.id, plan.version, lines, document)
            laid = self.effect(schedule, TargetKind.INVOICE, invoice_id)
            yield laid
            yield self.note(
                NotePhrase.PLAN_SCHEDULED, invoice_id, (laid,), plan=plan.id[:8], version=plan.version,
                invoices=[named for named, _ in covered], total=whole, lines=lines,
            )  # fmt: skip
            if upcoming is not None:
                yield from self._expected(self.invoices[invoice_id], upcoming)

    def _plan(self) -> PaymentPlan:
        for progress in self.facts.plans:
            if progress.plan.id == self.decision.data.get("plan"):
                return progress.plan
        raise Refused("the payment plan is no longer active", record=str(self.decision.data.get("plan")))


def call_note(
    w: Wiring, tx: Tx, organisation: OrganisationRow, action: ActionRow, on: date, outcome: CallOutcome
) -> tuple[Effect, ...]:
    """The notes of a call that was made: one on the customer, one on each invoice. Nothing for a call nobody took."""
    del w
    if outcome in (CallOutcome.UNREACHABLE, CallOutcome.WRONG_NUMBER):
        return ()
    numbers = {one: mirror.invoice(tx, organisation.id, one).number or one[:8] for one in action.decision.items}
    record = organisation.record
    effects = []
    for target, named in ((action.customer_id, list(numbers.values())), *((one, [n]) for one, n in numbers.items())):
        kind = TargetKind.INVOICE if target in numbers else TargetKind.CUSTOMER
        occasion = f"call/{action.key.occasion}"
        key = effect_key(record.ledger, record.ledger_id, EffectKind.NOTE.value, target, occasion)
        text = note(NotePhrase.CALL_DONE, on=on, invoices=named)
        effects.append(Effect(key, EffectKind.NOTE, kind, target, occasion, Note(text)))
    return tuple(effects)


def call_summary(
    w: Wiring, organisation: OrganisationRow, facts: CustomerFacts, decision: Decision, call: CallHeld
) -> tuple[Effect, ...]:
    """The letter that sums up, the same day, what was agreed on the telephone, and its note on the customer.

    Raises `Refused` when the customer has no usable address or the sentences fail the tone lint.
    """
    if not facts.recipient:
        raise Refused(
            f"{facts.book.customer.name} has no usable address ({facts.no_recipient_because})",
            not_done="the call was not recorded",
            next_step="leave out --agreed, and write by post",
        )
    pen = _Pen(w, organisation, facts, decision)
    written = letters.write_summary(w, organisation, facts, decision, call)
    payload = Letter(facts.recipient, written.subject, written.text, written.html)
    sent = pen.effect(payload, TargetKind.CUSTOMER, facts.customer_id, part="summary")
    numbers = [number(pen.invoices[one]) for one in decision.items if one in pen.invoices]
    text = note(NotePhrase.LETTER, LIMIT, on=facts.as_of, letter=written.kind, invoices=numbers)
    report = pen.effect(
        Note(text, short_date(facts.as_of)), TargetKind.CUSTOMER, facts.customer_id, (sent,), part="summary"
    )
    return (sent, report)
