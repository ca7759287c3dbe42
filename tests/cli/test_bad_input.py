"""What goes wrong is told in words: what, to what, what was not done, what to do next. Nothing is half-applied."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from adapters.xero.sandbox.serve import serve
from tests.cli.conftest import TUESDAY_MORNING, Desk

pytestmark = pytest.mark.socket


def tells(said: str, *parts: str) -> bool:
    """Every part is said, and what was not done, and what to do next."""
    assert all(part in said for part in (*parts, "not done: ", "next: ")), said
    return True


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ({"refuse": True}, "consent was refused"),
        ({"drop_scopes": ["accounting.invoices"]}, "does not cover accounting.invoices"),
        ({"drop_scopes": ["offline_access"]}, "no refresh token"),
    ],
)
def test_a_consent_that_is_not_enough_stores_nothing(desk: Desk, order: dict[str, object], says: str) -> None:
    desk.order("consent", order)
    answer = desk.connect()
    assert answer.code == 1
    assert tells(answer.err, says, "nothing was stored")
    assert desk.ok("organisations", "--json").json == {"organisations": []}


def test_a_wrong_secret_stores_nothing_and_is_not_repeated(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUNWELL_XERO_CLIENT_SECRET", "not-the-secret")
    answer = desk.connect()
    assert answer.code == 1
    assert tells(answer.err, "refused the app's client id or secret", "nothing was stored")
    assert "not-the-secret" not in answer.err + answer.out
    assert desk.ok("organisations", "--json").json == {"organisations": []}


def test_a_missing_client_id_names_the_variable(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DUNWELL_XERO_CLIENT_ID")
    assert tells(desk.connect().err, "DUNWELL_XERO_CLIENT_ID")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("connect", "quickbooks"), "there is no ledger 'quickbooks'"),
        (("connect", "xero", "--auto"), "only a sandbox"),
        (("connect", "xero", "--auto", "--paste"), "exclude one another"),
        (("connect", "xero", "--base-url", "https://xero.example", "--auto"), "sandbox on this machine"),
        (("connect", "xero", "--base-url", "http://127.0.0.1:1", "--auto"), "cannot be reached"),
        (("connect", "xero", "--port", "99999"), "--port"),
        (("pull",), "no organisation is connected"),
        (("disconnect", "Nobody Ltd"), "Nobody Ltd"),
    ],
)
def test_connecting_wrongly(desk: Desk, arguments: tuple[str, ...], says: str) -> None:
    said = desk.refused(*arguments)
    assert says in said
    assert "next: " in said


def test_revoked_access_needs_a_new_consent_and_keeps_the_mirror(connected: Desk) -> None:
    connected.order("consent", {"revoke_all": True})
    assert tells(connected.refused("pull"), "Harbour Street Studio", "no longer connected", "connect")
    assert connected.ok("organisations", "--json").json["organisations"][0]["token"] == "needs_reauth"
    assert "the connection needs a new consent" in connected.run("doctor").out
    assert connected.ok("report", "--json").json["organisations"][0]["currencies"]["NZD"]["open"]["count"] == 13


def test_after_disconnecting_a_pull_says_so(connected: Desk) -> None:
    connected.ok("disconnect", "Harbour Street Studio")
    assert tells(connected.refused("pull"), "is not connected", "dunwell connect xero")
    assert "disconnected already" in connected.refused("disconnect", "Harbour Street Studio")


@pytest.mark.parametrize(
    "action",
    [
        {"do": "garbage", "kind": "html_login"},
        {"do": "garbage", "kind": "truncated_json"},
        {"do": "garbage", "kind": "not_json"},
        {"do": "garbage", "kind": "empty"},
        {"do": "cut_body", "bytes": 40},
    ],
)
def test_an_answer_that_cannot_be_read_is_never_an_empty_ledger(reader: Desk, action: dict[str, object]) -> None:
    reader.order("faults", [{"match": {"path": "/Invoices"}, "action": action}])
    assert tells(reader.refused("pull", "--full"), "Harbour Street Studio", "the pull did not finish")
    reader.order("faults", {}, "DELETE")
    assert reader.ok("pull", "--json").json["organisations"][0]["open"]["NZD"]["count"] == 13


def test_a_day_limit_says_how_long(reader: Desk) -> None:
    reader.order("limits", {"minute": 60, "day": 1})
    said = reader.refused("pull")
    assert tells(said, "day limit", "next: wait ", " h ")
    error = reader.run("pull", "--json")
    assert (error.code, error.json["error"]["type"]) == (1, "RateLimited")


def test_a_minute_limit_is_waited_for(reader: Desk) -> None:
    reader.order("limits", {"minute": 3, "day": 1000})
    assert reader.ok("pull", "--json").json["organisations"][0]["calls"] > 3


def test_a_sandbox_that_is_gone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = serve(port=0, books=None, now=TUESDAY_MORNING, seed=1, frozen=True)
    try:
        monkeypatch.setenv("DUNWELL_XERO_CLIENT_ID", gone.client_id)
        monkeypatch.setenv("DUNWELL_XERO_CLIENT_SECRET", gone.client_secret)
        desk.ok("connect", "xero", "--base-url", gone.base_url, "--auto")
        desk.ok("pull")
    finally:
        gone.stop()
    assert tells(desk.refused("pull"), "the sandbox does not answer")
    assert desk.ok("explain", "INV-0010", "--json").json["customer"] == "Basket Case"


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("ladder:\n  setps: []\n", ":2:3: ", "did you mean steps?"),
        ("autopliot: {}\n", ":1:1: ", "did you mean autopilot?"),
        ("cash_known:\n  soft_bd: lots\n", ":2:12: ", "valid integer"),
        ("preset: gentel\n", ":1:9: ", "did you mean gentle?"),
        ("a: [b\n", ":2:1: ", "not valid YAML"),
        ("\xff", ":1:1: ", ""),
    ],
)
def test_a_typo_in_the_policy_is_found_with_its_place(desk: Desk, text: str, place: str, says: str) -> None:
    path = desk.folder / "policy.yaml"
    path.write_text(text, encoding="latin-1")
    answer = desk.run("policy", "check")
    assert answer.code == 1
    assert f"policy.yaml{place}" in answer.out
    assert says in answer.out
    finding = desk.run("policy", "check", "--json").json["findings"][0]
    assert set(finding) == {"file", "line", "column", "path", "message", "fix"}
    found = desk.run("doctor")
    assert found.code == 1
    assert f"policy.yaml{place}" in found.out


def test_a_mapping_and_a_letter_that_are_no_text(desk: Desk) -> None:
    (desk.folder / "mapping.yaml").write_bytes(b"\xff")
    assert "mapping.yaml:1:1: the file is not UTF-8" in desk.run("mapping", "check").out
    (desk.folder / "mapping.yaml").write_text("lettres: {}\n")
    assert "did you mean letters?" in desk.run("mapping", "check").out
    (desk.folder / "mapping.yaml").write_text("")
    (desk.folder / "letters" / "en" / "friendly.md").write_bytes(b"\xff{{")
    answer = desk.run("mapping", "check")
    assert (answer.code, "friendly.md" in answer.out) == (1, True)


def test_settings_that_cannot_be_read_never_show_their_value(desk: Desk) -> None:
    (desk.folder / ".env").write_text("DUNWELL_SMTP_PORT=hunter2\n")
    said = desk.refused("doctor")
    assert "DUNWELL_SMTP_PORT" in said
    assert "hunter2" not in said
    (desk.folder / ".env").write_bytes(b"\xff\xff")
    assert ".env" in desk.refused("doctor")


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan",),
        ("pull",),
        ("doctor",),
        ("policy", "check"),
        ("policy", "show"),
        ("policy", "render"),
        ("mapping", "check"),
        ("mapping", "show"),
        ("migrate",),
        ("audit", "verify"),
    ],
)
def test_a_folder_that_is_no_project(
    desk: Desk, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert tells(desk.refused(*arguments), "is not a dunwell project", "dunwell init")
    assert not (tmp_path / ".dunwell").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("explain", "Nobody"), "no customer or invoice 'Nobody'"),
        (("explain", "INV-0010", "--why-not", "lettre"), "one of"),
        (("approve", "zzzz"), "no action 'zzzz'"),
        (("approve",), "or --all"),
        (("approve", "zzzz", "--all"), "or --all"),
        (("reject", "zzzz", "--reason", "x", "--for-good"), "no action 'zzzz'"),
        (("effects", "settle", "zzzz", "--happened"), "no effect 'zzzz'"),
        (("effects", "settle", "zzzz"), "--happened, --did-not-happen or --give-up"),
        (("effects", "retry", "zzzz"), "no effect 'zzzz'"),
        (("effects", "--state", "dnoe"), "'dnoe' is not a state"),
        (("pull", "Nobody Ltd"), "Harbour Street Studio"),
        (("plan", "-o", "Nobody Ltd"), "Harbour Street Studio"),
        (("report", "--as-of", "31/10/2026"), "'31/10/2026' is not a date"),
        (("plan", "--as-of", "2026-02-30"), "'2026-02-30' is not a date"),
        (("promise", "INV-0010", "--on", "2026-11-30", "--amount", "12.345"), "not an amount in NZD"),
        (("promise", "INV-0010", "--on", "2026-11-30", "--amount", "NaN"), "not an amount in NZD"),
        (("promise", "INV-0010", "--on", "2026-11-30", "--amount", "0"), "not above zero"),
        (("promise", "INV-0010", "--on", "2026-11-30", "--amount", "5", "--currency", "usd"), "nothing is owed in USD"),
        (("promise", "INV-0010", "--on", "2026-11-30", "--amount", "1.000,00"), "write it like 1234.50 or 1,234.50"),
        (("promise", "INV-0010", "--on", "2026-11-30", "--amount", "9,999,999.00"), "is more than the NZD "),
        (("dispute", "open", "INV-0010", "--code", "price", "--amount", "10,50"), "not an amount in NZD"),
        (("promise", "INV-0010", "--on", "2020-01-01"), "not in the future"),
        (("dispute", "open", "INV-0010", "--code", "qualty"), "did you mean quality?"),
        (("dispute", "resolve", "INV-0010", "--outcome", "withdrawn"), "INV-0010"),
        (("extend", "INV-9999"), "no invoice 'INV-9999'"),
        (("party", "Basket Case", "friend"), "is not a party"),
        (("hold", "lift", "Basket Case"), "--as-principal"),
        (("exclude", "Basket Case"), "needs a reason"),
        (("books", "known-to", "2030-01-01"), "in the future"),
        (("mode", "autopilot"), "the take-on is not closed"),
        (("take-on", "close"), "questions are open"),
        (("take-on", "sort", "--all"), "CHOICE"),
        (("take-on", "answer", "colour", "red"), "the questions are"),
        (("call", "done", "zzzz", "spoke"), "no action 'zzzz'"),
        (("payment-plan", "options", "Nobody"), "Nobody"),
        (("payment-plan", "show", "Basket Case"), "no payment plan for 'Basket Case'"),
    ],
)
def test_an_unknown_name_or_a_bad_value_changes_nothing(reader: Desk, arguments: tuple[str, ...], says: str) -> None:
    before = reader.ok("audit", "export").json
    said = reader.refused(*arguments)
    assert says in said
    assert "next: " in said or "not done: " in said
    assert reader.ok("audit", "export").json == before


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"[]", b'{"format": "dunwell-plan/0"}', b"[" * 100_000])
def test_a_plan_file_that_is_garbage(reader: Desk, content: bytes) -> None:
    (reader.folder / "plan.json").write_bytes(content)
    assert tells(reader.refused("apply", "--plan", "plan.json"), "is not a plan", "dunwell plan --out")


def test_files_that_cannot_be_read_or_written(reader: Desk) -> None:
    assert "No such file" in reader.refused("apply", "--plan", "none.json")
    assert tells(reader.refused("plan", "--out", "."), "the plan was not saved")
    assert tells(reader.refused("plan", "--out", "policy.yaml/plan.json"), "the plan was not saved")
    assert "Not a directory" in reader.refused("init", "policy.yaml/acme")
    assert "is there already" in reader.refused("init", ".")
    assert "did you mean gentle?" in reader.refused("init", "other", "--preset", "gentel")


def test_state_that_is_a_file_or_no_database(desk: Desk) -> None:
    state = desk.folder / ".dunwell"
    state.write_text("")
    assert "cannot be made" in desk.refused("organisations")
    state.unlink()
    state.mkdir()
    (state / "dunwell.db").write_bytes(b"not a database, but long enough to be read as one" * 100)
    assert "database" in desk.refused("organisations")


def test_the_master_key_of_another_project(connected: Desk) -> None:
    import base64

    (connected.folder / ".dunwell" / "master.key").write_text(base64.urlsafe_b64encode(bytes(32)).decode() + "\n")
    assert "master key" in connected.refused("pull")


def test_a_sandbox_that_cannot_start(desk: Desk, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert "cannot be used" in desk.refused("sandbox", "xero", "--port", port)
        said = desk.refused("connect", "xero", "--base-url", desk.served.base_url, "--no-browser", "--port", port)
        assert tells(said, "cannot be listened on", "--port")
    books = tmp_path / "books"
    assert "is not a folder" in desk.refused("sandbox", "xero", "--books", str(books))
    books.mkdir()
    (books / "a.json").write_text('{"x')
    assert "cannot be loaded" in desk.refused("sandbox", "xero", "--books", str(books))
    assert "is not an instant" in desk.refused("sandbox", "xero", "--now", "never")
    assert "there is no ledger" in desk.refused("sandbox", "zero")


def test_mistyped_commands_and_options_are_errors_in_json_too(reader: Desk) -> None:
    assert "Did you mean 'plan'?" in reader.refused("paln")
    assert "dunwell plan --help" in reader.refused("plan", "--bogus")
    assert "DATE" in reader.refused("books", "known-to")
    answer = reader.run("paln", "--json")
    assert (answer.code, answer.err) == (1, "")
    assert "paln" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        (("explain", "Basket Cas"), "did you mean Basket Case?"),
        (("explain", "basket"), "did you mean Basket Case?"),
        (("explain", "Citty Limosines"), "did you mean City Limousines?"),
        (("explain", "0107"), ""),
        (("explain", "0010"), "did you mean INV-0010?"),
        (("dispute", "open", "0010", "--code", "quality"), "did you mean INV-0010?"),
        (("explain", "100%"), ""),
        (("explain", "Zzyzx Quarry"), ""),
    ],
)
def test_a_name_that_is_not_there_is_answered_with_the_nearest(
    reader: Desk, command: tuple[str, ...], meant: str
) -> None:
    told = reader.refused(*command)
    assert "in the mirror" in told
    assert meant in told if meant else "did you mean" not in told
