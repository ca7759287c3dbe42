"""Facts as words: amounts, dates and the plain values that a template may use, in the organisation's locale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency

from connector.channels.context import (
    CallHeld,
    LetterContext,
    LetterItem,
    NewDate,
    OpenQuery,
    PaymentReceived,
    PlanTerms,
)
from connector.channels.plain import web_link
from connector.channels.template import Prose
from connector.domain.effects import ScheduleLine
from connector.domain.facts import BridgeLine
from connector.domain.money import Money, total
from connector.domain.text import one_line
from connector.errors import Refused

Values = dict[str, Any]

_NAMED: Final = 4  # so many invoice numbers stand in a subject; the table lists all
_ABSENT: Final = "–"
_STEPS: Final = {
    "disputed": "under query",
    "unapplied_credit": "of credit on your account",
    "in_transit": "that you told us is on its way",
    "not_yet_due": "not due yet",
}


class Wording:
    """Writes amounts and dates for one locale."""

    def __init__(self, locale: str) -> None:
        """Raises `Refused` for a locale that nobody knows."""
        try:
            self._locale = Locale.parse(locale.replace("-", "_"))
        except (UnknownLocaleError, ValueError) as error:
            raise Refused(f"{locale!r} is not a locale", next_step="use one like en_NZ") from error

    @property
    def language(self) -> str:
        return self._locale.language

    def money(self, amount: Money) -> str:
        """With the ISO code, never a bare symbol: "NZD 1,234.50" (no-break space); code last where locales do."""
        number = format_currency(amount.amount, amount.currency, "#,##0.00", self._locale)
        pattern = self._locale.currency_formats["standard"].pattern
        parts = (
            (amount.currency, number) if pattern.lstrip("\u200e\u200f-").startswith("¤") else (number, amount.currency)
        )
        return "\u00a0".join(parts)

    def moneys(self, amounts: Iterable[Money]) -> str:
        """One sum a currency, never mixed: "NZD 10.00 and USD 5.00"."""
        found = tuple(amounts)
        currencies = sorted({amount.currency for amount in found})
        sums = [total((amount for amount in found if amount.currency == code), code) for code in currencies]
        return listed([self.money(each) for each in sums])

    def day(self, day: date | None) -> str:
        """Long form: "12 November 2026"; a dash for an absent date."""
        return format_date(day, "long", self._locale) if day else _ABSENT


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def numbers(found: Sequence[str]) -> str:
    """Invoice numbers for a sentence: the first four, and how many more."""
    if len(found) > _NAMED + 1:
        return f"{', '.join(found[:_NAMED])} and {len(found) - _NAMED} more"
    return listed(found)


def values(context: LetterContext) -> Values:
    """The plain values (strings, lists, groups, choices) of a letter. Absent facts are None.

    Raises `Refused` when an item's bridge does not lead from its balance to what is asked for.
    """
    words = Wording(context.locale)
    items = context.items
    sender = context.sender
    return {
        "organisation": context.organisation,
        "customer": context.customer,
        "greeting": one_line(context.first_name) or context.customer,
        "written_on": words.day(context.written_on),
        "sender": {"name": sender.name, "role": sender.role, "phone": sender.phone},
        "reply_to": sender.reply_to,
        "attached": context.attached,
        "invoices": [_item(item, words) for item in items],
        "numbers": numbers([item.number for item in items]) or None,
        "several": len(items) > 1,
        "total": words.moneys(item.collectable for item in items) or None,
        "balance_total": words.moneys(item.balance for item in items) or None,
        "differs": any(item.balance != item.collectable for item in items),
        "by_date": words.day(context.by_date) if context.by_date else None,
        "payment": context.payment and _payment(context.payment, words),
        "extension": context.extension and _extension(context.extension, context.written_on, words),
        "query": context.query and _query(context.query, words),
        "plan": context.plan and _plan(context.plan, words),
        "instalment": context.instalment and _line(context.instalment, words),
        "call": context.call and _call(context.call, words),
    }


def _item(item: LetterItem, words: Wording) -> Values:
    steps = _steps(item)
    disputed = total((-step.amount for step in steps if step.code == "disputed"), item.balance.currency)
    return {
        "number": item.number,
        "issued": words.day(item.issued),
        "due": words.day(item.due),
        "total": words.money(item.total),
        "balance": words.money(item.balance),
        "collectable": words.money(item.collectable),
        "disputed": words.money(disputed) if disputed else _ABSENT,
        "bridge": _bridge(item, steps, words),
        "pay_link": web_link(item.pay_link),
    }


def _steps(item: LetterItem) -> tuple[BridgeLine, ...]:
    steps = tuple(step for step in item.bridge if step.code != "balance" and step.amount)
    if total((step.amount for step in steps), item.balance.currency) != item.collectable - item.balance:
        raise Refused(
            f"{item.number}: the steps from {item.balance} to {item.collectable} do not add up",
            record=item.number,
            not_done="the letter was not written",
            next_step="look at what is disputed, credited or on its way for this invoice",
        )
    return steps


def _bridge(item: LetterItem, steps: Sequence[BridgeLine], words: Wording) -> str:
    """From the ledger's balance to what is asked for, in one sentence; "" where they are the same."""
    if not steps:
        return ""
    told = [
        f"less {words.money(-step.amount)} {_STEPS.get(step.code, 'not asked for at present')}"
        if step.amount.minor < 0
        else f"plus {words.money(step.amount)}"
        for step in steps
    ]
    return f"balance {words.money(item.balance)}, {', '.join(told)}; asked for: {words.money(item.collectable)}"


def _payment(payment: PaymentReceived, words: Wording) -> Values:
    return {"amount": words.money(payment.amount), "on": words.day(payment.on)}


def _extension(extension: NewDate, written_on: date, words: Wording) -> Values:
    return {
        "number": extension.number,
        "amount": words.money(extension.amount),
        "due": words.day(extension.due),
        "until": words.day(extension.until),
        "overdue": extension.due is not None and extension.due < written_on,
    }


def _query(query: OpenQuery, words: Wording) -> Values:
    return {
        "number": query.number,
        "amount": words.money(query.amount),
        "total": words.money(query.total),
        "decide_by": words.day(query.decide_by),
        "owner": query.owner,
    }


def _plan(plan: PlanTerms, words: Wording) -> Values:
    owed = {amount.currency: total((a for _, a in plan.covered), amount.currency) for _, amount in plan.covered}
    if not plan.lines or [total((line.amount for line in plan.lines), code) for code in owed] != list(owed.values()):
        raise Refused(
            f"the instalments of plan {plan.reference} do not add up to what they cover",
            record=plan.reference,
            not_done="the letter was not written",
        )
    return {
        "reference": plan.reference,
        "version": str(plan.version),
        "covered": [{"number": number, "amount": words.money(amount)} for number, amount in plan.covered],
        "numbers": listed([number for number, _ in plan.covered]),
        "lines": [_line(line, words) for line in plan.lines],
        "total": words.moneys(owed.values()),
        "last_due": words.day(max(line.due for line in plan.lines)),
    }


def _line(line: ScheduleLine, words: Wording) -> Values:
    return {"number": str(line.number), "due": words.day(line.due), "amount": words.money(line.amount)}


def _call(call: CallHeld, words: Wording) -> Values:
    return {
        "on": words.day(call.on),
        "spoke_with": call.spoke_with,
        "agreed": [Prose(sentence) for sentence in call.agreed],
    }
