"""What people concede: a reduction of one invoice, an open credit laid against one, new terms, a reissue.

The next plan proposes to enter it. Everything that can be known beforehand is refused here, before anything is
recorded: the ledger's own words would come too late. Each is approved by itself, never with `--all`.
"""

from __future__ import annotations

from dataclasses import replace

from connector.domain import reductions
from connector.domain.cases import Concession, CreditUse, Reissue, TermsChange
from connector.domain.counting import counted
from connector.domain.decisions import ActionKey, ActionKind
from connector.domain.effects import EffectState
from connector.domain.facts import CustomerFacts
from connector.domain.ledger import Credit, Invoice, PaymentTerms
from connector.domain.money import Money, total
from connector.domain.reductions import NoReduction, Reduction
from connector.errors import NotFound, Refused
from connector.policy.rules import reduction as rule
from connector.policy.rules import reissue as reissue_rule
from connector.service import entries, lookup, reissues
from connector.service.knowledge import facts_of
from connector.service.people import record
from connector.service.wiring import Wiring
from connector.service.wording import say
from connector.store import actions, cases, outbox
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow

Conceded = Concession | CreditUse | TermsChange | Reissue
_KINDS = {
    Concession: ActionKind.CREDIT,
    CreditUse: ActionKind.APPLY_CREDIT,
    TermsChange: ActionKind.SET_TERMS,
    Reissue: ActionKind.REISSUE,
}
_NOT_DONE = "nothing was recorded"
_BEGUN = frozenset({EffectState.SENDING, EffectState.UNKNOWN, EffectState.HUMAN, EffectState.DONE})


def concede(
    w: Wiring,
    organisation: OrganisationRow,
    text: str,
    kind: Reduction,
    amount: Money | None = None,
    *,
    reason: str,
    agreement: str = "",
) -> Concession:
    """Take `amount` (gross; None = the whole balance) off an invoice, for a reason that a person gives.

    Raises `Refused` when the invoice is not open or not ours, for more than it still owes, in a locked period, without
    a confirmed tax recipe, without a reason, and for a settlement without its written agreement.
    """
    _must_be_said(reason, "--reason", "a reduction", text)
    if kind is Reduction.SETTLEMENT:
        _must_be_said(agreement, "--agreement", "a settlement", text)
    today = w.today(organisation)
    with w.db.writing(w.tenant) as tx:
        invoice = lookup.invoice(tx, organisation.id, text)
        facts = facts_of(w, tx, organisation, invoice.customer_id, today)
        sum_ = amount or (invoice.balance - _pending(facts, invoice)).floor_zero()
        asked = sum_ + _pending(facts, invoice)
        if sum_.minor <= 0:
            raise Refused(f"{sum_} is nothing to take off", record=invoice.number, not_done=_NOT_DONE)
        if (why := rule.refusal(facts, invoice.id, asked, today)) is not None:
            raise Refused(say(why), record=invoice.number, not_done=_NOT_DONE)
        mapped = w.mapping(organisation).reductions
        recipe = entries.recipe_for(mapped.recipe(kind), kind, organisation.record, invoice)
        try:
            reductions.check_date(organisation.record, today, mapped.filed_to)
            reductions.lines(invoice, sum_, recipe, "")
        except NoReduction as error:
            raise Refused(str(error), record=invoice.number, not_done=_NOT_DONE) from None
        case = Concession(
            id=w.ids.new(), customer_id=invoice.customer_id, on=today, by=w.who, invoice_id=invoice.id,
            reduction=kind, amount=sum_, reason=reason, agreement=agreement,
        )  # fmt: skip
        return record(tx, organisation, case)


def _must_be_said(given: str, option: str, what: str, text: str) -> None:
    if not given.strip():
        raise Refused(f"{what} needs {option}", record=text, not_done=_NOT_DONE, next_step=f"add {option} TEXT")


