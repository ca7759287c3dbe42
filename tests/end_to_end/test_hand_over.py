"""A debt goes to somebody else: the ledger is told once, the pack holds the case, and hostile words stay words."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from datetime import date

import pytest
import sqlalchemy as sa

from connector.channels.notes import is_closed_phrase
from connector.domain.cases import DisputeCode, DisputeOutcome, Holder, LegalHoldKind, ReplyOutcome
from connector.domain.decisions import ActionKind
from connector.domain.effects import EffectState
from connector.errors import NotFound, Refused
from connector.service import case_packs, disputes, people, promises
from connector.service.approve import in_bulk
from connector.service.case_packs import CasePack
from connector.store import timeline
from connector.store.schema import timeline_entry
from tests.harness import Office, in_state

pytestmark = pytest.mark.socket

ID = "[0-9a-f-]{36}"
WHO = "Query Ltd"


@pytest.fixture
def debt(office: Office) -> Office:
    """Two overdue invoices, one partly paid, and another customer's."""
    office.invoice("INV-1", WHO, "600.00")
    office.invoice("INV-2", WHO, "250.00", due="2026-02-20")
    office.invoice("INV-9", "Letter Ltd", "99.00")
    office.people({"do": "pay", "invoice": "INV-2", "amount": "50.00"})
    office.pull()
    office.reconciled()
    return office


def files(made: CasePack) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def texts(office: Office) -> list[str]:
    return sorted(text.split(" [dw:")[0] for text in office.notes())


def test_the_ledger_is_told_on_the_customer_and_every_open_invoice(debt: Office) -> None:
    people.set_held_by(debt.w, debt.row, WHO, Holder.AGENCY)
    (action,) = debt.approve(ActionKind.HAND_OVER)
    assert (action.role, in_bulk(action)) == ("principal", False)
    debt.apply()
    assert {row.state for row in debt.effects()} == {EffectState.DONE}
    assert texts(debt) == [
        "With the agency since 2 Mar 2026: INV-1, INV-2, balance GBP 800.00.",
        "With the agency since 2 Mar 2026: INV-1, balance GBP 600.00.",
        "With the agency since 2 Mar 2026: INV-2, balance GBP 200.00.",
    ]
    assert all(is_closed_phrase(text, references={"INV-1", "INV-2"}) for text in debt.notes())
    assert debt.letters() == []
    assert [one for one in debt.plan().actions if one.preview["customer"] == WHO] == []
    people.set_held_by(debt.w, debt.row, WHO, Holder.US)
    (back,) = debt.approve(ActionKind.TAKE_BACK)
    debt.apply()
    assert (len(back.effects), in_bulk(back)) == (3, False)
    assert "With us again since 2 Mar 2026: INV-1, INV-2, balance GBP 800.00." in texts(debt)
    assert not {ActionKind.HAND_OVER, ActionKind.TAKE_BACK} & {one.key.kind for one in debt.plan().actions}


@pytest.mark.parametrize("what", ["reset_after_commit", "reset", "cut_body"])
@pytest.mark.parametrize("where", [f"/Contacts/{ID}/History$", f"/Invoices/{ID}/History$"])
def test_each_note_is_written_once(debt: Office, where: str, what: str) -> None:
    people.set_held_by(debt.w, debt.row, WHO, Holder.SOLICITOR)
    debt.approve(ActionKind.HAND_OVER)
    debt.fault(where, method="PUT", do=what, **({"bytes": 12} if what == "cut_body" else {}))
    debt.settle_down()
    assert debt.fired() == 1
    assert len(in_state(debt.effects(), EffectState.DONE)) == len(debt.notes()) == len(set(debt.notes())) == 3


def test_what_is_recorded_anew_before_it_is_written_is_not_written(debt: Office) -> None:
    people.set_held_by(debt.w, debt.row, WHO, Holder.AGENCY)
    debt.approve(ActionKind.HAND_OVER)
    people.set_held_by(debt.w, debt.row, WHO, Holder.US)
    debt.settle_down(1)
    assert debt.notes() == []
    assert {row.state for row in debt.effects()} == {EffectState.CANCELLED}


def test_the_pack_holds_the_whole_case(debt: Office) -> None:
    w, row = debt.w, debt.row
    debt.approve(ActionKind.REINVOICE)
    debt.apply()
    people.reply(w, row, WHO, ReplyOutcome.INSUFFICIENT)
    people.answer_replies(w, row, WHO)
    promises.promise(w, row, "INV-1", date(2026, 3, 5))
    disputes.open_dispute(w, row, "INV-2", code=DisputeCode.QUALITY)
    disputes.resolve(w, row, "INV-2", DisputeOutcome.STAND_FIRM)
    made = case_packs.case_pack(w, row, WHO)
    found = files(made)
    assert (made.invoices, made.letters, made.problems) == (("INV-1", "INV-2"), 1, ())
    page = found["summary.html"].decode()
    for words in (
        "Harbour Lane Limited", WHO, "INV-1", "GBP 800.00", "GBP 50.00", "payment promised by 5 Mar 2026", "quality",
        "stand firm", "reinvoice to accounts@query.example", "was whole when this was made",
        "answer from the customer",
    ):  # fmt: skip
        assert words in page, words
    assert "INV-9" not in page
    assert "Letter Ltd" not in b"".join(found.values()).decode()
    (letter,) = [content.decode() for name, content in found.items() if name.startswith("letters/")]
    assert letter.startswith("To: accounts@query.example\nSent: 2026-03-02\nSubject: ")
    assert "INV-1" in letter
    rows = list(csv.DictReader(io.StringIO(found["invoices.csv"].decode("utf-8-sig"))))
    assert [(one["number"], one["balance"], one["paid"]) for one in rows] == [
        ("INV-1", "600.00", "0.00"), ("INV-2", "200.00", "50.00"),
    ]  # fmt: skip
    sums = found.pop("SHA256SUMS").decode().splitlines()
    assert sums == [f"{hashlib.sha256(content).hexdigest()}  {name}" for name, content in found.items()]


