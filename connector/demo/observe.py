"""What the sandbox's own write log says: the only source from which the demo learns outcomes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from connector.demo.scenario import DemoFault, Sees
from connector.errors import LedgerUnavailable
from connector.ports import HttpClient, HttpRequest

MARKER = re.compile(r"\s*(\[dw:[a-z2-7]{12}\])")
_KINDS = {
    "history_note": "note",
    "group_add": "tag",
    "group_remove": "untag",
    "email": "email",
    "attachment": "attachment",
}
# How the ledgers spell the writes that a scenario's faults speak of.
_PATHS = {
    "note": ("PUT", "/History$"),
    "tag": ("PUT", "/ContactGroups/[^/]+/Contacts$"),
    "attachment": ("PUT", "/Attachments/"),
    "expected_date": ("POST", "/Invoices/[^/]+$"),
    "email": ("POST", "/Email$"),
}
_HAPPENS: Mapping[str, Mapping[str, object]] = {
    "answer_lost": {"do": "reset_after_commit"},
    "not_available": {"do": "before_commit", "status": 503},
}


@dataclass(frozen=True)
class Event:
    """One committed write that dunwell made, in ledger-neutral words."""

    seq: int
    on: date
    kind: str
    target: str
    text: str

    def fits(self, wanted: Sees) -> bool:
        return self.kind == wanted.kind and wanted.words.casefold() in self.text.casefold()

    @property
    def words(self) -> str:
        """The text without the marker at its end."""
        return MARKER.sub("", self.text)


@dataclass
class Sandbox:
    """The control plane of a running sandbox, as a person at its desk would use it."""

    http: HttpClient
    base_url: str
    zone: ZoneInfo
    organisation: str = ""
    events: list[Event] = field(default_factory=list)
    _seen: int = 0

    def load(self, document: Mapping[str, object]) -> str:
        """Put the scenario's books into the sandbox; returns the organisation's name."""
        answer = self._ask("POST", "scenario", document)
        organisation = answer["organisation"]
        assert isinstance(organisation, dict)
        self.organisation = str(organisation["id"])
        return str(organisation["name"])

    def people(self, acts: Iterable[Mapping[str, object]]) -> None:
        """People do these things in the ledger itself."""
        self._ask("POST", "people", {"organisation": self.organisation, "actions": list(acts)})

    def set_clock(self, instant: datetime) -> None:
        self._ask("POST", "clock", {"now": instant.isoformat()})

    def calls(self) -> dict[str, object]:
        return self._ask("GET", "calls")

    def fault(self, wanted: DemoFault) -> None:
        """From now on the next such write goes wrong, once."""
        method, path = _PATHS[wanted.write]
        rule = {"match": {"method": method, "path": path}, "action": _HAPPENS[wanted.happens], "times": 1}
        self._ask("POST", "faults", rule)

    def faults_struck(self) -> int:
        """How many faults have happened."""
        firings = self._ask("GET", "faults")["firings"]
        assert isinstance(firings, list)
        return len(firings)

    def look(self) -> list[Event]:
        """What was written since the last look."""
        answer = self._ask("GET", f"writes?since={self._seen}")
        entries = answer["writes"]
        assert isinstance(entries, list)
        fresh = []
        for entry in entries:
            self._seen = max(self._seen, int(entry["seq"]))
            if entry["actor"] == "api" and (event := self._event(entry)) is not None:
                fresh.append(event)
        self.events += fresh
        return fresh

    def _event(self, entry: Mapping[str, object]) -> Event | None:
        detail = entry.get("detail")
        detail = detail if isinstance(detail, dict) else {}
        kind = _KINDS.get(str(entry["kind"]))
        if entry["kind"] == "invoice_update" and "ExpectedPaymentDate" in json.dumps(detail):
            kind = "expected_date"
        if kind is None:
            return None
        on = datetime.fromisoformat(str(entry["at"])).astimezone(self.zone).date()
        return Event(int(str(entry["seq"])), on, kind, str(entry["target_id"]), _text(kind, detail))

    def doubled(self) -> int:
        """Markers and file names that were written more than once to one record."""
        marks: Counter[tuple[str, str]] = Counter()
        for event in self.events:
            if event.kind == "note":
                marks.update((event.target, marker) for marker in MARKER.findall(event.text))
            elif event.kind in ("attachment", "email"):
                marks[event.target, f"{event.kind}:{event.text}"] += 1
        return sum(count - 1 for count in marks.values() if count > 1)

    def markers(self) -> set[str]:
        return {marker for event in self.events for marker in MARKER.findall(event.text)}

    def _ask(self, method: str, path: str, document: Mapping[str, object] | None = None) -> dict[str, object]:
        body = b"" if document is None else json.dumps(document).encode()
        url = f"{self.base_url}/__sandbox/{path}"
        answer = self.http.send(HttpRequest(method, url, {"content-type": "application/json"}, body))
        if answer.status >= 300:
            raise LedgerUnavailable(f"the sandbox answered {answer.status}: {answer.body[:300]!r}", record=path)
        found = json.loads(answer.body) if answer.body else {}
        return found if isinstance(found, dict) else {"items": found}


def _text(kind: str, detail: Mapping[str, object]) -> str:
    """What was written, as a person would read it in the ledger."""
    match kind, detail:
        case "tag", {"group": group}:
            return f"Marked “{group}”"
        case "untag", {"group": group}:
            return f"No longer marked “{group}”"
        case "email", {"number": number, "to": [*addresses]}:
            return f"{number} mailed to {', '.join(map(str, addresses))}"
        case "expected_date", {"number": number, "changed": {"ExpectedPaymentDate": {"new": new}}}:
            return f"Expected date of {number}: {new}"
        case "attachment", {"name": name}:
            return f"Attached {name}"
        case _:
            pass
    return str(detail.get("text") or detail.get("details") or detail.get("name") or json.dumps(detail))
