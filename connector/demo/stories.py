"""The people of the demo: what they do, in the books and towards dunwell, and whether their story ended as told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from connector.demo.observe import Event, Sandbox
from connector.demo.scenario import Scenario, Step, Story
from connector.domain.cases import (
    CallOutcome,
    DisputeCode,
    DisputeOutcome,
    Holder,
    ReplyOutcome,
)
from connector.domain.decisions import ActionKind
from connector.domain.effects import EffectState
from connector.domain.money import Money
from connector.service import accommodations, disputes, lookup, people
from connector.service.review import Proposal
from connector.service.wiring import Wiring
from connector.store import mirror, outbox
from connector.store.actions import ActionRow
from connector.store.organisations import OrganisationRow

_RELATIVE = re.compile(r"^[+-]\d+$")
_DATES = ("date", "due", "on", "until", "expected")


@dataclass(frozen=True)
class StoryOutcome:
    """How a story ended. `wrong` is empty when it ended as told."""

    name: str
    tells: str
    wrong: str
    events: tuple[Event, ...]

    @property
    def as_told(self) -> bool:
        return not self.wrong

    def lines(self) -> list[str]:
        return [f"{event.on} {event.kind.replace('_', ' ')}: {event.text}" for event in self.events]


@dataclass
class _Thread:
    """Where one story stands."""

    story: Story
    customer_id: str = ""
    step: int = 0
    since: int = 0  # events with a greater number are new to the next step
    saw_on: date | None = None
    stepped_on: date | None = None
    events: list[Event] = field(default_factory=list)

    @property
    def next_step(self) -> Step | None:
        return self.story.steps[self.step] if self.step < len(self.story.steps) else None


class Cast:
    """Everybody in the scenario."""

    def __init__(self, w: Wiring, script: Scenario, sandbox: Sandbox, row: Callable[[], OrganisationRow]) -> None:
        self.w, self.script, self.sandbox, self.row = w, script, sandbox, row
        self.threads = [_Thread(story) for story in script.stories]
        self.away: list[Proposal] = []
        self.owner: dict[str, str] = {}

    def while_away(self, proposal: Proposal) -> None:
        """A plan made while nobody reconciles the books."""
        self.away.append(proposal)

    def before_first_day(self) -> None:
        """Steps with day 0 that only tell dunwell something (who holds a debt) belong to the take-on."""
        for thread in self.threads:
            step = thread.next_step
            if step is not None and step.day == 0 and step.say and not step.books:
                self._say(thread, step)
                thread.step += 1

    # -- what is due -------------------------------------------------------------------------------------------------

    def due(self, day: date) -> list[tuple[_Thread, Step]]:
        """Steps that happen on this day; every story takes at most one a day."""
        found = []
        for thread in self.threads:
            step = thread.next_step
            if step is not None and (on := self._on(thread, step)) is not None and on <= day:
                thread.step += 1
                thread.saw_on, thread.stepped_on = None, day
                thread.since = self.sandbox.events[-1].seq if self.sandbox.events else 0
                found.append((thread, step))
        return found

    def _on(self, thread: _Thread, step: Step) -> date | None:
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

    def act_in_books(self, due: Iterable[tuple[_Thread, Step]]) -> None:
        self._act((thread, step) for thread, step in due if not step.between)

    def act_between(self, due: Iterable[tuple[_Thread, Step]]) -> None:
        self._act((thread, step) for thread, step in due if step.between)

    def _act(self, due: Iterable[tuple[_Thread, Step]]) -> None:
        acts = [one for thread, step in due for act in step.books for one in self._expanded(thread, act)]
        if acts:
            self.sandbox.people(acts)

    def _expanded(self, thread: _Thread, act: Mapping[str, Any]) -> list[dict[str, Any]]:
        """`pay_all` pays every open invoice of the story's customer."""
        if act["do"] != "pay_all":
            return [self._resolved(act)]
        with self.w.db.reading(self.w.tenant) as tx:
            book = mirror.book(tx, self.row().id, self._customer_id(thread))
        return [{"do": "pay", "invoice": invoice.number} for invoice in book.invoices if invoice.is_open]

    def speak(self, due: Iterable[tuple[_Thread, Step]]) -> None:
        for thread, step in due:
            self._say(thread, step)

    def _say(self, thread: _Thread, step: Step) -> None:
        row = self.row()
        customer = self.script.of(thread.story.customer).name
        for said in step.say:
            command = _COMMANDS[str(said["do"])]
            command(self.w, row, customer, self._resolved(said))

    def _resolved(self, act: Mapping[str, Any]) -> dict[str, Any]:
        """Dates like "+14" count from today."""
        today = self.w.today(self.row())
        return {
            name: (today + timedelta(days=int(value))).isoformat()
            if name in _DATES and isinstance(value, str) and _RELATIVE.match(value)
            else value
            for name, value in act.items()
        }

    def make_calls(self, waiting: Iterable[ActionRow]) -> list[str]:
        """Somebody works the call list: every proposed call is made on its day."""
        phones = {self._customer_id(thread): thread.story.phone for thread in self.threads}
        today = self.w.today(self.row())
        made = []
        for action in waiting:
            if action.key.kind is ActionKind.CALL and (action.decision.not_before or today) <= today:
                people.call_done(self.w, action.id, CallOutcome(phones.get(action.customer_id, "voicemail")))
                made.append("call")
        return made

    # -- watching ----------------------------------------------------------------------------------------------------

    def observe(self, day: date) -> list[Event]:
        """Look into the write log; a waiting step starts counting when its words were seen."""
        fresh = self.sandbox.look()
        for event in fresh:
            owner = self._owner(event)
            for thread in self.threads:
                if self._customer_id(thread) == owner:
                    thread.events.append(event)
        for thread in self.threads:
            step = thread.next_step
            if step is None or step.when is None or thread.saw_on is not None:
                continue
            if any(event.fits(step.when) for event in thread.events if event.seq > thread.since):
                thread.saw_on = day
        return fresh

    def _customer_id(self, thread: _Thread) -> str:
        if not thread.customer_id:
            row = self.row()
            with self.w.db.reading(self.w.tenant) as tx:
                thread.customer_id = lookup.customer(tx, row.id, self.script.of(thread.story.customer).name).id
        return thread.customer_id

    def _owner(self, event: Event) -> str:
        if event.target not in self.owner:
            row = self.row()
            with self.w.db.reading(self.w.tenant) as tx:
                found = mirror.find(tx, row.id, event.target)
            self.owner[event.target] = str(getattr(found[0], "customer_id", found[0].id)) if found else ""
        return self.owner[event.target]

    # -- judging -----------------------------------------------------------------------------------------------------

    def outcomes(self) -> list[StoryOutcome]:
        ended = [
            StoryOutcome(thread.story.name, thread.story.tells, "; ".join(self._wrong(thread)), tuple(thread.events))
            for thread in self.threads
        ]
        return [self._reconcile_first(), *ended]

    def _reconcile_first(self) -> StoryOutcome:
        """Once the books are too old, the only thing asked for is to reconcile them; nobody is contacted about money."""
        last = self.away[-1].actions if self.away else ()
        asked = any(action.decision.rule == "cash_known" for action in last)
        contacts = [action.preview.get("title", "") for action in last if action.decision.asks_for_money]
        wrong = "" if asked and not contacts else f"the plan asked for money: {contacts or 'and nobody to reconcile'}"
        tells = "The bookkeeper is away. Once the books are too old, the plan says reconcile first and asks nobody for money."
        return StoryOutcome("The books are not reconciled", tells, wrong, ())

    def _wrong(self, thread: _Thread) -> list[str]:
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
                wrong.append(f"{words!r} occurs {count} times, at most {most} expected")
        if story.refused and not self._was_refused(thread):
            wrong.append("no effect was refused")
        return wrong

    def _was_refused(self, thread: _Thread) -> bool:
        with self.w.db.reading(self.w.tenant) as tx:
            rows = outbox.of_customer(tx, self.row().id, self._customer_id(thread))
        return any(row.state is EffectState.CANCELLED and row.reason.startswith("drift") for row in rows)


