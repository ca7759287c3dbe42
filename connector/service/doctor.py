"""Look for what would go wrong before it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from connector.config.layers import check_policy
from connector.config.mapping import check_mapping, load_mapping
from connector.domain.counting import counted
from connector.domain.effects import EffectState
from connector.errors import DunwellError, NeedsPerson
from connector.oauth.document import document_place
from connector.service.clockcheck import refuse_a_clock_gone_back
from connector.service.wiring import Wiring
from connector.store import connections, mirror, organisations, outbox, timeline
from connector.store.connections import ConnectionRow
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow
from connector.vault import Vault

WARN_BEFORE = timedelta(days=30)


@dataclass(frozen=True)
class Finding:
    """Something to mend or to know. `level`: error, warning or info."""

    level: str
    what: str
    about: str
    fix: str = ""


def examine(w: Wiring, vault: Callable[[], Vault], *, ask_ledgers: bool) -> list[Finding]:
    """Everything that can be seen from here; with `ask_ledgers`, one light call to each ledger too.

    `vault` opens the project's secrets.
    """
    findings = _configuration(w)
    with w.db.reading(w.tenant) as tx:
        rows = organisations.all(tx)
        consents = connections.all(tx)
        if problems := timeline.verify(tx):
            findings.append(
                Finding("error", f"{counted(len(problems), 'break')} in the timeline", "audit", "dunwell audit verify")
            )
        for row in rows:
            findings += _tokens(tx, row)
            findings += _records(tx, row)
            findings += _settings(row)
    findings += _secrets(w, vault, [one for one in consents if one.sealed])
    try:
        refuse_a_clock_gone_back(w)
    except NeedsPerson as error:
        findings.append(Finding("error", str(error), "clock", error.next_step))
    if not rows:
        findings.append(Finding("info", "no organisation is connected", "project", "dunwell connect xero"))
    if ask_ledgers:
        findings += [finding for row in rows for finding in _ask(w, row)]
    return findings or [Finding("info", "nothing to complain about", "project")]


def _configuration(w: Wiring) -> list[Finding]:
    """What is wrong with policy and mapping, and letters that nobody could answer."""
    wrong = (*check_policy(w.project), *check_mapping(w.project))
    if wrong:
        return [Finding("error", str(one), "configuration", one.fix) for one in wrong]
    letters = load_mapping(w.project).letters
    if letters.reply_to or letters.sender_address:
        return []
    return [Finding("warning", "letters name no address that people read", "mapping.yaml", "set letters.reply_to")]


def _tokens(tx: Tx, row: OrganisationRow) -> list[Finding]:
    connection = connections.for_organisation(tx, row.id)
    if connection is None or connection.state in ("needs_reauth", "disconnected"):
        lapsed = connection is not None and connection.state == "needs_reauth"
        what = "the connection needs a new consent" if lapsed else "there is no connection"
        return [Finding("error", what, row.record.name, "dunwell connect " + row.record.ledger)]
    expires = connection.refresh_expires_at
    if expires is not None and expires - tx.now < WARN_BEFORE:
        ends = f"the consent ends in {counted(max(0, (expires - tx.now).days), 'day')} without use"
        return [Finding("warning", ends, row.record.name, "dunwell pull")]
    return []


def _secrets(w: Wiring, vault: Callable[[], Vault], consents: Sequence[ConnectionRow]) -> list[Finding]:
    """Can what is sealed be opened with the key in force? Found out here, not by the next pull."""
    if not consents:
        return []
    try:
        opened = vault()
        for one in consents:
            opened.unseal(one.sealed, document_place(w.tenant, one.id))
    except NeedsPerson as error:
        return [Finding("error", error.what, "master key", error.next_step)]
    return []


def _records(tx: Tx, row: OrganisationRow) -> list[Finding]:
    findings = [
        Finding(
            "warning",
            f"{item.kind.value} {item.number or item.id}: {item.reason}",
            row.record.name,
            "look at it in the ledger",
        )
        for item in mirror.needs_review_list(tx, row.id)
    ]
    in_doubt = outbox.listing(tx, row.id, EffectState.HUMAN)
    if in_doubt:
        findings.append(
            Finding(
                "warning",
                f"{counted(len(in_doubt), 'effect')} with unknown outcome",
                row.record.name,
                "dunwell effects --state human",
            )
        )
    return findings


def _settings(row: OrganisationRow) -> list[Finding]:
    findings = []
    if row.record.native_reminders:
        findings.append(
            Finding(
                "warning",
                "the ledger mails its own reminders: customers would be reminded twice",
                row.record.name,
                "turn them off, or `dunwell take-on answer native_reminders accepted`",
            )
        )
    if row.last_pull_at is None:
        findings.append(Finding("info", "never pulled", row.record.name, "dunwell pull"))
    if row.take_on_closed_on is None:
        findings.append(Finding("info", "the take-on is open: nothing is sent", row.record.name, "dunwell take-on"))
    return findings


def _ask(w: Wiring, row: OrganisationRow) -> list[Finding]:
    try:
        ledger = w.ledger(row)
        ledger.organisation()
    except DunwellError as error:
        return [Finding("error", str(error), row.record.name, error.next_step)]
    budget = ", ".join(f"{counted(count, 'call')} left this {name}" for name, count in ledger.budgets().items())
    return [Finding("info", f"the ledger answers; {budget or 'no budget stated'}", row.record.name)]
