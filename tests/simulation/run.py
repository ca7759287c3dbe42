"""One run of a script: phase 1 with its troubles and people, phase 2 healed; then the judge's last look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from connector.channels.email import FolderChannel
from connector.channels.message import Mailbox
from connector.errors import Busy, DunwellError
from connector.service.cycle import run_once
from connector.service.deliver import deliver
from connector.service.sync import pull
from connector.service.wiring import Wiring
from connector.store.db import Database
from tests.simulation.aftermath import look_back
from tests.simulation.baton import Actor, Baton, Breach, Crash
from tests.simulation.events import Troubles
from tests.simulation.office import Ground, Prepared, books, ground, organisation
from tests.simulation.oracle import Oracle
from tests.simulation.people import AT_THE_TERMINAL, People
from tests.simulation.ports import Folder, Post, SimClock, SimDatabase, SimHttp, SimIds, WatchedLedger
from tests.simulation.script import Script
from tests.simulation.troubles import Item, rule

RESTART_SECONDS = 2.0
BUSY_RETRIES, BUSY_WAIT = 4, 45.0


@dataclass
class Outcome:
    """What came of a run. `digest` is equal for equal runs."""

    script: Script
    breach: Breach | None
    digest: str
    turns: int
    effects: Counter[tuple[str, str]] = field(default_factory=Counter)  # (kind, final state)
    faults: Counter[str] = field(default_factory=Counter)
    crashed: Counter[tuple[str, str]] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)


def run(script: Script, *, traced: bool = False) -> Outcome:
    """Play the script on this process's ground."""
    return _Run(script, ground(), traced=traced).play()


