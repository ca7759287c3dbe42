"""xero-python writes to the sandbox: invoices, contacts, groups, notes, files and mails, read back by its models."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.judges.court import Court
from tests.judges.sdk import Sdk

pytestmark = pytest.mark.socket


def invoice_of(sdk: Sdk, court: Court, ref: str) -> Any:
    """Read one invoice of the company."""
    [found] = sdk.api.get_invoice(sdk.tenant, court.id_of("invoice", ref)).invoices
    return found


def draft_of(sdk: Sdk, court: Court, **fields: Any) -> Any:
    """A new invoice for Ada in the library's words: two hours at 47.33."""
    made = sdk.models
    line = made.LineItem(description="Hours", quantity=2.0, unit_amount=47.33, account_code="200", tax_type="OUTPUT2")
    contact = made.Contact(contact_id=court.id_of("contact", "ada"))
    standard = {"type": "ACCREC", "contact": contact, "line_items": [line], "date": date(2026, 11, 20)}
    return made.Invoice(**{**standard, "due_date": date(2026, 12, 20), "status": "AUTHORISED", **fields})


def test_an_invoice_is_created_edited_and_voided(sdk: Sdk, court: Court) -> None:
    [made] = sdk.api.create_invoices(sdk.tenant, sdk.invoices(draft_of(sdk, court, invoice_number="D-1"))).invoices
    assert (made.invoice_number, made.status, made.date) == ("D-1", "AUTHORISED", date(2026, 11, 20))
    assert (made.sub_total, made.total_tax, made.total) == (Decimal("94.66"), Decimal("14.20"), Decimal("108.86"))
    assert made.contact.email_address == "ada@cafe.example"

    promise = sdk.models.Invoice(expected_payment_date=date(2026, 12, 1), due_date=date(2026, 12, 24))
    [after] = sdk.api.update_invoice(sdk.tenant, made.invoice_id, sdk.invoices(promise)).invoices
    assert (after.expected_payment_date, after.due_date) == (date(2026, 12, 1), date(2026, 12, 24))
    assert [one.line_item_id for one in after.line_items] == [one.line_item_id for one in made.line_items]

    again = sdk.refused(
        "AccountingBadRequestException",
        "create_invoices",
        sdk.invoices(draft_of(sdk, court, invoice_number="D-1")),
    )
    assert again.reason == "Invoice # must be unique."
    sdk.api.update_invoice(sdk.tenant, made.invoice_id, sdk.invoices(sdk.models.Invoice(status="VOIDED")))
    [void] = sdk.api.get_invoice(sdk.tenant, made.invoice_id).invoices
    assert (void.status, void.amount_due) == ("VOIDED", Decimal(0))


def test_what_may_not_be_edited_is_refused_in_xeros_words(sdk: Sdk, court: Court) -> None:
    change = sdk.invoices(sdk.models.Invoice(expected_payment_date=date(2026, 12, 1)))
    refusal = sdk.refused("AccountingBadRequestException", "update_invoice", court.id_of("invoice", "part"), change)
    assert refusal.reason == "This document cannot be edited as it has a payment or credit note allocated to it."
    assert refusal.error_data["Message"] == "A validation exception occurred"
    assert refusal.error_data["Elements"][0]["InvoiceID"] == court.id_of("invoice", "part")
    assert invoice_of(sdk, court, "part").expected_payment_date is None
    gone = sdk.invoices(sdk.models.Invoice(status="DELETED"))
    refusal = sdk.refused("AccountingBadRequestException", "update_invoice", court.id_of("invoice", "open"), gone)
    assert refusal.reason == "Invoice not of valid status for modification"


def test_one_bad_element_refuses_all_unless_each_is_to_answer_for_itself(sdk: Sdk, court: Court) -> None:
    both = sdk.invoices(draft_of(sdk, court, invoice_number="D-2"), draft_of(sdk, court, invoice_number="INV-0001"))
    sdk.refused("AccountingBadRequestException", "create_invoices", both)
    assert sdk.api.get_invoices(sdk.tenant, page=1, invoice_numbers=["D-2"]).invoices == []
    good, bad = sdk.api.create_invoices(sdk.tenant, both, summarize_errors=False).invoices
    assert (good.status_attribute_string, good.invoice_number) == ("OK", "D-2")
    assert (bad.status_attribute_string, bad.has_errors) == ("ERROR", True)
    assert [one.message for one in bad.validation_errors] == ["Invoice # must be unique."]
    assert bad.invoice_id == "00000000-0000-0000-0000-000000000000"
    # POST instead matches by number, so that the same element is an edit
    [edited] = sdk.api.update_or_create_invoices(
        sdk.tenant, sdk.invoices(sdk.models.Invoice(invoice_number="D-2", type="ACCREC", reference="PO 9"))
    ).invoices
    assert (edited.invoice_id, edited.reference) == (good.invoice_id, "PO 9")


