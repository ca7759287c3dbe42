"""What may go wrong in a run, and what people may do meanwhile: templates, and how items are drawn from them.

A template is the item with its choices open: of a list one is drawn, "*" is the invoice of the day, "*customer" its
customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random  # noqa: TID251 - scripts are drawn from their seed
from typing import Any

from tests.simulation.kinds import CUSTOMER_OF, KINDS, STORIES

Item = dict[str, Any]

CHANCE = 0.25  # of each kind of trouble
ACTS = 0.14  # of each thing that people may do
TURNS = 700  # people act within these turns of the baton: while agents are at work
LONGEST_COMMIT = 80  # S2: seconds after the first byte left in which a ledger still carries a request out
SEND_PAUSE = 20  # S5: seconds that a process may stand still between its last look at the clock and the first byte
POINTS = ("K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8")
POST_FAULTS = ("before data", "refused", "lost before", "lost before", "lost after")

_EXPIRED = '{"Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired: token expired"}'
_READS = (
    "/Invoices$", "/Contacts$", "/ContactGroups", "/History$", "/History$", "/History$", "/Attachments$",
    "/Payments$", "/CreditNotes$", "/Organisation$", "/Invoices/[0-9a-f-]{36}$",
)  # fmt: skip


def _limit(name: str, *seconds: str) -> Item:
    return {"do": "status", "status": 429, "headers": {"X-Rate-Limit-Problem": name, "Retry-After": list(seconds)}}


_AFTER: Mapping[str, Item] = {
    "timeout after commit": {"do": "hang_after_commit", "seconds": 30},
    "reset after commit": {"do": "reset_after_commit"},
    "500 after commit": {"do": "after_commit", "status": 500},
    "504 after commit": {"do": "after_commit", "status": 504},
    "late commit": {"do": "late_commit", "seconds": list(range(5, LONGEST_COMMIT + 1)), "answer": ["reset", "hang"]},
}
_EITHER: Mapping[str, Item] = {
    "cut body": {"do": "cut_body", "bytes": [0, 1, 12, 64]},
    "garbage": {
        "do": "garbage",
        "kind": ["truncated_json", "html_login", "not_json", "empty", "nan", "wrong_content_type"],
    },
    "503 before commit": {"do": "before_commit", "status": 503},
    "500 before commit": {"do": "before_commit", "status": 500},
    "reset before commit": {"do": "reset"},
    "timeout before commit": {"do": "hang", "seconds": 30},
    "refused": {"do": "refused"},
    "429 minute": _limit("minute", "2", "20", "60"),
    "429 day": _limit("day", "600", "3600", "20000"),
    "429 concurrent": {"do": "status", "status": 429, "headers": {"X-Rate-Limit-Problem": "concurrent"}},
    "401": {"do": "status", "status": 401, "body": _EXPIRED, "headers": {"Content-Type": "application/json"}},
}
_TOKEN: tuple[Item, ...] = ({"do": "reset_after_commit"}, {"do": "reset"}, {"do": "status", "status": 503})


def filled(random: Random, template: Any, invoice: str = "") -> Any:
    """The template with its choices made."""
    match template:
        case "*":
            return invoice
        case "*customer":
            return CUSTOMER_OF[invoice]
        case list():
            return filled(random, random.choice(template), invoice)
        case dict():
            return {name: filled(random, value, invoice) for name, value in template.items()}
        case plain:
            return plain


def _on(random: Random) -> bool:
    return random.random() < CHANCE


def faults(random: Random, kinds: list[str]) -> list[Item]:
    """What befalls requests and letters. `times`: so often in a row from the `nth` such request on."""
    found: list[Item] = []
    writes = [write for kind in kinds for write in KINDS[kind].writes]
    for name, template in (*_AFTER.items(), *_EITHER.items()):
        if not _on(random):
            continue
        for _ in range(random.choice((1, 1, 2, 3))):
            reads = name in _EITHER and random.random() < 0.5
            method, path = ("GET", random.choice(_READS)) if reads or not writes else random.choice(writes)
            nth = random.choice((1, 1, 1, 2, 2, 3))
            times = random.choice((1, 1, 4, 8)) if method == "GET" else 1  # reads are repeated: some outages last
            struck = {"name": name, "method": method, "path": path, "nth": nth, "times": times}
            found.append(struck | {"action": filled(random, template)})
    if _on(random):
        token = {"name": "token", "method": "POST", "path": "/connect/token$", "nth": random.choice((1, 2))}
        found.append(token | {"action": random.choice(_TOKEN)})
    if "letter" in kinds and random.random() < 0.5:
        found.append({"name": "post", "what": random.choice(POST_FAULTS), "nth": random.choice((1, 1, 2))})
    return found


def rule(fault: Item) -> Item:
    """The fault in the language of the twin's control plane."""
    match = {"method": fault["method"], "path": fault["path"], "from": fault["nth"]}
    return {"match": match, "action": fault["action"], "times": fault.get("times", 1)}


