"""pyxero reads the sandbox in its own dialect: /history/ in small letters, ids without hyphens, dates of the web, XML.

It asks for JSON but sends XML. The sandbox reads no XML and says so with a 415; whatever pyxero writes with an XML body
is therefore refused, and nothing is written. Its writes without a body, and its files, are carried out.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest

from tests.judges.court import NOW, REDIRECT, SCOPES, Court

pytestmark = pytest.mark.socket


@pytest.fixture
def credentials(court: Court, monkeypatch: pytest.MonkeyPatch) -> Any:
    """pyxero's OAuth2 credentials after its own consent flow."""
    auth: Any = import_module("xero.auth")
    monkeypatch.setattr(auth, "XERO_OAUTH2_TOKEN_URL", f"{court.base_url}/connect/token")
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # the sandbox speaks plain HTTP on the loopback
    made = auth.OAuth2Credentials(
        court.twin.client_id, court.twin.client_secret, callback_uri=REDIRECT, scope=SCOPES.split()
    )
    made.base_url = court.base_url
    assert "response_type=code" in made.generate_url()
    made.auth_state = "s-1"
    made.verify(court.consent())
    made.set_default_tenant()
    return made


@pytest.fixture
def xero(credentials: Any) -> Any:
    """pyxero on the sandbox's organisation."""
    return import_module("xero").Xero(credentials)


@pytest.fixture
def errors() -> Any:
    """pyxero's exceptions."""
    return import_module("xero.exceptions")


def test_consent_tenants_and_refresh(credentials: Any, xero: Any, court: Court) -> None:
    [tenant] = credentials.get_tenants()
    assert (tenant["tenantName"], credentials.tenant_id) == ("Kauri & Sons Ltd", court.tenant)
    before = dict(credentials.token)
    after = credentials.refresh()
    assert after["refresh_token"] != before["refresh_token"]
    assert after["access_token"] != before["access_token"]
    [organisation] = xero.organisations.all()
    assert (organisation["Name"], organisation["CreatedDateUTC"].year) == ("Kauri & Sons Ltd", 2023)
    assert {"Name": "CreateApprovedInvoice", "Status": "ALLOWED"} in xero.organisations.actions()["Actions"]


def test_lists_filters_and_single_reads(xero: Any, court: Court) -> None:
    def numbers(**parameters: object) -> list[str]:
        return [one["InvoiceNumber"] for one in xero.invoices.filter(**parameters)]

    assert len(xero.invoices.all()) == 13
    assert numbers(page=2, pageSize=12, order="InvoiceNumber") == ["INV-1015"]
    assert numbers(Status="DRAFT") == ["INV-0004"]
    assert numbers(Contact_ContactID=court.id_of("contact", "ada"), DueDate__lt=date(2026, 11, 2)) == ["INV-0001"]
    assert numbers(raw="AmountDue>0 AND AmountDue<115", order="AmountDue") == ["INV-0002", "INV-0007"]
    assert numbers(InvoiceNumber__startswith="INV-000", Status="VOIDED") == ["INV-0005"]
    assert numbers(IDs=[court.id_of("invoice", "part")]) == ["INV-0002"]
    assert numbers(Statuses=["PAID", "VOIDED"], order="InvoiceNumber") == ["INV-0003", "INV-0005"]

    [one] = xero.invoices.get(court.id_of("invoice", "part"))
    assert (one["Date"], one["DueDate"]) == (
        datetime(2026, 10, 2, tzinfo=UTC),
        datetime(2026, 11, 2, tzinfo=UTC),
    )
    assert (one["AmountDue"], one["Payments"][0]["Amount"]) == (100.0, 15.0)
    assert one["UpdatedDateUTC"].tzinfo is not None
    [contact] = xero.contacts.filter(searchTerm="café")
    assert contact["ContactID"] == court.id_of("contact", "ada")
    [credit] = xero.creditnotes.get("CN-0001")
    assert [part["Amount"] for part in credit["Allocations"]] == [10.0]
    assert [one["Status"] for one in xero.overpayments.all() + xero.prepayments.all()] == ["AUTHORISED"] * 2


