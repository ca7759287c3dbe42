"""Every write happens once, whatever befalls its request; what nobody can see goes to a person."""

from __future__ import annotations

import pytest

from adapters.xero import client as xero_client
from connector.domain.cases import DisputeOutcome
from connector.domain.effects import EffectKind, EffectState
from connector.errors import ConnectionRevoked, RateLimited, Refused
from connector.service import disputes, outcomes
from tests.harness import QUIET, Office

pytestmark = pytest.mark.socket

ID = "[0-9a-f-]{36}"
WRITES = {
    EffectKind.NOTE: ("PUT", f"/{ID}/History$"),
    EffectKind.TAG: ("PUT", "/ContactGroups/[^/]+/Contacts$"),
    EffectKind.EXPECTED_DATE: ("POST", f"/Invoices/{ID}$"),
    EffectKind.SCHEDULE: ("PUT", "/Attachments/"),
    EffectKind.LEDGER_EMAIL: ("POST", "/Email$"),
}
FINDABLE = 11  # effects of the five cases that can be looked up, the letter in the folder included
COMMITTED: dict[str, dict[str, object]] = {
    "reset after commit": {"do": "reset_after_commit"},
    "silence after commit": {"do": "hang_after_commit", "seconds": 20},
    "500 after commit, kept under the key": {"do": "after_commit", "status": 500},
    "502 after commit": {"do": "after_commit", "status": 502},
    "answer cut short": {"do": "cut_body", "bytes": 12},
    "a web page for an answer": {"do": "garbage", "kind": "html_login"},
    "a commit 100 s later": {"do": "late_commit", "seconds": 100},
}
NOT_COMMITTED: dict[str, dict[str, object]] = {
    "reset before commit": {"do": "reset"},
    "503 before commit": {"do": "before_commit", "status": 503},
    "500 before commit, kept under the key": {"do": "before_commit", "status": 500},
}
OUTCOMES = {**COMMITTED, **NOT_COMMITTED}


def strike(office: Office, fault: dict[str, object]) -> None:
    """The first write of each kind fares so."""
    for kind, (method, path) in WRITES.items():
        bodiless = kind is EffectKind.LEDGER_EMAIL and fault["do"] == "cut_body"  # its answer has nothing to cut
        office.fault(path, method=method, **({"do": "reset_after_commit"} if bodiless else fault))


def check_once(office: Office) -> None:
    """Done is once; refused and cancelled is never; what a person must judge is at most once."""
    for row in office.effects():
        times = office.happened(row)
        match row.state:
            case EffectState.DONE:
                assert times == 1, row
            case EffectState.REJECTED | EffectState.CANCELLED:
                assert times == 0, row
            case _:
                assert times <= 1, row


def test_undisturbed_everything_happens_once_and_applying_again_does_nothing(office: Office) -> None:
    office.five_cases()
    office.apply()
    assert office.states() == {"done": 12}
    check_once(office)
    assert len(office.truth()) == 12  # eleven effects in the ledger and the group that the tag needed
    office.wait(QUIET)
    again = office.apply()
    assert (again.effects, again.calls) == ([], 0)
    assert len(office.truth()) == 12


