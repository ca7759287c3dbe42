"""The summary of a case pack: a page to read and to print. Every word from a ledger or a person is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from html import escape
from typing import Final

from connector.channels.notes import short_date
from connector.domain.cases import PaymentPlan
from connector.domain.facts import CustomerFacts, ItemFacts
from connector.domain.ledger import Allocation, Customer, Invoice
from connector.domain.money import Money
from connector.domain.text import one_line

_STYLE: Final = (
    "body{font:15px/1.45 sans-serif;max-width:62em;margin:2em auto;padding:0 1em;color:#111}"
    "table{border-collapse:collapse;width:100%;margin:.6em 0}td,th{border-bottom:1px solid #bbb;padding:.3em .5em;"
    "text-align:left;vertical-align:top}td.n,th.n{text-align:right;white-space:nowrap}"
    "h2{margin-top:1.6em}@media print{body{margin:0;max-width:none}}"
)
_HEAD: Final = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)
_STEPS: Final = {
    "balance": "balance in the ledger",
    "disputed": "in question",
    "unapplied_credit": "open credit, counted against it",
    "in_transit": "payment said to be on its way",
    "not_yet_due": "not due yet",
}
Row = Sequence[object]


def summary(
    organisation: str,
    facts: CustomerFacts,
    items: Sequence[ItemFacts],
    *,
    read_at: str,
    made: str,
    chain: str,
) -> str:
    """The page. `items`: the invoices that it is about; `read_at`, `made`, `chain`: words for a person."""
    customer = facts.book.customer
    title = f"Case of {customer.name}"
    parts = [
        f"{_HEAD}<title>{_said(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{_said(title)}</h1>",
        _table(("", ""), _about(organisation, facts, customer, read_at, made)),
        "<h2>Open invoices</h2>", _table(_ITEM_COLUMNS, _items(items)),
        "<h2>From the ledger's balance to what is asked for</h2>", _table(("", ">Amount"), _bridge(facts, items)),
        "<h2>Payments and credits against these invoices</h2>",
        _table(("Date", "Invoice", "What", ">Amount"), _laid(facts, items)),
        "<h2>Contacts</h2>", _table(("Date", "What", "Invoices", "Outcome"), _contacts(facts, items)),
        "<h2>Agreements</h2>", _table(("Date", "What", "Invoices", "Recorded by"), _agreements(facts, items)),
        "<h2>Queries</h2>", _table(("Opened", "Invoice", "About", ">Amount", "Outcome"), _queries(facts, items)),
        "<h2>Evidence</h2>", f"<p>{_said(chain)}</p>", "</body></html>\n",
    ]  # fmt: skip
    return "\n".join(parts)


def _said(value: object) -> str:
    if isinstance(value, date):
        return short_date(value)
    return escape(one_line(str(value)))


def _table(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """A column named `>x` is right-aligned."""
    right = [' class="n"' if column.startswith(">") else "" for column in columns]
    head = "".join(f"<th{how}>{_said(name.lstrip('>'))}</th>" for how, name in zip(right, columns, strict=True))
    lines = [
        "<tr>" + "".join(f"<td{how}>{_said(value)}</td>" for how, value in zip(right, row, strict=True)) + "</tr>"
        for row in rows
    ]
    if not lines:
        return "<p>None.</p>"
    return f"<table>{f'<tr>{head}</tr>' if any(columns) else ''}{''.join(lines)}</table>"


def _about(organisation: str, facts: CustomerFacts, customer: Customer, read_at: str, made: str) -> Iterator[Row]:
    yield "Creditor", organisation
    yield "Customer", customer.name
    yield "Kind of debtor", facts.party.value.replace("_", " ")
    yield "Held by", facts.holder.value
    if customer.account_number:
        yield "Account number", customer.account_number
    reach = (customer.email, *customer.phones, *(f"{one.name} {one.email}" for one in customer.people))
    yield "Reached at", ", ".join(one for one in reach if one.strip())
    for address in customer.addresses:
        lines = (address.attention, *address.lines, address.city, address.region, address.postal_code, address.country)
        yield f"Address ({address.kind})", ", ".join(line for line in lines if line)
    yield "Day of this summary", facts.as_of
    yield "Ledger last read", read_at
    yield "Made", made


_ITEM_COLUMNS: Final = (
    "Invoice", "Issued", "Due", ">Days overdue", ">Total", ">Paid", ">Credited", ">Balance", ">Asked for",
)  # fmt: skip


def _items(items: Iterable[ItemFacts]) -> Iterator[Row]:
    for item in items:
        invoice = item.invoice
        yield (
            _number(invoice), invoice.issued, item.due or "", item.days_overdue, invoice.total, invoice.paid,
            invoice.credited, invoice.balance, item.collectable,
        )  # fmt: skip


def _number(invoice: Invoice) -> str:
    return invoice.number or invoice.id


def _bridge(facts: CustomerFacts, items: Sequence[ItemFacts]) -> Iterator[Row]:
    """From what is asked for back to the whole account, one currency at a time."""
    mine = {item.invoice.id for item in items}
    for currency in dict.fromkeys(item.invoice.currency for item in items):
        steps: dict[str, Money] = {}
        for item in (one for one in items if one.invoice.currency == currency):
            for line in item.bridge:
                steps[line.code] = steps.get(line.code, Money.zero(currency)) + line.amount
        for code, amount in steps.items():
            yield _STEPS.get(code, code), amount
        asked = sum(item.collectable.minor for item in items if item.invoice.currency == currency)
        yield "asked for", Money(asked, currency)
        others = [i.invoice for i in facts.items if i.invoice.is_open and i.invoice.id not in mine]
        yield from _rest_of_account(facts, others, currency)
    if facts.book.customer.outstanding is not None:
        base = facts.state.organisation.base_currency
        yield "the whole account by the ledger's own figure", f"{base} {facts.book.customer.outstanding:,}"


def _rest_of_account(facts: CustomerFacts, others: Iterable[Invoice], currency: str) -> Iterator[Row]:
    beside = sum(one.balance.minor for one in others if one.currency == currency)
    credit = sum(c.remaining.minor for c in facts.book.credits if c.active and c.remaining.currency == currency)
    if beside:
        yield "beside that: other open invoices, not in this pack", Money(beside, currency)
    if credit:
        yield "beside that: credits not laid against any invoice", Money(-credit, currency)


def _laid(facts: CustomerFacts, items: Sequence[ItemFacts]) -> list[Row]:
    numbers = {item.invoice.id: _number(item.invoice) for item in items}
    found: list[tuple[date, str, str, Money]] = []

    def note(what: str, laid: Iterable[Allocation], on: date | None = None) -> None:
        found.extend(
            (on or one.on, numbers[one.invoice_id], what, one.amount) for one in laid if one.invoice_id in numbers
        )

    for payment in facts.book.payments:
        if payment.active:
            note(f"payment {payment.reference}".strip(), payment.allocations, payment.paid_on)
    for credit in facts.book.credits:
        if credit.active:
            note(f"{credit.kind.value.replace('_', ' ')} {credit.number}".strip(), credit.allocations)
    return sorted(found, key=lambda row: (row[0], row[1], row[2]))


class _About:
    """Which of the invoices a record speaks of, in words."""

    def __init__(self, facts: CustomerFacts, items: Sequence[ItemFacts]) -> None:
        self.mine = {item.invoice.id for item in items}
        self.numbers = {one.id: _number(one) for one in facts.book.invoices}

    def concerns(self, ids: Iterable[str]) -> bool:
        """Also what names no invoice: it is about the customer."""
        named = set(ids) - {""}
        return not named or not named.isdisjoint(self.mine)

    def names(self, ids: Iterable[str]) -> str:
        return ", ".join(self.numbers.get(one, one) for one in ids if one)


_Told = tuple[date, str, tuple[str, ...], str]  # when, what, which invoices, and the outcome or who recorded it


def _contacts(facts: CustomerFacts, items: Sequence[ItemFacts]) -> list[Row]:
    """Letters, calls and answers; what was said on the telephone stays in the records."""
    return _told(_About(facts, items), (*_letters(facts), *_calls(facts), *_answers(facts)))


def _told(about: _About, found: Iterable[_Told]) -> list[Row]:
    kept = sorted((row for row in found if about.concerns(row[2])), key=lambda row: row[0])
    return [(on, said, about.names(ids), more) for on, said, ids, more in kept]


def _letters(facts: CustomerFacts) -> Iterator[_Told]:
    for letter in facts.letters:
        what = f"{letter.what.replace('_', ' ')} to {letter.recipient or 'the address in the ledger'}"
        came = f"came back on {short_date(letter.bounced_on)}" if letter.bounced_on else "sent"
        asked = f", answer asked by {short_date(letter.by_date)}" if letter.by_date else ""
        yield letter.on, what, letter.invoice_ids, came + asked


def _calls(facts: CustomerFacts) -> Iterator[_Told]:
    for call in facts.calls:
        yield call.on, "call", call.invoice_ids, call.outcome.value.replace("_", " ")


def _answers(facts: CustomerFacts) -> Iterator[_Told]:
    for reply in facts.replies:
        yield reply.on, "answer from the customer", reply.invoice_ids, reply.outcome.value.replace("_", " ")


def _agreements(facts: CustomerFacts, items: Sequence[ItemFacts]) -> list[Row]:
    return _told(_About(facts, items), (*_time_given(facts), *_plans(facts), *_decided(facts)))


def _time_given(facts: CustomerFacts) -> Iterator[_Told]:
    for extension in facts.extensions:
        yield extension.on, f"final date {short_date(extension.until)}", (extension.invoice_id,), extension.by
    for promise in facts.promises:
        sum_ = f" of {promise.amount}" if promise.amount else ""
        said = f"payment{sum_} promised by {short_date(promise.until)}"
        yield promise.on, said, promise.invoice_ids, promise.by


def _plans(facts: CustomerFacts) -> Iterator[_Told]:
    for plan in (*(progress.plan for progress in facts.plans), *facts.ended_plans):
        yield plan.on, _plan(plan), tuple(one for one, _ in plan.covered), plan.by


def _decided(facts: CustomerFacts) -> Iterator[_Told]:
    for conceded in facts.concessions:
        said = f"{conceded.amount} conceded ({conceded.reduction.value.replace('_', ' ')})"
        yield conceded.on, said, (conceded.invoice_id,), conceded.by
    for again in facts.reissues:
        said = f"raised again; first due {short_date(again.due) if again.due else 'without a date'}"
        yield again.on, said, (again.invoice_id, again.replaced_by), again.by
    for held in facts.held:
        yield held.on, f"held by {held.holder.value}", (held.invoice_id,), held.by


def _plan(plan: PaymentPlan) -> str:
    lines = "; ".join(f"{one.number}) {short_date(one.due)} {one.amount}" for one in plan.instalments)
    signed = plan.signature
    by = f", signed {short_date(signed.on)} by {signed.name} ({signed.capacity})" if signed else ""
    closed = f" on {short_date(plan.closed_on)}" if plan.closed_on else ""
    return f"payment plan {plan.id[:8]}, {plan.state.value}{closed}{by}: {lines}"


def _queries(facts: CustomerFacts, items: Sequence[ItemFacts]) -> Iterator[Row]:
    about = _About(facts, items)
    for query in sorted(facts.disputes, key=lambda one: one.on):
        if about.concerns((query.invoice_id,)):
            outcome = query.outcome.value.replace("_", " ") if query.outcome else "open"
            closed = f" on {short_date(query.resolved_on)}" if query.resolved_on else ""
            code = query.code.value.replace("_", " ")
            yield query.on, about.names((query.invoice_id,)), code, query.amount, outcome + closed
