"""Plan arithmetic: exact sums, dates that increase on business days, limits, and what a signed plan has received."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.cases import Instalment, PaymentPlan
from connector.domain.dates import Calendar
from connector.domain.facts import PlanProgress
from connector.domain.ledger import Allocation, Credit, CreditKind, CustomerBook, Invoice, Payment
from connector.domain.money import Money, total
from connector.policy.case_sections import Cadence, Plan
from connector.policy.plans import (
    PlanStanding,
    add_months,
    by_invoice,
    judge,
    offer,
    options,
    progress,
    validate,
)
from tests.builders import credit, customer, invoice, money, payment
from tests.policy.known import policy, signed_plan

MONDAY = date(2026, 3, 2)
PLAIN = Calendar()
LIMITS = policy().plan

days = st.dates(date(2025, 1, 1), date(2027, 12, 31))
holidays = st.frozensets(st.dates(date(2025, 1, 1), date(2028, 12, 31)), max_size=60)
amounts = st.integers(1, 10**9)
currencies = st.sampled_from(["NZD", "JPY", "KWD"])
presets = st.sampled_from(["gentle", "standard", "firm"])


@given(minor=amounts, currency=currencies, day=days, off=holidays, preset=presets, principal=st.booleans())
def test_every_option_is_exact_in_order_and_on_business_days(
    minor: int, currency: str, day: date, off: frozenset[date], preset: str, principal: bool
) -> None:
    limits, calendar, debt = policy(preset).plan, Calendar(off), Money(minor, currency)
    for option in options(limits, debt, day, calendar, principal=principal):
        lines = option.instalments
        assert total((line.amount for line in lines), currency) == debt
        assert all(line.amount.minor > 0 for line in lines)
        assert all(earlier.due < later.due for earlier, later in pairwise(lines))
        assert all(calendar.is_business_day(line.due) for line in lines)
        assert day < lines[0].due <= day + timedelta(days=limits.first_within_days)
        assert lines[0].amount.minor > debt.minor * limits.first_share - 1
        middle = {line.amount.minor for line in lines[1:-1]}
        assert len(middle) <= 1
        assert not middle or 0 <= lines[-1].amount.minor - middle.pop() < len(lines)
        plan = offer(option, (("inv-1", debt),), plan_id="p", customer_id="c", on=day, by="Jo")
        assert validate(limits, plan, calendar, principal=principal) == ()
        assert bool(validate(limits, plan, calendar)) is option.needs_principal


@given(
    st.lists(st.integers(1, 10**6), min_size=1, max_size=5),
    st.integers(2, 6).map(lambda n: n),
    st.sampled_from(Cadence),
)
def test_each_instalment_is_shared_out_over_the_invoices_without_loss(
    invoices: list[int], count: int, cadence: Cadence
) -> None:
    del cadence
    covered = tuple((f"inv-{n}", Money(minor, "NZD")) for n, minor in enumerate(invoices))
    whole = Money(sum(invoices), "NZD")
    dues = [MONDAY + timedelta(days=7 * n) for n in range(count)]
    lines = tuple(Instalment(n + 1, dues[n], part) for n, part in enumerate(whole.split(count)))
    shares = by_invoice(replace(signed_plan(MONDAY), covered=covered, instalments=lines))
    for invoice_id, amount in covered:
        assert total((part.amount for part in shares[invoice_id]), "NZD") == amount
    for line in lines:
        parts = [part.amount for of_one in shares.values() for part in of_one if part.number == line.number]
        assert total(parts, "NZD") == line.amount
    paid_off = [max(part.due for part in shares[invoice_id]) for invoice_id, amount in covered if amount]
    assert paid_off == sorted(paid_off)  # the oldest invoice first


def test_the_standard_preset_offers_up_to_four_and_the_principal_up_to_six() -> None:
    def counts(*, principal: bool) -> set[tuple[int, str, bool]]:
        found = options(LIMITS, money("1200.00"), MONDAY, PLAIN, principal=principal)
        return {(len(o.instalments), o.cadence.value, o.needs_principal) for o in found}

    assert counts(principal=False) == {(n, c, False) for n in (2, 3, 4) for c in ("fortnightly", "monthly")}
    assert counts(principal=True) - counts(principal=False) == {(5, "fortnightly", True), (5, "monthly", True)}
    # Six would be NZD 180.00 after the first quarter; the smallest instalment is NZD 200.00.
    larger = options(LIMITS, money("2400.00"), MONDAY, PLAIN, principal=True)
    assert max(len(o.instalments) for o in larger) == 6


def test_a_debt_below_the_minimum_has_no_plan() -> None:
    assert options(LIMITS, money("999.99"), MONDAY, PLAIN) == ()
    assert options(LIMITS, money("1000.00"), MONDAY, PLAIN) != ()


def test_thresholds_are_compared_at_the_documents_own_rate() -> None:
    # Base NZD: the minimum of 1,000.00 is USD 600.00 at 0.6 USD for one NZD.
    assert options(LIMITS, money("599.99", "USD"), MONDAY, PLAIN, rate=Decimal("0.6")) == ()
    assert options(LIMITS, money("600.00", "USD"), MONDAY, PLAIN, rate=Decimal("0.6")) != ()


def test_the_first_payment_is_good_faith_and_the_rest_is_equal() -> None:
    five = next(o for o in options(LIMITS, money("1200.01"), MONDAY, PLAIN, principal=True) if len(o.instalments) == 5)
    assert [str(line.amount.amount) for line in five.instalments] == ["300.01", "225.00", "225.00", "225.00", "225.00"]


@pytest.mark.parametrize("whole", ["1000.00", "1000.01", "1000.02", "1000.03"])
def test_four_parts_of_which_the_first_is_a_quarter_are_equal_and_only_the_last_takes_the_remainder(whole: str) -> None:
    four = next(o for o in options(LIMITS, money(whole), MONDAY, PLAIN) if len(o.instalments) == 4)
    amounts_of = [str(line.amount.amount) for line in four.instalments]
    assert amounts_of == ["250.00", "250.00", "250.00", f"250.0{whole[-1]}"]
    plan = offer(four, (("inv-1", money(whole)),), plan_id="p", customer_id="c", on=MONDAY, by="Jo")
    assert validate(LIMITS, plan, PLAIN) == ()


def test_only_permitted_rhythms_are_offered() -> None:
    assert options(LIMITS, money("1200.00"), MONDAY, PLAIN, cadence=Cadence.WEEKLY) == ()
    monthly = options(LIMITS, money("1200.00"), MONDAY, PLAIN, cadence=Cadence.MONTHLY)
    assert {o.cadence for o in monthly} == {Cadence.MONTHLY}
    three = next(o for o in monthly if len(o.instalments) == 3)
    assert [line.due for line in three.instalments] == [date(2026, 3, 9), date(2026, 4, 9), date(2026, 5, 11)]


def test_without_a_business_day_in_time_for_the_first_payment_nothing_is_offered() -> None:
    shut = Calendar(frozenset(MONDAY + timedelta(days=n) for n in range(1, 8)))
    assert options(LIMITS, money("1200.00"), MONDAY, shut) == ()


def test_a_month_later_is_that_months_last_day_where_it_is_shorter() -> None:
    assert add_months(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert add_months(date(2026, 1, 31), 13) == date(2027, 2, 28)
    assert add_months(date(2026, 3, 31), -1) == date(2026, 2, 28)
    assert add_months(date(2026, 12, 15), 1) == date(2027, 1, 15)


def test_an_offer_must_add_up() -> None:
    option = options(LIMITS, money("1200.00"), MONDAY, PLAIN)[0]
    with pytest.raises(ValueError, match=r"1,200\.00.*1,199\.99"):
        offer(option, (("inv-1", money("1199.99")),), plan_id="p", customer_id="c", on=MONDAY, by="Jo")


SOUND = signed_plan(date(2026, 3, 6), date(2026, 3, 20), date(2026, 4, 7))


def _with(
    plan: PaymentPlan, position: int, *, due: date | None = None, amount: Money | None = None, number: int | None = None
) -> PaymentPlan:
    lines = list(plan.instalments)
    line = lines[position]
    lines[position] = Instalment(number or line.number, due or line.due, amount or line.amount)
    return replace(plan, instalments=tuple(lines))


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (_with(SOUND, 1, amount=money("399.99")), "plan.sum_differs"),
        (_with(SOUND, 1, due=date(2026, 4, 7)), "plan.dates_not_increasing"),
        (_with(SOUND, 1, due=date(2026, 3, 21)), "plan.not_a_business_day"),
        (_with(SOUND, 1, number=3), "plan.numbers_not_in_order"),
        (_with(SOUND, 0, due=date(2026, 3, 2)), "plan.first_due_already"),
        (_with(SOUND, 0, due=date(2026, 3, 10)), "plan.first_too_late"),
        (_with(SOUND, 2, due=date(2026, 7, 3)), "plan.too_long"),
        (_with(_with(SOUND, 1, amount=money("401")), 2, amount=money("399")), "plan.remainder_not_last"),
        (_with(_with(SOUND, 0, amount=money("299")), 2, amount=money("501")), "plan.first_too_small"),
        (_with(_with(SOUND, 0, amount=money("801")), 1, amount=money("199")), "plan.instalment_too_small"),
        (signed_plan(date(2026, 3, 6), date(2026, 3, 20), amount="999.98"), "plan.debt_too_small"),
        (
            signed_plan(*(date(2026, 3, 6) + timedelta(days=7 * n) for n in range(5))),
            "plan.too_many_instalments",
        ),
        (_with(SOUND, 1, amount=money("400", "USD")), "plan.not_one_currency"),
        (replace(SOUND, covered=()), "plan.not_one_currency"),
    ],
)
def test_what_is_wrong_with_a_plan_is_named(plan: PaymentPlan, code: str) -> None:
    assert validate(LIMITS, SOUND, PLAIN) == ()
    assert code in [reason.code for reason in validate(LIMITS, plan, PLAIN)]


def _progress(
    *payments: Payment,
    credits_: tuple[Credit, ...] = (),
    as_of: date = date(2026, 3, 23),
    known_to: date | None = None,
    books: tuple[Invoice, ...] = (invoice("inv-1", "1200.00"),),
) -> PlanProgress:
    book = CustomerBook(customer(), books, payments, credits_)
    return progress(SOUND, book, known_to or as_of, as_of)


def _paid(amount: str, on: date, *, active: bool = True) -> Payment:
    return payment(f"pay-{on}", amount, paid_on=on, active=active)


def test_money_fills_the_oldest_instalment_first() -> None:
    found = _progress(_paid("500.00", date(2026, 3, 6)))
    assert (found.kept, found.missed, found.paid, found.next_due) == (1, (2,), money("500.00"), date(2026, 3, 20))


def test_only_money_laid_after_the_signature_counts() -> None:
    early, deleted = _paid("400.00", date(2026, 3, 1)), _paid("400.00", date(2026, 3, 5), active=False)
    elsewhere = payment("other", "400.00", invoice_ids=("inv-2",), paid_on=date(2026, 3, 5))
    assert _progress(early, deleted, elsewhere).missed == (1, 2)
    assert _progress(_paid("400.00", date(2026, 3, 2))).missed == (2,)


def test_an_instalment_is_missed_only_as_far_as_cash_is_known() -> None:
    found = _progress(known_to=date(2026, 3, 19))
    assert (found.missed, found.undecided) == ((1,), (2,))
    assert _progress(as_of=date(2026, 3, 6)).missed == ()  # due today is not missed


def test_a_credit_note_reduces_the_last_instalments() -> None:
    note = credit("cn", "500.00", remaining=0, allocations=(Allocation("inv-1", money("500.00"), date(2026, 3, 10)),))
    found = _progress(_paid("400.00", date(2026, 3, 6)), credits_=(note,), as_of=date(2026, 3, 19))
    assert (found.kept, found.next_due) == (2, date(2026, 3, 20))  # the first by money, the last by credit
    later = _progress(_paid("400.00", date(2026, 3, 6)), credits_=(note,))
    assert later.missed == (2,)  # NZD 300.00 of it is still to pay


def test_an_allocated_overpayment_is_money() -> None:
    over = credit(
        "op", "400.00", kind=CreditKind.OVERPAYMENT, remaining=0,
        allocations=(Allocation("inv-1", money("400.00"), date(2026, 3, 6)),),
    )  # fmt: skip
    assert _progress(credits_=(over,)).missed == (2,)


def test_a_voided_invoice_leaves_nothing_to_pay() -> None:
    voided = invoice("inv-1", "1200.00", balance=0)
    assert _progress(books=(voided,)).kept == 3


def test_unapplied_money_is_seen_and_credit_notes_are_not_money() -> None:
    prepaid = credit("pp", "70.00", kind=CreditKind.PREPAYMENT, issued=date(2026, 3, 5))
    note = credit("cn", "30.00", issued=date(2026, 3, 5))
    unlaid = payment("loose", "5.00", invoice_ids=(), paid_on=date(2026, 3, 5))
    assert _progress(unlaid, credits_=(prepaid, note)).unapplied == money("75.00")
    assert _progress().unapplied is None


def test_an_unsigned_plan_has_no_progress() -> None:
    with pytest.raises(ValueError, match="not signed"):
        progress(replace(SOUND, signature=None), CustomerBook(customer()), MONDAY, MONDAY)


@pytest.mark.parametrize("preset", ["gentle", "standard", "firm"])
def test_breach_comes_after_grace_and_void_after_cure(preset: str) -> None:
    limits: Plan = policy(preset).plan
    due = SOUND.instalments[0].due
    grace = due + timedelta(days=limits.breach_days)
    cure = grace + timedelta(days=limits.cure_days)
    assert cure < SOUND.instalments[2].due  # else this example says nothing

    def standing(on: date) -> PlanStanding:
        return judge(limits, _progress(as_of=on), on, on).standing

    assert standing(due) is PlanStanding.ON_TRACK
    assert [standing(due + timedelta(days=1)), standing(grace), standing(grace + timedelta(days=1))] == [
        PlanStanding.MISSED,
        PlanStanding.MISSED,
        PlanStanding.BREACHED,
    ]
    assert [standing(cure), standing(cure + timedelta(days=1))] == [PlanStanding.BREACHED, PlanStanding.UNCURED]
    assert judge(limits, _progress(as_of=cure), cure, cure).cure_by == cure
