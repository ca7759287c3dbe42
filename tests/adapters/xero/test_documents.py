"""What a document's lines say to Xero."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.xero.prepare import prepare
from connector.domain.decisions import TargetKind
from connector.domain.effects import DocumentLine, Effect, EffectKind, NewInvoice, effect_key
from connector.domain.money import Money


def test_a_line_of_words_names_no_price_for_which_xero_would_want_an_account() -> None:
    nothing, price = Money(0, "NZD"), Money(100_00, "NZD")
    lines = (
        DocumentLine("As we agreed in March:", nothing, nothing, "", ""),
        DocumentLine("Boards", price, Money(15_00, "NZD"), "200", "OUTPUT2"),
        DocumentLine("Delivery, free of charge", nothing, nothing, "200", "OUTPUT2"),
    )
    invoice = NewInvoice("INV-1-R-k3f7qa", "c-1", date(2026, 3, 2), date(2026, 3, 2), lines, Decimal(1))
    key = effect_key("xero", "tenant-1", "invoice", "i-1", "reissue/r-1")
    made = prepare(Effect(key, EffectKind.INVOICE, TargetKind.INVOICE, "i-1", "reissue/r-1", invoice), {})
    sent: list[dict[str, Any]] = json.loads(made.body)["Invoices"][0]["LineItems"]
    assert sent[0] == {"Description": "As we agreed in March:"}
    assert [(one["UnitAmount"], one["TaxAmount"], one["AccountCode"]) for one in sent[1:]] == [
        (100.0, 15.0, "200"),
        (0.0, 0.0, "200"),
    ]
