"""The policy as a value: presets are complete and differ as intended, bounds hold, versions follow content."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from connector.config.layers import PRESETS, load_preset
from connector.domain.dates import Calendar
from connector.domain.decisions import ActionKind, Decision, DunningLevel, TargetKind
from connector.domain.money import Money
from connector.policy.document import Policy, UnknownCurrency, describe, policy_version
from tests.builders import money

STANDARD = load_preset("standard")


def _changed(path: str, value: object) -> dict[str, Any]:
    data: dict[str, Any] = STANDARD.model_dump()
    *sections, name = path.split(".")
    place = data
    for section in sections:
        place = place[section]
    place[name] = value
    return data


def _steps(*steps: tuple[str, int]) -> list[dict[str, object]]:
    return [{"level": level, "after_days": days} for level, days in steps]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("plan.first_share", 0.25, "exact number"),
        ("plan.first_share", "1.01", "less than or equal to 1"),
        ("amounts.minimum_to_chase", "-1", "greater than or equal to 0"),
        ("amounts.minimum_to_chase", True, "exact number"),
        ("promise.longest_days", "10", "valid integer"),
        ("promise.longest_days", True, "valid integer"),
        ("promise.longest_days", 31, "patience.longest_days"),
        ("extension.days", 31, "patience.longest_days"),
        ("thanks.enabled", "yes", "valid boolean"),
        ("contact.per_7_days", 4, "less than or equal to 3"),
        ("contact.opens", "18:00", "open before they close"),
        ("contact.closes", "21:00", "within 08:00 and 20:00"),
        ("contact.opens", "9 am", "HH:MM"),
        ("plan.ceiling_instalments", 3, "approval ceiling"),
        ("plan.cadences", ["daily"], "weekly"),
        ("ladder.by_bd", 5, "exactly one"),
        ("ladder.by_days", None, "exactly one"),
        ("ladder.by_days", 0, "exactly one"),
        ("ladder.steps", _steps(("reminder", 8), ("friendly", 15)), "mild to firm"),
        ("ladder.steps", _steps(("friendly", 8), ("friendly", 15)), "each level once"),
        ("ladder.steps", _steps(("friendly", 8), ("reminder", 8)), "later than the one before"),
        ("ladder.steps", _steps(("friendly", 8), ("firm", 15)), "needs a call"),
        ("ladder.steps", _steps(("call", 8), ("final", 15)), "needs a firm one"),
        ("ladder.steps", _steps(("call", 8), ("firm", 15), ("hand_over", 30)), "needs a final letter"),
        ("ladder.steps", _steps(("friendly", 2)), "later than reinvoice.after_days"),
        ("ladder.steps", [], "at least 1"),
        ("reinvoice.latest_days", 1, "before after_days"),
        ("call.at_once", "10", "call.minimum"),
        ("authority.plan_ceiling", "staff", "principal"),
        ("autopilot.acts", ["final"], "friendly"),
        ("currency", "nzd", "three capital letters"),
        ("factors", {"GBP": 0}, "greater than 0"),
        ("goodwill", {"per_event": 150}, "Extra inputs"),
    ],
)
def test_a_policy_out_of_bounds_is_refused(path: str, value: object, message: str) -> None:
    Policy.model_validate(STANDARD.model_dump())
    with pytest.raises(ValidationError, match=message):
        Policy.model_validate(_changed(path, value))


def _leaves(model: BaseModel, path: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        here = f"{path}{name}"
        found |= _leaves(value, f"{here}.") if isinstance(value, BaseModel) else {here: value}
    return found


def test_every_setting_says_what_it_means() -> None:
    def undescribed(model: type[BaseModel], path: str) -> list[str]:
        found = [] if model.__doc__ else [path]
        for name, field in model.model_fields.items():
            kind = field.annotation
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found += undescribed(kind, f"{path}.{name}")
            elif not field.description:
                found.append(f"{path}.{name}")
        return found

    assert undescribed(Policy, "policy") == []


@pytest.mark.parametrize(
    ("setting", "gentle", "standard", "firm"),
    [
        ("ladder.after.final", 55, 42, 28),
        ("reinvoice.after_days", 3, 2, 1),
        ("extension.days", 14, 7, 5),
        ("extension.ask_until_days", 30, 21, 10),
        ("promise.longest_days", 14, 10, 7),
        ("promise.per_invoice", 2, 2, 1),
        ("patience.longest_days", 45, 30, 14),
        ("plan.minimum_debt", 300, 500, 1000),
        ("plan.instalments", 6, 4, 3),
        ("plan.ceiling_instalments", 12, 6, 4),
        ("plan.breach_days", 5, 3, 1),
        ("dispute.decide_bd", 15, 10, 7),
        ("replies.answer_bd", 2, 1, 1),
        ("amounts.minimum_to_chase", 30, 20, 10),
        ("call.at_once", 10_000, 5_000, 2_500),
        ("contact.per_30_days", 3, 5, 7),
        ("take_on.per_day", 5, 10, 15),
    ],
)
def test_presets_are_the_practitioners_numbers(setting: str, gentle: int, standard: int, firm: int) -> None:
    def value(preset: str) -> object:
        policy = load_preset(preset)
        return policy.ladder.after(DunningLevel.FINAL) if setting == "ladder.after.final" else _leaves(policy)[setting]

    assert [value(name) for name in PRESETS] == [gentle, standard, firm]


def test_the_firm_ladder_has_no_friendly_letter() -> None:
    assert load_preset("firm").ladder.after(DunningLevel.FRIENDLY) is None
    assert DunningLevel.FRIENDLY in STANDARD.ladder.levels


def test_a_letter_names_a_business_day() -> None:
    calendar = Calendar(frozenset({date(2026, 3, 9)}))
    monday = date(2026, 3, 2)
    assert STANDARD.ladder.by_date(calendar, monday) == date(2026, 3, 10)  # seven days on is a holiday
    assert load_preset("firm").ladder.by_date(calendar, monday) == date(2026, 3, 10)  # five business days
    assert load_preset("gentle").ladder.by_date(calendar, monday) == date(2026, 3, 12)


def test_thresholds_scale_to_the_base_currency_and_nothing_else_does() -> None:
    scaled = STANDARD.scaled("NZD")
    before, after = _leaves(STANDARD), _leaves(scaled)
    changed = {name for name, value in after.items() if value != before[name]}
    assert changed == {
        "currency",
        "amounts.minimum_to_chase",
        "call.minimum",
        "call.at_once",
        "plan.minimum_debt",
        "plan.minimum_instalment",
        "autopilot.limit",
    }
    assert scaled.amounts.minimum_to_chase == 40
    assert STANDARD.scaled("USD").call.minimum == Decimal(195)
    assert scaled.scaled("GBP").amounts == STANDARD.amounts


def test_a_currency_without_small_change_gets_whole_thresholds() -> None:
    yen = Policy.model_validate(_changed("factors", {"GBP": 1, "JPY": "190.55"})).scaled("JPY")
    assert yen.amounts.minimum_to_chase == 3811


def test_a_currency_without_a_factor_is_refused() -> None:
    with pytest.raises(UnknownCurrency, match="BTN"):
        STANDARD.scaled("BTN")


def test_the_version_follows_the_content_and_only_the_content() -> None:
    same = Policy.model_validate(_changed("amounts.minimum_to_chase", "20.00"))
    other = Policy.model_validate(_changed("amounts.minimum_to_chase", "20.01"))
    assert policy_version(same) == policy_version(STANDARD)
    assert policy_version(other) != policy_version(STANDARD)
    assert len({policy_version(load_preset(name)) for name in PRESETS}) == len(PRESETS)
    assert policy_version(STANDARD.scaled("NZD")) != policy_version(STANDARD)


def test_the_plain_rendering_tells_every_section_and_its_numbers() -> None:
    text = describe(STANDARD.scaled("NZD"))
    sections = [name for name in Policy.model_fields if name not in ("currency", "factors")]
    for name in sections:
        assert f"\n{name.replace('_', ' ').capitalize()}. " in text
    for phrase in (
        "NZD 40.00",
        "level final, after 42 days",
        "Least part that the first payment covers: 25 %",
        "Acknowledge within this time: 1 business day\n",
        "Earliest, local time: 09:00",
        "fortnightly, monthly",
    ):
        assert phrase in text


def _letter(amount: Money | None, level: DunningLevel = DunningLevel.FRIENDLY) -> Decision:
    return Decision(
        rule="ladder", kind=ActionKind.LETTER, target_kind=TargetKind.CUSTOMER, target="c", customer_id="c",
        occasion="i:2", reasons=(), level=level, amount=amount,
    )  # fmt: skip


def test_autopilot_covers_the_named_acts_up_to_the_limit_in_base_currency() -> None:
    firm = load_preset("firm").scaled("NZD").autopilot  # friendly letters up to NZD 5,000.00
    assert firm.covers(_letter(money("5000.00")), "NZD")
    assert not firm.covers(_letter(money("5000.01")), "NZD")
    assert not firm.covers(_letter(money("10.00", "USD")), "NZD")
    assert not firm.covers(_letter(money("10.00"), DunningLevel.FINAL), "NZD")
    assert not STANDARD.scaled("NZD").autopilot.covers(_letter(money("10.00")), "NZD")
    assert not load_preset("gentle").autopilot.covers(_letter(None), "GBP")
