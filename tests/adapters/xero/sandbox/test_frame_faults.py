"""The fault engine on its own: which requests it picks, and what becomes of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from adapters._twin.faults import Faults
from adapters._twin.messages import CutAfter, Deliver, Hang, Request, Reset, Response

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
BODY = b'{"Total": 12.50, "Count": 3, "Rows": [1, -2.0], "Name": "a: 7,"}'


@dataclass
class Ledger:
    """Commits what it is asked, and remembers when."""

    commits: list[datetime] = field(default_factory=list)

    def __call__(self, now: datetime) -> Response:
        self.commits.append(now)
        return Response(200, (("Content-Type", "application/json"), ("X-Kept", "1")), BODY)


def run(faults: Faults, ledger: Ledger, method: str = "POST", path: str = "/Invoices", org: str = "a") -> Response:
    request = Request(method, path)
    return faults.draw(request, (org,), NOW).all_at_edge(ledger, NOW)


def script(action: dict[str, object], match: dict[str, object] | None = None, **more: object) -> dict[str, object]:
    return {"match": match or {}, "action": action, **more}


@pytest.mark.parametrize(
    ("match", "fired"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"nth": 2}, [2]),
        ({"every": 3}, [3, 6]),
        ({"from": 5}, [5, 6]),
        ({"method": "post"}, [1, 2, 3, 4, 5, 6]),
        ({"method": "PUT"}, []),
        ({"path": "^/Inv"}, [1, 2, 3, 4, 5, 6]),
        ({"path": "/Inv$"}, []),
        ({"organisation": "b"}, []),
        ({"tenant": "a", "nth": 6}, [6]),
        ({"query": "page=2"}, []),
    ],
)
def test_which_requests_a_rule_acts_on(match: dict[str, object], fired: list[int]) -> None:
    faults, ledger = Faults(), Ledger()
    faults.add(script({"do": "status", "status": 418}, match))
    assert [n for n in range(1, 7) if run(faults, ledger).status == 418] == fired


def test_times_bounds_the_firings_and_others_do_not_count() -> None:
    faults, ledger = Faults(), Ledger()
    faults.add(script({"do": "status", "status": 503}, {"path": "/Contacts"}, times=2))
    assert run(faults, ledger).status == 200
    assert [run(faults, ledger, path="/Contacts").status for _ in range(4)] == [503, 503, 200, 200]


def test_the_first_rule_that_fires_decides_and_all_matches_are_counted() -> None:
    faults, ledger = Faults(), Ledger()
    faults.add([script({"do": "status", "status": 501}, {"nth": 2}), script({"do": "status", "status": 502})])
    assert [run(faults, ledger).status for _ in range(3)] == [502, 501, 502]
    rules = faults.document()["rules"]
    assert isinstance(rules, list)
    assert [(rule["seen"], rule["fired"]) for rule in rules] == [(3, 1), (3, 2)]


@pytest.mark.parametrize(
    ("action", "commits", "status", "wire"),
    [
        ({"do": "before_commit", "status": 503}, 0, 503, Deliver()),
        ({"do": "before_commit", "status": 500}, 0, 500, Deliver()),
        ({"do": "after_commit", "status": 504}, 1, 504, Deliver()),
        ({"do": "after_commit", "status": 500}, 1, 500, Deliver()),
        ({"do": "status", "status": 429, "headers": {"Retry-After": 7}}, 0, 429, Deliver()),
        ({"do": "reset"}, 0, 503, Reset()),
        ({"do": "hang", "seconds": 2}, 0, 503, Hang(2.0)),
        ({"do": "reset_after_commit"}, 1, 200, Reset()),
        ({"do": "hang_after_commit", "seconds": 3}, 1, 200, Hang(3.0)),
        ({"do": "cut_body", "bytes": 5}, 1, 200, CutAfter(5)),
    ],
)
def test_what_an_action_commits_and_answers(action: dict[str, object], commits: int, status: int, wire: object) -> None:
    faults, ledger = Faults(), Ledger()
    faults.add(script(action))
    answer = run(faults, ledger)
    assert (len(ledger.commits), answer.status, answer.wire) == (commits, status, wire)


def test_a_status_carries_its_headers_and_body() -> None:
    faults, ledger = Faults(), Ledger()
    faults.add(script({"do": "status", "status": 429, "headers": {"Retry-After": 7}}, times=1))
    faults.add(script({"do": "before_commit", "status": 502, "body": "<html>", "headers": {"A": "b"}}))
    first, second = run(faults, ledger), run(faults, ledger)
    assert (first.headers, first.body) == ((("Retry-After", "7"),), b"")
    assert (second.headers, second.body) == ((("A", "b"),), b"<html>")


@pytest.mark.parametrize(
    ("action", "inside", "outside"),
    [
        ({"do": "after_commit", "status": 500}, [500], 500),
        ({"do": "after_commit", "status": 503}, [200], 503),
        ({"do": "after_commit", "status": 503, "stored": True}, [503], 503),
        ({"do": "before_commit", "status": 500}, [500], 500),
        ({"do": "before_commit", "status": 500, "stored": False}, [], 500),
    ],
)
def test_only_a_stored_failure_is_seen_by_an_idempotency_store(
    action: dict[str, object], inside: list[int], outside: int
) -> None:
    faults, ledger = Faults(), Ledger()
    faults.add(script(action))
    firing = faults.draw(Request("POST", "/x"), (), NOW)
    kept: list[int] = []

    def store(now: datetime) -> Response:
        answer = firing.within(ledger, now)
        kept.append(answer.status)
        return answer

    assert (firing.at_edge(store, NOW).status, kept) == (outside, inside)


def test_a_late_commit_is_executed_once_at_its_own_instant_and_in_order() -> None:
    faults, ledger = Faults(), Ledger()
    faults.add(script({"do": "late_commit", "seconds": 90}, {"nth": 1}))
    faults.add(script({"do": "late_commit", "seconds": 30, "answer": "hang"}, {"nth": 2}))
    assert [type(run(faults, ledger).wire) for _ in range(2)] == [Reset, Hang]
    assert ledger.commits == []
    assert faults.next_due(NOW + timedelta(seconds=29)) is None
    pending = faults.document()["pending"]
    assert isinstance(pending, list)
    assert [row["due"] for row in pending] == ["2026-11-22T08:00:30+00:00", "2026-11-22T08:01:30+00:00"]
    later = NOW + timedelta(seconds=100)
    while (late := faults.next_due(later)) is not None:
        late.execute(late.due)
    assert ledger.commits == [NOW + timedelta(seconds=30), NOW + timedelta(seconds=90)]
    assert faults.document()["pending"] == []


def test_clearing_the_script_does_not_undo_what_is_under_way() -> None:
    faults, ledger = Faults(), Ledger()
    faults.add(script({"do": "late_commit", "seconds": 10}))
    run(faults, ledger)
    faults.clear()
    assert faults.next_due(NOW + timedelta(seconds=10)) is not None
    assert run(faults, ledger).status == 200


def test_slow_pauses_before_the_commit() -> None:
    pauses: list[tuple[float, int]] = []
    ledger = Ledger()
    faults = Faults(pause=lambda seconds: pauses.append((seconds, len(ledger.commits))))
    faults.add(script({"do": "slow", "seconds": 1.5}))
    assert run(faults, ledger).body == BODY
    assert pauses == [(1.5, 0)]


def garbled(kind: str) -> Response:
    faults = Faults()
    faults.add(script({"do": "garbage", "kind": kind}))
    return run(faults, Ledger())


def test_garbage_cannot_be_taken_for_an_answer() -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(garbled("truncated_json").body)
    assert BODY.startswith(garbled("truncated_json").body)
    with pytest.raises(json.JSONDecodeError):
        json.loads(garbled("not_json").body)
    assert garbled("empty").body == b""
    assert garbled("bom").body == b"\xef\xbb\xbf" + BODY
    assert garbled("nan").body == b'{"Total": NaN, "Count": NaN, "Rows": [NaN, NaN], "Name": "a: 7,"}'
    login, typed = garbled("html_login"), garbled("wrong_content_type")
    assert login.body.startswith(b"<!DOCTYPE html>")
    assert typed.body == BODY
    for answer in (login, typed):
        assert answer.status == 200
        assert dict(answer.headers) == {"Content-Type": "text/html; charset=utf-8", "X-Kept": "1"}


def test_firings_are_recorded() -> None:
    faults, ledger = Faults(), Ledger()
    [number] = faults.add(script({"do": "reset"}, {"nth": 2}))
    run(faults, ledger)
    run(faults, ledger, "PUT", "/Payments")
    assert faults.document()["firings"] == [
        {"rule": number, "at": NOW.isoformat(), "method": "PUT", "path": "/Payments", "do": "reset"}
    ]


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("reset", "must be an object"),
        ({"action": {"do": "explode"}}, "do must be one of"),
        ({"action": {"do": "reset", "status": 1}}, "unknown status"),
        ({"action": {"do": "reset"}, "match": {"paht": "x"}}, "unknown paht"),
        ({"action": {"do": "reset"}, "match": {"path": "("}}, "no regular expression"),
        ({"action": {"do": "reset"}, "match": {"nth": 1, "every": 2}}, "one of nth"),
        ({"action": {"do": "reset"}, "match": {"nth": 0}}, "at least 1"),
        ({"action": {"do": "reset"}, "times": True}, "whole number"),
        ({"action": {"do": "cut_body"}}, "bytes is missing"),
        ({"action": {"do": "status", "status": 99}}, "between 200 and 599"),
        ({"action": {"do": "garbage", "kind": "noise"}}, "kind must be one of"),
        ({"action": {"do": "late_commit", "seconds": -1}}, "seconds must be"),
        ({"action": {"do": "late_commit", "seconds": 1, "answer": "ok"}}, "reset or hang"),
        ({"action": {"do": "before_commit", "status": 500, "stored": 1}}, "stored must be"),
        ({"action": {"do": "reset"}, "extra": 1}, "unknown extra"),
        ([{"action": {"do": "reset"}}, {"action": {}}], "do must be one of"),
    ],
)
def test_a_script_with_a_mistake_is_refused_whole(document: object, complaint: str) -> None:
    faults = Faults()
    with pytest.raises(ValueError, match=complaint):
        faults.add(document)
    assert faults.document()["rules"] == []
