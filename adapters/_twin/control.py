"""The control plane under /__sandbox/: what a test, the demo or a person does to the sandbox itself. JSON in and out.

| path | methods | body |
| --- | --- | --- |
| organisations | GET | |
| clock | GET POST | `{"now": ISO}`, `{"advance": seconds}`, `{"frozen": bool}` |
| faults | GET POST DELETE | see `fault_rules` |
| writes?since=SEQ&organisation= | GET | the truth: every committed change; `since` counts per organisation |
| mails?organisation= | GET | |
| notes | GET | what was left out of the recorded answers that the books were made of |
| calls | GET | |
| scenario | POST | the neutral scenario document |
| people | POST | `{"organisation": id or name, "actions": [...]}`; the organisation may be left out when there is one |
| interjections | GET POST DELETE | people act in the middle of a request, see `interjections` |
| consent, limits, switch | POST | the ledger's own; see its sandbox |
| webhooks | GET POST | the ledger's own; see its sandbox |
| deliveries | POST | sends now, and in this call, every webhook that is due; answers what was sent |

A refused order answers 400 `{"error": "..."}` and names what is wrong.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import parse_qs

from adapters._twin.calls import Calls
from adapters._twin.clock import VirtualClock
from adapters._twin.faults import Faults
from adapters._twin.interjections import Interjections
from adapters._twin.messages import Request, Response

PREFIX = "/__sandbox/"


@dataclass(frozen=True, slots=True)
class Organisation:
    """One ledger file of the sandbox, as the control plane needs it."""

    id: str
    name: str
    truth: Sequence[Mapping[str, object]]
    mails: Sequence[Mapping[str, object]]
    notes: Sequence[str] = ()


class Sandbox(Protocol):
    """What the control plane needs of a twin."""

    @property
    def clock(self) -> VirtualClock: ...

    @property
    def faults(self) -> Faults: ...

    @property
    def interjections(self) -> Interjections: ...

    @property
    def calls(self) -> Calls: ...

    @property
    def lock(self) -> AbstractContextManager[object]: ...

    def organisations(self) -> Sequence[Organisation]: ...

    def advance(self, now: datetime) -> None: ...

    def load_scenario(self, document: Mapping[str, object], now: datetime) -> Organisation:
        """Add or replace an organisation. Raises ValueError."""
        ...

    def act(self, organisation_id: str, action: Mapping[str, object], now: datetime) -> Mapping[str, object]:
        """Do what a person does in the ledger's own screens. Raises ValueError."""
        ...

    def order_consent(self, order: Mapping[str, object], now: datetime) -> Mapping[str, object]: ...

    def order_limits(self, order: Mapping[str, object], now: datetime) -> Mapping[str, object]: ...

    def switch(self, order: Mapping[str, object]) -> Mapping[str, object]: ...

    def webhooks_document(self) -> Mapping[str, object]: ...

    def order_webhooks(self, order: Mapping[str, object], now: datetime) -> Mapping[str, object]: ...

    def deliver_webhooks(self) -> int:
        """Send what is due and return how many; takes the lock itself, and not while it waits for an answer."""
        ...


