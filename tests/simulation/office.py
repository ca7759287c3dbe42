"""Offices to simulate: a connected project with a database and a twin, prepared once and copied for every run.

The twin cannot be copied; it is made anew and told the same again, which brings it to the same state, ids and tokens
included. Configuration is read once a process: it does not change.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

import adapters
from adapters._twin.clock import VirtualClock
from adapters._twin.messages import Request
from adapters.xero.sandbox import scenario as neutral
from adapters.xero.sandbox.app import XeroTwin
from adapters.xero.sandbox.store import Books
from connector.bootstrap import HowToConnect, connect_ledger, letterbook, settle
from connector.config import calendars
from connector.config.init import scaffold
from connector.config.layers import LoadedPolicy, load_policy
from connector.config.mapping import Mapping as LedgerMapping
from connector.config.mapping import load_mapping
from connector.domain.cases import DisputeCode, Party, TakeOnChoice
from connector.domain.dates import Calendar
from connector.domain.ledger import PaymentTerms, TermsBasis
from connector.domain.money import Money
from connector.domain.reductions import Reduction
from connector.oauth.stored import StoredTokens
from connector.ports import Clock, Credentials, HttpAnswer, HttpClient, HttpRequest, Ledger
from connector.service import accommodations, concessions, disputes, people, take_on
from connector.service.review import propose
from connector.service.sync import pull
from connector.service.wiring import Wiring
from connector.settings import Settings
from connector.store import connections, organisations
from connector.store.db import Database
from connector.store.organisations import OrganisationRow
from connector.vault import Vault
from tests.harness import ANSWERS, CONNECTED, CUSTOMERS, MONDAY, scenario
from tests.simulation.kinds import STORIES, Act
from tests.simulation.ports import Serial, SimIds, answer_of, to_twin

TENANT = "default"
NAME = "Harbour Lane"
BASE = "http://127.0.0.1:1"
TWIN_SEED = 7
_RECIPE = """
    tax: {NONE: as_invoiced, OUTPUT2: as_invoiced}
    country: GB
    tax_basis: INVOICE
    confirmed_by: "Jo Tan"
    confirmed_on: 2026-02-01
"""
RECIPES = f"""
reductions:
  goodwill:
    account: "200"{_RECIPE}
  correction:
    account: as_invoiced{_RECIPE}
"""


def new_twin() -> XeroTwin:
    """The twin as it was when the project was connected to it."""
    return XeroTwin([neutral.load(scenario(), CONNECTED)], VirtualClock(CONNECTED, frozen=True), seed=TWIN_SEED)


class QuietClock:
    """The twin's time while an office is prepared."""

    def __init__(self, twin: XeroTwin) -> None:
        self._twin = twin

    def now(self) -> datetime:
        return self._twin.clock.now()

    def sleep(self, seconds: float) -> None:
        self._twin.clock.advance(seconds)
        self._twin.advance(self._twin.clock.now())

    def lease_now(self) -> datetime:
        return self.now()


class QuietHttp:
    """Straight to the twin; remembers what has to be said to another twin to bring it as far (consent and tokens)."""

    def __init__(self, twin: XeroTwin) -> None:
        self._twin = twin
        self.said: list[tuple[Request, datetime]] = []

    def send(self, request: HttpRequest) -> HttpAnswer:
        asked, now = to_twin(request), self._twin.clock.now()
        if not asked.path.startswith(("/api.xro/", "/__sandbox/")):
            self.said.append((asked, now))
        return answer_of(self._twin.handle(asked, now))


class Middle:
    """Jitter without chance."""

    def uniform(self, low: float, high: float) -> float:
        return (low + high) / 2


