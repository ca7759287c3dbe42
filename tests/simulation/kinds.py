"""What is simulated, as tables: the kinds of effect, and the stories that bring them about.

A new kind needs a line in `KINDS` (how its writes look on the wire and in the twin's log) and a story in `STORIES`
(what people do so that the policy wants it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ID = "[0-9a-f-]{36}"


@dataclass(frozen=True)
class Kind:
    """One kind of effect. `writes`: its requests; `truth`: the rows that it leaves in the twin's log."""

    letter: str  # its class on Xero: S, N, P or U
    writes: tuple[tuple[str, str], ...]
    truth: tuple[str, ...]


KINDS: Mapping[str, Kind] = {
    "note": Kind("P", (("PUT", f"/{ID}/History$"),), ("history_note",)),
    "tag": Kind(
        "S",
        (
            ("PUT", "/ContactGroups/[^/]+/Contacts$"),
            ("DELETE", "/ContactGroups/[^/]+/Contacts/"),
            ("PUT", "/ContactGroups$"),
        ),
        ("group_add", "group_remove", "group_create"),
    ),
    "expected_date": Kind("S", (("POST", f"/Invoices/{ID}$"),), ("invoice_update",)),
    "schedule": Kind("N", (("PUT", "/Attachments/"),), ("attachment",)),
    "ledger_email": Kind("U", (("POST", "/Email$"),), ("email",)),
    "letter": Kind("U", (), ()),
    "credit_note": Kind("N", (("PUT", "/CreditNotes$"),), ("credit_note",)),
    "allocation": Kind("P", (("PUT", f"/CreditNotes/{ID}/Allocations$"),), ("allocation",)),
    "invoice": Kind("N", (("PUT", "/Invoices$"),), ("invoice_create",)),
    "terms": Kind("S", (("POST", f"/Contacts/{ID}$"),), ("contact_update",)),
}  # fmt: skip
KIND_OF_TRUTH = {row: name for name, kind in KINDS.items() for row in kind.truth}

Act = Mapping[str, Any]


def _invoice(number: str, customer: str, amount: str = "600.00", *, sent: bool = True) -> Act:
    """An approved invoice of 3 February, due on the 17th."""
    lines = [{"description": "Work", "unit_amount": amount, "tax": "none"}]
    what = {"do": "create_invoice", "ref": number.lower(), "customer": customer, "number": number}
    return {**what, "lines": lines, "date": "2026-02-03", "due": "2026-02-17", "sent": sent}


@dataclass(frozen=True)
class Story:
    """What people do in the ledger and tell the product before the run begins. `customer` is the scenario's ref."""

    customer: str
    kinds: tuple[str, ...]
    books: Sequence[Act]
    told: Sequence[Act] = ()

    @property
    def invoices(self) -> tuple[str, ...]:
        return tuple(str(act["number"]) for act in self.books)


STORIES: Mapping[str, Story] = {
    "query": Story(
        "query", ("tag", "note"), [_invoice("INV-1", "query")], [{"do": "dispute", "invoice": "INV-1"}]
    ),
    "second query": Story(
        "query", ("tag", "note"), [_invoice("INV-6", "query")], [{"do": "dispute", "invoice": "INV-6"}]
    ),
    "extension": Story(
        "extension", ("expected_date", "note"), [_invoice("INV-2", "extension")], [{"do": "extend", "invoice": "INV-2"}]
    ),
    "plan": Story(
        "plan", ("schedule", "expected_date", "note"), [_invoice("INV-3", "plan")], [{"do": "plan", "invoice": "INV-3"}]
    ),
    "unsent": Story("unsent", ("ledger_email", "note"), [_invoice("INV-4", "unsent", sent=False)]),
    "letter": Story("letter", ("letter", "note"), [_invoice("INV-5", "letter")]),
    "longer letter": Story("letter", ("letter", "note"), [_invoice("INV-7", "letter", "250.00")]),
    "concession": Story(
        "extension", ("credit_note", "allocation", "note"), [_invoice("INV-8", "extension")],
        [{"do": "concede", "invoice": "INV-8", "amount": "100.00"}],
    ),
    "reissue": Story(
        "unsent", ("credit_note", "allocation", "invoice", "note"), [_invoice("INV-9", "unsent")],
        [{"do": "reissue", "invoice": "INV-9"}],
    ),
    "terms": Story(
        "plan", ("terms", "note"), [_invoice("INV-10", "plan")],
        [{"do": "terms", "customer": "Plan Ltd", "days": 30}],
    ),
}  # fmt: skip
CUSTOMER_OF = {number: story.customer for story in STORIES.values() for number in story.invoices}
ALL_INVOICES = tuple(CUSTOMER_OF)
