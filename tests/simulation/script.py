"""A run as data: what is drawn from a seed, what is minimised, what a regression keeps. JSON in and out.

Everything but the order of turns, the latencies and the jitter stands in the script, so that any part of it can be left
out and the rest still means the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from random import Random  # noqa: TID251 - scripts are drawn from their seed
from typing import Any

from tests.simulation.kinds import CUSTOMER_OF, KINDS, STORIES

Item = dict[str, Any]

LONGEST_COMMIT = 80  # S2: seconds after the first byte left in which a ledger still carries a request out
LONGEST_HIDDEN = 100  # S3: seconds in which a committed write may not be readable yet
SEND_PAUSE = 20  # S5: seconds that a process may stand still between its last look at the clock and the first byte
TURNS = 700  # people act within these turns of the baton: while agents are at work
STORY_SETS = 48

POINTS = ("K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8")
POST_FAULTS = ("before data", "refused", "lost before", "lost before", "lost after")
_WEB = {"Content-Type": "application/json"}
_EXPIRED = '{"Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired: token expired"}'
_READS = ("/Invoices$", "/Contacts$", "/ContactGroups", "/History$", "/Attachments$", "/Payments$", "/CreditNotes$",
          "/Organisation$", "/Invoices/[0-9a-f-]{36}$")  # fmt: skip


@dataclass(frozen=True)
class Script:
    """One run. `turn` of an act: after so many passes of the baton."""

    seed: int
    stories: tuple[str, ...]
    agents: tuple[tuple[Item, ...], ...]
    acts: tuple[Item, ...] = ()
    faults: tuple[Item, ...] = ()
    crashes: tuple[Item, ...] = ()
    pauses: tuple[Item, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def dump(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def load(cls, document: Mapping[str, Any]) -> Script:
        """From JSON. Raises `TypeError` for what is no script."""
        lists = {name: tuple(document[name]) for name in ("stories", "acts", "faults", "crashes", "pauses")}
        agents = tuple(tuple(rounds) for rounds in document["agents"])
        return cls(seed=document["seed"], agents=agents, settings=dict(document["settings"]), **lists)

    def __str__(self) -> str:
        """One line an item."""
        lines = [f"seed {self.seed}, stories: {', '.join(self.stories)}", f"settings {json.dumps(dict(self.settings))}"]
        lines += [f"agent {n}: {json.dumps(rounds)}" for n, rounds in enumerate(self.agents, 1)]
        for name in ("acts", "faults", "crashes", "pauses"):
            lines += [f"{name}: {json.dumps(one)}" for one in getattr(self, name)]
        return "\n".join(lines)


def draw(seed: int) -> Script:
    """The script of a seed. Every kind of trouble is on with a quarter's chance, so that few troubles come together."""
    random = Random(seed)
    stories = _stories(random)
    script = Script(seed, stories, _agents(random), settings=_settings(random))
    kinds = sorted({kind for name in stories for kind in _KINDS_OF[name]})
    return replace(
        script,
        faults=tuple(_faults(random, kinds)),
        acts=tuple(sorted(_acts(random, stories), key=lambda act: act["turn"])),
        crashes=tuple(_crashes(random, kinds)),
        pauses=tuple(_pauses(random, kinds)),
    )


_KINDS_OF = {
    "query": ("tag", "note"),
    "second query": ("tag", "note"),
    "extension": ("expected_date", "note"),
    "plan": ("schedule", "expected_date", "note"),
    "unsent": ("ledger_email", "note"),
    "letter": ("letter", "note"),
    "longer letter": ("letter", "note"),
}


def _stories(random: Random) -> tuple[str, ...]:
    """One of a limited number of sets: an office is prepared once for each."""
    chosen = Random(random.randrange(STORY_SETS))
    count = chosen.choice((1, 2, 2, 3, 3, 4))
    return tuple(sorted(chosen.sample(sorted(STORIES), count)))


def _agents(random: Random) -> tuple[tuple[Item, ...], ...]:
    """They set out at common instants, as scheduled processes do, so that they meet."""
    many = random.choice((1, 2, 2, 2, 3))
    spaces = ((0, 3), *random.choices(((20, 60), (125, 200), (190, 400), (600, 7200), (20_000, 90_000)), k=2))
    bells = [random.uniform(*space) for space in spaces]
    return tuple(tuple(_round(random, bell) for bell in bells if random.random() < 0.8) for _ in range(many))


