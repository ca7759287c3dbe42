"""History: who paid what when, and which agreements were broken."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from connector.domain.cases import Dispute, DisputeCode, Extension, HeldBy, Holder, LetterSent, Promise
from connector.domain.ledger import InvoiceStatus
from tests.builders import invoice, money, payment
from tests.worlds import MONDAY, START, World, days_after

CUSTOMER = "cust-1"


def paid(world: World, number: int, late: int, *, due: date, total: str = "100.00", sent: bool | None = True) -> str:
    """An invoice that was paid so many days after its due date."""
    record_id = f"inv-{number}"
    world.invoices.append(invoice(record_id, total, issued=due - timedelta(days=14), due=due, sent=sent))
    world.pay(record_id, days_after(due, late))
    return record_id


def test_value_on_time_median_and_worst_come_from_bank_dates() -> None:
    world = World()
    for number, (late, total) in enumerate([(-2, "100.00"), (7, "300.00"), (8, "100.00"), (40, "500.00")]):
        paid(world, number, late, due=date(2025, 10, 1), total=total)
    history = world.facts(MONDAY).history
    assert (history.invoices_paid, history.paid_on_time_share) == (4, Decimal("0.4"))
    assert (history.median_days_late, history.worst_days_late) == (7, 40)
    assert history.first_invoice == date(2025, 9, 17)


def test_disputed_held_and_never_sent_invoices_say_nothing_about_a_payer() -> None:
    world = World()
    disputed, held, fine = (paid(world, n, 30, due=date(2025, 10, 1)) for n in range(3))
    paid(world, 3, 30, due=date(2025, 10, 1), sent=False)
    world.records = [
        Dispute(
            id="d", customer_id=CUSTOMER, on=START, by="Ana", invoice_id=disputed, code=DisputeCode.PRICE,
            amount=money("1.00"), decide_by=MONDAY, resolved_on=START,
        ),
        HeldBy(id="h", customer_id=CUSTOMER, on=START, by="Ana", holder=Holder.FACTOR, invoice_id=held),
    ]  # fmt: skip
    assert [one.invoice_id for one in world.facts(MONDAY).history.paid] == [fine]


def test_an_invoice_sent_late_by_us_is_not_held_against_the_payer() -> None:
    world = World()
    record_id = paid(world, 1, 20, due=date(2025, 10, 15), sent=False)
    world.records = [
        LetterSent(
            id="l", customer_id=CUSTOMER, on=date(2025, 10, 20), by="dunwell", level=0, what="send_invoice",
            occasion="first", invoice_ids=(record_id,),
        )
    ]  # fmt: skip
    assert [one.days_late for one in world.facts(MONDAY).history.paid] == [1]


def test_only_the_last_twelve_of_two_years_count() -> None:
    world = World()
    for number in range(14):
        paid(world, number, number, due=date(2025, 6, 1))
    paid(world, 99, 500, due=date(2022, 1, 1))
    history = world.facts(MONDAY).history
    assert history.invoices_paid == 15
    assert [one.days_late for one in history.paid] == list(range(2, 14))


def test_a_reversed_payment_and_a_credited_invoice_are_no_payment() -> None:
    world = World()
    paid(world, 1, 3, due=date(2025, 10, 1))
    world.invoices[0] = replace(world.invoices[0], status=InvoiceStatus.APPROVED, balance=money("100.00"))
    world.payments[0] = replace(world.payments[0], active=False)
    world.invoices.append(
        invoice("inv-2", "100.00", credited="100.00", due=date(2025, 10, 1), fully_paid_on=date(2025, 10, 9))
    )
    assert world.facts(MONDAY).history.invoices_paid == 0


def test_broken_promises_and_lapsed_extensions_of_the_last_year_count_once_cash_is_known() -> None:
    world = World(invoices=[invoice("inv-1", "100.00", due=date(2026, 1, 10)), invoice("inv-2", due=date(2026, 1, 10))])
    until = date(2026, 2, 2)
    promise = Promise(id="p", customer_id=CUSTOMER, on=until, by="Ana", invoice_ids=("inv-1",), until=until)
    long_ago = replace(promise, id="q", on=date(2025, 1, 2), until=date(2025, 1, 2))
    extension = Extension(
        id="e", customer_id=CUSTOMER, on=date(2026, 1, 20), by="Ana", invoice_id="inv-2", until=date(2026, 1, 27)
    )
    world.records = [long_ago, extension, promise]
    history = world.facts(MONDAY).history
    assert (history.broken_promises_12_months, history.extensions_12_months) == (2, 1)
    world.cash_lag = 40
    assert world.facts(MONDAY).history.broken_promises_12_months == 0, "nobody can know yet"
    world.cash_lag = 0
    world.pay("inv-2", date(2026, 1, 27))
    assert world.facts(MONDAY).history.broken_promises_12_months == 1


def test_revenue_is_net_of_tax_and_credits_in_base_currency() -> None:
    world = World(
        invoices=[
            invoice("inv-1", "115.00", tax="15.00", issued=date(2025, 12, 1)),
            invoice("inv-2", "200.00", credited="50.00", issued=date(2025, 12, 1), currency="USD", rate="0.5"),
            invoice("inv-3", "999.00", issued=date(2024, 12, 1)),
            invoice("inv-4", "999.00", issued=date(2025, 12, 1), status=InvoiceStatus.VOIDED),
        ]
    )
    assert world.facts(MONDAY).history.revenue_12_months == money("400.00")


def test_a_payment_for_another_invoice_does_not_settle_this_one() -> None:
    world = World(invoices=[invoice("inv-1", "100.00", due=date(2026, 2, 1))])
    world.payments = [payment("p", "100.00", invoice_ids=("inv-other",))]
    assert world.facts(MONDAY).history.invoices_paid == 0
