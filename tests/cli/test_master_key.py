"""A master key that is another's, or lost: doctor finds it before the next pull, and no new one takes its place."""

from __future__ import annotations

import base64

import pytest

from tests.cli.conftest import Desk

pytestmark = pytest.mark.socket


def test_doctor_opens_what_is_sealed(connected: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert connected.ok("doctor", "--json").json["findings"]
    monkeypatch.setenv("DUNWELL_SECRET_KEY", base64.b64encode(bytes(32)).decode())
    found = connected.run("doctor", "--json")
    assert found.code == 1
    (wrong,) = (one for one in found.json["findings"] if one["level"] == "error")
    assert "sealed with another master key" in wrong["what"]
    assert "put the former key back" in wrong["fix"]


def test_a_lost_key_is_told_and_not_replaced(connected: Desk) -> None:
    key = connected.folder / ".dunwell" / "master.key"
    kept = key.read_bytes()
    key.unlink()
    for command in (("pull",), ("doctor",), ("connect", "xero", "--base-url", connected.served.base_url, "--auto")):
        answer = connected.run(*command)
        assert answer.code == 1
        assert "the master key is gone" in " ".join((answer.out + answer.err).split())
        assert not key.exists()
    key.write_bytes(kept)
    key.chmod(0o600)
    connected.ok("pull")
