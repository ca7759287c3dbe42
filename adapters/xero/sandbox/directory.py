"""What a path of the Accounting API means to the sandbox: a simulated route, a documented one, or nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from adapters._twin.messages import Response
from adapters.xero.sandbox import problems
from adapters.xero.sandbox.documented import DOCUMENTED
from adapters.xero.sandbox.path_table import PathTable
from adapters.xero.sandbox.routing import Route


@dataclass(frozen=True, slots=True)
class Found:
    """What a path means: a simulated route, or why there is none."""

    template: str
    route: Route | None = None
    params: Mapping[str, str] | None = None
    refusal: Response | None = None


class Directory:
    """All simulated routes over all documented ones."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._simulated: defaultdict[str, PathTable[Route]] = defaultdict(PathTable)
        spellings: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for route in routes:
            self._simulated[route.method].add(route.template, route)
            spellings[_shape(route.template)].setdefault(route.method, route.template)
        for template, methods in DOCUMENTED.items():
            for method in methods:
                spellings[_shape(template)].setdefault(method, template)
        self._known: PathTable[dict[str, str]] = PathTable()
        for by_method in spellings.values():
            self._known.add(next(iter(by_method.values())), by_method)

    def find(self, method: str, path: str) -> Found:
        """Resolve a path relative to the API's root."""
        hit = self._simulated[method].find(path) if method in self._simulated else None
        if hit is not None:
            return Found(hit[0], hit[1], hit[2])
        known = self._known.find(path)
        if known is None:
            return Found("(undocumented)", refusal=problems.not_found())
        first, templates, _ = known
        if method in templates:
            return Found(templates[method], refusal=problems.not_simulated(method, templates[method]))
        return Found(first, refusal=problems.method_not_allowed(tuple(templates)))


@lru_cache(maxsize=16)
def directory_of(routes: tuple[Route, ...]) -> Directory:
    """Return the directory of these routes; it never changes, so that sandboxes share it."""
    return Directory(routes)


def _shape(template: str) -> str:
    """The template without its parameters' names: two spellings of one path are one path."""
    return re.sub(r"\{[^}]*\}", "{}", template)
