"""The organisation and its read-only lists."""

from __future__ import annotations

from adapters._twin.messages import Response
from adapters.xero.sandbox import answers, zones
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.countries import country
from adapters.xero.sandbox.fields import plain_fields
from adapters.xero.sandbox.listing import Shelf, listing
from adapters.xero.sandbox.render import with_extra
from adapters.xero.sandbox.resources.edge import INVOICES, SETTINGS, route
from adapters.xero.sandbox.routing import Call, Handler

_ACTIONS = (
    "CreateApprovedInvoice",
    "CreateDraftPurchaseOrder",
    "CreateApprovedBill",
    "AttachFilesIntoInvoice",
    "UseMulticurrency",
    "CreateDraftInvoice",
    "CreateRepeatingInvoice",
    "CreateRepeatingBill",
    "CreateSentQuote",
    "CreateInvoicePayment",
    "CreateApprovedPurchaseOrder",
    "CreateDraftQuote",
    "CreateDraftBill",
)


def _organisation(call: Call) -> Response:
    return answers.envelope(call, "Organisations", [_written(call.books.organisation)])


def _written(one: r.Organisation) -> dict[str, object]:
    wire: dict[str, object] = {"Name": one.name, "LegalName": one.legal_name}
    wire.update(PaysTax=bool(one.sales_tax_basis), Version=country(one.country).version, OrganisationType="COMPANY")
    wire.update(BaseCurrency=one.base_currency, CountryCode=one.country, IsDemoCompany=one.demo)
    wire.update(OrganisationStatus="ACTIVE", FinancialYearEndDay=31, FinancialYearEndMonth=3)
    if one.sales_tax_basis:
        wire["SalesTaxBasis"] = one.sales_tax_basis
    wire.update(DefaultSalesTax="Tax Exclusive", DefaultPurchasesTax="Tax Exclusive")
    if one.period_lock_date:
        wire["PeriodLockDate"] = answers.day(one.period_lock_date)
    if one.end_of_year_lock_date:
        wire["EndOfYearLockDate"] = answers.day(one.end_of_year_lock_date)
    if one.created:
        wire["CreatedDateUTC"] = answers.bare_stamp(one.created)
    wire.update(OrganisationEntityType="COMPANY", Timezone=zones.xero_name(one.timezone), ShortCode=one.short_code)
    wire.update(OrganisationID=one.id, Edition="BUSINESS", Class=one.edition_class)
    wire.update(Addresses=[], Phones=[], ExternalLinks=[], PaymentTerms={})
    # What was recorded wins, except what people can change here.
    movable = {"PeriodLockDate", "EndOfYearLockDate"}
    return with_extra({**wire, **{key: value for key, value in one.extra.items() if key not in movable}}, {})


def _refuse_writing(call: Call) -> Response:
    return answers.plain_text(501, f"{call.request.method} is not implemented for Organisation")


def _actions(call: Call) -> Response:
    refused = call.books.words("actions_not_allowed")
    rows = [{"Name": name, "Status": "NOT-ALLOWED" if name in refused else "ALLOWED"} for name in _ACTIONS]
    return answers.envelope(call, "Actions", rows)


def _reminders(call: Call) -> Response:
    return answers.envelope(call, "InvoiceReminders", [{"Enabled": call.books.organisation.native_reminders}])


def _list_of(plural: str, *names: str) -> Handler:
    shelf = Shelf(plain_fields(names), paged=False)

    def handle(call: Call) -> Response:
        table = call.books.plain.get(plural)
        page = listing(call, list(table) if table else [], shelf)
        return answers.envelope(call, plural, [one.wire for one in page.rows])

    return handle


def _single_of(plural: str, parameter: str) -> Handler:
    def handle(call: Call) -> Response:
        table = call.books.plain.get(plural)
        found = table.get(call.params[parameter]) if table else None
        return answers.envelope(call, plural, [found.wire]) if found else answers.not_found()

    return handle


ROUTES = (
    route("GET", "/Organisation", SETTINGS, _organisation),
    route("POST", "/Organisation", SETTINGS, _refuse_writing),
    route("GET", "/Organisation/Actions", SETTINGS, _actions),
    # The plural is not described, but answered all the same (pyxero issues 17 and 75).
    route("GET", "/Organisations", SETTINGS, _organisation),
    route("GET", "/Organisations/Actions", SETTINGS, _actions),
    route("GET", "/InvoiceReminders/Settings", SETTINGS, _reminders),
    route("GET", "/Users", SETTINGS, _list_of("Users", "UserID", "EmailAddress", "FirstName", "LastName")),
    route("GET", "/Users/{UserID}", SETTINGS, _single_of("Users", "UserID")),
    route(
        "GET",
        "/Accounts",
        SETTINGS,
        _list_of(
            "Accounts",
            "AccountID",
            "Code",
            "Name",
            "Type",
            "Class",
            "Status",
            "TaxType",
            "SystemAccount",
            "EnablePaymentsToAccount",
        ),
    ),
    route("GET", "/Accounts/{AccountID}", SETTINGS, _single_of("Accounts", "AccountID")),
    route("GET", "/TaxRates", SETTINGS, _list_of("TaxRates", "Name", "TaxType", "Status", "EffectiveRate")),
    route("GET", "/TaxRates/{TaxType}", SETTINGS, _single_of("TaxRates", "TaxType")),
    route("GET", "/BrandingThemes", SETTINGS, _list_of("BrandingThemes")),
    route("GET", "/BrandingThemes/{BrandingThemeID}", SETTINGS, _single_of("BrandingThemes", "BrandingThemeID")),
    route("GET", "/Currencies", SETTINGS, _list_of("Currencies", "Code")),
    route("GET", "/TrackingCategories", SETTINGS, _list_of("TrackingCategories", "Name", "Status")),
    route("GET", "/RepeatingInvoices", INVOICES, _list_of("RepeatingInvoices", "Status", "Type", "Reference")),
    route(
        "GET",
        "/RepeatingInvoices/{RepeatingInvoiceID}",
        INVOICES,
        _single_of("RepeatingInvoices", "RepeatingInvoiceID"),
    ),
)
