"""The mirror: what the ledger said last, written only where it differs."""

from __future__ import annotations

from collections import Counter
from dataclasses import MISSING, fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from connector.domain.ledger import (
    Address,
    Allocation,
    Credit,
    Customer,
    Invoice,
    InvoiceStatus,
    Line,
    NeedsReview,
    PaymentTerms,
    Person,
    Record,
    RecordKind,
    TermsBasis,
)
from connector.domain.money import Money
from connector.errors import NotFound
from connector.store import mirror, wake
from connector.store.db import Database, Tx
from tests.builders import STAMP, credit, customer, invoice, money, payment
from tests.store.conftest import TENANT

ORG = "xero:org-1"
LATER = STAMP + timedelta(seconds=1)

RICH_CUSTOMER = Customer(
    id="c-9",
    name="Žižkov & Søn",
    email="Ær@example.test",
    first_name="Anna",
    last_name="Novák",
    people=(Person("Bo", "bo@example.test", on_invoices=True), Person("Cy", "", on_invoices=False)),
    addresses=(Address("postal", ("1 High St", "Floor 2"), "Leeds", "W Yorks", "LS1", "GB", "Accounts"),),
    phones=("+44 1", "+44 2"),
    active=False,
    currency="GBP",
    account_number="4711",
    groups=("Trade", "Query"),
    merged_into="c-8",
    parent="c-7",
    terms=PaymentTerms(20, TermsBasis.OF_NEXT_MONTH),
    outstanding=Decimal("12345678901234.50"),
    overdue=Decimal("-0.10"),
    updated_at=datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC),
)
RICH_INVOICE = replace(
    invoice("i-9", "1150.00", paid="150.00", tax="150", currency="EUR", rate="0.5875", reference="PO 7", sent=None),
    expected=date(2026, 4, 1),
    fully_paid_on=date(2026, 5, 1),
    repeating=True,
    has_attachments=True,
    lines=(
        Line("l1", 'A "quoted"\nline \U0001f600', money("1000", "EUR"), money("150", "EUR"), "200", "OUTPUT2"),
        Line("l2", "", money("-0.01", "EUR"), money("0", "EUR")),
    ),
)
BY_DEFAULT = {"sent", "reference", "active", "rate"}  # told elsewhere: `test_records_come_back_exactly` varies them
RICH_CREDIT = credit(
    "k-9",
    "500",
    remaining="120.50",
    number="CN-1",
    allocations=(Allocation("i-9", money("379.50"), date(2026, 2, 3), "a-1"),),
)


@pytest.mark.parametrize("rich", [RICH_CUSTOMER, RICH_INVOICE, RICH_CREDIT], ids=lambda rich: type(rich).__name__)
def test_the_rich_records_name_every_field(rich: Customer | Invoice | Credit) -> None:
    """Else a field that the store forgets would come back as its default, and look right."""
    forgotten = [
        field.name
        for field in fields(rich)
        if field.default is not MISSING and getattr(rich, field.name) == field.default and field.name not in BY_DEFAULT
    ]
    assert forgotten == []


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        (RecordKind.CUSTOMER, RICH_CUSTOMER),
        (RecordKind.CUSTOMER, customer(updated_at=None, outstanding=None)),
        (RecordKind.INVOICE, RICH_INVOICE),
        (RecordKind.INVOICE, invoice("yen", 1150, currency="JPY", due=None, sent=False)),
        (RecordKind.INVOICE, invoice("void", "10", status=InvoiceStatus.VOIDED)),
        (RecordKind.PAYMENT, payment("p-9", "100", invoice_ids=("i-1", "i-2", "i-3"), reconciled=True, account="090")),
        (RecordKind.PAYMENT, payment("p-8", "1", customer_id="", active=False)),
        (RecordKind.CREDIT, RICH_CREDIT),
    ],
)
def test_records_come_back_exactly(tx: Tx, kind: RecordKind, record: Record) -> None:
    mirror.upsert(tx, ORG, RecordKind.CUSTOMER, [customer("cust-1")])
    mirror.upsert(tx, ORG, kind, [record])
    match kind:
        case RecordKind.CUSTOMER:
            found: object = mirror.customer(tx, ORG, record.id)
        case RecordKind.INVOICE:
            found = mirror.invoice(tx, ORG, record.id)
        case RecordKind.PAYMENT | RecordKind.CREDIT:
            mirror.upsert(tx, ORG, RecordKind.INVOICE, [invoice("inv-1")])
            book = mirror.book(tx, ORG, "cust-1")
            (found,) = book.payments if kind is RecordKind.PAYMENT else book.credits
    assert found == record


