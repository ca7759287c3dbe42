"""The people of the demo: what they do, in the books and towards dunwell, and whether their story ended as told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from connector.demo import desk
from connector.demo.observe import Event, Sandbox
from connector.demo.scenario import Scenario, Step, Story
from connector.domain.counting import counted
from connector.domain.effects import EffectState
from connector.service import lookup
from connector.service.review import Proposal
from connector.service.wiring import Wiring
from connector.store import mirror, outbox
from connector.store.actions import ActionRow
from connector.store.organisations import OrganisationRow

RECONCILE_FIRST = "the plan says: reconcile first; nobody is asked for money"
_AWAY = "The bookkeeper is away. Once the books are too old, the plan says reconcile first and asks nobody for money."
_RELATIVE = re.compile(r"^[+-]\d+$")
_DATES = ("date", "due", "on", "until", "expected")


def _asks_to_reconcile(proposal: Proposal) -> bool:
    return any(action.decision.rule == "cash_known" for action in proposal.actions)


@dataclass(frozen=True)
class StoryOutcome:
    """How a story ended. `wrong` is empty when it ended as told; `did`: what people did, and when."""

    name: str
    tells: str
    wrong: str
    events: tuple[Event, ...]
    did: tuple[tuple[date, str], ...] = ()

    @property
    def as_told(self) -> bool:
        return not self.wrong

    def lines(self) -> list[str]:
        """What the ledger shows."""
        return [f"{event.on} {event.kind.replace('_', ' ')}: {event.text}" for event in self.events]


@dataclass
class Thread:
    """Where one story stands."""

    story: Story
    customer_id: str = ""
    step: int = 0
    since: int = 0  # events with a greater number are new to the next step
    saw_on: date | None = None
    stepped_on: date | None = None
    events: list[Event] = field(default_factory=list)
    did: list[tuple[date, str]] = field(default_factory=list)

    @property
    def next_step(self) -> Step | None:
        return self.story.steps[self.step] if self.step < len(self.story.steps) else None


Due = list[tuple[Thread, Step]]


class Cast:
    """Everybody in the scenario."""

    def __init__(self, w: Wiring, script: Scenario, sandbox: Sandbox, row: Callable[[], OrganisationRow]) -> None:
        self.w, self.script, self.sandbox, self.row = w, script, sandbox, row
        self.threads = [Thread(story) for story in script.stories]
        self.away: list[tuple[date, Proposal]] = []
        self.owner: dict[str, str] = {}

    def while_away(self, day: date, proposal: Proposal) -> str:
        """A plan made while nobody reconciles the books. Returns what there is to tell, once."""
        before = any(_asks_to_reconcile(one) for _, one in self.away)
        self.away.append((day, proposal))
        return "" if before or not _asks_to_reconcile(proposal) else RECONCILE_FIRST

    def before_first_day(self) -> None:
        """Steps with day 0 that only tell dunwell something (who holds a debt) belong to the take-on."""
        for thread in self.threads:
            step = thread.next_step
            if step is not None and step.day == 0 and step.say and not step.books:
                self._say(thread, step)
                thread.did.append((self.script.first_day, step.because))
                thread.step += 1

    # -- what is due -------------------------------------------------------------------------------------------------

    def due(self, day: date) -> Due:
        """Steps that happen on this day; every story takes at most one a day."""
        found = []
        for thread in self.threads:
            step = thread.next_step
            if step is not None and (on := self._on(thread, step)) is not None and on <= day:
                thread.step += 1
                thread.saw_on, thread.stepped_on = None, day
                thread.since = self.sandbox.events[-1].seq if self.sandbox.events else 0
                thread.did.append((day, step.because))
                found.append((thread, step))
        return found

    def _on(self, thread: Thread, step: Step) -> date | None:
        if step.day is not None:
            return self.script.day(step.day)
        if step.after is not None:
            return thread.stepped_on + timedelta(days=step.after) if thread.stepped_on else None
        if thread.saw_on is None:
            return None
        return thread.saw_on + timedelta(days=step.wait)

    def next_day(self, day: date, planned: date | None) -> date | None:
        """The next day with work: a story's, or the plan's."""
        days = [planned] if planned is not None else []
        for thread in self.threads:
            step = thread.next_step
            if step is not None and (on := self._on(thread, step)) is not None:
                days.append(on)
        later = [max(one, day + timedelta(days=1)) for one in days]
        return min(later, default=None)

    # -- acting ------------------------------------------------------------------------------------------------------

    def act_in_books(self, due: Due) -> None:
        self._act((thread, step) for thread, step in due if not step.between)

    def act_between(self, due: Due) -> None:
        self._act((thread, step) for thread, step in due if step.between)

    def _act(self, due: Iterable[tuple[Thread, Step]]) -> None:
        acts = [one for thread, step in due for act in step.books for one in self._expanded(thread, act)]
        if acts:
            self.sandbox.people(acts)

    def _expanded(self, thread: Thread, act: Mapping[str, Any]) -> list[dict[str, Any]]:
        """`pay_all` pays every open invoice of the story's customer."""
        if act["do"] != "pay_all":
            return [self._resolved(act)]
        with self.w.db.reading(self.w.tenant) as tx:
            book = mirror.book(tx, self.row().id, self.customer_id(thread))
        return [{"do": "pay", "invoice": invoice.number} for invoice in book.invoices if invoice.is_open]

    def speak(self, due: Due) -> None:
        for thread, step in due:
            self._say(thread, step)

    def _say(self, thread: Thread, step: Step) -> None:
        for said in step.say:
            desk.say(self.w, self.row(), self.script.of(thread.story.customer).name, self._resolved(said))

    def _resolved(self, act: Mapping[str, Any]) -> dict[str, Any]:
        """Dates like "+14" count from today."""
        today = self.w.today(self.row())
        return {
            name: (today + timedelta(days=int(value))).isoformat()
            if name in _DATES and isinstance(value, str) and _RELATIVE.match(value)
            else value
            for name, value in act.items()
        }

    def work(self, waiting: list[ActionRow]) -> list[str]:
        """The desk works its lists: calls are made on their day, tasks are done."""
        row = self.row()
        phones = {self.customer_id(thread): thread.story.phone for thread in self.threads}
        made = desk.make_calls(self.w, self.w.today(row), waiting, phones)
        return made + desk.work_tasks(self.w, row, waiting)

    # -- watching ----------------------------------------------------------------------------------------------------

    def observe(self, day: date) -> list[Event]:
        """Look into the write log; a waiting step starts counting when its words were seen."""
        fresh = self.sandbox.look()
        for event in fresh:
            owner = self.owner_of(event)
            for thread in self.threads:
                if self.customer_id(thread) == owner:
                    thread.events.append(event)
        for thread in self.threads:
            step = thread.next_step
            if step is None or step.when is None or thread.saw_on is not None:
                continue
            if any(event.fits(step.when) for event in thread.events if event.seq > thread.since):
                thread.saw_on = day
        return fresh

    def customer_id(self, thread: Thread) -> str:
        """The ledger's id of the story's customer."""
        if not thread.customer_id:
            row = self.row()
            with self.w.db.reading(self.w.tenant) as tx:
                thread.customer_id = lookup.customer(tx, row.id, self.script.of(thread.story.customer).name).id
        return thread.customer_id

    def owner_of(self, event: Event) -> str:
        """The ledger's id of the customer whom a write concerns; "" when it concerns none."""
        if event.target not in self.owner:
            row = self.row()
            with self.w.db.reading(self.w.tenant) as tx:
                found = mirror.find(tx, row.id, event.target)
            self.owner[event.target] = str(getattr(found[0], "customer_id", found[0].id)) if found else ""
        return self.owner[event.target]

    # -- judging -----------------------------------------------------------------------------------------------------

    def outcomes(self) -> list[StoryOutcome]:
        """Every story that is told, and those of the background that went wrong."""
        ended = [self._ended(thread) for thread in self.threads]
        told = [one for one, thread in zip(ended, self.threads, strict=True) if thread.story.told or one.wrong]
        return [self._reconcile_first(), *told] if self.script.bookkeeper_away else told

    def _ended(self, thread: Thread) -> StoryOutcome:
        story, wrong = thread.story, "; ".join(self._wrong(thread))
        return StoryOutcome(story.name, story.tells, wrong, tuple(thread.events), tuple(thread.did))

    def _reconcile_first(self) -> StoryOutcome:
        """Once the books are too old, all that is asked for is to reconcile them; nobody is contacted about money."""
        asked = [day for day, proposal in self.away if _asks_to_reconcile(proposal)]
        since = asked[0] if asked else None
        contacts = [
            action.preview.get("title", "")
            for day, proposal in self.away
            for action in proposal.actions
            if since is not None and day >= since and action.decision.asks_for_money
        ]
        wrong = "" if asked else "nobody was asked to reconcile"
        if contacts:
            wrong = f"the plan asked for money: {contacts}"
        did = [(self.away[0][0], "the bookkeeper is away")] if self.away else []
        did += [(since, RECONCILE_FIRST)] if since is not None else []
        return StoryOutcome("The books are not reconciled", _AWAY, wrong, (), tuple(did))

    def _wrong(self, thread: Thread) -> list[str]:
        story, wrong = thread.story, []
        if thread.next_step is not None:
            wrong.append(f"step {thread.step + 1} never came: {thread.next_step.because}")
        position = 0
        for wanted in story.expect:
            later = [n for n, event in enumerate(thread.events) if n >= position and event.fits(wanted)]
            if not later:
                wrong.append(f"the ledger never showed {wanted.kind} {wanted.words!r} (in this order)")
                break
            position = later[0] + 1
        for banned in story.never:
            wrong += [f"the ledger shows {e.kind} {e.text!r}" for e in thread.events if e.fits(banned)][:1]
        for words, most in story.at_most.items():
            count = sum(words.casefold() in event.text.casefold() for event in thread.events)
            if count > most:
                wrong.append(f"{words!r} occurs {counted(count, 'time')}, at most {most} expected")
        if story.refused and not self._was_refused(thread):
            wrong.append("no effect was refused")
        return wrong

    def _was_refused(self, thread: Thread) -> bool:
        with self.w.db.reading(self.w.tenant) as tx:
            rows = outbox.of_customer(tx, self.row().id, self.customer_id(thread))
        return any(row.state is EffectState.CANCELLED and row.reason.startswith("drift") for row in rows)