def test_since_as_the_web_writes_dates(xero: Any, court: Court) -> None:
    court.advance(600)
    court.people(do="edit_invoice", invoice="open", reference="PO 4412")
    then = (NOW + timedelta(minutes=10)).replace(tzinfo=None)
    assert [one["Reference"] for one in xero.invoices.filter(since=then)] == ["PO 4412"]
    assert xero.invoices.filter(since=then + timedelta(seconds=1)) == []


def test_history_is_read_in_small_letters(xero: Any, court: Court) -> None:
    court.people(do="note", invoice="open", text="called")
    newest, *_ = xero.invoices.get_history(court.id_of("invoice", "open"))["HistoryRecords"]
    assert (newest["Details"], newest["DateUTC"]) == ("called", NOW)


def test_a_body_in_xml_is_refused_and_nothing_is_written(xero: Any, errors: Any, court: Court) -> None:
    key, credit = court.id_of("invoice", "open"), court.id_of("credit_note", "cn")
    before = len(court.twin.books[court.tenant].truth)
    allocation = {"Amount": 5.0, "Date": date(2026, 11, 22), "Invoice": {"InvoiceID": key}}
    writes: tuple[Callable[[], object], ...] = (
        lambda: xero.invoices.put_history(key, "reminder sent"),
        lambda: xero.invoices.save({"InvoiceID": key, "Reference": "x"}),
        lambda: xero.contacts.put([{"Name": "Zed"}]),
        lambda: xero.creditnotes.put_allocation(credit, allocation),
        lambda: xero.payments.delete(court.id_of("payment", "p1")),
    )
    for write in writes:
        with pytest.raises(errors.XeroExceptionUnknown) as refused:
            write()
        assert refused.value.response.status_code == 415
        assert refused.value.response.text == "The sandbox reads application/json, not application/xml"
    assert len(court.twin.books[court.tenant].truth) == before


def test_files_mail_link_and_an_allocation_taken_back(xero: Any, court: Court) -> None:
    key = court.id_of("invoice", "open")
    xero.invoices.put_attachment_data(key, "plan.pdf", b"%PDF-1.7", "application/pdf", include_online=True)
    [kept] = xero.invoices.get_attachments(key)["Attachments"]
    assert (kept["FileName"], kept["MimeType"], kept["IncludeOnline"]) == ("plan.pdf", "application/pdf", True)
    down = io.BytesIO()
    assert xero.invoices.get_attachment(key, "plan.pdf", down) == 8
    assert down.getvalue() == b"%PDF-1.7"
    assert xero.invoices.get(key, headers={"Accept": "application/pdf"}).startswith(b"%PDF-")
    assert xero.invoices.email(key) == b""
    assert [mail["to"] for mail in court.twin.books[court.tenant].mails] == [["ada@cafe.example", "ann@cafe.example"]]
    assert xero.invoices.online_invoice(key)["OnlineInvoices"][0]["OnlineInvoiceUrl"].startswith("https://in.xero.com/")


def test_the_refusals_as_pyxero_maps_them(xero: Any, errors: Any, credentials: Any, court: Court) -> None:
    with pytest.raises(errors.XeroNotFound):
        xero.invoices.get("11111111-1111-4111-8111-111111111111")
    with pytest.raises(errors.XeroBadRequest) as bad:
        xero.invoices.filter(raw="Type==")
    assert str(bad.value).startswith("QueryParseException: ")
    with pytest.raises(errors.XeroBadRequest) as draft:
        xero.invoices.email(court.id_of("invoice", "draft"))
    assert draft.value.errors == ["Only approved sales invoices can be emailed"]
    court.order("limits", {"minute": 0})
    with pytest.raises(errors.XeroRateLimitExceeded) as limited:
        xero.invoices.all()
    assert limited.value.errors == ["rate limit exceeded: minute"]
    court.order("limits", {"minute": 60})
    court.advance(1800)
    with pytest.raises(errors.XeroUnauthorized) as expired:
        xero.invoices.all()
    assert expired.value.problem == "TokenExpired"
    credentials.refresh()
    import_module("xero").Xero(credentials).invoices.all()
    credentials.tenant_id = "11111111-1111-4111-8111-111111111111"
    with pytest.raises(errors.XeroForbidden):
        xero.invoices.all()
