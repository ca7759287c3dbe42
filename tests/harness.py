"""An office: a project, a Xero sandbox on a socket, and the people around both. Time stands still until it is moved.

Everything goes the product's own way: scaffolded folder, consent, pull, take-on, plan, approve, apply. What happened is
read from the sandbox's own log of committed writes, never from dunwell's opinion.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.xero.sandbox.serve import Served, serve
from connector import http
from connector.bootstrap import HowToConnect, connect_ledger, open_project
from connector.clock import SandboxClock
from connector.config.init import scaffold
from connector.domain.cases import CashKnown, DisputeCode, Party, TakeOnChoice
from connector.domain.decisions import ActionKind
from connector.domain.effects import EffectKind, EffectState
from connector.ports import HttpRequest
from connector.service import accommodations, approve, disputes, people, take_on
from connector.service.deliver import Delivered, deliver
from connector.service.review import Proposal, propose
from connector.service.sync import Pulled, pull
from connector.service.wiring import Wiring
from connector.store import actions, organisations, outbox
from connector.store.actions import ActionRow
from connector.store.organisations import OrganisationRow
from connector.store.outbox import EffectRow

CONNECTED = datetime(2026, 2, 2, 12, 0, tzinfo=UTC)  # a Monday; London is at UTC
MONDAY = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ANSWERS = dict.fromkeys(take_on.QUESTIONS, "no")
QUIET = 181.0  # seconds: just more than the wait before an unknown outcome is looked up

CUSTOMERS = ("Query Ltd", "Extension Ltd", "Plan Ltd", "Unsent Ltd", "Letter Ltd")
WRITTEN = {
    EffectKind.TAG: ("group_add", "group_remove"),
    EffectKind.EXPECTED_DATE: ("invoice_update",),
    EffectKind.SCHEDULE: ("attachment",),
    EffectKind.LEDGER_EMAIL: ("email",),
}


def scenario(**organisation: Any) -> dict[str, Any]:
    """Books with a few customers and nothing else; invoices come after the connection."""
    return {
        "organisation": {
            "name": "Harbour Lane",
            "legal_name": "Harbour Lane Limited",
            "country": "GB",
            "timezone": "Europe/London",
            "base_currency": "GBP",
            "native_reminders": False,
            "demo": False,
            **organisation,
        },
        "customers": [
            {"ref": name.split(maxsplit=1)[0].lower(), "name": name, "terms_days": 14, "email": address(name)}
            for name in CUSTOMERS
        ],
    }


def address(name: str) -> str:
    """Where this customer reads mail."""
    return f"accounts@{name.split(maxsplit=1)[0].lower()}.example"


@dataclass
class Office:
    """One project with its sandbox."""

    folder: Path
    served: Served
    client: http.HttpxClient
    clock: SandboxClock
    w: Wiring

    @contextmanager
    def again(self) -> Iterator[Office]:
        """The same project, opened anew, as another command would."""
        with opened(self.folder, self.served, connect=False) as office:
            yield office

    # -- the sandbox -------------------------------------------------------------------------------------------------

    def order(self, path: str, document: object) -> Any:
        """Tell the sandbox's control plane to do something."""
        url = f"{self.served.base_url}/__sandbox/{path}"
        answer = self.client.send(HttpRequest("POST", url, {}, json.dumps(document).encode()))
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def people(self, *acts: Mapping[str, object]) -> None:
        """People do this in the ledger itself."""
        self.order("people", {"organisation": "Harbour Lane", "actions": list(acts)})

    def fault(self, path: str, *, method: str = "", **action: object) -> None:
        """The next request to this path fares so."""
        match = {"path": path} | ({"method": method} if method else {})
        self.order("faults", {"match": match, "action": action, "times": 1})

    def fired(self) -> int:
        """How many faults have struck."""
        return len(self.look("faults")["firings"])

    def heal(self) -> None:
        """No more faults."""
        url = f"{self.served.base_url}/__sandbox/faults"
        assert self.client.send(HttpRequest("DELETE", url)).status == 200

    def look(self, path: str) -> Any:
        answer = self.client.send(HttpRequest("GET", f"{self.served.base_url}/__sandbox/{path}"))
        assert answer.status == 200
        return json.loads(answer.body)

    def truth(self) -> list[dict[str, Any]]:
        """Every committed change that came through the API, oldest first."""
        return [row for row in self.look("writes")["writes"] if row["actor"] == "api"]

    def notes(self) -> list[str]:
        """The text of every note written through the API."""
        return [str(row["detail"]["text"]) for row in self.truth() if row["kind"] == "history_note"]

    def letters(self) -> list[Path]:
        """The letters that left into the folder."""
        return sorted((self.folder / ".dunwell" / "letters").glob("*.eml"))

    def happened(self, row: EffectRow) -> int:
        """How often this effect happened in the world."""
        effect = row.effect
        if effect.kind is EffectKind.NOTE:
            return sum(effect.marker in text for text in self.notes())
        if effect.kind is EffectKind.LETTER:
            return sum(path.stem.endswith(effect.key[:16]) for path in self.letters())
        writes = [one for one in self.truth() if one["kind"] in WRITTEN[effect.kind]]
        return sum(effect.target in (one["target_id"], *_ids(one["detail"])) for one in writes)

    # -- time --------------------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        self.clock.sleep(seconds)

    def go_to(self, instant: datetime) -> None:
        self.clock.set(instant)

    # -- dunwell -----------------------------------------------------------------------------------------------------

    @property
    def row(self) -> OrganisationRow:
        with self.w.db.reading(self.w.tenant) as tx:
            return organisations.all(tx)[0]

    def connect(self) -> None:
        """Consent, as the person at Xero's own page would."""
        how = HowToConnect("xero", self.served.base_url, way="auto", organisation="Harbour Lane")
        connect_ledger(self.w, how, lambda _line: None, lambda _question: "")

    def pull(self) -> Pulled:
        return pull(self.w, self.row)

    def reconciled(self, until: date | None = None) -> CashKnown:
        """The bookkeeper has reconciled up to that day; by default up to yesterday."""
        return people.books_known_to(self.w, self.row, until or self.w.today(self.row) - timedelta(days=1))

    def plan(self) -> Proposal:
        return propose(self.w, self.row)

    def approve(self, *kinds: ActionKind) -> list[ActionRow]:
        """Plan, and approve every proposal of these kinds (none named = all that a person may approve)."""
        wanted = [
            action.id
            for action in self.plan().actions
            if action.key.kind not in approve.FOR_A_PERSON and (not kinds or action.key.kind in kinds)
        ]
        return approve.approve(self.w, wanted)

    def force(self, action: ActionRow) -> None:
        """Propose and approve this action as it stands, whatever the policy says today."""
        with self.w.db.writing(self.w.tenant) as tx:
            fresh = replace(action, created_at=tx.now, expires_at=None)
            actions.propose(tx, action.organisation_id, fresh)
            its_id = actions.action_id(action.organisation_id, action.key)
            assert actions.approve(tx, its_id, action.content_hash, self.w.who, tx.now)
            outbox.add(tx, action.organisation_id, its_id, action.effects)

    def apply(self) -> Delivered:
        return deliver(self.w, self.row)

    def effects(self, *kinds: EffectKind) -> list[EffectRow]:
        with self.w.db.reading(self.w.tenant) as tx:
            rows = outbox.listing(tx, self.row.id)
        return [row for row in rows if not kinds or row.effect.kind in kinds]

    def effect(self, kind: EffectKind, number: int = 0) -> EffectRow:
        return self.effects(kind)[number]

    def action(self, action_id: str) -> ActionRow:
        with self.w.db.reading(self.w.tenant) as tx:
            return actions.get(tx, action_id)

    def states(self) -> dict[str, int]:
        return dict(Counter(row.state.value for row in self.effects()))

    def settle_down(self, rounds: int = 4, seconds: float = QUIET) -> Delivered:
        """Apply, wait, apply again, until nothing moves."""
        result = self.apply()
        for _ in range(rounds):
            self.wait(seconds)
            result = self.apply()
        return result

    # -- stories -----------------------------------------------------------------------------------------------------

    def invoice(self, number: str, customer: str, amount: str = "600.00", **more: object) -> None:
        """An approved and sent invoice of 3 February, due on the 17th."""
        lines = [{"description": "Work", "unit_amount": amount, "tax": "none"}]
        what = {"do": "create_invoice", "ref": number.lower(), "customer": customer.split(maxsplit=1)[0].lower()}
        dates = {"date": "2026-02-03", "due": "2026-02-17", "sent": True}
        self.people({**what, "number": number, "lines": lines, **dates, **more})

    def take_on(self) -> None:
        """Answer, sort, close: what a person does on the first day."""
        self.pull()
        row = self.row
        for question, text in ANSWERS.items():
            take_on.answer(self.w, row, question, text)
        for name in CUSTOMERS:
            people.set_party(self.w, row, name, Party.COMPANY)
        take_on.sort(self.w, row, [], TakeOnChoice.CHASE)
        take_on.close(self.w, row)

    def five_cases(self) -> list[ActionRow]:
        """One approved action for every kind of effect: a query, an extension, a plan, a first sending, a letter."""
        for number, name in enumerate(CUSTOMERS, 1):
            self.invoice(f"INV-{number}", name, sent=name != "Unsent Ltd")
        self.pull()
        self.reconciled()
        row = self.row
        disputes.open_dispute(self.w, row, "INV-1", code=DisputeCode.QUALITY)
        accommodations.extend(self.w, row, "INV-2")
        accommodations.plan_offer(self.w, row, "INV-3", 1, principal=True)
        today = self.w.today(row)
        accommodations.plan_sign(self.w, row, "INV-3", name="Pat", capacity="director", on=today, evidence="a.pdf")
        return self.approve()


