"""Handing a debt over: the case pack, made from the mirror, the records and the timeline; refused where forbidden."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from connector.channels.case_pack import Case, SentLetter, pack
from connector.domain.cases import Holder
from connector.domain.counting import counted
from connector.domain.effects import EffectState, Letter
from connector.domain.facts import CustomerFacts
from connector.errors import Refused
from connector.policy.rules import hand_over as rule
from connector.service import lookup
from connector.service.consequences import happened_on
from connector.service.knowledge import facts_of
from connector.service.pen import number
from connector.service.wiring import Wiring, local, local_minute
from connector.service.wording import say
from connector.store import actions, outbox, timeline
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow
from connector.store.outbox import EffectRow
from connector.store.timeline import Entry, Problem

_NOT_DONE = "no case pack was made"


@dataclass(frozen=True)
class CasePack:
    """The ZIP file, and what is in it."""

    content: bytes
    customer: str
    invoices: tuple[str, ...]  # their numbers
    letters: int
    entries: int
    problems: tuple[Problem, ...]  # where the timeline's chain is broken; a person must know before it leaves
    sha256: str


def case_pack(w: Wiring, organisation: OrganisationRow, text: str) -> CasePack:
    """The pack about a customer's debt; that it was made is recorded.

    It covers the invoices that are recorded as held by somebody else; all open ones where the whole customer is, or
    where nothing is recorded yet. Raises `Refused` while a legal hold or an open query on them forbids a hand-over,
    and when nothing is open; `NotFound`.
    """
    with w.db.reading(w.tenant) as tx:
        customer = lookup.customer(tx, organisation.id, text)
        facts = facts_of(w, tx, organisation, customer.id, w.today(organisation))
        covered = covered_by(facts)
        if not covered:
            raise Refused("nothing is open", record=customer.name, not_done=_NOT_DONE)
        if (why := rule.refusal(facts, covered)) is not None:
            raise Refused(say(why), record=customer.name, not_done=_NOT_DONE)
        rows = outbox.of_customer(tx, organisation.id, customer.id)
        letters = tuple(_letters(tx, organisation, rows, covered))
        problems = tuple(timeline.verify(tx))
        entries = _entries(tx, organisation, facts, rows)
        case = _case(w, tx, organisation, facts, covered, letters, entries, problems)
    content = pack(case)
    digest = hashlib.sha256(content).hexdigest()
    numbers = tuple(number(item.invoice) for item in case.items)
    with w.db.writing(w.tenant) as tx:
        said = {"customer_id": customer.id, "invoices": sorted(covered), "sha256": digest}
        timeline.append(tx, organisation.id, "handover.pack", customer.id, w.who, said)
    return CasePack(content, customer.name, numbers, len(letters), len(entries), problems, digest)


def covered_by(facts: CustomerFacts) -> frozenset[str]:
    """The ids of the invoices that a hand-over of this customer's debt is about."""
    still_open = [item for item in facts.items if item.invoice.is_open]
    elsewhere = [item for item in still_open if item.holder is not Holder.US]
    chosen = elsewhere if facts.holder is Holder.US and elsewhere else still_open
    return frozenset(item.invoice.id for item in chosen)


def _case(
    w: Wiring,
    tx: Tx,
    organisation: OrganisationRow,
    facts: CustomerFacts,
    covered: frozenset[str],
    letters: tuple[SentLetter, ...],
    entries: tuple[Entry, ...],
    problems: tuple[Problem, ...],
) -> Case:
    head = timeline.latest(tx)
    record, pulled = organisation.record, organisation.last_pull_at
    chain = _in_words(len(entries), head, problems)
    document = {
        "chain": {
            "whole": not problems,
            "problems": [str(one) for one in problems],
            "entries": head.number if head else 0,
            "head": head.hash if head else "",
        },
        "entries": [_readable(entry) for entry in entries],
    }
    return Case(
        organisation=record.legal_name or record.name,
        facts=facts,
        covered=covered,
        letters=letters,
        timeline=(json.dumps(document, ensure_ascii=True, indent=1) + "\n").encode(),
        chain=chain,
        read_at=local_minute(pulled, organisation) if pulled else "never",
        made_at=local(w.clock.now(), organisation),
        made_by=w.who,
    )


def _in_words(entries: int, head: Entry | None, problems: tuple[Problem, ...]) -> str:
    about = f"timeline.json holds {counted(entries, 'entry', 'entries')} about this customer"
    if problems:
        return f"{about}. THE CHAIN IS BROKEN: " + "; ".join(str(one) for one in problems)
    last = f" of {counted(head.number, 'entry', 'entries')}, its last hash {head.hash}" if head else ""
    return f"{about}. The hash chain{last}, was whole when this was made: nothing was edited, removed or moved."


def _letters(
    tx: Tx, organisation: OrganisationRow, rows: tuple[EffectRow, ...], covered: frozenset[str]
) -> list[SentLetter]:
    """Letters that left, about any of these invoices or about none in particular, oldest first."""
    found = []
    for row in rows:
        payload = row.effect.payload
        if row.state is not EffectState.DONE or not isinstance(payload, Letter):
            continue
        action = actions.get(tx, row.action_id)
        if action.decision.items and covered.isdisjoint(action.decision.items):
            continue
        what = action.key.kind.value.replace("_", "-")
        on = happened_on(row, organisation)
        found.append(SentLetter(on, what, row.effect.key, payload.recipient, payload.subject, payload.text))
    return sorted(found, key=lambda letter: (letter.on, letter.key))


def _entries(
    tx: Tx, organisation: OrganisationRow, facts: CustomerFacts, rows: tuple[EffectRow, ...]
) -> tuple[Entry, ...]:
    """What happened to this customer: its records, its actions and their effects, its invoices."""
    subjects = {facts.customer_id, *(invoice.id for invoice in facts.book.invoices)}
    subjects |= {row.action_id for row in rows} | {row.effect.key for row in rows}
    return timeline.about(tx, organisation.id, frozenset(subjects))


def _readable(entry: Entry) -> dict[str, object]:
    return asdict(entry) | {"at": entry.at.isoformat(), "body": json.loads(entry.body)}
