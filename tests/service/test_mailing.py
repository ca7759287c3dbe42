"""With real books a letter leaves only where somebody gets it and can answer; the ledger is never told otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.domain.decisions import ActionKind
from tests.harness import Office

pytestmark = pytest.mark.socket


def real(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the books were no sandbox's."""
    monkeypatch.setattr("connector.service.mailing.is_loopback", lambda _url: False)


def an_approved_letter(office: Office) -> None:
    office.invoice("INV-5", "Letter Ltd")
    office.pull()
    office.reconciled()
    assert office.approve(ActionKind.REINVOICE)


def test_letters_stay_planned_and_unsaid_until_there_is_a_way_out_and_an_address(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    real(monkeypatch)
    an_approved_letter(office)
    done = office.apply()
    assert done.stopped is not None
    assert "no mail server is set" in str(done.stopped)
    assert "no address that people read" in str(done.stopped)
    assert set(office.states()) == {"planned"}
    assert (office.letters(), office.notes()) == ([], [])

    folder = Path(office.folder)
    (folder / ".env").write_text((folder / ".env").read_text() + "DUNWELL_LETTERS_FOLDER=letters-out\n")
    mapping = folder / "mapping.yaml"
    mapping.write_text(mapping.read_text().replace('reply_to: ""', 'reply_to: "jo@harbour.example"'))
    with office.again() as ready:
        assert ready.apply().stopped is None
        assert set(ready.states()) == {"cancelled"}, "its text names an address that nobody reads"
        assert ready.notes() == []
        (anew,) = ready.approve(ActionKind.REINVOICE)
        assert "jo@harbour.example" in anew.preview["text"]
        ready.apply()
        assert [row.state.value for row in ready.effects() if row.action_id == anew.id] == ["done"] * 3
        assert len(list((folder / "letters-out").glob("*.eml"))) == 1
        assert len(ready.notes()) == 2


def test_what_is_no_letter_is_written_all_the_same(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    real(monkeypatch)
    office.five_cases()
    done = office.apply()
    kinds = {row.effect.kind.value for row in done.effects if row.state.value == "done"}
    assert {"note", "tag", "schedule", "ledger_email"} <= kinds
    assert [row.state.value for row in done.effects if row.effect.kind.value == "letter"] == ["planned"]
