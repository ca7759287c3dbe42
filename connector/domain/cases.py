"""Case records: what people told us and what we did, about one customer. The ledger does not know these.

Each record is an immutable value; a change is a new value under the same id. `on` dates are in the organisation's
zone. `by` names the person (or "dunwell").
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from connector.domain.ledger import PaymentTerms
from connector.domain.money import Money
from connector.domain.reductions import Reduction


class Party(StrEnum):
    """Who the debtor is. Unknown counts as consumer. Related and dummy are never chased."""

    COMPANY = "company"
    PUBLIC_BODY = "public_body"
    PARTNERSHIP = "partnership"
    SOLE_TRADER = "sole_trader"
    CONSUMER = "consumer"
    RELATED = "related"
    DUMMY = "dummy"
    UNKNOWN = "unknown"


class Holder(StrEnum):
    """Who holds the debt. Anything but us: no contact, pay link, plan, credit or write-off."""

    US = "us"
    FACTOR = "factor"
    INSURER = "insurer"
    AGENCY = "agency"
    SOLICITOR = "solicitor"


class LegalHoldKind(StrEnum):
    INSOLVENCY = "insolvency"
    BANKRUPTCY_STAY = "bankruptcy_stay"
    BREATHING_SPACE = "breathing_space"
    DECEASED = "deceased"
    ADVISER_APPOINTED = "adviser_appointed"
    COURT_CLAIM = "court_claim"
    FRAUD = "fraud"
    VULNERABILITY = "vulnerability"
    REGULATOR = "regulator"


class DisputeCode(StrEnum):
    PRICE = "price"
    QUANTITY = "quantity"
    QUALITY = "quality"
    DELIVERY = "delivery"
    PO_MISSING = "po_missing"
    WRONG_ENTITY = "wrong_entity"
    DUPLICATE = "duplicate"
    TAX = "tax"
    CONTRACT = "contract"
    DEDUCTION = "deduction"


class DisputeOutcome(StrEnum):
    CORRECT = "correct"
    REDO = "redo"
    SETTLE = "settle"
    GOODWILL = "goodwill"
    STAND_FIRM = "stand_firm"
    WITHDRAWN = "withdrawn"


class ReplyOutcome(StrEnum):
    PAID = "paid"
    REMITTANCE = "remittance"
    CHEQUE_POSTED = "cheque_posted"
    IN_PAYMENT_RUN = "in_payment_run"
    AWAITING_APPROVAL = "awaiting_approval"
    NEVER_RECEIVED = "never_received"
    QUERY = "query"
    HARDSHIP = "hardship"
    PROMISE = "promise"
    OUT_OF_OFFICE = "out_of_office"
    WRONG_PERSON = "wrong_person"
    ABUSIVE = "abusive"
    INSUFFICIENT = "insufficient"


class CallOutcome(StrEnum):
    SPOKE = "spoke"
    VOICEMAIL = "voicemail"
    UNREACHABLE = "unreachable"
    WRONG_NUMBER = "wrong_number"


class TakeOnChoice(StrEnum):
    CHASE = "chase"
    FIX_BOOKS = "fix_books"
    EXCLUDE = "exclude"
    CREDIT = "credit"
    WRITE_OFF = "write_off"
    LEGAL = "legal"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    id: str
    customer_id: str = ""  # "" = the whole organisation
    on: date
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CashKnown(_Record):
    """A person attests that the books are reconciled up to and including `until`."""

    kind: Literal["cash_known"] = "cash_known"
    until: date
    account: str = ""  # "" = every receiving account


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyIs(_Record):
    kind: Literal["party"] = "party"
    party: Party


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBy(_Record):
    """The newest record for a target wins; `Holder.US` takes it back."""

    kind: Literal["held_by"] = "held_by"
    holder: Holder
    invoice_id: str = ""  # "" = all of the customer (or of the organisation)
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHold(_Record):
    kind: Literal["legal_hold"] = "legal_hold"
    why: LegalHoldKind
    lifted_on: date | None = None
    lifted_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion(_Record):
    """Left alone by a person's decision, with a reason and normally an expiry."""

    kind: Literal["exclusion"] = "exclusion"
    reason: str
    until: date | None = None
    invoice_id: str = ""
    lifted_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOnAnswer(_Record):
    """An answer to one of the questions that must be answered before sending is possible (policy, take-on)."""

    kind: Literal["take_on_answer"] = "take_on_answer"
    question: str  # financed | tax_basis | native_reminders | approver | parties
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOnSorted(_Record):
    """A person sorted this customer's opening items."""

    kind: Literal["take_on_sorted"] = "take_on_sorted"
    choice: TakeOnChoice
    reason: str = ""
    until: date | None = None
    invoice_id: str = ""  # "" = all opening items of the customer


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute(_Record):
    """A query on one invoice. Only `amount` (gross, invoice currency) is paused. Open until `resolved_on`."""

    kind: Literal["dispute"] = "dispute"
    invoice_id: str
    code: DisputeCode
    amount: Money
    wants: str = ""
    evidence: str = ""
    owner: str = ""
    decide_by: date
    reviewed_on: date | None = None
    valid: bool | None = None  # what the review found; None = not decided
    resolved_on: date | None = None
    outcome: DisputeOutcome | None = None

    @property
    def is_open(self) -> bool:
        return self.resolved_on is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension(_Record):
    """One final later date for one invoice; the contractual due date is untouched. Granted on `on`."""

    kind: Literal["extension"] = "extension"
    invoice_id: str
    until: date
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise(_Record):
    """A dated promise to pay, made on `on`."""

    kind: Literal["promise"] = "promise"
    invoice_ids: tuple[str, ...]
    until: date
    amount: Money | None = None  # None = all of it
    withdrawn_on: date | None = None


