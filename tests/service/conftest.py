"""The office, for services that need a ledger under them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import MONDAY, Office, new_project, opened, sandbox


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Connected and taken on a month ago; it is Monday noon."""
    with sandbox() as served:
        new_project(tmp_path / "project", served)
        with opened(tmp_path / "project", served) as made:
            made.take_on()
            made.go_to(MONDAY)
            yield made
