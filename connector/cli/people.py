"""party, held-by, hold, exclude, opt-out, reply, call: what people know and tell us about a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import frame, words
from connector.cli.frame import By, Json, Org, Project, choice, day, named, otherwise, project
from connector.cli.output import emit, note, recorded, say, table
from connector.errors import UserError

if TYPE_CHECKING:
    from connector.domain.effects import Letter

Customer = Annotated[
    str, typer.Argument(metavar="CUSTOMER", help="The customer's name, e-mail or id, or an invoice number.")
]


def register(app: typer.Typer) -> None:
    for command in (party, held_by, reply, exclude):
        frame.command(app, command)
    frame.command(app, exclude, "exception", same_as="exclude")
    frame.command(app, opt_out, "opt-out")
    hold = frame.group(
        app,
        "hold",
        "Legal holds: they beat every rule, approval and override.",
        'dunwell hold set "Basket Case" insolvency',
    )
    frame.command(hold, hold_set, "set")
    frame.command(hold, hold_lift, "lift")
    call = frame.group(app, "call", "Calls to make, and what came of them.", "dunwell call list")
    frame.command(call, call_list, "list")
    frame.command(call, call_done, "done")


def party(
    customer: Customer,
    kind: Annotated[str, typer.Argument(metavar="PARTY", help=f"{words.PARTIES}.")],
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Say what kind of debtor a customer is.

    Unknown counts as consumer; related and dummy are never chased.

    Example: dunwell party "City Council" public_body
    """
    from connector.domain.cases import Party
    from connector.service import people

    picked = choice(kind, Party, "party")
    with project(folder, by) as w, otherwise("nothing was recorded"):
        return recorded(people.set_party(w, named(w, org), customer, picked), as_json=as_json)


