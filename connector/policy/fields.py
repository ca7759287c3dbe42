"""What a policy setting can be: exact numbers with a unit and bounds."""

from __future__ import annotations

import re
from datetime import date, time
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict


def _no_float(value: object) -> object:
    if isinstance(value, float | bool):
        raise ValueError("an exact number is needed: write it as digits or in quotes")
    return value


MONEY = "money"
Days = Annotated[int, Strict(), Field(ge=0, le=1000, json_schema_extra={"unit": "days"})]
BusinessDays = Annotated[int, Strict(), Field(ge=0, le=60, json_schema_extra={"unit": "business days"})]
Months = Annotated[int, Strict(), Field(ge=1, le=60, json_schema_extra={"unit": "months"})]
Count = Annotated[int, Strict(), Field(ge=0, le=1000)]
Flag = Annotated[bool, Strict()]
Threshold = Annotated[
    Decimal,
    BeforeValidator(_no_float),
    Field(ge=0, le=Decimal(10**9), decimal_places=4, json_schema_extra={"unit": MONEY}),
]
Share = Annotated[
    Decimal,
    BeforeValidator(_no_float),
    Field(ge=0, le=1, decimal_places=4, json_schema_extra={"unit": "share, 0 to 1"}),
]
Factor = Annotated[Decimal, BeforeValidator(_no_float), Field(gt=0, le=100_000, decimal_places=4)]


def _every_year(value: str) -> str:
    """A day that every year has: not 29 February."""
    try:
        date.fromisoformat(f"2023-{value}")
    except ValueError:
        raise ValueError('a day of the year is written "MM-DD", e.g. "12-20"') from None
    return value


MonthDay = Annotated[str, AfterValidator(_every_year)]


def _currency(value: str) -> str:
    if not (len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()):
        raise ValueError("a currency is three capital letters, e.g. NZD")
    return value


Currency = Annotated[str, AfterValidator(_currency)]


def _hours_and_minutes(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9](:00)?", value) is None:
        raise ValueError('a time of day is written "HH:MM", e.g. "09:30"')
    if not isinstance(value, str | time):
        raise ValueError('a time of day is written "HH:MM", e.g. "09:30"')
    return value


TimeOfDay = Annotated[time, BeforeValidator(_hours_and_minutes)]


class Section(BaseModel):
    """Frozen; a key that no rule reads is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
