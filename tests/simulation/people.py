"""What people do while the agents are at work: in the ledger's own screens, and at dunwell's terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from connector.bootstrap import HowToConnect, connect_ledger
from connector.domain.cases import DisputeOutcome, Holder, LegalHoldKind, ReplyOutcome
from connector.domain.effects import EffectState
from connector.errors import DunwellError, NotFound, Refused
from connector.service import accommodations, approve, disputes, outcomes, people
from connector.service.outcomes import Mode
from connector.service.review import propose
from connector.service.wiring import Wiring
from connector.store import actions, connections, outbox
from tests.harness import CUSTOMERS
from tests.simulation.baton import Actor, Baton, Crash
from tests.simulation.kinds import Act
from tests.simulation.office import BASE, NAME, organisation, told
from tests.simulation.oracle import Oracle
from tests.simulation.troubles import Item


class People:
    """The people of one run."""

    def __init__(self, baton: Baton, oracle: Oracle, wiring: Callable[[str], Wiring], mode: str) -> None:
        self._baton, self._oracle, self._wiring = baton, oracle, wiring
        self._mode = Mode(mode)
        self.restart = False

    def at_the_ledger(self, acts: Sequence[Item]) -> Callable[[Actor], None]:
        """Bookkeepers and customers act on the books."""

        def work(_me: Actor) -> None:
            for act in acts:
                self._baton.wait_for_turn(act["turn"])
                self.books(act)

        return work

    def books(self, act: Item) -> None:
        """One act in the ledger's own screens. What the books refuse has not happened."""
        wanted = {name: value for name, value in act.items() if name not in {"who", "turn"}}
        try:
            self._oracle.twin.act(self._oracle.books.tenant_id, wanted, self._baton.now)
        except ValueError:
            self._baton.counts["acts refused"] += 1
        else:
            self._baton.counts[f"act {act['do']}"] += 1
        self._oracle.count()

    def at_the_terminal(self, acts: Sequence[Item]) -> Callable[[Actor], None]:
        """The operator: approves at first, then does what stands in the script. A command may die; the next is new."""

        def work(me: Actor) -> None:
            for act in acts:
                self._baton.wait_for_turn(act["turn"])
                self.command(me, act)
                if act["do"] == "observe":
                    self._baton.wait_for_turn(self._baton.turns + int(act["for"]))
                    self.command(me, {"do": "observe over"})

        return work

    def command(self, me: Actor, act: Item) -> None:
        """One command of the operator."""
        try:
            w = self._wiring("operator")
            _COMMANDS[act["do"]](self, w, act)
            self._baton.counts[f"act {act['do']}"] += 1
        except Crash:
            me.dead = False
            self._baton.counts["crashed"] += 1
        except DunwellError:
            self._baton.counts["acts refused"] += 1

    # -- commands ----------------------------------------------------------------------------------------------------

    def _told(self, w: Wiring, act: Act) -> None:
        told(w, organisation(w), act)
        if act["do"] == "dispute":
            self._oracle.touch("dispute", self._invoice(act))

    def _invoice(self, act: Act) -> str:
        return self._oracle.books.invoices_numbered(act["invoice"])[0].id

    def _observe(self, w: Wiring, _act: Act) -> None:
        outcomes.set_mode(w, organisation(w), Mode.OBSERVE)
        self._oracle.touch("observe", "")

    def _observe_over(self, w: Wiring, _act: Act) -> None:
        self._oracle.touch("observe over", "")
        outcomes.set_mode(w, organisation(w), self._mode)

    def _hold(self, w: Wiring, act: Act) -> None:
        name = f"{str(act['customer']).capitalize()} Ltd"
        people.set_hold(w, organisation(w), name, LegalHoldKind.INSOLVENCY)
        self._oracle.touch("legal_hold", self._oracle.books.refs["contact", act["customer"]])

    def _hold_all(self, w: Wiring, _act: Act) -> None:
        people.set_held_by(w, organisation(w), "", Holder.FACTOR)
        self._oracle.touch("hold_all", "")

    def _resolve(self, w: Wiring, act: Act) -> None:
        self._oracle.touch("resolve", self._invoice(act))
        disputes.resolve(w, organisation(w), act["invoice"], DisputeOutcome.WITHDRAWN)

    def _reply(self, w: Wiring, act: Act) -> None:
        people.reply(w, organisation(w), act["invoice"], ReplyOutcome.AWAITING_APPROVAL)
        self._oracle.touch("reply", self._invoice(act))

    def _answer(self, w: Wiring, _act: Act) -> None:
        for name in CUSTOMERS:
            with suppress(NotFound):
                people.answer_replies(w, organisation(w), name)

    def reconnect(self, w: Wiring, _act: Act) -> None:
        """Consent again, where a process died with the only good refresh token and none came within the grace."""
        with w.db.reading(w.tenant) as tx:
            states = [one.state for one in connections.all(tx)]
        if states == ["needs_reauth"]:
            if not self._baton.counts["crashed"]:
                self._baton.breach("I11", "the connection was lost although no process died")
            connect_ledger(w, HowToConnect("xero", BASE, way="auto", organisation=NAME), _unheard, _unasked)

    def _cancel_plan(self, w: Wiring, _act: Act) -> None:
        accommodations.plan_cancel(w, organisation(w), "Plan Ltd")

    def _reject(self, w: Wiring, _act: Act) -> None:
        with w.db.reading(w.tenant) as tx:
            waiting = actions.listing(tx, None, "proposed")
        for action in waiting[:1]:
            approve.reject(w, action.id, reason="not this one", until=None, for_good=True)

    def _retry(self, w: Wiring, _act: Act) -> None:
        for row in self._in(w, EffectState.REJECTED):
            outcomes.retry(w, row.effect.key)

    def _in(self, w: Wiring, state: EffectState) -> Sequence[Any]:
        with w.db.reading(w.tenant) as tx:
            return outbox.listing(tx, None, state)

    def settle(self, w: Wiring, _act: Act) -> None:
        """The operator looks into the ledger or the mail server's log, and says truthfully what is there."""
        for row in self._in(w, EffectState.HUMAN):
            self._oracle.count()
            happened = self._oracle.happened[row.effect.key[:40]] > 0
            outcomes.settle(w, row.effect.key, happened=happened)
            self._baton.counts["settled"] += 1

    def _restart(self, _w: Wiring, _act: Act) -> None:
        self.restart = True

    def _plan(self, w: Wiring, _act: Act) -> None:
        propose(w, organisation(w))

    def _approve(self, w: Wiring, _act: Act) -> None:
        """Everything that is no person's task: in bulk what may be, the rest one by one."""
        approve.approve_all(w)
        with w.db.reading(w.tenant) as tx:
            waiting = actions.listing(tx, None, "proposed")
        for action in waiting:
            if action.key.kind not in approve.FOR_A_PERSON:
                with suppress(Refused):
                    approve.approve(w, [action.id])

    def reconcile(self, w: Wiring, _act: Act) -> None:
        row = organisation(w)
        people.books_known_to(w, row, w.today(row) - timedelta(days=1))

    def mode(self, w: Wiring, _act: Act) -> None:
        self._oracle.touch("observe over", "")
        outcomes.set_mode(w, organisation(w), self._mode)


_COMMANDS: dict[str, Callable[[People, Wiring, Act], None]] = {
    "dispute": People._told, "extend": People._told, "observe": People._observe, "observe over": People._observe_over,
    "legal_hold": People._hold, "hold_all": People._hold_all, "resolve": People._resolve, "reply": People._reply,
    "cancel_plan": People._cancel_plan, "reject": People._reject, "retry": People._retry, "settle": People.settle,
    "restart": People._restart, "plan": People._plan, "approve": People._approve, "reconcile": People.reconcile,
    "mode": People.mode, "reconnect": People.reconnect, "answer": People._answer,
}  # fmt: skip


def _unheard(_line: str) -> None:
    """What the consent would say to a person."""


def _unasked(question: str) -> str:
    raise AssertionError(f"nobody is there to answer {question!r}")


AT_THE_TERMINAL = frozenset(_COMMANDS)
