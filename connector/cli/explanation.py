"""How an explanation looks on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from connector.cli.output import cell, say, table
from connector.service.explain import Explanation, ItemExplained


def show(found: Explanation) -> None:
    """Facts first, then what each rule said, then what comes next; asked why not, the answer alone."""
    say(f"{found.customer} on {found.as_of}")
    if not found.why_not:
        _show_facts(found)
    for told in found.why_not:
        about = f" ({', '.join(told.items)})" if told.items else ""
        say(f"why not: {_words(told.rule)}: {told.reason.text}{about}")
    _show_what_comes(found)
    say(f"policy {found.policy_version}, mapping {found.mapping_version}")


def _show_facts(found: Explanation) -> None:
    known = found.cash_known_to or "nobody said how far"
    say(f"  party {_words(found.party)}, standing {_words(found.standing)}, held by {_words(found.held_by)}")
    say(f"  letters go to {found.recipient or 'nobody: no usable address'}; cash known to {known}")
    if found.mode == "observe":
        say("  mode observe: nothing is sent or written")
    if found.legal_hold:
        say(f"  legal hold: {_words(found.legal_hold)}")
    say()
    _show_items(found.items)
    say()
    table(
        ("rule", "said", "because", "invoices", "=look again"),
        ((_words(o.rule), _words(o.verdict), o.reason.text, ", ".join(o.items), o.revisit) for o in found.outcomes),
    )
    say()
    for one in found.proposed:
        act = " ".join(_words(cell(one[name])) for name in ("kind", "level", "amount") if one[name])
        say(f"proposed: {act}" + (f": {one['what']}" if one["what"] else ""))


def _show_items(items: Sequence[ItemExplained]) -> None:
    """Days over count from the due date; where the ladder's steps count from a later day, that day stands beside."""
    later = any(one.counted_from for one in items)
    shown = [
        "=invoice",
        "=due",
        ">days over",
        "=counted from",
        ">balance",
        ">collectable",
        "bridge",
        "level",
        "paused by",
    ]
    table(
        [title for title in shown if later or title != "=counted from"],
        (
            (
                one.number,
                one.due,
                one.days_overdue or "",
                *((one.counted_from,) if later else ()),
                one.balance,
                one.collectable,
                ", ".join(f"{_words(code)} {amount.amount:,}" for code, amount in one.bridge if code != "balance"),
                _words(one.level),
                _words(one.paused_by),
            )
            for one in items
        ),
        empty="no open invoices",
    )


def _show_what_comes(found: Explanation) -> None:
    """Why nothing happens, and of which invoices that is true where there are several reasons; then the next date."""
    say(f"nothing happens because: {found.nothing_because.text}")
    reasons: dict[str, list[str]] = {}
    for one in found.items:
        reasons.setdefault(one.nothing_because.text, []).append(one.number)
    if set(reasons) - {found.nothing_because.text}:
        for text, numbers in reasons.items():
            say(f"  {', '.join(numbers)}: {text}")
    if found.next_date is None or found.next_because is None:
        say("next look: when something changes")
    else:
        say(f"next look: {found.next_date} ({_words(found.next_rule)}: {found.next_because.text})")


def _words(code: str) -> str:
    return code.replace("_", " ")