class TestUpsert:
    def test_what_is_unchanged_is_not_written(self, tx: Tx) -> None:
        records = [customer(f"c{n}") for n in range(2_500)]
        assert mirror.upsert(tx, ORG, RecordKind.CUSTOMER, records) == mirror.Upserted(2_500, 2_500)
        written: list[str] = []

        @sa.event.listens_for(tx.connection.engine, "before_cursor_execute")
        def watch(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
            written.append(statement.split(maxsplit=1)[0])

        assert mirror.upsert(tx, ORG, RecordKind.CUSTOMER, records) == mirror.Upserted(2_500, 0)
        assert set(written) == {"SELECT"}

    @pytest.mark.parametrize(
        ("first", "second", "kept"),
        [
            (STAMP, LATER, "new"),
            (LATER, STAMP, "old"),
            (STAMP, STAMP, "new"),
            (STAMP, None, "new"),
            (None, STAMP, "new"),
        ],
    )
    def test_older_never_overwrites_newer(
        self, tx: Tx, first: datetime | None, second: datetime | None, kept: str
    ) -> None:
        old = invoice("i", reference="old", updated_at=first)
        new = invoice("i", reference="new", updated_at=second)
        mirror.upsert(tx, ORG, RecordKind.INVOICE, [old])
        result = mirror.upsert(tx, ORG, RecordKind.INVOICE, [new])
        assert result.changed == (kept == "new")
        assert mirror.invoice(tx, ORG, "i").reference == kept
        mirror.upsert(tx, ORG, RecordKind.INVOICE, [invoice("j")])
        # The same within one batch, where records may repeat.
        mirror.upsert(tx, ORG, RecordKind.INVOICE, [replace(old, id="k"), replace(new, id="k")])
        assert mirror.invoice(tx, ORG, "k").reference == kept

    def test_organisations_are_apart(self, tx: Tx) -> None:
        mirror.upsert(tx, ORG, RecordKind.INVOICE, [invoice("i", "10")])
        mirror.upsert(tx, "xero:other", RecordKind.INVOICE, [invoice("i", "20")])
        assert mirror.invoice(tx, ORG, "i").total == money("10")
        assert mirror.counts(tx, ORG)[RecordKind.INVOICE] == 1
        with pytest.raises(NotFound, match="no such invoice"):
            mirror.invoice(tx, "xero:third", "i")

    def test_another_tenant_sees_nothing(self, database: Database) -> None:
        with database.writing("firm-a") as tx:
            mirror.upsert(tx, ORG, RecordKind.CUSTOMER, [customer("c")])
        with database.reading("firm-b") as tx:
            assert mirror.counts(tx, ORG)[RecordKind.CUSTOMER] == 0
            assert list(mirror.books(tx, ORG, open_only=False)) == []

    @pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "\x00", "x\udfff\ud800"])
    def test_text_that_no_database_holds_does_not_block_the_page(self, tx: Tx, text: str) -> None:
        line = Line("l", text, money(1), money(0))
        hostile = [invoice("bad", number=text, reference=text, lines=(line,)), invoice("good")]
        assert mirror.upsert(tx, ORG, RecordKind.INVOICE, hostile).changed == 2
        mirror.upsert(tx, ORG, RecordKind.CUSTOMER, [replace(RICH_CUSTOMER, name=text, first_name=text)])
        found = mirror.invoice(tx, ORG, "bad")
        told = [found.number, found.reference, found.lines[0].description]
        debtor = mirror.customer(tx, ORG, "c-9")
        for value in (*told, debtor.name, debtor.first_name):
            assert "\ufffd" in value
            assert "\x00" not in value
            value.encode()
        assert mirror.upsert(tx, ORG, RecordKind.INVOICE, hostile).changed == 0  # mended the same way again

    @pytest.mark.parametrize(
        ("broken", "reason"),
        [
            (replace(invoice("bad"), tax=Money(1, "USD")), "mixes NZD and USD"),
            (replace(invoice("bad"), total=Money(10**19, "NZD")), "too large"),
            (replace(invoice("bad"), updated_at=datetime(2026, 1, 1)), "no time zone"),  # noqa: DTZ001
            (invoice("bad", lines=(Line("l", "", Money(1, "USD"), money(0)),)), "mixes NZD and USD"),
        ],
    )
    def test_what_cannot_be_true_goes_to_a_person(self, tx: Tx, broken: Record, reason: str) -> None:
        mirror.upsert(tx, ORG, RecordKind.CUSTOMER, [customer()])
        assert mirror.upsert(tx, ORG, RecordKind.INVOICE, [broken, invoice("good")]) == mirror.Upserted(2, 1)
        (item,) = mirror.needs_review_list(tx, ORG)
        assert (item.kind, item.id, item.customer_id) == (RecordKind.INVOICE, "bad", "cust-1")
        assert reason in item.reason