def test_contacts_are_created_and_their_terms_changed(sdk: Sdk, court: Court) -> None:
    made = sdk.models
    wanted = made.Contact(
        name="Dora Ltd",
        email_address="dora@example.com",
        phones=[made.Phone(phone_type="MOBILE", phone_number="21 555", phone_area_code="0", phone_country_code="64")],
        contact_persons=[made.ContactPerson(first_name="D", email_address="d@example.com", include_in_emails=True)],
    )
    [dora] = sdk.api.create_contacts(sdk.tenant, made.Contacts(contacts=[wanted])).contacts
    assert (dora.name, dora.contact_status) == ("Dora Ltd", "ACTIVE")
    assert {one.phone_type: one.phone_number for one in dora.phones}["MOBILE"] == "21 555"
    terms = made.PaymentTerm(sales=made.Bill(day=30, type=made.PaymentTermType.DAYSAFTERBILLDATE))
    change = made.Contacts(contacts=[made.Contact(payment_terms=terms)])
    [after] = sdk.api.update_contact(sdk.tenant, dora.contact_id, change).contacts
    assert (after.payment_terms.sales.day, after.payment_terms.sales.type.value) == (30, "DAYSAFTERBILLDATE")
    assert [one.email_address for one in after.contact_persons] == ["d@example.com"]
    twice = sdk.refused("AccountingBadRequestException", "create_contacts", made.Contacts(contacts=[wanted]))
    assert "Dora Ltd" in twice.reason


def test_a_dispute_tag_is_a_group_and_its_member(sdk: Sdk, court: Court) -> None:
    made, ada = sdk.models, court.id_of("contact", "ada")
    wanted = made.ContactGroups(contact_groups=[made.ContactGroup(name="Disputed")])
    [group] = sdk.api.create_contact_group(sdk.tenant, wanted).contact_groups
    key = group.contact_group_id
    members = made.Contacts(contacts=[made.Contact(contact_id=ada)])
    [joined] = sdk.api.create_contact_group_contacts(sdk.tenant, key, members).contacts
    assert joined.contact_id == ada
    assert [one.name for one in sdk.api.get_contact_group(sdk.tenant, key).contact_groups[0].contacts] == ["Ada Café"]
    listed = {one.name: one for one in sdk.api.get_contact_groups(sdk.tenant).contact_groups}
    assert (listed["Disputed"].status, listed["Disputed"].contacts) == ("ACTIVE", [])
    assert sdk.api.delete_contact_group_contact(sdk.tenant, key, ada) is None
    assert sdk.api.get_contact_group(sdk.tenant, key).contact_groups[0].contacts == []
    sdk.api.create_contact_group_contacts(sdk.tenant, key, members)
    assert sdk.api.delete_contact_group_contacts(sdk.tenant, key) is None
    assert sdk.api.get_contact_group(sdk.tenant, key).contact_groups[0].contacts == []
    hidden = made.ContactGroups(contact_groups=[made.ContactGroup(contact_group_id=key, status="DELETED")])
    assert sdk.api.update_contact_group(sdk.tenant, key, hidden).contact_groups[0].status == "DELETED"
    assert [one.name for one in sdk.api.get_contact_groups(sdk.tenant).contact_groups] == ["Regulars"]


