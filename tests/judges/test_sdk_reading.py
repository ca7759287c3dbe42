"""xero-python reads the sandbox: every value asserted has come through the library's own models."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.judges.court import NOW, Court
from tests.judges.sdk import Sdk

pytestmark = pytest.mark.socket


def test_the_connection_and_its_organisation(sdk: Sdk, court: Court) -> None:
    [connection] = sdk.identity.get_connections()
    assert (connection.tenant_id, connection.tenant_name) == (court.tenant, "Kauri & Sons Ltd")
    assert connection.tenant_type == "ORGANISATION"
    assert connection.created_date_utc == NOW
    assert sdk.identity.get_connections(auth_event_id=connection.auth_event_id)[0].id == connection.id
    assert sdk.identity.get_connections(auth_event_id="11111111-1111-4111-8111-111111111111") == []

    [organisation] = sdk.api.get_organisations(sdk.tenant).organisations
    assert (organisation.name, organisation.is_demo_company) == ("Kauri & Sons Ltd", False)
    assert organisation.base_currency.value == "NZD"
    assert organisation.country_code.value == "NZ"
    assert organisation.timezone.value == "NEWZEALANDSTANDARDTIME"
    assert {one.name: one.status for one in sdk.api.get_organisation_actions(sdk.tenant).actions}[
        "CreateApprovedInvoice"
    ] == "ALLOWED"
    assert [one.enabled for one in sdk.api.get_invoice_reminders(sdk.tenant).invoice_reminders] == [False]

    sdk.identity.delete_connection(connection.id)
    assert sdk.identity.get_connections() == []
    assert sdk.refused("HTTPStatusException", "get_organisations").status == 403
    with pytest.raises(sdk.errors.ApiException) as gone:
        sdk.identity.delete_connection(connection.id)
    assert gone.value.status == 404


def test_pages_go_on_until_a_short_one(sdk: Sdk) -> None:
    pages = [sdk.api.get_invoices(sdk.tenant, page=number, page_size=5) for number in (1, 2, 3)]
    assert [len(one.invoices) for one in pages] == [5, 5, 3]
    for number, page in enumerate(pages, 1):
        told = page.pagination
        assert (told.page, told.page_size, told.page_count, told.item_count) == (number, 5, 3, 13)
    everything = [one.invoice_id for one in sdk.api.get_invoices(sdk.tenant, page=1).invoices]
    assert [one.invoice_id for page in pages for one in page.invoices] == everything
    assert sdk.api.get_invoices(sdk.tenant, page=4, page_size=5).invoices == []
    assert sdk.api.get_invoices(sdk.tenant, page=1, page_size=5000).pagination.page_size == 1000

    listed = sdk.api.get_invoices(sdk.tenant)
    assert listed.pagination is None
    assert all(one.line_items == [] for one in listed.invoices)


def test_an_invoice_in_the_librarys_words(sdk: Sdk, court: Court) -> None:
    [one] = sdk.api.get_invoices(sdk.tenant, page=1, invoice_numbers=["INV-0002"]).invoices
    assert (one.type, one.status, one.invoice_number) == ("ACCREC", "AUTHORISED", "INV-0002")
    assert (one.date, one.due_date) == (date(2026, 10, 2), date(2026, 11, 2))
    assert (one.sub_total, one.total_tax, one.total) == (Decimal(100), Decimal(15), Decimal(115))
    assert (one.amount_paid, one.amount_credited, one.amount_due) == (Decimal(15), Decimal(0), Decimal(100))
    assert one.currency_code.value == "NZD"
    assert one.line_amount_types.value == "Exclusive"
    assert (one.sent_to_contact, one.has_attachments, one.is_discounted) == (True, False, False)
    assert one.updated_date_utc.tzinfo is not None
    assert (one.contact.contact_id, one.contact.name) == (court.id_of("contact", "ada"), "Ada Café")
    assert one.contact.contact_persons == []
    [line] = one.line_items
    assert (line.description, line.quantity, line.unit_amount, line.tax_amount) == ("Consulting", 1, 100, 15)
    [payment] = one.payments
    assert (payment.payment_id, payment.amount) == (court.id_of("payment", "p1"), Decimal(15))
    assert payment.date == date(2026, 10, 25)

    [single] = sdk.api.get_invoice(sdk.tenant, one.invoice_id).invoices
    assert single.contact.email_address == "ada@cafe.example"
    assert [each.email_address for each in single.contact.contact_persons] == ["ann@cafe.example", "bo@cafe.example"]
    [foreign] = sdk.api.get_invoice(sdk.tenant, court.id_of("invoice", "euro")).invoices
    assert (foreign.currency_code.value, foreign.currency_rate) == ("USD", Decimal("0.6"))


def test_filters_and_orders(sdk: Sdk, court: Court) -> None:
    def numbers(**parameters: object) -> list[str]:
        return [one.invoice_number for one in sdk.api.get_invoices(sdk.tenant, page=1, **parameters).invoices]

    ada = court.id_of("contact", "ada")
    owed = 'Type=="ACCREC" AND Status=="AUTHORISED" AND AmountDue>0 AND AmountDue<115'
    assert numbers(where=owed, order="AmountDue") == ["INV-0002", "INV-0007"]
    assert numbers(where=f'Contact.ContactID==Guid("{ada}") && DueDate<DateTime(2026,11,2)') == ["INV-0001"]
    assert numbers(where='Contact.Name=="ada cafe"', order="DueDate DESC") == ["INV-0007", "INV-0002", "INV-0001"]
    assert numbers(where='Reference!=null AND Reference.Contains("4411")') == ["INV-0001"]
    assert numbers(statuses=["DRAFT", "VOIDED"], order="InvoiceNumber") == ["INV-0004", "INV-0005"]
    assert numbers(contact_i_ds=[ada], statuses=["PAID"]) == []
    assert numbers(i_ds=[court.id_of("invoice", "part"), court.id_of("invoice", "paid")], order="Date") == [
        "INV-0002",
        "INV-0003",
    ]
    assert numbers(search_term="po 44") == ["INV-0001"]
    refusal = sdk.refused("AccountingBadRequestException", "get_invoices", where="Type==")
    assert refusal.error_data["Type"] == "QueryParseException"


def test_only_what_has_changed_since(sdk: Sdk, court: Court) -> None:
    then = NOW + timedelta(minutes=20)
    court.advance(1200)
    court.people(do="edit_invoice", invoice="open", reference="PO 4412")
    changed = sdk.api.get_invoices(sdk.tenant, page=1, if_modified_since=then).invoices
    assert [(one.invoice_number, one.reference) for one in changed] == [("INV-0001", "PO 4412")]
    assert changed[0].updated_date_utc == then
    assert sdk.api.get_invoices(sdk.tenant, page=1, if_modified_since=then + timedelta(seconds=1)).invoices == []
    assert sdk.api.get_contacts(sdk.tenant, page=1, if_modified_since=then).contacts == []


def test_contacts(sdk: Sdk, court: Court) -> None:
    names = [one.name for one in sdk.api.get_contacts(sdk.tenant, page=1).contacts]
    assert sorted(names) == ["Ada Café", "Bob O'Neill"]
    everyone = sdk.api.get_contacts(sdk.tenant, page=1, include_archived=True, order="Name DESC").contacts
    assert (everyone[0].name, everyone[0].contact_status) == ("Gone Ltd", "ARCHIVED")
    [ada] = sdk.api.get_contact(sdk.tenant, court.id_of("contact", "ada")).contacts
    assert (ada.first_name, ada.last_name, ada.account_number) == ("Ada", "Lee", "A-17")
    assert (ada.payment_terms.sales.day, ada.payment_terms.sales.type.value) == (20, "DAYSAFTERBILLDATE")
    receivable = ada.balances.accounts_receivable
    assert (receivable.outstanding, receivable.overdue) == (Decimal(320), Decimal(320))
    assert [one.name for one in ada.contact_groups] == ["Regulars"]
    assert {one.phone_type: one.phone_number for one in ada.phones}["DEFAULT"] == "555 1234"
    assert {one.address_type: one.city for one in ada.addresses}["STREET"] == "Auckland"
    assert [(one.first_name, one.include_in_emails) for one in ada.contact_persons] == [("Ann", True), ("Bo", False)]
    assert (ada.is_customer, ada.is_supplier) == (True, False)
    assert [one.name for one in sdk.api.get_contacts(sdk.tenant, search_term="o'ne", page=1).contacts] == [
        "Bob O'Neill"
    ]


def test_the_organisations_own_lists(sdk: Sdk) -> None:
    [bank] = sdk.api.get_accounts(sdk.tenant, where='Type=="BANK" AND Code=="090"').accounts
    assert (bank.status, bank.bank_account_type) == ("ACTIVE", "BANK")
    assert sdk.api.get_account(sdk.tenant, bank.account_id).accounts[0].name == bank.name
    rates = {one.tax_type: one.effective_rate for one in sdk.api.get_tax_rates(sdk.tenant).tax_rates}
    assert rates["OUTPUT2"] == Decimal(15)
    assert sdk.api.get_tax_rate_by_tax_type(sdk.tenant, "OUTPUT2").tax_rates[0].can_apply_to_revenue is True
    codes = {one.code.value for one in sdk.api.get_currencies(sdk.tenant).currencies}
    assert codes == {"NZD", "USD"}
    [user] = sdk.api.get_users(sdk.tenant).users
    assert (user.first_name, user.organisation_role, user.is_subscriber) == ("Jane", "FINANCIALADVISER", True)
    assert sdk.api.get_user(sdk.tenant, user.user_id).users[0].email_address == user.email_address
    [theme] = sdk.api.get_branding_themes(sdk.tenant).branding_themes
    assert sdk.api.get_branding_theme(sdk.tenant, theme.branding_theme_id).branding_themes[0].name == theme.name
    assert sdk.api.get_tracking_categories(sdk.tenant).tracking_categories == []
    assert sdk.api.get_repeating_invoices(sdk.tenant).repeating_invoices == []


def test_the_aged_report_a_pdf_and_the_online_link(sdk: Sdk, court: Court) -> None:
    ada, unpaid = court.id_of("contact", "ada"), court.id_of("invoice", "open")
    [report] = sdk.api.get_report_aged_receivables_by_contact(sdk.tenant, ada, date=date(2026, 11, 22)).reports
    assert report.report_titles[1] == "Ada Café"
    header, section = report.rows
    assert header.row_type.value == "Header"
    assert section.rows[-1].cells[-1].value == "320.00"
    [link] = sdk.api.get_online_invoice(sdk.tenant, unpaid).online_invoices
    assert link.online_invoice_url.startswith("https://in.xero.com/")
    assert Path(sdk.api.get_invoice_as_pdf(sdk.tenant, unpaid)).read_bytes().startswith(b"%PDF-")
