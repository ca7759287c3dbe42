"""Planted bugs: the product with one safeguard taken away, to prove that the judge sees what it is there to see.

Each mutant patches the product from outside; the product itself has no switches. `start`: the seed from which on the
tests hunt it, shortly before one that finds it; `python -m tests.simulation --mutants` hunts all of them from seed 1.
"""

# ruff: noqa: ARG005 - what is patched in takes the arguments of what it replaces

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from adapters.xero import client, ledger, writeback
from adapters.xero.changes import Round
from connector.domain.effects import EffectState, ExpectedDate, Finding, LedgerEmail, Probe, Receipt
from connector.errors import DunwellError, Retriable
from connector.http.caller import Caller
from connector.policy import engine, guardrails
from connector.service import deliver, precondition
from connector.store import connections, leases, outbox
from connector.store.outbox_read import EffectRow
from tests.simulation.run import Outcome, run
from tests.simulation.script import draw

Patch = Callable[[Any, str, Any], None]
ABSENT = Probe(Finding.ABSENT)


@dataclass(frozen=True)
class Mutant:
    """One safeguard taken away."""

    plant: Callable[[Patch], None]
    start: int
    shows: frozenset[str]  # the invariants that it may break


@contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """The product with this bug."""
    kept: list[tuple[Any, str, Any]] = []

    def patch(owner: Any, name: str, value: Any) -> None:
        kept.append((owner, name, owner.__dict__[name]))
        setattr(owner, name, value)

    mutant.plant(patch)
    try:
        yield
    finally:
        for owner, name, value in reversed(kept):
            setattr(owner, name, value)


def hunt(mutant: Mutant, first: int, budget: int) -> tuple[int, Outcome | None]:
    """How many seeds it took, and what gave it away; None when the budget did not suffice."""
    with planted(mutant):
        for number in range(budget):
            outcome = run(draw(first + number))
            if outcome.breach is not None:
                return number + 1, outcome
    return budget, None


# --- the outbox ------------------------------------------------------------------------------------------------------


def no_probe(patch: Patch) -> None:
    patch(ledger.XeroLedger, "find", lambda self, effect, prepared: ABSENT)


def no_quiet_wait(patch: Patch) -> None:
    patch(deliver, "QUIET_HORIZON", timedelta(0))


def absent_when_unreadable(patch: Patch) -> None:
    really = ledger.XeroLedger.find

    def find(self: Any, effect: Any, prepared: Any) -> Probe:
        try:
            return really(self, effect, prepared)
        except Retriable:
            return ABSENT

    patch(ledger.XeroLedger, "find", find)


def new_key_per_attempt(patch: Patch) -> None:
    really, count = client.XeroClient.write, iter(range(10**9))

    def write(
        self: Any, method: str, path: str, body: bytes, *, content_type: str = "application/json", key: str = ""
    ) -> Any:
        return really(
            self, method, path, body, content_type=content_type, key=f"{key[:-1]}{next(count) % 10}" if key else ""
        )

    patch(client.XeroClient, "write", write)


def done_before_sending(patch: Patch) -> None:
    really = deliver._Round._send

    def send(self: Any, row: EffectRow, attachments: Any) -> None:
        with self.w.db.writing(self.w.tenant) as tx:
            receipt = Receipt("surely")
            outbox.finish(tx, row.effect.key, row.attempt, EffectState.DONE, receipt=receipt)
        really(self, row, attachments)

    patch(deliver._Round, "_send", send)


def sending_before_the_intent(patch: Patch) -> None:
    really = deliver._Round._start

    def start(self: Any, row: EffectRow, *more: Any, **named: Any) -> Any:
        if not row.effect.after and row.effect.kind.value != "letter":
            try:
                prepared = replace(self.ledger.prepare(row.effect, {}), key=f"{row.effect.key[:40]}-{row.attempt + 1}")
                self.ledger.send(row.effect, prepared, self.w.clock.now() + timedelta(seconds=75))
            except DunwellError:
                return None
        return really(self, row, *more, **named)

    patch(deliver._Round, "_start", start)


def unfindable_is_sent_again(patch: Patch) -> None:
    really = writeback.Writer.find
    patch(
        writeback.Writer, "find",
        lambda self, effect, *more: ABSENT if isinstance(effect.payload, LedgerEmail) else really(self, effect, *more),
    )  # fmt: skip
    patch(deliver._Round, "_probe_channel", lambda self, prepared: (Finding.ABSENT, None))


def note_before_its_act(patch: Patch) -> None:
    patch(outbox, "_set_after", lambda tx, one: None)


def dependants_stay(patch: Patch) -> None:
    patch(outbox, "cancel_dependents", lambda tx, key, reason: 0)


def letter_under_another_name(patch: Patch) -> None:
    patch(EffectRow, "next_key", property(lambda self: f"{self.effect.key[:40]}-{self.attempt + 1}"))


