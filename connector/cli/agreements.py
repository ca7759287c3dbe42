"""dispute, extend, promise, payment-plan: what was agreed with a customer, or is in question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import frame, words
from connector.cli.frame import By, Json, Org, Project, choice, day, money, named, otherwise, project, required_day
from connector.cli.output import emit, recorded, say, table
from connector.domain.counting import counted
from connector.errors import UserError

if TYPE_CHECKING:
    from connector.domain.cases import PaymentPlan
    from connector.service.plan_shown import PlanShown

Invoice = Annotated[str, typer.Argument(metavar="INVOICE", help="The invoice's number or id.")]
Target = Annotated[str, typer.Argument(metavar="QUERY", help="A query's id, an invoice number, or a customer.")]
Customer = Annotated[
    str, typer.Argument(metavar="CUSTOMER", help="The customer's name, e-mail or id, or an invoice number.")
]
Covering = Annotated[list[str] | None, typer.Option("--invoice", metavar="INVOICE", help="Only these invoices.")]
Principal = Annotated[bool, typer.Option("--as-principal", help="I am the client's principal: up to the ceiling.")]


def register(app: typer.Typer) -> None:
    dispute = frame.group(
        app, "dispute", "Queries on invoices: only the disputed part is paused.", "dunwell dispute list"
    )
    frame.command(dispute, dispute_open, "open")
    frame.command(dispute, dispute_review, "review")
    frame.command(dispute, dispute_resolve, "resolve")
    frame.command(dispute, dispute_list, "list")
    frame.command(app, extend)
    frame.command(app, promise)
    plans = frame.group(
        app,
        "payment-plan",
        "Payment plans: options, offer, signature, schedule.",
        'dunwell payment-plan options "Basket Case"',
    )
    frame.command(plans, plan_options, "options")
    frame.command(plans, plan_offer, "offer")
    frame.command(plans, plan_sign, "sign")
    frame.command(plans, plan_show, "show")
    frame.command(plans, plan_cancel, "cancel")


def dispute_open(
    invoice: Invoice,
    code: Annotated[str, typer.Option("--code", metavar="CODE", help=f"{words.DISPUTE_CODES}.")],
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="AMOUNT", help="The disputed part, gross [the whole balance].")
    ] = None,
    wants: Annotated[str, typer.Option("--wants", metavar="TEXT", help="What the customer wants.")] = "",
    evidence: Annotated[str, typer.Option("--evidence", metavar="TEXT", help="Where the evidence is kept.")] = "",
    owner: Annotated[str, typer.Option("--owner", metavar="WHO", help="Who looks into it.")] = "",
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Open a query on an invoice.

    The next plan tags it in the ledger and pauses the disputed part.

    Example: dunwell dispute open INV-0107 --code quality --amount 120.00
    """
    from connector.domain.cases import DisputeCode
    from connector.service import disputes, lookup

    picked = choice(code, DisputeCode, "dispute code")
    with project(folder, by) as w, otherwise("nothing was recorded"):
        organisation = named(w, org)
        with w.db.reading(w.tenant) as tx:
            currency = lookup.invoice(tx, organisation.id, invoice).currency
        record = disputes.open_dispute(
            w, organisation, invoice, code=picked, amount=money(amount, currency), wants=wants, evidence=evidence,
            owner=owner,
        )  # fmt: skip
        return recorded(record, as_json=as_json)


