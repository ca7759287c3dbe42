"""What somebody at the desk tells dunwell, and how the desk works the task list: as the commands would do it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from connector.domain.cases import CallOutcome, DisputeCode, DisputeOutcome, Holder, ReplyOutcome, TakeOnChoice
from connector.domain.decisions import ActionKind
from connector.domain.money import Money
from connector.service import accommodations, approve, disputes, people, promises, take_on
from connector.service.wiring import Wiring
from connector.store.actions import ActionRow
from connector.store.organisations import OrganisationRow

_MENDED_IN_THE_BOOKS = "bill_promptly"  # a draft, an address: the task goes when the books are right


def say(w: Wiring, row: OrganisationRow, customer: str, said: Mapping[str, Any]) -> None:
    """Tell dunwell one thing about this customer. `said["do"]` names the command."""
    _COMMANDS[str(said["do"])](w, row, customer, said)


def work_tasks(w: Wiring, row: OrganisationRow, waiting: Iterable[ActionRow]) -> list[str]:
    """Do the tasks that need no story, and tick them off. What is too old is left to the accountant."""
    done = []
    for action in waiting:
        decision = action.decision
        if action.key.kind is not ActionKind.TASK or not action.customer_id or decision.rule == _MENDED_IN_THE_BOOKS:
            continue
        codes = {reason.code for reason in decision.reasons}
        if "take_on.unsorted" in codes:
            take_on.sort(w, row, [action.customer_id], TakeOnChoice.CHASE)
            continue
        if "take_on.too_old" in codes:
            people.exclude(w, row, decision.target, reason="older than six months", until=None, invoice=True)
        approve.reject(w, action.id, reason="done", until=None, for_good=True)
        done.append("task")
    return done


def make_calls(w: Wiring, today: date, waiting: Iterable[ActionRow], phones: Mapping[str, str]) -> list[str]:
    """Work the call list: every proposed call is made on its day. `phones`: customer id -> how the call goes."""
    made = []
    for action in waiting:
        if action.key.kind is ActionKind.CALL and (action.decision.not_before or today) <= today:
            people.call_done(w, action.id, CallOutcome(phones.get(action.customer_id, "voicemail")))
            made.append("call")
    return made


Command = Callable[[Wiring, OrganisationRow, str, Mapping[str, Any]], object]


def _dispute_open(w: Wiring, row: OrganisationRow, _customer: str, said: Mapping[str, Any]) -> object:
    amount = Money.of(said["amount"], said.get("currency", row.record.base_currency)) if "amount" in said else None
    return disputes.open_dispute(w, row, said["invoice"], code=DisputeCode(said["code"]), amount=amount)


def _sign(w: Wiring, row: OrganisationRow, customer: str, said: Mapping[str, Any]) -> object:
    principal = bool(said.get("principal"))
    options = accommodations.plan_options(w, row, customer, principal=principal).options
    number = next(n for n, one in enumerate(options, 1) if len(one.instalments) == said["instalments"])
    accommodations.plan_offer(w, row, customer, number, principal=principal)
    return accommodations.plan_sign(
        w, row, customer, name=said["name"], capacity=said["capacity"], on=w.today(row), evidence=said["evidence"]
    )


_COMMANDS: Mapping[str, Command] = {
    "dispute_open": _dispute_open,
    "dispute_resolve": lambda w, row, _c, said: disputes.resolve(
        w, row, said["invoice"], DisputeOutcome(said["outcome"])
    ),
    "extend": lambda w, row, _c, said: accommodations.extend(w, row, said["invoice"]),
    "promise": lambda w, row, _c, said: promises.promise(w, row, said["invoice"], date.fromisoformat(said["until"])),
    "sign_plan": _sign,
    "reply": lambda w, row, customer, said: people.reply(w, row, customer, ReplyOutcome(said["outcome"])),
    "answered": lambda w, row, customer, _said: people.answer_replies(w, row, customer),
    "held_by": lambda w, row, _c, said: people.set_held_by(
        w, row, said["invoice"], Holder(said["holder"]), invoice=True
    ),
}
