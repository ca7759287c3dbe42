"""Xero's own client library, its models into SQLite: `python -m bench.peer_xero_python ROOT-URL DATABASE`.

`AccountingApi` with a thousand rows a page, one page after the other as its users do, and `executemany` of the same
columns as dunwell's. Amounts are its models' own Decimals, times 100.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient, Configuration
from xero_python.api_client.oauth2 import OAuth2Token

from bench.measure import Measured, meter, tell
from bench.server import TENANT
from bench.tables import open_tables, statement

ORGANISATION = f"xero:{TENANT}"
Row = tuple[Any, ...]


def cents(amount: Any) -> int:
    return int(Decimal(str(amount or 0)) * 100)


def day(value: Any) -> str | None:
    return None if value is None else value.strftime("%Y-%m-%d")


def micros(value: datetime) -> int:
    return int(value.timestamp() * 1_000_000)


def word(value: Any) -> str:
    return str(getattr(value, "value", value) or "")


def invoice(one: Any) -> Row:
    status = word(one.status)
    live = status in {"DRAFT", "SUBMITTED"} or (status == "AUTHORISED" and one.amount_due > 0)
    number, customer = one.invoice_number or "", one.contact.contact_id
    lines = [
        [ln.line_item_id, ln.description, cents(ln.line_amount), cents(ln.tax_amount), ln.account_code, ln.tax_type]
        for ln in one.line_items or ()
    ]
    return (
        "default", ORGANISATION, one.invoice_id, number, number.casefold(), customer, status, live, day(one.date),
        day(one.due_date), word(one.currency_code), cents(one.total), cents(one.total_tax), cents(one.amount_due),
        cents(one.amount_paid), cents(one.amount_credited), str(one.currency_rate), one.reference or "",
        one.sent_to_contact, day(one.expected_payment_date), day(one.fully_paid_on_date),
        one.repeating_invoice_id is not None, bool(one.has_attachments), json.dumps(lines),
        micros(one.updated_date_utc),
    )  # fmt: skip


def payment(one: Any) -> Row:
    amount, document = cents(one.amount), one.invoice
    return (
        "default", ORGANISATION, one.payment_id, document.contact.contact_id, document.invoice_id, day(one.date),
        word(document.currency_code), amount, one.reference or "", one.is_reconciled, one.account.code,
        word(one.status) == "AUTHORISED", json.dumps([[document.invoice_id, amount, day(one.date)]]),
        micros(one.updated_date_utc),
    )  # fmt: skip


def contact(one: Any) -> Row:
    owed = one.balances.accounts_receivable if one.balances else None
    body = {
        "first_name": one.first_name,
        "last_name": one.last_name,
        "people": [[p.first_name, p.last_name, p.email_address, p.include_in_emails] for p in one.contact_persons],
        "addresses": [[word(a.address_type), a.address_line1, a.city, a.postal_code, a.country] for a in one.addresses],
        "phones": [[word(p.phone_type), p.phone_area_code, p.phone_number] for p in one.phones],
        "account_number": one.account_number,
        "overdue": str(owed.overdue) if owed else None,
    }
    return (
        "default", ORGANISATION, one.contact_id, one.name, one.name.casefold(), one.email_address,
        one.email_address.casefold(), word(one.contact_status) == "ACTIVE", word(one.default_currency),
        str(owed.outstanding) if owed else None, json.dumps(body), micros(one.updated_date_utc),
    )  # fmt: skip


def api(root: str) -> AccountingApi:
    token = {"access_token": "bench", "token_type": "Bearer", "expires_in": 1800, "scope": ["accounting.invoices"]}
    configuration = Configuration(oauth2_token=OAuth2Token(client_id="bench", client_secret="bench"))
    client = ApiClient(configuration, oauth2_token_getter=lambda: token, oauth2_token_saver=lambda _: None)
    return AccountingApi(client, base_url=f"{root}/api.xro/2.0")


def pull(root: str, db: sqlite3.Connection) -> int:
    """Every page of the three lists into SQLite; gives the number of rows."""
    accounting = api(root)
    lists: Iterable[tuple[str, str, Callable[..., Any], Callable[[Any], Row]]] = (
        ("invoices", "invoice", accounting.get_invoices, invoice),
        ("payments", "payment", accounting.get_payments, payment),
        ("contacts", "customer", accounting.get_contacts, contact),
    )
    count = 0
    for name, table, get, row in lists:
        page, last = 1, 1
        while page <= last:
            document = get(TENANT, page=page, page_size=1000)
            rows = [row(one) for one in getattr(document, name)]
            with db:
                db.executemany(statement(table), rows)
            count += len(rows)
            last = document.pagination.page_count
            page += 1
    return count


if __name__ == "__main__":
    logging.disable()
    result: Measured = {}
    database = open_tables(sys.argv[2])
    with meter(result):
        result["records"] = pull(sys.argv[1], database)
    tell(result)
