"""One connected Xero organisation: the `Ledger` port."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlsplit

from adapters.xero import lookup, parties, wire
from adapters.xero.changes import changes
from adapters.xero.client import XeroClient
from adapters.xero.parties import Membership
from adapters.xero.prepare import CAPABILITIES, prepare
from adapters.xero.values import Unclear, plain
from adapters.xero.writeback import Writer
from connector.domain.effects import Effect, Prepared, Probe, Receipt
from connector.domain.ledger import Organisation, RecordKind
from connector.errors import NeedsPerson, NotFound, UnreadableAnswer
from connector.ports import Batch, LedgerOptions, Option

T = TypeVar("T")


class XeroLedger:
    """`groups` are the names of the contact groups whose members must be exact: the tags that dunwell sets."""

    capabilities = CAPABILITIES

    def __init__(self, client: XeroClient, ledger_id: str, groups: Sequence[str]) -> None:
        self._client = client
        self._ledger_id = ledger_id
        self._minded = tuple(dict.fromkeys(name for name in groups if name.strip()))
        self._writer = Writer(client)

    def organisation(self) -> Organisation:
        """The organisation as it is now, with whether Xero mails reminders of its own (None: it does not say)."""
        row = self._client.organisation()
        try:
            reminders = self._client.reminders()
        except (NeedsPerson, NotFound):
            reminders = None
        try:
            return parties.organisation(row, self._ledger_id, native_reminders=reminders)
        except Unclear as unclear:
            raise UnreadableAnswer(f"Xero's organisation cannot be read: {unclear}") from None

    def actions(self) -> Mapping[str, bool]:
        """What the connection may do, by Xero's name for it, e.g. "CreateApprovedInvoice"."""
        return self._client.actions()

    def changes(self, cursor: str | None, pages: Executor) -> Iterator[Batch]:
        """Everything that changed since `cursor`; see `adapters.xero.changes`."""
        return changes(self._client, self._minded, cursor, pages)

    def fetch(self, kind: RecordKind, ids: Sequence[str]) -> Batch:
        """These records as they are now; missing ones are absent. Payments and credits cost a call each."""
        calls, received = self._client.caller.calls, self._client.caller.received
        records, review = lookup.fetch(self._client, kind, ids, self._membership)
        return Batch(
            kind,
            records,
            review,
            calls=self._client.caller.calls - calls,
            size=self._client.caller.received - received,
        )

    def _membership(self) -> Membership:
        return lookup.groups(self._client, self._minded, {}).membership(self._minded)

    def prepare(self, effect: Effect, receipts: Mapping[str, Receipt]) -> Prepared:
        return prepare(effect, receipts)

    def send(self, effect: Effect, prepared: Prepared, leave_by: datetime) -> Receipt:
        with self._client.caller.leaving_by(leave_by):
            return self._writer.send(effect, prepared)

    def find(self, effect: Effect, prepared: Prepared) -> Probe:
        return self._writer.find(effect, prepared)

    def options(self) -> LedgerOptions:
        """Active accounts, tax rates and contact groups. An account without a code goes by its id."""
        accounts = self._client.accounts()
        rates = self._client.tax_rates()
        groups = self._client.groups().rows
        return LedgerOptions(
            accounts=_options(
                accounts, lambda row: row.get("Code") or row.get("AccountID"), lambda row: row.get("Type")
            ),
            tax_codes=_options(rates, lambda row: row.get("TaxType"), lambda row: row.get("EffectiveRate")),
            groups=_options(groups, lambda row: row.get("ContactGroupID"), lambda _: ""),
        )

    def pay_link(self, invoice_id: str) -> str | None:
        """The customer's own view of the invoice, where it can be paid; None for a draft. Only https, or loopback."""
        link = self._client.online_invoice(invoice_id)
        parts = urlsplit(link or "")
        if link and (parts.scheme == "https" or parts.hostname in {"localhost", "127.0.0.1", "::1"}):
            return link
        return None

    def pdf(self, invoice_id: str) -> bytes:
        return self._client.pdf(invoice_id)

    def calls(self) -> int:
        return self._client.caller.calls

    def budgets(self) -> Mapping[str, int]:
        return self._client.caller.budgets()

    def held_until(self) -> datetime | None:
        return self._client.caller.held_until()


Listed = TypeVar("Listed", wire.AccountRow, wire.TaxRateRow, wire.GroupRow)


def _options(
    rows: Sequence[Listed], code: Callable[[Listed], str | None], detail: Callable[[Listed], str | None]
) -> tuple[Option, ...]:
    return tuple(
        Option(found, plain(row.get("Name")), plain(detail(row)))
        for row in rows
        if (found := code(row)) and (row.get("Status") or "ACTIVE") == "ACTIVE"
    )
