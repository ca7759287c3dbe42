"""How an explanation looks on a terminal."""

from __future__ import annotations

from connector.cli.output import cell, say, table
from connector.service.explain import Explanation


def show(found: Explanation) -> None:
    """Facts first, then what each rule said, then what comes next."""
    say(f"{found.customer} on {found.as_of}")
    known = found.cash_known_to or "nobody said how far"
    say(f"  party {_words(found.party)}, standing {_words(found.standing)}, held by {_words(found.held_by)}")
    say(f"  letters go to {found.recipient or 'nobody: no usable address'}; cash known to {known}")
    if found.legal_hold:
        say(f"  legal hold: {_words(found.legal_hold)}")
    say()
    table(
        ("=invoice", "=due", ">days over", ">balance", ">collectable", "bridge", "=level", "paused by"),
        (
            (
                one.number,
                one.due,
                one.days_overdue,
                one.balance,
                one.collectable,
                ", ".join(f"{_words(code)} {amount.amount:,}" for code, amount in one.bridge if code != "balance"),
                _words(one.level),
                _words(one.paused_by),
            )
            for one in found.items
        ),
        empty="no open invoices",
    )
    say()
    table(
        ("=rule", "=said", "because", "invoices", "=look again"),
        ((_words(o.rule), _words(o.verdict), o.reason.text, ", ".join(o.items), o.revisit) for o in found.outcomes),
    )
    say()
    for one in found.proposed:
        say(f"proposed: {' '.join(cell(one[name]) for name in ('kind', 'level', 'amount') if one[name])}")
    for told in found.why_not:
        say(f"why not: {_words(told.rule)}: {told.reason.text}")
    if found.nothing_because is not None:
        say(f"nothing happens because: {found.nothing_because.text}")
    say(f"next look: {found.next_date or 'when something changes'}")
    say(f"policy {found.policy_version}, mapping {found.mapping_version}")


def _words(code: str) -> str:
    return code.replace("_", " ")
