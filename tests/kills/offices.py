"""The offices in which the killing takes place: all is proposed, nothing approved; prepared once, copied by forks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from adapters.xero.sandbox.app import XeroTwin
from connector import http
from connector.bootstrap import open_project
from connector.clock import SandboxClock
from connector.domain.cases import DisputeCode, DisputeOutcome, Party
from connector.domain.ledger import PaymentTerms, TermsBasis
from connector.domain.money import Money
from connector.domain.reductions import Reduction
from connector.service import accommodations, concessions, disputes, people
from connector.service.wiring import Wiring
from connector.store.schema import METADATA
from tests.harness import MONDAY, Office, address, new_project, opened, sandbox, scenario
from tests.kills.kinds import KINDS, Kind

MORE_CUSTOMERS = ("Credit Ltd", "Open Ltd", "Terms Ltd", "Again Ltd")
_CONFIRMED = """
    tax: {{NONE: as_invoiced, OUTPUT2: as_invoiced}}
    country: GB
    tax_basis: {basis}
    confirmed_by: "Jo Tan"
    confirmed_on: 2026-02-01
"""
RECIPES = f"""
reductions:
  goodwill:
    account: "200"{_CONFIRMED}
  correction:
    account: as_invoiced{_CONFIRMED}
"""


@dataclass(frozen=True)
class Victim:
    """The effect at which the process dies, and its action."""

    action: str
    key: str
    target: str


@dataclass(frozen=True)
class Prepared:
    """An office's folder, its database, the sandbox as it stands then, and the effects by the names of `KINDS`."""

    folder: Path
    database: str  # "" = SQLite in the folder
    twin: XeroTwin
    victims: dict[str, Victim]


@dataclass(frozen=True)
class Case:
    """A copy of an office, with its own sandbox, and what dies in it."""

    folder: Path
    base_url: str
    kind: Kind
    victim: Victim

    @contextmanager
    def opened(self, who: str) -> Iterator[Wiring]:
        """The project as a process opens it. The processes of a case come one after the other: nobody else moves the
        sandbox's clock."""
        with closing(http.client()) as client:
            clock = SandboxClock(client, self.base_url, exclusive=True)
            with open_project(self.folder, who=who, clock=clock) as w:
                yield w


class Databases:
    """Where the offices' data lie: SQLite in each folder, or databases of one Postgres server."""

    def __init__(self, server: str) -> None:
        self._server = server

    def new(self, name: str) -> str:
        """The address of a new database; "" for SQLite in the project's folder."""
        if not self._server:
            return ""
        self._run(self._server, f'CREATE DATABASE "{name}"')
        return sa.make_url(self._server).set(database=name).render_as_string(hide_password=False)

    def keep(self, address: str) -> None:
        """Remember what is in it. (A copy of the database for every case costs a quarter of a second.)"""
        if address:
            copies = [f"CREATE TABLE kept.{name} AS TABLE public.{name}" for name in _TABLES]
            self._run(address, "CREATE SCHEMA kept", *copies)

    def lay_out(self, prepared: Prepared, folder: Path) -> str:
        """The office for one case: a copy of its folder, and its database as it was kept, whose address is told."""
        shutil.copytree(prepared.folder, folder)
        if not prepared.database:
            return f"sqlite:///{folder}/.dunwell/dunwell.db"
        emptied = [f"DELETE FROM public.{name}" for name in reversed(_TABLES)]
        filled = [f"INSERT INTO public.{name} SELECT * FROM kept.{name}" for name in _TABLES]
        self._run(prepared.database, "BEGIN", *emptied, *filled, "COMMIT")
        return prepared.database

    def drop(self, address: str) -> None:
        """Remove a database that `new` made."""
        if address:
            self._run(self._server, f'DROP DATABASE "{sa.make_url(address).database}" WITH (FORCE)')

    def _run(self, address: str, *statements: str) -> None:
        engine = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(";".join(statements))


_TABLES = [table.name for table in METADATA.sorted_tables]


