"""Path templates and the way from a path to the template that it fits. Letters' case and a last slash do not count:
client libraries in long use ask for /Invoices/{id}/history/."""

from __future__ import annotations

from collections import defaultdict
from typing import Generic, TypeVar

Value = TypeVar("Value")


class PathTable(Generic[Value]):
    """Templates like "/Invoices/{InvoiceID}/History", each with a value. Literal segments win over parameters."""

    def __init__(self) -> None:
        self._by_length: defaultdict[int, list[tuple[tuple[str, ...], str, Value]]] = defaultdict(list)

    def add(self, template: str, value: Value) -> None:
        """Add a template; the first of two that fit the same path equally well wins."""
        segments = tuple(template.strip("/").split("/"))
        rows = self._by_length[len(segments)]
        rows.append((segments, template, value))
        rows.sort(key=lambda row: [segment.startswith("{") for segment in row[0]])

    def find(self, path: str) -> tuple[str, Value, dict[str, str]] | None:
        """Return the template, its value and the path's parameters, or None."""
        parts = path.strip("/").split("/")
        for segments, template, value in self._by_length.get(len(parts), ()):
            params: dict[str, str] = {}
            for segment, part in zip(segments, parts, strict=True):
                if segment.startswith("{") and part:
                    params[segment[1:-1]] = part
                elif segment.lower() != part.lower():
                    break
            else:
                return template, value, params
        return None