def held_by(
    target: Annotated[
        str,
        typer.Argument(metavar="TARGET", help="A customer, an invoice with --invoice, or ALL for the organisation."),
    ],
    holder: Annotated[str, typer.Argument(metavar="HOLDER", help=f"{words.HOLDERS}.")],
    invoice: Annotated[bool, typer.Option("--invoice", help="The target is one invoice.")] = False,
    remark: Annotated[str, typer.Option("--note", metavar="TEXT", help="For your own records.")] = "",
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Say who holds the debt.

    Anything but us is left alone.

    Example: dunwell held-by INV-0107 factor --invoice
    """
    from connector.domain.cases import Holder
    from connector.service import people

    picked = choice(holder, Holder, "holder")
    text = "" if target == "ALL" else target
    with project(folder, by) as w, otherwise("nothing was recorded"):
        record = people.set_held_by(w, named(w, org), text, picked, invoice=invoice, note=remark)
        return recorded(record, as_json=as_json)


def exclude(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A customer, or an invoice with --invoice.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; needed unless --lift.")] = "",
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Normally given: until this day.")
    ] = None,
    invoice: Annotated[bool, typer.Option("--invoice", help="The target is one invoice.")] = False,
    lift: Annotated[bool, typer.Option("--lift", help="End the customer's exclusion.")] = False,
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Leave a customer or an invoice alone.

    With a reason, and normally until a day.

    Example: dunwell exclude "Aunt May" --reason "visiting on Sunday" --until 2026-12-01
    dunwell exception INV-0107 --invoice --reason "goods on approval" --until 2026-12-01
    """
    from connector.service import people

    with project(folder, by) as w, otherwise("nothing was recorded"):
        if lift:
            return recorded(people.lift_exclusion(w, named(w, org), target), as_json=as_json)
        record = people.exclude(w, named(w, org), target, reason=reason, until=day(until), invoice=invoice)
        return recorded(record, as_json=as_json)


def opt_out(
    customer: Customer,
    address: Annotated[str, typer.Option("--address", metavar="ADDRESS", help="Only this address [all].")] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept in dunwell.")] = "",
    lift: Annotated[bool, typer.Option("--lift", help="They may be written to again.")] = False,
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Write to a customer no more.

    No letter goes there, or none to the one --address, not even one that is approved. Calls stay possible.

    Example: dunwell opt-out "Basket Case" --reason "asked for calls only"
    dunwell opt-out "Basket Case" --address jo@basket.example
    """
    from connector.service import opt_outs

    with project(folder, by) as w, otherwise("nothing was recorded"):
        organisation = named(w, org)
        if lift:
            return recorded(opt_outs.opt_in(w, organisation, customer, address=address), as_json=as_json)
        case = opt_outs.opt_out(w, organisation, customer, address=address, reason=reason)
        return recorded(case, as_json=as_json)


def reply(
    customer: Customer,
    outcome: Annotated[str, typer.Argument(metavar="OUTCOME", help=f"{words.REPLIES}; or answered.")],
    until: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help="The date the customer named; needed for a promise.")
    ] = None,
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="AMOUNT", help="The amount the customer named.")
    ] = None,
    currency: Annotated[
        str | None, typer.Option("--currency", metavar="CODE", help="Of the amount [the currency owed].")
    ] = None,
    reference: Annotated[str, typer.Option("--reference", metavar="TEXT", help="The payment's reference.")] = "",
    remark: Annotated[str, typer.Option("--note", metavar="TEXT", help="For your own records.")] = "",
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Record what a customer answered.

    The outcome `answered` says that we have dealt with all answers so far.

    Example: dunwell reply "Basket Case" paid --on 2026-11-20 --amount 345.00
    """
    from connector.domain.cases import ReplyOutcome
    from connector.service import people

    with project(folder, by) as w, otherwise("nothing was recorded"):
        organisation = named(w, org)
        if outcome == "answered":
            return recorded(people.answer_replies(w, organisation, customer), as_json=as_json)
        picked = choice(outcome, ReplyOutcome, "outcome")
        asked = frame.owed(w, organisation, customer, amount, currency)
        record = people.reply(
            w, organisation, customer, picked, until=day(until), amount=asked, reference=reference, note=remark
        )
        return recorded(record, as_json=as_json)


def hold_set(
    customer: Customer,
    why: Annotated[str, typer.Argument(metavar="REASON", help=f"{words.LEGAL_HOLDS}.")],
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Set a legal hold; anyone may.

    Example: dunwell hold set "Basket Case" breathing_space
    """
    from connector.domain.cases import LegalHoldKind
    from connector.service import people

    picked = choice(why, LegalHoldKind, "reason for a hold")
    with project(folder, by) as w, otherwise("nothing was recorded"):
        return recorded(people.set_hold(w, named(w, org), customer, picked), as_json=as_json)


def hold_lift(
    customer: Customer,
    principal: Annotated[bool, typer.Option("--as-principal", help="I am the client's principal; needed.")] = False,
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Lift a legal hold; only the principal may.

    Example: dunwell hold lift "Basket Case" --as-principal
    """
    from connector.service import people

    with project(folder, by) as w, otherwise("nothing was recorded"):
        return recorded(people.lift_hold(w, named(w, org), customer, principal=principal), as_json=as_json)


def call_list(org: Org = None, folder: Project = None, as_json: Json = False) -> int:
    """Calls that the last plan asks for.

    Example: dunwell call list
    """
    from connector.cli.plans import action_document
    from connector.service.outcomes import proposed_calls

    with project(folder) as w:
        found = proposed_calls(w, named(w, org).id if org else None)
        document = {"calls": [action_document(w, action) for action in found]}
    if as_json:
        emit(document)
    else:
        table(
            ("=id", "customer", ">amount", "checklist"),
            (
                (one.id, one.preview.get("customer", ""), one.decision.amount, one.preview.get("checklist", ""))
                for one in found
            ),
            empty="no call is asked for; dunwell plan looks again",
        )
    return 0


def call_done(
    action: Annotated[str, typer.Argument(metavar="ID", help="The call's id.")],
    outcome: Annotated[str, typer.Argument(metavar="OUTCOME", help=f"{words.CALL_OUTCOMES}.")],
    remark: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="For your own records; never written to the ledger.")
    ] = "",
    agreed: Annotated[
        list[str] | None,
        typer.Option(
            "--agreed",
            metavar="TEXT",
            help="What was agreed: the customer gets it in a letter, which recording approves.",
        ),
    ] = None,
    spoke_with: Annotated[str, typer.Option("--with", metavar="NAME", help="Whom you spoke with.")] = "",
    show: Annotated[bool, typer.Option("--show", help="Only print the letter of --agreed; record nothing.")] = False,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Record a call; the next apply notes it in the ledger.

    With --agreed it also sends the customer a letter that sums the call up: whoever records the call approves it.
    --show prints it first, and it is printed again when the call is recorded.

    Example: dunwell call done k3v9qd2m4x spoke --note "will pay on Friday"
    dunwell call done k3v9qd2m4x spoke --agreed "You pay half of it on Friday." --show
    """
    from connector.domain.cases import CallOutcome
    from connector.service import people

    picked = choice(outcome, CallOutcome, "outcome")
    if show and not agreed:
        raise UserError(
            "without --agreed there is no letter to show",
            not_done="nothing was recorded",
            next_step="leave out --show, or say with --agreed what was agreed",
        )
    with project(folder, by) as w, otherwise("nothing was recorded"):
        letter = people.call_letter(w, action, picked, agreed=agreed, spoke_with=spoke_with) if agreed else None
        if letter is not None and show:
            return _only_shown(letter, as_json=as_json)
        made = people.call_done(w, action, picked, note=remark, agreed=agreed or (), spoke_with=spoke_with)
    if letter is None:
        return recorded(made, as_json=as_json)
    if not as_json:
        _print_letter(letter)
    return recorded(made, as_json=as_json, follows="this letter is approved with the call; dunwell apply sends it")


def _only_shown(letter: Letter, *, as_json: bool) -> int:
    if as_json:
        emit({"letter": letter})
    else:
        _print_letter(letter)
        note("nothing was recorded; the same without --show records the call and approves this letter")
    return 0


def _print_letter(letter: Letter) -> None:
    say(f"to: {letter.recipient}\nsubject: {letter.subject}\n\n{letter.text.rstrip()}\n")
