"""Organisations: added once, found by what people call them, forgotten without losing what was done."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from connector.domain.ledger import RecordKind
from connector.errors import NotFound, Refused
from connector.store import mirror, organisations, outbox, timeline, wake
from connector.store.db import Database, Tx
from connector.store.organisations import OrganisationRow
from tests.builders import customer, invoice, organisation
from tests.fakes import NOON
from tests.store.test_outbox import note

DAY = date(2026, 3, 2)


def add(tx: Tx, ledger_id: str, name: str) -> OrganisationRow:
    return organisations.add(tx, organisation(ledger_id, name=name), "c-1", DAY)


def test_comes_back_exactly_and_begins_by_observing(tx: Tx) -> None:
    record = replace(organisation("o", name="Ærø"), lock_date=date(2026, 1, 31), native_reminders=None)
    row = organisations.add(tx, record, "c-1", DAY, preset="gentle")
    assert row == OrganisationRow("xero:o", tx.tenant, record, "observe", DAY, None, "c-1", None, None, "gentle")
    assert organisations.get(tx, "xero:o") == row
    assert organisations.all(tx) == (row,)


def test_one_ledger_file_belongs_to_one_tenant(database: Database) -> None:
    with database.writing("firm-a") as tx:
        add(tx, "o", "Ours")
    with database.writing("firm-b") as tx, pytest.raises(Refused, match="connected already"):
        add(tx, "o", "Ours")
    with database.reading("firm-b") as tx, pytest.raises(NotFound):
        organisations.get(tx, "xero:o")


def test_changes(tx: Tx) -> None:
    row = add(tx, "o", "Old name")
    record = organisation("o", name="New name")
    organisations.update_record(tx, row.id, record)
    organisations.set_mode(tx, row.id, "autopilot")
    organisations.close_take_on(tx, row.id, DAY)
    organisations.set_cursor(tx, row.id, "2026-03-02T00:00:00", NOON)
    organisations.set_connection(tx, row.id, "c-2")
    organisations.set_preset(tx, row.id, "firm")
    assert organisations.get(tx, row.id) == replace(
        row, record=record, mode="autopilot", take_on_closed_on=DAY, cursor="2026-03-02T00:00:00", last_pull_at=NOON,
        connection_id="c-2", preset="firm",
    )  # fmt: skip
    kinds = [entry.kind for entry in timeline.entries(tx, row.id)]
    assert kinds == ["organisation.added", "organisation.mode", "organisation.take_on_closed"]


def test_refusals(tx: Tx) -> None:
    row = add(tx, "o", "Ours")
    with pytest.raises(Refused, match="not a mode"):
        organisations.set_mode(tx, row.id, "yolo")
    with pytest.raises(Refused, match="another organisation"):
        organisations.update_record(tx, row.id, organisation("other"))
    with pytest.raises(NotFound):
        organisations.set_cursor(tx, "xero:nowhere", "c", NOON)
    assert organisations.get(tx, row.id) == row


def test_find(tx: Tx) -> None:
    kauri, kauri_north, rimu = add(tx, "1", "Kauri"), add(tx, "2", "Kauri North"), add(tx, "3", "Rimu")
    for text in ("xero:1", "1", "kauri", " KAURI "):
        assert organisations.find(tx, text) == kauri  # the exact name wins over the beginning
    assert organisations.find(tx, "kauri n") == kauri_north
    assert organisations.find(tx, "ri") == rimu
    with pytest.raises(Refused, match="several") as several:
        organisations.find(tx, "kau")
    assert "xero:1" in several.value.next_step
    assert "xero:3" not in several.value.next_step
    with pytest.raises(NotFound) as missing:
        organisations.find(tx, "Totara")
    assert "Rimu (xero:3)" in missing.value.next_step
    with pytest.raises(NotFound):
        organisations.find(tx, "  ")


def test_forgetting_deletes_the_mirror_and_keeps_the_evidence(tx: Tx) -> None:
    row, other = add(tx, "o", "Ours"), add(tx, "p", "Other")
    for org_id in (row.id, other.id):
        mirror.upsert(tx, org_id, RecordKind.CUSTOMER, [customer()])
        mirror.upsert(tx, org_id, RecordKind.INVOICE, [invoice()])
    (key,) = outbox.add(tx, row.id, "action", [note()])
    organisations.forget(tx, row.id)
    assert organisations.all(tx) == (other,)
    assert set(mirror.counts(tx, row.id).values()) == {0}
    assert wake.due(tx, row.id, DAY) == set()
    assert mirror.counts(tx, other.id)[RecordKind.INVOICE] == 1
    # Connected again, it finds its effects and plans none twice.
    add(tx, "o", "Ours")
    assert outbox.add(tx, row.id, "action", [note()]) == ()
    assert outbox.get(tx, key).organisation_id == row.id
