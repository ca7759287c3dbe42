"""Plays the scenario: a sandbox on loopback, the real consent flow, and then only what the command line calls.

Days are visited only where work is due: where a story's people act, or where the plan said to look again.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path

from connector import http
from connector.bootstrap import HowToConnect, ServedSandbox, connect_ledger, open_project, serve_sandbox
from connector.clock import SandboxClock, SystemClock
from connector.config.init import scaffold
from connector.demo.observe import Event, Sandbox
from connector.demo.scenario import Scenario, load
from connector.demo.show import day_lines, short_day
from connector.demo.stories import Cast, Due, StoryOutcome
from connector.domain.cases import Party, TakeOnChoice
from connector.domain.counting import counted
from connector.domain.effects import EffectKind, EffectState
from connector.errors import NeedsPerson
from connector.service import approve, people, take_on
from connector.service.deliver import deliver
from connector.service.review import Proposal, propose
from connector.service.sync import pull
from connector.service.wiring import Wiring
from connector.store import organisations, outbox
from connector.store.organisations import OrganisationRow
from connector.store.outbox import EffectRow

MORNING = time(10, 0)
WAIT_SECONDS = 301.0  # more than the quiet wait before an unknown outcome is looked up, and than the wait for a retry
MOST_ROUNDS = 4
ANSWERS = {
    "financed": "no",
    "tax_basis": "accrual, filed to the end of last month",
    "native_reminders": "off",
    "approver": "Riley Quinn, principal",
    "parties": "done",
}
Tell = Callable[[str], None]


@dataclass
class Outcome:
    """What the demo did, and whether every story ended as told."""

    ledger: str
    organisation: str
    days: list[date] = field(default_factory=list)
    actions: Counter[str] = field(default_factory=Counter)
    effects: dict[str, dict[str, int]] = field(default_factory=dict)
    ledger_writes: int = 0
    calls: int = 0
    doubled: int = 0
    lost: int = 0
    faults: int = 0  # how many injected faults struck
    stories: list[StoryOutcome] = field(default_factory=list)
    seconds: float = 0.0
    project: str = ""

    @property
    def is_good(self) -> bool:
        return not self.doubled and not self.lost and all(story.as_told for story in self.stories)

    def document(self) -> dict[str, object]:
        """The outcome as data."""
        return {
            "organisations": [{"ledger": self.ledger, "name": self.organisation}],
            "days": {"visited": len(self.days), "first": self.days[0], "last": self.days[-1]},
            "actions": dict(self.actions),
            "effects": self.effects,
            "ledger_writes": self.ledger_writes,
            "calls": self.calls,
            "doubled": self.doubled,
            "lost": self.lost,
            "faults": self.faults,
            "stories": [
                {"name": one.name, "outcome": "as told" if one.as_told else one.wrong, "events": one.lines()}
                for one in self.stories
            ],
        }


def play(
    ledger: str, *, keep: Path | None, tell: Tell | None, serve: bool, scenario: Scenario | None = None
) -> Outcome:
    """Run the whole demo. `tell` gets lines for people; `serve` waits at the end, with the sandbox open."""
    script = scenario or load()
    real = SystemClock()
    began = real.now()
    say = tell or (lambda _line: None)
    with _folder(keep) as folder, closing(http.client()) as client:
        served = serve_sandbox(ledger, port=0, books=None, now=script.start.isoformat(), seed=1, frozen=True)
        try:
            sandbox = Sandbox(client, served.base_url, script.zone)
            name = sandbox.load(script.document())
            _prepare(folder, ledger, served)
            clock = SandboxClock(client, served.base_url, exclusive=True)
            with open_project(folder, who="Riley Quinn", clock=clock) as w:
                how = HowToConnect(ledger, served.base_url, way="auto", organisation=name)
                connect_ledger(w, how, say, lambda _question: "")
                outcome = _Player(w, script, sandbox, clock, say, Outcome(ledger, name, project=str(folder))).run()
            outcome.seconds = (real.now() - began).total_seconds()
            if serve:
                say(f"the sandbox stays open at {served.base_url}; project {folder}; stop with Ctrl-C")
                _wait()
            return outcome
        finally:
            served.stop()


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="dunwell-demo-") as name:
        yield Path(name) / "project"


def _prepare(folder: Path, ledger: str, served: ServedSandbox) -> None:
    scaffold(folder, "standard")
    env = folder / ".env"
    prefix = f"DUNWELL_{ledger.upper()}"
    env.touch(mode=0o600)
    env.write_text(f"{prefix}_CLIENT_ID={served.client_id}\n{prefix}_CLIENT_SECRET={served.client_secret}\n")


def _wait() -> None:
    from threading import Event as Flag

    try:
        Flag().wait()
    except KeyboardInterrupt:
        return


class _Player:
    """Walks the days."""

    def __init__(
        self, w: Wiring, script: Scenario, sandbox: Sandbox, clock: SandboxClock, say: Tell, outcome: Outcome
    ) -> None:
        self.w, self.script, self.sandbox, self.clock, self.say, self.outcome = w, script, sandbox, clock, say, outcome
        self.cast = Cast(w, script, sandbox, self._row)
        self.faults = sorted(script.faults, key=lambda fault: fault.day)

    def _row(self) -> OrganisationRow:
        with self.w.db.reading(self.w.tenant) as tx:
            return next(row for row in organisations.all(tx) if row.record.name == self.outcome.organisation)

    def run(self) -> Outcome:
        self._go_to(self.script.first_day)
        pull(self.w, self._row())
        self._take_on()
        day: date | None = self.script.first_day
        while day is not None and day <= self.script.day(self.script.days):
            day = self._visit(day)
        self._again()
        return self._summary()

    def _go_to(self, day: date) -> None:
        instant = datetime.combine(day, MORNING, self.script.zone)
        if instant > self.clock.now():
            self.clock.set(instant)
        self.outcome.days.append(day)

    def _take_on(self) -> None:
        """What a person does on the first day: answer, sort, close; and say how far the books are reconciled."""
        row = self._row()
        for question, text in ANSWERS.items():
            take_on.answer(self.w, row, question, text)
        for customer in self.script.customers:
            if customer.party:
                people.set_party(self.w, row, customer.name, Party(customer.party))
        unsorted = take_on.show(self.w, row).unsorted
        for one in unsorted:
            customer = next(c for c in self.script.customers if c.name == one.name)
            choice = TakeOnChoice(customer.sort)
            take_on.sort(self.w, row, [one.customer_id], choice, reason=customer.sort_reason)
        self.cast.before_first_day()
        if self.script.take_on == "closed":
            take_on.close(self.w, row)
        old = counted(sum(one.items for one in unsorted), "old invoice")
        self.say(
            f"{self.outcome.organisation} is connected: {counted(len(self.script.customers), 'customer')}; "
            f"{old} of {len(unsorted)} of them, sorted by a person."
        )
        self.say("Day by day: what people do; what dunwell wrote into the ledger stands after an arrow.")
        self.say("")

    def _visit(self, day: date) -> date | None:
        """One day at the desk. Returns the next day on which there is work."""
        if self.outcome.days[-1] != day:
            self._go_to(day)
        due = self.cast.due(day)
        self._disturb(day)
        self.cast.act_in_books(due)
        row = self._row()
        away = self.script.nobody_reconciles(day)
        if not away:
            people.books_known_to(self.w, row, day - timedelta(days=1))
        pull(self.w, row)
        self.cast.speak(due)
        proposal = propose(self.w, self._row())
        remark = self.cast.while_away(day, proposal) if away else ""
        self._approve(proposal)
        self.cast.act_between(due)
        self._deliver()
        self._tell(day, remark, due, self.cast.observe(day))
        return self.cast.next_day(day, proposal.next_date)

    def _disturb(self, day: date) -> None:
        """The faults of this day, and of the days since the last visit."""
        while self.faults and self.script.day(self.faults[0].day) <= day:
            fault = self.faults.pop(0)
            self.sandbox.fault(fault)
            self.say(f"{short_day(day):<12}(from now on, once: {fault.because})")

    def _approve(self, proposal: Proposal) -> None:
        """A person approves, first in bulk, then one by one; calls and tasks are done by people."""
        approved = approve.approve_all(self.w, proposal.organisation)
        waiting = [action for action in proposal.actions if action.id not in {a.id for a in approved}]
        approved += approve.approve(self.w, [a.id for a in waiting if a.key.kind not in approve.FOR_A_PERSON])
        self.outcome.actions.update(action.key.kind.value for action in approved)
        self.outcome.actions.update(self.cast.work(waiting))

    def _deliver(self) -> None:
        """Apply; and when something went wrong on the way, once more after the wait that this asks for."""
        for _ in range(MOST_ROUNDS):
            done = deliver(self.w, self._row())
            if done.waiting_until is None and (done.stopped is None or isinstance(done.stopped, NeedsPerson)):
                return
            self.clock.sleep(WAIT_SECONDS)

    def _tell(self, day: date, remark: str, due: Due, events: list[Event]) -> None:
        told = [thread for thread in self.cast.threads if thread.story.told]
        names = {self.cast.customer_id(one): self.script.of(one.story.customer).name for one in told}
        did = [("", remark)] if remark else []
        did += [(names[self.cast.customer_id(one)], step.because) for one, step in due if one.story.told]
        for line in day_lines(day, did, events, self.cast.owner_of, names):
            self.say(line)

    def _again(self) -> None:
        """Nothing may change when everything is run once more on the same day."""
        before = len(self.sandbox.events)
        deliver(self.w, self._row())
        propose(self.w, self._row())
        deliver(self.w, self._row())
        self.sandbox.look()
        self.outcome.doubled += len(self.sandbox.events) - before

    def _summary(self) -> Outcome:
        outcome = self.outcome
        with self.w.db.reading(self.w.tenant) as tx:
            counts = outbox.counts(tx, None)
            rows = outbox.listing(tx, None, *EffectState)
        for (kind, state), count in sorted(counts.items()):
            outcome.effects.setdefault(str(kind), {})[str(state)] = count
        outcome.ledger_writes = len(self.sandbox.events)
        outcome.doubled += self.sandbox.doubled()
        outcome.lost = self._lost(rows)
        calls = self.sandbox.calls()
        outcome.calls = int(str(calls.get("total", 0)))
        outcome.faults = self.sandbox.faults_struck()
        outcome.stories = self.cast.outcomes()
        return outcome

    def _lost(self, rows: Iterable[EffectRow]) -> int:
        """Notes that dunwell takes for written and the ledger does not have; approved effects that nothing moves."""
        rows, written = tuple(rows), self.sandbox.markers()
        done = {row.effect.key for row in rows if row.state is EffectState.DONE}
        lost = sum(
            row.state is EffectState.DONE and row.effect.kind is EffectKind.NOTE and row.effect.marker not in written
            for row in rows
        )
        if self._row().mode == "observe":
            return lost  # nothing may move before the take-on is closed
        moving = (EffectState.PLANNED, EffectState.SENDING, EffectState.UNKNOWN)
        return lost + sum(
            row.state in moving and row.not_before is None and done.issuperset(row.effect.after) for row in rows
        )
