"""The shipped scenario, played once: every story as told, nothing doubled, nothing lost, and what a newcomer sees."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector.demo import scenario, show
from connector.demo.play import Outcome, play

pytestmark = [pytest.mark.slow, pytest.mark.socket, pytest.mark.timeout(240)]

STORIES = (
    "The books are not reconciled",
    "A solid referrer was not happy with the work",
    "A valued family friend misplaced the invoice",
    "A cash crunch gets one final extension",
    "A loyal customer in hardship agrees a plan",
    "An approved invoice was never sent",
    "Unapplied credit covers the debt",
    "A factored invoice is left alone",
    "Paid between plan and apply",
    "The first run over old debts",
)


@dataclass(frozen=True)
class Played:
    outcome: Outcome
    said: tuple[str, ...]
    project: Path


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("demo") / "project"
    said: list[str] = []
    outcome = play("xero", keep=folder, tell=said.append, serve=False)
    return Played(outcome, tuple(said), folder)


def test_every_story_ends_as_told(played: Played) -> None:
    assert {story.name: story.wrong for story in played.outcome.stories} == dict.fromkeys(STORIES, "")
    assert played.outcome.is_good


def test_the_missed_instalment_is_called_about_the_next_business_morning(played: Played) -> None:
    # Instalments on 28 August, 11 and 25 September, 9 October. The second is missed: Friday 11, called on Monday 14.
    story = next(one for one in played.outcome.stories if one.name == "A loyal customer in hardship agrees a plan")
    calls = {str(event.on) for event in story.events if "Call made" in event.text}
    assert min(calls) == "2026-09-14"


def test_nothing_is_doubled_or_lost_although_two_writes_went_wrong(played: Played) -> None:
    assert played.outcome.faults == 2, "both injected faults struck"
    assert (played.outcome.doubled, played.outcome.lost) == (0, 0)
    states = {state for states in played.outcome.effects.values() for state in states}
    assert states == {"done", "cancelled"}, "nothing hangs, nothing was refused by the ledger"
    done = {kind: states.get("done", 0) for kind, states in played.outcome.effects.items()}
    in_ledger = sum(count for kind, count in done.items() if kind != "letter")
    assert played.outcome.ledger_writes == in_ledger, "as many writes as effects: the ledger's count against ours"


def test_every_letter_left_once(played: Played) -> None:
    letters = list((played.project / ".dunwell" / "letters").glob("*.eml"))
    assert len(letters) == played.outcome.effects["letter"]["done"]
    keys = Counter(one.stem.rsplit("-", 1)[-1] for one in letters)
    assert max(keys.values()) == 1


def test_only_days_with_work_are_visited_and_calls_are_few(played: Played) -> None:
    assert 40 <= len(played.outcome.days) <= 75
    assert played.outcome.days == sorted(set(played.outcome.days))
    assert played.outcome.calls < 1500


def test_the_document(played: Played) -> None:
    from connector.cli.output import plain

    document = json.loads(json.dumps(plain(played.outcome.document())))
    assert set(document) == {
        "organisations", "days", "actions", "effects", "ledger_writes", "calls", "doubled", "lost", "faults", "stories",
    }  # fmt: skip
    assert document["organisations"] == [{"ledger": "xero", "name": "Harakeke Services"}]
    assert document["days"]["first"] == "2026-08-03"
    assert document["days"]["visited"] == len(played.outcome.days)
    assert {"letter", "reinvoice", "statement", "call", "tag_dispute", "write_schedule"} <= set(document["actions"])
    assert document["effects"]["note"]["done"] > 50
    assert [(one["name"], one["outcome"]) for one in document["stories"]] == [(name, "as told") for name in STORIES]


def test_what_a_newcomer_reads(played: Played) -> None:
    said = "\n".join(played.said)
    assert played.said[0].startswith("Harakeke Services is connected: 28 customers; ")
    assert all(len(line) <= 120 for line in played.said)
    assert "[dw:" not in said, "markers are for machines"
    assert "Moana Rangi: she had misplaced it and pays. → Thanks sent for the payment of INV-5002." in said
    assert "the plan says: reconcile first; nobody is asked for money" in said
    assert "Beech Hill" not in said, "the background is summed up"
    assert re.search(r"Others: .*friendly reminder ×\d", said)
    told = show.lines(played.outcome)
    assert [line for line in told if line.startswith("✓ ")] == [f"✓ {name}" for name in STORIES]
    sums = "\n".join(told[-8:])
    assert re.search(rf"^written to the ledger: .*: {played.outcome.ledger_writes} in all$", sums, re.MULTILINE)
    assert f"the ledger's own log: {played.outcome.ledger_writes} writes, doubled: 0, lost: 0" in told
    listed = re.findall(r"(\d+) [a-z ]+", next(line for line in told if line.startswith("written to the ledger")))
    assert sum(map(int, listed[:-1])) == int(listed[-1]) == played.outcome.ledger_writes, "the list adds up"


def test_the_shipped_books_are_a_small_firms() -> None:
    script = scenario.load()
    assert len(script.customers) >= 25
    assert sum(one.old_debts for one in script.customers if one.sort == "chase" and not one.currency) >= 60
    assert max(one.habit.months for one in script.customers if one.habit) >= 24
    assert {one.currency for one in script.customers if one.currency} == {"AUD", "USD", "GBP"}
    assert {one.happens for one in script.faults} == {"answer_lost", "not_available"}
    assert [one.name for one in script.stories if one.told] == list(STORIES[1:])
    assert {one.customer for one in script.stories} <= {one.ref for one in script.customers}
