"""party, held-by, hold, exclude, reply, call: what people know and tell us about a customer."""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli.frame import By, Json, Org, Project, choice, day, emit, money, named, note, project, table
from connector.domain.cases import CallOutcome, Holder, LegalHoldKind, Party, ReplyOutcome
from connector.errors import UserError

Customer = Annotated[str, typer.Argument(help="The customer's name, e-mail or id, or an invoice number.")]


def register(app: typer.Typer) -> None:
    for command in (party, held_by, exclude, reply):
        app.command(command.__name__.replace("_", "-"))(command)
    app.command("exception")(exclude)
    hold_app = typer.Typer(help="Legal holds: they beat every rule, approval and override.")
    hold_app.command("set")(hold_set)
    hold_app.command("lift")(hold_lift)
    app.add_typer(hold_app, name="hold")
    call_app = typer.Typer(help="Calls to make, and what came of them.")
    call_app.command("list")(call_list)
    call_app.command("done")(call_done)
    app.add_typer(call_app, name="call")


def party(
    customer: Customer,
    kind: Annotated[str, typer.Argument(help=" ".join(p.value for p in Party))],
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Say who the debtor is. Unknown counts as consumer; related and dummy are never chased.

    Example: dunwell party "City Council" public_body
    """
    from connector.service import people

    picked = choice(kind, Party, "party")
    assert isinstance(picked, Party)
    with project(folder, by) as w:
        return _answer(people.set_party(w, named(w, org), customer, picked), as_json=as_json)


def held_by(
    target: Annotated[str, typer.Argument(help="A customer, an invoice with --invoice, or ALL for the organisation.")],
    holder: Annotated[str, typer.Argument(help=" ".join(h.value for h in Holder))],
    invoice: Annotated[bool, typer.Option("--invoice", help="The target is one invoice.")] = False,
    remark: Annotated[str, typer.Option("--note")] = "",
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Say who holds the debt. Anything but us is left alone.

    Example: dunwell held-by INV-0107 factor --invoice
    """
    from connector.service import people

    picked = choice(holder, Holder, "holder")
    assert isinstance(picked, Holder)
    text = "" if target == "ALL" else target
    with project(folder, by) as w:
        record = people.set_held_by(w, named(w, org), text, picked, invoice=invoice, note=remark)
        return _answer(record, as_json=as_json)


def exclude(
    target: Annotated[str, typer.Argument(help="A customer, or an invoice with --invoice.")],
    reason: Annotated[str, typer.Option("--reason")] = "",
    until: Annotated[str | None, typer.Option("--until", help="Normally given: until this day.")] = None,
    invoice: Annotated[bool, typer.Option("--invoice", help="The target is one invoice.")] = False,
    lift: Annotated[bool, typer.Option("--lift", help="End the customer's exclusion.")] = False,
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Leave a customer or an invoice alone, with a reason and normally an expiry.

    Example: dunwell exclude "Aunt May" --reason "visiting on Sunday" --until 2026-12-01
    """
    from connector.service import people

    with project(folder, by) as w:
        if lift:
            return _answer(people.lift_exclusion(w, named(w, org), target), as_json=as_json)
        record = people.exclude(w, named(w, org), target, reason=reason, until=day(until), invoice=invoice)
        return _answer(record, as_json=as_json)


def reply(
    customer: Customer,
    outcome: Annotated[str, typer.Argument(help=" ".join(o.value for o in ReplyOutcome) + " or answered")],
    until: Annotated[str | None, typer.Option("--on", help="The date the customer named.")] = None,
    amount: Annotated[str | None, typer.Option("--amount", help="The amount the customer named.")] = None,
    currency: Annotated[str | None, typer.Option("--currency")] = None,
    reference: Annotated[str, typer.Option("--reference")] = "",
    remark: Annotated[str, typer.Option("--note")] = "",
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """An answer came in; `answered` says that we have dealt with it.

    Example: dunwell reply "Basket Case" paid --on 2026-11-20 --amount 345.00
    """
    from connector.service import people

    with project(folder, by) as w:
        organisation = named(w, org)
        if outcome == "answered":
            return _answer(people.answer_replies(w, organisation, customer), as_json=as_json)
        picked = choice(outcome, ReplyOutcome, "outcome")
        assert isinstance(picked, ReplyOutcome)
        asked = money(amount, currency or organisation.record.base_currency)
        record = people.reply(
            w, organisation, customer, picked, until=day(until), amount=asked, reference=reference, note=remark
        )
        return _answer(record, as_json=as_json)


def hold_set(
    customer: Customer,
    why: Annotated[str, typer.Argument(help=" ".join(k.value for k in LegalHoldKind))],
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Set a legal hold. Anyone may.

    Example: dunwell hold set "Basket Case" breathing_space
    """
    from connector.service import people

    picked = choice(why, LegalHoldKind, "reason for a hold")
    assert isinstance(picked, LegalHoldKind)
    with project(folder, by) as w:
        return _answer(people.set_hold(w, named(w, org), customer, picked), as_json=as_json)


def hold_lift(
    customer: Customer,
    principal: Annotated[bool, typer.Option("--as-principal", help="I am the client's principal.")] = False,
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Lift a legal hold. Only the principal may.

    Example: dunwell hold lift "Basket Case" --as-principal
    """
    from connector.service import people

    with project(folder, by) as w:
        return _answer(people.lift_hold(w, named(w, org), customer, principal=principal), as_json=as_json)


def call_list(org: Org = None, folder: Project = None, as_json: Json = False) -> int:
    """Calls that the last plan asks for.

    Example: dunwell call list
    """
    from connector.cli.work import action_document
    from connector.service.outcomes import proposed_calls

    with project(folder) as w:
        found = proposed_calls(w, named(w, org).id if org else None)
        document = {"calls": [action_document(w, action) for action in found]}
    if as_json:
        emit(document)
    else:
        table(
            ("id", "customer", ">amount", "checklist"),
            (
                (one.id, one.preview.get("customer", ""), one.decision.amount, one.preview.get("checklist", ""))
                for one in found
            ),
        )
    return 0


def call_done(
    action: Annotated[str, typer.Argument(help="The call's id.")],
    outcome: Annotated[str, typer.Argument(help=" ".join(o.value for o in CallOutcome))],
    remark: Annotated[str, typer.Option("--note", help="For your own records; never written to the ledger.")] = "",
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """A call was made; the next apply notes it in the ledger.

    Example: dunwell call done k3v9qd2m4x spoke --note "will pay on Friday"
    """
    from connector.service import people

    picked = choice(outcome, CallOutcome, "outcome")
    assert isinstance(picked, CallOutcome)
    with project(folder, by) as w:
        return _answer(people.call_done(w, action, picked, note=remark), as_json=as_json)


def _answer(record: object, *, as_json: bool) -> int:
    if record is None:
        raise UserError("nothing was recorded")
    if as_json:
        emit({"record": record} if not isinstance(record, list) else {"records": record})
    else:
        note("recorded; dunwell plan shows what follows")
    return 0