def crashes(random: Random, kinds: list[str]) -> list[Item]:
    """Where processes die: at the nth time that an effect of the kind ("" = any) comes to that point."""
    if random.random() < 0.5:
        return []
    dies = {"point": list(POINTS), "kind": ["", "", *kinds], "nth": [1, 1, 1, 2, 3], "down": [1, 20, 130, 200, 700]}
    found = [filled(random, dies) for _ in range(random.choice((1, 1, 2, 3)))]
    return [one | {"kind": ""} if one["point"] in {"K1", "K2"} else one for one in found]


def pauses(random: Random, kinds: list[str]) -> list[Item]:
    """Where processes stand still, and for how long: not between the last look at the clock and a letter."""
    found: list[Item] = []
    for _ in range(random.choice((0, 0, 0, 0, 1, 1, 2))):
        point = random.choice(("K3", "K4", "K4", "K5", "K6", "K7", "K8"))
        seconds = random.choice((30, 130, 250, 400)) if point != "K5" else random.randint(1, SEND_PAUSE)
        kind = random.choice([kind for kind in kinds if point != "K4" or kind != "letter"] or ["note"])
        found.append({"point": point, "kind": kind, "nth": random.choice((1, 1, 2)), "seconds": seconds})
    return found


_TAG = "Query open – see invoice note"
_BOOKKEEPER: tuple[Item, ...] = (
    {"do": "pay", "invoice": "*"},
    {"do": "pay", "invoice": "*", "amount": ["1.00", "100.00"]},
    {"do": "void", "invoice": "*"},
    {"do": "credit", "invoice": "*", "amount": ["50.00", "100.00"]},
    {"do": "edit_invoice", "invoice": "*", "due": ["2026-03-20", "2026-02-10"]},
    {"do": "edit_invoice", "invoice": ["*", "INV-2", "INV-3"], "expected": ["2026-03-19", "2026-04-02"], "early": True},
    {"do": "remove_from_group", "customer": "query", "group": _TAG},
    {"do": "add_to_group", "customer": "query", "group": _TAG},
    {"do": "merge_contacts", "from": "*customer", "into": ["plan", "letter"]},
    {"do": "edit_contact", "customer": "*customer", "email": "new@changed.example"},
    {"do": "edit_contact", "customer": "plan", "terms_days": 60},
    {"do": "note", "invoice": "*", "text": "Rang them."},
)
_CUSTOMER: tuple[Item, ...] = (
    {"do": "pay", "invoice": "*"},
    {"do": "dispute", "invoice": "*"},
    {"do": "extend", "invoice": "*"},
    {"do": "reply", "invoice": "*"},
)
_OPERATOR: tuple[Item, ...] = (
    {"do": "observe", "for": [1, 10, 40]},
    {"do": "legal_hold", "customer": "*customer"},
    {"do": "hold_all"},
    {"do": "resolve", "invoice": "*"},
    {"do": "cancel_plan"},
    {"do": "reject"},
    {"do": "retry"},
    {"do": "settle"},
    {"do": "restart"},
    {"do": "plan"},
    {"do": "approve"},
)


def acts(random: Random, stories: tuple[str, ...]) -> list[Item]:
    """What people do, and after how many turns of the baton."""
    invoices = [number for name in stories for number in STORIES[name].invoices]
    found: list[Item] = []
    for who, does in (("bookkeeper", _BOOKKEEPER), ("customer", _CUSTOMER), ("operator", _OPERATOR)):
        for template in does:
            if random.random() > ACTS:
                continue
            for _ in range(random.choice((1, 1, 2))):
                act = filled(random, template, random.choice(invoices))
                last = TURNS // 3 if act.pop("early", False) else TURNS
                found.append({"who": who, "turn": random.randrange(last)} | act)
    return found