class TestNeedsReview:
    ITEM = NeedsReview(RecordKind.INVOICE, "inv-1", "unknown status 'FROZEN'", "cust-1", "INV-1")

    def test_listed_until_the_record_is_read_for_certain(self, tx: Tx) -> None:
        mirror.upsert(tx, ORG, RecordKind.CUSTOMER, [customer()])
        mirror.review(tx, ORG, [self.ITEM])
        mirror.review(tx, ORG, [replace(self.ITEM, reason="still unknown")])
        assert [item.reason for item in mirror.needs_review_list(tx, ORG)] == ["still unknown"]
        assert [item.id for item in mirror.book(tx, ORG, "cust-1").needs_review] == ["inv-1"]
        wake.clear(tx, ORG, ["cust-1"])
        mirror.upsert(tx, ORG, RecordKind.INVOICE, [invoice("inv-1")])
        assert mirror.needs_review_list(tx, ORG) == ()
        assert wake.due(tx, ORG, date(2026, 3, 2)) == {"cust-1"}

    def test_cleared_also_when_the_certain_record_is_the_one_we_have(self, tx: Tx) -> None:
        mirror.upsert(tx, ORG, RecordKind.CUSTOMER, [customer()])
        mirror.upsert(tx, ORG, RecordKind.INVOICE, [invoice("inv-1")])
        mirror.review(tx, ORG, [replace(self.ITEM, customer_id="")])
        assert mirror.needs_review_list(tx, ORG)[0].customer_id == "cust-1"  # known from the mirror
        assert mirror.upsert(tx, ORG, RecordKind.INVOICE, [invoice("inv-1")]).changed == 0
        assert mirror.needs_review_list(tx, ORG) == ()

    def test_an_invoice_without_its_customer_is_named(self, tx: Tx) -> None:
        paid = invoice("settled", paid="115")
        mirror.upsert(tx, ORG, RecordKind.INVOICE, [invoice("inv-1"), paid])
        (orphan,) = mirror.needs_review_list(tx, ORG)
        assert (orphan.id, orphan.customer_id) == ("inv-1", "cust-1")
        mirror.upsert(tx, ORG, RecordKind.CUSTOMER, [customer()])
        assert mirror.needs_review_list(tx, ORG) == ()


