"""Names for ids, for people to read."""

from __future__ import annotations

from collections.abc import Iterable

from connector.errors import NotFound
from connector.service.wiring import Wiring
from connector.store import mirror


def customer_name(w: Wiring, organisation_id: str, customer_id: str) -> str:
    """The customer's name, "" where none is meant or known."""
    if not customer_id:
        return ""
    try:
        with w.db.reading(w.tenant) as tx:
            return mirror.customer(tx, organisation_id, customer_id).name
    except NotFound:
        return ""


def customer_names(w: Wiring, organisation_id: str, customer_ids: Iterable[str]) -> dict[str, str]:
    """Name by id, of all of these at once; those that are not known are absent."""
    with w.db.reading(w.tenant) as tx:
        return mirror.names(tx, organisation_id, customer_ids)


def invoice_number(w: Wiring, organisation_id: str, invoice_id: str) -> str:
    """The invoice's number, or its id where it has none."""
    try:
        with w.db.reading(w.tenant) as tx:
            return mirror.invoice(tx, organisation_id, invoice_id).number or invoice_id
    except NotFound:
        return invoice_id
