"""Doing an effect in Xero, and looking for it afterwards.

`send` looks before it writes wherever the state can be read, so that it may be repeated at every point; what it read
before the write counts as not sent. `find` looks for what a write would have left.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Final, TypeVar, assert_never

from adapters.xero import lookup, raising, wire
from adapters.xero.answers import ABSENT, CANNOT_TELL, Before, answered, judge_elements, present, write
from adapters.xero.client import XeroClient, segment
from adapters.xero.prepare import attachment_name, history_path
from adapters.xero.values import Unclear, day
from connector.domain.effects import (
    Allocation,
    CreditNote,
    Effect,
    ExpectedDate,
    LedgerEmail,
    Letter,
    NewInvoice,
    Note,
    Prepared,
    Probe,
    Receipt,
    Schedule,
    Tag,
    Terms,
)
from connector.errors import (
    DunwellError,
    LedgerRejected,
    NotFound,
    OutcomeUnknown,
    Refused,
    UnreadableAnswer,
)
from connector.ports import HttpAnswer

T = TypeVar("T")

MOST_ATTACHMENTS: Final = 10


class Writer:
    """Sends prepared effects of one organisation and looks for them afterwards."""

    def __init__(self, client: XeroClient) -> None:
        self._client = client

    def send(self, effect: Effect, prepared: Prepared) -> Receipt:
        """Do it.

        Raises `NotSent`, `RateLimited`, `NeedsPerson` (certainly not done), `LedgerRejected`, `OutcomeUnknown`.
        """
        payload = effect.payload
        match payload:
            case Note():
                return self._send_note(effect, prepared)
            case Tag():
                return self._send_tag(effect, payload, prepared)
            case ExpectedDate():
                return self._send_expected(effect, payload, prepared)
            case Schedule():
                return self._send_schedule(effect, payload, prepared)
            case LedgerEmail():
                self._write(prepared)
                return Receipt(f"Invoices/{effect.target}/Email", "accepted by Xero for sending")
            case Letter():
                raise Refused("Xero sends no letters of our wording")
            case CreditNote() | NewInvoice():
                return raising.send_document(self._client, effect, payload, prepared)
            case Allocation():
                return raising.send_allocation(self._client, effect, payload, prepared)
            case Terms():
                return raising.send_terms(self._client, effect, payload, prepared)
            case _:
                assert_never(payload)

    def find(self, effect: Effect, prepared: Prepared) -> Probe:
        """Look whether the effect is in Xero. Raises `Retriable` when it cannot be looked up now."""
        payload = effect.payload
        try:
            match payload:
                case Note():
                    return self._find_note(effect)
                case Tag():
                    as_wanted = self._in_group(effect, payload) == payload.present
                    return present(effect.target) if as_wanted else ABSENT
                case ExpectedDate():
                    return self._find_expected(effect, payload)
                case Schedule():
                    return self._find_schedule(effect, payload)
                case CreditNote() | NewInvoice():
                    return raising.find_document(self._client, payload)
                case Allocation():
                    return raising.find_allocation(self._client, effect, payload, prepared)
                case Terms():
                    return raising.find_terms(self._client, effect, payload)
                case LedgerEmail() | Letter():
                    return CANNOT_TELL
                case _:
                    assert_never(payload)
        except (NotFound, LedgerRejected):
            return CANNOT_TELL  # the record is gone, or somebody else's stands in its place: only a person can tell

    def _write(self, prepared: Prepared, path: str = "") -> HttpAnswer:
        return write(self._client, prepared, path)

    def _send_note(self, effect: Effect, prepared: Prepared) -> Receipt:
        answer = self._write(prepared)
        written = answered(answer, wire.HISTORY)
        if not any(effect.marker in (row.get("Details") or "") for row in written):
            judge_elements(answer)
            raise OutcomeUnknown("Xero's answer does not show the note", record=effect.target)
        return Receipt(effect.marker, "note written")

    def _find_note(self, effect: Effect) -> Probe:
        rows = self._client.history(history_path(effect))
        there = any(effect.marker in (row.get("Details") or "") for row in rows)
        return present(effect.marker) if there else ABSENT

    def _groups(self, tag: Tag) -> dict[str, frozenset[str]]:
        """The groups that bear the tag's name, with their members."""
        found: dict[str, frozenset[str]] = {}
        for group_id in lookup.matching(self._client.groups().rows, tag.tag):
            if (contacts := lookup.members(self._client, group_id)) is not None:
                found[group_id] = contacts
        return found

    def _in_group(self, effect: Effect, tag: Tag) -> bool:
        return any(effect.target in contacts for contacts in self._groups(tag).values())

    def _send_tag(self, effect: Effect, tag: Tag, prepared: Prepared) -> Receipt:
        with Before():
            groups = self._groups(tag)
        holding = [group_id for group_id, contacts in groups.items() if effect.target in contacts]
        if bool(holding) == tag.present:
            return Receipt(next(iter(holding), effect.target), already=True)
        if tag.present:
            group_id = next(iter(groups), "") or self._create_group(tag, prepared.key)
            self._write(prepared, _with_group(prepared.path, group_id))
        else:
            for group_id in holding:
                self._remove(prepared, group_id)
        self._verify_tag(effect, tag)
        return Receipt(group_id if tag.present else effect.target, "added" if tag.present else "removed")

    def _remove(self, prepared: Prepared, group_id: str) -> None:
        try:
            self._write(prepared, _with_group(prepared.path, group_id))
        except LedgerRejected as error:
            if error.status != 404:  # somebody else removed it just now
                raise

    def _create_group(self, tag: Tag, key: str) -> str:
        """The new group's id. Safe to repeat: the groups are listed before."""
        body = json.dumps({"ContactGroups": [{"Name": tag.tag}]}).encode()
        answer = self._client.write("PUT", "/ContactGroups", body, key=f"{key}-group" if key else "")
        created = lookup.matching(answered(answer, wire.GROUPS), tag.tag)
        if not created:
            judge_elements(answer)
            raise OutcomeUnknown("Xero's answer does not show the new contact group", record=tag.tag)
        return created[0]

    def _verify_tag(self, effect: Effect, tag: Tag) -> None:
        try:
            as_wanted = self._in_group(effect, tag) == tag.present
        except DunwellError as error:
            raise OutcomeUnknown(f"the tag could not be read back: {error.what}", record=effect.target) from error
        if not as_wanted:
            raise OutcomeUnknown("the tag does not show yet", record=effect.target)

    def _expected_now(self, invoice_id: str) -> date | None:
        found = self._client.one(wire.INVOICES, invoice_id)
        if found is None or not found.rows:
            raise NotFound(f"Xero knows no invoice {invoice_id}")
        return _expected(found.rows[0])

    def _send_expected(self, effect: Effect, wanted: ExpectedDate, prepared: Prepared) -> Receipt:
        with Before():
            now = self._expected_now(effect.target)
        if now == wanted.expected:
            return Receipt(effect.target, now.isoformat(), already=True)
        if now != wanted.seen:
            raise LedgerRejected(
                f"somebody set the expected date to {now or 'nothing'} meanwhile; it was left as it is",
                record=effect.target,
                next_step="decide anew from the date that now stands in Xero",
            )
        answer = self._write(prepared)
        if not any(_expected(row) == wanted.expected for row in answered(answer, wire.INVOICES)):
            judge_elements(answer)
            raise OutcomeUnknown("Xero's answer does not show the expected date", record=effect.target)
        return Receipt(effect.target, wanted.expected.isoformat())

    def _find_expected(self, effect: Effect, wanted: ExpectedDate) -> Probe:
        now = self._expected_now(effect.target)
        if now == wanted.expected:
            return present(effect.target)
        # Another value is a person's later word, or an earlier one: whether ours stood there cannot be seen.
        return ABSENT if now == wanted.seen else CANNOT_TELL

    def _send_schedule(self, effect: Effect, schedule: Schedule, prepared: Prepared) -> Receipt:
        with Before():
            attached = self._client.attachments(effect.target)
        name = attachment_name(effect, schedule)
        if (same := _same(attached, name, schedule)) is not None:
            return Receipt(same.get("AttachmentID") or name, name, already=True)
        others = [row for row in attached if row.get("FileName") != name]
        if len(others) >= MOST_ATTACHMENTS:
            raise LedgerRejected(
                "the invoice already has ten attachments, which is all that Xero takes",
                record=effect.target,
                next_step="remove one in Xero, then retry",
            )
        answer = self._write(prepared)
        for row in answered(answer, wire.ATTACHMENTS):
            if row.get("FileName") == name:
                return Receipt(row.get("AttachmentID") or name, name)
        judge_elements(answer)
        raise OutcomeUnknown("Xero's answer does not show the attachment", record=effect.target)

    def _find_schedule(self, effect: Effect, schedule: Schedule) -> Probe:
        name = attachment_name(effect, schedule)
        same = _same(self._client.attachments(effect.target), name, schedule)
        # Ours by name but of another size was cut short: putting it again overwrites it.
        return ABSENT if same is None else present(same.get("AttachmentID") or name)


def _with_group(path: str, group_id: str) -> str:
    """The prepared path with the group's id in the place of its name."""
    parts = path.split("/")
    assert parts[1] == "ContactGroups", path
    return "/".join([*parts[:2], segment(group_id), *parts[3:]])


def _expected(row: wire.InvoiceRow) -> date | None:
    try:
        return day(row.get("ExpectedPaymentDate"), row.get("ExpectedPaymentDateString"))
    except Unclear as unclear:
        raise UnreadableAnswer(str(unclear)) from None


def _same(rows: tuple[wire.AttachmentRow, ...], name: str, schedule: Schedule) -> wire.AttachmentRow | None:
    size = str(len(schedule.document))
    return next((row for row in rows if row.get("FileName") == name and row.get("ContentLength") in {None, size}), None)