def _pending(facts: CustomerFacts, invoice: Invoice) -> Money:
    """What was conceded or is to be applied already, and is not in the ledger yet."""
    waiting: list[Concession | CreditUse] = [*facts.concessions, *facts.credit_uses]
    amounts = [case.amount for case in waiting if case.invoice_id == invoice.id and not _entered(facts, case)]
    return total(amounts, invoice.currency)


def _entered(facts: CustomerFacts, case: Conceded) -> bool:
    return facts.was_done(_key(case))


def _key(case: Conceded) -> ActionKey:
    target = case.customer_id if isinstance(case, TermsChange) else case.invoice_id
    return ActionKey(_KINDS[type(case)], target, case.id)


def _begun(tx: Tx, organisation: OrganisationRow, case: Conceded) -> bool:
    """A link of its chain is in the ledger, or may be: the rest must follow, not stop half way."""
    rows = outbox.of_action(tx, actions.action_id(organisation.id, _key(case)))
    return any(row.state in _BEGUN for row in rows)


def use_credit(
    w: Wiring, organisation: OrganisationRow, text: str, credit: str = "", amount: Money | None = None
) -> CreditUse:
    """Lay an open credit of the customer (named by number or id; "" = the only one) against an invoice.

    `amount` None = as much as both have left. Raises `Refused`, `NotFound`.
    """
    today = w.today(organisation)
    with w.db.writing(w.tenant) as tx:
        invoice = lookup.invoice(tx, organisation.id, text)
        facts = facts_of(w, tx, organisation, invoice.customer_id, today)
        found = _open_credit(facts, invoice, credit)
        left = found.remaining - _spoken_for(facts, found)
        owed = invoice.balance - _pending(facts, invoice)
        sum_ = amount or min(left, owed, key=lambda money: money.minor)
        if sum_.currency != left.currency or not 0 < sum_.minor <= min(left.minor, owed.minor):
            raise Refused(
                f"{sum_} cannot be applied: the credit has {left} left, {invoice.number} owes {owed}",
                record=invoice.number,
                not_done=_NOT_DONE,
            )
        if (why := rule.refusal(facts, invoice.id, sum_, today)) is not None:
            raise Refused(say(why), record=invoice.number, not_done=_NOT_DONE)
        case = CreditUse(
            id=w.ids.new(), customer_id=invoice.customer_id, on=today, by=w.who, invoice_id=invoice.id,
            credit_id=found.id, amount=sum_,
        )  # fmt: skip
        return record(tx, organisation, case)


def _open_credit(facts: CustomerFacts, invoice: Invoice, text: str) -> Credit:
    usable = [
        one
        for one in facts.book.credits
        if one.active and one.remaining.minor > 0 and one.remaining.currency == invoice.currency
    ]
    named = [one for one in usable if text.casefold() in (one.id.casefold(), one.number.casefold())] if text else usable
    if len(named) == 1:
        return named[0]
    listed = ", ".join(f"{one.number or one.id} ({one.remaining})" for one in usable)
    if not usable:
        raise NotFound(f"{facts.book.customer.name} has no open credit in {invoice.currency}", not_done=_NOT_DONE)
    raise Refused(f"which credit? open are {listed}", record=text, not_done=_NOT_DONE, next_step="add --credit NUMBER")


def _spoken_for(facts: CustomerFacts, found: Credit) -> Money:
    amounts = [u.amount for u in facts.credit_uses if u.credit_id == found.id and not _entered(facts, u)]
    return total(amounts, found.remaining.currency)


