"""How an explanation looks on a terminal."""

from __future__ import annotations

from connector.cli.frame import say, table
from connector.service.explain import Explanation


def show(found: Explanation) -> None:
    """Facts first, then what each rule said, then what comes next."""
    say(f"{found.customer} on {found.as_of}")
    say(f"  {found.party}, standing {found.standing}, held by {found.held_by}; letters go to {found.recipient}")
    known = found.cash_known_to or "nobody said"
    say(f"  cash known to: {known}" + (f"; legal hold: {found.legal_hold}" if found.legal_hold else ""))
    table(
        ("invoice", "due", ">days over", ">balance", ">collectable", "bridge", "level", "paused by"),
        (
            (
                one.number,
                one.due,
                one.days_overdue,
                one.balance,
                one.collectable,
                ", ".join(f"{code} {amount.amount:,}" for code, amount in one.bridge if code != "balance"),
                one.level,
                one.paused_by,
            )
            for one in found.items
        ),
    )
    table(
        ("rule", "said", "because", "invoices", "look again"),
        ((one.rule, one.verdict, one.reason.text, ", ".join(one.items), one.revisit) for one in found.outcomes),
    )
    for one in found.proposed:
        say(f"  proposed: {one['kind']} {one['level'] or ''} {one['amount'] or ''}")
    for told in found.why_not:
        say(f"  why not: {told.rule}: {told.reason.text}")
    if found.nothing_because is not None:
        say(f"  nothing happens because: {found.nothing_because.text}")
    say(f"  next look: {found.next_date or 'when something changes'}")
    say(f"  policy {found.policy_version}, mapping {found.mapping_version}")
