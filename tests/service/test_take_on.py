"""What `take-on show` suggests takes into account what people have said of a customer already."""

from __future__ import annotations

from datetime import date

import pytest

from connector.domain.cases import Holder, TakeOnChoice
from connector.service import people, take_on
from tests.harness import Office

pytestmark = pytest.mark.socket


def test_who_is_held_by_others_or_excluded_is_not_said_to_have_nothing_against_asking(office: Office) -> None:
    for number, name in enumerate(("Letter Ltd", "Query Ltd", "Extension Ltd", "Plan Ltd"), 1):
        office.invoice(f"INV-{number}", name, date="2026-01-03", due="2026-01-17")
    office.pull()
    people.set_held_by(office.w, office.row, "Letter Ltd", Holder.FACTOR)
    people.exclude(office.w, office.row, "Query Ltd", reason="friends", until=date(2026, 4, 1))
    people.set_held_by(office.w, office.row, "INV-3", Holder.INSURER, invoice=True)
    shown = {one.name: (one.suggestion, one.because) for one in take_on.show(office.w, office.row).customers}
    assert shown["Letter Ltd"] == (TakeOnChoice.CHASE, "left alone as long as it is held by factor")
    assert shown["Query Ltd"] == (TakeOnChoice.EXCLUDE, "already excluded until 2026-04-01")
    assert shown["Extension Ltd"] == (TakeOnChoice.CHASE, "left alone as long as it is held by insurer")
    assert shown["Plan Ltd"] == (TakeOnChoice.CHASE, "nothing speaks against asking")
