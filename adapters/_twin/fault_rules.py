"""The language of the fault script: rules as JSON, read strictly so that a misspelt fault never passes silently.

A rule is `{"match": {...}, "action": {"do": ..., ...}, "times": n}`.

match (each optional): `method`; `path`, a regular expression searched in the decoded path; `query`, one searched in
the raw query; `organisation` (id or name; `tenant` is the same); and of the matching requests either `nth` (only that
one), `every` (each n-th) or `from` (that one and all later). `times` bounds the firings; without it there is no bound.
A request that the ledger refuses before the faults see it (token, organisation, rate limit) matches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from adapters._twin.garbage import GARBAGE
from adapters._twin.messages import Request

# action -> the parameters it takes; True where it must be given
ACTIONS: dict[str, dict[str, bool]] = {
    "before_commit": {"status": True, "headers": False, "body": False, "stored": False},
    "after_commit": {"status": True, "headers": False, "body": False, "stored": False},
    "status": {"status": True, "headers": False, "body": False},
    "reset": {},
    "hang": {"seconds": False},
    "reset_after_commit": {},
    "hang_after_commit": {"seconds": False},
    "cut_body": {"bytes": True},
    "late_commit": {"seconds": True, "answer": False},
    "garbage": {"kind": True},
    "slow": {"seconds": True},
}
_COUNTS = ("nth", "every", "from")


@dataclass(frozen=True, slots=True)
class Action:
    """What a firing rule does to the request; see `faults` for each `do`."""

    do: str
    status: int = 500
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    stored: bool = False  # the answer is the application's own: an idempotency store keeps it
    seconds: float = 30.0
    count: int = 0  # bytes of the body that still arrive
    kind: str = ""
    hangs: bool = False  # late_commit: hang instead of reset


@dataclass(slots=True, kw_only=True)
class Trigger:
    """Which requests something happens to, and how often it has matched and fired."""

    method: str | None = None
    path: re.Pattern[str] | None = None
    query: re.Pattern[str] | None = None
    organisation: str | None = None
    count: tuple[str, int] | None = None
    times: int | None = None
    number: int = 0
    seen: int = field(default=0)
    fired: int = field(default=0)

    def matches(self, request: Request, organisations: Collection[str]) -> bool:
        """Tell whether the rule speaks of this request; `organisations` are the names of the one it addresses."""
        return (
            (self.method is None or self.method == request.method)
            and (self.path is None or self.path.search(request.path) is not None)
            and (self.query is None or self.query.search(request.query) is not None)
            and (self.organisation is None or self.organisation in organisations)
        )

    def fires(self) -> bool:
        """Tell whether the match just counted in `seen` is one that the rule acts on."""
        if self.times is not None and self.fired >= self.times:
            return False
        match self.count:
            case ("nth", number):
                return self.seen == number
            case ("every", number):
                return self.seen % number == 0
            case ("from", number):
                return self.seen >= number
            case _:
                return True


@dataclass(slots=True, kw_only=True)
class Rule(Trigger):
    """One fault, and the requests that it befalls."""

    document: Mapping[str, object]
    action: Action


def parse_trigger(match: object, times: object) -> Trigger:
    """Read which requests are meant and how often at most. Raises ValueError naming what is wrong."""
    given = mapping(match, "match", {"method", "path", "query", "organisation", "tenant", *_COUNTS})
    counts = [(key, _whole(given[key], key)) for key in _COUNTS if key in given]
    if len(counts) > 1:
        raise ValueError("match: give one of nth, every, from")
    method = _text(given.get("method"), "method")
    return Trigger(
        method=method.upper() if method else None,
        path=_pattern(given.get("path"), "path"),
        query=_pattern(given.get("query"), "query"),
        organisation=_text(given.get("organisation", given.get("tenant")), "organisation"),
        count=counts[0] if counts else None,
        times=None if times is None else _whole(times, "times"),
    )


def parse_rules(document: object) -> list[Rule]:
    """Read one rule, a list of rules, or `{"rules": [...]}`. Raises ValueError naming what is wrong."""
    if isinstance(document, Mapping) and set(document) == {"rules"}:
        document = document["rules"]
    rows = document if isinstance(document, list) else [document]
    return [_rule(row) for row in rows]


def _rule(row: object) -> Rule:
    rule = mapping(row, "a fault rule", {"match", "action", "times"})
    trigger = parse_trigger(rule.get("match", {}), rule.get("times"))
    return Rule(
        document=rule,
        action=_action(rule.get("action")),
        method=trigger.method,
        path=trigger.path,
        query=trigger.query,
        organisation=trigger.organisation,
        count=trigger.count,
        times=trigger.times,
    )


def _action(raw: object) -> Action:
    given = mapping(raw, "action", None)
    do = given.get("do")
    if not isinstance(do, str) or do not in ACTIONS:
        raise ValueError(f"action: do must be one of {', '.join(ACTIONS)}")
    known = ACTIONS[do]
    mapping(given, f"action {do}", {"do", *known})
    for key, required in known.items():
        if required and key not in given:
            raise ValueError(f"action {do}: {key} is missing")
    status = _whole(given.get("status", 500), "status")
    if not 200 <= status <= 599:
        raise ValueError("action: status must lie between 200 and 599")
    if do == "garbage" and given["kind"] not in GARBAGE:
        raise ValueError(f"action garbage: kind must be one of {', '.join(GARBAGE)}")
    if given.get("answer", "reset") not in {"reset", "hang"}:
        raise ValueError("action late_commit: answer must be reset or hang")
    body = _text(given.get("body"), "body")
    return Action(
        do=do,
        status=status,
        headers=_headers(given.get("headers", {})),
        body=None if body is None else body.encode(),
        stored=_flag(given.get("stored", status == 500 and "stored" in known), "stored"),
        seconds=_seconds(given.get("seconds", 30.0)),
        count=_whole(given.get("bytes", 0), "bytes", least=0),
        kind=str(given.get("kind", "")),
        hangs=given.get("answer") == "hang",
    )


def mapping(raw: object, what: str, known: set[str] | None) -> Mapping[str, object]:
    """Return an object that has none but the known keys (any, without `known`). Raises ValueError."""
    if not isinstance(raw, Mapping):
        raise ValueError(f"{what} must be an object")
    if known is not None and (unknown := sorted(set(raw) - known)):
        raise ValueError(f"{what}: unknown {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    return raw


def _text(raw: object, what: str) -> str | None:
    if raw is not None and not isinstance(raw, str):
        raise ValueError(f"{what} must be text")
    return raw


def _flag(raw: object, what: str) -> bool:
    if not isinstance(raw, bool):
        raise ValueError(f"{what} must be true or false")
    return raw


def _whole(raw: object, what: str, *, least: int = 1) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or raw < least:
        raise ValueError(f"{what} must be a whole number of at least {least}")
    return raw


def _seconds(raw: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw <= 366 * 86400:
        raise ValueError("seconds must be a number from 0 to a year")
    return float(raw)


def _pattern(raw: object, what: str) -> re.Pattern[str] | None:
    text = _text(raw, what)
    try:
        return None if text is None else re.compile(text)
    except re.error as error:
        raise ValueError(f"{what} is no regular expression: {error}") from error


def _headers(raw: object) -> tuple[tuple[str, str], ...]:
    pairs = mapping(raw, "headers", None)
    return tuple((str(name), str(value)) for name, value in pairs.items())