@dataclass(frozen=True)
class Config:
    """A project's configuration, read once."""

    root: Path
    settings: Settings
    vault: Vault
    mapping: LedgerMapping
    policy: LoadedPolicy
    calendar: Calendar
    letters: Any
    credentials: Credentials

    @classmethod
    def read(cls, root: Path) -> Config:
        settings = Settings.load(root)
        policy = load_policy(root, "GBP")
        credentials = settings.credentials("DUNWELL_XERO")
        assert credentials is not None
        return cls(
            root, settings, Vault.open(settings), load_mapping(root), policy,
            calendars.calendar("GB", "", range(2024, 2029), policy.policy), letterbook(root), credentials,
        )  # fmt: skip

    def wiring(
        self, db: Database, clock: Clock, http: HttpClient, ids: SimIds, channel: Callable[[], Any],
        ledger: Callable[[Ledger], Any] = lambda one: one, random: Any = None, who: str = "Ana",
    ) -> Wiring:  # fmt: skip
        """What a process of this project is given. `ledger` may wrap the one that is made."""
        source = random or Middle()
        made: dict[str, Any] = {}

        def of(row: OrganisationRow) -> Any:
            if row.id not in made:
                made[row.id] = ledger(self._connected(row, db, clock, http, ids, source))
            return made[row.id]

        return Wiring(
            project=self.root, tenant=TENANT, db=db, clock=clock, ids=ids, random=source, http=http, ledger=of,
            channel=channel, policy=lambda _row: self.policy, mapping=lambda _row: self.mapping,
            calendar=lambda _row: self.calendar, letterbook=lambda: self.letters, pages=Serial, who=who,
            holder=f"sim:{ids.new()}",
        )  # fmt: skip

    def _connected(
        self, row: OrganisationRow, db: Database, clock: Clock, http: HttpClient, ids: SimIds, random: Any
    ) -> Ledger:
        adapter = adapters.load("xero")
        with db.reading(TENANT) as tx:
            connection = connections.for_organisation(tx, row.id)
        assert connection is not None
        tokens = StoredTokens(
            db, self.vault, http, adapter, connection.id, clock, ids, self.credentials, tenant=TENANT
        )  # fmt: skip
        return adapter.connect(
            http=http, clock=clock, random=random, tokens=tokens, base_url=connection.base_url,
            ledger_id=row.record.ledger_id, groups=(self.mapping.dispute_tag,),
        )  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """An office on Monday noon: its database, and what a fresh twin must be told to be where its twin was."""

    database: Path
    said: tuple[tuple[Request, datetime], ...]
    books: tuple[tuple[Act, datetime], ...]

    def twin(self) -> XeroTwin:
        """A twin in that state."""
        twin = new_twin()
        for request, at in self.said:
            twin.handle(request, at)
        for act, at in self.books:
            twin.clock.set(max(at, twin.clock.now()))
            twin.act(books(twin).tenant_id, dict(act), at)
        twin.clock.set(MONDAY)
        books(twin).truth.clear()
        return twin


def books(twin: XeroTwin) -> Books:
    """The one organisation's books."""
    return next(iter(twin.books.values()))


