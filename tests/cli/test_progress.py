"""Nobody sits before a silent terminal: which effect it is, and what it waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connector.bootstrap import open_project
from connector.cli import progress
from connector.cli.progress import Teller
from connector.clock import SandboxClock
from connector.service.deliver import deliver
from connector.service.lookup import selected
from tests.cli.conftest import Desk
from tests.harness import MONDAY, Office, new_project, opened, sandbox

pytestmark = pytest.mark.socket


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Connected and taken on a month ago; it is Monday noon."""
    with sandbox() as served:
        new_project(tmp_path / "project", served)
        with opened(tmp_path / "project", served) as made:
            made.take_on()
            made.go_to(MONDAY)
            yield made


class ObservedClock(SandboxClock):
    """The sandbox's clock; somebody looks on before every wait."""

    look: Callable[[], object] = staticmethod(lambda: None)

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.look()
        super().sleep(seconds)


def test_a_ledger_that_does_not_answer_is_named(taken_on: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    taken_on.ok("dispute", "open", "INV-0010", "--code", "quality")
    actions = taken_on.run("plan", "--json").json["actions"]
    taken_on.ok("approve", *(one["id"] for one in actions if one["kind"] == "tag_dispute"))
    for name, seconds in (("AFTER", 0.05), ("EVERY", 0.3)):
        monkeypatch.setattr(progress, name, seconds)
    hanging = {"do": "hang_after_commit", "seconds": 1.7}
    taken_on.order("faults", {"match": {"method": "PUT", "path": "/ContactGroups"}, "action": hanging, "times": 1})
    answer = taken_on.run("apply")
    assert "effect 1: tag for " in answer.err
    assert ": no answer yet, 1 s\n" in answer.err
    assert "no answer" not in answer.out
    taken_on.order("clock", {"advance": 181})
    taken_on.order("faults", {"match": {"method": "GET", "path": "/ContactGroups"}, "action": hanging, "times": 1})
    assert taken_on.run("apply", "--json").err == ""


def test_a_limit_that_is_waited_for_is_named_with_its_end(office: Office) -> None:
    office.five_cases()
    office.order("limits", {"used_minute": 60})
    clock = ObservedClock(office.client, office.served.base_url)
    told: list[str] = []
    with open_project(office.folder, who="Ana", clock=clock) as w:
        (row,) = selected(w, None)
        teller = Teller(w, row)
        assert teller.line() == ""
        clock.look = lambda: told.append(teller.line())
        deliver(w, row, watch=teller.watch)
        assert told
        assert "effect 1: " in told[0]
        assert ": Xero allows no call before 12:0" in told[0]
        assert told[0].endswith(" GMT")
        assert "allows no call" not in teller.line(), "the wait is over"
