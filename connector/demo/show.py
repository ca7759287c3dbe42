"""How the demo looks on a terminal: a line or two a day, then the stories with their dates, then the totals."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING

from connector.demo.observe import Event
from connector.demo.stories import StoryOutcome
from connector.domain.counting import counted

if TYPE_CHECKING:
    from connector.demo.play import Outcome

WIDTH = 110
_MARGIN = 12
_ASKED_BY = re.compile(r"; reply asked by [^;]*?(?=\.$|$)")
_DAY = r"\d{1,2} [A-Z][a-z]{2} \d{4}"


def short_day(day: date) -> str:
    """Thu 20 Aug."""
    return f"{day:%a} {day.day:>2} {day:%b}"


def phrase(event: Event) -> str:
    """A write as a person would tell it: without marker, and without the date, which the line has already."""
    words = _ASKED_BY.sub("", event.words)
    return re.sub(rf" {event.on.day} {event.on:%b} {event.on.year}(?!\d)", "", words).rstrip(". ")


def _sort(event: Event) -> str:
    """Which sort of write it is, for the sums: the words before the first date or number."""
    if event.kind != "note":
        return event.kind.replace("_", " ")
    return re.split(rf" (?:sent|made|on|for|of) |: | {_DAY}", event.words, maxsplit=1)[0].lower()


def day_lines(
    day: date,
    did: Iterable[tuple[str, str]],
    events: Iterable[Event],
    owner_of: Callable[[Event], str],
    names: Mapping[str, str],
) -> list[str]:
    """One day. `did`: (customer, what people did). `names`: owner's id -> name, of those whose story is told."""
    told: dict[str, list[str]] = {}
    for name, because in did:
        told.setdefault(name, []).append(f"{because}.")
    others: set[tuple[str, str]] = set()
    for event in events:
        owner = owner_of(event)
        if owner in names:
            said = told.setdefault(names[owner], [])
            line = f"→ {phrase(event)}."
            said += [line] if line not in said else []
        else:
            others.add((_sort(event), owner))
    lines = [f"{name}: {' '.join(said)}" if name else " ".join(said) for name, said in told.items()]
    if others:
        sums = Counter(sort for sort, _ in sorted(others))
        lines.append("Others: " + ", ".join(f"{sort}{f' ×{n}' if n > 1 else ''}" for sort, n in sums.items()) + ".")
    return list(_hanging(short_day(day), lines))


def _hanging(label: str, lines: Iterable[str]) -> Iterator[str]:
    """The label once in the margin, the lines beside it."""
    for number, line in enumerate(lines):
        lead = f"{label if not number else '':<{_MARGIN}}"
        yield from textwrap.wrap(line, WIDTH, initial_indent=lead, subsequent_indent=" " * (_MARGIN + 2))


def story_lines(story: StoryOutcome) -> list[str]:
    """One story: its point, what people did, and what the ledger shows."""
    told = ["", f"{'✓' if story.as_told else '✗'} {story.name}"]
    told += textwrap.wrap(story.tells.strip(), WIDTH, initial_indent="  ", subsequent_indent="  ")
    seen: dict[tuple[date, str], None] = {}
    for on, because in story.did:
        seen.setdefault((on, f"  {because}"))
    for event in story.events:
        seen.setdefault((event.on, f"→ {phrase(event)}"))
    for on, words in sorted(seen, key=lambda one: one[0]):
        lead = f"    {short_day(on)}  "
        told += textwrap.wrap(words.strip(), WIDTH, initial_indent=lead, subsequent_indent=" " * (len(lead) + 2))
    if story.wrong:
        told += textwrap.wrap(f"NOT AS TOLD: {story.wrong}", WIDTH, initial_indent="  ", subsequent_indent="  ")
    return told


def lines(outcome: Outcome) -> list[str]:
    """The stories, then the sums: what a person wants to know."""
    told = [line for story in outcome.stories for line in story_lines(story)]
    days, actions = len(outcome.days), sum(outcome.actions.values())
    told += [
        "",
        f"{outcome.organisation}: {counted(days, 'day')} with work, {counted(actions, 'action')}",
        *_sums(outcome),
        f"disturbed {counted(outcome.faults, 'time')} on purpose; each time looked up before anything was repeated",
        f"{counted(outcome.calls, 'call')}, {outcome.seconds:.0f} s",
    ]
    return told


def _sums(outcome: Outcome) -> Iterator[str]:
    """What became of the effects: letters went to customers, the others into the ledger, whose own count must agree."""
    by_state: dict[str, dict[str, int]] = {}
    for kind, states in sorted(outcome.effects.items()):
        for state, number in states.items():
            by_state.setdefault(state, {})[kind] = number
    written = by_state.pop("done", {})
    letters = written.pop("letter", 0)
    yield f"sent to customers: {counted(letters, 'letter')}, none of which is a write into the ledger"
    yield f"written to the ledger: {_listed(written)}: {sum(written.values())} in all"
    for state, kinds in sorted(by_state.items()):
        yield f"{state}: {_listed(kinds)}"
    log = counted(outcome.ledger_writes, "write")
    yield f"the ledger's own log: {log}, doubled: {outcome.doubled}, lost: {outcome.lost}"


def _listed(kinds: Mapping[str, int]) -> str:
    return ", ".join(counted(number, kind.replace("_", " ")) for kind, number in kinds.items()) or "nothing"
