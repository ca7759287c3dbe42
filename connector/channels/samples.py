"""Sample letters with which templates are checked before any customer sees one."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from connector.channels.context import (
    NEEDS,
    CallHeld,
    LetterContext,
    LetterItem,
    LetterKind,
    NewDate,
    OpenQuery,
    PaymentReceived,
    PlanTerms,
    Sender,
)
from connector.domain.effects import ScheduleLine
from connector.domain.facts import BridgeLine
from connector.domain.money import Money


def _nzd(amount: str) -> Money:
    return Money.of(amount, "NZD")


_PLAIN: Final = LetterItem(
    number="INV-0107",
    issued=date(2026, 10, 12),
    due=date(2026, 10, 26),
    total=_nzd("345.00"),
    balance=_nzd("345.00"),
    collectable=_nzd("345.00"),
)
_BRIDGED: Final = LetterItem(
    number="INV-0112",
    issued=date(2026, 10, 14),
    due=date(2026, 10, 28),
    total=_nzd("1200.00"),
    balance=_nzd("545.00"),
    collectable=_nzd("375.00"),
    bridge=(BridgeLine("disputed", _nzd("-120.00")), BridgeLine("unapplied_credit", _nzd("-50.00"))),
    pay_link="https://pay.example/INV-0112?token=a1",
)
_PLAN: Final = PlanTerms(
    reference="PLAN-7",
    version=1,
    covered=(("INV-0107", _nzd("345.00")), ("INV-0112", _nzd("375.00"))),
    lines=(
        ScheduleLine(1, date(2026, 11, 6), _nzd("180.00")),
        ScheduleLine(2, date(2026, 12, 18), _nzd("270.00")),
        ScheduleLine(3, date(2027, 1, 22), _nzd("270.00")),
    ),
)

COMPLETE: Final = LetterContext(
    organisation="Kauri Joinery",
    customer="Ridgeway University",
    first_name="Aroha",
    sender=Sender(name="Mere Tane", role="Accounts", reply_to="accounts@kauri.example", phone="+64 9 555 0100"),
    written_on=date(2026, 11, 12),
    locale="en_NZ",
    items=(_PLAIN, _BRIDGED),
    by_date=date(2026, 11, 19),
    attached=True,
    payment=PaymentReceived(amount=_nzd("720.00"), on=date(2026, 11, 11)),
    extension=NewDate(number="INV-0107", amount=_nzd("345.00"), due=date(2026, 10, 26), until=date(2026, 11, 26)),
    query=OpenQuery(
        number="INV-0112",
        amount=_nzd("120.00"),
        total=_nzd("1200.00"),
        decide_by=date(2026, 11, 26),
        owner="Tom Reweti",
    ),
    plan=_PLAN,
    instalment=_PLAN.lines[0],
    call=CallHeld(
        on=date(2026, 11, 12),
        spoke_with="Aroha Ngata",
        agreed=("You pay INV-0107 on 19 November 2026.", "We send a copy of INV-0112 today."),
    ),
)
"""Every fact is given: the shape of all values, and the letter at its longest."""


def lean(kind: LetterKind) -> LetterContext:
    """A letter of that kind with nothing but the facts it needs."""
    needs = NEEDS[kind]
    facts: dict[str, Any] = {name: getattr(COMPLETE, name) for name in needs - {"items", "call"}}
    if "items" in needs:
        facts["items"] = (_PLAIN,)
    if "call" in needs:
        facts["call"] = CallHeld(on=COMPLETE.written_on)
    return LetterContext(
        organisation=COMPLETE.organisation,
        customer=COMPLETE.customer,
        sender=Sender(name="Mere Tane", reply_to="accounts@kauri.example"),
        written_on=COMPLETE.written_on,
        locale=COMPLETE.locale,
        **facts,
    )
