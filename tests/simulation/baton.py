"""One baton, passed between actors in an order drawn from the seed; and the virtual time between their turns.

Every actor is a thread, and exactly one runs. Actors pass the baton at port calls only, so that a run is a function of
its script. Time passes only while nobody can go on.
"""

from __future__ import annotations

import threading
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from random import Random  # noqa: TID251 - the order of turns is drawn from the seed
from typing import Any, NoReturn

from adapters.xero.sandbox.app import XeroTwin
from connector.errors import Busy

MOST_TURNS = 40_000
BUSY_SECONDS = 30.0  # as the product's database waits for another writer


class Crash(BaseException):
    """The process dies here. No port answers it any more, so that no `finally` can tidy up after it."""


class Stop(BaseException):
    """The run is over: something was found."""


@dataclass(frozen=True)
class Breach:
    """An invariant that did not hold, and when that showed."""

    invariant: str
    what: str
    turn: int
    at: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what} (turn {self.turn}, {self.at})"


@dataclass(eq=False)
class Actor:
    """Whoever takes turns. `attempt` marks what it is sending, while it is."""

    name: str
    work: Callable[[Actor], None]
    wake: datetime
    after_turn: int = 0
    dead: bool = False
    over: bool = False
    wants_to_write: bool = False
    gives_up: datetime | None = None
    committed_at_turn: int = 0
    sending: Any = None
    sent: Any = None  # what it has sent since its last commit
    gate: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.gate.acquire()


class Baton:
    """Who runs, and what time it is (the twin's)."""

    def __init__(self, twin: XeroTwin, seed: int, stickiness: float, trace: list[str] | None = None) -> None:
        self.twin = twin
        self.random = Random(seed)
        self.stickiness = stickiness
        self.turns = 0
        self.breaches: list[Breach] = []
        self.counts: Counter[str] = Counter()
        self.trace = trace
        self.writer: Actor | None = None
        self.now = twin.clock.now()
        self.passing: Callable[[], None] = lambda: None  # called after time has passed
        self._digest = blake2b(digest_size=12)
        self._actors: Sequence[Actor] = ()
        self._current: Actor | None = None
        self._all_over = threading.Lock()

    @property
    def digest(self) -> str:
        """A hash over every turn so far: equal for equal runs."""
        return self._digest.hexdigest()

    @property
    def me(self) -> Actor:
        """Whoever has the baton."""
        assert self._current is not None
        return self._current

    @property
    def found(self) -> bool:
        return bool(self.breaches)

    # -- what actors do ----------------------------------------------------------------------------------------------

    def turn(self, what: str) -> None:
        """Somebody else may go first."""
        me = self.me
        self.check()
        self.note(what)
        if self.turns > MOST_TURNS:
            self.breach("I15", f"no end after {MOST_TURNS} turns, {me.name} at {what}")
        self._hand_on(me)
        self.check()

    def check(self) -> None:
        """The dead do nothing, and nobody does anything after a breach."""
        if self.breaches:
            raise Stop
        if self.me.dead:
            raise Crash

    def note(self, what: str) -> None:
        """Part of the trace, without passing the baton."""
        self.turns += 1
        line = f"{self.turns} {self.now:%d %H:%M:%S.%f} {self.me.name} {what}"
        self._digest.update(line.encode("utf-8", "backslashreplace"))
        if self.trace is not None:
            self.trace.append(line)

    def sleep(self, seconds: float) -> None:
        me = self.me
        if seconds > 0:
            me.wake = self.now + timedelta(seconds=seconds)
        self.turn(f"sleep {seconds:.3f}")

    def wait_for_turn(self, number: int) -> None:
        """Until the baton was passed so often, or nobody else is left to pass it."""
        self.me.after_turn = number
        self.turn(f"wait {number}")

    def crash(self, why: str) -> None:
        """Kill the running actor."""
        self.note(f"crash {why}")
        self.me.dead = True
        raise Crash

    def begin_to_write(self) -> None:
        """One writer at a time, as the database has it; the others wait here and not inside it."""
        me = self.me
        me.wants_to_write = True
        me.gives_up = self.now + timedelta(seconds=BUSY_SECONDS)
        self.turn("begin")
        me.wants_to_write = False
        if self.writer is not None:
            self.note("busy")
            raise Busy("another process is writing to the database")
        self.writer = me

    def end_writing(self) -> None:
        if self.writer is self.me:
            self.writer = None

    def breach(self, invariant: str, what: str) -> NoReturn:
        """An invariant does not hold. Ends the run."""
        if not self.breaches:
            self.breaches.append(Breach(invariant, what, self.turns, self.now.isoformat()))
        raise Stop

    # -- the order ---------------------------------------------------------------------------------------------------

    def run(self, actors: Sequence[Actor]) -> None:
        """Until all of them are over."""
        self._actors = actors
        self._all_over.acquire()
        threads = [threading.Thread(target=self._live, args=(one,), name=one.name, daemon=True) for one in actors]
        for thread in threads:
            thread.start()
        self._current = self._next(None)
        self.me.gate.release()
        with self._all_over:
            pass
        self._all_over = threading.Lock()
        for thread in threads:
            thread.join()

    def _live(self, actor: Actor) -> None:
        actor.gate.acquire()
        try:
            if not self.breaches:
                actor.work(actor)
        except Stop:
            pass
        except BaseException as error:  # noqa: BLE001 - whatever an actor could not deal with is a finding
            self._unexpected(actor, error)
        actor.over = True
        actor.wants_to_write = False
        self.end_writing()
        self._hand_on(actor)

    def _unexpected(self, actor: Actor, error: BaseException) -> None:
        if not self.breaches:
            lines = traceback.format_exception(error)
            what = f"{actor.name}: {type(error).__name__}: {error}\n{''.join(lines[-8:])}"
            self.breaches.append(Breach("I0", what, self.turns, self.now.isoformat()))

    def _hand_on(self, me: Actor) -> None:
        if me.over and all(one.over for one in self._actors):
            self._all_over.release()
            return
        chosen = self._next(me)
        if chosen is me:
            return
        self._current = chosen
        self.counts["handed on"] += 1
        chosen.gate.release()
        if not me.over:
            me.gate.acquire()

    def _next(self, me: Actor | None) -> Actor:
        living = [one for one in self._actors if not one.over]
        if self.breaches:
            return living[0] if me is None or me.over else me
        while True:
            due = [one for one in living if one.after_turn <= self.turns]
            ready = [one for one in due if self._free_at(one) <= self.now]
            if ready:
                break
            if due:
                self._go_to(min(map(self._free_at, due)))
            else:
                self.turns = min(one.after_turn for one in living)
        if me is not None and me in ready and (len(ready) == 1 or self.random.random() < self.stickiness):
            return me
        return ready[0] if len(ready) == 1 else self.random.choice(ready)

    def _free_at(self, actor: Actor) -> datetime:
        """When it can go on: a writer waits for the one before it, but not for ever."""
        if actor.wants_to_write and self.writer is not None and actor.gives_up is not None:
            return actor.gives_up
        return actor.wake

    def _go_to(self, instant: datetime) -> None:
        self.twin.clock.set(instant)
        self.twin.advance(instant)
        self.now = instant
        try:
            self.passing()
        except Stop:
            pass  # recorded; whoever takes the next turn hears of it
        except Exception as error:  # noqa: BLE001 - must not take the baton along
            self._unexpected(self.me, error)

    def pass_time(self, seconds: float) -> None:
        """Nobody does anything for so long (between runs)."""
        self._go_to(self.now + timedelta(seconds=seconds))
