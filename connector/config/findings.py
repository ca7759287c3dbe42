"""From validation errors to findings: file, line, column, path, what is allowed, and the nearest name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from connector.config.document import Document, Part, Place, Position, dotted, located
from connector.errors import ConfigError

_SHOWN = 60
_SUBJECT = re.compile(r"^(input|string|tuple|dictionary|value) should")


def findings(
    error: ValidationError, document: Document, model: type[BaseModel], also: Sequence[str] = ()
) -> Iterator[ConfigError]:
    """Each thing that is wrong, placed where `document` says it (or nearest to it). `also`: further top-level names."""
    details = [(tuple(part for part in d["loc"] if part != "[key]"), d) for d in error.errors(include_url=False)]
    for place, detail in details:
        if any(len(other) > len(place) and other[: len(place)] == place for other, _ in details):
            continue  # a list is "too short" only because its entries are wrong
        unknown = detail["type"] == "extra_forbidden"
        if unknown:
            names = [*_names(model, place[:-1]), *(also if len(place) == 1 else ())]
            what, fix = f"{dotted(place)} is not a setting", nearest(place[-1], sorted(names))
        else:
            place = place or _named_first(detail["msg"])
            what, fix = _worded(detail, place)
        yield located(document.file, place_in(document, place, of_key=unknown), place, what, fix)


def place_in(document: Document, place: Place, *, of_key: bool = False) -> Position:
    """The position of the setting, or of what it stands in; (1, 1) when the file mentions none of it."""
    for length in range(len(place), 0, -1):
        if found := document.position(place[:length], of_key=of_key or length < len(place)):
            return found
    return Position(1, 1)


def nearest(word: object, allowed: Sequence[str]) -> str:
    """`did you mean …?` for a near miss, else the list of what is allowed."""
    close = get_close_matches(str(word), allowed, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"allowed: {', '.join(allowed)}"


def _named_first(message: str) -> Place:
    """The setting that a finding about several sections speaks of first ("call.at_once must …")."""
    word = message.removeprefix("Value error, ").split(" ", 1)[0]
    return tuple(int(p) if p.isdecimal() else p for p in re.findall(r"[a-z_]+|[0-9]+", word)) if "." in word else ()


def _worded(detail: ErrorDetails, place: Place) -> tuple[str, str]:
    path = dotted(place) or "the file"
    kind, given = detail["type"], detail["input"]
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return f"{path} = {_shown(given)}: settings in it must be given by name, as `name: value`", ""
    if kind == "tuple_type":
        return f"{path} = {_shown(given)}: must be a list", ""
    if kind == "missing":
        return f"{path} is missing", ""
    if kind in ("literal_error", "enum"):
        allowed = [word.strip("' ") for word in _expected(detail["ctx"]["expected"])]
        return f"{path} = {_shown(given)} is not one of {', '.join(allowed)}", nearest(given, allowed)
    what = detail["msg"].removeprefix("Value error, ")
    what = _SUBJECT.sub("must", what[:1].lower() + what[1:]).replace(" after validation, not 0", "")
    if what.startswith(path):
        return what, ""
    if isinstance(given, dict | list | BaseModel):
        return f"{path}: {what}", ""
    fix = "write it without quotes" if kind == "int_type" and isinstance(given, str) and given.isdecimal() else ""
    return f"{path} = {_shown(given)}: {what}", fix


def _expected(text: str) -> Iterable[str]:
    return text.replace(" or ", ", ").split(", ")


def _shown(given: object) -> str:
    text = f'"{given}"' if isinstance(given, str) else str(given).lower() if isinstance(given, bool) else str(given)
    printable = "".join(c if c.isprintable() else "?" for c in text)
    return printable if len(printable) <= _SHOWN else f"{printable[: _SHOWN - 1]}…"


def _names(model: type[BaseModel], place: Sequence[Part]) -> list[str]:
    """The settings that exist at this place."""
    current: type[BaseModel] | None = model
    for part in place:
        if isinstance(part, str) and current is not None:
            field = current.model_fields.get(part)
            current = _model_in(field.annotation) if field is not None else None
    return sorted(current.model_fields) if current is not None else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)
