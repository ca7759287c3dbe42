"""Names and numbers close to one that is not there, for the person who mistyped it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Final

import sqlalchemy as sa

from connector.store import schema
from connector.store.db import Tx

MOST: Final = 3
_COMPARED: Final = 20_000  # names; more would keep the person waiting
_SHORTEST: Final = 3  # characters: less is contained in too many
_C, _I = schema.customer.c, schema.invoice.c


def customer_names(tx: Tx, org_id: str, text: str) -> tuple[str, ...]:
    """At most three customers' names: those that contain the text, else those that are spelt alike. Best first."""
    folded = text.strip().casefold()
    query = sa.select(_C.name, _C.name_folded).where(_C.tenant == tx.tenant, _C.organisation_id == org_id)
    if containing := _containing(tx, query, _C.name_folded, folded):
        return containing
    rows = tx.connection.execute(query.order_by(_C.active.desc(), _C.id).limit(_COMPARED)).all()
    known = {row.name_folded: row.name for row in rows}
    return tuple(known[one] for one in get_close_matches(folded, known, MOST))


def invoice_numbers(tx: Tx, org_id: str, text: str) -> tuple[str, ...]:
    """At most three invoice numbers that contain the text ("0107" of INV-0107)."""
    query = sa.select(_I.number, _I.number_folded).where(_I.tenant == tx.tenant, _I.organisation_id == org_id)
    return _containing(tx, query, _I.number_folded, text.strip().casefold())


def _containing(tx: Tx, query: sa.Select[Any], column: sa.ColumnElement[str], folded: str) -> tuple[str, ...]:
    if len(folded) < _SHORTEST:
        return ()
    wanted = query.where(column.contains(folded, autoescape=True)).order_by(sa.func.length(column), column).limit(MOST)
    return tuple(row[0] for row in tx.connection.execute(wanted))
