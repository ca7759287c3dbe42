"""What a decision rests on, and whether it still holds when it is about to be carried out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connector.domain.decisions import Decision, Reason
from connector.domain.facts import CustomerFacts, ItemFacts, PauseState
from connector.policy.rules import hand_over, reduction, reissue

_STANDING = (PauseState.ACTIVE, PauseState.UNDECIDED)
_STANDS = {rule.NAME: rule.stands for rule in (reduction, hand_over, reissue)}  # a person may withdraw what they enter


def inputs_of(facts: CustomerFacts, decision: Decision) -> Mapping[str, str]:
    """The facts under this decision, as text: its items, and who is written to.

    Never a version stamp, a tag or an expected date: our own first effect must not refuse our second.
    """
    if not decision.customer_id:
        return {}
    items = {item.invoice.id: item for item in facts.items}
    settled = {invoice.id: invoice.status.value for invoice in facts.book.invoices}
    found: dict[str, str] = {
        "party": facts.party.value,
        "legal_hold": facts.legal_hold.why.value if facts.legal_hold else "",
        "held_by": facts.holder.value,
        "excluded": facts.excluded,
    }
    if (stands := _STANDS.get(decision.rule)) is not None:
        found["decision"] = "standing" if stands(facts, decision) else "withdrawn"
    if decision.contact or decision.asks_for_money:
        found["recipient"] = facts.recipient.casefold()
    for invoice_id in decision.items:
        item = items.get(invoice_id)
        if item is None:
            found[f"{invoice_id}.status"] = settled.get(invoice_id, "gone")
        else:
            found.update((f"{invoice_id}.{name}", value) for name, value in _item(item))
    return found


def _item(item: ItemFacts) -> Iterator[tuple[str, str]]:
    yield "status", item.invoice.status.value
    yield "collectable", f"{item.collectable.minor} {item.collectable.currency}"
    yield "due", item.due.isoformat() if item.due else ""
    yield "disputes", ",".join(sorted(one.id if one.is_open else f"{one.id}:closed" for one in item.disputes))
    yield "plan", f"{item.plan.id}:{item.plan.version}" if item.plan else ""
    yield "held_by", item.holder.value
    yield "excluded", item.excluded
    extended = item.extension is not None and item.extension_state in _STANDING
    promised = item.promise is not None and item.promise_state in _STANDING
    yield "extension", item.extension.id if item.extension and extended else ""
    yield "promise", item.promise.id if item.promise and promised else ""


def drift(decision: Decision, facts: CustomerFacts) -> tuple[Reason, ...]:
    """Every input of the decision that is no longer as it was when it was decided."""
    now = inputs_of(facts, decision)
    return tuple(
        Reason("drift.changed", {"what": name, "was": was, "now": now.get(name, "")})
        for name, was in sorted(decision.inputs.items())
        if now.get(name, "") != was
    )
