"""A plan as data and as a table; a saved plan read back."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from connector.cli.output import say, table
from connector.domain.counting import counted
from connector.errors import UserError

if TYPE_CHECKING:
    from connector.domain.decisions import Reason
    from connector.service.review import Proposal
    from connector.service.wiring import Wiring
    from connector.store.actions import ActionRow

PLAN_FORMAT = "dunwell-plan/1"
_LARGEST_PLAN = 256 * 1024 * 1024
_SHOWN_FIRST = ("customer", "to", "subject")
_SHOWN_LAST = ("text",)


def plan_document(w: Wiring, proposals: list[Proposal]) -> dict[str, object]:
    """The plan as data: what `--json` prints and `--out` saves."""
    from connector.service.naming import customer_names

    actions = [
        action_document(w, action, names)
        for proposal in proposals
        for names in [customer_names(w, proposal.organisation, {action.customer_id for action in proposal.actions})]
        for action in proposal.actions
    ]
    return {
        "format": PLAN_FORMAT,
        "as_of": {proposal.organisation: proposal.as_of for proposal in proposals},
        "stored": {proposal.organisation: proposal.stored for proposal in proposals},
        "stale": [proposal.organisation for proposal in proposals if proposal.stale],
        "next_date": {proposal.organisation: proposal.next_date for proposal in proposals},
        "actions": actions,
        "nothing_because": [
            {"organisation": proposal.organisation, **_reason(outcome.reason), "revisit": outcome.revisit}
            for proposal in proposals
            for outcome in proposal.nothing_because
        ],
    }


def _reason(reason: Reason) -> dict[str, object]:
    from connector.service.wording import say as worded

    return {"code": reason.code, "text": worded(reason), "facts": dict(reason.facts)}


def action_document(w: Wiring, action: ActionRow, names: Mapping[str, str] | None = None) -> dict[str, object]:
    """One action as data. `names`: customers' names that are known already."""
    from connector.service.naming import customer_name

    decision, customer = action.decision, action.customer_id
    name = customer_name(w, action.organisation_id, customer) if names is None else names.get(customer, "")
    return {
        "id": action.id,
        "kind": action.key.kind,
        "level": decision.level.name.lower() if decision.level else None,
        "organisation": action.organisation_id,
        "customer": {"id": customer, "name": name},
        "target": {"kind": decision.target_kind, "id": decision.target},
        "occasion": decision.occasion,
        "items": list(decision.items),
        "amount": decision.amount,
        "by_date": decision.by_date,
        "not_before": decision.not_before,
        "reasons": [_reason(reason) for reason in decision.reasons],
        "effects": [
            {"key": effect.key, "kind": effect.kind, "target": effect.target, "after": list(effect.after)}
            for effect in action.effects
        ],
        "preview": action.preview,
        "approval": {"state": action.state, "role": action.role, "expires_at": action.expires_at},
        "content_hash": action.content_hash,
    }


def announce(name: str, as_of: date) -> None:
    """The plan's first line: said before anything is decided, for a large ledger takes its time."""
    say(f"{name}: plan for {as_of}")
    sys.stdout.flush()


def show_plan(proposal: Proposal) -> None:
    """The plan for people: one line an action, with the date that a letter will name; the long text comes last."""
    from connector.service.review import FRESHNESS
    from connector.service.wording import say as worded

    say(counted(len(proposal.actions), "action"))
    table(
        ("=id", "action", "customer", ">amount", "=by date", "for approval by", "why"),
        (
            (
                action.id,
                _what(action),
                action.preview.get("customer", ""),
                action.decision.amount,
                action.decision.by_date,
                action.role.replace("_", " "),
                "; ".join([*_asked(action), *(worded(reason) for reason in action.decision.reasons)]),
            )
            for action in proposal.actions
        ),
    )
    for outcome in proposal.nothing_because:
        say(f"  {'careful' if outcome.rule == FRESHNESS else 'nothing more because'}: {worded(outcome.reason)}")
    if proposal.stale:
        say("  this can be read but not approved; next: dunwell pull, then dunwell plan")
    if not proposal.actions and proposal.next_date:
        say(f"  next look: {proposal.next_date}")


def _what(action: ActionRow) -> str:
    """What the action is, in a word or two: what a task asks for stands with its reasons."""
    kind = action.key.kind.value.replace("_", " ")
    return kind if _asked(action) else action.preview.get("title") or kind


def _asked(action: ActionRow) -> list[str]:
    """What a task asks a person to do."""
    from connector.domain.decisions import ActionKind

    asked = action.preview.get("what") if action.key.kind is ActionKind.TASK else None
    return [asked] if asked else []


def next_steps(proposals: Sequence[Proposal]) -> list[str]:
    """What to do with what was proposed: a task or a call is not approved but done."""
    from connector.domain.decisions import ActionKind
    from connector.service.approve import FOR_A_PERSON

    kinds = {action.key.kind for proposal in proposals if proposal.stored for action in proposal.actions}
    steps = []
    if kinds - FOR_A_PERSON:
        steps.append("next: dunwell approve ID (--show prints the letter), or --all; then dunwell apply")
    if ActionKind.CALL in kinds:
        steps.append("a call: make it, then dunwell call done ID OUTCOME")
    if ActionKind.TASK in kinds:
        steps.append("a task: do it; one that stays is put away with dunwell reject ID --for-good --reason done")
    return steps


def show_letters(found: list[ActionRow]) -> None:
    """Each action as it will reach the customer."""
    for action in found:
        title = action.preview.get("title") or action.key.kind.value.replace("_", " ")
        say(f"--- {action.id}  {title}  {action.decision.amount or ''}".rstrip())
        known = (*_SHOWN_FIRST, *_SHOWN_LAST, "title")
        between = tuple(name for name in action.preview if name not in known)
        for name in (*_SHOWN_FIRST, *between):
            if text := action.preview.get(name, ""):
                say(f"{name.replace('_', ' ')}: {text}")
        for name in _SHOWN_LAST:
            if text := action.preview.get(name, ""):
                say(f"\n{text.rstrip()}\n")


def saved_plan(path: Path) -> list[tuple[str, str]]:
    """The (action id, content hash) pairs of a plan saved by `plan --out`. Raises `UserError`."""
    nothing = "nothing was approved or delivered"
    try:
        if path.stat().st_size > _LARGEST_PLAN:
            raise ValueError
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != PLAN_FORMAT:
            raise KeyError("format")
        pairs = [(action["id"], action["content_hash"]) for action in document["actions"]]
        if not all(isinstance(text, str) for pair in pairs for text in pair):
            raise TypeError
    except OSError as error:
        raise UserError(
            f"{path} cannot be read: {error.strerror}", not_done=nothing, next_step="dunwell plan --out FILE saves one"
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UserError(
            f"{path} is not a plan of this version of dunwell",
            not_done=nothing,
            next_step="dunwell plan --out FILE saves one",
        ) from None
    return pairs
