"""Find the organisation, customer or invoice that a person means. Ambiguity is refused with the candidates named."""

from __future__ import annotations

from connector.domain.ledger import Customer, Invoice
from connector.errors import NotFound, Refused
from connector.service.wiring import Wiring
from connector.store import mirror, nearest, organisations
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow


def organisation(w: Wiring, text: str | None) -> OrganisationRow:
    """The organisation named, or the only one there is. Raises `NotFound`, `Refused`."""
    with w.db.reading(w.tenant) as tx:
        if text:
            return organisations.find(tx, text)
        rows = organisations.all(tx)
    if not rows:
        raise NotFound("no organisation is connected", next_step="run `dunwell connect xero`")
    if len(rows) > 1:
        names = ", ".join(row.record.name for row in rows)
        raise Refused(f"several organisations are connected: {names}", next_step="name one with --organisation")
    return rows[0]


def selected(w: Wiring, texts: list[str] | None) -> tuple[OrganisationRow, ...]:
    """The organisations named, or all. Raises `NotFound` when none is connected."""
    with w.db.reading(w.tenant) as tx:
        if texts:
            return tuple(organisations.find(tx, text) for text in texts)
        rows = organisations.all(tx)
    if not rows:
        raise NotFound("no organisation is connected", next_step="run `dunwell connect xero`")
    return rows


def must_be_pulled(row: OrganisationRow) -> None:
    """Raises `Refused` where the ledger was never read: an empty mirror would be taken for empty books."""
    if row.last_pull_at is None:
        raise Refused(
            "the ledger was never read",
            record=row.record.name,
            not_done="nothing was planned",
            next_step="run `dunwell pull`, then this again",
        )


def customer(tx: Tx, organisation_id: str, text: str) -> Customer:
    """The customer with this id, name or e-mail, or whose invoice this is. Raises `NotFound`, `Refused`."""
    found = mirror.find(tx, organisation_id, text)
    ids = {record.id if isinstance(record, Customer) else record.customer_id for record in found}
    if not ids:
        near = nearest.customer_names(tx, organisation_id, text) or nearest.invoice_numbers(tx, organisation_id, text)
        raise NotFound(
            f"no customer or invoice {text!r} in the mirror{_meant(near)}",
            next_step="check the spelling, or run `dunwell pull` first",
        )
    if len(ids) > 1:
        names = ", ".join(sorted(mirror.customer(tx, organisation_id, one).name for one in ids))
        raise Refused(f"{text!r} fits several customers: {names}", next_step="use the customer's id")
    return mirror.customer(tx, organisation_id, ids.pop())


def _meant(near: tuple[str, ...]) -> str:
    """`; did you mean …?`, or nothing."""
    return f"; did you mean {' or '.join(near)}?" if near else ""


def invoice(tx: Tx, organisation_id: str, text: str) -> Invoice:
    """The invoice with this id or number. Raises `NotFound`, `Refused`."""
    found = [record for record in mirror.find(tx, organisation_id, text) if isinstance(record, Invoice)]
    if not found:
        near = nearest.invoice_numbers(tx, organisation_id, text)
        raise NotFound(
            f"no invoice {text!r} in the mirror{_meant(near)}",
            next_step="check the number, or run `dunwell pull` first",
        )
    if len({record.id for record in found}) > 1:
        raise Refused(f"{text!r} fits several invoices", next_step="use the invoice's id")
    return mirror.invoice(tx, organisation_id, found[0].id)


def currency(tx: Tx, organisation_id: str, text: str) -> str:
    """In which currency this invoice, or what this customer has open, is owed. Raises `NotFound`, `Refused`."""
    if any(isinstance(record, Invoice) for record in mirror.find(tx, organisation_id, text)):
        return invoice(tx, organisation_id, text).currency
    book = mirror.book(tx, organisation_id, customer(tx, organisation_id, text).id)
    found = sorted({one.currency for one in book.invoices if one.is_open})
    if len(found) > 1:
        raise Refused(
            f"{book.customer.name} owes in {' and '.join(found)}",
            record=text,
            next_step="say which with --currency, or name the invoice",
        )
    if found:
        return found[0]
    return book.customer.currency or organisations.get(tx, organisation_id).record.base_currency
