"""The daily work, typed command by command: every command answers people and programs, and ends with its code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Desk

pytestmark = pytest.mark.socket


def actions(desk: Desk, kind: str) -> list[dict[str, Any]]:
    """The actions of one kind in a fresh plan."""
    return [one for one in desk.run("plan", "--json").json["actions"] if one["kind"] == kind]


def test_without_known_books_the_plan_asks_only_staff(reader: Desk) -> None:
    answer = reader.run("plan")
    assert answer.code == 2
    assert "reconcile the bank first" in answer.out
    lines = answer.out.splitlines()
    title = next(line for line in lines if line.startswith("ID "))
    told = next(line for line in lines if "reconcile the bank first" in line)
    at = title.index("ACTION")
    assert told[at : title.index("CUSTOMER")].strip() == "task", "a task's text pushes no column out of line"
    assert told.index("reconcile") == title.index("WHY")
    assert lines[-1].startswith("a task: do it")
    assert "dunwell approve" not in answer.out, "nothing here can be approved"
    assert {one["kind"] for one in reader.run("plan", "--json").json["actions"]} == {"task"}
    assert "open questions" in answer.out
    assert reader.ok("take-on").out == reader.ok("take-on", "show").out


def test_from_plan_to_letters_and_never_twice(taken_on: Desk) -> None:
    # The take-on was closed today: the opening items are introduced on the next business day.
    taken_on.order("clock", {"advance": 86_400})
    taken_on.ok("pull")
    taken_on.ok("books", "known-to", "2026-11-24")
    shown = taken_on.run("plan", "--out", "plan.json")
    assert (shown.code, "plan saved to plan.json" in shown.err) == (2, True)
    assert "next: dunwell approve ID" in shown.out
    saved = json.loads((taken_on.folder / "plan.json").read_text())
    statements = [one for one in saved["actions"] if one["kind"] == "statement"]
    assert statements
    assert all(one["by_date"] in shown.out for one in statements)

    first = statements[0]["id"]
    approved = taken_on.ok("approve", first[:6], "--show")
    assert statements[0]["preview"]["subject"] in approved.out
    assert "1 approved" in approved.out
    rejected = statements[1]["id"]
    assert "needs a term" in taken_on.refused("reject", rejected, "--reason", "paid by hand")
    taken_on.ok("reject", rejected, "--reason", "paid by hand", "--until", "2026-12-24")

    applied = taken_on.run("apply", "--plan", "plan.json", "--json")
    assert applied.code == 3
    assert [one["id"] for one in applied.json["refused"]] == [rejected]
    assert applied.json["counts"] == {"done": 2 * (len(statements) - 1)}  # each a letter, and a note of it
    files = list((taken_on.folder / ".dunwell" / "letters").glob("*.eml"))
    assert {file.name[:10] for file in files} == {"2026-11-25"}, "the day in Auckland, not in Greenwich"
    letters = [file.read_text() for file in files]
    assert len(letters) == len(statements) - 1
    assert all("\nDate: Wed, 25 Nov 2026 10:" in one for one in letters)
    assert any("Dear Basket Case," in one for one in letters)  # whose first name is "Basket" in the books

    writes = taken_on.order("writes", None, "GET")["writes"]
    assert taken_on.ok("apply").out == "nothing was due\n"
    nothing = taken_on.ok("approve", "--all")
    assert nothing.out == "nothing waits that may be approved in bulk\n"
    assert "after dunwell pull" in nothing.err
    assert taken_on.order("writes", None, "GET")["writes"] == writes
    assert taken_on.ok("effects", "--state", "planned").out == "no effects are planned\n"
    assert len(taken_on.ok("effects", "--json").json["effects"]) == sum(applied.json["counts"].values())
    assert taken_on.ok("run", "--once", "--json").json["counts"] == {}


def test_what_people_tell_us(taken_on: Desk) -> None:
    ok = taken_on.ok
    opened = ok("dispute", "open", "INV-0010", "--code", "quality", "--amount", "120.00", "--json").json["record"]
    assert opened["amount"] == {"amount": "120.00", "currency": "NZD"}
    assert "INV-0010" in ok("dispute", "list").out
    assert [one["id"] for one in ok("dispute", "list", "--json").json["disputes"]] == [opened["id"]]
    assert [one["target"]["id"] for one in actions(taken_on, "tag_dispute")] == [opened["customer_id"]]
    ok("dispute", "review", "INV-0010", "--valid")
    ok("dispute", "resolve", "INV-0010", "--outcome", "stand-firm")
    assert ok("dispute", "list").out == "no query is open\n"
    assert "this query is closed" in taken_on.refused("dispute", "resolve", opened["id"][:8], "--outcome", "withdrawn")

    assert "until 2026-12-04" in ok("promise", "INV-0006", "--on", "2026-12-04").out
    extended = ok("extend", "INV-0015", "--until", "2026-12-01", "--json").json["record"]
    assert extended["until"] == "2026-12-01"
    ok("reply", "Ridgeway University", "paid", "--on", "2026-11-20", "--amount", "345.00")
    ok("reply", "Ridgeway University", "answered")
    assert ok("party", "Ridgeway University", "public-body", "--json").json["record"]["party"] == "public_body"
    ok("held-by", "Marine Systems", "factor")
    ok("hold", "set", "Basket Case", "breathing_space")
    assert "legal hold: breathing space" in ok("explain", "Basket Case").out
    ok("hold", "lift", "Basket Case", "--as-principal")
    ok("exclude", "Basket Case", "--reason", "friends", "--until", "2026-12-24")
    assert ok("explain", "Basket Case", "--json").json["proposed"] == []
    ok("exception", "Basket Case", "--lift")
    assert ok("call", "list").out.startswith("no call")


def test_a_payment_plan(taken_on: Desk) -> None:
    ok = taken_on.ok
    who = "Ridgeway University"
    taken_on.order("clock", {"advance": 2 * 86_400})
    ok("pull")
    assert "all plans together may cover" in taken_on.refused("payment-plan", "options", who)
    options = ok("payment-plan", "options", who, "--as-principal", "--json").json["options"]
    assert options
    assert "INSTALMENTS" in ok("payment-plan", "options", who, "--as-principal").out
    assert "is offered" in ok("payment-plan", "offer", who, "--option", "1", "--as-principal").out
    signed = ok("payment-plan", "sign", who, "--name", "Jo Day", "--capacity", "bursar", "--evidence", "scan 7")
    assert "2026-" in signed.out
    shown = ok("payment-plan", "show", who, "--json").json["record"]
    assert len(shown["instalments"]) == len(options[0]["instalments"])
    lines = ok("payment-plan", "show", who).out.splitlines()
    assert "is signed; Jo Day signed on 2026-" in lines[0]
    assert "paid NZD 0.00, remaining NZD " in lines[1]
    assert lines[3].endswith("to come")
    ok("payment-plan", "cancel", who)
    assert "no plan" in taken_on.refused("payment-plan", "options", "City Limousines")


def test_reading_commands_answer_people_and_programs(reader: Desk) -> None:
    figures = reader.ok("report", "--json").json["organisations"][0]["currencies"]["NZD"]
    assert figures["open"] == {"count": 13, "total": {"amount": "18819.45", "currency": "NZD"}}
    assert "18,819.45" in reader.ok("report").out
    assert reader.ok("report", "--as-of", "2026-10-31", "--json").json["organisations"][0]["as_of"] == "2026-10-31"
    assert "Harbour Street Studio" in reader.ok("organisations").out
    assert "nothing new" in reader.ok("pull", "Harbour Street Studio").out
    assert reader.ok("audit", "verify").out == "the chain is whole\n"
    entries = reader.ok("audit", "export").json["entries"]
    assert all(isinstance(one["body"], dict) for one in entries)
    assert reader.ok("doctor", "--all", "--json").json["findings"]
    assert "calls left" in reader.ok("doctor", "--all").out
    assert reader.ok("explain", "INV-0010", "--why-not", "letter", "--json").json["why_not"]
    assert "why not:" in reader.ok("explain", "INV-0010", "--why-not", "letter").out
    told = reader.ok("explain", "INV-0010", "--why-not", "call").out.splitlines()
    assert told[1].startswith("why not: call: opening items wait"), "the answer first, and no rule that stops no call"
    assert told[2].startswith("nothing happens because: ")
    assert reader.ok("call", "list", "--json").json == {"calls": []}
    assert reader.ok("effects").out == "no effects yet\n"


def test_configuration_is_shown_in_the_books_own_currency(reader: Desk) -> None:
    assert reader.ok("policy", "check", "--json").json == {"findings": []}
    assert reader.ok("mapping", "check").out == "nothing to complain about\n"
    assert "dispute_tag" in reader.ok("mapping", "show", "--json").json["mapping"]
    assert reader.ok("policy", "show", "--json").json["policy"]["currency"] == "NZD"
    assert reader.ok("policy", "show", "--currency", "usd", "--json").json["policy"]["currency"] == "USD"
    assert "amounts in NZD" in reader.ok("policy", "render").out
    assert reader.ok("policy", "schema").json == reader.ok("policy", "schema", "--json").json
    explained = reader.ok("explain", "INV-0010", "--json").json["policy_version"]
    assert reader.ok("policy", "show", "--json").json["version"] == explained


def test_two_projects_policies_compared(reader: Desk, tmp_path: Path) -> None:
    other = tmp_path / "globex"
    assert str(other / "policy.yaml") in reader.ok("init", str(other), "--preset", "firm", "--json").json["files"]
    differences = reader.ok("policy", "diff", str(other), "--json").json["differences"]
    assert {"path", "here", "there"} == set(differences[0])
    assert reader.ok("policy", "diff", str(reader.folder)).out == "no setting differs\n"


def test_the_project_may_be_named(reader: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "Harbour" in reader.ok("organisations", "--project", str(reader.folder)).out
    monkeypatch.setenv("DUNWELL_PROJECT", str(reader.folder))
    assert "Harbour" in reader.ok("organisations").out
    assert list(tmp_path.iterdir()) == []


def test_modes_versions_and_migrations(taken_on: Desk) -> None:
    assert taken_on.ok("mode", "autopilot", "--json").json["mode"] == "autopilot"
    assert taken_on.ok("migrate").out == "the database is up to date\n"
    assert taken_on.ok("migrate", "--json").json == {"migrated": True}
    assert taken_on.ok("version").out == f"dunwell {taken_on.ok('version', '--json').json['version']}\n"
    again = taken_on.connect()
    assert (again.code, "connected Harbour Street Studio" in again.out) == (0, True)
    assert taken_on.ok("organisations", "--json").json["organisations"][0]["mode"] == "autopilot"