def _round(random: Random, bell: float) -> Item:
    what = random.choice(("cycle", "cycle", "deliver", "deliver", "deliver", "deliver", "pull", "pull"))
    return {"do": what, "wait": round(bell + random.uniform(0, 2), 1)}


def _settings(random: Random) -> dict[str, Any]:
    return {
        "mode": random.choice(("approve", "approve", "autopilot")),
        "stickiness": random.choice((0.2, 0.6, 0.9)),
        "post": random.choice(("smtp", "smtp", "folder")),
        "latency": random.choice((0.1, 0.5, 3.0)),
        "idempotency_seconds": random.choice((360, 360, 0)),
        "history_delay_seconds": random.choice((0, 0, 0, 30, LONGEST_HIDDEN)),
        "approve_at": random.randrange(60),
    }


def _on(random: Random) -> bool:
    return random.random() < 0.25


# --- faults ----------------------------------------------------------------------------------------------------------

_AFTER: Mapping[str, Callable[[Random], Item]] = {
    "timeout after commit": lambda _: {"do": "hang_after_commit", "seconds": 30},
    "reset after commit": lambda _: {"do": "reset_after_commit"},
    "500 after commit": lambda _: {"do": "after_commit", "status": 500},
    "504 after commit": lambda _: {"do": "after_commit", "status": 504},
    "late commit": lambda r: {"do": "late_commit", "seconds": r.randint(5, LONGEST_COMMIT), "answer": r.choice(("reset", "hang"))},
}  # fmt: skip
_EITHER: Mapping[str, Callable[[Random], Item]] = {
    "cut body": lambda r: {"do": "cut_body", "bytes": r.choice((0, 1, 12, 64))},
    "garbage": lambda r: {"do": "garbage", "kind": r.choice(("truncated_json", "html_login", "not_json", "empty", "nan", "wrong_content_type"))},
    "503 before commit": lambda _: {"do": "before_commit", "status": 503},
    "500 before commit": lambda _: {"do": "before_commit", "status": 500},
    "reset before commit": lambda _: {"do": "reset"},
    "timeout before commit": lambda _: {"do": "hang", "seconds": 30},
    "refused": lambda _: {"do": "refused"},
    "429 minute": lambda r: _limit("minute", r.randint(2, 60)),
    "429 day": lambda r: _limit("day", r.choice((600, 3600, 20_000))),
    "429 concurrent": lambda _: {"do": "status", "status": 429, "headers": {"X-Rate-Limit-Problem": "concurrent"}},
    "401": lambda _: {"do": "status", "status": 401, "body": _EXPIRED, "headers": _WEB},
}  # fmt: skip
FAULTS = (*_AFTER, *_EITHER, "token", "post")


def _limit(name: str, seconds: int) -> Item:
    return {"do": "status", "status": 429, "headers": {"X-Rate-Limit-Problem": name, "Retry-After": str(seconds)}}


def _faults(random: Random, kinds: list[str]) -> list[Item]:
    faults: list[Item] = []
    writes = [write for kind in kinds for write in KINDS[kind].writes]
    for name, make in (*_AFTER.items(), *_EITHER.items()):
        if not _on(random):
            continue
        for _ in range(random.choice((1, 1, 2, 3))):
            reads = name in _EITHER and random.random() < 0.5
            method, path = ("GET", random.choice(_READS)) if reads or not writes else random.choice(writes)
            nth = random.choice((1, 1, 1, 2, 2, 3))
            faults.append({"name": name, "method": method, "path": path, "nth": nth, "action": make(random)})
    if _on(random):
        faults.append({"name": "token", "method": "POST", "path": "/connect/token$", "nth": random.choice((1, 2)),
                       "action": random.choice(({"do": "reset_after_commit"}, {"do": "reset"}, {"do": "status", "status": 503}))})  # fmt: skip
    if "letter" in kinds and random.random() < 0.5:
        faults.append({"name": "post", "what": random.choice(POST_FAULTS), "nth": random.choice((1, 1, 2))})
    return faults


def rule(fault: Item) -> Item:
    """The fault in the language of the twin's control plane."""
    match = {"method": fault["method"], "path": fault["path"], "nth": fault["nth"]}
    return {"match": match, "action": fault["action"], "times": 1}