class TestWake:
    def due(self, tx: Tx) -> set[str]:
        found = wake.due(tx, ORG, date(2026, 3, 2))
        wake.clear(tx, ORG, found)
        return found

    def test_customers_of_changed_records_wake(self, tx: Tx) -> None:
        mirror.upsert(tx, ORG, RecordKind.CUSTOMER, [customer("a"), customer("b")])
        assert self.due(tx) == {"a", "b"}
        mirror.upsert(tx, ORG, RecordKind.INVOICE, [invoice("i", customer_id="a")])
        assert self.due(tx) == {"a"}
        mirror.upsert(tx, ORG, RecordKind.INVOICE, [invoice("i", customer_id="a")])
        assert self.due(tx) == set()
        mirror.upsert(tx, ORG, RecordKind.CREDIT, [credit("k", customer_id="b")])
        assert self.due(tx) == {"b"}

    def test_a_payment_that_names_only_its_invoice_wakes_the_customer(self, tx: Tx) -> None:
        mirror.upsert(tx, ORG, RecordKind.INVOICE, [invoice("i", customer_id="a")])
        assert self.due(tx) == {"a"}
        mirror.upsert(tx, ORG, RecordKind.PAYMENT, [payment("p", customer_id="", invoice_ids=("i",))])
        assert self.due(tx) == {"a"}

    def test_an_invoice_that_moves_wakes_both_customers(self, tx: Tx) -> None:
        mirror.upsert(tx, ORG, RecordKind.INVOICE, [invoice("i", customer_id="a")])
        self.due(tx)
        mirror.upsert(tx, ORG, RecordKind.INVOICE, [invoice("i", customer_id="b", updated_at=LATER)])
        assert self.due(tx) == {"a", "b"}

    def test_a_customer_wakes_on_its_day(self, tx: Tx) -> None:
        wake.set_revisit(tx, ORG, "a", date(2026, 3, 3))
        assert wake.due(tx, ORG, date(2026, 3, 2)) == set()
        assert wake.due(tx, ORG, date(2026, 3, 3)) == wake.due(tx, ORG, date(2026, 4, 1)) == {"a"}
        wake.clear(tx, ORG, ["a"])  # looked at, but nobody set another day
        assert wake.due(tx, ORG, date(2026, 3, 3)) == {"a"}
        wake.set_revisit(tx, ORG, "a", None)
        assert wake.due(tx, ORG, date(2030, 1, 1)) == set()
        wake.mark(tx, ORG, ["a", "", "b"])
        assert wake.due(tx, ORG, date(2026, 1, 1)) == {"a", "b"}


