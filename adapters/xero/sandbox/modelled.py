"""Which fields of recorded records the sandbox models: what is not named here is kept and shown as it was recorded."""

from __future__ import annotations

_DATES = frozenset({"Date", "DateString", "UpdatedDateUTC", "UpdatedDateUTCString", "FullyPaidOnDate"})
_SUMS = frozenset({"SubTotal", "TotalTax", "Total", "CurrencyCode", "CurrencyRate", "LineAmountTypes", "LineItems"})
_COMMON = _DATES | _SUMS | {"Type", "Contact", "Status", "Reference", "Payments", "HasAttachments", "Attachments"}
INVOICE = _COMMON | {
    "InvoiceID",
    "InvoiceNumber",
    "CreditNotes",
    "Prepayments",
    "Overpayments",
    "AmountDue",
    "AmountPaid",
    "AmountCredited",
    "SentToContact",
    "DueDate",
    "DueDateString",
    "ExpectedPaymentDate",
    "ExpectedPaymentDateString",
    "PlannedPaymentDate",
    "PlannedPaymentDateString",
    "BrandingThemeID",
    "RepeatingInvoiceID",
    "Url",
}
CREDIT = _COMMON | {
    "CreditNoteID",
    "CreditNoteNumber",
    "OverpaymentID",
    "PrepaymentID",
    "ID",
    "InvoiceNumber",
    "RemainingCredit",
    "Allocations",
    "SentToContact",
}
PAYMENT = _DATES | {
    "PaymentID",
    "Amount",
    "BankAmount",
    "CurrencyRate",
    "Reference",
    "IsReconciled",
    "Status",
    "PaymentType",
    "Account",
    "BatchPayment",
    "BatchPaymentID",
    "HasAccount",
    "HasValidationErrors",
}
CONTACT = frozenset(
    {
        "ContactID",
        "ContactStatus",
        "Name",
        "FirstName",
        "LastName",
        "EmailAddress",
        "ContactNumber",
        "AccountNumber",
        "TaxNumber",
        "ContactPersons",
        "Phones",
        "Addresses",
        "DefaultCurrency",
        "PaymentTerms",
        "MergedToContactID",
        "IsCustomer",
        "IsSupplier",
        "Balances",
        "ContactGroups",
        "UpdatedDateUTC",
        "UpdatedDateUTCString",
        "HasAttachments",
        "HasValidationErrors",
    }
)
LINE = frozenset(
    {
        "LineItemID",
        "Description",
        "Quantity",
        "UnitAmount",
        "LineAmount",
        "TaxType",
        "TaxAmount",
        "AccountCode",
        "AccountID",
        "ItemCode",
        "DiscountRate",
        "DiscountAmount",
        "Tracking",
    }
)