def change_terms(
    w: Wiring, organisation: OrganisationRow, text: str, terms: PaymentTerms, *, reason: str
) -> TermsChange:
    """New terms for a customer's future invoices; invoices that exist keep theirs. Raises `Refused`."""
    _must_be_said(reason, "--reason", "a change of terms", text)
    if not 0 <= terms.day <= 365:
        raise Refused(
            f"{counted(terms.day, 'day is', 'days are')} no terms of payment", record=text, not_done=_NOT_DONE
        )
    with w.db.writing(w.tenant) as tx:
        customer = lookup.customer(tx, organisation.id, text)
        if customer.terms == terms:
            raise Refused("the ledger has these terms already", record=customer.name, not_done=_NOT_DONE)
        case = TermsChange(
            id=w.ids.new(), customer_id=customer.id, on=w.today(organisation), by=w.who, terms=terms, reason=reason
        )
        return record(tx, organisation, case)


def reissue(w: Wiring, organisation: OrganisationRow, text: str, *, reason: str) -> Reissue:
    """Ask for an invoice to be credited whole and raised again under a new number.

    Raises `Refused` for everything that can be known beforehand: switched off by the policy, not open, part-paid or
    credited, in question, on a plan, held by others, in another currency, tax not by invoice, a locked or filed
    period, a purchase order on it, or no confirmed recipe that gives every tax code back as invoiced.
    """
    _must_be_said(reason, "--reason", "a reissue", text)
    today = w.today(organisation)
    policy = w.policy(organisation).policy
    with w.db.writing(w.tenant) as tx:
        invoice = lookup.invoice(tx, organisation.id, text)
        facts = facts_of(w, tx, organisation, invoice.customer_id, today)
        if any(case.invoice_id == invoice.id for case in facts.reissues):
            raise Refused("a reissue of it was recorded already", record=invoice.number, not_done=_NOT_DONE)
        if (why := reissue_rule.refusal(policy, facts, invoice.id, invoice.total, today)) is not None:
            raise Refused(say(why), record=invoice.number, not_done=_NOT_DONE)
        reissues.documents(w, organisation, invoice, today)
        due = next((one.due for one in facts.book.invoices if one.id == invoice.id), invoice.due)  # its first one
        case = Reissue(
            id=w.ids.new(), customer_id=invoice.customer_id, on=today, by=w.who, invoice_id=invoice.id,
            amount=invoice.total, reason=reason, due=due, tax_point=invoice.issued,
        )  # fmt: skip
        return record(tx, organisation, case)


def conceded(w: Wiring, organisation: OrganisationRow, text: str | None = None) -> list[tuple[Conceded, bool]]:
    """Everything conceded and not withdrawn, oldest first, with whether it is in the ledger."""
    today = w.today(organisation)
    with w.db.reading(w.tenant) as tx:
        wanted = lookup.customer(tx, organisation.id, text).id if text else ""
        found = [c for c in _all(tx, organisation) if c.withdrawn_on is None and wanted in ("", c.customer_id)]
        facts = {one: facts_of(w, tx, organisation, one, today) for one in {case.customer_id for case in found}}
        return [(case, _entered(facts[case.customer_id], case)) for case in found]


def withdraw(w: Wiring, organisation: OrganisationRow, case_id: str) -> Conceded:
    """Take back what was decided, as long as it is not in the ledger. Raises `NotFound`, `Refused`."""
    today = w.today(organisation)
    with w.db.writing(w.tenant) as tx:
        matching = [case for case in _all(tx, organisation) if case_id and case.id.startswith(case_id)]
        if len(matching) != 1:
            raise NotFound(f"no single concession {case_id!r}", next_step="`dunwell accommodate list` names them")
        case = matching[0]
        facts = facts_of(w, tx, organisation, case.customer_id, today)
        if _entered(facts, case) or _begun(tx, organisation, case):
            raise Refused(
                "it is in the ledger already, or on its way into it",
                record=case.id,
                not_done="nothing was withdrawn",
                next_step="undo it in the ledger; dunwell deletes no documents",
            )
        return record(tx, organisation, replace(case, withdrawn_on=today))


def _all(tx: Tx, organisation: OrganisationRow) -> list[Conceded]:
    found = cases.all(tx, organisation.id, "concession", "credit_use", "terms_change", "reissue")
    return [case for case in found if isinstance(case, Conceded)]