def dispute_review(
    query: Target,
    valid: Annotated[bool, typer.Option("--valid/--not-valid", help="What the review found.")],
    evidence: Annotated[str, typer.Option("--evidence", metavar="TEXT", help="Where the evidence is kept.")] = "",
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Record what the review of a query found.

    Example: dunwell dispute review INV-0107 --valid
    """
    from connector.service import disputes

    with project(folder, by) as w, otherwise("nothing was recorded"):
        record = disputes.review(w, named(w, org), query, valid=valid, evidence=evidence)
        return recorded(record, as_json=as_json)


def dispute_resolve(
    query: Target,
    outcome: Annotated[str, typer.Option("--outcome", metavar="OUTCOME", help=f"{words.DISPUTE_OUTCOMES}.")],
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Close a query, or close it once more with another outcome.

    A credit that it calls for is made by a person, in the ledger or with `accommodate credit`. Until it is there (redo:
    until the query is closed once more), the part stays paused and the plan asks for it.

    Example: dunwell dispute resolve INV-0107 --outcome stand_firm
    """
    from connector.domain.cases import DisputeOutcome
    from connector.domain.collectable import OWES_SOMETHING
    from connector.service import disputes

    picked = choice(outcome, DisputeOutcome, "outcome")
    with project(folder, by) as w, otherwise("nothing was recorded"):
        record = disputes.resolve(w, named(w, org), query, picked)
        awaited = f"{record.amount} stays paused until that is done; dunwell plan asks for it"
        follows = {"follows": awaited} if picked in OWES_SOMETHING else {}
        return recorded(record, as_json=as_json, **follows)


def dispute_list(org: Org = None, folder: Project = None, as_json: Json = False) -> int:
    """Open queries, then closed ones whose outcome is not done yet; each oldest first.

    Example: dunwell dispute list
    """
    from connector.service import disputes
    from connector.service.naming import customer_name, invoice_number

    with project(folder) as w:
        organisation = named(w, org)
        found = disputes.open_disputes(w, organisation) + disputes.awaited_disputes(w, organisation)
        rows = [
            (
                one.id[:8],
                invoice_number(w, organisation.id, one.invoice_id),
                customer_name(w, organisation.id, one.customer_id),
                one.amount,
                one.code,
                one.on,
                one.decide_by,
                one.owner,
                "open" if one.is_open else f"{one.outcome}: not done yet",
            )
            for one in found
        ]
    if as_json:
        emit({"disputes": found})
    else:
        table(
            ("=id", "=invoice", "customer", ">amount", "=code", "=opened", "=decide by", "owner", "state"),
            rows,
            empty="no query is open",
        )
    return 0


def extend(
    invoice: Invoice,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="The new final date [the policy's length].")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")] = "",
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Grant the one extension an invoice may get.

    The due date is untouched and the new date is final.

    Example: dunwell extend INV-0107 --until 2026-11-30
    """
    from connector.service import accommodations

    with project(folder, by) as w, otherwise("nothing was recorded"):
        record = accommodations.extend(w, named(w, org), invoice, day(until), reason=reason)
        return recorded(record, as_json=as_json)


def promise(
    target: Customer,
    on: Annotated[str, typer.Option("--on", metavar="DATE", help="The date promised.")],
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="AMOUNT", help="Only this much [all of it].")
    ] = None,
    currency: Annotated[
        str | None, typer.Option("--currency", metavar="CODE", help="Of the amount [the currency owed].")
    ] = None,
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Record a dated promise to pay.

    Of one invoice, or of all that a customer owes overdue.

    Example: dunwell promise INV-0107 --on 2026-11-27
    """
    from connector.service import promises

    with project(folder, by) as w, otherwise("nothing was recorded"):
        organisation = named(w, org)
        asked = frame.owed(w, organisation, target, amount, currency)
        record = promises.promise(w, organisation, target, required_day(on), amount=asked)
        return recorded(record, as_json=as_json)


def plan_options(
    customer: Customer,
    invoices: Covering = None,
    principal: Principal = False,
    org: Org = None,
    folder: Project = None,
    as_json: Json = False,
) -> int:
    """Plans that the policy permits.

    For what is overdue and undisputed.

    Example: dunwell payment-plan options "Basket Case"
    """
    from connector.service import accommodations

    with project(folder) as w:
        found = accommodations.plan_options(w, named(w, org), customer, invoices=invoices, principal=principal)
    if as_json:
        emit(found)
        return 0
    say(f"{found.customer}: {found.amount} over {counted(len(found.covered), 'invoice')}")
    table(
        (">option", ">instalments", "dates and amounts"),
        (
            (number, len(one.instalments), ", ".join(f"{i.due} {i.amount.amount:,}" for i in one.instalments))
            for number, one in enumerate(found.options, 1)
        ),
    )
    return 0


def plan_offer(
    customer: Customer,
    option: Annotated[int, typer.Option("--option", metavar="N", help="Number from `payment-plan options`.")],
    invoices: Covering = None,
    principal: Principal = False,
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Offer a plan.

    It is not active before it is signed.

    Example: dunwell payment-plan offer "Basket Case" --option 2
    """
    from connector.service import accommodations

    with project(folder, by) as w, otherwise("nothing was recorded"):
        plan = accommodations.plan_offer(w, named(w, org), customer, option, invoices=invoices, principal=principal)
    return _show_plan(plan, as_json=as_json)


def plan_sign(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id, or the customer.")],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Who signed.")],
    capacity: Annotated[str, typer.Option("--capacity", metavar="TEXT", help="As what: owner, director…")],
    evidence: Annotated[str, typer.Option("--evidence", metavar="TEXT", help="Where the signed agreement is kept.")],
    on: Annotated[str | None, typer.Option("--on", metavar="DATE", help="The day of the signature [today].")] = None,
    as_invoices: Annotated[bool, typer.Option("--as-invoices", hidden=True)] = False,
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Record the signature that makes a plan active.

    Example: dunwell payment-plan sign "Basket Case" --name "Jo Day" --capacity owner --evidence "scan 2026-11-22"
    """
    if as_invoices:
        raise UserError(
            "not offered: instalments as invoices would give up the original due dates, and a credit note would make "
            "the plan look kept",
            not_done="the plan is not active",
            next_step="sign it without --as-invoices: the schedule is laid beside the invoice (docs/decisions/0007)",
        )
    from connector.service import accommodations

    with project(folder, by) as w, otherwise("nothing was recorded"):
        organisation = named(w, org)
        signed = accommodations.plan_sign(
            w, organisation, plan, name=name, capacity=capacity, on=day(on) or w.today(organisation), evidence=evidence
        )
    return _show_plan(signed, as_json=as_json)


def plan_show(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id, or the customer.")],
    org: Org = None,
    folder: Project = None,
    as_json: Json = False,
) -> int:
    """Show the newest plan: what was kept, missed and paid.

    Example: dunwell payment-plan show "Basket Case"
    """
    from connector.service.plan_shown import plan_shown

    with project(folder) as w:
        found, standing = plan_shown(w, named(w, org), plan)
    if standing is None:
        return _show_plan(found, as_json=as_json)
    if as_json:
        emit({"record": found, "standing": standing})
    else:
        _show_standing(standing)
    return 0


def plan_cancel(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id, or the customer.")],
    void: Annotated[bool, typer.Option("--void", help="It was breached and not cured.")] = False,
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """End a plan by a person's decision.

    Chasing resumes where it stood, or at firm when the plan was breached.

    Example: dunwell payment-plan cancel "Basket Case"
    """
    from connector.service import accommodations

    with project(folder, by) as w, otherwise("nothing was recorded"):
        return _show_plan(accommodations.plan_cancel(w, named(w, org), plan, void=void), as_json=as_json)


def _show_standing(shown: PlanShown) -> None:
    plan = shown.plan
    by = f"; {plan.signature.name} signed on {plan.signature.on}" if plan.signature else ""
    say(f"plan {plan.id[:8]} is {plan.state.value}{f' since {plan.closed_on}' if plan.closed_on else ''}{by}")
    follows = f", next due {shown.next_due}" if shown.next_due and plan.closed_on is None else ""
    say(f"on {shown.as_of}: paid {shown.paid}, remaining {shown.remaining}{follows}")
    table(
        (">no", "=due", ">amount", ">lacking", "kept"),
        (
            (one.instalment.number, one.instalment.due, one.instalment.amount, one.lacking, one.kept)
            for one in shown.lines
        ),
    )


def _show_plan(plan: PaymentPlan, *, as_json: bool) -> int:
    if as_json:
        emit({"record": plan})
        return 0
    say(f"plan {plan.id[:8]} is {plan.state.value}")
    table((">no", "=due", ">amount"), ((i.number, i.due, i.amount) for i in plan.instalments))
    return 0
