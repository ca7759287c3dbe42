"""plan, approve, reject, apply, run, explain: the daily work."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import frame, outbox, several
from connector.cli.frame import By, Json, Org, Project, day, named, otherwise, project, write_file
from connector.cli.output import emit, note, plain, say
from connector.cli.plans import (
    action_document,
    announce,
    next_steps,
    plan_document,
    saved_plan,
    show_letters,
    show_plan,
)
from connector.cli.progress import delivering
from connector.domain.counting import counted
from connector.errors import DunwellError, UserError

if TYPE_CHECKING:
    from connector.service.cycle import Cycle
    from connector.service.deliver import Delivered
    from connector.service.review import Proposal
    from connector.service.wiring import Wiring
    from connector.store.organisations import OrganisationRow

PENDING, PERSON_NEEDED = 2, 3
_UNDELIVERED = "what is not delivered stays approved; nothing is sent twice"
_UNFINISHED = "the turn did not finish; what was done stays done"


def register(app: typer.Typer) -> None:
    for command in (plan, approve, reject, apply, run, explain):
        frame.command(app, command)
    outbox.register(app)


def plan(
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Pretend it is this day; stores nothing.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Save the plan, for `apply --plan`.")
    ] = None,
    org: Org = None,
    folder: Project = None,
    as_json: Json = False,
) -> int:
    """What would be done and why; changes nothing.

    Exit code 2: actions are pending. 3: the ledger was last read longer ago than the policy allows, so that this plan
    can be read but not approved: pull, then plan again. 1: an organisation was never pulled, or failed; the others are
    planned all the same.

    Example: dunwell plan
    dunwell plan --out plan.json
    """
    from connector.service import lookup

    when = day(as_of)
    at_once = not as_json and out is None  # what cannot be saved is not shown either

    def one_plan(one: OrganisationRow) -> Proposal:
        lookup.must_be_pulled(one)
        if at_once:
            announce(one.record.name, when or w.today(one))
        proposal = _propose(w, one, when)
        if at_once:
            show_plan(proposal)
        return proposal

    with project(folder) as w:
        rows = lookup.selected(w, [org] if org else None)
        proposals, failed = several.each(rows, one_plan, "nothing was planned", "dunwell doctor --all, then plan again")
        document = plan_document(w, proposals) if as_json or out is not None else {}
    if out is not None:
        write_file(out, json.dumps(plain(document), ensure_ascii=False, indent=1) + "\n", "the plan")
        note(f"plan saved to {out}")
    if as_json:
        emit(document | several.failures(failed))
        return _planned(proposals, failed)
    for proposal in () if at_once else proposals:
        announce(proposal.name, proposal.as_of)
        show_plan(proposal)
    for step in next_steps(proposals):
        say(step)
    several.tell(failed)
    return _planned(proposals, failed)


def _planned(proposals: Sequence[Proposal], failed: Sequence[DunwellError]) -> int:
    """The exit code of a plan: what failed before what must be repeated before what waits to be approved."""
    if failed:
        return several.FAILED
    if any(proposal.stale for proposal in proposals):
        return PERSON_NEEDED
    return PENDING if any(proposal.actions for proposal in proposals) else 0


def _propose(w: Wiring, organisation: OrganisationRow, as_of: date | None) -> Proposal:
    from connector.service import review  # late: it loads what makes letters, and the first line need not wait for that

    return review.propose(w, organisation, as_of)


def approve(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="Action ids, or the beginning of one.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All but money, final letters and hand-over.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print each letter that is approved.")] = False,
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Approve proposals, bound to exactly what was shown.

    Example: dunwell approve k3v9qd2m4x --show
    dunwell approve --all
    """
    from connector.service import approve as service

    if bool(ids) == every:
        raise UserError(
            "name the actions to approve, or --all (not both)",
            not_done="nothing was approved",
            next_step="dunwell plan lists them",
        )
    with project(folder, by) as w, otherwise("nothing was approved"):
        lacking = w.letters_lack()
        chosen = service.approve_all(w, named(w, org).id if org else None) if every else service.approve(w, ids or [])
        document = {"actions": [action_document(w, action) for action in chosen]}
    if as_json:
        emit(document)
        return 0
    if show:
        show_letters(chosen)
    if any(effect.kind.value == "letter" for action in chosen for effect in action.effects):
        outbox.warn_of_letters(lacking)
    say(f"{len(chosen)} approved; next: dunwell apply" if chosen else "nothing waits that may be approved in bulk")
    if not chosen:
        note("next: dunwell plan, after dunwell pull where the ledger was read long ago")
    return 0


