"""Extensions and payment plans: agreed by people, limited by policy, judged by the bank."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from connector.domain.cases import Extension, PaymentPlan, PlanState, Signature
from connector.domain.facts import CustomerFacts
from connector.domain.money import Money, total
from connector.errors import NotFound, Refused
from connector.policy import plans
from connector.policy.document import Policy
from connector.policy.rules.extension import may_extend
from connector.policy.rules.payment_plan import may_offer
from connector.service import lookup
from connector.service.knowledge import facts_of
from connector.service.people import record
from connector.service.wiring import Wiring
from connector.service.wording import say
from connector.store import cases, mirror
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow


def extend(
    w: Wiring, organisation: OrganisationRow, text: str, until: date | None = None, *, reason: str = ""
) -> Extension:
    """Grant the one extension an invoice may get; the due date is untouched and the new date is final.

    `until` defaults to the policy's length from today. Raises `Refused` naming the policy's limit.
    """
    policy = w.policy(organisation).policy
    today = w.today(organisation)
    with w.db.writing(w.tenant) as tx:
        invoice = lookup.invoice(tx, organisation.id, text)
        facts = facts_of(w, tx, organisation, invoice.customer_id, today)
        day = until or w.calendar(organisation).on_or_before(today + timedelta(days=policy.extension.days))
        if (refusal := may_extend(policy, facts, invoice.id, day)) is not None:
            raise Refused(say(refusal), record=invoice.number, not_done="no extension was granted")
        case = Extension(
            id=w.ids.new(),
            customer_id=invoice.customer_id,
            on=today,
            by=w.who,
            invoice_id=invoice.id,
            until=day,
            reason=reason,
        )
        return record(tx, organisation, case)


@dataclass(frozen=True)
class Offerable:
    """What a plan would cover, and the ways to split it that the policy permits."""

    customer_id: str
    customer: str
    covered: tuple[tuple[str, Money], ...]
    amount: Money
    options: tuple[plans.PlanOption, ...]


def plan_options(
    w: Wiring, organisation: OrganisationRow, text: str, *, invoices: list[str] | None = None, principal: bool = False
) -> Offerable:
    """Plans for the undisputed collectable sum. Raises `Refused` when the policy permits none.

    `principal`: the principal decides, up to the approval ceiling and over the share of the receivables.
    """
    policy = w.policy(organisation).policy
    today = w.today(organisation)
    with w.db.reading(w.tenant) as tx:
        customer = lookup.customer(tx, organisation.id, text)
        facts = facts_of(w, tx, organisation, customer.id, today)
        wanted = {lookup.invoice(tx, organisation.id, number).id for number in invoices or ()}
        covered = _plannable(facts, wanted)
        shares = _shares(tx, organisation, facts, covered, today)
    if not covered:
        raise Refused("nothing overdue, undisputed and ours is left to plan for", record=customer.name)
    if len({amount.currency for _, amount in covered}) > 1:
        raise Refused("the open items are in several currencies", record=customer.name, next_step="name --invoice")
    amount = total((amount for _, amount in covered), covered[0][1].currency)
    options = plans.options(policy.plan, amount, today, w.calendar(organisation), principal=principal)
    if not options:
        raise Refused(
            f"the policy permits no plan for {amount}",
            record=customer.name,
            next_step=f"the minimum is {policy.plan.minimum_debt}; see `dunwell policy show`",
        )
    _must_be_offerable(policy, facts, customer.name, shares, principal=principal)
    return Offerable(customer.id, customer.name, covered, amount, options)


@dataclass(frozen=True)
class _Shares:
    """In base currency, each invoice at its own rate: what this plan covers, all other plans, and all that is open."""

    amount: Money
    under_plans: Money
    receivables: Money


def _shares(
    tx: Tx, organisation: OrganisationRow, facts: CustomerFacts, covered: tuple[tuple[str, Money], ...], today: date
) -> _Shares:
    base = organisation.record.base_currency
    mine = {invoice.id: invoice for invoice in facts.book.invoices}
    opened = [
        _in_base(Money(minor, currency), Decimal(rate), base)
        for currency, minor, rate in mirror.open_balances(tx, organisation.id)
    ]
    return _Shares(
        amount=total((_in_base(amount, mine[one].rate, base) for one, amount in covered), base),
        under_plans=total(_under_plans(tx, organisation, facts.customer_id, today), base),
        receivables=total(opened, base),
    )


def _under_plans(tx: Tx, organisation: OrganisationRow, customer_id: str, today: date) -> Iterator[Money]:
    """What is still open under signed plans, and under other customers' offers that can still be signed."""
    for case in cases.all(tx, organisation.id, "plan"):
        if not isinstance(case, PaymentPlan):
            continue
        offered = case.state is PlanState.OFFERED and case.customer_id != customer_id and bool(case.instalments)
        if case.state is PlanState.SIGNED or (offered and case.instalments[0].due > today):
            for invoice_id, amount in case.covered:
                invoice = mirror.invoice(tx, organisation.id, invoice_id)
                left = min(amount, invoice.balance, key=lambda money: money.minor)
                if invoice.is_open:
                    yield _in_base(left, invoice.rate, organisation.record.base_currency)


def _in_base(amount: Money, rate: Decimal, base: str) -> Money:
    """At the invoice's own rate, for thresholds; a rate that cannot be true counts as 1."""
    return amount if amount.currency == base else amount.in_base(base, rate if rate > 0 else Decimal(1))


def _must_be_offerable(policy: Policy, facts: CustomerFacts, name: str, shares: _Shares, *, principal: bool) -> None:
    refusal = may_offer(
        policy, facts, shares.amount, principal=principal, receivables=shares.receivables,
        under_plans=shares.under_plans,
    )  # fmt: skip
    if refusal is not None:
        overridable = bool(refusal.facts.get("principal"))
        raise Refused(
            say(refusal),
            record=name,
            not_done="nothing was offered",
            next_step="the principal may decide otherwise: --as-principal" if overridable else "",
        )


