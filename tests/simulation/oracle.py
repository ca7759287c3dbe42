"""The judge at the wire: reads the twin's log of committed changes, the mail server's, and the committed database.

dunwell's own opinion counts for nothing here. What it may say is what it stored before a request left: its intents.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from adapters._twin.messages import Request, Response
from adapters.xero.sandbox.app import XeroTwin
from adapters.xero.sandbox.store import Books
from connector.domain.decisions import ActionKind
from connector.domain.effects import EffectState, ExpectedDate
from connector.errors import NotFound
from connector.ports import OutgoingLetter
from connector.store import actions, outbox
from connector.store.actions import ActionRow
from connector.store.db import Database
from connector.store.outbox import EffectRow
from tests.simulation.baton import Actor, Baton
from tests.simulation.kinds import KIND_OF_TRUTH
from tests.simulation.ports import TOKEN_PATH

API = "/api.xro/2.0"
FRESH = timedelta(seconds=60)
REFRESH_LEASE = timedelta(seconds=110)
OPENS, CLOSES = 9, 17
_KEY = re.compile(r"([0-9a-f]{40})-\d+(-group)?")
_INVOICE = re.compile(rf"{API}/Invoices/([0-9a-f-]{{36}})$")


@dataclass(frozen=True)
class Touch:
    """Something that a person changed: in the ledger, or by word to the product."""

    at: datetime
    turn: int
    what: str
    record: str  # the invoice's or contact's id; "" = everything


@dataclass
class Oracle:
    """Watches the wire of one run."""

    baton: Baton
    twin: XeroTwin
    books: Books
    db: Database
    tenant: str = "default"
    seen: int = 0
    groups_made: int = 0
    happened: Counter[str] = field(default_factory=Counter)  # by the first 40 digits of the effect key
    rows: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    touches: list[Touch] = field(default_factory=list)
    letters: list[tuple[datetime, str, str]] = field(default_factory=list)  # when, recipient, Message-ID
    requests: Counter[str] = field(default_factory=Counter)
    flying: dict[str, Actor] = field(default_factory=dict)
    looked: dict[tuple[Actor, str], int] = field(default_factory=dict)
    refreshed: dict[str, datetime] = field(default_factory=dict)  # refresh tokens, by when they were first used up
    refused: set[str] = field(default_factory=set)  # effects that the ledger answered 4xx to

    # -- at the wire -------------------------------------------------------------------------------------------------

    def leaving(self, request: Request) -> None:
        """Its first byte is about to leave."""
        self.requests[request.method] += 1
        if request.method == "GET" or not request.path.startswith(API):
            return
        row = self._intent(request)
        other = self.flying.get(row.effect.key)
        if other is not None and other is not self.baton.me:
            self.baton.breach("I8", f"{other.name} and {self.baton.me.name} send {_told(row)} at once")
        self.flying[row.effect.key] = self.baton.me
        for first in row.effect.after:
            self._comes_after(row, first)
        if row.effect.kind.value == "ledger_email":
            self._goes_out(row)

    def arrived(self, request: Request) -> None:
        """It reaches the ledger."""
        if request.method == "GET" or not request.path.startswith(API):
            return
        self.flying = {key: actor for key, actor in self.flying.items() if actor is not self.baton.me}
        found = _INVOICE.match(request.path)
        if found is not None and request.method == "POST":
            self._overwrites(found[1], request)

    def answered(self, request: Request, answer: Response, *, delivered: bool) -> None:
        """The ledger has dealt with it; `delivered`: its answer arrives."""
        self.count()
        if request.path == TOKEN_PATH:
            self._refreshed(request, answer, delivered=delivered)
        if request.method == "GET":
            if (found := _INVOICE.match(request.path)) is not None:
                self.looked[self.baton.me, found[1]] = self.baton.turns
        elif 400 <= answer.status < 500 and (key := _KEY.fullmatch(request.headers.get("idempotency-key", ""))):
            self.refused.add(key[1])

    def _intent(self, request: Request) -> EffectRow:
        """I3: exactly this request was committed as an intent, and is in force."""
        key = request.headers.get("idempotency-key", "")
        row = self._row_of(request, key)
        if row is None:
            self.baton.breach("I3", f"a write without an intent: {request.method} {request.path} {key}")
        prepared = row.prepared
        if row.state is not EffectState.SENDING or prepared is None:
            self.baton.breach("I3", f"{_told(row)} left while it was {row.state.value}")
        if key and prepared.key != key.removesuffix("-group"):
            self.baton.breach("I3", f"{_told(row)} left under {key}, stored is {prepared.key}")
        if not key.endswith("-group") and not _same(prepared.method, prepared.path, prepared.body, request):
            self.baton.breach("I3", f"{_told(row)} left with other content than was stored")
        return row

    def _comes_after(self, row: EffectRow, first: str) -> None:
        """I7: a report comes after what it reports has happened."""
        act = self.effect(first)
        there = act is not None and act.receipt is not None and (act.receipt.already or act.receipt.found)
        if not self.happened[first[:40]] and not there:
            self.baton.breach("I7", f"{_told(row)} reports what has not happened: {first[:8]}")

    def _row_of(self, request: Request, key: str) -> EffectRow | None:
        if (named := _KEY.fullmatch(key)) is not None:
            return self.effect(named[1])
        target = request.path.rsplit("/", 1)[-1]
        return next((r for r in self.effects() if r.effect.target == target and r.state is EffectState.SENDING), None)

    def _overwrites(self, invoice_id: str, request: Request) -> None:
        """I16: a person's later edit of the field is not overwritten, as far as a look could show it."""
        row = self._row_of(request, request.headers.get("idempotency-key", ""))
        if row is None or not isinstance(row.effect.payload, ExpectedDate):
            return
        invoice = self.books.invoices.get(invoice_id)
        standing: date | None = invoice.expected if invoice is not None else None
        if standing in (row.effect.payload.seen, row.effect.payload.expected):
            return
        looked = self.looked.get((self.baton.me, invoice_id), -1)
        edits = [one.turn for one in self.touches if one.record == invoice_id and one.what == "expected date"]
        if not edits or max(edits) < looked or looked < 0:
            self.baton.breach("I16", f"{_told(row)} overwrites {standing}, which a person set")

    def _refreshed(self, request: Request, answer: Response, *, delivered: bool) -> None:
        """I11: nobody uses a refresh token again while the one who has used it may still be storing the new one.

        After the refresh's lease, or a crash, it may be used again: that is what the ledger's grace is for.
        """
        token = re.search(rb"refresh_token=([^&]+)", request.body)
        if token is None or answer.status != 200 or not delivered:
            return
        first = self.refreshed.setdefault(token[1].decode(), self.baton.now)
        lately = timedelta(0) < self.baton.now - first < REFRESH_LEASE
        if lately and not self.baton.counts["crashed"]:
            self.baton.breach("I11", "one refresh token was used twice, and both answers arrived")

    # -- the mail server ---------------------------------------------------------------------------------------------

    def posting(self, letter: OutgoingLetter) -> None:
        row = self.effect(letter.message_id.removeprefix("<dw.")[:32])
        if row is None or row.state is not EffectState.SENDING:
            state = "without an intent" if row is None else f"while it was {row.state.value}"
            self.baton.breach("I3", f"a letter left {state}: {letter.message_id}")
        if row.prepared is None or row.prepared.key != letter.message_id:
            self.baton.breach("I3", f"a letter left under another name than was stored: {letter.message_id}")
        self._goes_out(row)

    def posted(self, letter: OutgoingLetter) -> None:
        row = self.effect(letter.message_id.removeprefix("<dw.")[:32])
        assert row is not None
        self._happened(row.effect.key[:40], "letter", "I5")
        self.letters.append((row.t_send or self.baton.now, letter.recipient, letter.message_id))
        self._spaced(letter.recipient)

    def _spaced(self, recipient: str) -> None:
        """I7: at most one letter a day and two in seven days to one mailbox."""
        days = sorted(at.date() for at, to, _ in self.letters if to == recipient)
        if len(days) != len(set(days)):
            self.baton.breach("I7", f"two letters in one day to {recipient}")
        if any(later - first < timedelta(days=7) for first, later in zip(days, days[2:], strict=False)):
            self.baton.breach("I7", f"three letters in seven days to {recipient}")

    def _goes_out(self, row: EffectRow) -> None:
        """I6, I7: nothing reaches a customer about what is settled, in question, on hold, or at night."""
        with self.db.reading(self.tenant) as tx:
            action = actions.get(tx, row.action_id)
        sent = row.t_send
        assert sent is not None
        local = sent.astimezone(ZoneInfo("Europe/London"))
        open_now = local.weekday() <= 4 and OPENS <= local.hour + local.minute / 60 <= CLOSES
        if action.decision.contact and not open_now:
            self.baton.breach("I7", f"{_told(row)} left outside the contact hours, at {local:%a %H:%M}")
        for touch in self.touches:
            if self._forbids(touch, action, row, sent):
                what = f"{touch.what} at {touch.at:%d %H:%M:%S}, intent at {sent:%d %H:%M:%S}"
                self.baton.breach("I6", f"{_told(row)} ({action.decision.kind.value}) left after {what}")

    def _forbids(self, touch: Touch, action: ActionRow, row: EffectRow, sent: datetime) -> bool:
        asks = action.key.kind in (ActionKind.LETTER, ActionKind.REINVOICE, ActionKind.SEND_INVOICE)
        if not asks or touch.record not in ("", action.customer_id, *action.decision.items):
            return False
        if touch.what in {"dispute", "legal_hold", "hold_all", "observe"}:  # our own records: no delay at all
            return touch.at < sent and not self._lifted(touch, sent)
        if touch.at > sent - FRESH:
            return False
        if touch.what in {"payment", "void"}:
            invoice = self.books.invoices.get(touch.record)
            return invoice is None or invoice.status != "AUTHORISED"
        decided = action.decided_at
        changes = {"payment", "allocation", "due date", "contact_update"}
        return touch.what in changes and decided is not None and touch.at > decided and self._matters(touch, row)

    def _matters(self, touch: Touch, row: EffectRow) -> bool:
        """Does the change make the message wrong? What was changed and changed back does not."""
        if touch.what != "contact_update":
            return True
        contact = self.books.contacts.get(touch.record)
        recipient = getattr(row.effect.payload, "recipient", None)
        return recipient is not None and contact is not None and contact.email != recipient

    def _lifted(self, touch: Touch, sent: datetime) -> bool:
        ends = {"observe": "observe over", "dispute": "resolve"}.get(touch.what)
        later = (one for one in self.touches if one.what == ends and one.record == touch.record)
        return any(touch.turn < one.turn for one in later)

    # -- the truth ---------------------------------------------------------------------------------------------------

    def count(self) -> None:
        """Read the new rows of the twin's log."""
        new = self.books.truth[self.seen :]
        self.seen = len(self.books.truth)
        for row in new:
            target, kind = str(row["target_id"]), str(row["kind"])
            if row["actor"] == "api":
                self._api(target, kind, str(row["idempotency_key"]))
            elif row["actor"] == "people":
                self._person(target, kind, row["detail"])

    def _person(self, target: str, kind: str, detail: object) -> None:
        about = detail if isinstance(detail, dict) else {}
        record = str(about.get("invoice_id") or about.get("document_id") or target)
        if kind == "invoice_update":
            changed = str(about.get("changed"))
            kind = "due date" if "DueDate" in changed else "expected date" if "Expected" in changed else "edit"
        self.touch(kind, record)

    def touch(self, what: str, record: str) -> None:
        """A person did something."""
        self.touches.append(Touch(self.baton.now, self.baton.turns, what, record))

    def _api(self, target: str, kind: str, key: str) -> None:
        named = _KEY.fullmatch(key)
        if kind == "group_create":
            self.groups_made += 1
            if self.groups_made > 1:
                self.baton.breach("I1", "the contact group was made twice")
            return None
        if kind not in KIND_OF_TRUTH:
            self.baton.breach("I3", f"a change that no effect makes: {kind} on {target}")
        if named is not None:
            return self._happened(named[1], kind, "I5" if kind == "email" else "I1")
        removals = [
            r for r in self.effects() if r.effect.kind.value == "tag" and r.effect.target == target and r.attempt
        ]
        if not removals:
            self.baton.breach("I3", f"{kind} on {target} belongs to no effect")
        return self._happened(removals[-1].effect.key[:40], kind, "I1")

    def _happened(self, key: str, kind: str, invariant: str) -> None:
        row = self.effect(key)
        if row is None:
            self.baton.breach("I3", f"{kind} belongs to no effect: {key}")
        key = row.effect.key[:40]
        self.rows[key].append(kind)
        if self.happened[key] and self.undone(row):
            return  # a person undid a state between: the effect asks for the state, not for the act
        self.happened[key] += 1
        if self.happened[key] > 1:
            self.baton.breach(invariant, f"{_told(row)} happened twice")

    def undone(self, row: EffectRow) -> bool:
        """Did a person change the state that this effect sets, while nobody could know whether it had been set?"""
        undoing = {
            "tag": ("group_remove", "group_add", "contact_merge"),
            "expected_date": ("expected date",),
            "terms": ("contact_update",),
        }
        kinds = undoing.get(row.effect.kind.value, ())
        return any(one.what in kinds for one in self.touches)

    # -- the stored intents ------------------------------------------------------------------------------------------

    def effect(self, prefix: str) -> EffectRow | None:
        """The committed row of this effect."""
        with self.db.reading(self.tenant) as tx:
            try:
                return outbox.find(tx, prefix)
            except NotFound:
                return None

    def waiting_for_people(self) -> bool:
        """Is there an outcome that only a person can find out?"""
        return self._any("state = 'human'")

    def anything_open(self) -> bool:
        """Is anything still to come?"""
        return self._any("state IN ('planned', 'sending', 'unknown', 'human')")

    def _any(self, condition: str) -> bool:
        with self.db.reading(self.tenant) as tx:
            return tx.connection.exec_driver_sql(f"SELECT 1 FROM effect WHERE {condition} LIMIT 1").first() is not None

    def effects(self) -> tuple[EffectRow, ...]:
        with self.db.reading(self.tenant) as tx:
            return outbox.listing(tx, None)


def _told(row: EffectRow) -> str:
    return f"{row.effect.kind.value} {row.effect.key[:8]} on {row.effect.target[:8]} (attempt {row.attempt})"


def _same(method: str, path: str, body: bytes, request: Request) -> bool:
    stored, sent = unquote(path).split("/"), request.path.removeprefix(API).split("/")
    if stored[1] == "ContactGroups":
        stored[2:3], sent[2:3] = [], []  # the group is named by its id on the wire
    return (method, stored, body) == (request.method, sent, request.body)
