"""What a policy setting can be: exact numbers with a unit and bounds."""

from __future__ import annotations

from datetime import date
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
Factor = Annotated[Decimal, BeforeValidator(_no_float), Field(gt=0, le=10_000, decimal_places=4)]


def _every_year(value: str) -> str:
    date.fromisoformat(f"2023-{value}")  # a day that every year has: not 29 February
    return value


MonthDay = Annotated[str, Field(pattern=r"^[0-9]{2}-[0-9]{2}$"), AfterValidator(_every_year)]


class Section(BaseModel):
    """Frozen; a key that no rule reads is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
