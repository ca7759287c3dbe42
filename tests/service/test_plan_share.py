"""All payment plans together stay within the policy's share of the receivables; beyond it the principal decides."""

from __future__ import annotations

import pytest

from connector.errors import Refused
from connector.service import accommodations
from tests.harness import Office

pytestmark = pytest.mark.socket


@pytest.fixture
def owed(office: Office) -> Office:
    """GBP 10,800.00 are open: all plans together may cover 12 % of it, 1,296.00."""
    office.invoice("INV-1", "Letter Ltd", "9000.00")
    for number, name in ((2, "Plan Ltd"), (3, "Query Ltd"), (4, "Extension Ltd")):
        office.invoice(f"INV-{number}", name)
    office.pull()
    office.reconciled()
    return office


def test_plans_and_offers_that_may_still_be_signed_share_what_the_policy_permits(owed: Office) -> None:
    accommodations.plan_offer(owed.w, owed.row, "INV-2", 1)
    accommodations.plan_sign(
        owed.w, owed.row, "INV-2", name="Pat", capacity="owner", on=owed.w.today(owed.row), evidence="a.pdf"
    )
    accommodations.plan_offer(owed.w, owed.row, "INV-3", 1)
    accommodations.plan_offer(owed.w, owed.row, "INV-3", 2)  # in place of the first: counted once
    for refused in (
        lambda: accommodations.plan_options(owed.w, owed.row, "INV-4"),
        lambda: accommodations.plan_offer(owed.w, owed.row, "INV-4", 1),
    ):
        with pytest.raises(Refused, match=r"may cover GBP 1,296\.00, of which GBP 1,200\.00 are taken") as error:
            refused()
        assert "--as-principal" in error.value.next_step
    accommodations.plan_offer(owed.w, owed.row, "INV-4", 1, principal=True)


def test_an_offer_that_was_cancelled_takes_nothing(owed: Office) -> None:
    for number in ("INV-2", "INV-3"):
        accommodations.plan_offer(owed.w, owed.row, number, 1)
    accommodations.plan_cancel(owed.w, owed.row, "INV-3")
    assert accommodations.plan_offer(owed.w, owed.row, "INV-4", 1).instalments
    with pytest.raises(Refused, match="all plans together"):
        accommodations.plan_options(owed.w, owed.row, "INV-3")
