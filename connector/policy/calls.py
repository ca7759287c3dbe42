"""Calls about an item: whether one is still to be made, and under which occasion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from connector.domain.cases import CallMade, CallOutcome
from connector.domain.decisions import ActedState, ActionKind
from connector.domain.facts import CustomerFacts

REACHED = (CallOutcome.SPOKE, CallOutcome.VOICEMAIL)
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call still to be made. `not_before`: one attempt a day; before the first one no day is too early."""

    number: int
    occasion: str
    not_before: date


def calls_about(facts: CustomerFacts, invoice_id: str) -> tuple[CallMade, ...]:
    return tuple(
        call for call in facts.calls if invoice_id in call.invoice_ids or call.occasion.partition(":")[0] == invoice_id
    )


def still_to_call(facts: CustomerFacts, stem: str) -> Attempt | None:
    """The next attempt of this call; None once somebody was reached, after three tries, or where a person waived it."""
    made = [call for call in facts.calls if _is_of(call.occasion, stem)]
    if any(call.outcome in REACHED for call in made) or len({call.on for call in made}) >= _TRIES:
        return None
    waived = any(
        key.kind is ActionKind.CALL
        and _is_of(key.occasion, stem)
        and one.state is ActedState.REJECTED
        and one.until is None
        for key, one in facts.acted.items()
    )
    if waived:
        return None
    number = len(made) + 1
    day = facts.state.calendar.add(made[-1].on, 1) if made else date.min
    return Attempt(number, stem if number == 1 else f"{stem}:try-{number}", day)


def _is_of(occasion: str, stem: str) -> bool:
    return occasion == stem or occasion.startswith(f"{stem}:try-")
