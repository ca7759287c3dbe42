"""The default company: eight customers of a small firm in Auckland, with a year of ordinary ups and downs."""

from __future__ import annotations

from datetime import date, timedelta

_CUSTOMERS: tuple[tuple[str, str, str, int], ...] = (
    ("basket", "Basket Case", "accounts@basketcase.example", 20),
    ("bayside", "Bayside Club", "club@bayside.example", 14),
    ("city", "City Limousines", "pay@citylimo.example", 30),
    ("diispace", "DIISR - Small Business Services", "ap@diisr.example", 20),
    ("hamilton", "Hamilton Smith Ltd", "infohamilton@smith.example", 20),
    ("marine", "Marine Systems", "", 20),
    ("petrie", "Petrie McLoud Watson & Associates", "office@pmw.example", 30),
    ("ridgeway", "Ridgeway University", "invoices@ridgeway.example", 45),
)
# customer, issued days ago, net amount, text, and how it went: paid, part, open, draft, void, credited
_INVOICES: tuple[tuple[str, int, str, str, str], ...] = (
    ("ridgeway", 210, "5600.00", "Semester programme", "paid"),
    ("petrie", 180, "1250.00", "Annual review", "paid"),
    ("basket", 150, "820.50", "Seasonal display", "paid"),
    ("city", 140, "310.00", "Fleet signage", "open"),
    ("bayside", 120, "234.00", "Club evening", "paid"),
    ("hamilton", 110, "475.00", "Consulting, March", "open"),
    ("ridgeway", 100, "6187.50", "Development work", "part"),
    ("marine", 95, "396.00", "Sensor calibration", "open"),
    ("petrie", 80, "1407.60", "Portal project", "paid"),
    ("basket", 75, "914.55", "Workshop", "part"),
    ("city", 62, "100.00", "Monthly support", "open"),
    ("diispace", 55, "4200.00", "Grant advice", "credited"),
    ("bayside", 50, "234.00", "Club evening", "void"),
    ("hamilton", 45, "475.00", "Consulting, follow-up", "open"),
    ("city", 32, "100.00", "Monthly support", "open"),
    ("petrie", 28, "1181.25", "Portal project, phase 2", "open"),
    ("ridgeway", 25, "3000.00", "Guest lectures", "open"),
    ("basket", 12, "495.00", "Window design", "open"),
    ("city", 2, "100.00", "Monthly support", "open"),
    ("diispace", 1, "980.00", "Grant advice, second round", "draft"),
)


def document(today: date) -> dict[str, object]:
    """Return the default company's scenario as of the organisation's `today`."""
    terms = {ref: days for ref, _, _, days in _CUSTOMERS}
    invoices: list[object] = []
    payments: list[object] = []
    notes: list[object] = []
    for number, (customer, ago, net, text, end) in enumerate(_INVOICES, start=1):
        issued = today - timedelta(days=ago)
        due = issued + timedelta(days=terms[customer])
        ref = f"i{number}"
        invoices.append(
            {
                "ref": ref,
                "customer": customer,
                "reference": f"PO {4400 + number}" if number % 3 else "",
                "date": issued.isoformat(),
                "due": due.isoformat(),
                "lines": [{"description": text, "unit_amount": net}],
                "status": {"draft": "draft", "void": "voided"}.get(end, "authorised"),
                "sent": end != "draft",
            }
        )
        paid_on = min(due + timedelta(days=number % 9 - 3), today).isoformat()
        if end == "paid":
            payments.append({"invoice": ref, "date": paid_on, "amount": _gross(net)})
        if end == "part":
            payments.append({"invoice": ref, "date": paid_on, "amount": "500.00"})
        if end == "credited":
            lines = [{"description": "Session cancelled", "unit_amount": "700.00"}]
            allocation = {"invoice": ref, "amount": "805.00"}
            notes.append({"customer": customer, "date": paid_on, "lines": lines, "allocations": [allocation]})
    return {
        "organisation": {
            "name": "Harbour Street Studio",
            "legal_name": "Harbour Street Studio Limited",
            "country": "NZ",
            "timezone": "Pacific/Auckland",
            "base_currency": "NZD",
        },
        "customers": [_customer(*one) for one in _CUSTOMERS],
        "invoices": invoices,
        "payments": payments,
        "credit_notes": notes,
        "overpayments": [{"customer": "bayside", "date": (today - timedelta(days=40)).isoformat(), "amount": "50.00"}],
    }


def _gross(net: str) -> str:
    """Add New Zealand's 15 % to an amount, in whole cents, half up."""
    whole, _, fraction = net.partition(".")
    cents = (int(whole + fraction) * 115 + 50) // 100
    return f"{cents // 100}.{cents % 100:02d}"


def _customer(ref: str, name: str, email: str, days: int) -> dict[str, object]:
    first = name.split(maxsplit=1)[0]
    return {"ref": ref, "name": name, "email": email, "first_name": first, "last_name": "Accounts", "terms_days": days}
