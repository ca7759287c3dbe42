"""Where the CPU goes: `python -m bench.profile ROOT-URL DATABASE` profiles one pull, without its waits."""

from __future__ import annotations

import cProfile
import pstats
import sys
import time
from pathlib import Path

from bench.ours import measured_pull

if __name__ == "__main__":
    profiler = cProfile.Profile(time.thread_time)
    print(measured_pull(sys.argv[1], Path(sys.argv[2]), profiler.runcall))
    pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
