"""Peak memory of a whole pull, of a small and of a large ledger, five pages in flight, each in a fresh process."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from bench import measure
from bench.goals import Figure
from bench.server import serving


def peak(size: int, folder: Path, rounds: int) -> float:
    """The median high-water mark in MB of pulling `size` invoices with their payments and contacts."""
    with serving(size) as served:
        peaks = []
        for number in range(rounds):
            database = folder / f"memory-{size}-{number}.db"
            peaks.append(float(measure.run("ours", served.root("plain"), str(database))["peak_mb"]))
            database.unlink()
    return median(peaks)


def figures(folder: Path, *, small: int, large: int, rounds: int) -> list[Figure]:
    low, high = peak(small, folder, rounds), peak(large, folder, rounds)
    note = f"{low:.0f} MB with {small:,} invoices, {high:.0f} MB with {large:,}"
    return [
        Figure("memory growth", high - low, 10, "less", "MB", note),
        Figure("memory peak", high, 130, "less", "MB", f"{large:,} invoices, five pages in flight"),
    ]