def test_the_timeline_in_the_pack_is_this_customers_and_says_whether_its_chain_is_whole(debt: Office) -> None:
    debt.approve(ActionKind.REINVOICE)
    debt.apply()
    elsewhere = people.reply(debt.w, debt.row, "Letter Ltd", ReplyOutcome.INSUFFICIENT)
    here = people.reply(debt.w, debt.row, WHO, ReplyOutcome.INSUFFICIENT)
    with debt.w.db.reading(debt.w.tenant) as tx:
        every = timeline.entries(tx)
    made = case_packs.case_pack(debt.w, debt.row, WHO)
    document = json.loads(files(made)["timeline.json"])
    subjects = [entry["subject"] for entry in document["entries"]]
    assert here.id in subjects
    assert elsewhere.id not in subjects
    mine = [row.effect.key for row in debt.effects() if row.effect.key in subjects]
    assert len(mine) == 4, "of this customer's copy: the letter, and its notes on the customer and two invoices"
    assert {"effect.sending", "effect.done", "case.letter_sent.added"} <= {one["kind"] for one in document["entries"]}
    chain = document["chain"]
    assert (chain["whole"], chain["problems"]) == (True, [])
    assert (chain["entries"], chain["head"]) == (every[-1].number, every[-1].hash)
    again = case_packs.case_pack(debt.w, debt.row, WHO)
    (recorded,) = [e for e in json.loads(files(again)["timeline.json"])["entries"] if e["kind"] == "handover.pack"]
    assert (recorded["body"]["sha256"], recorded["actor"]) == (made.sha256, "Ana")


def test_a_broken_chain_is_said_aloud(debt: Office) -> None:
    with debt.w.db.writing(debt.w.tenant) as tx:
        tx.connection.execute(sa.update(timeline_entry).where(timeline_entry.c.number == 3).values(actor="Mallory"))
    made = case_packs.case_pack(debt.w, debt.row, WHO)
    assert [one.number for one in made.problems] == [3]
    found = files(made)
    assert json.loads(found["timeline.json"])["chain"]["whole"] is False
    assert "THE CHAIN IS BROKEN: entry 3 was changed" in found["summary.html"].decode()


def test_only_what_is_held_by_others_is_covered_where_that_is_recorded_by_invoice(debt: Office) -> None:
    people.set_held_by(debt.w, debt.row, "INV-2", Holder.INSURER, invoice=True)
    made = case_packs.case_pack(debt.w, debt.row, WHO)
    assert made.invoices == ("INV-2",)
    assert "beside that: other open invoices, not in this pack" in files(made)["summary.html"].decode()
    people.set_held_by(debt.w, debt.row, WHO, Holder.AGENCY)
    assert case_packs.case_pack(debt.w, debt.row, WHO).invoices == ("INV-1", "INV-2")


def test_what_the_law_or_a_query_forbids_is_refused_with_the_reason(debt: Office) -> None:
    w, row = debt.w, debt.row
    disputes.open_dispute(w, row, "INV-2", code=DisputeCode.PRICE)
    with pytest.raises(Refused, match="a query is open on INV-2"):
        case_packs.case_pack(w, row, WHO)
    disputes.resolve(w, row, "INV-2", DisputeOutcome.STAND_FIRM)
    people.set_hold(w, row, WHO, LegalHoldKind.BREATHING_SPACE)
    with pytest.raises(Refused, match="a legal hold is set"):
        case_packs.case_pack(w, row, WHO)
    with pytest.raises(Refused, match="nothing is open"):
        case_packs.case_pack(w, row, "Unsent Ltd")
    with pytest.raises(NotFound):
        case_packs.case_pack(w, row, "Nobody Ltd")
    with w.db.reading(w.tenant) as tx:
        assert not [one for one in timeline.entries(tx, row.id) if one.kind == "handover.pack"]


def test_hostile_words_stay_words(office: Office) -> None:
    office.invoice("=HYPERLINK(1)", WHO, "10.00", reference="+cmd|' /C calc'!A0")
    office.people({"do": "edit_contact", "customer": "query", "name": "<script>alert(1)</script> & Co"})
    office.pull()
    made = case_packs.case_pack(office.w, office.row, "=HYPERLINK(1)")
    found = files(made)
    assert "<script" not in found["summary.html"].decode()
    assert "&lt;script&gt;" in found["summary.html"].decode()
    (row,) = csv.DictReader(io.StringIO(found["invoices.csv"].decode("utf-8-sig")))
    assert (row["number"], row["reference"]) == ("'=HYPERLINK(1)", "'+cmd|' /C calc'!A0")
    assert sorted(found) == ["SHA256SUMS", "invoices.csv", "summary.html", "timeline.json"]
