"""plan, approve, reject, apply, run, explain, effects: the daily work."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.frame import By, Json, Org, Project, day, emit, named, note, plain, project, say, table
from connector.errors import DunwellError, UserError

if TYPE_CHECKING:
    from connector.service.deliver import Delivered
    from connector.service.review import Proposal
    from connector.service.wiring import Wiring
    from connector.store.actions import ActionRow
    from connector.store.outbox import EffectRow

PENDING, PERSON_NEEDED = 2, 3
PLAN_FORMAT = "dunwell-plan/1"
Ids = Annotated[list[str] | None, typer.Argument(help="Action ids, or the beginning of one.")]


def register(app: typer.Typer) -> None:
    for command in (plan, approve, reject, apply, run, explain):
        app.command()(command)
    effects_app = typer.Typer(help="The outbox: every write, planned, done or in doubt.")
    effects_app.callback(invoke_without_command=True)(effects)
    effects_app.command()(settle)
    effects_app.command()(retry)
    app.add_typer(effects_app, name="effects")


def plan(
    as_of: Annotated[str | None, typer.Option("--as-of", help="Pretend it is this day; stores nothing.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Save the plan, for `apply --plan`.")] = None,
    org: Org = None,
    folder: Project = None,
    as_json: Json = False,
) -> int:
    """What would be done and why; changes nothing in the ledger. Exit code 2: actions are pending.

    Example: dunwell plan --out plan.json
    """
    from connector.service import lookup, review

    with project(folder) as w:
        proposals = [review.propose(w, one, day(as_of)) for one in lookup.selected(w, [org] if org else None)]
        document = plan_document(w, proposals)
    if out is not None:
        out.write_text(json.dumps(plain(document), ensure_ascii=False, indent=1) + "\n")
        note(f"plan saved to {out}")
    if as_json:
        emit(document)
    else:
        _show_plan(proposals)
    return PENDING if any(proposal.actions for proposal in proposals) else 0


def plan_document(w: Wiring, proposals: list[Proposal]) -> dict[str, object]:
    """The plan as data: what `--json` prints and `--out` saves."""
    return {
        "format": PLAN_FORMAT,
        "as_of": {proposal.organisation: proposal.as_of for proposal in proposals},
        "next_date": {proposal.organisation: proposal.next_date for proposal in proposals},
        "actions": [action_document(w, action) for proposal in proposals for action in proposal.actions],
        "nothing_because": [
            {"organisation": proposal.organisation, **_reason(outcome.reason), "revisit": outcome.revisit}
            for proposal in proposals
            for outcome in proposal.nothing_because
        ],
    }


def _reason(reason: object) -> dict[str, object]:
    from connector.domain.decisions import Reason
    from connector.service.wording import say as worded

    assert isinstance(reason, Reason)
    return {"code": reason.code, "text": worded(reason), "facts": dict(reason.facts)}


def action_document(w: Wiring, action: ActionRow) -> dict[str, object]:
    """One action as data."""
    from connector.service.naming import customer_name

    decision = action.decision
    return {
        "id": action.id,
        "kind": action.key.kind,
        "level": decision.level.name.lower() if decision.level else None,
        "organisation": action.organisation_id,
        "customer": {"id": action.customer_id, "name": customer_name(w, action.organisation_id, action.customer_id)},
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


def _show_plan(proposals: list[Proposal]) -> None:
    from connector.service.wording import say as worded

    for proposal in proposals:
        say(f"{proposal.name}: {len(proposal.actions)} actions for {proposal.as_of}")
        table(
            ("id", "action", "customer", ">amount", "why", "approved by"),
            (
                (
                    action.id,
                    action.preview.get("title") or action.key.kind.value.replace("_", " "),
                    action.preview.get("customer", ""),
                    action.decision.amount,
                    "; ".join(worded(reason) for reason in action.decision.reasons),
                    action.role.replace("_", " "),
                )
                for action in proposal.actions
            ),
        )
        for outcome in proposal.nothing_because:
            say(f"  nothing more because: {worded(outcome.reason)}")
    if any(proposal.actions for proposal in proposals):
        say("next: dunwell approve ID… (or --all), then dunwell apply; dunwell explain CUSTOMER tells more")


def approve(
    ids: Ids = None,
    every: Annotated[bool, typer.Option("--all", help="All but money, final letters and hand-over.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print each letter before approving.")] = False,
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Approve proposals, bound to exactly what was shown.

    Example: dunwell approve k3v9qd2m4x
    """
    from connector.service import approve as service

    if bool(ids) == every:
        raise UserError("name the actions to approve, or --all", not_done="nothing was approved")
    with project(folder, by) as w:
        if show:
            _show_letters([service.known_action(w, one) for one in ids or ()])
        chosen = service.approve_all(w, named(w, org).id if org else None) if every else service.approve(w, ids or [])
        document = {"actions": [action_document(w, action) for action in chosen]}
    if as_json:
        emit(document)
    else:
        say(f"{len(chosen)} approved; next: dunwell apply")
    return 0


