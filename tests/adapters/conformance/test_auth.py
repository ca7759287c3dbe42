"""Tokens against the ledger's own token service: refreshed once, never lost, given up only where they are dead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from connector.domain.ledger import RecordKind
from connector.errors import (
    ConnectionRevoked,
    LedgerUnavailable,
    NotFound,
    Refused,
    ScopeMissing,
    StorageFailed,
    WrongCredentials,
)
from connector.oauth import StoredTokens
from connector.ports import Credentials
from connector.store import connections
from connector.store.db import Database, Tx
from tests.adapters.conformance.bench import Bench
from tests.adapters.conformance.books import books
from tests.adapters.conformance.desk import Desk, Mirror
from tests.adapters.conformance.errands import NOBODY, SENDS_WITHIN, errand
from tests.adapters.conformance.office import Office, Waiting, migrated, together
from tests.fakes import FakeIds

HOUR = 3600.0
REFRESHING = {"method": "POST", "path": "/token$"}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return migrated(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def office(desk: Desk, empty: Path, tmp_path: Path) -> Iterator[Office]:
    made = Office.at(desk, empty, tmp_path)
    made.connect()
    desk.line.log.clear()
    yield made
    made.close()


# --- refreshing ------------------------------------------------------------------------------------------------------


def test_connected_and_read(office: Office) -> None:
    assert office.row().state == "active"
    assert office.ledger().organisation().name == office.desk.name
    assert office.refreshes() == 0


def test_a_token_is_refreshed_before_it_ends_and_never_refused(office: Office) -> None:
    ledger = office.ledger()
    for _ in range(10):
        office.desk.wait(7 * 60)
        ledger.organisation()
    assert {status for _, status in office.desk.line.log} == {200}
    assert 1 <= office.refreshes() <= 4


def test_tokens_rotate_and_the_last_one_lives(office: Office) -> None:
    seen = set()
    for _ in range(6):
        office.desk.wait(HOUR)
        seen.add(office.tokens().access())
        office.ledger().organisation()
    assert len(seen) == office.refreshes() == 6
    assert office.row().version == 7


def test_a_refused_token_is_replaced_once_for_everybody(office: Office) -> None:
    one, two = office.tokens(), office.tokens()
    refused = one.access()
    assert one.replace(refused) == two.replace(refused) != refused
    assert office.refreshes() == 1


@pytest.mark.parametrize("processes", [2, 8])
def test_all_at_once_is_one_refresh(office: Office, processes: int) -> None:
    rounds = 3
    clock = Waiting(office.desk.clock)
    databases = [Database.open(f"sqlite:///{office.path}", office.desk.clock) for _ in range(processes)]
    each = [office.tokens(db, clock, FakeIds(f"p{n}")) for n, db in enumerate(databases)]
    for _ in range(rounds):
        office.desk.wait(HOUR)
        got = together([one.access for one in each])
        assert len(set(got)) == 1
    refused = got[0]
    assert len(set(together([partial(one.replace, refused) for one in each]))) == 1
    for db in databases:
        db.close()
    assert office.refreshes() == rounds + 1
    assert (office.row().state, office.row().version) == ("active", rounds + 2)
    office.ledger().organisation()


@pytest.mark.parametrize("processes", [2, 8])
def test_all_pull_at_once_with_one_refresh(office: Office, processes: int) -> None:
    """Whole rounds, each by a process of its own, that all find the token old."""
    clock = Waiting(office.desk.clock)
    databases = [Database.open(f"sqlite:///{office.path}", office.desk.clock) for _ in range(processes)]
    office.desk.wait(HOUR)
    office.desk.limits(off=True)

    def name(db: Database, number: int) -> str:
        return office.ledger(office.tokens(db, clock, FakeIds(f"p{number}")), clock).organisation().name

    assert set(together([partial(name, db, n) for n, db in enumerate(databases)])) == {office.desk.name}
    for db in databases:
        db.close()
    assert office.refreshes() == 1
    assert all(status == 200 for _, status in office.desk.line.log)


# --- answers that are lost -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["hang_after_commit", "reset_after_commit", "hang", "reset"])
def test_a_lost_answer_is_asked_for_again_with_the_old_token(office: Office, how: str) -> None:
    office.desk.wait(HOUR)
    office.desk.fault(REFRESHING, 2, do=how)
    office.ledger().organisation()
    assert office.desk.struck() == 2
    assert office.row().state == "active"
    office.desk.wait(HOUR)
    office.ledger().organisation()


@pytest.mark.parametrize("how", ["hang_after_commit", "reset"])
def test_without_any_answer_the_connection_is_kept_and_heals(office: Office, how: str) -> None:
    office.desk.wait(HOUR)
    office.desk.fault(REFRESHING, None, do=how)
    with pytest.raises(LedgerUnavailable) as caught:
        office.tokens().access()
    assert "connection itself is kept" in caught.value.next_step
    assert office.row().state == "active"
    office.desk.heal()
    office.desk.wait(60)  # well within the grace
    office.ledger().organisation()
    assert office.row().state == "active"


@pytest.mark.parametrize("minutes", [0, 5, 28])
def test_a_crash_between_the_answer_and_storing_it(office: Office, minutes: float) -> None:
    """The ledger has rotated, our database has not: the old token still works within the grace, and heals."""
    grace = office.desk.bench.adapter.oauth("").grace_seconds / 60
    if minutes > grace:
        pytest.skip(f"{office.desk.bench.name} gives {grace} minutes of grace")
    office.desk.wait(HOUR)
    before = office.row()
    office.tokens().access()
    with office.db.writing("default") as tx:  # as if the process had died before its commit
        connections.replace(tx, before)
    assert office.row().sealed == before.sealed
    office.desk.wait(minutes * 60)
    office.ledger(office.tokens()).organisation()
    assert office.row().state == "active"
    office.desk.wait(HOUR)
    office.ledger(office.tokens()).organisation()


def test_a_crash_that_nobody_healed_within_the_grace_is_told_once(office: Office) -> None:
    office.desk.wait(HOUR)
    before = office.row()
    office.tokens().access()
    with office.db.writing("default") as tx:
        connections.replace(tx, before)
    office.desk.wait(HOUR)
    for _ in range(2):
        with pytest.raises(ConnectionRevoked) as caught:
            office.tokens().access()
    assert "connect" in caught.value.next_step
    assert office.row().state == "needs_reauth"


class Full(Database):
    """A disk that is full once the lease is taken."""

    writes = 0

    @contextmanager
    def writing(self, tenant: str) -> Iterator[Tx]:
        self.writes += 1
        if self.writes > 1:
            raise StorageFailed("the disk is full")
        with super().writing(tenant) as tx:
            yield tx


def test_when_the_fresh_tokens_cannot_be_stored_the_next_process_heals(office: Office) -> None:
    office.desk.wait(HOUR)
    full = Full(Database.open(f"sqlite:///{office.path}", office.desk.clock).engine, office.desk.clock)
    with pytest.raises(StorageFailed):
        office.tokens(full).access()
    full.close()
    assert office.refreshes() == 1
    assert full.writes > 2  # it tried again
    office.desk.wait(121)  # the dead process's lease ends
    office.ledger(office.tokens()).organisation()
    assert office.refreshes() == 2
    assert office.row().state == "active"


# --- the end of a consent --------------------------------------------------------------------------------------------


def test_revoked_by_the_person(office: Office) -> None:
    office.desk.order("consent", {"revoke_all": True})
    office.desk.wait(HOUR)
    with pytest.raises(ConnectionRevoked):
        office.ledger().organisation()
    row = office.row()
    assert row.state == "needs_reauth"
    before = len(office.desk.line.log)
    with pytest.raises(ConnectionRevoked) as caught:
        office.ledger().organisation()
    assert len(office.desk.line.log) == before  # nothing is tried with dead tokens
    assert f"connect {office.desk.bench.adapter.name}" in caught.value.next_step


def test_revoked_and_connected_again(office: Office) -> None:
    office.desk.order("consent", {"revoke_all": True})
    office.desk.wait(HOUR)
    with pytest.raises(ConnectionRevoked):
        office.ledger().organisation()
    assert office.connect().renewed
    assert office.row().state == "active"
    assert office.ledger().organisation().name == office.desk.name


def test_the_organisation_was_disconnected_but_the_consent_lives(office: Office) -> None:
    office.desk.order("consent", {"disconnect": office.desk.name})
    with pytest.raises(ConnectionRevoked):
        office.ledger().organisation()
    mirror = Mirror()
    with pytest.raises(ConnectionRevoked):
        office.desk.pull(mirror)
    assert mirror.records == {}


def test_unused_for_longer_than_a_refresh_token_lives(office: Office) -> None:
    days = office.desk.bench.adapter.oauth("").refresh_lifetime_days
    office.desk.wait((days - 1) * 86_400)
    office.ledger().organisation()
    office.desk.wait((days + 1) * 86_400)
    with pytest.raises(ConnectionRevoked):
        office.ledger().organisation()
    assert office.row().state == "needs_reauth"


def test_the_apps_secret_is_wrong(office: Office) -> None:
    office.desk.wait(HOUR)
    wrong = Credentials(office.desk.app.client_id, "wrong")
    tokens = StoredTokens(
        office.db, office.vault, office.desk.client, office.desk.bench.adapter, office.row().id, office.desk.clock,
        office.ids, wrong, tenant="default",
    )  # fmt: skip
    with pytest.raises(WrongCredentials):
        tokens.access()
    assert office.row().state == "active"  # the consent is not at fault
    office.ledger().organisation()


def test_another_organisation_than_the_one_connected(office: Office) -> None:
    ledger = office.desk.opened(office.desk.client, office.tokens(), ledger_id=NOBODY)
    with pytest.raises(ConnectionRevoked):
        ledger.organisation()
    job = errand(office.desk, "note")
    with pytest.raises(ConnectionRevoked):
        ledger.send(job.effect, job.prepared(), office.desk.clock.now() + SENDS_WITHIN)
    assert job.happened() == 0


def test_two_organisations_stay_apart(office: Office, bench: Bench) -> None:
    """A token that reaches one organisation opens no other."""
    other = books(str(bench.adapter.mapping_defaults["dispute_tag"]), name="Other Ltd")
    reference = office.desk.order("scenario", other)["organisation"]
    ledger = office.desk.opened(office.desk.client, office.tokens(), ledger_id=reference["id"])
    with pytest.raises(ConnectionRevoked):
        ledger.organisation()


def test_scopes_that_were_taken_away_are_missing_by_name(office: Office) -> None:
    office.desk.order("consent", {"drop_scopes": list(office.desk.bench.writing_scopes)})
    office.desk.wait(HOUR)
    with pytest.raises(ScopeMissing) as caught:
        office.ledger().fetch(RecordKind.INVOICE, [NOBODY])
    assert "connect" in caught.value.next_step
    assert office.row().state == "active"
    assert office.ledger().organisation().name == office.desk.name  # what is still covered goes on


# --- connecting ------------------------------------------------------------------------------------------------------


@pytest.fixture
def unconnected(desk: Desk, empty: Path, tmp_path: Path) -> Iterator[Office]:
    made = Office.at(desk, empty, tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda back: back.replace("state=", "state=x"), Refused),
        (lambda back: back.replace("code=", "code=x"), Refused),
        (lambda back: back.replace("code=", "kode="), Refused),
        (lambda back: back + "&code=second", Refused),
        (lambda back: back + "&iss=https%3A%2F%2Fevil.example", Refused),
        (lambda back: back.replace("localhost", "evil.example"), Refused),
    ],
    ids=["other state", "forged code", "no code", "two codes", "another issuer", "another address"],
)
def test_an_answer_to_consent_that_is_not_ours(
    unconnected: Office, spoil: Callable[[str], str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        unconnected.connect(answer=spoil)
    with unconnected.db.reading("default") as tx:
        assert connections.all(tx) == ()


def test_consent_refused_by_the_person(unconnected: Office) -> None:
    unconnected.desk.order("consent", {"refuse": True})
    with pytest.raises(Refused):
        unconnected.connect()
    unconnected.connect()
    assert unconnected.row().state == "active"


def test_consent_to_another_organisation_than_the_one_named(unconnected: Office) -> None:
    with pytest.raises(NotFound, match="does not reach"):
        unconnected.connect(organisation="Somebody Else Ltd")


def test_connecting_twice_is_one_connection(unconnected: Office) -> None:
    first, second = unconnected.connect(), unconnected.connect()
    assert (first.renewed, second.renewed) == (False, True)
    assert first.organisation.id == second.organisation.id
    unconnected.ledger().organisation()
