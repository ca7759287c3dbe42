"""May letters leave? Where nobody would get them, or nobody could answer, no real ledger is told that they did."""

from __future__ import annotations

from connector.clock import is_loopback
from connector.domain.effects import Letter
from connector.errors import NeedsPerson
from connector.service.letters import UNSET_ADDRESS
from connector.service.wiring import Wiring
from connector.store import connections
from connector.store.organisations import OrganisationRow

FIX = "set what is missing (docs/how-to/configure.md, Mail), then run dunwell apply again"


def for_real(w: Wiring, organisation: OrganisationRow) -> bool:
    """Are these no sandbox's books?"""
    with w.db.reading(w.tenant) as tx:
        connection = connections.for_organisation(tx, organisation.id)
    return connection is None or not is_loopback(connection.base_url)


def unanswerable(letter: Letter) -> bool:
    """Was it written before an address for answers was set? Then it tells customers one that nobody reads."""
    return UNSET_ADDRESS in letter.text


def kept_back(organisation: OrganisationRow, lacking: str) -> NeedsPerson:
    """The letters of a round stay planned for this reason."""
    return NeedsPerson(
        f"letters cannot leave: {lacking}", record=organisation.record.name, not_done="no letter left", next_step=FIX
    )