class Ground:
    """A folder (in memory where there is one) with prepared offices; one process uses it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._prepared: dict[tuple[str, ...], Prepared] = {}
        self._engines: dict[str, sa.Engine] = {}
        twin, root = new_twin(), folder / "project"
        scaffold(root, "standard")
        env = root / ".env"
        env.touch(mode=0o600)
        env.write_text(
            f"DUNWELL_XERO_CLIENT_ID={twin.client_id}\nDUNWELL_XERO_CLIENT_SECRET={twin.client_secret}\n"
            f"DUNWELL_SECRET_KEY={'11' * 32}\n"
        )
        with (root / "mapping.yaml").open("r+") as mapping:
            kept, _, _ = mapping.read().partition("\nreductions:")
            mapping.seek(0)
            mapping.truncate()
            mapping.write(kept + RECIPES)
        with (root / "policy.yaml").open("a") as policy:
            policy.write("\nreissue:\n  enabled: true\n")
        self.config = Config.read(root)
        self._base = self._connect(twin)

    def _connect(self, twin: XeroTwin) -> Prepared:
        """Consent and take-on, a month before the run."""
        path = self.folder / "base.db"
        clock, client = QuietClock(twin), QuietHttp(twin)
        with self._open(path, clock) as db:
            db.migrate()
            w = self.config.wiring(db, clock, client, SimIds("base"), lambda: None)
            how = HowToConnect("xero", BASE, way="auto", organisation=NAME)
            connect_ledger(w, how, lambda _line: None, lambda _question: "")
            row = organisation(w)
            pull(w, row)
            for question, text in ANSWERS.items():
                take_on.answer(w, row, question, text)
            for name in CUSTOMERS:
                people.set_party(w, row, name, Party.COMPANY)
            take_on.sort(w, row, [], TakeOnChoice.CHASE)
            take_on.close(w, organisation(w))
        return Prepared(path, tuple(client.said), ())

    def prepared(self, stories: tuple[str, ...]) -> Prepared:
        """The office in which these stories wait to be carried out: proposed, not approved."""
        if stories not in self._prepared:
            self._prepared[stories] = self._prepare(stories)
        return self._prepared[stories]

    def _prepare(self, stories: tuple[str, ...]) -> Prepared:
        written = MONDAY - timedelta(hours=1)
        acts = tuple((act, written) for name in stories for act in STORIES[name].books)
        start = replace(self._base, books=acts)
        twin = start.twin()
        path = self.folder / f"prepared-{len(self._prepared)}.db"
        shutil.copyfile(self._base.database, path)
        clock, client = QuietClock(twin), QuietHttp(twin)
        with self._open(path, clock) as db:
            w = self.config.wiring(db, clock, client, SimIds("prep"), lambda: None)
            row = organisation(w)
            pull(w, row)
            people.books_known_to(w, row, w.today(row) - timedelta(days=1))
            for name in stories:
                for act in STORIES[name].told:
                    told(w, row, act)
            propose(w, organisation(w))
        return replace(start, database=path, said=start.said + tuple(client.said))

    @contextmanager
    def _open(self, path: Path, clock: Clock) -> Iterator[Database]:
        db = Database.open(f"sqlite:///{path}", clock)
        try:
            yield db
        finally:
            db.close()
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # -- one run at a time -------------------------------------------------------------------------------------------

    @property
    def database(self) -> Path:
        return self.folder / "run.db"

    def lay_out(self, office: Prepared) -> None:
        """A fresh copy of the office's database, and no letters."""
        for engine in self._engines.values():
            engine.dispose()
        for suffix in ("-wal", "-shm"):
            self.database.with_name(f"run.db{suffix}").unlink(missing_ok=True)
        shutil.copyfile(office.database, self.database)
        shutil.rmtree(self.folder / "letters", ignore_errors=True)

    def engine(self, slot: str) -> sa.Engine:
        """One engine for each process of the run. They live on between runs, for what they have compiled."""
        if slot not in self._engines:
            clock = QuietClock(new_twin())
            self._engines[slot] = Database.open(f"sqlite:///{self.database}", clock).engine
        return self._engines[slot]

    def close(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        shutil.rmtree(self.folder, ignore_errors=True)


def organisation(w: Wiring) -> OrganisationRow:
    with w.db.reading(w.tenant) as tx:
        return organisations.all(tx)[0]


def told(w: Wiring, row: OrganisationRow, act: Act) -> None:
    """What a customer said, as a person records it."""
    match act["do"]:
        case "dispute":
            disputes.open_dispute(w, row, act["invoice"], code=DisputeCode.QUALITY)
        case "extend":
            accommodations.extend(w, row, act["invoice"])
        case "plan":
            accommodations.plan_offer(w, row, act["invoice"], 1, principal=True)
            today = w.today(row)
            accommodations.plan_sign(w, row, act["invoice"], name="Pat", capacity="director", on=today, evidence="a")
        case "concede":
            amount = Money.of(act["amount"], "GBP")
            concessions.concede(w, row, act["invoice"], Reduction.GOODWILL, amount, reason="it was late")
        case "reissue":
            concessions.reissue(w, row, act["invoice"], reason="a wrong name")
        case "terms":
            terms = PaymentTerms(act["days"], TermsBasis.AFTER_INVOICE_DATE)
            concessions.change_terms(w, row, act["customer"], terms, reason="agreed")
        case other:
            raise ValueError(f"nobody can tell the product to {other!r}")


def shared_memory() -> Path | None:
    """A folder that is not on a disk, where the system has one."""
    folder = Path("/dev/shm")
    return folder if folder.is_dir() else None


@cache
def ground() -> Ground:
    """This process's ground."""
    settle()
    folder = Path(tempfile.mkdtemp(prefix="dunwell-simulation-", dir=shared_memory()))
    made = Ground(folder)
    _STACK.callback(made.close)
    return made


_STACK = ExitStack()


def tidy() -> None:
    """Remove this process's ground."""
    _STACK.close()
    ground.cache_clear()
