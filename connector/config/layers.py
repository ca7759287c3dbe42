"""The policy in force: a preset, and over it what policy.yaml says.

Maps merge deep, lists replace whole, null goes back to the preset.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from connector.config.document import Document, Position, dotted, located, read_document
from connector.config.findings import findings, nearest, place_in
from connector.errors import ConfigError
from connector.policy.document import Policy, UnknownCurrency, policy_version

_log = logging.getLogger("dunwell.policy")
PRESETS: Final = ("gentle", "standard", "firm")
POLICY_FILE: Final = "policy.yaml"
# Two ways to say one thing: setting one in a later layer takes the other away.
_EITHER_OR: Final = {"by_days": "by_bd", "by_bd": "by_days"}

Settings = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Origin:
    """Which layer set a value, and where. Line 0 = the model's own default."""

    layer: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.layer} ({self.file}:{self.line})" if self.line else self.layer


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy in the organisation's currency, its version, and where each setting (dotted path) was set."""

    policy: Policy
    version: str
    provenance: Mapping[str, Origin]
    preset: str


def load_policy(project: Path, currency: str | None = None) -> LoadedPolicy:
    """The policy of a project with money thresholds in `currency` (None = the file's own, else the preset's).

    Raises `ConfigError`: the first finding.
    """
    loaded, wrong = _load(project / POLICY_FILE, currency)
    if loaded is None:
        raise wrong[0]
    return loaded


def load_sound_policy(project: Path, currency: str | None, preset: str) -> LoadedPolicy:
    """The policy as far as policy.yaml is sound, for what is only recorded: nothing is decided or sent by it.

    A section with something wrong in it is left aside, and so is the whole file where that is not enough; the log says
    so. `preset` stands in where the file does not name one that exists. Raises `ConfigError` where no preset can be
    had in that currency.
    """
    path = project / POLICY_FILE
    loaded, wrong = _load(path, currency)
    if loaded is not None:
        return loaded
    _tell(f"{wrong[0]}; nothing is decided before that is mended, and records go by the rest of the policy")
    own = read_document(path)
    aside = {re.split(r"[.\[]", one.path, maxsplit=1)[0] for one in wrong}
    kept = {name: value for name, value in own.data.items() if name not in aside}
    for settings in (kept, dict[str, object]()):
        loaded, _ = _loaded(Document(own.file, {"preset": preset} | settings, own.keys, own.values), currency)
        if loaded is not None:
            return loaded
    raise wrong[0]


@cache
def _tell(message: str) -> None:
    """Say it once a process, however often the file is read."""
    _log.warning("%s", message)


def check_policy(project: Path) -> tuple[ConfigError, ...]:
    """Every finding in the project's policy.yaml (or in the file itself); none = it is sound."""
    return _load(project / POLICY_FILE if project.is_dir() else project, None)[1]


def load_preset(name: str) -> Policy:
    """A preset as it ships, in GBP. Raises `ConfigError` for an unknown name."""
    if name not in PRESETS:
        raise ConfigError(f"{name} is not a preset", path="preset", fix=nearest(name, PRESETS))
    return Policy.model_validate(preset_document(name).data)


@cache
def preset_document(name: str) -> Document:
    """A preset as it ships: read once a process, since parsing it costs most of a command's start."""
    return read_document(files("mappings").joinpath("presets", f"{name}.yaml"))


def _load(path: Path, currency: str | None) -> tuple[LoadedPolicy | None, tuple[ConfigError, ...]]:
    own = read_document(path)
    if not own.data and not own.findings:
        _tell(f"{path} is empty: the preset standard is in force; write `preset: standard`, or the one that you mean")
    return _loaded(own, currency)


def _loaded(own: Document, currency: str | None) -> tuple[LoadedPolicy | None, tuple[ConfigError, ...]]:
    wrong = list(own.findings)
    name = own.data.get("preset") or "standard"
    if name not in PRESETS:
        at = place_in(own, ("preset",))
        wrong.append(located(own.file, at, ("preset",), f"preset = {name} is not a preset", nearest(name, PRESETS)))
        name = "standard"
    preset = preset_document(str(name))
    settings = {key: value for key, value in own.data.items() if key != "preset"}
    policy, more = _compiled(preset.data, settings, currency, own)
    wrong += more
    if policy is None or wrong:
        return None, tuple(sorted(wrong, key=lambda found: (found.line, found.column)))
    provenance = dict(_origins(policy.model_dump(), own, preset, str(name)))
    return LoadedPolicy(policy, policy_version(policy), provenance, str(name)), ()


def _compiled(
    preset: Settings, settings: Settings, currency: str | None, own: Document
) -> tuple[Policy | None, list[ConfigError]]:
    """Scale the preset to the currency the file is written in, lay the file over it, scale the whole to `currency`."""
    named = settings.get("currency")
    written_in = str(named or currency or preset["currency"])
    below, wrong = preset, list[ConfigError]()
    try:
        with_factors = Policy.model_validate(merge(preset, {"factors": settings.get("factors")}))
        below = with_factors.scaled(written_in).model_dump()
    except UnknownCurrency as error:
        if len(written_in) == 3 and written_in.isupper():  # else found below: not a currency at all
            wrong.append(_no_factor(error, own))
    except ValidationError:
        pass  # the factors are wrong: found again below, with everything else
    try:
        merged = Policy.model_validate(merge(below, {**settings, "currency": named or written_in}))
        return merged.scaled(currency or written_in), wrong
    except UnknownCurrency as error:
        return None, [*wrong, _no_factor(error, own)]
    except ValidationError as error:
        return None, [*wrong, *findings(error, own, Policy, also=("preset",))]


def _no_factor(error: UnknownCurrency, own: Document) -> ConfigError:
    fix = f"add `factors: {{{error.currency}: …}}`: how many of it stand for one pound"
    return located(own.file, place_in(own, ("currency",)), ("factors",), str(error), fix)


def merge(below: Settings, above: Settings) -> dict[str, object]:
    """`above` laid over `below`: maps deep, lists whole, null = what is below (an unknown name is kept to be found)."""
    result = dict(below)
    for name, value in above.items():
        under = result.get(name)
        if value is None and name in below:
            continue
        if isinstance(value, Mapping) and isinstance(under, Mapping):
            result[name] = merge(under, value)
        else:
            result[name] = value
            if (other := _EITHER_OR.get(name)) is not None and above.get(other) is None:
                result.pop(other, None)
    return result


def _origins(
    values: Settings, own: Document, preset: Document, name: str, place: tuple[str, ...] = ()
) -> Iterator[tuple[str, Origin]]:
    for key, value in values.items():
        here = (*place, key)
        if isinstance(value, Mapping):
            yield from _origins(value, own, preset, name, here)
        else:
            yield dotted(here), _origin(here, own, preset, name)


def _origin(place: tuple[str, ...], own: Document, preset: Document, name: str) -> Origin:
    at = own.position(place, of_key=True)
    if at is not None and _given(own.data, place):
        return Origin("policy", Path(own.file).name, at.line)
    below = preset.position(place, of_key=True) or Position(0, 0)
    return Origin(f"preset {name}" if below.line else "default", f"presets/{name}.yaml", below.line)


def _given(data: Settings, place: tuple[str, ...]) -> bool:
    value: object = data
    for part in place:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value is not None
