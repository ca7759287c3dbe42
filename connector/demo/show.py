"""How the demo's outcome looks on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.demo.play import Outcome


def lines(outcome: Outcome) -> list[str]:
    """Stories first, then the count of writes: what a person wants to know."""
    told = [""]
    for story in outcome.stories:
        told.append(f"{'✓' if story.as_told else '✗'} {story.name}")
        told.append(f"    {story.tells.strip()}")
        told += [f"      {line}" for line in story.lines()]
        if story.wrong:
            told.append(f"    NOT AS TOLD: {story.wrong}")
    effects = ", ".join(
        f"{sum(states.values())} {kind.replace('_', ' ')}s" for kind, states in sorted(outcome.effects.items())
    )
    told += [
        "",
        f"{outcome.organisation}: {len(outcome.days)} days visited, {sum(outcome.actions.values())} actions, {effects}",
        f"written to the ledger: {outcome.ledger_writes}, doubled: {outcome.doubled}, lost: {outcome.lost}",
        f"{outcome.calls} calls, {outcome.seconds:.0f} s",
    ]
    return told
