"""accommodate: reductions of what is owed, open credits laid against invoices, new terms, reissues."""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli import frame, words
from connector.cli.agreements import Customer, Invoice
from connector.cli.frame import By, Json, Org, Project, choice, money, named, otherwise, project
from connector.cli.output import emit, recorded, table

Why = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; kept in dunwell, never written to the ledger.")
]


def register(app: typer.Typer) -> None:
    group = frame.group(
        app,
        "accommodate",
        "Reductions, open credits, terms: a person decides.",
        "dunwell accommodate list",
    )
    frame.command(group, credit)
    frame.command(group, apply_credit, "apply-credit")
    frame.command(group, terms)
    frame.command(group, reissue)
    frame.command(group, listing, "list")
    frame.command(group, withdraw)


def credit(
    invoice: Invoice,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help=f"{words.REDUCTIONS}.")],
    reason: Why,
    amount: Annotated[str | None, typer.Option("--amount", metavar="AMOUNT", help="Gross [the whole balance].")] = None,
    agreement: Annotated[
        str, typer.Option("--agreement", metavar="TEXT", help="The written agreement; a settlement needs one.")
    ] = "",
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Take an amount off an invoice.

    The next plan proposes a credit note, its allocation and a note; each kind needs a tax recipe that the accountant
    confirmed in mapping.yaml.

    Example: dunwell accommodate credit INV-0107 --kind goodwill --amount 120.00 --reason "late delivery"
    """
    from connector.domain.reductions import Reduction
    from connector.service import concessions, lookup

    picked = choice(kind, Reduction, "kind of reduction")
    with project(folder, by) as w, otherwise("nothing was recorded"):
        organisation = named(w, org)
        with w.db.reading(w.tenant) as tx:
            currency = lookup.invoice(tx, organisation.id, invoice).currency
        case = concessions.concede(
            w, organisation, invoice, picked, money(amount, currency), reason=reason, agreement=agreement
        )
        return recorded(case, as_json=as_json)


def apply_credit(
    invoice: Invoice,
    credit: Annotated[
        str, typer.Option("--credit", metavar="NUMBER", help="The credit's number or id [the only open one].")
    ] = "",
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="AMOUNT", help="How much of it [as much as both have left].")
    ] = None,
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Lay an open credit of the customer against an invoice.

    Example: dunwell accommodate apply-credit INV-0107 --credit CN-0012
    """
    from connector.service import concessions, lookup

    with project(folder, by) as w, otherwise("nothing was recorded"):
        organisation = named(w, org)
        with w.db.reading(w.tenant) as tx:
            currency = lookup.invoice(tx, organisation.id, invoice).currency
        case = concessions.use_credit(w, organisation, invoice, credit, money(amount, currency))
        return recorded(case, as_json=as_json)


def terms(
    customer: Customer,
    day: Annotated[int, typer.Option("--day", metavar="N", help="The number of days, or the day of the month.")],
    reason: Why,
    basis: Annotated[
        str, typer.Option("--basis", metavar="BASIS", help=f"{words.TERMS_BASES} [after_invoice_date].")
    ] = "after_invoice_date",
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """New payment terms for a customer's future invoices; existing ones keep theirs.

    Example: dunwell accommodate terms "Basket Case" --day 7 --reason "shorter terms after the plan"
    """
    from connector.domain.ledger import PaymentTerms, TermsBasis
    from connector.service import concessions

    wanted = PaymentTerms(day, choice(basis, TermsBasis, "basis of terms"))
    with project(folder, by) as w, otherwise("nothing was recorded"):
        case = concessions.change_terms(w, named(w, org), customer, wanted, reason=reason)
        return recorded(case, as_json=as_json)


def reissue(
    invoice: Invoice,
    reason: Why,
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Credit an invoice whole and raise it again.

    Off unless policy.yaml says `reissue: {enabled: true}`: a copy is nearly always better. Nothing is voided, the first
    due date goes on to count. dunwell cannot see portals, stock items and retentions: look before you ask for it.
    Attachments stay with the old invoice.

    Example: dunwell accommodate reissue INV-0107 --reason "the wrong company was addressed"
    """
    from connector.service import concessions

    with project(folder, by) as w, otherwise("nothing was recorded"):
        return recorded(concessions.reissue(w, named(w, org), invoice, reason=reason), as_json=as_json)


def listing(
    customer: Annotated[str | None, typer.Argument(metavar="[CUSTOMER]", help="Only this customer's.")] = None,
    org: Org = None,
    folder: Project = None,
    as_json: Json = False,
) -> int:
    """What was conceded, and whether it is in the ledger.

    Example: dunwell accommodate list
    """
    from connector.domain.cases import TermsChange
    from connector.service import concessions

    with project(folder) as w:
        found = concessions.conceded(w, named(w, org), customer)
    if as_json:
        emit({"records": [{"record": case, "in_ledger": done} for case, done in found]})
        return 0
    rows = []
    for case, done in found:
        what = f"{case.terms.day} {_spaced(case.terms.basis)}" if isinstance(case, TermsChange) else str(case.amount)
        rows.append((case.id[:8], case.on, case.by, _spaced(case.kind), what, "yes" if done else "no"))
    table(("=id", "=on", "by", "what", "amount or terms", "in the ledger"), rows, empty="nothing was conceded")
    return 0


def _spaced(word: str) -> str:
    return word.replace("_", " ")


def withdraw(
    concession: Annotated[str, typer.Argument(metavar="ID", help="The beginning of its id, as `list` shows it.")],
    org: Org = None,
    folder: Project = None,
    by: By = None,
    as_json: Json = False,
) -> int:
    """Take back what was conceded and is not in the ledger yet.

    Example: dunwell accommodate withdraw 3f2a91c0
    """
    from connector.service import concessions

    with project(folder, by) as w, otherwise("nothing was withdrawn"):
        return recorded(concessions.withdraw(w, named(w, org), concession), as_json=as_json)