@dataclass(frozen=True, slots=True)
class Instalment:
    number: int  # from 1
    due: date
    amount: Money


@dataclass(frozen=True, slots=True)
class Signature:
    name: str
    capacity: str
    on: date
    evidence: str


class PlanState(StrEnum):
    OFFERED = "offered"
    SIGNED = "signed"
    VOID = "void"  # breached and not cured
    CANCELLED = "cancelled"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentPlan(_Record):
    """An acknowledgement of debt and instalment agreement. Active only when signed."""

    kind: Literal["plan"] = "plan"
    version: int = 1
    state: PlanState = PlanState.OFFERED
    covered: tuple[tuple[str, Money], ...]  # invoice id, undisputed collectable sum at the offer; oldest due first
    instalments: tuple[Instalment, ...]
    signature: Signature | None = None
    closed_on: date | None = None
    closed_by: str = ""  # "dunwell": the policy ended it


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterSent(_Record):
    """A letter (or the ledger's e-mail) that left, to one recipient. Written only from a receipt."""

    kind: Literal["letter_sent"] = "letter_sent"
    level: int  # DunningLevel; 0 = not dunning (statement, thanks, first sending, summary)
    what: str  # the action kind
    occasion: str
    invoice_ids: tuple[str, ...]
    lead_item: str = ""
    by_date: date | None = None
    recipient: str = ""
    channel: str = "email"  # email | letter_file | ledger_email
    bounced_on: date | None = None
    asks_for_money: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMade(_Record):
    kind: Literal["call"] = "call"
    occasion: str
    outcome: CallOutcome
    note: str = ""
    invoice_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(_Record):
    """An answer from the customer, received on `on`. Waits for us until `answered_on`."""

    kind: Literal["reply"] = "reply"
    outcome: ReplyOutcome
    invoice_ids: tuple[str, ...] = ()
    until: date | None = None
    amount: Money | None = None
    reference: str = ""
    note: str = ""
    answered_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut(_Record):
    """This address or the whole customer ("") must not be written to."""

    kind: Literal["opt_out"] = "opt_out"
    address: str = ""
    reason: str = ""
    lifted_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Concession(_Record):
    """Less is owed on one invoice, decided by a person: `amount` gross, in the invoice's currency (policy section 4).

    `agreement`: the written agreement of a settlement. `dispute_id`: the query that it answers, if any.
    """

    kind: Literal["concession"] = "concession"
    invoice_id: str
    reduction: Reduction
    amount: Money
    reason: str
    agreement: str = ""
    dispute_id: str = ""
    withdrawn_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditUse(_Record):
    """A person decided to lay an open credit of the customer against one invoice."""

    kind: Literal["credit_use"] = "credit_use"
    invoice_id: str
    credit_id: str
    amount: Money
    withdrawn_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsChange(_Record):
    """New payment terms for a customer's future invoices, agreed by a person."""

    kind: Literal["terms_change"] = "terms_change"
    terms: PaymentTerms
    reason: str
    withdrawn_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reissue(_Record):
    """A person decided to credit one invoice whole and to raise it again under a new number.

    `amount`: its total at that moment (gross); `due` and `tax_point` (its date of issue): what the new invoice stands
    for, whatever dates it bears itself. `replaced_by`: the new invoice's id in the ledger, once it is there.
    """

    kind: Literal["reissue"] = "reissue"
    invoice_id: str
    amount: Money
    reason: str
    due: date | None
    tax_point: date
    replaced_by: str = ""
    withdrawn_on: date | None = None


CaseRecord = Annotated[
    CashKnown
    | PartyIs
    | HeldBy
    | LegalHold
    | Exclusion
    | TakeOnAnswer
    | TakeOnSorted
    | Dispute
    | Extension
    | Promise
    | PaymentPlan
    | LetterSent
    | CallMade
    | Reply
    | OptOut
    | Concession
    | CreditUse
    | TermsChange
    | Reissue,
    Field(discriminator="kind"),
]
CASE_RECORD: TypeAdapter[CaseRecord] = TypeAdapter(CaseRecord)


@dataclass(frozen=True, slots=True)
class CaseFile:
    """All case records about one customer, and those about the whole organisation, oldest first."""

    records: tuple[CaseRecord, ...] = field(default=())