@pytest.mark.parametrize("name", OUTCOMES)
def test_an_unknown_outcome_waits_is_looked_up_and_never_doubled(
    office: Office, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "silence after commit":  # the deadline for an answer is real time, whatever the clock
        monkeypatch.setattr(xero_client, "WRITE_SECONDS", 0.5)
    office.five_cases()
    strike(office, OUTCOMES[name])
    first = office.apply()
    assert office.fired() == len(WRITES)
    in_doubt = [row for row in office.effects() if row.state is EffectState.UNKNOWN]
    assert {row.effect.kind for row in in_doubt} == set(WRITES)
    assert first.waiting_until is not None

    office.wait(QUIET - 2)
    written = len(office.truth())
    again = {row.state for row in office.apply().effects}
    assert again <= {EffectState.UNKNOWN, EffectState.PLANNED}  # planned: another write to the same record is in doubt
    assert len(office.truth()) == written, "looked before the quiet wait was over"

    office.wait(2)
    office.apply()
    # The ledger's own e-mail leaves no trace: a person judges it, and the note that reports it waits.
    assert office.states() == {"done": FINDABLE - 1, "human": 1, "planned": 1}
    assert office.effect(EffectKind.LEDGER_EMAIL).state is EffectState.HUMAN
    check_once(office)
    mails = len([row for row in office.truth() if row["kind"] == "email"])
    assert mails == (1 if name in COMMITTED else 0)
    office.settle_down(2)
    assert len([row for row in office.truth() if row["kind"] == "email"]) == mails, "an e-mail was repeated blindly"


def test_a_group_whose_creation_was_not_answered_is_not_made_twice(office: Office) -> None:
    office.five_cases()
    office.fault("/ContactGroups$", method="PUT", do="reset_after_commit")
    office.settle_down(2)
    kinds = [row["kind"] for row in office.truth()]
    assert (kinds.count("group_create"), kinds.count("group_add")) == (1, 1)
    assert office.states() == {"done": 12}


def test_removing_the_tag_happens_once_too(office: Office) -> None:
    office.five_cases()
    office.apply()
    disputes.resolve(office.w, office.row, "INV-1", DisputeOutcome.WITHDRAWN)
    office.approve()
    office.fault(f"/ContactGroups/{ID}/Contacts/", method="DELETE", do="reset_after_commit")
    office.settle_down(2)
    kinds = [row["kind"] for row in office.truth()]
    assert kinds.count("group_remove") == 1
    assert set(office.states()) == {"done"}


@pytest.mark.parametrize(("used", "wait"), [({"used_minute": 60}, 0.0), ({"used_day": 1000}, 86_400.0)])
def test_a_rate_limit_is_waited_for(office: Office, used: dict[str, int], wait: float) -> None:
    office.five_cases()
    office.order("limits", used)
    first = office.apply()
    if wait:
        assert isinstance(first.stopped, RateLimited)
        assert first.stopped.limit == "day"
        assert office.truth() == []
    office.wait(wait)
    office.apply()
    assert office.states() == {"done": 12}
    check_once(office)


def test_the_day_limit_in_the_middle_of_a_round_loses_nothing(office: Office) -> None:
    office.five_cases()
    office.fault(
        f"/{ID}/History$", status=429, headers={"X-Rate-Limit-Problem": "day", "Retry-After": "600"}, do="status"
    )
    stopped = office.apply().stopped
    assert isinstance(stopped, RateLimited)
    office.wait(599)
    written = len(office.truth())
    office.apply()
    office.wait(2)
    office.apply()
    assert written < len(office.truth()) == 12
    assert office.states() == {"done": 12}


def test_a_token_that_expires_in_the_middle_is_renewed_once(office: Office) -> None:
    office.five_cases()
    body = '{"Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired: token expired"}'
    for method, path in WRITES.values():
        office.fault(
            path, method=method, status=401, body=body, headers={"Content-Type": "application/json"}, do="status"
        )
    assert office.apply().stopped is None
    assert office.states() == {"done": 12}
    check_once(office)


def test_a_revoked_consent_stops_the_round_and_is_taken_up_after_connecting_again(office: Office) -> None:
    office.five_cases()
    office.order("consent", {"revoke_all": True})
    stopped = office.apply().stopped
    assert isinstance(stopped, ConnectionRevoked)
    assert office.states() == {"planned": 12}
    assert office.truth() == []
    office.connect()
    office.wait(301)
    office.apply()
    assert office.states() == {"done": 12}


class TestAPersonJudges:
    def in_doubt(self, office: Office, fault: str) -> str:
        office.five_cases()
        office.fault("/Email$", do=fault)
        office.settle_down(1)
        row = office.effect(EffectKind.LEDGER_EMAIL)
        assert row.state is EffectState.HUMAN
        return row.effect.key

    def test_it_happened(self, office: Office) -> None:
        key = self.in_doubt(office, "reset_after_commit")
        assert outcomes.settle(office.w, key[:12], happened=True).state is EffectState.DONE
        office.apply()
        assert office.states() == {"done": 12}
        assert [note for note in office.notes() if note.startswith("Sent 2 Mar 2026: INV-4")]
        with pytest.raises(Refused, match="known"):
            outcomes.settle(office.w, key[:12], happened=False)

    def test_it_did_not_happen_and_is_sent_again(self, office: Office) -> None:
        key = self.in_doubt(office, "reset")
        outcomes.settle(office.w, key[:12], happened=False)
        office.apply()
        assert office.states() == {"done": 12}
        check_once(office)


class TestRefusedByTheLedger:
    def refused(self, office: Office) -> str:
        office.five_cases()
        body = '{"Type": "ValidationException", "Message": "No."}'
        refusal = {"status": 400, "body": body, "headers": {"Content-Type": "application/json"}}
        # Kept under the vendor key, as Xero does for six minutes.
        office.fault("/Email$", method="POST", do="before_commit", stored=True, **refusal)
        office.apply()
        row = office.effect(EffectKind.LEDGER_EMAIL)
        assert row.state is EffectState.REJECTED
        assert "No." in row.reason
        return row.effect.key

    def test_its_note_is_never_written(self, office: Office) -> None:
        self.refused(office)
        office.settle_down(2)
        assert not [note for note in office.notes() if "INV-4" in note]
        assert office.states() == {"done": 10, "rejected": 1, "cancelled": 1}

    def test_retry_sends_it_under_a_new_key_and_the_note_follows(self, office: Office) -> None:
        key = self.refused(office)
        before = office.effect(EffectKind.LEDGER_EMAIL).prepared
        outcomes.retry(office.w, key[:12])
        office.apply()
        after = office.effect(EffectKind.LEDGER_EMAIL)
        assert after.state is EffectState.DONE
        assert before is not None
        assert after.prepared is not None
        assert before.key != after.prepared.key, "a stored refusal would be answered again"
        assert [note for note in office.notes() if "INV-4" in note], "the note that reports it was lost"
        assert office.states() == {"done": 12}

    def test_the_next_plan_asks_again_and_a_fresh_approval_tries_again(self, office: Office) -> None:
        self.refused(office)
        assert [action.key.kind.value for action in office.approve()] == ["send_invoice"]
        office.apply()
        assert office.states() == {"done": 12}
        check_once(office)
