"""The credit policy as a value: what a firm has decided, validated. Reading YAML is `connector.config`'s work."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import time
from decimal import ROUND_HALF_UP, Decimal
from typing import Self

from pydantic import BaseModel, Field, model_validator
from pydantic.fields import FieldInfo

from connector.domain.money import exponent
from connector.policy.case_sections import Dispute, Extension, Patience, Plan, Promise, Reissue, Replies
from connector.policy.fields import MONEY, Currency, Factor, Section
from connector.policy.sections import (
    Amounts,
    Authority,
    Autopilot,
    BillPromptly,
    Call,
    CashKnown,
    Contact,
    Freshness,
    Ladder,
    Reinvoice,
    Standing,
    Statements,
    TakeOn,
    Thanks,
)


class UnknownCurrency(ValueError):
    """The policy's thresholds cannot be turned into `currency`, or out of it: it has no factor."""

    def __init__(self, currency: str) -> None:
        super().__init__(f"{currency} has no factor: money thresholds cannot be turned into it or out of it")
        self.currency = currency


class Policy(Section):
    """One complete credit policy. Every section is required: a preset gives them all."""

    currency: Currency = Field(description="The currency of every money threshold in this document.")
    factors: dict[Currency, Factor] = Field(
        description="How many units of a currency stand for one pound, for thresholds only."
    )
    amounts: Amounts
    cash_known: CashKnown
    take_on: TakeOn
    bill_promptly: BillPromptly
    reinvoice: Reinvoice
    ladder: Ladder
    call: Call
    statements: Statements
    thanks: Thanks
    replies: Replies
    dispute: Dispute
    extension: Extension
    promise: Promise
    patience: Patience
    plan: Plan
    reissue: Reissue
    standing: Standing
    contact: Contact
    authority: Authority
    autopilot: Autopilot
    freshness: Freshness

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        if self.ladder.steps[0].after_days <= self.reinvoice.after_days:
            raise ValueError("ladder.steps[0].after_days must be later than reinvoice.after_days")
        if self.call.at_once < self.call.minimum:
            raise ValueError("call.at_once must not be below call.minimum")
        if self.extension.days > self.patience.longest_days:
            raise ValueError("extension.days must not be longer than patience.longest_days")
        if self.promise.longest_days > self.patience.longest_days:
            raise ValueError("promise.longest_days must not be longer than patience.longest_days")
        return self

    def scaled(self, currency: str) -> Policy:
        """The same policy with money thresholds in `currency`, rounded to its smallest unit.

        Raises `UnknownCurrency` where `factors` does not name it.
        """
        if currency == self.currency:
            return self
        missing = next((code for code in (self.currency, currency) if code not in self.factors), None)
        if missing:
            raise UnknownCurrency(missing)
        ratio = self.factors[currency] / self.factors[self.currency]
        scaled = _scale(self, ratio, Decimal(1).scaleb(-exponent(currency)))
        return Policy.model_validate(scaled | {"currency": currency})


def is_money(field: FieldInfo) -> bool:
    """Whether the setting is a money threshold."""
    return unit_of(field) == MONEY


def unit_of(field: FieldInfo) -> str:
    """The setting's unit, "" for none."""
    extra = field.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def _scale(model: BaseModel, ratio: Decimal, step: Decimal) -> dict[str, object]:
    result: dict[str, object] = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            result[name] = _scale(value, ratio, step)
        elif is_money(field):
            result[name] = (value * ratio).quantize(step, ROUND_HALF_UP)
        else:
            result[name] = value
    return result


def policy_version(policy: Policy) -> str:
    """16 hex digits over the content: the same settings always have the same version."""
    content = policy.model_dump(mode="json")
    return hashlib.sha256(json.dumps(_plain_numbers(content, policy), sort_keys=True).encode()).hexdigest()[:16]


def _plain_numbers(content: dict[str, object], model: BaseModel) -> dict[str, object]:
    """Decimals without trailing zeros, so that 500 and 500.00 are the same setting."""
    result = dict(content)
    for name in content:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            result[name] = _plain_numbers(value.model_dump(mode="json"), value)
        elif isinstance(value, Decimal):
            result[name] = f"{value.normalize():f}"
        elif isinstance(value, dict):
            result[name] = {key: f"{Decimal(number).normalize():f}" for key, number in value.items()}
    return result


def describe(policy: Policy) -> str:
    """The policy in plain language, section by section, for owners and customers to read."""
    lines = [f"Credit policy (amounts in {policy.currency})"]
    for name in type(policy).model_fields:
        section = getattr(policy, name)
        if isinstance(section, BaseModel):
            lines += ["", f"{_title(name)}. {_first_line(section)}", *_sentences(section, policy.currency, "  ")]
    return "\n".join(lines) + "\n"


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _first_line(section: BaseModel) -> str:
    return " ".join((type(section).__doc__ or "").split("\n\n")[0].split())


def _sentences(section: BaseModel, currency: str, indent: str) -> Iterator[str]:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if value is None:
            continue
        label = (field.description or _title(name)).rstrip(".")
        if isinstance(value, BaseModel):
            yield f"{indent}{_title(name)}. {_first_line(value)}"
            yield from _sentences(value, currency, indent + "  ")
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            yield f"{indent}{label}:"
            yield from (f"{indent}  - {_inline(entry, currency)}" for entry in value)
        else:
            yield f"{indent}{label}: {_worded(value, field, currency)}"


def _inline(entry: BaseModel, currency: str) -> str:
    fields = type(entry).model_fields.items()
    return ", ".join(
        f"{_title(name).lower().removesuffix(' days')} {_worded(value, field, currency)}"
        for name, field in fields
        if (value := getattr(entry, name)) != ()
    )


def _worded(value: object, field: FieldInfo, currency: str) -> str:
    unit = unit_of(field)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(str(entry).replace("_", " ") for entry in value) or "none"
    if isinstance(value, Decimal):
        if unit == MONEY:
            return f"{currency} {value:,f}"
        if unit.startswith("share"):
            return f"{(value * 100).normalize():f} %"
        return f"{value.normalize():f}"
    if isinstance(value, str):
        return value.replace("_", " ")
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return f"{value} {unit.removesuffix('s') if value == 1 else unit}".strip()
