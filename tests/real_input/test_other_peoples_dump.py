"""Somebody else's dump of API answers: one file, lower-case plurals, booleans as words, ids that are no UUIDs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.errors import ConfigError
from tests.real_input.practice import Practice, practice, shared

pytestmark = pytest.mark.socket

NOW = "2020-02-01T00:00:00+00:00"


@pytest.fixture(scope="module")
def books() -> Path:
    """The folder as it is: beside the dump it holds error answers, connections, XML and a webhook's body."""
    return shared() / "fixtures" / "xero"


@pytest.fixture(scope="module")
def dump(books: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with practice(tmp_path_factory.mktemp("dump"), books, NOW) as found:
        yield found


def test_drafts_are_no_debt(dump: Practice) -> None:
    # Three receivables of 1,714.30 + 200.00 + 200.00 INR, all DRAFT; INV-0003 says 200.00 due of a total of 2,000.00.
    assert dump.pulled.records == {"invoice": 3, "customer": 2, "payment": 0, "credit": 0}
    assert dump.review() == {}
    assert dump.pulled.open == {}
    assert dump.report().currencies == {}, "neither debts nor sales"
    drafts = [invoice for book in dump.books().values() for invoice in book.invoices]
    assert {(one.number, str(one.balance)) for one in drafts} == {
        ("INV-0001", "INR 1,714.30"),
        ("INV-0002", "INR 200.00"),
        ("INV-0003", "INR 200.00"),
    }


def test_the_plan_asks_for_the_drafts_to_be_finished(dump: Practice) -> None:
    # Nothing is sent: three unfinished invoices are tasks, and nobody's opening items have to be sorted.
    assert dump.take_on().customers == ()
    wanted = [action for action in dump.plan().actions if action.customer_id]
    assert sorted(action.key.occasion for action in wanted) == ["unfinished:draft"] * 3
    assert dump.apply().effects == []


def test_a_currency_without_factor_is_refused_for_plans_and_not_for_figures(books: Path, tmp_path: Path) -> None:
    strange = tmp_path / "books"
    strange.mkdir()
    text = (books / "fyle_mock_xero.json").read_text("utf-8").replace('"INR"', '"XTS"')
    (strange / "dump.json").write_text(text, "utf-8")
    with practice(tmp_path, strange, NOW) as found:
        assert found.report().control["open_in_base"] == {"amount": "0.00", "currency": "XTS"}
        with pytest.raises(ConfigError, match="XTS has no factor"):
            found.plan()
    with practice(tmp_path / "mended", strange, NOW, "factors: {XTS: 3}\n") as found:
        assert found.plan().stored
