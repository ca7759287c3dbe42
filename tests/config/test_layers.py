"""The policy in force: preset and file merged with provenance; every finding with place, path and what is allowed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from connector.config.layers import LoadedPolicy, check_policy, load_policy, load_preset, merge
from connector.domain.decisions import DunningLevel
from connector.errors import ConfigError
from connector.policy.case_sections import Cadence
from connector.policy.document import policy_version


def _load(folder: Path, text: str, currency: str | None = None) -> LoadedPolicy:
    (folder / "policy.yaml").write_text(text, "utf-8")
    return load_policy(folder, currency)


def _findings(folder: Path, text: str) -> list[tuple[int, int, str, str, str]]:
    (folder / "policy.yaml").write_text(text, "utf-8")
    return [(one.line, one.column, one.path, one.what, one.fix) for one in check_policy(folder)]


def test_maps_merge_lists_replace_null_resets() -> None:
    below = {"a": {"b": 1, "c": 2}, "d": [1, 2], "e": 3}
    assert merge(below, {"a": {"b": 9}, "d": [7], "e": None}) == {"a": {"b": 9, "c": 2}, "d": [7], "e": 3}
    assert merge(below, {"a": None}) == below
    assert merge(below, {"f": None}) == {**below, "f": None}  # an unknown name is not swallowed


def test_an_empty_file_is_the_standard_preset(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "")
    assert loaded.policy == load_preset("standard")
    assert loaded.version == policy_version(load_preset("standard"))


def test_the_file_is_laid_over_its_preset_and_every_setting_knows_its_origin(tmp_path: Path) -> None:
    loaded = _load(
        tmp_path,
        "preset: gentle\n"
        "promise:\n  longest_days: 12\n  per_invoice: null\n"
        "ladder:\n  steps:\n    - {level: reminder, after_days: 9}\n"
        "plan:\n  cadences: [monthly]\n",
    )
    policy, gentle = loaded.policy, load_preset("gentle")
    assert policy.promise.longest_days == 12
    assert policy.promise.per_invoice == gentle.promise.per_invoice
    assert policy.ladder.levels == (DunningLevel.REMINDER,)
    assert policy.plan.cadences == (Cadence.MONTHLY,)
    assert policy.plan.minimum_debt == gentle.plan.minimum_debt
    assert str(loaded.provenance["promise.longest_days"]) == "policy (policy.yaml:3)"
    assert str(loaded.provenance["ladder.steps"]) == "policy (policy.yaml:6)"
    assert loaded.provenance["promise.per_invoice"].layer == "preset gentle"
    assert loaded.provenance["plan.minimum_debt"].line > 0
    assert loaded.version != policy_version(gentle)
    assert loaded.preset == "gentle"


def test_presets_are_scaled_and_what_the_file_says_is_not(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "amounts: {minimum_to_chase: 55}\n", "NZD")
    assert loaded.policy.currency == "NZD"
    assert loaded.policy.amounts.minimum_to_chase == 55
    assert loaded.policy.plan.minimum_debt == 1000


def test_a_file_in_one_currency_serves_an_organisation_in_another(tmp_path: Path) -> None:
    text = "currency: NZD\namounts: {minimum_to_chase: 50}\n"
    assert _load(tmp_path, text).policy.currency == "NZD"
    pounds = _load(tmp_path, text, "GBP").policy
    assert pounds.amounts.minimum_to_chase == 25
    assert pounds.plan.minimum_debt == 500


def test_a_missing_factor_is_asked_for_and_may_be_given(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="BTN has no factor") as caught:
        _load(tmp_path, "", "BTN")
    assert "factors: {BTN" in caught.value.fix
    assert _load(tmp_path, "factors: {BTN: 13.1}\n", "BTN").policy.amounts.minimum_to_chase == Decimal("262.00")


def test_the_other_way_to_say_time_to_pay_replaces_the_presets(tmp_path: Path) -> None:
    ladder = _load(tmp_path, "ladder: {by_bd: 4}\n").policy.ladder
    assert (ladder.by_days, ladder.by_bd) == (None, 4)
    ladder = _load(tmp_path, "preset: firm\nladder: {by_days: 6}\n").policy.ladder
    assert (ladder.by_days, ladder.by_bd) == (6, None)


def test_all_findings_are_told_in_order_each_where_it_stands(tmp_path: Path) -> None:
    found = _findings(
        tmp_path,
        "preset: standart\n"
        "ladder:\n"
        "  steps:\n"
        "    - {level: rude, after_days: 8}\n"
        '    - {level: remindr, after_days: "15"}\n'
        "  interval_facor: {solid: 2}\n"
        "plans: {instalments: 3}\n"
        "plan:\n"
        "  first_share: 1.5\n"
        "plan: {}\n",
    )
    levels = "friendly, reminder, call, firm, principal, final, hand_over"
    assert found == [
        (1, 9, "preset", "preset = standart is not a preset", "did you mean standard?"),
        (
            4, 15, "ladder.steps[0].level", f'ladder.steps[0].level = "rude" is not one of {levels}',
            f"allowed: {levels}",
        ),
        (
            5, 15, "ladder.steps[1].level", f'ladder.steps[1].level = "remindr" is not one of {levels}',
            "did you mean reminder?",
        ),
        (
            5, 36, "ladder.steps[1].after_days", 'ladder.steps[1].after_days = "15": must be a valid integer',
            "write it without quotes",
        ),
        (6, 3, "ladder.interval_facor", "ladder.interval_facor is not a setting", "did you mean interval_factor?"),
        (7, 1, "plans", "plans is not a setting", "did you mean plan?"),
        (9, 16, "plan.first_share", "plan.first_share = 1.5: must be less than or equal to 1", ""),
        (10, 1, "plan", "plan is given twice, first in line 8", "keep one of them"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "path"),
    [
        ("\ncall: {minimum: 9000}\n", 2, "call.at_once"),
        ("\npatience:\n  longest_days: 8\n", 1, "promise.longest_days"),
        ("promise:\n  longest_days: 31\n", 2, "promise.longest_days"),
        ("ladder:\n  steps:\n  - {level: friendly, after_days: 2}\n", 3, "ladder.steps[0].after_days"),
        ("\nladder: {by_days: 5, by_bd: 5}\n", 2, "ladder"),
        ("goodwill: {per_event: 100}\n", 1, "goodwill"),
        ("presett: firm\n", 1, "presett"),
        ("currency: nzd\n", 1, "currency"),
        ("factors: {EURO: 1}\n", 1, "factors.EURO"),
        ("plan: 5\n", 1, "plan"),
        ("interest:\n", 1, "interest"),
        ("ladder:\n  steps:\n  - {level: friendly}\n", 3, "ladder.steps[0].after_days"),
    ],
)
def test_a_finding_names_the_setting_it_speaks_of(tmp_path: Path, text: str, line: int, path: str) -> None:
    assert (line, path) in [(found[0], found[2]) for found in _findings(tmp_path, text)]


def test_loading_stops_at_the_first_finding(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="preset = loud") as caught:
        _load(tmp_path, "preset: loud\nplans: 1\n")
    assert (caught.value.line, caught.value.not_done) == (1, "nothing was decided or sent")


def test_a_project_without_a_policy_is_told_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        load_policy(tmp_path)
    assert "dunwell init" in caught.value.fix
    with pytest.raises(ConfigError, match="loud"):
        load_preset("loud")


def test_hostile_values_are_shown_harmlessly_and_short(tmp_path: Path) -> None:
    (found,) = _findings(tmp_path, 'contact: {opens: "\\e[31m' + "x" * 200 + '"}\n')
    assert "\x1b" not in found[3]
    assert len(found[3]) < 200


def test_a_single_file_can_be_checked(tmp_path: Path) -> None:
    file = tmp_path / "draft.yaml"
    file.write_text("plans: 1\n")
    assert [one.path for one in check_policy(file)] == ["plans"]
