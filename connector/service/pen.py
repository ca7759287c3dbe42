"""The pen: one effect or note of one decision, with its identity."""

from __future__ import annotations

from connector.channels.notes import LIMIT, Fact, NotePhrase, note, short_date
from connector.domain.decisions import Decision, TargetKind
from connector.domain.effects import Effect, EffectKind, Note, Payload, effect_key
from connector.domain.facts import CustomerFacts
from connector.domain.ledger import Invoice
from connector.service.wiring import Wiring
from connector.store.organisations import OrganisationRow


class Pen:
    """Writes the effects of one decision."""

    def __init__(self, w: Wiring, organisation: OrganisationRow, facts: CustomerFacts, decision: Decision) -> None:
        self.w, self.organisation, self.facts, self.decision = w, organisation, facts, decision
        self.items = {item.invoice.id: item for item in facts.items}
        self.invoices = {invoice.id: invoice for invoice in facts.book.invoices}

    def effect(
        self, payload: Payload, target_kind: TargetKind, target: str, after: tuple[Effect, ...] = (), part: str = ""
    ) -> Effect:
        kind = EffectKind(payload.kind)
        occasion = f"{self.decision.kind.value}/{self.decision.occasion}"
        record = self.organisation.record
        key = effect_key(record.ledger, record.ledger_id, kind.value, target, occasion, part)
        return Effect(
            key, kind, target_kind, target, occasion, payload, part, tuple(sorted(first.key for first in after))
        )

    def note(self, phrase: NotePhrase, target: str, after: tuple[Effect, ...] = (), **facts: Fact) -> Effect:
        """A note on an invoice, or on the customer for any other target."""
        on_invoice = target in self.invoices
        text = note(phrase, LIMIT, **facts)
        dated = short_date(self.facts.as_of) if after and "on" in facts else ""
        kind = TargetKind.INVOICE if on_invoice else TargetKind.CUSTOMER
        return self.effect(Note(text, dated), kind, target, after)


def number(invoice: Invoice) -> str:
    """How the invoice is called; a draft may have no number yet."""
    return invoice.number or invoice.id[:8]
