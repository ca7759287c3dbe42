"""Who opted out gets no letter, not even an approved one; calls stay possible, and the opt-out can be taken back."""

from __future__ import annotations

import pytest

from connector.domain.decisions import ActionKind
from connector.domain.effects import EffectKind, EffectState
from connector.errors import NotFound, Refused
from connector.service import opt_outs
from tests.harness import Office

pytestmark = pytest.mark.socket


@pytest.fixture
def approved(office: Office) -> Office:
    """A letter to Letter Ltd is approved."""
    office.invoice("INV-5", "Letter Ltd")
    office.pull()
    office.reconciled()
    assert office.approve(ActionKind.REINVOICE)
    return office


def asked(office: Office) -> set[ActionKind]:
    return {action.key.kind for action in office.plan().actions}


def test_an_approved_letter_does_not_leave_any_more(approved: Office) -> None:
    made = opt_outs.opt_out(approved.w, approved.row, "Letter Ltd", reason="asked for calls only")
    assert (made.address, made.reason, made.by) == ("", "asked for calls only", "Ana")
    approved.apply()
    letter = approved.effect(EffectKind.LETTER)
    assert letter.state is EffectState.CANCELLED
    assert approved.letters() == []
    assert ActionKind.REINVOICE not in asked(approved)
    with pytest.raises(Refused, match="opted out already"):
        opt_outs.opt_out(approved.w, approved.row, "INV-5")
    opt_outs.opt_in(approved.w, approved.row, "Letter Ltd")
    assert ActionKind.REINVOICE in asked(approved)
    with pytest.raises(NotFound, match="has not opted out"):
        opt_outs.opt_in(approved.w, approved.row, "Letter Ltd")


def test_one_address_opts_out_and_a_mistyped_one_is_refused_with_those_that_are_known(approved: Office) -> None:
    address = approved.effect(EffectKind.LETTER).effect.payload
    recipient = getattr(address, "recipient", "")
    with pytest.raises(Refused, match="is no address of Letter Ltd") as caught:
        opt_outs.opt_out(approved.w, approved.row, "Letter Ltd", address=f"x{recipient}")
    assert recipient in caught.value.next_step
    opt_outs.opt_out(approved.w, approved.row, "Letter Ltd", address=recipient.upper())
    approved.apply()
    assert approved.letters() == []


def test_a_call_is_asked_for_where_nothing_may_be_written(office: Office) -> None:
    office.invoice("INV-77", "Letter Ltd", "30000.00")
    office.pull()
    office.reconciled()
    opt_outs.opt_out(office.w, office.row, "Letter Ltd")
    assert ActionKind.CALL in asked(office)
