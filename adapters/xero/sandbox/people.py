"""What people do in the ledger's own screens, while the agent is not looking.

`act` takes one action: {"do": word, ...}. Records are named by a scenario's ref, by number (invoices, credits), by name
(customers) or by id. Whatever the books refuse, and every unknown word, key or record, raises ValueError; then nothing
has happened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from adapters.xero.sandbox import address_book, answers, checks, crediting, entries, invoicing, money_in
from adapters.xero.sandbox import records as r
from adapters.xero.sandbox.errors import Refused
from adapters.xero.sandbox.founding import OWNER, bank_account, default_account
from adapters.xero.sandbox.neutral import Section
from adapters.xero.sandbox.store import Act, Books

_Told = dict[str, object]
_Action = Callable[[Books, Act, Section], _Told]


def act(books: Books, action: dict[str, object], now: datetime) -> dict[str, object]:
    """Do one action at the instant `now` (UTC) and tell what came of it. Raises ValueError."""
    word = action.get("do")
    known = _ACTIONS.get(word) if isinstance(word, str) else None
    if known is None:
        raise ValueError(f"people cannot do {word!r}; they can {', '.join(sorted(_ACTIONS))}")
    how, keys = known
    books.advance(now)  # what the ledger itself does until then comes first
    section = Section(action, str(word), keys | {"do", "user"})
    try:
        with books.attempt():
            told = how(books, Act("people", section.maybe("user", OWNER), now), section)
    except Refused as refused:
        raise ValueError(f"{word}: {'; '.join(refused.messages)}") from refused
    return {"do": word, **told}


# --- finding ---------------------------------------------------------------------------------------------------


def _invoice(books: Books, section: Section, key: str = "invoice") -> r.Invoice:
    name = section.text(key)
    found = books.invoices.get(books.refs.get(("invoice", name), name))
    found = found or next(iter(books.invoices_numbered(name)), None)
    if found is None:
        raise ValueError(f"{section.place}.{key}: no invoice {name!r}")
    return found


def _contact(books: Books, section: Section, key: str = "customer") -> r.Contact:
    name = section.text(key)
    found = books.contacts.get(books.refs.get(("contact", name), name)) or address_book.contact_named(books, name)
    if found is None:
        raise ValueError(f"{section.place}.{key}: no customer {name!r}")
    return found


def _credit(books: Books, section: Section) -> r.Credit:
    name = section.text("credit")
    for kind, table in books.credits.items():
        found = table.get(books.refs.get((kind, name), name))
        found = found or next((one for one in table if one.number == name), None)
        if found:
            return found
    raise ValueError(f"{section.place}.credit: no credit {name!r}")


def _told(invoice: r.Invoice) -> _Told:
    return {
        "id": invoice.id,
        "number": invoice.number or "",
        "status": invoice.status,
        "amount_due": f"{invoice.due:.2f}",
    }


def _again(books: Books, invoice: r.Invoice) -> _Told:
    return _told(books.invoices.get(invoice.id) or invoice)


# --- money -----------------------------------------------------------------------------------------------------


def _money(books: Books, by: Act, section: Section, amount: Decimal) -> money_in.Money:
    return money_in.Money(
        amount=amount,
        day=section.maybe_day("date") or books.today(by.now),
        account_id=bank_account(books),
        reference=section.maybe("reference"),
        reconciled=section.flag("reconciled", default=True) is True,
    )


def _pay(books: Books, by: Act, section: Section) -> _Told:
    invoice = _invoice(books, section)
    amount = section.maybe_amount("amount")
    money = _money(books, by, section, invoice.due if amount is None else amount)
    payment = money_in.pay(books, by, invoice, money)
    return {**_again(books, invoice), "payment_id": payment.id}


def _pay_batch(books: Books, by: Act, section: Section) -> _Told:
    invoices = [_invoice(books, Section({"invoice": name}, section.place, _ONE)) for name in section.words("invoices")]
    batch_id = books.new_id("batch")
    day = section.maybe_day("date") or books.today(by.now)
    # The service writes numbers and booleans of a nested batch as text.
    batch = {
        "Account": {"AccountID": bank_account(books)},
        "BatchPaymentID": batch_id,
        **({"Reference": reference} if (reference := section.maybe("reference")) else {}),
        "Date": answers.day(day),
        "Type": "RECBATCH",
        "Status": "AUTHORISED",
        "TotalAmount": f"{sum((one.due for one in invoices), r.ZERO):.2f}",
        "UpdatedDateUTC": answers.stamp(by.now),
        "IsReconciled": "false",
    }
    for invoice in invoices:
        money = replace(_money(books, by, section, invoice.due), batch=MappingProxyType(batch))
        money_in.pay(books, by, invoice, money)
    return {"batch_id": batch_id, "paid": [_again(books, one) for one in invoices]}


def _delete_payment(books: Books, by: Act, section: Section) -> _Told:
    if section.has("payment"):
        name = section.text("payment")
        payment = books.payments.get(books.refs.get(("payment", name), name))
    else:
        standing = books.payments_on("invoice", _invoice(books, section).id)
        payment = standing[-1] if standing else None
    if payment is None:
        raise ValueError(f"{section.place}: there is no such payment")
    money_in.delete_payment(books, by, payment)
    return {"payment_id": payment.id}


def _give_credit(books: Books, by: Act, section: Section) -> _Told:
    invoice = _invoice(books, section) if section.has("invoice") else None
    contact_id = invoice.contact_id if invoice else _contact(books, section).id
    day = section.maybe_day("date") or books.today(by.now)
    amount = section.maybe_amount("amount")
    if amount is None:
        if invoice is None:
            raise ValueError(f"{section.place}.amount is missing")
        amount = invoice.due
    taxed = invoice.lines[0] if invoice and invoice.lines else None
    account = taxed.account_code if taxed and taxed.account_code else default_account(books)
    tax = taxed.tax_type if taxed else ""
    line = r.Line("", section.maybe("reason", "Credit"), unit_amount=amount, account_code=account, tax_type=tax)
    draft = crediting.CreditDraft(
        kind="credit_note",
        contact_id=contact_id,
        lines=(line,),
        type="ACCRECCREDIT",
        status="AUTHORISED",
        number=section.maybe("number"),
        reference=section.maybe("reason"),
        date=day,
        amounts="Inclusive",
        currency=invoice.currency if invoice else "",
        rate=invoice.rate if invoice else None,
    )
    credit = crediting.raise_credit(books, by, draft)
    told: _Told = {"credit_id": credit.id, "credit_number": credit.number or ""}
    if invoice:
        crediting.allocate(books, by, credit, invoice, amount, day)
        told = {**told, **_again(books, invoice)}
    return told


def _receive_of(kind: r.CreditKind) -> _Action:
    def receive(books: Books, by: Act, section: Section) -> _Told:
        contact = _contact(books, section)
        day = section.maybe_day("date") or books.today(by.now)
        draft = entries.money_draft(books, section, kind, contact.id, day)
        ref = section.maybe("ref")
        credit = crediting.raise_credit(books, by, replace(draft, id=books.id_of_ref(kind, ref) if ref else ""))
        return {"credit_id": credit.id}

    return receive


def _allocate(books: Books, by: Act, section: Section) -> _Told:
    credit, invoice = _credit(books, section), _invoice(books, section)
    amount = section.maybe_amount("amount")
    if amount is None:
        amount = min(credit.remaining or r.ZERO, invoice.due)
    day = section.maybe_day("date") or books.today(by.now)
    part = crediting.allocate(books, by, credit, invoice, amount, day)
    return {**_again(books, invoice), "allocation_id": part.id}


# --- invoices --------------------------------------------------------------------------------------------------


def _status_of(status: str, *from_: str) -> _Action:
    def change(books: Books, by: Act, section: Section) -> _Told:
        invoice = _invoice(books, section)
        if invoice.status not in from_:
            raise Refused(f"{invoice.number or invoice.id} is {invoice.status}")
        return _told(invoicing.edit_invoice(books, by, invoice, replace(invoice, status=status)))

    return change


def _mark_sent(books: Books, by: Act, section: Section) -> _Told:
    invoice = _invoice(books, section)
    if invoice.status not in {"AUTHORISED", "PAID"}:
        raise Refused("only approved invoices can be marked as sent")
    after = invoicing.mark_sent(books, by, invoice)
    books.note("invoice", invoice.id, by, "Invoice sent", "This invoice has been sent")
    changed = checks.changed({"sent": "SentToContact"}, invoice, after)
    books.log(by, "invoice_update", "invoice", invoice.id, {"number": invoice.number, "changed": changed})
    return _told(after)


def _edit_invoice(books: Books, by: Act, section: Section) -> _Told:
    invoice = _invoice(books, section)
    words = section.words("descriptions")
    if len(words) > len(invoice.lines):
        raise ValueError(f"{section.place}.descriptions: the invoice has {len(invoice.lines)} lines")
    lines = tuple(
        replace(one, description=words[place]) if place < len(words) else one for place, one in enumerate(invoice.lines)
    )
    after = replace(
        invoice,
        lines=lines,
        due_date=section.maybe_day("due") if section.has("due") else invoice.due_date,
        expected=section.maybe_day("expected") if section.has("expected") else invoice.expected,
        reference=section.maybe("reference") if section.has("reference") else invoice.reference,
    )
    if after.due_date is None and invoice.status == "AUTHORISED":
        raise Refused("Due Date cannot be empty")
    return _told(invoicing.edit_invoice(books, by, invoice, after))


def _create_invoice(books: Books, by: Act, section: Section) -> _Told:
    ref = section.maybe("ref")
    if ref and ("invoice", ref) in books.refs:
        raise ValueError(f"{section.place}.ref {ref!r} is used already")
    draft = entries.invoice_draft(books, section, books.id_of_ref("invoice", ref) if ref else "")
    invoice = invoicing.raise_invoice(books, by, draft)
    if section.flag("sent"):
        invoice = invoicing.mark_sent(books, by, invoice)
    return _told(invoice)


def _note(books: Books, by: Act, section: Section) -> _Told:
    kind = "invoice" if section.has("invoice") else "contact"
    owner = _invoice(books, section).id if kind == "invoice" else _contact(books, section).id
    text = section.text("text")
    books.note(kind, owner, by, "Note", text)
    books.log(by, "history_note", kind, owner, {"text": text})
    return {"id": owner}


# --- contacts --------------------------------------------------------------------------------------------------


def _edit_contact(books: Books, by: Act, section: Section) -> _Told:
    before = _contact(books, section)
    after = entries.with_changes(before, section)
    address_book.edit_contact(books, by, before, after)
    return {"id": before.id}


def _archive(books: Books, by: Act, section: Section) -> _Told:
    before = _contact(books, section)
    address_book.edit_contact(books, by, before, replace(before, status="ARCHIVED"))
    return {"id": before.id}


def _merge(books: Books, by: Act, section: Section) -> _Told:
    source, target = _contact(books, section, "from"), _contact(books, section, "into")
    address_book.merge(books, by, source, target)
    return {"id": target.id}


def _join(books: Books, by: Act, section: Section) -> _Told:
    contact = _contact(books, section)
    entries.put_in_group(books, by, contact, section.text("group"))
    return {"id": contact.id}


def _leave(books: Books, by: Act, section: Section) -> _Told:
    contact, name = _contact(books, section), section.text("group")
    group = next((one for one in books.groups_of(contact.id) if one.name == name), None)
    if group is None:
        raise ValueError(f"{section.place}.group: {contact.name} is in no group {name!r}")
    address_book.leave(books, by, group, contact)
    return {"id": contact.id}


# --- the organisation ------------------------------------------------------------------------------------------


def _set_lock_date(books: Books, by: Act, section: Section) -> _Told:
    before = books.organisation
    after = before
    if section.has("period_lock_date"):
        after = replace(after, period_lock_date=section.maybe_day("period_lock_date"))
    if section.has("end_of_year_lock_date"):
        after = replace(after, end_of_year_lock_date=section.maybe_day("end_of_year_lock_date"))
    return _set(books, by, before, after)


def _set_reminders(books: Books, by: Act, section: Section) -> _Told:
    before = books.organisation
    return _set(books, by, before, replace(before, native_reminders=section.flag("enabled") is True))


def _set(books: Books, by: Act, before: r.Organisation, after: r.Organisation) -> _Told:
    names: Mapping[str, str] = {
        "period_lock_date": "PeriodLockDate",
        "end_of_year_lock_date": "EndOfYearLockDate",
        "native_reminders": "Enabled",
    }
    books.organisation = after
    changed = checks.changed(names, before, after)
    books.log(by, "organisation_update", "organisation", after.id, {"changed": changed})
    return {"id": after.id}


_ONE = frozenset({"invoice"})
_MONEY = frozenset({"invoice", "amount", "date", "reference", "reconciled"})
_ACTIONS: Mapping[str, tuple[_Action, frozenset[str]]] = {
    "pay": (_pay, _MONEY),
    "pay_batch": (_pay_batch, frozenset({"invoices", "date", "reference", "reconciled"})),
    "delete_payment": (_delete_payment, frozenset({"payment", "invoice"})),
    "void": (_status_of("VOIDED", "AUTHORISED"), _ONE),
    "approve": (_status_of("AUTHORISED", "DRAFT", "SUBMITTED"), _ONE),
    "delete_draft": (_status_of("DELETED", "DRAFT", "SUBMITTED"), _ONE),
    "mark_sent": (_mark_sent, _ONE),
    "edit_invoice": (_edit_invoice, frozenset({"invoice", "due", "reference", "expected", "descriptions"})),
    "create_invoice": (_create_invoice, entries.INVOICE),
    "credit": (_give_credit, frozenset({"invoice", "customer", "amount", "date", "number", "reason"})),
    "overpay": (_receive_of("overpayment"), entries.MONEY),
    "prepay": (_receive_of("prepayment"), entries.MONEY),
    "allocate": (_allocate, frozenset({"credit", "invoice", "amount", "date"})),
    "note": (_note, frozenset({"invoice", "customer", "text"})),
    "edit_contact": (_edit_contact, (entries.CUSTOMER | {"customer"}) - {"ref", "groups", "archived"}),
    "archive_contact": (_archive, frozenset({"customer"})),
    "merge_contacts": (_merge, frozenset({"from", "into"})),
    "add_to_group": (_join, frozenset({"customer", "group"})),
    "remove_from_group": (_leave, frozenset({"customer", "group"})),
    "set_lock_date": (_set_lock_date, frozenset({"period_lock_date", "end_of_year_lock_date"})),
    "set_reminders": (_set_reminders, frozenset({"enabled"})),
}
