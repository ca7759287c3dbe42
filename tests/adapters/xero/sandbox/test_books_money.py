"""Payments, credit notes, over- and prepayments, allocations."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.xero.sandbox import checks
from tests.adapters.xero.sandbox.books_client import BooksClient, client

LINE = {"Description": "Goodwill", "UnitAmount": "50.00", "AccountCode": "200", "TaxType": "NONE"}


def pay(one: BooksClient, number: str, amount: object, **fields: object) -> dict[str, object]:
    """Return the body of a payment from the bank account."""
    element = {"Invoice": {"InvoiceNumber": number}, "Account": {"Code": "090"}, "Amount": amount, **fields}
    return {"Payments": [element]}


def credit_note(one: BooksClient, **fields: object) -> Any:
    contact = {"ContactID": one.id_of("contact", "ada")}
    element = {"Type": "ACCRECCREDIT", "Contact": contact, "LineItems": [LINE], "Status": "AUTHORISED", **fields}
    return one.json("PUT", "/CreditNotes", {"CreditNotes": [element]})["CreditNotes"][0]


def allocate(one: BooksClient, credit_id: str, ref: str, amount: str, where: str = "CreditNotes") -> Any:
    element = {"Invoice": {"InvoiceID": one.id_of("invoice", ref)}, "Amount": amount, "Date": "2026-11-22"}
    return one.json("PUT", f"/{where}/{credit_id}/Allocations", {"Allocations": [element]})["Allocations"][0]


def amounts(one: BooksClient, number: str) -> tuple[str, Decimal, Decimal, Decimal]:
    row = one.invoice(number)
    return (row["Status"], row["AmountDue"], row["AmountPaid"], row["AmountCredited"])


# --- payments --------------------------------------------------------------------------------------------------


def test_paying_in_full_settles_and_deleting_the_payment_opens_again() -> None:
    one = client()
    made = one.json("PUT", "/Payments", pay(one, "INV-0002", "100.00", Reference="bank 1"))["Payments"][0]
    assert made["Invoice"]["Status"] == "PAID"
    row = one.invoice("INV-0002")
    assert (row["Status"], row["AmountDue"], row["FullyPaidOnDate"]) == (
        "PAID",
        Decimal(0),
        "/Date(1795305600000+0000)/",
    )
    gone = one.json("POST", f"/Payments/{made['PaymentID']}", {"Payments": [{"Status": "DELETED"}]})["Payments"][0]
    assert gone["Status"] == "DELETED"
    assert amounts(one, "INV-0002") == ("AUTHORISED", Decimal(100), Decimal(15), Decimal(0))
    assert "FullyPaidOnDate" not in one.invoice("INV-0002")
    assert [payment["Amount"] for payment in one.invoice("INV-0002")["Payments"]] == [Decimal(15)]
    statuses = [row["Status"] for row in one.json("GET", "/Payments", where="Amount==100")["Payments"]]
    assert statuses == ["DELETED"]
    again = one.refusal("POST", f"/Payments/{made['PaymentID']}", {"Status": "DELETED"})
    assert again == "Payment has already been deleted."
    assert [entry["kind"] for entry in one.books.truth] == ["payment", "payment_delete"]


@pytest.mark.parametrize(
    ("number", "amount", "message"),
    [
        ("INV-0001", "115.01", checks.TOO_MUCH),
        ("INV-0003", "1", checks.NOT_AUTHORISED),
        ("INV-0004", "1", checks.NOT_AUTHORISED),
        ("INV-0001", "0", "Payment amount must be greater than zero and have at most two decimals"),
        ("INV-0001", "1.005", "Payment amount must be greater than zero and have at most two decimals"),
        ("INV-9999", "1", "The Invoice to be paid could not be found"),
    ],
)
def test_refuses_payments_that_do_not_fit(number: str, amount: str, message: str) -> None:
    one = client()
    assert one.refusal("PUT", "/Payments", pay(one, number, amount)) == message
    assert len(one.json("GET", "/Payments")["Payments"]) == 2


def test_payments_need_an_account_that_takes_them_and_an_open_period() -> None:
    one = client()
    sales = pay(one, "INV-0001", "1", Account={"Code": "200"})
    assert "does not allow payments" in one.refusal("PUT", "/Payments", sales)
    assert one.refusal("PUT", "/Payments", pay(one, "INV-0001", "1", Account=None)) == "An account must be specified"
    one.do("set_lock_date", end_of_year_lock_date="2026-11-01")
    assert "lock date" in one.refusal("PUT", "/Payments", pay(one, "INV-0001", "1", Date="2026-11-01"))
    assert one.json("PUT", "/Payments", pay(one, "INV-0001", "1", Date="2026-11-02"))


def test_a_payment_changes_nothing_but_its_status() -> None:
    one = client()
    path = f"/Payments/{one.id_of('payment', 'p1')}"
    assert "only be deleted" in one.refusal("POST", path, {"Status": "DELETED", "Amount": 5})
    assert "only be deleted" in one.refusal("POST", path, {"Reference": "x"})


def test_a_batch_is_nested_with_its_numbers_as_text() -> None:
    one = client()
    told = one.do("pay_batch", invoices=["open", "part"])
    row = one.json("GET", "/Payments", where='Invoice.InvoiceNumber=="INV-0001"')["Payments"][0]
    assert row["BatchPaymentID"] == told["batch_id"]
    assert (row["BatchPayment"]["TotalAmount"], row["BatchPayment"]["IsReconciled"]) == ("215.00", "false")
    batch = one.json("GET", f"/BatchPayments/{told['batch_id']}")["BatchPayments"][0]
    assert sorted(part["Amount"] for part in batch["Payments"]) == [Decimal(100), Decimal(115)]


def test_payments_of_foreign_invoices_carry_the_bank_amount() -> None:
    line = [{"description": "Export", "unit_amount": "100.00", "tax": "none"}]
    abroad = {
        "ref": "fx",
        "customer": "ada",
        "number": "FX-1",
        "date": "2026-10-01",
        "due": "2026-11-01",
        "lines": line,
    }
    one = client(invoices=[{**abroad, "lines": line, "currency": "AUD", "rate": "0.8"}], payments=[])
    made = one.json("PUT", "/Payments", pay(one, "FX-1", "40.00"))["Payments"][0]
    assert (made["Amount"], made["BankAmount"], made["CurrencyRate"]) == (Decimal(40), Decimal(50), Decimal("0.8"))
    contact = f"/Contacts/{one.id_of('contact', 'ada')}"
    raw = one.json("GET", contact)["Contacts"][0]["Balances"]["AccountsReceivable"]["Outstanding"]
    one.books.switches["balances_in_base_currency"] = True
    base = one.json("GET", contact)["Contacts"][0]["Balances"]["AccountsReceivable"]["Outstanding"]
    assert (raw, base) == (Decimal(60), Decimal(75))


# --- credits ---------------------------------------------------------------------------------------------------


def test_a_credit_note_is_made_and_then_allocated() -> None:
    one = client()
    note = credit_note(one, CreditNoteNumber="CN-9")
    assert (note["RemainingCredit"], note["Total"], note["Status"]) == (Decimal(50), Decimal(50), "AUTHORISED")
    assert note["ID"] == note["CreditNoteID"]
    answer = allocate(one, note["CreditNoteID"], "open", "30.00")
    assert answer["Amount"] == Decimal(30)
    assert "AllocationID" not in answer
    assert amounts(one, "INV-0001") == ("AUTHORISED", Decimal(85), Decimal(0), Decimal(30))
    nested = one.invoice("INV-0001")["CreditNotes"][0]
    assert (nested["CreditNoteNumber"], nested["AppliedAmount"]) == ("CN-9", Decimal(30))
    allocate(one, note["CreditNoteID"], "part", "20.00")
    full = one.json("GET", "/CreditNotes/CN-9")["CreditNotes"][0]
    assert (full["Status"], full["RemainingCredit"]) == ("PAID", Decimal(0))
    assert [part["Amount"] for part in full["Allocations"]] == [Decimal(30), Decimal(20)]


def test_an_allocation_can_be_taken_back() -> None:
    one = client()
    one.books.switches["allocation_id_in_answer"] = True
    note = credit_note(one, LineItems=[{**LINE, "UnitAmount": "115.00"}])
    part = allocate(one, note["CreditNoteID"], "open", "115.00")
    assert amounts(one, "INV-0001") == ("PAID", Decimal(0), Decimal(0), Decimal(115))
    path = f"/CreditNotes/{note['CreditNoteID']}/Allocations/{part['AllocationID']}"
    answer = one.json("DELETE", path)
    assert answer["AllocationId"] == part["AllocationID"]
    assert answer["IsDeleted"] is True
    assert "Id" not in answer
    assert amounts(one, "INV-0001") == ("AUTHORISED", Decimal(115), Decimal(0), Decimal(0))
    back = one.json("GET", f"/CreditNotes/{note['CreditNoteID']}")["CreditNotes"][0]
    assert (back["Status"], back["RemainingCredit"], back["Allocations"]) == ("AUTHORISED", Decimal(115), [])
    assert one.call("DELETE", path).status == 404


@pytest.mark.parametrize(
    ("ref", "amount", "message"),
    [
        ("open", "50.01", "The amount being allocated exceeds the remaining credit"),
        ("open", "0", "The allocation amount must be greater than zero and have at most two decimals"),
        ("open", None, "Amount, Invoice and Date are required"),
        ("paid", "1", "Allocations can only be made between Authorised documents"),
        ("draft", "1", "Allocations can only be made between Authorised documents"),
        ("other", "1", "The credit and the invoice must belong to the same contact"),
    ],
)
def test_refuses_allocations_that_do_not_fit(ref: str, amount: str | None, message: str) -> None:
    one = client()
    if ref == "other":
        line = [{"description": "x", "unit_amount": "10.00"}]
        one.do("create_invoice", ref="other", customer="bob", date="2026-11-01", due="2026-11-30", lines=line)
    note = credit_note(one)
    element = {"Invoice": {"InvoiceID": one.id_of("invoice", ref)}, "Amount": amount, "Date": "2026-11-22"}
    path = f"/CreditNotes/{note['CreditNoteID']}/Allocations"
    assert one.refusal("PUT", path, {"Allocations": [element]}) == message
    assert one.json("GET", f"/CreditNotes/{note['CreditNoteID']}")["CreditNotes"][0]["RemainingCredit"] == Decimal(50)


def test_an_allocation_may_not_exceed_what_is_due() -> None:
    one = client()
    note = credit_note(one, LineItems=[{**LINE, "UnitAmount": "500.00"}])
    element = {"Invoice": {"InvoiceID": one.id_of("invoice", "part")}, "Amount": "100.01", "Date": "2026-11-22"}
    message = one.refusal("PUT", f"/CreditNotes/{note['CreditNoteID']}/Allocations", {"Allocations": [element]})
    assert message == "The amount being allocated exceeds the amount outstanding on this document"


def test_credit_notes_have_unique_numbers_and_are_voided_only_unused() -> None:
    one = client()
    note = credit_note(one, CreditNoteNumber="CN-1")
    contact = {"ContactID": one.id_of("contact", "ada")}
    again = {"Type": "ACCRECCREDIT", "Contact": contact, "LineItems": [LINE], "CreditNoteNumber": "cn-1"}
    assert one.refusal("PUT", "/CreditNotes", {"CreditNotes": [again]}) == "Credit note # must be unique."
    allocate(one, note["CreditNoteID"], "open", "10.00")
    path = f"/CreditNotes/{note['CreditNoteID']}"
    assert one.refusal("POST", path, {"Status": "VOIDED"}) == checks.HAS_MONEY
    assert one.refusal("POST", path, {"Reference": "x"}) == checks.HAS_MONEY
    unused = credit_note(one)
    answer = one.json("POST", f"/CreditNotes/{unused['CreditNoteID']}", {"Status": "VOIDED"})["CreditNotes"][0]
    assert answer["Status"] == "VOIDED"


def test_a_draft_credit_note_is_edited_by_number_and_approved() -> None:
    one = client()
    made = credit_note(one, Status="DRAFT", CreditNoteNumber="CN-7")
    body = {"CreditNotes": [{"CreditNoteNumber": "CN-7", "Status": "AUTHORISED", "Reference": "goodwill"}]}
    after = one.json("POST", "/CreditNotes", body)["CreditNotes"][0]
    assert (after["CreditNoteID"], after["Status"]) == (made["CreditNoteID"], "AUTHORISED")


@pytest.mark.parametrize(("word", "where"), [("overpay", "Overpayments"), ("prepay", "Prepayments")])
def test_money_without_an_invoice_waits_to_be_allocated(word: str, where: str) -> None:
    one = client()
    credit_id = str(one.do(word, customer="ada", amount="60.00", reference="R-1")["credit_id"])
    row = one.json("GET", f"/{where}", page="1", where="RemainingCredit>0")[where][0]
    assert (row["RemainingCredit"], row["Status"], row["Type"]) == (
        Decimal(60),
        "AUTHORISED",
        f"RECEIVE-{where[:-1].upper()}",
    )
    allocate(one, credit_id, "open", "60.00", where)
    assert amounts(one, "INV-0001") == ("AUTHORISED", Decimal(55), Decimal(0), Decimal(60))
    after = one.json("GET", f"/{where}/{credit_id}")[where][0]
    assert (after["Status"], after["RemainingCredit"]) == ("PAID", Decimal(0))
    assert [part["AppliedAmount"] for part in one.invoice("INV-0001")[where]] == [Decimal(60)]


def test_a_credit_can_be_paid_back() -> None:
    one = client()
    note = credit_note(one)
    element = {"CreditNote": {"CreditNoteID": note["CreditNoteID"]}, "Account": {"Code": "090"}, "Amount": "50.00"}
    made = one.json("PUT", "/Payments", {"Payments": [element]})["Payments"][0]
    assert made["PaymentType"] == "ARCREDITPAYMENT"
    assert made["Invoice"]["Type"] == "ACCRECCREDIT"
    assert one.json("GET", f"/CreditNotes/{note['CreditNoteID']}")["CreditNotes"][0]["Status"] == "PAID"


# --- nothing is lost, whatever happens -------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["pay", "unpay", "credit", "uncredit"]), st.integers(1, 7000)), max_size=12))
def test_due_paid_and_credited_always_add_up_to_the_total(moves: list[tuple[str, int]]) -> None:
    one = client()
    one.checks = False
    note = credit_note(one, LineItems=[{**LINE, "UnitAmount": "80.00"}])["CreditNoteID"]
    payments, parts = [], []
    for move, cents in moves:
        amount = f"{cents // 100}.{cents % 100:02d}"
        element = {"Invoice": {"InvoiceID": one.id_of("invoice", "open")}, "Amount": amount, "Date": "2026-11-22"}
        if move == "pay":
            response = one.call("PUT", "/Payments", pay(one, "INV-0001", amount))
            payments += [json.loads(response.body)["Payments"][0]["PaymentID"]] if response.status == 200 else []
        elif move == "unpay" and payments:
            assert one.call("POST", f"/Payments/{payments.pop()}", {"Status": "DELETED"}).status == 200
        elif move == "credit":
            response = one.call("PUT", f"/CreditNotes/{note}/Allocations", {"Allocations": [element]})
            found = one.json("GET", f"/CreditNotes/{note}")["CreditNotes"][0]["Allocations"]
            parts += [found[-1]["AllocationID"]] if response.status == 200 else []
        elif move == "uncredit" and parts:
            assert one.call("DELETE", f"/CreditNotes/{note}/Allocations/{parts.pop()}").status == 200
        status, due, paid, credited = amounts(one, "INV-0001")
        assert due + paid + credited == Decimal(115)
        assert (status == "PAID") == (due == 0)
        assert due >= 0
        remaining = one.json("GET", f"/CreditNotes/{note}")["CreditNotes"][0]["RemainingCredit"]
        assert remaining + credited == Decimal(80)
