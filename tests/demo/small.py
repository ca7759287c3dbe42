"""Small scenarios made from the shipped one: one story, its customer, and one fact that is different."""

from __future__ import annotations

import copy
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from connector.demo.play import Outcome, play
from connector.demo.scenario import Scenario
from connector.demo.stories import StoryOutcome


@cache
def _shipped() -> dict[str, Any]:
    text = files("connector.demo").joinpath("scenario.yaml").read_text("utf-8")
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return document


def only(name: str, *, days: int) -> dict[str, Any]:
    """The shipped document with this story and its customer alone, undisturbed, for so many days."""
    document = copy.deepcopy(_shipped())
    story = next(one for one in document["stories"] if one["name"] == name)
    who = story["customer"]
    document["customers"] = [one for one in document["customers"] if one["ref"] == who]
    document["invoices"] = [one for one in document["invoices"] if one["customer"] == who]
    document["credits"] = [one for one in document["credits"] if one["customer"] == who]
    document |= {"stories": [story], "faults": [], "bookkeeper_away": None, "days": days}
    return document


def story_of(document: dict[str, Any]) -> dict[str, Any]:
    """The one story, to be changed in place."""
    story: dict[str, Any] = document["stories"][0]
    return story


def tell(document: dict[str, Any]) -> tuple[StoryOutcome, Outcome]:
    """Play it; the story's own outcome and the whole. Nothing may ever be doubled or lost."""
    outcome = play("xero", keep=None, tell=None, serve=False, scenario=Scenario.model_validate(document))
    assert (outcome.doubled, outcome.lost) == (0, 0)
    return outcome.stories[-1], outcome


def wrote(story: StoryOutcome, words: str, kind: str = "note") -> list[str]:
    """The days on which the ledger shows such a write, oldest first, each once."""
    days = [str(event.on) for event in story.events if event.kind == kind and words.casefold() in event.text.casefold()]
    return list(dict.fromkeys(days))
