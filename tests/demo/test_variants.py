"""Every story with one fact that is different: then it ends differently, and the demo says so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.demo.small import only, story_of, tell, wrote

pytestmark = [pytest.mark.socket, pytest.mark.timeout(120)]

REFERRER = "A solid referrer was not happy with the work"
FRIEND = "A valued family friend misplaced the invoice"
CRUNCH = "A cash crunch gets one final extension"
UNSENT = "An approved invoice was never sent"
CREDIT = "Unapplied credit covers the debt"
FACTOR = "A factored invoice is left alone"
BETWEEN = "Paid between plan and apply"


def pay(invoice: str, after: int, amount: str = "") -> dict[str, Any]:
    act = {"do": "pay", "invoice": invoice} | ({"amount": amount} if amount else {})
    return {"after": after, "because": "it is paid", "books": [act]}


def test_the_referrer_complains_in_time() -> None:
    document = only(REFERRER, days=40)
    story_of(document)["steps"][1]["when"] = {"words": "Copy sent"}
    story, _ = tell(document)
    assert story.wrong == "the ledger never showed note 'reminder' (in this order)"
    assert wrote(story, "Copy sent") == ["2026-08-20"]
    assert wrote(story, "", "tag") == ["2026-08-21"], "the query is marked the day after, before any reminder"
    assert wrote(story, "part not in question"), "the rest is still asked for"


def test_the_friend_does_not_pay() -> None:
    document = only(FRIEND, days=32)
    story_of(document)["steps"] = story_of(document)["steps"][:1]
    story, _ = tell(document)
    assert "never showed note 'Thanks sent'" in story.wrong
    assert wrote(story, "Copy sent") < wrote(story, "Friendly reminder")
    assert wrote(story, "Firm letter") == []


def test_the_extension_is_kept() -> None:
    document = only(CRUNCH, days=45)
    story_of(document)["steps"] = [*story_of(document)["steps"][:2], pay("INV-5003", 3)]
    story, _ = tell(document)
    assert story.wrong == "the ledger never showed note 'Call made' (in this order)"
    assert wrote(story, "Payment expected") == ["2026-08-29"]
    assert wrote(story, "Thanks sent") == ["2026-09-01"]
    assert wrote(story, "letter") == []


def test_the_invoice_was_sent() -> None:
    document = only(UNSENT, days=18)
    story_of(document)["steps"][0]["books"][0]["sent"] = True
    story, outcome = tell(document)
    assert "the ledger never showed email" in story.wrong
    assert "ledger_email" not in outcome.effects
    assert wrote(story, "Copy sent"), "nobody reminded the customer before, so the copy does"


@pytest.mark.parametrize(("credit", "asked"), [("500.00", False), ("100.00", True)])
def test_the_credit_covers_the_debt_or_does_not(credit: str, asked: bool) -> None:
    document = only(CREDIT, days=10)
    document["credits"][0]["amount"] = credit
    story, _ = tell(document)
    assert story.as_told is not asked
    assert bool(wrote(story, "Statement sent")) is asked


def test_the_factor_gave_it_back() -> None:
    document = only(FACTOR, days=14)
    back = {"do": "held_by", "invoice": "INV-4001", "holder": "us"}
    story_of(document)["steps"].append({"day": 10, "because": "the factor gave it back", "say": [back]})
    story, _ = tell(document)
    assert wrote(story, "Statement sent") == ["2026-08-13"], "asked from the day on which it is ours again"
    assert [event.on.isoformat() for event in story.events][:1] == ["2026-08-13"]


def test_paid_after_the_copy_left() -> None:
    document = only(BETWEEN, days=26)
    story_of(document)["steps"][1] |= {"between": False, "day": 22}
    story, outcome = tell(document)
    assert "no effect was refused" in story.wrong
    assert wrote(story, "Copy sent") == ["2026-08-24"]
    assert wrote(story, "Thanks sent") == ["2026-08-25"]
    assert all("cancelled" not in states for states in outcome.effects.values())
