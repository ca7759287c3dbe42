"""The words that options take, for help texts: written out, because their enumerations are slow to import.

`tests/cli/test_help.py` holds them to the domain's own.
"""

from __future__ import annotations

from typing import Final

DISPUTE_CODES: Final = (
    "price, quantity, quality, delivery, po_missing, wrong_entity, duplicate, tax, contract or deduction"
)
DISPUTE_OUTCOMES: Final = "correct, redo, settle, goodwill, stand_firm or withdrawn"
PARTIES: Final = "company, public_body, partnership, sole_trader, consumer, related, dummy or unknown"
HOLDERS: Final = "us, factor, insurer, agency or solicitor"
REPLIES: Final = (
    "paid, remittance, cheque_posted, in_payment_run, awaiting_approval, never_received, query, hardship, promise, "
    "out_of_office, wrong_person, abusive or insufficient"
)
LEGAL_HOLDS: Final = (
    "insolvency, bankruptcy_stay, breathing_space, deceased, adviser_appointed, court_claim, fraud, vulnerability or "
    "regulator"
)
REDUCTIONS: Final = "correction, goodwill, settlement, small_balance, shortfall or bad_debt"
TERMS_BASES: Final = "after_invoice_date, after_invoice_month, of_this_month or of_next_month"
CALL_OUTCOMES: Final = "spoke, voicemail, unreachable or wrong_number"
TAKE_ON_CHOICES: Final = "chase, fix_books, exclude, credit, write_off or legal"
TAKE_ON_QUESTIONS: Final = "financed, tax_basis, native_reminders, approver or parties"
MODES: Final = "observe, approve or autopilot"
PRESETS: Final = "gentle, standard or firm"
EFFECT_STATES: Final = "planned, sending, unknown, done, rejected, human or cancelled"
