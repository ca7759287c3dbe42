"""The books as Xero's JSON: fields, order and spelling as the Accounting API answers a paged list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Final

from bench.books import EPOCH, Contact, Invoice, identity

SERVER_TIME: Final = 1795032000000  # 2026-11-18T20:00:00Z
PAGE: Final = 1000
_MIDNIGHT: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WORDS: Final = (
    "Consulting",
    "Site visit",
    "Freight to Ōtaki",
    "Monthly service plan, see agreement",
    'Bolt 3/8" x 50',
)
_ITEM: Final = '"CreditNotes":[],"Prepayments":%s,"Overpayments":[],'


def pages(plural: str, rows: Sequence[str], *, paged: bool = True) -> list[bytes]:
    """Whole answers of up to a thousand rows; one empty answer where there are none."""
    count = max(1, -(-len(rows) // PAGE))
    return [
        _answer(plural, rows[n * PAGE : (n + 1) * PAGE], n + 1, count, len(rows), paged=paged) for n in range(count)
    ]


def _answer(plural: str, rows: Iterable[str], number: int, count: int, items: int, *, paged: bool) -> bytes:
    paging = f'"pagination":{{"page":{number},"pageSize":{PAGE},"pageCount":{count},"itemCount":{items}}},'
    return (
        f'{{"Id":"0d4b5c3e-7b0a-4d8e-9a2c-6d1f1c0b7a11","Status":"OK","ProviderName":"bench",'
        f'"DateTimeUTC":"/Date({SERVER_TIME})/",{paging if paged else ""}"{plural}":[{",".join(rows)}]}}'
    ).encode()


def rendered(render: Callable[[Invoice], str], some: Iterable[Invoice]) -> list[str]:
    return [render(one) for one in some]


def _cents(amount: int) -> str:
    return repr(amount / 100)


def _day(day: date) -> str:
    return f"/Date({(day - EPOCH).days * 86_400_000}+0000)/"


def _stamp(at: datetime) -> str:
    return f"/Date({int((at - _MIDNIGHT).total_seconds()) * 1000}+0000)/"


def _brief(customer: int) -> str:
    return (
        f'{{"ContactID":"{identity("contact", customer)}","Name":"Customer {customer} Limited","Addresses":[],'
        '"Phones":[],"ContactGroups":[],"ContactPersons":[],"HasValidationErrors":false}'
    )


def invoice(one: Invoice) -> str:
    """A row of a paged list: with lines and what was applied."""
    return _head(one) + _applied(one) + _middle(one) + f'"LineItems":[{_lines(one)}],' + _tail(one)


def summary(one: Invoice) -> str:
    """A row of a list with summaryOnly: without lines and what was applied."""
    return _head(one) + _middle(one) + _tail(one)


def _head(one: Invoice) -> str:
    reference = f'"Reference":"{one.reference}",' if one.reference else ""
    return f'{{"Type":"ACCREC","InvoiceID":"{one.id}","InvoiceNumber":"INV-{one.n:06}",{reference}'


def _applied(one: Invoice) -> str:
    payments = prepayments = ""
    if one.paid:
        payments = (
            f'{{"PaymentID":"{identity("payment", one.n)}","Date":"{_day(one.due)}","Amount":{_cents(one.paid)},'
            f'"Reference":"","CurrencyRate":{one.rate},"HasAccount":false,"HasValidationErrors":false}}'
        )
    if one.credited:
        known = identity("prepayment", one.n)
        prepayments = (
            f'{{"PrepaymentID":"{known}","ID":"{known}","AppliedAmount":{_cents(one.credited)},'
            f'"Date":"{_day(one.issued)}","Total":{_cents(one.credited)},"LineItems":[],"HasErrors":false}}'
        )
    return f'"Payments":[{payments}],' + _ITEM % f"[{prepayments}]"


def _middle(one: Invoice) -> str:
    return (
        f'"AmountDue":{_cents(one.open)},"AmountPaid":{_cents(one.paid)},"AmountCredited":{_cents(one.credited)},'
        f'"SentToContact":{"true" if one.sent else "false"},"CurrencyRate":{one.rate},"IsDiscounted":false,'
        '"HasAttachments":false,"InvoiceAddresses":[],"HasErrors":false,"InvoicePaymentServices":[],'
        f'"UpdatedDateUTCString":"{one.updated:%Y-%m-%dT%H:%M:%S}Z","Contact":{_brief(one.customer)},'
        f'"DateString":"{one.issued}T00:00:00","Date":"{_day(one.issued)}",'
        f'"DueDateString":"{one.due}T00:00:00","DueDate":"{_day(one.due)}",'
        '"BrandingThemeID":"7889a0ac-0000-4000-8000-000000000004",'
        f'"Status":"{one.status}","LineAmountTypes":"Exclusive",'
    )


def _lines(one: Invoice) -> str:
    return ",".join(
        f'{{"Description":"{_escaped(_WORDS[(one.n + i) % len(_WORDS)])}","UnitAmount":{_cents(net)},'
        '"TaxType":"OUTPUT2",'
        f'"TaxAmount":{_cents(tax)},"LineAmount":{_cents(net)},"AccountCode":"200","Tracking":[],"Quantity":1.0,'
        f'"LineItemID":"{identity("line", one.n * 4 + i)}","AccountID":"7d05a53d-0000-4000-8000-000000000006"}}'
        for i, (net, tax) in enumerate(zip(one.net, one.tax, strict=True))
    )


def _escaped(text: str) -> str:
    return text.replace('"', '\\"')


def _tail(one: Invoice) -> str:
    settled = f',"FullyPaidOnDate":"{_day(one.due)}"' if one.status == "PAID" else ""
    return (
        f'"SubTotal":{_cents(sum(one.net))},"TotalTax":{_cents(sum(one.tax))},"Total":{_cents(one.total)},'
        f'"UpdatedDateUTC":"{_stamp(one.updated)}","CurrencyCode":"{one.currency}"{settled}}}'
    )


def payment(one: Invoice) -> str:
    """The payment of this invoice, as a row of the list of payments."""
    return (
        f'{{"PaymentID":"{identity("payment", one.n)}","Date":"{_day(one.due)}","BankAmount":{_cents(one.paid)},'
        f'"Amount":{_cents(one.paid)},"Reference":"INV-{one.n:06}","CurrencyRate":{one.rate},'
        '"PaymentType":"ACCRECPAYMENT","Status":"AUTHORISED",'
        f'"UpdatedDateUTC":"{_stamp(one.updated)}","UpdatedDateUTCString":"{one.updated:%Y-%m-%dT%H:%M:%S}Z",'
        '"HasAccount":true,"IsReconciled":true,'
        '"Account":{"AccountID":"13918178-0000-4000-8000-000000000007","Code":"090"},'
        f'"Invoice":{{"Type":"ACCREC","InvoiceID":"{one.id}","InvoiceNumber":"INV-{one.n:06}","Payments":[],'
        '"CreditNotes":[],"Prepayments":[],"Overpayments":[],"HasErrors":false,"IsDiscounted":false,'
        f'"Contact":{_brief(one.customer)},"LineItems":[],"CurrencyCode":"{one.currency}"}},"HasValidationErrors":false}}'
    )


def contact(one: Contact) -> str:
    """A row of the paged list of contacts."""
    balances = ""
    if one.outstanding:
        balances = (
            f'"Balances":{{"AccountsReceivable":{{"Outstanding":{_cents(one.outstanding)},'
            f'"Overdue":{_cents(one.overdue)}}},"AccountsPayable":{{"Outstanding":0.0,"Overdue":0.0}}}},'
        )
    return (
        f'{{"ContactID":"{one.id}","ContactStatus":"ACTIVE","Name":"Customer {one.n} Limited","FirstName":"Mere",'
        f'"LastName":"Parata","EmailAddress":"{one.email}","Addresses":[{{"AddressType":"STREET"}},'
        f'{{"AddressType":"POBOX","AddressLine1":"PO Box {one.n}","City":"Wellington","Region":"","PostalCode":"6011",'
        '"Country":"New Zealand"}],"Phones":[{"PhoneType":"DDI"},'
        f'{{"PhoneType":"DEFAULT","PhoneNumber":"55{one.n:05}","PhoneAreaCode":"04","PhoneCountryCode":"64"}},'
        f'{{"PhoneType":"FAX"}},{{"PhoneType":"MOBILE"}}],"UpdatedDateUTC":"{_stamp(one.updated)}","ContactGroups":[],'
        '"IsSupplier":false,"IsCustomer":true,"DefaultCurrency":"NZD","ContactPersons":['
        f'{{"FirstName":"Tama","LastName":"Rewi","EmailAddress":"tama@customer{one.n}.example","IncludeInEmails":false}}],'
        f'"PaymentTerms":{{"Sales":{{"Day":20,"Type":"OFFOLLOWINGMONTH"}}}},{balances}'
        '"HasAttachments":false,"HasValidationErrors":false}'
    )
