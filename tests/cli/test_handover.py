"""`dunwell handover`: the file, who may read it, and its refusals."""

from __future__ import annotations

import hashlib
import stat
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Desk

pytestmark = pytest.mark.socket


def test_the_pack_is_written_for_its_owner_alone(taken_on: Desk) -> None:
    out = Path(taken_on.folder, "case.zip")
    out.write_text("an older one")
    told = taken_on.ok("handover", "INV-0010", "--out", str(out), "--json").json
    assert told["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert "INV-0010" in told["invoices"]
    assert told["problems"] == []
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with zipfile.ZipFile(out) as archive:
        assert {"summary.html", "invoices.csv", "timeline.json", "SHA256SUMS"} <= set(archive.namelist())
    assert f"{len(told['invoices'])} invoices, 0 letters" in taken_on.ok("handover", "INV-0010", "--out", str(out)).out


def test_it_is_refused_with_the_reason_and_writes_nothing(taken_on: Desk) -> None:
    out = Path(taken_on.folder, "case.zip")
    taken_on.ok("dispute", "open", "INV-0010", "--code", "quality")
    said = taken_on.refused("handover", "INV-0010", "--out", str(out))
    assert "a query is open on INV-0010" in said
    assert "no case pack was made" in said
    assert not out.exists()
    assert "--out" in taken_on.refused("handover", "INV-0010")
    taken_on.ok("dispute", "resolve", "INV-0010", "--outcome", "stand_firm")
    assert "cannot be written" in taken_on.refused("handover", "INV-0010", "--out", str(out / "no" / "such.zip"))


def test_instalments_as_invoices_are_not_offered(desk: Desk) -> None:
    said = desk.refused(
        "payment-plan", "sign", "INV-0010", "--name", "Jo", "--capacity", "owner", "--evidence", "scan", "--as-invoices"
    )
    assert "not offered: instalments as invoices" in said
    assert "the plan is not active" in said
    assert "--as-invoices" not in desk.ok("payment-plan", "sign", "--help").out
