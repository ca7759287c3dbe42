"""What Xero's JSON looks like on the wire: only the fields that dunwell uses, under Xero's own names.

Enums stay open (`str`): a new value must not break a page. Xero omits what is unset, some writers send null, "True" or
numbers as text: all of these are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, Required, TypeVar

from pydantic import AllowInfNan, ConfigDict, Strict, TypeAdapter, with_config
from typing_extensions import TypedDict

T = TypeVar("T")
# Strict: true is no amount. A double only where it is exact: see `decode`.
Amount = Annotated[float, Strict(), AllowInfNan(allow_inf_nan=False)] | str

_OPEN: Final = ConfigDict(coerce_numbers_to_str=True, extra="ignore")


@with_config(_OPEN)
class ContactRef(TypedDict, total=False):
    ContactID: str | None


@with_config(_OPEN)
class LineRow(TypedDict, total=False):
    LineItemID: str | None
    Description: str | None
    LineAmount: Amount | None
    TaxAmount: Amount | None
    AccountCode: str | None
    TaxType: str | None


@with_config(_OPEN)
class InvoiceRow(TypedDict, total=False):
    InvoiceID: Required[str]
    Type: str | None
    InvoiceNumber: str | None
    Reference: str | None
    Contact: ContactRef | None
    Date: str | None
    DateString: str | None
    DueDate: str | None
    DueDateString: str | None
    Status: str | None
    LineAmountTypes: str | None
    LineItems: list[LineRow] | None
    TotalTax: Amount | None
    Total: Amount | None
    AmountDue: Amount | None
    AmountPaid: Amount | None
    AmountCredited: Amount | None
    CurrencyCode: str | None
    CurrencyRate: Amount | None
    SentToContact: bool | None
    ExpectedPaymentDate: str | None
    ExpectedPaymentDateString: str | None
    FullyPaidOnDate: str | None
    RepeatingInvoiceID: str | None
    HasAttachments: bool | None
    UpdatedDateUTC: str | None
    UpdatedDateUTCString: str | None


@with_config(_OPEN)
class WatchedRow(TypedDict, total=False):
    """Of an invoice: what is compared from round to round."""

    InvoiceID: Required[str]
    Type: str | None
    Status: str | None
    DueDate: str | None
    SentToContact: bool | None
    ExpectedPaymentDate: str | None
    Total: Amount | None
    AmountDue: Amount | None


@with_config(_OPEN)
class PersonRow(TypedDict, total=False):
    FirstName: str | None
    LastName: str | None
    EmailAddress: str | None
    IncludeInEmails: bool | None


@with_config(_OPEN)
class PhoneRow(TypedDict, total=False):
    PhoneType: str | None
    PhoneNumber: str | None
    PhoneAreaCode: str | None
    PhoneCountryCode: str | None


@with_config(_OPEN)
class AddressRow(TypedDict, total=False):
    AddressType: str | None
    AddressLine1: str | None
    AddressLine2: str | None
    AddressLine3: str | None
    AddressLine4: str | None
    City: str | None
    Region: str | None
    PostalCode: str | None
    Country: str | None
    AttentionTo: str | None


@with_config(_OPEN)
class BalanceRow(TypedDict, total=False):
    Outstanding: Amount | None
    Overdue: Amount | None


@with_config(_OPEN)
class BalancesRow(TypedDict, total=False):
    AccountsReceivable: BalanceRow | None


@with_config(_OPEN)
class GroupRow(TypedDict, total=False):
    ContactGroupID: str | None
    Name: str | None
    Status: str | None
    Contacts: list[ContactRef] | None


@with_config(_OPEN)
class TermRow(TypedDict, total=False):
    Day: Amount | None
    Type: str | None


@with_config(_OPEN)
class TermsRow(TypedDict, total=False):
    Sales: TermRow | None


@with_config(_OPEN)
class ContactRow(TypedDict, total=False):
    ContactID: Required[str]
    Name: str | None
    ContactStatus: str | None
    FirstName: str | None
    LastName: str | None
    EmailAddress: str | None
    AccountNumber: str | None
    DefaultCurrency: str | None
    ContactPersons: list[PersonRow] | None
    Phones: list[PhoneRow] | None
    Addresses: list[AddressRow] | None
    ContactGroups: list[GroupRow] | None
    Balances: BalancesRow | None
    PaymentTerms: TermsRow | None
    IsCustomer: bool | None
    IsSupplier: bool | None
    MergedToContactID: str | None
    UpdatedDateUTC: str | None


@with_config(_OPEN)
class DocumentRef(TypedDict, total=False):
    InvoiceID: str | None
    InvoiceNumber: str | None
    Type: str | None
    Contact: ContactRef | None
    CurrencyCode: str | None


@with_config(_OPEN)
class AccountRef(TypedDict, total=False):
    AccountID: str | None
    Code: str | None


@with_config(_OPEN)
class PaymentRow(TypedDict, total=False):
    PaymentID: Required[str]
    PaymentType: str | None
    Status: str | None
    Date: str | None
    DateString: str | None
    Amount: Amount | None
    Reference: str | None
    IsReconciled: bool | None
    Invoice: DocumentRef | None
    Account: AccountRef | None
    UpdatedDateUTC: str | None
    UpdatedDateUTCString: str | None


@with_config(_OPEN)
class AllocationRow(TypedDict, total=False):
    AllocationID: str | None
    Amount: Amount | None
    AppliedAmount: Amount | None
    Date: str | None
    DateString: str | None
    Invoice: DocumentRef | None
    IsDeleted: bool | None


@with_config(_OPEN)
class CreditRow(TypedDict, total=False):
    """A credit note, overpayment or prepayment: the same fields but for the names of id and number."""

    CreditNoteID: str | None
    OverpaymentID: str | None
    PrepaymentID: str | None
    CreditNoteNumber: str | None
    InvoiceNumber: str | None
    Type: str | None
    Status: str | None
    Contact: ContactRef | None
    Date: str | None
    DateString: str | None
    Total: Amount | None
    RemainingCredit: Amount | None
    CurrencyCode: str | None
    CurrencyRate: Amount | None
    Reference: str | None
    Allocations: list[AllocationRow] | None
    UpdatedDateUTC: str | None
    UpdatedDateUTCString: str | None


@with_config(_OPEN)
class OrganisationRow(TypedDict, total=False):
    Name: str | None
    LegalName: str | None
    BaseCurrency: str | None
    CountryCode: str | None
    Timezone: str | None
    PeriodLockDate: str | None
    EndOfYearLockDate: str | None
    SalesTaxBasis: str | None
    IsDemoCompany: bool | None
    ShortCode: str | None


@with_config(_OPEN)
class ActionRow(TypedDict, total=False):
    Name: str | None
    Status: str | None


@with_config(_OPEN)
class ReminderRow(TypedDict, total=False):
    Enabled: bool | None


@with_config(_OPEN)
class AccountRow(TypedDict, total=False):
    AccountID: str | None
    Code: str | None
    Name: str | None
    Type: str | None
    Status: str | None


@with_config(_OPEN)
class TaxRateRow(TypedDict, total=False):
    TaxType: str | None
    Name: str | None
    Status: str | None
    EffectiveRate: str | None


@with_config(_OPEN)
class HistoryRow(TypedDict, total=False):
    Details: str | None
    Changes: str | None
    User: str | None
    DateUTC: str | None


@with_config(_OPEN)
class AttachmentRow(TypedDict, total=False):
    AttachmentID: str | None
    FileName: str | None
    MimeType: str | None
    ContentLength: str | None


@with_config(_OPEN)
class OnlineInvoiceRow(TypedDict, total=False):
    OnlineInvoiceUrl: str | None


@with_config(_OPEN)
class ConnectionRow(TypedDict, total=False):
    id: Required[str]
    tenantId: Required[str]
    tenantType: str | None
    tenantName: str | None
    authEventId: str | None


class Pagination(TypedDict, total=False):
    pageCount: int
    itemCount: int


class Envelope(TypedDict, total=False):
    """What stands around every list."""

    DateTimeUTC: str | None
    pagination: Pagination | None


class InvoicesEnvelope(Envelope):
    Invoices: list[InvoiceRow]


class WatchedEnvelope(Envelope):
    Invoices: list[WatchedRow]


class ContactsEnvelope(Envelope):
    Contacts: list[ContactRow]


class PaymentsEnvelope(Envelope):
    Payments: list[PaymentRow]


class CreditNotesEnvelope(Envelope):
    CreditNotes: list[CreditRow]


@dataclass(frozen=True, slots=True)
class Shape(Generic[T]):
    """A list in the envelope: the key it stands under, its rows' own id, and their type.

    `envelope` is set for the lists that come by the thousand: they are read in one go. `exact`: amounts are kept, not
    only compared with each other.
    """

    plural: str
    id: str
    rows: TypeAdapter[list[T]]
    envelope: TypeAdapter[Any] | None = None
    exact: bool = True


INVOICES: Final = Shape("Invoices", "InvoiceID", TypeAdapter(list[InvoiceRow]), TypeAdapter(InvoicesEnvelope))
WATCHED: Final = Shape(
    "Invoices", "InvoiceID", TypeAdapter(list[WatchedRow]), TypeAdapter(WatchedEnvelope), exact=False
)
CONTACTS: Final = Shape("Contacts", "ContactID", TypeAdapter(list[ContactRow]), TypeAdapter(ContactsEnvelope))
PAYMENTS: Final = Shape("Payments", "PaymentID", TypeAdapter(list[PaymentRow]), TypeAdapter(PaymentsEnvelope))
_CREDIT_ROWS: Final = TypeAdapter(list[CreditRow])
CREDIT_NOTES: Final = Shape("CreditNotes", "CreditNoteID", _CREDIT_ROWS, TypeAdapter(CreditNotesEnvelope))
OVERPAYMENTS: Final = Shape("Overpayments", "OverpaymentID", _CREDIT_ROWS)
PREPAYMENTS: Final = Shape("Prepayments", "PrepaymentID", _CREDIT_ROWS)
ALLOCATIONS: Final = Shape("Allocations", "AllocationID", TypeAdapter(list[AllocationRow]))
GROUPS: Final = Shape("ContactGroups", "ContactGroupID", TypeAdapter(list[GroupRow]))
ORGANISATIONS: Final = Shape("Organisations", "OrganisationID", TypeAdapter(list[OrganisationRow]))
ACTIONS: Final = Shape("Actions", "Name", TypeAdapter(list[ActionRow]))
REMINDERS: Final = Shape("InvoiceReminders", "", TypeAdapter(list[ReminderRow]))
ACCOUNTS: Final = Shape("Accounts", "AccountID", TypeAdapter(list[AccountRow]))
TAX_RATES: Final = Shape("TaxRates", "TaxType", TypeAdapter(list[TaxRateRow]))
HISTORY: Final = Shape("HistoryRecords", "", TypeAdapter(list[HistoryRow]))
ATTACHMENTS: Final = Shape("Attachments", "AttachmentID", TypeAdapter(list[AttachmentRow]))
ONLINE_INVOICES: Final = Shape("OnlineInvoices", "", TypeAdapter(list[OnlineInvoiceRow]))
CONNECTIONS: Final = Shape("", "id", TypeAdapter(list[ConnectionRow]))
