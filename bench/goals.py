"""The goals: what is measured, what was asked for, and whether it is met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Figure:
    """One measured figure beside its goal."""

    name: str
    measured: float
    goal: float
    better: Literal["more", "less"]
    unit: str
    note: str = ""

    @property
    def met(self) -> bool:
        return self.measured >= self.goal if self.better == "more" else self.measured <= self.goal

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "met": self.met}


def told(figures: list[Figure]) -> str:
    """The table."""
    lines = [("goal", "asked for", "measured", "", "what")]
    for one in figures:
        sign = "≥" if one.better == "more" else "≤"
        asked, measured = f"{sign} {one.goal:g} {one.unit}", f"{one.measured:.3g} {one.unit}"
        lines.append((one.name, asked, measured, "met" if one.met else "MISSED", one.note))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, [*widths, 0], strict=True)).rstrip() for line in lines
    )
