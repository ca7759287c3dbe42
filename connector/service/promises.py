"""Promises to pay: recorded once for each date; a later one takes the place of an earlier one and counts beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from connector.domain.cases import Promise
from connector.domain.facts import CustomerFacts
from connector.domain.money import Money, total
from connector.errors import Refused
from connector.policy.document import Policy
from connector.policy.rules.promise import may_promise
from connector.service import lookup
from connector.service.knowledge import facts_of, policy_for_records
from connector.service.people import record
from connector.service.wiring import Wiring
from connector.service.wording import say
from connector.store import mirror
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow

_NOTHING = "no promise was recorded"


def promise(
    w: Wiring, organisation: OrganisationRow, text: str, until: date, *, amount: Money | None = None
) -> Promise:
    """A dated promise to pay one invoice, or all that the customer owes overdue.

    What is promised by that date already is not recorded again: another amount changes the record, everything else is
    `Refused`. Raises `Refused` also where the policy's limits are passed, naming them, and where more is promised than
    these invoices owe.
    """
    policy = policy_for_records(w, organisation)
    today = w.today(organisation)
    with w.db.writing(w.tenant) as tx:
        customer_id, invoice_ids = _covered(tx, organisation, text)
        facts = facts_of(w, tx, organisation, customer_id, today)
        ids = invoice_ids or tuple(item.invoice.id for item in facts.items if item.is_overdue)
        _must_be_owed(facts, ids, amount, text)
        if (same := _recorded(facts, ids, until)) is not None:
            changed = _changed(same, ids, amount, text)
            _must_be_allowed(policy, facts, ids, until, text, again=True)
            return record(tx, organisation, changed)
        if amount is None:
            ids = tuple(one for one in ids if _recorded(facts, (one,), until) is None)
        _must_be_allowed(policy, facts, ids, until, text)
        case = Promise(
            id=w.ids.new(), customer_id=customer_id, on=today, by=w.who, invoice_ids=ids, until=until, amount=amount
        )
        return record(tx, organisation, case)


def _covered(tx: Tx, organisation: OrganisationRow, text: str) -> tuple[str, tuple[str, ...]]:
    found = [r for r in mirror.find(tx, organisation.id, text) if hasattr(r, "customer_id")]
    if found:
        invoice = lookup.invoice(tx, organisation.id, text)
        return invoice.customer_id, (invoice.id,)
    return lookup.customer(tx, organisation.id, text).id, ()


def _must_be_owed(facts: CustomerFacts, ids: tuple[str, ...], amount: Money | None, text: str) -> None:
    if not ids:
        raise Refused("nothing is overdue", record=text, not_done=_NOTHING)
    owed = {item.invoice.currency for item in facts.items if item.invoice.id in ids}
    if amount is not None and amount.currency not in owed:
        raise Refused(
            f"nothing is owed in {amount.currency}",
            record=text,
            not_done=_NOTHING,
            next_step=f"give it in {' or '.join(sorted(owed))}, with --currency",
        )
    if amount is None:
        return
    balances = (item.invoice.balance for item in facts.items if item.invoice.id in ids)
    most = total((one for one in balances if one.currency == amount.currency), amount.currency)
    if amount > most:
        raise Refused(
            f"{amount} is more than the {most} that this promise is of",
            record=text,
            not_done=_NOTHING,
            next_step="give the amount promised, or leave it out: all of it is promised then",
        )


def _must_be_allowed(
    policy: Policy, facts: CustomerFacts, ids: tuple[str, ...], until: date, text: str, *, again: bool = False
) -> None:
    """`again`: a promise that was accepted before takes nothing more of the policy's limits."""
    for invoice_id in ids:
        if (refusal := may_promise(policy, facts, invoice_id, until, principal=again)) is not None:
            raise Refused(say(refusal), record=text, not_done=_NOTHING)


def _recorded(facts: CustomerFacts, ids: tuple[str, ...], until: date) -> Promise | None:
    """The last promise of the first of these invoices, where all of them are promised by that date already."""
    last = {item.invoice.id: item.promise for item in facts.items}
    found = [p for one in ids if (p := last.get(one)) is not None and p.until == until]
    return found[0] if len(found) == len(ids) else None


def _changed(same: Promise, ids: tuple[str, ...], amount: Money | None, text: str) -> Promise:
    """The same promise of another amount. Raises `Refused` where nothing is new, or where it is of other invoices."""
    if set(same.invoice_ids) == set(ids) and amount != same.amount:
        return replace(same, amount=amount)
    raise Refused(
        f"a promise to pay by {same.until} was recorded on {same.on} already",
        record=text,
        not_done=_NOTHING,
        next_step="a later word of the customer's has another date or amount",
    )