class TestReading:
    @pytest.fixture
    def books(self, tx: Tx) -> Tx:
        """300 customers: c000 … c299. Every third has an open invoice, every fifth a draft, all a paid one."""
        customers = [customer(f"c{n:03}", f"Customer {n}", email=f"n{n}@example.test") for n in range(300)]
        invoices = [invoice(f"paid{n:03}", paid="115", customer_id=f"c{n:03}") for n in range(300)]
        invoices += [invoice(f"open{n:03}", customer_id=f"c{n:03}") for n in range(0, 300, 3)]
        invoices += [
            invoice(f"draft{n:03}", customer_id=f"c{n:03}", status=InvoiceStatus.DRAFT) for n in range(0, 300, 5)
        ]
        mirror.upsert(tx, ORG, RecordKind.CUSTOMER, customers)
        mirror.upsert(tx, ORG, RecordKind.INVOICE, invoices)
        paid = [payment(f"pay{n:03}", customer_id="", invoice_ids=(f"paid{n:03}",)) for n in range(300)]
        mirror.upsert(tx, ORG, RecordKind.PAYMENT, paid)
        return tx

    def test_books_hold_the_whole_history_and_come_in_order(self, books: Tx) -> None:
        every = list(mirror.books(books, ORG, open_only=False))
        assert [b.customer.id for b in every] == [f"c{n:03}" for n in range(300)]
        assert {i.id for i in every[15].invoices} == {"paid015", "open015", "draft015"}
        assert [p.id for p in every[15].payments] == ["pay015"]
        assert every[15] == mirror.book(books, ORG, "c015")

    def test_books_with_something_open(self, books: Tx) -> None:
        wanted = [f"c{n:03}" for n in range(300) if n % 3 == 0 or n % 5 == 0]
        assert [b.customer.id for b in mirror.books(books, ORG)] == wanted
        assert len(next(iter(mirror.books(books, ORG))).invoices) == 3  # closed ones too

    def test_books_of_named_customers(self, books: Tx) -> None:
        ids = ["c001", "c299", "c000", "nobody", "c001"]
        assert [b.customer.id for b in mirror.books(books, ORG, ids)] == ["c000"]
        assert [b.customer.id for b in mirror.books(books, ORG, ids, open_only=False)] == ["c000", "c001", "c299"]
        assert list(mirror.books(books, ORG, [])) == []

    def test_few_queries_for_many_customers(self, books: Tx) -> None:
        queries: list[str] = []

        @sa.event.listens_for(books.connection.engine, "before_cursor_execute")
        def watch(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
            queries.append(statement)

        assert len(list(mirror.books(books, ORG, open_only=False))) == 300
        assert len(queries) <= 15

    def test_open_balances_and_all_invoices(self, books: Tx) -> None:
        open_ones = [i for i in mirror.all_invoices(books, ORG) if i.is_open]
        assert {i.id for i in open_ones} == {f"open{n:03}" for n in range(0, 300, 3)}
        foreign = replace(open_ones[0], balance=Money(123, "USD"), rate=Decimal("0.61"))
        foreign = replace(foreign, total=Money(123, "USD"), tax=Money(0, "USD"), paid=Money(0, "USD"))
        mirror.upsert(books, ORG, RecordKind.INVOICE, [replace(foreign, credited=Money(0, "USD"))])
        expected = [(i.currency, i.balance.minor, str(i.rate)) for i in open_ones[1:]] + [("USD", 123, "0.61")]
        assert Counter(mirror.open_balances(books, ORG)) == Counter(expected)
        mirror.upsert(books, ORG, RecordKind.INVOICE, [RICH_INVOICE])
        every = {i.id: i for i in mirror.all_invoices(books, ORG)}
        assert len(every) == mirror.counts(books, ORG)[RecordKind.INVOICE] == 461
        assert every["i-9"] == replace(RICH_INVOICE, lines=())

    def test_find(self, books: Tx) -> None:
        expected = {
            "c007": ["c007"],
            "customer 7": ["c007"],
            " N7@Example.TEST ": ["c007"],
            "inv-open000": ["open000"],
            "open000": ["open000"],
            "customer": [],
            "": [],
            "%": [],
        }
        assert {text: [r.id for r in mirror.find(books, ORG, text)] for text in expected} == expected

    def test_find_returns_every_match(self, tx: Tx) -> None:
        mirror.upsert(tx, ORG, RecordKind.CUSTOMER, [customer("b", "Smith"), customer("a", "SMITH")])
        mirror.upsert(tx, ORG, RecordKind.INVOICE, [invoice("i", number="smith")])
        assert [record.id for record in mirror.find(tx, ORG, "Smith")] == ["a", "b", "i"]

    def test_an_unknown_customer(self, tx: Tx) -> None:
        with pytest.raises(NotFound, match="no such customer"):
            mirror.book(tx, ORG, "nobody")

    def test_outstanding_total_is_exact(self, tx: Tx) -> None:
        assert mirror.outstanding_total(tx, ORG) is None
        figures = ["0.10", "0.20", "12345678901234.56", "-0.01"]
        mirror.upsert(
            tx, ORG, RecordKind.CUSTOMER, [customer(f"c{n}", outstanding=f) for n, f in enumerate((*figures, None))]
        )
        assert mirror.outstanding_total(tx, ORG) == Decimal("12345678901234.85")

    def test_newest_reconciled_payment_by_account(self, tx: Tx) -> None:
        def paid(n: int, day: int, account: str, *, reconciled: bool | None = True, active: bool = True) -> Record:
            return payment(f"p{n}", paid_on=date(2026, 2, day), account=account, reconciled=reconciled, active=active)

        mirror.upsert(
            tx, ORG, RecordKind.PAYMENT,
            [
                paid(1, 3, "090"), paid(2, 9, "090"), paid(3, 20, "090", reconciled=None),
                paid(4, 21, "090", reconciled=False), paid(5, 22, "090", active=False), paid(6, 5, ""),
            ],
        )  # fmt: skip
        assert mirror.newest_reconciled(tx, ORG) == {"": date(2026, 2, 5), "090": date(2026, 2, 9)}


def test_a_page_that_fails_leaves_nothing(database: Database) -> None:
    def page() -> None:
        with database.writing(TENANT) as tx:
            mirror.upsert(tx, ORG, RecordKind.CUSTOMER, [customer("c")])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        page()
    with database.reading(TENANT) as tx:
        assert mirror.counts(tx, ORG)[RecordKind.CUSTOMER] == 0
        assert wake.due(tx, ORG, date(2026, 3, 2)) == set()
