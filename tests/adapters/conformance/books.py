"""The books that the cases begin with, in the twins' neutral words."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.adapters.conformance.bench import Json

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday


def line(amount: str, tax: str = "standard", words: str = "Work") -> Json:
    return {"description": words, "unit_amount": amount, "tax": tax}


def invoice(number: str, customer: str, amount: str = "100.00", **more: object) -> Json:
    """An approved invoice of 3 February, due on the 17th."""
    what: Json = {"ref": number.lower(), "customer": customer, "number": number, "lines": [line(amount)]}
    return {**what, "date": "2026-02-03", "due": "2026-02-17", "sent": True, **more}


def new_invoice(number: str, customer: str = "acorn", amount: str = "100.00", **more: object) -> Json:
    """The same as an act of people."""
    return {"do": "create_invoice", **invoice(number, customer, amount, **more)}


def empty(**organisation: object) -> Json:
    """An organisation with one customer and no documents."""
    return {
        "organisation": {
            "name": "Harbour Lane",
            "legal_name": "Harbour Lane Limited",
            "country": "GB",
            "timezone": "Europe/London",
            "base_currency": "GBP",
            "native_reminders": False,
            "demo": False,
            **organisation,
        },
        "customers": [{"ref": "acorn", "name": "Acorn Ltd", "terms_days": 14, "email": "pay@acorn.example"}],
    }


def books(tag: str, **organisation: object) -> Json:
    """A little of everything that a receivables ledger holds."""
    document = empty(**organisation)
    document["customers"] += [
        {
            "ref": "birch", "name": "Birch & Söhne GmbH", "email": "ap@birch.example", "first_name": "Bea",
            "last_name": "Birch", "phone": "+49 30 1234", "account_number": "D-1002", "groups": [tag, "VIP"],
            "people": [{"first_name": "Al", "last_name": "Po", "email": "al@birch.example", "on_invoices": True}],
            "address": {"line1": "1 Quay", "city": "Kiel", "postal_code": "24103", "country": "Germany"},
        },
        {"ref": "cedar", "name": "Cedar Inc", "email": "c@cedar.example", "currency": "USD"},
        {"ref": "dogwood", "name": "Dogwood", "archived": True},
        {"ref": "elm", "name": "Elm, duplicate of Acorn"},
        {"ref": "fir", "name": "Fir Ltd, of whom nothing is owed"},
    ]  # fmt: skip
    document["invoices"] = [
        invoice("INV-1", "acorn", "600.00"),
        invoice("INV-2", "birch", "19.99", amounts="inclusive", reference="PO 7"),
        invoice("INV-PART", "acorn", "250.00", sent=False),
        invoice("INV-PAID", "acorn", "80.00"),
        invoice("INV-CREDITED", "birch", "120.00"),
        invoice("INV-VOID", "birch", "10.00", status="voided"),
        invoice("INV-DRAFT", "acorn", "70.00", status="draft", sent=False),
        invoice("INV-WAITS", "acorn", "71.00", status="submitted", sent=False),
        invoice("INV-GONE", "acorn", "72.00", status="deleted", sent=False),
        invoice("INV-USD", "cedar", "1000.00", currency="USD", rate="1.2345", amounts="none"),
        invoice("INV-ELM", "elm", "33.00", expected="2026-03-20"),
        invoice("BILL-1", "birch", "44.00", type="payable", sent=False),
    ]
    document["payments"] = [
        {"ref": "part", "invoice": "inv-part", "date": "2026-02-10", "amount": "50.00", "reference": "thanks"},
        {"ref": "full", "invoice": "inv-paid", "date": "2026-02-11", "amount": "96.00", "reconciled": False},
    ]
    document["credit_notes"] = [
        {
            "ref": "cn", "customer": "birch", "number": "CN-1", "date": "2026-02-12", "lines": [line("50.00")],
            "allocations": [{"invoice": "inv-credited", "amount": "40.00", "date": "2026-02-13"}],
        }
    ]  # fmt: skip
    document["overpayments"] = [{"ref": "over", "customer": "acorn", "date": "2026-02-14", "amount": "15.00"}]
    document["prepayments"] = [{"ref": "pre", "customer": "acorn", "date": "2026-02-15", "amount": "150.00"}]
    return document


MANY = 23


def many(count: int = MANY) -> Json:
    """Enough for many narrow pages: invoices INV-00 and on, the first twelve of them part-paid."""
    document = empty()
    document["customers"] += [{"ref": f"c{n:02}", "name": f"Customer {n:02}"} for n in range(count // 2 + 1)]
    document["invoices"] = [invoice(f"INV-{n:02}", "acorn" if n % 2 else f"c{n // 2:02}") for n in range(count)]
    document["payments"] = [
        {"ref": f"p{n}", "invoice": f"inv-{n:02}", "date": "2026-02-10", "amount": "1.00"} for n in range(12)
    ]
    return document