def prepare(folder: Path, databases: Databases, name: str) -> Prepared:
    """An office on Monday noon: "proposed", or "tagged" where a query is over and its tag is still in the ledger."""
    document = scenario()
    document["customers"] += [
        {"ref": _ref(one), "name": one, "terms_days": 14, "email": address(one)} for one in MORE_CUSTOMERS
    ]
    database = databases.new(f"kills_{name}")
    with sandbox(document) as served:
        root = folder / name
        new_project(root, served)
        if database:
            with (root / ".env").open("a") as env:
                env.write(f"DUNWELL_DATABASE_URL={database}\n")
        with opened(root, served) as office:
            _take_on(office)
            with _with_recipes(office) as again:
                _tagged(again) if name == "tagged" else _proposed(again)
                victims = _victims(again, name)
        (books,) = (one for one in served.twin.books.values() if one.name == "Harbour Lane")
        books.truth.clear()
        databases.keep(database)
        shutil.rmtree(root / ".dunwell" / "letters", ignore_errors=True)
        return Prepared(root, database, served.twin, victims)


def _take_on(office: Office) -> None:
    office.pull()
    for name in MORE_CUSTOMERS:
        people.set_party(office.w, office.row, name, Party.COMPANY)
    office.take_on()
    office.go_to(MONDAY)


@contextmanager
def _with_recipes(office: Office) -> Iterator[Office]:
    """The same office after its accountant has confirmed how invoices are reduced, and allowed to raise them again."""
    mapping = office.folder / "mapping.yaml"
    kept, _, _ = mapping.read_text().partition("\nreductions:")
    mapping.write_text(kept + RECIPES.format(basis=office.row.record.tax_basis))
    with (office.folder / "policy.yaml").open("a") as policy:
        policy.write("\nreissue:\n  enabled: true\n")
    with office.again() as made:
        yield made


def _proposed(office: Office) -> None:
    """Every kind of action but the untagging is proposed."""
    sent = {"Query Ltd": "INV-1", "Extension Ltd": "INV-2", "Plan Ltd": "INV-3", "Letter Ltd": "INV-5"}
    sent |= {"Credit Ltd": "INV-6", "Open Ltd": "INV-7", "Again Ltd": "INV-8"}
    for name, number in sent.items():
        office.invoice(number, name)
    office.invoice("INV-4", "Unsent Ltd", sent=False)
    office.people({"do": "credit", "customer": "open", "number": "CN-9", "amount": "250.00"})
    office.pull()
    office.reconciled()
    w, row = office.w, office.row
    disputes.open_dispute(w, row, "INV-1", code=DisputeCode.QUALITY)
    accommodations.extend(w, row, "INV-2")
    accommodations.plan_offer(w, row, "INV-3", 1, principal=True)
    accommodations.plan_sign(w, row, "INV-3", name="Pat", capacity="director", on=w.today(row), evidence="a.pdf")
    goodwill = Money.of("100.00", "GBP")
    concessions.concede(w, row, "INV-6", Reduction.GOODWILL, goodwill, reason="the work was late")
    concessions.use_credit(w, row, "INV-7")
    concessions.reissue(w, row, "INV-8", reason="the wrong company was named")
    concessions.change_terms(
        w, row, "Terms Ltd", PaymentTerms(7, TermsBasis.AFTER_INVOICE_DATE), reason="shorter from now on"
    )


def _tagged(office: Office) -> None:
    """A query was opened, tagged and noted, and is now withdrawn."""
    office.invoice("INV-1", "Query Ltd")
    office.pull()
    office.reconciled()
    disputes.open_dispute(office.w, office.row, "INV-1", code=DisputeCode.QUALITY)
    office.approve()
    office.apply()
    disputes.resolve(office.w, office.row, "INV-1", DisputeOutcome.WITHDRAWN)


def _victims(office: Office, name: str) -> dict[str, Victim]:
    """The effect of each kind that this office proposes."""
    actions = {(one.key.kind, one.preview.get("customer")): one for one in office.plan().actions}
    found: dict[str, Victim] = {}
    for named, kind in KINDS.items():
        if kind.office != name:
            continue
        action = actions[kind.action, kind.customer]
        effect = next(one for one in action.effects if (one.kind, one.target_kind) == (kind.effect, kind.on))
        found[named] = Victim(action.id, effect.key, effect.target)
    return found


def _ref(name: str) -> Any:
    return name.split(maxsplit=1)[0].lower()
