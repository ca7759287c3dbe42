"""Who must not be written to: a customer, or one address of a customer. Calls and notes stay as they are."""

from __future__ import annotations

import re
from dataclasses import replace

from connector.domain.cases import OptOut
from connector.domain.ledger import Customer
from connector.errors import NotFound, Refused
from connector.service import lookup
from connector.service.people import record
from connector.service.wiring import Wiring
from connector.store import cases
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow


def opt_out(w: Wiring, organisation: OrganisationRow, text: str, *, address: str = "", reason: str = "") -> OptOut:
    """No letter goes to this customer any more, or none to this address of theirs. What is approved is cancelled by the
    next `apply`. Raises `Refused` for an address that is none of the customer's, and for what is recorded already.
    """
    with w.db.writing(w.tenant) as tx:
        customer = lookup.customer(tx, organisation.id, text)
        wanted = address.strip()
        known = _addresses(customer)
        if wanted and wanted.casefold() not in {one.casefold() for one in known}:
            raise Refused(
                f"{wanted} is no address of {customer.name}",
                record=customer.id,
                not_done="nothing was recorded",
                next_step=f"name one of {', '.join(known)}" if known else "leave out --address: they have none",
            )
        if _standing(tx, organisation, customer, wanted):
            raise Refused(
                f"{customer.name} has opted out already{f' for {wanted}' if wanted else ''}",
                record=customer.id,
                not_done="nothing was recorded",
            )
        today = w.today(organisation)
        case = OptOut(
            id=w.ids.new(), customer_id=customer.id, on=today, by=w.who, address=wanted, reason=reason.strip()
        )
        return record(tx, organisation, case)


def opt_in(w: Wiring, organisation: OrganisationRow, text: str, *, address: str = "") -> list[OptOut]:
    """They may be written to again. `address` as it was given to opt out. Raises `NotFound`."""
    with w.db.writing(w.tenant) as tx:
        customer = lookup.customer(tx, organisation.id, text)
        standing = _standing(tx, organisation, customer, address.strip())
        if not standing:
            raise NotFound(
                f"{customer.name} has not opted out{f' for {address}' if address else ' as a whole'}",
                record=customer.id,
            )
        today = w.today(organisation)
        return [record(tx, organisation, replace(case, lifted_on=today)) for case in standing]


def _standing(tx: Tx, organisation: OrganisationRow, customer: Customer, address: str) -> list[OptOut]:
    return [
        case
        for case in cases.of(tx, organisation.id, customer.id).records
        if isinstance(case, OptOut)
        and case.customer_id == customer.id
        and case.lifted_on is None
        and case.address.casefold() == address.casefold()
    ]


def _addresses(customer: Customer) -> list[str]:
    texts = (*re.split("[,;]", customer.email), *(person.email for person in customer.people))
    return list(dict.fromkeys(text.strip() for text in texts if text.strip()))