Command = Callable[[Wiring, OrganisationRow, str, Mapping[str, Any]], object]


def _dispute_open(w: Wiring, row: OrganisationRow, _customer: str, said: Mapping[str, Any]) -> object:
    amount = Money.of(said["amount"], said.get("currency", row.record.base_currency)) if "amount" in said else None
    return disputes.open_dispute(w, row, said["invoice"], code=DisputeCode(said["code"]), amount=amount)


def _sign(w: Wiring, row: OrganisationRow, customer: str, said: Mapping[str, Any]) -> object:
    options = accommodations.plan_options(w, row, customer).options
    number = next(n for n, one in enumerate(options, 1) if len(one.instalments) == said["instalments"])
    accommodations.plan_offer(w, row, customer, number)
    return accommodations.plan_sign(
        w, row, customer, name=said["name"], capacity=said["capacity"], on=w.today(row), evidence=said["evidence"]
    )


_COMMANDS: dict[str, Command] = {
    "dispute_open": _dispute_open,
    "dispute_resolve": lambda w, row, _c, said: disputes.resolve(
        w, row, said["invoice"], DisputeOutcome(said["outcome"])
    ),
    "extend": lambda w, row, _c, said: accommodations.extend(w, row, said["invoice"]),
    "promise": lambda w, row, _c, said: accommodations.promise(
        w, row, said["invoice"], date.fromisoformat(said["until"])
    ),
    "sign_plan": _sign,
    "reply": lambda w, row, customer, said: people.reply(w, row, customer, ReplyOutcome(said["outcome"])),
    "answered": lambda w, row, customer, _said: people.answer_replies(w, row, customer),
    "held_by": lambda w, row, _c, said: people.set_held_by(
        w, row, said["invoice"], Holder(said["holder"]), invoice=True
    ),
}