class _Run:
    def __init__(self, script: Script, site: Ground, *, traced: bool) -> None:
        self.script, self.site = script, site
        self.office: Prepared = site.prepared(script.stories)
        self.twin = self.office.twin()
        self.trace: list[str] | None = [] if traced else None
        self.baton = Baton(self.twin, script.seed, float(script.settings["stickiness"]), self.trace)
        self.troubles = Troubles(script, self.baton)
        self.clock = SimClock(self.baton)
        site.lay_out(self.office)
        self.db = Database(site.engine("oracle"), self.clock)
        self.oracle = Oracle(self.baton, self.twin, books(self.twin), self.db)
        self.baton.passing = self.oracle.count
        self.http = SimHttp(self.baton, self.twin, self.oracle, self.troubles)
        self.post = self._post()
        self.ids = SimIds("s")
        self.people = People(self.baton, self.oracle, self.wiring, str(script.settings["mode"]))

    def _post(self) -> Post:
        if self.script.settings["post"] == "smtp":
            return Post(self.baton, self.oracle, self.troubles)
        inner = FolderChannel(self.site.folder / "letters", Mailbox("us@ours.example", "Us"), "us@ours.example")
        return Folder(self.baton, self.oracle, self.troubles, inner=inner)

    def wiring(self, slot: str) -> Wiring:
        """What a new process of this office is given."""
        db = SimDatabase.on(self.site.engine(slot), self.clock, self.troubles)
        return self.site.config.wiring(
            db, self.clock, self.http, self.ids, lambda: self.post,
            lambda inner: WatchedLedger(inner, self.baton, self.troubles), self.troubles.jitter(), who=slot,
        )  # fmt: skip

    def play(self) -> Outcome:
        self._break()
        self.baton.run(self._actors())
        self._count_faults()
        if not self.baton.found:
            self._heal()
            self.baton.run([Actor("healed", self._heal_and_drain, self.baton.now)])
        outcome = Outcome(self.script, None, self.baton.digest, self.baton.turns)
        if not self.baton.found:
            look_back(self.baton, self.oracle, self.db, self.site)
        outcome.breach = next(iter(self.baton.breaches), None)
        outcome.faults, outcome.crashed = self.troubles.struck, self.troubles.crashed
        outcome.counts = self.baton.counts
        outcome.trace = self.trace or []
        for row in self.oracle.effects():
            outcome.effects[row.effect.kind.value, row.state.value] += 1
        return outcome

    # -- phase 1 -----------------------------------------------------------------------------------------------------

    def _break(self) -> None:
        rules = [rule(one) for one in self.script.faults if one.get("action", {}).get("do") not in {None, "refused"}]
        self.twin.faults.add(rules)
        settings = self.script.settings
        self.twin.switch({name: settings[name] for name in ("idempotency_seconds", "history_delay_seconds")})

    def _count_faults(self) -> None:
        rules: Any = self.twin.faults.document()["rules"]
        names = [one["name"] for one in self.script.faults if one.get("action", {}).get("do") not in {None, "refused"}]
        for name, one in zip(names, rules, strict=True):
            self.troubles.struck[name] += int(one["fired"])

    def _actors(self) -> list[Actor]:
        now = self.baton.now
        actors = [
            Actor(f"agent-{n}", self._agent(f"agent-{n}", rounds), now)
            for n, rounds in enumerate(self.script.agents, 1)
        ]
        first = {"who": "operator", "do": "approve", "turn": int(self.script.settings["approve_at"])}
        modes = [{"who": "operator", "do": "mode", "turn": 0}] if self.script.settings["mode"] != "approve" else []
        said = [one for one in self.script.acts if one["do"] in AT_THE_TERMINAL]
        orders = sorted((*modes, first, *said), key=lambda act: act["turn"])
        actors.append(Actor("operator", self.people.at_the_terminal(orders), now))
        for who in ("bookkeeper", "customer"):
            acts = [one for one in self.script.acts if one["who"] == who and one["do"] not in AT_THE_TERMINAL]
            if acts:
                actors.append(Actor(who, self.people.at_the_ledger(acts), now))
        return actors

    def _agent(self, slot: str, rounds: tuple[Item, ...]) -> Callable[[Actor], None]:
        def work(me: Actor) -> None:
            w: Wiring | None = None
            for one in rounds:
                self.baton.sleep(float(one["wait"]))
                if self.people.restart:
                    self.people.restart, w = False, None
                w = self._round(me, w or self.wiring(slot), one["do"])

        return work

    def _round(self, me: Actor, w: Wiring, what: str) -> Wiring | None:
        """One command of an agent; whoever finds another at work comes again. None: the process died."""
        for _ in range(BUSY_RETRIES):
            try:
                _ROUNDS[what](w)
            except Crash:
                self._revive(me)
                return None
            except Busy:
                self.baton.counts["busy"] += 1
                self.baton.sleep(BUSY_WAIT)
            except DunwellError as error:
                self.baton.counts[f"round ended by {type(error).__name__}"] += 1
                break
            else:
                break
        return w

    def _revive(self, me: Actor) -> None:
        """The process is gone; another is started in its place."""
        me.dead, me.sending, me.sent, me.wants_to_write = False, None, None, False
        self.baton.counts["crashed"] += 1
        self.oracle.flying = {key: actor for key, actor in self.oracle.flying.items() if actor is not me}
        self.baton.sleep(RESTART_SECONDS + self.troubles.down)

    # -- phase 2 -----------------------------------------------------------------------------------------------------

    def _heal(self) -> None:
        self.twin.faults.clear()
        self.troubles.heal()
        self.twin.switch({"history_delay_seconds": 0})

    def _heal_and_drain(self, me: Actor) -> None:
        """Three days in which nothing goes wrong: what can happen happens, people answer what only they can."""
        for step, (wait, what) in enumerate(_AFTERWARDS):
            self.baton.sleep(wait if isinstance(wait, float) else self._until(wait))
            if what == "deliver" and step > 0 and not self.oracle.anything_open():
                continue
            if step == 0:
                self.people.command(me, {"do": "mode"})
            self.people.command(me, {"do": "reconnect"})
            if what == "cycle":
                self.people.command(me, {"do": "reconcile"})
                if any(touch.what == "reply" for touch in self.oracle.touches):
                    self.people.command(me, {"do": "answer"})
            w = self.wiring("healed")
            try:
                _ROUNDS[what](w)
            except DunwellError as error:
                self.baton.counts[f"healed round ended by {type(error).__name__}"] += 1
            if self.oracle.waiting_for_people():
                self.people.command(me, {"do": "settle"})

    def _until(self, at: time) -> float:
        """Seconds to the next day's time of day."""
        day = (self.baton.now + timedelta(days=1)).date()
        return (datetime.combine(day, at, UTC) - self.baton.now) / timedelta(seconds=1)


_AFTERWARDS: tuple[tuple[float | time, str], ...] = (
    (130.0, "deliver"), (200.0, "deliver"), (310.0, "deliver"), (time(10, 0), "cycle"), (310.0, "deliver"),
    (time(10, 0), "deliver"), (310.0, "deliver"), (time(10, 0), "pull"),
)  # fmt: skip


def _cycle(w: Wiring) -> None:
    stopped = run_once(w, organisation(w)).delivered.stopped
    if stopped is not None:
        raise stopped


def _deliver(w: Wiring) -> None:
    stopped = deliver(w, organisation(w)).stopped
    if stopped is not None:
        raise stopped


_ROUNDS: Mapping[str, Callable[[Wiring], object]] = {
    "cycle": _cycle,
    "deliver": _deliver,
    "pull": lambda w: pull(w, organisation(w)),
}
