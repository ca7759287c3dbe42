"""How far cash is known: the earliest over the receiving accounts, never later than the day that is judged."""

from __future__ import annotations

from datetime import date

import pytest

from connector.domain.cases import CashKnown
from connector.service.knowledge import cash_known_to

TODAY = date(2026, 3, 2)


def attested(until: int, account: str = "", *, on: int = 1) -> CashKnown:
    """Said on that day of March: reconciled up to that day of February."""
    return CashKnown(
        id=f"{account}{until}{on}", on=date(2026, 3, on), by="Ana", until=date(2026, 2, until), account=account
    )


@pytest.mark.parametrize(
    ("records", "reconciled", "known"),
    [
        ([], {}, None),
        ([], {"bank": date(2026, 2, 20), "paypal": date(2026, 2, 3)}, date(2026, 2, 3)),
        ([], {"bank": date(2026, 3, 9)}, TODAY),
        ([attested(25)], {"bank": date(2026, 2, 1)}, date(2026, 2, 25)),
        ([attested(25, "bank")], {"bank": date(2026, 2, 1), "paypal": date(2026, 2, 3)}, date(2026, 2, 3)),
        ([attested(25, "bank"), attested(20, "paypal")], {}, date(2026, 2, 20)),
        ([attested(25), attested(20, on=2)], {}, date(2026, 2, 20)),
        ([attested(25), attested(27, on=3)], {}, date(2026, 2, 25)),
    ],
    ids=[
        "nobody said", "the slowest account", "not beyond today", "a person's word", "one account only",
        "each account", "the later word", "said after the day",
    ],
)  # fmt: skip
def test_cash_is_known_to(records: list[CashKnown], reconciled: dict[str, date], known: date | None) -> None:
    assert cash_known_to(records, reconciled, TODAY) == known