def _ids(detail: object) -> Iterator[str]:
    """Every id in the details of a write."""
    yield from re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", json.dumps(detail))


@contextmanager
def sandbox(document: Mapping[str, Any] | None = None, now: datetime = CONNECTED) -> Iterator[Served]:
    """The Xero sandbox with these books."""
    served = serve(port=0, books=None, now=now, seed=7, frozen=True)
    try:
        with closing(http.client()) as client:
            url = f"{served.base_url}/__sandbox/scenario"
            body = json.dumps(document or scenario()).encode()
            answer = client.send(HttpRequest("POST", url, {}, body))
            assert answer.status == 200, answer.body
        yield served
    finally:
        served.stop()


def new_project(folder: Path, served: Served) -> None:
    """A project folder that knows the sandbox's app."""
    scaffold(folder, "standard")
    env = folder / ".env"
    env.touch(mode=0o600)
    env.write_text(f"DUNWELL_XERO_CLIENT_ID={served.client_id}\nDUNWELL_XERO_CLIENT_SECRET={served.client_secret}\n")


@contextmanager
def opened(folder: Path, served: Served, *, connect: bool = True) -> Iterator[Office]:
    """The office at work on a project folder."""
    with ExitStack() as stack:
        client = stack.enter_context(closing(http.client()))
        clock = SandboxClock(client, served.base_url, exclusive=True)
        w = stack.enter_context(open_project(folder, who="Ana", clock=clock))
        office = Office(folder, served, client, clock, w)
        if connect:
            office.connect()
        yield office


def in_state(rows: list[EffectRow], state: EffectState) -> list[EffectRow]:
    return [row for row in rows if row.state is state]