def _plannable(facts: CustomerFacts, wanted: set[str]) -> tuple[tuple[str, Money], ...]:
    return tuple(
        (item.invoice.id, item.collectable)
        for item in facts.items
        if item.is_overdue and item.plan is None and (not wanted or item.invoice.id in wanted)
    )


def plan_offer(
    w: Wiring,
    organisation: OrganisationRow,
    text: str,
    number: int,
    *,
    invoices: list[str] | None = None,
    principal: bool = False,
) -> PaymentPlan:
    """Offer option `number` (from 1); an earlier offer falls away. Not active before it is signed. Raises `Refused`."""
    offerable = plan_options(w, organisation, text, invoices=invoices, principal=principal)
    if not 1 <= number <= len(offerable.options):
        raise Refused(f"there is no option {number}", record=text, next_step="see `dunwell payment-plan options`")
    today = w.today(organisation)
    with w.db.writing(w.tenant) as tx:
        facts = facts_of(w, tx, organisation, offerable.customer_id, today)
        policy = w.policy(organisation).policy
        shares = _shares(tx, organisation, facts, offerable.covered, today)
        _must_be_offerable(policy, facts, offerable.customer, shares, principal=principal)
        for earlier in _offers(tx, organisation, offerable.customer_id):
            record(tx, organisation, replace(earlier, state=PlanState.CANCELLED, closed_on=today, closed_by=w.who))
        case = PaymentPlan(
            id=w.ids.new(),
            customer_id=offerable.customer_id,
            on=today,
            by=w.who,
            covered=offerable.covered,
            instalments=offerable.options[number - 1].instalments,
        )
        return record(tx, organisation, case)


def plan_sign(
    w: Wiring, organisation: OrganisationRow, text: str, *, name: str, capacity: str, on: date, evidence: str
) -> PaymentPlan:
    """Record the signature that makes an offered plan active. Raises `Refused` when a detail is missing."""
    missing = [word for word, value in (("name", name), ("capacity", capacity), ("evidence", evidence)) if not value]
    if missing:
        raise Refused(f"a signature needs {', '.join(missing)}", record=text, not_done="the plan is not active")
    plan = plan_named(w, organisation, text, PlanState.OFFERED)
    today = w.today(organisation)
    if on > today or on < plan.on:
        raise Refused(f"{on} is not between the offer ({plan.on}) and today ({today})", record=plan.id)
    if plan.instalments[0].due <= on:
        raise Refused("the first instalment is due already", record=plan.id, next_step="offer the plan again")
    signed = replace(plan, state=PlanState.SIGNED, signature=Signature(name, capacity, on, evidence))
    with w.db.writing(w.tenant) as tx:
        _still_fits(facts_of(w, tx, organisation, plan.customer_id, today), plan)
        return record(tx, organisation, signed)


def _offers(tx: Tx, organisation: OrganisationRow, customer_id: str) -> list[PaymentPlan]:
    found = cases.of(tx, organisation.id, customer_id).records
    return [case for case in found if isinstance(case, PaymentPlan) and case.state is PlanState.OFFERED]


def _still_fits(facts: CustomerFacts, plan: PaymentPlan) -> None:
    """Raises `Refused` when another plan is active, or when what the offer covers has changed since it was made."""
    if any(progress.plan.state is PlanState.SIGNED for progress in facts.plans):
        raise Refused("a plan is active already", record=plan.id[:8], not_done="nothing was signed")
    now = {item.invoice.id: item.collectable for item in facts.items}
    changed = [one for one, amount in plan.covered if now.get(one) != amount]
    if changed:
        names = {invoice.id: invoice.number for invoice in facts.book.invoices}
        raise Refused(
            f"what is owed has changed since the offer: {', '.join(names.get(one) or one for one in changed)}",
            record=plan.id[:8],
            not_done="nothing was signed",
            next_step="offer the plan again",
        )


def plan_cancel(w: Wiring, organisation: OrganisationRow, text: str, *, void: bool = False) -> PaymentPlan:
    """End a plan by a person's decision: chasing resumes where it stood; `void` after a breach: it resumes at firm."""
    plan = plan_named(w, organisation, text, PlanState.OFFERED, PlanState.SIGNED)
    with w.db.writing(w.tenant) as tx:
        return record(
            tx,
            organisation,
            replace(
                plan,
                state=PlanState.VOID if void else PlanState.CANCELLED,
                closed_on=w.today(organisation),
                closed_by=w.who,
            ),
        )


def plan_named(w: Wiring, organisation: OrganisationRow, text: str, *states: PlanState) -> PaymentPlan:
    """The newest plan with this id (or its beginning) or of this customer, in one of the states. Raises `NotFound`."""
    with w.db.reading(w.tenant) as tx:
        found = [c for c in cases.all(tx, organisation.id, "plan") if isinstance(c, PaymentPlan)]
        chosen = [plan for plan in found if plan.id.startswith(text)]
        if not chosen:
            customer = lookup.customer(tx, organisation.id, text)
            chosen = [plan for plan in found if plan.customer_id == customer.id]
    wanted = [plan for plan in chosen if not states or plan.state in states]
    if not wanted:
        which = " or ".join(state.value for state in states)
        raise NotFound(
            f"no {which} payment plan for {text!r}" if which else f"no payment plan for {text!r}",
            next_step=f"`dunwell payment-plan {'show' if chosen else 'options'} {text!r}` tells "
            + ("how it stands" if chosen else "which are permitted"),
        )
    return wanted[-1]
