"""Stories of plans, of old debts and of what nobody reconciled, each with a variant that ends differently."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connector.demo.scenario import Scenario
from connector.demo.stories import StoryOutcome
from tests.demo.small import only, story_of, tell, wrote

pytestmark = [pytest.mark.socket, pytest.mark.timeout(120)]

FRIEND = "A valued family friend misplaced the invoice"
HARDSHIP = "A loyal customer in hardship agrees a plan"
OLD = "The first run over old debts"


def test_every_instalment_is_paid() -> None:
    document = only(HARDSHIP, days=68)
    steps: list[dict[str, Any]] = story_of(document)["steps"]

    def kept(after: int, **amount: str) -> dict[str, Any]:
        return {"after": after, "because": "kept", "books": [{"do": "pay", "invoice": "INV-5004", **amount}]}

    steps[4:] = [kept(13, amount="600.00"), kept(14, amount="600.00"), kept(14)]
    story, _ = tell(document)
    assert story.wrong == "the ledger never showed note 'Call made' (in this order)"
    assert len(wrote(story, "completed")) == 1
    assert wrote(story, "reminder") == []


def test_old_debts_before_the_take_on_is_closed() -> None:
    document = only(OLD, days=9) | {"take_on": "left_open"}
    story, outcome = tell(document)
    assert outcome.ledger_writes == 0
    assert story.events == ()
    assert {state for states in outcome.effects.values() for state in states} <= {"planned", "cancelled"}


def test_old_debts_that_stay_unpaid() -> None:
    document = only(OLD, days=16)
    story_of(document)["steps"] = []
    story, _ = tell(document)
    assert "Friendly reminder" in story.wrong
    assert wrote(story, "Statement sent") == ["2026-08-04"], "a statement first, and only one"


def _while_away(*, away: bool) -> tuple[StoryOutcome, StoryOutcome]:
    """The friend does not pay; is the bookkeeper away when her reminder would be due (25 August to 8 September)?"""
    document = only(FRIEND, days=36)
    story_of(document)["steps"] = story_of(document)["steps"][:1]
    if away:
        document["bookkeeper_away"] = [20, 36]
    story, outcome = tell(document)
    return outcome.stories[0], story


def test_books_that_nobody_reconciles() -> None:
    reconcile, story = _while_away(away=True)
    assert reconcile.name == "The books are not reconciled"
    assert reconcile.as_told
    assert wrote(story, "reminder") == []
    assert reconcile.did[-1][1].startswith("the plan says: reconcile first")


def test_books_that_are_reconciled() -> None:
    only_story, story = _while_away(away=False)
    assert only_story is story, "no bookkeeper is away: that story is not played"
    assert wrote(story, "Friendly reminder") == ["2026-08-31"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"colour": "blue"},
        {"days": 0},
        {"customers": []},
        {"faults": [{"day": 1, "write": "everything", "happens": "answer_lost", "because": "?"}]},
        {"faults": [{"day": 1, "happens": "explodes", "because": "?"}]},
        {"take_on": "later"},
    ],
)
def test_a_scenario_that_breaks_the_schema_is_refused(wrong: dict[str, Any]) -> None:
    document = only(FRIEND, days=5)
    Scenario.model_validate(document)
    with pytest.raises(ValidationError):
        Scenario.model_validate(document | wrong)
