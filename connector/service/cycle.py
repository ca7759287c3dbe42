"""The whole story: pull, decide, propose, approve what autopilot may, deliver, confirm.

pull      ledger -> mirror            service.sync       the cursor moves once, with the round's last page
decide    facts -> decisions          domain.derive, policy.engine    pure: same input, same output
propose   decisions -> actions        service.review     unique per (kind, target, occasion); unrenewed ones go
approve   actions -> effects          service.approve    bound to what was shown; a person, or autopilot's limits
deliver   effects -> ledger, letters  service.deliver    intent first; precondition, guardrails, window again
confirm   ledger -> receipts          service.deliver    what is unknown is looked up after a quiet wait
"""

from __future__ import annotations

from dataclasses import dataclass

from connector.domain.effects import EffectState
from connector.service.approve import approve_exactly
from connector.service.deliver import Delivered, Watch, deliver
from connector.service.review import Proposal, propose
from connector.service.sync import Progress, Pulled, pull
from connector.service.wiring import Wiring
from connector.store import organisations, outbox
from connector.store.actions import ActionRow
from connector.store.organisations import OrganisationRow


@dataclass(frozen=True)
class Cycle:
    """What one turn did for one organisation."""

    pulled: Pulled
    proposal: Proposal
    approved: tuple[ActionRow, ...]
    delivered: Delivered


def run_once(
    w: Wiring, organisation: OrganisationRow, progress: Progress | None = None, watch: Watch | None = None
) -> Cycle:
    """One turn for one organisation. Safe to repeat at any time: what was done is not done again."""
    pulled = pull(w, organisation, progress=progress)
    with w.db.reading(w.tenant) as tx:
        current = organisations.get(tx, organisation.id)
    proposal = propose(w, current)
    approved = approve_exactly(w, autopilot(w, current, proposal))
    delivered = deliver(w, current, watch=watch)
    return Cycle(pulled, proposal, tuple(approved), delivered)


def autopilot(w: Wiring, organisation: OrganisationRow, proposal: Proposal) -> list[tuple[str, str]]:
    """The proposals that may go without a person: only in autopilot mode, only the kinds and sums the policy names.

    What the ledger or the mail server has refused before is for a person to mend, not to be tried for ever.
    """
    if organisation.mode != "autopilot":
        return []
    limits = w.policy(organisation).policy.autopilot
    covered = [one for one in proposal.actions if limits.covers(one.decision, organisation.record.base_currency)]
    with w.db.reading(w.tenant) as tx:
        states = outbox.states(tx, (effect.key for action in covered for effect in action.effects))
    return [
        (action.id, action.content_hash)
        for action in covered
        if all(states.get(effect.key) is not EffectState.REJECTED for effect in action.effects)
    ]
