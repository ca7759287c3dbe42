"""A practice that connects to books which nobody here made up: recorded answers, served, connected, pulled."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from connector import http
from connector.bootstrap import HowToConnect, connect_ledger, open_project, serve_sandbox
from connector.clock import SandboxClock
from connector.config.init import scaffold
from connector.domain.cases import TakeOnChoice
from connector.domain.ledger import CustomerBook, NeedsReview
from connector.service import approve, people, take_on
from connector.service.deliver import Delivered, deliver
from connector.service.report import Figure, Report, report
from connector.service.review import Proposal, propose
from connector.service.sync import Pulled, pull
from connector.service.wiring import Wiring
from connector.store import mirror, organisations
from connector.store.organisations import OrganisationRow


def shared() -> Path:
    """The folder with specs/ and fixtures/: $DUNWELL_SHARED, or `shared` beside the checkout. Skips without."""
    checkout = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("DUNWELL_SHARED") or checkout.parent / "shared")
    if not (folder / "specs" / "xero_accounting.yaml").is_file():
        pytest.skip(
            "NOT TESTED on the vendor's own examples: set DUNWELL_SHARED to the folder with specs/ and fixtures/"
        )
    return folder


def examples(target: Path, *, lists_only: bool) -> Path:
    """Write the API description's examples of successful answers into a folder, one file an operation."""
    described = YAML(typ="safe", pure=True).load(shared() / "specs" / "xero_accounting.yaml")
    target.mkdir()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            if not isinstance(operation, dict) or (lists_only and (method != "get" or "{" in path)):
                continue
            for example in _successes(operation):
                name = f"{method}{path}".translate(str.maketrans("/{}", "-__"))
                # Dates such as "2018-10-20 00:00:00" come out as they are printed in the file.
                (target / f"{name}.json").write_text(json.dumps(example, default=str), "utf-8")
    return target


def _successes(operation: Mapping[str, Any]) -> Iterator[object]:
    for code, response in operation["responses"].items():
        for content in (response.get("content") or {}).values() if str(code).startswith("2") else ():
            if isinstance(content.get("example"), dict):
                yield content["example"]


@dataclass
class Practice:
    """One project, connected to one set of books, pulled once."""

    w: Wiring
    organisation_id: str
    pulled: Pulled

    @property
    def row(self) -> OrganisationRow:
        with self.w.db.reading(self.w.tenant) as tx:
            return organisations.get(tx, self.organisation_id)

    def report(self, as_of: date | None = None) -> Report:
        return report(self.w, self.row, as_of)

    def books(self) -> dict[str, CustomerBook]:
        """What the mirror holds, by customer's name."""
        with self.w.db.reading(self.w.tenant) as tx:
            return {book.customer.name: book for book in mirror.books(tx, self.organisation_id, open_only=False)}

    def review(self) -> dict[str, str]:
        """Records that a person must look at: number or id -> the reason."""
        with self.w.db.reading(self.w.tenant) as tx:
            found: tuple[NeedsReview, ...] = mirror.needs_review_list(tx, self.organisation_id)
        return {one.number or one.id: one.reason for one in found}

    def pull(self) -> Pulled:
        return pull(self.w, self.row)

    def next_day(self) -> None:
        """The next morning; the books are reconciled up to the evening before."""
        assert isinstance(self.w.clock, SandboxClock)
        self.w.clock.set(self.w.clock.now() + timedelta(days=1))
        self._reconciled()
        self.pull()

    def _reconciled(self) -> None:
        people.books_known_to(self.w, self.row, self.w.today(self.row) - timedelta(days=1))

    def take_on(self) -> take_on.TakeOn:
        """Answer, sort everybody as "chase", close; the books are reconciled up to yesterday."""
        for question in take_on.QUESTIONS:
            take_on.answer(self.w, self.row, question, "no")
        shown = take_on.show(self.w, self.row)
        take_on.sort(self.w, self.row, [], TakeOnChoice.CHASE)
        take_on.close(self.w, self.row)
        self._reconciled()
        return shown

    def plan(self) -> Proposal:
        return propose(self.w, self.row)

    def apply(self) -> Delivered:
        approve.approve_all(self.w, self.organisation_id)
        return deliver(self.w, self.row)


@contextmanager
def practice(folder: Path, books: Path, now: str, settings: str = "") -> Iterator[Practice]:
    """Serve the books at a frozen instant, connect by the real consent flow, pull. `settings`: added to policy.yaml."""
    served = serve_sandbox("xero", port=0, books=books, now=now, seed=1, frozen=True)
    try:
        project = folder / "project"
        scaffold(project, "standard")
        (project / "policy.yaml").write_text((project / "policy.yaml").read_text("utf-8") + settings, "utf-8")
        (project / ".env").write_text(
            f"DUNWELL_XERO_CLIENT_ID={served.client_id}\nDUNWELL_XERO_CLIENT_SECRET={served.client_secret}\n"
        )
        (project / ".env").chmod(0o600)
        with closing(http.client()) as client:
            clock = SandboxClock(client, served.base_url, exclusive=True)
            with open_project(project, who="Riley Quinn", clock=clock) as w:
                how = HowToConnect("xero", served.base_url, way="auto")
                row = connect_ledger(w, how, lambda _line: None, lambda _question: "").organisation
                yield Practice(w, row.id, pull(w, row))
    finally:
        served.stop()


def sums(figure: Figure | None) -> tuple[int, str]:
    """A figure that is known, as (count, exact amount)."""
    assert figure is not None
    document: Any = figure.as_dict()
    return document["count"], document["total"]["amount"]


def aged(found: Report, currency: str) -> dict[str, tuple[int, str]]:
    """The aging buckets that hold anything."""
    buckets = found.currencies[currency].aging
    return {name: sums(figure) for name, figure in buckets.items() if figure.count}