def _show_letters(found: list[ActionRow]) -> None:
    for action in found:
        say(f"--- {action.id} {action.key.kind.value}")
        for name, text in action.preview.items():
            say(f"[{name}]\n{text}")


def reject(
    action: Annotated[str, typer.Argument(help="The action's id.")],
    reason: Annotated[str, typer.Option("--reason", help="Why not.")] = "",
    until: Annotated[str | None, typer.Option("--until", help="Ask again from this day.")] = None,
    for_good: Annotated[bool, typer.Option("--for-good", help="Never propose it again.")] = False,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Turn a proposal down, with a reason, until a date or for good.

    Example: dunwell reject k3v9qd2m4x --reason "paid by hand today" --until 2026-12-01
    """
    from connector.service import approve as service

    with project(folder, by) as w:
        row = service.reject(w, action, reason=reason, until=day(until), for_good=for_good)
        document = {"actions": [action_document(w, row)]}
    if as_json:
        emit(document)
    else:
        say(f"{row.id} rejected {'for good' if row.until is None else f'until {row.until}'}")
    return 0


def apply(
    saved: Annotated[Path | None, typer.Option("--plan", help="Do exactly this saved plan.")] = None,
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Deliver approved effects; those whose reasons no longer hold are refused. Running it again changes nothing.

    Example: dunwell apply
    """
    from connector.service import lookup
    from connector.service.approve import approve_exactly
    from connector.service.deliver import deliver

    with project(folder, by) as w:
        only: set[str] | None = None
        if saved is not None:
            pairs = _saved_plan(saved)
            approve_exactly(w, pairs)
            only = {action_id for action_id, _ in pairs}
        results = [deliver(w, one, only) for one in lookup.selected(w, [org] if org else None)]
        for result in results:
            _raise_if_stopped(result)
    return _answer_delivered(results, as_json=as_json)


def _saved_plan(path: Path) -> list[tuple[str, str]]:
    try:
        document = json.loads(path.read_text())
        if document["format"] != PLAN_FORMAT:
            raise KeyError("format")
        return [(action["id"], action["content_hash"]) for action in document["actions"]]
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", not_done="nothing was delivered") from None
    except (ValueError, KeyError, TypeError):
        raise UserError(
            f"{path} is not a plan saved by `dunwell plan --out`", not_done="nothing was delivered"
        ) from None


def _raise_if_stopped(result: Delivered) -> None:
    if result.stopped is not None and not result.effects:
        raise result.stopped


def delivered_document(results: list[Delivered]) -> dict[str, object]:
    rows = [row for result in results for row in result.effects]
    return {
        "effects": [effect_document(row) for row in rows],
        "counts": dict(Counter(row.state.value for row in rows)),
        "calls": sum(result.calls for result in results),
        "waiting_until": max((r.waiting_until for r in results if r.waiting_until), default=None),
        "stopped": [result.stopped.as_dict() for result in results if result.stopped is not None],
    }


def effect_document(row: EffectRow) -> dict[str, object]:
    return {
        "key": row.effect.key,
        "kind": row.effect.kind,
        "organisation": row.organisation_id,
        "action": row.action_id,
        "target": {"kind": row.effect.target_kind, "id": row.effect.target},
        "state": row.state,
        "reason": row.reason,
        "not_before": row.not_before,
        "marker": row.effect.marker,
        "receipt": row.receipt,
    }


def _answer_delivered(results: list[Delivered], *, as_json: bool) -> int:
    document = delivered_document(results)
    if as_json:
        emit(document)
    else:
        rows = [row for result in results for row in result.effects]
        _show_effects(rows)
        counts = ", ".join(f"{n} {state}" for state, n in Counter(row.state.value for row in rows).items())
        say(counts or "nothing was due")
        if document["waiting_until"]:
            say(f"an outcome is unknown: run dunwell apply again after {document['waiting_until']}")
    for result in results:
        if result.stopped is not None:
            note(f"stopped early: {result.stopped}")
    states = {row.state.value for result in results for row in result.effects}
    stopped = any(isinstance(result.stopped, DunwellError) for result in results)
    return PERSON_NEEDED if states & {"human", "rejected"} or stopped else 0


def _show_effects(rows: Sequence[EffectRow]) -> None:
    table(
        ("key", "effect", "target", "state", "detail"),
        (
            (
                row.effect.key[:12],
                row.effect.kind.value.replace("_", " "),
                f"{row.effect.target_kind.value} {row.effect.target[:8]}",
                row.state.value,
                row.reason or (row.receipt.reference if row.receipt else ""),
            )
            for row in rows
        ),
    )


def run(
    once: Annotated[bool, typer.Option("--once", help="One turn, then end.")] = False,
    every: Annotated[int, typer.Option("--every", min=1, help="Minutes between turns.")] = 60,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """pull → plan → what autopilot may approve → apply; without --once again and again, until stopped.

    Example: dunwell run --once
    """
    from connector.service import lookup
    from connector.service.cycle import run_once

    if not once:
        from connector.jobs.embedded import run_forever

        run_forever(folder or Path.cwd(), minutes=every, who=by)
        return 0
    with project(folder, by) as w:
        cycles = [run_once(w, one) for one in lookup.selected(w, None)]
        document = {
            "pulled": [cycle.pulled for cycle in cycles],
            **plan_document(w, [cycle.proposal for cycle in cycles]),
            "approved": [action.id for cycle in cycles for action in cycle.approved],
            **delivered_document([cycle.delivered for cycle in cycles]),
        }
    if as_json:
        emit(document)
    else:
        for cycle in cycles:
            say(
                f"{cycle.pulled.name}: {cycle.pulled.changed} records changed, {len(cycle.proposal.actions)} proposed, "
                f"{len(cycle.approved)} approved by autopilot, {len(cycle.delivered.effects)} effects"
            )
    human = any(row.state.value in {"human", "rejected"} for c in cycles for row in c.delivered.effects)
    return PERSON_NEEDED if human else 0


def explain(
    subject: Annotated[str, typer.Argument(help="An invoice number, customer name, or id.")],
    why_not: Annotated[str | None, typer.Option("--why-not", help="Why this kind of action is not proposed.")] = None,
    org: Org = None,
    folder: Project = None,
    as_json: Json = False,
) -> int:
    """Facts, what each rule said, and when something happens next, or the named reason why nothing will.

    Example: dunwell explain INV-0107 --why-not letter
    """
    from connector.cli.explanation import show
    from connector.service.explain import explain as service

    with project(folder) as w:
        found = service(w, named(w, org), subject, why_not)
    if as_json:
        emit(found)
    else:
        show(found)
    return 0


def effects(
    context: typer.Context,
    state: Annotated[str | None, typer.Option("--state", help="Only effects in this state.")] = None,
    org: Org = None,
    folder: Project = None,
    as_json: Json = False,
) -> int:
    """List the outbox.

    Example: dunwell effects --state human
    """
    if context.invoked_subcommand is not None:
        return 0
    from connector.service.outcomes import listing

    with project(folder) as w:
        rows = listing(w, named(w, org).id if org else None, state)
    if as_json:
        emit({"effects": [effect_document(row) for row in rows]})
    else:
        _show_effects(rows)
    return 0


def settle(
    key: Annotated[str, typer.Argument(help="The effect's key, or its beginning.")],
    happened: Annotated[bool | None, typer.Option("--happened/--did-not-happen", help="What you saw.")] = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Tell what became of an effect whose outcome nobody could see.

    Example: dunwell effects settle 4f1a9c --happened
    """
    from connector.service.outcomes import settle as service

    if happened is None:
        raise UserError("say what you saw: --happened or --did-not-happen", not_done="nothing was settled")
    with project(folder, by) as w:
        row = service(w, key, happened=happened)
    if as_json:
        emit({"effects": [effect_document(row)]})
    else:
        say(f"{row.effect.key[:12]} is {row.state.value}")
    return 0


def retry(
    key: Annotated[str, typer.Argument(help="The effect's key, or its beginning.")],
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Try a refused effect again, after you mended what the ledger complained about.

    Example: dunwell effects retry 4f1a9c
    """
    from connector.service.outcomes import retry as service

    with project(folder, by) as w:
        row = service(w, key)
    if as_json:
        emit({"effects": [effect_document(row)]})
    else:
        say(f"{row.effect.key[:12]} is {row.state.value}; next: dunwell apply")
    return 0
