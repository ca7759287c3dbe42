"""The odd things that real books hold, each in recorded answers written out here, with figures worked out by hand.

An organisation in New Zealand, looked at on 1 October 2026. 1790726400000 ms is 30 September 2026, 00:00 UTC.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connector.cli import main
from connector.domain.ledger import InvoiceStatus
from connector.errors import UserError
from connector.store import mirror
from tests.real_input.practice import Practice, aged, practice, sums

pytestmark = pytest.mark.socket

NOW = "2026-10-01T00:00:00+00:00"  # 13:00 in Auckland
ADA = {"ContactID": "11111111-0000-4000-8000-000000000001", "Name": "Ada Ltd"}
BOB = {"ContactID": "11111111-0000-4000-8000-000000000002", "Name": "Bob only in documents"}
SEPTEMBER_1 = "/Date(1788220800000+0000)/"
SEPTEMBER_30 = "/Date(1790726400000+0000)/"
ORGANISATION = {
    "Organisations": [
        {
            "OrganisationID": "99999999-0000-4000-8000-000000000001",
            "Name": "Odd Books Ltd",
            "BaseCurrency": "NZD",
            "CountryCode": "NZ",
            "Timezone": "NEWZEALANDSTANDARDTIME",
        }
    ]
}


def invoice(number: str, total: float, **fields: object) -> dict[str, object]:
    """A recorded receivable of Ada, approved, issued on 1 September, due on 30 September, nothing paid."""
    made = {
        "Type": "ACCREC",
        "InvoiceID": f"22222222-0000-4000-8000-{int(number):012d}",
        "InvoiceNumber": f"INV-{number}",
        "Status": "AUTHORISED",
        "Contact": ADA,
        "Date": SEPTEMBER_1,
        "DueDate": SEPTEMBER_30,
        "SubTotal": total,
        "TotalTax": 0.0,
        "Total": total,
        "AmountDue": total,
        "AmountPaid": 0.0,
        "AmountCredited": 0.0,
        "SentToContact": True,
        "CurrencyCode": "NZD",
        "CurrencyRate": 1.0,
        "UpdatedDateUTC": "/Date(1788307200000+0000)/",
        **fields,
    }
    return {key: value for key, value in made.items() if value is not None}


def record(folder: Path, **files: object) -> Path:
    """A folder of recorded answers."""
    folder.mkdir()
    for name, body in {"organisation": ORGANISATION, **files}.items():
        (folder / f"{name}.json").write_text(json.dumps(body), "utf-8")
    return folder


CONTACTS = [{**ADA, "EmailAddress": "ada@ada.example", "IsCustomer": "True", "ContactStatus": "ACTIVE"}]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """Everything that is odd and can nevertheless be read for certain."""
    folder = tmp_path_factory.mktemp("odd")
    listed = [
        invoice("1", 100.10, DueDate=None),
        # 31 December 1969: the day before the epoch, and its last millisecond.
        invoice("2", 50.0, Date="/Date(-86400000+0000)/", DueDate="/Date(-1+0000)/"),
        # Noon of 30 September UTC, shown with an offset that would make it 1 October.
        invoice("3", 25.0, DueDate="/Date(1790769600000+1300)/"),
        invoice("4", 300.0),
        invoice("5", 500.0, AmountPaid=100.0, AmountDue=450.0),
        invoice("6", 12.3456e2),
        invoice("7", 80.0, Contact=BOB, SentToContact="False"),
        invoice("8", 60.0, Status="DRAFT"),
        invoice("9", 61.0, Status="SUBMITTED"),
        invoice("10", 62.0, Status="VOIDED"),
        invoice("11", 63.0, Status="DELETED"),
        invoice("12", 64.0, Type="ACCPAY"),
        invoice("13", 65.0, Status="PAID", AmountDue=0.0, AmountPaid=65.0, FullyPaidOnDate=SEPTEMBER_30),
    ]
    foreign = [
        invoice("20", 12345.0, CurrencyCode="JPY", CurrencyRate=88.5),
        invoice("21", 1.234, CurrencyCode="KWD", CurrencyRate=0.18),
        invoice("22", 10.5, CurrencyCode="AUD", CurrencyRate=0.91, DueDate="/Date(1793404800000+0000)/"),
    ]
    payments = [
        {
            "PaymentID": "33333333-0000-4000-8000-000000000001",
            "Date": SEPTEMBER_30,
            "Amount": 300.0,
            "Status": "DELETED",
            "PaymentType": "ACCRECPAYMENT",
            "IsReconciled": "true",
            "Invoice": {"InvoiceID": "22222222-0000-4000-8000-000000000004", "Type": "ACCREC", "CurrencyCode": "NZD"},
        }
    ]
    older = invoice("4", 999.0, UpdatedDateUTC="/Date(1788220800001+0000)/")
    books = record(
        folder / "books",
        a={"Id": "x", "Status": "OK", "Invoices": listed},
        b={"invoices": foreign, "contacts": CONTACTS},
        c=[older],
        d={"payments": payments},
    )
    with practice(folder, books, NOW) as found:
        yield found


def test_open_and_overdue_equal_the_books_to_the_cent(odd: Practice) -> None:
    found = odd.report()
    nzd = found.currencies["NZD"]
    # Open: 100.10 + 50.00 + 25.00 + 300.00 + 450.00 + 1,234.56 + 80.00 = 2,239.66 on seven invoices.
    assert sums(nzd.open) == (7, "2239.66")
    # Overdue: all of them but the one without a due date: 2,239.66 - 100.10.
    assert sums(nzd.overdue) == (6, "2139.56")
    assert nzd.no_due_date == 1
    # Due on 30 September = 1 day: 25.00 + 300.00 + 450.00 + 1,234.56 + 80.00. Due in 1969: 50.00.
    assert aged(found, "NZD") == {"current": (1, "100.10"), "1-30": (5, "2089.56"), "90+": (1, "50.00")}
    assert odd.pulled.open["NZD"] == {"count": 7, "total": {"amount": "2239.66", "currency": "NZD"}}
    assert odd.review() == {}


def test_currencies_keep_their_own_smallest_unit(odd: Practice) -> None:
    found = odd.report().currencies
    assert {code: sums(figures.open) for code, figures in found.items() if code != "NZD"} == {
        "JPY": (1, "12345"),  # no decimals
        "KWD": (1, "1.234"),  # three
        "AUD": (1, "10.50"),
    }
    # The Australian one is due on 31 October: open, not overdue.
    assert sums(found["AUD"].overdue) == (0, "0.00")


def test_the_control_total_agrees_with_the_ledgers_own_balances(odd: Practice) -> None:
    # The ledger states balances unconverted: 2,239.66 + 12,345 + 1.234 + 10.50 = 14,596.394 in four currencies.
    control = odd.report().control
    assert control["open_unconverted"] == control["ledger"] == {"amount": "14596.394", "currency": "mixed"}
    # In base: 2,239.66 + 12,345 / 88.5 (139.49) + 1.234 / 0.18 (6.86) + 10.50 / 0.91 (11.54).
    assert control["open_in_base"] == {"amount": "2397.55", "currency": "NZD"}


def test_what_is_no_debt_is_kept_apart(odd: Practice) -> None:
    held = {one.number: one for one in odd.books()["Ada Ltd"].invoices}
    assert {number: str(held[number].balance) for number in ("INV-10", "INV-11")} == {
        "INV-10": "NZD 0.00",
        "INV-11": "NZD 0.00",
    }, "a voided or deleted invoice owes nothing, whatever amount is printed on it"
    assert {number for number, one in held.items() if one.status in (InvoiceStatus.DRAFT, InvoiceStatus.SUBMITTED)} == {
        "INV-8",
        "INV-9",
    }
    assert "INV-12" not in held, "a bill is none of our business"


def test_dates_before_the_epoch_and_with_offsets(odd: Practice) -> None:
    held = {one.number: one for one in odd.books()["Ada Ltd"].invoices}
    assert (str(held["INV-2"].issued), str(held["INV-2"].due)) == ("1969-12-31", "1969-12-31")
    assert str(held["INV-3"].due) == "2026-09-30"
    assert held["INV-1"].due is None


def test_a_deleted_payment_pays_nothing(odd: Practice) -> None:
    book = odd.books()["Ada Ltd"]
    assert [payment.active for payment in book.payments if str(payment.amount) == "NZD 300.00"] == [False]
    assert str({one.number: one.balance for one in book.invoices}["INV-4"]) == "NZD 300.00"
    with odd.w.db.reading(odd.w.tenant) as tx:
        reconciled = mirror.newest_reconciled(tx, odd.row.id)
    assert reconciled == {}, "a deleted payment says nothing about how far the bank is reconciled"


def test_the_newest_of_several_recordings_counts(odd: Practice) -> None:
    assert str({one.number: one.total for one in odd.books()["Ada Ltd"].invoices}["INV-4"]) == "NZD 300.00"


def test_a_customer_who_cannot_be_written_to_is_named(odd: Practice) -> None:
    found = odd.report()
    assert found.without_address == ["Bob only in documents"]
    assert sums(found.currencies["NZD"].unsent) == (1, "80.00"), '"False" is false'


def test_the_plan_of_odd_books(odd: Practice) -> None:
    """Two customers with opening items: one is asked once for what can be asked, the other needs an address first."""
    opening = {one.name: (one.items, {str(amount) for amount in one.amounts}) for one in odd.take_on().customers}
    assert opening == {
        "Ada Ltd": (9, {"NZD 2,159.66", "JPY 12,345", "KWD 1.234", "AUD 10.50"}),  # 2,239.66 less Bob's 80.00
        "Bob only in documents": (1, {"NZD 80.00"}),
    }
    assert not [action for action in odd.plan().actions if action.decision.contact], "days count from the connection"
    odd.next_day()
    planned = odd.plan().actions
    contacts = [action for action in planned if action.decision.contact]
    assert [action.key.kind.value for action in contacts] == ["statement"], "one letter a day to one customer"
    assert {str(action.decision.data["letter"]) for action in contacts} == {"take_on_statement"}
    # Asked for: 25.00 + 300.00 + 450.00 + 1,234.56. Not: what has no due date, and what is due since 1969.
    assert (str(contacts[0].decision.amount), len(contacts[0].decision.items)) == ("NZD 2,009.56", 4)
    assert {str(a.decision.amount) for a in planned if a.key.occasion == "take-on:too-old"} == {"NZD 50.00"}
    addresses = [a for a in planned if a.key.occasion == "address:no_address"]
    assert [a.key.target for a in addresses] == [BOB["ContactID"]]
    done = odd.apply()
    assert sorted(row.effect.kind.value for row in done.effects) == ["letter", "note"]
    assert done.counts == {"done": 2}
    assert odd.apply().effects == [], "nothing happens twice"


def test_a_batch_says_what_its_payments_are(tmp_path: Path) -> None:
    """Answers about batches name payments by id and amount only; the rest stands on the batch."""
    batch = {
        "BatchPaymentID": "44444444-0000-4000-8000-000000000001",
        "Type": "RECBATCH",
        "Status": "AUTHORISED",
        "Date": SEPTEMBER_30,
        "TotalAmount": "70.00",
        "IsReconciled": "true",
        "Payments": [
            {"PaymentID": f"33333333-0000-4000-8000-{number:012d}", "Amount": 35.0, "Invoice": {"InvoiceID": of}}
            for number, of in enumerate((invoice("50", 35.0)["InvoiceID"], invoice("51", 35.0)["InvoiceID"]), 1)
        ],
    }
    bills = {**batch, "Type": "PAYBATCH", "Payments": [{"PaymentID": "p-9", "Amount": 9.0, "Invoice": {}}]}
    rows = [invoice(number, 35.0, Status="PAID", AmountDue=0.0, AmountPaid=35.0) for number in ("50", "51")]
    books = record(tmp_path / "books", a={"Invoices": rows}, b={"BatchPayments": [batch, bills]}, c=CONTACTS)
    with practice(tmp_path, books, NOW) as found:
        assert found.review() == {}
        received = found.books()["Ada Ltd"].payments
        assert [(str(one.amount), str(one.paid_on), one.active) for one in received] == [
            ("NZD 35.00", "2026-09-30", True)
        ] * 2
        assert str(found.report().cash_known_to) == "2026-09-30", "a reconciled batch says how far the bank is known"


def test_a_contact_listed_without_a_name_takes_it_from_a_document(tmp_path: Path) -> None:
    bare = {"Contacts": [{"ContactID": ADA["ContactID"], "EmailAddress": "ada@ada.example"}]}
    books = record(tmp_path / "books", a={"Invoices": [invoice("60", 5.0)]}, b=bare)
    with practice(tmp_path, books, NOW) as found:
        assert found.review() == {}
        assert found.books()["Ada Ltd"].customer.email == "ada@ada.example"


UNREADABLE: Mapping[str, tuple[dict[str, object], str]] = {
    "FROZEN": (invoice("30", 10.0, Status="FROZEN"), "unknown status 'FROZEN'"),
    "nobody": (invoice("31", 11.0, Contact=None), "no contact"),
    "half a yen": (invoice("32", 10.5, CurrencyCode="JPY"), "amount 10.5 has digits beyond the smallest unit of JPY"),
    "half a cent": (invoice("33", 10.005), "amount 10.005 has digits beyond the smallest unit of NZD"),
    "fils": (invoice("34", 1.2345, CurrencyCode="KWD"), "amount 1.2345 has digits beyond the smallest unit of KWD"),
    "no currency": (invoice("35", 12.0, CurrencyCode=None), "no currency"),
    "no total": (invoice("36", 13.0, Total=None), "no total"),
    "no date": (invoice("37", 14.0, Date=None), "no date"),
}


def test_what_cannot_be_read_for_certain_is_shown_and_never_guessed(tmp_path: Path) -> None:
    good = invoice("40", 70.0, Total=70.0, UpdatedDateUTC=None)
    rows: list[Any] = [good, *(row for row, _ in UNREADABLE.values())]
    books = record(tmp_path / "books", a={"Invoices": rows, "Contacts": CONTACTS})
    with practice(tmp_path, books, NOW) as found:
        assert found.review() == {str(row["InvoiceNumber"]): reason for row, reason in UNREADABLE.values()}
        assert found.pulled.needs_review == found.report().needs_review == len(UNREADABLE)
        figures = found.report().currencies
        assert {code: sums(one.open) for code, one in figures.items()} == {"NZD": (1, "70.00")}
        opening = {one.name: one.suggestion.value for one in found.take_on().customers}
        assert opening == {"Ada Ltd": "fix_books"}, "part of what the customer has could not be read"


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "empty.json").write_text('{"hello": "world"}')
    with pytest.raises(UserError, match="holds no recorded answers"), practice(tmp_path, tmp_path / "books", NOW):
        pass


def test_the_command_line_all_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sandbox process serves the folder; init, connect, pull and report as a person types them."""
    books = record(tmp_path / "books", a={"Invoices": [invoice("70", 19.99), invoice("71", 0.01)]}, b=CONTACTS)
    command = [sys.executable, "-c", "from connector.cli import main; main()", "sandbox", "xero", "--books", str(books)]
    serving = subprocess.Popen([*command, "--now", NOW], stdout=subprocess.PIPE, text=True)
    try:
        assert serving.stdout is not None
        announced = json.loads(serving.stdout.readline())
        assert announced["organisation"]["name"] == "Odd Books Ltd"
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("DUNWELL_PROJECT", str(tmp_path / "acme"))
        monkeypatch.setenv("DUNWELL_XERO_CLIENT_ID", announced["client_id"])
        monkeypatch.setenv("DUNWELL_XERO_CLIENT_SECRET", announced["client_secret"])
        for line in ("init acme", f"connect xero --base-url {announced['base_url']} --auto", "pull"):
            assert run(line) == 0
        capsys.readouterr()
        assert run("report --json") == 0
        (reported,) = json.loads(capsys.readouterr().out)["organisations"]
        expected = {"count": 2, "total": {"amount": "20.00", "currency": "NZD"}}
        assert reported["currencies"]["NZD"]["open"] == reported["currencies"]["NZD"]["overdue"] == expected
    finally:
        serving.terminate()
        serving.communicate(timeout=20)
    assert serving.returncode == 0, "SIGTERM ends it in good order"


def run(line: str) -> object:
    with pytest.raises(SystemExit) as left:
        main(line.split())
    return left.value.code
