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