@pytest.mark.parametrize(
    ("kind", "ref", "write", "read"),
    [
        ("invoice", "open", "create_invoice_history", "get_invoice_history"),
        ("contact", "ada", "create_contact_history", "get_contact_history"),
        ("payment", "p1", "create_payment_history", "get_payment_history"),
        ("credit_note", "cn", "create_credit_note_history", "get_credit_note_history"),
        ("overpayment", "over", "create_overpayment_history", "get_overpayment_history"),
        ("prepayment", "pre", "create_prepayment_history", "get_prepayment_history"),
    ],
)
def test_a_note_is_the_newest_entry_of_the_history(
    sdk: Sdk, court: Court, kind: str, ref: str, write: str, read: str
) -> None:
    made, key = sdk.models, court.id_of(kind, ref)
    before = getattr(sdk.api, read)(sdk.tenant, key).history_records
    court.advance(60)
    note = made.HistoryRecords(history_records=[made.HistoryRecord(details="Reminder sent [dw:abc]")])
    [told] = getattr(sdk.api, write)(sdk.tenant, key, note).history_records
    assert (told.details, told.user) == ("Reminder sent [dw:abc]", None)
    newest, *older = getattr(sdk.api, read)(sdk.tenant, key).history_records
    assert (newest.details, newest.user, newest.changes) == ("Reminder sent [dw:abc]", "System Generated", "Note")
    assert newest.date_utc == told.date_utc
    assert [one.details for one in older] == [one.details for one in before]
    long = made.HistoryRecords(history_records=[made.HistoryRecord(details="x" * 2501)])
    assert "2500" in sdk.refused("AccountingBadRequestException", write, key, long).reason


def test_an_invoice_is_mailed(sdk: Sdk, court: Court) -> None:
    key = court.id_of("invoice", "open")
    assert sdk.api.email_invoice(sdk.tenant, key, sdk.models.RequestEmpty()) is None
    [mail] = court.twin.books[court.tenant].mails
    assert mail["to"] == ["ada@cafe.example", "ann@cafe.example"]
    assert invoice_of(sdk, court, "open").sent_to_contact is True
    assert sdk.api.get_invoice_history(sdk.tenant, key).history_records[0].changes == "Invoice sent"
    for ref in ("draft", "b10"):  # not approved; no address
        refusal = sdk.refused(
            "AccountingBadRequestException",
            "email_invoice",
            court.id_of("invoice", ref),
            sdk.models.RequestEmpty(),
        )
        assert refusal.error_data["ErrorNumber"] == 10
    assert len(court.twin.books[court.tenant].mails) == 1


@pytest.mark.parametrize(
    ("kind", "ref", "noun"), [("invoice", "open", "invoice"), ("credit_note", "cn", "credit_note")]
)
def test_files_go_up_and_come_down_unchanged(sdk: Sdk, court: Court, kind: str, ref: str, noun: str) -> None:
    key, name, content = court.id_of(kind, ref), "plan [dw-abc] é.pdf", b"%PDF-1.7\n\x00\xff plan"
    put = getattr(sdk.api, f"create_{noun}_attachment_by_file_name")
    [first] = put(sdk.tenant, key, name, content, include_online=True).attachments
    assert (first.file_name, first.content_length, first.include_online) == (name, len(content), True)
    [second] = put(sdk.tenant, key, name, content + b"!", include_online=False).attachments
    assert (second.attachment_id, second.content_length) == (first.attachment_id, len(content) + 1)
    assert second.include_online is None
    [listed] = getattr(sdk.api, f"get_{noun}_attachments")(sdk.tenant, key).attachments
    assert (listed.attachment_id, listed.mime_type) == (first.attachment_id, "application/octet-stream")
    for how, which in (("file_name", name), ("id", first.attachment_id)):
        get = getattr(sdk.api, f"get_{noun}_attachment_by_{how}")
        assert Path(get(sdk.tenant, key, which, "application/octet-stream")).read_bytes() == content + b"!"
    missing = sdk.refused("NotFoundException", f"get_{noun}_attachment_by_file_name", key, "no.pdf", "text/plain")
    assert missing.status == 404


def test_a_file_flips_the_flag_of_its_invoice(sdk: Sdk, court: Court) -> None:
    key = court.id_of("invoice", "open")
    assert invoice_of(sdk, court, "open").has_attachments is False
    sdk.api.create_invoice_attachment_by_file_name(sdk.tenant, key, "a.txt", b"a")
    after = invoice_of(sdk, court, "open")
    assert (after.has_attachments, [one.file_name for one in after.attachments]) == (True, ["a.txt"])
    contact = court.id_of("contact", "ada")
    sdk.api.create_contact_attachment_by_file_name(sdk.tenant, contact, "b.txt", b"bb")
    [kept] = sdk.api.get_contact_attachments(sdk.tenant, contact).attachments
    assert (kept.file_name, kept.content_length) == ("b.txt", 2)
    refusal = sdk.refused(
        "AccountingBadRequestException", "create_invoice_attachment_by_file_name", key, "what?.txt", b"a"
    )
    assert "file name" in refusal.reason
