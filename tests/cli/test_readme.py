"""The README's "By hand" block, extracted and typed into a real shell in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
ACTIVATE = ". .venv/bin/activate\n"
TIDY = "trap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n"  # where a line fails, the sandbox ends as well


def block() -> str:
    """The first shell block below "By hand"."""
    text = README.read_text(encoding="utf-8").partition("## By hand")[2]
    found = re.search(r"```sh\n(.*?)```", text, re.DOTALL)
    assert found is not None
    assert found[1].startswith(ACTIVATE)
    return found[1].removeprefix(ACTIVATE)


@pytest.mark.slow
@pytest.mark.socket
@pytest.mark.timeout(180)
def test_by_hand_works_as_written(tmp_path: Path) -> None:
    tools = Path(sys.executable).parent  # what activating the environment puts on the path
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DUNWELL_", "PYTHON"))}
    environment |= {"PATH": f"{tools}:{environment['PATH']}", "HOME": str(tmp_path)}
    code, out, err = _type(block(), tmp_path, environment)
    assert code == 0, out + err
    assert "Traceback" not in err
    assert "reconcile the bank first" in out
    assert out.count("exit code 2") == 2
    assert "Have we missed something?" in out
    assert out.count("nothing was due\n") == 1
    letters = len(list((tmp_path / "acme" / ".dunwell" / "letters").glob("*.eml")))
    assert letters >= 5
    assert f"{2 * letters} done\n" in out
    assert out.count('"kind": "history_note"') == letters


def _type(lines: str, folder: Path, environment: dict[str, str]) -> tuple[int, str, str]:
    """Let bash run the lines; whatever they left running is ended. Exit code, stdout, stderr."""
    out, err = folder / "out.txt", folder / "err.txt"
    with out.open("w") as to_out, err.open("w") as to_err:
        shell = subprocess.Popen(
            ["bash", "-e", "-m", "-c", TIDY + lines],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=to_out, stderr=to_err,
        )  # fmt: skip
        try:
            code = shell.wait(timeout=170)
        finally:
            shell.kill()
    return code, out.read_text(), err.read_text()
