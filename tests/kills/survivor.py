"""The process that comes after: it applies again until all is settled, and tells what it found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from connector.domain.effects import EffectState
from connector.errors import Busy, NotFound
from connector.ports import HttpRequest
from connector.service import outcomes
from connector.service.approve import approve
from connector.service.deliver import QUIET_HORIZON, deliver
from connector.service.lookup import selected
from connector.service.review import propose
from connector.service.sync import LEASE_SECONDS, pull
from connector.service.wiring import Wiring
from connector.store import actions, leases, outbox, timeline
from connector.store.organisations import OrganisationRow
from tests.kills.offices import Case


@dataclass
class World:
    """What stands in the ledger, in the folder of letters and in the database."""

    writes: list[str]  # kinds of what was written to the sandbox, sorted
    strangers: list[str]  # what was written under the vendor key of no effect
    letters: int
    leftovers: list[str]  # what else lies in the folder of letters
    happened: int  # how often the victim's own write, or letter, is there
    victim: str  # its state
    effects: list[str]  # states of the action's effects, sorted
    action: str


@dataclass
class Found:
    """What a survivor found, step by step."""

    left: World  # right after the kill
    busy: bool  # the dead process's lease still held
    settled: World  # after one round at once, and one after the quiet wait
    judged: World  # after a person judged what nobody can look up
    again: int  # what one more round did: effects and calls
    proposed_again: bool
    broken: list[str] = field(default_factory=list)  # of the timeline, the database and the leases


def survive(case: Case, *, thorough: bool) -> Found:
    """Carry on in a fresh process. `thorough`: read the ledger and plan once more, too."""
    victim = case.victim
    with case.opened("Ben") as w:
        row = selected(w, None)[0]
        look = _Eye(w, row, case)
        left = look.world()
        if left.action != "done":
            approve(w, [victim.action])  # the person, who does not know either, says it once more
        busy = _busy(w, row)
        w.clock.sleep(LEASE_SECONDS + 1)
        deliver(w, row)
        w.clock.sleep(QUIET_HORIZON.total_seconds() + 1)
        deliver(w, row)
        settled = look.world()
        if settled.victim == EffectState.HUMAN:
            outcomes.settle(w, victim.key, happened=bool(settled.happened))
            deliver(w, row)
        judged = look.world()
        last = deliver(w, row)
        again = _proposed(w, row) if thorough else []
        return Found(
            left, busy, settled, judged, len(last.effects) + last.calls, victim.action in again, look.broken()
        )  # fmt: skip


def _proposed(w: Wiring, row: OrganisationRow) -> list[str]:
    pull(w, row)
    return [action.id for action in propose(w, selected(w, None)[0]).actions]


def _busy(w: Wiring, row: OrganisationRow) -> bool:
    try:
        deliver(w, row)
    except Busy:
        return True
    return False


class _Eye:
    """Looks at the world from outside; only the states are dunwell's own word."""

    def __init__(self, w: Wiring, row: OrganisationRow, case: Case) -> None:
        self._w, self._row, self._case, self._victim = w, row, case, case.victim

    def world(self) -> World:
        writes = self._writes()
        with self._w.db.reading(self._w.tenant) as tx:
            rows = outbox.of_action(tx, self._victim.action)
            action = actions.get(tx, self._victim.action).state
            try:
                state = outbox.get(tx, self._victim.key).state.value
            except NotFound:
                state = ""
        lying = sorted(path.name for path in (self._case.folder / ".dunwell" / "letters").glob("*"))
        letters = sum(name.endswith(".eml") for name in lying)
        return World(
            writes=sorted(str(one["kind"]) for one in writes),
            strangers=[str(one["kind"]) for one in writes if not any(_of(one, row.effect.key) for row in rows)],
            letters=letters,
            leftovers=[name for name in lying if not name.endswith(".eml")],
            happened=self._happened(writes) if self._case.kind.wrote else letters,
            victim=state,
            effects=sorted(row.state.value for row in rows),
            action=action,
        )

    def _writes(self) -> list[Mapping[str, Any]]:
        answer = self._w.http.send(HttpRequest("GET", f"{self._case.base_url}/__sandbox/writes"))
        return [one for one in json.loads(answer.body)["writes"] if one["actor"] == "api"]

    def _happened(self, writes: list[Mapping[str, Any]]) -> int:
        return sum(one["kind"] == self._case.kind.wrote and _of(one, self._victim.key) for one in writes)

    def broken(self) -> list[str]:
        """What is not as it must be in the database."""
        with self._w.db.reading(self._w.tenant) as tx:
            found = [str(problem) for problem in timeline.verify(tx)]
            if leases.held_by(tx, leases.delivering(self._row.id)) is not None:
                found.append("the lease is still held")
            told = [one.kind for one in timeline.entries(tx, subject=self._victim.key)]
            if told.count("effect.done") != 1:
                found.append(f"the timeline tells {told}")
            if tx.connection.dialect.name == "sqlite":
                check = tx.connection.execute(sa.text("PRAGMA integrity_check")).scalars().all()
                found += [line for line in check if line != "ok"]
        return found


def _of(write: Mapping[str, Any], key: str) -> bool:
    """Whether the write went under a vendor key of this effect; removing from a group takes none."""
    return write["kind"] == "group_remove" or str(write["idempotency_key"]).startswith(key[:40])
