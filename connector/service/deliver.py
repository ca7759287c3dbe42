"""Deliver approved effects, each exactly once where the ledger lets us, at most once where it does not.

The order is the guarantee (docs/explanation/guarantees.md): intent first, then the first byte; a definite answer is
stored with its consequences; anything else is UNKNOWN, and UNKNOWN is looked up after a quiet wait, never repeated
blindly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from connector.channels.notes import short_date
from connector.domain.effects import (
    Allocation,
    CreditNote,
    Effect,
    EffectKind,
    EffectState,
    Finding,
    Letter,
    NewInvoice,
    Note,
    Prepared,
    Receipt,
)
from connector.errors import (
    Busy,
    ConnectionRevoked,
    DunwellError,
    LedgerRejected,
    NeedsPerson,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Permanent,
    RateLimited,
    Refused,
    Retriable,
)
from connector.ports import Channel, Ledger
from connector.service import reissues
from connector.service.clockcheck import refuse_a_clock_gone_back
from connector.service.consequences import happened_on, record_done, settle_action
from connector.service.earlier import already_there
from connector.service.letters import outgoing
from connector.service.mailing import for_real, kept_back, unanswerable
from connector.service.precondition import Cancel, Go, Postpone, Precondition
from connector.service.sync import LEASE_SECONDS, mark_lost, working_on
from connector.service.wiring import Wiring, local
from connector.store import leases, organisations, outbox
from connector.store.db import Tx
from connector.store.organisations import OrganisationRow
from connector.store.outbox import EffectRow

QUIET_HORIZON = timedelta(seconds=180)  # writeback protocol: nothing commits later than this after it was sent
# From the intent: longer than a minute's limit, and with 30 s for the answer still within the lease.
LEAVE_WITHIN = timedelta(seconds=75)
MAX_ATTEMPTS = 20
RETRY_AFTER = timedelta(minutes=5)
TOGETHER = 40  # effects whose records are read again in one go
INTERRUPTED = "interrupted while sending"
Watch = Callable[[EffectRow], None]  # told of each effect when its turn comes


@dataclass
class Delivered:
    """What one `apply` did: the effects it touched, and what is left for later or for a person."""

    organisation: str
    effects: list[EffectRow] = field(default_factory=list)
    waiting_until: datetime | None = None  # an unknown outcome can be looked up from then on
    undecided: int = 0  # effects of this and of earlier rounds of which only a person can tell whether they happened
    stopped: DunwellError | None = None  # why the round ended early
    calls: int = 0

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(row.state.value for row in self.effects))


def deliver(
    w: Wiring, organisation: OrganisationRow, only: Collection[str] | None = None, watch: Watch | None = None
) -> Delivered:
    """Deliver what is due. `only`: action ids. Raises `Busy` when another process delivers for this organisation."""
    refuse_a_clock_gone_back(w)
    with working_on(w, organisation.id, "deliver") as epoch:
        return _Round(w, organisation, epoch, only, watch).run()


class _Round:
    """One holder's work on one organisation's outbox."""

    def __init__(
        self, w: Wiring, organisation: OrganisationRow, epoch: int, only: Collection[str] | None, watch: Watch | None
    ) -> None:
        self.w, self.organisation, self.epoch, self.only = w, organisation, epoch, only
        self.watch: Watch = watch or (lambda _row: None)
        self.ledger: Ledger = w.ledger(organisation)
        self.channel: Channel = w.channel()
        self.precondition = Precondition(w, organisation, self.ledger)
        self.for_real = for_real(w, organisation)
        self.touched: dict[str, None] = {}
        self.result = Delivered(organisation.id)

    def run(self) -> Delivered:
        calls = self.ledger.calls()
        try:
            self._doubt_what_was_left_sending()
            self._resolve_unknown()
            while due := self._due():
                for number, row in enumerate(due):
                    self._one(row, due[number : number + TOGETHER])
        except (NeedsPerson, Permanent, Refused, Retriable) as stop:
            self.result.stopped = stop
            if isinstance(stop, ConnectionRevoked):
                mark_lost(self.w, self.organisation.id, stop)
        with self.w.db.reading(self.w.tenant) as tx:
            self.result.effects = [outbox.get(tx, key) for key in self.touched]
            self.result.undecided = len(self._ours(outbox.listing(tx, self.organisation.id, EffectState.HUMAN)))
        self.result.calls = self.ledger.calls() - calls
        return self.result

    def _due(self) -> list[EffectRow]:
        with self.w.db.reading(self.w.tenant) as tx:
            rows = outbox.due(tx, self.organisation.id, tx.now)
        return [row for row in self._ours(rows) if row.effect.key not in self.touched]  # each at most once a round

    def _ours(self, rows: tuple[EffectRow, ...]) -> tuple[EffectRow, ...]:
        """Those of the actions that this round is about."""
        return rows if self.only is None else tuple(row for row in rows if row.action_id in self.only)

    # -- what an earlier round left behind ---------------------------------------------------------------------------

    def _doubt_what_was_left_sending(self) -> None:
        with self.w.db.writing(self.w.tenant) as tx:
            for row in outbox.listing(tx, self.organisation.id, EffectState.SENDING):
                outbox.finish(tx, row.effect.key, row.attempt, EffectState.UNKNOWN, reason=INTERRUPTED)

    def _resolve_unknown(self) -> None:
        with self.w.db.reading(self.w.tenant) as tx:
            rows = outbox.listing(tx, self.organisation.id, EffectState.UNKNOWN)
        for row in rows:
            self.touched[row.effect.key] = None
            if self.w.clock.now() < (ready := _left_by(row) + QUIET_HORIZON):
                self._wait_until(ready)
                continue
            self.watch(row)
            try:
                self._probe(row)
            except RateLimited:
                raise
            except Retriable as error:  # one record that cannot be read must not hold up all others
                self.result.stopped = error

    def _wait_until(self, ready: datetime) -> None:
        self.result.waiting_until = max(self.result.waiting_until or ready, ready)

    def _probe(self, row: EffectRow) -> None:
        prepared = row.prepared
        if prepared is None:
            raise AssertionError("an effect is never unknown without having been prepared")
        if isinstance(row.effect.payload, Letter):
            finding, receipt = self._probe_channel(prepared)
        else:
            probe = self.ledger.find(row.effect, prepared)
            finding, receipt = probe.finding, probe.receipt
        key = row.effect.key
        with self.w.db.writing(self.w.tenant) as tx:
            if finding is Finding.PRESENT:
                if outbox.finish(tx, key, row.attempt, EffectState.DONE, receipt=receipt, reason="found by looking"):
                    record_done(self.w, tx, self.organisation, row, receipt)
            elif finding is Finding.ABSENT and row.attempt < MAX_ATTEMPTS:
                outbox.back(tx, key, row.attempt, "not found after the quiet wait", new_vendor_key=row.next_key)
                self.touched.pop(key, None)
            else:
                outbox.finish(
                    tx, key, row.attempt, EffectState.HUMAN, reason="nobody can tell from here whether this happened"
                )
            settle_action(tx, row.action_id)

    def _probe_channel(self, prepared: Prepared) -> tuple[Finding, None]:
        find = getattr(self.channel, "find", None)
        if find is None:
            return Finding.CANNOT_TELL, None
        return (Finding.PRESENT if find(prepared.key) else Finding.ABSENT), None

    # -- one effect --------------------------------------------------------------------------------------------------

    def _one(self, row: EffectRow, following: list[EffectRow]) -> None:
        self.touched[row.effect.key] = None
        self.watch(row)
        if self.for_real and isinstance(row.effect.payload, Letter) and self._keeps_back(row, row.effect.payload):
            return
        if self.precondition.is_stale(row):
            self.precondition.refresh(following)
        try:
            attachments = self._attachments(row)
        except (Retriable, NotFound) as error:
            self._start(row, f"the invoice's PDF could not be read: {error}")
            return
        try:
            credited_on = self._credited_on(row)
        except (Retriable, NotFound) as error:
            self._start(row, f"the credit note that it replaces could not be read: {error}")
            return
        started = self._start(row, credited_on=credited_on)
        if started is not None:
            self._send(started, attachments)

    def _keeps_back(self, row: EffectRow, letter: Letter) -> bool:
        """One that nobody would get stays planned, one that nobody could answer is planned anew; all else goes on."""
        lacking = self.w.letters_lack()
        if not lacking and not unanswerable(letter):
            return False
        with self.w.db.writing(self.w.tenant) as tx:
            self._must_be_ours(tx)
            row = outbox.get(tx, row.effect.key)
            if row.state is not EffectState.PLANNED or row.hold:
                return True
            if lacking:
                outbox.postpone(tx, row.effect.key, lacking, None)
            else:
                self._cancel(
                    tx, row, "it was written before an address for answers was set; the next plan writes it anew"
                )
        if lacking:
            self.result.stopped = kept_back(self.organisation, lacking)
        return True

    def _attachments(self, row: EffectRow) -> tuple[tuple[str, str, bytes], ...]:
        if not isinstance(row.effect.payload, Letter):
            return ()
        numbers = self.precondition.numbers(row.effect.payload.attach_invoices)
        return tuple(
            (f"{number or 'invoice'}.pdf", "application/pdf", self.ledger.pdf(invoice_id))
            for invoice_id, number in numbers
        )

    def _credited_on(self, row: EffectRow) -> date | None:
        """For an invoice that is raised again: the day of the credit note, whose date it bears."""
        if row.prepared is not None or not isinstance(row.effect.payload, NewInvoice):
            return None
        return reissues.day_of_credit(self.w, self.ledger, row.effect)

    def _start(self, row: EffectRow, not_now: str = "", credited_on: date | None = None) -> EffectRow | None:
        """Check everything again and commit the intent, in one transaction. None = not now, or not at all.

        `not_now`: it cannot be sent at present for this reason, and is planned for later unless it is to be cancelled.
        """
        key = row.effect.key
        with self.w.db.writing(self.w.tenant) as tx:
            self._must_be_ours(tx)
            row = outbox.get(tx, key)
            if row.state is not EffectState.PLANNED or row.hold:
                return None
            match self.precondition.check(tx, row):
                case Cancel(reason):
                    self._cancel(tx, row, reason)
                    return None
                case Postpone(reason, not_before):
                    outbox.postpone(tx, key, reason, not_before)
                    return None
                case Go():
                    if not_now:
                        outbox.postpone(tx, key, not_now, tx.now + RETRY_AFTER)
                        return None
            try:
                prepared = row.prepared or self._prepare(tx, row, credited_on)
            except (Refused, NotFound) as error:
                self._cancel(tx, row, f"the ledger cannot carry this: {error}")
                return None
            if not outbox.start(tx, key, self.epoch, prepared, tx.now):
                return None
            return outbox.get(tx, key)

    def _must_be_ours(self, tx: Tx) -> None:
        """Our lease, and an organisation that may be written to: a person may have switched it to observe just now."""
        if not leases.renew(tx, leases.delivering(self.organisation.id), self.epoch, LEASE_SECONDS):
            raise Busy("another process took over delivering", record=self.organisation.id)
        if organisations.get(tx, self.organisation.id).mode == "observe":
            raise Refused(
                "the organisation is in mode observe",
                record=self.organisation.record.name,
                not_done="nothing was written",
                next_step="close the take-on, or `dunwell mode approve`",
            )

    def _cancel(self, tx: Tx, row: EffectRow, reason: str) -> None:
        outbox.finish(tx, row.effect.key, row.attempt, EffectState.CANCELLED, reason=reason)
        outbox.cancel_dependents(tx, row.effect.key, reason)
        settle_action(tx, row.action_id)

    def _prepare(self, tx: Tx, row: EffectRow, credited_on: date | None) -> Prepared:
        if isinstance(row.effect.payload, Letter):
            return outgoing(self.w, self.organisation, row.effect, ()).prepared
        effect = self._dated(tx, row.effect, credited_on)
        prepared = self.ledger.prepare(effect, outbox.receipts(tx, effect.after))
        # Numbered by the attempt: other content must never go under a key that the vendor has seen.
        return replace(prepared, key=f"{effect.key[:40]}-{row.attempt + 1}")

    def _dated(self, tx: Tx, effect: Effect, credited_on: date | None) -> Effect:
        """A note names the day on which the act that it reports really happened; no document is dated back."""
        if isinstance(effect.payload, NewInvoice):
            return replace(effect, payload=reissues.dated(self.w, self.organisation, effect.payload, credited_on))
        if isinstance(effect.payload, CreditNote | Allocation):
            return replace(effect, payload=replace(effect.payload, dated=self.w.today(self.organisation)))
        if not isinstance(effect.payload, Note) or not effect.payload.dated or not effect.after:
            return effect
        happened = happened_on(outbox.get(tx, effect.after[0]), self.organisation)
        text = effect.payload.text.replace(effect.payload.dated, short_date(happened), 1)
        return replace(effect, payload=Note(text))

    def _send(self, row: EffectRow, attachments: tuple[tuple[str, str, bytes], ...]) -> None:
        key, attempt = row.effect.key, row.attempt
        prepared = row.prepared
        if prepared is None:
            raise AssertionError("a started effect is always prepared")
        try:
            receipt = self._done_before(row) or self._sent(row, prepared, attachments)
        except (NotSent, RateLimited, NeedsPerson) as error:
            self._not_sent(row, error)
            return
        except (LedgerRejected, Refused) as error:
            with self.w.db.writing(self.w.tenant) as tx:
                detail = getattr(error, "detail", "") or str(error)
                outbox.finish(tx, key, attempt, EffectState.REJECTED, reason=detail)
                outbox.cancel_dependents(tx, key, f"the act it reports was refused: {detail}")
                settle_action(tx, row.action_id)
            return
        except (OutcomeUnknown, Retriable) as error:
            with self.w.db.writing(self.w.tenant) as tx:
                outbox.finish(tx, key, attempt, EffectState.UNKNOWN, reason=str(error))
            self._wait_until(self.w.clock.now() + QUIET_HORIZON)
            return
        with self.w.db.writing(self.w.tenant) as tx:
            if outbox.finish(tx, key, attempt, EffectState.DONE, receipt=receipt):
                record_done(self.w, tx, self.organisation, row, receipt)
            settle_action(tx, row.action_id)

    def _sent(self, row: EffectRow, prepared: Prepared, attachments: tuple[tuple[str, str, bytes], ...]) -> Receipt:
        """Send it while the intent is young: later, another process may have taken over and looked for it in vain."""
        leave_by = (row.t_send or row.updated_at) + LEAVE_WITHIN
        if row.effect.kind is not EffectKind.LETTER:
            return self.ledger.send(row.effect, prepared, leave_by)
        letter = outgoing(self.w, self.organisation, row.effect, attachments).letter
        if (now := self.w.clock.now()) > leave_by:
            raise NotSent("it waited too long after its intent", not_done="nothing was sent")
        return self.channel.send(letter, local(now, self.organisation))

    def _done_before(self, row: EffectRow) -> Receipt | None:
        """The proof that an earlier database of this organisation did it already. Raises `NotSent`, as a read."""
        try:
            return already_there(self.w, self.ledger, self.organisation, row)
        except Retriable as error:
            if isinstance(error, RateLimited):
                raise
            raise NotSent(f"could not look before writing: {error}", not_done="nothing was written") from error

    def _not_sent(self, row: EffectRow, error: DunwellError) -> None:
        wait = timedelta(seconds=error.retry_after) if isinstance(error, RateLimited) else RETRY_AFTER
        with self.w.db.writing(self.w.tenant) as tx:
            outbox.back(tx, row.effect.key, row.attempt, str(error), not_before=tx.now + wait)
        if isinstance(error, RateLimited | NeedsPerson):
            raise error


def _left_by(row: EffectRow) -> datetime:
    """When the request had left at the latest: waiting for the ledger's limits may have held it up after its intent."""
    started = row.t_send or row.updated_at
    return started if row.reason == INTERRUPTED else max(started, row.updated_at)
