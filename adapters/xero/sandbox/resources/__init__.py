"""The routes of the Accounting API that the sandbox simulates, one module per resource."""

from __future__ import annotations

from adapters.xero.sandbox.resources import (
    attachments,
    contact_writes,
    contacts,
    credit_documents,
    groups,
    history,
    invoice_writes,
    invoices,
    payments,
    reports,
    settings,
)
from adapters.xero.sandbox.routing import Route

ROUTES: tuple[Route, ...] = (
    *settings.ROUTES,
    *contacts.ROUTES,
    *contact_writes.ROUTES,
    *groups.ROUTES,
    *invoices.ROUTES,
    *invoice_writes.ROUTES,
    *payments.ROUTES,
    *credit_documents.ROUTES,
    *history.ROUTES,
    *attachments.ROUTES,
    *reports.ROUTES,
)
