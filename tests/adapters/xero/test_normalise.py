"""Wire rows as domain records: the trade's meaning of every field, and review where it is not certain."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ruamel.yaml import YAML

from adapters.xero import decode, normalise, wire
from adapters.xero.parties import Membership, organisation, timezone
from adapters.xero.timezones import IANA, MAIN_ZONE
from adapters.xero.values import Unclear
from connector.domain.ledger import (
    Address,
    Allocation,
    Credit,
    CreditKind,
    Customer,
    Invoice,
    InvoiceStatus,
    NeedsReview,
    Payment,
    Person,
    Record,
)
from connector.domain.money import Money
from tests.adapters.xero.rows import (
    Row,
    answer,
    contact_id,
    contact_row,
    credit_note_row,
    envelope,
    invoice_row,
    opened,
    overpayment_row,
    payment_row,
    prepayment_row,
    wire_date,
)

Found = tuple[tuple[Record, ...], tuple[NeedsReview, ...]]


def invoices(*rows: Row) -> Found:
    return _opened(normalise.invoices(decode.page(answer(envelope("Invoices", list(rows))), wire.INVOICES)))


def _opened(found: normalise.Found) -> Found:
    records, review = found
    return tuple(opened(record) for record in records), review


def invoice(**fields: Any) -> Invoice:
    (records, review) = invoices(invoice_row(**fields))
    assert review == ()
    (record,) = records
    assert isinstance(record, Invoice)
    return record


def payments(*rows: Row) -> Found:
    return _opened(normalise.payments(decode.page(answer(envelope("Payments", list(rows))), wire.PAYMENTS)))


def credits_of(shape: wire.Shape[wire.CreditRow], *rows: Row) -> Found:
    return _opened(normalise.credits(decode.page(answer(envelope(shape.plural, list(rows))), shape)))


def customer(membership: Membership | None = None, **fields: Any) -> Customer:
    page = decode.page(answer(envelope("Contacts", [contact_row(**fields)])), wire.CONTACTS)
    (records, review) = normalise.customers(page, membership or Membership())
    assert review == ()
    (record,) = records
    assert isinstance(record, Customer)
    return record


def nzd(amount: str) -> Money:
    return Money.of(amount, "NZD")


# --- invoices ----------------------------------------------------------------------------------------------------


def test_an_invoice() -> None:
    found = invoice(
        AmountDue=345.0,
        AmountPaid=200.0,
        ExpectedPaymentDate=wire_date(date(2026, 12, 1)),
        RepeatingInvoiceID="1",
        HasAttachments=True,
        CurrencyRate=1.25,
    )
    assert found.number == "INV-0001"
    assert found.customer_id == contact_id(1)
    assert found.status is InvoiceStatus.APPROVED  # part-paid stays approved
    assert (found.issued, found.due, found.expected) == (date(2026, 10, 1), date(2026, 10, 31), date(2026, 12, 1))
    assert (found.total, found.tax, found.balance) == (nzd("545"), nzd("71.09"), nzd("345"))
    assert (found.paid, found.credited) == (nzd("200"), nzd("0"))
    assert (found.rate, found.sent, found.repeating, found.has_attachments) == (Decimal("1.25"), True, True, True)
    assert found.updated_at == datetime(2026, 11, 1, 3, 4, 5, tzinfo=UTC)
    (line,) = found.lines
    assert (line.description, line.net, line.tax) == ("Consulting", nzd("473.91"), nzd("71.09"))
    assert (line.account, line.tax_code) == ("200", "OUTPUT2")


def test_lines_are_net_of_tax_also_where_they_show_it() -> None:
    line = {"LineAmount": 115.0, "TaxAmount": 15.0, "LineItemID": "a"}
    described = {"Description": "a heading without an amount"}
    found = invoice(LineAmountTypes="Inclusive", LineItems=[line, described]).lines
    assert [(item.net, item.tax) for item in found] == [(nzd("100"), nzd("15")), (nzd("0"), nzd("0"))]


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("DRAFT", InvoiceStatus.DRAFT),
        ("SUBMITTED", InvoiceStatus.SUBMITTED),
        ("AUTHORISED", InvoiceStatus.APPROVED),
        ("PAID", InvoiceStatus.PAID),
        ("VOIDED", InvoiceStatus.VOIDED),
        ("DELETED", InvoiceStatus.DELETED),
    ],
)
def test_statuses(status: str, meaning: InvoiceStatus) -> None:
    assert invoice(Status=status).status is meaning


@pytest.mark.parametrize("status", ["VOIDED", "DELETED"])
def test_a_voided_invoice_owes_nothing_although_xero_may_still_show_its_total(status: str) -> None:
    found = invoice(Status=status, AmountDue=545.0)
    assert not found.balance
    assert not found.is_open


def test_bills_are_left_aside() -> None:
    assert invoices(invoice_row(Type="ACCPAY")) == ((), ())


def test_unset_fields_are_unknown_not_false() -> None:
    found = invoice(SentToContact=None, DueDate=None, DueDateString=None, Reference=None, InvoiceNumber=None)
    assert (found.sent, found.due, found.reference, found.number) == (None, None, "", "")


def test_yen_have_no_cents() -> None:
    found = invoice(CurrencyCode="JPY", Total=545.0, AmountDue=545.0, TotalTax=71.0, LineItems=[])
    assert found.balance == Money(545, "JPY")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"Status": "FROZEN"}, "unknown status 'FROZEN'"),
        ({"Status": None}, "unknown status None"),
        ({"Type": "ACCNEW"}, "unknown type 'ACCNEW'"),
        ({"Contact": None}, "no contact"),
        ({"Contact": {"Name": "Nameless"}}, "no contact"),
        ({"CurrencyCode": None}, "no currency"),
        ({"CurrencyCode": "dollars"}, "unusable currency 'dollars'"),
        ({"AmountDue": 545.001}, "amount 545.001 has digits beyond the smallest unit of NZD"),
        ({"AmountDue": "lots"}, "unreadable amount 'lots'"),
        ({"AmountDue": None}, "no amount due"),
        ({"Total": None}, "no total"),
        ({"Date": None, "DateString": None}, "no date"),
        ({"DueDateString": "soon"}, "unreadable date 'soon'"),
        ({"CurrencyRate": 0.0}, "unusable currency rate 0"),
    ],
)
def test_what_is_not_certain_is_reviewed_and_the_rest_goes_on(fields: Row, reason: str) -> None:
    records, (review,) = invoices(invoice_row(1), invoice_row(2, **fields), invoice_row(3))
    assert [record.id for record in records] == [invoice_row(1)["InvoiceID"], invoice_row(3)["InvoiceID"]]
    assert (review.id, review.reason) == (invoice_row(2)["InvoiceID"], reason)
    assert review.number == "INV-0002"


def test_text_carries_no_nul() -> None:
    assert invoice(Reference=" PO\x00 1 ").reference == "PO 1"


# --- payments ----------------------------------------------------------------------------------------------------


def test_a_payment_is_laid_against_its_invoice() -> None:
    ((found,), review) = payments(payment_row())
    assert review == ()
    assert isinstance(found, Payment)
    assert (found.paid_on, found.amount, found.account) == (date(2026, 11, 1), nzd("200"), "970")
    assert found.customer_id == contact_id(1)
    assert found.allocations == (Allocation(invoice_row(1)["InvoiceID"], nzd("200"), date(2026, 11, 1)),)
    assert (found.reconciled, found.active) == (True, True)


def test_a_deleted_payment_arrives_as_inactive() -> None:
    ((found,), _) = payments(payment_row(Status="DELETED", Account={"AccountID": "bank-1"}))
    assert isinstance(found, Payment)
    assert (found.active, found.account) == (False, "bank-1")


def test_an_amount_is_in_the_invoices_currency() -> None:
    document = payment_row()["Invoice"] | {"CurrencyCode": "USD"}
    ((found,), _) = payments(payment_row(Invoice=document, BankAmount=320.0, CurrencyRate=0.62))
    assert isinstance(found, Payment)
    assert found.amount == Money.of("200", "USD")


@pytest.mark.parametrize("kind", ["ACCPAYPAYMENT", "ARCREDITPAYMENT", "AROVERPAYMENTPAYMENT", "APPREPAYMENTPAYMENT"])
def test_other_movements_are_no_customers_payment(kind: str) -> None:
    assert payments(payment_row(PaymentType=kind)) == ((), ())


def test_without_a_type_the_document_decides() -> None:
    assert len(payments(payment_row(PaymentType=None))[0]) == 1
    bill = payment_row()["Invoice"] | {"Type": "ACCPAY"}
    assert payments(payment_row(PaymentType=None, Invoice=bill)) == ((), ())


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"Status": "PENDING"}, "unknown status 'PENDING'"),
        ({"PaymentType": "MYSTERY"}, "unknown payment type 'MYSTERY'"),
        ({"Invoice": None}, "no invoice"),
        ({"Invoice": {"InvoiceID": "i", "Type": "ACCREC"}}, "no currency"),
        ({"Date": None}, "no date"),
        ({"Amount": None}, "no amount"),
    ],
)
def test_a_doubtful_payment_is_reviewed(fields: Row, reason: str) -> None:
    records, (review,) = payments(payment_row(1), payment_row(2, **fields))
    assert len(records) == 1
    assert (review.id, review.reason) == (payment_row(2)["PaymentID"], reason)


# --- credits -----------------------------------------------------------------------------------------------------


def test_a_credit_note() -> None:
    ((found,), _) = credits_of(wire.CREDIT_NOTES, credit_note_row())
    assert isinstance(found, Credit)
    assert (found.kind, found.number, found.active) == (CreditKind.CREDIT_NOTE, "CN-0001", True)
    assert (found.total, found.remaining) == (nzd("100"), nzd("40"))
    (part,) = found.allocations
    assert (part.invoice_id, part.amount, part.on) == (invoice_row(1)["InvoiceID"], nzd("60"), date(2026, 10, 6))


def test_unallocated_money_of_the_customer() -> None:
    ((over,), _) = credits_of(wire.OVERPAYMENTS, overpayment_row(), overpayment_row(2, Type="SPEND-OVERPAYMENT"))
    ((pre,), _) = credits_of(wire.PREPAYMENTS, prepayment_row(Status="PAID", RemainingCredit=0.0))
    assert isinstance(over, Credit)
    assert isinstance(pre, Credit)
    assert (over.kind, over.remaining, over.id) == (
        CreditKind.OVERPAYMENT,
        nzd("20"),
        overpayment_row()["OverpaymentID"],
    )
    assert (pre.kind, pre.active, pre.id) == (CreditKind.PREPAYMENT, True, prepayment_row()["PrepaymentID"])


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED", "VOIDED", "DELETED"])
def test_a_credit_that_is_not_in_force_counts_nothing(status: str) -> None:
    ((found,), _) = credits_of(wire.CREDIT_NOTES, credit_note_row(Status=status))
    assert isinstance(found, Credit)
    assert (found.active, found.remaining.minor) == (False, 0)


def test_a_removed_allocation_is_none() -> None:
    gone = credit_note_row()["Allocations"][0] | {"IsDeleted": True}
    ((found,), _) = credits_of(wire.CREDIT_NOTES, credit_note_row(Allocations=[gone]))
    assert isinstance(found, Credit)
    assert found.allocations == ()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"Type": "ACCRECBONUS"}, "unknown type 'ACCRECBONUS'"),
        ({"Status": "LOST"}, "unknown status 'LOST'"),
        ({"Contact": None}, "no contact"),
        ({"RemainingCredit": None}, "no remaining credit"),
        ({"Allocations": [{"Amount": 1.0}]}, "an allocation names no invoice"),
    ],
)
def test_a_doubtful_credit_is_reviewed(fields: Row, reason: str) -> None:
    records, (review,) = credits_of(wire.CREDIT_NOTES, credit_note_row(1), credit_note_row(2, **fields))
    assert len(records) == 1
    assert (review.id, review.reason, review.number) == (credit_note_row(2)["CreditNoteID"], reason, "CN-0002")


# --- customers ---------------------------------------------------------------------------------------------------


def test_a_customer() -> None:
    found = customer(
        FirstName="Ada",
        LastName="Lovelace",
        AccountNumber="A-7",
        DefaultCurrency="NZD",
        ContactPersons=[
            {"FirstName": "Bo", "LastName": "Ek", "EmailAddress": "bo@x.example", "IncludeInEmails": True},
            {"EmailAddress": "cc@x.example"},
        ],
        Phones=[
            {"PhoneType": "FAX", "PhoneNumber": "999"},
            {"PhoneType": "MOBILE", "PhoneNumber": "21 555", "PhoneCountryCode": "64"},
            {"PhoneType": "DEFAULT", "PhoneNumber": "555 1234", "PhoneAreaCode": "09", "PhoneCountryCode": "64"},
            {"PhoneType": "DDI", "PhoneNumber": ""},
        ],
        Addresses=[
            {"AddressType": "POBOX", "AddressLine1": "PO Box 1", "City": "Nelson", "Country": "New Zealand"},
            {"AddressType": "STREET", "City": "", "Region": ""},
            {"AddressType": "MOON", "City": "Tycho"},
        ],
        Balances={"AccountsReceivable": {"Outstanding": 760.5, "Overdue": 92.0}},
    )
    assert (found.name, found.first_name, found.last_name) == ("Customer 1", "Ada", "Lovelace")
    assert found.people == (Person("Bo Ek", "bo@x.example", True), Person("cc@x.example", "cc@x.example", False))
    assert found.phones == ("64 09 555 1234", "64 21 555")
    assert found.addresses == (Address("postal", ("PO Box 1",), "Nelson", country="New Zealand"),)
    assert (found.outstanding, found.overdue) == (Decimal("760.5"), Decimal(92))
    assert (found.active, found.currency, found.account_number) == (True, "NZD", "A-7")


@pytest.mark.parametrize("hostile", ["Acme\n0 overdue", "Acme \x9b0 overdue", "\u202eAcme\r 0 overdue\u2066"])
def test_names_and_numbers_are_one_line_without_anything_that_acts(hostile: str) -> None:
    plain = "Acme 0 overdue"
    found = customer(
        Name=hostile, FirstName=hostile, LastName=hostile, ContactPersons=[{"FirstName": hostile, "LastName": "Ek"}]
    )
    assert (found.name, found.first_name, found.last_name) == (plain, plain, plain)
    assert found.people[0].name == f"{plain} Ek"
    assert invoice(InvoiceNumber=hostile).number == plain


def test_unknown_balances_are_not_zero() -> None:
    assert (customer().outstanding, customer().overdue) == (None, None)


def test_archived_merged_and_forgotten_contacts_are_not_active() -> None:
    assert not customer(ContactStatus="ARCHIVED").active
    assert not customer(ContactStatus="GDPRREQUEST").active
    merged = customer(MergedToContactID=contact_id(9))
    assert (merged.active, merged.merged_into) == (False, contact_id(9))


def test_the_minded_groups_come_from_their_own_members() -> None:
    own = [{"Name": "VIP", "ContactGroupID": "g1"}, {"Name": "Disputed", "ContactGroupID": "g2"}]
    minded = Membership(frozenset({"Disputed", "On hold"}), {contact_id(1): ("On hold",)})
    assert customer(minded, ContactGroups=own).groups == ("On hold", "VIP")


@pytest.mark.parametrize(
    ("fields", "reason"), [({"Name": None}, "no name"), ({"ContactStatus": "ASLEEP"}, "unknown status 'ASLEEP'")]
)
def test_a_doubtful_contact_is_reviewed(fields: Row, reason: str) -> None:
    page = decode.page(answer(envelope("Contacts", [contact_row(1), contact_row(2, **fields)])), wire.CONTACTS)
    records, (review,) = normalise.customers(page, Membership())
    assert len(records) == 1
    assert (review.id, review.customer_id, review.reason) == (contact_id(2), contact_id(2), reason)


# --- organisation ------------------------------------------------------------------------------------------------


def test_an_organisation() -> None:
    row: wire.OrganisationRow = {
        "Name": "Kauri Joinery",
        "LegalName": "Kauri Joinery Ltd",
        "BaseCurrency": "NZD",
        "CountryCode": "NZ",
        "Timezone": "NEWZEALANDSTANDARDTIME",
        "PeriodLockDate": wire_date(date(2026, 8, 31)),
        "EndOfYearLockDate": wire_date(date(2026, 3, 31)),
        "SalesTaxBasis": "PAYMENTS",
        "IsDemoCompany": True,
        "ShortCode": "!23vYX",
    }
    found = organisation(row, "tenant-1", native_reminders=None)
    assert (found.ledger, found.ledger_id, found.timezone) == ("xero", "tenant-1", "Pacific/Auckland")
    assert (found.lock_date, found.demo, found.native_reminders) == (date(2026, 8, 31), True, None)
    assert (found.tax_basis, found.short_code, found.base_currency) == ("PAYMENTS", "!23vYX", "NZD")
    with pytest.raises(Unclear):
        organisation({"Name": "No money"}, "tenant-1", native_reminders=None)


def test_every_zone_of_xero_is_one_of_ours() -> None:
    assert all(ZoneInfo(name) for name in (*IANA.values(), *MAIN_ZONE.values()))
    assert timezone("USMOUNTAINSTANDARDTIME", "US") == "America/Phoenix"


def test_a_new_zone_falls_back_to_the_country_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    assert timezone("MARSSTANDARDTIME", "AU") == "Australia/Sydney"
    assert timezone("MARSSTANDARDTIME", "") == "Etc/UTC"
    assert "MARSSTANDARDTIME" in caplog.text


# --- the vendor's own examples -----------------------------------------------------------------------------------

SPEC = os.environ.get("DUNWELL_XERO_SPEC", "")
with_spec = pytest.mark.skipif(not SPEC, reason="DUNWELL_XERO_SPEC is not set: the OpenAPI examples are NOT checked")


@pytest.fixture(scope="module")
def spec() -> Any:
    return YAML(typ="safe").load(Path(SPEC).read_text(encoding="utf-8"))


@with_spec
@pytest.mark.timeout(180)
def test_the_vendors_examples_are_read(spec: Any) -> None:
    converted: dict[str, Found] = {}
    shapes: tuple[wire.Shape[Any], ...] = (
        wire.INVOICES,
        wire.PAYMENTS,
        wire.CREDIT_NOTES,
        wire.OVERPAYMENTS,
        wire.PREPAYMENTS,
        wire.CONTACTS,
    )
    for shape in shapes:
        content = spec["paths"][f"/{shape.plural}"]["get"]["responses"]["200"]["content"]["application/json"]
        body = json.dumps(content["example"], default=lambda value: value.isoformat()).encode()
        page = decode.page(answer(body), shape)
        assert page.count > 0
        assert page.broken == ()
        if shape is wire.INVOICES:
            converted[shape.plural] = _opened(normalise.invoices(page))
        elif shape is wire.PAYMENTS:
            converted[shape.plural] = _opened(normalise.payments(page))
        elif shape is wire.CONTACTS:
            converted[shape.plural] = _opened(normalise.customers(page, Membership()))
        else:
            converted[shape.plural] = _opened(normalise.credits(page))
    assert {plural: review for plural, (_, review) in converted.items() if review} == {}
    assert all(records for records, _ in converted.values())


@with_spec
@pytest.mark.timeout(180)
def test_the_vendors_zones_are_all_known(spec: Any) -> None:
    assert set(spec["components"]["schemas"]["TimeZone"]["enum"]) <= set(IANA)