# --- deaths and pauses -----------------------------------------------------------------------------------------------


def _crashes(random: Random, kinds: list[str]) -> list[Item]:
    if random.random() < 0.5:
        return []
    return [
        {"point": random.choice(POINTS), "kind": random.choice(("", "", *kinds)), "nth": random.choice((1, 1, 1, 2, 3)),
         "down": random.choice((1, 20, 130, 200, 700))}
        for _ in range(random.choice((1, 1, 2, 3)))
    ]  # fmt: skip


def _pauses(random: Random, kinds: list[str]) -> list[Item]:
    if random.random() < 0.65:
        return []
    pauses = []
    for _ in range(random.choice((1, 1, 2))):
        point = random.choice(("K3", "K4", "K4", "K5", "K6", "K7", "K8"))
        seconds = random.choice((30, 130, 250, 400)) if point != "K5" else random.randint(1, SEND_PAUSE)
        kind = random.choice([kind for kind in kinds if point != "K4" or kind != "letter"] or ["note"])
        pauses.append({"point": point, "kind": kind, "nth": random.choice((1, 1, 2)), "seconds": seconds})
    return pauses


# --- people ----------------------------------------------------------------------------------------------------------

_TAG = "Query open – see invoice note"


def _acts(random: Random, stories: tuple[str, ...]) -> list[Item]:
    invoices = [number for name in stories for number in STORIES[name].invoices]
    acts: list[Item] = []
    for who, does in (("bookkeeper", _BOOKKEEPER), ("customer", _CUSTOMER), ("operator", _OPERATOR)):
        for make in does:
            if random.random() > 0.14:
                continue
            for _ in range(random.choice((1, 1, 2))):
                number = random.choice(invoices)
                acts.append({"who": who, "turn": random.randrange(TURNS)} | make(random, number))
    return acts


_BOOKKEEPER: tuple[Callable[[Random, str], Item], ...] = (
    lambda r, i: {"do": "pay", "invoice": i},
    lambda r, i: {"do": "pay", "invoice": i, "amount": r.choice(("1.00", "100.00"))},
    lambda r, i: {"do": "void", "invoice": i},
    lambda r, i: {"do": "credit", "invoice": i, "amount": r.choice(("50.00", "100.00"))},
    lambda r, i: {"do": "edit_invoice", "invoice": i, "due": r.choice(("2026-03-20", "2026-02-10"))},
    lambda r, i: {
        "do": "edit_invoice",
        "invoice": r.choice((i, "INV-2", "INV-3")),
        "expected": r.choice(("2026-03-19", "2026-04-02")),
        "turn": r.randrange(TURNS // 3),
    },
    lambda r, i: {"do": "remove_from_group", "customer": "query", "group": _TAG},
    lambda r, i: {"do": "add_to_group", "customer": "query", "group": _TAG},
    lambda r, i: {"do": "merge_contacts", "from": CUSTOMER_OF[i], "into": r.choice(("plan", "letter"))},
    lambda r, i: {"do": "edit_contact", "customer": CUSTOMER_OF[i], "email": "new@changed.example"},
    lambda r, i: {"do": "note", "invoice": i, "text": "Rang them."},
)
_CUSTOMER: tuple[Callable[[Random, str], Item], ...] = (
    lambda r, i: {"do": "pay", "invoice": i},
    lambda r, i: {"do": "dispute", "invoice": i},
    lambda r, i: {"do": "extend", "invoice": i},
    lambda r, i: {"do": "reply", "invoice": i},
)
_OPERATOR: tuple[Callable[[Random, str], Item], ...] = (
    lambda r, i: {"do": "observe", "for": r.randint(1, 60)},
    lambda r, i: {"do": "legal_hold", "customer": CUSTOMER_OF[i]},
    lambda r, i: {"do": "hold_all"},
    lambda r, i: {"do": "resolve", "invoice": i},
    lambda r, i: {"do": "cancel_plan"},
    lambda r, i: {"do": "reject"},
    lambda r, i: {"do": "retry"},
    lambda r, i: {"do": "settle"},
    lambda r, i: {"do": "restart"},
    lambda r, i: {"do": "plan"},
    lambda r, i: {"do": "approve"},
)
