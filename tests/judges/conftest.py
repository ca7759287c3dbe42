"""What every judge gets: a served sandbox whose answers are all held to Xero's own description afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.judges.court import Court, seat
from tests.judges.description import SPEC, official
from tests.judges.deviations import sustained
from tests.judges.sdk import Sdk


@pytest.fixture
def court(tmp_path: Path) -> Iterator[Court]:
    """A sandbox on a socket; where the description is there, every answer of the test has to fit it."""
    sitting, server = seat()
    with server:
        sitting.base_url, sitting.folder = server.base_url, str(tmp_path)
        yield sitting
    if SPEC.exists():
        found = [one for each in sitting.exchanges for one in sustained(official(), each)]
        assert not found, "\n".join(map(str, dict.fromkeys(found)))


@pytest.fixture
def sdk(court: Court, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sdk]:
    """Xero's own client library, connected with every scope that the company needs."""
    client = Sdk(court, monkeypatch)
    yield client
    client.close()
