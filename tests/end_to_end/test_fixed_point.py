"""When nothing changes, nothing more is planned or written: over weeks of work, with the shipped scenario's people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.xero.sandbox.serve import serve
from connector import http
from connector.bootstrap import HowToConnect, connect_ledger, open_project
from connector.clock import SandboxClock
from connector.demo.observe import Sandbox
from connector.demo.play import Outcome, _Player
from connector.demo.scenario import load
from connector.domain.effects import EffectKind
from connector.service import approve
from connector.service.deliver import deliver
from connector.service.review import propose
from connector.service.sync import pull
from tests.harness import Office, new_project

pytestmark = pytest.mark.socket
SPAN = timedelta(days=12)


@pytest.fixture
def player(tmp_path: Path) -> Iterator[_Player]:
    """The demo's people, on its first day."""
    script = load()
    served = serve(port=0, books=None, now=script.start, seed=1, frozen=True)
    try:
        with closing(http.client()) as client:
            sandbox = Sandbox(client, served.base_url, script.zone)
            name = sandbox.load(script.document())
            new_project(tmp_path / "project", served)
            clock = SandboxClock(client, served.base_url, exclusive=True)
            with open_project(tmp_path / "project", who="Riley Quinn", clock=clock) as w:
                how = HowToConnect("xero", served.base_url, way="auto", organisation=name)
                connect_ledger(w, how, lambda _line: None, lambda _question: "")
                yield _Player(w, script, sandbox, clock, lambda _line: None, Outcome("xero", name))
    finally:
        served.stop()


@pytest.mark.timeout(120)
def test_after_every_visited_day_planning_again_proposes_nothing_new(player: _Player) -> None:
    player._go_to(player.script.first_day)
    pull(player.w, player._row())
    player._take_on()
    day = player.script.first_day
    while day <= player.script.first_day + SPAN:
        following = player._visit(day)
        written = len(player.sandbox.events)
        again = propose(player.w, player._row())
        contacts = [one for one in again.actions if one.key.kind not in approve.FOR_A_PERSON]
        assert contacts == [], f"{day}: proposed again"
        deliver(player.w, player._row())
        player.sandbox.look()
        assert len(player.sandbox.events) == written, f"{day}: written again"
        assert following is not None
        day = following
    assert written > 10, "the weeks were too quiet to show anything"
    assert player.sandbox.doubled() == 0


def test_a_plan_changes_nothing_and_two_plans_agree(office: Office) -> None:
    office.invoice("INV-5", "Letter Ltd")
    office.pull()
    office.reconciled()
    first = {action.id: action.content_hash for action in office.plan().actions}
    second = {action.id: action.content_hash for action in office.plan().actions}
    assert first == second != {}
    assert office.truth() == []


def test_each_effect_has_a_key_of_its_own(office: Office) -> None:
    office.five_cases()
    office.apply()
    keys = Counter(row.effect.key for row in office.effects())
    marks = Counter(row.effect.marker for row in office.effects(EffectKind.NOTE))
    assert set(keys.values()) == set(marks.values()) == {1}
