"""A typo in policy.yaml stops what decides; what people tell us is recorded all the same."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from connector.config import layers
from tests.cli.conftest import Desk

pytestmark = pytest.mark.socket

TYPO = "preset: gentle\ndispute:\n  decide_bd: 3\nladder:\n  setps: []\n"
BROKEN = "preset: [\n"
TOLD = (
    ("pull",),
    ("books", "known-to", "2026-11-23"),
    ("report",),
    ("reply", "Ridgeway University", "query"),
    ("hold", "set", "Basket Case", "insolvency"),
    ("party", "Ridgeway University", "public_body"),
    ("exclude", "Basket Case", "--reason", "friends", "--until", "2026-12-24"),
    ("opt-out", "Basket Case", "--reason", "asked for calls only"),
    ("promise", "INV-0006", "--on", "2026-12-01"),
    ("take-on",),
    ("take-on", "sort", "Ridgeway University", "chase"),
    ("dispute", "open", "INV-0010", "--code", "quality"),
    ("dispute", "list"),
    ("dispute", "resolve", "INV-0010", "--outcome", "withdrawn"),
    ("call", "list"),
    ("effects",),
)
DECIDES = (("plan",), ("apply",), ("run", "--once"), ("explain", "INV-0010"), ("extend", "INV-0015"))


@pytest.mark.parametrize("text", [TYPO, BROKEN], ids=["typo", "no YAML"])
def test_what_people_tell_us_is_recorded_and_nothing_is_decided(connected: Desk, text: str) -> None:
    (connected.folder / "policy.yaml").write_text(text)
    said = ""
    for words in TOLD:
        said += connected.ok(*words).err
    assert said.count("nothing is decided before that is mended") == 1
    assert "policy.yaml:" in said
    for words in DECIDES:
        answer = connected.run(*words)
        assert (answer.code, "policy.yaml:" in answer.err) == (1, True), words
    if text == BROKEN:  # a typo names what is allowed instead
        assert "policy.yaml, then run dunwell apply again" in connected.run("apply").err


def test_the_sound_sections_count_and_the_wrong_one_is_the_presets(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(TYPO)
    sound = layers.load_sound_policy(tmp_path, "GBP", "firm").policy
    gentle = layers.load_preset("gentle")
    assert (sound.dispute.decide_bd, sound.ladder) == (3, gentle.ladder)
    assert gentle.dispute.decide_bd != 3
    path.write_text(BROKEN)
    assert layers.load_sound_policy(tmp_path, "GBP", "firm").policy == layers.load_preset("firm")
    path.write_text("preset: gentel\npromise:\n  longest_days: 12\n")
    mixed = layers.load_sound_policy(tmp_path, "GBP", "firm").policy
    assert (mixed.promise.longest_days, mixed.ladder) == (12, layers.load_preset("firm").ladder)


def test_a_query_is_dated_by_what_is_sound(connected: Desk) -> None:
    (connected.folder / "policy.yaml").write_text(TYPO)
    opened = connected.ok("dispute", "open", "INV-0010", "--code", "quality", "--json").json["record"]
    assert date.fromisoformat(opened["decide_by"]) == date(2026, 11, 27), "three business days after Tuesday"


def test_an_empty_policy_is_the_standard_preset_and_says_so(connected: Desk) -> None:
    (connected.folder / "policy.yaml").write_text("\n# nothing\n")
    checked = connected.ok("policy", "check")
    assert "policy.yaml is empty: the preset standard is in force" in checked.err
