"""The judge's last look, when everything has healed and three days have passed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from connector.domain.cases import PaymentPlan
from connector.domain.effects import EffectKind, EffectState
from connector.domain.ledger import Customer, Invoice
from connector.domain.money import Money
from connector.store import cases, connections, mirror, organisations, outbox, timeline
from connector.store.db import Database, Tx
from connector.store.outbox import EffectRow
from tests.simulation.baton import Baton, Stop
from tests.simulation.office import NAME, Ground
from tests.simulation.oracle import Oracle

MOST_ATTEMPTS = 20
_STATES = frozenset({EffectKind.TAG, EffectKind.EXPECTED_DATE, EffectKind.TERMS})  # a person may bring them about, too
# What the adapter refuses after a look, without asking the ledger: people were there first.
_OUR_REFUSALS = ("somebody set", "somebody changed", "knows no", "less than", "nothing left")
_LEADS = {
    "planned": {"", "sending", "unknown", "human", "rejected", "cancelled"},
    "sending": {"planned"},
    "done": {"sending", "unknown", "human"},
    "rejected": {"sending"},
    "unknown": {"sending"},
    "human": {"unknown"},
    "cancelled": {"planned", "human"},
}


def look_back(baton: Baton, oracle: Oracle, db: Database, site: Ground) -> None:
    """Check what must hold in the end; the first breach is kept by the baton."""
    try:
        oracle.count()
        with db.reading(oracle.tenant) as tx:
            rows = outbox.listing(tx, None)
            told = _told(tx)
            for row in rows:
                _settled(baton, oracle, row, told)
            _audited(baton, tx, rows, told)
            _mirrors(baton, oracle, tx)
            _tokens(baton, tx)
            _money(baton, tx)
        _secrets(baton, oracle, site)
    except Stop:
        pass


def _told(tx: Tx) -> dict[str, list[str]]:
    """The states of each effect, in the order in which the timeline tells them."""
    told: dict[str, list[str]] = defaultdict(list)
    for entry in timeline.entries(tx):
        word = entry.kind.removeprefix("effect.")
        if entry.kind.startswith("effect.") and word in _LEADS:
            told[entry.subject].append(word)
    return told


def _settled(baton: Baton, oracle: Oracle, row: EffectRow, states: Mapping[str, list[str]]) -> None:
    """I2, I4, I15: everything came to an end, and its end is true."""
    times = oracle.happened[row.effect.key[:40]]
    told = f"{row.effect.kind.value} {row.effect.key[:8]}: {row.state.value} ({row.reason}), happened {times} times"
    match row.state:
        case EffectState.PLANNED | EffectState.SENDING | EffectState.UNKNOWN | EffectState.HUMAN:
            baton.breach("I15", f"no end after three days: {told}")
        case EffectState.DONE:
            receipt = row.receipt
            as_found = receipt is not None and (receipt.already or (receipt.found and row.effect.kind in _STATES))
            if times == 0 and not as_found:
                baton.breach("I4", told)
        case EffectState.REJECTED:
            if times and not oracle.undone(row):
                baton.breach("I4", told)
            if row.effect.key[:40] not in oracle.refused and not _refused_by_us(row) and "mailbox" not in row.reason:
                baton.breach("I2", f"nobody refused it: {told}")
        case EffectState.CANCELLED:
            if times and not oracle.undone(row):
                baton.breach("I4", told)
            _cancelled(baton, oracle, row, told, states)
    if row.attempt > MOST_ATTEMPTS:
        baton.breach("I15", f"{row.attempt} attempts: {told}")


def _refused_by_us(row: EffectRow) -> bool:
    return any(words in row.reason for words in _OUR_REFUSALS)


def _cancelled(baton: Baton, oracle: Oracle, row: EffectRow, told: str, states: Mapping[str, list[str]]) -> None:
    """I2: nothing is dropped unless something changed: in the ledger, by a person's word, or by its first act's end."""
    if row.effect.after:
        # It may have been approved anew since, with other items and without this report.
        if any({"cancelled", "rejected"} & set(states.get(first, ())) for first in row.effect.after):
            return
        baton.breach("I2", f"what it waited for was not dropped: {told}")
    if not oracle.touches and "too soon by now" not in row.reason and "lapsed" not in row.reason:
        baton.breach("I2", f"nobody changed anything: {told}")


def _audited(baton: Baton, tx: Tx, rows: tuple[EffectRow, ...], told: Mapping[str, list[str]]) -> None:
    """I12: the chain is whole, and tells each change of state once, in an order that the states allow."""
    if problems := timeline.verify(tx):
        baton.breach("I12", f"the timeline is broken: {problems[0]}")
    for row in rows:
        states = told.get(row.effect.key, [])
        for before, after in zip(["", *states], states, strict=False):
            if before not in _LEADS[after] and (before, after) != ("planned", "planned"):
                baton.breach("I12", f"{row.effect.key[:8]} went from {before or 'nothing'} to {after}: {states}")
        if not states or states[-1] != row.state.value or Counter(states)["sending"] != row.attempt:
            baton.breach("I12", f"{row.effect.key[:8]} is {row.state.value} after {row.attempt} starts, told {states}")


def _mirrors(baton: Baton, oracle: Oracle, tx: Tx) -> None:
    """I10: the mirror says what the ledger says, read by rounds of changes alone."""
    (row,) = organisations.all(tx)
    ours = {invoice.id: invoice for invoice in mirror.all_invoices(tx, row.id)}
    for theirs in oracle.books.invoices:
        if theirs.type != "ACCREC":
            continue
        mine = ours.pop(theirs.id, None)
        truth = (
            theirs.number,
            theirs.contact_id,
            theirs.status,
            str(theirs.due),
            theirs.due_date,
            theirs.expected,
            theirs.sent,
        )
        known = None if mine is None else _known(mine, _owner(tx, row.id, mine.customer_id))
        if theirs.status == "PAID":  # its dates can be changed without a stamp, and nobody acts by them any more
            truth, known = truth[:4], known[:4] if known else None
        if known != truth:
            baton.breach("I10", f"{theirs.number}: the ledger has {truth}, the mirror {known}")
    if ours:
        baton.breach("I10", f"the mirror has {sorted(ours)}, the ledger has not")
    for contact in oracle.books.contacts:
        try:
            customer: Customer = mirror.customer(tx, row.id, contact.id)
        except Exception:  # noqa: BLE001 - suppliers are not mirrored
            continue
        groups = tuple(sorted({g.name for g in oracle.books.groups_of(contact.id) if g.status == "ACTIVE"}))
        truth_of = (contact.email, contact.status == "ACTIVE", groups)
        if (customer.email, customer.active, customer.groups) != truth_of:
            baton.breach("I10", f"{contact.name}: the ledger has {truth_of}, the mirror {customer}")


_STATUS = {"approved": "AUTHORISED", "paid": "PAID", "voided": "VOIDED", "draft": "DRAFT", "deleted": "DELETED"}


def _owner(tx: Tx, org_id: str, customer_id: str) -> str:
    """Xero moves the documents of a merged contact without a stamp: the mirror has them under the one that is gone,
    which names the other, and the policy leaves them alone (`customer.merged`) until they are read again."""
    customer = mirror.customer(tx, org_id, customer_id)
    return _owner(tx, org_id, customer.merged_into) if customer.merged_into else customer_id


def _known(mine: Invoice, owner: str) -> tuple[object, ...]:
    status = _STATUS.get(mine.status.value, mine.status.value)
    balance = f"{mine.balance.amount:.2f}"
    return (mine.number, owner, status, balance, mine.due, mine.expected, mine.sent)


def _tokens(baton: Baton, tx: Tx) -> None:
    """I11: the connection can still be used."""
    states = [one.state for one in connections.all(tx)]
    if states != ["active"]:
        baton.breach("I11", f"the connection of {NAME} is {states}")


def _money(baton: Baton, tx: Tx) -> None:
    """I9: a plan's instalments are the sum that it covers."""
    (row,) = organisations.all(tx)
    for plan in cases.all(tx, row.id, "plan"):
        assert isinstance(plan, PaymentPlan)
        covered = sum((amount.minor for _, amount in plan.covered), 0)
        if covered != sum(_minor(one.amount) for one in plan.instalments):
            baton.breach("I9", f"the instalments of {plan.id} are not {covered}")


def _minor(amount: Money) -> int:
    return amount.minor


def _secrets(baton: Baton, oracle: Oracle, site: Ground) -> None:
    """I14: no token and no secret of the app lies open in the database or in a letter."""
    secrets = [oracle.twin.client_secret.encode(), *(token.encode() for token in oracle.refreshed)]
    files = [*site.folder.glob("run.db*"), *(site.folder / "letters").glob("*")]
    for path in files:
        content = path.read_bytes()
        if any(secret in content for secret in secrets):
            baton.breach("I14", f"a secret lies open in {path.name}")
