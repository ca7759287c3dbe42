"""Every kind of write: what the port says of it is what the ledger's own log of changes shows, whatever happens.

`happened` counts in the twin's log and refuses rows that nobody ordered. A look (`find`) may say that it cannot tell,
but never the wrong thing.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.domain.decisions import TargetKind
from connector.domain.effects import Effect, EffectKind, Finding, Note
from connector.domain.money import Money
from connector.errors import LedgerRejected, NotSent, OutcomeUnknown, Refused, ScopeMissing
from tests.adapters.conformance.bench import Answer, Bench, Json, Outcome, Trouble
from tests.adapters.conformance.desk import QUIET, Desk
from tests.adapters.conformance.errands import ERRANDS, KINDS, LETTER, NOBODY, Errand, errand, in_the_way

KEY_LIFE = 24 * 3600.0 + 1  # longer than any ledger remembers a key
PRESENT, ABSENT, CANNOT_TELL = Finding.PRESENT, Finding.ABSENT, Finding.CANNOT_TELL


@pytest.fixture(params=ERRANDS)
def name(bench: Bench, request: pytest.FixtureRequest) -> str:
    """An errand that this ledger can carry."""
    found: str = request.param
    can = bench.adapter.capabilities.classes.get(KINDS[found])
    if can is None or not can.supported:
        pytest.skip(
            f"{bench.name} carries no {KINDS[found].value}: {can.instead if can else 'not in its capabilities'}"
        )
    return found


@pytest.fixture
def job(desk: Desk, name: str) -> Errand:
    return errand(desk, name)


def letter(job: Errand) -> str:
    """The class that the adapter claims for it."""
    return job.desk.bench.adapter.capabilities.classes[job.effect.kind].letter


def look(job: Errand) -> Finding:
    probe = job.desk.ledger.find(job.effect, job.prepared())
    assert (probe.finding is PRESENT) == (probe.receipt is not None)
    assert probe.receipt is None or probe.receipt.found
    return probe.finding


def truthful(job: Errand) -> None:
    """A look says what the log says; of class U it says that it cannot tell."""
    true = PRESENT if job.happened() else ABSENT
    assert look(job) is (CANNOT_TELL if letter(job) == "U" else true)


def strike(job: Errand, **action: object) -> None:
    """The one request that matters fares so."""
    job.desk.fault(job.desk.bench.writing(job.effect, job.prepared()), 1, **action)


def settle(job: Errand) -> None:
    """What the product does about an unknown outcome: wait, look, and write again only where it is absent."""
    job.desk.heal()
    job.desk.wait(QUIET)
    truthful(job)
    if look(job) is ABSENT:
        job.send(job.prepared("a new key"))
    if letter(job) != "U":
        assert job.happened() == 1
        assert look(job) is PRESENT


# --- plainly ---------------------------------------------------------------------------------------------------------


def test_first_time(job: Errand) -> None:
    truthful(job)
    receipt = job.send(job.prepared())
    assert (receipt.found, receipt.already) == (False, False)
    assert receipt.reference
    assert job.happened() == 1
    truthful(job)


def test_preparing_is_pure(job: Errand) -> None:
    first = job.prepared()
    assert first == job.prepared()
    assert job.desk.line.log == []
    assert first.key


def test_exactly_the_prepared_bytes_leave_under_the_prepared_key(job: Errand) -> None:
    prepared = job.prepared("key-1")
    job.send(prepared)
    sent = [one for one in job.desk.line.writes() if one.method == prepared.method and one.body == prepared.body]
    assert len(sent) == 1
    if prepared.body:
        assert sent[0].headers["content-type"] == prepared.content_type
        assert "key-1" in sent[0].headers.values()


def test_a_replay_of_the_same_request_writes_nothing(job: Errand) -> None:
    prepared = job.prepared()
    assert job.send(prepared).reference
    assert job.send(prepared).reference
    assert job.happened() == 1


def test_a_replay_long_after_writes_nothing_where_the_state_can_be_read(job: Errand) -> None:
    """A note and a mail are only ever sent again after a look: of these the look is what is tried here."""
    job.send(job.prepared())
    job.desk.wait(KEY_LIFE)
    truthful(job)
    if job.effect.kind not in {EffectKind.NOTE, EffectKind.LEDGER_EMAIL}:
        assert job.send(job.prepared("another key")).already
    assert job.happened() == 1


def test_the_class_is_honest(job: Errand) -> None:
    """U is never found, before or after; all others are, as what they are."""
    before = look(job)
    job.send(job.prepared())
    probe = job.desk.ledger.find(job.effect, job.prepared())
    if letter(job) == "U":
        assert (before, probe.finding) == (CANNOT_TELL, CANNOT_TELL)
    else:
        assert (before, probe.finding) == (ABSENT, PRESENT)
        assert probe.receipt is not None
        assert probe.receipt.reference


# --- the wire breaks -------------------------------------------------------------------------------------------------

COMMITTED: dict[str, Json] = {
    "timeout": {"do": "hang_after_commit"},
    "reset": {"do": "reset_after_commit"},
    "504 of a gateway": {"do": "after_commit", "status": 504},
    "500, stored": {"do": "after_commit", "status": 500, "stored": True},
    "login page": {"do": "garbage", "kind": "html_login"},
}
NOT_COMMITTED: dict[str, Json] = {
    "timeout": {"do": "hang"},
    "reset": {"do": "reset"},
    "503 of a gateway": {"do": "before_commit", "status": 503, "stored": False},
    "500, stored": {"do": "before_commit", "status": 500, "stored": True},
}


@pytest.mark.parametrize("how", COMMITTED)
def test_committed_and_the_answer_lost(job: Errand, how: str) -> None:
    strike(job, **COMMITTED[how])
    with pytest.raises(OutcomeUnknown):
        job.send(job.prepared())
    assert job.desk.struck() == 1
    assert job.happened() == 1
    settle(job)
    assert job.happened() == 1


@pytest.mark.parametrize("how", NOT_COMMITTED)
def test_not_committed_and_the_answer_lost(job: Errand, how: str) -> None:
    strike(job, **NOT_COMMITTED[how])
    with pytest.raises(OutcomeUnknown):
        job.send(job.prepared())
    assert job.desk.struck() == 1
    assert job.happened() == 0
    settle(job)


@pytest.mark.parametrize("count", [0, 1, 40])
def test_an_answer_that_breaks_off(job: Errand, name: str, count: int) -> None:
    strike(job, do="cut_body", bytes=count)
    if name in job.desk.bench.bodiless:
        job.send(job.prepared())  # nothing was left to be cut
    else:
        with pytest.raises(OutcomeUnknown):
            job.send(job.prepared())
    assert job.happened() == 1
    settle(job)
    assert job.happened() == 1


def test_a_commit_that_comes_late(job: Errand) -> None:
    """Below the quiet wait: a look before it is too early, and one after it is right."""
    strike(job, do="late_commit", seconds=170, answer="hang")
    with pytest.raises(OutcomeUnknown):
        job.send(job.prepared())
    assert job.happened() == 0
    truthful(job)
    settle(job)
    assert job.happened() == 1


def test_the_same_request_again_while_the_outcome_is_unknown(job: Errand, name: str) -> None:
    """Same key, same bytes: harmless where it happened."""
    strike(job, do="hang_after_commit")
    with pytest.raises(OutcomeUnknown):
        job.send(job.prepared())
    job.send(job.prepared())
    assert job.happened() == 1


def test_a_stored_error_stays_under_its_key_and_a_new_key_goes_through(job: Errand, name: str) -> None:
    strike(job, do="before_commit", status=500, stored=True)
    prepared = job.prepared()
    with pytest.raises(OutcomeUnknown):
        job.send(prepared)
    if name not in job.desk.bench.keyless:
        with pytest.raises(OutcomeUnknown):
            job.send(prepared)
        assert job.happened() == 0
    job.desk.wait(QUIET)
    job.send(job.prepared("a new key"))
    assert job.happened() == 1


def test_when_it_cannot_look_before_nothing_was_written(job: Errand) -> None:
    """Where a read goes before the write, its failure counts as not sent; a write that needs none goes through."""
    job.desk.fault({"method": "GET"}, None, do="before_commit", status=503, stored=False)
    wanted = 1
    try:
        job.send(job.prepared())
    except NotSent:
        wanted = 0
    except OutcomeUnknown:  # it could not be read back
        pass
    assert job.happened() == wanted
    settle(job)


def test_the_time_to_leave_has_passed(job: Errand) -> None:
    """Whoever lost its turn writes nothing."""
    job.desk.wait(60)
    late = job.desk.clock.now()
    job.desk.wait(1)
    with pytest.raises(NotSent):
        job.desk.ledger.send(job.effect, job.prepared(), late)
    assert job.happened() == 0


# --- the ledger says no ----------------------------------------------------------------------------------------------


def comes_to(job: Errand, trouble: Trouble, name: str) -> Outcome:
    """Send it in this trouble. What the port says must be what the log says, and what this ledger is known to do."""
    wanted = job.desk.bench.outcomes.get((trouble, name), Outcome.DONE)
    before = job.happened()
    try:
        receipt = job.send(job.prepared())
    except LedgerRejected:
        outcome = Outcome.REFUSED
    else:
        outcome = Outcome.ALREADY if receipt.already else Outcome.DONE
    assert outcome is wanted
    assert job.happened() - before == (1 if outcome is Outcome.DONE else 0)
    return outcome


def test_a_closed_period(job: Errand, name: str) -> None:
    job.desk.people({"do": "set_lock_date", "period_lock_date": "2026-12-31"})
    if comes_to(job, Trouble.CLOSED, name) is Outcome.REFUSED:
        truthful(job)
        job.desk.people({"do": "set_lock_date", "period_lock_date": None})
        job.desk.wait(QUIET)
        job.send(job.prepared("mended, under a new key"))
        assert job.happened() == 1


def test_paid_between_our_look_and_our_write(job: Errand, name: str) -> None:
    match = job.desk.bench.writing(job.effect, job.prepared())
    job.desk.meanwhile(match, {"do": "pay", "invoice": "INV-1"})
    comes_to(job, Trouble.PAID, name)
    assert job.desk.done_meanwhile() == 1
    truthful(job)


def test_paid_before_our_look(job: Errand, name: str) -> None:
    job.desk.people({"do": "pay", "invoice": "INV-1"})
    comes_to(job, Trouble.PAID, name)
    truthful(job)


def test_edited_by_a_person_before(job: Errand, name: str) -> None:
    """What a person did stands: nothing of ours overwrites it."""
    job.desk.people(in_the_way(job.desk, name))
    books = dict(job.desk.truth())
    outcome = comes_to(job, Trouble.EDITED, name)
    if outcome is not Outcome.DONE:
        assert dict(job.desk.truth()) == books
    found = look(job)
    if outcome is Outcome.REFUSED:
        assert found is not PRESENT
    if outcome is Outcome.ALREADY:
        assert found is PRESENT


def test_edited_by_a_person_between_our_look_and_our_write(job: Errand, name: str) -> None:
    """No ledger lets us exclude this for all kinds: but the port must say what came of it."""
    match = job.desk.bench.writing(job.effect, job.prepared())
    job.desk.meanwhile(match, in_the_way(job.desk, name))
    before = job.happened()
    try:
        job.send(job.prepared())
    except LedgerRejected:
        assert job.happened() == before
    assert job.desk.done_meanwhile() == 1
    assert job.happened() <= 1
    assert not (job.happened() == 1 and look(job) is ABSENT)


def test_the_record_is_gone(desk: Desk, name: str) -> None:
    job = errand(desk, name, NOBODY)
    comes_to(job, Trouble.GONE, name)
    if name != "untag":
        assert look(job) is not PRESENT


def test_the_connection_may_only_read(job: Errand) -> None:
    """A reduced consent: certainly not done, and a person is told which permission is missing."""
    desk = job.desk
    desk.order("consent", {"drop_scopes": list(desk.bench.writing_scopes)})
    desk.tokens.replace(desk.tokens.access())
    with pytest.raises(ScopeMissing) as caught:
        job.send(job.prepared())
    assert caught.value.next_step
    assert job.happened() == 0


def test_the_persons_role_may_not_write(job: Errand) -> None:
    strike(job, **job.desk.bench.answer(Answer.ROLE))
    with pytest.raises(ScopeMissing):
        job.send(job.prepared())
    assert job.desk.struck() == 1
    assert job.happened() == 0
    settle(job)


@pytest.mark.parametrize("limit", [Answer.LIMIT_MINUTE, Answer.LIMIT_CONCURRENT])
def test_a_rate_limit_is_waited_for_and_then_it_happens_once(job: Errand, limit: Answer) -> None:
    strike(job, **job.desk.bench.answer(limit))
    job.send(job.prepared())
    assert job.desk.struck() == 1
    assert job.desk.clock.slept
    assert job.happened() == 1


# --- what no ledger shares -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first_how", COMMITTED)
@pytest.mark.parametrize("then_how", ["timeout", "reset"])
def test_a_chain_resumes_at_every_link(desk: Desk, first_how: str, then_how: str) -> None:
    """A credit note whose answer is lost, then its allocation whose answer is lost: one of each in the end."""
    first = errand(desk, "credit note")
    strike(first, **COMMITTED[first_how])
    with pytest.raises(OutcomeUnknown):
        first.send(first.prepared())
    settle(first)
    proof = desk.ledger.find(first.effect, first.prepared()).receipt
    assert first.happened() == 1
    then = errand(desk, "allocation of the credit note", after=first, proof=proof)
    strike(then, **COMMITTED[then_how])
    with pytest.raises(OutcomeUnknown):
        then.send(then.prepared())
    settle(then)
    assert then.happened() == 1
    (open_,) = (one for one in desk.truth().values() if one.get("number") == "INV-1-C7")
    assert open_["remaining"] == Money.zero("GBP")


@pytest.mark.parametrize("on", [TargetKind.CUSTOMER, TargetKind.ORGANISATION])
def test_what_the_ledger_cannot_carry_is_refused_before_anything_is_sent(desk: Desk, on: TargetKind) -> None:
    effect = Effect("ab" * 32, EffectKind.LETTER, on, NOBODY, "level 2", LETTER)
    can = desk.bench.adapter.capabilities.classes[EffectKind.LETTER]
    assert can.supported is False
    assert can.instead
    with pytest.raises(Refused):
        desk.ledger.prepare(effect, {})
    assert desk.line.log == []


@pytest.mark.parametrize("kind", EffectKind)
def test_every_kind_has_an_honest_entry(bench: Bench, kind: EffectKind) -> None:
    can = bench.adapter.capabilities.classes[kind]
    assert can.letter in "SCNPU"
    assert can.supported or can.instead


def test_notes_of_any_length_fit_and_are_found(desk: Desk) -> None:
    short = errand(desk, "note")
    limit = desk.bench.adapter.capabilities.note_limit
    for number, text in enumerate(["x" * (limit * 2), "word " * limit, "Ümläut 株式会社 🙂 " * limit, "a\x00b\x1b[0m"]):
        job = Errand(desk, replace(short.effect, key=f"{number:02}" * 32, payload=Note(text)))
        desk.forget()
        job.send(job.prepared())
        assert job.happened() == 1
        assert look(job) is PRESENT
