"""Measuring inside a fresh process, and running such processes."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
Measured = dict[str, Any]


@contextmanager
def meter(into: Measured) -> Iterator[None]:
    """CPU and wall seconds of this process and all its threads inside the block; afterwards its peak memory in MB."""
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    yield
    after = resource.getrusage(resource.RUSAGE_SELF)
    into["wall"] = time.perf_counter() - started
    into["cpu"] = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    into["peak_mb"] = peak_mb()


def peak_mb() -> float:
    """The high-water mark of resident memory. Not ru_maxrss, which an exec inherits from the parent process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this system does not tell the peak of resident memory")


def tell(measured: Measured) -> None:
    """The result of a measured process, for `run`."""
    print(json.dumps(measured))


def environment() -> dict[str, str]:
    """Ours, with bytecode written: what is measured is not the compiler."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run(module: str, *arguments: str) -> Measured:
    """The last line that `python -m bench.<module>` prints, as JSON."""
    command = [sys.executable, "-m", f"bench.{module}", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, check=True)
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


def middle(runs: list[Measured], name: str) -> float:
    """The median of one figure."""
    return median(float(run[name]) for run in runs)


def compile_all() -> None:
    """Bytecode of everything that is measured."""
    command = [sys.executable, "-m", "compileall", "-q", "connector", "adapters", "mappings", "bench"]
    subprocess.run(command, cwd=ROOT, env=environment(), check=True)