def unaudited_start(patch: Patch) -> None:
    really = outbox._note

    def note(tx: Any, org_id: str, key: str, what: str, *more: Any) -> None:
        if what != "sending":
            really(tx, org_id, key, what, *more)

    patch(outbox, "_note", note)


# --- who may work ----------------------------------------------------------------------------------------------------


def no_lease(patch: Patch) -> None:
    """Whoever delivers holds a lease of its own."""
    really = leases.acquire

    def acquire(tx: Any, name: str, holder: str, ttl_seconds: float) -> Any:
        return really(tx, f"{name}:{holder}" if name.startswith("deliver:") else name, holder, ttl_seconds)

    patch(leases, "acquire", acquire)
    _never_fenced(patch)


def no_fencing(patch: Patch) -> None:
    """The lease is taken, but who has lost it goes on."""
    _never_fenced(patch)


def _never_fenced(patch: Patch) -> None:
    really = leases.renew
    patch(
        leases,
        "renew",
        lambda tx, name, epoch, ttl: name.startswith("deliver:") or really(tx, name, epoch, ttl),
    )


def intent_without_end(patch: Patch) -> None:
    @contextmanager
    def leaving_by(self: Any, instant: Any) -> Iterator[None]:
        yield

    patch(Caller, "leaving_by", leaving_by)


def observing_is_ignored(patch: Patch) -> None:
    really = deliver.organisations.get
    patch(deliver.organisations, "get", lambda tx, org_id: replace(really(tx, org_id), mode="approve"))


# --- the last look ---------------------------------------------------------------------------------------------------


def no_second_look(patch: Patch) -> None:
    patch(precondition.Precondition, "_is_stale", lambda self, record_id: False)


def drift_is_ignored(patch: Patch) -> None:
    patch(engine, "drift", lambda decision, facts: ())


def overwritten_blindly(patch: Patch) -> None:
    really = writeback.Writer._send_expected

    def send(self: Any, effect: Any, wanted: ExpectedDate, prepared: Any) -> Any:
        return really(self, effect, replace(wanted, seen=self._expected_now(effect.target)), prepared)

    patch(writeback.Writer, "_send_expected", send)


def no_contact_hours(patch: Patch) -> None:
    patch(guardrails, "send_window", lambda policy, facts, now: None)


# --- reading and tokens ----------------------------------------------------------------------------------------------


def cursor_first(patch: Patch) -> None:
    really = Round.batches

    def batches(self: Any) -> Iterator[Any]:
        for number, batch in enumerate(really(self)):
            yield replace(batch, cursor=self._cursor().dump()) if number == 0 else batch

    patch(Round, "batches", batches)


def refreshed_without_a_lease(patch: Patch) -> None:
    def take(tx: Any, connection_id: str, *more: Any) -> int:
        return connections.get(tx, connection_id).epoch

    patch(connections, "take_refresh_lease", take)


def new_token_not_kept(patch: Patch) -> None:
    patch(connections, "store_refreshed", lambda tx, connection_id, epoch, *more: True)


def _mutant(plant: Callable[[Patch], None], start: int, *shows: str) -> Mutant:
    return Mutant(plant, start, frozenset(shows))


MUTANTS: Mapping[str, Mutant] = {
    "no probe": _mutant(no_probe, 1, "I1", "I4", "I5"),
    "no quiet wait": _mutant(no_quiet_wait, 1, "I1", "I4", "I5"),
    "absent when the answer is unreadable": _mutant(absent_when_unreadable, 88, "I1", "I4"),
    "new vendor key per attempt": _mutant(new_key_per_attempt, 1, "I3"),
    "done before sending": _mutant(done_before_sending, 1, "I3"),
    "sending before the intent is committed": _mutant(sending_before_the_intent, 1, "I3"),
    "unfindable acts are sent again": _mutant(unfindable_is_sent_again, 1, "I5", "I4"),
    "a note before its act": _mutant(note_before_its_act, 1, "I7"),
    "dependants are not cancelled": _mutant(dependants_stay, 1, "I15"),
    "a letter's name changes": _mutant(letter_under_another_name, 34, "I3"),
    "a start is not told": _mutant(unaudited_start, 1, "I12"),
    "no lease": _mutant(no_lease, 1, "I3", "I8", "I1", "I12", "I0", "I10"),
    "no fencing": _mutant(no_fencing, 74, "I3", "I8", "I1", "I0", "I10"),
    "an intent without end": _mutant(intent_without_end, 1, "I3", "I1"),
    "observing is ignored": _mutant(observing_is_ignored, 166, "I6"),
    "no second look": _mutant(no_second_look, 1, "I6"),
    "drift is ignored": _mutant(drift_is_ignored, 1, "I6"),
    "expected date overwritten blindly": _mutant(overwritten_blindly, 1, "I16"),
    "no contact hours": _mutant(no_contact_hours, 12, "I7"),
    "cursor moved with the first page": _mutant(cursor_first, 274, "I10"),
    "refreshed without a lease": _mutant(refreshed_without_a_lease, 1, "I11"),
    "the new token is not kept": _mutant(new_token_not_kept, 1, "I11"),
}
