"""What an earlier database of the same organisation has done: a rebuilt database finds its own markers again.

Only for what was in the books when this database was connected: nothing younger can carry a mark of an older one.
"""

from __future__ import annotations

from connector.domain.effects import Effect, EffectKind, Finding, Prepared, Receipt
from connector.errors import NotFound
from connector.ports import Ledger
from connector.service.wiring import Wiring
from connector.store import actions, mirror, outbox
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow
from connector.store.outbox import EffectRow


def already_there(w: Wiring, ledger: Ledger, organisation: OrganisationRow, row: EffectRow) -> Receipt | None:
    """The proof that the effect happened before this database knew of it; None = it did not, or nobody can tell.

    An effect that leaves no mark of its own (a letter, the ledger's e-mail) is recognised by the note that reports it.
    Effects that `Ledger.send` itself looks for are not looked for here. Raises what `Ledger.find` raises.
    """
    with w.db.reading(w.tenant) as tx:
        if not _may_be_older(tx, organisation, row):
            return None
        mark = _mark_of(tx, ledger, row)
    if mark is None:
        return None
    probe = ledger.find(mark, Prepared("", "", b""))
    if probe.finding is not Finding.PRESENT:
        return None
    return Receipt(mark.marker, "found in the ledger before writing", found=True, already=True)


def _may_be_older(tx: Tx, organisation: OrganisationRow, row: EffectRow) -> bool:
    for one in actions.get(tx, row.action_id).decision.items:
        try:
            if mirror.invoice(tx, organisation.id, one).issued <= organisation.start_date:
                return True
        except NotFound:
            continue
    return False


def _mark_of(tx: Tx, ledger: Ledger, row: EffectRow) -> Effect | None:
    """The effect whose marker proves this one: a note proves itself, an unfindable act is proved by its report."""
    if row.effect.kind is EffectKind.NOTE:
        return row.effect
    if ledger.capabilities.classes[row.effect.kind].letter != "U":
        return None
    for other in outbox.of_action(tx, row.action_id):
        if other.effect.kind is EffectKind.NOTE and row.effect.key in other.effect.after:
            return other.effect
    return None
