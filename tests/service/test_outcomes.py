"""Modes, the outbox as people see it, and what autopilot leaves to a person."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.domain.decisions import ActionKind
from connector.domain.effects import EffectKind, EffectState
from connector.errors import Refused, UserError
from connector.service import outcomes
from connector.service.cycle import run_once
from connector.service.outcomes import Mode
from connector.store import timeline
from connector.store.outbox import EffectRow
from tests.harness import Office, new_project, opened, sandbox

pytestmark = pytest.mark.socket
JSON = {"Content-Type": "application/json"}


def test_no_other_mode_than_observe_before_the_take_on_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    with sandbox() as served:
        new_project(folder, served)
        with opened(folder, served) as office:
            for mode in (Mode.APPROVE, Mode.AUTOPILOT):
                with pytest.raises(Refused, match="take-on"):
                    outcomes.set_mode(office.w, office.row, mode)
            assert outcomes.set_mode(office.w, office.row, Mode.OBSERVE).mode == "observe"


def test_an_unknown_state_is_named_with_the_known_ones(office: Office) -> None:
    with pytest.raises(UserError) as refused:
        outcomes.listing(office.w, None, "lost")
    assert "human" in refused.value.next_step


def test_only_what_was_refused_is_tried_again(office: Office) -> None:
    office.five_cases()
    with pytest.raises(Refused, match="planned"):
        outcomes.retry(office.w, office.effect(EffectKind.NOTE).effect.key)


def test_what_the_plan_proposes_again_is_approved_not_retried(office: Office) -> None:
    office.five_cases()
    office.fault("/Email$", do="status", status=400, body='{"Message": "no"}', headers=JSON)
    office.apply()
    key = office.effect(EffectKind.LEDGER_EMAIL).effect.key
    office.plan()
    with pytest.raises(Refused) as refused:
        outcomes.retry(office.w, key)
    assert "dunwell approve" in refused.value.next_step
    assert office.effect(EffectKind.LEDGER_EMAIL).state is EffectState.REJECTED


class TestAutopilot:
    def ready(self, office: Office, acts: str) -> None:
        office.invoice("INV-4", "Unsent Ltd", sent=False)
        office.invoice("INV-5", "Letter Ltd", amount="1000.01")
        office.pull()
        office.reconciled()
        outcomes.set_mode(office.w, office.row, Mode.AUTOPILOT)
        with (office.folder / "policy.yaml").open("a") as policy:
            policy.write(f"\nautopilot:\n  acts: [{acts}]\n")

    def test_it_does_what_the_policy_names_up_to_its_limit_and_nothing_twice(self, office: Office) -> None:
        self.ready(office, "send_invoice, reinvoice")
        with office.again() as today:
            cycle = run_once(today.w, today.row)
            assert [one.key.kind for one in cycle.approved] == [ActionKind.SEND_INVOICE]
            written = len(today.truth())
            assert run_once(today.w, today.row).approved == ()
            assert len(today.truth()) == written > 0
            assert today.letters() == [], "over the limit: a person approves it"

    def test_it_leaves_what_was_refused_to_a_person(self, office: Office) -> None:
        self.ready(office, "send_invoice")
        with office.again() as today:
            today.fault("/Email$", do="status", status=400, body='{"Message": "no"}', headers=JSON)
            run_once(today.w, today.row)
            assert today.effect(EffectKind.LEDGER_EMAIL).state is EffectState.REJECTED
            again = run_once(today.w, today.row)
            assert again.approved == ()
            assert ActionKind.SEND_INVOICE in {one.key.kind for one in again.proposal.actions}
            assert not [row for row in today.truth() if row["kind"] == "email"]


class TestGivingUp:
    def doubtful(self, office: Office) -> EffectRow:
        """The ledger's own e-mail, of which nobody can tell whether it left; the note that reports it waits."""
        office.five_cases()
        office.fault("/Email$", do="reset_after_commit")
        office.settle_down(1)
        return office.effect(EffectKind.LEDGER_EMAIL)

    def test_what_nobody_can_tell_is_given_up_with_what_waits_for_it(self, office: Office) -> None:
        row = self.doubtful(office)
        assert row.state is EffectState.HUMAN
        assert office.apply().undecided == 1, "a later round says again that a person is needed"
        given_up = outcomes.give_up(office.w, row.effect.key, "they have it")
        assert (given_up.state, given_up.reason) == (EffectState.CANCELLED, "given up by Ana: they have it")
        assert office.states() == {"done": 10, "cancelled": 2}
        action = office.action(row.action_id)
        assert (action.state, action.until) == ("rejected", None), "approved anew it could be sent a second time"
        office.wait(3 * 86_400)
        office.pull()
        office.reconciled()
        assert row.action_id not in {one.id for one in office.plan().actions}
        assert office.apply().undecided == 0
        with office.w.db.reading("default") as tx:
            entries = timeline.entries(tx, subject=row.effect.key)
            said = [one for one in entries if one.kind == "effect.cancelled"]
            assert [one.actor for one in said] == ["Ana"]

    def test_an_action_whose_act_happened_stays_done_without_its_note(self, office: Office) -> None:
        office.five_cases()
        office.fault("/Invoices/[0-9a-f-]{36}/History$", method="PUT", do="status", status=400,
                     body='{"Message": "no"}', headers=JSON)  # fmt: skip
        office.apply()
        (note,) = [row for row in office.effects() if row.state is EffectState.REJECTED]
        outcomes.give_up(office.w, note.effect.key, "the note is not needed")
        assert office.effect(EffectKind.TAG).state is EffectState.DONE
        assert office.action(note.action_id).state == "done"

    def test_what_is_planned_or_done_is_not_given_up(self, office: Office) -> None:
        office.five_cases()
        with pytest.raises(Refused, match="planned"):
            outcomes.give_up(office.w, office.effect(EffectKind.TAG).effect.key, "why not")
