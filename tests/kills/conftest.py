"""One warm process a database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.kills.kinds import Point
from tests.store.cluster import NONE_FOUND, server

ROOT = Path(__file__).parents[2]


class Warm:
    """Kills on demand."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def kill(self, name: str, point: Point) -> dict[str, Any]:
        """What the survivor of this case found."""
        assert self._process.stdin is not None
        print(json.dumps([name, point.name]), file=self._process.stdin, flush=True)
        answer = self.said()
        assert "error" not in answer, answer["error"]
        found: dict[str, Any] = answer["found"]
        return found

    def said(self) -> Any:
        """Its next answer."""
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline() or '{"error": "the warm process is gone"}')


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the slow kills out where nobody asks for them (`-m slow`): CONTRIBUTING says which and why."""
    if "slow" in config.option.markexpr:
        return
    here = Path(__file__).parent
    left_out = [item for item in items if item.path.parent == here and item.get_closest_marker("slow")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@contextmanager
def warmed(folder: Path, address: str = "") -> Iterator[Warm]:
    command = [sys.executable, "-m", "tests.kills", str(folder), address]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            warm = Warm(process)
            assert warm.said() == "ready"
            yield warm
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(20) == 0
        finally:
            process.kill()


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    with warmed(tmp_path_factory.mktemp("kills")) as warm:
        yield warm


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with server(shared) as address:
        if address is None:
            pytest.skip(NONE_FOUND)
        with warmed(tmp_path_factory.mktemp("kills"), address) as warm:
            yield warm