class ControlPlane:
    """Answers the requests under /__sandbox/."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._routes: Mapping[str, Callable[[Request, datetime], Mapping[str, object]]] = {
            "GET organisations": lambda _, __: {"organisations": list(map(_reference, sandbox.organisations()))},
            "GET clock": lambda _, __: self._time(),
            "POST clock": lambda request, _: self._move_clock(_order(request)),
            "GET faults": lambda _, __: sandbox.faults.document(),
            "POST faults": lambda request, _: {"added": sandbox.faults.add(_parse(request))},
            "DELETE faults": lambda _, __: self._clear_faults(),
            "GET writes": lambda request, _: {"writes": self._rows(request, "truth")},
            "GET mails": lambda request, _: {"mails": self._rows(request, "mails")},
            "GET notes": lambda _, __: {
                "notes": [{"organisation": each.id, "notes": list(each.notes)} for each in sandbox.organisations()]
            },
            "GET calls": lambda _, __: sandbox.calls.document(),
            "POST scenario": lambda request, now: {
                "organisation": _reference(sandbox.load_scenario(_order(request), now))
            },
            "POST people": lambda request, now: self._people(_order(request), now),
            "GET interjections": lambda _, __: sandbox.interjections.document(),
            "POST interjections": lambda request, _: {"added": self._interject(_order(request))},
            "DELETE interjections": lambda _, __: self._clear_interjections(),
            "POST consent": lambda request, now: sandbox.order_consent(_order(request), now),
            "POST limits": lambda request, now: sandbox.order_limits(_order(request), now),
            "POST switch": lambda request, _: sandbox.switch(_order(request)),
            "GET webhooks": lambda _, __: sandbox.webhooks_document(),
            "POST webhooks": lambda request, now: sandbox.order_webhooks(_order(request), now),
        }

    def handle(self, request: Request) -> Response:
        """Answer one request; every order is carried out whole before any other call proceeds.

        Deliveries are the exception: whoever receives them may call the sandbox before answering.
        """
        name = request.path.removeprefix(PREFIX).strip("/")
        if (request.method, name) == ("POST", "deliveries"):
            return _json(200, {"sent": self._sandbox.deliver_webhooks()})
        answer = self._routes.get(f"{request.method} {name}")
        if answer is None:
            return _json(404, {"error": f"the control plane has no {request.method} {name}"})
        try:
            with self._sandbox.lock:
                return _json(200, answer(request, self._sandbox.clock.now()))
        except ValueError as error:
            return _json(400, {"error": str(error)})

    def _clear_faults(self) -> Mapping[str, object]:
        self._sandbox.faults.clear()
        return self._sandbox.faults.document()

    def _interject(self, order: Mapping[str, object]) -> int:
        organisation = self._find(order.get("organisation"))
        return self._sandbox.interjections.add(order, organisation.id)

    def _clear_interjections(self) -> Mapping[str, object]:
        self._sandbox.interjections.clear()
        return self._sandbox.interjections.document()

    def _time(self) -> Mapping[str, object]:
        clock = self._sandbox.clock
        return {"now": clock.now().isoformat().replace("+00:00", "Z"), "frozen": clock.frozen}

    def _move_clock(self, order: Mapping[str, object]) -> Mapping[str, object]:
        clock = self._sandbox.clock
        if not order or set(order) - {"now", "advance", "frozen"} or {"now", "advance"} <= set(order):
            raise ValueError("clock: give now or advance, and frozen if wanted")
        frozen = order.get("frozen", clock.frozen)
        if not isinstance(frozen, bool):
            raise ValueError("clock: frozen must be true or false")
        if "now" in order:
            clock.set(_instant(order["now"]))
        elif "advance" in order:
            clock.advance(_seconds(order["advance"]))
        clock.freeze(frozen=frozen)
        self._sandbox.advance(clock.now())
        return self._time()

    def _rows(self, request: Request, what: str) -> list[dict[str, object]]:
        query = {key: values[-1] for key, values in parse_qs(request.query).items()}
        chosen = self._sandbox.organisations()
        if "organisation" in query:
            chosen = [self._find(query["organisation"])]
        since = query.get("since", "0")
        if not (since.isascii() and since.isdigit()):
            raise ValueError("since must be a sequence number")
        rows: list[dict[str, object]] = []
        for each in chosen:
            name = {"organisation": each.id, "organisation_name": each.name}
            if what == "mails":
                rows += [{**mail, **name} for mail in each.mails]
            else:
                rows += [{**write, **name} for write in each.truth if _sequence(write) > int(since)]
        return sorted(rows, key=lambda row: str(row.get("at", "")))

    def _people(self, order: Mapping[str, object], now: datetime) -> Mapping[str, object]:
        if set(order) - {"organisation", "actions"}:
            raise ValueError("people: give organisation and actions")
        actions = order.get("actions")
        if not isinstance(actions, list) or not actions:
            raise ValueError("people: actions must be a list of what they do")
        organisation = self._find(order.get("organisation"))
        results: list[Mapping[str, object]] = []
        for number, action in enumerate(actions):
            if not isinstance(action, dict):
                raise ValueError(f"people: actions[{number}] must be an object")
            try:
                results.append(self._sandbox.act(organisation.id, action, now))
            except ValueError as error:
                done = f"; the {number} before it are done" if number else ""
                raise ValueError(f"people: actions[{number}]: {error}{done}") from error
        return {"results": results}

    def _find(self, wanted: object) -> Organisation:
        known = self._sandbox.organisations()
        if wanted is None and len(known) == 1:
            return known[0]
        for each in known:
            if wanted in (each.id, each.name):
                return each
        names = ", ".join(f"{each.name} ({each.id})" for each in known) or "none"
        raise ValueError(f"organisation {wanted!r} is unknown; known: {names}")


def _reference(organisation: Organisation) -> dict[str, str]:
    return {"id": organisation.id, "name": organisation.name}


def _sequence(write: Mapping[str, object]) -> int:
    number = write["seq"]
    assert isinstance(number, int), "a write without a sequence number"
    return number


def _parse(request: Request) -> object:
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the body is no JSON: {error}") from error


def _order(request: Request) -> Mapping[str, object]:
    document = _parse(request)
    if not isinstance(document, dict):
        raise ValueError("the body must be a JSON object")
    return document


def _instant(raw: object) -> datetime:
    try:
        return datetime.fromisoformat(str(raw))
    except ValueError as error:
        raise ValueError(f"{raw!r} is no ISO instant") from error


def _seconds(raw: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        raise ValueError("clock: advance must be a number of seconds")
    return raw


def _json(status: int, document: Mapping[str, object]) -> Response:
    return Response(status, (("Content-Type", "application/json"),), json.dumps(document, default=str).encode())