def reject(
    action: Annotated[str, typer.Argument(metavar="ID", help="The action's id.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why not.")],
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Ask again from this day; this or --for-good.")
    ] = None,
    for_good: Annotated[bool, typer.Option("--for-good", help="Never propose it again; this or --until.")] = False,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Turn a proposal down, until a day or for good.

    Example: dunwell reject k3v9qd2m4x --reason "paid by hand today" --until 2026-12-01
    """
    from connector.service import approve as service

    with project(folder, by) as w, otherwise("nothing was rejected"):
        row = service.reject(w, action, reason=reason, until=day(until), for_good=for_good)
        document = {"actions": [action_document(w, row)]}
    if as_json:
        emit(document)
    else:
        say(f"{row.id} rejected {'for good' if row.until is None else f'until {row.until}'}")
    return 0


def apply(
    saved: Annotated[
        Path | None, typer.Option("--plan", metavar="FILE", help="Approve and do exactly this saved plan.")
    ] = None,
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Deliver what is approved, each effect once.

    What no longer holds is cancelled. Running it again repeats nothing. Exit code 3: done, but a person is needed:
    something was refused, or its outcome is not known.

    Example: dunwell apply
    dunwell apply --plan plan.json
    """
    from connector.service import lookup
    from connector.service.deliver import deliver

    pairs = saved_plan(saved) if saved is not None else None
    with project(folder, by) as w, otherwise(_UNDELIVERED, "run dunwell apply again"):
        refused = _approve_saved(w, pairs) if pairs is not None else []
        only = {action_id for action_id, _ in pairs} if pairs is not None else None

        def one_round(one: OrganisationRow) -> Delivered:
            with delivering(w, one, quiet=as_json) as watch:
                result = deliver(w, one, only, watch)
            if result.stopped is not None and not result.effects:
                raise result.stopped
            return result

        rows = lookup.selected(w, [org] if org else None)
        results, failed = several.each(rows, one_round, _UNDELIVERED, "run dunwell apply again")
        if as_json:
            more = {"refused": refused} if pairs is not None else {}
            emit(outbox.delivered_document(results) | more | several.failures(failed))
        else:
            for one in refused:
                say(f"refused {one['id']}: {one['reason']}")
            if results:
                outbox.show_delivered(w, results)
                if any(row.effect.kind.value == "letter" for result in results for row in result.effects):
                    outbox.warn_of_letters(w.letters_lack())
            several.tell(failed)
    code = _outcome(results)
    return several.FAILED if failed else PERSON_NEEDED if refused else code


def _approve_saved(w: Wiring, pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    """Approve what a saved plan holds; what it holds and what has changed since, with the reason."""
    from connector.service.approve import FOR_A_PERSON, approve_exactly, known_action

    approve_exactly(w, pairs)
    refused = []
    for action_id, content in pairs:
        action = known_action(w, action_id)
        if action.key.kind in FOR_A_PERSON:
            continue
        if action.content_hash != content:
            refused.append({"id": action_id, "reason": "it has changed since the plan was saved"})
        elif action.state in ("proposed", "withdrawn", "rejected", "expired"):
            refused.append({"id": action_id, "reason": f"it is {action.state} by now"})
    return refused


def _outcome(results: Sequence[Delivered]) -> int:
    """The exit code: a person is needed where an effect was refused or is in doubt, or where the round ended early."""
    stopped = [result.stopped for result in results if result.stopped is not None]
    for error in stopped:
        note(f"dunwell: stopped early: {error}\n  next: {error.next_step or 'run dunwell apply again'}")
    states = {row.state.value for result in results for row in result.effects}
    undecided = any(result.undecided for result in results)
    return PERSON_NEEDED if states & {"unknown", "human", "rejected"} or undecided or stopped else 0


def run(
    once: Annotated[bool, typer.Option("--once", help="One turn, then end.")] = False,
    every: Annotated[int, typer.Option("--every", metavar="MINUTES", min=1, help="Minutes between turns.")] = 60,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """pull, plan, approve what autopilot may, apply.

    Without --once again and again, until stopped.

    Example: dunwell run --once
    """
    from connector.service import lookup
    from connector.service.cycle import run_once

    if not once:
        if as_json:
            raise UserError(
                "a run without end has no answer",
                not_done="nothing was done",
                next_step="give --once with --json",
            )
        from connector.jobs.embedded import run_forever

        with project(folder, by):  # a project that cannot be opened is told now, not at every turn
            note(f"a turn now and every {counted(every, 'minute')}, until Ctrl-C")
        run_forever(folder or Path.cwd(), minutes=every, who=by)
        return 0

    def one_turn(one: OrganisationRow) -> Cycle:
        with delivering(w, one, quiet=as_json) as watch:
            return run_once(w, one, watch=watch)

    with project(folder, by) as w, otherwise(_UNFINISHED, "run it again"):
        rows = lookup.selected(w, None)
        cycles, failed = several.each(rows, one_turn, _UNFINISHED, "run it again")
        if as_json:
            emit(_run_document(w, cycles) | several.failures(failed))
        else:
            _show_run(w, cycles)
            several.tell(failed)
    code = _outcome([cycle.delivered for cycle in cycles])
    return several.FAILED if failed else code


def _run_document(w: Wiring, cycles: Sequence[Cycle]) -> dict[str, object]:
    return {
        "pulled": [cycle.pulled for cycle in cycles],
        **plan_document(w, [cycle.proposal for cycle in cycles]),
        "approved": [action.id for cycle in cycles for action in cycle.approved],
        **outbox.delivered_document([cycle.delivered for cycle in cycles]),
    }


def _show_run(w: Wiring, cycles: Sequence[Cycle]) -> None:
    for cycle in cycles:
        say(
            f"{cycle.pulled.name}: {counted(cycle.pulled.changed, 'record')} changed, "
            f"{len(cycle.proposal.actions)} proposed, {len(cycle.approved)} approved by autopilot, "
            f"{counted(len(cycle.delivered.effects), 'effect')}"
        )
    if any(cycle.delivered.effects or cycle.delivered.undecided for cycle in cycles):
        outbox.show_delivered(w, [cycle.delivered for cycle in cycles])


def explain(
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="An invoice number, customer name, or id.")],
    why_not: Annotated[
        str | None, typer.Option("--why-not", metavar="KIND", help="Why this kind of action is not proposed.")
    ] = None,
    org: Org = None,
    folder: Project = None,
    as_json: Json = False,
) -> int:
    """Facts, what each rule said, and what comes next.

    Or the named reason why nothing will happen.

    Example: dunwell explain "Basket Case"
    dunwell explain INV-0107 --why-not letter
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
